"""Make the shipped calibrations: score a corpus of known truth, fit, write the data files.

    python recipes/calibrate.py pictures --shared-data ../shared/data --photographs FOLDER
    python recipes/calibrate.py videos
    python recipes/calibrate.py faces --shared-data ../shared/data
    python recipes/calibrate.py network

`pictures` and `faces` score every item with every weighing detector and keep the score
table in recipes/scores/; `--fit-only` fits from the kept table. `videos` takes the scores
of benchmarks/detection/video, which are made of the same clips; `network` those that
benchmarks/detection/face_network measured, one calibration a domain. Re-running gives the same
files: everything is seeded and split by source.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import io
import json
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
from corpora import picture_items
from face_clip_scores import read_clips
from face_measured import read_measured
from face_tables import PICTURES as PICTURE_NETWORK
from face_tables import VIDEO, VIDEOS, domain_rows, score_table, untouched
from material import PHOTOGRAPHS_VARIABLE
from scoring import Truth, score_all, weighing_detectors

from tidewaiter.detectors.registry import all_detectors
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.choosing import ANY_DOMAIN
from tidewaiter.opinion.cues import KindChoice, Recipe, Terms, terms_of
from tidewaiter.opinion.fitting import FitResult, fit_all
from tidewaiter.opinion.loading import dump_calibration
from tidewaiter.opinion.scores import (
    AS_ISSUED,
    MANIPULATED,
    ScoreRow,
    ScoreTable,
    read_scores,
    write_scores,
)
from tidewaiter.vocabulary import Status

HERE = Path(__file__).parent
ROOT = HERE.parent
SCORES = HERE / "scores"
SHIPPED = ROOT / "src" / "tidewaiter" / "opinion" / "calibrations"
RESULTS = ROOT / "benchmarks" / "detection" / "calibration" / "results"
FACE_NETWORK = ROOT / "benchmarks" / "detection" / "face_network" / "results"
VIDEO_ITEMS = ROOT / "benchmarks" / "detection" / "video" / "results" / "items.json"
SEED = 30107
LOOKED_FOR = {
    "image.copy_move": {"copy-move"},
    "image.noise_inconsistency": {"splice", "noise", "blur"},
    "image.resampling": {"splice", "copy-move"},
    "video.dropped_frames": {"cut", "drop", "freeze", "copy_cut", "copy_drop"},
    "video.inserted_stretch": {"insert"},
    "video.repeated_stretch": {"loop", "duplicate", "replace"},
    "video.timestamps_and_gops": {"copy_cut", "copy_drop"},
}
"""What a detector looks for: its likelihood ratio is against "altered in this way". Detectors
without an entry look for any local alteration."""
FACE_PAIRS = 300
"""How many genuine DFDC faces are taken, each with one forgery of the same original."""


def main() -> None:
    arguments = _arguments()
    os.environ.setdefault(PHOTOGRAPHS_VARIABLE, str(arguments.photographs or ""))
    kept = SCORES / f"{arguments.group}.csv.gz"
    if arguments.group == "network":
        calibrate_network(FACE_NETWORK)
        return
    if arguments.group == "videos":
        table = video_table(VIDEO_ITEMS)
    elif arguments.fit_only:
        table = read_scores(gzip.decompress(kept.read_bytes()).decode())
    else:
        table = _scored(arguments)
    _keep(kept, table)
    looked_for = ScoreTable(tuple(row for row in table.rows if _looked_for(row)))
    terms = terms_of(all_detectors().values())
    recipe = _recipe(arguments.group)
    result = fit_all(looked_for, terms, recipe, kinds=_curves(terms), fuse=False)
    _install(result.calibrations, {row.detector for row in table.rows})
    _report(arguments.group, table, result)


def calibrate_network(measured: Path) -> None:
    """One calibration of the face network for every domain, the untouched tenth left out."""
    rows = domain_rows(read_measured(measured / "pictures.csv.gz"), read_clips(measured))
    terms = terms_of(all_detectors().values())
    tables: dict[str, ScoreTable] = {}
    results = []
    for domain, all_rows in rows.items():
        detector = VIDEOS if domain == VIDEO else PICTURE_NETWORK
        fitting = [row for row in all_rows if not untouched(row)]
        tables[domain] = score_table(fitting, detector, terms[detector].version)
        recipe = replace(_recipe("network"), domain=domain)
        kinds: dict[str, KindChoice] = {detector: "best"}
        results.append(fit_all(tables[domain], terms, recipe, kinds=kinds, fuse=False))
    whole = ScoreTable((*tables[ANY_DOMAIN].rows, *tables[VIDEO].rows))
    fitted = tuple(calibration for result in results for calibration in result.calibrations)
    refused = tuple(refusal for result in results for refusal in result.refusals)
    _keep(SCORES / "network.csv.gz", whole)
    _install(fitted, {PICTURE_NETWORK, VIDEOS})
    _report("network", whole, FitResult(fitted, refused))


def _looked_for(row: ScoreRow) -> bool:
    species = LOOKED_FOR.get(row.detector)
    return not row.species or species is None or row.species in species


def _curves(terms: Mapping[str, Terms]) -> dict[str, KindChoice]:
    """The better of the two curves, chosen on held-out sources."""
    return dict.fromkeys(terms, "best")


def video_table(items: Path) -> ScoreTable:
    """The scores of the video benchmark as a table; a source is one original clip."""
    versions = {d.id: d.version for d in all_detectors().values()}
    rows = []
    for item in json.loads(items.read_text(encoding="utf-8")):
        genuine = item["class"] == "unaltered"
        for detector, score in item["scores"].items():
            rows.append(
                ScoreRow(
                    detector=detector,
                    version=versions[detector],
                    item=f"{item['source']}/{item['class']}",
                    source=item["source"],
                    label=AS_ISSUED if genuine else MANIPULATED,
                    species="" if genuine else item["class"],
                    shipping=item["copy"],
                    status=Status.NOT_APPLICABLE if score is None else Status.EXAMINED,
                    score=score,
                )
            )
    return ScoreTable(tuple(rows))


def face_items(shared_data: Path) -> Iterator[tuple[Truth, bytes]]:
    """Genuine DFDC faces and one forgery of each: the crops of the same original are one source."""
    folder = shared_data / "dfdc_faces224" / "faces_224"
    with (shared_data / "MANIFEST.tsv").open(newline="", encoding="utf-8") as lines:
        rows = [r for r in csv.DictReader(lines, delimiter="\t") if r["file"].startswith("dfdc")]
    genuine = {
        Path(r["file"]).stem: Path(r["file"]).name
        for r in rows
        if r["label"].startswith("real") and "train only" not in r["note"]
    }
    forged: dict[str, str] = {}
    for row in rows:
        original = Path(row["label"].removeprefix("fake:")).stem
        if row["label"].startswith("fake:") and original in genuine:
            forged.setdefault(original, Path(row["file"]).name)
    both = sorted(genuine.keys() & forged.keys())
    rng = np.random.default_rng(SEED)
    for index in sorted(rng.permutation(len(both))[:FACE_PAIRS]):
        original = both[index]
        for label, name in ((AS_ISSUED, genuine[original]), (MANIPULATED, forged[original])):
            species = "" if label == AS_ISSUED else "dfdc"
            truth = Truth(f"dfdc/{name}", f"dfdc/{original}", label, species, "as_received")
            yield truth, (folder / name).read_bytes()


def _scored(arguments: argparse.Namespace) -> ScoreTable:
    started = time.monotonic()
    if arguments.group == "faces":
        items = face_items(arguments.shared_data)
        detectors = weighing_detectors("face.manipulated")
    else:
        items = picture_items(arguments.shared_data, seed=SEED, sources=arguments.sources)
        detectors = weighing_detectors("image.altered")
    wanted = arguments.detectors or detectors
    table = score_all(items, wanted, workers=arguments.workers)
    print(f"{len(table.rows)} rows in {time.monotonic() - started:.0f} s")
    return _merged(SCORES / f"{arguments.group}.csv.gz", table) if arguments.detectors else table


def _merged(kept: Path, fresh: ScoreTable) -> ScoreTable:
    """The kept table with the rows of re-scored detectors replaced."""
    again = {detector for detector, _ in fresh.detectors}
    old = read_scores(gzip.decompress(kept.read_bytes()).decode()).rows
    return ScoreTable((*(row for row in old if row.detector not in again), *fresh.rows))


def _recipe(group: str) -> Recipe:
    return Recipe(name=f"recipes/calibrate.py {group}", data=f"recipes/scores/{group}", seed=SEED)


def _keep(path: Path, table: ScoreTable) -> None:
    path.parent.mkdir(exist_ok=True)
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as file:
        file.write(write_scores(table).encode())
    path.write_bytes(buffer.getvalue())


def _install(calibrations: tuple[Calibration, ...], detectors: set[str]) -> None:
    """Replace the shipped calibrations of these detectors."""
    for file in SHIPPED.glob("*.json"):
        members = json.loads(file.read_text(encoding="utf-8"))["members"]
        if {member["detector"] for member in members} & detectors:
            file.unlink()
    for calibration in calibrations:
        path = SHIPPED / f"{calibration.id}.json"
        path.write_text(dump_calibration(calibration), encoding="utf-8")


def _report(group: str, table: ScoreTable, result: FitResult) -> None:
    """Write and print what was fitted and what was refused."""
    summary = {
        "group": group,
        "table_sha256": table.sha256,
        "items": len({(row.item, row.shipping) for row in table.rows}),
        "sources": len({row.source for row in table.rows}),
        "fitted": {c.id: _summary(c) for c in result.calibrations},
        "refused": {"+".join(r.detectors): str(r.reason) for r in result.refusals},
    }
    RESULTS.mkdir(parents=True, exist_ok=True)
    text = json.dumps(summary, indent=1, ensure_ascii=False) + "\n"
    (RESULTS / f"{group}.json").write_text(text, encoding="utf-8")
    print(text)


def _summary(calibration: Calibration) -> dict[str, object]:
    fields = {"members", "proposition", "as_issued", "manipulated", "bounds", "measures"}
    return calibration.model_dump(mode="json", include=fields)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("group", choices=["pictures", "videos", "faces", "network"])
    parser.add_argument("--shared-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--photographs", type=Path, help="folder made by fetch_photographs.py")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--sources", type=int, help="only so many sources, for a trial")
    parser.add_argument("--detectors", nargs="+", help="score only these anew, keep the others")
    parser.add_argument("--fit-only", action="store_true", help="fit from the kept score table")
    return parser.parse_args()


if __name__ == "__main__":
    main()
