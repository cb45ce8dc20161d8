"""Where requests may go (cases J: server-side requests)."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from casewell.providers.errors import Unavailable
from casewell.providers.targets import TargetGuard, TargetRefused, is_public

PUBLIC = "93.184.216.34"
PRIVATE = [
    "0.0.0.0",
    "10.0.0.1",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.192",
    "192.168.0.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:a9fe:a9fe",
    "::ffff:93.184.216.34",
    "64:ff9b::7f00:1",
    "64:ff9b:1::7f00:1",
    "100::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "3fff::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fec0::1",
    "ff02::1",
]
# Each line is tried as it stands, and with https where it says http: the scheme alone would
# refuse it otherwise, and hide a hole behind.
NAMED = [
    "127.0.0.1/",
    "127.1/",
    "2130706433/",
    "0x7f.1/",
    "0177.0.0.1/",
    "0/",
    "0x7f000001/",
    "127.0.0.0x1/",
    "[::1]/",
    "[::ffff:127.0.0.1]/",
    "[::ffff:a9fe:a9fe]/",
    "[64:ff9b::7f00:1]/",
    "[2002:7f00:1::]/",
    "[::127.0.0.1]/",
    "[fe80::1%25eth0]/",
    "169.254.169.254/latest/meta-data/",
    "100.100.100.200/",
    "192.0.0.192/",
    "[fd00:ec2::254]/",
    "100.64.0.1/",
    "10.0.0.1/",
    "192.168.0.1/",
    "172.16.0.1/",
    "224.0.0.1/",
    "255.255.255.255/",
    "localhost/",
    "localhost./",
    "LOCALHOST%2f@public.example/",
    "public.example@127.0.0.1/",
    "127.0.0.1#@public.example/",
    "127.0.0.1\\@public.example/",
    "①②⑦.⓪.⓪.①/",
    "public.example:6379/",
    "public.example:25/",
    "public.example:0/",
    "public.example:99999/",
    "public.example:x/",
    "public.example\t.test/",
    "public.example/\r\nX-Header: 1",
    " public.example/",
    ".public.example/",
    "public..example/",
    "/",
    "",
]
OTHERS = [
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp://127.0.0.1/",
    "dict://127.0.0.1:6379/",
    "unix:///var/run/docker.sock",
    "http+unix://%2Fvar%2Frun%2Fdocker.sock/",
    "http://public.example/",
    "//public.example/",
    "https:public.example",
    "https://public.example/" + "a" * 2000,
    "",
]


def resolving(*addresses):
    """Every name has these addresses, and `localhost` is this machine."""
    return lambda host, _port: ["127.0.0.1"] if host == "localhost" else list(addresses)


@pytest.mark.parametrize(
    "url",
    [*OTHERS, *(f"https://{rest}" for rest in NAMED), *(f"http://{rest}" for rest in NAMED)],
)
def test_J01_an_address_that_leads_inside_is_refused(url):
    with pytest.raises(TargetRefused):
        TargetGuard(resolve=resolving(PUBLIC)).check(url)


@pytest.mark.parametrize("address", PRIVATE)
def test_J01_a_name_with_an_address_inside_is_refused(address):
    for found in ([address], [PUBLIC, address], [address, PUBLIC]):
        with pytest.raises(TargetRefused) as refused:
            TargetGuard(resolve=resolving(*found)).check("https://rebind.test/")
        assert address not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "https://public.example/",
        "https://PUBLIC.example:8443/hooks/a?b=c",
        "https://xn--bcher-kva.example/",
        f"https://{PUBLIC}/",
        "https://[2606:2800:220:1::1]/",
        "https://public.example",
    ],
)
def test_a_public_address_is_let_through(url):
    TargetGuard(resolve=resolving(PUBLIC, "2606:2800:220:1::1")).check(url)


@given(st.ip_addresses(v=6))
@example(ipaddress.ip_address("::ffff:8.8.8.8"))
def test_J01_nothing_public_hides_an_address_of_the_other_family(address):
    if is_public(address):
        assert address.is_global
        assert not any((address.ipv4_mapped, address.sixtofour, address.teredo))


@given(st.ip_addresses(v=4))
def test_J01_nothing_is_public_that_python_calls_private(address):
    assert not (is_public(address) and (address.is_private or address.is_multicast))


def test_J07_a_private_target_is_one_host_and_port_and_no_other():
    guard = TargetGuard(private={"calendar.office.test:8443"}, resolve=resolving("10.0.0.7"))
    guard.check("https://calendar.office.test:8443/")
    guard.check("http://Calendar.Office.test:8443/")
    for other in ("calendar.office.test", "mail.office.test:8443", "10.0.0.7:8443"):
        with pytest.raises(TargetRefused):
            guard.check(f"https://{other}/")


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "100.100.100.200",
        "192.0.0.192",
        "fd00:ec2::254",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "224.0.0.1",
        "0.0.0.0",
    ],
)
def test_J07_no_setting_opens_the_metadata_of_a_cloud(address):
    guard = TargetGuard(private={"calendar.office.test:443"}, resolve=resolving(address))
    with pytest.raises(TargetRefused):
        guard.check("https://calendar.office.test/")


def test_a_name_that_is_not_known_may_be_known_later():
    def unknown(_host, _port):
        raise OSError("no such name")

    for resolve in (unknown, resolving()):
        with pytest.raises(Unavailable):
            TargetGuard(resolve=resolve).check("https://public.example/")
