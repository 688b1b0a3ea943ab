"""Compare a copy with an original by their manifests: is it unchanged or altered, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.differences import (
    NOT_COMPARED,
    Comparison,
    Difference,
    Place,
    Stretch,
)
from tidewaiter.custody.locate_exact import exact_changes, keys_of, shared_share
from tidewaiter.custody.locate_partly import (
    keeps_pictures,
    locate_touched,
    shown_otherwise,
    unasked_groups,
)
from tidewaiter.custody.locate_pictures import (
    SAME_RATE,
    PictureFindings,
    PictureThresholds,
    locate_pictures,
)
from tidewaiter.custody.locate_sound import QUIETEST, SoundFindings, locate_sound
from tidewaiter.custody.manifest import Manifest
from tidewaiter.custody.masks import Mask
from tidewaiter.custody.painted import Painted
from tidewaiter.custody.runs import Change
from tidewaiter.custody.stretches import coded_times, from_zero, retimed, stretch_at
from tidewaiter.custody.thresholds import Thresholds, shipped_thresholds
from tidewaiter.traces.fingerprints import (
    FURTHER_STREAMS,
    SHARE_UNITS,
    SMALL_HEIGHT,
    SMALL_WIDTH,
    Fingerprints,
)
from tidewaiter.traces.sound_bands import HOP_S

SHARED_SHARE = 0.1
"""A copy that has fewer of the original's coded pictures than this was encoded anew."""
FEWEST_FRAMES = 2
"""A single picture has no order to be compared."""
ONVIF_UUID = "005bc93f2d715e95ada4796f90877a6f"
"""Marks signatures in the stream (ONVIF Media Signing)."""
SOUND_KINDS = {
    "removed": "sound_removed",
    "moved_away": "sound_removed",
    "inserted": "sound_inserted",
}
"""Changes of order by their names in the sound; the others are all replacements."""
EXPLAINED_S = 0.6
"""A change of the sound this near to one of the pictures belongs to it."""


def compare(
    original: Manifest,
    copy: Manifest,
    *,
    masks: Sequence[Mask] = (),
    thresholds: Thresholds | None = None,
) -> Comparison:
    """The verdict on a copy and every difference found.

    With `masks` (redaction) pictures may differ inside them, be it that all of the copy was
    encoded anew or only the groups of pictures that hold a mask. Material without fingerprints is
    compared by its digest: the same file or "cannot tell".
    """
    thresholds = thresholds or shipped_thresholds()
    if original.sha256 == copy.sha256:
        return _verdict(original, copy, "same_file", [], [], thresholds)
    if _frames(original) < FEWEST_FRAMES or _frames(copy) < FEWEST_FRAMES:
        reason = original.reason or copy.reason or "too short"
        return _verdict(original, copy, "re_encoded", [], [reason], thresholds, unknown=True)
    ours, theirs = original.prints, copy.prints
    assert ours is not None
    assert theirs is not None
    share = shared_share(keys_of(ours.picture_hash), keys_of(theirs.picture_hash))
    notes = _notes(ours, theirs)
    limits = PictureThresholds(thresholds.picture, thresholds.clock, thresholds.shortest)
    if share >= SHARED_SHARE and masks and keeps_pictures(ours, theirs):
        found = [*_touched(ours, theirs, limits, masks)]
        found += _kept_sound(ours, theirs, thresholds, notes)
        return _verdict(original, copy, "re_encoded", found, notes, thresholds)
    if share >= SHARED_SHARE:
        found = [*_exact_pictures(ours, theirs), *_kept_sound(ours, theirs, thresholds, notes)]
        if not found and shown_otherwise(ours, theirs):
            notes.append("shown otherwise")
        carrier = "sound_re_encoded" if _is_sound_anew(ours, theirs) else "remuxed"
        return _verdict(original, copy, carrier, found, notes, thresholds)
    pictures = locate_pictures(ours, theirs, limits, masks)
    found = _seen(pictures, ours, theirs, limits)
    if pictures.window is not None:
        notes.append("cropped")
    if not pictures.same_rate:
        notes.append("another frame rate")
    elif pictures.pace != 1.0:
        found.append(_paced(pictures.pace, ours, theirs))
    found += _heard(ours, theirs, found, thresholds, notes)
    return _verdict(original, copy, "re_encoded", found, notes, thresholds, floor=pictures.floor)


def _verdict(  # noqa: PLR0913 - the parts of a comparison
    original: Manifest,
    copy: Manifest,
    carrier: str,
    found: list[Difference],
    notes: list[str],
    thresholds: Thresholds,
    *,
    floor: float | None = None,
    unknown: bool = False,
) -> Comparison:
    if found:
        verdict = "altered"
    elif unknown or NOT_COMPARED in notes:
        verdict = "cannot_tell"
    else:
        verdict = "transcoded" if carrier.endswith("re_encoded") else "unchanged"
    return Comparison(
        verdict=verdict,
        carrier=carrier,
        differences=tuple(sorted(found, key=lambda item: (item.copy.start_s, item.copy.end_s))),
        notes=tuple(notes),
        original_sha256=original.sha256,
        copy_sha256=copy.sha256,
        frames=(_frames(original), _frames(copy)),
        seconds=(_seconds(original), _seconds(copy)),
        floor=None if floor is None else round(floor, 4),
        thresholds=thresholds.basis,
    )


