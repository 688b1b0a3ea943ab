"""Contrast of every pair of colours the style puts together, in light, dark and print."""

from __future__ import annotations

import re

import pytest

from tidewaiter.report.rendering import style_sheet

# WCAG 2.2, 1.4.3 (text) and 1.4.11 (lines and other non-text).
TEXT, LINES = 4.5, 3.0

PAIRS = [
    *((ink, ground, TEXT) for ground in ("ground", "panel") for ink in ("ink", "soft", "link")),
    *((tone, "ground", TEXT) for tone in ("manipulated", "issued", "unsure")),
    ("line", "ground", LINES),
    ("line", "panel", LINES),
]


def schemes() -> dict[str, dict[str, str]]:
    blocks = re.findall(r":root \{(.*?)\}", style_sheet(), re.DOTALL)
    return {
        name: dict(re.findall(r"--([a-z]+): (#[0-9a-f]{6})", block))
        for name, block in zip(("light", "dark", "print"), blocks, strict=True)
    }


def luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_gives_the_known_extremes() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
@pytest.mark.parametrize(("front", "back", "needed"), PAIRS)
def test_colours_can_be_told_apart(scheme: str, front: str, back: str, needed: float) -> None:
    colours = schemes()[scheme]
    assert contrast(colours[front], colours[back]) >= needed


def test_every_scheme_defines_the_same_colours() -> None:
    names = [set(colours) for colours in schemes().values()]
    assert names[0] == names[1] == names[2]
    assert "plate" in names[0]


def test_text_is_never_smaller_than_fourteen_pixels_on_screen() -> None:
    sizes = re.findall(r"font-size: ([\d.]+)(rem|em)", style_sheet())
    assert sizes
    assert all(float(size) * 16 >= 14 for size, _ in sizes)
