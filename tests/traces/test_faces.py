"""Faces are followed by time, told apart, and kept in bounded memory."""

import numpy as np
import pytest

from tidewaiter.media import open_media
from tidewaiter.traces import face_eyes, face_tracking, faces
from tidewaiter.traces.base import Traces
from tidewaiter.traces.face_models import Located, Mesh, decode_faces, locate, suppress
from tidewaiter.traces.faces import FacesInPicture, FacesInVideo
from tidewaiter.vocabulary import MediaKind, Status

NONE = Traces(MediaKind.VIDEO, {})


class FakeFrame:
    """A grey frame in which the fake networks below see the faces in `boxes`."""

    width, height = 640, 360
    key = time_guessed = False
    picture_type = "P"

    def __init__(self, index, time_s, boxes):
        self.index, self.time_s, self.boxes = index, time_s, boxes
        self.shared = {}
        self.crops = 0

    def thumbnail(self, height=180):
        FakeFrame.current = self
        return np.zeros((height, height * 16 // 9, 3), np.uint8)

    def crop(self, corners, width, height):
        FakeFrame.current = self
        self.crops += 1
        return np.full((height, width, 3), 100, np.uint8)


def seen_points(box):
    """A mesh whose outline is the box and whose eyes are level."""
    left, top, width, height = box
    points = np.zeros((468, 3), np.float32)
    points[:, :2] = np.random.default_rng(0).uniform(
        (left, top), (left + width, top + height), (468, 2)
    )
    points[0, :2], points[1, :2] = (left, top), (left + width, top + height)
    for index, (x, y) in {
        33: (0.2, 0.4),
        133: (0.4, 0.4),
        362: (0.6, 0.4),
        263: (0.8, 0.4),
        10: (0.5, 0.0),
        152: (0.5, 1.0),
    }.items():
        points[index] = (left + x * width, top + y * height, 0)
    return points


@pytest.fixture
def networks(monkeypatch):
    """Networks that see what the current frame says it shows; counts their calls."""
    calls = {"locate": 0, "mesh": 0, "eye": 0}

    def fake_locate(thumbnail):
        calls["locate"] += 1
        scale = thumbnail.shape[0] / FakeFrame.height
        boxes = [np.float32(box) * scale for box in FakeFrame.current.boxes]
        eyes = [np.float32([[b[0] + 1, b[1]], [b[0] + b[2] - 1, b[1]]] * 2) for b in boxes]
        found = [Located(b, e, 0.9) for b, e in zip(boxes, eyes, strict=True)]
        return sorted(found, key=lambda face: -face.box[2])

    def fake_mesh(crop, corners):
        calls["mesh"] += 1
        centre = (corners[1] + corners[2]) / 2
        for box in FakeFrame.current.boxes:
            inside = (
                np.abs(centre - (np.float32(box[:2]) + np.float32(box[2:]) / 2))
                < np.float32(box[2:]) / 2
            )
            if inside.all():
                points = seen_points(box)
                return Mesh(points * (0.3, 0.3, 0.3), points, 0.99)
        return Mesh(np.zeros((468, 3)), np.zeros((468, 3), np.float32), 0.01)

    def fake_contour(crop, corners, *, mirrored):
        calls["eye"] += 1
        contour = np.zeros((71, 2), np.float32)
        contour[:9, 0] = np.linspace(corners[0, 0], corners[1, 0], 9)
        contour[9:16, 1] = -0.2 * (corners[1, 0] - corners[0, 0])
        contour[9:16, 0] = contour[1:8, 0]
        return contour

    monkeypatch.setattr(face_tracking, "locate", fake_locate)
    monkeypatch.setattr(face_tracking, "mesh", fake_mesh)
    monkeypatch.setattr(face_eyes, "eye_contour", fake_contour)
    return calls


def followed(boxes_at, duration_s, fps=25.0):
    trace = FacesInVideo()
    for index in range(int(duration_s * fps)):
        now = index / fps
        trace.feed(FakeFrame(index, now, boxes_at(now)))
    return trace.result(NONE)


ONE = (200, 80, 120, 140)
OTHER = (420, 100, 90, 110)


def test_one_face_is_one_track_with_all_its_series(networks):
    taken = followed(lambda now: [ONE], 10)
    (track,) = taken.tracks
    assert track.seen_s == pytest.approx(10, abs=0.3)
    assert len(track.time_s) == pytest.approx(50, abs=2)
    assert len(track.eye_time_s) == pytest.approx(120, abs=5)
    assert len(track.colour_time_s) == 250
    assert np.allclose(track.colour, 100)
    assert np.nanmedian(track.eyes) == pytest.approx(0.2, abs=0.01)
    assert track.box[0] == pytest.approx(ONE)
    assert taken.found_share == 1


def test_work_goes_by_time_not_by_frames(networks):
    followed(lambda now: [ONE], 10, fps=25)
    at_25 = dict(networks)
    followed(lambda now: [ONE], 10, fps=100)
    assert all(networks[name] - at_25[name] <= 1.1 * at_25[name] for name in at_25)


def test_two_people_are_told_apart_and_the_larger_leads(networks):
    taken = followed(lambda now: [ONE, OTHER], 6)
    assert taken.most_at_once == 2
    first, second = sorted(taken.tracks, key=lambda track: -track.box[0][2])
    assert first.colour_time_s.size > 100
    assert second.colour_time_s.size == 0
    assert second.time_s.size > 20


def test_a_face_that_comes_back_elsewhere_is_a_new_track(networks):
    taken = followed(lambda now: [ONE] if now < 3 else [] if now < 6 else [OTHER], 9)
    assert len(taken.tracks) == 2
    assert max(track.time_s[-1] - track.time_s[0] for track in taken.tracks) < 3.3


def test_a_short_absence_does_not_end_a_track(networks):
    (track,) = followed(lambda now: [] if 3 < now < 3.6 else [ONE], 7).tracks
    assert track.seen_s == pytest.approx(6.2, abs=0.5)


def test_no_face_is_an_empty_result(networks):
    taken = followed(lambda now: [], 4)
    assert taken.tracks == ()
    assert taken.found_share == 0


def test_no_frame_is_a_reason():
    assert FacesInVideo().result(NONE).status is Status.NOT_APPLICABLE


def test_memory_does_not_grow_with_hours(networks, monkeypatch):
    """Blocks are thinned evenly: what is kept stays below the limit and spans the video."""
    monkeypatch.setattr(face_tracking, "BLOCK_S", 2.0)
    monkeypatch.setattr(face_tracking, "MOST_BLOCKS", 6)
    taken = followed(lambda now: [ONE], 100)
    kept = np.concatenate([track.time_s for track in taken.tracks])
    assert len(set(kept // 2.0)) <= 6
    assert kept.min() < 16
    assert kept.max() > 80
    assert sum(len(track.colour_time_s) for track in taken.tracks) <= 6 * 51


def test_later_traces_find_the_faces_of_the_frame(networks):
    trace = FacesInVideo()
    frame = FakeFrame(0, 0.0, [ONE])
    trace.feed(frame)
    (seen,) = frame.shared["faces"]
    assert seen.corners.shape == (3, 2)
    assert seen.measured


def test_decoding_puts_a_face_where_the_cell_says():
    shapes = [((64 // stride) ** 2, columns) for columns in (1, 1, 4, 10) for stride in (8, 16, 32)]
    outputs = [np.zeros((1, *shape), np.float32) for shape in shapes]
    cell = 2 * 4 + 1  # row 2, column 1 at stride 16
    outputs[1][0, cell] = outputs[4][0, cell] = 0.9
    outputs[7][0, cell] = (0.5, 0.25, np.log(2), np.log(3))
    boxes, points, scores = decode_faces(tuple(outputs), 64)
    assert boxes[0] == pytest.approx([24 - 16, 36 - 24, 32, 48])
    assert points[0, 0] == pytest.approx([16, 32])
    assert scores[0] == pytest.approx(0.9)


def test_the_better_of_two_overlapping_boxes_stays():
    boxes = np.float32([[0, 0, 10, 10], [1, 1, 10, 10], [50, 50, 10, 10]])
    assert suppress(boxes, np.float32([0.7, 0.9, 0.8])) == [1, 2]


def test_an_empty_picture_shows_no_face():
    assert locate(np.full((180, 320, 3), 128, np.uint8)) == []


@pytest.mark.shared
def test_portraits_are_found_and_meshed(shared_data):
    pictures = sorted((shared_data / "lfw_deepfunneled").rglob("*.jpg"))[::200]
    for path in pictures:
        taken = FacesInPicture().measure(open_media(path), Traces(MediaKind.PICTURE, {}))
        assert taken.faces, path.name
        assert taken.faces[0].presence > 0.9
        assert 60 < taken.faces[0].box[2] < 200


def test_picture_trace_names():
    assert faces.FacesInPicture.name == faces.FacesInVideo.name == "faces"
