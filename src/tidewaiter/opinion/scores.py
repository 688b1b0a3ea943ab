"""The score table: what every detector said about every item of a corpus of known truth.

CSV with a header line and the columns `detector, version, item, source, label, species,
shipping, status, score`. One row per detector, item and way of shipping. Detectors that
declined keep their row, with their status and no score.
"""

from __future__ import annotations

import csv
import hashlib
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tidewaiter.errors import InputError
from tidewaiter.evaluation.sources import BoolArray, FloatArray, IntArray, codes
from tidewaiter.vocabulary import Status

COLUMNS = (
    "detector",
    "version",
    "item",
    "source",
    "label",
    "species",
    "shipping",
    "status",
    "score",
)
MANIPULATED = "manipulated"
AS_ISSUED = "as_issued"


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One detector's answer about one item in one shipping."""

    detector: str
    version: str
    item: str
    source: str
    """The independent origin: camera, generator, person, trader."""
    label: str
    """`manipulated` or `as_issued`."""
    species: str
    """Kind of manipulation (`splice`, `copy_move` …); empty for genuine items."""
    shipping: str
    """`as_received` or the name of a re-shipping transform."""
    status: Status
    score: float | None


@dataclass(frozen=True)
class ScoreTable:
    """Rows of scores. Everything fitted from a table depends on its rows only."""

    rows: tuple[ScoreRow, ...]

    @cached_property
    def detectors(self) -> tuple[tuple[str, str], ...]:
        """Every detector and version in the table, sorted."""
        return tuple(sorted({(row.detector, row.version) for row in self.rows}))

    @cached_property
    def sha256(self) -> str:
        """Digest of the table's CSV with rows in sorted order."""
        ordered = sorted(self.rows, key=lambda row: (row.detector, row.item, row.shipping))
        return hashlib.sha256(write_scores(ScoreTable(tuple(ordered))).encode()).hexdigest()

    def of(self, detector: str) -> ScoreTable:
        """The rows of one detector."""
        return ScoreTable(tuple(row for row in self.rows if row.detector == detector))


@dataclass(frozen=True)
class Sample:
    """The gated scores of one calibration as arrays: one row per item and shipping."""

    scores: FloatArray
    """Shape (items, members)."""
    labels: BoolArray
    sources: IntArray
    declined_manipulated: int = 0
    declined_as_issued: int = 0

    def chosen(self, keep: BoolArray) -> Sample:
        """The sample restricted to some items; sources keep their codes."""
        return Sample(self.scores[keep], self.labels[keep], self.sources[keep])


def sample_of(rows: Sequence[ScoreRow]) -> Sample:
    """The scores of one detector's examined rows; the others are counted as declined."""
    spoke = [row for row in rows if row.score is not None]
    silent = [row for row in rows if row.score is None]
    return Sample(
        scores=np.array([row.score for row in spoke], dtype=np.float64).reshape(-1, 1),
        labels=np.array([row.label == MANIPULATED for row in spoke], dtype=np.bool_),
        sources=codes([row.source for row in spoke]),
        declined_manipulated=sum(row.label == MANIPULATED for row in silent),
        declined_as_issued=sum(row.label == AS_ISSUED for row in silent),
    )


def read_scores(text: str) -> ScoreTable:
    """A table from its CSV; raises `InputError` naming the line that is wrong."""
    reader = csv.DictReader(io.StringIO(text))
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise InputError(
            f"score table: no column {', '.join(missing)}; needed {', '.join(COLUMNS)}"
        )
    rows = tuple(_row(entry, line) for line, entry in enumerate(reader, start=2))
    seen: set[tuple[str, str, str]] = set()
    for line, row in enumerate(rows, start=2):
        key = (row.detector, row.item, row.shipping)
        if key in seen:
            raise InputError(
                f"score table, line {line}: {row.detector} on {row.item} ({row.shipping}) "
                "appears twice; each may appear once"
            )
        seen.add(key)
    return ScoreTable(rows)


def write_scores(table: ScoreTable) -> str:
    """The CSV of a table; scores keep all their digits."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in table.rows:
        score = "" if row.score is None else repr(float(row.score))
        writer.writerow(
            [
                row.detector,
                row.version,
                row.item,
                row.source,
                row.label,
                row.species,
                row.shipping,
                row.status.value,
                score,
            ]
        )
    return out.getvalue()


def _row(entry: dict[str, str], line: int) -> ScoreRow:
    where = f"score table, line {line}"
    if any(entry.get(name) is None for name in COLUMNS):
        raise InputError(f"{where}: fewer fields than columns")
    if entry["label"] not in (MANIPULATED, AS_ISSUED):
        raise InputError(
            f"{where}: label is {entry['label']!r}; {MANIPULATED} or {AS_ISSUED} is needed"
        )
    if entry["status"] not in set(Status):
        raise InputError(
            f"{where}: status is {entry['status']!r}; needed one of {', '.join(Status)}"
        )
    return ScoreRow(
        **{name: entry[name] for name in COLUMNS if name not in ("status", "score")},
        status=Status(entry["status"]),
        score=_score(entry["score"], Status(entry["status"]), where),
    )


def _score(field: str, status: Status, where: str) -> float | None:
    """The score of an examined row; a detector that states only facts has none."""
    if not field:
        return None
    try:
        score = float(field)
    except ValueError as error:
        raise InputError(f"{where}: score is {field!r}; a number is needed") from error
    if not math.isfinite(score) or status is not Status.EXAMINED:
        raise InputError(
            f"{where}: score is {field} with status {status.value}; "
            "only an examined item has a score, and it is finite"
        )
    return score
