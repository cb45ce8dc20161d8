"""How a mail travels between the process that fetched it and the child that reads it.

Each message is 8 bytes of length and then the content: raw bytes on the way in, JSON on the way
out. The child has read hostile bytes: its answer is validated, never unpickled.
"""

import struct
from dataclasses import dataclass

from pydantic import ConfigDict, TypeAdapter, ValidationError

from casewell.email.parsed import Limits, ParsedMail

LENGTH = struct.Struct(">Q")


@dataclass(frozen=True, slots=True)
class Answer:
    """Either the mail, or why there is none."""

    __pydantic_config__ = ConfigDict(ser_json_bytes="base64", val_json_bytes="base64")

    mail: ParsedMail | None = None
    unreadable: str = ""


ANSWERS = TypeAdapter(Answer)
LIMITS = TypeAdapter(Limits)


def framed(content: bytes) -> bytes:
    return LENGTH.pack(len(content)) + content


def read_answer(content: bytes) -> Answer | None:
    """Return what the child said, None where it is no answer at all."""
    try:
        return ANSWERS.validate_json(content)
    except ValidationError:
        return None
