"""How often genuine media are said to support manipulation, as received and re-shipped.

    python benchmarks/detection/false_support/run.py --shared-data ../shared/data \
        [--per-kind 100]

Every genuine item is examined with the shipped calibrations, once as received and once after
each transform of the stability battery, without the battery's own veto: this measures what a
file that was re-shipped before it reached us would be told. Items the calibrations were
fitted on are left out by their source. Rates carry Clopper–Pearson bounds over sources.
"""

from __future__ import annotations

import argparse
import gzip
import json
import multiprocessing
import os
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "recipes"))

from material import genuine_pictures, source_group  # noqa: E402

from tidewaiter.casework.plan import Plan, installed_versions  # noqa: E402
from tidewaiter.evaluation.intervals import clopper_pearson  # noqa: E402
from tidewaiter.forgeries.pictures import jpeg_bytes  # noqa: E402
from tidewaiter.media import Picture, open_media  # noqa: E402
from tidewaiter.media.reshipping import PICTURE_TRANSFORMS  # noqa: E402
from tidewaiter.opinion.loading import load_calibrations  # noqa: E402
from tidewaiter.opinion.scores import read_scores  # noqa: E402
from tidewaiter.opinion.weighing import weigh  # noqa: E402
from tidewaiter.traces.base import collect_picture  # noqa: E402
from tidewaiter.vocabulary import MediaKind, Verdict  # noqa: E402

SEED = 19795
KINDS = ("lfw", "utkface", "dfdc", "ffpp", "intel_videos", "liveportrait")


def main() -> None:
    arguments = _arguments()
    used = _sources_used()
    tasks = list(_items(arguments.shared_data, arguments.per_kind, used))
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with multiprocessing.get_context("spawn").Pool(arguments.workers) as pool:
        answers = list(pool.imap(examine, tasks, chunksize=4))
    summary = summarise(answers)
    out = HERE / "results" / "pictures.json"
    out.parent.mkdir(exist_ok=True)
    out.write_text(json.dumps(summary, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(summary, indent=1))


def examine(task: tuple[str, str, bytes]) -> tuple[str, str, dict[str, list[str]]]:
    """Propositions supported as manipulated, by shipping, for one genuine picture."""
    kind, source, data = task
    with tempfile.TemporaryDirectory(prefix="tidewaiter-false-support-") as folder:
        path = Path(folder) / "received"
        path.write_bytes(data)
        picture = open_media(path)
        assert isinstance(picture, Picture)
        supported = {"as_received": _supported(picture)}
        for name, transform in PICTURE_TRANSFORMS.items():
            copy = Path(folder) / name
            copy.write_bytes(transform(picture))
            reshipped = open_media(copy)
            assert isinstance(reshipped, Picture)
            supported[name] = _supported(reshipped)
    return kind, source, supported


def summarise(answers: list[tuple[str, str, dict[str, list[str]]]]) -> dict[str, object]:
    """False support per shipping and per kind of material; intervals over sources."""
    by_shipping: dict[str, dict[str, bool]] = defaultdict(dict)
    by_kind: dict[str, dict[str, bool]] = defaultdict(dict)
    which: Counter[str] = Counter()
    for kind, source, supported in answers:
        for shipping, propositions in supported.items():
            wrong = bool(propositions)
            by_shipping[shipping][source] = by_shipping[shipping].get(source, False) or wrong
            by_kind[kind][source] = by_kind[kind].get(source, False) or wrong
            which.update(f"{shipping}: {p}" for p in propositions)
    return {
        "items": len(answers),
        "sources": len({source for _, source, _ in answers}),
        "by_shipping": {name: _rate(found) for name, found in by_shipping.items()},
        "any_shipping_by_kind": {name: _rate(found) for name, found in by_kind.items()},
        "which": dict(which),
    }


def _rate(by_source: dict[str, bool]) -> dict[str, object]:
    wrong, total = sum(by_source.values()), len(by_source)
    interval = clopper_pearson(wrong, total)
    return {
        "sources": total,
        "with_false_support": wrong,
        "rate": round(wrong / total, 4),
        "interval_95": [round(interval.lower, 4), round(interval.upper, 4)],
    }


def _supported(picture: Picture) -> list[str]:
    detectors = [d for d in Plan().detectors_for(MediaKind.PICTURE) if d.weighs]
    traces = collect_picture(picture, {need for d in detectors for need in d.needs})
    findings = [detector.find(traces) for detector in detectors]
    calibrations = load_calibrations(installed_versions()).usable
    opinions = weigh(findings, calibrations, kind=MediaKind.PICTURE)
    return [o.proposition.value for o in opinions if o.verdict is Verdict.SUPPORTS_MANIPULATED]


def _items(shared: Path, per_kind: int, used: set[str]) -> list[tuple[str, str, bytes]]:
    rng = np.random.default_rng(SEED)
    items = []
    for kind in KINDS:
        per_source = 4 if kind in ("ffpp", "intel_videos", "liveportrait") else 1
        found = list(genuine_pictures(shared, kinds=[kind], rng=rng, per_source=per_source))
        fresh = [p for p in found if source_group(p) not in used]
        for index in sorted(rng.permutation(len(fresh))[:per_kind]):
            picture = fresh[index]
            data = picture.data or jpeg_bytes(picture.rgb, 92)
            items.append((kind, source_group(picture), data))
    return items


def _sources_used() -> set[str]:
    table = ROOT / "recipes" / "scores" / "pictures.csv.gz"
    rows = read_scores(gzip.decompress(table.read_bytes()).decode()).rows
    return {row.source for row in rows}


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared-data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--per-kind", type=int, default=100)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args()


if __name__ == "__main__":
    main()
