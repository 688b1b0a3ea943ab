"""What a stand-in is sent is opened in a process of its own: refused there, or killed there."""

import io
import json
import struct
import urllib.error
import urllib.request
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.face_audit.stand_in.looker import CRASHING
from tests.face_audit.stand_in.test_stand_in import ASKING, code_of, detect
from tidewaiter.errors import MissingWeights
from tidewaiter.face_audit.service import Request
from tidewaiter.face_audit.stand_in.shapes import SHAPES, stand_in
from tidewaiter.wiring_stand_in import LimitedLooking, opener, standing_in

UNREADABLE = {
    "rekognition": (400, "InvalidImageFormatException"),
    "azure": (400, "InvalidImage"),
    "compreface": (400, 26),
}


def noise(form="PNG"):
    file = io.BytesIO()
    pixels = np.random.default_rng(1).integers(0, 256, (200, 200, 3), np.uint8)
    Image.fromarray(pixels).save(file, form)
    return file.getvalue()


def claiming(width, height, rows):
    """A PNG that says it is that large and holds that many rows of it."""

    def chunk(kind, body):
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = zlib.compress(bytes((3 * width + 1) * rows), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


HOSTILE = {
    "bomb": claiming(65_000, 65_000, 20),
    "long": claiming(1_000_000, 16, 1),
    "truncated": noise("JPEG")[:1500],
    "no picture": b"words, words, words. " * 100,
    "head only": b"\x89PNG\r\n\x1a\n" + bytes(2000),
}


@pytest.fixture(scope="module")
def looking():
    pytest.importorskip("dlib", reason="dlib-bin is not installed; see the extra `audit`")
    with opener() as attendant:
        try:
            attendant.start()
        except MissingWeights as error:
            pytest.skip(str(error))
        yield LimitedLooking(attendant)


@pytest.mark.parametrize("adapter", SHAPES)
@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_picture_is_refused_in_the_services_words_and_not_billed(adapter, kind, looking):
    made = stand_in(adapter, looking)
    sent = made.answer(ASKING[adapter](HOSTILE[kind]), 0.0)
    assert (sent.status, code_of(sent)) == UNREADABLE[adapter]
    assert made.bill == {}


@pytest.fixture
def address(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[3]))
    with standing_in("azure", looker="tests.face_audit.stand_in.looker:look") as standing:
        yield standing.address


def asked(address, content):
    made = detect(content)
    request = urllib.request.Request(address + made.url, content, dict(made.headers))
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_a_picture_that_crashes_its_reader_leaves_the_server_standing(address):
    for _ in range(2):
        status, content = asked(address, noise() + CRASHING)
        assert (status, content["error"]["code"]) == (400, "InvalidImage")
        status, content = asked(address, noise())
        assert (status, len(content)) == (200, 1)


def test_forms_nested_without_end_are_refused():
    deep = b"".join(
        b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1)
        for n in range(3000)
    )
    headers = {"x-api-key": "k", "content-type": "multipart/form-data; boundary=b0"}
    made = stand_in("compreface", LimitedLooking(None))
    sent = made.answer(Request("POST", "/api/v1/verification/verify", headers, deep), 0.0)
    assert 400 <= sent.status < 500
