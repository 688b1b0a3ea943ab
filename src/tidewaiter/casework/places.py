"""Pictures of the places where two recordings differ, drawn from the recordings themselves."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tidewaiter.custody.differences import Difference, Place, Stretch
from tidewaiter.custody.manifest import Manifest
from tidewaiter.media import Packet
from tidewaiter.media.recording import open_recording
from tidewaiter.settings import Limits
from tidewaiter.traces.fingerprints import SMALL_STEPS

MOST_PICTURES = 12
"""Differences that get pictures; each keeps the page some 60 kB larger."""
ROWS = 270
FRAME = (255, 64, 0)
FRAME_WIDTH = 3


def wanted_times(differences: Sequence[Difference], *, of_copy: bool) -> dict[int, float]:
    """When to look, in seconds, for each of the first differences of pictures."""
    times: dict[int, float] = {}
    for index, item in enumerate(differences):
        if item.kind.startswith("sound") or len(times) >= MOST_PICTURES:
            continue
        stretch = item.copy if of_copy else (item.original or item.from_original)
        if stretch is not None:
            times[index] = _middle(stretch)
    return times


def pictures_at(
    path: Path, times: dict[int, float], places: dict[int, Place | None], limits: Limits
) -> dict[int, bytes]:
    """JPEGs of a recording at these times, the places framed; run it in a worker."""
    waiting = sorted(times, key=lambda index: times[index])
    found: dict[int, bytes] = {}
    last: NDArray[np.uint8] | None = None
    recording = open_recording(path, limits)
    for item in recording.play():
        if isinstance(item, Packet):
            continue
        while waiting and times[waiting[0]] <= item.time_s + 1e-3:
            found[waiting[0]] = _jpeg(item.thumbnail(ROWS), places.get(waiting[0]))
            waiting.pop(0)
        if not waiting:
            break
        if times[waiting[-1]] > item.time_s:
            last = item.thumbnail(ROWS)
    for index in waiting:
        if last is not None:
            found[index] = _jpeg(last, places.get(index))
    return found


def pictures_in(
    manifest: Manifest, times: dict[int, float], places: dict[int, Place | None]
) -> dict[int, bytes]:
    """Small pictures of a manifest, enlarged, where the recording itself is not at hand."""
    prints = manifest.prints
    if prints is None:
        return {}
    frames = {i: int(abs(prints.frame_time - time * 1e6).argmin()) for i, time in times.items()}
    return {i: _enlarged(prints.small[frame], places.get(i)) for i, frame in frames.items()}


def _enlarged(small: NDArray[np.uint16], place: Place | None) -> bytes:
    import cv2

    grey = np.clip(small / SMALL_STEPS, 0, 255).astype(np.uint8)
    size = (ROWS * grey.shape[1] // grey.shape[0], ROWS)
    large = cv2.resize(grey, size, interpolation=cv2.INTER_CUBIC)
    return _jpeg(np.repeat(large[..., None], 3, axis=2), place)


def _middle(stretch: Stretch) -> float:
    return (stretch.start_s + stretch.end_s) / 2


def _jpeg(rgb: NDArray[np.uint8], place: Place | None) -> bytes:
    from PIL import Image

    drawn = rgb.copy()
    if place is not None:
        height, width = drawn.shape[:2]
        left, right = (round(side * (width - 1)) for side in (place.left, place.right))
        top, bottom = (round(side * (height - 1)) for side in (place.top, place.bottom))
        for start, end in ((top, top + FRAME_WIDTH), (bottom - FRAME_WIDTH + 1, bottom + 1)):
            drawn[max(start, 0) : end, left : right + 1] = FRAME
        for start, end in ((left, left + FRAME_WIDTH), (right - FRAME_WIDTH + 1, right + 1)):
            drawn[top : bottom + 1, max(start, 0) : end] = FRAME
    written = io.BytesIO()
    Image.fromarray(drawn).save(written, "JPEG", quality=80)
    return written.getvalue()
