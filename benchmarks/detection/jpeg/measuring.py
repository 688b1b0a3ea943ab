"""Pictures, traces and intervals for the benchmark of the JPEG cues."""

from __future__ import annotations

import hashlib
import io
import sys
import tomllib
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
sys.path.insert(0, str(ROOT / "recipes"))

from material import photographs  # noqa: E402

from tidewaiter.evaluation.intervals import clopper_pearson, source_bootstrap  # noqa: E402
from tidewaiter.evaluation.rates import auc  # noqa: E402
from tidewaiter.evaluation.sources import codes  # noqa: E402
from tidewaiter.forgeries.pictures import decoded  # noqa: E402
from tidewaiter.media import Picture  # noqa: E402
from tidewaiter.traces.base import collect_picture  # noqa: E402
from tidewaiter.vocabulary import Exhibit, MediaKind  # noqa: E402

PROTOCOL = tomllib.loads((HERE / "protocol.toml").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Scene:
    """A photograph without JPEG history, and its source."""

    rgb: np.ndarray
    source: str


def scenes(limit: int | None) -> list[Scene]:
    """Photographs shrunk and cropped at the middle."""
    side, result = PROTOCOL["crop_px"], []
    for picture in photographs():
        size = [int(PROTOCOL["shrink"] * n) for n in picture.rgb.shape[1::-1]]
        small = cv2.resize(picture.rgb, size, interpolation=cv2.INTER_AREA)
        top, left = (max(0, (n - side) // 2) for n in small.shape[:2])
        crop = small[top : top + side, left : left + side]
        whole = crop[: crop.shape[0] // 8 * 8, : crop.shape[1] // 8 * 8]
        result.append(Scene(np.ascontiguousarray(whole), picture.source))
    return result[:limit]


def picture_of(data: bytes) -> Picture:
    """What media would open, without its checks: these bytes are our own."""
    exhibit = Exhibit(
        sha256=hashlib.sha256(data).hexdigest(),
        byte_length=len(data),
        name="benchmark",
        kind=MediaKind.PICTURE,
        media_type="image/jpeg" if data[:2] == b"\xff\xd8" else "image/png",
    )
    return Picture(exhibit, data, "JPEG" if data[:2] == b"\xff\xd8" else "PNG", decoded(data))


def traces(data: bytes, names: Iterable[str]) -> Any:
    """Traces of a file by name."""
    return collect_picture(picture_of(data), names)


def png_bytes(rgb: np.ndarray) -> bytes:
    """The picture stored without loss, quickly."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "PNG", compress_level=1)
    return file.getvalue()


def block_truth(mask: np.ndarray) -> np.ndarray:
    """Blocks of 8 x 8 pixels of which more than half lie in the mask."""
    rows, columns = (side // 8 for side in mask.shape)
    cut = mask[: rows * 8, : columns * 8].reshape(rows, 8, columns, 8)
    return np.asarray(cut.mean(axis=(1, 3)) > 0.5)


def block_auc(
    values: np.ndarray, truth: np.ndarray, kept: np.ndarray | None = None
) -> float | None:
    """Over all blocks, or over those that the map covers; None where one class is empty."""
    chosen = np.ones(truth.shape, bool) if kept is None else kept
    inside = truth[chosen]
    if inside.all() or not inside.any():
        return None
    return float(auc(values[chosen].astype(float), inside))


def rate(events: int, trials: int) -> dict[str, Any]:
    """Events in trials with the exact 95 % interval."""
    if trials == 0:
        return {"events": 0, "trials": 0}
    interval = clopper_pearson(int(events), int(trials))
    return {
        "events": int(events),
        "trials": int(trials),
        "rate": round(interval.value, 5),
        "interval_95": [round(interval.lower, 5), round(interval.upper, 5)],
    }


def spread(values: Any) -> dict[str, float]:
    """Least, 5th, 50th, 95th percentile and most."""
    points = np.quantile(np.asarray(values, float), [0, 0.05, 0.5, 0.95, 1])
    return dict(zip(("least", "p5", "median", "p95", "most"), points.round(4), strict=True))


def mean_by_source(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """Mean of one number over the rows that have it, with an interval over sources."""
    rows = [row for row in rows if row[name] is not None]
    if not rows:
        return {"items": 0}
    values = np.array([row[name] for row in rows])
    interval = bootstrap(
        lambda weights: float(np.average(values, weights=weights)),
        np.ones(len(rows), bool),
        [row["source"] for row in rows],
    )
    return {**interval, "items": len(rows), "least": round(float(values.min()), 4)}


def bootstrap(
    statistic: Callable[[Any], float], labels: np.ndarray, sources: list[str]
) -> dict[str, Any]:
    """A statistic with its bootstrap interval over sources."""
    rng = np.random.default_rng(PROTOCOL["seed"])
    interval = source_bootstrap(
        statistic, labels, codes(np.array(sources)), rng, draws=PROTOCOL["bootstrap_draws"]
    )
    return {
        "value": round(interval.value, 4),
        "interval_95": [round(interval.lower, 4), round(interval.upper, 4)],
    }
