"""The index of a folder of reports: one row per exhibit, errors among them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import quote

from tidewaiter.messages import SOURCE_LANGUAGE
from tidewaiter.report import words
from tidewaiter.report.page import TONES
from tidewaiter.report.rendering import rendered, style_sheet
from tidewaiter.vocabulary import MediaKind, Proposition, Verdict


@dataclass(frozen=True)
class Row:
    """One exhibit: where its report lies beside the index, or the error instead of one."""

    name: str
    href: str | None = None
    sha256: str | None = None
    kind: MediaKind | None = None
    verdicts: Mapping[Proposition, Verdict] = field(default_factory=dict)
    facts: Sequence[str] = ()
    error: str | None = None


def index_page(rows: Sequence[Row], language: str = SOURCE_LANGUAGE) -> str:
    """The page; rows stay in their order. Links stay inside the folder of the index.

    Raises ConfigurationError for a language without a catalogue.
    """
    context = {
        "rows": rows,
        "link": _link,
        "counts": _counts(rows),
        "kinds": words.KINDS,
        "propositions": words.PROPOSITIONS,
        "verdicts": words.VERDICTS,
        "tones": TONES,
    }
    return rendered("index.html.j2", language, style_sheet(), context)


def _link(href: str) -> str:
    """A relative link: the colon of a scheme and leading slashes do not survive."""
    return "./" + quote(href.encode("utf-8", "surrogateescape").lstrip(b"/"), safe="/")


def _counts(rows: Sequence[Row]) -> dict[str, int]:
    """How many exhibits at least one opinion speaks against, how many none, how many errors."""
    tally = Counter(
        "errors"
        if row.error is not None
        else "manipulated"
        if Verdict.SUPPORTS_MANIPULATED in row.verdicts.values()
        else "others"
        for row in rows
    )
    return {key: tally[key] for key in ("manipulated", "others", "errors")}
