"""The characters of a text that people see: what is hidden in one may be there to deceive."""

import unicodedata

# It joins the parts of one picture, such as a family.
JOINER = "\N{ZERO WIDTH JOINER}"


def readable(text: str) -> str:
    """Return a text without control and other invisible characters, each space a plain one."""
    return "".join(_shown(character) for character in text)


def _shown(character: str) -> str:
    if character in ("\n", JOINER) or character.isprintable():
        return character
    return " " if character == "\t" or unicodedata.category(character) == "Zs" else ""
