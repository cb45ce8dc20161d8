"""Pictures of inbound texts: fetched from the carrier alone, within limits, once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa
from pytest_httpserver import HTTPServer

from casewell.kernel.jobs import sweep
from casewell.messages.files import read_attachment
from casewell.messages.models import Attachment
from casewell.providers.http import WebClient, WebLimits
from casewell.providers.targets import TargetGuard
from casewell.sms import media
from tests.sms.conftest import ACCOUNT, TOKEN

PNG = b"\x89PNG\r\n\x1a\n" + b"x" * 100


@pytest.fixture
def server():
    with HTTPServer(host="127.0.0.1") as running:
        yield running


@pytest.fixture
def runtime(runtime, server):
    guard = TargetGuard({f"127.0.0.1:{server.port}"})
    http = WebClient(guard, WebLimits(step=2.0, whole=3.0))
    url = f"http://127.0.0.1:{server.port}"
    settings = runtime.settings.model_copy(update={"twilio_url": url})
    return replace(runtime, settings=settings, providers={**runtime.providers, WebClient: http})


@pytest.fixture
def picture(comes, ana, runtime):
    """A text with a picture comes; returns how its attachment stands once that was fetched."""

    def came(url):
        comes("", NumMedia="1", MediaUrl0=url, MediaContentType0="text/html")
        sweep(runtime)
        with runtime.database.reading() as session:
            return session.scalars(sa.select(Attachment)).one()

    return came


def test_a_picture_is_fetched_with_our_credentials_and_sniffed(picture, server, runtime):
    server.expect_request("/Media/ME1").respond_with_data(PNG, content_type="text/html")
    found = picture(server.url_for("/Media/ME1"))
    assert (found.content_type, found.shown_name, found.note) == ("image/png", "attachment.png", "")
    assert read_attachment(runtime, found) == PNG
    ((asked, _),) = server.log
    assert (asked.authorization.username, asked.authorization.password) == (ACCOUNT, TOKEN)


def test_it_is_fetched_once_however_often_the_job_runs(picture, server, runtime):
    server.expect_request("/Media/ME1").respond_with_data(PNG)
    picture(server.url_for("/Media/ME1"))
    sweep(runtime)
    media.fetch_media(runtime, 1)
    assert len(server.log) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x",
        "http://169.254.169.254/latest/meta-data",
        "https://api.twilio.com.example.net/Media",
        "file:///etc/passwd",
        "",
    ],
)
def test_H12_only_the_carriers_host_is_asked(picture, server, url):
    found = picture(url)
    assert found.file_key is None
    assert found.note == media.NOT_THE_CARRIERS
    assert not server.log


def test_H12_a_redirect_into_our_own_network_is_not_followed(picture, server):
    server.expect_request("/Media/ME1").respond_with_data(
        status=307, headers={"Location": "http://127.0.0.1:1/x"}
    )
    assert picture(server.url_for("/Media/ME1")).note == media.NOT_FETCHED


def test_H12_what_is_too_large_is_not_kept(picture, server, monkeypatch):
    monkeypatch.setattr(media, "MOST_BYTES", 50)
    server.expect_request("/Media/ME1").respond_with_data(PNG)
    found = picture(server.url_for("/Media/ME1"))
    assert (found.file_key, found.note) == (None, media.NOT_FETCHED)


def test_what_is_not_there_yet_is_asked_for_again(picture, server, runtime, clock):
    server.expect_oneshot_request("/Media/ME1").respond_with_data(status=503)
    server.expect_request("/Media/ME1").respond_with_data(PNG)
    assert picture(server.url_for("/Media/ME1")).file_key is None
    clock.move(hours=1)
    sweep(runtime)
    with runtime.database.reading() as session:
        assert session.scalars(sa.select(Attachment)).one().file_key is not None
