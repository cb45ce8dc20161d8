"""Which conversation a mail belongs to, and the marks by which an answer finds back."""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Collection, Iterable

from casewell.email.parsed import ParsedMail
from casewell.kernel.addresses import normal_form

MAX_KEYS = 50
MAX_REFERENCES = 20
ID_BYTES, MAC_BYTES = 6, 10

TOKEN = re.compile(r"(?:^|\+)c\.([a-z2-7]{26})$")
PREFIX = re.compile(
    r"\s*(?:re|aw|antw|antwort|sv|vs|odp|ref|res|rif|ynt|vá|r|fwd?|wg|tr|rv|enc|doorst|vb|pd|i"
    r"|回复|回覆|答复|转发|轉寄)\s*(?:\[\d{1,3}\]|\(\d{1,3}\))?\s*[:：]\s*",
    re.IGNORECASE,
)


def reply_address(secret: bytes, base: str, conversation_id: int) -> str:
    """Return the address whose mail lands in this conversation, `office+c.<token>@firm.example`.

    The token holds an 80-bit MAC of the conversation and its number, masked by that MAC, so that
    nobody outside learns how many conversations there are. It is of lower-case letters and
    digits, for mail servers may change the case. Where the mail server of the firm delivers
    `office+anything@` to `office@`, nothing has to be set up.
    """
    number = conversation_id.to_bytes(ID_BYTES)
    mac = _mac(secret, b"mac", number)
    masked = _xor(number, _mac(secret, b"mask", mac))
    token = base64.b32encode(mac + masked).decode().rstrip("=").lower()
    local, _, domain = base.rpartition("@")
    return f"{local}+c.{token}@{domain}"


def conversation_from_reply_address(secret: bytes, address: str) -> int | None:
    """Return the conversation `reply_address` wrote into `address`; None for any other."""
    local, _, _ = address.strip().lower().rpartition("@")
    found = TOKEN.search(local)
    if found is None:
        return None
    try:
        token = base64.b32decode(found[1].upper() + "======")
    except binascii.Error:
        return None
    mac, masked = token[:MAC_BYTES], token[MAC_BYTES:]
    number = _xor(masked, _mac(secret, b"mask", mac))
    if not hmac.compare_digest(mac, _mac(secret, b"mac", number)):
        return None
    return int.from_bytes(number)


def is_inside(address: str, addresses: Collection[str]) -> bool:
    """Whether an address is one of these (in normal form), or a reply address made of one."""
    form = normal_form(address)
    local, _, domain = form.rpartition("@")
    return form in addresses or f"{TOKEN.sub('', local)}@{domain}" in addresses


def make_message_id(domain: str) -> str:
    """Return a Message-ID nobody can guess, so that a bounce which names it is one of ours."""
    return f"<{secrets.token_hex(16)}@{domain}>"


def thread_keys(mail: ParsedMail) -> list[str]:
    """Return the ids of the mails this one answers, nearest first, at most 50."""
    nearest = [mail.in_reply_to] if mail.in_reply_to else []
    return list(dict.fromkeys(nearest + list(reversed(mail.references))))[:MAX_KEYS]


def references_for_reply(references: Iterable[str], message_id: str) -> tuple[str, ...]:
    """Return the References of an answer to `message_id`: the first and the latest, at most 20."""
    ids = [*dict.fromkeys(known for known in references if known != message_id), message_id]
    return tuple(ids if len(ids) <= MAX_REFERENCES else ids[:1] + ids[1 - MAX_REFERENCES :])


def base_subject(subject: str) -> str:
    """Return `subject` without its Re:, AW:, Fwd: ... For showing: subjects never thread."""
    bare = subject
    while found := PREFIX.match(bare):
        bare = bare[found.end() :]
    return bare.strip() or subject.strip()


def _mac(secret: bytes, purpose: bytes, content: bytes) -> bytes:
    key = b"reply-address/" + purpose + b"/"
    return hmac.new(secret, key + content, hashlib.sha256).digest()[:MAC_BYTES]


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(one, other, strict=False))
