"""Getting into an IMAP server: encrypted, once, and out again when it misbehaves."""

from __future__ import annotations

import imaplib
import re
import socket
from contextlib import suppress
from datetime import timedelta

from casewell.providers.errors import Insecure, SignInRefused, Unavailable
from casewell.providers.wire import Login, Security, Server, connect, cut_after, encrypt

SMALL_LITERAL = 1_000_000
# RFC 5530, and what servers say in plain words instead.
FOR_NOW = re.compile(
    r"\[(UNAVAILABLE|INUSE|LIMIT|SERVERBUG|OVERQUOTA)\]|too many|bandwidth", re.IGNORECASE
)
OVER_BANDWIDTH = re.compile(r"bandwidth|\[OVERQUOTA\]", re.IGNORECASE)
BANDWIDTH_PAUSE = timedelta(hours=1)
CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class ImapConnection(imaplib.IMAP4):
    """imaplib over a socket that is open already; it swallows no more than it asked for."""

    def __init__(self, sock: socket.socket, server: Server) -> None:
        self._open_socket = sock
        self.largest_literal = SMALL_LITERAL
        super().__init__(server.host, server.port)

    def open(self, host: str = "", port: int = 143, timeout: float | None = None) -> None:
        self.host, self.port = host, port
        self.sock = self._open_socket
        self.file = self.sock.makefile("rb")

    def read(self, size: int) -> bytes:
        """Raises `abort` where more bytes are announced than any answer can have."""
        if size > self.largest_literal:
            raise self.abort(f"{size} bytes announced, at most {self.largest_literal} asked for")
        return super().read(size)

    def encrypt(self, server: Server) -> None:
        """STARTTLS, after which nothing is believed that was said before it."""
        if "STARTTLS" not in self.capabilities or self.state != "NONAUTH":
            raise Insecure(f"{server} offers no encryption (STARTTLS).")
        status, said = self._simple_command("STARTTLS")
        if status != "OK":
            raise Insecure(f"{server} refused encryption (STARTTLS).", b" ".join(said))
        self.file.close()
        self.sock = encrypt(self.sock, server)
        self.file = self.sock.makefile("rb")
        self.untagged_responses = {}
        self._get_capabilities()

    def drop(self) -> None:
        """Close without a word."""
        with suppress(OSError):
            self.shutdown()


def connected(server: Server, step: float, whole: float) -> ImapConnection:
    """Return an encrypted connection, not signed in. Raises Insecure, Unavailable.

    `step` and `whole` are seconds: for one read, and for all of it.
    """
    sock = connect(server, step)
    current = [sock]
    with cut_after(whole, lambda: current[0]):
        try:
            imap = ImapConnection(sock, server)
        except (imaplib.IMAP4.error, OSError) as error:
            sock.close()
            raise Unavailable(f"{server} did not welcome us.", str(error)) from error
        try:
            if server.security is Security.STARTTLS:
                imap.encrypt(server)
                current[0] = imap.sock
        except (imaplib.IMAP4.error, OSError) as error:
            imap.drop()
            raise Unavailable(f"{server} broke off while setting up TLS.", str(error)) from error
        except Unavailable:
            imap.drop()
            raise
    return imap


def sign_in(imap: ImapConnection, login: Login) -> None:
    """Try one mechanism, once: each miss may count to a lock. Raises SignInRefused, Unavailable."""
    if imap.state != "NONAUTH":  # a server may know us by our address alone: PREAUTH
        return
    if CONTROL.search(login.username + login.password):
        raise SignInRefused("The user name or password holds characters no mail server takes.")
    try:
        if "AUTH=PLAIN" in imap.capabilities:
            secret = f"\0{login.username}\0{login.password}".encode()
            imap.authenticate("PLAIN", lambda _: secret)
        elif "LOGINDISABLED" in imap.capabilities:
            raise SignInRefused("The mail server takes no passwords.")
        else:
            # imaplib quotes the password, not the name.
            imap.login(_quoted(login.username), login.password)
    except imaplib.IMAP4.abort:
        raise
    except UnicodeEncodeError as error:
        raise SignInRefused("This mail server takes only plain letters in passwords.") from error
    except imaplib.IMAP4.error as error:
        raise server_words(str(error)) or SignInRefused(
            "The mail server refused the sign-in.", str(error)
        ) from error


def server_words(said: str | bytes) -> Unavailable | None:
    """Return what a refusal means if it is only for now, or None."""
    text = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    if not FOR_NOW.search(text):
        return None
    pause = BANDWIDTH_PAUSE if OVER_BANDWIDTH.search(text) else None
    return Unavailable("The mail server asks to come back later.", text, retry_after=pause)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
