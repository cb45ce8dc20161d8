"""Texts by Twilio, at the wire and by its own description; and the twin that keeps them."""

from __future__ import annotations

import copy
import re
from datetime import timedelta

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
