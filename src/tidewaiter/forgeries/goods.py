"""Rendered walls of identical goods, as a phone would photograph them: nothing copied.

Rows of cartons, sheets of labels and shelves of bottles are what customs photographs
show and what copy-move tools mistake for copies. Units share their print; each has its
own surface, place, tilt and lighting; the wall is then seen in perspective, with shading,
sensor noise and slight blur. The same generator state gives the same wall.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import ConfigurationError

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Goods = Literal["cartons", "labels", "bottles"]

GOODS: tuple[Goods, ...] = get_args(Goods)

# Smallest picture on which a wall of several units can be drawn.
MIN_SIDE = 240

# How far a corner of the wall may leave its place, as a share of the side: a photograph
# taken by hand, not a scan.
PERSPECTIVE_SHARE = 0.06

_UNIT_SIZES = {"cartons": (150, 190), "labels": (110, 170), "bottles": (220, 90)}


@dataclass(frozen=True)
class Wall:
    """A picture of repeated goods; `corners` (units x 4 x 2, x then y) outlines each unit."""

    rgb: Pixels
    corners: NDArray[np.float32]


@dataclass(frozen=True)
class CopiedGoods:
    """A wall with one unit copied over another place, and where it came from."""

    rgb: Pixels
    mask: Mask
    origin: Mask


def render_wall(
    goods: Goods, rng: np.random.Generator, *, height: int = 900, width: int = 1200
) -> Wall:
    """A genuine wall of identical goods, RGB uint8 before any compression.

    Raises ConfigurationError for unknown goods or a picture under 240 pixels a side.
    """
    if goods not in GOODS:
        raise ConfigurationError(f"goods {goods!r} asked; one of {', '.join(GOODS)} needed")
    if min(height, width) < MIN_SIDE:
        raise ConfigurationError(f"{width} x {height} asked; {MIN_SIDE} pixels a side needed")
    scale = float(rng.uniform(0.75, 1.3))
    unit_h, unit_w = (round(side * scale) for side in _UNIT_SIZES[goods])
    print_ = _print_of(goods, rng, unit_h, unit_w)
    scene, corners = _stack(print_, goods, rng, (height, width))
    scene, corners = _in_perspective(scene, corners, rng)
    return Wall(rgb=_photographed(scene, rng), corners=corners)


def copy_unit(wall: Wall, rng: np.random.Generator, *, exact_place: bool = False) -> CopiedGoods:
    """A true copy-move: one unit of the wall pasted elsewhere in whole pixels.

    `exact_place` puts it over another unit, as a forger who hides or multiplies goods
    would; otherwise it lands anywhere that keeps clear of its origin.
    """
    height, width = wall.rgb.shape[:2]
    boxes = _inner_boxes(wall.corners, height, width)
    source, target = (int(i) for i in rng.choice(len(boxes), size=2, replace=False))
    left, top, box_w, box_h = boxes[source]
    to_left, to_top = boxes[target][:2]
    if not exact_place:
        to_left, to_top = _clear_place((left, top, box_w, box_h), (height, width), rng)
    to_left, to_top = min(to_left, width - box_w), min(to_top, height - box_h)
    rgb = wall.rgb.copy()
    rgb[to_top : to_top + box_h, to_left : to_left + box_w] = wall.rgb[
        top : top + box_h, left : left + box_w
    ]
    mask, origin = np.zeros((height, width), bool), np.zeros((height, width), bool)
    mask[to_top : to_top + box_h, to_left : to_left + box_w] = True
    origin[top : top + box_h, left : left + box_w] = True
    return CopiedGoods(rgb=rgb, mask=mask, origin=origin)


def _print_of(
    goods: Goods, rng: np.random.Generator, height: int, width: int
) -> NDArray[np.float32]:
    """What all units share: ground colour, panel, lettering, bar code and mark."""
    import cv2

    ground = {"cartons": (182, 145, 104), "labels": (238, 236, 230), "bottles": (60, 95, 60)}[goods]
    face: Any = np.empty((height, width, 3), np.uint8)
    face[:] = np.clip(np.array(ground) + rng.uniform(-18, 18, 3), 0, 255).astype(np.uint8)
    ink = tuple(float(v) for v in rng.uniform(10, 130, 3))
    panel = [float(v) for v in rng.uniform(90, 250, 3)]
    if goods == "bottles":
        face[int(height * 0.45) : int(height * 0.85)] = panel
    else:
        cv2.rectangle(face, (width // 12, height // 10), (width // 2, height // 3), panel, -1)
    for row in np.linspace(0.5, 0.8, int(rng.integers(2, 5))):
        word = "".join(chr(int(c)) for c in rng.integers(65, 91, int(rng.integers(4, 9))))
        size = width / 260 * float(rng.uniform(0.7, 1.2))
        place = (width // 10, int(height * row))
        cv2.putText(face, word, place, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)
    _bar_code(face, rng, ink)
    centre = (int(width * rng.uniform(0.6, 0.8)), int(height * rng.uniform(0.15, 0.35)))
    cv2.circle(face, centre, max(4, min(height, width) // 9), ink, 2, cv2.LINE_AA)
    smooth: NDArray[np.float32] = cv2.GaussianBlur(face.astype(np.float32), (0, 0), 0.7)
    return smooth


def _bar_code(face: Any, rng: np.random.Generator, ink: tuple[float, ...]) -> None:
    height, width = face.shape[:2]
    left = int(width * 0.55)
    bars = np.repeat(rng.random(width) < 0.5, int(rng.integers(1, 3)))[: int(width * 0.35)]
    rows = slice(int(height * 0.86), int(height * 0.96))
    face[rows, left : left + len(bars)][:, bars] = ink


def _stack(
    print_: NDArray[np.float32], goods: Goods, rng: np.random.Generator, size: tuple[int, int]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rows of units on a dark ground, larger than the picture; scene and unit corners."""
    unit_h, unit_w = print_.shape[:2]
    margin = 2 * max(unit_h, unit_w)
    scene = np.full((size[0] + 2 * margin, size[1] + 2 * margin, 3), 40, np.float32)
    gap = int(rng.integers(2, 8))
    corners = []
    for top in range(gap, scene.shape[0] - unit_h - gap, unit_h + gap):
        for left in range(gap, scene.shape[1] - unit_w - gap, unit_w + gap):
            to_map = _own_place(goods, rng, (left, top), (unit_w, unit_h))
            _lay(scene, _own_surface(print_, goods, rng), to_map)
            outline = np.array([[0, 0], [unit_w, 0], [unit_w, unit_h], [0, unit_h]], np.float32)
            corners.append(outline @ to_map[:, :2].T + to_map[:, 2] - margin)
    inner = scene[margin : margin + size[0], margin : margin + size[1]]
    return np.ascontiguousarray(inner), np.array(corners, np.float32)


