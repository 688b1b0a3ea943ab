"""Measure every picture and clip with the face network; figures.py makes the figures of it.

    python benchmarks/detection/face_network/measure.py pictures --shared-data ../shared/data
    python benchmarks/detection/face_network/measure.py clips --work FOLDER

`--network FILE` measures another ONNX file than the shipped one; `--share 0.02` takes a
part, for a trial; `--out` is the folder of results. FOLDER keeps re-encoded clips between
runs. Pictures take about 50 ms each, clips about a third of their duration.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from functools import partial
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "recipes"))

from face_clips import clip_tasks  # noqa: E402
from face_corpus import picture_tasks  # noqa: E402
from face_measured import write_compressed, write_measured  # noqa: E402
from face_measuring import measured_clip, measured_picture, network_at  # noqa: E402
from face_splits import (  # noqa: E402
    REPORT,
    TRAIN,
    VALIDATE,
    dfdc_faces,
    ffpp_clips,
    lfw_faces,
    utkface_faces,
)

LISTINGS = {
    "DFDC face crops (genuine and forged)": (dfdc_faces, "DFDC terms (research)"),
    "UTKFace (genuine)": (utkface_faces, "non-commercial research"),
    "LFW deep-funneled (genuine)": (lfw_faces, "research"),
    "FaceForensics++ c23 clips": (ffpp_clips, "research, non-commercial"),
}
"""Every set with its terms as data/MANIFEST.tsv and its makers state them."""


def main() -> None:
    given = _arguments()
    os.environ |= {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_WAIT_POLICY": "PASSIVE",
    }
    started = time.monotonic()
    measure = _pictures if given.what == "pictures" else _clips
    items = measure(given)
    print(f"{items} items in {time.monotonic() - started:.0f} s")


def _pictures(given: argparse.Namespace) -> int:
    tasks = picture_tasks(given.shared_data, share=given.share)
    work = partial(measured_picture, network=given.network)
    rows = []
    with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
        for number, row in enumerate(pool.imap(work, tasks, chunksize=16), start=1):
            if row is not None:
                rows.append(row)
            if number % 1000 == 0:
                print(f"{number} of {len(tasks)} pictures", flush=True)
    write_measured(given.out / "pictures.csv.gz", rows)
    _name_network(given)
    return len(rows)


def _clips(given: argparse.Namespace) -> int:
    tasks = clip_tasks(given.shared_data)
    picks = np.linspace(0, len(tasks) - 1, max(2, round(given.share * len(tasks)))).astype(int)
    tasks = [tasks[i] for i in np.unique(picks)]
    work = partial(measured_clip, network=given.network, folder=given.work)
    with multiprocessing.get_context("spawn").Pool(given.workers) as pool:
        found = []
        for number, pair in enumerate(pool.imap(work, tasks, chunksize=1), start=1):
            found.append(pair)
            if number % 50 == 0:
                print(f"{number} of {len(tasks)} clips", flush=True)
    write_measured(given.out / "clips.csv.gz", (row for row, _ in found))
    looks = [asdict(entry) for _, tracks in found for entry in tracks]
    write_compressed(given.out / "looks.json.gz", json.dumps(looks, separators=(",", ":")))
    _name_network(given)
    return len(found)


def _name_network(given: argparse.Namespace) -> None:
    """Which file was measured, and how the material was split for it."""
    own = network_at(given.network)
    content = {"sha256": own.sha256, "byte_length": len(own.content())}
    content["material"] = {name: _counts(given.shared_data, name) for name in LISTINGS}
    text = json.dumps(content, indent=1)
    (given.out / "network.json").write_text(text + "\n", encoding="utf-8")


def _counts(shared_data: Path, name: str) -> dict[str, int | str]:
    listing, terms = LISTINGS[name]
    parts = Counter(file.part for file in listing(shared_data))
    return {**{part: parts[part] for part in (TRAIN, VALIDATE, REPORT)}, "licence": terms}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["pictures", "clips"])
    parser.add_argument("--shared-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--network", type=Path, help="ONNX file [default: the shipped one]")
    parser.add_argument("--out", type=Path, default=HERE / "results")
    parser.add_argument("--work", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
