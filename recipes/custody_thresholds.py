"""Set the thresholds of `tidewaiter custody compare` from copies that alter nothing.

    python recipes/custody_thresholds.py --shared ../shared/data --work FOLDER

Benign copies (other encoders, rates, sizes, brightness, crop) of the calibration scenes of
benchmarks/custody/edits are compared with their originals with no threshold at all. A threshold
is 1.15 times the highest level that one of them reached; a change of order must be longer than the
longest that one of them showed, and than two frames (custody handbook 3.13). Everything is
seeded; the test scenes are not touched.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "benchmarks" / "custody" / "edits"))

from custody_sound import sound_cases  # noqa: E402
from scenes import CALIBRATION, cases_of  # noqa: E402

from tidewaiter.custody.locate_pictures import PictureThresholds, locate_pictures  # noqa: E402
from tidewaiter.custody.locate_sound import locate_sound  # noqa: E402

FACTOR = 1.15
"""Custody handbook 3.13."""
SOUND_FACTOR = 2.0
"""Wider, for the sources of sound are few; edits lie ten times above (benchmarks/custody)."""
NEVER = 1e9
SHORTEST, SHORTEST_SOUND = 3, 6
"""Frames and rows of sound of a change of order at least."""
TARGET = ROOT / "src" / "tidewaiter" / "custody" / "thresholds.json"


def main() -> None:
    """Measure, and write the data file."""
    parser = argparse.ArgumentParser(description="thresholds from benign copies")
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    given = parser.parse_args()
    rows = [row for name in CALIBRATION for row in _pictures(name, given.shared, given.work)]
    cases = sound_cases(given.shared, test=False)
    sound = [row for case in cases if (row := _sound(*case)) is not None]
    thresholds = {
        "picture": round(FACTOR * max(row["picture"] for row in rows), 1),
        "clock": round(FACTOR * max(row["clock"] for row in rows), 1),
        "sound": round(SOUND_FACTOR * max(row["level"] for row in sound), 1),
        "shortest": max(SHORTEST, 1 + max(row["longest"] for row in rows)),
        "shortest_sound": max(SHORTEST_SOUND, 1 + max(row["longest"] for row in sound)),
        "basis": f"{len(rows)} benign copies of {len(CALIBRATION)} scenes, {len(sound)} of sound",
    }
    text = json.dumps({"thresholds": thresholds, "pictures": rows, "sound": sound}, indent=1)
    TARGET.write_text(text + "\n", encoding="utf-8")
    print(json.dumps(thresholds, indent=1))


def _pictures(name: str, shared: Path, work: Path) -> list[dict[str, Any]]:
    original, cases = cases_of(name, shared, work, edits=False)
    rows = []
    for case in cases:
        assert original.prints is not None
        assert case.manifest.prints is not None
        limits = PictureThresholds(NEVER, NEVER, 1)
        found = locate_pictures(original.prints, case.manifest.prints, limits)
        longest = [change.length for change in found.changes]
        row = {
            "scene": name,
            "copy": case.truth["copy"],
            "picture": round(found.peaks[0], 2),
            "clock": round(found.peaks[1], 2),
            "longest": max(longest, default=0),
        }
        print(row, flush=True)
        rows.append(row)
    return rows


def _sound(name: str, codec: str, original: Any, copy: Any) -> dict[str, Any] | None:
    found = locate_sound(original, copy, NEVER, 1)
    if found is None:
        return None  # a silent track says nothing
    row = {
        "source": name,
        "copy": codec,
        "level": round(found.peak, 2),
        "longest": max((change.length for change in found.changes), default=0),
    }
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
