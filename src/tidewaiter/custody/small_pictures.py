"""Small pictures of a manifest as numbers to compute with, made some at a time.

An hour has ninety thousand small pictures. They stay in memory as the manifest has them, and
become grey levels or rows for the alignment when they are asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.alignment import Framed, Indices, Rows
from tidewaiter.custody.registration import Window, cut_to
from tidewaiter.traces.fingerprints import SMALL_STEPS

CLOCK_WEIGHT = 0.25
"""Share of the clock's finer picture in the distance of two frames."""
SAMPLED_FRAMES = 4096
"""Frames that tell which of the clock's digits stand still."""


@dataclass(frozen=True)
class Greys:
    """Pictures in grey levels (float32, frames x rows x columns).

    They are those of `stored` at the places `shown` (None: all), through a window if one is
    given.
    """

    stored: NDArray[np.uint16]
    shown: Indices | None = None
    window: Window | None = None

    def __len__(self) -> int:
        return len(self.stored if self.shown is None else self.shown)

    def __getitem__(self, places: Any, /) -> NDArray[Any]:
        taken = self.stored[places if self.shown is None else self.shown[places]]
        levels: NDArray[Any] = taken.astype(np.float32) / SMALL_STEPS
        return levels if self.window is None else cut_to(levels, self.window)

    def at(self, places: Indices) -> Greys:
        """The pictures at these places."""
        shown = places if self.shown is None else self.shown[places]
        return Greys(self.stored, shown, self.window)


@dataclass(frozen=True)
class Flat:
    """Pictures as rows of blocks."""

    pictures: Framed

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, places: Any, /) -> Rows:
        taken = self.pictures[places]
        return taken.reshape(len(taken), -1)


class Ticks:
    """Rows of what changes in a clock: without the digits that stand still."""

    def __init__(self, clock: NDArray[np.uint16], shown: Indices | None = None) -> None:
        self._clock, self._shown = clock, shown
        self._still = np.median(_digits(clock[:: -(-len(clock) // SAMPLED_FRAMES)]), axis=0)

    def __len__(self) -> int:
        return len(self._clock if self._shown is None else self._shown)

    def __getitem__(self, places: Any, /) -> Rows:
        digits = _digits(self._clock[places if self._shown is None else self._shown[places]])
        scale = 40.0 * CLOCK_WEIGHT / digits.shape[1] / (self._still.std() + 1.0)
        rows: Rows = (digits - self._still) * scale
        return rows


class PictureRows:
    """Rows for the alignment: pictures without brightness and contrast, and what ticks.

    Of a picture only its blocks `seen` count; None: all.
    """

    def __init__(
        self, pictures: Framed, ticks: Ticks | None = None, seen: NDArray[np.bool_] | None = None
    ) -> None:
        self._pictures, self._ticks = pictures, ticks
        self._seen = slice(None) if seen is None else seen

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, places: Any, /) -> Rows:
        taken = self._pictures[places]
        rows = _plain(taken.reshape(len(taken), -1)[:, self._seen])
        return rows if self._ticks is None else np.concatenate([rows, self._ticks[places]], axis=1)


def _plain(flat: NDArray[Any]) -> Rows:
    """Pictures in rows without brightness and contrast; distances are then means over blocks."""
    plain = flat - flat.mean(axis=1, keepdims=True)
    rows: Rows = plain / (plain.std(axis=1, keepdims=True) + 1e-3) * (40.0 / flat.shape[1])
    return rows


def _digits(clock: NDArray[np.uint16]) -> Rows:
    """The clock in grey levels at half its size: finer strokes do not survive encoding."""
    rows, columns = clock.shape[1] // 2, clock.shape[2] // 2
    cells = clock.reshape(len(clock), rows, 2, columns, 2).astype(np.float32)
    means: Rows = (cells.mean(axis=(2, 4)) / SMALL_STEPS).reshape(len(clock), -1)
    return means
