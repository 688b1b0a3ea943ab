"""Measure networks trained with something left out, or something added.

    python benchmarks/detection/face_network/variants.py --ffpp HALF0.onnx HALF1.onnx \
        --left-out swap=A.onnx --left-out morph=B.onnx --trained "4,000 pairs"

HALFk was trained with the FaceForensics++ pairs of that half (`--ffpp-fold k` of
recipes/train_face_network.py) and is measured on the pairs of the other half. A network with
a family left out (`--leave-out FAMILY`) is measured on that family. Figures given before are
kept where they are not measured anew.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "recipes"))

from face_clips import AS_RECEIVED, ClipTask, clip_tasks  # noqa: E402
from face_corpus import CONTROL, FaceTask, picture_tasks  # noqa: E402
from face_measuring import measured_clip, measured_picture  # noqa: E402
from face_splits import FFPP_FOLDS, REPORT  # noqa: E402
from tables import SEED, Table, auc_of, estimate, table_of  # noqa: E402

from tidewaiter.evaluation.intervals import percentile_interval  # noqa: E402
from tidewaiter.evaluation.rates import auc  # noqa: E402

DRAWS = 1000


def main() -> None:
    given = _arguments()
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    out = given.out / "variants.json"
    results = json.loads(out.read_text(encoding="utf-8")) if out.exists() else {}
    if given.ffpp:
        results["FaceForensics++ halves"] = {**halves(given), "trained": given.trained}
    for named in given.left_out:
        family, _, file = named.partition("=")
        left_out = results.setdefault("families left out", {})
        figures = family_left_out(given, family, Path(file))
        left_out[family] = {**figures, "trained": given.trained}
    text = json.dumps(results, indent=1)
    out.write_text(text + "\n", encoding="utf-8")
    print(text)


def halves(given: argparse.Namespace) -> dict[str, Any]:
    """AUC on the pairs that each half's network did not train on, by method and over all."""
    parts = []
    for half, network in enumerate(given.ffpp):
        pairs = {f"ffpp/{pair}" for pair in FFPP_FOLDS[1 - half]}
        tasks = [task for task in _clips(given) if task.truth.source in pairs]
        parts.append(_clips_measured(tasks, network, given))
    methods = sorted(set(np.concatenate([part["species"] for part in parts])) - {""})
    return {
        "auc": _mean_auc(parts),
        **{m: _mean_auc([part.only(species=["", m]) for part in parts]) for m in methods},
    }


def family_left_out(given: argparse.Namespace, family: str, network: Path) -> dict[str, Any]:
    """AUC of a family that a network never saw, against the hosts saved alike."""
    own = [t for t in picture_tasks(given.shared_data) if t.part == REPORT and not t.laundering]
    forged = [t for t in own if t.truth.species.startswith(family) and t.donors]
    hosts = {t.truth.item.rpartition("/")[0] for t in forged}
    controls = [t for t in own if t.truth.shipping == CONTROL and t.truth.item in hosts]
    table = _measured([*controls, *forged], network, given.workers)
    species = sorted(set(table["species"]) - {""})
    return {
        **auc_of(table),
        "species": {name: auc_of(table.only(species=["", name]))["auc"] for name in species},
    }


def _clips(given: argparse.Namespace) -> list[ClipTask]:
    every = clip_tasks(given.shared_data, stills=0)
    return [t for t in every if t.kind == "ffpp" and t.truth.shipping == AS_RECEIVED]


def _clips_measured(tasks: list[ClipTask], network: Path, given: argparse.Namespace) -> Table:
    work = partial(measured_clip, network=network, folder=given.work)
    with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
        return table_of(row for row, _ in pool.imap(work, tasks)).scored()


def _measured(tasks: list[FaceTask], network: Path, workers: int) -> Table:
    work = partial(measured_picture, network=network)
    with multiprocessing.get_context("spawn").Pool(workers) as pool:
        rows = pool.imap(work, tasks, chunksize=16)
        return table_of(row for row in rows if row is not None)


def _mean_auc(parts: list[Table]) -> dict[str, float]:
    """The mean over halves, whose networks give scores of different scale.

    The interval draws the pairs of people of each half, two of them.
    """
    whole = float(np.mean([_auc_of_pairs(part, np.unique(part["source"])) for part in parts]))
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(DRAWS):
        values = []
        for part in parts:
            pairs = np.unique(part["source"])
            values.append(_auc_of_pairs(part, rng.choice(pairs, pairs.size)))
        drawn.append(np.mean(values))
    return estimate(percentile_interval(whole, np.array(drawn)))


def _auc_of_pairs(part: Table, pairs: np.ndarray[Any, Any]) -> float:
    weights = np.array([(pairs == source).sum() for source in part["source"]], np.float64)
    forged = part.forged
    if not weights[forged].sum() or not weights[~forged].sum():
        return float("nan")
    return auc(part["network"], forged, weights)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--ffpp", type=Path, nargs=2, metavar="FILE")
    parser.add_argument("--left-out", action="append", default=[], metavar="FAMILY=FILE")
    parser.add_argument("--trained", required=True, help="how, in words: 4,000 pairs")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
