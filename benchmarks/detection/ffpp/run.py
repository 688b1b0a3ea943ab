"""What every cue says about the FaceForensics++ development videos, before a face network exists.

    python benchmarks/detection/ffpp/run.py --shared-data ../shared/data

Runs the installed command over all 26 clips (8 originals, 18 forgeries of 4 closed pairs of
people) and tabulates statuses, scores and verdicts per detector and method, with the AUC of
each score between originals and forgeries. Four pairs are four independent sources: the
intervals (bootstrap over pairs) are wide, and say so.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.evaluation.rates import auc

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
SEED = 2382
DRAWS = 1000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    clips = sorted((arguments.shared_data / "ffpp_c23").rglob("*.mp4"))
    rows = [
        _row(clip, report)
        for clip, report in zip(clips, _reports(clips, arguments.jobs), strict=True)
    ]
    summary = summarise(rows)
    out = HERE / "results" / "ffpp.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=1))


def summarise(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Per detector: statuses, median score per method, AUC with an interval; verdicts."""
    detectors = sorted(rows[0]["scores"])
    verdicts: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        for proposition, verdict in row["verdicts"].items():
            verdicts[f"{row['method']}: {proposition}"][verdict] += 1
    return {
        "clips": dict(Counter(row["method"] for row in rows)),
        "detectors": {name: _detector(rows, name) for name in detectors},
        "verdicts": {name: dict(count) for name, count in sorted(verdicts.items())},
    }


def _detector(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    spoken = [row for row in rows if row["scores"][name] is not None]
    medians = {}
    for method in sorted({row["method"] for row in spoken}):
        scores = [row["scores"][name] for row in spoken if row["method"] == method]
        medians[method] = round(float(np.median(scores)), 3)
    return {
        "statuses": dict(Counter(row["statuses"][name] for row in rows)),
        "median_score": medians,
        "auc_original_v_forged": _auc(spoken, name),
    }


def _auc(rows: list[dict[str, Any]], name: str) -> list[float] | None:
    pairs = sorted({row["pair"] for row in rows})
    rng = np.random.default_rng(SEED)
    drawn = []
    for draw in range(DRAWS + 1):
        chosen = pairs if draw == 0 else rng.choice(pairs, len(pairs)).tolist()
        sample = [row for pair in chosen for row in rows if row["pair"] == pair]
        forged = np.array([row["method"] != "original" for row in sample])
        if forged.all() or not forged.any():
            if draw == 0:
                return None
            continue
        drawn.append(auc(np.array([row["scores"][name] for row in sample]), forged))
    low, high = np.quantile(drawn[1:], [0.025, 0.975]) if len(drawn) > 1 else (drawn[0],) * 2
    return [round(float(value), 3) for value in (drawn[0], low, high)]


def _row(clip: Path, report: dict[str, Any]) -> dict[str, Any]:
    method = "original" if clip.parent.name == "real" else clip.parent.name
    people = clip.stem.split("_")
    return {
        "method": method,
        "pair": _pair(people[0]),
        "scores": {f["detector"]: f["score"] for f in report["findings"]},
        "statuses": {f["detector"]: f["status"] for f in report["findings"]},
        "verdicts": {o["proposition"]: o["verdict"] for o in report["opinions"]},
    }


def _pair(person: str) -> str:
    pairs = ("183-253", "585-599", "811-920", "942-943")
    return next(pair for pair in pairs if person in pair)


def _reports(clips: list[Path], jobs: int) -> list[dict[str, Any]]:
    command = [sys.executable, "-c", "from tidewaiter.cli import main; main()", "examine"]
    done = subprocess.run(
        [*command, *map(str, clips), "--json", "--jobs", str(jobs)],
        capture_output=True,
        text=True,
        check=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


if __name__ == "__main__":
    main()
