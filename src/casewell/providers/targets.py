"""Where an outgoing request may go: never to a machine of the firm's own network by accident.

An address typed by a person, or told by another server, could name this machine, its
neighbours, or a cloud's metadata service. Whoever connects asks here, and connects to the very
addresses that were judged: a name that answers differently the next time changes nothing.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from casewell.providers.errors import Rejected, Unavailable

PORTS = frozenset({80, 443, 8080, 8443})
LONGEST_URL = 2000
HOST = re.compile(r"(?!-)[a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63})*", re.ASCII)
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address

# The IANA special-purpose registries of both families. Python's `is_global` differs between the
# versions we run on, and misses some.
NOT_PUBLIC_4 = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8",
        "10.0.0.0/8",
        "100.64.0.0/10",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "224.0.0.0/4",
        "240.0.0.0/4",
    )
)
# Outside of 2000::/3 nothing is public: not `::1`, `::ffff:0:0/96` (an IPv4 address in another
# dress), `64:ff9b::/96` (one behind NAT64), `fc00::/7`, `fe80::/10` or `ff00::/8`.
PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
NOT_PUBLIC_6 = tuple(
    ipaddress.IPv6Network(net)
    # Protocol assignments with Teredo, documentation twice, 6to4, direct delegation of AS112.
    for net in ("2001::/23", "2001:db8::/32", "3fff::/20", "2002::/16", "2620:4f:8000::/48")
)
# Refused even where a private target is allowed: here clouds keep the keys of a machine.
METADATA = tuple(
    ipaddress.ip_network(net)
    for net in (
        "169.254.0.0/16",
        "100.100.100.200/32",
        "192.0.0.192/32",
        "fd00:ec2::254/128",
        "fe80::/10",
    )
)


class TargetRefused(Rejected):
    """Casewell does not connect there. The message says why in words, and names no address."""


@dataclass(frozen=True)
class Target:
    """An address that was taken apart. `host` is lower-case; an IPv6 one has no brackets.

    `written` is its host and port as they stood there: what the Host header says.
    """

    scheme: str
    host: str
    port: int
    written: str

    @property
    def named(self) -> str:
        """The host and port as `CASEWELL_PRIVATE_TARGETS` spells them."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


Resolve = Callable[[str, int], Sequence[str]]


def resolve(host: str, port: int) -> Sequence[str]:
    """Return every address of a name. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclass(frozen=True)
class TargetGuard:
    """Judges where requests go. `private` holds `host:port` of targets that may be anywhere.

    Those few may also be spoken to without TLS; all others only with it.
    """

    private: Collection[str] = ()
    resolve: Resolve = resolve

    def read(self, url: str) -> Target:
        """Take an address apart, asking no name server. Raises TargetRefused."""
        target = parsed(url)
        if target.named in self.private:
            return target
        if target.scheme != "https":
            raise TargetRefused("The address has to begin with https://.")
        if target.port not in PORTS:
            raise TargetRefused("The address names a port that Casewell does not connect to.")
        literal = _literal(target.host)
        if literal is not None and not is_public(literal):
            raise TargetRefused("The address is in a private or reserved network.")
        return target

    def addresses(self, target: Target) -> Sequence[str]:
        """Return the addresses to connect to, all of them judged.

        Raises TargetRefused if a single one is not fit, or Unavailable where the name has none.
        """
        try:
            found = self.resolve(target.host, target.port)
        except (OSError, UnicodeError) as error:
            raise Unavailable(f"The name {target.host} could not be looked up.") from error
        if not found:
            raise Unavailable(f"The name {target.host} has no address.")
        allowed = is_no_metadata if target.named in self.private else is_public
        for address in found:
            if not allowed(ipaddress.ip_address(address.partition("%")[0])):
                raise TargetRefused("The address leads into a private or reserved network.")
        return found

    def check(self, url: str) -> None:
        """Refuse an address that is being typed in. Raises TargetRefused or Unavailable."""
        self.addresses(self.read(url))


def parsed(url: str) -> Target:
    """Read an address that every reader of addresses reads alike. Raises TargetRefused."""
    if len(url) > LONGEST_URL:
        raise TargetRefused(f"The address is longer than {LONGEST_URL} characters.")
    if not url.isascii() or not url.isprintable() or set(url) & set(' \\#<>"`{}|^'):
        raise TargetRefused("The address holds characters that don't belong in one.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname
    except ValueError as error:
        raise TargetRefused("This is not an address.") from error
    if parts.scheme not in ("http", "https"):
        raise TargetRefused("The address has to begin with https://.")
    if "@" in parts.netloc or not host or "%" in parts.netloc:
        raise TargetRefused("The address has to name a host, and no user.")
    if _literal(host) is None and not _is_name(host):
        raise TargetRefused("The host in the address is not spelled as a name.")
    if port is None:
        port = 443 if parts.scheme == "https" else 80
    return Target(parts.scheme, host, port, parts.netloc)


def is_public(address: IPAddress) -> bool:
    """Whether an address belongs to the public internet, by the registries and not by hope."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in net for net in NOT_PUBLIC_4)
    return address in PUBLIC_6 and not any(address in net for net in NOT_PUBLIC_6)


def is_no_metadata(address: IPAddress) -> bool:
    """Whether an allowed private target may be there: a host, and not one that gives out keys."""
    if isinstance(address, ipaddress.IPv6Address):
        embedded = address.ipv4_mapped or address.sixtofour
        if embedded is not None or address in ipaddress.IPv6Network("64:ff9b::/96"):
            return False
    if address.is_multicast or address.is_unspecified:
        return False
    return not any(address in net for net in METADATA if net.version == address.version)


def _literal(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _is_name(host: str) -> bool:
    """Whether a host is a name, and can't be read as an odd spelling of a number.

    `127.1`, `0x7f.1` and `2130706433` are addresses to some resolvers: a name's last label has a
    letter and no `0x` (WHATWG URL, "ends in a number").
    """
    last = host.rpartition(".")[2]
    return bool(HOST.fullmatch(host)) and not (last.isdigit() or last.startswith("0x"))
