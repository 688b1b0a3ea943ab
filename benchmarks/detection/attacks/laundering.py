"""Plain laundering: what anybody does with a picture program, without any knowledge of cues."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial

import numpy as np
from PIL import Image, ImageFilter

from tidewaiter.forgeries.pictures import jpeg_bytes
from tidewaiter.media.material import Picture
from tidewaiter.media.reshipping import as_screenshot, recompressed

Laundering = Callable[[Picture, np.random.Generator], bytes]

BLUR_RADIUS = 1.2
NOISE_SIGMA = 6.0
SAVED_QUALITY = 90
MESSENGER_QUALITY = 75


def blurred(picture: Picture, _rng: np.random.Generator) -> bytes:
    """A Gaussian of 1.2 pixels, then JPEG 90."""
    image = Image.fromarray(picture.upright).filter(ImageFilter.GaussianBlur(BLUR_RADIUS))
    return jpeg_bytes(np.asarray(image), SAVED_QUALITY)


def noisy(picture: Picture, rng: np.random.Generator) -> bytes:
    """Gaussian noise of 6 grey values, then JPEG 90."""
    noise = rng.normal(0, NOISE_SIGMA, picture.upright.shape)
    return jpeg_bytes(np.clip(picture.upright + noise, 0, 255).astype(np.uint8), SAVED_QUALITY)


def halved_and_doubled(picture: Picture, _rng: np.random.Generator) -> bytes:
    """Half the size and back again, then JPEG 90."""
    image = Image.fromarray(picture.upright)
    small = image.resize([max(1, side // 2) for side in image.size], Image.Resampling.LANCZOS)
    return jpeg_bytes(np.asarray(small.resize(image.size, Image.Resampling.BICUBIC)), SAVED_QUALITY)


def screenshot_then_messenger(picture: Picture, _rng: np.random.Generator) -> bytes:
    """A screenshot (three quarters of the size, sharpened) sent through a messenger."""
    shot = Image.open(io.BytesIO(as_screenshot(picture))).convert("RGB")
    return jpeg_bytes(np.asarray(shot), MESSENGER_QUALITY)


def saved(quality: int, picture: Picture, _rng: np.random.Generator) -> bytes:
    """Saved again as JPEG."""
    return recompressed(picture, quality)


LAUNDERINGS: dict[str, Laundering] = {
    "blur": blurred,
    "noise": noisy,
    "JPEG 70": partial(saved, 70),
    "JPEG 40": partial(saved, 40),
    "half size and back": halved_and_doubled,
    "screenshot, messenger": screenshot_then_messenger,
}
