"""Intervals of rates whose trials belong to people: attempts on one person resemble each other.

A cluster is an identity. `events[g]` of `trials[g]` are the events and trials of identity
g. Where the interval of independent trials claims 95 %, clusters leave it about 50 %;
benchmarks/face_audit/coverage.py measures what these give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.evaluation.intervals import (
    DRAWS,
    LEVEL,
    Interval,
    clopper_pearson,
    percentile_interval,
)
from tidewaiter.evaluation.sources import BoolArray, FloatArray, IntArray, codes

# With fewer identities ever hit, or ever missed, no more is known than one trial each tells
# (handbook of the face audit, 3.6: without it coverage falls to 73 %).
FEWEST_IDENTITIES = 5


@dataclass(frozen=True)
class Tally:
    """Events and trials of each identity, identities in sorted order."""

    events: IntArray
    trials: IntArray

    @property
    def identities(self) -> int:
        """Identities with at least one trial."""
        return int((self.trials > 0).sum())

    @property
    def rate(self) -> float:
        """Share of all trials that are events."""
        return float(self.events.sum() / self.trials.sum())

    @property
    def identities_hit(self) -> int:
        """Identities with at least one event."""
        return int((self.events > 0).sum())


def tally(events: BoolArray, identities: Sequence[str] | NDArray[np.str_]) -> Tally:
    """Counts per identity of one flag per trial.

    Raises ValueError without any trial or with lists of two lengths.
    """
    flags = np.asarray(events, dtype=np.bool_)
    if flags.size == 0 or flags.size != len(identities):
        raise ValueError(f"{flags.size} trials of {len(identities)} identities; ≥ 1 pair is needed")
    cluster = codes(np.asarray(identities, dtype=np.str_))
    return Tally(
        events=np.bincount(cluster[flags], minlength=int(cluster.max()) + 1).astype(np.int64),
        trials=np.bincount(cluster).astype(np.int64),
    )


def design_effect(counts: Tally) -> float:
    """How many dependent trials are worth one independent trial; at least 1.

    The variance between identities over that of independent trials. 1 where every trial,
    or none, is an event: nothing shows there. Infinite with a single identity.
    """
    events, trials = _used(counts)
    groups, total = events.size, int(trials.sum())
    rate = events.sum() / total
    if groups == 1:
        return float("inf")
    if rate in {0.0, 1.0}:
        return 1.0
    variance = groups / (groups - 1) * float(((events - rate * trials) ** 2).sum()) / total**2
    return float(max(1.0, variance / (rate * (1 - rate) / total)))


def effective_trials(counts: Tally, level: float = LEVEL, *, floor: bool = True) -> float:
    """Independent trials that say as much as these (Korn & Graubard), 0 with one identity.

    With `floor`, at most the number of identities where fewer than five of them were ever
    hit or ever missed.
    """
    from scipy.special import stdtrit

    events, trials = _used(counts)
    groups, total = events.size, int(trials.sum())
    if groups == 1:
        return 0.0
    upper = 0.5 + level / 2
    few = float(stdtrit(total - 1, upper) / stdtrit(groups - 1, upper)) ** 2
    worth = total / design_effect(counts) * few
    rare = min((events > 0).sum(), (events < trials).sum()) < FEWEST_IDENTITIES
    return min(worth, float(groups)) if floor and rare else worth


def clustered_clopper_pearson(
    counts: Tally, level: float = LEVEL, *, floor: bool = True
) -> Interval:
    """Clopper–Pearson over the effective number of trials: the headline interval of an audit.

    One identity alone says nothing of others: its interval is 0 to 1.
    """
    worth = effective_trials(counts, level, floor=floor)
    if worth == 0:
        return Interval(counts.rate, 0.0, 1.0)
    exact = clopper_pearson(counts.rate * worth, worth, level)
    return Interval(counts.rate, exact.lower, exact.upper)


def identity_bootstrap(
    counts: Tally, rng: np.random.Generator, *, draws: int = DRAWS, level: float = LEVEL
) -> Interval:
    """Percentile interval of the rate over identities drawn with replacement.

    Too short for rare events or few people; shown beside the clustered interval.
    """
    events, trials = _used(counts)
    drawn = rng.integers(0, events.size, size=(draws, events.size))
    rates = events[drawn].sum(axis=1) / trials[drawn].sum(axis=1)
    return percentile_interval(counts.rate, rates, level)


def subject_bootstrap(
    accepted: BoolArray,
    first: Sequence[str],
    second: Sequence[str],
    rng: np.random.Generator,
    *,
    draws: int = DRAWS,
    level: float = LEVEL,
) -> Interval:
    """Interval of a rate over pairs of two different people, drawing people with replacement.

    A pair counts as often as both of its people were drawn together; a person drawn twice
    is not paired with themself. Raises ValueError where a pair is of one person.
    """
    flags = np.asarray(accepted, dtype=np.float64)
    people = codes(np.concatenate([np.asarray(first, np.str_), np.asarray(second, np.str_)]))
    one, other = people[: flags.size], people[flags.size :]
    if flags.size == 0 or np.any(one == other):
        raise ValueError("zero-effort pairs of two different people are needed")
    count = int(people.max()) + 1
    rates = np.full(draws, np.nan)
    for row in range(draws):
        drawn = np.bincount(rng.integers(0, count, size=count), minlength=count)
        weights = drawn[one] * drawn[other]
        total = weights.sum()
        rates[row] = weights @ flags / total if total else np.nan
    return percentile_interval(float(flags.mean()), rates, level)


def _used(counts: Tally) -> tuple[FloatArray, FloatArray]:
    """Events and trials of the identities that have any; ValueError where counts are wrong."""
    events = np.asarray(counts.events, dtype=np.float64)
    trials = np.asarray(counts.trials, dtype=np.float64)
    if events.shape != trials.shape or np.any(events < 0) or np.any(events > trials):
        raise ValueError("0 ≤ events ≤ trials is needed for every identity")
    if not np.any(trials > 0):
        raise ValueError("no identity has a trial; at least one is needed")
    return events[trials > 0], trials[trials > 0]
