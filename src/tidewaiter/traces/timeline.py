"""What each frame of a video looks like and how it differs from those before it.

One compact record a frame, so that hours of video stay in memory: scalars for every
frame, fingerprints for every `fingerprint_stride`-th one.
"""

from __future__ import annotations

import zlib
from collections import deque
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Frame
from tidewaiter.traces.base import Traces, Untaken, VideoTrace
from tidewaiter.vocabulary import Status, tr

GRID_ROWS, GRID_COLUMNS = 9, 16
CELLS = GRID_ROWS * GRID_COLUMNS
FINE_ROWS, FINE_COLUMNS = 36, 64

CHANGE_SPAN_FRAMES = 5
"""A change is taken over this many frames: slow motion grows, coding noise does not."""

COMPANDING_LEVELS = 0.05
"""Grey levels at which the companding of changes turns from linear to logarithmic."""

COMPANDING_STEPS = 13.0
"""Steps of the companded change per unit: asinh(255 / 0.05) * 13 = 120 fits eight bits."""

MAX_FINGERPRINTS = 131_072
"""288 bytes each, 38 MB in all: 73 minutes at 30 frames/s, then every second one is kept."""

_CHUNK = 4096
_SCALARS = np.dtype(
    [
        ("time_s", "f8"),
        ("mean", "f4"),
        ("detail", "f4"),
        ("difference", "f4"),
        ("digest", "u4"),
        ("key", "?"),
        ("time_guessed", "?"),
        ("picture_type", "S1"),
    ]
)


@dataclass(frozen=True)
class FrameTimeline:
    """One value a frame, in display order; n frames.

    `difference` is the mean absolute difference from the previous frame on a 64 x 36
    grid, in grey levels (0 for the first); `detail` the mean absolute difference of
    horizontal neighbours; `digest` a checksum of the luma thumbnail, so equal digests
    mean equal pictures. `picture` (uint8) and `change` (int8, see `expand`) hold 16 x 9
    cells, one row for the frames 0, s, 2 s … with s = `fingerprint_stride`.
    """

    time_s: NDArray[np.float64]
    time_guessed: NDArray[np.bool_]
    key: NDArray[np.bool_]
    picture_type: NDArray[np.bytes_]
    mean: NDArray[np.float32]
    detail: NDArray[np.float32]
    difference: NDArray[np.float32]
    digest: NDArray[np.uint32]
    picture: NDArray[np.uint8]
    change: NDArray[np.int8]
    fingerprint_stride: int

    @property
    def frames(self) -> int:
        """Number of frames."""
        return len(self.time_s)

    @property
    def frame_s(self) -> float:
        """Usual time from one frame to the next; 0.04 s where it cannot be told."""
        steps = np.diff(self.time_s)
        steps = steps[steps > 0]
        return float(np.median(steps)) if len(steps) else 0.04

    @property
    def duration_s(self) -> float:
        """From the first frame to the end of the last."""
        return float(self.time_s[-1] - self.time_s[0]) + self.frame_s


class Timeline(VideoTrace):
    """Brightness, detail, change, checksum and fingerprint of every frame."""

    name = "timeline"

    def __init__(self) -> None:
        self._scalars = [np.zeros(_CHUNK, _SCALARS)]
        self._pictures = bytearray()
        self._changes = bytearray()
        self._stride = 1
        self._count = 0
        self._fine_before: NDArray[np.float32] | None = None
        self._grids: deque[NDArray[np.float32]] = deque(maxlen=CHANGE_SPAN_FRAMES)

    def feed(self, frame: Frame) -> None:
        """Reduce the frame to its record."""
        luma = frame.luma_thumbnail()
        fine = _shrink(luma.astype(np.float32), FINE_ROWS, FINE_COLUMNS)
        grid = _shrink(fine, GRID_ROWS, GRID_COLUMNS)
        self._keep_scalars(frame, luma, fine)
        if self._count % self._stride == 0:
            self._keep_fingerprint(grid)
        self._grids.append(grid)
        self._fine_before = fine
        self._count += 1

    def result(self, earlier: Traces) -> Any:  # noqa: ARG002 - needs no other trace
        """A `FrameTimeline`, or `Untaken` when no frame could be decoded."""
        if not self._count:
            return Untaken(Status.NOT_APPLICABLE, tr("no frame of the video could be decoded"))
        rows = np.concatenate(self._scalars)[: self._count]
        names = _SCALARS.names or ()
        return FrameTimeline(
            **{name: np.ascontiguousarray(rows[name]) for name in names},
            picture=np.frombuffer(self._pictures, np.uint8).reshape(-1, CELLS).copy(),
            change=np.frombuffer(self._changes, np.int8).reshape(-1, CELLS).copy(),
            fingerprint_stride=self._stride,
        )

    def _keep_scalars(
        self, frame: Frame, luma: NDArray[np.uint8], fine: NDArray[np.float32]
    ) -> None:
        if self._count == len(self._scalars) * _CHUNK:
            self._scalars.append(np.zeros(_CHUNK, _SCALARS))
        before = self._fine_before
        self._scalars[-1][self._count % _CHUNK] = (
            frame.time_s,
            float(fine.mean()),
            _detail(luma),
            0.0 if before is None else float(np.abs(fine - before).mean()),
            zlib.crc32(luma.tobytes()),
            frame.key,
            frame.time_guessed,
            (frame.picture_type or "?")[:1].encode("ascii", "replace"),
        )

    def _keep_fingerprint(self, grid: NDArray[np.float32]) -> None:
        oldest = self._grids[0] if self._grids else grid
        self._pictures += np.rint(grid).astype(np.uint8).tobytes()
        self._changes += compand(grid - oldest).tobytes()
        if len(self._pictures) == MAX_FINGERPRINTS * CELLS:
            self._pictures = _every_second(self._pictures)
            self._changes = _every_second(self._changes)
            self._stride *= 2


def compand(change: NDArray[np.float32]) -> NDArray[np.int8]:
    """Changes in grey levels (-255…255) as eight bits, fine near zero, coarse far out."""
    steps = np.arcsinh(change / COMPANDING_LEVELS) * COMPANDING_STEPS
    rounded: NDArray[np.int8] = np.rint(steps).astype(np.int8)
    return rounded


def expand(change: NDArray[np.int8]) -> NDArray[np.float32]:
    """The inverse of `compand`, within 4 % or 0.002 grey levels."""
    expanded: NDArray[np.float32] = change.astype(np.float32)
    expanded /= np.float32(COMPANDING_STEPS)
    np.sinh(expanded, out=expanded)
    expanded *= np.float32(COMPANDING_LEVELS)
    return expanded


def _every_second(rows: bytearray) -> bytearray:
    return bytearray(np.frombuffer(rows, np.uint8).reshape(-1, CELLS)[::2].tobytes())


def _shrink(plane: NDArray[np.float32], rows: int, columns: int) -> NDArray[np.float32]:
    import cv2

    method = cv2.INTER_AREA if min(plane.shape) >= rows else cv2.INTER_LINEAR
    shrunk = cv2.resize(plane, (columns, rows), interpolation=method)
    return np.asarray(shrunk, np.float32)


def _detail(luma: NDArray[np.uint8]) -> float:
    import cv2

    if luma.shape[1] < 2:
        return 0.0
    return float(cv2.mean(cv2.absdiff(luma[:, 1:], luma[:, :-1]))[0])
