"""Find by how much a copy was cropped within its frame, and do the same to the original."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.alignment import Framed

Pictures = NDArray[Any]
"""Frames x rows x columns."""

PAIRS = 24
"""Pairs of frames the fit rests on."""
STEPS = 25
STARTS = (0.0, 0.04, 0.08, 0.12)
"""Shares of each side at which the search for a crop begins."""
LARGEST_CROP = 0.35


@dataclass(frozen=True)
class Window:
    """The part of the original that fills the copy: left, top, right, bottom in shares, 0..1.

    A share outside 0..1 means that the copy shows a border the original does not have.
    """

    left: float
    top: float
    right: float
    bottom: float

    @property
    def trivial(self) -> bool:
        """Whether the whole picture is shown, within a tenth of a block."""
        whole = np.array([0.0, 0.0, 1.0, 1.0])
        return bool(np.abs(np.array(self._sides()) - whole).max() < 0.004)

    def _sides(self) -> tuple[float, float, float, float]:
        return self.left, self.top, self.right, self.bottom


def window_of(original: Framed, copy: Framed) -> Window:
    """The window that makes the original's frames most like the copy's, frame by frame."""
    chosen = np.unique(np.linspace(0, len(copy) - 1, PAIRS).astype(int))
    ours, theirs = _plain(original[chosen]), _plain(copy[chosen])
    best: tuple[float, NDArray[np.float64]] | None = None
    for share in STARTS:
        sides = np.array([share, share, 1.0 - share, 1.0 - share])
        found = _refined(ours, theirs, sides)
        if best is None or found[0] < best[0]:
            best = found
    assert best is not None
    return Window(*(float(side) for side in best[1]))


def cut_to(pictures: Pictures, window: Window) -> Pictures:
    """The pictures as they look through a window, at their own size."""
    import cv2

    rows, columns = pictures.shape[1:]
    matrix = _matrix(
        np.array([window.left, window.top, window.right, window.bottom]), rows, columns
    )
    cut = [
        cv2.warpAffine(
            picture,
            matrix,
            (columns, rows),
            flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
            borderMode=cv2.BORDER_REPLICATE,
        )
        for picture in pictures
    ]
    return np.stack(cut)


def _refined(
    ours: Pictures, theirs: Pictures, sides: NDArray[np.float64]
) -> tuple[float, NDArray[np.float64]]:
    """Gauss-Newton on the four sides; the mean absolute error reached and the sides."""
    step = 1e-3
    error = np.inf
    for _ in range(STEPS):
        base = _seen(ours, sides)
        gap = theirs - base
        now = float(np.abs(gap).mean())
        if now > error - 1e-4:
            break
        error = now
        slopes = []
        for side in range(4):
            moved = sides.copy()
            moved[side] += step
            slopes.append(((_seen(ours, moved) - base) / step).ravel())
        design = np.stack(slopes, axis=1)
        weight = 1.0 / np.maximum(np.abs(gap).ravel(), 1.0)
        change = np.linalg.lstsq(design * weight[:, None], gap.ravel() * weight, rcond=None)[0]
        whole = np.array([0.0, 0.0, 1.0, 1.0])
        sides = np.clip(
            sides + np.clip(change, -0.03, 0.03), whole - LARGEST_CROP, whole + LARGEST_CROP
        )
    return float(np.abs(theirs - _seen(ours, sides)).mean()), sides


def _seen(pictures: Pictures, sides: NDArray[np.float64]) -> Pictures:
    return _plain(cut_to(pictures, Window(*(float(side) for side in sides))))


def _matrix(sides: NDArray[np.float64], rows: int, columns: int) -> NDArray[np.float64]:
    """From a pixel of the result to one of the whole picture, by pixel centres."""
    left, top, right, bottom = sides
    wide, high = right - left, bottom - top
    return np.array(
        [
            [wide, 0, (left * columns) + wide / 2 - 0.5],
            [0, high, (top * rows) + high / 2 - 0.5],
        ]
    )


def _plain(pictures: Pictures) -> Pictures:
    """Without brightness and contrast, in the units of the alignment."""
    mean = pictures.mean(axis=(1, 2), keepdims=True)
    spread = pictures.std(axis=(1, 2), keepdims=True) + 1e-3
    plain: Pictures = (pictures - mean) / spread * 40
    return plain
