"""Requests to other people's servers: guarded, limited, and exact about what may have happened."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from socket import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

from casewell.kernel.clock import utc_now
from casewell.kernel.settings import Settings
from casewell.providers.errors import Insecure, ProviderError, Rejected, Unavailable, Unconfirmed
from casewell.providers.targets import Target, TargetGuard
from casewell.providers.wire import cut_after

if TYPE_CHECKING:
    import httpx2

AGENT = "Casewell"
REDIRECTS = {301, 302, 303, 307, 308}
ADDRESSES_TRIED = 3
LONGEST_WAIT = timedelta(days=1)


@dataclass(frozen=True)
class WebLimits:
    """In seconds and bytes. A lease on work that asks must be longer than `whole`."""

    connect: float = 5.0
    step: float = 10.0
    whole: float = 30.0
    answer: int = 1_000_000


@dataclass(frozen=True)
class Answer:
    """What a server answered. Header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes = b""

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @cached_property
    def json(self) -> Any:
        """The body as JSON, or None where it is something else."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def retry_after(self) -> timedelta | None:
        """How long the server asks us to wait (RFC 9110, section 10.2.3), at most a day."""
        told = self.headers.get("retry-after", "").strip()
        try:
            if told.isascii() and told.isdigit():
                wait = timedelta(seconds=min(int(told), 100_000))
            else:
                wait = parsedate_to_datetime(told) - utc_now()
        except (TypeError, ValueError, OverflowError):
            return None
        return min(max(wait, timedelta(0)), LONGEST_WAIT)


class AnswerTooLong(Rejected):
    """The server took the request, and answered more than was agreed."""


@dataclass(frozen=True)
class WebClient:
    """The one way out over HTTP. One connection per request, to an address that was judged.

    `guard` says where requests may go; `tls` replaces the system's certificate authorities.
    Nothing is taken from the environment: no proxy, no credentials.
    """

    guard: TargetGuard = field(default_factory=TargetGuard)
    limits: WebLimits = field(default_factory=WebLimits)
    tls: ssl.SSLContext | None = None

    def check(self, url: str) -> None:
        """Refuse an address at once that a request would be refused for later.

        Raises TargetRefused, or Unavailable where its name can't be looked up.
        """
        self.guard.check(url)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        form: Mapping[str, str | list[str]] | None = None,
        auth: tuple[str, str] | None = None,
        read_body: bool = True,
    ) -> Answer:
        """Ask once and return the answer, whatever its status. No redirect is followed.

        Raises TargetRefused or Unavailable (Insecure) if nothing was sent, Unconfirmed if it is
        not known what became of the request, AnswerTooLong.
        """
        with self._asked(
            method, url, headers=headers, content=content, data=form, auth=auth
        ) as answered:
            body = b"".join(_limited(answered, self.limits.answer)) if read_body else b""
            return _answer(answered, body)

    def download(
        self,
        url: str,
        write: Callable[[bytes], object],
        *,
        most: int,
        auth: tuple[str, str] | None = None,
        redirects: int = 0,
    ) -> Answer:
        """Hand a file's bytes to `write` as they come; return the answer without its body.

        Each of at most `redirects` hops is judged like the first, and only the host that was
        asked first is told who asks. Nothing is written unless the status is 200. A file that
        is cut off, or has more than `most` bytes, raises: what was written is then no file.
        """
        first = urlsplit(url).netloc
        for _ in range(redirects + 1):
            shown = auth if urlsplit(url).netloc == first else None
            with self._asked("GET", url, auth=shown) as answered:
                onward = answered.headers.get("location", "")
                if not (redirects and answered.status_code in REDIRECTS and onward):
                    if answered.status_code == 200:
                        for chunk in _limited(answered, most):
                            write(chunk)
                    return _answer(answered)
                url = urljoin(url, onward)
        raise Rejected("The server sends the request from address to address.")

    @contextmanager
    def _asked(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        **parts: Any,
    ) -> Iterator[httpx2.Response]:
        """Try the addresses of a name in turn until one lets us speak."""
        import httpx2

        target = self.guard.read(url)
        addresses = self.guard.addresses(target)[:ADDRESSES_TRIED]
        known = {"User-Agent": AGENT, "Accept-Encoding": "identity", "Host": target.written}
        for address in addresses:
            progress = _Progress(target)
            try:
                with (
                    cut_after(self.limits.whole, progress.socket),
                    self._client() as client,
                    client.stream(
                        method,
                        httpx2.URL(url).copy_with(host=address, port=target.port),
                        headers={**known, **(headers or {})},
                        extensions={"trace": progress.note, "sni_hostname": target.host},
                        **parts,
                    ) as answered,
                ):
                    yield answered
                    return
            except httpx2.TransportError as error:
                if progress.connected or address == addresses[-1]:
                    raise progress.failure(error) from error

    def _client(self) -> httpx2.Client:
        import httpx2

        return httpx2.Client(
            verify=self.tls or ssl.create_default_context(),
            timeout=httpx2.Timeout(self.limits.step, connect=self.limits.connect),
            follow_redirects=False,
            trust_env=False,
        )


def web_client(settings: Settings) -> WebClient:
    """Return the client of this installation."""
    return WebClient(TargetGuard(private=settings.private_hosts))


class _Progress:
    """How far one request came, told by httpx2 as it goes."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._stream: Any = None
        self.connected = self._sent = False

    def note(self, event: str, info: Mapping[str, Any]) -> None:
        if event in ("connection.connect_tcp.complete", "connection.start_tls.complete"):
            self.connected, self._stream = True, info["return_value"]
        elif event == "http11.send_request_headers.started":
            self._sent = True

    def socket(self) -> socket | None:
        found = self._stream and self._stream.get_extra_info("socket")
        return found if isinstance(found, socket) else None

    def failure(self, error: Exception) -> ProviderError:
        host = self._target.host
        if self._sent:
            return Unconfirmed(f"{host} did not answer in time, or broke off.", _kind(error))
        if _came_from(error, ssl.SSLError):
            return Insecure(f"{host} could not be spoken to over a trusted connection.")
        return Unavailable(f"{host} could not be reached.", _kind(error))


def _limited(answered: httpx2.Response, most: int) -> Iterator[bytes]:
    """Yield the body as it stands on the wire: what we asked for, and not what it unpacks to."""
    taken = 0
    for chunk in answered.iter_raw():
        taken += len(chunk)
        if taken > most:
            raise AnswerTooLong("The server answered more than it should have.")
        yield chunk


def _answer(answered: httpx2.Response, body: bytes = b"") -> Answer:
    return Answer(answered.status_code, dict(answered.headers.items()), body)


def _kind(error: Exception) -> str:
    """The class of a failure alone: its text may hold addresses of the firm's own network."""
    return type(error).__name__


def _came_from(error: BaseException, kind: type[BaseException]) -> bool:
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, kind):
            return True
        seen = seen.__cause__ or seen.__context__
    return False
