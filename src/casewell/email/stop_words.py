"""Whether somebody asks by mail not to be written to any more (15 U.S.C. 7704(a)(3))."""

import re

# A request is short; in a long mail "stop" is about something else.
LONGEST_REQUEST = 400
REQUEST = re.compile(
    r"(?i)\b(unsubscribe|opt[\s-]?out|remove me|take me off|stop (e-?mailing|writing|contacting|"
    r"sending)|do not (e-?mail|contact|write)|don'?t (e-?mail|contact|write)|no more e-?mails?)\b"
    r"|^\s*(stop|stopall|quit|end|revoke|cancel)\s*[.!]*\s*$"
)


def asks_to_stop(reply_text: str) -> bool:
    """Return whether the new words of a mail ask for no more mail; a person decides."""
    text = reply_text.strip()
    return len(text) <= LONGEST_REQUEST and REQUEST.search(text) is not None
