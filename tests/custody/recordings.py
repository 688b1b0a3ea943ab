"""Made recordings with sound, copied into other containers, for tests of comparing."""

from __future__ import annotations

import contextlib
from fractions import Fraction
from pathlib import Path

import numpy as np

RATE = 16_000


def pictures(count: int, size: tuple[int, int] = (160, 90), seed: int = 0) -> np.ndarray:
    """A still scene with sensor noise in which a bright block walks: count x H x W, uint8."""
    random = np.random.default_rng(seed)
    width, height = size
    row, column = np.mgrid[0:height, 0:width]
    still = 90 + 50 * np.sin(column / 17 + seed) + 40 * np.cos(row / 11)
    frames = np.repeat(still[None], count, axis=0)
    for index in range(count):
        left = round((0.5 + 0.5 * np.sin(index / 40 + seed)) * (width - 24))
        top = round((0.5 + 0.4 * np.cos(index / 23)) * (height - 24))
        frames[index, top : top + 24, left : left + 24] = 225
    return np.clip(frames + random.normal(0, 2, frames.shape), 0, 255).astype(np.uint8)


def tones(seconds: float, seed: int = 0) -> np.ndarray:
    """Sound whose notes change four times a second, mono, -1..1."""
    random = np.random.default_rng(seed)
    parts = []
    for _ in range(round(seconds * 4)):
        time = np.arange(RATE // 4) / RATE
        notes = random.uniform(150, 3000, 3)
        parts.append(sum(0.15 * np.sin(2 * np.pi * note * time) for note in notes))
    return np.concatenate(parts).astype(np.float32)


def write(
    path: Path,
    frames: np.ndarray,
    sound: np.ndarray | None = None,
    *,
    codec: str = "libx264",
    fps: int = 25,
    options: dict[str, str] | None = None,
    size: tuple[int, int] | None = None,
    bit_rate: int | None = None,
) -> Path:
    """Encode grey frames (and sound in AAC) to a file."""
    import av

    with av.open(str(path), "w") as output:
        stream = output.add_stream(codec, rate=fps, options=options or {"crf": "20", "g": "12"})
        stream.width, stream.height = size or (frames.shape[2], frames.shape[1])
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        voice = None if sound is None else output.add_stream("aac", rate=RATE, layout="mono")
        if voice is not None and bit_rate is not None:
            voice.bit_rate = bit_rate
        for index, pixels in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(pixels, format="gray")
            frame = frame.reformat(stream.width, stream.height, "yuv420p", threads=1)
            frame.pts, frame.time_base = index, Fraction(1, fps)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
        if voice is not None:
            _write_sound(output, voice, sound)
    return path


def remux(source: Path, target: Path, **options: str) -> Path:
    """All packets untouched in another container."""
    import av

    with av.open(str(source)) as reader, av.open(str(target), "w", options=options) as writer:
        copies = {s.index: writer.add_stream_from_template(s) for s in reader.streams}
        for packet in reader.demux():
            if packet.dts is not None:
                packet.stream = copies[packet.stream.index]
                writer.mux(packet)
    return target


def mixed(pictures_of: Path, sound_of: Path, target: Path) -> Path:
    """The coded pictures of one file and the coded sound of another, in a third."""
    with contextlib.ExitStack() as stack:
        seen, heard = (stack.enter_context(av_open(path)) for path in (pictures_of, sound_of))
        writer = stack.enter_context(av_open(target, "w"))
        streams = (seen.streams.video[0], heard.streams.audio[0])
        copies = [writer.add_stream_from_template(one) for one in streams]
        for stream, copy in zip(streams, copies, strict=True):
            _copied(stream, copy, writer)
    return target


def doubled(source: Path, target: Path, kind: str) -> Path:
    """A file with its pictures, or its sound, in two streams alike."""
    with av_open(source) as reader, av_open(target, "w") as writer:
        pictures_, sound = reader.streams.video[0], reader.streams.audio[0]
        streams = [pictures_, sound, pictures_ if kind == "pictures" else sound]
        copies = [writer.add_stream_from_template(one) for one in streams]
        for stream, copy in zip(streams, copies, strict=True):
            _copied(stream, copy, writer)
    return target


def _copied(stream, copy, writer) -> None:
    stream.container.seek(0)
    for packet in stream.container.demux(stream):
        if packet.dts is not None:
            packet.stream = copy
            writer.mux(packet)


def av_open(path: Path, mode: str = "r"):
    """A container of PyAV."""
    import av

    return av.open(str(path), mode)


GROUP = 12
"""Pictures in each group of recordings that are to be spliced."""
SPLICED = {"qp": "24", "g": str(GROUP), "bf": "2", "sc_threshold": "0", "preset": "veryfast"}


def splice(source: Path, again: Path, target: Path, groups: set[int]) -> Path:
    """The source bit for bit, except for groups of pictures taken from another encoding of it.

    Both need the options `SPLICED`, so that their headers are the same.
    """
    import av

    with av.open(str(again)) as reader:
        others = [packet for packet in reader.demux(video=0) if packet.size]
    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = writer.add_stream_from_template(reader.streams.video[0])
        group = -1
        kept = (packet for packet in reader.demux(video=0) if packet.size)
        for ours, theirs in zip(kept, others, strict=True):
            group += ours.is_keyframe
            packet = theirs if group in groups else ours
            packet.stream = stream
            writer.mux(packet)
    return target


def _write_sound(output, voice, sound) -> None:
    import av

    for start in range(0, len(sound), 1024):
        frame = av.AudioFrame.from_ndarray(sound[None, start : start + 1024], "fltp", "mono")
        frame.sample_rate, frame.pts, frame.time_base = RATE, start, Fraction(1, RATE)
        output.mux(voice.encode(frame))
    output.mux(voice.encode(None))
