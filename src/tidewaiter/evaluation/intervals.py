"""Intervals of measured rates and of any statistic, by sources where items depend."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.sources import BoolArray, FloatArray, IntArray, draw_sources

# The level of every interval we print unless told otherwise.
LEVEL = 0.95
# Draws of a bootstrap over sources (handbook of examination, 2.1).
DRAWS = 2000


@dataclass(frozen=True)
class Interval:
    """A measured value with the ends of its interval."""

    value: float
    lower: float
    upper: float


def clopper_pearson(events: float, trials: float, level: float = LEVEL) -> Interval:
    """Exact interval of a rate; with 0 events its upper end is still above 0.

    Both may be fractions: a rate over items, expressed in independent sources or trials.
    """
    _check(events, trials)
    from scipy.special import betaincinv

    tail = (1 - level) / 2
    lower = 0.0 if events == 0 else float(betaincinv(events, trials - events + 1, tail))
    upper = 1.0 if events == trials else float(betaincinv(events + 1, trials - events, 1 - tail))
    return Interval(events / trials, lower, upper)


def wilson(events: int, trials: int, level: float = LEVEL) -> Interval:
    """Wilson's score interval of a rate: shorter than the exact one, right on average."""
    _check(events, trials)
    from scipy.stats import norm

    z = float(norm.ppf(0.5 + level / 2))
    rate = events / trials
    centre = (rate + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * np.sqrt(rate * (1 - rate) / trials + z**2 / (4 * trials**2))
    return Interval(rate, max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half)))


def rule_of_three(trials: int) -> float:
    """Upper end of the 95 % interval of a rate of which no event was seen in `trials`: 3/n."""
    _check(0, trials)
    return min(1.0, 3.0 / trials)


def source_bootstrap(
    statistic: Callable[[FloatArray], float],
    labels: BoolArray,
    source_codes: IntArray,
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Interval:
    """Percentile interval of `statistic(item_weights)`, drawing whole sources with replacement.

    Item weights are how often the item's source was drawn; draws for which the statistic
    is not a number are left out.
    """
    value = statistic(np.ones(labels.size))
    drawn = draw_sources(labels, source_codes, draws, rng)
    results = np.array([statistic(row[source_codes].astype(np.float64)) for row in drawn])
    return percentile_interval(value, results, level)


def percentile_interval(value: float, results: FloatArray, level: float = LEVEL) -> Interval:
    """The middle `level` of bootstrap results, widened where needed to hold the value."""
    usable = results[np.isfinite(results)]
    if usable.size == 0:
        return Interval(value, value, value)
    lower, upper = np.quantile(usable, [(1 - level) / 2, (1 + level) / 2])
    return Interval(value, min(value, float(lower)), max(value, float(upper)))


def _check(events: float, trials: float) -> None:
    if trials <= 0 or not 0 <= events <= trials:
        raise ValueError(f"{events} events in {trials} trials; 0 ≤ events ≤ trials > 0 is needed")
