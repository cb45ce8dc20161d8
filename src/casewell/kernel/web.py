"""One request: its session, its identity, its answer.

A view finds through access, asks one verb and answers. It never commits: the request does, once,
unless the answer is an error, which rolls everything back.
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit
from uuid import uuid4

import structlog
from flask import Flask, Response, current_app, flash, g, jsonify, redirect, request, url_for
from flask import render_template as render_jinja
from flask.sessions import SecureCookieSessionInterface
from flask_wtf.csrf import CSRFError, CSRFProtect
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter
from werkzeug.wrappers import Response as WerkzeugResponse

from casewell.kernel.access import (
    SAFE_METHODS,
    Audience,
    ClientIdentity,
    Identity,
    check_complete,
    enforce,
)
from casewell.kernel.compression import compress, vary_by
from casewell.kernel.db import LARGEST_ID, commit
from casewell.kernel.errors import (
    CasewellError,
    MalformedRequest,
    NotFound,
    NotSignedIn,
    TooLarge,
    TooManyRequests,
)
from casewell.kernel.runtime import Runtime
from casewell.kernel.searched import read_words
from casewell.kernel.settings import Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'; object-src 'none'"
)
_GUARDS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
PROBLEM = "application/problem+json"
# Of what is no page: a file that pages load, an answer to a program. It loads nothing and stands in
# no frame. A first visit fetches many, and a program asks often.
_GUARDS_OF_DATA = {
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}
_DATA = frozenset({"application/json", PROBLEM})
MAX_BODY = 45_000_000
MAX_FORM_MEMORY = 2_000_000
MAX_FORM_PARTS = 1_000
# More digits than the largest number has: to read thousands of them would take long.
DIGITS = 20
HSTS = "max-age=63072000; includeSubDomains"

Identify = Callable[[], Identity | None]
IdentifyClient = Callable[[], ClientIdentity | None]
View = TypeVar("View", bound=Callable[..., Any])
csrf = CSRFProtect()
log = structlog.get_logger()


class RowNumber(IntegerConverter):
    """`<int:...>` in a route; one that no database takes stands for the largest it does take.

    No row has that number, so the answer is the one for any absent row.
    """

    def to_python(self, value: str) -> int:
        number: int = super().to_python(value[:DIGITS])
        return min(number, LARGEST_ID)


def install(
    app: Flask,
    runtime: Runtime,
    table: Mapping[str, Audience],
    identify: Identify,
    identify_client: IdentifyClient = lambda: None,
) -> None:
    """Make every request of `app` pass through here. Called after all routes are registered."""
    settings = runtime.settings
    app.extensions["casewell"] = runtime
    app.config.update(
        SECRET_KEY=settings.secret_key,
        SESSION_COOKIE_NAME=cookie_name(settings.https, "form"),
        SESSION_COOKIE_SECURE=settings.https,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=MAX_BODY,
        MAX_FORM_MEMORY_SIZE=MAX_FORM_MEMORY,
        MAX_FORM_PARTS=MAX_FORM_PARTS,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_SSL_STRICT=False,
        PREFERRED_URL_SCHEME="https" if settings.https else "http",
        TRAP_HTTP_EXCEPTIONS=False,
        PROPAGATE_EXCEPTIONS=False,
    )
    app.session_interface = _Sessions(app)
    csrf.init_app(app)
    if hops := settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    check_complete(table, (rule.endpoint for rule in app.url_map.iter_rules()))

    def begin() -> None:
        g.request_id = uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)
        if request.endpoint is None:
            g.identity = None if wants_json() else identify()
            return  # 404 or 405: the router answers, in the shell for who is signed in
        audience = table[request.endpoint]
        if request.endpoint == "static":
            return
        if audience.clients:
            g.identity, g.client, g.for_clients = None, identify_client(), True
            if g.client is None and not audience.public:
                raise NotSignedIn
        else:
            g.identity = identify()
            enforce(audience, g.identity, request.method)
        _limit_body(settings)
        signed_by_token = g.identity is not None and g.identity.via == "token"
        if request.method not in SAFE_METHODS and not audience.machine and not signed_by_token:
            csrf.protect()

    app.before_request(begin)
    app.after_request(_finish)
    app.teardown_appcontext(_close)
    app.register_error_handler(CasewellError, _answer_error)
    app.register_error_handler(CSRFError, _answer_csrf)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_bug)


class _Sessions(SecureCookieSessionInterface):
    """Flask's own, which would make what reads and signs a cookie anew for each request."""

    def __init__(self, app: Flask) -> None:
        self._serializer = super().get_signing_serializer(app)

    def get_signing_serializer(self, app: Flask) -> URLSafeTimedSerializer | None:
        return self._serializer


