"""Where the 8 x 8 grid of an earlier JPEG compression lies, and where it lies elsewhere.

After Nikoukhah et al., "ZERO", IPOL 11 (2021) 396-433, written from the description: a
block cut on the grid of a former compression has more near-zero coefficients than one cut
elsewhere. Every pixel votes for the origin of the block round it with the most zeros.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.traces.base import PictureTrace, Traces, Untaken
from tidewaiter.traces.block_dct import BLOCK, Plane, basis
from tidewaiter.traces.jpeg_coefficients import JpegCoefficients
from tidewaiter.vocabulary import Status, tr

PHASES = BLOCK * BLOCK
NO_VOTE = PHASES

# |c| < 0.5 counts as zero. A hair less, because exact halves are frequent (coefficients
# of frequencies 0 and 4 are multiples of 1/8) and would fall either way with rounding.
ZERO_BELOW = 0.4999

# Rows of pixels worked on at a time, and rows transformed by one matrix product.
STRIP_ROWS = 64
BATCH_ROWS = 8

# A cell of 8 x 8 pixels belongs to an origin if a quarter of its pixels vote for it: a
# block that straddles four cells gives at least one of them that many.
MIN_CELL_VOTES = 16

# Smaller pictures have too few blocks for any NFA below 1.
MIN_SIDE = 64

MAX_REGIONS = 16

# Pillow's names of formats that are usually stored without loss. A TIFF may hold JPEG
# data; its grid then only weakens the trace.
LOSSLESS_FORMATS = frozenset({"PNG", "BMP", "TIFF", "PPM"})
LOSSLESS_QUALITY = 101


@dataclass(frozen=True)
class GridRegion:
    """Neighbouring cells that vote for one origin other than the main one.

    Box in pixels; `votes` of the `pixels` in it name `origin` (row, column of the grid).
    """

    left: int
    top: int
    width: int
    height: int
    origin: tuple[int, int]
    votes: int
    log10_nfa: float


@dataclass(frozen=True)
class JpegGrid:
    """Votes for grid origins, the main grid, and regions that keep another one.

    `main_origin` is None where no origin is significant (log10 NFA >= 0).
    `region_map` holds -log10 NFA of the region a cell belongs to (cells of 8 x 8 pixels, 0
    outside regions); `main_map` the share of a cell's pixels that vote for the main grid.
    `regions` is sorted, most significant first, and includes insignificant ones;
    `best_log10_nfa` is that of the first, or of a region without votes. `final_quality` is
    the IJG quality the file is stored with, LOSSLESS_QUALITY for lossless formats, None
    where it is not known.
    """

    main_origin: tuple[int, int] | None
    main_log10_nfa: float
    main_share: float
    voting_share: float
    best_log10_nfa: float
    regions: tuple[GridRegion, ...]
    region_map: NDArray[np.float32]
    main_map: NDArray[np.float32]
    final_quality: int | None = None


class JpegGridTrace(PictureTrace):
    """Finds the grid of an earlier compression at every pixel, in strips."""

    name: ClassVar[str] = "jpeg.grid"
    after: ClassVar[tuple[str, ...]] = ("jpeg.coefficients",)

    def measure(self, picture: Picture, earlier: Traces) -> JpegGrid | Untaken:
        """The votes and regions; `Untaken` for pictures below 64 pixels a side."""
        height, width = picture.rgb.shape[:2]
        if min(height, width) < MIN_SIDE:
            return Untaken(
                Status.NOT_APPLICABLE,
                tr(
                    "the picture has {width} x {height} pixels; {side} a side are needed",
                    width=width,
                    height=height,
                    side=MIN_SIDE,
                ),
            )
        return replace(
            grid_of(np.rint(picture.luma)), final_quality=_final_quality(picture, earlier)
        )


def _final_quality(picture: Picture, earlier: Traces) -> int | None:
    if picture.format in LOSSLESS_FORMATS:
        return LOSSLESS_QUALITY
    stored = earlier.get("jpeg.coefficients")
    return stored.quality if isinstance(stored, JpegCoefficients) else None


def grid_of(luma: Plane) -> JpegGrid:
    """The grid of a luma plane of whole numbers 0..255."""
    cells = cell_votes(grid_votes(luma))
    totals = cells.sum(axis=(1, 2))
    shape = luma.shape
    pixels = shape[0] * shape[1]
    main = int(np.argmax(totals[:PHASES]))
    main_log10_nfa = log10_nfa(pixels, int(totals[main]), shape)
    accepted = main_log10_nfa < 0
    regions, region_map = _regions(cells, main if accepted else None, shape)
    voters = int(totals[:PHASES].sum())
    return JpegGrid(
        main_origin=divmod(main, BLOCK) if accepted else None,
        main_log10_nfa=main_log10_nfa,
        main_share=float(totals[main] / max(1, voters)),
        voting_share=float(voters / pixels),
        best_log10_nfa=regions[0].log10_nfa if regions else log10_nfa(PHASES, 0, shape),
        regions=tuple(regions[:MAX_REGIONS]),
        region_map=region_map,
        main_map=(cells[main] / np.float32(PHASES)).astype(np.float32),
    )


def grid_votes(luma: Plane) -> NDArray[np.uint8]:
    """For every pixel the origin 8 * row + column it votes for; NO_VOTE where none.

    The outer 7 pixels, ties, and pixels whose best block is constant along rows or
    columns vote for none.
    """
    height, width = luma.shape
    votes = np.full((height, width), NO_VOTE, np.uint8)
    margin = BLOCK - 1
    if min(height, width) <= 2 * margin:
        return votes
    plane = np.ascontiguousarray(luma, dtype=np.float32)
    carried = np.empty((0, width - margin), np.uint16), np.empty((0, width - margin), np.uint16)
    for start in range(0, height - margin, STRIP_ROWS):
        rows = min(STRIP_ROWS, height - margin - start)
        strip = plane[start : start + rows + margin]
        keys = _keys(zero_counts(strip), _constant(strip), start)
        ascending, descending = (np.vstack(pair) for pair in zip(carried, keys, strict=True))
        carried = ascending[-margin:], descending[-margin:]
        found = _winners(ascending, descending)
        last = start + rows
        votes[last - found.shape[0] : last, margin : width - margin] = found
    return votes


def zero_counts(plane: Plane) -> NDArray[np.uint8]:
    """For the 8 x 8 block at every pixel, how many AC coefficients are near zero.

    `plane` is H x W float32; the result is (H - 7) x (W - 7), values 0..63.
    """
    import cv2

    matrix = basis().astype(np.float32)
    height, width = plane.shape[0] - BLOCK + 1, plane.shape[1] - BLOCK + 1
    counts = np.zeros((height, width), np.uint8)
    work = _Work(width)
    for horizontal in range(BLOCK):
        rows = cv2.filter2D(plane, -1, matrix[horizontal : horizontal + 1], anchor=(0, 0))
        _add_zeros(np.ascontiguousarray(rows[:, :width]), matrix, counts, work)
        if horizontal == 0:
            # Frequency (0, 0) is the mean, not an AC coefficient: take its zeros back.
            mean = cv2.filter2D(rows[:, :width], -1, matrix[:1].T, anchor=(0, 0))[:height]
            counts -= (np.abs(mean) < ZERO_BELOW).view(np.uint8)
    return counts


class _Work:
    """Scratch arrays of one strip width, allocated once."""

    def __init__(self, width: int) -> None:
        shape = (BATCH_ROWS, BLOCK, width)
        self.coefficients = np.empty(shape, np.float32)
        self.rounded = np.empty((BATCH_ROWS * BLOCK, width), np.uint8)
        self.zero = np.empty(shape, np.uint8)
        self.sums = np.empty((BATCH_ROWS, width), np.uint8)


def _add_zeros(rows: Plane, matrix: Plane, counts: NDArray[np.uint8], work: _Work) -> None:
    """Transform eight rows from every row on, and add the number of near-zeros.

    convertScaleAbs rounds |c| scaled so that what lies below ZERO_BELOW becomes 0; this
    reads each coefficient once, which is what makes it fast.
    """
    import cv2

    width = rows.shape[1]
    for start in range(0, counts.shape[0], BATCH_ROWS):
        batch = min(BATCH_ROWS, counts.shape[0] - start)
        windows = np.lib.stride_tricks.as_strided(
            rows[start:], (batch, BLOCK, width), (rows.strides[0], *rows.strides)
        )
        coefficients = np.matmul(matrix, windows, out=work.coefficients[:batch])
        rounded = work.rounded[: batch * BLOCK]
        cv2.convertScaleAbs(coefficients.reshape(-1, width), rounded, 0.5 / ZERO_BELOW)
        zero = work.zero[:batch]
        np.equal(rounded.reshape(zero.shape), 0, out=zero.view(np.bool_))
        counts[start : start + batch] += np.add.reduce(
            zero, axis=1, dtype=np.uint8, out=work.sums[:batch]
        )


def _constant(plane: Plane) -> NDArray[np.bool_]:
    """Blocks, by their top left pixel, with all rows or all columns equal."""
    import cv2

    pixels = plane.astype(np.uint8)
    height, width = pixels.shape[0] - BLOCK + 1, pixels.shape[1] - BLOCK + 1
    down = cv2.absdiff(pixels[1:], pixels[:-1])
    across = np.ascontiguousarray(cv2.absdiff(pixels[:, 1:], pixels[:, :-1]))
    tall, wide = np.ones((BLOCK - 1, BLOCK), np.uint8), np.ones((BLOCK, BLOCK - 1), np.uint8)
    rows_differ: Any = cv2.dilate(down, tall, anchor=(0, 0))
    columns_differ: Any = cv2.dilate(across, wide, anchor=(0, 0))
    differ = (rows_differ[:height, :width] > 0) & (columns_differ[:height, :width] > 0)
    return np.asarray(~differ)


def _keys(
    counts: NDArray[np.uint8], constant: NDArray[np.bool_], first_row: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Two sort keys: zeros first, then origin ascending and descending.

    A tie shows as two different origins in the two maxima; a constant block is given the
    last place in both, so that it shows as a tie.
    """
    row = (np.arange(first_row, first_row + counts.shape[0]) % BLOCK)[:, None]
    origin = (BLOCK * row + np.arange(counts.shape[1]) % BLOCK).astype(np.uint16)
    zeros = counts.astype(np.uint16) * PHASES
    last = np.uint16(PHASES - 1)
    return zeros + np.where(constant, last, origin), zeros + np.where(constant, last, last - origin)


