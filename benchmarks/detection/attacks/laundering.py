"""Plain laundering: what anybody does with a picture program, without any knowledge of cues."""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.detection.attacks.views import Pixels
from recipes.face_laundering import LAUNDERINGS as WAYS
from recipes.face_laundering import SAVED_QUALITY, scaled
from tidewaiter.forgeries.pictures import jpeg_bytes


def halved_and_doubled(rgb: Pixels) -> bytes:
    """Half the size and back to (nearly) the old one, then JPEG 90."""
    return jpeg_bytes(scaled(scaled(rgb, 0.5), 2.0), SAVED_QUALITY)


TAKEN = ("blur", "noise", "jpeg 50", "jpeg 30", "screenshot", "messenger")
LAUNDERINGS: dict[str, Callable[[Pixels], bytes]] = {
    **{name: WAYS[name] for name in TAKEN},
    "half size and back": halved_and_doubled,
}
"""What a file goes through, by the name in the tables."""
