import pytest
from argon2 import PasswordHasher

from casewell.staff.errors import WeakPassword
from casewell.staff.passwords import check_strength, hash_password, is_outdated, verify

ANA = {"email": "ana.ruiz@firm.example", "name": "Ana Ruiz", "firm": "Harbor Law Group"}


@pytest.mark.parametrize(
    "password",
    [
        "correct horse battery staple",
        "kite otter mango lamp",
        "жук сидит на крыше",
        "ana feeds eleven badgers",
        "the winter password is on the roof of the boat",
    ],
)
def test_length_is_what_counts(password):
    check_strength(password, **ANA)


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "x" * 257,
        "aaaaaaaaaaaaaa",
        "abcdefghijklmn",
        "987654321987",
        "abcabcabcabcabc",
        "Password1234",
        "P@ssw0rd2024!",
        "qwertyuiop123",
        "Welcome2026!!",
        "iloveyou1234",
        "ana.ruiz2026",
        "AnaRuizAnaRuiz",
        "Harbor Law Group",
        "firm.example1",
    ],
)
def test_what_is_guessed_first_is_refused(password):
    with pytest.raises(WeakPassword) as refused:
        check_strength(password, **ANA)
    assert refused.value.fields["password"]


def test_only_the_right_password_fits_its_hash():
    stored = hash_password("correct horse battery staple")
    assert verify(stored, "correct horse battery staple")
    assert not verify(stored, "correct horse battery stable")
    assert not verify(None, "no account has this password")
    assert not verify("not a hash", "anything at all")


def test_one_letter_composed_in_two_ways_is_one_password():
    assert verify(hash_password("cafe\u0301 an der Ecke"), "caf\u00e9 an der Ecke")


def test_a_hash_of_weaker_parameters_is_outdated():
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x")
    assert is_outdated(weak)
    assert not is_outdated(hash_password("x"))
