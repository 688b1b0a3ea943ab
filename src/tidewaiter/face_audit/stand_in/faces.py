"""The stand-in's faces: decoded under limits, embedded, compared on one published scale."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tidewaiter.errors import ExaminationError, InputError
from tidewaiter.face_audit.embedding import Known, Template, distance
from tidewaiter.face_audit.fitness import unfit
from tidewaiter.face_audit.service import Limits, Outcome, Picture
from tidewaiter.settings import MIB
from tidewaiter.settings import Limits as OpeningLimits

# Similarity is 1 / (1 + exp((d - MIDDLE) / WIDTH)) of the distance d: a half at the distance
# that users of dlib accept by default; 0.8 lies at d = 0.517.
MIDDLE = 0.6
WIDTH = 0.06
DECIMALS = 7
# A stand-in opens what strangers send it: as large as the largest picture a service takes.
OPENING = OpeningLimits(
    max_pixels=50_000_000, max_side=20_000, max_wall_s=20.0, max_memory_bytes=1024 * MIB
)


class Looking(Protocol):
    """Opens a picture and finds its largest face; InputError where it cannot be opened."""

    def known(self, picture: Picture) -> Known:
        """Size and face of the picture."""

    def template(self, picture: Picture) -> Template | None:
        """The largest face's embedding; None where no face is found."""


@dataclass(frozen=True)
class Face:
    """A face the stand-in found: its picture's size and its template."""

    width: int
    height: int
    template: Template

    @property
    def box(self) -> Mapping[str, int]:
        """Left, top, width and height in whole pixels."""
        box = self.template.box
        return {
            "left": round(box.left),
            "top": round(box.top),
            "width": round(box.width),
            "height": round(box.height),
        }


class Unfit(Exception):
    """The picture breaks a limit; `code` is that of `fitness.unfit`, or "unreadable"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Faces:
    """Finds faces within a service's limits, and keeps galleries of them."""

    def __init__(self, looking: Looking, limits: Limits) -> None:
        self._looking, self._limits = looking, limits

    def face(self, content: bytes) -> Face | None:
        """The largest face; None where none is found or it is below the limit.

        Raises Unfit for a picture that the service would refuse.
        """
        picture = Picture("picture", content)
        try:
            found = unfit(picture, self._limits, self._known)
            if found is not None and found.outcome is not Outcome.TOO_SMALL:
                raise Unfit(found.service_code)
            template = None if found else self._looking.template(picture)
            known = self._known(picture)
        except (InputError, ExaminationError):
            raise Unfit("unreadable") from None
        return None if template is None else Face(known.width, known.height, template)

    def _known(self, picture: Picture) -> Known:
        return self._looking.known(picture)


def similarity(one: Face, other: Face) -> float:
    """Similarity of two faces, 0 to 1."""
    exponent = (distance(one.template, other.template) - MIDDLE) / WIDTH
    return round(1 / (1 + math.exp(min(exponent, 700.0))), DECIMALS)


def ranked(probe: Face, gallery: Mapping[str, list[Face]]) -> list[tuple[str, float]]:
    """Every identity of the gallery with the similarity of its nearest face, best first."""
    best = [
        (name, max(similarity(probe, face) for face in faces))
        for name, faces in gallery.items()
        if faces
    ]
    return sorted(best, key=lambda pair: (-pair[1], pair[0]))


def as_box(face: Face) -> dict[str, Any]:
    """The box as shares of the picture, as Rekognition gives it."""
    box = face.box
    return {
        "Left": box["left"] / face.width,
        "Top": box["top"] / face.height,
        "Width": box["width"] / face.width,
        "Height": box["height"] / face.height,
    }
