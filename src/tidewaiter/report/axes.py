"""Axes of a plot: round tick values and the way from values to positions."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

STEP_FACTORS = (1.0, 2.0, 5.0, 10.0)
"""Ticks stand at 1, 2 or 5 times a power of ten."""

TIME_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


@dataclass(frozen=True)
class Axis:
    """From values in `low`..`high` to positions in `start`..`end` (either may run backwards)."""

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """Position of `value`, held inside the axis, to a tenth."""
        share = (value - self.low) / (self.high - self.low)
        return round(self.start + min(max(share, 0.0), 1.0) * (self.end - self.start), 1)

    def ticks(self, wanted: int = 5) -> tuple[float, ...]:
        """About `wanted` round values inside the axis."""
        raw = (self.high - self.low) / wanted
        power = 10.0 ** math.floor(math.log10(raw))
        step = next(power * factor for factor in STEP_FACTORS if power * factor >= raw * 0.999)
        first, last = math.ceil(self.low / step - 1e-9), math.floor(self.high / step + 1e-9)
        return tuple(float(f"{index * step:.10g}") for index in range(first, last + 1))


def axis(values: Sequence[float], start: float, end: float) -> Axis:
    """An axis that holds every value; a single value, or none, gets a width of one."""
    low, high = (min(values), max(values)) if values else (0.0, 1.0)
    if high - low <= abs(high) * 1e-9:
        low, high = low - 0.5 * max(1.0, abs(low)), high + 0.5 * max(1.0, abs(high))
    return Axis(low, high, start, end)


def time_ticks(end_s: float, wanted: int = 4) -> tuple[float, ...]:
    """Round times from 0 to `end_s`: whole seconds, minutes or hours where it is long enough."""
    if end_s <= wanted:
        return Axis(0.0, end_s, 0.0, 1.0).ticks(wanted)
    step = next((step for step in TIME_STEPS_S if end_s / step <= wanted + 1), TIME_STEPS_S[-1])
    return tuple(float(time) for time in range(0, int(end_s) + 1, step))


def tick_label(value: float) -> str:
    """A tick value with as few characters as it needs."""
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}")
