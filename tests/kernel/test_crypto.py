"""Encrypted values open with their key at their place, or not at all."""

import pytest

from casewell.kernel.crypto import CannotDecrypt, Keyring, derive_key, new_encryption_key
from casewell.kernel.types import Sealed

OLD, NEW = (Keyring.parse(new_encryption_key(name)).keys for name in ("old", "new"))


def test_O07_an_older_key_still_opens_and_the_first_encrypts():
    sealed = Keyring(OLD).encrypt("912-45-6789", "clients.ssn")
    both = Keyring({**NEW, **OLD})
    assert both.decrypt(sealed, "clients.ssn") == "912-45-6789"
    assert both.encrypt("x", "clients.ssn").startswith("new:")


def test_O07_without_its_key_a_value_stays_closed():
    sealed = Keyring(OLD).encrypt("912-45-6789", "clients.ssn")
    with pytest.raises(CannotDecrypt):
        Keyring(NEW).decrypt(sealed, "clients.ssn")


def test_L05_a_value_moved_to_another_column_stays_closed():
    sealed = Keyring(OLD).encrypt("912-45-6789", "clients.ssn")
    with pytest.raises(CannotDecrypt):
        Keyring(OLD).decrypt(sealed, "staff.totp_secret")


@pytest.mark.parametrize("stored", ["912-45-6789", "", "old:", "old:!!!", "old:AAAA"])
def test_L05_what_is_no_ciphertext_is_never_taken_for_text(stored):
    with pytest.raises(CannotDecrypt):
        Keyring(OLD).decrypt(stored, "clients.ssn")


@pytest.mark.parametrize("keys", ["", "k1", "k1:", "k1:c2hvcnQ=", ":AAAA", "k1:not base64"])
def test_O07_keys_that_are_none_are_refused(keys):
    with pytest.raises(ValueError, match="encryption key"):
        Keyring.parse(keys)


def test_each_purpose_has_a_key_of_its_own():
    assert derive_key("secret", "cursor") != derive_key("secret", "reply-address")


def test_a_sealed_value_refuses_another_column(runtime):
    from casewell.clients.models import Client

    kind = Client.__table__.c.ssn.type
    with pytest.raises(ValueError, match="another column"):
        kind.process_bind_param(Sealed.seal("1", "staff.totp_secret"), None)
