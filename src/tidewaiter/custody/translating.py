"""A verdict in another language than English, made from the English one.

What is decided does not depend on it: finished sentences are looked up, and what is not in the
table, such as the details of a format, stays English and says so.
"""

from __future__ import annotations

import re
from functools import cache

from tidewaiter.custody.discrepancy import NAMES
from tidewaiter.custody.findings_french import FRENCH_FINDINGS
from tidewaiter.custody.verdict import Verdict
from tidewaiter.custody.verdict_french import (
    FRENCH_HEADLINES,
    FRENCH_SENTENCES,
    FRENCH_TITLES,
    FRENCH_WORDS,
)

VERDICT_LANGUAGES = ("en", "fr")
NOT_TRANSLATED = "(en anglais) "
_PART = re.compile(r"(\{\w+[*#@]?\}|<\w+[,;]?>)")
_MATCHES = {
    "*": r"(.*?)",
    "#": r"([-+]?\d+(?:\.\d+)?)",
    "@": r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|-?\d+ ms after 1970)",
}


def words_in(verdict: Verdict, language: str) -> str:
    """The verdict as plain text in one of `VERDICT_LANGUAGES`."""
    if language != "fr":
        return verdict.words()
    lines = []
    for line in verdict.words().removesuffix("\n").split("\n"):
        if line.startswith("  - "):
            lines.append(f"  - {_sentence(line[4:])}")
        else:
            lines.append(FRENCH_TITLES.get(line, line))
    return "\n".join([FRENCH_HEADLINES[verdict.conclusion], *lines[1:]]) + "\n"


def _sentence(text: str) -> str:
    """A whole sentence; before it may stand the name of a finding, and that of a file."""
    name, colon, rest = text.partition(": ")
    if colon and name in NAMES:
        return f"{name} : {_sentence(rest)}"
    told = _in_french(text)
    if colon and told.startswith(NOT_TRANSLATED):
        return f"{name} : {_in_french(rest)}"
    return told


def _in_french(text: str) -> str:
    """One sentence, or part of one; marked where the table does not have it."""
    if text in FRENCH_WORDS:
        return FRENCH_WORDS[text]
    for pattern, names, french in _patterns():
        found = pattern.fullmatch(text)
        if found:
            values = dict(zip(names, found.groups(), strict=True))
            pieces = enumerate(_PART.split(french))
            return "".join(_value(one, values) if at % 2 else one for at, one in pieces)
    return f"{NOT_TRANSLATED}{text}"


def _value(part: str, values: dict[str, str]) -> str:
    value = values[part]
    if part.startswith("{") or not value:
        return value
    if part[-2] not in ",;":
        return _in_french(value)
    separator = f"{part[-2]} "
    return separator.join(_listed_one(one) for one in value.split(separator))


def _listed_one(text: str) -> str:
    """An item of a list, which may be a bare name."""
    return text if " " not in text and text not in FRENCH_WORDS else _in_french(text)


@cache
def _patterns() -> list[tuple[re.Pattern[str], list[str], str]]:
    """Patterns of all sentences, those with most words of their own first."""
    table = FRENCH_SENTENCES | FRENCH_FINDINGS
    ordered = sorted(table, key=lambda english: -len(_PART.sub("", english)))
    return [_pattern(english, table[english]) for english in ordered]


def _pattern(english: str, french: str) -> tuple[re.Pattern[str], list[str], str]:
    pieces = _PART.split(english)
    spelled = [_matching(piece) if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)]
    return re.compile("".join(spelled), re.DOTALL), pieces[1::2], french


def _matching(part: str) -> str:
    return r"(.*?)" if part.startswith("<") else _MATCHES.get(part[-2], r"(\S+?)")
