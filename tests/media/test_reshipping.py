"""Re-shipped exhibits open again, are what their name says, and are the same every time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.media.clips import encoded, make_clip, noise, scene
from tidewaiter.errors import UnsupportedMedia
from tidewaiter.media import Packet, Picture, open_media
from tidewaiter.media.reshipping import PICTURE_TRANSFORMS, TRANSFORM_LABELS
from tidewaiter.media.reshipping_video import VIDEO_TRANSFORMS
from tidewaiter.media.video import AvVideo


def picture(tmp_path: Path, pixels: np.ndarray, orientation: int = 1) -> Picture:
    exif = Image.Exif()
    exif[0x0112] = orientation
    (tmp_path / "in.png").write_bytes(encoded(pixels, "PNG", exif=exif))
    opened = open_media(tmp_path / "in.png")
    assert isinstance(opened, Picture)
    return opened


def reopened(tmp_path: Path, data: bytes) -> Picture:
    (tmp_path / "out.bin").write_bytes(data)
    opened = open_media(tmp_path / "out.bin")
    assert isinstance(opened, Picture)
    return opened


def frames(path: Path) -> list[tuple[float, np.ndarray]]:
    video = open_media(path)
    assert isinstance(video, AvVideo)
    return [(item.time_s, item.rgb()) for item in video.play() if not isinstance(item, Packet)]


def test_batteries_are_large_enough_and_labelled() -> None:
    assert len(PICTURE_TRANSFORMS) >= 9
    assert len(VIDEO_TRANSFORMS) >= 8
    assert {*PICTURE_TRANSFORMS, *VIDEO_TRANSFORMS} == {*TRANSFORM_LABELS}


@pytest.mark.parametrize("name", PICTURE_TRANSFORMS)
def test_pictures_come_out_upright_without_metadata_and_alike(tmp_path: Path, name: str) -> None:
    source = picture(tmp_path, scene(0, 160, 120), orientation=6)
    data = PICTURE_TRANSFORMS[name](source)
    assert data == PICTURE_TRANSFORMS[name](source)
    result = reopened(tmp_path, data)
    assert result.orientation == 1
    assert result.rgb.shape[0] > result.rgb.shape[1]
    assert b"Exif" not in data
    if name != "crop":
        small = Image.fromarray(source.upright).resize((30, 40), Image.Resampling.BOX)
        again = Image.fromarray(result.rgb).resize((30, 40), Image.Resampling.BOX)
        assert np.abs(np.asarray(small, int) - np.asarray(again, int)).mean() < 6


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("jpeg_90", (1700, 40)),
        ("half_size", (850, 20)),
        ("double_size", (3400, 80)),
        ("from_thumbnail", (1700, 40)),
        ("crop", (1614, 38)),
        ("screenshot", (1275, 30)),
        ("messenger", (1600, 38)),
    ],
)
def test_sizes(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    result = reopened(tmp_path, PICTURE_TRANSFORMS[name](picture(tmp_path, scene(0, 1700, 40))))
    assert (result.exhibit.width, result.exhibit.height) == size
    assert result.format == ("PNG" if name == "screenshot" else "JPEG")


def test_lower_quality_loses_more(tmp_path: Path) -> None:
    source = picture(tmp_path, noise(64, 64))
    sizes = [len(PICTURE_TRANSFORMS[f"jpeg_{quality}"](source)) for quality in (90, 70, 40)]
    assert sizes == sorted(sizes, reverse=True)


def test_enlarging_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tidewaiter.media.reshipping.MOST_ENLARGED_PIXELS", 20_000)
    data = PICTURE_TRANSFORMS["double_size"](picture(tmp_path, scene(0, 160, 120)))
    result = reopened(tmp_path, data)
    assert result.rgb.shape[0] * result.rgb.shape[1] <= 20_300


@pytest.mark.parametrize("name", PICTURE_TRANSFORMS)
@pytest.mark.parametrize("size", [(1, 1), (1, 9), (9, 1)])
def test_tiny_pictures_survive(tmp_path: Path, name: str, size: tuple[int, int]) -> None:
    result = reopened(tmp_path, PICTURE_TRANSFORMS[name](picture(tmp_path, noise(*size))))
    assert min(result.rgb.shape[:2]) >= 1


@pytest.mark.parametrize("name", VIDEO_TRANSFORMS)
def test_videos_open_again_and_come_out_alike(tmp_path: Path, name: str) -> None:
    source = make_clip(tmp_path / "in.mp4", frames=30, size=(98, 66))
    outs = [tmp_path / f"{run}.bin" for run in range(4)]
    for out in outs:
        VIDEO_TRANSFORMS[name](source, out, 1.0)
    found = frames(outs[0])
    if name != "remux":  # Matroska writes random identifiers; the frames are what counts.
        assert len({out.read_bytes() for out in outs}) == 1
    times = np.array([time for time, _ in found])
    expected = np.arange(0, 25, 2 if name == "half_rate" else 1) / 25
    # A copy of packets ends at a packet, and later frames may lie before earlier shown ones.
    assert abs(len(times) - len(expected)) <= (name == "remux")
    assert np.allclose(times[:20], expected[: len(times)][:20], atol=0.002)
    shapes = {
        "half_size": (32, 48, 3),
        "crop": (62, 94, 3),
    }
    assert found[0][1].shape == shapes.get(name, (66, 98, 3))
    if name == "grey":
        assert np.ptp(found[3][1].astype(int), axis=2).max() <= 2
    elif name not in shapes:
        index = 4
        shown = scene(index * (2 if name == "half_rate" else 1), 98, 66)
        assert np.abs(found[index][1].astype(int) - shown).mean() < 9


def test_a_crop_is_taken_from_the_middle(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", frames=2, size=(98, 66))
    VIDEO_TRANSFORMS["crop"](source, tmp_path / "out.mp4", 1.0)
    (_, whole), *_ = frames(source)
    (_, part), *_ = frames(tmp_path / "out.mp4")
    assert np.abs(part.astype(int) - whole[2:64, 2:96]).mean() < 6


def test_rotation_and_odd_formats_survive(tmp_path: Path) -> None:
    source = make_clip(
        tmp_path / "in.mp4", frames=3, size=(98, 66), rotate=-90, pixel_format="yuv444p10le"
    )
    VIDEO_TRANSFORMS["crf_28"](source, tmp_path / "out.mp4", 5.0)
    result = open_media(tmp_path / "out.mp4")
    assert result.rotation_degrees == 90
    assert (
        np.abs(
            frames(tmp_path / "out.mp4")[0][1].astype(int) - np.rot90(scene(0, 98, 66), -1)
        ).mean()
        < 8
    )


def test_the_messenger_bounds_the_long_side(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.mp4", frames=2, size=(1000, 60))
    VIDEO_TRANSFORMS["messenger"](source, tmp_path / "out.mp4")
    assert open_media(tmp_path / "out.mp4").exhibit.width == 848


def test_avi_can_be_remuxed_and_pictures_are_refused(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.avi", "mpeg4", frames=5)
    VIDEO_TRANSFORMS["remux"](source, tmp_path / "out.mkv")
    assert len(frames(tmp_path / "out.mkv")) == 5
    (tmp_path / "p.png").write_bytes(encoded(scene(0), "PNG"))
    with pytest.raises(UnsupportedMedia, match="needed a video"):
        VIDEO_TRANSFORMS["crf_28"](tmp_path / "p.png", tmp_path / "x.mp4")


def test_a_stream_without_times_cannot_be_remuxed_but_says_so(tmp_path: Path) -> None:
    source = make_clip(tmp_path / "in.h264", container="h264", frames=5)
    with pytest.raises(UnsupportedMedia, match="time stamps"):
        VIDEO_TRANSFORMS["remux"](source, tmp_path / "out.mkv")
    VIDEO_TRANSFORMS["crf_28"](source, tmp_path / "out.mp4")
    assert len(frames(tmp_path / "out.mp4")) == 5
