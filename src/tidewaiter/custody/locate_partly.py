"""Compare a redacted copy that kept the coded pictures of the groups it did not touch.

Such a copy is like its original bit for bit up to the groups of pictures that hold a mask, and
those were encoded anew. What was kept needs no noise model, and cannot give one either: the usual
difference of all its frames is none. So frames are compared one for one where they differ at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.alignment import Indices, align
from tidewaiter.custody.locate_pictures import PictureFindings, PictureThresholds
from tidewaiter.custody.manifest import group_starts
from tidewaiter.custody.masks import Mask, hidden_blocks
from tidewaiter.custody.painted import (
    MARGIN,
    PICTURE,
    Levels,
    Painted,
    Usual,
    median_noise,
    scores,
)
from tidewaiter.custody.runs import Change, changes_of, runs_of
from tidewaiter.custody.small_pictures import Flat, Greys, PictureRows
from tidewaiter.custody.stretches import coded_times
from tidewaiter.traces.fingerprints import SMALL_STEPS, Fingerprints

PIECE = 4096
"""Frames that are compared at once."""
SAMPLED_FRAMES = 4096
"""Frames that tell how coarsely the copy was encoded."""
OTHERWISE_STEPS, OTHERWISE_SHARE = 4 * SMALL_STEPS, 0.5
"""Frames that are decoded from the same pictures differ by less, whatever decoder reads them."""
LEAST_NOISE = 0.3
"""Grey levels: an encoder that decides almost as the first one did leaves most blocks as they were,
which says nothing of those next to a mask."""
FEWEST_IN_ORDER = 12
"""Fewer frames that differ have no order to be judged; each still has its looks."""


def keeps_pictures(original: Fingerprints, copy: Fingerprints) -> bool:
    """Whether a copy holds picture for picture what the original does, some encoded anew.

    Key pictures of the original that stand elsewhere were moved, which is more than encoding.
    """
    frames, pictures = len(original.small), len(original.picture_hash)
    if (len(copy.small), len(copy.picture_hash)) != (frames, pictures):
        return False
    other = _others(original, copy)
    keys = {row.tobytes() for row in original.picture_hash[original.picture_key]}
    moved = any(row.tobytes() in keys for row in copy.picture_hash[other])
    return bool(other.any()) and not moved


def unasked_groups(
    original: Fingerprints, copy: Fingerprints, masks: Sequence[Mask]
) -> list[tuple[int, int]]:
    """Spans of coded pictures encoded anew although no mask falls into their groups.

    Groups of pictures that follow each other count as one: encoders overlap them.
    """
    starts = np.array(group_starts(original.picture_key))
    ends = np.append(starts[1:], len(original.picture_key))
    anew = np.logical_or.reduceat(_others(original, copy), starts)
    times = coded_times(copy)
    asked = np.logical_or.reduce([mask.during(times) for mask in masks])
    edges = np.flatnonzero(np.diff(np.concatenate([[0], anew.view(np.int8), [0]])))
    spans = [
        (int(starts[first]), int(ends[last - 1]))
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]
    return [(start, end) for start, end in spans if not asked[start:end].any()]


def shown_otherwise(original: Fingerprints, copy: Fingerprints) -> bool:
    """Whether most frames look otherwise although the coded pictures are the same.

    A container, or parameter sets, may ask for them to be turned, mirrored or cropped.
    """
    if not len(original.small) or len(original.small) != len(copy.small):
        return False
    other = 0
    for first in range(0, len(original.small), PIECE):
        part = slice(first, first + PIECE)
        gap = np.abs(original.small[part].astype(np.int32) - copy.small[part])
        other += int((gap.max(axis=(1, 2)) > OTHERWISE_STEPS).sum())
    return other > OTHERWISE_SHARE * len(original.small)


def locate_touched(
    original: Fingerprints,
    copy: Fingerprints,
    thresholds: PictureThresholds,
    masks: Sequence[Mask] = (),
) -> PictureFindings:
    """Where frames of a copy that kept its pictures in place differ outside the masks.

    The copy must be one that `keeps_pictures`. Frame numbers are those of decoded frames.
    """
    touched = np.flatnonzero(_unlike(original.small, copy.small))
    frames = len(copy.small)
    levels = Levels(frames, thresholds.picture)
    if len(touched):
        ours, theirs = Flat(Greys(original.small)), _Covered(copy, original, masks)
        usual = _usual(original, copy, touched, masks)
        for first, score in scores(ours, theirs, _moments(touched, frames), usual, PICTURE):
            levels.note(np.arange(first, first + len(score)), score)
    painted = levels.painted()
    order, floor = _order(original, copy, touched, thresholds.shortest, masks)
    # What can be framed needs no other explanation.
    changes = [change for change in order if not _overlaps(change.copy, painted)]
    return PictureFindings(
        changes=tuple(changes),
        lengths=tuple(change.length for change in changes),
        painted=tuple(painted),
        clock=(),
        uncertain=(0,) * len(changes),
        path=np.arange(frames),
        floor=floor,
        window=None,
        pace=1.0,
        same_rate=True,
        peaks=(levels.sustained_peak(), 0.0),
    )


@dataclass(frozen=True)
class _Covered:
    """A copy's frames as rows of grey levels; what masks hide is as in the original."""

    copy: Fingerprints
    original: Fingerprints
    masks: Sequence[Mask]

    def __len__(self) -> int:
        return len(self.copy.small)

    def __getitem__(self, places: Any, /) -> NDArray[Any]:
        hidden = hidden_blocks(self.copy.frame_time[places], self.masks)
        shown = np.where(hidden, self.original.small[places], self.copy.small[places])
        return Flat(Greys(shown))[:]


