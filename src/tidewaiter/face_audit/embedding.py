"""Turn the largest face of a picture into numbers that can be compared, on this machine."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections import OrderedDict
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import MissingWeights, UnsupportedMedia
from tidewaiter.face_audit.keeping import Store
from tidewaiter.face_audit.service import Picture
from tidewaiter.media.material import Pixels
from tidewaiter.media.picture import open_picture
from tidewaiter.media.sniffing import HEAD_BYTES, identify, shown_name
from tidewaiter.media.source import Source
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import MediaKind
from tidewaiter.weights.engine import Network
from tidewaiter.weights.pinned import checked_file
from tidewaiter.weights.recogniser import (
    ENGINE,
    FACE_EMBEDDING,
    FACERES,
    FIVE_POINTS,
    INSTALL_COMMAND,
)
from tidewaiter.weights.tfjs import published_network

# The locator's window is 80 pixels; pictures beyond this side only cost time.
LARGEST_SIDE_SEARCHED = 1000
# A face missed is looked for once more in a picture enlarged to at most this side.
LARGEST_SIDE_ENLARGED = 1600
ENLARGEMENT = 2.0
# Pictures whose face is remembered; at most 1024 numbers each.
MOST_REMEMBERED = 20_000
NO_FACE = b"none"
"""What is kept of a picture without a face."""
# As the network's maker feeds it: blue, green, red, less the mean of ImageNet (handbook: RGB as
# it is; on LFW people this halves the EER, benchmarks/face_audit).
FACERES_SIDE, FACERES_PADDING = 224, 0.25
FACERES_MEAN = (103.939, 116.779, 123.68)


@dataclass(frozen=True)
class FaceBox:
    """Where a face is in the upright picture, in pixels."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Template:
    """The largest face of a picture: where it is, and its embedding (float64, one row)."""

    box: FaceBox
    values: NDArray[np.float64]
    alone: bool = True
    """Whether the picture shows no other face; else somebody may have been mistaken for it."""


class Embedder(Protocol):
    """Locates the largest face and computes its embedding; None where it finds no face."""

    @property
    def name(self) -> str:
        """Short name and version, for cards."""

    def embed(self, pixels: Pixels) -> Template | None:
        """Embed the largest face of an upright RGB picture."""

    def locate(self, pixels: Pixels) -> FaceBox | None:
        """Find the largest face without computing its embedding."""


@dataclass(frozen=True)
class Known:
    """What is remembered of a picture: its size in pixels and its face, if there is one."""

    width: int
    height: int
    box: FaceBox | None


class FaceMemory:
    """Faces of pictures by digest, so that each is located and embedded once.

    With `kept`, faces and embeddings outlive the process and are shared with others. Raises
    InputError subclasses naming the picture where it cannot be decoded.
    """

    def __init__(
        self, embedder: Embedder, limits: Limits | None = None, kept: Store | None = None
    ) -> None:
        self.embedder, self._kept = embedder, kept
        self._limits = limits or Limits()
        self._known: OrderedDict[str, Known] = OrderedDict()
        self._templates: OrderedDict[str, Template | None] = OrderedDict()

    def known(self, picture: Picture) -> Known:
        """Size and face of the picture, without an embedding."""
        if picture.sha256 not in self._known:
            _remember(self._known, picture.sha256, self._located(picture))
        return self._known[picture.sha256]

    def template(self, picture: Picture) -> Template | None:
        """The largest face's embedding; None where no face is found."""
        if picture.sha256 not in self._templates:
            _remember(self._templates, picture.sha256, self._embedded(picture))
        return self._templates[picture.sha256]

    def _located(self, picture: Picture) -> Known:
        name = f"place-{_mark(self.embedder.name)}-{picture.sha256}"
        said = self._kept.get(name) if self._kept else None
        if said is None:
            pixels = decoded(picture, self._limits)
            box = self.embedder.locate(pixels)
            place = [box.left, box.top, box.width, box.height] if box else None
            said = json.dumps([pixels.shape[1], pixels.shape[0], place]).encode()
            if self._kept is not None:
                self._kept.put(name, said)
        width, height, place = json.loads(said)
        return Known(width, height, FaceBox(*place) if place else None)

    def _embedded(self, picture: Picture) -> Template | None:
        name = f"embedding-{_mark(self.embedder.name)}-{picture.sha256}"
        known = self._kept.get(name) if self._kept else None
        if known is not None:
            return template_of(known)
        found = self.embedder.embed(decoded(picture, self._limits))
        if self._kept is not None:
            self._kept.put(name, bytes_of(found))
        return found


def bytes_of(template: Template | None) -> bytes:
    """A template as it is kept: one line of JSON, then the numbers as they are."""
    if template is None:
        return NO_FACE
    box = template.box
    said = {"box": [box.left, box.top, box.width, box.height], "alone": template.alone}
    return json.dumps(said).encode() + b"\n" + template.values.astype("<f8").tobytes()


def template_of(content: bytes) -> Template | None:
    """The template that `bytes_of` wrote."""
    if content == NO_FACE:
        return None
    head, _, numbers = content.partition(b"\n")
    said = json.loads(head)
    return Template(FaceBox(*said["box"]), np.frombuffer(numbers, "<f8"), alone=said["alone"])


