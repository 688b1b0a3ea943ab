import numpy as np
import pytest

from tidewaiter.detectors.video.timestamps_and_gops import TimestampsAndGops
from tidewaiter.testing.scenes import ArrayVideo, moving_shapes
from tidewaiter.traces.base import collect_video
from tidewaiter.vocabulary import Status, Timeline

CLIP = moving_shapes(200, seed=1)


def find(clip=CLIP, **options):
    video = ArrayVideo(clip, **options)
    return TimestampsAndGops().find(collect_video(video, TimestampsAndGops.needs))


def spans(finding):
    return next(e for e in finding.evidence if isinstance(e, Timeline)).spans


def test_a_regular_stream_scores_nothing():
    finding = find(keys=range(0, 200, 20))
    assert finding.score == 0.0
    assert spans(finding) == ()


def test_a_gap_in_time_is_scored_and_placed():
    times = [index / 25 + (0.8 if index >= 120 else 0.0) for index in range(200)]
    finding = find(times_s=times)
    assert finding.score > 5
    assert spans(finding)[0].start_s == pytest.approx(119 / 25)


def test_a_variable_rate_is_no_gap():
    rng = np.random.default_rng(1)
    times = np.cumsum(rng.choice([0.03, 0.04, 0.06, 0.08], 200)).tolist()
    assert find(times_s=times).score < 1.5


def test_a_key_frame_out_of_rhythm_without_a_scene_change():
    keys = [*range(0, 100, 20), *range(107, 200, 20)]
    finding = find(keys=keys)
    assert finding.features["key_breaks"] == 1
    assert finding.score > 1


def test_a_key_frame_at_a_change_of_scene_is_expected():
    clip = CLIP[:107] + moving_shapes(93, seed=8)
    finding = find(clip, keys=[*range(0, 101, 20), *range(107, 200, 20)])
    assert finding.features["key_breaks"] == 0


def test_groups_removed_without_re_encoding_jump_at_a_key_frame():
    finding = find(CLIP[:100] + CLIP[120:], keys=range(0, 180, 20))
    assert finding.features["jump_on_keys"] == 1
    assert spans(finding)[0].end_s == pytest.approx(4.0)


def test_all_intra_streams_have_no_key_rhythm_to_break():
    finding = find(keys=range(200))
    assert finding.status is Status.EXAMINED
    assert finding.score == 0.0


def test_missing_time_stamps_are_declined():
    finding = find(times_s=[None] * 200)
    assert finding.status is Status.NOT_APPLICABLE
    assert "time stamps are missing" in str(finding.reason)


@pytest.mark.parametrize("frames", [1, 10])
def test_a_short_video_is_declined(frames):
    assert find(CLIP[:frames]).status is Status.NOT_APPLICABLE


def test_a_video_without_packets_is_declined():
    assert find([]).status is Status.NOT_APPLICABLE
