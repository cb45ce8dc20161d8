"""What every part of a running Casewell is handed: settings, database, clock, providers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar, cast

from casewell.kernel.clock import Clock, utc_now
from casewell.kernel.db import Database
from casewell.kernel.hints import Hints
from casewell.kernel.settings import Settings

P = TypeVar("P")


@dataclass(frozen=True)
class Runtime:
    """One installation, running. Web, worker and command line each make one at start.

    `providers` maps each provider Protocol to the class that was chosen for it.
    """

    settings: Settings
    database: Database
    hints: Hints
    now: Clock = utc_now
    providers: Mapping[type[Any], Any] = field(default_factory=dict)

    def provider(self, protocol: type[P]) -> P:
        """Return the provider of a capability, for example `provider(MailSender)`."""
        return cast(P, self.providers[protocol])


class OpenInstallation(Protocol):
    """What every command of the command line is handed, to open the installation it acts on."""

    def __call__(self, *, with_hints: bool = True) -> Runtime: ...
