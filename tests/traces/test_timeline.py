import numpy as np
import pytest

from tidewaiter.testing.scenes import ArrayVideo, camera_pan, moving_shapes, still_scene
from tidewaiter.traces import timeline as module
from tidewaiter.traces.base import Untaken, collect_video
from tidewaiter.traces.timeline import Timeline, compand, expand


def timeline_of(clip, **options):
    return collect_video(ArrayVideo(clip, **options), {"timeline"})["timeline"]


def test_one_record_a_frame_with_times_and_keys():
    taken = timeline_of(moving_shapes(30, seed=1), fps=10.0, keys=(0, 12))
    assert taken.frames == 30
    assert taken.frame_s == pytest.approx(0.1)
    assert taken.duration_s == pytest.approx(3.0)
    assert np.flatnonzero(taken.key).tolist() == [0, 12]
    assert taken.picture_type[12] == b"I"
    assert taken.picture.shape == taken.change.shape == (30, 144)


def test_a_still_scene_does_not_differ_and_a_moving_one_does():
    assert timeline_of(still_scene(10, seed=1)).difference.max() == 0.0
    assert timeline_of(camera_pan(10, seed=1)).difference[1:].min() > 5.0


def test_equal_pictures_have_equal_digests_and_others_do_not():
    clip = moving_shapes(20, seed=2)
    taken = timeline_of(clip + clip[5:10])
    assert taken.digest[20:].tolist() == taken.digest[5:10].tolist()
    assert len(set(taken.digest.tolist())) == 20


def test_companding_is_undone_within_four_per_cent():
    changes = np.concatenate([-np.geomspace(0.1, 255, 200), np.geomspace(0.1, 255, 200)])
    back = expand(compand(changes.astype(np.float32)))
    assert np.abs(back / changes - 1).max() < 0.045


def test_missing_time_stamps_are_marked():
    taken = timeline_of(moving_shapes(4, seed=1), times_s=[0.0, None, 0.08, None])
    assert taken.time_guessed.tolist() == [False, True, False, True]


def test_variable_frame_rate_keeps_its_times():
    times = [0.0, 0.04, 0.20, 0.24]
    assert timeline_of(moving_shapes(4, seed=1), times_s=times).time_s.tolist() == times


def test_a_video_without_frames_is_untaken():
    assert isinstance(timeline_of([]), Untaken)


def test_one_frame_is_enough():
    taken = timeline_of(moving_shapes(1, seed=1))
    assert taken.frames == 1
    assert taken.difference.tolist() == [0.0]


def test_tiny_and_odd_frames_are_measured():
    taken = timeline_of([np.full((3, 1), value, np.uint8) for value in (0, 255)])
    assert taken.difference[1] == pytest.approx(255.0)


def test_fingerprints_are_thinned_at_their_cap(monkeypatch):
    monkeypatch.setattr(module, "MAX_FINGERPRINTS", 16)
    clip = moving_shapes(50, seed=1)
    thin = timeline_of(clip)
    monkeypatch.undo()
    full = timeline_of(clip)
    assert thin.fingerprint_stride == 4
    assert len(thin.picture) < 16
    assert np.array_equal(thin.picture, full.picture[::4])
    assert np.array_equal(thin.change, full.change[::4])
    assert np.array_equal(thin.digest, full.digest)


def test_memory_per_frame_is_bounded():
    trace = Timeline()
    for frame in ArrayVideo(still_scene(40, seed=1)).play():
        if hasattr(frame, "luma_thumbnail"):
            trace.feed(frame)
    assert len(trace._pictures) + len(trace._changes) == 40 * 288
