"""What a verifier concludes, in words: what is proven, by whom, when; and what is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from tidewaiter.custody.discrepancy import Discrepancy


class Conclusion(StrEnum):
    """The four ends that a verification can have."""

    PROVEN = "proven"
    CONTRADICTED = "contradicted"
    CANNOT_TELL = "cannot-tell"
    NOT_A_BUNDLE = "not-a-bundle"


EXIT_CODES = {
    Conclusion.PROVEN: 0,
    Conclusion.NOT_A_BUNDLE: 2,
    Conclusion.CANNOT_TELL: 3,
    Conclusion.CONTRADICTED: 4,
}
"""What the program ends with; 4 also where a part of the bundle does not parse."""

_HEADLINES = {
    Conclusion.PROVEN: "PROVEN: what is listed first holds, and nothing handed in contradicts it.",
    Conclusion.NOT_A_BUNDLE: "NOT A BUNDLE: there is nothing here that could be verified.",
    Conclusion.CANNOT_TELL: "CANNOT TELL: something that is needed for a proof is missing.",
    Conclusion.CONTRADICTED: "CONTRADICTED: something here is not what was logged.",
}
_LONGEST_SHOWN = 200
# Beyond what a verdict has to say; a foreign word in it may be as long as a note.
_LONGEST_SENTENCE = 2000
_LARGEST_TIME_MS = 253_402_300_799_999  # the end of the year 9999


@dataclass(frozen=True)
class Verdict:
    """The conclusion of a verification and the sentences it rests on."""

    conclusion: Conclusion
    proven: tuple[str, ...] = ()
    not_proven: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    contradictions: tuple[Discrepancy, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 proven, 4 contradicted or unreadable, 3 cannot tell, 2 not a bundle."""
        return EXIT_CODES[self.conclusion]

    def words(self) -> str:
        """The verdict as plain text, for a screen or a file."""
        contradictions = tuple(f"{one.name}: {one.text}" for one in self.contradictions)
        parts = (
            ("Contradicted", contradictions),
            ("Proven", self.proven),
            ("Missing", self.missing),
            ("Not proven", self.not_proven),
        )
        lines = [_HEADLINES[self.conclusion]]
        for title, sentences in parts:
            if sentences:
                lines += ["", title, *(f"  - {sentence}" for sentence in sentences)]
        return "\n".join(lines) + "\n"


@dataclass
class Notebook:
    """Sentences gathered while verifying; each only once."""

    proven: list[str] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    contradictions: list[Discrepancy] = field(default_factory=list)

    def contradict(self, name: str, text: str, index: int | None = None) -> None:
        """Note that something is not what was logged."""
        self.contradictions.append(Discrepancy(name, text, index, index))

    def verdict(self) -> Verdict:
        """What follows: a contradiction beats a gap, and a gap beats a proof."""
        conclusion = Conclusion.PROVEN
        if self.missing or not self.proven:
            conclusion = Conclusion.CANNOT_TELL
        if self.contradictions:
            conclusion = Conclusion.CONTRADICTED
        return Verdict(
            conclusion,
            _on_one_line(self.proven),
            _on_one_line(self.not_proven),
            _on_one_line(self.missing),
            tuple(
                replace(one, text=one_line(one.text)) for one in dict.fromkeys(self.contradictions)
            ),
        )


def shown_time(time_ms: int) -> str:
    """POSIX milliseconds as a date and time in UTC; the bare number beyond the calendar."""
    if not 0 <= time_ms <= _LARGEST_TIME_MS:
        return f"{time_ms} ms after 1970"
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def shown_text(text: str) -> str:
    """A foreign text as it may be printed: no control characters, not too long."""
    return one_line(text, _LONGEST_SHOWN)


def one_line(text: str, longest: int = _LONGEST_SENTENCE) -> str:
    """A sentence that may hold foreign words: nothing in it ends a line or turns its direction."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text[:longest])
    return clean if len(text) <= longest else f"{clean}…"


def _on_one_line(sentences: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(sentence) for sentence in dict.fromkeys(sentences))