def decoded(picture: Picture, limits: Limits) -> Pixels:
    """The upright pixels of an encoded picture, opened under limits."""
    shown = shown_name(picture.name)
    identity = identify(picture.content[:HEAD_BYTES], shown)
    if identity.kind is not MediaKind.PICTURE:
        raise UnsupportedMedia(f"{shown}: found {identity.what}; an audit needs still pictures")
    source = Source(Path(picture.name), shown, len(picture.content), picture.sha256, identity)
    return open_picture(source, limits, picture.content).upright


def distance(one: Template, other: Template) -> float:
    """Euclidean distance of two embeddings."""
    return float(np.linalg.norm(one.values - other.values))


class _DlibFaces(ABC):
    """Histograms of gradients locate faces, five points align them."""

    def __init__(self, engine: Any, points: Path) -> None:
        self._engine = engine
        self._detector = engine.get_frontal_face_detector()
        self._points = engine.shape_predictor(str(points))

    def locate(self, pixels: Pixels) -> FaceBox | None:
        """The largest face; one missed is looked for again in an enlarged picture."""
        faces = self._rectangles(pixels)
        return _box_of(faces[0]) if faces else None

    def embed(self, pixels: Pixels) -> Template | None:
        """The embedding of the largest face, of about unit length."""
        faces = self._rectangles(pixels)
        if not faces:
            return None
        values = self._values(pixels, self._points(pixels, faces[0]))
        return Template(_box_of(faces[0]), values, alone=len(faces) == 1)

    @abstractmethod
    def _values(self, pixels: Pixels, shape: Any) -> NDArray[np.float64]:
        """The embedding of a face whose five points are known."""

    def _rectangles(self, pixels: Pixels) -> list[Any]:
        """The engine's boxes in the picture as given, largest first."""
        longest = max(pixels.shape[:2])
        first = min(LARGEST_SIDE_SEARCHED / longest, 1.0)
        found = self._found_at(pixels, first)
        again = min(LARGEST_SIDE_ENLARGED / longest, ENLARGEMENT)
        return found if found or again <= first else self._found_at(pixels, again)

    def _found_at(self, pixels: Pixels, scale: float) -> list[Any]:
        boxes = sorted(self._detector(_resized(pixels, scale), 0), key=lambda box: -box.area())
        return boxes if scale == 1 else [self._scaled(box, 1 / scale) for box in boxes]

    def _scaled(self, box: Any, factor: float) -> Any:
        sides = (box.left(), box.top(), box.right(), box.bottom())
        return self._engine.rectangle(*(round(side * factor) for side in sides))


class DlibEmbedder(_DlibFaces):
    """A residual network embeds in 128 numbers."""

    def __init__(self, engine: Any, points: Path, embedding: Path) -> None:
        super().__init__(engine, points)
        self._network = engine.face_recognition_model_v1(str(embedding))

    @property
    def name(self) -> str:
        """Engine and the beginning of the model's digest."""
        return f"dlib {self._engine.__version__}, model {FACE_EMBEDDING.sha256[:8]}"

    def _values(self, pixels: Pixels, shape: Any) -> NDArray[np.float64]:
        return np.array(self._network.compute_face_descriptor(pixels, shape), np.float64)


class FaceresEmbedder(_DlibFaces):
    """A MobileNet trained on VGGFace2 embeds in 1024 numbers."""

    def __init__(self, engine: Any, points: Path, network: Network) -> None:
        super().__init__(engine, points)
        self._network = network

    @property
    def name(self) -> str:
        """The network and the beginning of its weights' digest."""
        return f"faceres {FACERES.weights_sha256[:8]}, faces by dlib {self._engine.__version__}"

    def _values(self, pixels: Pixels, shape: Any) -> NDArray[np.float64]:
        chip = self._engine.get_face_chip(pixels, shape, FACERES_SIDE, FACERES_PADDING)
        fed = chip[..., ::-1].astype(np.float32) - np.array(FACERES_MEAN, np.float32)
        values = self._network.run(fed[None])[0].ravel().astype(np.float64)
        return np.asarray(values / np.linalg.norm(values))


@cache
def dlib_embedder() -> DlibEmbedder:
    """The embedded recogniser's embedder, loaded once per process.

    Raises MissingWeights naming the command that installs what is absent.
    """
    points, embedding = checked_file(FIVE_POINTS), checked_file(FACE_EMBEDDING)
    return DlibEmbedder(_dlib(), points, embedding)


@cache
def faceres_embedder(folder: Path) -> FaceresEmbedder:
    """The second recogniser's embedder from the files in `folder`, loaded once per process.

    Raises MissingWeights naming what is absent and how to get it.
    """
    points = checked_file(FIVE_POINTS)
    return FaceresEmbedder(_dlib(), points, published_network(FACERES, folder))


def _dlib() -> Any:
    try:
        import dlib
    except ImportError as error:
        raise MissingWeights(
            f"{ENGINE} is not installed; it runs the embedded recogniser; "
            f"install it with: {INSTALL_COMMAND}"
        ) from error
    return dlib


def _box_of(rectangle: Any) -> FaceBox:
    return FaceBox(rectangle.left(), rectangle.top(), rectangle.width(), rectangle.height())


def _resized(pixels: Pixels, scale: float) -> Pixels:
    import cv2

    if scale == 1:
        return pixels
    height, width = pixels.shape[:2]
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(pixels, size, interpolation=way), np.uint8)


def _mark(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:12]


def _remember(memory: OrderedDict[str, Any], key: str, value: Any) -> None:
    memory[key] = value
    if len(memory) > MOST_REMEMBERED:
        memory.popitem(last=False)
