"""What the detectors by pixel statistics find, miss and cry wolf at.

    python benchmarks/detection/pixels/run.py --part goods|photographs|small|generated|speed

Photographs are those of recipes/photographs.tsv, fetched by recipes/fetch_photographs.py
(TIDEWAITER_PHOTOGRAPHS names the folder); `small` and `generated` read ../shared/data.
Writes results/<part>.json: for every detector, kind of forgery and shipping the AUC with a
bootstrap over sources, the share declined, and rates at a threshold chosen on the even
sources and reported on the odd ones.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tidewaiter.detectors.image.copy_move import CopyMoveDetector
from tidewaiter.detectors.image.generated_spectrum import GeneratedSpectrumDetector
from tidewaiter.detectors.image.noise_inconsistency import NoiseInconsistencyDetector
from tidewaiter.detectors.image.resampling import ResamplingDetector
from tidewaiter.evaluation.intervals import clopper_pearson, source_bootstrap
from tidewaiter.evaluation.rates import auc
from tidewaiter.evaluation.sources import codes
from tidewaiter.forgeries import pictures
from tidewaiter.forgeries.goods import GOODS, copy_unit, render_wall
from tidewaiter.media import Picture
from tidewaiter.traces.base import Traces, collect_picture
from tidewaiter.traces.copy_move import CopyMoveTrace
from tidewaiter.traces.noise import NoiseTrace
from tidewaiter.traces.resampling import ResamplingTrace
from tidewaiter.traces.spectrum import SpectrumTrace
from tidewaiter.vocabulary import Exhibit, MediaKind, Status

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
PROTOCOL = tomllib.loads((HERE / "protocol.toml").read_text(encoding="utf-8"))
SHARED = ROOT.parent / "shared" / "data"

COPY, NOISE, RESAMPLING, SPECTRUM = (
    CopyMoveDetector(),
    NoiseInconsistencyDetector(),
    ResamplingDetector(),
    GeneratedSpectrumDetector(),
)

Pixels = NDArray[np.uint8]

MEGAPIXELS_12 = (4000, 3000)
LARGE_PX = 7_000_000
SPEED_PHOTOGRAPHS = 4
AS_MADE = ("as made",)
COPY_SHIPPINGS = ("as made", "JPEG 90", "JPEG 75", "resized to 75 %, JPEG 90")
TIMED = ("copy_move", "noise", "resampling", "spectrum")


@dataclass(frozen=True)
class Item:
    """One picture: what it is made from, what was done to it, and by whom it is examined."""

    rgb: Pixels
    source: str
    forgery: str
    detectors: tuple[Any, ...]
    data: bytes = b""
    shippings: tuple[str, ...] = ()
    """Names of the shippings it goes through; none: all."""


@dataclass(frozen=True)
class Score:
    """What one detector said; `score` nan where it declined."""

    detector: str
    forgery: str
    shipping: str
    source: str
    score: float


def main() -> None:
    """Run one part and write its results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--part", choices=[*PARTS, "speed"], required=True)
    part = parser.parse_args().part
    cv2.setNumThreads(1)
    if part == "speed":
        rows = speed()
    else:
        rows = summary([score for item in PARTS[part]() for score in examined(item)])
    result = {"protocol": PROTOCOL, "part": part, "results": rows}
    target = HERE / "results" / f"{part}.json"
    target.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {target}")


def goods() -> Iterator[Item]:
    """Walls of identical goods, genuine and with one unit copied."""
    settings = PROTOCOL["goods"]
    for kind in GOODS:
        for index in range(settings["walls_of_each"]):
            rng = np.random.default_rng([PROTOCOL["seed"], GOODS.index(kind), index])
            wall = render_wall(kind, rng, height=settings["height"], width=settings["width"])
            copied = copy_unit(wall, rng, exact_place=index % 4 < 2)
            source = f"{kind} {index:03d}"
            yield Item(wall.rgb, source, "none", (COPY,), shippings=COPY_SHIPPINGS)
            yield Item(copied.rgb, source, "copied unit", (COPY,), shippings=COPY_SHIPPINGS)


