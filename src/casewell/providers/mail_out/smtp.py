"""Mail through an SMTP server (RFC 5321), with exact knowledge of how far the dialogue came."""

from __future__ import annotations

import base64
import re
import smtplib
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from casewell.providers.errors import (
    Insecure,
    ProviderError,
    Rejected,
    SignInRefused,
    Unavailable,
    Unconfirmed,
    one_line,
)
from casewell.providers.mail_out.envelope import Mailbox, mailbox
from casewell.providers.mail_out.sender import AllRefused, Sent
from casewell.providers.wire import Login, Security, Server, connect, cut_after, encrypt

SIGN_IN_CODES = {432, 530, 534, 535, 538}  # RFC 4954, section 6
GOODBYE_SECONDS = 5.0


@dataclass(frozen=True)
class SmtpLimits:
    """In seconds. A lease on work that sends must be longer than `whole`.

    The answer to the last dot gets more time than the rest: giving up on it leaves a mail that
    nobody knows the fate of (RFC 5321, section 4.5.3.2.6).
    """

    step: float = 30.0
    final: float = 300.0
    whole: float = 600.0


@dataclass(frozen=True)
class SmtpSender:
    """One connection per mail. Python's smtplib speaks; where it failed is known here."""

    server: Server
    login: Login | None = None
    limits: SmtpLimits = field(default_factory=SmtpLimits)
    kind: str = field(default="smtp", init=False)

    def send(
        self,
        envelope_from: str,
        recipients: Sequence[str],
        raw: bytes,
        *,
        on_handover: Callable[[], None] | None = None,
    ) -> Sent:
        sender = mailbox(envelope_from) if envelope_from else Mailbox("", utf8=False)
        if sender is None:
            raise Rejected("The sender's address is not one that mail can carry.", envelope_from)
        content = as_smtp_data(raw)
        with self._signed_in() as client:
            _offer(client, sender, recipients, content)
            refused, deferred = _address(client, recipients)
            _expect(client.docmd("DATA"), 354, "The server did not take the mail.")
            client.send(content)  # without the final dot the server must throw it away
            if on_handover:
                on_handover()
            said = self._hand_over(client)
            _say_goodbye(client)
        return Sent(_queue_id(said), refused, deferred)

    def check(self) -> None:
        with self._signed_in() as client:
            _say_goodbye(client)

    @contextmanager
    def _signed_in(self) -> Iterator[smtplib.SMTP]:
        """Whatever breaks inside did nothing: what may have done something says so itself."""
        client = smtplib.SMTP(local_hostname=_own_name())
        with cut_after(self.limits.whole, lambda: client.sock):
            try:
                client.sock = connect(self.server, self.limits.step)
                code, said = client.getreply()
                if code != 220:  # also a 5xx here says nothing about the mail
                    message = f"{self.server} is not taking connections."
                    raise Unavailable(message, _spoken(code, said))
                client.ehlo_or_helo_if_needed()
                if self.server.security is Security.STARTTLS:
                    _start_tls(client, self.server)
                if self.login:
                    _sign_in(client, self.login)
                yield client
            except OSError as error:  # smtplib's own errors are among them
                message = f"The connection to {self.server} broke off."
                raise Unavailable(message, str(error)) from error
            finally:
                client.close()

    def _hand_over(self, client: smtplib.SMTP) -> bytes:
        """Send the final dot, which makes the server responsible, and return its answer."""
        doubt = f"{self.server} did not say whether it took the mail."
        try:
            client.send(b".\r\n")
            if client.sock is not None:
                client.sock.settimeout(self.limits.final)
            code, said = client.getreply()
        except OSError as error:
            raise Unconfirmed(doubt, str(error)) from error
        if not (200 <= code < 300 or 400 <= code < 600):
            raise Unconfirmed(doubt, said)
        if code >= 400:
            raise _refusal(code, said, "The server refused the mail.")
        return said


def as_smtp_data(raw: bytes) -> bytes:
    """Return a mail as it travels after DATA, without the final dot.

    Every line ends in CRLF, also where a bare CR or LF stood: servers disagree about those, and
    the disagreement smuggles a second mail. Lines that begin with a dot get one more.

    Source: RFC 5321, sections 2.3.8 and 4.5.2.
    """
    lines = re.sub(rb"\r\n|\r|\n", b"\r\n", raw)
    if not lines.endswith(b"\r\n"):
        lines += b"\r\n"
    return re.sub(rb"(?m)^\.", b"..", lines)