def _winners(ascending: NDArray[np.uint16], descending: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """The one origin with most zeros among the 64 blocks round each pixel, or NO_VOTE.

    Input covers block corners; output covers the pixels 7 below and right of the first.
    """
    import cv2

    if min(ascending.shape) < BLOCK:
        return np.empty((0, max(0, ascending.shape[1] - BLOCK + 1)), np.uint8)
    window = np.ones((BLOCK, BLOCK), np.uint8)
    margin = BLOCK - 1
    kept = slice(0, ascending.shape[0] - margin), slice(0, ascending.shape[1] - margin)
    last = np.uint16(PHASES - 1)
    # Anchored at its corner the window looks down and right: entry (0, 0) is pixel (7, 7).
    lowest: Any = cv2.dilate(ascending, window, anchor=(0, 0))
    highest: Any = cv2.dilate(descending, window, anchor=(0, 0))
    low, high = lowest[kept] & last, last - (highest[kept] & last)
    return np.where(low == high, low, NO_VOTE).astype(np.uint8)


def cell_votes(votes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Votes counted in cells of 8 x 8 pixels: (65, cell rows, cell columns); [64] is none."""
    rows, columns = -(-votes.shape[0] // BLOCK), -(-votes.shape[1] // BLOCK)
    counts = np.empty((PHASES + 1, rows, columns), np.uint8)
    cell = (np.arange(votes.shape[1]) // BLOCK * (PHASES + 1)).astype(np.int32)
    for row in range(rows):
        part = votes[row * BLOCK : (row + 1) * BLOCK]
        line = np.bincount((part + cell).ravel(), minlength=columns * (PHASES + 1))
        counts[:, row] = line.reshape(columns, PHASES + 1).T
    return counts


def log10_nfa(pixels: int, votes: int, shape: tuple[int, ...]) -> float:
    """log10 of 64 H^2 W^2 * P[B(pixels/64, 1/64) >= votes/64], IPOL 11 (2021) 396.

    64 H^2 W^2 bounds the number of rectangles and origins; a block's 64 pixels vote
    together, so they count once. Never -inf: where the tail underflows, Chernoff's upper
    bound of it is taken, which keeps the guarantee.
    """
    from scipy.stats import binom

    trials, hits = max(1, pixels // PHASES), votes // PHASES
    tail = float(binom.logsf(hits - 1, trials, 1 / PHASES))
    if not np.isfinite(tail):
        tail = -trials * _divergence(min(1.0, hits / trials), 1 / PHASES)
    tests = np.log10(64.0) + 2 * np.log10(float(shape[0]) * float(shape[1]))
    return float(tests + tail / np.log(10))


def _divergence(share: float, chance: float) -> float:
    """Kullback-Leibler divergence of two coins, nats."""
    from scipy.special import rel_entr

    return float(rel_entr(share, chance) + rel_entr(1 - share, 1 - chance))


def _regions(
    cells: NDArray[np.uint8], main: int | None, shape: tuple[int, ...]
) -> tuple[list[GridRegion], NDArray[np.float32]]:
    """Connected cells of every origin but the main one, and the map of significant ones."""
    found: list[GridRegion] = []
    region_map = np.zeros(cells.shape[1:], np.float32)
    for origin in range(PHASES):
        if origin == main:
            continue
        for region, place, window in _components(cells[origin], origin, shape):
            found.append(region)
            if region.log10_nfa < 0:
                raised = place * np.float32(-region.log10_nfa)
                np.maximum(region_map[window], raised, out=region_map[window])
    found.sort(key=lambda region: (region.log10_nfa, region.top, region.left, region.origin))
    return found, region_map


def _components(
    votes: NDArray[np.uint8], origin: int, shape: tuple[int, ...]
) -> Iterator[tuple[GridRegion, NDArray[np.uint8], tuple[slice, slice]]]:
    """Regions of one origin with their closed shape and where in the map it lies."""
    import cv2

    joined = np.ones((3, 3), np.uint8)
    member = (votes >= MIN_CELL_VOTES).astype(np.uint8)
    _, labels, boxes, _ = cv2.connectedComponentsWithStats(cv2.dilate(member, joined))
    if len(boxes) < 2:
        return
    totals = np.bincount(labels.ravel(), (votes * member).ravel())
    for label in np.argsort(-totals[1:], kind="stable")[:MAX_REGIONS] + 1:
        left, top, width, height = (int(n) for n in boxes[label][:4])
        window = slice(top, top + height), slice(left, left + width)
        inside = ((labels[window] == label) & (member[window] > 0)).astype(np.uint8)
        place: Any = cv2.morphologyEx(inside, cv2.MORPH_CLOSE, joined)
        yield _region(origin, inside, (top, left), int(totals[label]), shape), place, window


def _region(
    origin: int,
    inside: NDArray[np.uint8],
    corner: tuple[int, int],
    votes: int,
    shape: tuple[int, ...],
) -> GridRegion:
    """The box round the voting cells of one component, and its NFA."""
    rows, columns = np.flatnonzero(inside.any(axis=1)), np.flatnonzero(inside.any(axis=0))
    top, left = (corner[0] + int(rows[0])) * BLOCK, (corner[1] + int(columns[0])) * BLOCK
    height = min(shape[0], (corner[0] + int(rows[-1]) + 1) * BLOCK) - top
    width = min(shape[1], (corner[1] + int(columns[-1]) + 1) * BLOCK) - left
    return GridRegion(
        left=left,
        top=top,
        width=width,
        height=height,
        origin=divmod(origin, BLOCK),
        votes=votes,
        log10_nfa=log10_nfa(width * height, votes, shape),
    )
