"""Traces of an earlier JPEG compression on the same grid, and blocks that lack them.

A part pasted into a JPEG that is saved again was not quantised by the first table. After
the idea of Lin et al. 2009 and Bianchi & Piva 2011/12: the histogram of a quantised
coefficient is explained by one compression or by two, and every block by its likelihoods.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.traces.base import PictureTrace, Traces, Untaken
from tidewaiter.traces.block_dct import Frequency, block_coefficients
from tidewaiter.traces.jpeg_coefficients import JpegCoefficients
from tidewaiter.vocabulary import Status, tr

Numbers = NDArray[np.float64]

# Low frequencies carry most of the trace; higher ones are mostly zero.
FREQUENCIES: tuple[Frequency, ...] = (
    *((0, 1), (1, 0), (2, 0), (1, 1), (0, 2)),
    *((0, 3), (1, 2), (2, 1), (3, 0)),
)

# Steps tried for the first compression.
MAX_FIRST_STEP = 47

# Share of blocks taken to be doubly compressed while the first step is searched.
DOUBLE_SHARE = 0.75

# Rounding to pixels between the two compressions, in units of a coefficient.
PIXEL_ROUNDING = 0.6

# Half-width of the histograms, in steps of the second table.
MIN_REACH, MAX_REACH = 8, 60

# A frequency that gains less speaks of noise, not of a first compression.
MIN_FREQUENCY_GAIN = 0.01

# One block of one frequency can say no more than this, nats.
MAX_BLOCK_LOG_RATIO = 4.0

# The calibrating grid lies half a block away, where no compression left its lattice.
CALIBRATING_ORIGIN = (4, 4)

SMOOTHED_BLOCKS, SCORED_BLOCKS = 5, 9

# A value is clipped within this distance of black or full. Clipping between two savings
# changes coefficients as if the first had not been; what matters is its weight in luma.
# Of 0.03, 0.06, 0.12 and 0.2 the second parted spliced from unaltered photographs best.
CLIPPED_WITHIN = 2
LUMA_WEIGHTS = (0.299, 0.587, 0.114)
MAX_CLIPPED_SHARE = 0.06

# Fewer blocks give histograms too rough to fit.
MIN_BLOCKS = 256


@dataclass(frozen=True)
class FrequencyFit:
    """The best first step of one frequency; `gain` in nats per block."""

    frequency: Frequency
    first_step: int
    second_step: int
    gain: float

    @property
    def used(self) -> bool:
        """Whether the frequency says anything about a first compression."""
        return self.gain > MIN_FREQUENCY_GAIN


@dataclass(frozen=True)
class JpegDouble:
    """The fit of a first compression and the blocks that do not show it.

    `step_ratio` is the median of first over second step over the used frequencies (0
    without any), `mean_gain` the mean gain of all nine in nats per block and frequency.
    `inserted_map` holds ln of single over double compression per block, smoothed over
    5 x 5; positive = not compressed twice; clipped blocks are left out, and `usable_share`
    is that of the others. `peak` is its highest mean over 9 x 9 blocks, at block `peak_at`
    (row, column of its middle).
    """

    fits: tuple[FrequencyFit, ...]
    step_ratio: float
    mean_gain: float
    used: int
    inserted_map: NDArray[np.float32]
    peak: float
    peak_at: tuple[int, int]
    quality: int
    quality_label: str
    usable_share: float = 1.0


class JpegDoubleTrace(PictureTrace):
    """Fits the first quantisation of a JPEG file that was saved twice on one grid."""

    name: ClassVar[str] = "jpeg.double"
    after: ClassVar[tuple[str, ...]] = ("jpeg.coefficients",)

    def measure(self, picture: Picture, earlier: Traces) -> JpegDouble | Untaken:
        """The fit; `Untaken` without coefficients or with fewer than 256 unclipped blocks."""
        stored = earlier["jpeg.coefficients"]
        if isinstance(stored, Untaken):
            return stored
        rows, columns = stored.height // 8, stored.width // 8
        usable = ~clipped_blocks(picture.rgb[: rows * 8, : columns * 8])
        if usable.sum() < MIN_BLOCKS or min(rows, columns) < SCORED_BLOCKS:
            return Untaken(
                Status.NOT_APPLICABLE,
                tr(
                    "{found} whole blocks of 8 x 8 pixels that are neither black nor blown out; "
                    "{needed} are needed, {side} a side",
                    found=int(usable.sum()),
                    needed=MIN_BLOCKS,
                    side=SCORED_BLOCKS,
                ),
            )
        return double_of(stored, usable)


def clipped_blocks(rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Whole blocks of 8 x 8 pixels in which clipped values make up too much of luma."""
    import cv2

    size = (rgb.shape[1] // 8, rgb.shape[0] // 8)
    if min(size) == 0:
        return np.zeros(size[::-1], bool)
    table = np.zeros(256, np.uint8)
    table[: CLIPPED_WITHIN + 1] = table[255 - CLIPPED_WITHIN :] = 255
    marked: Any = cv2.LUT(np.ascontiguousarray(rgb[: size[1] * 8, : size[0] * 8]), table)
    shares: Any = cv2.resize(marked, size, interpolation=cv2.INTER_AREA)
    share = shares.astype(np.float32) @ (np.array(LUMA_WEIGHTS, np.float32) / 255)
    return np.asarray(share > MAX_CLIPPED_SHARE)


def double_of(stored: JpegCoefficients, usable: NDArray[np.bool_]) -> JpegDouble:
    """Fit every frequency, then weigh every usable block by the frequencies that gained."""
    smooth = block_coefficients(stored.luma, FREQUENCIES, origin=CALIBRATING_ORIGIN)
    fits, ratios = [], np.zeros(usable.shape, np.float32)
    for index, frequency in enumerate(FREQUENCIES):
        fit, levels, log_ratio = _fit(stored, frequency, smooth[index], usable)
        fits.append(fit)
        if fit.used:
            ratios += log_ratio[levels]
    used = [fit for fit in fits if fit.used]
    smoothed, peak, peak_at = _peak(ratios, usable)
    return JpegDouble(
        fits=tuple(fits),
        step_ratio=float(np.median([f.first_step / f.second_step for f in used])) if used else 0.0,
        mean_gain=float(np.mean([fit.gain for fit in fits])),
        used=len(used),
        inserted_map=smoothed,
        peak=peak,
        peak_at=peak_at,
        quality=stored.quality,
        quality_label=stored.quality_label,
        usable_share=float(usable.mean()),
    )


def single_probabilities(coefficients: Numbers, step: int, reach: int) -> Numbers:
    """P[round(c / step) = k] for |k| <= reach from never-quantised samples; ends hold tails."""
    return HalfSteps(coefficients, step * (reach + 1)).levels(step, reach)


def double_probabilities(coefficients: Numbers, first: int, second: int, reach: int) -> Numbers:
    """P[round((first * round(c / first) + e) / second) = k], e ~ N(0, 0.6^2)."""
    return _requantised(HalfSteps(coefficients, second * (reach + 1)), first, second, reach)


class HalfSteps:
    """A cumulative histogram on half units, which holds the edges of every whole step.

    It is made once a frequency, and every first step reads its levels from it.
    """

    def __init__(self, samples: Numbers, limit: int) -> None:
        self.limit = limit + MAX_FIRST_STEP
        bins = 4 * self.limit
        inside = np.clip(2 * (samples + self.limit), 0, bins - 1).astype(np.int64)
        self.cumulative = np.concatenate([[0], np.cumsum(np.bincount(inside, minlength=bins))])

    def levels(self, step: int, reach: int) -> Numbers:
        """Share of samples that round to each level -reach..reach of a step; smoothed by ½."""
        edges = step * (2 * np.arange(-reach, reach) + 1)
        inner = self.cumulative[np.clip(edges + 2 * self.limit, 0, 4 * self.limit)]
        counts = np.diff(np.concatenate([[0], inner, [self.cumulative[-1]]]))
        return _smoothed(counts.astype(np.float64), float(self.cumulative[-1]))


def _smoothed(counts: Numbers, total: float) -> Numbers:
    return (counts + 0.5) / (total + 0.5 * counts.size)


def _requantised(samples: HalfSteps, first: int, second: int, reach: int) -> Numbers:
    """Move every level of the first step, blurred by pixel rounding, to levels of the second."""
    from scipy.special import ndtr

    first_reach = int(np.ceil(second * (reach + 1) / first))
    edges = first * (2 * np.arange(-first_reach, first_reach) + 1)
    inner = samples.cumulative[np.clip(edges + 2 * samples.limit, 0, 4 * samples.limit)]
    total = float(samples.cumulative[-1])
    counts = np.diff(np.concatenate([[0], inner, [total]]))
    values = first * np.arange(-first_reach, first_reach + 1)
    borders = second * (np.arange(-reach, reach) + 0.5)
    below = ndtr((borders[None, :] - values[:, None]) / PIXEL_ROUNDING)
    shares = np.diff(below, axis=1, prepend=0.0, append=1.0)
    return _smoothed(counts @ shares, total)


def _fit(
    stored: JpegCoefficients,
    frequency: Frequency,
    smooth: NDArray[np.float32],
    usable: NDArray[np.bool_],
) -> tuple[FrequencyFit, NDArray[np.int64], NDArray[np.float32]]:
    """The best first step; every block's level; and ln p_single / p_double by level."""
    second = int(stored.table[frequency])
    rows, columns = usable.shape
    levels = stored.quantised[:rows, :columns, frequency[0], frequency[1]].astype(np.int64)
    reach = int(np.clip(np.percentile(np.abs(levels[usable]), 99), MIN_REACH, MAX_REACH))
    levels = np.clip(levels, -reach, reach) + reach
    histogram = np.bincount(levels[usable], minlength=2 * reach + 1).astype(np.float64)
    samples = HalfSteps(smooth.ravel().astype(np.float64), second * (reach + 1))
    single = samples.levels(second, reach)
    tried = [step for step in range(1, MAX_FIRST_STEP + 1) if step != second]
    doubles = np.array([_requantised(samples, step, second, reach) for step in tried])
    mixed = np.log(DOUBLE_SHARE * doubles + (1 - DOUBLE_SHARE) * single) @ histogram
    best = int(np.argmax(mixed))
    gain = float((mixed[best] - histogram @ np.log(single)) / histogram.sum())
    log_ratio = np.log(single / doubles[best])
    log_ratio = np.clip(log_ratio, -MAX_BLOCK_LOG_RATIO, MAX_BLOCK_LOG_RATIO)
    return FrequencyFit(frequency, tried[best], second, gain), levels, log_ratio.astype(np.float32)


def _peak(
    ratios: NDArray[np.float32], usable: NDArray[np.bool_]
) -> tuple[NDArray[np.float32], float, tuple[int, int]]:
    """The map smoothed over 5 x 5, and its highest mean over whole windows of 9 x 9 blocks."""
    smoothed = _mean_of_usable(ratios, usable, SMOOTHED_BLOCKS)
    means = _mean_of_usable(smoothed, usable, SCORED_BLOCKS)
    half = SCORED_BLOCKS // 2
    inner = means[half : ratios.shape[0] - half, half : ratios.shape[1] - half]
    row, column = np.unravel_index(int(np.argmax(inner)), inner.shape)
    return smoothed, float(inner[row, column]), (int(row) + half, int(column) + half)


def _mean_of_usable(
    values: NDArray[np.float32], usable: NDArray[np.bool_], side: int
) -> NDArray[np.float32]:
    """Means over side x side; less than half usable, what is missing counts as 0."""
    import cv2

    weight = usable.astype(np.float32)
    kind = cv2.BORDER_REFLECT_101
    total: Any = cv2.blur(values * weight, (side, side), borderType=kind)
    share: Any = cv2.blur(weight, (side, side), borderType=kind)
    return np.asarray(total / np.maximum(share, 0.5), dtype=np.float32)
