"""How long an audit took, read off its ledger."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from statistics import median

from tidewaiter.face_audit.ledger import Opening, Row
from tidewaiter.face_audit.results import Generation

# A longer break between two calls is a run that was interrupted, not one that works.
LONGEST_BREAK_S = 600.0


def working_s(opening: Opening, rows: Sequence[Row]) -> float:
    """Seconds from the beginning to the last answer, without the breaks of interrupted runs.

    Before its first call a run makes the pictures; that time counts, however long.
    """
    stamps = [moment for moment in map(_moment, (row.at for row in rows)) if moment is not None]
    begun = _moment(opening.started)
    if begun is None or not stamps:
        return 0.0
    breaks = [later - earlier for earlier, later in pairwise(stamps)]
    worked = stamps[0] - begun + sum(b for b in breaks if 0 <= b <= LONGEST_BREAK_S)
    return max(worked, 0.0)  # a clock that was set back in between


def generation(rows: Sequence[Row]) -> tuple[Generation, ...]:
    """Time of forging per species, each picture once."""
    times: dict[str, dict[str, float]] = {}
    for row in rows:
        if row.forging_ms is not None:
            times.setdefault(row.species, {})[row.probe_sha256] = row.forging_ms
    return tuple(
        Generation(
            species=species,
            pictures=len(found),
            median_ms=float(median(found.values())),
            slowest_ms=max(found.values()),
        )
        for species, found in sorted(times.items())
    )


def _moment(said: str) -> float | None:
    """Seconds since the epoch of a time of day in ISO 8601."""
    try:
        return datetime.fromisoformat(said).timestamp()
    except ValueError:
        return None
