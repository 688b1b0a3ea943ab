import pytest

from tidewaiter.detectors.video.inserted_stretch import InsertedStretch
from tidewaiter.testing.scenes import ArrayVideo, flash, moving_shapes
from tidewaiter.traces.base import collect_video
from tidewaiter.vocabulary import Status

CLIP = moving_shapes(400, seed=1)
FOREIGN = moving_shapes(60, seed=9)


def find(clip):
    return InsertedStretch().find(collect_video(ArrayVideo(clip), InsertedStretch.needs))


def test_a_foreign_stretch_is_found_to_the_frame():
    finding = find(CLIP[:200] + FOREIGN + CLIP[200:])
    assert finding.score > 1.0
    (span,) = finding.evidence[0].spans
    assert (span.start_s, span.end_s) == pytest.approx((8.0, 260 / 25))
    assert "detail_contrast" in finding.features


def test_one_recording_has_no_insert():
    finding = find(CLIP)
    assert finding.score == -1.0
    assert finding.evidence[0].spans == ()


def test_a_scene_that_does_not_come_back_is_no_insert():
    clip = CLIP[:200] + FOREIGN + moving_shapes(200, seed=20)
    assert find(clip).score < 0.7


def test_a_flash_is_no_insert():
    assert find(flash(200, seed=1, at=90)).score == -1.0


def test_edited_footage_is_declined():
    clip = [picture for seed in range(8) for picture in moving_shapes(25, seed=seed)]
    finding = find(clip)
    assert finding.status is Status.NOT_APPLICABLE
    assert "edited footage" in str(finding.reason)


def test_a_short_video_is_declined():
    assert find(CLIP[:10]).status is Status.NOT_APPLICABLE
