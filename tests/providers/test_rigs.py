"""The rigs themselves: a test that trusts a broken rig proves nothing."""

from __future__ import annotations

import psycopg
from sqlalchemy import make_url


def test_mail_sent_by_smtp_is_read_by_imap(mail_world):
    ana = mail_world.user("ana@example.com")
    mail_world.send("office@firm.example", "ana+thread@example.com", b"Subject: Hello\r\n\r\nHi")
    (raw,) = mail_world.mails(ana)
    assert b"Subject: Hello" in raw
    assert raw.startswith(b"Return-Path: <office@firm.example>")


def test_a_postgres_database_can_be_cloned(postgres):
    template = postgres.create()
    with psycopg.connect(_for_psycopg(template), autocommit=True) as connection:
        connection.execute("CREATE TABLE facts (id int)")
    copy = postgres.clone(template)
    with psycopg.connect(_for_psycopg(copy), autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM facts").fetchone() == (0,)
        postgres.drop(copy)  # although somebody is connected


def _for_psycopg(url):
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
