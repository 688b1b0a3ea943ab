"""Pictures of known truth on which two networks are tried: forgeries of hosts, shipped alike."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.faces import SPECIES, Face
from tidewaiter.forgeries.pictures import jpeg_bytes
from tidewaiter.media.material import Pixels
from tidewaiter.training.clips import still_clip

FAMILIES = ("morph", "reenactment", "retouch", "swap")
"""Families of own forgeries that count as manipulated faces; a replay is another question."""
GATE_FAMILIES = ("morph", "recapture", "reenactment", "swap")
"""What a gate is to stop: a replay is as good an attack as an altered face, and who is retouched
remains who he is."""
LEFT_OUT = 2
# Donors that do not fit the host are replaced, so many times.
DONORS_TRIED = 8
SAVED_QUALITY = 92
CLIP = "clip"
"""The way of a picture that is shown as a short video."""


PictureWithMesh = tuple[Pixels, NDArray[np.float32]]
"""An upright picture and the 468 x 2 points of a face in it."""


@dataclass(frozen=True)
class Trial:
    """One picture as a file; `family` names its kind of attack, "" a genuine one.

    `way` names the re-shipping.
    """

    family: str
    way: str
    data: bytes


def kinds_of(families: Iterable[str], apart: Sequence[str] = ()) -> dict[str, tuple[str, ...]]:
    """Kinds of attack with their species: families, and each species of `apart` as one alone."""
    kinds = {family: _species_of(family, apart) for family in families}
    kinds |= {name: (name,) for name in apart if name in SPECIES}
    return {name: species for name, species in kinds.items() if species}


def left_out_families(key: str) -> tuple[str, ...]:
    """The families kept for validation: another two for another key, the same for the same."""
    choices = list(combinations(FAMILIES, LEFT_OUT))
    return choices[_number(key) % len(choices)]


def trials(
    host: PictureWithMesh,
    donors: Sequence[PictureWithMesh],
    kinds: Mapping[str, Sequence[str]],
    seed: int,
    *,
    clip: bool = False,
    ways: Iterable[str] = (),
) -> Iterator[Trial]:
    """The host as it is, and a forgery of it of each kind, all in every way of shipping.

    `kinds` are those of `kinds_of`, `ways` some of WAYS, else all. A kind is left out where no
    donor fits. With `clip` the host and one of the forgeries come as short videos, too.
    """
    members = {"": host[0]}
    faces = [Face(*donor) for donor in donors]
    for kind, names in kinds.items():
        rng = np.random.default_rng([seed, _number(kind)])
        forged = _forged(Face(*host), faces, names, rng)
        if forged is not None:
            members[kind] = forged
    for kind, pixels in members.items():
        for way in ways or WAYS:
            yield Trial(kind, way, WAYS[way](pixels))
    made = sorted(members.keys() - {""})
    if clip:
        for kind in ("", *made[seed % len(made) :][:1]) if made else ("",):
            yield Trial(kind, CLIP, still_clip(members[kind], seed))


def _species_of(family: str, apart: Container[str]) -> tuple[str, ...]:
    own = (name for name, species in SPECIES.items() if species.family == family)
    return tuple(sorted(name for name in own if name not in apart))


def _forged(
    host: Face, donors: Sequence[Face], names: Sequence[str], rng: np.random.Generator
) -> Pixels | None:
    for _ in range(DONORS_TRIED):
        species = SPECIES[names[int(rng.integers(len(names)))]]
        if species.uses_donor and not donors:
            continue
        donor = donors[int(rng.integers(len(donors)))] if species.uses_donor else host
        try:
            return species.make(host, donor, rng).pixels
        except UnfitFaces:
            continue
    return None


def _number(key: str) -> int:
    return int(hashlib.sha256(key.encode()).hexdigest()[:12], 16)


def _half_size(pixels: Pixels) -> bytes:
    import cv2

    size = (max(pixels.shape[1] // 2, 16), max(pixels.shape[0] // 2, 16))
    return jpeg_bytes(
        np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8), 80
    )


def _h264_frame(pixels: Pixels) -> bytes:
    """The picture as the first frame of an H.264 video holds it."""
    import av

    even = np.ascontiguousarray(pixels[: pixels.shape[0] // 2 * 2, : pixels.shape[1] // 2 * 2])
    coder = av.CodecContext.create("libx264", "w")
    coder.height, coder.width = even.shape[:2]
    coder.pix_fmt, coder.time_base, coder.thread_count = "yuv420p", Fraction(1, 25), 1
    coder.options = {"crf": "30", "preset": "fast"}
    frame = av.VideoFrame.from_ndarray(even, format="rgb24")
    packets = [*coder.encode(frame), *coder.encode(None)]
    reader = av.CodecContext.create("h264", "r")
    frames = [found for packet in packets for found in reader.decode(packet)]
    frames += reader.decode(None)
    return jpeg_bytes(np.asarray(frames[0].to_ndarray(format="rgb24"), np.uint8), SAVED_QUALITY)


SAVED = "saved"
WAYS: dict[str, Callable[[Pixels], bytes]] = {
    SAVED: lambda pixels: jpeg_bytes(pixels, SAVED_QUALITY),
    "jpeg 50": lambda pixels: jpeg_bytes(pixels, 50),
    "half size": _half_size,
    "h264 crf 30": _h264_frame,
}
"""What genuine and forged pictures go through alike before both networks see them."""
