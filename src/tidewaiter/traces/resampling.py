"""Periodic marks of interpolation: peaks in the spectrum of the second derivative.

A scaled picture repeats its interpolation error with a period of its scale (Popescu &
Farid; Gallagher). Measured over the whole picture and in windows: a window with a peak
that the rest does not have was scaled by itself. Multiples of 1/8 belong to JPEG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.media.material import Plane
from tidewaiter.traces.base import PictureTrace, Traces, Untaken, too_small
from tidewaiter.traces.compression import Compression, compression_of

# Windows of this side, at half the side from each other: the smallest scaled part seen.
WINDOW_PX = 256
STEP_PX = WINDOW_PX // 2

# At most this many windows are looked at; larger pictures are looked at in fewer places,
# never reduced, because reducing erases the marks.
MAX_WINDOWS_A_SIDE = 48

# Frequencies below hold the picture itself.
LOWEST_FREQUENCY = 0.07

# Bins around each multiple of 1/8 that JPEG blocks fill.
JPEG_BINS = 3

# Width of the running median that stands for the spectrum without peaks, in bins.
BACKGROUND_BINS = 21

# A frequency is shared by the whole picture where its median power is above this; noise
# alone stays near 1, and a part of a quarter of the picture lifts it to 2.5.
SHARED_POWER = 4.0

Spectra = NDArray[np.float32]


@dataclass(frozen=True)
class Resampling:
    """Power of spectral peaks over their background (1: none), whole picture and windows.

    `strength` (window rows x columns) is the largest power of a peak that the whole
    picture does not share, along both directions together; `frequency` its place in
    cycles a pixel. `overall` is the median spectrum at `frequencies`; `overall_peak` and
    `overall_frequency` its highest point. `live_share` of the windows had any structure.
    """

    strength: Plane
    frequency: Plane
    frequencies: tuple[float, ...]
    overall: tuple[float, ...]
    overall_peak: float
    overall_frequency: float
    live_share: float
    compression: Compression
    positions: tuple[tuple[int, ...], tuple[int, ...]]
    """Tops and lefts of the windows in pixels."""


class ResamplingTrace(PictureTrace):
    """Peaks of interpolation in a still picture."""

    name = "resampling"

    def measure(self, picture: Picture, earlier: Traces) -> Resampling | Untaken:  # noqa: ARG002
        """Spectra of windows; not applicable under 256 pixels a side."""
        small = too_small(picture, WINDOW_PX)
        if small is not None:
            return small
        return resampling(picture.luma, compression_of(picture))


def resampling(luma: Plane, compression: Compression) -> Resampling:
    """Peaks of a luma plane of at least 256 pixels a side."""
    tops, lefts = _positions(luma.shape[0]), _positions(luma.shape[1])
    across, live = _window_power(_bending(luma), tops, lefts)
    down, _ = _window_power(_bending(np.ascontiguousarray(luma.T)), lefts, tops)
    power = (across + down.swapaxes(0, 1)) / 2
    allowed = _allowed()
    frequencies = np.fft.rfftfreq(WINDOW_PX)
    overall = (
        np.median(power[live], axis=0) if live.any() else np.ones(len(frequencies), np.float32)
    )
    shared = np.convolve(overall > SHARED_POWER, np.ones(3), mode="same") > 0
    own = np.where(allowed & ~shared, power, 0)
    best = own.argmax(axis=-1)
    strength = np.where(live, np.take_along_axis(own, best[..., None], axis=-1)[..., 0], 0)
    top = int(np.where(allowed, overall, 0).argmax())
    return Resampling(
        strength=strength.astype(np.float32),
        frequency=frequencies[best].astype(np.float32),
        frequencies=tuple(float(v) for v in frequencies),
        overall=tuple(float(v) for v in np.where(allowed, overall, 1.0)),
        overall_peak=float(overall[top]),
        overall_frequency=float(frequencies[top]),
        live_share=float(live.mean()),
        compression=compression,
        positions=(tuple(tops), tuple(lefts)),
    )


def scale_factors(frequency: float) -> tuple[float, float]:
    """Enlargements that make a peak at `frequency`: 1/f and, folded, 1/(1 - f)."""
    return 1 / frequency, 1 / (1 - frequency)


def _positions(side: int) -> list[int]:
    count = min(MAX_WINDOWS_A_SIDE, (side - WINDOW_PX) // STEP_PX + 1)
    if count == 1:
        return [(side - WINDOW_PX) // 2]
    # Multiples of 8 keep the windows in step with the JPEG lattice.
    spread = np.linspace(0, side - WINDOW_PX, count) // 8 * 8
    return [int(v) for v in spread]


def _bending(luma: Plane) -> Plane:
    """Magnitude of the second derivative along rows, evened out so that no edge rules."""
    import cv2

    bend: Any = np.zeros_like(luma)
    bend[:, 1:-1] = np.abs(2 * luma[:, 1:-1] - luma[:, :-2] - luma[:, 2:])
    usual = cv2.blur(bend, (17, 17))
    return np.asarray(np.minimum(bend / (usual + 0.5), 4.0))


def _window_power(bend: Plane, tops: list[int], lefts: list[int]) -> tuple[Spectra, Any]:
    """Power over background along rows per window (tops x lefts x bins), and liveliness."""
    from scipy.ndimage import median_filter

    sums = np.zeros((bend.shape[0] + 1, bend.shape[1]), np.float64)
    np.cumsum(bend, axis=0, out=sums[1:])
    taper = np.hanning(WINDOW_PX)
    allowed = _allowed()
    power = np.zeros((len(tops), len(lefts), WINDOW_PX // 2 + 1), np.float32)
    live = np.empty((len(tops), len(lefts)), bool)
    for i, top in enumerate(tops):
        profile = (sums[top + WINDOW_PX] - sums[top]) / WINDOW_PX
        parts = np.stack([profile[left : left + WINDOW_PX] for left in lefts])
        level = parts.mean(axis=1, keepdims=True)
        live[i] = level[:, 0] > 0.1
        magnitude = np.abs(np.fft.rfft((parts - level) * taper, axis=1))[:, allowed]
        usual = median_filter(magnitude, (1, BACKGROUND_BINS), mode="nearest")
        # Squared, a noise spectrum has its median at log 2 of its mean.
        power[i][:, allowed] = (magnitude / np.maximum(usual, 1e-9)) ** 2 * np.log(2)
    return power, live


def _allowed() -> NDArray[np.bool_]:
    """Frequencies that neither the picture's content nor JPEG blocks fill."""
    bins = np.arange(WINDOW_PX // 2 + 1)
    block = WINDOW_PX // 8
    from_block = np.abs((bins + block // 2) % block - block // 2)
    return (bins / WINDOW_PX >= LOWEST_FREQUENCY) & (from_block >= JPEG_BINS)
