"""A connection to a mail server: to the right host, encrypted, and never open for ever."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import StrEnum

from casewell.providers.errors import Insecure, Unavailable


class Security(StrEnum):
    """How a connection is protected. Plain is only ever spoken to this very machine."""

    STARTTLS = "starttls"
    TLS = "tls"
    PLAIN = "plain"


@dataclass(frozen=True)
class Server:
    """Where a mail server is. `tls` replaces the system's certificate authorities."""

    host: str
    port: int
    security: Security
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Login:
    """A name and its password, which no log or traceback shows."""

    username: str
    password: str = field(repr=False)


def connect(server: Server, timeout: float) -> socket.socket:
    """Return an open socket, encrypted already where `server` says TLS from the first byte.

    `timeout` in seconds holds for each later read and write too.
    Raises Unavailable, or Insecure if the certificate isn't trusted or plain text is asked for
    to another machine.
    """
    if server.security is Security.PLAIN and not is_this_machine(server.host):
        raise Insecure(f"{server} is another machine, so it must be reached with TLS.")
    try:
        sock = socket.create_connection((server.host, server.port), timeout)
        # A mail's last dot is a small write after a large one: don't hold it back for an ACK.
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except (OSError, UnicodeError) as error:  # a host name of odd characters is a UnicodeError
        raise Unavailable(f"{server} could not be reached.", str(error)) from error
    return encrypt(sock, server) if server.security is Security.TLS else sock


def encrypt(sock: socket.socket, server: Server) -> ssl.SSLSocket:
    """Shake hands for TLS on an open connection. Raises Insecure or Unavailable, and closes it."""
    context = server.tls or ssl.create_default_context()
    try:
        return context.wrap_socket(sock, server_hostname=server.host)
    except ssl.SSLCertVerificationError as error:
        sock.close()
        raise Insecure(
            f"The certificate of {server} is not trusted.", error.verify_message
        ) from error
    except ssl.SSLError as error:
        sock.close()
        raise Insecure(f"{server} does not speak TLS as asked.", str(error)) from error
    except OSError as error:
        sock.close()
        raise Unavailable(f"{server} broke off while setting up TLS.", str(error)) from error


def is_this_machine(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    with suppress(ValueError):
        return ipaddress.ip_address(host).is_loopback
    return False


@contextmanager
def cut_after(seconds: float, current: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Cut the connection if the block takes longer, whatever the other side is doing.

    A socket's own timeout starts anew with every byte, so a server that drips one byte a minute
    would hold a worker for ever. The blocked read then fails as if the server had hung up.
    `current` is asked late: STARTTLS replaces the socket.
    """
    done = threading.Event()
    watchdog = threading.Thread(target=_watch, args=(done, seconds, current), daemon=True)
    watchdog.start()
    try:
        yield
    finally:
        done.set()


def _watch(
    done: threading.Event, seconds: float, current: Callable[[], socket.socket | None]
) -> None:
    pause = seconds
    while not done.wait(pause):
        pause = 1.0  # again, in case the socket was just being replaced
        sock = current()
        if sock is not None:
            with suppress(OSError):
                # Not sock.shutdown(): SSLSocket's own would first drop the encryption, and a
                # write in the other thread could leave in plain text.
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
