"""Single frames of a video, for showing."""

from __future__ import annotations

from collections.abc import Iterable

from tidewaiter.media.material import Packet, Pixels, Video

TOLERANCE_S = 0.005
"""A frame counts as shown at a time from this long before its own time stamp."""


def frames_at(video: Video, times_s: Iterable[float]) -> dict[float, Pixels]:
    """The upright frame shown at each time in seconds, RGB; times after the end are left out.

    Decodes up to the last of the times, never further.
    """
    wanted = sorted(set(times_s))
    found: dict[float, Pixels] = {}
    for item in video.play():
        if not wanted:
            break
        if isinstance(item, Packet):
            continue
        while wanted and item.time_s >= wanted[0] - TOLERANCE_S:
            found[wanted.pop(0)] = item.rgb().copy()
    return found