def takes_bodies_up_to(limit: Callable[[Settings], int]) -> Callable[[View], View]:
    """Let a view take larger requests than others, or only smaller ones: of `limit` bytes."""

    def mark(view: View) -> View:
        view.__dict__["largest_body"] = limit
        return view

    return mark


def _limit_body(settings: Settings) -> None:
    """Set the limit before anything reads the request: checking its CSRF token reads it whole."""
    view = current_app.view_functions[request.endpoint or ""]
    of_view: Callable[[Settings], int] | None = getattr(view, "largest_body", None)
    if of_view is not None:
        limit = of_view(settings)
    elif request.mimetype == "multipart/form-data":
        limit = MAX_BODY
    else:
        # Without files. A form of a few dozen megabytes would be millions of fields.
        limit = MAX_FORM_MEMORY
    request.max_content_length = limit
    if (request.content_length or 0) > limit:
        raise TooLarge(
            f"That is more than {limit // 1_000_000:,} MB, which is the most that is taken here. "
            "Nothing was saved."
        )


def cookie_name(https: bool, purpose: str) -> str:
    """Return a cookie's name; over https the browser itself then guards where it comes from."""
    return f"__Host-casewell-{purpose}" if https else f"casewell-{purpose}"


def runtime() -> Runtime:
    found: Runtime = current_app.extensions["casewell"]
    return found


def now() -> datetime:
    return runtime().now()


def db() -> Session:
    """Return this request's session: read-only for a safe method, else holding a transaction."""
    if "session" not in g:
        g.session = runtime().database.session(write=request.method not in SAFE_METHODS)
    session: Session = g.session
    return session


def identity() -> Identity:
    """Return who is asking. Raises NotSignedIn on a public route without a session."""
    found: Identity | None = g.get("identity")
    if found is None:
        raise NotSignedIn
    return found


def client() -> ClientIdentity:
    """Return which client is asking. Raises NotSignedIn, also on every route for staff."""
    found: ClientIdentity | None = g.get("client")
    if found is None:
        raise NotSignedIn
    return found


def is_for_clients() -> bool:
    """Whether this request is to the portal: whoever reads the answer is no staff."""
    return bool(g.get("for_clients"))


def row_number(parameter: str) -> int | None:
    """Return the row that a parameter of the address names; None: nothing that could be one."""
    number = request.args.get(parameter, type=int)
    return number if number is not None and 0 < number <= LARGEST_ID else None


def looked_for(*, most: int = 100) -> str:
    """Return the words that this request looks for. Raises BadCursor."""
    return read_words(request.values, most=most)


def on_refusal(act: Callable[[Session], object]) -> None:
    """Write something even though the answer is an error: a failed sign-in, a refused act.

    It runs in a transaction of its own after the request's has been rolled back.
    """
    g.setdefault("on_refusal", []).append(act)


def wants_json() -> bool:
    """Whether a program asks: of the API, or one that pushes something to us."""
    return request.path.startswith(("/api/", "/hooks/"))


def is_htmx() -> bool:
    """Whether htmx asks for a fragment (not for a whole page to restore from history)."""
    headers = request.headers
    return "HX-Request" in headers and "HX-History-Restore-Request" not in headers


