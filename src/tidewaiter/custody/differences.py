"""What a comparison found: differences with their place in both recordings, and a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

KINDS = (
    "removed",
    "inserted",
    "repeated",
    "moved",
    "moved_away",
    "replaced",
    "frozen",
    "sped_up",
    "slowed",
    "reversed",
    "painted",
    "retimed",
    "sound_removed",
    "sound_inserted",
    "sound_replaced",
    "sound_muted",
    "sound_missing",
)
"""Every kind of difference, pictures before sound."""

MEASURES = (
    "identity",
    "picture_residual",
    "clock_residual",
    "sound_residual",
    "length_pictures",
    "length_sound_steps",
    "pace",
)
"""What a level measures: identity of coded material (no level), a residual in multiples of what
encoding usually leaves at that place, a length, or how many times as fast a recording runs."""

VERDICTS = ("unchanged", "transcoded", "altered", "cannot_tell")
CARRIERS = ("same_file", "remuxed", "sound_re_encoded", "re_encoded")
NOT_COMPARED = "further streams"
"""The note that a file holds more streams than were compared; what they show is not known."""


@dataclass(frozen=True)
class Stretch:
    """[start, end) in frames (or rows of sound) and in seconds from the first frame."""

    start: int
    end: int
    start_s: float
    end_s: float


@dataclass(frozen=True)
class Place:
    """A region of the picture in shares of its width and height, 0..1."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True)
class Difference:
    """One difference. A stretch without length is the place of a cut.

    `exact` says that coded pictures were compared, not their appearance. `from_original` is
    where repeated or moved material stands in the original. `uncertain` is by how many frames
    the place may be off, where nothing moves. `level` is what was measured and `threshold` the
    value from which it counts; `measure` (one of `MEASURES`) says of what. Coded pictures have
    neither: any other picture counts.
    """

    kind: str
    copy: Stretch
    original: Stretch | None = None
    from_original: Stretch | None = None
    place: Place | None = None
    exact: bool = False
    uncertain: int = 0
    measure: str = "identity"
    level: float | None = None
    threshold: float | None = None


@dataclass(frozen=True)
class Comparison:
    """The verdict on a copy and everything it rests on.

    `carrier` says how the copy comes: the same file, the same coded material in another
    container, the same coded pictures beside sound that was encoded anew, or all of it encoded
    anew. `notes` names what is not judged by content: parameter sets, a signature in the stream
    that is gone, a crop, another frame rate, sound not comparable, further streams.
    """

    verdict: str
    carrier: str
    differences: tuple[Difference, ...]
    notes: tuple[str, ...]
    original_sha256: str
    copy_sha256: str
    frames: tuple[int, int]
    seconds: tuple[float, float]
    floor: float | None = None
    thresholds: str = ""

    def as_json(self) -> dict[str, Any]:
        """Plain data for a file."""
        return asdict(self)


def comparison_of(document: Mapping[str, Any]) -> Comparison:
    """The comparison that `Comparison.as_json` made this document of."""
    plain = dict(document)
    plain["differences"] = tuple(map(_difference_of, document["differences"]))
    for name in ("notes", "frames", "seconds"):
        plain[name] = tuple(document[name])
    return Comparison(**plain)


def _difference_of(document: Mapping[str, Any]) -> Difference:
    plain = dict(document)
    for name in ("copy", "original", "from_original"):
        plain[name] = None if document[name] is None else Stretch(**document[name])
    plain["place"] = None if document["place"] is None else Place(**document["place"])
    return Difference(**plain)
