"""The network is asked about every face, its maps lie where the faces lie."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from tidewaiter.media import Picture, open_media
from tidewaiter.traces import face_manipulation
from tidewaiter.traces.base import Traces, Untaken, collect_picture
from tidewaiter.traces.face_geometry import level_square
from tidewaiter.traces.face_manipulation import FaceManipulationInPicture
from tidewaiter.traces.face_network import (
    FACE_NETWORK,
    Answer,
    ask,
    ask_twice,
    compressed,
    heat_over,
)
from tidewaiter.traces.faces import PictureFace, PictureFaces
from tidewaiter.vocabulary import Box, MediaKind, Status
from tidewaiter.weights import own
from tidewaiter.weights.own import OwnNetwork, site_network

SOME_NETWORK = OwnNetwork(Path("some.onnx"), "0" * 64, "+01234567")


def face_at(x, y, extent):
    """A level mesh of that extent around (x, y)."""
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (468, 3))
    points[:4, :2] = [[-0.5, -0.5], [0.5, 0.5], [-0.5, 0.5], [0.5, -0.5]]
    points[33], points[263] = (-0.3, -0.1, 0), (0.3, -0.1, 0)
    points[10], points[152] = (0, -0.5, 0), (0, 0.5, 0)
    points = np.float32(points * extent + (x, y, 0))
    left, top = int(x - extent / 2), int(y - extent / 2)
    box = Box(left=max(left, 0), top=max(top, 0), width=int(extent), height=int(extent))
    return PictureFace(np.float32([left, top, extent, extent]), box, 0.99, points, (0.0, 0.0, 0.0))


def taken(faces, monkeypatch, orientation=1, size=(300, 400), gap=0.0):
    """The trace on textured pixels, with a network that sees alteration at the lower left."""
    mask = np.full((10, 10), -9.0, np.float32)
    mask[7:, :3] = 9.0
    monkeypatch.setattr(
        face_manipulation,
        "ask_twice",
        lambda crop, own: (Answer(float(crop.mean()), mask), gap),
    )
    rgb = np.random.default_rng(1).integers(60, 200, (*size, 3)).astype(np.uint8)
    picture = Picture(SimpleNamespace(), b"", "PNG", rgb, orientation)
    trace = FaceManipulationInPicture()
    trace.options = {FACE_NETWORK: SOME_NETWORK}
    return trace.measure(picture, Traces(MediaKind.PICTURE, {"faces": PictureFaces(faces)}))


def test_every_face_gets_its_answer_and_the_mark_of_the_network(monkeypatch):
    found = taken((face_at(120, 150, 120), face_at(300, 120, 90)), monkeypatch)
    assert [round(face.quality.pixels) for face in found.faces] == [120, 90]
    assert all(face.usable for face in found.faces)
    assert found.network_mark == "+01234567"


def test_the_map_lies_on_the_lower_left_of_the_face(monkeypatch):
    found = taken((face_at(200, 150, 120),), monkeypatch)
    rows, columns = np.nonzero(found.heat > 0.5)
    assert rows.min() > 0.55 * found.heat.shape[0]
    assert columns.max() < 0.45 * found.heat.shape[1]
    area = found.area
    assert abs(area.left + area.width / 2 - 200) < 3
    assert abs(area.top + area.height / 2 - 150) < 3


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_turned_pictures_map_is_that_of_its_stored_pixels(monkeypatch, orientation):
    """Turned as `Picture.upright` turns pixels, the map shows the same as when upright."""
    size = (300, 400) if orientation < 5 else (400, 300)
    faces = (face_at(200, 150, 120),)
    plain = taken(faces, monkeypatch).heat
    found = taken(faces, monkeypatch, orientation, size)
    turned = Picture(SimpleNamespace(), b"", "PNG", found.heat[..., None], orientation).upright
    assert np.array_equal(turned[..., 0], plain, equal_nan=True)


def test_maps_of_unfit_faces_are_left_out(monkeypatch):
    found = taken((face_at(120, 150, 120), face_at(300, 120, 30)), monkeypatch)
    assert len(found.faces) == 2
    assert found.area.left + found.area.width < 250


def test_a_picture_without_a_face_is_not_applicable(monkeypatch):
    assert taken((), monkeypatch).status is Status.NOT_APPLICABLE


def test_a_trace_that_could_not_be_taken_before_is_passed_on():
    untaken = Untaken(Status.UNAVAILABLE, "no engine")
    found = FaceManipulationInPicture().measure(
        SimpleNamespace(), Traces(MediaKind.PICTURE, {"faces": untaken})
    )
    assert found is untaken


def test_without_a_network_the_trace_is_unavailable(monkeypatch):
    monkeypatch.setattr(own, "SHIPPED", {})
    monkeypatch.setattr("tidewaiter.traces.faces._located_in", lambda pixels: [SimpleNamespace()])
    monkeypatch.setattr("tidewaiter.traces.faces._meshed", lambda *_: face_at(50, 50, 60))
    picture = Picture(SimpleNamespace(), b"", "PNG", np.full((100, 100, 3), 90, np.uint8))
    found = collect_picture(picture, {"face_manipulation"})["face_manipulation"]
    assert found.status is Status.UNAVAILABLE
    assert "tidewaiter fit face" in str(found.reason)


def test_overlapping_maps_keep_the_larger_value():
    square = level_square(np.float32([50, 50]), 60, 0.0)
    weak, strong = np.full((10, 10), -2.0, "f"), np.full((10, 10), 2.0, "f")
    heat = heat_over([(strong, square), (weak, square)], np.float32([0, 0, 100, 100]))
    assert np.nanmin(heat) > 0.8
    assert np.isnan(heat[0, 0])
    assert np.isfinite(heat).mean() == pytest.approx(0.36, abs=0.02)


def test_the_mirror_image_is_asked_with_its_map_turned_back(untrained_site):
    network = site_network(untrained_site)
    crop = np.random.default_rng(3).integers(0, 256, (160, 160, 3)).astype(np.uint8)
    mirrored = ask(crop, network, mirrored=True)
    assert np.array_equal(mirrored.mask, ask(crop[:, ::-1], network).mask[:, ::-1])


def test_the_second_look_is_mirrored_and_compressed_anew(untrained_site):
    network = site_network(untrained_site)
    crop = np.random.default_rng(3).integers(0, 256, (160, 160, 3)).astype(np.uint8)
    assert not np.array_equal(compressed(crop), crop)
    first, second = ask(crop, network), ask(compressed(crop), network, mirrored=True)
    both, gap = ask_twice(crop, network)
    assert gap == first.score - second.score != 0
    assert both.score == pytest.approx((first.score + second.score) / 2)
    assert np.allclose(both.mask, (first.mask + second.mask) / 2)


@pytest.mark.parametrize("gap", [-40.0, 40.0])
def test_an_answer_that_a_compression_overturns_does_not_count(monkeypatch, gap):
    (face,) = taken((face_at(200, 150, 120),), monkeypatch, gap=gap).faces
    assert face.quality.usable
    assert not face.steady
    assert not face.usable


def test_the_same_crop_gives_the_same_answer(untrained_site):
    network = site_network(untrained_site)
    crop = np.random.default_rng(3).integers(0, 256, (160, 160, 3)).astype(np.uint8)
    first = ask(crop, network)
    ask(255 - crop, network)
    again = ask(crop, network)
    assert first.score == again.score
    assert np.array_equal(first.mask, again.mask)


@pytest.mark.shared
def test_a_photograph_is_asked_about_from_end_to_end(shared_data, untrained_site, tmp_path):
    path = min((shared_data / "lfw_deepfunneled").rglob("*.jpg"))
    options = {FACE_NETWORK: site_network(untrained_site)}
    found = collect_picture(open_media(path), {"face_manipulation"}, options=options)
    answers = found["face_manipulation"]
    assert answers.faces[0].usable
    assert np.nanmax(answers.heat) <= 1
    assert answers.compression.format == "JPEG"