def render(
    page: str, partial: str | None = None, *, status: int = 200, **context: Any
) -> WerkzeugResponse:
    """Answer with a page, or to htmx with its replaceable part alone."""
    g.is_fragment = partial is not None and is_htmx()
    template = partial if partial is not None and is_htmx() else page
    return Response(render_jinja(template, **context), status)


def toast(text: str, *, undo: str | None = None, kind: str = "success") -> None:
    """Tell the person what has been done; `undo` is an address that takes it back by POST.

    It shows with this answer where htmx swaps a part of the page, else with the next page.
    """
    g.setdefault("toasts", []).append({"text": text, "undo": undo, "kind": kind})


def go(endpoint: str, **values: Any) -> WerkzeugResponse:
    """Answer a form that succeeded: a redirect that htmx follows as a whole page."""
    return go_to(url_for(endpoint, **values))


def go_to(address: str) -> WerkzeugResponse:
    """The same by an address of this site; one that came from outside goes by `safe_next`."""
    if is_htmx():
        return Response(status=204, headers={"HX-Redirect": address})
    return redirect(address, 303)


def safe_next(address: str | None, default: str) -> str:
    """Return `address` if it is a path of this site, else `default`: never an open redirect."""
    if not address or re.search(r"[\\\x00-\x20\x7f]", address):
        return default
    parts = urlsplit(address)
    on_site = not parts.scheme and not parts.netloc
    return address if on_site and re.match(r"/(?!/)", address) else default


