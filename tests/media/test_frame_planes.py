"""Pixels read from planes are the pixels of the converted frame, in every format."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.media.clips import make_clip, scene
from tidewaiter.media import open_media
from tidewaiter.media.frames import AvFrame, View
from tidewaiter.media.orientation import orientation_of_matrix, turned, upright_to_stored
from tidewaiter.media.planes import layout_of, rgb_matrix, sampled

PLANAR = [
    f"yuv{scale}p{bits}"
    for scale in ("420", "422", "444", "440")
    for bits in ("", "10le", "12le")
    if (scale, bits) != ("440", "")
] + ["yuv440p", "yuvj420p", "yuvj422p", "yuvj444p", "yuv411p", "yuv410p", "yuva420p"]
GREY = ["gray", "gray10le", "gray12le"]
OTHERS = ["nv12", "gbrp", "gbrp10le", "rgb24", "bgr0", "yuyv422", "rgb565le"]
LIMITED, FULL = 1, 2


def frame_of(
    pixel_format: str, pixels: np.ndarray, matrix: int = 1, span: int = LIMITED
) -> AvFrame:
    import av

    source = av.VideoFrame.from_ndarray(pixels, format="rgb24")
    if pixel_format.startswith("yuv") and pixel_format != "yuyv422":
        span = FULL if pixel_format.startswith("yuvj") else span
        stored = source.reformat(
            format=pixel_format,
            dst_colorspace=matrix,
            dst_color_range=span,
            interpolation="BICUBIC",
            threads=1,
        )
        stored.colorspace, stored.color_range = matrix, span
    else:
        stored = source.reformat(format=pixel_format, threads=1)
    return AvFrame(stored, 0, 0.0, time_guessed=False, view=View(1, stored.width, stored.height))


@pytest.mark.parametrize("pixel_format", PLANAR + OTHERS)
def test_rgb_is_what_was_stored(pixel_format: str) -> None:
    pixels = scene(3, 128, 96)
    tolerance = {"rgb565le": 13, "yuyv422": 7, "yuv410p": 12, "yuv411p": 8}.get(pixel_format, 5)
    found = frame_of(pixel_format, pixels).rgb()
    assert np.abs(found.astype(int) - pixels)[2:-2, 4:-4].max() <= tolerance


@pytest.mark.parametrize("pixel_format", GREY)
def test_grey_is_its_luma(pixel_format: str) -> None:
    grey = scene(3, 128, 96).mean(2).round().astype(np.uint8)
    found = frame_of(pixel_format, np.repeat(grey[..., None], 3, 2)).rgb()
    assert np.abs(found.astype(int) - grey[..., None]).max() <= 2


@pytest.mark.parametrize("span", [LIMITED, FULL])
@pytest.mark.parametrize("matrix", [1, 5, 6, 7, 9])
@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p10le"])
def test_matrix_and_range_are_honoured(pixel_format: str, matrix: int, span: int) -> None:
    pixels = scene(3, 128, 96)
    found = frame_of(pixel_format, pixels, matrix, span).rgb()
    assert np.abs(found.astype(int) - pixels)[2:-2, 4:-4].max() <= 5


def test_an_undeclared_matrix_follows_the_rows() -> None:
    layout = layout_of("yuv420p")
    assert layout is not None
    assert np.array_equal(rgb_matrix(layout, 2, 0, 720), rgb_matrix(layout, 1, 1, 480))
    assert np.array_equal(rgb_matrix(layout, 2, 0, 576), rgb_matrix(layout, 6, 1, 720))
    assert rgb_matrix(layout, 8, 0, 576) is None


def test_primaries_of_bt601_by_its_published_numbers() -> None:
    """Y'CbCr (81, 90, 240) is pure red, (145, 54, 34) green, (41, 240, 110) blue."""
    layout = layout_of("yuv444p")
    assert layout is not None
    matrix = rgb_matrix(layout, 6, LIMITED, 480)
    for sample, colour in (
        ((81, 90, 240), (255, 0, 0)),
        ((145, 54, 34), (0, 255, 0)),
        ((41, 240, 110), (0, 0, 255)),
        ((235, 128, 128), (255, 255, 255)),
    ):
        assert np.abs(matrix @ (*sample, 1) - colour).max() < 1.6


@settings(max_examples=60, deadline=None)
@given(
    pixel_format=st.sampled_from([*PLANAR, *GREY, *OTHERS]),
    orientation=st.integers(1, 8),
    place=st.tuples(st.floats(0, 1), st.floats(0, 1), st.floats(10, 40), st.floats(-0.6, 0.6)),
    size=st.tuples(st.integers(8, 48), st.integers(8, 48)),
)
def test_a_crop_is_the_crop_of_the_converted_frame(
    pixel_format: str, orientation: int, place: tuple, size: tuple
) -> None:
    """Within 6 levels of 255: chroma is rounded twice and then counts 2.1-fold for blue."""
    frame = frame_of(pixel_format, scene(5, 97, 83))
    frame._view = View(orientation, 97, 83)
    frame.width, frame.height = (83, 97) if orientation >= 5 else (97, 83)
    share_x, share_y, length, angle = place
    along = length * np.array([np.cos(angle), np.sin(angle)])
    down = length * np.array([-np.sin(angle), np.cos(angle)])
    room = np.array([frame.width - 1, frame.height - 1], float)
    # Inside the picture: beyond it, the border is repeated after smoothing, each plane's own.
    reach = np.array([np.zeros(2), along, down, along + down])
    start = np.array([share_x, share_y]) * (room - np.ptp(reach, axis=0)) - reach.min(axis=0)
    corners = np.float32([start, start + along, start + down])
    width, height = size
    steps = np.array([along / max(width - 1, 1), down / max(height - 1, 1)]).T
    affine = np.hstack([steps, start[:, None]])
    expected = sampled(frame.rgb(), affine, width, height)
    found = frame.crop(corners, width, height)
    assert found.shape == (height, width, 3)
    assert np.abs(found.astype(int) - expected).max() <= 6


