"""What is shown is what the protocol's camera would deliver, genuine and forged alike."""

from __future__ import annotations

import hashlib

import cv2
import numpy as np
import pytest

from tidewaiter.errors import IntegrityError
from tidewaiter.face_audit.material import Material, forgery_name
from tidewaiter.face_audit.people import Photo
from tidewaiter.face_audit.protocol import Capture
from tidewaiter.face_audit.trials import Probe
from tidewaiter.forgeries.faces import marked
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


def test_a_photo_that_changed_is_not_saved_anew(tmp_path, photo):
    (tmp_path / "a.png").write_bytes(b"else")
    with pytest.raises(IntegrityError, match="has changed"):
        Material(tmp_path, Kept(), Limits(), Capture(jpeg=80)).show(Probe(photo))
