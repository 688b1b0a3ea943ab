"""What is shown is what the protocol's camera would deliver, genuine and forged alike."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from tidewaiter.errors import IntegrityError, UnfitFaces
from tidewaiter.face_audit.material import Material, forgery_name
from tidewaiter.face_audit.people import Photo
from tidewaiter.face_audit.protocol import Capture
from tidewaiter.face_audit.trials import Probe
from tidewaiter.forgeries.faces import Face, marked
from tidewaiter.settings import Limits

PIXELS = np.random.default_rng(1).integers(0, 255, (48, 40, 3)).astype(np.uint8)


class Kept(dict):
    def put(self, name, content):
        self[name] = content


@pytest.fixture
def photo(tmp_path):
    content = cv2.imencode(".png", PIXELS)[1].tobytes()
    (tmp_path / "a.png").write_bytes(content)
    return Photo("ann", "a.png", "probe", hashlib.sha256(content).hexdigest())


def test_without_a_capture_a_photo_is_shown_as_its_file_is(tmp_path, photo):
    shown = Material(tmp_path, Kept(), Limits()).show(Probe(photo))
    assert shown.picture.content == (tmp_path / "a.png").read_bytes()


def test_with_a_capture_photos_and_forgeries_are_saved_alike(tmp_path, photo):
    kept = Kept()
    forgery = Probe(photo, photo, "swap-feather", 1)
    kept[forgery_name(forgery)] = marked(PIXELS[..., ::-1], "swap-feather", 1)
    kept[f"{forgery_name(forgery)}.json"] = b'{"files": ["a.png"], "forging_ms": 1.5}'
    material = Material(tmp_path, kept, Limits(), Capture(jpeg=80))
    genuine, forged = (material.show(p).picture.content for p in (Probe(photo), forgery))
    assert genuine[:4] == forged[:4] == b"\xff\xd8\xff\xfe"
    assert b"made by Tidewaiter for tests; forged: swap-feather" in forged
    plain = [cv2.imdecode(np.frombuffer(c, np.uint8), cv2.IMREAD_COLOR) for c in (genuine, forged)]
    np.testing.assert_array_equal(*plain)
    assert material.show(Probe(photo)).picture.content == genuine


def without_a_mesh(material, monkeypatch, found):
    """The face mesh is not asked; `found` is its answer."""

    def face_of(_photo):
        if not found:
            raise UnfitFaces("no face")
        return Face(np.ascontiguousarray(PIXELS[..., ::-1]), np.zeros((468, 2), np.float32))

    monkeypatch.setattr(material, "_face", face_of)


@pytest.mark.parametrize("found", [True, False])
def test_what_a_worker_opened_is_known_without_its_file(tmp_path, photo, monkeypatch, found):
    kept = Kept()
    material = Material(tmp_path, kept, Limits())
    assert not material.is_open(photo)
    without_a_mesh(material, monkeypatch, found)
    material.open(photo)
    (tmp_path / "a.png").unlink()
    later = Material(tmp_path, kept, Limits())
    assert later.is_open(photo)
    assert later.has_face(photo) is found
    np.testing.assert_array_equal(later.view(Probe(photo)), PIXELS[..., ::-1])
    assert later.small_copy(photo).content.startswith(b"\x89PNG")


def test_a_view_is_no_longer_than_a_camera_needs(tmp_path, photo, monkeypatch):
    material = Material(tmp_path, Kept(), Limits())
    large = Face(np.zeros((1300, 900, 3), np.uint8), np.zeros((468, 2), np.float32))
    monkeypatch.setattr(material, "_face", lambda _photo: large)
    material.open(photo)
    assert material.view(Probe(photo)).shape == (640, 443, 3)


def test_a_view_of_a_forgery_is_the_forgery(tmp_path, photo):
    kept = Kept()
    forgery = Probe(photo, photo, "swap-feather", 1)
    kept[forgery_name(forgery)] = marked(PIXELS, "swap-feather", 1)
    kept[f"{forgery_name(forgery)}.json"] = b'{"files": ["a.png"], "forging_ms": 1}'
    np.testing.assert_array_equal(Material(tmp_path, kept, Limits()).view(forgery), PIXELS)


def test_a_photo_that_changed_is_not_opened(tmp_path, photo):
    (tmp_path / "a.png").write_bytes(b"else")
    with pytest.raises(IntegrityError, match="has changed"):
        Material(tmp_path, Kept(), Limits()).open(photo)


def test_a_photo_that_changed_is_not_saved_anew(tmp_path, photo):
    (tmp_path / "a.png").write_bytes(b"else")
    with pytest.raises(IntegrityError, match="has changed"):
        Material(tmp_path, Kept(), Limits(), Capture(jpeg=80)).show(Probe(photo))
