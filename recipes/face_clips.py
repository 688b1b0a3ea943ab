"""Clips with faces of known truth, for the figures and the calibration of the video path.

Real clips come as received and re-encoded. There are only eight people in them, so clips
are also made of single DFDC crops, which drift and change as a held camera does and are
encoded as a video: their faces do not move by themselves, but they are many sources.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from face_splits import TRAIN, FaceFile, Part, dfdc_faces, ffpp_clips, reported_extras
from numpy.typing import NDArray
from scoring import Truth

from tidewaiter.forgeries.pictures import decoded
from tidewaiter.media.reshipping_video import Recipe, reencoded
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED

AS_RECEIVED = "as_received"
STILL_CLIP = "still clip"
MOST_STILL_ORIGINALS = 240
# Re-encoded copies are as long as this: half of a development clip.
COPY_S = 6.0
COPIES: dict[str, Recipe] = {
    "h264 crf 23": Recipe(crf=23),
    "h264 crf 32": Recipe(crf=32),
    "h264 crf 40": Recipe(crf=40),
    "half size": Recipe(scale=0.5),
}
STILL_FPS = 12
STILL_FRAMES = 24
STILL_SIDE = 256
# Share of the frame that the crop fills: crops are tight, and a face cut by the frame's edge is
# not asked about. Its border goes on outside it.
STILL_SHARE = 0.8
# Qualities of H.264 from good to poor.
STILL_CRFS = (20, 34)


@dataclass(frozen=True)
class ClipTask:
    """One clip to make and examine; `copy` names one of COPIES or STILL_CLIP."""

    truth: Truth
    path: Path
    kind: str
    part: Part
    copy: str = ""

    @property
    def seed(self) -> int:
        """The same for the same item."""
        return zlib.crc32(self.truth.item.encode())


def clip_tasks(shared_data: Path, *, stills: int = MOST_STILL_ORIGINALS) -> list[ClipTask]:
    """Every clip as received, the development clips re-encoded, and the clips of stills."""
    clips = list(ffpp_clips(shared_data))
    extras = [f for f in reported_extras(shared_data) if f.path.suffix == ".mp4"]
    tasks = [_task(file, "") for file in (*clips, *extras)]
    tasks += [_task(file, copy) for file in clips for copy in COPIES]
    tasks += [_task(file, STILL_CLIP) for file in _stills(dfdc_faces(shared_data), stills)]
    return tasks


def clip_file(task: ClipTask, folder: Path) -> Path:
    """The clip as a file: the original itself, or made in `folder`."""
    if not task.copy:
        return task.path
    out = folder / f"{task.truth.item.replace('/', '_')} {task.copy}.mp4"
    if out.exists():
        return out
    if task.copy == STILL_CLIP:
        _write_still_clip(decoded(task.path.read_bytes()), out, np.random.default_rng(task.seed))
    else:
        reencoded(task.path, out, COPY_S, recipe=COPIES[task.copy])
    return out


def _stills(files: Iterable[FaceFile], most: int) -> Iterator[FaceFile]:
    """Some originals with one forgery of each."""
    kept = [file for file in files if file.part != TRAIN]
    genuine = {file.source: file for file in kept if not file.forged}
    forged: dict[str, FaceFile] = {}
    for file in kept:
        if file.forged:
            forged.setdefault(file.source, file)
    both = sorted(genuine.keys() & forged.keys(), key=lambda name: zlib.crc32(name.encode()))
    for source in both[:most]:
        yield genuine[source]
        yield forged[source]


def _task(file: FaceFile, copy: str) -> ClipTask:
    truth = Truth(
        item=f"{file.kind}/{file.path.parent.name}/{file.path.stem}",
        source=f"{file.kind}/{file.source}",
        label=MANIPULATED if file.forged else AS_ISSUED,
        species=file.method,
        shipping=copy or AS_RECEIVED,
    )
    return ClipTask(truth, file.path, file.kind, file.part, copy)


def _write_still_clip(rgb: NDArray[np.uint8], out: Path, rng: np.random.Generator) -> None:
    import av

    crf = int(rng.integers(*STILL_CRFS))
    with av.open(str(out), "w", format="mp4") as file:
        stream = file.add_stream("libx264", rate=STILL_FPS, options={"crf": str(crf)})
        stream.width = stream.height = STILL_SIDE
        stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
        for frame in _drifting(rgb, rng):
            file.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        file.mux(stream.encode(None))


def _drifting(rgb: NDArray[np.uint8], rng: np.random.Generator) -> Iterator[NDArray[np.uint8]]:
    """The picture as a held camera sees it: it wanders, breathes, is noisy and flickers."""
    height, width = rgb.shape[:2]
    step = rng.normal(0, [0.8, 0.8, 0.15, 0.002], (STILL_FRAMES, 4)).cumsum(axis=0)
    for dx, dy, degrees, zoom in step:
        scale = STILL_SHARE * STILL_SIDE / max(height, width) * (1 + zoom)
        matrix = cv2.getRotationMatrix2D((width / 2, height / 2), float(degrees), float(scale))
        matrix[:, 2] += STILL_SIDE / 2 - np.array([width, height]) / 2 + (dx, dy)
        moved = cv2.warpAffine(
            rgb, matrix, (STILL_SIDE, STILL_SIDE), borderMode=cv2.BORDER_REPLICATE
        )
        light = 1 + 0.01 * rng.standard_normal()
        noisy = moved * light + rng.normal(0, 1.5, moved.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
