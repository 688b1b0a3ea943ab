"""One forged second is found in a long track; length alone raises no score."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.traces.face_windows import LARGEST_LOGIT, REST_SHARE, window_score, windows_of

LOOKS_PER_S = 3.4


def track(seconds, seed=0, spread=1.0, level=-2.0):
    times = np.arange(0, seconds, 1 / LOOKS_PER_S)
    return times, level + np.random.default_rng(seed).normal(0, spread, times.size)


def test_a_forged_second_in_two_minutes_is_found_where_it_is():
    times, logits = track(120)
    forged = (times >= 70) & (times < 71.2)
    logits[forged] = 4.0
    found = windows_of(times, logits)
    assert abs(found.best.start_s - 70) < 0.6
    assert found.best.end_s < 72
    assert found.best.score > 1
    assert any(start <= 70.5 <= end for start, end in found.standing_out)


def test_a_person_rated_high_throughout_is_no_short_forgery():
    calm = window_score(*track(60, level=-4.0))
    high = window_score(*track(60, level=1.5))
    assert high == pytest.approx(1.5, abs=0.3)
    forged = {}
    for level in (-4.0, 1.5):
        times, logits = track(60, level=level)
        logits[(times >= 30) & (times < 31.2)] += 6
        forged[level] = window_score(times, logits)
    assert forged[-4.0] - calm > 2.5
    assert forged[1.5] - high > 1.5


def test_a_track_forged_throughout_is_taken_whole():
    times, logits = track(60, level=3.0)
    found = windows_of(times, logits)
    assert found.best.end_s - found.best.start_s > 59
    assert found.best.score == pytest.approx(3, abs=0.2)
    assert found.standing_out[0][0] == 0


def test_length_alone_raises_no_score():
    short = [window_score(*track(10, seed)) for seed in range(40)]
    long = [window_score(*track(600, seed)) for seed in range(40)]
    assert np.mean(long) - np.mean(short) < 0.3
    assert max(long) < 0


def test_two_forgeries_stand_out_apart():
    times, logits = track(120, level=-3.0, spread=0.5)
    for start in (30, 80):
        logits[(times >= start) & (times < start + 2)] = 5.0
    (one, other) = windows_of(times, logits).standing_out
    assert 29 < one[0] < one[1] < 33
    assert 79 < other[0] < other[1] < 83


def test_a_single_look_does_not_decide():
    times, logits = track(60)
    logits[100] = 1000.0
    most = (LARGEST_LOGIT - 2 * 2) / 3
    assert window_score(times, logits) < most + REST_SHARE * 2


def test_the_same_looks_among_many_tracks_weigh_less():
    times, logits = track(5, level=2.0)
    assert window_score(times, logits, total_s=600) < window_score(times, logits) - 0.5


def test_too_few_looks_have_no_score():
    assert window_score(np.array([0.0, 0.3]), np.array([1.0, 1.0])) is None
    assert windows_of(np.zeros(0), np.zeros(0)) is None


def test_looks_apart_from_each_other_are_taken_as_a_whole():
    found = windows_of(np.array([0.0, 10.0, 20.0]), np.array([1.0, 2.0, 3.0]))
    assert found.best.looks == 3
    assert found.best.mean == pytest.approx(2)


@given(
    st.lists(st.floats(-4, 4), min_size=3, max_size=60),
    st.floats(0.05, 3.0),
    st.floats(0.0, LARGEST_LOGIT - 4),
)
def test_a_score_is_bounded_by_the_looks_and_rises_with_them(logits, step, raised):
    times = np.arange(len(logits)) * step
    values = np.array(logits)
    score = window_score(times, values)
    most = values.max() + REST_SHARE * max(-values.min(), 0)
    assert values.mean() - 1e-9 <= score <= most + 1e-9
    assert window_score(times, values + raised) >= score - 1e-9
