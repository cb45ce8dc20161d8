"""Texts by Twilio, at the wire and by its own description; and the twin that keeps them."""

from __future__ import annotations

import copy
import re
from datetime import UTC, date, datetime, timedelta

import pytest
import yaml
from openapi_schema_validator import OAS30Validator
from pytest_httpserver import HTTPServer

from casewell.providers.errors import Rejected, SignInRefused, Unavailable, Unconfirmed
from casewell.providers.http import WebClient, WebLimits
from casewell.providers.sms import NoSMS, NumberFault, NumberRefused
from casewell.providers.sms.console import ConsoleSMS
from casewell.providers.sms.twilio import TwilioSender
from casewell.providers.targets import TargetGuard

ACCOUNT = "AC" + "0" * 32
SERVICE = "MG" + "1" * 32
PATH = f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
TO = "+13125550148"
REPORTS = "https://crm.example.org/hooks/twilio/status"


@pytest.fixture
def server():
    with HTTPServer(host="127.0.0.1") as running:
        yield running


@pytest.fixture
def twilio(server):
    def made(sender="+13125550100"):
        guard = TargetGuard({f"127.0.0.1:{server.port}"})
        http = WebClient(guard, WebLimits(step=2.0, whole=3.0))
        return TwilioSender(http, f"http://127.0.0.1:{server.port}", ACCOUNT, "token", sender)

    return made


@pytest.fixture(scope="module")
def description(shared):
    path = shared / "contracts" / "specs" / "twilio_api_v2010.strict.yaml"
    if not path.is_file():
        pytest.skip("Twilio's description is not beside this checkout")
    return yaml.safe_load(path.read_text())


def form_schema(description):
    """Return what a request to send a text must look like, its references filled in."""
    schemas = description["components"]["schemas"]

    def filled(node):
        if isinstance(node, dict):
            if "$ref" in node:
                return filled(schemas[node["$ref"].rpartition("/")[2]])
            return {key: filled(value) for key, value in node.items()}
        return [filled(one) for one in node] if isinstance(node, list) else node

    path = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
    body = description["paths"][path]["post"]["requestBody"]
    content = body["content"]["application/x-www-form-urlencoded"]
    return filled(copy.deepcopy(content["schema"]))


@pytest.mark.parametrize("sender", ["+13125550100", SERVICE])
@pytest.mark.parametrize("body", ["Your letter came.", "Ana 👋 a+b & c=d 100%", "x" * 1600])
def test_a_request_is_what_twilio_describes(twilio, server, description, sender, body):
    server.expect_request(PATH, method="POST").respond_with_json({"sid": "SM1"}, status=201)
    sent = twilio(sender).send(TO, body, report_to=REPORTS)
    assert sent.provider_id == "SM1"
    ((asked, _),) = server.log
    assert asked.authorization.username == ACCOUNT
    assert asked.authorization.password == "token"
    assert asked.mimetype == "application/x-www-form-urlencoded"
    form = asked.form.to_dict()
    assert form["Body"] == body
    schema = form_schema(description)
    assert set(form) <= set(schema["properties"])
    assert not list(OAS30Validator(schema).iter_errors(form))


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, 21602, Rejected),
        (401, 20003, SignInRefused),
        (403, 20003, SignInRefused),
        (404, 20404, Rejected),
        (429, 20429, Unavailable),
        (500, None, Unconfirmed),
        (503, 20503, Unconfirmed),
    ],
)
def test_an_answer_says_what_may_be_done_next(twilio, server, status, code, error):
    told = {"code": code, "message": "No", "status": status}
    server.expect_request(PATH).respond_with_json(told, status=status)
    with pytest.raises(error):
        twilio().send(TO, "Hello")


@pytest.mark.parametrize(
    ("code", "fault"),
    [
        (21610, NumberFault.OPTED_OUT),
        (21614, NumberFault.NOT_MOBILE),
        (30006, NumberFault.NOT_MOBILE),
        (21211, NumberFault.UNKNOWN),
    ],
)
def test_a_number_at_fault_is_named(twilio, server, code, fault):
    server.expect_request(PATH).respond_with_json({"code": code, "message": "No"}, status=400)
    with pytest.raises(NumberRefused) as refused:
        twilio().send(TO, "Hello")
    assert refused.value.fault is fault


def test_Q07_twilio_is_given_the_time_it_asks_for(twilio, server):
    server.expect_request(PATH).respond_with_data(
        "slow down", status=429, headers={"Retry-After": "3600"}
    )
    with pytest.raises(Unavailable) as away:
        twilio().send(TO, "Hello")
    assert away.value.retry_after == timedelta(hours=1)


@pytest.mark.parametrize("answer", ["", "<html>", "[]", '{"sid": null}', '{"sid": 7}'])
def test_an_answer_without_a_name_for_the_text_leaves_doubt(twilio, server, answer):
    server.expect_request(PATH).respond_with_data(answer, status=201)
    with pytest.raises(Unconfirmed):
        twilio().send(TO, "Hello")


def test_nothing_is_asked_where_the_text_was_taken_back(twilio, server):
    def taken_back():
        raise RuntimeError

    with pytest.raises(RuntimeError):
        twilio().send(TO, "Hello", on_handover=taken_back)
    assert not server.log


