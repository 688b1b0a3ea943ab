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

# Weights everybody's own rate by what it tells where trials of one person are so alike; any
# value gives a fair estimate (handbook of the face audit, 3.6: 0.3).
USUAL_CORRELATION = 0.3

# Keeps the memory of a bootstrap at some 30 MB, however many identities there are.
DRAWN_AT_ONCE = 1_000_000


Groups = Sequence[str] | NDArray[np.str_] | IntArray
"""Whom each trial belongs to: names or numbers, one per trial."""


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
    return _tallied(flags, codes(np.asarray(identities, dtype=np.str_)))


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


def effective_trials(counts: Tally, level: float = LEVEL) -> float:
    """Independent trials that say as much as these about other people; 0 with one identity.

    The fewer of two counts: by the jackknife's variance and its own uncertainty, and by
    the variance of people who differ as these do whatever the number of their trials. Both
    equal that of `design_effect` where everybody has as many trials; elsewhere the first can
    miss that the person with most trials is like the others by chance only. At most the
    number of identities where fewer than five of them were ever hit or ever missed.
    """
    events, trials = _used(counts)
    if events.size == 1:
        return 0.0
    effect, freedom = _jackknifed(events, trials)
    worth = min(
        _worth(trials.sum(), effect, freedom, level),
        _worth(trials.sum(), _exchangeable(events, trials), events.size - 1, level),
    )
    return min(worth, float(events.size)) if _rare(events, trials) else worth


def clustered_clopper_pearson(counts: Tally, level: float = LEVEL) -> Interval:
    """Clopper–Pearson over the effective number of trials: the headline interval of an audit.

    Nominal 95 % hold the truth in at least 93 % of audits also where some people have many
    times the trials of others and are hit more often (benchmarks/face_audit/coverage.py):
    wider by a tenth than the jackknife alone, which left 90 %. One identity alone says
    nothing of others: its interval is 0 to 1.
    """
    worth = effective_trials(counts, level)
    return _over(counts.rate, worth, level)


def korn_graubard(counts: Tally, level: float = LEVEL, *, floor: bool = True) -> Interval:
    """The published clustered interval: design effect, as many degrees of freedom as people.

    With `floor`, at most as many effective trials as identities where fewer than five of
    them were ever hit or ever missed. About right where everybody has as many trials; where
    numbers differ much, 90 % instead of 95.
    """
    events, trials = _used(counts)
    if events.size == 1:
        return Interval(counts.rate, 0.0, 1.0)
    worth = _worth(trials.sum(), design_effect(counts), events.size - 1, level)
    if floor and _rare(events, trials):
        worth = min(worth, float(events.size))
    return _over(counts.rate, worth, level)


def two_way_clopper_pearson(
    events: BoolArray, targets: Groups, hosts: Groups, level: float = LEVEL
) -> Interval:
    """The clustered interval where a trial belongs to two people: its target and its host.

    The variance adds both ways of clustering and takes off that of their pairs (Cameron,
    Gelbach & Miller 2011), never below either way alone; degrees of freedom and floor
    are those of the way that knows less. Where only targets are few or alike, it is about
    the interval by target.
    """
    flags = np.asarray(events, dtype=np.bool_)
    first, second = codes(targets), codes(hosts)
    if flags.size == 0 or not flags.size == first.size == second.size:
        raise ValueError(f"{flags.size} trials; one target and one host for each are needed")
    ways = [_used(_tallied(flags, way)) for way in (first, second)]
    pairs = _used(_tallied(flags, codes(first * (int(second.max()) + 1) + second)))
    rate, fewest = float(flags.mean()), min(trials.size for _, trials in ways)
    if fewest == 1:
        return Interval(rate, 0.0, 1.0)
    effects, freedoms = zip(*(_jackknifed(*way) for way in ways), strict=True)
    effect = max(*effects, sum(effects) - _jackknifed(*pairs)[0])
    worth = min(
        _worth(flags.size, effect, min(freedoms), level),
        *(_worth(flags.size, _exchangeable(*way), way[0].size - 1, level) for way in ways),
    )
    if any(_rare(*way) for way in ways):
        worth = min(worth, float(fewest))
    return _over(rate, worth, level)


