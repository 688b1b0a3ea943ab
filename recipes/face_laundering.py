"""What pictures of faces go through on their way: the same for genuine and forged ones.

Written apart from the product's stability battery and from the training's augmentation, so
that neither is tested on itself.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from fractions import Fraction
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from tidewaiter.forgeries.pictures import decoded, jpeg_bytes

Pixels = NDArray[np.uint8]
Laundering = Callable[[Pixels], bytes]

SAVED_QUALITY = 90
NOISE_SEED = 31071


def laundered(rgb: Pixels, name: str) -> bytes:
    """The picture as a file after the laundering of that name; "" is PNG, nothing lost."""
    return png_bytes(rgb) if not name else LAUNDERINGS[name](rgb)


def png_bytes(rgb: Pixels) -> bytes:
    """The picture without any loss."""
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def scaled(rgb: Pixels, factor: float) -> Pixels:
    """The picture `factor` times as large; averaged down, bicubic up."""
    how = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = (max(16, round(rgb.shape[1] * factor)), max(16, round(rgb.shape[0] * factor)))
    return np.asarray(cv2.resize(rgb, size, interpolation=how), np.uint8)


def h264_frame(rgb: Pixels, crf: int) -> Pixels:
    """The picture as one key frame of an H.264 video (4:2:0) of that quality."""
    import av

    even = np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2])
    coder = av.CodecContext.create("libx264", "w")
    coder.height, coder.width = even.shape[:2]
    coder.pix_fmt, coder.time_base, coder.thread_count = "yuv420p", Fraction(1, 25), 1
    coder.options = {"crf": str(crf), "preset": "fast"}
    packets = [*coder.encode(av.VideoFrame.from_ndarray(even, format="rgb24")), *coder.encode(None)]
    reader = av.CodecContext.create("h264", "r")
    frames = [frame for packet in packets for frame in reader.decode(packet)]
    frames += reader.decode(None)
    return np.asarray(frames[0].to_ndarray(format="rgb24"), np.uint8)


def _saved(change: Callable[[Pixels], Pixels]) -> Laundering:
    return lambda rgb: jpeg_bytes(change(rgb), SAVED_QUALITY)


def _blurred(rgb: Pixels, sigma: float) -> Pixels:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma), np.uint8)


def _noisy(rgb: Pixels) -> Pixels:
    noise = np.random.default_rng([NOISE_SEED, rgb.size]).normal(0, 6, rgb.shape)
    return np.clip(np.rint(rgb + noise), 0, 255).astype(np.uint8)


def _grey(rgb: Pixels) -> Pixels:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB))


def _dark(rgb: Pixels) -> Pixels:
    return np.rint(255 * 0.45 * (rgb / 255.0) ** 1.3).astype(np.uint8)


def _screenshot(rgb: Pixels) -> bytes:
    smaller = scaled(decoded(jpeg_bytes(rgb, 85)), 0.75)
    soft = cv2.GaussianBlur(smaller, (0, 0), 1.0)
    return png_bytes(np.asarray(cv2.addWeighted(smaller, 1.5, soft, -0.5, 0), np.uint8))


def _messenger(rgb: Pixels) -> bytes:
    return jpeg_bytes(decoded(jpeg_bytes(scaled(rgb, 0.8), 75)), 70)


LAUNDERINGS: dict[str, Laundering] = {
    **{f"jpeg {q}": partial(jpeg_bytes, quality=q) for q in (95, 80, 65, 50, 30)},
    "half size": _saved(lambda rgb: scaled(rgb, 0.5)),
    "third of its size": _saved(lambda rgb: scaled(rgb, 1 / 3)),
    "double size": _saved(lambda rgb: scaled(rgb, 2.0)),
    **{f"h264 crf {c}": _saved(partial(h264_frame, crf=c)) for c in (23, 32, 40)},
    "blur": _saved(partial(_blurred, sigma=1.2)),
    "strong blur": _saved(partial(_blurred, sigma=2.5)),
    "noise": _saved(_noisy),
    "screenshot": _screenshot,
    "messenger": _messenger,
    "greyscale": _saved(_grey),
    "dark": _saved(_dark),
}
"""Every way, by the name in the tables."""
