"""What a virtual camera delivers in place of a real one: one picture, held still or moving.

Films for Chromium's --use-file-for-fake-video-capture, which plays them again and again.
The same picture and seed give the same bytes with the same OpenCV.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewaiter.forgeries.face_forgery import Pixels
from tidewaiter.forgeries.face_marking import NOTE, saved_as_jpeg

# Width and height of a plain web camera.
CAMERA_SIZE = (640, 480)
RATE = 10  # pictures a second
CLIP_FRAMES = 20
CLIP_QUALITY = 92
# A head before a camera sways by about a hundredth of the picture, light flickers less, and
# a small sensor's noise is about two grey levels.
SWAY, FLICKER, NOISE = 0.01, 0.015, 2.0
# Rows and columns by which one field of noise is shifted from frame to frame.
NOISE_STEP = 53
# Chromium takes the full range of JPEG for the narrow one of video (ITU-R BT.601: black is 16,
# white 235) and stretches it; narrowed beforehand, it comes out as it was.
BLACK, DYNAMIC = 16.0, 219 / 255
# YUV4MPEG2, the header's X field: a comment that players skip; it holds no blanks.
COMMENT = NOTE.replace(" ", "-")


def still(pixels: Pixels) -> bytes:
    """A YUV4MPEG2 film of one unmoving RGB picture."""
    import cv2

    width, height = CAMERA_SIZE
    frame = cv2.cvtColor(_fitted(pixels), cv2.COLOR_RGB2YUV_I420).tobytes()
    head = f"YUV4MPEG2 W{width} H{height} F{RATE}:1 Ip A1:1 C420 X{COMMENT}\n".encode("ascii")
    return head + (b"FRAME\n" + frame) * 2


def clip(pixels: Pixels, seed: int) -> bytes:
    """A Motion JPEG film of an RGB picture held in an unsteady hand before a small sensor."""
    rng = np.random.default_rng(seed)
    fitted = _fitted(pixels).astype(np.float32)
    phases = rng.uniform(0, 2 * np.pi, 3)
    noise = rng.normal(0, NOISE, fitted.shape).astype(np.float32)
    frames = []
    for number in range(CLIP_FRAMES):
        # Whole periods, so that the film's end meets its beginning.
        across, down, light = np.sin(2 * np.pi * number / CLIP_FRAMES + phases)
        moved = _moved(fitted, SWAY * across, SWAY * down) * (1 + FLICKER * light)
        shown = moved + np.roll(noise, number * NOISE_STEP, axis=(0, 1))
        frames.append(np.clip(np.rint(shown * DYNAMIC + BLACK), 0, 255).astype(np.uint8))
    note = f"injected clip, seed {seed}"
    return b"".join(saved_as_jpeg(frame, CLIP_QUALITY, note) for frame in frames)


def _fitted(pixels: Pixels) -> Pixels:
    """The whole picture in the middle of a camera's, its own edges continued outwards."""
    import cv2

    width, height = CAMERA_SIZE
    tall, wide = pixels.shape[:2]
    scale = min(width / wide, height / tall)
    size = (max(1, round(wide * scale)), max(1, round(tall * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    small = cv2.resize(pixels, size, interpolation=way)
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    right, bottom = width - size[0] - left, height - size[1] - top
    framed = cv2.copyMakeBorder(small, top, bottom, left, right, cv2.BORDER_REPLICATE)
    return np.asarray(framed, np.uint8)


def _moved(pixels: NDArray[np.float32], across: float, down: float) -> NDArray[np.float32]:
    """Shifted by shares of the height."""
    import cv2

    height, width = pixels.shape[:2]
    shift = np.array([[1, 0, across * height], [0, 1, down * height]])
    moved = cv2.warpAffine(pixels, shift, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(moved, np.float32)
