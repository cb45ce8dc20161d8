"""Fixtures of the whole suite. Real servers at the wire are rigs, each in its module."""

from __future__ import annotations

# A rig that builds on others comes after them: pytest must load each before it is imported.
pytest_plugins = [
    "tests.rigs.dovecot",
    "tests.rigs.postgres",
    "tests.rigs.scripted",
    "tests.rigs.smtp_server",
    "tests.rigs.mail_world",
    "tests.rigs.installation",
    "tests.rigs.mail_in",
    "tests.rigs.mails",
]
