"""Rendered clips with known content, in memory or written to a file, for tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Frame, Packet
from tidewaiter.vocabulary import Exhibit, MediaKind

Luma = NDArray[np.uint8]
"""H x W."""

HEIGHT, WIDTH = 90, 160
TIME_BASE = Fraction(1, 12_800)


def moving_shapes(frames: int, *, seed: int, noise: float = 2.0) -> list[Luma]:
    """Textured shapes wandering smoothly before a static camera with sensor noise.

    `noise` is the standard deviation of the sensor noise in grey levels.
    """
    rng = np.random.default_rng(seed)
    background = _texture(rng, HEIGHT, WIDTH, contrast=30.0)
    shapes = [_texture(rng, 24, 30, contrast=50.0) for _ in range(3)]
    paths = [_wander(rng, frames) for _ in shapes]
    clip = []
    for number in range(frames):
        picture = background.copy()
        for shape, path in zip(shapes, paths, strict=True):
            _paste(picture, shape, *path[number])
        clip.append(_sensor(rng, picture, noise))
    return clip


def still_scene(frames: int, *, seed: int, noise: float = 0.0) -> list[Luma]:
    """Nothing moves; with `noise` only the sensor's noise changes."""
    rng = np.random.default_rng(seed)
    background = _texture(rng, HEIGHT, WIDTH, contrast=30.0)
    return [_sensor(rng, background, noise) for _ in range(frames)]


def conveyor_belt(
    frames: int, *, seed: int, period: int = 25, noise: float = 2.0, alike: float = 1.0
) -> list[Luma]:
    """Cartons passing on a belt, one every `period` frames.

    `alike` is 1 for identical cartons, less for ones that differ in their print.
    """
    rng = np.random.default_rng(seed)
    background = _texture(rng, HEIGHT, WIDTH, contrast=20.0)
    step = 2.0
    spacing = period * step
    common = _texture(rng, 30, 36, contrast=50.0)
    count = int((frames * step + WIDTH) / spacing) + 3
    cartons = [
        common * alike + (1 - alike) * _texture(rng, 30, 36, contrast=50.0) for _ in range(count)
    ]
    clip = []
    for number in range(frames):
        picture = background.copy()
        for index, carton in enumerate(cartons):
            left = number * step + WIDTH - (index + 1) * spacing
            if -36 < left < WIDTH:
                _paste(picture, carton, 32, left)
        clip.append(_sensor(rng, picture, noise))
    return clip


def flash(frames: int, *, seed: int, at: int, noise: float = 2.0) -> list[Luma]:
    """`moving_shapes` in which one frame is lit by a flash."""
    clip = moving_shapes(frames, seed=seed, noise=noise)
    clip[at] = np.clip(clip[at].astype(np.int16) + 90, 0, 255).astype(np.uint8)
    return clip


def camera_pan(frames: int, *, seed: int, speed: float = 1.5, noise: float = 2.0) -> list[Luma]:
    """The camera turns steadily, by `speed` pixels a frame, over a wide textured scene."""
    rng = np.random.default_rng(seed)
    wide = _texture(rng, HEIGHT, WIDTH + int(frames * speed) + 2, contrast=40.0)
    clip = []
    for number in range(frames):
        offset = number * speed
        whole, part = int(offset), offset - int(offset)
        left = wide[:, whole : whole + WIDTH]
        right = wide[:, whole + 1 : whole + WIDTH + 1]
        clip.append(_sensor(rng, left * (1 - part) + right * part, noise))
    return clip


