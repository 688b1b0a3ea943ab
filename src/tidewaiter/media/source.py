"""Where an exhibit's bytes lie and what they were found to be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tidewaiter.errors import LimitExceeded
from tidewaiter.media.sniffing import Identity
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import Exhibit, Text


@dataclass(frozen=True)
class Source:
    """A file that was read once: place, name to show, length, SHA-256 and identity.

    `state` is what the file system said then, to notice a file that is replaced between
    digest and decoding.
    """

    path: Path
    shown: str
    byte_length: int
    sha256: str
    identity: Identity
    state: tuple[int, int, int, int] | None = None

    def exhibit(
        self,
        *,
        width: int | None = None,
        height: int | None = None,
        duration_s: float | None = None,
        notes: Sequence[Text] = (),
    ) -> Exhibit:
        """The exhibit of this file; sizes in pixels, as far as they are known."""
        return Exhibit(
            sha256=self.sha256,
            byte_length=self.byte_length,
            name=self.shown,
            kind=self.identity.kind,
            media_type=self.identity.media_type,
            width=width,
            height=height,
            duration_s=duration_s,
            notes=tuple(notes),
        )


def check_dimensions(width: int, height: int, limits: Limits, shown: str) -> None:
    """Refuse absurd dimensions by name; call it before anything is allocated."""
    if max(width, height) > limits.max_side:
        raise LimitExceeded(
            f"{shown}: found {width} × {height} pixels; a side may have at most "
            f"{limits.max_side}. Raise limits.max_side in the settings to examine it."
        )
    if width * height > limits.max_pixels:
        raise LimitExceeded(
            f"{shown}: found {width * height} pixels ({width} × {height}); at most "
            f"{limits.max_pixels} are allowed. Raise limits.max_pixels in the settings."
        )
