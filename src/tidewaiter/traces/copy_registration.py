"""Lay a picture over itself as a candidate says, to the pixel."""

from __future__ import annotations

import numpy as np

from tidewaiter.media.material import Plane
from tidewaiter.traces.copy_candidates import Affine, Candidate
from tidewaiter.traces.likeness import CELL_PX, WINDOW_CELLS, Structure, overlapping, structure_of

# Longest side on which a turned copy is registered finely.
REGISTRATION_PX = 400


def laid_over(
    structure: Structure, candidate: Candidate
) -> tuple[Structure, Structure, tuple[int, int], Affine] | None:
    """The origin's side and the copy's side, registered, and where they start."""
    shift = candidate.shift
    if shift is None:
        return _turned_back(structure, candidate)
    if candidate.found_by == "fine structure":
        shift = _unwrapped(structure.fine, shift)
    height, width = structure.luma.shape
    if min(width - abs(shift[0]), height - abs(shift[1])) < WINDOW_CELLS * CELL_PX:
        return None
    pairs = [
        overlapping(plane, shift) for plane in (structure.luma, structure.fine, structure.slope)
    ]
    corner = (max(0, -shift[0]), max(0, -shift[1]))
    transform = np.column_stack([np.eye(2), np.array(shift, np.float64)])
    return (
        Structure(*(one for one, _ in pairs)),
        Structure(*(other for _, other in pairs)),
        corner,
        transform,
    )


def _unwrapped(fine: Plane, shift: tuple[int, int]) -> tuple[int, int]:
    """Which of the shifts that a circular correlation cannot tell apart shares most."""
    height, width = fine.shape
    across, down = shift
    other = across - width if across > 0 else across + width
    best, most = shift, -np.inf
    for option in ((across, down), (other, down), (across, down - height), (other, down - height)):
        if abs(option[0]) >= width or abs(option[1]) >= height:
            continue
        one, two = overlapping(fine, option)
        shared = float(np.einsum("ij,ij->", one, two))
        if shared > most:
            best, most = option, shared
    return best


def _turned_back(
    structure: Structure, candidate: Candidate
) -> tuple[Structure, Structure, tuple[int, int], Affine] | None:
    """The copy's side turned and scaled back onto the origin's, finely registered."""
    import cv2

    left, top, right, bottom = _surroundings(candidate, structure.luma.shape)
    if min(right - left, bottom - top) < WINDOW_CELLS * CELL_PX:
        return None
    origin = np.ascontiguousarray(structure.luma[top:bottom, left:right])
    local = candidate.transform.copy()
    local[:, 2] += local[:, :2] @ (left, top)
    local = _registered(origin, structure.luma, local)
    turned = cv2.warpAffine(
        structure.luma,
        local,
        (right - left, bottom - top),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    transform = local.copy()
    transform[:, 2] -= local[:, :2] @ (left, top)
    return structure_of(origin), structure_of(np.asarray(turned)), (left, top), transform


def _surroundings(candidate: Candidate, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
    """Left, top, right, bottom of half again the box of the supporting points."""
    low, high = candidate.points.min(axis=0), candidate.points.max(axis=0)
    reach = 0.25 * (high - low) + 32
    left, top = np.maximum(0, np.floor(low - reach)).astype(int)
    right, bottom = np.minimum(shape[1::-1], np.ceil(high + reach)).astype(int)
    return int(left), int(top), int(right), int(bottom)


def _registered(origin: Plane, luma: Plane, local: Affine) -> Affine:
    """Refine a transform by maximising correlation over the middle of the origin."""
    import cv2

    height, width = origin.shape
    side_h, side_w = min(height, REGISTRATION_PX), min(width, REGISTRATION_PX)
    top, left = (height - side_h) // 2, (width - side_w) // 2
    template = np.ascontiguousarray(origin[top : top + side_h, left : left + side_w])
    start = local.copy()
    start[:, 2] += start[:, :2] @ (left, top)
    everywhere = np.full(template.shape, 255, np.uint8)
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 30, 1e-5)
    try:
        _, refined = cv2.findTransformECC(
            template, luma, start.astype(np.float32), cv2.MOTION_AFFINE, criteria, everywhere, 5
        )
    except cv2.error:  # no overlap or no texture: keep what the keypoints gave
        return local
    settled = np.asarray(refined, np.float64)
    if np.abs(settled - start)[:, :2].max() > 0.05:
        return local
    settled[:, 2] -= settled[:, :2] @ (left, top)
    return settled
