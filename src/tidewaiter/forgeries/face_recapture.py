"""Recapture: a genuine picture shown on a screen or on paper and photographed again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewaiter.forgeries.face_forgery import Face, Forgery, Pixels
from tidewaiter.forgeries.face_warping import drawn

# Handbook: tone x^1.15 * 0.88 + 0.06, grid of 5 % at 0.22 to 0.30 cycles per pixel,
# corners out of place by 1.5 %, blur 1.2, noise 0.01, JPEG 60.
SCREEN_TONE = (1.15, 0.88, 0.06)
GRID_CYCLES = (0.22, 0.30)
GRID_STRENGTHS = (0.02, 0.07)
CORNER_SIGMA = 0.015
NOISE_SIGMA = 0.01
JPEG_QUALITIES = (50, 85)
# The dots of an office printer, in pixels of a close photograph of the print.
DOT_PITCHES = (2.5, 4.5)
DOT_STRENGTHS = (0.05, 0.16)

# Sines and powers are rounded to this fraction, so that processors agree to the last bit.
FINEST = 2.0**-16

Light = NDArray[np.float32]
"""H x W x 3, 0..1."""
Wave = tuple[Light, Light]
"""Cosine and sine of a phase, H x W each."""


def recapture_screen(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:  # noqa: ARG001
    """The host's picture photographed from a screen: grid, moiré, lifted black, slight tilt."""
    exponent, gain, lift = SCREEN_TONE
    tones = _settled((np.arange(256) / 255) ** exponent * gain + lift)
    light = tones[_tilted(host.pixels, rng)]
    light *= _screen_grid(light.shape, rng)
    light = _blurred(light, float(rng.uniform(0.7, 1.2)))
    return _photographed(light * _backlight(light.shape, rng), rng)


