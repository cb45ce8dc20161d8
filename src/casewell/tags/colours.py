"""The colours of tags: a palette, or any that can be told from the page in light and dark."""

import re

HUES = ("red", "orange", "yellow", "green", "teal", "blue", "violet", "pink")
# The surfaces that a tag stands on, and WCAG 2.2's least contrast of what is no text (1.4.11).
SURFACES = ("#ffffff", "#15181e")
LEAST_CONTRAST = 3.0


def check_colour(text: str) -> str:
    """Return a hue's name or a colour as #rrggbb. Raises ValueError where it is neither, or can't
    be told from the page."""
    colour = text.strip().lower()
    if colour in HUES:
        return colour
    if not re.fullmatch(r"#[0-9a-f]{6}", colour):
        raise ValueError(f"is not one of {', '.join(HUES)}, nor a colour such as #3b7dd8")
    for surface in SURFACES:
        if contrast(colour, surface) < LEAST_CONTRAST:
            lies = "dark" if surface == SURFACES[0] else "light"
            raise ValueError(f"can hardly be told from a {_other(lies)} page. Take a {lies}er one")
    return colour


def _other(lightness: str) -> str:
    return "light" if lightness == "dark" else "dark"


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of WCAG 2.2, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    return float(part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4)
