"""An installation starts as it is configured, or says in a sentence what to change."""

import pytest

from casewell.kernel.crypto import new_encryption_key
from casewell.kernel.settings import SettingsError, load_settings

GOOD = {
    "CASEWELL_SECRET_KEY": "a-key-for-tests-only-0123456789-abcdefghijklmnop",
    "CASEWELL_ENCRYPTION_KEYS": new_encryption_key(),
}


def test_A20_without_a_secret_key_nothing_starts(tmp_path):
    with pytest.raises(SettingsError, match=r"CASEWELL_SECRET_KEY is not set.*casewell init"):
        load_settings({"CASEWELL_HOME": str(tmp_path)})


@pytest.mark.parametrize("key", ["12345678", "changeme" * 5, "a" * 64])
def test_A20_a_short_or_default_key_is_refused(tmp_path, key):
    with pytest.raises(SettingsError, match="CASEWELL_SECRET_KEY") as refusal:
        load_settings({"CASEWELL_HOME": str(tmp_path), **GOOD, "CASEWELL_SECRET_KEY": key})
    assert key not in str(refusal.value)


def test_a_value_may_stand_in_a_file(tmp_path):
    (tmp_path / "smtp").write_text("  s3cret\n")
    settings = load_settings(
        {
            "CASEWELL_HOME": str(tmp_path),
            **GOOD,
            "CASEWELL_SMTP_PASSWORD_FILE": str(tmp_path / "smtp"),
        }
    )
    assert settings.smtp_password == "s3cret"
    assert "s3cret" not in repr(settings)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SettingsError, match="CASEWELL_SMTP_PASSWORD_FILE can't be read"):
        load_settings(
            {
                "CASEWELL_HOME": str(tmp_path),
                **GOOD,
                "CASEWELL_SMTP_PASSWORD_FILE": str(tmp_path / "x"),
            }
        )


def test_the_environment_beats_the_file_in_the_home(tmp_path):
    lines = [f"{name}={value}" for name, value in GOOD.items()]
    (tmp_path / "casewell.env").write_text("\n".join(["# ours", *lines, "CASEWELL_PORT=9000"]))
    assert load_settings({"CASEWELL_HOME": str(tmp_path)}).port == 9000
    given = {"CASEWELL_HOME": str(tmp_path), "CASEWELL_PORT": "9001"}
    assert load_settings(given).port == 9001


def test_plain_smtp_is_for_this_machine_alone(tmp_path):
    given = {"CASEWELL_HOME": str(tmp_path), **GOOD, "CASEWELL_SMTP_SECURITY": "plain"}
    assert load_settings({**given, "CASEWELL_SMTP_HOST": "127.0.0.1"}).smtp_security == "plain"
    with pytest.raises(SettingsError, match="only for a server on this machine"):
        load_settings({**given, "CASEWELL_SMTP_HOST": "smtp.firm.example"})


def test_a_line_that_is_no_setting_is_told_with_its_number(tmp_path):
    (tmp_path / "casewell.env").write_text("CASEWELL_PORT=1\nnonsense\n")
    with pytest.raises(SettingsError, match="line 2"):
        load_settings({"CASEWELL_HOME": str(tmp_path)})