def _own_place(
    goods: Goods, rng: np.random.Generator, at: tuple[int, int], unit: tuple[int, int]
) -> NDArray[np.float32]:
    """A unit's affine map into the scene: labels lie almost exactly, cartons do not."""
    slack, tilt = {"cartons": (2.5, 0.6), "labels": (0.5, 0.05), "bottles": (2.0, 0.4)}[goods]
    angle = np.deg2rad(rng.normal(0, tilt))
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos, -sin], [sin, cos]])
    centre = np.array(unit) / 2
    shift = np.array(at) + rng.normal(0, slack, 2) + centre - turn @ centre
    return np.column_stack([turn, shift]).astype(np.float32)


def _own_surface(
    print_: NDArray[np.float32], goods: Goods, rng: np.random.Generator
) -> NDArray[np.float32]:
    """The shared print on a surface of its own: fibres, dents, brightness."""
    import cv2

    grain = {"cartons": 3.0, "labels": 0.6, "bottles": 1.2}[goods]
    fibres = rng.normal(0, grain * 2, print_.shape[:2]).astype(np.float32)
    dents = cv2.resize(rng.normal(0, 3, (4, 5)).astype(np.float32), print_.shape[1::-1])
    brightness = float(rng.normal(1, 0.02))
    surface: NDArray[np.float32] = print_ * brightness
    return surface + (cv2.GaussianBlur(fibres, (0, 0), 0.8) + dents)[..., None]


