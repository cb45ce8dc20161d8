"""SMS in the table of channels: what the carrier has on its list, and what of it is here."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from casewell.kernel.runtime import Runtime
from casewell.messages.models import Channel
from casewell.messages.reconcilers import WrittenHere
from casewell.messages.reconciling import Stand, counted
from casewell.providers.sms import SMSSender
from casewell.sms.comparing import DAYS, THE_ROW, ask_to_compare
from casewell.sms.models import TextComparison

NO_LIST = ("console", "off")


@dataclass(frozen=True)
class SMSReconciler:
    label: str = "SMS"
    about: str = f"Texts that came in the last {DAYS} days, beside the carrier's own list."

    def stand(self, session: Session, now: datetime) -> Stand:
        here = WrittenHere(Channel.SMS, self.label).stand(session, now)
        row = session.get(TextComparison, THE_ROW)
        if row is None or (row.compared_at is None and not row.last_error):
            return here
        why_not = list(here.why_not)
        if row.last_error:
            why_not.append((f"The carrier's list could not be read: {row.last_error}", 1))
        if not row.is_whole:
            why_not.append(("The list is longer than was read: older ones were left out.", 1))
        if row.fetched:
            why_not.append(("Nobody told us of them: fetched from the carrier's list", row.fetched))
        waiting = 1 if row.due_at is not None else 0
        if row.compared_at is None:
            return Stand(None, None, waiting, why_not, here.last_at)
        return Stand(row.seen, row.stored, waiting, why_not, here.last_at)

    def repair(self, session: Session, runtime: Runtime) -> str:
        """Ask for the list at once and take in what is missing."""
        if runtime.provider(SMSSender).kind in NO_LIST:
            return "SMS: there is no carrier to compare with. Nothing comes from elsewhere."
        ask_to_compare(session, runtime)
        days = counted(DAYS, "day", "days")
        return (
            f"The carrier is asked for the texts of the last {days}. "
            "What was missing shows here in a minute."
        )
