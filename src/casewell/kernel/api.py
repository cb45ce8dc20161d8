"""The JSON API: typed input, documented answers, one OpenAPI description made from both.

A thin layer on Flask. A route declares what it takes and what it answers; the view gets
validated models. Who may call it was settled before anything is parsed (`kernel.access`).
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import wraps
from typing import Any

import orjson
from flask import Blueprint, Response, request
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from werkzeug.routing import Rule
from werkzeug.wrappers import Response as WerkzeugResponse

from casewell.kernel import forms
from casewell.kernel.db import LARGEST_ID
from casewell.kernel.errors import CasewellError, MalformedRequest
from casewell.kernel.web import RowNumber

View = Callable[..., Any]
REF = "#/components/schemas/{model}"


class UnsupportedMedia(CasewellError):
    code = "unsupported_media_type"
    status = 415

    def __init__(self) -> None:
        super().__init__("Send JSON, with Content-Type: application/json.")


@dataclass(frozen=True)
class Operation:
    """One documented route."""

    endpoint: str
    summary: str
    description: str
    tag: str
    status: int
    answers: type[BaseModel] | None
    query: type[BaseModel] | None
    body: type[BaseModel] | None
    errors: tuple[int, ...]
    security: bool
    headers: dict[str, str] = field(default_factory=dict)


OPERATIONS: dict[str, Operation] = {}


class Api:
    """The routes of one part of the API, below `/api`."""

    def __init__(self, name: str, prefix: str, *, tag: str) -> None:
        self.blueprint = Blueprint(f"api_{name}", __name__, url_prefix=f"/api{prefix}")
        self._tag = tag

    def route(
        self,
        method: str,
        rule: str,
        *,
        summary: str,
        answers: type[BaseModel] | None = None,
        query: type[BaseModel] | None = None,
        body: type[BaseModel] | None = None,
        status: int = 200,
        errors: Iterable[int] = (),
        security: bool = True,
        headers: dict[str, str] | None = None,
    ) -> Callable[[View], View]:
        """Register a view. It is called with path values, `query=` and `body=` as declared.

        It returns a model, something JSON can say, None for 204, or a ready response. `errors`
        are the statuses it may answer beyond those every route can; `headers` documents request
        headers (name: description) it reads itself.
        """

        def register(view: View) -> View:
            @wraps(view)
            def answer(**path: Any) -> WerkzeugResponse:
                if query is not None:
                    path["query"] = forms.parse(query, request.args, empty_is_absent=False)
                if body is not None:
                    path["body"] = forms.parse(body, read_json())
                return as_response(view(**path), status)

            endpoint = view.__name__
            self.blueprint.add_url_rule(rule, endpoint, answer, methods=[method])
            full = f"{self.blueprint.name}.{endpoint}"
            OPERATIONS[full] = Operation(
                full,
                summary,
                (view.__doc__ or "").strip(),
                self._tag,
                status,
                answers,
                query,
                body,
                tuple(errors),
                security,
                headers or {},
            )
            return view

        return register

    def get(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route("GET", rule, **options)

    def post(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route("POST", rule, **options)

    def put(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route("PUT", rule, **options)

    def patch(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route("PATCH", rule, **options)

    def delete(self, rule: str, **options: Any) -> Callable[[View], View]:
        return self.route("DELETE", rule, **options)


def read_json() -> dict[str, Any]:
    """Return the request's JSON object. Raises UnsupportedMedia or MalformedRequest."""
    if request.mimetype != "application/json":
        raise UnsupportedMedia
    try:
        given = orjson.loads(request.get_data())
    except orjson.JSONDecodeError as error:
        raise MalformedRequest("This is not JSON.") from error
    if not isinstance(given, dict):
        raise MalformedRequest("Send a JSON object.")
    return given


def as_response(answer: Any, status: int) -> WerkzeugResponse:
    """Return an answer as JSON. Lists come as plain dicts: a model per row costs too much."""
    if isinstance(answer, WerkzeugResponse):
        return answer
    if answer is None:
        return Response(status=204)
    if isinstance(answer, BaseModel):
        answer = answer.model_dump(mode="json")
    body = orjson.dumps(answer, option=orjson.OPT_UTC_Z)
    return Response(body, status, mimetype="application/json")