def photographs() -> Iterator[Item]:
    """Photographs, genuine and altered in five ways."""
    settings = PROTOCOL["photographs"]
    hosts = _photograph_crops()
    for index, (source, host) in enumerate(hosts):
        rng = np.random.default_rng([PROTOCOL["seed"], index])
        donor = hosts[(index + 1) % len(hosts)][1]
        larger = cv2.resize(donor, None, fx=settings["enlarged_by"], fy=settings["enlarged_by"])
        low, high = settings["copy_share"]
        share = float(rng.uniform(low, high))
        yield Item(host, source, "none", (NOISE, RESAMPLING, SPECTRUM))
        yield Item(host, source, "none", (COPY,), shippings=COPY_SHIPPINGS)
        copied = pictures.copy_move(host, rng, share=share)
        yield Item(copied.rgb, source, "copy", (COPY,), shippings=COPY_SHIPPINGS)
        turned = pictures.copy_move(host, rng, share=share, scale=1.15, degrees=12)
        yield Item(
            turned.rgb, source, "turned and scaled copy", (COPY,), shippings=COPY_SHIPPINGS[:2]
        )
        spliced = pictures.splice(host, donor, rng, share=settings["splice_share"])
        yield Item(spliced.rgb, source, "splice", (NOISE, RESAMPLING))
        enlarged = pictures.splice(host, larger, rng, share=settings["enlarged_share"])
        yield Item(enlarged.rgb, source, "enlarged splice", (NOISE, RESAMPLING))
        noisier = pictures.local_noise_change(
            host, rng, share=settings["splice_share"], sigma=settings["noise_sigma"]
        )
        yield Item(noisier.rgb, source, "noise added", (NOISE,))


def small() -> Iterator[Item]:
    """Small genuine portraits, where every alarm is a false one."""
    for folder in sorted((SHARED / "lfw_deepfunneled").iterdir())[: PROTOCOL["lfw"]["people"]]:
        if folder.is_dir():
            data = min(folder.glob("*.jpg")).read_bytes()
            yield Item(pictures.decoded(data), folder.name, "none", (COPY,), data, AS_MADE)


def generated() -> Iterator[Item]:
    """Generated and real pictures of the same two people, saved alike."""
    for kind, forgery in (("real", "none"), ("fake", "generated")):
        for path in sorted((SHARED / "ecuador_lora" / kind).glob("*/*")):
            data = path.read_bytes()
            rgb = pictures.decoded(data)
            yield Item(rgb, path.parent.name, forgery, (SPECTRUM,), data, AS_MADE)


def speed() -> list[dict[str, Any]]:
    """CPU seconds of every trace on photographs brought to 12 megapixels, one thread."""
    rows = []
    for source, rgb in _photographs_of(MEGAPIXELS_12):
        data = pictures.jpeg_bytes(rgb, 90)
        picture = _picture(pictures.decoded(data), data, source)
        started = time.process_time()
        cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        row = {"source": source, "decode": round(time.process_time() - started, 3)}
        started = time.process_time()
        _ = picture.luma
        row["luma"] = round(time.process_time() - started, 3)
        for trace in (CopyMoveTrace, NoiseTrace, ResamplingTrace, SpectrumTrace):
            started = time.process_time()
            trace().measure(picture, Traces(MediaKind.PICTURE, {}))
            row[trace.name] = round(time.process_time() - started, 3)
        row["all traces"] = round(sum(row[name] for name in sorted(TIMED)), 3)
        rows.append(row)
    return rows


def examined(item: Item) -> Iterator[Score]:
    """Every detector's score after every shipping."""
    for shipping in PROTOCOL["shipping"]:
        if shipping["name"] not in (item.shippings or (shipping["name"],)):
            continue
        picture = _shipped(item, shipping["scale"], shipping["quality"])
        needs = frozenset().union(*(detector.needs for detector in item.detectors))
        traces = collect_picture(picture, needs)
        for detector in item.detectors:
            finding = detector.find(traces)
            if finding.status is Status.FAILED:
                raise RuntimeError(f"{item.source}, {detector.id}: {finding.reason}")
            score = float("nan") if finding.score is None else finding.score
            yield Score(detector.id, item.forgery, shipping["name"], item.source, score)
    print(item.source, item.forgery, file=sys.stderr, flush=True)


def summary(scores: list[Score]) -> list[dict[str, Any]]:
    """One row for every detector, shipping and forgery."""
    grouped: dict[tuple[str, str, str], list[Score]] = defaultdict(list)
    for score in scores:
        grouped[score.detector, score.shipping, score.forgery].append(score)
    rows = []
    for (detector, shipping, forgery), altered in sorted(grouped.items()):
        genuine = grouped[detector, shipping, "none"]
        row: dict[str, Any] = {"detector": detector, "shipping": shipping, "forgery": forgery}
        rows.append(row | _rates(genuine, altered, _threshold(scores, detector)))
    return rows


