"""Logistic regression: its optimum, its many fits at once, its offset."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize

from tidewaiter.evaluation.sources import draw_sources
from tidewaiter.opinion.logistic import class_balanced, fit, fit_draws, fit_offset

RNG = np.random.default_rng(4)
LABELS = np.arange(90) < 30
FEATURES = RNG.normal(size=(90, 2)) + LABELS[:, None]


def _cost(beta: np.ndarray, penalty: float) -> float:
    margin = np.where(LABELS, 1.0, -1.0) * (beta[0] + FEATURES @ beta[1:])
    loss = class_balanced(LABELS) @ np.logaddexp(0, -margin)
    return float(loss + penalty * (beta[1:] ** 2).sum() / 2)


@pytest.mark.parametrize("penalty", [0.0, 1e-3, 1.0])
def test_the_fit_is_the_minimum_a_general_optimiser_finds(penalty: float) -> None:
    found = fit(FEATURES, LABELS, class_balanced(LABELS), penalty=penalty)
    general = minimize(_cost, np.zeros(3), args=(penalty,), method="BFGS", options={"gtol": 1e-9})
    assert found == pytest.approx(general.x, abs=1e-5)
    assert _cost(found, penalty) <= general.fun + 1e-12


def test_balanced_weights_make_the_prior_one_half() -> None:
    weights = class_balanced(LABELS)
    assert weights[LABELS].sum() == pytest.approx(0.5)
    assert weights[~LABELS].sum() == pytest.approx(0.5)


def test_each_draw_is_the_fit_of_its_own_items() -> None:
    sources = np.arange(90) // 3
    drawn = draw_sources(LABELS, sources, 3, np.random.default_rng(2))
    together = fit_draws(FEATURES, LABELS, (drawn, sources), penalty=1e-2)
    for row, coefficients in zip(drawn, together, strict=True):
        times = row[sources]
        repeated = np.repeat(np.arange(90), times)
        labels = LABELS[repeated]
        alone = fit(FEATURES[repeated], labels, class_balanced(labels), penalty=1e-2)
        assert coefficients == pytest.approx(alone, abs=1e-6)


def test_separated_classes_end_finite() -> None:
    features = np.where(LABELS, 5.0, -5.0)[:, None]
    found = fit(features, LABELS, class_balanced(LABELS), penalty=1e-4)
    assert np.isfinite(found).all()
    assert found[1] > 0


def test_without_an_intercept_no_evidence_is_zero() -> None:
    found = fit(FEATURES, LABELS, class_balanced(LABELS), penalty=0.0, intercept=False)
    assert found[0] == 0
    assert np.all(found[1:] > 0)


def test_an_offset_undoes_a_shift() -> None:
    natural = np.where(LABELS, 2.0, -2.0) + RNG.normal(size=90)
    weights = class_balanced(LABELS)
    there = fit_offset(natural, LABELS, weights)
    back = fit_offset(natural + 3.0, LABELS, weights)
    assert float(there - back) == pytest.approx(3.0)
    both = fit_offset(np.stack([natural, natural + 3.0]), LABELS, weights)
    assert both == pytest.approx([float(there), float(back)])
