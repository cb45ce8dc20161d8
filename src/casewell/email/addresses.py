"""The addresses of a header field, read in one pass, however broken the field is."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from casewell.email.charsets import one_line
from casewell.email.headers import decode_words
from casewell.email.parsed import Address

# What ends at a special character; quotes and angle brackets may be left open by the sender.
TOKEN = re.compile(
    r'"((?:\\.|[^"\\])*+)"?'  # quoted
    r"|<([^>]*+)>?"  # angle
    r'|([(),;:])|([^\s"<(),;:]++)|(\s++)',
    re.DOTALL,
)
# Control, invisible and direction-turning characters are in no address.
UNSEEN = r"\s\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufffd"
MAILBOX = re.compile(
    rf"(?:[^{UNSEEN}@\"(),:;<>\[\]\\]{{1,128}}"
    r'|"(?:\\[ -~]|[^"\\\x00-\x1f\x7f]){1,126}")'
    rf"@(?:[^{UNSEEN}@\"(),:;<>\[\]\\]{{1,255}}|\[[0-9A-Fa-f:.IPv]{{1,64}}\])"
)
MAX_NAME = 300


def read_addresses(value: str, limit: int) -> tuple[list[Address], bool]:
    """Return at most `limit` addresses of `value`, and whether all of it could be understood."""
    found, sound = list[Address](), True
    for mailbox in _mailboxes(value):
        addresses, understood = mailbox.addresses()
        found += addresses
        sound = sound and understood
        if len(found) >= limit:
            break
    return found[:limit], sound


def is_mailbox(text: str) -> bool:
    return len(text) <= 320 and MAILBOX.fullmatch(text) is not None


@dataclass
class _Mailbox:
    """The words between two commas."""

    words: list[str] = field(default_factory=list)
    angles: list[str] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)
    sound: bool = True

    def addresses(self) -> tuple[list[Address], bool]:
        if self.angles:
            name = self._name(self.words or self.comments)
            emails = [_bare(angle) for angle in self.angles]
            # `<>` is the null path; a second bracket is a disguise or a mistake.
            understood = self.sound and len(emails) == 1
        else:
            emails = [word for word in self.words if "@" in word]
            others = [word for word in self.words if "@" not in word]
            name = self._name(others or self.comments)
            understood = self.sound and not (others and emails) and len(emails) <= 1
            if others and not emails:
                return [], False
        good = [Address(name, email) for email in emails if is_mailbox(email)]
        return good, understood and len(good) == len(emails)

    def _name(self, words: list[str]) -> str:
        return one_line(decode_words(" ".join(words)))[:MAX_NAME]


def _bare(angle: str) -> str:
    """Return the address in the brackets, without the route that RFC 822 allowed before it."""
    text = one_line(angle).strip("<> ")
    return text.rpartition(":")[2] if text.startswith("@") else text


def _mailboxes(value: str) -> Iterator[_Mailbox]:
    box, glue = _Mailbox(), False  # glue: the next word belongs to the one before ("a b"@c.d)
    depth, comment = 0, list[str]()
    for token in TOKEN.finditer(value):
        quoted, angle, special, word, space = token.groups()
        if depth:
            depth += {"(": 1, ")": -1}.get(special or "", 0)
            if depth:
                comment.append(token[0])
            else:
                box.comments.append("".join(comment))
                comment = []
        elif special == "(":
            depth = 1
        elif special == ")":
            box.sound = False
        elif special in (",", ";"):
            yield box
            box, glue = _Mailbox(), False
        elif special == ":":
            box = _Mailbox()  # the words before it name a group
        elif angle is not None:
            box.angles.append(angle)
            box.sound = box.sound and token[0].endswith(">")
        elif quoted is not None:
            plain = re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL)
            follows_at = value[token.end() : token.end() + 1] == "@"
            box.words.append(token[0] if follows_at else plain)
            box.sound = box.sound and len(token[0]) > 1 and token[0].endswith('"')
            glue = follows_at
        elif word is not None:
            if glue:
                box.words[-1] += word
            else:
                box.words.append(word)
            glue = False
        elif space is not None:
            glue = False
    if depth:
        box.sound = False
    yield box
