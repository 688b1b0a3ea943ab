"""Make every figure of the face network from what measure.py measured.

    python benchmarks/detection/face_network/figures.py
    python recipes/calibrate.py network
    python benchmarks/detection/face_network/figures.py --calibrated

The second call needs the calibrations. Each writes JSON files with intervals into the
folder of results.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "recipes"))

import calibrated  # noqa: E402
import development  # noqa: E402
import false_support  # noqa: E402
import gates  # noqa: E402
import localisation  # noqa: E402
import short_forgery  # noqa: E402
import trivial  # noqa: E402
from face_clip_scores import read_clips  # noqa: E402
from face_measured import Measured, read_measured  # noqa: E402
from face_tables import PICTURES, VIDEO, VIDEOS, domain_rows, untouched  # noqa: E402
from tables import Table, table_of  # noqa: E402

from tidewaiter.casework.plan import installed_versions  # noqa: E402
from tidewaiter.opinion.calibration import Calibration  # noqa: E402
from tidewaiter.opinion.choosing import ANY_DOMAIN  # noqa: E402
from tidewaiter.opinion.loading import load_calibrations  # noqa: E402


def main() -> None:
    given = _arguments()
    pictures = read_measured(given.results / "pictures.csv.gz")
    clips = read_clips(given.results)
    looks = json.loads(gzip.decompress((given.results / "looks.json.gz").read_bytes()))
    if given.calibrated:
        found = of_calibrations(pictures, clips, looks)
    else:
        found = of_scores(table_of(pictures), table_of(clips), looks)
    for name, values in found.items():
        text = json.dumps(values, indent=1, ensure_ascii=False)
        (given.results / f"{name}.json").write_text(text + "\n", encoding="utf-8")
        print(name, text, flush=True)


def of_scores(pictures: Table, clips: Table, looks: list[dict[str, Any]]) -> dict[str, Any]:
    """Figures that need no calibration."""
    return {
        "development": {
            "DFDC crops": development.dfdc(pictures),
            "FaceForensics++ clips": development.ffpp(clips),
            "FaceForensics++ clips, plain mean": development.ffpp(clips, "looks_mean"),
            "forgeries of ours": development.species(pictures),
            "diffusion (two people)": development.diffusion(pictures),
        },
        "launderings": {
            "DFDC crops": development.launderings(pictures),
            "FaceForensics++ clips": development.clip_losses(clips),
        },
        "trivial": trivial.beside_the_network(_sets(pictures)),
        "localisation": localisation.of_heat_maps(pictures),
        "gates": gates.by_condition(pictures),
        "short_forgery": short_forgery.figures(looks),
    }


def of_calibrations(
    pictures: list[Measured], clips: list[Measured], looks: list[dict[str, Any]]
) -> dict[str, Any]:
    """Figures of what the calibrated network tells."""
    rows = domain_rows(pictures, clips)
    ours = {entry.domain: entry for entry in _calibrations()}
    held_out = {name: _of_domain(ours[name], rows[name]) for name in rows if name in ours}
    wrong: dict[str, Any] = {}
    for name, measured, judge in (
        (ANY_DOMAIN, pictures, false_support.on_pictures),
        (VIDEO, clips, false_support.on_clips),
    ):
        if name in ours:
            told = calibrated.told(ours[name], rows[name], measured)
            wrong[name] = judge(table_of(measured), _spoken(ours[name], told, measured))
    found = {"calibrations": held_out, "false_support": wrong}
    if VIDEO in ours:
        limit = calibrated.support_from(ours[VIDEO])
        found["short_forgery_told"] = {} if limit is None else short_forgery.at_limit(looks, limit)
    return found


def _of_domain(calibration: Calibration, rows: list[Measured]) -> dict[str, Any]:
    told = calibrated.told(calibration, rows, rows)
    fresh = np.array([untouched(row) for row in told.rows])
    received = np.array([row.kind == "ffpp" and row.shipping == "as_received" for row in told.rows])
    found = {
        "calibration": calibration.id,
        "bounds": calibration.bounds.model_dump(mode="json"),
        "spoken": [calibration.spoken_lower, calibration.spoken_upper],
        "fitted on": {
            "as_issued": calibration.as_issued.model_dump(mode="json"),
            "manipulated": calibration.manipulated.model_dump(mode="json"),
        },
        "untouched sources": calibrated.measures(calibration, told.chosen(fresh)),
        "all held out": calibrated.measures(calibration, told),
    }
    if received.any():
        clips = told.chosen(received)
        found["real clips, other pairs of people"] = calibrated.measures(calibration, clips)
    return found


def _spoken(
    calibration: Calibration, told: calibrated.Told, rows: list[Measured]
) -> np.ndarray[Any, np.dtype[np.float64]]:
    """log10 LR as the report would say it, 0 where the detector declined."""
    values = np.zeros(len(rows))
    limits = (calibration.spoken_lower, calibration.spoken_upper)
    values[[row.score is not None for row in rows]] = np.clip(told.unbounded, *limits)
    return values


def _sets(pictures: Table) -> dict[str, Table]:
    reported = pictures.only(part="report")
    crops = reported.only(kind="dfdc", shipping="as_received")
    hosts = reported.only(kind=["dfdc", "lfw", "utkface"])
    return {
        "DFDC crops": crops.where(~crops.forged | (crops["species"] == "dfdc")),
        "forgeries of ours against hosts saved alike": hosts.where(
            (hosts["shipping"] == "saved alike")
            | ((hosts["shipping"] == "as_received") & hosts.forged & (hosts["species"] != "dfdc"))
        ),
        "diffusion (two people)": pictures.only(kind="ecuador", shipping="as_received"),
    }


def _calibrations() -> list[Calibration]:
    known = load_calibrations(installed_versions()).usable
    return [entry for entry in known if entry.members[0].detector in (PICTURES, VIDEOS)]


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--results", type=Path, default=HERE / "results")
    parser.add_argument("--calibrated", action="store_true")
    return parser.parse_args()


if __name__ == "__main__":
    main()