def _frames(manifest: Manifest) -> int:
    return 0 if manifest.prints is None else len(manifest.prints.small)


def _seconds(manifest: Manifest) -> float:
    if manifest.prints is None or not len(manifest.prints.frame_time):
        return 0.0
    return round(float(manifest.prints.frame_time[-1]) / 1e6, 6)


def _notes(ours: Fingerprints, theirs: Fingerprints) -> list[str]:
    notes = []
    if set(ours.parameters) != set(theirs.parameters):
        notes.append("other parameter sets")
    if ours.marks.get(ONVIF_UUID, 0) > theirs.marks.get(ONVIF_UUID, 0):
        notes.append("signature stripped")
    if theirs.broken:
        notes.append("broken pictures")
    if ours.marks.get(FURTHER_STREAMS, 0) or theirs.marks.get(FURTHER_STREAMS, 0):
        notes.append(NOT_COMPARED)
    return notes


def _exact_pictures(ours: Fingerprints, theirs: Fingerprints) -> list[Difference]:
    """Differences of coded pictures, in their order of decoding, with times of showing."""
    our_times, their_times = coded_times(ours), coded_times(theirs)
    found = [
        Difference(
            kind=change.kind,
            copy=stretch_at(their_times, change.copy),
            original=None if change.original is None else stretch_at(our_times, change.original),
            from_original=(
                None
                if change.from_original is None
                else stretch_at(our_times, change.from_original)
            ),
            exact=True,
        )
        for change in exact_changes(keys_of(ours.picture_hash), keys_of(theirs.picture_hash))
    ]
    if not found and len(our_times) == len(their_times):
        found += retimed(our_times, their_times)
    return found


def _touched(
    ours: Fingerprints,
    theirs: Fingerprints,
    limits: PictureThresholds,
    masks: Sequence[Mask],
) -> list[Difference]:
    """Differences of a copy that kept the pictures of the groups without a mask."""
    our_times, their_times = coded_times(ours), coded_times(theirs)
    unasked = [
        Difference(
            "replaced", stretch_at(their_times, span), stretch_at(our_times, span), exact=True
        )
        for span in unasked_groups(ours, theirs, masks)
    ]
    seen = _seen(locate_touched(ours, theirs, limits, masks), ours, theirs, limits)
    return [*unasked, *seen, *retimed(ours.frame_time, theirs.frame_time)]


def _is_sound_anew(ours: Fingerprints, theirs: Fingerprints) -> bool:
    """Whether both have sound, and the copy's is not what the original has, packet by packet."""
    keys, others = keys_of(ours.sound_hash), keys_of(theirs.sound_hash)
    return bool(keys and others) and shared_share(keys, others) < SHARED_SHARE


def _kept_sound(
    ours: Fingerprints, theirs: Fingerprints, thresholds: Thresholds, notes: list[str]
) -> list[Difference]:
    """Differences of the sound beside pictures that were kept: packet by packet, if it was too."""
    keys, others = keys_of(ours.sound_hash), keys_of(theirs.sound_hash)
    if not (keys and others) or _is_sound_anew(ours, theirs):
        return _heard(ours, theirs, [], thresholds, notes)
    our_times, their_times = from_zero(ours.sound_pts), from_zero(theirs.sound_pts)
    return [
        Difference(
            kind=SOUND_KINDS.get(change.kind, "sound_replaced"),
            copy=stretch_at(their_times, change.copy),
            original=None if change.original is None else stretch_at(our_times, change.original),
            exact=True,
        )
        for change in exact_changes(keys, others)
    ]


def _whole_sound(kind: str, theirs: Fingerprints) -> Difference:
    return Difference(kind, stretch_at(theirs.frame_time, (0, len(theirs.frame_time))))


def _added_sound(theirs: Fingerprints, notes: list[str]) -> list[Difference]:
    """The whole sound of a copy whose original has none; exporters add tracks that are silent."""
    if not len(theirs.sound_hash):
        return []
    if len(theirs.sound_band) and theirs.sound_band.max() <= QUIETEST:
        notes.append("silent sound")
        return []
    return [_whole_sound("sound_inserted", theirs)]


