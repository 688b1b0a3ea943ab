"""Spectrum of the cross-difference residual: peaks at periods 2, 4 and 8, and its fall.

Generators enlarge feature maps by twos and leave faint periodic marks; a camera does not
(Synthbuster's idea; examination handbook, 3.8). JPEG leaves the same periods, so the
file's quality is measured along.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.media.material import Plane
from tidewaiter.traces.base import PictureTrace, Traces, Untaken, too_small
from tidewaiter.traces.compression import Compression, compression_of

# Tiles of this side are averaged: their bins fall on all multiples of 1/8 cycle a pixel.
TILE_PX = 128

# Tiles spread over a large picture; more would not sharpen the mean noticeably.
MAX_TILES = 256

# A cross difference beyond this many grey levels is an edge, not a residual.
RESIDUAL_LIMIT = 16.0

# Half side of the surroundings, in bins, that a peak is compared with.
SURROUNDINGS = 4

RADIAL_BINS = 32


@dataclass(frozen=True)
class Spectrum:
    """Mean spectrum of the cross-difference residual.

    `peaks`: for periods 2, 4, 8 the mean log10 ratio of magnitude at the frequencies of
    that period (and not of a shorter one) to their surroundings. `radial`: log10
    magnitude against frequency (0..0.5 cycles a pixel), 0 at the lowest. `tail`: mean
    of `radial` above 0.4.
    """

    peaks: tuple[float, float, float]
    frequencies: tuple[float, ...]
    radial: tuple[float, ...]
    tail: float
    live_share: float
    width: int
    height: int
    compression: Compression


class SpectrumTrace(PictureTrace):
    """Spectrum of the fine residual of a still picture."""

    name = "spectrum"

    def measure(self, picture: Picture, earlier: Traces) -> Spectrum | Untaken:  # noqa: ARG002
        """The mean spectrum of tiles; not applicable under 128 pixels a side."""
        small = too_small(picture, TILE_PX)
        if small is not None:
            return small
        return _spectrum(picture.luma, compression_of(picture))


def _spectrum(luma: Plane, compression: Compression) -> Spectrum:
    magnitude, live_share = _mean_magnitude(luma)
    frequencies, radial = _radial(magnitude)
    return Spectrum(
        peaks=(_peak(magnitude, 2), _peak(magnitude, 4), _peak(magnitude, 8)),
        frequencies=tuple(float(v) for v in frequencies),
        radial=tuple(float(v) for v in radial),
        tail=float(radial[frequencies > 0.4].mean()),
        live_share=live_share,
        width=luma.shape[1],
        height=luma.shape[0],
        compression=compression,
    )


def _mean_magnitude(luma: Plane) -> tuple[NDArray[np.float64], float]:
    """Mean FFT magnitude of the residual over tiles, and the share of tiles with any."""
    total = np.zeros((TILE_PX, TILE_PX))
    taper = np.hanning(TILE_PX)[:, None] * np.hanning(TILE_PX)[None]
    places = _tiles(luma.shape[0] - 1, luma.shape[1] - 1)
    live = 0
    for top, left in places:
        part = luma[top : top + TILE_PX + 1, left : left + TILE_PX + 1]
        cross = part[:-1, :-1] + part[1:, 1:] - part[1:, :-1] - part[:-1, 1:]
        residual = np.minimum(np.abs(cross), RESIDUAL_LIMIT)
        spread = float(residual.std())
        if spread > 0.1:
            live += 1
            total += np.abs(np.fft.fft2((residual - residual.mean()) * taper)) / spread
    return total / max(1, live), live / max(1, len(places))


def _tiles(height: int, width: int) -> list[tuple[int, int]]:
    """Corners of tiles, evenly spread over multiples of 8 when there are too many."""
    tops, lefts = (
        np.arange(0, max(1, side - TILE_PX + 1), TILE_PX, dtype=int) for side in (height, width)
    )
    every = max(1.0, float(np.sqrt(len(tops) * len(lefts) / MAX_TILES)))
    rows, columns = (
        places[np.unique(np.arange(0, len(places), every).astype(int))] for places in (tops, lefts)
    )
    return [(int(top), int(left)) for top in rows for left in columns]


def _peak(magnitude: NDArray[np.float64], period: int) -> float:
    """Mean log10 ratio at the frequencies of this period, per axis and diagonal."""
    step = TILE_PX // period
    multiples = range(0, TILE_PX, step)
    ratios = [
        _ratio(magnitude, row, column)
        for row in multiples
        for column in multiples
        if (row // step) % 2 or (column // step) % 2
    ]
    return float(np.mean(ratios))


def _ratio(magnitude: NDArray[np.float64], row: int, column: int) -> float:
    """log10 of a bin over the median of its surroundings, the bin's neighbours left out."""
    span = np.arange(-SURROUNDINGS, SURROUNDINGS + 1)
    around = magnitude[np.ix_((row + span) % TILE_PX, (column + span) % TILE_PX)]
    outside = np.maximum(np.abs(span)[:, None], np.abs(span)[None]) > 1
    usual = float(np.median(around[outside]))
    return float(np.log10(max(magnitude[row, column], 1e-9) / usual)) if usual > 0 else 0.0


def _radial(magnitude: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    frequency = np.fft.fftfreq(TILE_PX)
    radius = np.hypot(frequency[:, None], frequency[None])
    borders = np.linspace(0.02, 0.5, RADIAL_BINS + 1)
    index = np.digitize(radius, borders) - 1
    means = np.array([magnitude[index == i].mean() for i in range(RADIAL_BINS)])
    radial = np.log10(np.maximum(means, 1e-9) / max(means[0], 1e-9))
    return (borders[:-1] + borders[1:]) / 2, radial
