"""Ways in which a picture might have been laid over itself: candidates, not findings.

Three sources: whole-pixel shifts that many similar keypoints share exactly; turns and
scalings that distinctive keypoints (g2NN) share; and peaks in the autocorrelation of the
fine structure, which need no keypoints and find copies of sky, wall and cardboard.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Plane

Affine = NDArray[np.float64]
Points = NDArray[np.float32]

# Keypoints are sought on at most this many pixels, and at most this many are kept:
# matching is quadratic. 2 megapixels keep the cue's share of a 12-megapixel battery small.
KEYPOINT_PIXELS = 2_000_000
MAX_KEYPOINTS = 4000

# Contrast of the faintest keypoint (OpenCV's default is 0.04): smooth photographs have
# hardly any strong ones, and the strongest are kept anyway.
KEYPOINT_CONTRAST = 0.004

# Parts along the longer side from each of which the strongest keypoints are taken.
KEYPOINT_PARTS = 16

# Neighbours considered for each keypoint.
NEIGHBOURS = 6

# Ratio of successive descriptor distances up to which g2NN accepts (Amerini et al. 2011
# use 0.5 on squared distances of SIFT, which is 0.71 on distances).
G2NN_RATIO = 0.7

# Cosine of two RootSIFT descriptors above which they may show the same thing.
ALIKE_COSINE = 0.85

# A copy nearer to its origin than this is not sought: neighbouring pixels resemble.
MIN_SHIFT_PX = 24

# Fewest keypoint pairs that support a shift or a turn.
MIN_SHIFT_VOTES = 4
MIN_TURN_INLIERS = 6

# Registration tolerance of keypoint pairs, pixels of the keypoint picture.
TOLERANCE_PX = 2.0

# Robust z of an autocorrelation peak worth a look; noise of 12 million shifts reaches 5.6.
PEAK_Z = 6.0

MAX_SHIFTS, MAX_TURNS, MAX_PEAKS = 6, 3, 6

FoundBy = Literal["keypoints", "fine structure"]


@dataclass(frozen=True)
class Candidate:
    """A map from a place to its possible copy (2 x 3, pixels: across, down, 1)."""

    transform: Affine
    found_by: FoundBy
    support: float
    points: Points
    """Supporting places at the origin, N x 2 (across, down); empty for autocorrelation."""

    @property
    def shift(self) -> tuple[int, int] | None:
        """Whole-pixel shift (across, down) if the map is one, else None."""
        if np.allclose(self.transform[:, :2], np.eye(2), atol=1e-9):
            across, down = (round(float(v)) for v in self.transform[:, 2])
            return across, down
        return None


def candidates_of(luma: Plane, fine: Plane) -> tuple[list[Candidate], int]:
    """Candidates, best supported first within each source, and the number of keypoints."""
    places, descriptors, scale = _keypoints(luma)
    shifts, turns = _from_keypoints(places, descriptors, scale)
    found = _without_repeats([*turns, *shifts, *_peaks(fine)], luma.shape)
    return found, len(places)


def _keypoints(luma: Plane) -> tuple[Points, NDArray[np.float32], float]:
    """Places in pixels of the whole picture, RootSIFT descriptors, and the scale used."""
    import cv2

    grey = np.clip(np.rint(luma), 0, 255).astype(np.uint8)
    scale = min(1.0, float(np.sqrt(KEYPOINT_PIXELS / grey.size)))
    if scale < 1:
        grey = np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA))
    sift = cv2.SIFT_create(contrastThreshold=KEYPOINT_CONTRAST)  # type: ignore[attr-defined]
    found, raw = sift.compute(grey, _spread(sift.detect(grey, None), grey.shape))
    if raw is None or not len(found):
        return np.empty((0, 2), np.float32), np.empty((0, 128), np.float32), scale
    rooted = np.sqrt(raw / np.maximum(raw.sum(axis=1, keepdims=True), 1e-9))
    places = np.array([point.pt for point in found], np.float32)
    return (places + 0.5) / scale - 0.5, rooted.astype(np.float32), scale


def _spread(found: Any, shape: tuple[int, ...]) -> list[Any]:
    """At most MAX_KEYPOINTS, the strongest of every part of the picture in turn.

    Taken by strength alone they would all lie on the boldest texture, and a copy of
    anything fainter would go unseen.
    """
    if not found:
        return []
    strength = np.array([point.response for point in found])
    part = np.array([point.pt for point in found]) * KEYPOINT_PARTS // max(shape)
    number = (part[:, 1] * KEYPOINT_PARTS + part[:, 0]).astype(int)
    order = np.lexsort((-strength, number))
    starts = np.searchsorted(number[order], number[order])
    rank = np.empty(len(order), int)
    rank[order] = np.arange(len(order)) - starts
    chosen = np.lexsort((-strength, rank))[:MAX_KEYPOINTS]
    return [found[i] for i in np.sort(chosen)]


def _from_keypoints(
    places: Points, descriptors: NDArray[np.float32], scale: float
) -> tuple[list[Candidate], list[Candidate]]:
    if len(places) < NEIGHBOURS + 2:
        return [], []
    similarity, neighbour = _neighbours(places, descriptors)
    start = np.repeat(np.arange(len(places)), NEIGHBOURS)
    end, cosine = neighbour.ravel(), similarity.ravel()
    alike = cosine > ALIKE_COSINE
    shifts = _shared_shifts(places[start[alike]], places[end[alike]], scale)
    distinct = _g2nn(similarity) & (similarity > ALIKE_COSINE - 0.15)
    chosen = distinct.ravel()
    return shifts, _shared_turns(places[start[chosen]], places[end[chosen]], scale)


def _neighbours(
    places: Points, descriptors: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Cosines and indices of the nearest descriptors elsewhere, nearest first."""
    similarities, indices = [], []
    across, down = places.T.copy()
    for first in range(0, len(places), 1000):
        part = slice(first, first + 1000)
        cosine = descriptors[part] @ descriptors.T
        near = np.abs(across[part, None] - across) < MIN_SHIFT_PX
        near &= np.abs(down[part, None] - down) < MIN_SHIFT_PX
        cosine[near] = -1
        best = np.argpartition(-cosine, NEIGHBOURS - 1, axis=1)[:, :NEIGHBOURS]
        values = np.take_along_axis(cosine, best, axis=1)
        order = np.argsort(-values, axis=1, kind="stable")
        similarities.append(np.take_along_axis(values, order, axis=1))
        indices.append(np.take_along_axis(best, order, axis=1))
    return np.concatenate(similarities), np.concatenate(indices)


