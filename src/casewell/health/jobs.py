"""The checks, each minute: since when a part fails must not depend on who looks."""

from datetime import timedelta

from casewell.health.checks import check_all
from casewell.kernel.jobs import periodic
from casewell.kernel.runtime import Runtime


@periodic(every=timedelta(minutes=1))
def check_health(runtime: Runtime) -> None:
    check_all(runtime)