@dataclass
class ArrayFrame:
    """A frame made of a luma array; everything the protocol of a frame asks for."""

    luma: Luma
    index: int
    time_s: float
    time_guessed: bool = False
    key: bool = False
    picture_type: str = "P"
    width: int = field(init=False)
    height: int = field(init=False)
    shared: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Take the size from the array."""
        self.height, self.width = (int(side) for side in self.luma.shape)

    def luma_thumbnail(self, height: int = 180) -> Luma:
        """The luma scaled to `height` rows, or its own."""
        import cv2

        rows = min(height, self.height)
        columns = max(1, round(self.width * rows / self.height))
        if rows == self.height:
            return self.luma
        small = cv2.resize(self.luma, (columns, rows), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.uint8)

    def thumbnail(self, height: int = 180) -> NDArray[np.uint8]:
        """The same in RGB."""
        return np.repeat(self.luma_thumbnail(height)[..., None], 3, axis=2)

    def crop(self, corners: NDArray[np.float32], width: int, height: int) -> NDArray[np.uint8]:
        """The quadrilateral `corners` warped to width x height."""
        import cv2

        goal = np.array([[0, 0], [width - 1, 0], [0, height - 1]], np.float32)
        matrix = cv2.getAffineTransform(corners.astype(np.float32), goal)
        return np.asarray(cv2.warpAffine(self.rgb(), matrix, (width, height)), np.uint8)

    def rgb(self) -> NDArray[np.uint8]:
        """The whole frame in RGB."""
        return np.repeat(self.luma[..., None], 3, axis=2)


@dataclass
class ArrayVideo:
    """A video of luma arrays that plays like one from a file, for tests of traces.

    `sizes` are the packets' byte lengths, `keys` the indices of key frames, `times_s` the
    time stamps (None where missing).
    """

    clip: Sequence[Luma]
    fps: float = 25.0
    sizes: Sequence[int] | None = None
    keys: Sequence[int] = (0,)
    times_s: Sequence[float | None] | None = None
    codec: str = "h264"
    pixel_format: str = "gray"
    rotation_degrees: int = 0
    path: str = "clip"

    @property
    def nominal_fps(self) -> float | None:
        """The rate the file claims."""
        return self.fps

    @property
    def exhibit(self) -> Exhibit:
        """An exhibit without real bytes behind it."""
        height, width = self.clip[0].shape if self.clip else (HEIGHT, WIDTH)
        return Exhibit(
            sha256="0" * 64,
            byte_length=1,
            name=self.path,
            kind=MediaKind.VIDEO,
            media_type="video/mp4",
            width=width,
            height=height,
            duration_s=len(self.clip) / self.fps,
        )

    def play(self) -> Iterator[Packet | Frame]:
        """Each packet, followed by its frame."""
        for index, luma in enumerate(self.clip):
            time = self.times_s[index] if self.times_s else index / self.fps
            key = index in self.keys
            yield Packet(self.sizes[index] if self.sizes else 1000, key, time, time)
            yield ArrayFrame(
                luma,
                index,
                index / self.fps if time is None else time,
                time_guessed=time is None,
                key=key,
                picture_type="I" if key else "P",
            )


def write_clip(
    path: Path,
    clip: Sequence[Luma],
    *,
    fps: float = 25.0,
    codec: str = "libx264",
    options: Mapping[str, str] | None = None,
    times_s: Sequence[float] | None = None,
) -> Path:
    """Encode a clip with PyAV; the container follows the name, `times_s` make a variable rate."""
    import av

    with av.open(str(path), "w") as container:
        stream: Any = container.add_stream(codec, rate=Fraction(fps).limit_denominator(1000))
        stream.height, stream.width = clip[0].shape
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = dict(options or {})
        stream.codec_context.time_base = TIME_BASE
        stream.codec_context.thread_count = 1
        for index, luma in enumerate(clip):
            frame = av.VideoFrame.from_ndarray(luma, format="gray").reformat(format=stream.pix_fmt)
            time = times_s[index] if times_s else index / fps
            frame.pts, frame.time_base = round(time / float(TIME_BASE)), TIME_BASE
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def _texture(
    rng: np.random.Generator, height: int, width: int, *, contrast: float
) -> NDArray[np.float32]:
    import cv2

    grain = cv2.GaussianBlur(rng.normal(size=(height, width)).astype(np.float32), (0, 0), 2.0)
    texture: NDArray[np.float32] = 120.0 + contrast * grain / float(grain.std())
    return texture


def _wander(rng: np.random.Generator, frames: int) -> NDArray[np.float64]:
    turns = rng.uniform(0.7, 1.3, size=(4, 2)) * rng.uniform(0.01, 0.09, size=(4, 2))
    starts = rng.uniform(0, 2 * np.pi, size=(4, 2))
    angle = turns[None] * np.arange(frames)[:, None, None] + starts[None]
    reach = np.array([HEIGHT - 24, WIDTH - 30]) / 2
    wandered: NDArray[np.float64] = reach * (1 + np.sin(angle).mean(axis=1) * 1.4)
    return np.clip(wandered, 0, 2 * reach - 1)


def _paste(
    picture: NDArray[np.float32], shape: NDArray[np.float32], top: float, left: float
) -> None:
    import cv2

    matrix = np.array([[1, 0, left], [0, 1, top]], np.float32)
    size = (picture.shape[1], picture.shape[0])
    cover = cv2.warpAffine(np.ones_like(shape), matrix, size, flags=cv2.INTER_LINEAR)
    moved = cv2.warpAffine(shape, matrix, size, flags=cv2.INTER_LINEAR)
    picture += moved - cover * picture


def _sensor(rng: np.random.Generator, picture: NDArray[np.float32], noise: float) -> Luma:
    noisy = picture + rng.normal(scale=noise, size=picture.shape) if noise else picture
    return np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
