"""Phone numbers: E.164 for machines, as typed for people."""

from collections.abc import Collection
from dataclasses import dataclass

import phonenumbers

HOME_COUNTRY = "US"
TYPED_CHARS = 40
# Premium numbers cost, and the others never are a person's telephone.
NEVER_TEXTED = frozenset(
    {
        phonenumbers.PhoneNumberType.PREMIUM_RATE,
        phonenumbers.PhoneNumberType.SHARED_COST,
        phonenumbers.PhoneNumberType.TOLL_FREE,
        phonenumbers.PhoneNumberType.UAN,
        phonenumbers.PhoneNumberType.VOICEMAIL,
        phonenumbers.PhoneNumberType.UNKNOWN,
    }
)


class NoPhoneNumber(ValueError):
    """The text is not a number that can be called from here."""


@dataclass(frozen=True)
class Phone:
    """A number in E.164, and what somebody typed, which may hold an extension."""

    e164: str
    as_typed: str


def read_phone(text: str) -> Phone:
    """Read a number; one without a country belongs to the US. Raises NoPhoneNumber."""
    typed = " ".join(text.split())
    try:
        number = phonenumbers.parse(typed, HOME_COUNTRY)
    except phonenumbers.NumberParseException as error:
        raise NoPhoneNumber("is not a phone number") from error
    whole = phonenumbers.is_possible_number_with_reason(number)
    if whole == phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY:
        raise NoPhoneNumber("needs its area code")
    if whole != phonenumbers.ValidationResult.IS_POSSIBLE:
        raise NoPhoneNumber("is not a phone number")
    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return Phone(e164, typed[:TYPED_CHARS])


def may_be_texted(e164: str, countries: Collection[str]) -> bool:
    """Whether a text may go to a number: in one of these countries, and not at a premium."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return False
    if phonenumbers.region_code_for_number(number) not in countries:
        return False
    return (
        phonenumbers.is_possible_number(number)
        and phonenumbers.number_type(number) not in NEVER_TEXTED
    )


def shown(e164: str) -> str:
    """Return "(312) 555-0148", and a number of another country with its code."""
    try:
        number = phonenumbers.parse(e164)
    except phonenumbers.NumberParseException:
        return e164
    home = phonenumbers.country_code_for_region(HOME_COUNTRY)
    style = phonenumbers.PhoneNumberFormat
    return phonenumbers.format_number(
        number, style.NATIONAL if number.country_code == home else style.INTERNATIONAL
    )
