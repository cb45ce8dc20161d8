"""Input of the webhook pages."""

from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from casewell.kernel.forms import Form, Line
from casewell.webhooks.outgoing import KINDS


def _known(kind: str) -> str:
    if kind not in KINDS:
        raise ValueError("There is no such event")
    return kind


class WebhookForm(Form):
    url: Annotated[Line, StringConstraints(min_length=1, max_length=2000)]
    events: list[Annotated[str, AfterValidator(_known)]] = Field(min_length=1)