def _seen(
    found: PictureFindings, ours: Fingerprints, theirs: Fingerprints, limits: PictureThresholds
) -> list[Difference]:
    """Differences of a re-encoded copy's pictures."""
    listed = [
        replace(
            _change(change, ours.frame_time, theirs.frame_time),
            uncertain=uncertain,
            measure="length_pictures",
            level=float(length),
            threshold=float(limits.shortest),
        )
        for change, length, uncertain in zip(
            found.changes, found.lengths, found.uncertain, strict=True
        )
    ]
    taken = [item.copy for item in listed if item.copy.end > item.copy.start]
    measured = [(part, "picture_residual", limits.picture) for part in found.painted]
    measured += [(part, "clock_residual", limits.clock) for part in found.clock]
    for part, measure, threshold in measured:
        if any(_within((part.start, part.end), stretch) for stretch in taken):
            continue
        listed.append(
            Difference(
                "painted",
                stretch_at(theirs.frame_time, (part.start, part.end)),
                stretch_at(ours.frame_time, _shown_span(found, part)),
                place=_place(part),
                measure=measure,
                level=round(part.peak, 2),
                threshold=threshold,
            )
        )
    return listed


def _paced(pace: float, ours: Fingerprints, theirs: Fingerprints) -> Difference:
    """The whole recording shown faster or slower, frame for frame."""
    return Difference(
        "sped_up" if pace > 1 else "slowed",
        stretch_at(theirs.frame_time, (0, len(theirs.frame_time))),
        stretch_at(ours.frame_time, (0, len(ours.frame_time))),
        measure="pace",
        level=round(pace, 3),
        threshold=round(1 + SAME_RATE if pace > 1 else 1 - SAME_RATE, 3),
    )


def _within(span: tuple[int, int], stretch: Stretch) -> bool:
    """Whether most of a span lies in a stretch that is reported already."""
    common = min(span[1], stretch.end) - max(span[0], stretch.start)
    return common > 0.5 * (span[1] - span[0])


def _shown_span(found: PictureFindings, part: Painted) -> tuple[int, int]:
    known = found.path[part.start : part.end]
    known = known[known >= 0]
    return (int(known.min()), int(known.max()) + 1) if len(known) else (part.start, part.end)


def _place(part: Painted) -> Place | None:
    """The rectangle around the blocks that differ; None for a clock's own picture."""
    if len(part.blocks) != SMALL_HEIGHT * SMALL_WIDTH:
        return None
    rows, columns = np.nonzero(part.blocks.reshape(SMALL_HEIGHT, SMALL_WIDTH))
    if not len(rows):
        return None
    return Place(
        round(float(columns.min()) / SMALL_WIDTH, 4),
        round(float(rows.min()) / SMALL_HEIGHT, 4),
        round((float(columns.max()) + 1) / SMALL_WIDTH, 4),
        round((float(rows.max()) + 1) / SMALL_HEIGHT, 4),
    )


def _change(change: Change, ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> Difference:
    def from_ours(span: tuple[int, int] | None) -> Stretch | None:
        return None if span is None else stretch_at(ours, span)

    return Difference(
        kind=change.kind,
        copy=stretch_at(theirs, change.copy),
        original=from_ours(change.original),
        from_original=from_ours(change.from_original),
    )


def _heard(
    ours: Fingerprints,
    theirs: Fingerprints,
    pictures: list[Difference],
    thresholds: Thresholds,
    notes: list[str],
) -> list[Difference]:
    """Differences of the sound that those of the pictures do not explain."""
    if not len(ours.sound_hash):
        return _added_sound(theirs, notes)
    if not len(theirs.sound_hash):
        return [_whole_sound("sound_missing", theirs)]
    found = locate_sound(
        ours.sound_band, theirs.sound_band, thresholds.sound, thresholds.shortest_sound
    )
    if found is None:
        notes.append("sound not comparable")
        return []
    listed = _sound_differences(found, ours, theirs, thresholds)
    return [item for item in listed if not _explained(item, pictures)]


def _sound_differences(
    found: SoundFindings, ours: Fingerprints, theirs: Fingerprints, thresholds: Thresholds
) -> list[Difference]:
    hop = round(HOP_S * 1e6)
    our_times = np.arange(len(ours.sound_band), dtype=np.int64) * hop + ours.sound_start
    their_times = np.arange(len(theirs.sound_band), dtype=np.int64) * hop + theirs.sound_start
    listed = [
        replace(
            _change(change, our_times, their_times),
            kind=SOUND_KINDS.get(change.kind, "sound_replaced"),
            measure="length_sound_steps",
            level=float(change.length),
            threshold=float(thresholds.shortest_sound),
        )
        for change in found.changes
    ]
    listed += [
        Difference(
            "sound_muted" if part.silent else "sound_replaced",
            stretch_at(their_times, (part.start, part.end)),
            measure="sound_residual",
            level=round(part.peak, 2),
            threshold=thresholds.sound,
        )
        for part in found.stretches
    ]
    return listed


def _explained(item: Difference, pictures: list[Difference]) -> bool:
    return any(
        picture.kind != "painted"
        and item.copy.start_s <= picture.copy.end_s + EXPLAINED_S
        and item.copy.end_s >= picture.copy.start_s - EXPLAINED_S
        for picture in pictures
    )


def clock_place(clock: Sequence[int]) -> Place | None:
    """A clock's box as a place; None where there is none."""
    return Place(*(side / SHARE_UNITS for side in clock)) if clock else None
