"""Faces of a video are looked at often enough, told apart, and kept as numbers only."""

import numpy as np
import pytest

from tidewaiter.traces import face_manipulation_video
from tidewaiter.traces.base import Traces, Untaken
from tidewaiter.traces.face_geometry import mesh_square
from tidewaiter.traces.face_manipulation_video import (
    MAPS_KEPT,
    MOST_TRACKS,
    FaceManipulationInVideo,
)
from tidewaiter.traces.face_models import Mesh
from tidewaiter.traces.face_network import FACE_NETWORK, Answer
from tidewaiter.traces.face_tracking import SeenFace
from tidewaiter.vocabulary import MediaKind, Status
from tidewaiter.weights.own import OwnNetwork

FPS = 25
MESH_EVERY = 5


class FakeFrame:
    """A frame whose crops are noise; the current one is known to the fake network."""

    width, height = 640, 360

    def __init__(self, index, faces):
        self.index, self.time_s = index, index / FPS
        self.shared = {"faces": faces}

    def crop(self, corners, width, height):
        FakeFrame.now = self.time_s
        rng = np.random.default_rng(self.index)
        return rng.integers(60, 200, (height, width, 3)).astype(np.uint8)


def seen(track, x, extent, *, meshed):
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (468, 3))
    points[:4, :2] = [[-0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [0.5, -0.5]]
    points[33], points[263] = (-0.3, -0.1, 0), (0.3, -0.1, 0)
    points[10], points[152] = (0, -0.5, 0), (0, 0.5, 0)
    points = np.float32(points * extent + (x, 180, 0))
    mesh = Mesh(points, points, 0.99) if meshed else None
    return SeenFace(track, mesh_square(points), measured=meshed, mesh=mesh)


@pytest.fixture
def asked(monkeypatch):
    """Every question put to the network, answered by `score_at` of its time."""
    calls = []

    def fake_ask(crop, own, *, mirrored=False):
        calls.append((FakeFrame.now, mirrored))
        return Answer(fake_ask.score_at(FakeFrame.now), np.zeros((10, 10), np.float32))

    fake_ask.score_at = lambda now: -2.0
    monkeypatch.setattr(face_manipulation_video, "ask", fake_ask)
    calls_and_score = fake_ask
    calls_and_score.calls = calls
    return calls_and_score


def played(people, seconds, mark="", every=1):
    """People are (track, x, extent) or a function of time to a list of those."""
    trace = FaceManipulationInVideo()
    trace.options = {FACE_NETWORK: OwnNetwork(None, "0" * 64, mark)}
    for index in range(0, int(seconds * FPS), every):
        here = people(index / FPS) if callable(people) else people
        faces = tuple(seen(*person, meshed=index % MESH_EVERY == 0) for person in here)
        trace.feed_packet(type("P", (), {"byte_length": 2000})())
        trace.feed(FakeFrame(index, faces))
    return trace.result(Traces(MediaKind.VIDEO, {"faces": None}))


ONE, OTHER, THIRD = (0, 150, 150), (1, 330, 130), (2, 520, 100)


def test_any_second_has_at_least_three_looks(asked):
    (found,) = played([ONE], 12).tracks
    for start in np.arange(0, 11, 0.04):
        inside = (found.time_s >= start) & (found.time_s < start + 1)
        assert inside.sum() >= 3
    assert found.time_s.size <= 4 * 12


def test_every_other_look_is_mirrored(asked):
    played([ONE], 4)
    assert [mirrored for _, mirrored in asked.calls[:4]] == [False, True, False, True]


def test_a_forged_second_stands_out_with_its_moment(asked):
    asked.score_at = lambda now: 5.0 if 20 <= now < 21.2 else -2.0
    found = played([ONE], 60)
    best = found.tracks[0]
    assert 19.5 < best.windows.best.start_s < best.windows.best.end_s < 22
    assert 20 <= best.strongest.time_s < 21.2
    assert found.heat.shape[0] > 0
    assert found.area.left <= 150 <= found.area.left + found.area.width


def test_two_people_are_told_apart_and_the_forged_one_leads(asked):
    places = {}

    def score_at(now):
        places.setdefault(now, 0)
        places[now] += 1
        return 4.0 if places[now] == 2 else -3.0

    asked.score_at = score_at
    found = played([ONE, OTHER], 8)
    assert [track.number for track in found.tracks] == [1, 0]
    assert found.tracks[0].windows.best.mean == pytest.approx(4)
    assert found.tracks[1].windows.best.mean == pytest.approx(-3)


def test_of_three_faces_the_two_largest_are_looked_at(asked):
    assert sorted(track.number for track in played([THIRD, ONE, OTHER], 4).tracks) == [0, 1]


def test_maps_and_work_are_bounded(asked):
    trace = FaceManipulationInVideo()
    trace.options = {FACE_NETWORK: OwnNetwork(None, "0" * 64)}
    for index in range(0, 40 * FPS, MESH_EVERY):
        trace.feed(FakeFrame(index, (seen(*ONE, meshed=True),)))
    (looks,) = trace._looks.values()
    assert len(looks.strongest) == MAPS_KEPT
    assert len(asked.calls) <= 40 * 3.6


def test_of_a_crowd_the_tracks_with_the_highest_looks_are_kept(asked):
    """A new person every 3 s, the fifth of them forged, and the last still in view."""
    asked.score_at = lambda now: 5.0 if 12 <= now < 15 else -2.0
    people = MOST_TRACKS + 20
    found = played(lambda now: [(int(now // 3), 150, 150)], 3 * people, every=MESH_EVERY)
    assert len(found.tracks) == MOST_TRACKS
    assert found.tracks[0].number == 4
    assert people - 1 in {track.number for track in found.tracks}
    assert found.tracks[0].windows.best.mean == 5
    assert found.tracks[0].windows.best.score < 4


def test_looks_at_small_faces_do_not_count_and_say_why(asked):
    (found,) = played([(0, 150, 40)], 5).tracks
    assert not found.usable.any()
    assert found.windows is None
    assert found.lacking() == {"pixels": found.time_s.size}


def test_size_of_the_stream_and_mark_are_kept(asked):
    found = played([ONE], 4, mark="+abcdef01")
    assert found.bits_per_pixel == pytest.approx(8 * 2000 / (640 * 360))
    assert found.network_mark == "+abcdef01"
    assert found.duration_s == pytest.approx(4, abs=0.1)


def test_a_video_without_faces_is_not_applicable(asked):
    assert played([], 3).status is Status.NOT_APPLICABLE


def test_an_untaken_face_trace_is_passed_on():
    untaken = Untaken(Status.UNAVAILABLE, "no engine")
    assert FaceManipulationInVideo().result(Traces(MediaKind.VIDEO, {"faces": untaken})) is untaken
