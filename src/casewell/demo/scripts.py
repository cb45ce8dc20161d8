"""What is said between the demo firm and its clients: short scenes of a credit-dispute practice.

They stand in scenes.txt. "C" speaks for the client, "S" for the responsible person, each with the
channel; what stands before a bar is the subject; `{...}` is filled from client and moment.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files

HEAD = re.compile(r"^([CS]) (email|sms|portal|call): ", re.MULTILINE)


@dataclass(frozen=True)
class Line:
    by_client: bool
    channel: str
    subject: str
    text: str


def _scenes() -> tuple[tuple[Line, ...], ...]:
    text = files(__package__).joinpath("scenes.txt").read_text("utf-8")
    return tuple(tuple(_lines(scene)) for scene in text.split("===="))


def _lines(scene: str) -> Iterator[Line]:
    _, *parts = HEAD.split(scene)
    for who, channel, words in zip(parts[::3], parts[1::3], parts[2::3], strict=True):
        subject, bar, rest = words.partition(" | ")
        yield Line(
            by_client=who == "C",
            channel=channel,
            subject=subject.strip() if bar else "",
            text=(rest if bar else words).strip(),
        )


SCENES = _scenes()

BUREAUS = ("Equifax", "Experian", "TransUnion")
FURNISHERS = (
    "Northline Recovery",
    "Bayside Card Services",
    "Summit Auto Finance",
    "Tri-County Gas",
)
ITEMS = ("medical collection", "charged-off card", "auto loan", "late payments of last spring")
CITIES = ("Tulsa", "Fresno", "Albany", "Macon")
FILES = {
    "Reports attached": ("credit-reports.pdf",),
    "First page of the lease": ("lease-page-1.pdf",),
    "Bill and signed form": ("utility-bill.pdf", "authorization-signed.pdf"),
    "Here are the pages": ("letter-page-1.pdf",),
}
