"""Measure how often the intervals of an audit hold the truth, in simulated audits.

    python benchmarks/face_audit/coverage.py [--simulations 1000] [--out FILE]

An identity's own rate is drawn from a beta distribution of mean p and intra-class
correlation rho, its trials from a binomial: what attempts on one person look like. `equal`
has 32 trials a person, `unequal` 8 to 226, as in published data, `very unequal` 1 to 400, the
largest person having about a sixth of all. `linked` is very unequal, and people with many trials
are hit more often: the truth is the rate over all trials there could be, `p` that of people
with the median number. `two-way` gives targets and hosts an effect each,
and has the two-way interval before the others; `pairs` are zero-effort comparisons of all
pairs of subjects, each subject with an effect. Every cell lists the coverage, in percent, of
nominal 95 % intervals in the order of `order`; `clustered` is the headline of an audit.
`median widths` are of the headline and of Korn and Graubard's, in points of a percent.
Figures of 1,000 simulations are themselves known to about +/- 1.4 points. One thread, three
minutes.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import norm

from tidewaiter.evaluation.clustered import (
    Tally,
    clustered_clopper_pearson,
    korn_graubard,
    two_way_clopper_pearson,
)
from tidewaiter.evaluation.intervals import clopper_pearson

SEED = 1
SIMULATIONS = 1000
DRAWS = 2000
IDENTITIES = (5, 10, 20, 40, 60)
RATES = (0.02, 0.05, 0.1, 0.5, 0.8)
CORRELATIONS = (0.3, 0.1, 0.6)
TRIALS = 32
# Trials a person: fewest, most, spread of their logarithm. `unequal` as in the published
# answers (`audit replay`).
SIZES = {"unequal": (8, 226, 0.8), "very unequal": (1, 400, 1.3), "linked": (1, 400, 1.3)}
# In `linked`, the logit of a person's mean rate rises so with a standard deviation of the
# logarithm of their number of trials.
LINK = 0.5
PEOPLE_IN_ALL = 1_000_000
HOSTS, SHOTS = 4, 8  # of a target in the two-way audits
ORDER = ("clustered", "Korn-Graubard", "Korn-Graubard without floor", "bootstrap", "naive")
TWO_WAY_ORDER = ("two-way clustered", *ORDER)
PAIR_ORDER = ("subject bootstrap", "naive")

FloatArray = np.ndarray[Any, np.dtype[np.float64]]


def main() -> None:
    """Simulate every cell and write the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--simulations", type=int, default=SIMULATIONS)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results/coverage.json")
    options = parser.parse_args()
    started = time.process_time()
    results = measure(options.simulations, np.random.default_rng(SEED))
    results["cpu_s"] = round(time.process_time() - started, 1)
    options.out.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(results["summary"], indent=1))


def measure(simulations: int, rng: np.random.Generator) -> dict[str, Any]:
    """Coverage of every cell, and the headline interval's worst and best cell by kind."""
    found = dict(_cells(simulations, rng))
    one_way = {name: covered for name, (covered, _) in found.items()}
    widths = {name: width for name, (_, width) in found.items()}
    two_way = dict(_two_way_cells(simulations, rng))
    pairs = dict(_pairs(simulations, rng))
    by_size = {
        kind: {name: shares for name, shares in one_way.items() if name.startswith(f"{kind},")}
        for kind in ("equal", *SIZES)
    }
    summary = {
        f"{kind}, {order}": _summary(cells, ORDER.index(order))
        for order in ("clustered", "Korn-Graubard", "naive")
        for kind, cells in by_size.items()
    }
    for kind, cells in by_size.items():
        for place, order in enumerate(("clustered", "Korn-Graubard")):
            middle = float(np.median([widths[name][place] for name in cells]))
            summary[f"{kind}, {order}"]["median width"] = round(middle, 1)
    return {
        "simulations": simulations,
        "seed": SEED,
        "summary": {
            "two-way, two-way clustered": _summary(two_way, 0),
            "two-way, clustered by target": _summary(two_way, 1),
            "pairs, subject bootstrap": _summary(pairs, 0),
            **summary,
        },
        "order": list(ORDER),
        "one-way": one_way,
        "median widths": widths,
        "order of two-way": list(TWO_WAY_ORDER),
        "two-way": two_way,
        "order of pairs": list(PAIR_ORDER),
        "pairs": pairs,
    }


def _summary(cells: dict[str, list[float]], place: int) -> dict[str, Any]:
    """Least and median coverage over the cells of one kind, and how many fall short."""
    shares = {name: covered[place] for name, covered in cells.items()}
    worst = min(shares, key=shares.__getitem__)
    return {
        "cells": len(shares),
        "least": shares[worst],
        "in": worst,
        "median": float(np.median(list(shares.values()))),
        "cells below 93": sum(share < 93 for share in shares.values()),
    }


def _cells(
    simulations: int, rng: np.random.Generator
) -> Iterator[tuple[str, tuple[list[float], list[float]]]]:
    for kind in ("equal", *SIZES):
        for rho in CORRELATIONS:
            for identities in IDENTITIES:
                for rate in RATES:
                    audits = _audits(kind, identities, rate, rho, simulations, rng)
                    truth = _truth(rate, rng) if kind == "linked" else rate
                    yield (
                        f"{kind}, rho {rho}, {identities} people, p {rate}",
                        _measured(*audits, truth, rng),
                    )


