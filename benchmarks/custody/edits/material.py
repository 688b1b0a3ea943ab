"""Clips for comparing copies: real and made scenes with a clock, fifteen edits, benign copies.

Frames are yuv420p arrays as PyAV gives them: rows of luma, then the two chroma planes, so
that nothing is converted between reading, editing and writing.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.media.clips import ordinary_priority

WIDTH, HEIGHT = 640, 360
SECONDS = 24.0
CLOCK_BOX = (12, 8, 308, 28)
"""Left, top, width and height of the burnt-in clock; its figures are 18 rows high."""

Frames = np.ndarray
"""n x 540 x 640, uint8."""


@dataclass(frozen=True)
class Scene:
    """One source: its frames with a clock, at its own rate; `group` says what it shows."""

    name: str
    group: str
    fps: float
    frames: Frames


@dataclass(frozen=True)
class Edit:
    """An altered clip and where it was altered, in frames of the copy; a cut has no length."""

    name: str
    frames: Frames
    spans: tuple[tuple[int, int], ...]
    box: tuple[int, int, int, int] | None = None


@dataclass(frozen=True)
class Encoding:
    """How a copy is written."""

    name: str
    codec: str = "libx264"
    options: dict[str, str] = field(default_factory=dict)
    scale: float = 1.0
    gain: float = 1.0
    offset: float = 0.0
    fps: float | None = None
    crop: float = 0.0
    suffix: str = ".mp4"


ORIGINAL = Encoding("original", options={"crf": "20", "g": "50", "preset": "veryfast"})
TRANSCODED = (
    Encoding("x264 28, 0.75", options={"crf": "28", "preset": "veryfast"}, scale=0.75),
    Encoding("x264 32, 0.5", options={"crf": "32", "preset": "veryfast"}, scale=0.5),
)
"""The two profiles of the preparation; `run.py` adds other encoders."""

_X265 = {"preset": "ultrafast", "x265-params": "log-level=none:pools=none:frame-threads=1"}
_VP9 = {"deadline": "realtime", "cpu-used": "8", "b": "0"}
_VP8 = {"deadline": "realtime", "cpu-used": "8", "b": "600k"}
BENIGN = (
    Encoding("x264 24", options={"crf": "24", "preset": "veryfast"}),
    *TRANSCODED,
    Encoding("x264 28, brighter", options={"crf": "28", "preset": "veryfast"}, gain=1.08, offset=6),
    Encoding("x265 28", "libx265", {"crf": "28", **_X265}, scale=0.75),
    Encoding("vp9 38", "libvpx-vp9", {"crf": "38", **_VP9}, scale=0.75, suffix=".webm"),
    Encoding("av1 40", "libsvtav1", {"crf": "40", "preset": "12"}, scale=0.75, suffix=".mkv"),
    Encoding("mpeg4 q8", "mpeg4", {"qmin": "8", "qmax": "8"}, scale=0.75, suffix=".avi"),
    Encoding("x264 28, slower rate", options={"crf": "28", "preset": "veryfast"}, fps=0.6),
    Encoding("x264 28, higher rate", options={"crf": "28", "preset": "veryfast"}, fps=1.2),
    Encoding("x264 28, cropped", options={"crf": "28", "preset": "veryfast"}, crop=0.04),
    Encoding("x265 32, 0.5", "libx265", {"crf": "32", **_X265}, scale=0.5),
    Encoding("vp8 32", "libvpx", {**_VP8, "crf": "32"}, scale=0.75, suffix=".webm"),
)
"""Copies that alter nothing; rates are multiples of the source's."""


def real_scene(path: Path, group: str, start_s: float = 0.0) -> Scene:
    """An excerpt of a real clip at 640 x 360 with a clock burnt in."""
    import av

    kept = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.thread_count = 1
        fps = float(stream.average_rate)
        for frame in container.decode(stream):
            if frame.time - (stream.start_time or 0) * stream.time_base < start_s:
                continue
            if len(kept) >= SECONDS * fps:
                break
            small = frame.reformat(WIDTH, HEIGHT, "yuv420p", threads=1)
            kept.append(small.to_ndarray())
    frames = np.stack(kept)
    _with_clock(frames, fps, 0)
    return Scene(f"{path.parent.name}/{path.stem}", group, fps, frames)


