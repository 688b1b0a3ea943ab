"""Put a stand-in together: the embedded recogniser behind a service's words, on loopback.

What it is sent is opened, and its faces embedded, in a limited process that may be killed;
the server's own process sees bytes and numbers only.
"""

from __future__ import annotations

import base64
import io
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tidewaiter.face_audit.embedding import (
    Known,
    Template,
    bytes_of,
    decoded,
    dlib_embedder,
    template_of,
)
from tidewaiter.face_audit.service import Picture
from tidewaiter.face_audit.stand_in.faces import OPENING
from tidewaiter.face_audit.stand_in.faults import shares_of
from tidewaiter.face_audit.stand_in.shapes import stand_in
from tidewaiter.face_audit.stand_in.standing_in import Script
from tidewaiter.jobs.attendant import Attendant
from tidewaiter.outlets.stand_in_server import serving
from tidewaiter.wiring import error_named

LOOKER = "tidewaiter.wiring_stand_in:look"
# A few kilobytes each; a trial asks of each of its pictures two or three times.
MOST_REMEMBERED = 1000
# Width and height of the plain picture by which a new process shows that it can open one.
PLAIN = (64, 64)


@dataclass(frozen=True)
class Standing:
    """A stand-in at work: where, and what it has billed so far by trial id."""

    address: str
    bill: Callable[[], dict[str, int]]


@contextmanager
def standing_in(  # noqa: PLR0913 - one keyword per choice of the command
    adapter: str,
    *,
    port: int = 0,
    faults: tuple[str, ...] = (),
    seed: int = 1,
    slow_s: float = 2.0,
    approved: bool = True,
    looker: str = LOOKER,
) -> Iterator[Standing]:
    """Serve a stand-in within the block; `looker` is what opens pictures, "module:function".

    Raises ConfigurationError for faults that are none or a port that is taken,
    MissingWeights where the embedded recogniser is not installed.
    """
    script = Script(shares_of(faults), seed, slow_s)
    with opener(looker) as attendant:
        attendant.start()
        made = stand_in(adapter, LimitedLooking(attendant), script, approved=approved)
        with serving(made, port=port) as address:
            yield Standing(address, lambda: made.bill)


def opener(looker: str = LOOKER) -> Attendant:
    """The limited process that opens pictures; MissingWeights once it is started without."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", PLAIN).save(file, "PNG")
    return Attendant(looker, OPENING, error_named, first=file.getvalue())


class LimitedLooking:
    """Faces of pictures as a limited process finds them; each picture is opened there once."""

    def __init__(self, attendant: Attendant) -> None:
        self._attendant = attendant
        self._looked: OrderedDict[str, tuple[Known, Template | None]] = OrderedDict()

    def known(self, picture: Picture) -> Known:
        """Size and face of the picture."""
        return self._look(picture)[0]

    def template(self, picture: Picture) -> Template | None:
        """The largest face's embedding; None where no face is found."""
        return self._look(picture)[1]

    def _look(self, picture: Picture) -> tuple[Known, Template | None]:
        if picture.sha256 not in self._looked:
            said = self._attendant.ask(picture.content)
            template = template_of(base64.b64decode(said["template"]))
            known = Known(said["width"], said["height"], template.box if template else None)
            self._looked[picture.sha256] = known, template
            if len(self._looked) > MOST_REMEMBERED:
                self._looked.popitem(last=False)
        return self._looked[picture.sha256]


def look(content: bytes) -> dict[str, Any]:
    """Open one picture and embed its largest face, in the limited process."""
    pixels = decoded(Picture("picture", content), OPENING)
    template = dlib_embedder().embed(pixels)
    return {
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "template": base64.b64encode(bytes_of(template)).decode(),
    }
