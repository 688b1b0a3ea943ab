"""Let the product look at one picture or clip of known truth, and keep what was measured.

Everything goes through the product's own traces and detector; the network may be another
than the shipped one. Heat maps are compared with the known mask of a forgery of ours.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from face_clips import ClipTask, clip_file
from face_corpus import FaceTask, made
from face_measured import Measured
from face_tables import PICTURES, VIDEOS
from numpy.typing import NDArray

from tidewaiter.detectors.registry import all_detectors
from tidewaiter.errors import TidewaiterError
from tidewaiter.media import Picture, Unexamined, open_media
from tidewaiter.traces.base import Traces, collect_picture, collect_video
from tidewaiter.traces.face_manipulation import FaceAnswer, FaceManipulation
from tidewaiter.traces.face_manipulation_video import FaceManipulationVideo, TrackAnswer
from tidewaiter.traces.face_network import FACE_NETWORK
from tidewaiter.traces.face_quality import FaceQuality
from tidewaiter.weights.own import OwnNetwork, shipped_network

# Of a clip's looks, numbers keep so many decimals.
LOOK_DECIMALS = 3
BLACK_LUMA = 8


@dataclass(frozen=True)
class Looks:
    """Every look at one track of a clip: times in seconds, logits, and which may count."""

    item: str
    shipping: str
    track: int
    seen_s: float
    time_s: tuple[float, ...]
    score: tuple[float, ...]
    usable: tuple[bool, ...]


@cache
def network_at(path: Path | None) -> OwnNetwork:
    """The network of an ONNX file, as if it were shipped; the shipped one without a path."""
    if path is None:
        return shipped_network()
    return OwnNetwork(path, hashlib.sha256(path.read_bytes()).hexdigest())


def measured_picture(task: FaceTask, network: Path | None) -> Measured | None:
    """What the product says of one picture; None where it could not be made or opened."""
    try:
        product = made(task)
        with tempfile.NamedTemporaryFile(prefix="tidewaiter-face-") as file:
            file.write(product.data)
            file.flush()
            picture = open_media(Path(file.name))
            assert isinstance(picture, Picture)
            traces = collect_picture(
                picture, {"face_manipulation"}, options={FACE_NETWORK: network_at(network)}
            )
    except TidewaiterError as error:
        print(f"{task.truth.item} ({task.truth.shipping}): {error}", flush=True)
        return None
    found = all_detectors()[PICTURES].find(traces)
    numbers = {**_of_faces(traces, product.mask), **_plain(picture.upright)}
    return Measured(
        **asdict(task.truth),
        kind=task.kind,
        part=task.part,
        status=found.status.value,
        score=found.score,
        byte_length=float(len(product.data)),
        **numbers,
    )


def measured_clip(
    task: ClipTask, network: Path | None, folder: Path
) -> tuple[Measured, list[Looks]]:
    """What the product says of one clip, and every look at every track."""
    video = open_media(clip_file(task, folder))
    assert not isinstance(video, Picture | Unexamined)
    options = {FACE_NETWORK: network_at(network)}
    traces = collect_video(video, {"face_manipulation"}, options=options)
    found = all_detectors()[VIDEOS].find(traces)
    result = traces["face_manipulation"]
    tracks = result.tracks if isinstance(result, FaceManipulationVideo) else ()
    measured = Measured(
        **asdict(task.truth),
        kind=task.kind,
        part=task.part,
        status=found.status.value,
        score=found.score,
        faces=float(len(tracks)),
        byte_length=float(video.exhibit.byte_length),
        **_of_tracks(tracks),
    )
    return measured, [_looks(task, track) for track in tracks]


def _of_faces(traces: Traces, mask: NDArray[np.float32] | None) -> dict[str, float]:
    """The largest logit of all faces, the quality of that face, and what the heat map hits."""
    result = traces["face_manipulation"]
    if not isinstance(result, FaceManipulation):
        return {"faces": 0.0}
    best: FaceAnswer = max(result.faces, key=lambda face: face.score)
    quality = best.quality
    found = {
        "network": best.score,
        "gap": best.gap,
        "faces": float(len(result.faces)),
        "side": quality.pixels,
        "yaw": quality.yaw,
        "pitch": quality.pitch,
        "presence": quality.presence,
        "sharpness": quality.sharpness,
        "outside": quality.outside,
        "face_contrast": quality.contrast,
        "face_brightness": quality.brightness,
    }
    return found if mask is None else {**found, **_hit(result, mask)}


def _hit(result: FaceManipulation, mask: NDArray[np.float32]) -> dict[str, float]:
    """Share of the heat map's mass in the mask, and the mask's share of the map."""
    area = result.area
    part = mask[area.top : area.top + area.height, area.left : area.left + area.width]
    rows, columns = result.heat.shape
    true = cv2.resize(part, (columns, rows), interpolation=cv2.INTER_AREA)
    seen = np.isfinite(result.heat)
    total = float(result.heat[seen].sum())
    if not seen.any() or total <= 0:
        return {}
    inside = float((result.heat[seen] * true[seen]).sum())
    return {"heat_inside": inside / total, "mask_share": float(true[seen].mean())}


def _plain(rgb: NDArray[np.uint8]) -> dict[str, float]:
    """What can be said of a picture without looking at the face."""
    luma = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    edges = np.concatenate([luma[0], luma[-1], luma[:, 0], luma[:, -1]])
    red, green, blue = (rgb[..., i].astype(np.float32) for i in range(3))
    return {
        "brightness": float(luma.mean()),
        "contrast": float(luma.std()),
        "detail": float(cv2.Laplacian(luma, cv2.CV_32F).std()),
        "black": float((edges <= BLACK_LUMA).mean()),
        "colour": float((red - green).std() + ((red + green) / 2 - blue).std()),
    }


def _of_tracks(tracks: tuple[TrackAnswer, ...]) -> Mapping[str, Any]:
    """Plain mean of the longest track; aggregate and median quality of the strongest one."""
    if not tracks:
        return {}
    longest = max(tracks, key=lambda track: track.time_s.size)
    mean = {"looks_mean": float(longest.score.mean())}
    spoken = [track for track in tracks if track.windows is not None]
    if not spoken:
        return mean
    best = spoken[0]
    assert best.windows is not None
    medians = FaceQuality(*np.median(best.quality, axis=0).tolist())
    return {
        **mean,
        "network": best.windows.best.score,
        "side": medians.pixels,
        "sharpness": medians.sharpness,
        "outside": medians.outside,
        "face_contrast": medians.contrast,
        "face_brightness": medians.brightness,
        "yaw": medians.yaw,
        "pitch": medians.pitch,
        "presence": medians.presence,
    }


def _looks(task: ClipTask, track: TrackAnswer) -> Looks:
    return Looks(
        item=task.truth.item,
        shipping=task.truth.shipping,
        track=track.number,
        seen_s=round(track.seen_s, LOOK_DECIMALS),
        time_s=tuple(np.round(track.time_s, LOOK_DECIMALS).tolist()),
        score=tuple(np.round(track.score.astype(float), LOOK_DECIMALS).tolist()),
        usable=tuple(track.usable.tolist()),
    )
