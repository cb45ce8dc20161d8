"""Who sent a mail, and whether that is more than a claim."""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum

from casewell.email.headers import Headers
from casewell.email.parsed import Address, Defect, ParsedMail
from casewell.kernel.addresses import normal_domain, normal_form

COMMENT = re.compile(r"\([^()]*+\)")
EQUALS = re.compile(r"\s*+=\s*+")
WORD = re.compile(r"\S+")
SENDER_DEFECTS = (Defect.NO_FROM, Defect.SEVERAL_FROM, Defect.BAD_FROM)


class SenderStanding(StrEnum):
    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    FAILED = "failed"  # the domain's own policy says: not from us
    UNCHECKED = "unchecked"  # no hop of ours is configured, so nobody has checked


@dataclass(frozen=True, slots=True)
class SenderVerdict:
    standing: SenderStanding
    reason: str
    address: Address | None  # the one From address, whatever its standing

    @property
    def may_act(self) -> bool:
        """Tell whether the mail may link, start, stop or consent to anything by itself."""
        return self.standing is SenderStanding.VERIFIED


@dataclass(frozen=True, slots=True)
class ReplyTarget:
    """Where an answer goes unless staff chooses otherwise, and where the sender wants it.

    A Reply-To is only ever shown beside the From address: anybody can write a colleague's there.
    """

    address: Address | None
    asked_for: tuple[Address, ...]

    @property
    def differs(self) -> bool:
        if not self.asked_for or self.address is None:
            return bool(self.asked_for)
        return {normal_form(a.email) for a in self.asked_for} != {normal_form(self.address.email)}


def reply_target(mail: ParsedMail) -> ReplyTarget:
    return ReplyTarget(mail.author, mail.reply_to)


def came_from(mail: ParsedMail, own_addresses: Iterable[str]) -> bool:
    """Tell whether From is one of our own addresses: answering such a mail would start a loop."""
    own = {normal_form(address) for address in own_addresses}
    return any(normal_form(address.email) in own for address in mail.from_)


def hop_results(headers: Headers) -> tuple[str, ...]:
    """Return the Authentication-Results that our own hop can have written, topmost first.

    Hops write on top, and each also writes a Received. What stands above the topmost Received
    was written after the mail reached us. Some providers write theirs below their Received:
    there only the topmost one counts, for the next may have been sent in by a forger.
    """
    results = headers.all("authentication-results")
    names = [name for name, _ in headers]
    above = names[: names.index("received")] if "received" in names else []
    return tuple(results[: max(1, above.count("authentication-results"))])


def judge_sender(mail: ParsedMail, trusted_hops: Collection[str]) -> SenderVerdict:
    """Say how far the From address can be believed.

    `trusted_hops` are the authserv-ids (RFC 8601) of the servers that receive mail for the firm.
    Verified takes one From address without defects, and DMARC's pass for its domain or, where
    the domain states no policy, a pass of DKIM or SPF for that very domain.
    """
    author = mail.author
    if author is None or any(defect in mail.defects for defect in SENDER_DEFECTS):
        reason = "the mail does not name exactly one sender"
        return SenderVerdict(SenderStanding.UNVERIFIED, reason, author)
    if not trusted_hops:
        reason = "no mail server of the firm is named in the settings"
        return SenderVerdict(SenderStanding.UNCHECKED, reason, author)
    hops = {hop.strip().casefold() for hop in trusted_hops}
    results = list[_Result]()
    for value in mail.authentication_results:
        hop, told = _read_results(value)
        if hop not in hops:
            break
        results += told
    domain = normal_domain(author.email.rpartition("@")[2])
    standing, reason = _judge(results, domain)
    return SenderVerdict(standing, reason, author)


@dataclass(frozen=True, slots=True)
class _Result:
    method: str
    result: str
    properties: dict[str, str]


def _judge(results: list[_Result], domain: str) -> tuple[SenderStanding, str]:
    if not results:
        return SenderStanding.UNVERIFIED, "the firm's mail server has recorded no check"
    dmarc = [result for result in results if result.method == "dmarc"]
    if any(result.result in ("fail", "quarantine", "reject") for result in dmarc):
        return SenderStanding.FAILED, f"{domain} does not vouch for this mail (DMARC)"
    for result in dmarc:
        checked = result.properties.get("header.from", domain)
        if result.result in ("pass", "bestguesspass") and normal_domain(checked) == domain:
            return SenderStanding.VERIFIED, f"{domain} vouches for this mail (DMARC)"
    for result in results:
        if result.result == "pass" and domain in _domains_passed(result):
            method = result.method.upper()
            return SenderStanding.VERIFIED, f"{domain} vouches for this mail ({method})"
    if any(result.method in ("spf", "dkim") and result.result == "pass" for result in results):
        return SenderStanding.UNVERIFIED, f"another domain than {domain} vouches for this mail"
    return SenderStanding.UNVERIFIED, f"nothing proves that {domain} sent this mail"


def _domains_passed(result: _Result) -> set[str]:
    if result.method == "dkim":
        names = [result.properties.get(key, "") for key in ("header.d", "header.i")]
    elif result.method == "spf":
        names = [result.properties.get(key, "") for key in ("smtp.mailfrom", "smtp.mail")]
    else:
        names = []
    return {normal_domain(name.rpartition("@")[2]) for name in names if name}


def _read_results(value: str) -> tuple[str, list[_Result]]:
    """Return the authserv-id in lower case, and what it found."""
    plain = value[:8000]
    for _ in range(5):  # nested comments, from the inside
        plain = COMMENT.sub(" ", plain)
    hop, *statements = plain.split(";")
    name = WORD.search(hop)
    results = list[_Result]()
    for statement in statements[:50]:
        words = EQUALS.sub("=", statement.strip()).split()
        if not words or "=" not in words[0]:
            continue
        method, _, outcome = words[0].lower().partition("=")
        properties = dict[str, str]()
        for word in words[1:]:
            key, equals, content = word.partition("=")
            if equals:
                properties.setdefault(key.lower(), content.strip('"<>').lower())
        results.append(_Result(method.partition("/")[0], outcome, properties))
    return (name[0].casefold() if name else ""), results