def made_scene(kind: str, seed: int, fps: float = 25.0) -> Scene:
    """A made scene: "day", "night" (dark, noisy) or "worn" (the camera sways)."""
    import cv2

    random = np.random.default_rng(seed)
    count, margin = round(SECONDS * fps), 40
    rows, columns = HEIGHT + 2 * margin, WIDTH + 2 * margin
    coarse = random.uniform(40, 200, (14, 22)).astype(np.float32)
    ground = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_CUBIC)
    fine = random.uniform(-25, 25, (rows // 3, columns // 3)).astype(np.float32)
    ground += cv2.resize(fine, (columns, rows), interpolation=cv2.INTER_LINEAR)
    walkers = [_walker(random, count) for _ in range(3)]
    sway = _sway(random, count) if kind == "worn" else np.zeros((count, 2))
    dim, noise = (0.3, 7.0) if kind == "night" else (1.0, 3.0)
    frames = np.full((count, HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
    for index in range(count):
        picture = ground.copy()
        for walker in walkers:
            left, top, width, height = walker["boxes"][index]
            picture[top : top + height, max(left, 0) : max(left + width, 0)] = walker["grey"]
        shift = np.float32([[1, 0, margin + sway[index, 0]], [0, 1, margin + sway[index, 1]]])
        view = cv2.warpAffine(
            picture, shift, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        )
        grain = random.standard_normal((HEIGHT, WIDTH), dtype=np.float32) * noise
        frames[index, :HEIGHT] = np.clip(16 + view * dim * 0.86 + grain, 16, 235)
    _with_clock(frames, fps, 0)
    return Scene(f"made/{kind}-{seed}", f"made {kind}", fps, frames)


def edits_of(scene: Scene, other: Scene, seed: int) -> Iterator[Edit]:
    """The fifteen edits of custody handbook 3.13, placed at random where they can be seen."""
    for name, make in EDITS.items():
        yield make(name, scene, other, np.random.default_rng([seed, len(name), ord(name[0])]))


def write(path: Path, frames: Frames, fps: float, encoding: Encoding) -> Path:
    """Encode frames as `encoding` says."""
    import av

    rate = Fraction(fps * (encoding.fps or 1.0)).limit_denominator(1001)
    with ordinary_priority(), av.open(str(path), "w") as container:
        stream = container.add_stream(encoding.codec, rate=rate, options=dict(encoding.options))
        stream.width = round(WIDTH * encoding.scale) // 2 * 2
        stream.height = round(HEIGHT * encoding.scale) // 2 * 2
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        times = np.arange(int(len(frames) * (encoding.fps or 1.0))) / float(rate)
        for index, time in enumerate(times):
            nearest = min(len(frames) - 1, int(time * fps + 0.5))
            frame = av.VideoFrame.from_ndarray(_changed(frames[nearest], encoding), "yuv420p")
            frame = frame.reformat(stream.width, stream.height, threads=1)
            frame.pts, frame.time_base = index, 1 / rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def _changed(frame: np.ndarray, encoding: Encoding) -> np.ndarray:
    if encoding.gain != 1.0 or encoding.offset:
        frame = frame.copy()
        luma = frame[:HEIGHT] * encoding.gain + encoding.offset
        frame[:HEIGHT] = np.clip(luma, 0, 255).astype(np.uint8)
    if encoding.crop:
        frame = _cropped(frame, encoding.crop)
    return frame


def _cropped(frame: np.ndarray, share: float) -> np.ndarray:
    """Without a margin on every side; even sizes keep the chroma planes whole."""
    top, left = round(HEIGHT * share / 4) * 4, round(WIDTH * share / 4) * 4
    luma = frame[top : HEIGHT - top, left : WIDTH - left]
    quarter = HEIGHT // 4
    planes = [
        frame[HEIGHT + part * quarter : HEIGHT + (part + 1) * quarter].reshape(HEIGHT // 2, -1)
        for part in (0, 1)
    ]
    inner = [p[top // 2 : (HEIGHT - top) // 2, left // 2 : (WIDTH - left) // 2] for p in planes]
    rows = [luma, *(plane.reshape(-1, luma.shape[1]) for plane in inner)]
    return np.ascontiguousarray(np.concatenate(rows))


def _with_clock(frames: Frames, fps: float, ahead_s: int) -> None:
    import cv2

    left, top, width, height = CLOCK_BOX
    for index, frame in enumerate(frames):
        seconds = 8 * 3600 + 14 * 60 + int(index / fps) + ahead_s
        words = f"22-11-2026 {seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
        patch = np.full((height, width), 20, np.uint8)
        cv2.putText(patch, words, (4, 22), cv2.FONT_HERSHEY_SIMPLEX, 0.8, 230, 2, cv2.LINE_AA)
        frame[top : top + height, left : left + width] = patch


def _walker(random: np.random.Generator, count: int) -> dict[str, Any]:
    """A block that crosses the picture now and then."""
    width, height = int(random.integers(24, 60)), int(random.integers(50, 110))
    top = int(random.integers(60, HEIGHT - 40))
    speed, start = random.uniform(1.5, 4.0), random.uniform(-900, 300)
    places = start + speed * np.arange(count)
    boxes = [(int(place % 1600) - 200, top, width, height) for place in places]
    return {"boxes": boxes, "grey": float(random.choice([25, 60, 225]))}


def _sway(random: np.random.Generator, count: int) -> np.ndarray:
    time = np.arange(count)[:, None]
    period, phase = random.uniform(20, 70, (3, 2)), random.uniform(0, 6.28, (3, 2))
    waves = [np.sin(2 * np.pi * time / period[k] + phase[k]) * (12, 6, 3)[k] for k in range(3)]
    return np.clip(sum(waves), -38, 38)


def motion(scene: Scene) -> np.ndarray:
    """How much of the picture changes from frame to frame, one value per frame."""
    small = scene.frames[:, 40:HEIGHT:4, ::4].astype(np.int16)
    change = np.abs(np.diff(small, axis=0)) > 12
    return np.concatenate([[0.0], change.mean(axis=(1, 2))])


def _stretch(
    scene: Scene, random: np.random.Generator, seconds: float, *, still: bool = False
) -> tuple[int, int]:
    """A stretch inside the clip: among the liveliest third, or the stillest there is."""
    length, count = round(seconds * scene.fps), len(scene.frames)
    edge = min(round(1.5 * scene.fps), max(1, (count - length) // 4))
    sums = np.convolve(motion(scene), np.ones(length), "valid")
    places = np.arange(edge, min(count - edge - length, len(sums)))
    order = places[np.argsort(sums[places])]
    chosen = order[0] if still else random.choice(order[-max(1, len(order) // 3) :])
    return int(chosen), int(chosen) + length


def _pick(scene: Scene, order: list[int]) -> Frames:
    return scene.frames[np.array(order)]


def _delete(seconds: float) -> Callable[..., Edit]:
    def make(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
        start, end = _stretch(scene, random, seconds)
        order = [*range(start), *range(end, len(scene.frames))]
        return Edit(name, _pick(scene, order), ((start, start),))

    return make


def _trim(name: str, scene: Scene, _other: Scene, _random: np.random.Generator) -> Edit:
    return Edit(name, scene.frames[round(3 * scene.fps) :], ((0, 0),))


def _truncate(name: str, scene: Scene, _other: Scene, _random: np.random.Generator) -> Edit:
    kept = scene.frames[: -round(3 * scene.fps)]
    return Edit(name, kept, ((len(kept), len(kept)),))


def _insert(name: str, scene: Scene, other: Scene, random: np.random.Generator) -> Edit:
    start, _ = _stretch(scene, random, 2)
    foreign = other.frames[: round(2 * scene.fps)]
    parts = [scene.frames[:start], foreign, scene.frames[start:]]
    return Edit(name, np.concatenate(parts), ((start, start + len(foreign)),))


def _duplicate(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
    start, end = _stretch(scene, random, 2)
    order = [*range(end), *range(start, end), *range(end, len(scene.frames))]
    return Edit(name, _pick(scene, order), ((end, 2 * end - start),))


def _replace(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
    seconds = min(3.0, len(scene.frames) / scene.fps / 3)
    start, end = _stretch(scene, random, seconds)
    length = end - start
    earlier = start - length - int(random.integers(0, max(1, start - length)))
    if earlier < 0:
        start = max(start, length)
        end, earlier = start + length, 0
    order = [*range(start), *range(earlier, earlier + length), *range(end, len(scene.frames))]
    return Edit(name, _pick(scene, order), ((start, end),))


def _freeze(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
    start, end = _stretch(scene, random, 2)
    order = [*range(start), *([start] * (end - start)), *range(end, len(scene.frames))]
    return Edit(name, _pick(scene, order), ((start, end),))


def _erase(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
    """Where something moves most, the median of the whole clip is put for three seconds."""
    import cv2

    start, end = _stretch(scene, random, min(3.0, len(scene.frames) / scene.fps / 3))
    luma = scene.frames[start:end:3, 40:HEIGHT].astype(np.float32)
    score = cv2.boxFilter(luma.std(axis=0), -1, (90, 90), normalize=True)
    score = score[45:-45, 45:-45]
    top, left = (int(v) for v in np.unravel_index(int(score.argmax()), score.shape))
    box = (left, top + 40, 90, 90)
    median = np.median(scene.frames[:: max(1, len(scene.frames) // 60)], axis=0).astype(np.uint8)
    return _painted(name, scene, (start, end), box, lambda _old, place: median[place])


def _paste(side: int) -> Callable[..., Edit]:
    def make(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
        start, end = _stretch(scene, random, min(3.0, len(scene.frames) / scene.fps / 3))
        left = int(random.integers(20, WIDTH - side - 20))
        top = int(random.integers(50, HEIGHT - side - 20))
        under = scene.frames[start, top : top + side, left : left + side].mean()
        grey = 220 if under < 128 else 30
        patch = np.full((side, side), grey, np.uint8)
        patch[side // 4 : side // 2] = 128
        box = (left, top, side, side)
        return _painted(name, scene, (start, end), box, lambda _old, _place: patch)

    return make


def _rewrite(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
    start, end = _stretch(scene, random, min(3.0, len(scene.frames) / scene.fps / 3))
    ahead = scene.frames.copy()
    _with_clock(ahead, scene.fps, 2225)
    frames = scene.frames.copy()
    frames[start:end] = ahead[start:end]
    return Edit(name, frames, ((start, end),), CLOCK_BOX)


def _swap(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
    count, length = len(scene.frames), round(2 * scene.fps)
    first, _ = _stretch(scene, random, 2)
    first = min(first, count - 3 * length)
    second = int(random.integers(first + length + length // 2, count - length))
    order = [
        *range(first),
        *range(second, second + length),
        *range(first + length, second),
        *range(first, first + length),
        *range(second + length, count),
    ]
    spans = ((first, first + length), (second, second + length))
    return Edit(name, _pick(scene, order), spans)


def _thin(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
    start, end = _stretch(scene, random, min(4.0, len(scene.frames) / scene.fps / 2.5))
    order = [*range(start), *range(start, end, 2), *range(end, len(scene.frames))]
    return Edit(name, _pick(scene, order), ((start, start + len(range(start, end, 2))),))


def _loop(name: str, scene: Scene, _other: Scene, random: np.random.Generator) -> Edit:
    """The stillest two seconds are shown again in place of the next two."""
    length = round(2 * scene.fps)
    start, _ = _stretch(scene, random, 4, still=True)
    order = list(range(len(scene.frames)))
    order[start + length : start + 2 * length] = range(start, start + length)
    return Edit(name, _pick(scene, order), ((start + length, start + 2 * length),))


def _painted(
    name: str,
    scene: Scene,
    span: tuple[int, int],
    box: tuple[int, int, int, int],
    paint: Callable[[np.ndarray, tuple[slice, slice]], np.ndarray],
) -> Edit:
    left, top, width, height = box
    place = (slice(top, top + height), slice(left, left + width))
    frames = scene.frames.copy()
    for index in range(*span):
        frames[(index, *place)] = paint(frames[index], place)
    return Edit(name, frames, (span,), box)


EDITS: dict[str, Callable[..., Edit]] = {
    "delete 2 s": _delete(2.0),
    "delete 0.4 s": _delete(0.4),
    "trim start": _trim,
    "truncate end": _truncate,
    "insert other camera": _insert,
    "duplicate 2 s": _duplicate,
    "replace by earlier": _replace,
    "freeze 2 s": _freeze,
    "erase moving object": _erase,
    "paste 40 x 40": _paste(40),
    "paste 16 x 16": _paste(16),
    "rewrite clock": _rewrite,
    "swap segments": _swap,
    "drop every 2nd frame": _thin,
    "loop still scene": _loop,
}
