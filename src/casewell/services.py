"""The services by their public names: each acts for one person in one transaction."""

from casewell.calls.service import CallLogService, CallMade
from casewell.clients.service import ClientService
from casewell.documents.service import DocumentService
from casewell.inbox.replies import Reply
from casewell.inbox.service import Thread, UnifiedInboxService
from casewell.inbox.writers import ReplyDraft
from casewell.messages.triage import TriageService
from casewell.notes.service import NoteService
from casewell.staff.service import StaffService
from casewell.tags.service import TagService

__all__ = [
    "CallLogService",
    "CallMade",
    "ClientService",
    "DocumentService",
    "NoteService",
    "Reply",
    "ReplyDraft",
    "StaffService",
    "TagService",
    "Thread",
    "TriageService",
    "UnifiedInboxService",
]
