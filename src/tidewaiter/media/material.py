"""The opened forms of an exhibit: a picture in memory, a video to be played once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tidewaiter.vocabulary import Exhibit

Pixels = NDArray[np.uint8]
"""H x W x 3, RGB."""
Plane = NDArray[np.float32]
"""H x W."""


@dataclass(frozen=True)
class Picture:
    """A still picture, decoded once.

    `rgb` holds the pixels as stored: no rotation, no colour-profile conversion, so that
    traces of compression stay where they were. `orientation` is the EXIF value 1..8;
    `upright` applies it, for locating faces and for showing. `data` is the file itself.
    """

    exhibit: Exhibit
    data: bytes
    format: str
    rgb: Pixels
    orientation: int = 1

    @cached_property
    def luma(self) -> Plane:
        """Y of ITU-R BT.601, 0..255, float32, not rounded."""
        red, green, blue = (self.rgb[..., i].astype(np.float32) for i in range(3))
        luma: Plane = 0.299 * red + 0.587 * green + 0.114 * blue
        return luma

    @cached_property
    def upright(self) -> Pixels:
        """The pixels as a person should see them."""
        turned = self.rgb
        if self.orientation in (2, 4, 5, 7):
            turned = turned[:, ::-1]
        quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(self.orientation, 0)
        return np.ascontiguousarray(np.rot90(turned, quarter_turns))


@dataclass(frozen=True)
class Packet:
    """One compressed frame as it lies in the file; times in seconds, None if missing."""

    byte_length: int
    key: bool
    pts_s: float | None
    dts_s: float | None
    corrupt: bool = False


class Frame(Protocol):
    """One decoded frame, valid only while it is being fed; nothing may keep it.

    `time_s` counts from the first frame; where the file has no time stamp it is
    continued from the nominal rate and `time_guessed` is true. `shared` is a scratch
    pad on which traces leave results for later traces of the same frame. `width` and
    `height` are those of the upright frame, as are the exhibit's.
    """

    index: int
    time_s: float
    time_guessed: bool
    key: bool
    picture_type: str
    width: int
    height: int
    shared: dict[str, Any]

    def thumbnail(self, height: int = 180) -> Pixels:
        """The upright frame scaled to `height` rows (or its own, if fewer), RGB; cached."""
        ...

    def luma_thumbnail(self, height: int = 180) -> NDArray[np.uint8]:
        """The luma plane scaled to `height` rows, not rotated; cached."""
        ...

    def crop(self, corners: NDArray[np.float32], width: int, height: int) -> Pixels:
        """The quadrilateral `corners` warped to width x height, RGB; no whole-frame conversion.

        Corners are pixel centres in upright coordinates, 3 x 2: top left, top right, bottom
        left. Beyond the frame its border pixels are repeated.
        """
        ...

    def rgb(self) -> Pixels:
        """The whole upright frame in RGB; slow, cached."""
        ...


class Video(Protocol):
    """A video, to be played once from start to end in bounded memory."""

    exhibit: Exhibit
    codec: str
    pixel_format: str
    nominal_fps: float | None
    rotation_degrees: int
    path: str

    def play(self) -> Iterator[Packet | Frame]:
        """Every packet of the examined stream and every frame, in one decode.

        Packets come in file order, frames in display order. Raises CorruptMedia or
        LimitExceeded when the stream does not keep its promises.
        """
        ...


@dataclass(frozen=True)
class Unexamined:
    """Material recognised but not examined yet: sound and documents."""

    exhibit: Exhibit
    what: str = field(default="")


Media = Picture | Video | Unexamined
