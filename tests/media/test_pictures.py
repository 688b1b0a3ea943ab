"""Pictures of every kind: what comes out, and what is said about it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.media.clips import encoded, noise, scene
from tidewaiter.errors import CorruptMedia, LimitExceeded
from tidewaiter.media import Picture, open_media
from tidewaiter.settings import Limits


def opened(tmp_path: Path, data: bytes, limits: Limits | None = None) -> Picture:
    path = tmp_path / "exhibit.bin"
    path.write_bytes(data)
    picture = open_media(path, limits)
    assert isinstance(picture, Picture)
    return picture


def notes(picture: Picture) -> str:
    return " | ".join(str(note) for note in picture.exhibit.notes)


def heic(pixels: np.ndarray, **options: object) -> bytes:
    import io

    import pillow_heif

    buffer = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(pixels)).save(buffer, **options)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("form", "media_type", "options", "tolerance"),
    [
        ("JPEG", "image/jpeg", {"quality": 95}, 6),
        ("PNG", "image/png", {}, 0),
        ("TIFF", "image/tiff", {}, 0),
        ("TIFF", "image/tiff", {"compression": "tiff_lzw"}, 0),
        ("WEBP", "image/webp", {"lossless": True}, 0),
        ("BMP", "image/bmp", {}, 0),
        ("JPEG2000", "image/jp2", {}, 0),
        ("JPEG2000", "image/j2c", {"no_jp2": True}, 0),
        ("AVIF", "image/avif", {"quality": 95}, 6),
        ("HEIF", "image/heic", {"quality": 95}, 8),
        ("GIF", "image/gif", {}, 40),
    ],
)
def test_each_format_gives_its_pixels(
    tmp_path: Path, form: str, media_type: str, options: dict, tolerance: int
) -> None:
    pixels = scene(0, 66, 50)
    data = heic(pixels, **options) if form == "HEIF" else encoded(pixels, form, **options)
    picture = opened(tmp_path, data)
    assert picture.exhibit.media_type == media_type
    assert picture.format == form
    assert picture.data == data
    assert (picture.exhibit.width, picture.exhibit.height) == (66, 50)
    assert np.abs(picture.rgb.astype(int) - pixels).max() <= tolerance


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (3, 1), (17, 5)])
@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_odd_sizes(tmp_path: Path, form: str, size: tuple[int, int]) -> None:
    picture = opened(tmp_path, encoded(noise(*size), form))
    assert picture.rgb.shape == (*size, 3)


def test_sixteen_bit_grey_keeps_its_order_and_says_so(tmp_path: Path) -> None:
    ramp = np.linspace(0, 65535, 256).astype(np.uint16).reshape(16, 16)
    picture = opened(tmp_path, encoded(ramp, "PNG"))
    assert "16 bits" in notes(picture)
    assert np.array_equal(picture.rgb[..., 0].ravel(), np.arange(256))


def test_sixteen_bit_colour_is_said(tmp_path: Path) -> None:
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = b"".join(b"\0" + bytes([200, 7] * 3 * 4) for _ in range(4))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0))
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    picture = opened(tmp_path, data)
    assert "16 bits" in notes(picture)
    assert (picture.rgb == 200).all()


def test_floating_point_with_nan_and_infinity(tmp_path: Path) -> None:
    values = np.linspace(-3, 3, 64, dtype=np.float32).reshape(8, 8)
    values[0, 0], values[0, 1] = np.nan, np.inf
    picture = opened(tmp_path, encoded(values, "TIFF"))
    assert "floating-point" in notes(picture)
    assert picture.rgb[7, 7, 0] == 255


@pytest.mark.parametrize(
    ("mode", "form", "said"),
    [
        ("CMYK", "JPEG", "CMYK"),
        ("RGBA", "PNG", "transparency"),
        ("LA", "PNG", "transparency"),
        ("P", "PNG", "palette"),
        ("1", "PNG", "one bit"),
        ("LAB", "TIFF", "CIELAB"),
    ],
)
def test_conversions_are_said(tmp_path: Path, mode: str, form: str, said: str) -> None:
    import io

    buffer = io.BytesIO()
    image = Image.fromarray(scene(0))
    if mode == "LAB":
        image = Image.fromarray(scene(0)).convert("L").convert("RGB")
        image = Image.merge("LAB", image.split())
    else:
        image = image.convert(mode)
    image.save(buffer, form)
    picture = opened(tmp_path, buffer.getvalue())
    assert said in notes(picture)
    assert picture.rgb.dtype == np.uint8


def test_colours_under_transparency_are_kept(tmp_path: Path) -> None:
    rgba = np.dstack([scene(0), np.zeros((48, 64), np.uint8)])
    picture = opened(tmp_path, encoded(rgba, "PNG"))
    assert np.array_equal(picture.rgb, scene(0))


def test_a_foreign_profile_is_noted_and_srgb_is_not(tmp_path: Path) -> None:
    from PIL import ImageCms

    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    assert "profile" not in notes(opened(tmp_path, encoded(scene(0), "PNG", icc_profile=srgb)))
    assert "profile" in notes(opened(tmp_path, encoded(scene(0), "PNG", icc_profile=lab)))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_kept_apart_from_the_pixels(tmp_path: Path, orientation: int) -> None:
    from PIL import ImageOps

    exif = Image.Exif()
    exif[0x0112] = orientation
    data = encoded(noise(6, 9), "PNG", exif=exif)
    picture = opened(tmp_path, data)
    assert picture.orientation == orientation
    assert np.array_equal(picture.rgb, noise(6, 9))
    with Image.open(tmp_path / "exhibit.bin") as image:
        assert np.array_equal(picture.upright, np.asarray(ImageOps.exif_transpose(image)))


def test_senseless_orientation_is_upright_and_said(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 99
    picture = opened(tmp_path, encoded(noise(6, 9), "JPEG", exif=exif))
    assert picture.orientation == 1
    assert "99" in notes(picture)


def test_heic_is_turned_by_its_reader(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    picture = opened(tmp_path, heic(scene(0, 66, 50), exif=exif.tobytes()))
    assert picture.upright.shape[:2] == (66, 50)


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ("GIF", "animated"),
        ("WEBP", "animated"),
        ("PNG", "animated"),
        ("TIFF", "2 pictures"),
        ("MPO", "2 pictures"),
    ],
)
def test_the_first_of_several_pictures_is_examined(tmp_path: Path, form: str, said: str) -> None:
    second = Image.fromarray(255 - scene(0))
    options = {"lossless": True} if form == "WEBP" else {}
    data = encoded(scene(0), form, save_all=True, append_images=[second], **options)
    picture = opened(tmp_path, data)
    assert said in notes(picture)
    assert np.abs(picture.rgb.astype(int) - scene(0)).mean() < 12
    assert picture.format == ("JPEG" if form == "MPO" else form)


@pytest.mark.parametrize("subsampling", [0, 2])
def test_a_jpeg_cut_off_keeps_only_decoded_rows(tmp_path: Path, subsampling: int) -> None:
    pixels = noise(20, 16).repeat(16, 0).repeat(16, 1)
    data = encoded(pixels, "JPEG", quality=90, subsampling=subsampling)
    whole = opened(tmp_path, data)
    picture = opened(tmp_path, data[: len(data) // 2])
    rows = picture.rgb.shape[0]
    assert 64 <= rows < 300
    assert rows % 16 == 0
    assert picture.exhibit.height == rows
    assert "ends early" in notes(picture)
    # The last row may take its chroma from the row of blocks that is missing.
    assert np.array_equal(picture.rgb[: rows - 1], whole.rgb[: rows - 1])


def test_a_progressive_jpeg_cut_off_is_examined_whole(tmp_path: Path) -> None:
    data = encoded(noise(320, 256), "JPEG", progressive=True)
    picture = opened(tmp_path, data[: len(data) // 2])
    assert picture.rgb.shape[0] == 320
    assert "ends early" in notes(picture)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_rows_before_the_break_are_exact(tmp_path: Path, form: str) -> None:
    pixels = noise(60, 40)
    data = encoded(pixels, form)
    picture = opened(tmp_path, data[: len(data) // 2])
    rows = picture.rgb.shape[0]
    assert 20 <= rows <= 32
    expected = pixels[-rows:] if form == "BMP" else pixels[:rows]
    # The row at the break itself may be decoded in part.
    inner = slice(1, None) if form == "BMP" else slice(None, -1)
    assert np.array_equal(picture.rgb[inner], expected[inner])


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "AVIF", "JPEG2000", "HEIF"])
def test_a_beginning_alone_is_corrupt(tmp_path: Path, form: str) -> None:
    data = heic(noise(64, 64)) if form == "HEIF" else encoded(noise(64, 64), form)
    with pytest.raises(CorruptMedia, match=r"exhibit\.bin"):
        opened(tmp_path, data[:40])


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        (Limits(max_pixels=2000), "max_pixels"),
        (Limits(max_side=60), "max_side"),
        (Limits(max_bytes=50), "max_bytes"),
    ],
)
@pytest.mark.parametrize("form", ["JPEG", "PNG", "HEIF", "AVIF", "TIFF"])
def test_limits_are_named(tmp_path: Path, limits: Limits, named: str, form: str) -> None:
    data = heic(scene(0)) if form == "HEIF" else encoded(scene(0), form)
    with pytest.raises(LimitExceeded, match=named):
        opened(tmp_path, data, limits)


def test_a_motion_photo_and_a_pdf_behind_a_picture_are_noted(tmp_path: Path) -> None:
    data = encoded(scene(0), "JPEG")
    movie = opened(tmp_path, data + b"\0\0\0\x18ftypmp42\0\0\0\0isommp42")
    assert "video is attached" in notes(movie)
    document = opened(tmp_path, data + b"%PDF-1.4\n...\n%%EOF")
    assert "PDF" in notes(document)
    assert notes(opened(tmp_path, data)) == ""
