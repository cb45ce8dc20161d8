"""What a bundle is to hold, from a form or a program."""

from datetime import date
from typing import Self

from pydantic import Field, model_validator

from casewell.kernel.forms import Form


class BundleForm(Form):
    """`since` and `until` are whole days of the firm's time zone."""

    since: date | None = Field(None, description="The first day; left out: from the beginning.")
    until: date | None = Field(None, description="The last day; left out: until now.")
    redact: bool = Field(
        True, description="Cover SSNs and account numbers; files that can't be read stay out."
    )
    with_files: bool = Field(False, description="Put files in though no number in them is covered.")
    with_privileged: bool = Field(
        False, description="Let privileged notes in; an attorney alone can."
    )

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.since and self.until and self.since > self.until:
            raise ValueError("The last day is before the first one.")
        return self
