"""Twilio's signatures: those it documents hold, and any that was altered is refused."""

from __future__ import annotations

import json

import pytest

from casewell.providers.sms.signature import is_signed, sign

URL = "https://crm.example.org/hooks/twilio/sms"
FIELDS = {"Body": ["Hello"], "From": ["+13125550148"], "ToCity": [""]}


@pytest.fixture(scope="module")
def vectors(shared):
    path = shared / "contracts" / "twilio_signature_vectors.json"
    if not path.is_file():
        pytest.skip("the vectors are not beside this checkout")
    told = json.loads(path.read_text())["valid"]
    # A shared key needs an account of its own, which Casewell does not ask for.
    return [one for one in told if one["algorithm"] == "HMAC_SHA1"]


def fields_of(vector):
    params = vector.get("params") or {}
    return {name: v if isinstance(v, list) else [v] for name, v in params.items()}


def test_documented_signatures_hold(vectors):
    assert len(vectors) >= 8
    for one in vectors:
        fields = {} if one["method"] == "GET" else fields_of(one)
        url, token = one.get("request_url", one["url"]), one["auth_token"]
        assert is_signed([token], url, fields, one["signature"]), one["name"]
        if "also_valid" in one:
            assert is_signed([token], url, fields, one["also_valid"]), one["name"]


def test_I01_altered_ones_are_refused(vectors):
    for one in vectors:
        fields = {} if one["method"] == "GET" else fields_of(one)
        url, token, given = one["url"], one["auth_token"], one["signature"]
        flipped = ("A" if given[0] != "A" else "B") + given[1:]
        assert not is_signed([token], url, fields, flipped)
        assert not is_signed([token + "x"], url, fields, given)
        assert not is_signed([token], url + "x", fields, given)
        assert not is_signed([token], url, {**fields, "New": ["1"]}, given)
        for name in fields:
            assert not is_signed([token], url, {**fields, name: ["altered"]}, given)
        if "app_sees" in one:
            assert not is_signed([token], one["app_sees"], fields, given)


@pytest.mark.parametrize("given", ["", "x", "é", "AAAA" * 7])
def test_I01_no_signature_is_none(given):
    assert not is_signed(["secret"], URL, FIELDS, given)


@pytest.mark.parametrize("tokens", [[], [""]])
def test_I01_without_a_token_nothing_is_signed(tokens):
    assert not is_signed(tokens, URL, FIELDS, sign("", URL, FIELDS))


def test_I09_both_tokens_hold_while_one_replaces_the_other():
    for token in ("old", "new"):
        assert is_signed(["new", "old"], URL, FIELDS, sign(token, URL, FIELDS))
