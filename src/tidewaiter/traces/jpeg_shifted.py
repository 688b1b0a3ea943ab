"""Parts of a JPEG that keep the quantisation of an earlier JPEG on a shifted grid.

A part cut out of another JPEG and pasted off its grid still has coefficients near whole
multiples of its old steps when it is cut into blocks at the old place. Every one of the 63
other shifts is tried on windows of the picture, with the steps of the IJG tables; a shift
counts only as far as it stands out from the others and from the rest of the picture.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.traces.base import PictureTrace, Traces, Untaken
from tidewaiter.traces.block_dct import BLOCK, Frequency, Plane, block_coefficients
from tidewaiter.traces.jpeg_coefficients import JpegCoefficients
from tidewaiter.vocabulary import Status, tr

Maps = NDArray[np.float32]

SHIFTS = BLOCK * BLOCK

FREQUENCIES: tuple[Frequency, ...] = ((0, 0), (0, 1), (1, 0), (1, 1), (0, 2), (2, 0))

# ITU-T T.81 table K.1 at FREQUENCIES, scaled by the IJG rule to each quality tried.
BASE_STEPS = np.array([16, 11, 12, 12, 10, 14])
QUALITIES = tuple(range(50, 96, 5))

# The mean of a block of 128 everywhere, which JPEG subtracts before it transforms.
LEVEL_SHIFT = 128.0 * BLOCK

# A window of 2 x 2 cells of 8 x 8 sampled blocks is weighed as a whole, at every cell.
CELL_BLOCKS = 8
WINDOW_CELLS = 2

# More blocks are thinned to every second, third … row and column of blocks.
MAX_SAMPLED_BLOCKS = 50_000

# Variance of 1/12 - r^2 for r uniform on (-1/2, 1/2): what chance gives per coefficient.
CHANCE_VARIANCE = 1 / 180

# A window with fewer coefficients beyond half a step is held to this many.
LEAST_ACTIVE = 64.0

# The median window exceeds this many deviations: the whole picture keeps that shift.
COMMON_SHIFT = 3.0

# Fewer windows cannot be compared with the rest of the picture.
MIN_WINDOWS = 9


@dataclass(frozen=True)
class JpegShifted:
    """The shift and quality that one window keeps more than any other.

    `score` is in standard deviations of chance: the window's agreement with old steps,
    less the median over all shifts, less the median over all windows. `shift` is (row,
    column) of the old grid. `shifted_map` shows the same for every window, at the best
    shift and quality; its pixels are `cell_px` wide. `whole_picture` is the median over
    windows: high where the whole picture was cropped and saved again.
    """

    score: float
    shift: tuple[int, int]
    first_quality: int
    at: tuple[int, int]
    cell_px: int
    whole_picture: float
    active_share: float
    shifted_map: Maps
    quality: int
    quality_label: str


class JpegShiftedTrace(PictureTrace):
    """Searches the 63 shifts for parts that were JPEG before on another grid."""

    name: ClassVar[str] = "jpeg.shifted"
    after: ClassVar[tuple[str, ...]] = ("jpeg.coefficients",)

    def measure(self, picture: Picture, earlier: Traces) -> JpegShifted | Untaken:  # noqa: ARG002
        """The best shift; `Untaken` without coefficients or with fewer than 9 windows."""
        stored = earlier["jpeg.coefficients"]
        if isinstance(stored, Untaken):
            return stored
        every = _thinning(stored.height, stored.width)
        windows = [
            ((side - BLOCK + 1) // (BLOCK * every)) // CELL_BLOCKS - WINDOW_CELLS + 1
            for side in (stored.height, stored.width)
        ]
        if min(windows) < 1 or windows[0] * windows[1] < MIN_WINDOWS:
            return Untaken(
                Status.NOT_APPLICABLE,
                tr(
                    "{width} x {height} pixels; room for {needed} windows of 128 x 128 is needed",
                    width=stored.width,
                    height=stored.height,
                    needed=MIN_WINDOWS,
                ),
            )
        return shifted_of(stored, every)


def shifted_of(stored: JpegCoefficients, every: int = 1) -> JpegShifted:
    """Weigh all shifts and qualities; `every` thins rows and columns of blocks."""
    agreement, active = shift_agreement(stored.luma, every)
    stands_out = _standing_out(agreement)
    middle = np.median(stands_out, axis=(2, 3), keepdims=True)
    local = stands_out - middle
    # A shift that most of the picture keeps tells of cropping, not of a pasted part.
    local[middle.max(axis=(1, 2, 3)) > COMMON_SHIFT] = 0
    best = np.unravel_index(int(np.argmax(local)), local.shape)
    shift, quality, row, column = (int(index) for index in best)
    return JpegShifted(
        score=float(local[best]),
        shift=divmod(shift + 1, BLOCK),
        first_quality=QUALITIES[quality],
        at=(row, column),
        cell_px=BLOCK * CELL_BLOCKS * every,
        whole_picture=float(middle.max()),
        active_share=active,
        shifted_map=local[shift, quality].astype(np.float32),
        quality=stored.quality,
        quality_label=stored.quality_label,
    )


def shift_agreement(luma: Plane, every: int) -> tuple[Maps, float]:
    """Agreement with whole steps: (64 shifts, quality, window row, window column).

    For coefficients beyond half a step, 1/12 - r^2 summed and divided by what chance
    gives, r being the distance to the next whole step in steps. Also the share of AC
    coefficients beyond half a step, at the middle quality.
    """
    cells = [(side - BLOCK + 1) // (BLOCK * every) // CELL_BLOCKS for side in luma.shape]
    windows = [count - WINDOW_CELLS + 1 for count in cells]
    agreement = np.empty((SHIFTS, len(QUALITIES), *windows), np.float32)
    active_share = 0.0
    for shift in range(SHIFTS):
        coefficients = _sampled(luma, divmod(shift, BLOCK), every, cells)
        for index, quality in enumerate(QUALITIES):
            agreement[shift, index], share = _agreement(coefficients, quality)
            if index == len(QUALITIES) // 2:
                active_share += share / SHIFTS
    return agreement, active_share


def _thinning(height: int, width: int) -> int:
    blocks = (height // BLOCK) * (width // BLOCK)
    return max(1, int(np.ceil(np.sqrt(blocks / MAX_SAMPLED_BLOCKS))))


def _sampled(luma: Plane, origin: tuple[int, int], every: int, cells: list[int]) -> Maps:
    """Coefficients of every n-th block row and column, cut to whole cells."""
    rows, columns = (count * CELL_BLOCKS for count in cells)
    if every > 1:
        luma = _thinned(luma, origin, every, (rows, columns))
        origin = (0, 0)
    found = block_coefficients(luma, FREQUENCIES, origin=origin)[:, :rows, :columns]
    found = np.ascontiguousarray(found)
    found[0] -= LEVEL_SHIFT
    return found


def _thinned(luma: Plane, origin: tuple[int, int], every: int, blocks: tuple[int, int]) -> Plane:
    """A plane that holds only the sampled blocks, side by side."""
    step, (top, left) = BLOCK * every, origin
    # The last sampled block may end before the stretch of pixels that it is sampled from.
    rows = (np.arange(blocks[0])[:, None] * step + np.arange(BLOCK)).ravel() + top
    columns = (np.arange(blocks[1])[:, None] * step + np.arange(BLOCK)).ravel() + left
    return np.asarray(luma[rows][:, columns])


def _agreement(coefficients: Maps, quality: int) -> tuple[Maps, float]:
    """Normalised agreement by window, and the share of AC coefficients that took part."""
    scale = 200 - 2 * quality
    steps = np.maximum(1, (BASE_STEPS * scale + 50) // 100).astype(np.float32)
    distance = coefficients / steps[:, None, None]
    whole = np.rint(distance)
    distance -= whole
    taken = whole != 0
    near: Maps = np.where(taken, np.float32(1 / 12) - distance * distance, np.float32(0))
    counts = taken.sum(axis=0, dtype=np.float32)
    summed, active = _by_window(near.sum(axis=0)), _by_window(counts)
    norm = np.sqrt(CHANCE_VARIANCE * np.maximum(active, LEAST_ACTIVE))
    return (summed / norm).astype(np.float32), float(taken[1:].mean())


def _by_window(values: Maps) -> Maps:
    """Sums over cells of 8 x 8 blocks, then over 2 x 2 neighbouring cells."""
    rows, columns = (side // CELL_BLOCKS for side in values.shape)
    cells = values.reshape(rows, CELL_BLOCKS, columns, CELL_BLOCKS).sum(axis=(1, 3))
    return np.asarray(cells[1:, 1:] + cells[1:, :-1] + cells[:-1, 1:] + cells[:-1, :-1])


def _standing_out(agreement: Maps) -> Maps:
    """How far each of the 63 other shifts exceeds their median, in robust deviations.

    The deviation is at least that of chance, 1. Shift 0 is the file's own grid.
    """
    others = agreement[1:]
    excess = others - np.median(others, axis=0)
    spread = 1.4826 * np.median(np.abs(excess), axis=0)
    return np.asarray(excess / np.maximum(spread, 1.0))
