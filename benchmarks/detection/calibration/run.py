"""Measure our own judgement on simulated scores, where the true likelihood ratio is known.

    python benchmarks/detection/calibration/run.py [--quick] [--out FILE]

- coverage: how often the 95 % interval holds the true log10 LR, before and after bounding;
- calibration: Cllr − Cllr_min on sources that were not used;
- bounds: the largest |log10 LR| against the bound, in bootstrap draws;
- site: how much of the gap between the shipped threshold and the best threshold for the
  site is recovered from 10 genuine + 10 altered items (goal 13: at least half).
"""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tidewaiter.evaluation.cllr import cllr, cllr_min
from tidewaiter.evaluation.elub import elub
from tidewaiter.evaluation.intervals import clopper_pearson
from tidewaiter.opinion.applying import LN10, drawn_values, interval, unbounded
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.cues import FittedCue, Recipe, Terms, fit_cue
from tidewaiter.opinion.curves import Plan, fit_curve
from tidewaiter.opinion.scores import Sample, ScoreRow, ScoreTable
from tidewaiter.opinion.site import calibrate_site
from tidewaiter.vocabulary import Proposition, Status, tr

SEED = 20
DETECTOR = "image.simulated"
TERMS = Terms(DETECTOR, "1", Proposition.IMAGE_ALTERED, may_clear=True, cap=None, gate=tr("always"))
RECIPE = Recipe(name="benchmarks/detection/calibration", data="simulated", seed=SEED, draws=500)
ASKED = (-1.0, 0.5, 1.5)
HELD_OUT = 20_000
SITE_ITEMS = 10


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--quick", action="store_true", help="fewer repetitions")
    options.add_argument("--out", type=Path, default=Path(__file__).parent / "results/result.json")
    chosen = options.parse_args()
    repetitions = 40 if chosen.quick else 200
    result = {
        "seed": SEED,
        "repetitions": repetitions,
        "coverage": [
            coverage(strength, sources, repetitions)
            for strength in (1.0, 1.5)
            for sources in (20, 40, 60, 120, 400)
        ],
        "calibration": [calibration_loss(sources, repetitions) for sources in (40, 120, 400)],
        "bounds": beyond_bounds(10 * (repetitions // 4), 10_000),
        "site": [
            site_gain(shift, spread, repetitions)
            for shift, spread in ((1.0, 1.0), (2.0, 1.0), (-1.5, 1.0), (1.5, 1.5), (0.0, 1.0))
        ],
    }
    chosen.out.parent.mkdir(parents=True, exist_ok=True)
    chosen.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(result, indent=1))


def coverage(strength: float, sources: int, repetitions: int) -> dict[str, Any]:
    """Scores N(±strength, 1), one item a source; the true natural log LR is 2 · strength · s."""
    plain, ours, bounded = (np.zeros(len(ASKED), dtype=int) for _ in range(3))
    error = np.zeros(len(ASKED))
    scores = np.array(ASKED)
    true = 2 * strength * scores / LN10
    done = 0
    for seed in range(repetitions):
        sample = gaussian_sample(strength, sources, np.random.default_rng([SEED, seed]))
        curve = fit_curve(sample, Plan(draws=400), np.random.default_rng([SEED, seed, 1]))
        if curve is None:
            continue
        done += 1
        values = unbounded(curve, scores[:, None])
        draws = drawn_values(curve, scores)
        bounds = elub(unbounded(curve, sample.scores), sample.labels, sample.sources)
        ends = np.array([interval(v, d) for v, d in zip(values, draws.T, strict=True)]).T
        low, high = np.quantile(draws, [0.025, 0.975], axis=0)
        plain += (low <= true) & (true <= high)
        ours += (ends[0] <= true) & (true <= ends[1])
        clipped, held = (np.clip(x, bounds.lower, bounds.upper) for x in (ends, true))
        bounded += (clipped[0] <= held) & (held <= clipped[1])
        error += values - true
    return {
        "strength": strength,
        "sources": sources,
        "refused": repetitions - done,
        "log10_lr_true": np.round(true, 3).tolist(),
        "mean_error": np.round(error / done, 3).tolist(),
        "plain_percentiles": [rate(int(count), done) for count in plain],
        "interval": [rate(int(count), done) for count in ours],
        "interval_after_bounding": [rate(int(count), done) for count in bounded],
    }


def calibration_loss(sources: int, repetitions: int) -> dict[str, Any]:
    """Cllr and Cllr_min of bounded values on many sources not used for the fit."""
    rng = np.random.default_rng([SEED, 7])
    fresh = gaussian_sample(1.0, HELD_OUT, rng)
    costs: list[list[float]] = []
    fits = max(10, repetitions // 10)
    for seed in range(fits):
        table = gaussian_table(1.0, sources, np.random.default_rng([SEED, seed]))
        outcome = fit_cue(table, TERMS, RECIPE)
        if not isinstance(outcome, FittedCue):
            continue
        calibration = outcome.calibration
        values = np.clip(
            unbounded(calibration.curve, fresh.scores),
            calibration.bounds.lower,
            calibration.bounds.upper,
        )
        costs.append([cllr(values, fresh.labels), cllr_min(values, fresh.labels)])
    loss = np.diff(np.array(costs), axis=1)[:, 0] * -1
    return {
        "sources": sources,
        "fits": fits,
        "refused": fits - len(costs),
        "cllr": quantiles(np.array(costs)[:, 0]),
        "cllr_minus_cllr_min": quantiles(loss),
    }


def beyond_bounds(fits: int, draws: int) -> dict[str, Any]:
    """Largest spoken |log10 LR| over its bound and over log10(sources + 1), at any score."""
    worst, checked = -np.inf, 0
    scores = np.array([-1e6, -3.0, 3.0, 1e6])
    for seed in range(max(5, fits // 50)):
        recipe = replace(RECIPE, draws=draws)
        calibration = fitted(gaussian_table(1.5, 40, np.random.default_rng([SEED, seed])), recipe)
        limits = (calibration.spoken_lower, calibration.spoken_upper)
        spoken = np.clip(drawn_values(calibration.curve, scores), *limits)
        allowed = np.log10(calibration.as_issued.sources + 1)
        worst = max(worst, float(np.abs(spoken).max() - allowed))
        checked += spoken.size
    return {"draws_per_fit": draws, "likelihood_ratios": checked, "beyond_bound": int(worst > 0)}


def site_gain(shift: float, spread: float, repetitions: int) -> dict[str, Any]:
    """Balanced accuracy at ℓ = 0 on a site whose scores are spread · N(±1.5, 1) + shift."""
    base = fitted(gaussian_table(1.5, 400, np.random.default_rng([SEED, 9])))
    fresh = gaussian_sample(1.5, HELD_OUT, np.random.default_rng([SEED, 10]))
    fresh = Sample(fresh.scores * spread + shift, fresh.labels, fresh.sources)
    shipped, oracle = accuracy(base, fresh), best_accuracy(fresh)
    after, installed = [], 0
    for seed in range(repetitions):
        rng = np.random.default_rng([SEED, 11, seed])
        table = gaussian_table(1.5, 2 * SITE_ITEMS, rng, shift=shift, spread=spread)
        recipe = replace(RECIPE, origin="site", domain="site", seed=seed)
        (outcome,) = calibrate_site(table, [base], {DETECTOR: TERMS}, recipe)
        installed += outcome.calibration is not None
        after.append(accuracy(outcome.calibration or base, fresh))
    reached = np.array(after)
    gap = oracle - shipped
    return {
        "shift": shift,
        "spread": spread,
        "accuracy_shipped": round(shipped, 4),
        "accuracy_oracle": round(oracle, 4),
        "accuracy_site": quantiles(reached),
        "share_of_gap_recovered": quantiles((reached - shipped) / gap) if gap > 0.01 else None,
        "installed": rate(installed, repetitions),
    }


def gaussian_sample(strength: float, sources: int, rng: np.random.Generator) -> Sample:
    labels = np.arange(sources) % 2 == 0
    scores = rng.normal(np.where(labels, strength, -strength))
    return Sample(scores[:, None], labels, np.arange(sources))


def gaussian_table(
    strength: float,
    sources: int,
    rng: np.random.Generator,
    *,
    shift: float = 0.0,
    spread: float = 1.0,
) -> ScoreTable:
    sample = gaussian_sample(strength, sources, rng)
    return ScoreTable(
        tuple(
            ScoreRow(
                detector=DETECTOR,
                version="1",
                item=f"item {index}",
                source=f"source {index}",
                label="manipulated" if label else "as_issued",
                species="simulated" if label else "",
                shipping="as_received",
                status=Status.EXAMINED,
                score=float(score * spread + shift),
            )
            for index, (label, score) in enumerate(
                zip(sample.labels, sample.scores[:, 0], strict=True)
            )
        )
    )


def fitted(table: ScoreTable, recipe: Recipe = RECIPE) -> Calibration:
    outcome = fit_cue(table, TERMS, recipe)
    if not isinstance(outcome, FittedCue):
        raise SystemExit(f"refused: {outcome.reason}")
    return outcome.calibration


def accuracy(calibration: Calibration, sample: Sample) -> float:
    alarm = unbounded(calibration.curve, sample.scores) > 0
    return float((alarm[sample.labels].mean() + (~alarm[~sample.labels]).mean()) / 2)


def best_accuracy(sample: Sample) -> float:
    order = np.argsort(sample.scores[:, 0])
    labels = sample.labels[order]
    missed = np.concatenate([[0], np.cumsum(labels)]) / labels.sum()
    passed = np.concatenate([[0], np.cumsum(~labels)]) / (~labels).sum()
    return float(((1 - missed) + passed).max() / 2)


def rate(events: int, trials: int) -> list[float]:
    found = clopper_pearson(events, trials)
    return [round(found.value, 4), round(found.lower, 4), round(found.upper, 4)]


def quantiles(values: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, float]:
    """Mean with the 95 % interval of the mean, and the middle 95 % of repetitions."""
    half = 1.96 * values.std(ddof=1) / np.sqrt(values.size)
    low, high = np.quantile(values, [0.025, 0.975])
    return {
        "mean": round(float(values.mean()), 4),
        "mean_lower": round(float(values.mean() - half), 4),
        "mean_upper": round(float(values.mean() + half), 4),
        "q2.5": round(float(low), 4),
        "q97.5": round(float(high), 4),
    }


if __name__ == "__main__":
    main()
