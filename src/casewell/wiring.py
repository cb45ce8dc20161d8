"""What the packages do for each other against the direction of imports.

A package below can't import one above. Where something above must happen in the same
transaction, the event's kind stands here with the functions that do it.
"""

from collections.abc import Mapping, Sequence

from casewell.anchoring import jobs as anchoring
from casewell.anchoring import letters as anchor_letters
from casewell.clients import jobs as client_imports
from casewell.clients.contacts import Contacts, use_contacts
from casewell.clients.tagging import Tagging, use_tagging
from casewell.documents import service as documents
from casewell.email import arrival, history, polling
from casewell.email.carrier import EmailCarrier
from casewell.email.reconciler import EmailReconciler
from casewell.evidence import jobs as evidence_bundles
from casewell.health import files as file_checks
from casewell.health import jobs as health_checks
from casewell.inbox import presence
from casewell.kernel.clock import Clock
from casewell.kernel.hints import Hints
from casewell.ledger.service import Reaction, use_reactions
from casewell.ledger.visibility import Readable, use_readable
from casewell.messages import conversations, notices, readers, sending, states, team
from casewell.messages.carriers import Carrier, use_carriers
from casewell.messages.contacts import MessageContacts
from casewell.messages.gate import Rule, use_rules
from casewell.messages.limits import Limits, use_limits
from casewell.messages.models import Channel
from casewell.messages.reconcilers import Lists, Outbox, WrittenHere
from casewell.messages.reconciling import Reconciler, use_reconcilers
from casewell.notes import queries as note_queries
from casewell.notes import service as notes
from casewell.portal import letters, merging
from casewell.portal import notices as portal_notices
from casewell.portal import rules as portal_rules
from casewell.portal import sessions as client_sessions
from casewell.portal.carrier import PortalCarrier
from casewell.sms import comparing, media, reports
from casewell.sms import limits as text_limits
from casewell.sms.carrier import SMSCarrier
from casewell.sms.limits import TextLimits
from casewell.sms.reconciler import SMSReconciler
from casewell.staff import mail as system_mail
from casewell.staff import notifications, sessions, throttle
from casewell.staff.models import SystemMailKind
from casewell.tags import jobs as tag_changes
from casewell.tags import service as tags
from casewell.tags.queries import ClientTags
from casewell.webhooks import calling, outgoing

REACTIONS: Mapping[str, Sequence[Reaction]] = {
    "note.added": [notes.tell_named],
    "note.changed": [notes.tell_named],
    "conversation.assigned": [readers.follow_responsible, team.tell_assignee],
    "conversation.unassigned": [readers.follow_responsible],
    "conversation.woken": [team.tell_who_snoozed],
    "message.bounced": [notices.tell_author, outgoing.tell],
    "message.failed": [notices.tell_author, outgoing.tell],
    "message.received": [outgoing.tell],
    "message.sent": [outgoing.tell, portal_notices.tell, reports.apply_kept],
    "message.unconfirmed": [notices.tell_author],
    "client.assigned": [team.release, readers.follow_responsible],
    "client.created": [readers.follow_responsible],
    "client.merged": [
        conversations.merge,
        notes.merge,
        merging.merge,
        notifications.merge,
        tags.merge,
        documents.merge,
    ],
    "client.merge_undone": [
        conversations.unmerge,
        notes.unmerge,
        merging.unmerge,
        notifications.unmerge,
        tags.unmerge,
        documents.unmerge,
    ],
}

# Of which things in the ledger not everyone who sees the client may know.
READABLE: Mapping[str, Readable] = {"note": note_queries.is_told_of}

CARRIERS: Mapping[Channel, Carrier] = {
    Channel.EMAIL: EmailCarrier(),
    Channel.SMS: SMSCarrier(),
    Channel.PORTAL: PortalCarrier(),
}

# How much may leave in a day and a month.
LIMITS: Mapping[Channel, Limits] = {Channel.SMS: TextLimits()}

# What the gate asks besides, of messages over one channel.
RULES: Mapping[Channel, Sequence[Rule]] = {Channel.PORTAL: [portal_rules.may_reach]}

# Who writes the mails of Casewell itself that are not to staff.
LETTERS: Mapping[SystemMailKind, system_mail.LetterWriter] = {
    SystemMailKind.ANCHOR: anchor_letters.write,
    SystemMailKind.ANCHOR_ADDRESS_CHANGED: anchor_letters.write,
    SystemMailKind.CLIENT_INVITATION: letters.write,
    SystemMailKind.CLIENT_LINK: letters.write,
    SystemMailKind.CLIENT_MESSAGE: letters.write,
}

# Who knows of messages, where the pages of clients tell of them.
CONTACTS: Contacts = MessageContacts()

# Who knows of tags, likewise.
TAGGING: Tagging = ClientTags()

# The table of channels on the health page: what was seen, stored, and why not.
RECONCILERS: Mapping[str, Reconciler] = {
    "email": EmailReconciler(),
    "sms": SMSReconciler(),
    "portal": WrittenHere(Channel.PORTAL, "Portal"),
    "calls": WrittenHere(Channel.CALL, "Calls"),
    "outbox": Outbox(),
    "lists": Lists(),
}

# Where work that waits is defined: a module that is not imported would never be swept.
WORK = (
    anchoring,
    arrival,
    calling,
    client_imports,
    client_sessions,
    comparing,
    evidence_bundles,
    file_checks,
    health_checks,
    history,
    media,
    polling,
    presence,
    sending,
    sessions,
    states,
    system_mail,
    tag_changes,
    text_limits,
    throttle,
)


def connect(hints: Hints, now: Clock) -> None:
    """Put the tables to work; every process calls it once at start."""
    outgoing.use(hints, now)
    use_reactions(REACTIONS)
    use_readable(READABLE)
    use_carriers(CARRIERS)
    use_rules(RULES)
    use_limits(LIMITS)
    system_mail.use_letters(LETTERS)
    use_contacts(CONTACTS)
    use_tagging(TAGGING)
    use_reconcilers(RECONCILERS)
