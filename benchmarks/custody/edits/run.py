"""Fifteen edits and benign copies of test scenes, re-encoded: what is found, where, what is not.

    python benchmarks/custody/edits/run.py --shared ../shared/data --work FOLDER

A finding counts for an edit where it lies within 13 frames of it; every stretch of the edit must
be found. Findings further away are counted as spurious. The edge error is that of the findings'
own edges. Sources are few and the copies of one source are alike: intervals (Wilson, 95 %) hold
for these sources, not for cameras in general. Thresholds are those of recipes/custody_thresholds.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
from scenes import EDITED, TEST, Case, cases_of, is_made
from shares import share

from tidewaiter.custody.differences import Comparison, Difference
from tidewaiter.custody.locate import compare
from tidewaiter.custody.manifest import Manifest
from tidewaiter.custody.thresholds import shipped_thresholds

NEAR = 13
"""Frames; custody handbook, goal G6."""
RESULTS = Path(__file__).parent / "results" / "edits.json"


def main() -> None:
    """Compare every copy and write the results."""
    parser = argparse.ArgumentParser(description="edits and benign copies of test scenes")
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="take every so many of the edits")
    parser.add_argument("--made-only", action="store_true", help="only what the work folder has")
    given = parser.parse_args()
    edits: list[dict[str, Any]] = []
    benign: list[dict[str, Any]] = []
    used: dict[str, list[str]] = {"edited": [], "benign copies": []}
    for position, name in enumerate(TEST):
        if name in EDITED and _is_wanted(name, given, "edits"):
            original, cases = cases_of(name, given.shared, given.work, edits=True)
            chosen = list(cases)[position % given.every :: given.every]
            edits += [_judged(case, original) for case in chosen]
            used["edited"].append(name)
        if _is_wanted(name, given, "benign"):
            original, cases = cases_of(name, given.shared, given.work, edits=False)
            benign += [_benign(case, original) for case in cases]
            used["benign copies"].append(name)
        found, alarms = (
            sum(row[key] for row in rows) for key, rows in (("found", edits), ("alarm", benign))
        )
        print(name, f"{found} of {len(edits)} found, {alarms} of {len(benign)} alarms", flush=True)
    result = {
        "thresholds": vars(shipped_thresholds()),
        "scenes": used,
        "edited copies taken, one of so many": given.every,
        "edits": _edits(edits),
        "benign copies": _alarms(benign),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _is_wanted(name: str, given: argparse.Namespace, what: str) -> bool:
    return not given.made_only or is_made(name, given.work, edits=what == "edits")


def _judged(case: Case, original: Manifest) -> dict[str, Any]:
    found = compare(original, case.manifest)
    spans = [tuple(span) for span in case.truth["spans"]]
    near = [[d for d in found.differences if _overlaps(d, span)] for span in spans]
    spurious = [d for d in found.differences if not any(_overlaps(d, span) for span in spans)]
    errors = [_edge_error(group, span) for group, span in zip(near, spans, strict=True) if group]
    frames = len(case.manifest.prints.small) if case.manifest.prints else 0
    return {
        "scene": case.scene,
        "group": case.truth["group"],
        "copy": case.truth["copy"],
        "edit": case.truth["edit"],
        "found": all(near),
        "edge": max(errors) if errors else None,
        "spurious": len(spurious),
        "minutes": frames / case.truth["fps"] / 60,
        "kinds": sorted({d.kind for group in near for d in group}),
        "overlap": _overlap(near[0], case.truth["box"]),
    }


def _overlaps(found: Difference, span: tuple[int, int]) -> bool:
    return found.copy.start <= span[1] + NEAR and found.copy.end >= span[0] - NEAR


def _edge_error(found: list[Difference], span: tuple[int, int]) -> int:
    """How far the nearest edges of any finding lie from those of the edit; the larger."""
    edges = [edge for item in found for edge in (item.copy.start, item.copy.end)]
    return max(min(abs(edge - side) for edge in edges) for side in span)


def _overlap(found: list[Difference], box: list[int] | None) -> float | None:
    """Common area of the framed region and the painted box, over the area of both."""
    places = [item.place for item in found if item.place is not None]
    if box is None or not places:
        return None
    left, top, width, height = box[0] / 640, box[1] / 360, box[2] / 640, box[3] / 360
    place = places[0]
    wide = min(place.right, left + width) - max(place.left, left)
    high = min(place.bottom, top + height) - max(place.top, top)
    common = max(wide, 0) * max(high, 0)
    area = (place.right - place.left) * (place.bottom - place.top)
    return common / (area + width * height - common)


def _benign(case: Case, original: Manifest) -> dict[str, Any]:
    found: Comparison = compare(original, case.manifest)
    return {
        "scene": case.scene,
        "group": case.truth["group"],
        "copy": case.truth["copy"],
        "alarm": found.verdict != "transcoded",
        "kinds": sorted({item.kind for item in found.differences}),
    }


def _edits(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "all": _rate(rows) | _edges(rows) | _places(rows),
        "by edit": {
            name: _rate(group) | _edges(group) | {"named": _named(group)}
            for name, group in _grouped(rows, "edit").items()
        },
        "by kind of scene": {
            key: _rate(group) | _edges(group) | _places(group)
            for key, group in _grouped(rows, "group").items()
        },
        "by scene": {key: _rate(group) for key, group in _grouped(rows, "scene").items()},
        "by copy": {key: _rate(group) for key, group in _grouped(rows, "copy").items()},
        "missed": [
            f"{row['edit']}, {row['scene']}, {row['copy']}" for row in rows if not row["found"]
        ],
    }


def _grouped(rows: list[dict[str, Any]], key: str) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def _rate(rows: list[dict[str, Any]]) -> dict[str, Any]:
    return share([row["found"] for row in rows])


def _edges(rows: list[dict[str, Any]]) -> dict[str, Any]:
    errors = [row["edge"] for row in rows if row["found"] and row["edge"] is not None]
    return {
        "edge error, median": _median(errors),
        "edge error, largest": max(errors) if errors else None,
        "spurious": sum(row["spurious"] for row in rows),
    }


def _places(rows: list[dict[str, Any]]) -> dict[str, Any]:
    minutes = sum(row["minutes"] for row in rows)
    return {
        "spurious findings per minute": round(sum(r["spurious"] for r in rows) / minutes, 3),
        "overlap of painted regions, median": _median([row["overlap"] for row in rows]),
    }


def _named(rows: list[dict[str, Any]]) -> dict[str, int]:
    counted: dict[str, int] = defaultdict(int)
    for row in rows:
        counted[" + ".join(row["kinds"]) or "nothing"] += 1
    return dict(sorted(counted.items()))


def _median(values: list[Any]) -> float | None:
    known = [value for value in values if value is not None]
    return round(float(np.median(known)), 3) if known else None


def _alarms(rows: list[dict[str, Any]]) -> dict[str, Any]:
    def shares(key: str) -> dict[str, Any]:
        groups = _grouped(rows, key).items()
        return {name: share([row["alarm"] for row in group]) for name, group in groups}

    return {
        "false alarms": share([row["alarm"] for row in rows]),
        "by copy": shares("copy"),
        "by kind of scene": shares("group"),
        "alarms": [
            f"{row['scene']}, {row['copy']}: {', '.join(row['kinds'])}"
            for row in rows
            if row["alarm"]
        ],
    }


if __name__ == "__main__":
    main()
