"""The API does what its own description says, whatever is sent to it."""

from __future__ import annotations

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
from casewell.kernel.access import Role, Scope
from casewell.kernel.crypto import new_token, token_hash
from casewell.kernel.runtime import Runtime
from casewell.staff.models import ApiToken, Staff

EXAMPLES = 20  # for each operation, and as many that break the description
# A schema can't say that a cursor must be one of ours, or an address one that mail reaches.
BEYOND_A_SCHEMA = [positive_data_acceptance]
WHO = ["owner", "case_manager", "nobody"]


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
    app: Flask, runtime: Runtime, staff: Callable[..., Staff], client: Callable[..., Client]
) -> dict[str, str | None]:
    """Tokens of two people with clients of theirs, and nobody's."""
    found: dict[str, str | None] = {"nobody": None}
    for role in (Role.OWNER, Role.CASE_MANAGER):
        person = staff(role)
        client("Ana", "Ruiz", main=person, phones=["+13125550123"])
        text = new_token()
        with runtime.database.writing() as session:
            session.add(
                ApiToken(
                    staff_id=person.id,
                    name="for this test",
                    token_hash=token_hash(text),
                    scopes=[scope.value for scope in Scope],
                    created_at=runtime.now(),
                    expires_at=runtime.now() + timedelta(days=1),
                )
            )
        found[role.value] = text
    return found


@pytest.mark.slow
@pytest.mark.parametrize("who", WHO)
def test_every_answer_is_one_that_is_described(
    who: str, app: Flask, description: dict[str, Any], tokens: dict[str, str | None]
) -> None:
    """No 5xx, and no status, type or body that the description doesn't tell of."""
    schema = schemathesis.openapi.from_dict(description)
    schema.app = app
    # Called without a server between, so nothing would unpack a compressed answer.
    headers = {"Accept-Encoding": "identity"}
    if tokens[who]:
        headers["Authorization"] = f"Bearer {tokens[who]}"
    failures: dict[str, str] = {}
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
            try:
                _try_out(operation, mode, headers)
            except BaseExceptionGroup as group:
                told = [f"{one}\n{getattr(one, 'response', '')}" for one in group.exceptions]
                failures[f"{operation.label} ({mode.value})"] = "\n".join(told)
    assert not failures, "\n\n".join(f"{label}\n{text}" for label, text in failures.items())


def _try_out(operation: Any, mode: GenerationMode, headers: dict[str, str]) -> None:
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
        case.call_and_validate(headers=headers, excluded_checks=BEYOND_A_SCHEMA)

    try_one()
