"""Detection and false alarms of the JPEG cues, by domain, with intervals.

    export TIDEWAITER_PHOTOGRAPHS=FOLDER        # see recipes/fetch_photographs.py
    python benchmarks/detection/jpeg/run.py --data ../shared/data [--only splices …]

Writes results/<part>.json: what protocol.toml asks for, counted by independent source.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "recipes")]

from material import Genuine, genuine_pictures, source_group  # noqa: E402
from measuring import (  # noqa: E402
    PROTOCOL,
    ROOT,
    Scene,
    block_auc,
    block_truth,
    bootstrap,
    mean_by_source,
    png_bytes,
    rate,
    scenes,
    spread,
    traces,
)

from tidewaiter.detectors.image import jpeg_double  # noqa: E402
from tidewaiter.detectors.image.jpeg_grid import JpegGridDetector  # noqa: E402
from tidewaiter.detectors.image.jpeg_shifted import JpegShiftedDetector  # noqa: E402
from tidewaiter.evaluation.rates import auc  # noqa: E402
from tidewaiter.forgeries.pictures import (  # noqa: E402
    Altered,
    decoded,
    jpeg_bytes,
    jpeg_history,
    splice,
)
from tidewaiter.traces.base import Untaken  # noqa: E402
from tidewaiter.traces.jpeg_double import FREQUENCIES, clipped_blocks  # noqa: E402
from tidewaiter.vocabulary import Finding, Status  # noqa: E402

LOSSLESS = 101


def main() -> None:
    cv2.setNumThreads(1)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--only", nargs="*", choices=sorted(PARTS), default=sorted(PARTS))
    parser.add_argument("--limit", type=int, default=None, help="pictures per kind, for trials")
    asked = parser.parse_args()
    for part in asked.only:
        result = PARTS[part](asked)
        target = HERE / "results" / f"{part}.json"
        target.parent.mkdir(exist_ok=True)
        text = json.dumps({"part": part, "seed": PROTOCOL["seed"], **result}, indent=1)
        if asked.limit is None:
            target.write_text(text + "\n", encoding="utf-8")
        print(text)


def splices(asked: argparse.Namespace) -> dict[str, Any]:
    """Aligned double JPEG: block AUC by true step ratio, and what candidate gates would do."""
    rows = list(_spliced(scenes(asked.limit)))
    edges = PROTOCOL["splices"]["ratio_bins"]
    bins = [
        {"ratio": [low, high], **_block_summary([r for r in rows if low <= r["ratio"] < high])}
        for low, high in pairwise(edges)
    ]
    equal = [row for row in rows if row["ratio"] == 1]
    refused = sum(not _inside(row, *GATE) for row in equal)
    return {
        "splices": len(rows),
        "sources": len({row["source"] for row in rows}),
        "gate": GATE,
        "by_true_ratio": bins,
        "equal_tables_refused": rate(refused, len(equal)),
        "gates": [_gate_summary(rows, *gate) for gate in PROTOCOL["splices"]["gates_tried"]],
        "image_level": _image_level(rows),
    }


def equal(asked: argparse.Namespace) -> dict[str, Any]:
    """Equal tables hide a pasted part: how often the gate refuses to speak."""
    rng = np.random.default_rng(PROTOCOL["seed"])
    pictures, refused, sources = scenes(asked.limit), [], set()
    first, last, step = PROTOCOL["equal"]["qualities"]
    for number, quality in enumerate(range(first, last + 1, step)):
        for index, scene in _in_turn(pictures, number):
            host = jpeg_history(scene.rgb, [quality])
            made = splice(host, _other(pictures, index, rng).rgb, rng, share=_share(rng))
            found = findings(["image.jpeg_double"], jpeg_bytes(made.rgb, quality))
            refused.append(found["image.jpeg_double"].status is Status.NOT_APPLICABLE)
            sources.add(scene.source)
    return {"sources": len(sources), "refused": rate(sum(refused), len(refused))}


def shifted(asked: argparse.Namespace) -> dict[str, Any]:
    """Shifted double JPEG: scores of splices and of the same hosts unaltered."""
    rng = np.random.default_rng(PROTOCOL["seed"])
    pictures, result = scenes(asked.limit), []
    for number, (donor_quality, host_quality, last) in enumerate(PROTOCOL["shifted"]["triples"]):
        items = []
        for index, scene in _in_turn(pictures, number):
            history = [host_quality] if host_quality else []
            host = jpeg_history(scene.rgb, history)
            donor = jpeg_history(_other(pictures, index, rng).rgb, [donor_quality])
            made = splice(host, donor, rng, share=_share(rng))
            for label, rgb in ((True, made.rgb), (False, host)):
                name = "image.jpeg_shifted"
                found = findings([name], jpeg_bytes(rgb, last))[name]
                items.append((label, found.score, scene.source))
        result.append(
            {"donor": donor_quality, "host": host_quality, "last": last, **_scores(items)}
        )
    return {"by_quality": result}


def grid(asked: argparse.Namespace) -> dict[str, Any]:
    """Grid cue: detection and false alarms by the quality of the last saving."""
    rng = np.random.default_rng(PROTOCOL["seed"])
    pictures, rows = scenes(asked.limit), []
    for last in PROTOCOL["grid"]["final_qualities"]:
        counts = {"spliced": 0, "clean": 0, "spliced_spoken": 0, "clean_spoken": 0}
        overlap = []
        for index, scene in enumerate(pictures):
            host = jpeg_history(scene.rgb, [int(rng.integers(60, 93))])
            donor = jpeg_history(_other(pictures, index, rng).rgb, [int(rng.integers(60, 93))])
            made = _off_grid(host, donor, rng)
            for name, rgb in (("spliced", made.rgb), ("clean", host)):
                data = png_bytes(rgb) if last == LOSSLESS else jpeg_bytes(rgb, last)
                measured = traces(data, ["jpeg.grid"])
                taken = measured["jpeg.grid"]
                spoken = JpegGridDetector().find(measured).status is Status.EXAMINED
                raised = taken.main_origin is not None and taken.best_log10_nfa < 0
                counts[name] += raised
                counts[f"{name}_spoken"] += spoken
                if name == "spliced" and raised:
                    overlap.append(_overlap(taken.region_map > 0, made.mask))
        rows.append(
            {
                "last": last,
                "detected": rate(counts["spliced"], len(pictures)),
                "false_alarms": rate(counts["clean"], len(pictures)),
                "inside_gate": rate(
                    counts["spliced_spoken"] + counts["clean_spoken"], 2 * len(pictures)
                ),
                "median_overlap": float(np.median(overlap)) if overlap else None,
            }
        )
    return {"sources": len(pictures), "by_final_quality": rows}


def genuine(asked: argparse.Namespace) -> dict[str, Any]:
    """False alarms on genuine pictures: as issued, saved again, and stored without loss."""
    thresholds = PROTOCOL["genuine"]["thresholds"]
    tallies: dict[tuple[str, str, str], list[tuple[float | None, str]]] = {}
    for picture, variant, data, detectors in _variants(asked):
        for name, found in findings(detectors, data).items():
            key = (name, picture.kind, variant)
            tallies.setdefault(key, []).append((found.score, source_group(picture)))
    rows = [
        {
            "detector": key[0],
            "kind": key[1],
            "variant": key[2],
            **_alarms(items, thresholds[key[0]]),
        }
        for key, items in sorted(tallies.items())
    ]
    totals = [
        {"detector": name, **_alarms(_joined(tallies, name), thresholds[name])}
        for name in sorted(thresholds)
    ]
    return {"thresholds": thresholds, "totals": totals, "by_kind": rows}


def findings(detectors: Sequence[str], data: bytes) -> dict[str, Finding]:
    """What detectors find in one file, taken in one go; none of them may fail."""
    taken = traces(data, {need for name in detectors for need in DETECTORS[name].needs})
    found = {name: DETECTORS[name].find(taken) for name in detectors}
    for name, result in found.items():
        if result.status is Status.FAILED:
            raise RuntimeError(f"{name}: {result.reason}")
    return found


def _spliced(pictures: list[Scene]) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng(PROTOCOL["seed"])
    for number, (first, last) in enumerate(PROTOCOL["splices"]["pairs"]):
        ratio = _true_ratio(first, last)
        for index, scene in _in_turn(pictures, number):
            sampling = int(rng.choice([0, 2]))
            host = jpeg_history(scene.rgb, [first], subsampling=sampling)
            donor = _other(pictures, index, rng).rgb
            if (number + index) // 2 % 2:
                donor = jpeg_history(donor, [int(rng.integers(55, 96))], subsampling=sampling)
            made = splice(host, donor, rng, share=_share(rng))
            truth = block_truth(made.mask)
            data = jpeg_bytes(made.rgb, last, subsampling=sampling)
            found = traces(data, ["jpeg.double"])
            clean = traces(jpeg_bytes(host, last, subsampling=sampling), ["jpeg.double"])
            double, untouched = found["jpeg.double"], clean["jpeg.double"]
            unclipped = ~clipped_blocks(decoded(data))
            if isinstance(double, Untaken):
                raise TypeError(f"{scene.source}: {double.reason}")
            yield {
                "source": scene.source,
                "pair": [first, last],
                "ratio": ratio,
                "found_ratio": double.step_ratio,
                "gain": double.mean_gain,
                "peak": double.peak,
                "clean_peak": untouched.peak,
                "clean_found_ratio": untouched.step_ratio,
                "clean_gain": untouched.mean_gain,
                "auc": block_auc(double.inserted_map, truth),
                "unclipped_auc": block_auc(double.inserted_map, truth, unclipped),
            }


def _in_turn(pictures: list[Scene], number: int) -> list[tuple[int, Scene]]:
    """Every n-th photograph, starting one later for every next quality pair."""
    return list(enumerate(pictures))[number % PROTOCOL["every"] :: PROTOCOL["every"]]


def _true_ratio(first: int, last: int) -> float:
    flat = np.zeros((16, 16), np.uint8)
    tables = [
        traces(jpeg_bytes(flat, quality), ["jpeg.coefficients"])["jpeg.coefficients"].table
        for quality in (first, last)
    ]
    return float(np.median([tables[0][f] / tables[1][f] for f in FREQUENCIES]))


def _other(pictures: list[Scene], index: int, rng: np.random.Generator) -> Scene:
    return pictures[(index + int(rng.integers(1, max(2, len(pictures))))) % len(pictures)]


def _share(rng: np.random.Generator) -> float:
    return float(rng.uniform(*PROTOCOL["share"]))


def _off_grid(host: np.ndarray, donor: np.ndarray, rng: np.random.Generator) -> Altered:
    """A splice whose donor grid does not fall on the host's."""
    top, left = divmod(int(rng.integers(1, 64)), 8)
    shifted_donor = np.roll(donor[: donor.shape[0] // 8 * 8], (top, left), (0, 1))
    side = min(host.shape[0], shifted_donor.shape[0]), min(host.shape[1], shifted_donor.shape[1])
    made = splice(host[: side[0], : side[1]], host[: side[0], : side[1]], rng, share=_share(rng))
    part = shifted_donor[: side[0], : side[1]]
    rgb = np.where(made.mask[..., None], part, host[: side[0], : side[1]])
    return Altered(rgb, made.mask)


def _overlap(cells: np.ndarray, mask: np.ndarray) -> float:
    truth = block_truth(mask)
    found = cells[: truth.shape[0], : truth.shape[1]]
    return float((found & truth).sum() / max(1, (found | truth).sum()))


def _inside(row: dict[str, Any], ratio: float, gain: float, *, clean: bool = False) -> bool:
    start = "clean_" if clean else ""
    return bool(row[f"{start}found_ratio"] >= ratio and row[f"{start}gain"] >= gain)


def _block_summary(rows: list[dict[str, Any]]) -> dict[str, Any]:
    if not rows:
        return {"items": 0}
    inside = [row for row in rows if _inside(row, *GATE)]
    return {
        "items": len(rows),
        "declined": rate(len(rows) - len(inside), len(rows)),
        "gain": spread([row["gain"] for row in rows]),
        "found_ratio": spread([row["found_ratio"] for row in rows]),
        "block_auc": mean_by_source(rows, "auc"),
        "block_auc_inside_gate": mean_by_source(inside, "auc"),
        "unclipped_block_auc_inside_gate": mean_by_source(inside, "unclipped_auc"),
    }


def _gate_summary(rows: list[dict[str, Any]], ratio: float, gain: float) -> dict[str, Any]:
    inside = [row for row in rows if _inside(row, ratio, gain)]
    worth = [row for row in rows if row["ratio"] >= 1.6]
    return {
        "ratio": ratio,
        "gain": gain,
        "spoken_of_ratio_1.6_and_more": sum(_inside(r, ratio, gain) for r in worth) / len(worth),
        "block_auc": mean_by_source(inside, "auc"),
        "unclipped_block_auc": mean_by_source(inside, "unclipped_auc"),
    }


def _image_level(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Image AUC and detection inside the gate, spliced against the same hosts unaltered."""
    items = [(True, r["peak"], r["source"]) for r in rows if _inside(r, *GATE)]
    items += [(False, r["clean_peak"], r["source"]) for r in rows if _inside(r, *GATE, clean=True)]
    return _scores(items)


def _scores(items: list[tuple[bool, float | None, str]]) -> dict[str, Any]:
    kept = [item for item in items if item[1] is not None]
    declined = rate(len(items) - len(kept), len(items))
    labels = np.array([item[0] for item in kept], bool)
    if labels.all() or not labels.any():
        return {"items": len(items), "declined": declined}
    scores = np.array([item[1] for item in kept], float)
    interval = bootstrap(lambda weights: auc(scores, labels, weights), labels, [i[2] for i in kept])
    return {
        "items": len(items),
        "declined": declined,
        "image_auc": interval,
        "spliced": spread(scores[labels]),
        "unaltered": spread(scores[~labels]),
    }


def _variants(
    asked: argparse.Namespace,
) -> Iterator[tuple[Genuine, str, bytes, tuple[str, ...]]]:
    """Every genuine picture as issued and re-saved, and which detectors look at it."""
    rng = np.random.default_rng(PROTOCOL["seed"])
    low, high = PROTOCOL["genuine"]["qualities"]
    saved = ("image.jpeg_double", "image.jpeg_shifted")
    for picture in _genuine(asked.data, asked.limit, rng):
        if picture.data is not None:
            yield picture, "as issued", picture.data, saved
        first, last = sorted(int(q) for q in rng.integers(low, high + 1, 2))
        yield picture, "saved once more", jpeg_bytes(picture.rgb, last), saved
        twice = jpeg_history(picture.rgb, [first])
        yield picture, "saved twice more", jpeg_bytes(twice, last), saved
        yield picture, "as PNG", png_bytes(picture.rgb), ("image.jpeg_grid",)
        yield picture, "saved, then PNG", png_bytes(twice), ("image.jpeg_grid",)
        finest = jpeg_bytes(twice, int(rng.integers(97, 101)))
        yield picture, "saved, then 97 to 100", finest, ("image.jpeg_grid",)


def _genuine(data: Path, limit: int | None, rng: np.random.Generator) -> Iterator[Genuine]:
    most = PROTOCOL["genuine"]["most"]
    for scene in scenes(limit):
        yield Genuine(scene.rgb, scene.source, "photograph", scene.source)
    for kind, per_source in PROTOCOL["genuine"]["per_source"].items():
        count = limit or most.get(kind, sys.maxsize)
        pictures = genuine_pictures(data, kinds=[kind], rng=rng, per_source=per_source)
        yield from (picture for _, picture in zip(range(count), pictures, strict=False))


def _alarms(items: list[tuple[float | None, str]], threshold: float) -> dict[str, Any]:
    scores = np.array([score for score, _ in items if score is not None])
    result = {
        "pictures": len(items),
        "sources": len({source for _, source in items}),
        "examined": int(scores.size),
        "false_alarms_of_all": rate(int((scores > threshold).sum()), len(items)),
    }
    if scores.size:
        result["false_alarms_of_examined"] = rate(int((scores > threshold).sum()), scores.size)
        result["scores"] = spread(scores)
    return result


def _joined(
    tallies: dict[tuple[str, str, str], list[tuple[float | None, str]]], name: str
) -> list[tuple[float | None, str]]:
    return [item for key, items in tallies.items() if key[0] == name for item in items]


GATE = jpeg_double.MIN_STEP_RATIO, jpeg_double.MIN_MEAN_GAIN
DETECTORS = {
    detector.id: detector
    for detector in (JpegGridDetector(), jpeg_double.JpegDoubleDetector(), JpegShiftedDetector())
}
PARTS: dict[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "splices": splices,
    "equal": equal,
    "shifted": shifted,
    "grid": grid,
    "genuine": genuine,
}

if __name__ == "__main__":
    main()
