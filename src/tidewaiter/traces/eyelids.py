"""How open the eyes are through a video, and where they blink."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tidewaiter.traces.base import Traces, Untaken, VideoTrace
from tidewaiter.traces.faces import FaceTrack, VideoFaces
from tidewaiter.vocabulary import Status, tr

Numbers = NDArray[np.float64]

GRID_HZ = 30.0
# The eyes as they usually are around a moment: a high percentile of the seconds about it.
BASELINE_WINDOW_S = 6.0
BASELINE_PERCENTILE = 70
# Chosen on rendered sequences other than those of the benchmark (benchmarks/detection/face).
LEAST_BLINK_DEPTH = 0.28
EDGE_SHARE_OF_DEPTH = 0.35
LEAST_DEPTH_IN_NOISE = 4.5
# A dip beside a deeper one counts if the eye opened again by this share of the least depth.
PROMINENCE_SHARE = 0.7
# Shorter dips are one noisy sample, longer ones are closed eyes or a look downwards.
SHORTEST_BLINK_S = 0.05
LONGEST_BLINK_S = 0.8
# The lids meet in a complete blink; the mesh then still reports some opening.
COMPLETE_DEPTH = 0.55
# PERCLOS: lid aperture below 20 % of its open value.
CLOSED_SHARE = 0.2
# Beyond this turn of the head the far eye's points are guesses.
LARGEST_YAW_DEGREES = 30.0
LONGEST_GAP_S = 0.5
SHORTEST_STRETCH_S = 1.0


@dataclass(frozen=True)
class Blink:
    """One blink: where it begins and ends (half depth), how deep, how alike both eyes.

    `depth` is 1 − opening / usual opening. `lag_s` is how much later the right eye of the
    image was lowest; `imbalance` the difference of depths, left − right; NaN where only one
    eye was seen.
    """

    start_s: float
    end_s: float
    lowest_s: float
    depth: float
    lag_s: float
    imbalance: float

    @property
    def complete(self) -> bool:
        """Whether the lids met."""
        return self.depth >= COMPLETE_DEPTH


@dataclass(frozen=True)
class Eyelids:
    """The eyes of the longest-seen face: n looks while it was turned to the camera.

    `opening` is relative to the running open-eye value of each eye: 1 is usual, 0 shut.
    `watched_s` is the time covered; `looks_per_s` the median rate in it. `perclos` is the
    share of that time with the lids nearly shut. `frontal_share` counts looks with the
    head turned by at most 30 degrees.
    """

    track: int
    time_s: Numbers
    opening: Numbers
    blinks: tuple[Blink, ...]
    watched_s: float
    frontal_share: float
    looks_per_s: float
    face_width: float
    perclos: float
    faces_at_once: int

    @property
    def blinks_per_min(self) -> float:
        """Blinks per minute of watched time."""
        return 60 * len(self.blinks) / self.watched_s if self.watched_s > 0 else 0.0

    @property
    def intervals_s(self) -> Numbers:
        """Times from one blink to the next."""
        return np.diff([blink.lowest_s for blink in self.blinks])


class EyelidsInVideo(VideoTrace):
    """Reads the eyelids of the face seen longest from the face trace."""

    name = "eyelids"
    after = ("faces",)

    def result(self, earlier: Traces) -> Eyelids | Untaken:
        """The eyelids; `Untaken` where no face was followed."""
        faces = earlier["faces"]
        if isinstance(faces, Untaken):
            return faces
        if not faces.tracks:
            return Untaken(
                Status.NOT_APPLICABLE,
                tr("no face was seen for a second or longer; one is needed"),
            )
        return read_eyelids(faces.tracks[0], faces)


def read_eyelids(track: FaceTrack, faces: VideoFaces) -> Eyelids:
    """Openings and blinks of one track, of the looks with the face to the camera."""
    yaw = np.interp(track.eye_time_s, track.time_s, track.pose[:, 0])
    frontal = np.abs(yaw) <= LARGEST_YAW_DEGREES
    times, eyes = track.eye_time_s[frontal], track.eyes[frontal].astype(np.float64)
    opening = np.full(times.size, np.nan)
    blinks: list[Blink] = []
    watched = 0.0
    for part in stretches(times, LONGEST_GAP_S, SHORTEST_STRETCH_S):
        found, opening[part] = blinks_in(times[part], eyes[part])
        blinks.extend(found)
        watched += float(times[part][-1] - times[part][0])
    kept = np.isfinite(opening)
    return Eyelids(
        track=track.number,
        time_s=times[kept],
        opening=opening[kept],
        blinks=tuple(blinks),
        watched_s=watched,
        frontal_share=float(frontal.mean()) if frontal.size else 0.0,
        looks_per_s=1 / float(np.median(np.diff(times))) if times.size > 1 else 0.0,
        face_width=float(np.median(track.box[:, 2])),
        perclos=float((opening[kept] < CLOSED_SHARE).mean()) if kept.any() else 0.0,
        faces_at_once=faces.most_at_once,
    )


def stretches(times: Numbers, longest_gap_s: float, shortest_s: float) -> list[slice]:
    """Parts of rising `times` without a gap longer than that, and not shorter than this."""
    if times.size < 2:
        return []
    breaks = np.flatnonzero(np.diff(times) > longest_gap_s) + 1
    edges = [0, *breaks.tolist(), times.size]
    parts = [slice(a, b) for a, b in pairwise(edges)]
    return [part for part in parts if times[part][-1] - times[part][0] >= shortest_s]


def blinks_in(times: Numbers, eyes: Numbers) -> tuple[list[Blink], Numbers]:
    """Blinks of one stretch without gaps, and the relative opening at its looks (n).

    `eyes` (n x 2) are openings, NaN where an eye was not looked at. Looks may be unevenly
    spaced; they are read on an even grid of 30 per second.
    """
    grid = np.arange(times[0], times[-1], 1 / GRID_HZ)
    relative = np.stack([_relative(grid, times, eyes[:, side]) for side in (0, 1)], axis=1)
    looked = np.isfinite(relative)
    opening = np.where(looked, relative, 0).sum(axis=1) / np.maximum(looked.sum(axis=1), 1)
    depth = 1 - np.interp(grid, times, opening)
    least = max(LEAST_BLINK_DEPTH, LEAST_DEPTH_IN_NOISE * _noise(1 - opening))
    blinks = []
    for first, last in dips_in(depth, least):
        if SHORTEST_BLINK_S <= (last - first + 1) / GRID_HZ <= LONGEST_BLINK_S:
            blinks.append(_blink(grid, depth, slice(first, last + 1), (times, 1 - relative)))
    return blinks, opening


def dips_in(depth: Numbers, least: float) -> list[tuple[int, int]]:
    """First and last index of every dip at least that deep, down to a share of its depth.

    The same dips as with scipy.signal.find_peaks, whose import takes half a second.
    """
    dips: list[tuple[int, int]] = []
    for peak in _tops(depth):
        prominence = _prominence(depth, peak) if depth[peak] >= least else 0.0
        if prominence < PROMINENCE_SHARE * least:
            continue
        level = float(depth[peak]) - (1 - EDGE_SHARE_OF_DEPTH) * prominence
        low = np.flatnonzero(depth <= level)
        # The lowest sample on either side lies below the level, so there is one.
        first, last = int(low[low < peak][-1]) + 1, int(low[low > peak][0]) - 1
        first -= int(depth[first - 1] == level)
        last += int(depth[last + 1] == level)
        if not dips or first > dips[-1][1]:
            dips.append((first, last))
    return dips


def _relative(grid: Numbers, times: Numbers, eye: Numbers) -> Numbers:
    """One eye's openings over its usual opening; NaN where it was not looked at."""
    looked = np.isfinite(eye)
    if looked.sum() < 2:
        return np.full(eye.size, np.nan)
    even = np.interp(grid, times[looked], eye[looked])
    return eye / np.interp(times, grid, _usual(even))


