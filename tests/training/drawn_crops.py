"""Stored crops of faces drawn in code."""

from __future__ import annotations

from tests.forgeries.drawn_faces import face
from tidewaiter.training.crops import WIDE_SIDE, CropItem, Crops


def crops(count: int = 6, *, forged: int = 0) -> Crops:
    """`count` genuine faces, each a source of its own; the first `forged` have a forged partner.

    The forged partner is the face with its colours turned round: easily told apart.
    """
    faces = [face(number, WIDE_SIDE) for number in range(count)]
    pixels = [face.pixels for face in faces] + [255 - face.pixels for face in faces[:forged]]
    points = [face.points for face in (*faces, *faces[:forged])]
    items = [_item(number, forged=False) for number in range(count)]
    items += [_item(number, forged=True) for number in range(forged)]
    return Crops(pixels, points, tuple(items), (200.0,) * len(items))


def _item(number: int, *, forged: bool) -> CropItem:
    return CropItem(f"{number}.png", "site", f"s{number}", f"p{number}", forged)