def problem(
    status: int, code: str, detail: str, fields: Mapping[str, str] | None = None
) -> Response:
    """Return an RFC 9457 problem: the one shape of every error of the API."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": _TITLES.get(status, "Request refused"),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if fields:
        body["errors"] = [{"field": name, "message": text} for name, text in fields.items()]
    answer = jsonify(body)
    answer.status_code = status
    answer.mimetype = PROBLEM
    return answer


_TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    409: "Conflict",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


def _answer_error(error: CasewellError) -> WerkzeugResponse:
    if isinstance(error, NotSignedIn) and not wants_json():
        return _to_sign_in()
    answer = _error_answer(error.status, error.code, error.message, error.fields)
    if isinstance(error, TooManyRequests):
        answer.headers["Retry-After"] = str(error.retry_after)
    if isinstance(error, NotSignedIn):
        answer.headers["WWW-Authenticate"] = 'Bearer realm="Casewell"'
    return answer


def _to_sign_in() -> WerkzeugResponse:
    if is_for_clients():
        return redirect(url_for("portal_sign_in.form"), 302)
    if is_htmx():
        return Response(status=401, headers={"HX-Redirect": url_for("sign_in.form")})
    wanted = request.full_path.rstrip("?") if request.method == "GET" else None
    return redirect(url_for("sign_in.form", next=wanted), 302)


def _answer_csrf(_error: CSRFError) -> WerkzeugResponse:
    return _error_answer(
        400,
        "bad_csrf_token",
        "This form is from an earlier session. Nothing was changed. Reload the page and try again.",
    )


def _answer_http(error: HTTPException) -> WerkzeugResponse:
    status = error.code or 500
    if status < 400:
        return error.get_response()
    code, detail = _HTTP_WORDS.get(status, ("refused", "Casewell can't answer this request."))
    answer = _error_answer(status, code, detail)
    if status == 405 and (methods := getattr(error, "valid_methods", None)):
        answer.headers["Allow"] = ", ".join(sorted(methods))
    return answer


_HTTP_WORDS = {
    400: (MalformedRequest.code, "Casewell could not read this request."),
    404: (NotFound.code, str(NotFound())),
    405: ("method_not_allowed", "This address can't be used in that way."),
    413: ("too_large", "That is more than Casewell takes in one request. Nothing was saved."),
    415: ("unsupported_media_type", "Send JSON, with Content-Type: application/json."),
}


def _answer_bug(error: Exception) -> WerkzeugResponse:
    log.error("request_failed", path=request.path, method=request.method, exc_info=error)
    return _error_answer(
        500,
        "internal_error",
        "Something went wrong here, and it is not your fault. Nothing was changed.",
    )


def _error_answer(
    status: int, code: str, detail: str, fields: Mapping[str, str] | None = None
) -> WerkzeugResponse:
    if wants_json():
        return problem(status, code, detail, fields)
    safe, next_step = _WAYS_OUT.get(status, ("", ""))
    if status == 404 and is_for_clients():
        next_step = "It may be mistyped, or gone. Write to us if you miss something."
    error = {
        "title": _TITLES.get(status, "Request refused"),
        "what": detail,
        "safe": "" if "othing was" in detail else safe,
        "next": next_step,
        "retry": status in (429, 500, 503) and request.method == "GET",
        "reference": g.get("request_id", "")[:8] if status >= 500 else "",
        "start": url_for("portal_sign_in.home") if is_for_clients() else "/",
    }
    if (session := g.get("session")) is not None:
        session.rollback()  # the page around the error asks the database again
    g.is_fragment = is_htmx()
    template = "errors/_error.html" if g.is_fragment else "errors/error.html"
    try:
        body = render_jinja(template, error=error)
    except Exception:
        log.exception("error_page_failed")
        body = detail
    return Response(body, status)


# By status: what is not lost, and what to do. The error itself says what happened.
_WAYS_OUT = {
    400: ("Nothing was changed.", "Go back, load the page again and try once more."),
    403: ("Nothing was changed.", ""),
    404: (
        "",
        "The address may be mistyped, the thing may be gone, or it may belong to somebody else. "
        "Look for it in the list, or ask a manager.",
    ),
    405: ("Nothing was changed.", "Go back and use the buttons of the page."),
    409: ("Nothing was changed.", "Load the page again to see how it stands now."),
    413: ("Nothing was saved.", "Choose a smaller file, or send it in parts."),
    422: ("Nothing was changed.", "Go back and correct what you entered."),
    429: ("Nothing was changed.", "Wait a minute, then try again."),
    500: (
        "",
        "Try again. If it happens once more, tell whoever runs Casewell the reference below.",
    ),
    503: ("Nothing was changed.", "Try again in a minute."),
}


def _finish(answer: Response) -> Response:
    session: Session | None = g.pop("session", None)
    if session is not None:
        if answer.status_code < 400 and request.method not in SAFE_METHODS:
            commit(session)
        session.close()  # which rolls back what is not committed
    if answer.status_code >= 400 and (acts := g.pop("on_refusal", None)):
        with runtime().database.writing() as refused:
            for act in acts:
                act(refused)
    _tell(answer)
    _add_headers(answer)
    compress(answer)
    return answer


def _tell(answer: Response) -> None:
    """Send this request's toasts with the answer, or keep them for the page that follows it."""
    told: list[dict[str, str | None]] = g.pop("toasts", [])
    if answer.status_code >= 400:
        return  # what they tell of was rolled back
    swapped = is_htmx() and "HX-Redirect" not in answer.headers
    if swapped and told:
        answer.headers["HX-Trigger"] = json.dumps({"toast": told[-1]})
    elif not swapped:
        for one in told:
            flash({"text": one["text"], "undo": one["undo"]}, one["kind"])  # type: ignore[arg-type]


def _add_headers(answer: Response) -> None:
    headers = answer.headers
    given = {name.lower() for name, _ in headers}
    is_asset = request.endpoint == "static"
    is_data = answer.mimetype in _DATA
    for name, value in (_GUARDS_OF_DATA if is_asset or is_data else _GUARDS).items():
        if name.lower() not in given:
            headers.add(name, value)
    if runtime().settings.https and "strict-transport-security" not in given:
        headers.add("Strict-Transport-Security", HSTS)
    if not is_asset:
        if "no-store" not in headers.get("Cache-Control", ""):
            headers["Cache-Control"] = "no-store"
        if not is_data:
            vary_by(answer, "HX-Request")


def _close(_error: BaseException | None) -> None:
    session: Session | None = g.pop("session", None)
    if session is not None:
        session.close()
