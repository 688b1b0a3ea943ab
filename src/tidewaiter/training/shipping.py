"""What happens to a picture on its way: the same accidents for both members of a pair.

A plan is drawn once and applied to the genuine and to the forged member alike, so that
neither size, nor compression, nor light can tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from io import BytesIO

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels
from tidewaiter.traces.face_crop import FACE_MARGIN, WIDE_MARGIN
from tidewaiter.training.network import INPUT_SIDE

Step = Callable[[Pixels, np.random.Generator], Pixels]

# The view is as in use, moved and turned as a located face may be off.
TURN_DEGREES, SHIFT_SHARE = 8.0, 0.05
MARGIN_RANGE = (0.9, 1.15)
AS_SEEN_SHARE = 0.5
# Side of the face's square in the picture as shipped, in pixels.
SIDE_RANGE = (80, 256)
FPS = Fraction(25)
VIDEO_FRAMES = 3


def view(
    pixels: Pixels, mask: NDArray[np.float32], rng: np.random.Generator
) -> tuple[Pixels, NDArray[np.float32]]:
    """A network's view of a stored crop, and of its mask, off by a little, at its resolution."""
    width = pixels.shape[0]
    side = round(width * FACE_MARGIN / WIDE_MARGIN)
    scale = rng.uniform(*MARGIN_RANGE)
    angle = np.radians(rng.uniform(-TURN_DEGREES, TURN_DEGREES))
    centre = width / 2 + rng.uniform(-SHIFT_SHARE, SHIFT_SHARE, 2) * side
    flip = -1.0 if rng.random() < 0.5 else 1.0
    across = np.array([np.cos(angle), np.sin(angle)]) * scale * flip
    down = np.array([-np.sin(angle), np.cos(angle)]) * scale
    matrix = np.stack([across, down, centre - side / 2 * (across + down)], 1)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    seen = cv2.warpAffine(
        pixels, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE
    )
    placed = cv2.warpAffine(mask, matrix, (side, side), flags=flags)
    return np.asarray(seen, np.uint8), np.asarray(placed, np.float32)


def shipped(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A view after a random way through cameras, messengers and screens; 160 x 160."""
    if rng.random() >= AS_SEEN_SHARE:
        pixels = _sized(pixels, _side(rng))
    for step, share in _EARLY:
        if rng.random() < share:
            pixels = step(pixels, rng)
    way = rng.choice(len(_WAYS), p=_WAY_SHARES)
    for step in _WAYS[way]:
        pixels = step(pixels, rng)
    return _sized(pixels, INPUT_SIDE)


def captured(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A view as a camera in one place gives it: other light, some grain, JPEG; 160 x 160."""
    for step, share in _CAPTURING:
        if rng.random() < share:
            pixels = step(pixels, rng)
    return _sized(
        _coded(pixels, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(*_CAMERA_JPEG))]), INPUT_SIDE
    )


def _side(rng: np.random.Generator) -> int:
    """Most faces as large as the network's input; small ones are rarer."""
    low, high = np.log(SIDE_RANGE)
    return round(float(np.exp(low + (high - low) * rng.beta(2.5, 1.2))))


def _sized(pixels: Pixels, side: int) -> Pixels:
    if pixels.shape[0] == side:
        return pixels
    # Mild reduction as in use, where the crop is sampled without averaging.
    how = cv2.INTER_AREA if side * 1.5 < pixels.shape[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(pixels, (side, side), interpolation=how), np.uint8)


