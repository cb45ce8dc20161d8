"""What a text asks for in a word: to stop, to start again, for help.

47 CFR 64.1200(a)(10): some words are enough by themselves, and any other wording counts that a
reasonable person reads as wanting no more texts. What could be meant otherwise is for a person.
"""

import re
import unicodedata
from enum import StrEnum


class Keyword(StrEnum):
    OUT = "out"
    IN = "in"
    # An answer like any other, unless its sender had opted out.
    YES = "yes"
    HELP = "help"
    # May ask to stop: a person reads it.
    REVIEW = "review"
    NONE = "none"


# Twilio knows these too, blocks the number by itself and confirms it.
CARRIER_WORDS = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit"})
OUT_WORDS = CARRIER_WORDS | {"revoke", "optout", "arret", "alto", "parar"}
IN_WORDS = frozenset({"start", "unstop", "optin"})
HELP_WORDS = frozenset({"help", "info"})
LONGEST_KEYWORD = 3  # words, as in "stop it please"
POLITE = frozenset({"please", "pls", "thanks", "now", "it", "all", "me"})

SIGNATURE = re.compile(r"\n\s*(?:sent from|get outlook|enviado desde)\b.*", re.DOTALL)
NOT = r"(?:don.?t|do not|never)"
ASKS_OUT = re.compile(
    r"\b(?:stop|quit|cease) (?:texting|messaging|contacting|writing|sending|bothering)\b"
    r"|\b(?:take|remove|drop) (?:me|my (?:number|phone)) (?:off|from)\b"
    r"|\bunsubscribe me\b|\bopt me out\b|\bopt(?:ing)?[- ]?out\b|\bno more (?:texts|messages)\b"
    rf"|\b{NOT} (?:text|message|contact) me\b|\brevoke (?:my )?consent\b"
    r"|\bno (?:me )?(?:manden|mande|envien|envie) mas\b"
)
KEEPS_ON = re.compile(rf"\b{NOT} (?:ever )?(?:stop|quit|cease)\b")
MAY_ASK_OUT = re.compile(
    r"\b(?:stop(?! by\b| in\b| at\b| over\b)|cancel|unsubscribe|revoke|quit)\b|\bno mas\b|\bbasta\b"
)


def keyword_of(text: str) -> Keyword:
    """Say what a text asks for, however it is typed."""
    plain = _plain(text)
    words = re.findall(r"[a-z0-9]+", plain)
    compact = "".join(words)
    alone = [word for word in words if word not in POLITE] or words
    single = compact if _is_one_word(words) else "".join(alone[:2])
    if len(words) <= LONGEST_KEYWORD or _is_one_word(words):
        for told in (compact, single):
            if told in OUT_WORDS:
                return Keyword.OUT
            if told in IN_WORDS:
                return Keyword.IN
            if told in HELP_WORDS:
                return Keyword.HELP
        if compact == "yes":
            return Keyword.YES
    line = " ".join(re.sub(r"[^a-z0-9'\-]+", " ", plain).split())
    if KEEPS_ON.search(line):
        return Keyword.REVIEW
    if ASKS_OUT.search(line):
        return Keyword.OUT
    return Keyword.REVIEW if MAY_ASK_OUT.search(line) else Keyword.NONE


def is_confirmed_by_carrier(text: str) -> bool:
    """Whether Twilio itself confirms such a text: the bare word, and nothing beside it."""
    return text.strip().casefold() in CARRIER_WORDS


def _plain(text: str) -> str:
    """Return a text in small letters without accents, invisible characters or signature."""
    folded = unicodedata.normalize("NFKD", text).casefold()
    seen = "".join(
        c for c in folded if unicodedata.category(c) not in ("Cf", "Mn") and c != "\N{SOFT HYPHEN}"
    )
    return SIGNATURE.sub("", seen).replace("’", "'")


def _is_one_word(words: list[str]) -> bool:
    """Whether a word was spelled letter by letter, as in S.T.O.P."""
    return len(words) > 1 and all(len(word) == 1 for word in words)
