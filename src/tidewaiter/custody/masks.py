"""Masks of a redacted copy: where, and for how long, its pictures may differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.traces.fingerprints import SMALL_HEIGHT, SMALL_WIDTH

ROUNDED_US = 2_000
"""Microseconds by which times are off that containers and the log round to milliseconds."""


@dataclass(frozen=True)
class Mask:
    """A region, in shares, that may differ from `start_s` to `end_s`."""

    start_s: float
    end_s: float
    left: float
    top: float
    right: float
    bottom: float

    def during(self, times: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which of these times (microseconds) it covers."""
        start, end = self.start_s * 1e6 - ROUNDED_US, self.end_s * 1e6 + ROUNDED_US
        covered: NDArray[np.bool_] = (times >= start) & (times <= end)
        return covered


def hidden_blocks(times: NDArray[np.int64], masks: Sequence[Mask]) -> NDArray[np.bool_]:
    """Frames x rows x columns of small pictures: blocks that a mask touches, and their rim."""
    hidden = np.zeros((len(times), SMALL_HEIGHT, SMALL_WIDTH), np.bool_)
    for mask in masks:
        rows = slice(
            max(0, int(mask.top * SMALL_HEIGHT) - 1), int(np.ceil(mask.bottom * SMALL_HEIGHT)) + 1
        )
        columns = slice(
            max(0, int(mask.left * SMALL_WIDTH) - 1), int(np.ceil(mask.right * SMALL_WIDTH)) + 1
        )
        hidden[mask.during(times), rows, columns] = True
    return hidden


FEWEST_SEEN = 72
"""Blocks outside all masks, an eighth of a picture, by which moments are still told apart."""


def seen_blocks(times: NDArray[np.int64], masks: Sequence[Mask]) -> NDArray[np.bool_]:
    """Blocks of a picture in rows that no mask ever touches; all where too few would be left."""
    seen = np.ones(SMALL_HEIGHT * SMALL_WIDTH, np.bool_)
    for mask in masks:
        if mask.during(times).any():
            seen &= ~hidden_blocks(times[mask.during(times)][:1], [mask]).ravel()
    return seen if seen.sum() >= FEWEST_SEEN else np.ones_like(seen)


@dataclass(frozen=True)
class Hidden:
    """Which blocks are hidden at which of these times: frames x blocks, made when asked for."""

    times: NDArray[np.int64]
    masks: Sequence[Mask] = ()

    def __getitem__(self, places: Any, /) -> NDArray[np.bool_]:
        shown = self.times[places]
        return hidden_blocks(shown, self.masks).reshape(len(shown), -1)
