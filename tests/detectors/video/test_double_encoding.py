import numpy as np
import pytest

from tidewaiter.detectors.video.double_encoding import DoubleEncoding
from tidewaiter.testing.scenes import ArrayVideo, still_scene
from tidewaiter.traces.base import collect_video
from tidewaiter.vocabulary import Status

STILL = still_scene(1, seed=1)[0]


def sizes(frames, *, period=0, phase=0, seed=1):
    drawn = np.random.default_rng(seed).gamma(40.0, 25.0, frames)
    if period:
        drawn[phase::period] *= 1.6
    return [int(size) for size in drawn]


def find(drawn, keys=(0,)):
    video = ArrayVideo([STILL] * len(drawn), sizes=drawn, keys=keys)
    return DoubleEncoding().find(collect_video(video, DoubleEncoding.needs))


def test_the_rhythm_of_a_first_encoding_scores():
    finding = find(sizes(600, period=12, phase=5), keys=range(0, 600, 50))
    assert finding.score > 10
    assert finding.features["period_frames"] % 12 == 0
    assert finding.features["phase_shift"] < 3


def test_no_rhythm_scores_low():
    assert find(sizes(600)).score < 2


def test_the_rhythm_of_the_last_encoding_is_not_reported():
    finding = find(sizes(600, period=50, phase=0), keys=range(0, 600, 50))
    assert finding.score < 2


def test_a_cut_before_the_second_encoding_shifts_the_phase():
    before, after = sizes(300, period=12, phase=5), sizes(300, period=12, phase=0, seed=2)
    finding = find(before + after)
    assert finding.features["phase_shift"] > 5
    assert abs(finding.features["phase_shift_frame"] - 300) <= 40


@pytest.mark.parametrize("frames", [1, 60])
def test_short_streams_are_declined(frames):
    finding = find(sizes(frames))
    assert finding.status is Status.NOT_APPLICABLE
    assert "100 needed" in str(finding.reason)


def test_all_intra_streams_are_declined():
    finding = find(sizes(200), keys=range(200))
    assert finding.status is Status.NOT_APPLICABLE
    assert "0 inter frames found" in str(finding.reason)
