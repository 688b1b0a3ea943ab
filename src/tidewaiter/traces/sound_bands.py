"""Band levels of a recording's sound every 40 ms: a fingerprint that survives encoding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BANDS = 12
LOWEST_HZ, HIGHEST_HZ = 100.0, 3500.0
"""The telephone band, which every codec and rate keeps."""
HOP_S, WINDOW_S = 0.04, 0.08
"""One row per frame of 25 frames a second."""
HALF_DECIBELS_UP = 200
"""0 stands for -100 dB below full scale, 255 for +27.5 dB."""
FAINTEST = 1e-10
"""Mean square of -100 dB."""
BATCH_S = 2.0
"""So much sound is worked off at once."""

LONGEST_GAP_S = 3600.0
"""A longer silence between two packets is a broken time stamp and is not filled."""
LEAST_GAP_S = 0.1
"""Shorter differences of time stamps are rounding by containers."""


class SoundBands:
    """Accumulates rows of band levels from decoded mono samples, in bounded memory."""

    def __init__(self, rate: int) -> None:
        self._rate = rate
        self._window = max(16, round(WINDOW_S * rate))
        self._taper = np.hanning(self._window).astype(np.float32)
        self._edges = _band_edges(self._window, rate)
        self._batch = round(BATCH_S * rate)
        self._waiting: list[NDArray[np.float32]] = []
        self._held = self._dropped = self._taken = self._done = 0
        self._start_s: float | None = None
        self._rows: list[NDArray[np.uint8]] = []

    def feed(self, samples: NDArray[np.float32] | None, pts_s: float | None) -> None:
        """Take decoded samples in; a hole in the time stamps counts as silence."""
        if samples is None or not self._rate or not len(samples):
            return
        if self._start_s is None:
            self._start_s = pts_s or 0.0
        elif pts_s is not None:
            gap_s = pts_s - self._start_s - self._taken / self._rate
            if LEAST_GAP_S < gap_s < LONGEST_GAP_S:
                self._add(np.zeros(round(gap_s * self._rate), np.float32))
        self._add(samples)

    def result(self) -> tuple[NDArray[np.uint8], float | None]:
        """Rows of `BANDS` levels in half decibels, and the time of the first sample."""
        self._work_off()
        if not self._rows:
            return np.zeros((0, BANDS), np.uint8), self._start_s
        return np.concatenate(self._rows), self._start_s

    def _add(self, samples: NDArray[np.float32]) -> None:
        self._taken += len(samples)
        self._held += len(samples)
        self._waiting.append(samples)
        if self._held >= self._batch:
            self._work_off()

    def _work_off(self) -> None:
        """Turn what waits into rows, and keep what the next row needs."""
        if self._held < self._window:
            return
        waiting = np.concatenate(self._waiting)
        last = self._dropped + len(waiting) - self._window
        count = max(int(last / (HOP_S * self._rate)) + 1 - self._done, 0)
        starts = np.rint(np.arange(self._done, self._done + count) * HOP_S * self._rate).astype(int)
        starts = starts[starts <= last] - self._dropped
        windows = np.lib.stride_tricks.sliding_window_view(waiting, self._window)[starts]
        self._rows.append(_levels(windows * self._taper, self._edges))
        self._done += len(starts)
        keep = min(int(np.rint(self._done * HOP_S * self._rate)) - self._dropped, len(waiting))
        self._waiting = [waiting[keep:].copy()]
        self._held = len(waiting) - keep
        self._dropped += keep


def _band_edges(window: int, rate: int) -> NDArray[np.int64]:
    """First FFT bin of each band and the end of the last; every band holds a bin."""
    bins = np.geomspace(LOWEST_HZ, HIGHEST_HZ, BANDS + 1) * window / max(rate, 1)
    edges = np.ceil(bins).astype(np.int64)
    for band in range(BANDS):
        edges[band + 1] = max(edges[band + 1], edges[band] + 1)
    return np.minimum(edges, window // 2)


def _levels(windows: NDArray[np.float32], edges: NDArray[np.int64]) -> NDArray[np.uint8]:
    spectrum = np.fft.rfft(windows, axis=1)[:, : edges[-1]]
    power = np.abs(spectrum) ** 2 / windows.shape[1] ** 2
    sums = np.concatenate([np.zeros((len(power), 1)), np.cumsum(power, axis=1)], axis=1)
    energy = sums[:, edges[1:]] - sums[:, edges[:-1]]
    level = 20.0 * np.log10(np.maximum(energy, FAINTEST)) + HALF_DECIBELS_UP
    rounded: NDArray[np.uint8] = np.clip(np.rint(level), 0, 255).astype(np.uint8)
    return rounded
