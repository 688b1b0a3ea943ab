"""Blinks are found where they were rendered, and nowhere else."""

import numpy as np
import pytest

from tidewaiter.testing.rendered import EyeScript, blinking_eyes, face_track, one_face
from tidewaiter.traces.base import Traces, Untaken
from tidewaiter.traces.eyelids import (
    EDGE_SHARE_OF_DEPTH,
    PROMINENCE_SHARE,
    EyelidsInVideo,
    dips_in,
    read_eyelids,
    stretches,
)
from tidewaiter.traces.faces import VideoFaces
from tidewaiter.vocabulary import MediaKind, Status


def lids(eyes, **face):
    track = face_track(eyes=eyes, **face)
    return read_eyelids(track, one_face(track))


def hits(found, true):
    return sum(any(s - 0.05 <= b.lowest_s <= e + 0.05 for b in found) for s, e in true)


@pytest.mark.parametrize("seed", range(6))
def test_every_rendered_blink_is_found_once(seed):
    eyes = blinking_eyes(np.random.default_rng(seed), EyeScript())
    found = lids(eyes).blinks
    assert hits(found, eyes.blinks) == len(eyes.blinks) == len(found)


def test_open_eyes_do_not_blink():
    eyes = blinking_eyes(np.random.default_rng(1), EyeScript(blinks_per_min=0, noise=0.014))
    assert lids(eyes).blinks == ()


def test_the_farther_eye_may_be_looked_at_less_often():
    eyes = blinking_eyes(np.random.default_rng(2), EyeScript())
    eyes.eyes[np.arange(len(eyes.eyes)) % 3 > 0, 1] = np.nan
    assert len(lids(eyes).blinks) == len(eyes.blinks)


def test_lag_between_the_eyes_is_measured():
    eyes = blinking_eyes(
        np.random.default_rng(3), EyeScript(looks_per_s=60, lag_s=0.1, noise=0.002)
    )
    lags = [blink.lag_s for blink in lids(eyes).blinks]
    assert np.median(lags) == pytest.approx(0.1, abs=0.04)


def test_long_closure_is_no_blink_but_counts_as_closed():
    times = np.arange(0, 30, 1 / 15)
    eyes = blinking_eyes(np.random.default_rng(4), EyeScript(blinks_per_min=0))
    eyes.eyes[(times[: len(eyes.eyes)] > 10) & (times[: len(eyes.eyes)] < 12)] = 0.01
    taken = lids(eyes)
    assert taken.blinks == ()
    assert taken.perclos == pytest.approx(2 / 30, abs=0.01)


def test_time_turned_away_is_not_watched():
    eyes = blinking_eyes(np.random.default_rng(5), EyeScript())
    assert lids(eyes, yaw_degrees=50).watched_s == 0
    assert lids(eyes, yaw_degrees=50).frontal_share == 0


def test_gaps_split_the_time():
    times = np.concatenate([np.arange(0, 2, 0.1), np.arange(5, 5.5, 0.1), np.arange(9, 11, 0.1)])
    parts = stretches(times, 0.5, 1.0)
    assert [times[part][0] for part in parts] == [0, 9]


def test_no_face_is_a_reason():
    nobody = VideoFaces(640, 480, (), 10.0, 20, 0.0, 0)
    taken = EyelidsInVideo().result(Traces(MediaKind.VIDEO, {"faces": nobody}))
    assert taken.status is Status.NOT_APPLICABLE
    assert "no face" in str(taken.reason)


def test_an_untaken_face_trace_is_passed_on():
    missing = Untaken(Status.UNAVAILABLE, "no weights")
    assert EyelidsInVideo().result(Traces(MediaKind.VIDEO, {"faces": missing})) is missing


@pytest.mark.parametrize("seed", range(40))
def test_dips_are_those_of_scipy(seed):
    from scipy.signal import find_peaks

    rng = np.random.default_rng(seed)
    depth = np.convolve(rng.normal(size=int(rng.integers(5, 400))), np.ones(3) / 3, "same")
    # Every second series has flat tops and equal heights.
    depth = np.round(depth, 1) if seed % 2 else depth
    peaks, found = find_peaks(
        depth,
        height=0.28,
        prominence=PROMINENCE_SHARE * 0.28,
        rel_height=1 - EDGE_SHARE_OF_DEPTH,
        width=0,
    )
    edges = zip(np.ceil(found["left_ips"]), np.floor(found["right_ips"]), strict=True)
    expected: list[tuple[int, int]] = []
    for first, last in edges:
        if not expected or first > expected[-1][1]:
            expected.append((int(first), int(last)))
    assert dips_in(depth, 0.28) == expected
    assert len(peaks) >= len(expected)


@pytest.mark.parametrize("depth", [[0.0] * 5, [0.1, 0.9], [0.9]])
def test_flat_rising_and_single_values_hold_no_dip(depth):
    assert dips_in(np.array(depth), 0.3) == []