def test_a_server_that_is_away_took_nothing(twilio, server):
    sender = twilio()
    server.stop()
    with pytest.raises(Unavailable):
        sender.send(TO, "Hello")


def test_checking_asks_with_the_credentials_and_sends_nothing(twilio, server):
    server.expect_request(PATH, method="GET").respond_with_json({"messages": []})
    twilio().check()
    server.clear()
    server.expect_request(PATH, method="GET").respond_with_json({"code": 20003}, status=401)
    with pytest.raises(SignInRefused):
        twilio().check()


def test_the_token_is_in_no_representation(twilio):
    assert "token" not in repr(twilio()).replace("auth_token", "")


def test_the_twin_keeps_texts_newest_first(tmp_path):
    twin = ConsoleSMS(tmp_path / "outbox" / "texts.jsonl")
    assert twin.texts() == []
    twin.check()
    first, second = twin.send(TO, "One\nand two"), twin.send(TO, "👋")
    assert [(one.id, one.body) for one in twin.texts()] == [
        (second.provider_id, "👋"),
        (first.provider_id, "One\nand two"),
    ]
    assert re.fullmatch("SM[0-9a-f]{32}", first.provider_id)


def test_sms_that_is_not_set_up_sends_nothing():
    with pytest.raises(Rejected):
        NoSMS().send(TO, "Hello")


LISTED = {
    "sid": "SM" + "a" * 32,
    "direction": "inbound",
    "from": TO,
    "to": "+13125550100",
    "body": "Did it come?",
    "date_sent": "Thu, 24 Aug 2023 05:01:45 +0000",
    "status": "received",
    "error_code": None,
    "num_segments": "2",
    "num_media": "1",
}


def test_the_list_is_asked_for_as_twilio_describes_and_read_on(twilio, server, description):
    on = f"{PATH}?PageSize=100&Page=1&PageToken=PA{LISTED['sid']}"
    first = {"messages": [LISTED], "next_page_uri": on}
    left = {**LISTED, "sid": "SM2", "direction": "outbound-api", "status": "undelivered"}
    left |= {"error_code": 30006, "num_segments": None, "date_sent": None}
    server.expect_ordered_request(PATH).respond_with_json(first)
    server.expect_ordered_request(PATH).respond_with_json(
        {"messages": [left, {"sid": None}, "x"], "next_page_uri": None}
    )
    sender = twilio()
    page = sender.list_texts(date(2023, 8, 22))
    (text,) = page.texts
    assert (text.is_inbound, text.sender, text.body) == (True, TO, "Did it come?")
    assert text.at == datetime(2023, 8, 24, 5, 1, 45, tzinfo=UTC)
    assert (text.segments, text.files) == (2, 1)
    rest = sender.list_texts(date(2023, 8, 22), page.next)
    (other,) = rest.texts
    assert (other.is_inbound, other.status, other.error_code) == (False, "undelivered", 30006)
    assert (other.at, other.segments, rest.next) == (None, 1, "")
    asked = [request.args.to_dict() for request, _ in server.log]
    assert asked[0] == {"DateSent>": "2023-08-22", "PageSize": "100"}
    assert asked[1]["PageToken"] == f"PA{LISTED['sid']}"
    path = "/2010-04-01/Accounts/{AccountSid}/Messages.json"
    described = {one["name"] for one in description["paths"][path]["get"]["parameters"]}
    assert set(asked[0]) | set(asked[1]) <= described


@pytest.mark.parametrize(
    "uri",
    ["https://evil.example/x", "//evil.example/x", "/2010-04-01/Accounts/ACother/Messages.json", 7],
)
def test_J01_the_list_leads_nowhere_else(twilio, server, uri):
    server.expect_request(PATH).respond_with_json({"messages": [], "next_page_uri": uri})
    assert twilio().list_texts(date(2023, 8, 22)).next == ""


def test_the_files_of_a_text_are_listed_with_where_they_are(twilio, server):
    base = f"/2010-04-01/Accounts/{ACCOUNT}/Messages/SM1/Media"
    listed = [
        {"uri": f"{base}/ME1.json", "content_type": "image/jpeg"},
        {"uri": "https://evil.example/ME2.json", "content_type": "image/jpeg"},
    ]
    server.expect_request(f"{base}.json").respond_with_json({"media_list": listed})
    (file,) = twilio().files_of("SM1")
    assert file.url == f"http://127.0.0.1:{server.port}{base}/ME1"
    assert file.content_type == "image/jpeg"


@pytest.mark.parametrize(
    ("status", "error"), [(401, SignInRefused), (429, Unavailable), (500, Unavailable)]
)
def test_a_list_that_is_refused_says_why(twilio, server, status, error):
    server.expect_request(PATH).respond_with_json({"code": 1, "message": "No"}, status=status)
    with pytest.raises(error):
        twilio().list_texts(date(2023, 8, 22))


def test_an_answer_that_is_no_list_is_refused(twilio, server):
    server.expect_request(PATH).respond_with_data("<html>", content_type="text/html")
    with pytest.raises(Unavailable):
        twilio().list_texts(date(2023, 8, 22))
