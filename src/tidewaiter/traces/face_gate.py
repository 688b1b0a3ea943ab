"""What a gate's network says of a picture: every face counts, however it was taken."""

from __future__ import annotations

from functools import partial

from tidewaiter.media import Picture
from tidewaiter.traces.base import Traces
from tidewaiter.traces.face_crop import face_view
from tidewaiter.traces.face_geometry import cut_repeating
from tidewaiter.traces.face_network import ask_twice
from tidewaiter.traces.faces import FacesInPicture, PictureFaces
from tidewaiter.vocabulary import MediaKind
from tidewaiter.weights.own import OwnNetwork


def gate_scores(picture: Picture, *networks: OwnNetwork) -> tuple[float, ...] | None:
    """The mean logit of two looks at the largest face, of each network; None without a face.

    An examination declines where a face is blurred, turned away or answered unsteadily. A
    gate may not: whoever attacks would present just that. What honest travellers at its
    camera look like is in the cut that is fitted to them.
    """
    found = FacesInPicture().measure(picture, Traces(MediaKind.PICTURE, {}))
    if not isinstance(found, PictureFaces) or not found.faces:
        return None
    view, _ = face_view(partial(cut_repeating, picture.upright), found.faces[0].points)
    return tuple(ask_twice(view, network)[0].score for network in networks)
