"""Check a picture against a service's limits before anything is sent or paid."""

from __future__ import annotations

from collections.abc import Callable

from tidewaiter.face_audit.embedding import Known
from tidewaiter.face_audit.service import Limits, Outcome, Picture, Reply
from tidewaiter.media.sniffing import HEAD_BYTES, identify, shown_name

Knowing = Callable[[Picture], Known]
"""Gives the size and the face of a picture, located on this machine."""


def unfit(picture: Picture, limits: Limits, knowing: Knowing) -> Reply | None:
    """Why the service would not take this picture; None where nothing speaks against it.

    A face that is not found here is sent nevertheless: whether there is one is for the
    service to say. Raises InputError subclasses where the picture cannot be decoded.
    """
    code = _wrong_form(picture, limits)
    if code:
        return Reply(Outcome.REFUSED, service_code=code)
    known = knowing(picture)
    if min(known.width, known.height) < limits.least_side_px:
        return Reply(Outcome.REFUSED, service_code="picture-too-small")
    if known.box and min(known.box.width, known.box.height) < least_face_px(known, limits):
        return Reply(Outcome.TOO_SMALL, service_code="face-too-small")
    return None


def first_unfit(limits: Limits, knowing: Knowing, *pictures: Picture) -> Reply | None:
    """The first reason why the service would not take one of the pictures, or None."""
    found = (unfit(picture, limits, knowing) for picture in pictures)
    return next((reply for reply in found if reply is not None), None)


def least_face_px(known: Known, limits: Limits) -> float:
    """Shorter side of the smallest face the service takes in a picture of that size."""
    if limits.face_reference_px is None:
        return limits.least_face_px
    long, short = max(limits.face_reference_px), min(limits.face_reference_px)
    wide, high = max(known.width, known.height), min(known.width, known.height)
    return limits.least_face_px * max(wide / long, high / short, 1.0)


def _wrong_form(picture: Picture, limits: Limits) -> str:
    length = len(picture.content)
    if length < limits.least_bytes:
        return "file-too-small"
    if limits.most_bytes is not None and length > limits.most_bytes:
        return "file-too-large"
    media_type = identify(picture.content[:HEAD_BYTES], shown_name(picture.name)).media_type
    if limits.media_types is not None and media_type not in limits.media_types:
        return "format-not-taken"
    return ""
