"""Every shape the stand-in can take."""

from __future__ import annotations

from tidewaiter.face_audit.stand_in.azure import AzureShape
from tidewaiter.face_audit.stand_in.compreface import ComprefaceShape
from tidewaiter.face_audit.stand_in.faces import Looking
from tidewaiter.face_audit.stand_in.rekognition import RekognitionShape
from tidewaiter.face_audit.stand_in.standing_in import Script, Shape, StandIn

SHAPES = ("rekognition", "azure", "compreface")


def stand_in(
    adapter: str, looking: Looking, script: Script | None = None, *, approved: bool = True
) -> StandIn:
    """A stand-in that answers the adapter of that name; `approved` matters to azure only."""
    shapes: dict[str, Shape] = {
        "rekognition": RekognitionShape(looking),
        "azure": AzureShape(looking, approved=approved),
        "compreface": ComprefaceShape(looking),
    }
    return StandIn(shapes[adapter], script)
