"""Videos of every container and codec, played once within their limits."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.media.clips import FORMATS, MEDIA_TYPES, make_clip, make_sound, noise, scene
from tidewaiter.errors import CorruptMedia, InputError, LimitExceeded
from tidewaiter.media import Packet, Unexamined, open_media
from tidewaiter.media.video import AvVideo
from tidewaiter.settings import Limits


def opened(path: Path, limits: Limits | None = None) -> AvVideo:
    video = open_media(path, limits)
    assert isinstance(video, AvVideo)
    return video


def times(video: AvVideo) -> list[float]:
    return [item.time_s for item in video.play() if not isinstance(item, Packet)]


def said(video: AvVideo) -> str:
    return " | ".join(str(note) for note in (*video.exhibit.notes, *video.notes))


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_gives_every_frame_in_order(tmp_path: Path, name: str) -> None:
    container, encoder, codec = FORMATS[name]
    pixel_format = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
    path = make_clip(tmp_path / "clip.bin", encoder, container, pixel_format=pixel_format)
    video = opened(path)
    assert video.codec == codec
    assert video.exhibit.media_type == MEDIA_TYPES[name.split(".")[1]]
    assert (video.exhibit.width, video.exhibit.height) == (64, 48)
    packets, seen = [], []
    for item in video.play():
        if isinstance(item, Packet):
            packets.append(item)
            continue
        assert np.abs(item.rgb().astype(int) - scene(item.index)).mean() < 8
        seen.append((item.index, item.time_s, item.time_guessed))
    assert [index for index, _, _ in seen] == list(range(12))
    assert np.allclose([time for _, time, _ in seen], np.arange(12) / 25, atol=0.002)
    assert {guessed for _, _, guessed in seen} == {container in ("h264", "hevc")}
    assert len(packets) == 12
    assert packets[0].key
    assert sum(packet.byte_length for packet in packets) <= path.stat().st_size


def test_a_second_run_gives_the_same(tmp_path: Path) -> None:
    video = opened(make_clip(tmp_path / "a.mp4"))
    first, second = times(video), times(video)
    assert first == second
    assert len(first) == 12


def test_variable_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    from fractions import Fraction

    import av

    shown = [0, 40, 55, 300, 320, 1000]
    with av.open(str(tmp_path / "v.mkv"), "w") as output:
        stream = output.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 1000)
        for index, stamp in enumerate(shown):
            frame = av.VideoFrame.from_ndarray(scene(index), format="rgb24")
            frame.pts, frame.time_base = stamp + 500, Fraction(1, 1000)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    assert np.allclose(times(opened(tmp_path / "v.mkv")), np.array(shown) / 1000, atol=1e-6)


@pytest.mark.parametrize(("asked", "clockwise"), [(0, 0), (-90, 90), (90, 270), (180, 180)])
def test_rotation_turns_what_is_shown(tmp_path: Path, asked: int, clockwise: int) -> None:
    video = opened(make_clip(tmp_path / "r.mp4", rotate=asked, frames=2))
    assert video.rotation_degrees == clockwise
    upright = np.rot90(scene(0), -clockwise // 90)
    assert (video.exhibit.height, video.exhibit.width) == upright.shape[:2]
    frame = next(item for item in video.play() if not isinstance(item, Packet))
    assert (frame.height, frame.width) == upright.shape[:2]
    assert np.abs(frame.rgb().astype(int) - upright).mean() < 8
    assert frame.thumbnail(1000).shape == upright.shape
    assert np.abs(frame.thumbnail(1000).astype(int) - upright).mean() < 8
    assert frame.luma_thumbnail(24).shape == (24, 32)
    crop = frame.crop(np.float32([[4, 2], [27, 2], [4, 21]]), 24, 20)
    assert np.array_equal(crop, frame.rgb()[2:22, 4:28])


def test_a_change_of_size_keeps_thumbnails_comparable_and_is_said(tmp_path: Path) -> None:
    parts = [
        make_clip(tmp_path / f"{size[0]}.h264", container="h264", frames=3, size=size).read_bytes()
        for size in ((64, 48), (128, 80))
    ]
    path = tmp_path / "both.h264"
    path.write_bytes(b"".join(parts))
    video = opened(path)
    frames = [
        (item.width, item.thumbnail(24).shape, item.luma_thumbnail(24).shape)
        for item in video.play()
        if not isinstance(item, Packet)
    ]
    assert [width for width, *_ in frames] == [64] * 3 + [128] * 3
    assert {shapes for _, *shapes in map(tuple, frames) for shapes in shapes} == {
        (24, 32, 3),
        (24, 32),
    }
    assert "change their size" in said(video)
    with pytest.raises(LimitExceeded, match="max_pixels"):
        times(opened(path, Limits(max_pixels=64 * 48)))


def test_a_frame_is_dead_once_the_next_is_asked_for(tmp_path: Path) -> None:
    frames = [i for i in opened(make_clip(tmp_path / "a.mp4")).play() if not isinstance(i, Packet)]
    with pytest.raises(RuntimeError, match="never a frame"):
        frames[0].rgb()


@pytest.mark.parametrize(
    ("limits", "named"),
    [
        (Limits(max_frames=11), "max_frames"),
        (Limits(max_duration_s=0.3), "max_duration_s"),
        (Limits(max_pixels=1000), "max_pixels"),
        (Limits(max_side=63), "max_side"),
        (Limits(max_bytes=100), "max_bytes"),
    ],
)
@pytest.mark.parametrize("container", ["mp4", "matroska", "mpegts", "h264"])
def test_limits_are_named(tmp_path: Path, limits: Limits, named: str, container: str) -> None:
    path = make_clip(tmp_path / "a.bin", container=container)
    with pytest.raises(LimitExceeded, match=named):
        times(opened(path, limits))


@pytest.mark.parametrize("container", ["matroska", "mpegts", "avi"])
def test_a_truncated_video_is_examined_up_to_its_end(tmp_path: Path, container: str) -> None:
    pictures = [noise(48, 64, seed) for seed in range(50)]
    path = make_clip(
        tmp_path / "a.bin", container=container, frames=50, options={"g": "10"}, pictures=pictures
    )
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) * 6 // 10])
    video = opened(path)
    assert 5 < len(times(video)) < 45
    told = {"matroska": "promises 2.0 s", "avi": "damaged data", "mpegts": ""}
    assert told[container] in said(video)


def test_damage_in_the_middle_is_counted(tmp_path: Path) -> None:
    path = make_clip(
        tmp_path / "a.mp4",
        frames=50,
        options={"g": "5"},
        pictures=[noise(48, 64, i) for i in range(50)],
    )
    data = bytearray(path.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 6000] = bytes(6000)
    path.write_bytes(data)
    video = opened(path)
    assert len(times(video)) > 20
    assert "could not be decoded" in said(video) or "damaged data" in said(video)


def test_a_file_exchanged_after_opening_is_refused(tmp_path: Path) -> None:
    video = opened(make_clip(tmp_path / "a.mp4"))
    times(video)
    make_clip(tmp_path / "a.mp4", frames=5)
    with pytest.raises(InputError, match="changed or vanished"):
        times(video)
    (tmp_path / "a.mp4").unlink()
    with pytest.raises(InputError, match="changed or vanished"):
        times(video)


@pytest.mark.parametrize(
    ("container", "encoder", "media_type"),
    [
        ("wav", "pcm_s16le", "audio/wav"),
        ("mp3", "libmp3lame", "audio/mpeg"),
        ("flac", "flac", "audio/flac"),
        ("ogg", "libopus", "audio/ogg"),
        ("adts", "aac", "audio/aac"),
        ("ipod", "aac", "audio/mp4"),
        ("mp4", "aac", "video/mp4"),
        ("matroska", "aac", "video/matroska"),
    ],
)
def test_sound_is_recognised(tmp_path: Path, container: str, encoder: str, media_type: str) -> None:
    media = open_media(make_sound(tmp_path / "s.bin", container, encoder))
    assert isinstance(media, Unexamined)
    assert media.exhibit.media_type == media_type
    assert "sound" in media.what


def test_the_largest_of_two_streams_is_examined_and_named(tmp_path: Path) -> None:
    import av

    path = tmp_path / "two.mkv"
    with av.open(str(path), "w") as output:
        streams = []
        for width in (64, 128):
            stream = output.add_stream("mpeg4", rate=25)
            stream.width, stream.height, stream.pix_fmt = width, 48, "yuv420p"
            streams.append(stream)
        for index in range(3):
            for stream in streams:
                pixels = scene(index, stream.width)
                output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        for stream in streams:
            output.mux(stream.encode(None))
    video = opened(path)
    assert video.exhibit.width == 128
    assert "2 video streams; stream 1, 128 × 48" in said(video)


def test_a_header_without_frames_is_corrupt(tmp_path: Path) -> None:
    path = make_clip(tmp_path / "a.mkv", frames=1)
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"\x1f\x43\xb6\x75")])
    with pytest.raises(CorruptMedia, match=r"a\.mkv"):
        times(opened(path))