def _rates(genuine: list[Score], altered: list[Score], threshold: float | None) -> dict[str, Any]:
    """Share declined, share above threshold on the odd sources, quantiles and AUC."""
    row: dict[str, Any] = {}
    values = np.array([score.score for score in altered])
    row["items"] = len(altered)
    row["declined"] = round(float(np.isnan(values).mean()), 4)
    reported = [s for s in altered if not _even(s, genuine) and not np.isnan(s.score)]
    if threshold is None or not reported:
        return row
    above = sum(score.score > threshold for score in reported)
    interval = clopper_pearson(above, len(reported))
    row["threshold"] = round(threshold, 4)
    row["above_threshold"] = [round(v, 4) for v in (interval.value, interval.lower, interval.upper)]
    row["reported_items"] = len(reported)
    row["quantiles_10_50_90"] = [
        round(float(v), 3) for v in np.nanquantile(values, (0.1, 0.5, 0.9))
    ]
    if altered[0].forgery != "none":
        row["auc"] = _auc(genuine, altered)
    return row


def _threshold(scores: list[Score], detector: str) -> float | None:
    """One threshold for all shippings, from the genuine pictures of the even sources."""
    genuine = [s for s in scores if s.detector == detector and s.forgery == "none"]
    chosen = [s.score for s in genuine if _even(s, genuine) and not np.isnan(s.score)]
    if not chosen:
        return None
    return float(np.quantile(chosen, 1 - PROTOCOL["chosen_false_alarm_rate"], method="higher"))


def _even(score: Score, genuine: list[Score]) -> bool:
    order = sorted({other.source for other in genuine})
    return score.source in order[::2]


def _auc(genuine: list[Score], altered: list[Score]) -> list[float]:
    spoken = [s for s in (*genuine, *altered) if not np.isnan(s.score)]
    values = np.array([s.score for s in spoken])
    labels = np.array([s.forgery != "none" for s in spoken])
    if labels.all() or not labels.any():
        return []
    rng = np.random.default_rng(PROTOCOL["seed"])
    of_source = codes([s.source for s in spoken])
    interval = source_bootstrap(
        lambda weights: auc(values, labels, weights),
        labels,
        of_source,
        rng,
        draws=PROTOCOL["bootstrap_draws"],
    )
    return [round(v, 4) for v in (interval.value, interval.lower, interval.upper)]


def _listed() -> Iterator[Any]:
    sys.path.insert(0, str(ROOT / "recipes"))
    from material import photographs as listed

    return listed()


def _photographs_of(size: tuple[int, int]) -> Iterator[tuple[str, Pixels]]:
    """The first photographs of at least 7 megapixels, brought to one size."""
    large = (p for p in _listed() if p.rgb[..., 0].size >= LARGE_PX)
    for photograph in islice(large, SPEED_PHOTOGRAPHS):
        yield photograph.source, np.asarray(cv2.resize(photograph.rgb, size), np.uint8)


def _photograph_crops() -> list[tuple[str, Pixels]]:
    settings = PROTOCOL["photographs"]
    crops = []
    for photograph in _listed():
        height, width = photograph.rgb.shape[:2]
        rows, columns = min(height, settings["height"]), min(width, settings["width"])
        top, left = (height - rows) // 16 * 8, (width - columns) // 16 * 8
        part = photograph.rgb[top : top + rows, left : left + columns]
        crops.append((photograph.source, np.ascontiguousarray(part)))
    return crops


def _shipped(item: Item, scale: float, quality: int) -> Picture:
    rgb, data = item.rgb, item.data
    if scale != 1:
        rgb = np.asarray(
            cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8
        )
    if quality:
        data = pictures.jpeg_bytes(rgb, quality)
        rgb = pictures.decoded(data)
    return _picture(rgb, data, item.source)


def _picture(rgb: Pixels, data: bytes, name: str) -> Picture:
    exhibit = Exhibit(
        sha256="0" * 64,
        byte_length=len(data),
        name=name,
        kind=MediaKind.PICTURE,
        media_type="image/jpeg" if data else "image/png",
        height=rgb.shape[0],
        width=rgb.shape[1],
    )
    return Picture(exhibit=exhibit, data=data, format="JPEG" if data else "PNG", rgb=rgb)


PARTS = {"goods": goods, "photographs": photographs, "small": small, "generated": generated}

if __name__ == "__main__":
    main()