@dataclass(frozen=True)
class _Greyed:
    """Frames at some places in grey levels; what masks hide is one grey in every one."""

    prints: Fingerprints
    places: Indices
    masks: Sequence[Mask]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, part: Any, /) -> NDArray[Any]:
        places = self.places[part]
        levels = Greys(self.prints.small)[places]
        levels[hidden_blocks(self.prints.frame_time[places], self.masks)] = 128.0
        return levels


def _others(original: Fingerprints, copy: Fingerprints) -> NDArray[np.bool_]:
    """Coded pictures that are not the original's of the same place."""
    other: NDArray[np.bool_] = (original.picture_hash != copy.picture_hash).any(axis=1)
    return other


def _unlike(ours: NDArray[np.uint16], theirs: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Frames whose small pictures are not the same."""
    unlike = np.zeros(len(ours), np.bool_)
    for first in range(0, len(ours), PIECE):
        part = slice(first, first + PIECE)
        unlike[part] = (ours[part] != theirs[part]).any(axis=(1, 2))
    return unlike


def _moments(touched: Indices, frames: int) -> list[tuple[int, int]]:
    """Stretches of frames that differ, with some frames around them."""
    cuts = np.flatnonzero(np.diff(touched) > 2 * MARGIN) + 1
    return [
        (max(int(part[0]) - MARGIN, 0), min(int(part[-1]) + 1 + MARGIN, frames))
        for part in np.split(touched, cuts)
    ]


def _usual(
    original: Fingerprints, copy: Fingerprints, touched: Indices, masks: Sequence[Mask]
) -> Usual:
    """Neither brightness nor blocks differ as a rule; how coarse the new encoding is, does."""
    some = touched[:: max(1, -(-len(touched) // SAMPLED_FRAMES))]
    size = np.abs(Greys(original.small)[some] - Greys(copy.small)[some])
    seen = size[~hidden_blocks(copy.frame_time[some], masks)]
    noise = median_noise(seen) if len(seen) else 0.0
    # Coarser than any encoding of which something can be seen: that is other footage.
    noise = min(max(noise, LEAST_NOISE), PICTURE.coarsest)
    return Usual(1.0, 0.0, np.zeros(1, np.float32), np.full(1, noise**2, np.float32))


def _order(
    original: Fingerprints,
    copy: Fingerprints,
    touched: Indices,
    shortest: int,
    masks: Sequence[Mask],
) -> tuple[list[Change], float]:
    """Changes of order among the frames that differ, as far as the masks let them be seen."""
    if len(touched) < FEWEST_IN_ORDER:
        return [], 0.0
    ours, theirs = (PictureRows(_Greyed(side, touched, masks)) for side in (original, copy))
    found = align(ours, theirs)
    changes = changes_of(runs_of(found.path), len(touched), shortest)
    return [_mapped(change, touched) for change in changes], found.floor


def _overlaps(span: tuple[int, int], painted: Sequence[Painted]) -> bool:
    return any(span[0] <= part.end and span[1] >= part.start for part in painted)


def _mapped(change: Change, touched: Indices) -> Change:
    """A change in frames of the recordings, not of those that differ."""

    def span(part: tuple[int, int] | None) -> tuple[int, int] | None:
        if part is None:
            return None
        if part[0] == part[1]:
            place = int(touched[min(part[0], len(touched) - 1)])
            return place, place
        return int(touched[part[0]]), int(touched[min(part[1], len(touched)) - 1]) + 1

    copied = span(change.copy)
    assert copied is not None
    return Change(change.kind, copied, span(change.original), span(change.from_original))
