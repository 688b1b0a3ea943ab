from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image
from scipy.fft import dctn

from tidewaiter.forgeries.pictures import decoded, jpeg_bytes
from tidewaiter.media import Picture
from tidewaiter.traces.base import Untaken, collect_picture
from tidewaiter.traces.block_dct import basis, block_coefficients
from tidewaiter.traces.jpeg_coefficients import JpegCoefficients
from tidewaiter.vocabulary import Exhibit, MediaKind, Status


def picture(data: bytes, rgb: np.ndarray | None = None, kind: str = "JPEG") -> Picture:
    exhibit = Exhibit(
        sha256="0" * 64, byte_length=len(data), name="x", kind=MediaKind.PICTURE, media_type="x/y"
    )
    return Picture(exhibit, data, kind, decoded(data) if rgb is None else rgb)


def scene(seed: int = 0, height: int = 61, width: int = 83) -> np.ndarray:
    import cv2

    rough = np.random.default_rng(seed).normal(128, 90, (height, width, 3)).astype(np.float32)
    return np.clip(cv2.GaussianBlur(rough, (0, 0), 1.5), 0, 255).astype(np.uint8)


def coefficients(data: bytes, **kwargs) -> JpegCoefficients | Untaken:
    return collect_picture(picture(data, **kwargs), ["jpeg.coefficients"])["jpeg.coefficients"]


@pytest.mark.parametrize("subsampling", [0, 1, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_coefficients_equal_those_of_another_library(tmp_path, subsampling, progressive):
    import jpeglib

    data = jpeg_bytes(scene(), 77, subsampling=subsampling, progressive=progressive)
    path = tmp_path / "x.jpg"
    path.write_bytes(data)
    other = jpeglib.read_dct(str(path))
    mine = coefficients(data)
    assert np.array_equal(mine.quantised, other.Y)
    assert np.array_equal(mine.table, other.qt[0])
    assert (mine.quality, mine.own_table, mine.progressive) == (77, False, progressive)
    assert (mine.height, mine.width) == (61, 83)


def test_luma_is_what_a_decoder_makes():
    data = jpeg_bytes(scene()[..., 0], 85)
    mine = coefficients(data, rgb=decoded(data)).luma
    other = np.asarray(Image.open(io.BytesIO(data)), dtype=np.float32)
    assert mine.shape == other.shape
    # Decoders may use integer transforms; IEEE 1180 allows one grey level.
    assert np.abs(mine - other).max() <= 1
    assert (mine == other).mean() > 0.95


def test_own_tables_are_named_as_such():
    file = io.BytesIO()
    table = [7] * 64
    Image.fromarray(scene()).save(file, "JPEG", qtables=[table, table])
    assert coefficients(file.getvalue()).own_table
    assert coefficients(file.getvalue()).quality_label.startswith("≈")


def as_bytes(mode: str, **options) -> bytes:
    file = io.BytesIO()
    Image.fromarray(scene()).convert(mode).save(file, **options)
    return file.getvalue()


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (as_bytes("RGB", format="PNG"), "JPEG file is needed"),
        (as_bytes("CMYK", format="JPEG"), "4 colour components"),
        (as_bytes("RGB", format="JPEG")[:-200], "ends before"),
        (as_bytes("RGB", format="JPEG", keep_rgb=True), "RGB or CMYK"),
        (b"\xff\xd8\xff\xd9", "frames –"),
    ],
)
def test_what_holds_no_readable_luma_is_not_applicable(data, said):
    untaken = coefficients(data, rgb=scene())
    assert isinstance(untaken, Untaken)
    assert untaken.status is Status.NOT_APPLICABLE
    assert said in str(untaken.reason)


def test_twelve_bit_samples_are_not_applicable():
    data = bytearray(jpeg_bytes(scene(), 90))
    data[data.index(b"\xff\xc0") + 4] = 12
    assert isinstance(coefficients(bytes(data), rgb=scene()), Untaken)


def test_no_damaged_file_ends_otherwise_than_in_a_status(recwarn):
    whole = jpeg_bytes(scene(), 90)
    rng = np.random.default_rng(1)
    for _ in range(200):
        data = np.frombuffer(whole, np.uint8).copy()
        data[rng.integers(2, len(data), 3)] = rng.integers(0, 256, 3)
        taken = coefficients(data.tobytes(), rgb=scene())
        if isinstance(taken, Untaken):
            assert taken.status is Status.NOT_APPLICABLE, str(taken.reason)


def test_block_coefficients_equal_scipy():
    plane = scene()[..., 0].astype(np.float32)
    wanted = [(0, 1), (3, 2), (0, 0)]
    found = block_coefficients(plane, wanted, origin=(4, 3))
    assert found.shape == (3, 7, 10)
    for row, column in [(0, 0), (6, 9)]:
        block = plane[4 + 8 * row : 12 + 8 * row, 3 + 8 * column : 11 + 8 * column]
        truth = dctn(block.astype(float), norm="ortho")
        assert found[:, row, column] == pytest.approx([truth[f] for f in wanted], abs=1e-3)
    assert basis() @ basis().T == pytest.approx(np.eye(8), abs=1e-12)


def test_a_plane_smaller_than_a_block_has_no_coefficients():
    assert block_coefficients(np.zeros((7, 30), np.float32), [(0, 1)]).size == 0
    assert block_coefficients(np.zeros((8, 8), np.float32), [(0, 1)], origin=(1, 0)).size == 0