def recapture_print(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:  # noqa: ARG001
    """The host's picture photographed from a print: dots, paper, a gleam, slight defocus."""
    light: Light = _tilted(host.pixels, rng).astype(np.float32) / np.float32(255)
    light = np.clip(light + _dots(light.shape, rng), 0, 1)
    paper = np.array([1.0, rng.uniform(0.95, 0.99), rng.uniform(0.86, 0.95)], np.float32)
    light = (0.07 + 0.86 * light) * paper
    light = _blurred(light, float(rng.uniform(0.8, 1.4)))
    return _photographed(light + _gleam(light.shape, rng), rng)


def _tilted(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """The picture seen a little askew; mirrored beyond its edges."""
    import cv2

    height, width = pixels.shape[:2]
    corners = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    moved = corners + rng.normal(0, CORNER_SIGMA, (4, 2)) * (width, height)
    back = cv2.getPerspectiveTransform(moved.astype(np.float32), corners)
    # Written out, because warpPerspective rounds otherwise on another processor.
    x, y = np.arange(width), np.arange(height)[:, None]
    first, second, divisor = (row[0] * x + row[1] * y + row[2] for row in back)
    where = np.stack([first / divisor, second / divisor], axis=-1)
    return drawn(pixels, where.astype(np.float32))


def _screen_grid(shape: tuple[int, ...], rng: np.random.Generator) -> Light:
    """Brightness of the pixel grid, its colours a third of a period apart, and its beat."""
    cycles, angle = float(rng.uniform(*GRID_CYCLES)), float(rng.uniform(0, 0.5))
    strength = np.float32(rng.uniform(*GRID_STRENGTHS))
    cosine, sine = _wave(shape, cycles, angle)
    across = _wave(shape, cycles, angle + np.pi / 2)[1]
    beat = _wave(shape, cycles * float(rng.uniform(0.04, 0.12)), angle)[1]
    shared = np.float32(0.6) * across + np.float32(0.5) * beat
    # Sines of the phase and of a third of a period to either side of it.
    half, root = np.float32(0.5), np.float32(0.8660254)
    aside = -half * sine
    stripes = np.stack([sine, aside + root * cosine, aside - root * cosine], axis=-1)
    return np.asarray(1 + strength * (stripes + shared[..., None]), np.float32)


def _wave(shape: tuple[int, ...], cycles: float, angle: float) -> Wave:
    """A plane wave of so many cycles per pixel along a direction."""
    factor = 2 * np.pi * cycles
    x = np.arange(shape[1]) * (factor * np.cos(angle))
    y = np.arange(shape[0])[:, None] * (factor * np.sin(angle))
    (cos_x, sin_x), (cos_y, sin_y) = ((_settled(np.cos(v)), _settled(np.sin(v))) for v in (x, y))
    return cos_x * cos_y - sin_x * sin_y, sin_x * cos_y + cos_x * sin_y


def _dots(shape: tuple[int, ...], rng: np.random.Generator) -> Light:
    """A halftone screen per colour, each at its own angle, added to the picture."""
    cycles = 1 / float(rng.uniform(*DOT_PITCHES))
    strength = np.float32(rng.uniform(*DOT_STRENGTHS))
    turned = float(rng.uniform(0, 0.3))
    screens = []
    # The customary angles of cyan, magenta and black screens.
    for degrees in (15, 75, 45):
        angle = turned + float(np.radians(degrees))
        along, across = (_wave(shape, cycles, angle + aside)[0] for aside in (0, np.pi / 2))
        screens.append(along * across * strength)
    return np.stack(screens, axis=-1)


def _backlight(shape: tuple[int, ...], rng: np.random.Generator) -> Light:
    """Uneven brightness and colour of a screen seen from an angle."""
    x = np.linspace(-1, 1, shape[1], dtype=np.float32)
    y = np.linspace(-1, 1, shape[0], dtype=np.float32)[:, None]
    slope = rng.uniform(-0.08, 0.08, 2).astype(np.float32)
    tint = rng.uniform((0.92, 0.95, 0.98), (1.0, 1.02, 1.08)).astype(np.float32)
    slanted = 1 + slope[0] * x + slope[1] * y
    return np.asarray(slanted[..., None] * tint, np.float32)


def _gleam(shape: tuple[int, ...], rng: np.random.Generator) -> Light:
    """Light reflected by glossy paper: one wide, soft spot."""
    x = np.linspace(0, 1, shape[1]) - rng.uniform(0, 1)
    y = np.linspace(0, 1, shape[0])[:, None] - rng.uniform(0, 1)
    width = float(rng.uniform(0.15, 0.4))
    along, down = (_settled(np.exp(-((v / width) ** 2) / 2)) for v in (x, y))
    return np.asarray((along * down * np.float32(rng.uniform(0.0, 0.2)))[..., None], np.float32)


def _settled(values: NDArray[np.float64]) -> Light:
    """Values rounded to a fraction that float32 holds exactly."""
    return np.asarray(np.round(values / FINEST) * FINEST, np.float32)


def _blurred(light: Light, sigma: float) -> Light:
    """Blurred as 16-bit integers, for which OpenCV is exact on every processor."""
    import cv2

    whole = np.clip(np.round(light * np.float32(65535)), 0, 65535).astype(np.uint16)
    return np.asarray(cv2.GaussianBlur(whole, (0, 0), sigma), np.float32) / np.float32(65535)


def _photographed(light: Light, rng: np.random.Generator) -> Forgery:
    """Sensor noise and the camera's JPEG; the mask is the whole picture."""
    import cv2

    light = light + np.float32(NOISE_SIGMA) * rng.standard_normal(light.shape, np.float32)
    pixels = np.clip(np.round(light * 255), 0, 255).astype(np.uint8)
    quality = int(rng.integers(JPEG_QUALITIES[0], JPEG_QUALITIES[1] + 1))
    flags = [cv2.IMWRITE_JPEG_QUALITY, quality]
    _, stored = cv2.imencode(".jpg", np.ascontiguousarray(pixels[..., ::-1]), flags)
    seen = np.asarray(cv2.imdecode(stored, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return Forgery(np.ascontiguousarray(seen), np.ones(light.shape[:2], np.float32))
