"""Write RESULTS.md from all results: `python benchmarks/results_page.py`.

Every figure in the page comes from a JSON file that a script of benchmarks/ or recipes/
wrote; tests/docs compares the page with this.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MAX_ROWS = 50
SUMMARIES = {
    "detection/calibration/results/pictures.json": "Shipped calibrations: pictures",
    "detection/calibration/results/videos.json": "Shipped calibrations: videos",
    "detection/calibration/results/faces.json": "Shipped calibrations: faces",
    "detection/calibration/results/network.json": "Shipped calibrations: face network",
    "detection/face_network/results": "Face network",
    "detection/false_support/results/pictures.json": "Genuine pictures: false support",
    "detection/ffpp/results/ffpp.json": "FaceForensics++ development videos, whole command",
    "detection/jpeg/results": "JPEG cues",
    "detection/pixels/results": "Noise, resampling, copy-move, spectrum",
    "detection/provenance/results": "Contradictions in genuine files",
    "detection/video/results/summary.json": "Video cues",
    "detection/face/results": "Face cues",
    "detection/attacks/results": "Attacks on the face network",
    "face_audit/results/coverage.json": "Face audit: how often its intervals hold the truth, in %",
    "face_audit/results/pilot.json": "Face audit: LFW people, two recognisers, a gate, timed",
    "face_audit/results/gates.json": "Face audit: the same people, every gate",
    "face_audit/results/species.json": "Face audit: the same people, every kind of attack",
    "face_audit/results/held_out.json": "Face audit: every kind of attack, seen and held out",
    "face_audit/results/gate_fitted.json": "Face audit: card of the network fitted as a gate",
    "face_audit/results/gate_fitted_blind.json": "Face audit: card of one that never saw a replay",
    "face_audit/results/injection.json": "Face audit: as files and through a virtual camera",
    "face_audit/results/kills.json": "Face audit: runs killed at random points",
    "face_audit/results/stand_in_speed.json": "Face audit: a stand-in that opens pictures apart",
    "face_audit/results/replay.json": "Face audit: a published study, recomputed",
    "detection/calibration/results/result.json": "How calibration itself behaves",
    "custody/results": "Custody log",
    "custody/edits/results": "Custody: where a copy was changed",
    "speed/results": "Speed and memory",
}
"""Sections of the page in reading order: a results file or a folder of them, and its title."""


def page() -> str:
    """The whole page as Markdown."""
    parts = [
        "# Results",
        "<!-- written by benchmarks/results_page.py -->",
        "",
        "Figures as measured, with their intervals where the script gives them; each section names",
        "the results file, and each script says in its first lines how to run it again. Ratios of",
        "speed were taken in one run; the load of the machine is part of the file.",
    ]
    for place, title in SUMMARIES.items():
        for file in _files(HERE / place):
            parts += _section(title, file)
    return "\n".join(parts) + "\n"


def main() -> None:
    """Write the page."""
    (HERE / "RESULTS.md").write_text(page(), encoding="utf-8")


def _files(place: Path) -> list[Path]:
    if place.is_dir():
        return sorted(file for file in place.glob("*.json") if file.name != "items.json")
    return [place] if place.exists() else []


def _section(title: str, file: Path) -> list[str]:
    rows = list(_rows(json.loads(file.read_text(encoding="utf-8")), ()))
    name = file.relative_to(HERE).as_posix()
    lines = ["", f"## {title}: `{name}`", "", "| what | value |", "|---|---|"]
    lines += [f"| {' · '.join(key)} | {value} |" for key, value in rows[:MAX_ROWS]]
    if len(rows) > MAX_ROWS:
        lines.append(f"| … | {len(rows) - MAX_ROWS} more values in the file |")
    return lines


def _rows(value: Any, key: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """Leaves of nested results; an estimate with its interval is one leaf."""
    if isinstance(value, dict) and {"value", "lower", "upper"} <= value.keys():
        yield key, f"{_short(value['value'])} [{_short(value['lower'])}, {_short(value['upper'])}]"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _rows(inner, (*key, str(name).replace("|", "/")))
    elif isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        for number, inner in enumerate(value, start=1):
            yield from _rows(inner, (*key, str(number)))
    elif isinstance(value, list):
        yield key, ", ".join(_short(item) for item in value)
    else:
        yield key, _short(value)


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return text.replace("|", "/").replace("\n", " ")[:160]


if __name__ == "__main__":
    main()