@pytest.mark.parametrize("pixel_format", ["yuv420p", "yuv444p", "yuv422p10le", "gbrp"])
@pytest.mark.parametrize("size", [(64, 48), (128, 96), (97, 83), (65, 49)])
def test_thumbnails_are_the_scaled_frame(pixel_format: str, size: tuple[int, int]) -> None:
    import cv2

    frame = frame_of(pixel_format, scene(5, *size))
    thumbnail = frame.thumbnail(24)
    expected = cv2.resize(
        frame.rgb(), (round(size[0] * 24 / size[1]), 24), interpolation=cv2.INTER_AREA
    )
    assert thumbnail.shape == expected.shape
    assert np.abs(thumbnail.astype(int) - expected).max() <= 5
    assert frame.thumbnail(24) is thumbnail
    assert frame.thumbnail(1000).shape == (size[1], size[0], 3)


@pytest.mark.parametrize("pixel_format", ["gbrp", "yuv420p10le", "yuyv422"])
def test_the_same_frame_gives_the_same_pixels_every_time(pixel_format: str) -> None:
    stored = frame_of(pixel_format, scene(5, 97, 83)).decoded()
    view = View(1, 97, 83)
    results = {
        AvFrame(stored, 0, 0.0, time_guessed=False, view=view).rgb().tobytes() for _ in range(30)
    }
    assert len(results) == 1


def test_luma_of_ten_bits_is_brought_to_eight() -> None:
    eight = frame_of("yuv420p", scene(5)).luma_thumbnail(24)
    ten = frame_of("yuv420p10le", scene(5)).luma_thumbnail(24)
    assert ten.dtype == np.uint8
    assert np.abs(eight.astype(int) - ten).max() <= 2


def test_fine_stripes_do_not_alias_into_broad_ones() -> None:
    stripes = np.repeat((np.arange(512) % 2 * 255).astype(np.uint8)[None, :, None], 384, 0).repeat(
        3, 2
    )
    frame = frame_of("yuv444p", stripes)
    crop = frame.crop(np.float32([[3, 3], [440, 9], [1, 300]]), 64, 64)
    assert crop.min() > 110
    assert crop.max() < 145


@pytest.mark.parametrize("orientation", range(1, 9))
def test_upright_coordinates_lead_back_to_the_stored_pixel(orientation: int) -> None:
    stored = np.arange(5 * 7).reshape(5, 7)
    upright = turned(stored, orientation)
    to_stored = upright_to_stored(orientation, 7, 5)
    for row, column in np.ndindex(*upright.shape):
        x, y, _ = to_stored @ (column, row, 1)
        assert upright[row, column] == stored[int(y), int(x)]


def test_display_matrices() -> None:
    one = 1 << 16

    def matrix(a: int, b: int, c: int, d: int) -> bytes:
        return np.array([a, b, 0, c, d, 0, 0, 0, 1 << 30], np.int32).tobytes()

    assert orientation_of_matrix(matrix(one, 0, 0, one)) == 1
    assert orientation_of_matrix(matrix(0, one, -one, 0)) == 6
    assert orientation_of_matrix(matrix(-one, 0, 0, one)) == 2
    assert orientation_of_matrix(matrix(46341, 46341, -46341, 46341)) is None
    assert orientation_of_matrix(matrix(0, 0, 0, 0)) == 1
    assert orientation_of_matrix(b"") == 1


@pytest.mark.shared
def test_real_faceforensics_files_are_444_and_read_alike(shared_data: Path) -> None:
    path = min((shared_data / "ffpp_c23" / "real").glob("*.mp4"))
    video = open_media(path)
    frame = next(item for item in video.play() if hasattr(item, "rgb"))
    own = frame.rgb()
    library = frame.decoded().to_ndarray(format="rgb24")
    assert own.shape == library.shape


def test_clip_keeps_its_declared_colours(tmp_path: Path) -> None:
    for matrix, span in ((1, LIMITED), (6, FULL)):
        path = make_clip(
            tmp_path / f"{matrix}.mp4", frames=1, colour=(matrix, span), options={"crf": "1"}
        )
        video = open_media(path)
        frame = next(item for item in video.play() if hasattr(item, "rgb"))
        assert np.abs(frame.rgb().astype(int) - scene(0)).mean() < 3