class FieldProblem(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457 problem details; `code` never changes, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    errors: list[FieldProblem] | None = None


COMMON_ERRORS = {
    400: "The request could not be read.",
    401: "Not signed in.",
    403: "The role or the token does not allow this.",
    404: "Absent, or not for you.",
    405: "The address exists, this method does not.",
    413: "Too large.",
    415: "The body is not JSON.",
    422: "Some fields are not acceptable.",
    429: "Too many requests; see Retry-After.",
}


def openapi(rules: Iterable[Rule], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of every registered route."""
    models: set[type[BaseModel]] = {Problem}
    for operation in OPERATIONS.values():
        models |= {m for m in (operation.answers, operation.query, operation.body) if m}
    names = [model.__name__ for model in models]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise RuntimeError(f"models of the API share a name: {', '.join(twice)}")
    modes: list[tuple[type[BaseModel], Any]] = []
    inputs = {op.body for op in OPERATIONS.values()} | {op.query for op in OPERATIONS.values()}
    for model in sorted(models, key=lambda m: m.__name__):
        modes.append((model, "validation" if model in inputs else "serialization"))
    _, schemas = models_json_schema(modes, ref_template=REF)
    definitions = schemas.get("$defs", {})
    paths: dict[str, dict[str, Any]] = {}
    for rule in rules:
        found = OPERATIONS.get(rule.endpoint)
        if found is None:
            continue
        path, parameters = _path(rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _describe(found, parameters, definitions)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Casewell",
            "version": version,
            "description": "Sign in with a personal API token as a bearer token.",
            "license": {"name": "AGPL-3.0-or-later", "identifier": "AGPL-3.0-or-later"},
        },
        "servers": [{"url": "/"}],
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": definitions,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "session": {"type": "apiKey", "in": "cookie", "name": "casewell-session"},
            },
        },
    }


def _path(rule: Rule) -> tuple[str, list[dict[str, Any]]]:
    path, parameters = "", []
    for is_dynamic, part in rule._trace:
        if not is_dynamic:
            path += part.lstrip("|")
            continue
        schema: dict[str, Any] = {"type": "string", "minLength": 1}
        if isinstance(rule._converters[part], RowNumber):
            schema = {"type": "integer", "minimum": 0, "maximum": LARGEST_ID}
        parameters.append({"name": part, "in": "path", "required": True, "schema": schema})
        path += "{" + part + "}"
    return path, parameters


def _describe(
    operation: Operation, path: list[dict[str, Any]], definitions: dict[str, Any]
) -> dict[str, Any]:
    parameters = list(path)
    if operation.query is not None:
        schema = definitions[operation.query.__name__]
        for name, one in schema.get("properties", {}).items():
            parameters.append(
                {
                    "name": name,
                    "in": "query",
                    "required": name in schema.get("required", ()),
                    "schema": one,
                }
            )
    for name, description in operation.headers.items():
        parameters.append(
            {
                "name": name,
                "in": "header",
                "required": False,
                "description": description,
                "schema": {"type": "string"},
            }
        )
    success: dict[str, Any] = {"description": "Done."}
    if operation.answers is not None:
        success["content"] = {
            "application/json": {"schema": {"$ref": REF.format(model=operation.answers.__name__)}}
        }
    errors = {400, 401, 403, 422, 429} if operation.security else {400, 422, 429}
    errors |= set(operation.errors)
    if path:
        errors.add(404)
    if operation.body is not None:
        errors |= {413, 415}
    problem = {"application/problem+json": {"schema": {"$ref": REF.format(model="Problem")}}}
    described: dict[str, Any] = {
        "operationId": operation.endpoint.removeprefix("api_").replace(".", "_"),
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": parameters,
        "responses": {
            str(operation.status): success,
            **{
                str(status): {
                    "description": COMMON_ERRORS.get(status, "Refused; see `code`."),
                    "content": problem,
                }
                for status in sorted(errors)
            },
        },
        "security": [{"token": []}, {"session": []}] if operation.security else [],
    }
    if operation.description:
        described["description"] = operation.description
    if operation.body is not None:
        reference = {"$ref": REF.format(model=operation.body.__name__)}
        described["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": reference}},
        }
    return described