def _start_tls(client: smtplib.SMTP, server: Server) -> None:
    if not client.has_extn("starttls"):
        raise Insecure(f"{server} offers no encryption (STARTTLS).")
    code, said = client.docmd("STARTTLS")
    if code != 220 or client.sock is None:
        raise Insecure(f"{server} refused encryption (STARTTLS).", _spoken(code, said))
    client.sock = encrypt(client.sock, server)
    # All that was said before may have been said by somebody in between (RFC 3207, section 4.2).
    client.file = None
    client.helo_resp = client.ehlo_resp = None
    client.esmtp_features = {}
    client.ehlo_or_helo_if_needed()


def _sign_in(client: smtplib.SMTP, login: Login) -> None:
    """Try one mechanism, once: smtplib's own `login` tries all, and each miss counts to a lock."""
    offered = client.esmtp_features.get("auth", "").upper().split()
    if "PLAIN" in offered:
        secret = _b64(f"\0{login.username}\0{login.password}")
        code, said = client.docmd("AUTH", f"PLAIN {secret}")
    elif "LOGIN" in offered:
        code, said = client.docmd("AUTH", f"LOGIN {_b64(login.username)}")
        if code == 334:
            code, said = client.docmd(_b64(login.password))
    else:
        raise SignInRefused("The mail server offers no way to sign in with a password.")
    if 500 <= code < 600 or code in SIGN_IN_CODES:
        raise SignInRefused("The mail server refused the sign-in.", _spoken(code, said))
    if code != 235:
        raise Unavailable("The mail server could not check the sign-in.", _spoken(code, said))


def _offer(
    client: smtplib.SMTP, sender: Mailbox, recipients: Sequence[str], content: bytes
) -> None:
    """Begin the mail: MAIL FROM, with what the server needs to know of it."""
    options = ""
    if client.has_extn("size"):
        options += f" SIZE={len(content)}"
    if client.has_extn("8bitmime") and not content.isascii():
        options += " BODY=8BITMIME"
    boxes = [sender, *(box for box in map(mailbox, recipients) if box)]
    if any(box.utf8 for box in boxes) and client.has_extn("smtputf8"):
        options += " SMTPUTF8"
        client.command_encoding = "utf-8"
    elif sender.utf8:
        raise Rejected("The mail server can't send from an address with such letters.")
    answer = client.docmd("MAIL", f"FROM:<{sender.address}>{options}")
    _expect(answer, 250, "The server did not accept the sender.")


def _address(
    client: smtplib.SMTP, recipients: Sequence[str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Name the recipients; return those refused for good and those refused for now."""
    refused: dict[str, str] = {}
    deferred: dict[str, str] = {}
    accepted = 0
    for recipient in dict.fromkeys(recipients):
        box = mailbox(recipient)
        if box is None:
            refused[recipient] = "501 not an address"
            continue
        if box.utf8 and client.command_encoding != "utf-8":
            refused[recipient] = "553 the mail server can't write to such an address"
            continue
        code, said = client.docmd("RCPT", f"TO:<{box.address}>")
        if 200 <= code < 300:
            accepted += 1
        elif code == 421 or not 400 <= code < 600 or code in SIGN_IN_CODES:
            raise _refusal(code, said, "The server did not accept recipients.")
        else:
            (deferred if code < 500 else refused)[recipient] = _spoken(code, said)
    if not accepted and deferred:
        raise Unavailable("No recipient is accepted just now.", next(iter(deferred.values())))
    if not accepted:
        raise AllRefused(refused)
    return refused, deferred


def _expect(answer: tuple[int, bytes], code: int, message: str) -> None:
    if answer[0] != code:
        raise _refusal(*answer, message)


def _refusal(code: int, said: bytes, message: str) -> ProviderError:
    if code in SIGN_IN_CODES:
        return SignInRefused("The mail server wants another sign-in.", _spoken(code, said))
    if 500 <= code < 600:
        return Rejected(message, _spoken(code, said))
    return Unavailable(message, _spoken(code, said))


def _say_goodbye(client: smtplib.SMTP) -> None:
    """Part politely; what happens now changes nothing."""
    with suppress(OSError):
        if client.sock is not None:
            client.sock.settimeout(GOODBYE_SECONDS)
        client.quit()


def _own_name() -> str:
    """The name said in EHLO. socket.getfqdn() would ask DNS and can take a minute."""
    name = socket.gethostname()
    return name if "." in name and name.isascii() else "[127.0.0.1]"


def _queue_id(said: bytes) -> str:
    words = one_line(said)
    named = re.search(r"queued as (\S{1,200})", words, re.IGNORECASE)
    return named[1] if named else words[:200]


def _spoken(code: int, said: bytes) -> str:
    return f"{code} {one_line(said)}"


def _b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode("ascii")
