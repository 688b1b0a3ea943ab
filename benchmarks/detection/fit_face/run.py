"""What `tidewaiter fit face` gives on portraits the shipped network never saw.

    python benchmarks/detection/fit_face/run.py --data ../shared/data --folder DIR [--pairs N]

The "site" are UTKFace pictures of the part that is only reported on. Measured: the decision
and its figures, the time; what the fit costs on real forgeries it knows nothing of (DFDC, the
part only reported on); and, by drawing fewer of the held-out sources, how many a decision and
a usable calibration need. DIR keeps the site's pictures and the fitted network.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[3] / "recipes"))

from face_splits import REPORT, FaceFile, dfdc_faces, utkface_faces

from tidewaiter.casework.face_choice import PICTURE_DETECTOR
from tidewaiter.casework.plan import terms_here
from tidewaiter.evaluation.rates import auc
from tidewaiter.evaluation.sources import codes, draw_sources
from tidewaiter.media import Picture, open_media
from tidewaiter.opinion import network_choice
from tidewaiter.opinion.cues import FittedCue, Recipe, fit_cue
from tidewaiter.opinion.network_choice import compare
from tidewaiter.opinion.scores import ScoreTable, read_scores
from tidewaiter.opinion.weighing import SUPPORT_LOG10_LR
from tidewaiter.traces.base import Traces
from tidewaiter.traces.face_crop import face_view
from tidewaiter.traces.face_geometry import cut_repeating
from tidewaiter.traces.face_network import ask_twice
from tidewaiter.traces.faces import FacesInPicture, PictureFaces
from tidewaiter.vocabulary import MediaKind
from tidewaiter.weights.own import NETWORK_FILE, OwnNetwork, shipped_network, site_network

RESULT = Path(__file__).parent / "results" / "fit_face.json"
SITE_PICTURES = 160
REAL_ORIGINALS = 60
SOURCES = (10, 20, 25, 30, 40, 60)
REPEATS = 6
SEED = 3140


def main() -> None:
    """Fit, then measure; writes the result."""
    given = _arguments()
    site = given.folder / "site"
    _prepare(given.data, site)
    result: dict[str, Any] = {"fit": _fit(site, given), "card": _card(given.folder)}
    own, fitted = shipped_network(), site_network(_into(given.folder / "out"))
    result["real_forgeries"] = _real(given.data, own, fitted)
    result["held_out_sources"] = _by_sources(_into(given.folder / "out"))
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def _prepare(data: Path, site: Path) -> None:
    kept = [face for face in utkface_faces(data) if face.part == REPORT][:SITE_PICTURES]
    site.mkdir(parents=True, exist_ok=True)
    for face in kept:
        if not (site / face.path.name).exists():
            shutil.copyfile(face.path, site / face.path.name)


def _fit(site: Path, given: argparse.Namespace) -> dict[str, Any]:
    out = given.folder / "out"
    taken = given.folder / "minutes.txt"
    if not (out / "card.json").exists() and not (out / "rejected").exists():
        begun = time.monotonic()
        command = ["fit", "face", "--genuine", site, "--out", out, "--jobs", given.jobs]
        command += ["--pairs", given.pairs] if given.pairs else []
        program = [sys.executable, "-c", "from tidewaiter.cli import main; main()"]
        subprocess.run([*program, *map(str, command)], check=False)
        taken.write_text(f"{(time.monotonic() - begun) / 60:.1f}", encoding="utf-8")
    return {
        "minutes": float(taken.read_text(encoding="utf-8")),
        "pictures": SITE_PICTURES,
        "load_average": [round(load, 1) for load in os.getloadavg()],
    }


def _into(out: Path) -> Path:
    return out if (out / NETWORK_FILE).exists() else out / "rejected"


def _card(folder: Path) -> dict[str, Any]:
    card: dict[str, Any] = json.loads((_into(folder / "out") / "card.json").read_text("utf-8"))
    return {name: card[name] for name in ("decision", "made", "figures", "false_support")}


def _real(data: Path, own: OwnNetwork, fitted: OwnNetwork) -> dict[str, Any]:
    """Areas of both networks on DFDC originals and one forgery of each, paired by original."""
    files = [face for face in dfdc_faces(data) if face.part == REPORT]
    first: dict[tuple[str, bool], FaceFile] = {}
    for face in files:
        first.setdefault((face.source, face.forged), face)
    sources = sorted(s for s, forged in first if forged and (s, False) in first)[:REAL_ORIGINALS]
    rows = [
        (source, forged, answers)
        for source in sources
        for forged in (False, True)
        if (answers := _answers(first[source, forged].path, (own, fitted))) is not None
    ]
    labels = np.array([forged for _, forged, _ in rows])
    scores = np.array([answers for _, _, answers in rows])
    of_source = codes([source for source, _, _ in rows])
    draws = draw_sources(labels, of_source, 1000, np.random.default_rng(SEED))[:, of_source]
    both = np.array([[auc(scores[:, k], labels, w.astype(float)) for k in (0, 1)] for w in draws])
    change = both[:, 1] - both[:, 0]
    return {
        "originals": len(sources),
        "auc_in_use": round(auc(scores[:, 0], labels), 4),
        "auc_fitted": round(auc(scores[:, 1], labels), 4),
        "change_95": [round(float(v), 4) for v in np.quantile(change, (0.025, 0.975))],
    }


def _answers(path: Path, networks: tuple[OwnNetwork, ...]) -> list[float] | None:
    picture = open_media(path)
    if not isinstance(picture, Picture):
        return None
    found = FacesInPicture().measure(picture, Traces(MediaKind.PICTURE, {}))
    if not isinstance(found, PictureFaces) or not found.faces:
        return None
    crop, _ = face_view(partial(cut_repeating, picture.upright), found.faces[0].points)
    return [ask_twice(crop, own)[0].score for own in networks]


def _by_sources(folder: Path) -> list[dict[str, Any]]:
    """How far a calibration reaches and how a decision falls with fewer held-out sources."""
    tables = [
        read_scores((folder / name).read_text("utf-8")).of(PICTURE_DETECTOR)
        for name in ("scores-in-use.csv", "scores-fitted.csv")
    ]
    versions = (tables[0].rows[0].version, tables[1].rows[0].version)
    forgeries = sorted({row.species for row in tables[1].rows} - {""})
    network_choice.DRAWS = 200
    rng = np.random.default_rng(SEED)
    sources = sorted({row.source for row in tables[1].rows})
    terms = terms_here(folder)[PICTURE_DETECTOR]
    recipe = Recipe(name="benchmark", data="subsets", seed=SEED, origin="site", domain="subset")
    found = []
    for count in (n for n in SOURCES if n <= len(sources)):
        reach, right, wrong = [], 0, 0
        for _ in range(REPEATS):
            kept = set(rng.choice(sources, count, replace=False))
            rows = [row for table in tables for row in table.rows if row.source in kept]
            cue = fit_cue(ScoreTable(tuple(rows)), terms, recipe)
            reach.append(cue.calibration.spoken_upper if isinstance(cue, FittedCue) else 0.0)
            for order in (versions, versions[::-1]):
                comparison = compare(ScoreTable(tuple(rows)), order, forgeries, rng)
                accepted = not comparison.is_worse and comparison.gain.value > 0
                right += accepted and order == versions
                wrong += accepted and order != versions
        found.append(
            {
                "sources": count,
                "median_most": round(10 ** float(np.median(reach)), 1),
                "share_reaching_support": float(np.mean(np.array(reach) >= SUPPORT_LOG10_LR)),
                "fitted_accepted_over_shipped": right / REPEATS,
                "shipped_accepted_over_fitted": wrong / REPEATS,
            }
        )
    return found


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="the folder with MANIFEST.tsv")
    parser.add_argument("--folder", type=Path, required=True, help="pictures and results")
    parser.add_argument("--pairs", type=int, help="pairs to train on instead of the usual number")
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
