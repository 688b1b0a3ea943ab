"""Small seeded pictures and clips for tests, made in code."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

# extension → (container, encoder, codec as named by FFmpeg)
FORMATS = {
    "h264.mp4": ("mp4", "libx264", "h264"),
    "h264.mov": ("mov", "libx264", "h264"),
    "hevc.mp4": ("mp4", "libx265", "hevc"),
    "av1.mp4": ("mp4", "libsvtav1", "av1"),
    "mpeg4.mp4": ("mp4", "mpeg4", "mpeg4"),
    "h264.mkv": ("matroska", "libx264", "h264"),
    "hevc.mkv": ("matroska", "libx265", "hevc"),
    "vp8.webm": ("webm", "libvpx", "vp8"),
    "vp9.webm": ("webm", "libvpx-vp9", "vp9"),
    "mpeg4.avi": ("avi", "mpeg4", "mpeg4"),
    "mjpeg.avi": ("avi", "mjpeg", "mjpeg"),
    "h264.avi": ("avi", "libx264", "h264"),
    "h264.ts": ("mpegts", "libx264", "h264"),
    "mpeg2.mpg": ("mpeg", "mpeg2video", "mpeg2video"),
    "bare.h264": ("h264", "libx264", "h264"),
    "bare.h265": ("hevc", "libx265", "hevc"),
}
MEDIA_TYPES = {
    "mp4": "video/mp4",
    "mov": "video/quicktime",
    "mkv": "video/matroska",
    "webm": "video/webm",
    "avi": "video/vnd.avi",
    "ts": "video/mp2t",
    "mpg": "video/mpeg",
    "h264": "video/h264",
    "h265": "video/h265",
}


def scene(index: int, width: int = 64, height: int = 48) -> np.ndarray:
    """A smooth moving RGB picture: colour errors show, sampling details do not."""
    row, column = np.mgrid[0:height, 0:width]
    red = 128 + 90 * np.sin((column + 2 * index) / width * 4)
    green = 128 + 90 * np.cos(row / height * 3)
    blue = 128 + 60 * np.sin((row + column) / (width + height) * 5 + index / 7)
    return np.stack([red, green, blue], -1).round().astype(np.uint8)


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Random RGB: every sample matters."""
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def needs_encoder(name: str) -> None:
    """Skip where this build of the library cannot encode with `name`."""
    import av

    try:
        av.Codec(name, "w")
    except av.codec.codec.UnknownCodecError:
        pytest.skip(f"this PyAV has no encoder {name}")


@contextlib.contextmanager
def ordinary_priority() -> Iterator[None]:
    """The thread has the scheduling policy afterwards that it had before.

    SVT-AV1, run by root, gives the thread that calls it real-time priority and leaves it there.
    Every process started later inherits it and starves the rest of the machine.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, parameters = os.sched_getscheduler(0), os.sched_getparam(0)
    try:
        yield
    finally:
        os.sched_setscheduler(0, policy, parameters)


def make_clip(
    path: Path,
    encoder: str = "libx264",
    container: str | None = None,
    *,
    pixel_format: str = "yuv420p",
    frames: int = 12,
    size: tuple[int, int] = (64, 48),
    fps: int = 25,
    rotate: int | None = None,
    options: dict[str, str] | None = None,
    colour: tuple[int, int] | None = None,
    pictures: object = None,
) -> Path:
    """Encode `frames` scenes; `colour` is (matrix, range) by AVColorSpace and AVColorRange."""
    import av

    needs_encoder(encoder)
    with ordinary_priority(), av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(
            encoder, rate=fps, options={**_quiet(encoder), **(options or {})}
        )
        stream.width, stream.height, stream.pix_fmt = *size, pixel_format
        stream.codec_context.thread_count = 1
        if colour:
            stream.codec_context.colorspace, stream.codec_context.color_range = colour
        if rotate is not None:
            stream.set_display_rotation(rotate)
        for index in range(frames):
            pixels = pictures[index] if pictures is not None else scene(index, *size)
            frame = av.VideoFrame.from_ndarray(pixels, format="rgb24")
            if colour:
                frame = frame.reformat(
                    format=pixel_format,
                    dst_colorspace=colour[0],
                    dst_color_range=colour[1],
                    threads=1,
                )
            output.mux(stream.encode(frame.reformat(format=pixel_format, threads=1)))
        output.mux(stream.encode(None))
    return path


def make_sound(path: Path, container: str, encoder: str) -> Path:
    """A second of a tone."""
    import av

    needs_encoder(encoder)
    with av.open(str(path), "w", format=container) as output:
        stream = output.add_stream(encoder, rate=48_000)
        kind = stream.codec_context.format.name
        samples = (np.sin(np.arange(48_000) / 20) * 0.3).astype(np.float32)
        for start in range(0, 48_000, 960):
            part = samples[None, start : start + 960]
            frame = av.AudioFrame.from_ndarray(part, format="flt", layout="mono")
            frame.sample_rate = 48_000
            resampled = av.AudioResampler(format=kind, layout="mono", rate=48_000).resample(frame)
            for piece in resampled:
                piece.pts = start
                output.mux(stream.encode(piece))
        output.mux(stream.encode(None))
    return path


def encoded(pixels: np.ndarray, form: str, **options: object) -> bytes:
    """A picture file."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, form, **options)
    return buffer.getvalue()


def _quiet(encoder: str) -> dict[str, str]:
    if encoder in ("mpeg4", "mpeg2video", "mjpeg"):
        return {"b": "4000000"}
    return {"libx265": {"x265-params": "log-level=none"}}.get(encoder, {})
