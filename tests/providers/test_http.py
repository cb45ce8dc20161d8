"""The way out over HTTP, against a real server on this machine."""

from __future__ import annotations

import base64
import time
from datetime import timedelta

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from casewell.providers.errors import Insecure, Rejected, Unavailable, Unconfirmed
from casewell.providers.http import Answer, AnswerTooLong, WebClient, WebLimits
from casewell.providers.targets import TargetGuard, TargetRefused
from tests.rigs.certificates import make_certificates
from tests.rigs.scripted import scripted, silence

HERE = "127.0.0.1"


def allowing(*targets, resolve=lambda _host, _port: [HERE], tls=None, **limits):
    return WebClient(TargetGuard(set(targets), resolve), WebLimits(**limits), tls)


@pytest.fixture
def server():
    with HTTPServer(host=HERE) as running:
        yield running


@pytest.fixture
def named(server):
    """An address of the server by a name, and a client that may go there."""
    target = f"hooks.test:{server.port}"
    return f"http://{target}", allowing(target, step=2.0, whole=3.0, answer=1000)


def test_a_form_goes_out_with_credentials_under_the_name_that_was_asked(server, named):
    address, client = named
    server.expect_request("/send", method="POST").respond_with_json({"sid": "SM1"}, status=201)
    answer = client.send(
        "POST", f"{address}/send", form={"To": "+1 555 0100", "Tag": ["a", "b"]}, auth=("me", "key")
    )
    assert (answer.status, answer.ok, answer.json) == (201, True, {"sid": "SM1"})
    ((asked, _),) = server.log
    assert asked.host == address.removeprefix("http://")
    assert asked.form.to_dict(flat=False) == {"To": ["+1 555 0100"], "Tag": ["a", "b"]}
    assert asked.authorization.password == "key"
    assert asked.headers["User-Agent"] == "Casewell"


def test_bytes_and_headers_go_out_as_they_are(server, named):
    address, client = named
    server.expect_request("/", method="POST").respond_with_data("not json")
    answer = client.send("POST", address, content=b'{"a": 1}', headers={"X-Mine": "yes"})
    assert (answer.json, answer.body) == (None, b"not json")
    assert server.log[0][0].get_data() == b'{"a": 1}'
    assert server.log[0][0].headers["X-Mine"] == "yes"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_J01_a_redirect_is_an_answer_and_is_not_followed(server, named, status):
    address, client = named
    server.expect_request("/").respond_with_data(
        status=status, headers={"Location": "http://127.0.0.1/inside"}
    )
    assert client.send("GET", address).status == status
    assert len(server.log) == 1


def test_J01_what_a_name_said_before_counts_for_nothing_when_it_is_asked_again(server):
    says = iter([["93.184.216.34"], [HERE]])
    client = allowing(resolve=lambda _host, _port: next(says))
    client.check("https://rebind.test/")
    with pytest.raises(TargetRefused):
        client.send("POST", "https://rebind.test/", content=b"{}")
    assert server.log == []


def test_J01_the_connection_goes_to_the_address_that_was_judged(server):
    """The name is asked once per request: a second answer would be another address."""
    server.expect_request("/").respond_with_data("here")
    target, asked = f"rebind.test:{server.port}", []

    def resolve(host, _port):
        asked.append(host)
        return [HERE] if len(asked) == 1 else ["127.0.0.99"]

    assert allowing(target, resolve=resolve).send("GET", f"http://{target}/").body == b"here"
    assert asked == ["rebind.test"]


def test_J01_nobody_inside_is_connected_to(server):
    client = WebClient()
    for host in (HERE, "localhost", f"[::ffff:{HERE}]", "127.1"):
        for scheme in ("http", "https"):
            with pytest.raises(TargetRefused):
                client.send("GET", f"{scheme}://{host}:{server.port}/")
    assert server.log == []


def test_a_name_with_several_addresses_is_tried_at_each(server):
    server.expect_request("/").respond_with_data("here")
    target = f"hooks.test:{server.port}"
    client = allowing(target, resolve=lambda _host, _port: ["127.0.0.99", HERE])
    assert client.send("GET", f"http://{target}/").body == b"here"


def test_nobody_there_means_that_nothing_was_sent():
    with scripted([b""]) as gone:
        target = f"{HERE}:{gone.port}"
    with pytest.raises(Unavailable):
        allowing(target).send("POST", f"http://{target}/", content=b"{}")


