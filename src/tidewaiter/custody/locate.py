"""Compare a copy with an original by their manifests: is it unchanged or altered, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.differences import Comparison, Difference, Place, Stretch
from tidewaiter.custody.locate_exact import exact_changes, keys_of, shared_share
from tidewaiter.custody.locate_pictures import (
    SAME_RATE,
    PictureFindings,
    PictureThresholds,
    locate_pictures,
)
from tidewaiter.custody.locate_sound import SoundFindings, locate_sound
from tidewaiter.custody.manifest import Manifest
from tidewaiter.custody.masks import Mask
from tidewaiter.custody.painted import Painted
from tidewaiter.custody.runs import Change
from tidewaiter.custody.thresholds import Thresholds, shipped_thresholds
from tidewaiter.traces.fingerprints import (
    NO_TIME,
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
TIME_SLACK = 0.25
"""Share of a frame's time by which containers may round it."""
LEAST_TIME_SLACK = 2_000
"""Microseconds; Matroska rounds to whole milliseconds."""
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

    With `masks` (redaction) pictures may differ inside them. Material without fingerprints is
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
    if share >= SHARED_SHARE:
        found = [*_exact_pictures(ours, theirs), *_exact_sound(original, copy)]
        return _verdict(original, copy, "remuxed", found, notes, thresholds)
    limits = PictureThresholds(thresholds.picture, thresholds.clock, thresholds.shortest)
    pictures = locate_pictures(ours, theirs, limits, masks)
    found = _seen(pictures, ours, theirs, limits)
    if pictures.window is not None:
        notes.append("cropped")
    if not pictures.same_rate:
        notes.append("another frame rate")
    elif pictures.pace != 1.0:
        found.append(_paced(pictures.pace, ours, theirs))
    found += _heard(original, copy, found, thresholds, notes)
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
    if unknown:
        verdict = "cannot_tell"
    elif found:
        verdict = "altered"
    else:
        verdict = "transcoded" if carrier == "re_encoded" else "unchanged"
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
    return notes


def _exact_pictures(ours: Fingerprints, theirs: Fingerprints) -> list[Difference]:
    """Differences of coded pictures, in their order of decoding, with times of showing."""
    our_times, their_times = _shown(ours), _shown(theirs)
    found = [
        Difference(
            kind=change.kind,
            copy=_at(their_times, change.copy),
            original=None if change.original is None else _at(our_times, change.original),
            from_original=(
                None if change.from_original is None else _at(our_times, change.from_original)
            ),
            exact=True,
        )
        for change in exact_changes(keys_of(ours.picture_hash), keys_of(theirs.picture_hash))
    ]
    if not found and len(our_times) == len(their_times):
        found += _retimed(our_times, their_times)
    return found


def _shown(prints: Fingerprints) -> NDArray[np.int64]:
    """When each coded picture is shown, from the first; decoding times where none is given."""
    times = prints.picture_pts
    if (times == NO_TIME).any():
        times = prints.picture_dts
    if not len(times) or (times == NO_TIME).any():
        return np.arange(len(times), dtype=np.int64) * 40_000
    from_zero: NDArray[np.int64] = times - times.min()
    return from_zero


def _retimed(ours: NDArray[np.int64], theirs: NDArray[np.int64]) -> list[Difference]:
    """The same pictures shown at other times: sped up, slowed or held."""
    if len(ours) < 2:
        return []
    usual = float(np.median(np.diff(np.sort(ours))))
    slack = max(LEAST_TIME_SLACK, TIME_SLACK * usual)
    order = np.argsort(ours, kind="stable")
    off = np.abs(np.diff(theirs[order]) - np.diff(ours[order])) > slack
    if not off.any():
        return []
    places = np.flatnonzero(off)
    start, end = int(places[0]), int(places[-1]) + 2
    stretch, source = _at(theirs[order], (start, end)), _at(ours[order], (start, end))
    return [Difference("retimed", stretch, source, exact=True)]


def _exact_sound(original: Manifest, copy: Manifest) -> list[Difference]:
    ours, theirs = original.prints, copy.prints
    assert ours is not None
    assert theirs is not None
    if not len(ours.sound_hash):
        return []
    if not len(theirs.sound_hash):
        return [_missing_sound(theirs)]
    keys, others = keys_of(ours.sound_hash), keys_of(theirs.sound_hash)
    if shared_share(keys, others) < SHARED_SHARE:
        thresholds = shipped_thresholds()
        return _heard(original, copy, [], thresholds, [])
    our_times, their_times = _from_zero(ours.sound_pts), _from_zero(theirs.sound_pts)
    return [
        Difference(
            kind=SOUND_KINDS.get(change.kind, "sound_replaced"),
            copy=_at(their_times, change.copy),
            original=None if change.original is None else _at(our_times, change.original),
            exact=True,
        )
        for change in exact_changes(keys, others)
    ]


def _missing_sound(theirs: Fingerprints) -> Difference:
    return Difference("sound_missing", _at(theirs.frame_time, (0, len(theirs.frame_time))))


def _from_zero(times: NDArray[np.int64]) -> NDArray[np.int64]:
    return times - times.min() if len(times) and (times != NO_TIME).all() else times * 0


def _at(times: NDArray[np.int64], span: tuple[int, int]) -> Stretch:
    """A span of places with its times; the end is when its last one ends."""
    if not len(times):
        return Stretch(*span, 0.0, 0.0)
    usual = float(np.median(np.diff(np.sort(times)))) if len(times) > 1 else 40_000.0

    def when(place: int) -> float:
        return float(times[place]) if place < len(times) else float(times.max()) + usual

    start_s, end_s = when(span[0]) / 1e6, when(span[1]) / 1e6
    if span[1] > span[0]:
        part = times[span[0] : span[1]]
        start_s, end_s = float(part.min()) / 1e6, (float(part.max()) + usual) / 1e6
    return Stretch(span[0], span[1], round(start_s, 6), round(end_s, 6))


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
                _at(theirs.frame_time, (part.start, part.end)),
                _at(ours.frame_time, _shown_span(found, part)),
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
        _at(theirs.frame_time, (0, len(theirs.frame_time))),
        _at(ours.frame_time, (0, len(ours.frame_time))),
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
        return None if span is None else _at(ours, span)

    return Difference(
        kind=change.kind,
        copy=_at(theirs, change.copy),
        original=from_ours(change.original),
        from_original=from_ours(change.from_original),
    )


def _heard(
    original: Manifest,
    copy: Manifest,
    pictures: list[Difference],
    thresholds: Thresholds,
    notes: list[str],
) -> list[Difference]:
    """Differences of the sound that those of the pictures do not explain."""
    ours, theirs = original.prints, copy.prints
    assert ours is not None
    assert theirs is not None
    if not len(ours.sound_band):
        return []
    if not len(theirs.sound_band):
        return [_missing_sound(theirs)]
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
            _at(their_times, (part.start, part.end)),
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