def _two_way_cells(simulations: int, rng: np.random.Generator) -> Iterator[tuple[str, list[float]]]:
    for rho in (0.1, 0.3):
        for identities in IDENTITIES[1:]:
            for rate in RATES:
                flags, targets, hosts = _two_way(identities, rate, rho, simulations, rng)
                held = 0
                for audit in flags:
                    interval = two_way_clopper_pearson(audit, targets, hosts)
                    held += interval.lower <= rate <= interval.upper
                events = flags.reshape(simulations, identities, -1).sum(axis=2)
                trials = np.full_like(events, HOSTS * SHOTS)
                yield (
                    f"two-way, rho {rho}, {identities} people, p {rate}",
                    [
                        round(100 * held / simulations, 1),
                        *_measured(events, trials, rate, rng)[0],
                    ],
                )


def _audits(
    kind: str, identities: int, rate: float, rho: float, simulations: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Events and trials, shape (simulations, identities)."""
    shape = (simulations, identities)
    trials = np.full(shape, TRIALS)
    if kind in SIZES:
        # Median 24: a few people with many pictures, many with few.
        fewest, most, spread = SIZES[kind]
        drawn = np.rint(rng.lognormal(np.log(24), spread, shape))
        trials = np.clip(drawn, fewest, most).astype(int)
    mean = _linked(rate, trials) if kind == "linked" else np.full(shape, rate)
    spread = (1 - rho) / rho
    own = rng.beta(mean * spread, (1 - mean) * spread)
    return rng.binomial(trials, own), trials


def _linked(rate: float, trials: FloatArray) -> FloatArray:
    """Mean rates of people with so many trials."""
    steps = LINK * np.log(trials / 24) / SIZES["linked"][2]
    return np.asarray(expit(logit(rate) + steps))


def _truth(rate: float, rng: np.random.Generator) -> float:
    """The rate over all trials of a great many people whose trials and rates are linked."""
    fewest, most, spread = SIZES["linked"]
    trials = np.clip(np.rint(rng.lognormal(np.log(24), spread, PEOPLE_IN_ALL)), fewest, most)
    return float((trials * _linked(rate, trials)).sum() / trials.sum())


def _two_way(
    identities: int, rate: float, rho: float, simulations: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Flags, shape (simulations, trials), with the target and the host of every trial.

    Each target is attacked by a few hosts of a pool as large as the targets; both have an
    effect.
    """
    target = rng.normal(size=(simulations, identities, 1)) * np.sqrt(rho)
    pool = rng.normal(size=(simulations, identities)) * np.sqrt(rho)
    hosts = np.array([rng.permutation(identities)[:HOSTS] for _ in range(identities)])
    # The probit of a sum of three normals whose variances add up to 1 has mean `rate`.
    own = norm.cdf((norm.ppf(rate) + target + pool[:, hosts]) / np.sqrt(1 - 2 * rho))
    flags = rng.random((*own.shape, SHOTS)) < own[..., None]
    return (
        flags.reshape(simulations, -1),
        np.arange(identities).repeat(HOSTS * SHOTS),
        hosts.ravel().repeat(SHOTS),
    )


def _measured(
    events: FloatArray, trials: FloatArray, rate: float, rng: np.random.Generator
) -> tuple[list[float], list[float]]:
    """Share of audits whose interval holds the rate, in percent, in the order of ORDER.

    Also the median widths of the first two intervals.
    """
    simulations, identities = events.shape
    held, widths = np.zeros(len(ORDER)), np.zeros((simulations, 2))
    for audit in range(simulations):
        counts = Tally(events[audit], trials[audit])
        intervals = (
            clustered_clopper_pearson(counts),
            korn_graubard(counts),
            korn_graubard(counts, floor=False),
            clopper_pearson(int(counts.events.sum()), int(counts.trials.sum())),
        )
        held[[0, 1, 2, 4]] += [one.lower <= rate <= one.upper for one in intervals]
        widths[audit] = [one.upper - one.lower for one in intervals[:2]]
    # The draws of `identity_bootstrap`, the same for all audits of a cell.
    drawn = rng.multinomial(identities, np.full(identities, 1 / identities), size=DRAWS)
    rates = (drawn @ events.T) / (drawn @ trials.T)
    held[3] = _held_by_percentiles(rates, rate)
    shares = [round(float(share), 1) for share in 100 * held / simulations]
    return shares, [round(float(width), 1) for width in 100 * np.median(widths, axis=0)]


def _pairs(simulations: int, rng: np.random.Generator) -> Iterator[tuple[str, list[float]]]:
    for rho in (0.05, 0.1):
        for subjects in (20, 40):
            for rate in (0.02, 0.1):
                yield (
                    f"rho {rho}, {subjects} subjects, p {rate}",
                    _pairs_covered(subjects, rate, rho, simulations, rng),
                )


def _pairs_covered(
    subjects: int, rate: float, rho: float, simulations: int, rng: np.random.Generator
) -> list[float]:
    first, second = np.triu_indices(subjects, 1)
    effect = rng.normal(size=(simulations, subjects)) * np.sqrt(rho)
    own = norm.cdf((norm.ppf(rate) + effect[:, first] + effect[:, second]) / np.sqrt(1 - 2 * rho))
    accepted = (rng.random(own.shape) < own).astype(np.float64)
    naive = [clopper_pearson(int(audit.sum()), audit.size) for audit in accepted]
    drawn = rng.multinomial(subjects, np.full(subjects, 1 / subjects), size=DRAWS)
    weights = (drawn[:, first] * drawn[:, second]).astype(np.float64)
    rates = (weights @ accepted.T) / weights.sum(axis=1, keepdims=True)
    held = (
        _held_by_percentiles(rates, rate),
        sum(one.lower <= rate <= one.upper for one in naive),
    )
    return [round(100 * share / simulations, 1) for share in held]


def _held_by_percentiles(rates: FloatArray, rate: float) -> int:
    lower, upper = np.quantile(rates, [0.025, 0.975], axis=0)
    return int(((lower <= rate) & (rate <= upper)).sum())


if __name__ == "__main__":
    main()