def _usual(opening: Numbers) -> Numbers:
    from scipy.ndimage import percentile_filter

    size = max(int(BASELINE_WINDOW_S * GRID_HZ) | 1, 3)
    running = percentile_filter(opening, BASELINE_PERCENTILE, size=size, mode="nearest")
    return np.asarray(np.maximum(running, 1e-3))


def _noise(depth: Numbers) -> float:
    """Spread of the depth from one sample to the next, robust against blinks."""
    if depth.size < 5:
        return 0.0
    second = depth[2:] - 2 * depth[1:-1] + depth[:-2]
    return float(1.4826 * np.median(np.abs(second)) / np.sqrt(6))


def _tops(depth: Numbers) -> list[int]:
    """Samples higher than those on both sides; the middle of flat tops, none at the ends."""
    edges = np.flatnonzero(np.diff(depth)) + 1
    starts = np.concatenate([[0], edges])
    heights = depth[starts]
    inner = np.flatnonzero((heights[1:-1] > heights[:-2]) & (heights[1:-1] > heights[2:])) + 1
    ends = np.concatenate([edges, [depth.size]]) - 1
    return [int(start + end) // 2 for start, end in zip(starts[inner], ends[inner], strict=True)]


def _prominence(depth: Numbers, peak: int) -> float:
    """How far one must descend from a peak on either side before a higher one."""
    higher = np.flatnonzero(depth > depth[peak])
    left = int(higher[higher < peak].max(initial=-1)) + 1
    right = int(higher[higher > peak].min(initial=depth.size))
    below = max(float(depth[left : peak + 1].min()), float(depth[peak:right].min()))
    return float(depth[peak]) - below


def _blink(grid: Numbers, depth: Numbers, part: slice, looks: tuple[Numbers, Numbers]) -> Blink:
    lowest = part.start + int(np.argmax(depth[part]))
    times, depths = looks
    inside = (times >= grid[part.start] - 1 / GRID_HZ) & (times <= grid[part.stop - 1])
    both = inside & np.isfinite(depths).all(axis=1)
    left, right = depths[both].T if both.any() else (np.full(1, np.nan), np.full(1, np.nan))
    moments = times[both] if both.any() else np.full(1, np.nan)
    return Blink(
        start_s=float(grid[part.start]),
        end_s=float(grid[part.stop - 1]),
        lowest_s=float(grid[lowest]),
        depth=float(depth[lowest]),
        lag_s=float(moments[np.argmax(right)] - moments[np.argmax(left)]),
        imbalance=float(left.max() - right.max()),
    )
