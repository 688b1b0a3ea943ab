"""A picture as a short video, as a held camera sees a still face."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from io import BytesIO

import numpy as np

from tidewaiter.media.material import Pixels

# The detector asks for about two seconds of a face.
FPS, FRAMES = 12, 30
LONG_SIDE = 480
# Qualities of H.264 from good to poor.
CRFS = (20, 34)
# Per frame: pixels across and down, degrees, share of the size; and the light.
WANDERING = (0.8, 0.8, 0.15, 0.002)
FLICKER, GRAIN = 0.01, 1.5


def still_clip(pixels: Pixels, seed: int) -> bytes:
    """The picture wandering, turning a little, grained and flickering, as an MP4 file.

    The same seed moves and compresses two pictures of one size alike.
    """
    import av

    rng = np.random.default_rng(seed)
    crf = int(rng.integers(*CRFS))
    width, height = _even_size(pixels)
    file = BytesIO()
    with av.open(file, "w", format="mp4") as out:
        options = {"crf": str(crf), "preset": "superfast"}
        stream = out.add_stream("libx264", rate=Fraction(FPS), options=options)
        stream.width, stream.height = width, height
        stream.pix_fmt, stream.codec_context.thread_count = "yuv420p", 1
        for frame in _wandering(pixels, (width, height), rng):
            # Converted here: left to the encoder, the same frames gave other bytes each time.
            shown = av.VideoFrame.from_ndarray(frame, format="rgb24").reformat(format="yuv420p")
            out.mux(stream.encode(shown))
        out.mux(stream.encode(None))
    return file.getvalue()


def _even_size(pixels: Pixels) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    scale = min(LONG_SIDE / max(height, width), 1.0)
    return max(round(width * scale / 2), 8) * 2, max(round(height * scale / 2), 8) * 2


def _wandering(pixels: Pixels, size: tuple[int, int], rng: np.random.Generator) -> Iterator[Pixels]:
    import cv2

    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    middle = (size[0] / 2, size[1] / 2)
    for across, down, degrees, zoom in rng.normal(0, WANDERING, (FRAMES, 4)).cumsum(0):
        matrix = cv2.getRotationMatrix2D(middle, float(degrees), float(1 + zoom))
        matrix[:, 2] += across, down
        moved = cv2.warpAffine(small, matrix, size, borderMode=cv2.BORDER_REPLICATE)
        light = 1 + FLICKER * rng.standard_normal()
        noisy = moved * light + rng.normal(0, GRAIN, moved.shape)
        yield np.clip(np.rint(noisy), 0, 255).astype(np.uint8)
