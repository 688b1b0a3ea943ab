"""The listed pictures of an audit are opened in limited workers, and in no other process."""

from __future__ import annotations

import hashlib
import struct
import zlib

import pytest

from tidewaiter import wiring_opening
from tidewaiter.errors import InputError, LimitExceeded, TidewaiterError
from tidewaiter.face_audit.material import Material
from tidewaiter.face_audit.people import Person, Photo
from tidewaiter.face_audit.protocol import read_protocol
from tidewaiter.settings import Settings
from tidewaiter.storage.kept import FolderOfBytes
from tidewaiter.testing.samples import spliced_picture
from tidewaiter.wiring_makers import Workshop

PROTOCOL = """
audit = "opening"
[target]
adapter = "dlib"
[[attacks]]
species = "swap-feather"
pairs = { lookalike = 0, random = 1 }
[licit]
lookalike = 0
"""


def bomb() -> bytes:
    """A small PNG that says it holds 60,000 by 60,000 pixels."""
    head = b"IHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    data = b"IDAT" + zlib.compress(bytes(1000))
    chunks = (
        struct.pack(">I", len(c) - 4) + c + struct.pack(">I", zlib.crc32(c))
        for c in (head, data, b"IEND")
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


@pytest.fixture
def workshop(tmp_path):
    return Workshop(
        protocol=read_protocol(PROTOCOL, "p.toml"),
        home=tmp_path,
        kept=tmp_path / "audit" / "pictures",
        settings=Settings(),
    )


def person(folder, files: dict[str, bytes]) -> Person:
    photos = []
    for name, content in files.items():
        (folder / name).write_bytes(content)
        photos.append(Photo("ann", name, "probe", hashlib.sha256(content).hexdigest()))
    return Person("ann", "staff", authorised=True, part=None, photos=tuple(photos))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("content", "kind", "said"),
    [(b"no picture", InputError, "x.png"), (bomb(), LimitExceeded, "max_pixels")],
)
def test_a_picture_that_cannot_be_opened_ends_the_audit_by_name(
    workshop, tmp_path, content, kind, said
):
    pytest.importorskip("dlib", reason="dlib-bin is not installed; see the extra `audit`")
    with pytest.raises(TidewaiterError, match=said) as raised:
        wiring_opening.open_all(workshop, [person(tmp_path, {"x.png": content})])
    assert isinstance(raised.value, kind)


@pytest.mark.slow
def test_every_picture_that_cannot_be_opened_is_named_at_once(workshop, tmp_path):
    pytest.importorskip("dlib", reason="dlib-bin is not installed; see the extra `audit`")
    files = {"x.png": b"no picture", "y.png": b"", "z.png": spliced_picture()}
    with pytest.raises(InputError) as raised:
        wiring_opening.open_all(workshop, [person(tmp_path, files)])
    assert all(name in str(raised.value) for name in ("x.png", "y.png"))
    assert "z.png" not in str(raised.value)


@pytest.mark.parametrize("torn", [b"", b"ye"])
def test_a_torn_note_of_a_picture_is_not_read_as_no_face(workshop, tmp_path, torn):
    known = person(tmp_path, {"x.jpg": spliced_picture()})
    workshop.kept.mkdir(parents=True)
    digest = known.photos[0].sha256
    (workshop.kept / f"face-{digest}").write_bytes(torn)
    (workshop.kept / f"view-{digest}.png").write_bytes(b"view")
    material = Material(tmp_path, FolderOfBytes(workshop.kept), workshop.settings.limits)
    assert not material.is_open(known.photos[0])


def test_what_is_open_is_not_opened_again(workshop, tmp_path, monkeypatch):
    monkeypatch.setattr(wiring_opening, "run", lambda *_, **__: pytest.fail("a worker started"))
    known = person(tmp_path, {"x.jpg": spliced_picture()})
    workshop.kept.mkdir(parents=True)
    digest = known.photos[0].sha256
    for name in (f"face-{digest}", f"view-{digest}.png"):
        (workshop.kept / name).write_bytes(b"yes")
    wiring_opening.open_all(workshop, [known])