@pytest.mark.parametrize(
    "script",
    [
        [r"POST .*", silence(2)],
        [r"POST .*"],
        [r"POST .*", b"220 mail.test ESMTP\r\n"],
        [r"POST .*", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhal"],
    ],
    ids=["silence", "hangs up", "another protocol", "cut off"],
)
def test_what_became_of_a_request_without_an_answer_is_not_known(script):
    with scripted(script) as server:
        target = f"{HERE}:{server.port}"
        with pytest.raises(Unconfirmed):
            allowing(target, step=0.3).send("POST", f"http://{target}/", content=b"{}")


def test_a_server_that_drips_is_cut_off():
    def drip(connection):
        for _ in range(100):
            connection.sendall(b"x")
            time.sleep(0.1)

    with scripted([r"GET .*", b"HTTP/1.1 200 OK\r\nX-Slow: ", drip]) as server:
        target, began = f"{HERE}:{server.port}", time.monotonic()
        with pytest.raises(Unconfirmed):
            allowing(target, step=5.0, whole=0.5).send("GET", f"http://{target}/")
        assert time.monotonic() - began < 4


def test_an_answer_is_read_up_to_its_limit(server, named):
    address, client = named
    server.expect_request("/fits").respond_with_data(b"x" * 1000)
    server.expect_request("/more").respond_with_data(b"x" * 1001)
    assert len(client.send("GET", f"{address}/fits").body) == 1000
    with pytest.raises(AnswerTooLong):
        client.send("GET", f"{address}/more")
    unread = client.send("GET", f"{address}/more", read_body=False)
    assert (unread.status, unread.body) == (200, b"")


def test_H12_a_file_is_streamed_up_to_its_limit(server, named):
    address, client = named
    server.expect_request("/media").respond_with_data(b"x" * 5000, content_type="image/png")
    kept = bytearray()
    answer = client.download(f"{address}/media", kept.extend, most=5000)
    assert (answer.headers["content-type"], len(kept)) == ("image/png", 5000)
    with pytest.raises(AnswerTooLong):
        client.download(f"{address}/media", kept.extend, most=4999)


def test_H12_credentials_stay_with_the_host_that_was_asked(server):
    first, second = f"api.test:{server.port}", f"files.test:{server.port}"
    client = allowing(first, second)
    server.expect_request("/media").respond_with_data(
        status=302, headers={"Location": f"http://{second}/file"}
    )
    server.expect_request("/file").respond_with_data(b"picture")
    kept = bytearray()
    client.download(f"http://{first}/media", kept.extend, most=99, auth=("me", "key"), redirects=1)
    assert kept == b"picture"
    assert [bool(asked.authorization) for asked, _ in server.log] == [True, False]


@pytest.mark.parametrize("onward", ["http://127.0.0.1/", "file:///etc/passwd", "https://[::1]/"])
def test_J01_a_redirect_that_is_followed_is_judged_anew(server, named, onward):
    address, client = named
    server.expect_request("/media").respond_with_data(status=302, headers={"Location": onward})
    with pytest.raises(TargetRefused):
        client.download(f"{address}/media", bytes, most=99, redirects=3)
    assert len(server.log) == 1


def test_redirects_end(server, named):
    address, client = named
    server.expect_request("/again").respond_with_data(status=302, headers={"Location": "/again"})
    with pytest.raises(Rejected):
        client.download(f"{address}/again", bytes, most=99, redirects=3)
    assert len(server.log) == 4
    assert client.download(f"{address}/again", bytes, most=99).status == 302


def test_a_file_that_is_not_there_is_not_written(server, named):
    address, client = named
    server.expect_request("/gone").respond_with_data(b"not here", status=404)
    kept = bytearray()
    assert client.download(f"{address}/gone", kept.extend, most=99).status == 404
    assert not kept


def test_a_certificate_has_to_fit_the_name_and_not_the_address(tmp_path):
    made = make_certificates(tmp_path, host="hooks.test")
    with HTTPServer(host=HERE, ssl_context=made.for_server()) as server:
        server.expect_request("/").respond_with_data("here")
        right, wrong = f"hooks.test:{server.port}", f"other.test:{server.port}"
        trusting = allowing(right, wrong, tls=made.for_client())
        assert trusting.send("GET", f"https://{right}/").body == b"here"
        for client, target in ((trusting, wrong), (allowing(right), right)):
            with pytest.raises(Insecure):
                client.send("GET", f"https://{target}/")
        assert len(server.log) == 1


def test_J05_a_failure_tells_no_address_and_no_words_of_the_other_side():
    with scripted([b"SSH-2.0-internal 10.9.8.7\r\n"]) as server:
        target = f"hooks.test:{server.port}"
        with pytest.raises(Unconfirmed) as failed:
            allowing(target, step=1.0).send("GET", f"http://{target}/")
    assert "127.0.0.1" not in str(failed.value)
    assert "SSH" not in str(failed.value)


def test_no_proxy_or_credentials_are_taken_from_the_environment(
    server, named, monkeypatch, tmp_path
):
    address, client = named
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    (tmp_path / ".netrc").write_text("default login me password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    server.expect_request("/").respond_with_handler(
        lambda request: Response(request.headers.get("Authorization", "nobody"))
    )
    assert client.send("GET", address).body == b"nobody"


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ("120", timedelta(seconds=120)),
        ("99999999999999", timedelta(days=1)),
        ("Fri, 01 Jan 2100 00:00:00 GMT", timedelta(days=1)),
        ("Sat, 01 Jan 2000 00:00:00 GMT", timedelta(0)),
        ("-5", None),
        ("soon", None),
        ("", None),
    ],
)
def test_how_long_a_server_asks_to_wait(told, wait):
    assert Answer(429, {"retry-after": told}).retry_after == wait


def test_deep_json_is_no_json():
    assert Answer(200, {}, b"[" * 500_000).json is None
    assert Answer(200, {}, base64.b64decode("/w==")).json is None
