import pytest

from tidewaiter.detectors.video.dropped_frames import DroppedFrames
from tidewaiter.testing.scenes import ArrayVideo, moving_shapes, still_scene
from tidewaiter.traces.base import collect_video
from tidewaiter.vocabulary import Status, Timeline

CLIP = moving_shapes(220, seed=1)


def find(clip):
    return DroppedFrames().find(collect_video(ArrayVideo(clip), DroppedFrames.needs))


def spans(finding):
    return next(e for e in finding.evidence if isinstance(e, Timeline)).spans


def test_missing_frames_score_high_and_are_marked():
    finding = find(CLIP[:90] + CLIP[110:])
    assert finding.score > 8
    marked = [span for span in spans(finding) if str(span.label) == "jump of motion"]
    assert marked[0].start_s == pytest.approx(89 / 25)


def test_an_untouched_clip_scores_low():
    finding = find(CLIP)
    assert finding.score < 6
    assert spans(finding) == ()


def test_a_freeze_is_scored_and_marked():
    finding = find(CLIP[:80] + [CLIP[80]] * 30 + CLIP[110:])
    assert finding.features["freeze_exponent"] > 20
    assert any(str(span.label) == "frozen" for span in spans(finding))


def test_a_pause_after_which_the_scene_goes_on_where_it_stopped_is_no_freeze():
    finding = find(CLIP[:80] + [CLIP[80]] * 30 + CLIP[81:])
    assert finding.features["freeze_exponent"] == 0.0


def test_a_still_scene_is_declined_with_what_was_found():
    finding = find(still_scene(100, seed=1))
    assert finding.status is Status.NOT_APPLICABLE
    assert "0% of the frames show motion; 10% needed" in str(finding.reason)


@pytest.mark.parametrize("frames", [1, 49])
def test_a_short_video_is_declined(frames):
    finding = find(CLIP[:frames])
    assert finding.status is Status.NOT_APPLICABLE
    assert f"{frames} frames found; 50 needed" in str(finding.reason)
