"""Error rates by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.evaluation.rates import (
    auc,
    det,
    equal_error_rate,
    misleading,
    roc,
    tpr_at_fpr,
)

SCORES = np.array([5.0, 4.0, 1.0, 3.0, 1.0, 0.0])
LABELS = np.array([True, True, True, False, False, False])


def test_roc_by_hand() -> None:
    curve = roc(SCORES, LABELS)
    assert curve.thresholds.tolist() == [np.inf, 5, 4, 3, 1, 0]
    assert curve.true_positive == pytest.approx([0, 1 / 3, 2 / 3, 2 / 3, 1, 1])
    assert curve.false_positive == pytest.approx([0, 0, 0, 1 / 3, 2 / 3, 1])


@given(st.lists(st.integers(0, 5), min_size=2, max_size=30), st.integers(1, 29))
def test_auc_is_the_share_of_pairs_in_order(values: list[int], cut: int) -> None:
    scores = np.array(values, dtype=float)
    labels = np.arange(scores.size) < min(cut, scores.size - 1)
    pairs = np.sign(scores[labels][:, None] - scores[~labels][None, :])
    assert auc(scores, labels) == pytest.approx((pairs.mean() + 1) / 2)


def test_rate_found_at_a_rate_of_false_alarms_is_of_a_threshold_that_exists() -> None:
    assert tpr_at_fpr(SCORES, LABELS, 0.01) == pytest.approx(2 / 3)
    assert tpr_at_fpr(SCORES, LABELS, 2 / 3) == pytest.approx(1.0)


def test_equal_error_rate_of_mirrored_scores_and_of_perfect_ones() -> None:
    assert equal_error_rate(np.array([1.0, 0.0, 1.0, 0.0]), np.array([1, 1, 0, 0]) == 1) == 0.5
    assert equal_error_rate(np.array([2.0, 3.0, 0.0, 1.0]), np.array([1, 1, 0, 0]) == 1) == 0.0


def test_det_leaves_out_the_ends() -> None:
    curve = det(SCORES, LABELS)
    assert np.isfinite(curve.false_positive_deviate).all()
    assert np.isfinite(curve.false_negative_deviate).all()
    assert curve.false_positive_deviate.size == 1


def test_exactly_one_misleads_nobody() -> None:
    rates = misleading(np.array([0.0, -0.1, 0.4, 0.0]), np.array([True, True, False, False]))
    assert rates.manipulated == 0.5
    assert rates.as_issued == 0.5
