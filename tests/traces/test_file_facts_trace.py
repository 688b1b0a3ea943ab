"""The whole trace on files made here: thumbnails, formats, real containers."""

from __future__ import annotations

import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tidewaiter.media import Picture
from tidewaiter.traces.base import collect_picture
from tidewaiter.traces.file_facts import PictureFacts, read_video_facts
from tidewaiter.traces.thumbnails import compare_thumbnail
from tidewaiter.traces.trailing import TrailingKind
from tidewaiter.vocabulary import Exhibit, MediaKind


def scene(seed: int, height: int = 240, width: int = 360) -> np.ndarray:
    coarse = np.random.default_rng(seed).integers(0, 255, (6, 9, 3), dtype=np.uint8)
    return cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)


def encoded(pixels: np.ndarray, kind: str = "JPEG", **options: object) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def picture(data: bytes, pixels: np.ndarray) -> Picture:
    exhibit = Exhibit(
        sha256="0" * 64,
        byte_length=len(data),
        name="p",
        kind=MediaKind.PICTURE,
        media_type="image/jpeg",
    )
    return Picture(exhibit, data, "JPEG", pixels)


def taken(data: bytes, pixels: np.ndarray) -> PictureFacts:
    return collect_picture(picture(data, pixels), ["file.facts"])["file.facts"]


class TestThumbnails:
    def match(self, thumbnail: np.ndarray, pixels: np.ndarray) -> object:
        found = compare_thumbnail(encoded(thumbnail, quality=60), picture(b"", pixels))
        assert found is not None
        return found

    def test_own_thumbnail(self) -> None:
        pixels = scene(1)
        found = self.match(cv2.resize(pixels, (156, 104), interpolation=cv2.INTER_AREA), pixels)
        assert found.same_shape
        assert found.correlation > 0.97

    def test_with_black_bars(self) -> None:
        pixels = scene(1)
        thumbnail = np.zeros((120, 160, 3), np.uint8)
        thumbnail[7:113] = cv2.resize(pixels, (160, 106), interpolation=cv2.INTER_AREA)
        found = self.match(thumbnail, pixels)
        assert found.same_shape
        assert found.correlation > 0.97

    def test_of_the_picture_before_it_was_turned(self) -> None:
        pixels = scene(1)
        small = cv2.resize(pixels, (156, 104), interpolation=cv2.INTER_AREA)
        found = self.match(np.ascontiguousarray(np.rot90(small)), pixels)
        assert found.same_shape
        assert found.correlation > 0.97

    def test_of_another_picture(self) -> None:
        found = self.match(scene(2, 104, 156), scene(1))
        assert found.same_shape
        assert found.correlation < 0.7

    def test_of_a_wider_picture(self) -> None:
        assert not self.match(scene(1, 104, 156), scene(1)[:, 60:300]).same_shape

    def test_a_patch_is_found_where_it_lies(self) -> None:
        pixels = scene(1)
        thumbnail = cv2.resize(pixels, (156, 104), interpolation=cv2.INTER_AREA)
        changed = pixels.copy()
        changed[150:200, 60:110] = 255 - changed[150:200, 60:110]
        assert self.match(thumbnail, pixels).difference < 5
        found = self.match(thumbnail, changed)
        assert found.difference > 25
        left, top, width, height = found.place
        assert 60 < left + width / 2 < 110
        assert 150 < top + height / 2 < 200

    def test_flat_pictures_cannot_be_compared(self) -> None:
        flat = np.full((240, 360, 3), 90, np.uint8)
        assert self.match(flat[:104, :156], flat).correlation is None

    @pytest.mark.parametrize("damage", [b"", b"\xff\xd8", b"\xff\xd8\xff\xd9", b"nothing"])
    def test_what_cannot_be_decoded_is_none(self, damage: bytes) -> None:
        assert compare_thumbnail(damage, picture(b"", scene(1))) is None

    def test_a_broken_one_is_none(self) -> None:
        data = encoded(scene(1, 104, 156))
        assert compare_thumbnail(data[: len(data) // 3], picture(b"", scene(1))) is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", "HEIF", "AVIF"])
def test_exif_is_found_in_every_format(kind: str) -> None:
    exif = Image.Exif()
    exif[0x010F] = "Canon"
    import pillow_heif

    pillow_heif.register_heif_opener()
    pixels = scene(3, 40, 60)
    options = {"exif": exif} if kind != "TIFF" else {"tiffinfo": {271: "Canon"}}
    facts = taken(encoded(pixels, kind, **options), pixels)
    assert facts.exif is not None
    assert facts.exif.texts["make"] == "Canon"
    assert facts.problems == ()
    assert facts.trailing is None


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_trailing_archive_is_found_in_every_format(kind: str) -> None:
    pixels = scene(3, 40, 60)
    facts = taken(encoded(pixels, kind) + b"PK\x03\x04rest of an archive", pixels)
    assert facts.trailing is not None
    assert facts.trailing.kind is TrailingKind.ARCHIVE


def test_unknown_formats_say_nothing() -> None:
    pixels = scene(3, 40, 60)
    assert taken(encoded(pixels, "BMP"), pixels) == PictureFacts(60, 40)


@pytest.mark.parametrize(
    ("suffix", "container"), [("mp4", "mp4"), ("mkv", "matroska"), ("avi", "riff")]
)
def test_containers_written_by_ffmpeg_name_it(tmp_path: Path, suffix: str, container: str) -> None:
    import av

    path = tmp_path / f"clip.{suffix}"
    with av.open(str(path), "w") as output:
        stream = output.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(4):
            output.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
        output.mux(stream.encode())
    with path.open("rb") as opened:
        facts = read_video_facts(opened, path.stat().st_size)
    layout = getattr(facts, container)
    assert "Lavf" in str(layout)
    assert facts.problems == ()
    assert "Lavc" in "".join(facts.marks.names)
