"""How many parts a text is sent in, which is what carriers bill."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
# Each of these takes two septets: an escape comes before it.
EXTENDED = frozenset("\f^{}\\[~]|€")
GSM7_ALONE, GSM7_PART = 160, 153
UCS2_ALONE, UCS2_PART = 70, 67


@dataclass(frozen=True)
class Segments:
    """`units` are septets (GSM-7) or 16-bit code units (UCS-2), `room` how many the parts hold.

    `odd` are the characters that made it UCS-2.
    """

    count: int
    encoding: str
    units: int
    room: int
    odd: str = ""


def segments(text: str) -> Segments:
    """Count the parts a carrier bills for `text`.

    One part holds 160 septets, or 153 in a longer text. A single character outside the GSM 7-bit
    alphabet, such as a curly quote, turns all of it into UCS-2: 70 code units, or 67. No
    character is cut in two by the end of a part.

    Source: 3GPP TS 23.038, section 6.2; 3GPP TS 23.040, section 9.2.3.24.
    Raises ValueError if `text` is empty: carriers refuse it.
    """
    if not text:
        raise ValueError("a text without content is not sent")
    odd = "".join(dict.fromkeys(c for c in text if c not in BASIC and c not in EXTENDED))
    if odd:
        return _counted(text, _code_units, "UCS-2", UCS2_ALONE, UCS2_PART, odd)
    return _counted(text, _septets, "GSM-7", GSM7_ALONE, GSM7_PART, "")


def _septets(character: str) -> int:
    return 2 if character in EXTENDED else 1


def _code_units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def _counted(
    text: str, width: Callable[[str], int], encoding: str, alone: int, part: int, odd: str
) -> Segments:
    widths = [width(character) for character in text]
    units = sum(widths)
    if units <= alone:
        return Segments(1, encoding, units, alone, odd)
    count = _parts(widths, part)
    return Segments(count, encoding, units, count * part, odd)


def _parts(widths: Iterable[int], part: int) -> int:
    count, filled = 1, 0
    for width in widths:
        if filled + width > part:
            count, filled = count + 1, 0
        filled += width
    return count
