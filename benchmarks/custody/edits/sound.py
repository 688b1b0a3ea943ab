"""Sound cut, replaced or silenced, and sound in other codecs: what is found, where, what is not.

    python benchmarks/custody/edits/sound.py --shared ../shared/data

Test sources only (custody_sound.py); each edit lasts two seconds and is written in two codecs.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from custody_sound import CODECS, EDITS, ORIGINAL, edited, rows_of, sources
from shares import share

from tidewaiter.custody.locate_sound import locate_sound
from tidewaiter.custody.thresholds import shipped_thresholds
from tidewaiter.traces.sound_bands import HOP_S

WRITTEN_IN = ("aac 48k", "opus 24k")
NEAR_S = 0.52
"""13 frames of 25 a second, as for pictures."""
RESULTS = Path(__file__).parent / "results" / "sound.json"


def main() -> None:
    """Compare and write the results."""
    parser = argparse.ArgumentParser(description="edits of sound")
    parser.add_argument("--shared", type=Path, required=True)
    shared = parser.parse_args().shared
    found: dict[str, list[float | None]] = {edit: [] for edit in EDITS}
    alarms: list[bool] = []
    names = []
    for name, samples in sources(shared, test=True):
        names.append(name)
        original = rows_of(samples, ORIGINAL)
        alarms += [bool(_places(original, rows_of(samples, codec))) for codec in CODECS]
        for number, edit in enumerate(EDITS):
            random = np.random.default_rng([len(names), number])
            copy, start_s = edited(samples, edit, random)
            for codec in WRITTEN_IN:
                places = _places(original, rows_of(copy, codec))
                found[edit].append(_error(places, start_s))
        print(name, found, flush=True)
    result = {
        "sources": names,
        "edits": {edit: share([e is not None for e in rows]) for edit, rows in found.items()},
        "start, s off, largest": max(e for rows in found.values() for e in rows if e is not None),
        "false alarms": share(alarms),
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _places(original: Any, copy: Any) -> list[float]:
    """When, in seconds, something is found in the copy."""
    limits = shipped_thresholds()
    found = locate_sound(original, copy, limits.sound, limits.shortest_sound)
    if found is None:
        return []
    rows = [change.copy[0] for change in found.changes] + [part.start for part in found.stretches]
    return [row * HOP_S for row in rows]


def _error(places: list[float], start_s: float) -> float | None:
    """How far the nearest finding begins from the edit; None where none is near."""
    error = min((abs(place - start_s) for place in places), default=NEAR_S + 1)
    return round(error, 3) if error <= NEAR_S else None


if __name__ == "__main__":
    main()