def _light(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    gamma = np.exp(rng.uniform(-0.5, 0.5))
    gains = rng.uniform(0.9, 1.1, 3) * rng.uniform(0.7, 1.15)
    table = (np.arange(256) / 255) ** gamma * 255
    mapped = [np.clip(table * gain, 0, 255).astype(np.uint8) for gain in gains]
    return np.stack([mapped[i][pixels[..., i]] for i in range(3)], 2)


def _grey(pixels: Pixels, rng: np.random.Generator) -> Pixels:  # noqa: ARG001
    return np.repeat(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)


def _dark(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    dimmed = pixels * rng.uniform(0.2, 0.6) + rng.normal(0, rng.uniform(0.5, 4), pixels.shape)
    return np.clip(dimmed, 0, 255).astype(np.uint8)


def _blur(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    if rng.random() < 0.3:
        length = int(rng.integers(3, 8))
        kernel = np.zeros((length, length), np.float32)
        kernel[length // 2] = 1 / length
        turn = cv2.getRotationMatrix2D((length / 2 - 0.5, length / 2 - 0.5), rng.uniform(0, 180), 1)
        kernel = np.asarray(cv2.warpAffine(kernel, turn, (length, length)), np.float32)
        return np.asarray(cv2.filter2D(pixels, -1, kernel / max(kernel.sum(), 1e-6)), np.uint8)
    return np.asarray(cv2.GaussianBlur(pixels, (0, 0), rng.uniform(0.4, 2.0)), np.uint8)


def _noise(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    return np.clip(pixels + rng.normal(0, rng.uniform(1, 8), pixels.shape), 0, 255).astype(np.uint8)


def _jpeg(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    settings = [
        cv2.IMWRITE_JPEG_QUALITY,
        int(rng.integers(30, 96)),
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR,
        cv2.IMWRITE_JPEG_SAMPLING_FACTOR_420
        if rng.random() < 0.7
        else cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444,
    ]
    return _coded(pixels, settings)


def _coded(pixels: Pixels, settings: list[int]) -> Pixels:
    data = cv2.imencode(".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), settings)[1]
    back = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
    return np.asarray(cv2.cvtColor(back, cv2.COLOR_BGR2RGB), np.uint8)


def _h264(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The last of three frames of a face that moves a little, as H.264 keeps it."""
    side = pixels.shape[0] // 2 * 2
    crf = int(rng.integers(18, 38))
    steps = rng.integers(-2, 3, (VIDEO_FRAMES, 2))
    steps[-1] = 0
    file = BytesIO()
    with av.open(file, "w", format="matroska") as out:
        stream = out.add_stream("libx264", rate=FPS)
        stream.width = stream.height = side
        stream.pix_fmt = "yuv420p"
        stream.codec_context.thread_count = 1
        stream.options = {"crf": str(crf), "preset": "superfast", "tune": "zerolatency"}
        for step in steps:
            moved = np.roll(pixels[:side, :side], tuple(step), (0, 1))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(moved), format="rgb24")
            out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    file.seek(0)
    with av.open(file, "r") as back:
        *_, last = back.decode(video=0)
        return np.asarray(last.to_ndarray(format="rgb24"), np.uint8)


def _smaller_and_back(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    side = pixels.shape[0]
    return _sized(_sized(pixels, max(round(side * rng.uniform(0.4, 0.9)), 48)), side)


def _screenshot(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    side = pixels.shape[0]
    shown = _sized(pixels, round(side * rng.uniform(0.6, 1.4)))
    blurred = cv2.GaussianBlur(shown, (0, 0), 1.0)
    share = rng.uniform(0, 0.6)
    return np.asarray(cv2.addWeighted(shown, 1 + share, blurred, -share, 0), np.uint8)


_EARLY: tuple[tuple[Step, float], ...] = (
    (_light, 0.35),
    (_grey, 0.05),
    (_dark, 0.05),
    (_blur, 0.1),
    (_noise, 0.08),
)
# A camera in one place; its JPEG is a good one.
_CAPTURING: tuple[tuple[Step, float], ...] = ((_light, 0.3), (_noise, 0.15))
_CAMERA_JPEG = (75, 97)
# As it was; photographs; videos; messengers; screenshots.
_WAYS: tuple[tuple[Step, ...], ...] = (
    (),
    (_jpeg,),
    (_h264,),
    (_h264, _jpeg),
    (_smaller_and_back, _jpeg),
    (_jpeg, _smaller_and_back, _jpeg),
    (_screenshot, _jpeg),
)
_WAY_SHARES = (0.34, 0.22, 0.2, 0.05, 0.08, 0.05, 0.06)