def _g2nn(similarity: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Neighbours accepted while the distance ratio to the next stays small."""
    distance = np.sqrt(np.maximum(2 - 2 * similarity, 1e-9))
    clear = distance[:, :-1] < G2NN_RATIO * distance[:, 1:]
    # Everything up to the last clear step counts: several copies of one place.
    up_to = np.flip(np.cumsum(np.flip(clear, axis=1), axis=1), axis=1) > 0
    return np.column_stack([up_to, np.zeros(len(up_to), bool)])


def _shared_shifts(start: Points, end: Points, scale: float) -> list[Candidate]:
    """Shifts on which keypoint pairs agree to a pixel or so: sharp peaks among all shifts.

    A row of cartons makes a broad heap of shifts, because perspective and slack move
    each of them; a copy makes a needle.
    """
    import cv2

    if not len(start):
        return []
    forward = (end[:, 1] > start[:, 1]) | ((end[:, 1] == start[:, 1]) & (end[:, 0] > start[:, 0]))
    start, end = start[forward], end[forward]
    bins = np.rint((end - start) * (scale / 2)).astype(np.int64)
    if not len(bins):
        return []
    low = bins.min(axis=0)
    heap: Any = np.zeros((bins - low).max(axis=0)[::-1] + 1, np.float32)
    np.add.at(heap, (bins[:, 1] - low[1], bins[:, 0] - low[0]), 1)
    border = cv2.BORDER_CONSTANT
    near = cv2.blur(heap, (3, 3), borderType=border) * 9
    needle = near - cv2.blur(heap, (15, 15), borderType=border) * 9
    found = []
    for row, column in _peak_places(needle, MAX_SHIFTS, 2):
        centre = np.array([column, row]) + low
        members = (np.abs(bins - centre) <= 1).all(axis=1)
        if members.sum() < MIN_SHIFT_VOTES:
            continue
        shift = np.rint(np.median((end - start)[members], axis=0))
        found.append(_shift_candidate(shift, float(members.sum()), "keypoints", start[members]))
    return found


def _shared_turns(start: Points, end: Points, scale: float) -> list[Candidate]:
    """Similarity transforms (turn, scale, shift) by repeated RANSAC with a fixed seed."""
    import cv2

    cv2.setRNGSeed(0)
    tolerance = TOLERANCE_PX / scale
    found: list[Candidate] = []
    while len(start) >= MIN_TURN_INLIERS and len(found) < MAX_TURNS:
        transform, inside = cv2.estimateAffinePartial2D(
            start, end, method=cv2.RANSAC, ransacReprojThreshold=tolerance, maxIters=3000
        )
        if transform is None or int(inside.sum()) < MIN_TURN_INLIERS:
            break
        members = inside.ravel().astype(bool)
        found.append(
            Candidate(
                _settled(np.asarray(transform, np.float64)),
                "keypoints",
                float(members.sum()),
                start[members],
            )
        )
        back = cv2.invertAffineTransform(transform)
        undone = end @ back[:, :2].T.astype(np.float32) + back[:, 2].astype(np.float32)
        mirrored = start @ back[:, :2].T.astype(np.float32) + back[:, 2].astype(np.float32)
        explained = (np.abs(undone - start).max(axis=1) < 2 * tolerance) | (
            np.abs(mirrored - end).max(axis=1) < 2 * tolerance
        )
        start, end = start[~(explained | members)], end[~(explained | members)]
    return found


def _settled(transform: Affine) -> Affine:
    """A transform within registration error of a whole-pixel shift becomes that shift."""
    if np.abs(transform[:, :2] - np.eye(2)).max() > 0.003:
        return transform
    return np.column_stack([np.eye(2), np.rint(transform[:, 2])])


def _peaks(fine: Plane) -> list[Candidate]:
    """Shifts at which the fine structure repeats, by a whitened circular autocorrelation."""
    import cv2
    from scipy import fft

    if not fine.any():
        return []
    height, width = fine.shape
    power = np.abs(fft.rfft2(fine)) ** 2
    smooth = np.asarray(cv2.blur(power, (15, 15)))
    shared = fft.irfft2(power / (smooth + 1e-3 * smooth.mean()), s=fine.shape).astype(np.float32)
    standing = _per_block_phase(shared)[: height // 2 + 1]
    standing[:MIN_SHIFT_PX, :MIN_SHIFT_PX] = 0
    standing[:MIN_SHIFT_PX, -MIN_SHIFT_PX:] = 0
    found = []
    for row, column in _peak_places(standing, MAX_PEAKS, 4):
        strength = float(standing[row, column])
        if strength < PEAK_Z:
            break
        # The correlation is circular: a peak stands for this shift or its complement.
        across = column if column <= width // 2 else column - width
        found.append(_shift_candidate((across, row), strength, "fine structure", None))
    return found


def _per_block_phase(shared: Plane) -> Plane:
    """Robust z of each shift among shifts of the same place in the 8 x 8 JPEG lattice."""
    standing = np.zeros_like(shared)
    for row in range(8):
        for column in range(8):
            values = shared[row::8, column::8]
            # A regular subsample estimates median and spread well enough.
            sample = values[::3, ::3]
            middle = np.median(sample)
            spread = 1.4826 * np.median(np.abs(sample - middle)) + 1e-12
            standing[row::8, column::8] = (values - middle) / spread
    return standing


def _peak_places(heights: Plane, count: int, radius: int) -> list[tuple[int, int]]:
    """The highest places, each at least `radius` from the ones before."""
    rest = heights.copy()
    places = []
    for _ in range(count):
        row, column = (int(v) for v in np.unravel_index(int(rest.argmax()), rest.shape))
        if rest[row, column] <= 0:
            break
        places.append((row, column))
        near = slice(max(0, row - radius), row + radius + 1)
        rest[near, max(0, column - radius) : column + radius + 1] = 0
    return places


def _without_repeats(found: list[Candidate], shape: tuple[int, ...]) -> list[Candidate]:
    """Drop shifts that an earlier one says already, backwards or round the circle."""
    kept: list[Candidate] = []
    seen: set[tuple[int, int]] = set()
    for candidate in found:
        if candidate.shift is not None:
            across, down = candidate.shift
            ways = {(across % shape[1], down % shape[0]), (-across % shape[1], -down % shape[0])}
            if ways & seen:
                continue
            seen |= ways
        kept.append(candidate)
    return kept


def _shift_candidate(
    shift: Any, support: float, found_by: FoundBy, points: Points | None
) -> Candidate:
    transform = np.column_stack([np.eye(2), np.asarray(shift, np.float64)])
    places = np.empty((0, 2), np.float32) if points is None else points
    return Candidate(transform, found_by, support, places)
