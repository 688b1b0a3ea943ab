"""A service's limits are checked here, in its own terms, before anything is sent."""

import io

import pytest
from PIL import Image

from tidewaiter.errors import CorruptMedia, UnsupportedMedia
from tidewaiter.face_audit.embedding import FaceBox, FaceMemory, Known
from tidewaiter.face_audit.fitness import first_unfit, least_face_px, unfit
from tidewaiter.face_audit.service import Limits, Outcome, Picture

LIMITS = Limits(
    media_types=frozenset({"image/png"}),
    least_bytes=20,
    most_bytes=5000,
    least_side_px=80,
    least_face_px=40,
    face_reference_px=(1920, 1080),
)


def picture(size=(100, 100), form="PNG"):
    file = io.BytesIO()
    Image.new("RGB", size).save(file, form)
    return Picture("a.png", file.getvalue())


def knowing(face, size=(100, 100)):
    box = None if face is None else FaceBox(0, 0, face, face + 10)
    return lambda picture: Known(*size, box)


@pytest.mark.parametrize(
    ("given", "face", "size", "outcome", "code"),
    [
        (picture(), 40, (100, 100), None, ""),
        (picture(), None, (100, 100), None, ""),
        (picture(), 39, (100, 100), Outcome.TOO_SMALL, "face-too-small"),
        (picture(), 79, (3840, 2160), Outcome.TOO_SMALL, "face-too-small"),
        (picture(), 80, (3840, 2160), None, ""),
        (picture(), 79, (2160, 3840), Outcome.TOO_SMALL, "face-too-small"),
        (picture(), 60, (79, 400), Outcome.REFUSED, "picture-too-small"),
        (picture(form="JPEG"), 60, (100, 100), Outcome.REFUSED, "format-not-taken"),
        (Picture("a", b"\x89PNG\r\n\x1a\n"), 60, (100, 100), Outcome.REFUSED, "file-too-small"),
        (Picture("a", bytes(5001)), 60, (100, 100), Outcome.REFUSED, "file-too-large"),
    ],
)
def test_a_limit_is_named(given, face, size, outcome, code):
    reply = unfit(given, LIMITS, knowing(face, size))
    found = (None, "") if reply is None else (reply.outcome, reply.service_code)
    assert found == (outcome, code)
    assert reply is None or reply.calls == 0


def test_the_first_picture_that_does_not_fit_counts():
    reply = first_unfit(LIMITS, knowing(60), picture(), picture(form="JPEG"))
    assert reply.service_code == "format-not-taken"
    assert first_unfit(LIMITS, knowing(60), picture(), picture()) is None


def test_without_a_reference_size_the_face_limit_holds_everywhere():
    assert least_face_px(Known(9000, 9000, None), Limits(least_face_px=30)) == 30


@pytest.mark.parametrize(
    ("content", "error"),
    [(picture().content[:50], CorruptMedia), (b"words " * 20, UnsupportedMedia)],
)
def test_what_is_no_picture_is_an_error_that_names_it(content, error):
    class Blind:
        name = "blind"

        def locate(self, pixels):
            return None

    with pytest.raises(error, match=r"photo\.png"):
        FaceMemory(Blind()).known(Picture("photo.png", content))
