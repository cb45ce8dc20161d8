"""The API does what its own description says, whatever is sent to it."""

from __future__ import annotations

import copy
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from casewell.clients.models import Client
from casewell.documents.models import ClientDocument
from casewell.evidence.models import BundleState, EvidenceBundle
from casewell.kernel.access import Role, Scope
from casewell.kernel.crypto import new_token, token_hash
from casewell.kernel.db import LARGEST_ID
from casewell.kernel.runtime import Runtime
from casewell.staff.models import ApiToken, Staff
from casewell.tags.models import ChangeState, ClientTag, TagChange

EXAMPLES = 20  # for each operation, and as many that break the description
# A schema can't say that a cursor must be one of ours, or an address one that mail reaches.
BEYOND_A_SCHEMA = [positive_data_acceptance]
# Tags have been deleted by then, a body is right only as a whole, or a file was never made: the
# tests of these parts try them out.
TRIED_OUT_ELSEWHERE = {
    "GET /api/clients/{client_id}/evidence/{bundle_id}/file",
    "GET /api/documents/versions/{version_id}/file",
    "POST /api/clients/{client_id}/documents",
    "POST /api/clients/{client_id}/documents/from-message/{attachment_id}",
    "POST /api/documents/{document_id}/versions",
    "GET /api/tags/{tag_id}/merge/{into_id}",
    "POST /api/tags/changes",
    "POST /api/tags/{tag_id}/merge",
}
WHO = [*(role.value for role in Role), "read_only", "nobody"]


@pytest.fixture
def description(app: Flask) -> dict[str, Any]:
    from casewell.app import VERSION
    from casewell.kernel.api import openapi

    return openapi(app.url_map.iter_rules(), VERSION)


def test_the_description_is_valid_openapi(description: dict[str, Any]) -> None:
    OpenAPIV31SpecValidator(description).validate()
    assert description["paths"], "nothing is described"
    ids = [
        operation["operationId"]
        for path in description["paths"].values()
        for operation in path.values()
    ]
    assert len(ids) == len(set(ids))


@pytest.fixture
def tokens(
    runtime: Runtime,
    staff: Callable[..., Staff],
    client: Callable[..., Client],
    mail_of: Callable[..., int],
) -> dict[str, str | None]:
    """Tokens of everyone, with clients who have written; of one who may only read; nobody's."""
    people = {role: staff(role) for role in Role}
    for main in (people[Role.OWNER], people[Role.CASE_MANAGER]):
        mail_of(client("Ana", "Ruiz", main=main, phones=["+13125550123"]))
    with runtime.database.writing() as session:
        for number in range(3):
            tag = ClientTag(
                name=f"Tag {number}",
                name_key=f"tag {number}",
                colour="blue",
                created_at=runtime.now(),
            )
            change = TagChange(
                staff_id=people[Role.OWNER].id,
                adds=[],
                removes=[],
                added_names=[],
                removed_names=[],
                state=ChangeState.DONE,
                total=1,
                done=1,
                changed=1,
                created_at=runtime.now(),
            )
            bundle = EvidenceBundle(
                client_id=1,
                staff_id=people[Role.OWNER].id,
                state=BundleState.EXPIRED,
                is_redacted=True,
                with_files=False,
                with_privileged=False,
                created_at=runtime.now(),
            )
            document = ClientDocument(
                client_id=1,
                title=f"Lease {number}",
                staff_id=people[Role.OWNER].id,
                created_at=runtime.now(),
                updated_at=runtime.now(),
            )
            session.add_all([tag, change, bundle, document])
    found: dict[str, str | None] = {"nobody": None}
    for name, role, scopes in (
        *((role.value, role, list(Scope)) for role in Role),
        ("read_only", Role.OWNER, [Scope.READ]),
    ):
        text = new_token()
        with runtime.database.writing() as session:
            session.add(
                ApiToken(
                    staff_id=people[role].id,
                    name="for this test",
                    token_hash=token_hash(text),
                    scopes=[scope.value for scope in scopes],
                    created_at=runtime.now(),
                    expires_at=runtime.now() + timedelta(days=1),
                )
            )
        found[name] = text
    return found


def test_everyone_there_is_tries_it_out(tokens: dict[str, str | None]) -> None:
    assert set(WHO) == set(tokens)


@pytest.mark.slow
@pytest.mark.parametrize("who", WHO)
def test_every_answer_is_one_that_is_described(
    who: str, app: Flask, description: dict[str, Any], tokens: dict[str, str | None]
) -> None:
    """No 5xx, and no status, type or body that the description doesn't tell of."""
    # Called without a server between, so nothing would unpack a compressed answer.
    headers = {"Accept-Encoding": "identity"}
    if tokens[who]:
        headers["Authorization"] = f"Bearer {tokens[who]}"
    failures: dict[str, str] = {}
    answered: dict[str, set[int]] = {}
    # What is asked for rightly is there: numbers of rows that exist, and others beside them.
    for mode, told in (
        (GenerationMode.POSITIVE, _of_few_rows(description)),
        (GenerationMode.NEGATIVE, description),
    ):
        schema = schemathesis.openapi.from_dict(told)
        schema.app = app
        for found in schema.get_all_operations():
            operation = found.ok()
            statuses = answered.setdefault(operation.label, set())
            try:
                _try_out(operation, mode, headers, statuses)
            except BaseExceptionGroup as group:
                parts = [f"{one}\n{getattr(one, 'response', '')}" for one in group.exceptions]
                failures[f"{operation.label} ({mode.value})"] = "\n".join(parts)
    assert not failures, "\n\n".join(f"{label}\n{text}" for label, text in failures.items())
    if who == "nobody":
        assert all(statuses <= {400, 401, 404, 413, 415, 422} for statuses in answered.values())
    if who == Role.OWNER:
        good = {200, 201, 202, 204}
        idle = {label for label, statuses in answered.items() if not statuses & good}
        idle -= TRIED_OUT_ELSEWHERE
        assert not idle, "nothing but refusals was tried out"


def _of_few_rows(description: dict[str, Any]) -> dict[str, Any]:
    """Return a description in which every number of a row is one of the first few."""
    few: dict[str, Any] = copy.deepcopy(description)

    def narrow(node: Any) -> None:
        if isinstance(node, dict):
            if node.get("maximum") == LARGEST_ID:
                node |= {"minimum": 1, "maximum": 3}
            for value in node.values():
                narrow(value)
        elif isinstance(node, list):
            for value in node:
                narrow(value)

    narrow(few)
    return few


def _try_out(
    operation: Any, mode: GenerationMode, headers: dict[str, str], statuses: set[int]
) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def try_one(case: Any) -> None:
        answer = case.call_and_validate(headers=headers, excluded_checks=BEYOND_A_SCHEMA)
        statuses.add(answer.status_code)

    try_one()
