"""What a search asks for: words, quoted phrases, and operators such as `channel:sms`.

Whatever is typed has a meaning. An operator nobody knows is words; one that is still being typed
narrows nothing; one that can't be understood is said to be so, in words.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from functools import lru_cache

from casewell.kernel.search import MOST_WORDS, Words, words_of
from casewell.messages.models import Channel

PART = re.compile(r'(?:([^\s":]+):)?(?:"([^"]*)(?:"|$)|(\S+)|(?<=:))')
# Names by which people know a channel.
CHANNELS: Mapping[str, Channel] = {
    **{channel.value: channel for channel in Channel},
    "mail": Channel.EMAIL,
    "e-mail": Channel.EMAIL,
    "text": Channel.SMS,
    "texts": Channel.SMS,
    "calls": Channel.CALL,
    "phone": Channel.CALL,
}
ATTACHMENT_WORDS = ("attachment", "attachments", "file", "files")
DATE_FORMATS = ("%Y-%m-%d", "%m/%d/%Y", "%Y/%m/%d")


@dataclass(frozen=True)
class SearchQuery:
    """A search as it is meant. `problems` are sentences about operators that have no meaning."""

    words: Words = field(default_factory=Words)
    sender: str | None = None
    channel: Channel | None = None
    before: date | None = None
    after: date | None = None
    has_attachment: bool = False
    problems: tuple[str, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is looked for: not a word, and no operator."""
        return self == replace(SearchQuery(), problems=self.problems)


@lru_cache
def read_search(text: str) -> SearchQuery:
    """Take a search apart. Never raises; see `problems`."""
    found = SearchQuery()
    plain: list[str] = []
    phrases: list[tuple[str, ...]] = []
    for operator, quoted, bare in PART.findall(text):
        value = " ".join((quoted or bare).split())
        read = OPERATORS.get(operator.lower())
        if read is not None:
            found = read(found, value) if value.strip("\"' ") else found
        elif operator:
            plain += words_of(f"{operator} {value}")
        elif bare:
            plain += words_of(bare)
        elif phrase := tuple(words_of(quoted)):
            phrases.append(phrase)
    left = MOST_WORDS
    kept = []
    for phrase in phrases:
        kept.append(phrase[:left])
        left -= len(kept[-1])
    words = Words(tuple(plain[: max(left, 0)]), tuple(phrase for phrase in kept if phrase))
    return replace(found, words=words)


def _sender(found: SearchQuery, value: str) -> SearchQuery:
    return replace(found, sender=value)


def _channel(found: SearchQuery, value: str) -> SearchQuery:
    if channel := CHANNELS.get(value.lower()):
        return replace(found, channel=channel)
    return _problem(found, f"There is no channel “{value}”. Use email, sms, portal or call.")


def _before(found: SearchQuery, value: str) -> SearchQuery:
    day = _day(value)
    return _no_date(found, "before", value) if day is None else replace(found, before=day)


def _after(found: SearchQuery, value: str) -> SearchQuery:
    day = _day(value)
    return _no_date(found, "after", value) if day is None else replace(found, after=day)


def _has(found: SearchQuery, value: str) -> SearchQuery:
    if value.lower() in ATTACHMENT_WORDS:
        return replace(found, has_attachment=True)
    return _problem(found, f"“has:{value}” is not known. Use has:attachment.")


def _day(value: str) -> date | None:
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(value, form).date()  # noqa: DTZ007 a day at the reader's place
        except ValueError:
            continue
    return None


def _no_date(found: SearchQuery, operator: str, value: str) -> SearchQuery:
    words = f"“{value}” is not a date. Write it like {operator}:2026-03-31."
    return _problem(found, words)


def _problem(found: SearchQuery, sentence: str) -> SearchQuery:
    return replace(found, problems=(*found.problems, sentence))


OPERATORS: Mapping[str, Callable[[SearchQuery, str], SearchQuery]] = {
    "from": _sender,
    "channel": _channel,
    "before": _before,
    "after": _after,
    "has": _has,
}
