"""Alter genuine clips with known truth: cut, repeat, insert, freeze and the like."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from tidewaiter.errors import InputError

TIME_BASE = Fraction(1, 90_000)

SHORTEST_CLIP_S = 6.0
"""An excerpt must leave room for an altered stretch and its surroundings."""


@dataclass(frozen=True)
class Encoding:
    """How a copy is written; `height` scales it, None keeps the size."""

    codec: str = "libx264"
    crf: int = 23
    gop: int = 250
    preset: str = "veryfast"
    height: int | None = None


@dataclass(frozen=True)
class Step:
    """One frame of the altered clip: which clip it is taken from, and which frame of it."""

    clip: int
    index: int


@dataclass(frozen=True)
class Plan:
    """The order of frames in the altered clip and where the alteration lies.

    `altered` holds [start, end) in frames of the altered clip; a cut has start == end.
    `copied_from` is the span a repeated stretch was taken from, also in the altered clip.
    """

    steps: tuple[Step, ...]
    altered: tuple[tuple[int, int], ...]
    copied_from: tuple[int, int] | None = None


@dataclass(frozen=True)
class AlteredVideo:
    """What was written, and the truth about it."""

    path: Path
    alteration: str
    fps: float
    frames: int
    altered: tuple[tuple[int, int], ...]
    copied_from: tuple[int, int] | None


def alter_video(  # noqa: PLR0913 - each is a choice of the experiment
    source: Path,
    target: Path,
    alteration: str,
    *,
    seed: int,
    encoding: Encoding | None = None,
    excerpt: tuple[float, float] = (0.0, 12.0),
    other: Path | None = None,
) -> AlteredVideo:
    """Write `source`'s excerpt (start and end in seconds) with one alteration to `target`.

    `alteration` is a key of `ALTERATIONS` or "none" for a benign copy; "insert" takes a
    stretch of `other`. Raises InputError when the excerpt is too short.
    """
    encoding = encoding or Encoding()
    clips = [read_excerpt(source, *excerpt, height=encoding.height)]
    frames, fps = clips[0]
    if len(frames) < SHORTEST_CLIP_S * fps:
        raise InputError(
            f"{len(frames) / fps:.1f} s of video found; {SHORTEST_CLIP_S:.0f} s needed; "
            "choose a longer clip"
        )
    if other is not None:
        size = (frames[0].width, frames[0].height)
        clips.append(read_excerpt(other, *excerpt, height=encoding.height, size=size))
    plan = make_plan(alteration, len(frames), fps, seed=seed)
    chosen = (clips[step.clip][0][step.index % len(clips[step.clip][0])] for step in plan.steps)
    write_frames(target, chosen, fps=fps, encoding=encoding)
    return AlteredVideo(target, alteration, fps, len(plan.steps), plan.altered, plan.copied_from)


def make_plan(alteration: str, frames: int, fps: float, *, seed: int) -> Plan:
    """Choose place and length of the alteration; no file is touched."""
    if alteration == "none":
        return Plan(_own(range(frames)), ())
    if alteration not in ALTERATIONS:
        raise InputError(f"no alteration {alteration!r}; choose one of {sorted(ALTERATIONS)}")
    chooser = random.Random(seed)  # noqa: S311 - not a secret
    return ALTERATIONS[alteration](chooser, frames, fps)


def read_excerpt(
    path: Path,
    start_s: float,
    end_s: float,
    *,
    height: int | None = None,
    size: tuple[int, int] | None = None,
) -> tuple[list[Any], float]:
    """The frames between two times as 4:2:0 PyAV frames, and the frame rate.

    All are held in memory: about 0.5 MB a frame at 480 rows, so keep excerpts short.
    """
    import av

    kept: list[Any] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        fps = float(stream.average_rate or 25)
        first: float | None = None
        for frame in container.decode(stream):
            time = float(frame.time or 0.0)
            first = time if first is None else first
            if time - first >= end_s:
                break
            if time - first >= start_s:
                kept.append(_to_420(frame, height, size))
    return kept, fps


def write_frames(path: Path, frames: Iterator[Any], *, fps: float, encoding: Encoding) -> None:
    """Encode frames at a constant rate."""
    import av

    rate = Fraction(fps).limit_denominator(1001)
    with av.open(str(path), "w") as container:
        stream: Any = None
        for index, frame in enumerate(frames):
            if stream is None:
                stream = _new_stream(container, frame, rate, encoding)
            copy = frame.reformat(format="yuv420p") if index == 0 else frame
            copy.pts, copy.time_base = round(index / rate / TIME_BASE), TIME_BASE
            copy.pict_type = av.video.frame.PictureType.NONE
            container.mux(stream.encode(copy))
        if stream is not None:
            container.mux(stream.encode())


def remux(source: Path, target: Path) -> Path:
    """Copy the video packets untouched into another container."""
    return _copy_packets(source, target, lambda packets, _: packets)


def copy_cut(source: Path, target: Path, *, seed: int) -> tuple[Path, float]:
    """Remove whole groups of pictures without re-encoding; also the time of the cut in seconds.

    Needs at least four key frames. Later time stamps are moved up, so no gap remains.
    """
    place: list[float] = []

    def without(packets: list[Any], chooser: random.Random) -> list[Any]:
        keys = _key_places(packets, needed=4)
        first = chooser.randrange(1, len(keys) - 2)
        start, end = keys[first], keys[first + 1]
        missing = packets[end].dts - packets[start].dts
        place.append(float((packets[start].pts - packets[0].pts) * packets[0].time_base))
        _shift(packets[end:], -missing)
        return packets[:start] + packets[end:]

    _copy_packets(source, target, without, seed=seed)
    return target, place[0]


def copy_drop(source: Path, target: Path, *, seed: int) -> tuple[Path, float]:
    """Remove a group of pictures without re-encoding and leave the time stamps as they were."""
    place: list[float] = []

    def without(packets: list[Any], chooser: random.Random) -> list[Any]:
        keys = _key_places(packets, needed=4)
        first = chooser.randrange(1, len(keys) - 2)
        place.append(float((packets[keys[first]].pts - packets[0].pts) * packets[0].time_base))
        return packets[: keys[first]] + packets[keys[first + 1] :]

    _copy_packets(source, target, without, seed=seed)
    return target, place[0]


def _own(indices: Sequence[int]) -> tuple[Step, ...]:
    return tuple(Step(0, index) for index in indices)


def _stretch(
    chooser: random.Random, frames: int, fps: float, shortest_s: float, longest_s: float
) -> tuple[int, int]:
    """A span with at least a quarter of a second around it inside the clip."""
    margin = max(2, round(1.5 * fps))
    length = round(chooser.uniform(shortest_s, longest_s) * fps)
    length = max(2, min(length, frames - 2 * margin - 1))
    start = chooser.randint(margin, frames - margin - length)
    return start, start + length


def _cut(chooser: random.Random, frames: int, fps: float) -> Plan:
    start, end = _stretch(chooser, frames, fps, 1.0, 3.0)
    return Plan(_own([*range(start), *range(end, frames)]), ((start, start),))


def _drop(chooser: random.Random, frames: int, fps: float) -> Plan:
    start, end = _stretch(chooser, frames, fps, 0.3, 0.6)
    return Plan(_own([*range(start), *range(end, frames)]), ((start, start),))


def _duplicate(chooser: random.Random, frames: int, fps: float) -> Plan:
    start, end = _stretch(chooser, frames, fps, 1.5, 3.0)
    order = [*range(end), *range(start, end), *range(end, frames)]
    return Plan(_own(order), ((end, 2 * end - start),), (start, end))


def _loop(chooser: random.Random, frames: int, fps: float) -> Plan:
    start, end = _stretch(chooser, frames, fps, 1.5, 2.5)
    order = [*range(end), *range(start, end), *range(start, end), *range(end, frames)]
    return Plan(_own(order), ((end, 3 * end - 2 * start),), (start, end))


def _replace(chooser: random.Random, frames: int, fps: float) -> Plan:
    length = round(chooser.uniform(1.5, 3.0) * fps)
    length = min(length, frames // 3)
    source = chooser.randint(0, frames // 2 - length)
    start = chooser.randint(source + length, frames - length)
    order = [*range(start), *range(source, source + length), *range(start + length, frames)]
    return Plan(_own(order), ((start, start + length),), (source, source + length))


def _insert(chooser: random.Random, frames: int, fps: float) -> Plan:
    start, end = _stretch(chooser, frames, fps, 1.5, 3.0)
    foreign = tuple(Step(1, index) for index in range(end - start))
    steps = (*_own(range(start)), *foreign, *_own(range(start, frames)))
    return Plan(steps, ((start, end),))


def _freeze(chooser: random.Random, frames: int, fps: float) -> Plan:
    start, end = _stretch(chooser, frames, fps, 1.0, 2.5)
    order = [*range(start), *([start] * (end - start)), *range(end, frames)]
    return Plan(_own(order), ((start, end),))


def _speed_up(chooser: random.Random, frames: int, fps: float) -> Plan:
    start, end = _stretch(chooser, frames, fps, 3.0, 5.0)
    order = [*range(start), *range(start, end, 2), *range(end, frames)]
    return Plan(_own(order), ((start, start + len(range(start, end, 2))),))


def _reverse(chooser: random.Random, frames: int, fps: float) -> Plan:
    start, end = _stretch(chooser, frames, fps, 1.5, 3.0)
    order = [*range(start), *range(end - 1, start - 1, -1), *range(end, frames)]
    return Plan(_own(order), ((start, end),))


ALTERATIONS: dict[str, Callable[[random.Random, int, float], Plan]] = {
    "cut": _cut,
    "drop": _drop,
    "duplicate": _duplicate,
    "loop": _loop,
    "replace": _replace,
    "insert": _insert,
    "freeze": _freeze,
    "speed_up": _speed_up,
    "reverse": _reverse,
}
"""Alterations that re-encode the whole clip."""


def _to_420(frame: Any, height: int | None, size: tuple[int, int] | None) -> Any:
    if size is not None:
        width, rows = size
    else:
        rows = min(height or frame.height, frame.height) // 2 * 2
        width = max(2, round(frame.width * rows / frame.height) // 2 * 2)
    return frame.reformat(width=width, height=rows, format="yuv420p")


def _new_stream(container: Any, frame: Any, rate: Fraction, encoding: Encoding) -> Any:
    stream = container.add_stream(encoding.codec, rate=rate)
    stream.width, stream.height = frame.width, frame.height
    stream.pix_fmt = "yuvj420p" if encoding.codec == "mjpeg" else "yuv420p"
    stream.codec_context.time_base = TIME_BASE
    stream.codec_context.thread_count = 1
    stream.options = {
        "crf": str(encoding.crf),
        "g": str(encoding.gop),
        "preset": encoding.preset,
    }
    return stream


def _copy_packets(
    source: Path,
    target: Path,
    change: Callable[[list[Any], random.Random], list[Any]],
    *,
    seed: int = 0,
) -> Path:
    import av

    with av.open(str(source)) as reader, av.open(str(target), "w") as writer:
        stream = reader.streams.video[0]
        copy = writer.add_stream_from_template(stream)
        packets = [packet for packet in reader.demux(stream) if packet.size]
        for packet in change(packets, random.Random(seed)):  # noqa: S311 - not a secret
            packet.stream = copy
            writer.mux(packet)
    return target


def _key_places(packets: list[Any], *, needed: int) -> list[int]:
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    if len(keys) < needed:
        raise InputError(
            f"{len(keys)} key frames found; {needed} needed to cut without re-encoding; "
            "choose a longer clip"
        )
    return keys


def _shift(packets: list[Any], ticks: int) -> None:
    for packet in packets:
        packet.pts += ticks
        packet.dts += ticks
