"""Sources: counted once, drawn whole, never split over folds."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.evaluation.sources import (
    codes,
    count_sources,
    draw_sources,
    fold_by_source,
    source_weights,
)

LABELS = np.array([True, True, True, False, False, False])
SOURCES = codes(["cam b", "cam b", "cam a", "cam a", "cam c", "cam c"])


def test_codes_follow_the_sorted_names() -> None:
    assert SOURCES.tolist() == [1, 1, 0, 0, 2, 2]


def test_weights_of_a_class_sum_to_its_sources() -> None:
    weights = source_weights(LABELS, SOURCES)
    assert weights.tolist() == [0.5, 0.5, 1, 1, 0.5, 0.5]
    assert weights[LABELS].sum() == count_sources(SOURCES, LABELS) == 2


@given(st.integers(0, 2**31))
def test_no_draw_loses_a_class(seed: int) -> None:
    drawn = draw_sources(LABELS, SOURCES, 20, np.random.default_rng(seed))
    per_item = drawn[:, SOURCES]
    assert drawn.sum(axis=1).tolist() == [3] * 20
    assert np.all(per_item[:, LABELS].sum(axis=1) > 0)
    assert np.all(per_item[:, ~LABELS].sum(axis=1) > 0)


@given(st.integers(0, 2**31), st.integers(2, 5))
def test_a_source_lies_in_one_fold_and_folds_hold_both_classes(seed: int, folds: int) -> None:
    rng = np.random.default_rng(seed)
    sources = np.repeat(np.arange(20), 4)
    labels = sources < 10
    fold_of = fold_by_source(labels, sources, folds, rng)
    for source in range(20):
        assert np.unique(fold_of[sources == source]).size == 1
    for fold in range(folds):
        assert np.unique(labels[fold_of == fold]).size == 2
