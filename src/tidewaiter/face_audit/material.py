"""The pictures of an audit: listed photos as they are, faces in them, and forgeries of them."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from tidewaiter import media
from tidewaiter.errors import IntegrityError, MissingWeights, UnfitFaces, UnsupportedMedia
from tidewaiter.face_audit.keeping import Store
from tidewaiter.face_audit.people import Photo
from tidewaiter.face_audit.protocol import Capture
from tidewaiter.face_audit.service import Picture, Recogniser
from tidewaiter.face_audit.trials import Closeness, Probe
from tidewaiter.forgeries.face_marking import saved_as_jpeg, unmarked
from tidewaiter.forgeries.faces import Face, forged, marked
from tidewaiter.media.material import Pixels
from tidewaiter.settings import Limits
from tidewaiter.traces.base import Traces
from tidewaiter.traces.faces import FacesInPicture, PictureFaces
from tidewaiter.vocabulary import MediaKind

# Longest side of the copies that a virtual camera shows; cameras have 640 by 480.
VIEW_SIDE = 640
# Decoded faces held in memory; a pair needs two, neighbouring trials often the same.
FACES_HELD = 16
FACE, NO_FACE = b"yes", b"no"
"""What the store holds of a listed photo; anything else is a torn copy, and it is opened again."""

UNFIT = b"unfit: "
"""What the store holds where the two faces cannot be made into the forgery, with the reason."""


@dataclass(frozen=True)
class Shown:
    """A picture as presented, the listed files it was made from, and how long forging took."""

    picture: Picture
    made_from: tuple[str, ...]
    forging_ms: float | None = None


class Material:
    """The pictures below the folder of the list of people; forgeries are made once and kept."""

    def __init__(
        self, folder: Path, store: Store, limits: Limits, capture: Capture | None = None
    ) -> None:
        """With `capture` every probe is shown as a camera of that kind would deliver it."""
        self.folder, self.store, self.limits, self.capture = folder, store, limits, capture
        self._face = lru_cache(maxsize=FACES_HELD)(self._face_of)

    def photo(self, photo: Photo) -> Picture:
        """A listed photo. Raises IntegrityError where its bytes are not those listed."""
        content = (self.folder / photo.file).read_bytes()
        if hashlib.sha256(content).hexdigest() != photo.sha256:
            raise IntegrityError(
                f"the picture {photo.file!r} has changed since the audit began; restore it, or "
                "begin in a new folder"
            )
        return Picture(photo.file, content)

    def show(self, probe: Probe) -> Shown:
        """What a probe presents. Raises UnfitFaces where no pair of its photos can be forged."""
        if not probe.species:
            return Shown(self._as_captured(probe), (probe.host.file,))
        name = forgery_name(probe)
        content, origin = self.store.get(name), self.store.get(f"{name}.json")
        if content is None or origin is None:
            content, files, forging_ms = self._forged(probe)
            origin = json.dumps({"files": files, "forging_ms": forging_ms}).encode()
            self.store.put(f"{name}.json", origin)
            self.store.put(name, content)
        if content.startswith(UNFIT):
            raise UnfitFaces(content[len(UNFIT) :].decode("utf-8"))
        said = json.loads(origin)
        plain = self.capture is None
        picture = Picture(name, content) if plain else self._as_captured(probe, content)
        return Shown(picture, tuple(said["files"]), said["forging_ms"])

    def open(self, photo: Photo) -> None:
        """Open a listed photo, locate its face, keep what the audit needs to know of it.

        For a worker that may be killed: the file is from outside. Raises InputError and its
        kinds for a picture that cannot be opened.
        """
        self.photo(photo)
        try:
            found, answer = self._face(photo).pixels, FACE
        except UnfitFaces:
            found, answer = self._opened(photo).upright, NO_FACE
        self.store.put(_view_name(photo), _as_png(_reduced(found, VIEW_SIDE)))
        self.store.put(_face_name(photo), answer)

    def is_open(self, photo: Photo) -> bool:
        """Whether `open` has kept a photo, whole."""
        said = self.store.get(_face_name(photo))
        return said in (FACE, NO_FACE) and bool(self.store.get(_view_name(photo)))

    def has_face(self, photo: Photo) -> bool:
        """Whether the face mesh finds a face in a photo that was opened."""
        return self.store.get(_face_name(photo)) == FACE

    def small_copy(self, photo: Photo) -> Picture:
        """A photo that was opened as a PNG of ours, at most VIEW_SIDE on its longer side."""
        content = self.store.get(_view_name(photo))
        assert content is not None, "an audit opens every listed photo before anything else"
        return Picture(photo.file, content)

    def view(self, probe: Probe) -> Pixels:
        """RGB pixels of what a probe presents, from files of ours only.

        Listed photos come reduced to VIEW_SIDE. Raises UnfitFaces as `show`.
        """
        ours = probe.species or self.capture is not None
        return unmarked((self.show(probe).picture if ours else self.small_copy(probe.host)).content)

    def _as_captured(self, probe: Probe, forgery: bytes | None = None) -> Picture:
        """A forgery, else the listed photo, as the camera of the protocol saves it."""
        if self.capture is None:
            return self.photo(probe.host)
        name = f"shown-{self.capture.jpeg}-{probe.key[:32]}.jpg"
        content = self.store.get(name)
        if content is None:
            if forgery is None:
                self.photo(probe.host)
                pixels, note = self._opened(probe.host).upright, "saved anew"
            else:
                pixels, note = unmarked(forgery), f"forged: {probe.species}"
            content = saved_as_jpeg(pixels, self.capture.jpeg, note)
            self.store.put(name, content)
        return Picture(name, content)

    def _forged(self, probe: Probe) -> tuple[bytes, list[str], float | None]:
        """The first pair of photos that can be forged, or the reason why the last cannot.

        With the files it was made from and the milliseconds that forging took.
        """
        problem = ""
        for host, donor in probe.choices:
            try:
                face = self._face(host)
                other = self._face(donor) if donor else face
                started = time.perf_counter()
                forgery = forged(probe.species, face, other, probe.draw, share=probe.alpha)
            except UnfitFaces as error:
                problem = str(error)
                continue
            files = [photo.file for photo in (host, donor) if photo is not None]
            content = marked(forgery.pixels, probe.species, probe.draw)
            return content, files, round(1000 * (time.perf_counter() - started), 1)
        return UNFIT + problem.encode("utf-8"), [], None

    def _opened(self, photo: Photo) -> media.Picture:
        opened = media.open_media(self.folder / photo.file, self.limits, name=photo.file)
        if not isinstance(opened, media.Picture):
            raise UnsupportedMedia(f"{photo.file!r} is no picture; a PNG or JPEG is needed")
        return opened

    def _face_of(self, photo: Photo) -> Face:
        opened = self._opened(photo)
        obstacle = FacesInPicture.obstacle()
        if obstacle:
            raise MissingWeights(obstacle)
        found = FacesInPicture().measure(opened, Traces(MediaKind.PICTURE, {}))
        if not isinstance(found, PictureFaces) or not found.faces:
            raise UnfitFaces(f"{photo.file!r} shows no face; one is needed; take another picture")
        return Face(opened.upright, np.asarray(found.faces[0].points[:, :2], np.float32))


def forgery_name(probe: Probe) -> str:
    """The file of a forgery, by species and what it is made from."""
    return f"{probe.species}-{probe.key[:32]}.png"


def closeness_by(
    recogniser: Recogniser, material: Material, firsts: dict[str, Photo], store: Store
) -> Closeness:
    """How alike the first pictures of two people are to a recogniser that runs here.

    Kept between runs, under the digests of both pictures. Without a face in either
    picture a pair is the least alike of all.
    """

    def closeness(one: str, other: str) -> float:
        first, second = sorted((firsts[one], firsts[other]), key=lambda photo: photo.sha256)
        name = f"alike-{_digest((recogniser.card.adapter, first.sha256, second.sha256))}"
        known = store.get(name)
        if known is None:
            score = recogniser.compare(material.photo(first), material.photo(second)).score
            known = json.dumps(score).encode()
            store.put(name, known)
        value = json.loads(known)
        return float("-inf") if value is None else float(value)

    return closeness


def _reduced(pixels: Pixels, longest: int) -> Pixels:
    """The picture, no longer than that on either side."""
    import cv2

    scale = longest / max(pixels.shape[:2])
    if scale >= 1:
        return pixels
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def _as_png(pixels: Pixels) -> bytes:
    import cv2

    return cv2.imencode(".png", np.ascontiguousarray(pixels[..., ::-1]))[1].tobytes()


def _face_name(photo: Photo) -> str:
    return f"face-{photo.sha256}"


def _view_name(photo: Photo) -> str:
    return f"view-{photo.sha256}.png"


def _digest(parts: Sequence[str]) -> str:
    return hashlib.sha256("/".join(parts).encode()).hexdigest()
