"""What a check found about one part."""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from casewell.health.models import Standing
from casewell.kernel.runtime import Runtime


@dataclass(frozen=True)
class Finding:
    standing: Standing
    finding: str
    advice: str = ""


Check = Callable[[Runtime, Session], Finding]
