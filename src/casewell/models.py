"""Every model by its public name. Alembic reads this module to know the whole schema."""

from casewell.anchoring.models import LedgerAnchor
from casewell.calls.models import CallLog
from casewell.clients.models import (
    Client,
    ClientEmail,
    ClientImport,
    ClientImportRow,
    ClientMerge,
    ClientPhone,
    ClientView,
    ContactConsent,
)
from casewell.documents.models import ClientDocument, DocumentVersion
from casewell.email.models import EmailMessage, InboundMail, Mailbox, MailImport
from casewell.evidence.models import EvidenceBundle
from casewell.health.models import FileFault, PartHealth
from casewell.inbox.models import Presence
from casewell.kernel.db import Base
from casewell.kernel.jobs import PeriodRun
from casewell.ledger.models import ActivityEvent, AuditEvent, LedgerHead
from casewell.messages.models import (
    Attachment,
    ChannelState,
    Conversation,
    ConversationHead,
    Delivery,
    Follower,
    MergedMessage,
    Readership,
    Snooze,
    TriageSender,
    UnifiedMessage,
)
from casewell.notes.models import CaseNote, NoteMention
from casewell.portal.models import (
    ClientAccount,
    ClientLink,
    ClientMessage,
    ClientSession,
    PublishedEvent,
)
from casewell.sms.models import (
    CarrierReport,
    MediaFetch,
    SMSMessage,
    TextComparison,
    TextCount,
)
from casewell.staff.models import (
    ApiToken,
    Attempt,
    Firm,
    Notification,
    OneTimeLink,
    RecoveryCode,
    Staff,
    StaffSession,
    SystemMail,
)
from casewell.tags.models import ClientTag, ClientTagAssignment, TagChange, TagChangeClient
from casewell.timeline.models import TimelineMark
from casewell.webhooks.models import Webhook, WebhookCall

__all__ = [
    "ActivityEvent",
    "ApiToken",
    "Attachment",
    "Attempt",
    "AuditEvent",
    "Base",
    "CallLog",
    "CarrierReport",
    "CaseNote",
    "ChannelState",
    "Client",
    "ClientAccount",
    "ClientDocument",
    "ClientEmail",
    "ClientImport",
    "ClientImportRow",
    "ClientLink",
    "ClientMerge",
    "ClientMessage",
    "ClientPhone",
    "ClientSession",
    "ClientTag",
    "ClientTagAssignment",
    "ClientView",
    "ContactConsent",
    "Conversation",
    "ConversationHead",
    "Delivery",
    "DocumentVersion",
    "EmailMessage",
    "EvidenceBundle",
    "FileFault",
    "Firm",
    "Follower",
    "InboundMail",
    "LedgerAnchor",
    "LedgerHead",
    "MailImport",
    "Mailbox",
    "MediaFetch",
    "MergedMessage",
    "NoteMention",
    "Notification",
    "OneTimeLink",
    "PartHealth",
    "PeriodRun",
    "Presence",
    "PublishedEvent",
    "Readership",
    "RecoveryCode",
    "SMSMessage",
    "Snooze",
    "Staff",
    "StaffSession",
    "SystemMail",
    "TagChange",
    "TagChangeClient",
    "TextComparison",
    "TextCount",
    "TimelineMark",
    "TriageSender",
    "UnifiedMessage",
    "Webhook",
    "WebhookCall",
]
