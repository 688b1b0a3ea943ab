"""Recapture: a genuine picture shown on a screen or on paper and photographed again."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tidewaiter.forgeries.face_forgery import Face, Forgery, Pixels

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

Light = NDArray[np.float32]
"""H x W x 3, 0..1."""


def recapture_screen(host: Face, donor: Face, rng: np.random.Generator) -> Forgery:  # noqa: ARG001
    """The host's picture photographed from a screen: grid, moiré, lifted black, slight tilt."""
    light: Light = _tilted(host.pixels, rng).astype(np.float32) / np.float32(255)
    exponent, gain, lift = SCREEN_TONE
    light = light**exponent * gain + lift
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
    matrix = cv2.getPerspectiveTransform(corners, moved.astype(np.float32))
    return np.asarray(
        cv2.warpPerspective(pixels, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101),
        np.uint8,
    )


def _screen_grid(shape: tuple[int, ...], rng: np.random.Generator) -> Light:
    """Brightness of the pixel grid, its colours a third of a period apart, and its beat."""
    cycles, angle = float(rng.uniform(*GRID_CYCLES)), float(rng.uniform(0, 0.5))
    strength = float(rng.uniform(*GRID_STRENGTHS))
    along, across = _phases(shape, cycles, angle)
    colours = np.arange(3, dtype=np.float32) * np.float32(2 * np.pi / 3)
    stripes = np.sin(along[..., None] + colours) + 0.6 * np.sin(across)[..., None]
    beat = np.sin(along * np.float32(rng.uniform(0.04, 0.12)) + across * np.float32(0.05))
    return np.asarray(1 + strength * stripes + 0.5 * strength * beat[..., None], np.float32)


def _phases(shape: tuple[int, ...], cycles: float, angle: float) -> tuple[Light, Light]:
    """2 pi times position along and across a grid, H x W each (broadcast sums of vectors)."""
    factor = 2 * np.pi * cycles
    x = (np.arange(shape[1]) * factor).astype(np.float32)
    y = (np.arange(shape[0]) * factor).astype(np.float32)[:, None]
    c, s = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return x * c + y * s, y * c - x * s


def _dots(shape: tuple[int, ...], rng: np.random.Generator) -> Light:
    """A halftone screen per colour, each at its own angle, added to the picture."""
    cycles = 1 / float(rng.uniform(*DOT_PITCHES))
    strength = np.float32(rng.uniform(*DOT_STRENGTHS))
    turned = float(rng.uniform(0, 0.3))
    screens = []
    # The customary angles of cyan, magenta and black screens.
    for degrees in (15, 75, 45):
        along, across = _phases(shape, cycles, turned + float(np.radians(degrees)))
        screens.append(np.cos(along) * np.cos(across) * strength)
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
    x = np.linspace(0, 1, shape[1], dtype=np.float32) - np.float32(rng.uniform(0, 1))
    y = np.linspace(0, 1, shape[0], dtype=np.float32)[:, None] - np.float32(rng.uniform(0, 1))
    width = np.float32(rng.uniform(0.15, 0.4))
    spot = np.exp(-(x * x + y * y) / (2 * width * width))
    return np.asarray((spot * rng.uniform(0.0, 0.2))[..., None], np.float32)


def _blurred(light: Light, sigma: float) -> Light:
    import cv2

    return np.asarray(cv2.GaussianBlur(light, (0, 0), sigma), np.float32)


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
