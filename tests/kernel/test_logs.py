"""A log line is one line, short, and holds no secret."""

import json
import logging

import pytest
import structlog

from casewell.kernel.logs import start_logging


@pytest.fixture
def lines(capsys):
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield lambda: capsys.readouterr().err.splitlines()
    root.handlers[:], root.level = before
    structlog.reset_defaults()


@pytest.mark.parametrize("form", ["console", "json"])
def test_O03_a_value_can_not_forge_a_line(lines, form):
    start_logging(form, "info")
    name = "x\n2026-11-23 INFO admin logged in\r\u2028\x1b[31m"
    structlog.get_logger().info("client_created", name=name)
    (line,) = lines()
    assert "admin logged in" in line
    assert "\x1b[31m2026" not in line
    assert "\u2028" not in line


def test_O03_a_long_value_is_cut(lines):
    start_logging("json", "info")
    structlog.get_logger().info("mail", subject="x" * 1_000_000)
    (line,) = lines()
    assert len(line) < 5_000
    assert "1000000 characters" in line


def test_secrets_are_hidden_by_their_names(lines):
    start_logging("json", "info")
    structlog.get_logger().info("sign_in", password="hunter2", api_token="abc", ssn="912456789")
    (line,) = lines()
    told = json.loads(line)
    assert {told["password"], told["api_token"], told["ssn"]} == {"[hidden]"}


@pytest.mark.parametrize("form", ["console", "json"])
def test_R6_a_traceback_is_logged_without_its_variables(lines, form):
    start_logging(form, "info")

    def fail(secret):
        raise ValueError("no")

    try:
        fail("very-secret-value")
    except ValueError:
        structlog.get_logger().exception("failed")
    text = "\n".join(lines())
    assert "ValueError" in text
    assert "very-secret-value" not in text.replace('fail("very-secret-value")', "")
