from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.custody import painted
from tidewaiter.custody.painted import Levels, scores, usual_of

FRAMES, ROWS, COLUMNS = 120, 18, 32
SPAN = slice(50, 70)
BLOCK = 9 * COLUMNS + 16
COUNTS = 7.6


def still(seed: int = 0) -> np.ndarray:
    """A still scene: grey levels of each block, the same in every frame."""
    random = np.random.default_rng(seed)
    return np.repeat(random.uniform(40, 200, (1, ROWS * COLUMNS)), FRAMES, axis=0)


def noise(seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.2, (FRAMES, ROWS * COLUMNS))


def level(original: np.ndarray, copy: np.ndarray) -> float:
    return levels(original, copy).sustained_peak()


def levels(original: np.ndarray, copy: np.ndarray) -> Levels:
    ours, theirs = original.astype(np.float32), copy.astype(np.float32)
    found = Levels(FRAMES, COUNTS)
    for first, score in scores(ours, theirs, [(0, FRAMES)], usual_of(ours, theirs)):
        found.note(np.arange(first, first + len(score)), score)
    return found


def changed(original: np.ndarray, by: float, blocks: object = BLOCK) -> np.ndarray:
    copy = original + noise()
    copy[SPAN, blocks] += by
    return copy


def test_a_block_that_differs_stands_out_of_a_still_scene():
    original = still()
    assert level(original, original + noise()) < 3
    assert level(original, changed(original, 3.0)) > COUNTS


def test_a_whole_picture_that_gets_coarser_does_not():
    """As where a group of pictures begins: all blocks are off by some grey levels."""
    original = still()
    copy = original + noise()
    off = np.random.default_rng(2).choice([-2.0, 2.0], ROWS * COLUMNS)
    copy[SPAN] += off * np.random.default_rng(3).uniform(0.5, 1.0, ROWS * COLUMNS)
    assert level(original, copy) < COUNTS / 2


@pytest.mark.parametrize(("late", "counts"), [(0, False), (3, False), (30, True)])
def test_what_moves_may_be_shown_some_frames_late(late, counts):
    original = still()
    original[60:, BLOCK] += 40.0
    copy = original + noise()
    copy[60 : 60 + late, BLOCK] -= 40.0
    assert (level(original, copy) > COUNTS) == counts


def test_a_change_of_half_the_picture_does_not_explain_itself():
    original = still()
    half = np.flatnonzero(np.arange(ROWS * COLUMNS) % COLUMNS < COLUMNS // 2)
    assert level(original, changed(original, 25.0, half)) > COUNTS


def test_a_camera_that_sways_hides_nothing():
    original = still() + 40 * np.sin(np.arange(FRAMES) / 4)[:, None]
    assert level(original, changed(original, 12.0)) > COUNTS


def test_the_rim_of_a_region_is_not_framed():
    score = np.zeros((FRAMES, ROWS * COLUMNS))
    score[SPAN, BLOCK] = 300.0
    score[SPAN, BLOCK + 1] = 200.0
    score[SPAN, BLOCK + 2] = 20.0
    levels = Levels(FRAMES, COUNTS)
    levels.note(np.arange(FRAMES), score)
    [found] = levels.painted()
    assert (found.start, found.end, found.peak) == (50, 70, 300.0)
    assert np.flatnonzero(found.blocks).tolist() == [BLOCK, BLOCK + 1]


@pytest.mark.parametrize(
    ("frames", "times", "counts"), [(3, 9, False), (5, 1.5, False), (5, 2.5, True), (8, 1.1, True)]
)
def test_what_lasts_a_few_frames_must_stand_out_more(frames, times, counts):
    score = np.zeros((FRAMES, ROWS * COLUMNS))
    score[50 : 50 + frames, BLOCK] = times * COUNTS
    levels = Levels(FRAMES, COUNTS)
    levels.note(np.arange(FRAMES), score)
    assert bool(levels.painted()) == counts


@given(st.lists(st.integers(0, 24), max_size=40))
def test_something_is_painted_just_where_the_sustained_peak_exceeds_the_threshold(peaks):
    levels = Levels(len(peaks), COUNTS)
    levels.note(np.arange(len(peaks)), np.array(peaks, np.float32).reshape(-1, 1))
    assert bool(levels.painted()) == (levels.sustained_peak() > COUNTS)


def test_scores_do_not_depend_on_how_many_are_made_at_once(monkeypatch):
    random = np.random.default_rng(4)
    original = np.cumsum(random.normal(0, 1, (FRAMES, ROWS * COLUMNS)), axis=0) + 100
    copy = changed(original, 9.0)
    whole = levels(original, copy)
    monkeypatch.setattr(painted, "PIECE", 17)
    parts = levels(original, copy)
    assert np.array_equal(whole.peaks, parts.peaks)
    [first], [second] = whole.painted(), parts.painted()
    assert np.array_equal(first.blocks, second.blocks)
    assert (first.start, first.end, first.peak) == (second.start, second.end, second.peak)