def _lay(scene: Any, unit: NDArray[np.float32], to_map: NDArray[np.float32]) -> None:
    """Blend one unit into the scene, over the small window that it covers."""
    import cv2

    unit_h, unit_w = unit.shape[:2]
    left, top = (int(v) for v in np.maximum(0, np.floor(to_map[:, 2]) - 8))
    window = scene[top : top + unit_h + 20, left : left + unit_w + 20]
    local = to_map.copy()
    local[:, 2] -= (left, top)
    size = window.shape[1::-1]
    cover = cv2.warpAffine(np.ones(unit.shape[:2], np.float32), local, size)[..., None]
    drawn = cv2.warpAffine(
        unit, local, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE
    )
    window += cover * (drawn - window)


def _in_perspective(
    scene: NDArray[np.float32], corners: NDArray[np.float32], rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    import cv2

    height, width = scene.shape[:2]
    frame = np.array([[0, 0], [width, 0], [width, height], [0, height]], np.float32)
    # Corners move outwards only, so that the wall fills the picture.
    outwards = np.sign(frame - frame.mean(axis=0))
    moved = frame + outwards * rng.uniform(0, PERSPECTIVE_SHARE, (4, 2)) * (width, height)
    seen = cv2.getPerspectiveTransform(frame, moved.astype(np.float32))
    turned: Any = cv2.warpPerspective(scene, seen, (width, height), flags=cv2.INTER_CUBIC)
    outlines: Any = cv2.perspectiveTransform(corners.reshape(1, -1, 2), seen).reshape(-1, 4, 2)
    return turned, outlines


def _photographed(scene: NDArray[np.float32], rng: np.random.Generator) -> Pixels:
    """Uneven light, lens blur, photon and read noise, and the blur of demosaicing."""
    import cv2

    height, width = scene.shape[:2]
    light = cv2.resize(rng.uniform(0.8, 1.1, (3, 4)).astype(np.float32), (width, height))
    lit = cv2.GaussianBlur(scene * light[..., None], (0, 0), float(rng.uniform(0.4, 0.8)))
    photon, read = float(rng.uniform(0.01, 0.08)), float(rng.uniform(1, 2.5))
    spread = np.sqrt(np.maximum(lit, 0) * photon + read**2)
    noisy = lit + spread * rng.standard_normal(lit.shape, np.float32)
    blurred = cv2.GaussianBlur(noisy, (0, 0), 0.45)
    return np.clip(np.rint(blurred), 0, 255).astype(np.uint8)


def _inner_boxes(
    corners: NDArray[np.float32], height: int, width: int
) -> list[tuple[int, int, int, int]]:
    """Upright boxes (left, top, width, height) inside the units that lie in the picture."""
    boxes = []
    for outline in corners:
        left, top = np.ceil(outline.min(axis=0)).astype(int)
        right, bottom = np.floor(outline.max(axis=0)).astype(int)
        if left >= 0 and top >= 0 and right < width and bottom < height:
            boxes.append((int(left), int(top), int(right - left), int(bottom - top)))
    if len(boxes) < 2:
        raise ConfigurationError(
            f"{len(boxes)} whole units in {width} x {height}; 2 needed: render a larger wall"
        )
    return boxes


def _clear_place(
    box: tuple[int, int, int, int], size: tuple[int, int], rng: np.random.Generator
) -> tuple[int, int]:
    """A place for a copy of `box` that does not touch its origin, in whole pixels."""
    left, top, box_w, box_h = box
    lefts, tops = rng.integers(0, size[1] - box_w, 200), rng.integers(0, size[0] - box_h, 200)
    clear = (np.abs(lefts - left) > box_w) | (np.abs(tops - top) > box_h)
    first = int(np.argmax(clear))
    return int(lefts[first]), int(tops[first])
