"""Places of a picture that repeat each other, and whether they share their noise too.

Candidates (`copy_candidates`) are verified place by place (`likeness`). A copy agrees on
its plainest pixels; repeated goods look alike and disagree there. Nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.media.material import Plane
from tidewaiter.traces.base import PictureTrace, Traces, Untaken, too_small
from tidewaiter.traces.copy_candidates import MIN_SHIFT_PX, Affine, Candidate, candidates_of
from tidewaiter.traces.copy_registration import laid_over
from tidewaiter.traces.likeness import (
    CELL_PX,
    PIXELS_PER_FREE_VALUE,
    WINDOW_CELLS,
    Agreement,
    Mask,
    Structure,
    agreement,
    crop,
    likeness_map,
    noise_map,
    structure_of,
)

Rectangle = tuple[int, int, int, int]
"""Left, top, width, height in pixels."""

MIN_SIDE = 128

# Larger pictures are reduced to this many pixels first: it bounds time and memory, and a
# copied region of a whole percent of the picture keeps more pixels than one decision needs.
MAX_PIXELS = 16_000_000

# Local correlation above which two places look the same (examination handbook, 3.7).
ALIKE = 0.95

# Below this median correlation of its textured windows a region is not the same thing.
UNLIKE = 0.5

# Grey-level variance below which a window has no texture to compare.
MIN_TEXTURE_VARIANCE = 4.0

# A window of plain pixels agrees when its correlation is this large and this many
# standard errors from nothing; some 10 shifts x 190,000 windows are looked at.
NOISE_CORRELATION, NOISE_Z = 0.25, 4.5

# Least share of plain pixels for a window to be compared by noise.
MIN_PLAIN_SHARE = 0.3

# Smallest region considered: 24 cells are 1536 pixels.
MIN_REGION_CELLS = 24

# Distinct shifts at which something looks alike that make a picture one of repeated goods.
REPETITIVE_SHIFTS = 4

# Regions examined for each candidate and kind of likeness.
REGIONS_EACH = 2


@dataclass(frozen=True)
class RepeatedRegion:
    """Two places that look alike. `origin` and `copy` may be the other way round.

    `likeness` is the median local correlation (nan where both are without texture);
    `agreement` says whether their noise agrees too.
    """

    origin: Rectangle
    copy: Rectangle
    transform: tuple[float, float, float, float, float, float]
    found_by: str
    likeness: float
    agreement: Agreement
    area_px: int
    repeated: bool = False
    """Whether the same thing is seen at several places, or the picture is full of such."""

    @property
    def score(self) -> float:
        """Agreement above chance; 0 for print that is all edges and seen at several places.

        Also 0 where texture contradicts: smooth JPEG blocks that kept the same single
        coefficient agree exactly, while the picture over them differs.
        """
        repeated_print = self.agreement.edged and self.repeated
        contradicted = self.likeness < UNLIKE
        return 0.0 if repeated_print or contradicted else max(0.0, self.agreement.lower)


@dataclass(frozen=True)
class CopyMove:
    """All repeated regions, best agreement first, and a map (8-pixel cells, 0..1) of it.

    `live_share` is the share of cells with any structure to compare; `looked_alike`
    counts regions that look the same, whatever their noise.
    """

    regions: tuple[RepeatedRegion, ...]
    map: Plane
    keypoints: int
    live_share: float
    looked_alike: int
    scale: float


class CopyMoveTrace(PictureTrace):
    """Repeated places within one picture."""

    name = "copy_move"

    def measure(self, picture: Picture, earlier: Traces) -> CopyMove | Untaken:  # noqa: ARG002
        """Repeated regions; not applicable below 128 pixels a side."""
        small = too_small(picture, MIN_SIDE)
        if small is not None:
            return small
        luma, scale = _bounded(picture.luma)
        structure = structure_of(luma)
        candidates, keypoints = candidates_of(luma, structure.fine)
        return _verified(structure, candidates, keypoints, scale)


def _bounded(luma: Plane) -> tuple[Plane, float]:
    import cv2

    scale = min(1.0, float(np.sqrt(MAX_PIXELS / luma.size)))
    if scale == 1.0:
        return luma, scale
    small = cv2.resize(luma, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32), scale


def _verified(
    structure: Structure, candidates: list[Candidate], keypoints: int, scale: float
) -> CopyMove:
    rows, columns = (side // CELL_PX for side in structure.luma.shape)
    drawn = np.zeros((rows, columns), np.float32)
    found = [pair for candidate in candidates for pair in _regions(structure, candidate)]
    everything = [region for region, _ in found]
    repetitive = len(_distinct_shifts(everything)) >= REPETITIVE_SHIFTS
    regions: list[RepeatedRegion] = []
    for region, cells in found:
        meeting = [other for other in everything if _meet(region, other)]
        several = len(_distinct_shifts([region, *meeting])) > 1
        counted = replace(region, repeated=repetitive or several)
        _draw(drawn, counted, cells)
        regions.append(_in_picture(counted, scale))
    regions.sort(key=lambda region: (-region.score, -region.agreement.lower))
    return CopyMove(
        regions=tuple(regions),
        map=drawn,
        keypoints=keypoints,
        live_share=float((np.abs(structure.fine) > 0.05).mean()),
        looked_alike=sum(region.likeness > ALIKE for region in regions),
        scale=scale,
    )


def _regions(
    structure: Structure, candidate: Candidate
) -> Iterator[tuple[RepeatedRegion, tuple[Mask, Rectangle]]]:
    """Verified regions of one candidate, with their cells and where these start."""
    laid = laid_over(structure, candidate)
    if laid is None:
        return
    first, second, corner, transform = laid
    likeness, texture = likeness_map(first.luma, second.luma)
    noise, plain_share = noise_map(first, second)
    looks = (likeness > ALIKE) & (texture > MIN_TEXTURE_VARIANCE)
    free_values = plain_share * (WINDOW_CELLS * CELL_PX) ** 2 / PIXELS_PER_FREE_VALUE
    agrees = (
        (noise > NOISE_CORRELATION)
        & (noise * np.sqrt(free_values) > NOISE_Z)
        & (plain_share > MIN_PLAIN_SHARE)
    )
    for cells in (*_components(looks), *_components(agrees)):
        box = _cell_box(cells)
        textured = cells & (texture > MIN_TEXTURE_VARIANCE)
        region = RepeatedRegion(
            origin=(box[0] + corner[0], box[1] + corner[1], box[2], box[3]),
            copy=_carried(box, corner, transform),
            transform=tuple(float(v) for v in transform.ravel()),  # type: ignore[arg-type]
            found_by=candidate.found_by,
            likeness=float(np.median(likeness[textured])) if textured.any() else float("nan"),
            agreement=_agreement_in(first, second, cells, box),
            area_px=int(cells.sum()) * CELL_PX**2,
        )
        yield region, (cells, (corner[0], corner[1], 0, 0))


def _components(cells: Mask) -> list[Mask]:
    """The largest connected regions of cells, holes and gaps of a cell closed."""
    import cv2

    closed: Any = cv2.morphologyEx(
        cells.astype(np.uint8), cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)
    )
    count, labels, statistics, _ = cv2.connectedComponentsWithStats(closed, connectivity=4)
    areas = statistics[1:count, 4]
    largest = np.argsort(-areas, kind="stable")[:REGIONS_EACH]
    return [labels == 1 + i for i in largest if areas[i] >= MIN_REGION_CELLS]


def _cell_box(cells: Mask) -> Rectangle:
    rows, columns = np.nonzero(cells.any(axis=1))[0], np.nonzero(cells.any(axis=0))[0]
    left, top = int(columns[0]) * CELL_PX, int(rows[0]) * CELL_PX
    width, height = (int(side[-1] - side[0] + 1) * CELL_PX for side in (columns, rows))
    return left, top, width, height


def _agreement_in(first: Structure, second: Structure, cells: Mask, box: Rectangle) -> Agreement:
    """Agreement over the region, worked out inside its box only."""
    left, top, width, height = box
    rows, columns = slice(top, top + height), slice(left, left + width)
    inside = cells[
        top // CELL_PX : (top + height) // CELL_PX, left // CELL_PX : (left + width) // CELL_PX
    ]
    return agreement(crop(first, rows, columns), crop(second, rows, columns), inside)


def _carried(box: Rectangle, corner: tuple[int, int], transform: Affine) -> Rectangle:
    """The upright box round where a transform takes a box."""
    left, top = box[0] + corner[0], box[1] + corner[1]
    across, down = left + box[2], top + box[3]
    outline = np.array([[left, top], [across, top], [across, down], [left, down]], np.float64)
    moved = outline @ transform[:, :2].T + transform[:, 2]
    low, high = np.floor(moved.min(axis=0)).astype(int), np.ceil(moved.max(axis=0)).astype(int)
    return int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1])


def _distinct_shifts(regions: list[RepeatedRegion]) -> list[NDArray[np.float64]]:
    """Shifts at which something looks alike; a shift and its way back are one."""
    shifts: list[NDArray[np.float64]] = []
    for region in regions:
        shift = _shift_of(region)
        if region.likeness > ALIKE and all(
            min(_distance(shift, known), _distance(-shift, known)) > MIN_SHIFT_PX
            for known in shifts
        ):
            shifts.append(shift)
    return shifts


def _shift_of(region: RepeatedRegion) -> NDArray[np.float64]:
    return np.subtract(region.copy[:2], region.origin[:2]).astype(np.float64)


def _distance(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    return float(np.abs(first - second).max())


def _meet(region: RepeatedRegion, other: RepeatedRegion) -> bool:
    """Whether a place of one region lies half inside a place of the other."""
    return any(
        _shared_area(mine, theirs) > 0.5 * mine[2] * mine[3]
        for mine in (region.origin, region.copy)
        for theirs in (other.origin, other.copy)
    )


def _shared_area(first: Rectangle, second: Rectangle) -> int:
    sides = [
        min(first[i] + first[i + 2], second[i] + second[i + 2]) - max(first[i], second[i])
        for i in (0, 1)
    ]
    return max(0, sides[0]) * max(0, sides[1])


def _in_picture(region: RepeatedRegion, scale: float) -> RepeatedRegion:
    """The region in pixels of the picture as stored."""
    if scale == 1.0:
        return region
    turn = np.array(region.transform).reshape(2, 3)
    turn[:, 2] /= scale

    def enlarged(box: Rectangle) -> Rectangle:
        left, top, width, height = (round(side / scale) for side in box)
        return left, top, width, height

    return replace(
        region,
        origin=enlarged(region.origin),
        copy=enlarged(region.copy),
        transform=tuple(float(v) for v in turn.ravel()),  # type: ignore[arg-type]
        area_px=round(region.area_px / scale**2),
    )


def _draw(drawn: Plane, region: RepeatedRegion, where: tuple[Mask, Rectangle]) -> None:
    """Raise the map to the region's agreement at its origin and at its copy."""
    value = float(np.tanh(region.score))
    cells, (left, top, _, _) = where
    rows, columns = np.nonzero(cells)
    centres = np.stack([columns, rows], axis=1) * CELL_PX + (left + CELL_PX / 2, top + CELL_PX / 2)
    turn = np.array(region.transform).reshape(2, 3)
    for places in (centres, centres @ turn[:, :2].T + turn[:, 2]):
        at = np.floor(places / CELL_PX).astype(int)
        inside = ((at >= 0) & (at < drawn.shape[::-1])).all(axis=1)
        across, down = at[inside].T
        drawn[down, across] = np.maximum(drawn[down, across], value)