def identity_bootstrap(
    counts: Tally, rng: np.random.Generator, *, draws: int = DRAWS, level: float = LEVEL
) -> Interval:
    """Percentile interval of the rate over identities drawn with replacement.

    Too short for rare events or few people; shown beside the clustered interval.
    """
    events, trials = _used(counts)
    at_once = max(1, DRAWN_AT_ONCE // events.size)
    rates = np.empty(draws)
    for first in range(0, draws, at_once):
        rows = slice(first, min(first + at_once, draws))
        drawn = rng.integers(0, events.size, size=(rows.stop - rows.start, events.size))
        rates[rows] = events[drawn].sum(axis=1) / trials[drawn].sum(axis=1)
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


def _tallied(flags: BoolArray, cluster: IntArray) -> Tally:
    return Tally(
        events=np.bincount(cluster[flags], minlength=int(cluster.max()) + 1).astype(np.int64),
        trials=np.bincount(cluster).astype(np.int64),
    )


def _jackknifed(events: FloatArray, trials: FloatArray) -> tuple[float, float]:
    """Design effect by leaving out one identity at a time, and the degrees of freedom it has.

    A person with many trials pulls the rate towards their own and so hides how far they are
    from it; leaving them out shows it. Degrees of freedom are Satterthwaite's: 2 / (kurtosis
    - 1) times those of as many people who are all alike, at least 1.
    """
    groups, total = events.size, trials.sum()
    rate = events.sum() / total
    if rate in {0.0, 1.0}:
        return 1.0, groups - 1.0
    shifts = (events - rate * trials) / (total - trials)
    squares = float((shifts**2).sum())
    independent = rate * (1 - rate) / total
    effect = max(1.0, (groups - 1) / groups * squares / independent)
    if squares == 0:
        return effect, groups - 1.0
    kurtosis = groups * float((shifts**4).sum()) / squares**2
    spread = max(kurtosis - 1, 2 / groups)
    return effect, float(np.clip(2 * (groups - 1) / spread, 1, groups - 1))


def _exchangeable(events: FloatArray, trials: FloatArray) -> float:
    """Design effect of people whose own rates have one spread, however many their trials.

    That spread, the intra-class correlation, comes from everybody's own rate, so it is
    known best where the jackknife hangs on the few with most trials.
    """
    groups, total = events.size, trials.sum()
    rate = events.sum() / total
    if rate in {0.0, 1.0}:
        return 1.0
    weights = trials / (1 + (trials - 1) * USUAL_CORRELATION)
    weights /= weights.sum()
    between = groups / (groups - 1) * float((weights * (events / trials - rate) ** 2).sum())
    within = float((weights / trials).sum())
    if within == 1:
        return 1.0
    correlation = np.clip((between / (rate * (1 - rate)) - within) / (1 - within), 0, 1)
    return float(1 + correlation * ((trials**2).sum() / total - 1))


def _rare(events: FloatArray, trials: FloatArray) -> bool:
    """Whether too few identities were ever hit, or ever missed, to show how they differ."""
    return bool(min((events > 0).sum(), (events < trials).sum()) < FEWEST_IDENTITIES)


def _worth(total: float, effect: float, freedom: float, level: float) -> float:
    """Effective trials: by the design effect, and by how uncertain that is itself."""
    from scipy.special import stdtrit

    upper = 0.5 + level / 2
    return float(total / effect * (stdtrit(total - 1, upper) / stdtrit(freedom, upper)) ** 2)


def _over(rate: float, worth: float, level: float) -> Interval:
    """The exact interval of that rate over so many trials, fractions allowed."""
    if worth == 0:
        return Interval(rate, 0.0, 1.0)
    exact = clopper_pearson(rate * worth, worth, level)
    return Interval(rate, exact.lower, exact.upper)


def _used(counts: Tally) -> tuple[FloatArray, FloatArray]:
    """Events and trials of the identities that have any; ValueError where counts are wrong."""
    events = np.asarray(counts.events, dtype=np.float64)
    trials = np.asarray(counts.trials, dtype=np.float64)
    if events.shape != trials.shape or np.any(events < 0) or np.any(events > trials):
        raise ValueError("0 ≤ events ≤ trials is needed for every identity")
    if not np.any(trials > 0):
        raise ValueError("no identity has a trial; at least one is needed")
    return events[trials > 0], trials[trials > 0]
