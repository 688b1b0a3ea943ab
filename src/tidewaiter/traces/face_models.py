"""The three face networks: locate faces, place 468 points, outline an eye and its iris."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Pixels
from tidewaiter.traces.face_geometry import (
    MESH_MARGIN,
    Corners,
    Points,
    from_crop,
    level_square,
    overlap,
)
from tidewaiter.weights.engine import network

MESH_SIZE = 192
IRIS_SIZE = 64
# A box below this score is no face; meshes confirm it afterwards.
LEAST_LOCATOR_SCORE = 0.6
LARGEST_NMS_OVERLAP = 0.3
STRIDES = (8, 16, 32)
MOST_CANDIDATES = 200
# Height x width of the inputs for which the locator is compiled.
CANVASES = ((192, 320), (320, 192), (320, 320), (384, 640), (640, 384), (640, 640))


@dataclass(frozen=True)
class Located:
    """A face found in a thumbnail: box (left, top, width, height), eyes, nose, mouth."""

    box: NDArray[np.float32]
    points: Points
    score: float

    def scaled(self, factor: float) -> Located:
        """The same face in a picture `factor` times as large."""
        return Located(self.box * factor, self.points * factor, self.score)

    def square(self) -> Corners:
        """The crop in which the mesh is looked for: eyes level, half as wide again."""
        angle = float(np.arctan2(*(self.points[1] - self.points[0])[::-1]))
        centre = self.box[:2] + self.box[2:] / 2
        return level_square(centre, MESH_MARGIN * float(self.box[2:].max()), angle)


@dataclass(frozen=True)
class Mesh:
    """468 points of one face, in the crop and in the picture, and how surely it is one."""

    in_crop: Points
    points: Points
    presence: float


def locate(thumbnail: Pixels) -> list[Located]:
    """Every face of a thumbnail of at most 640 x 640 pixels, largest first."""
    height, width = thumbnail.shape[:2]
    canvas = next(((h, w) for h, w in CANVASES if h >= height and w >= width), CANVASES[-1])
    values = np.zeros((1, 3, *canvas), np.float32)
    values[0, :, :height, :width] = thumbnail[..., ::-1].transpose(2, 0, 1)
    outputs = network("yunet", (1, 3, *canvas)).run(values)
    boxes, points, scores = decode_faces(outputs, canvas[1])
    kept = suppress(boxes, scores)
    found = [Located(boxes[i], points[i], float(scores[i])) for i in kept]
    return sorted(found, key=lambda face: -float(face.box[2] * face.box[3]))


def decode_faces(
    outputs: tuple[NDArray[np.float32], ...], width: int
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (n x 4), points (n x 5 x 2) and scores (n) above the least score.

    `outputs` are classes, objectness, boxes and points, each at the three strides.
    """
    boxes, points, scores = [], [], []
    for level, stride in enumerate(STRIDES):
        classes, objects, raw_box, raw_points = (
            outputs[level + 3 * kind].reshape(-1, columns)
            for kind, columns in enumerate((1, 1, 4, 10))
        )
        score = np.sqrt(np.clip(classes, 0, 1) * np.clip(objects, 0, 1))[:, 0]
        chosen = np.flatnonzero(score > LEAST_LOCATOR_SCORE)
        rows, columns = np.divmod(chosen, width // stride)
        cell = np.stack([columns, rows], axis=1).astype(np.float32)
        centre = (cell + raw_box[chosen, :2]) * stride
        size = np.exp(raw_box[chosen, 2:]) * stride
        boxes.append(np.concatenate([centre - size / 2, size], axis=1))
        points.append((cell[:, None] + raw_points[chosen].reshape(-1, 5, 2)) * stride)
        scores.append(score[chosen])
    return np.concatenate(boxes), np.concatenate(points), np.concatenate(scores)


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32]) -> list[int]:
    """Indices of the boxes that no better box overlaps, best first."""
    kept: list[int] = []
    for index in np.argsort(-scores, kind="stable")[:MOST_CANDIDATES]:
        if all(overlap(boxes[index], boxes[other]) <= LARGEST_NMS_OVERLAP for other in kept):
            kept.append(int(index))
    return kept


def mesh(crop: Pixels, corners: Corners) -> Mesh:
    """Place 468 points in a MESH_SIZE-square crop that was cut at `corners`."""
    values = crop[None].astype(np.float32) / np.float32(255)
    raw, presence = network("face_mesh").run(values)
    in_crop = raw.reshape(-1, 3)
    surely = 1 / (1 + np.exp(-float(np.clip(presence.item(), -80, 80))))
    return Mesh(in_crop, from_crop(in_crop, corners, MESH_SIZE), float(surely))


def eye(crop: Pixels, corners: Corners, *, mirrored: bool) -> tuple[Points, Points]:
    """Contour (71 x 2) and iris (centre and four edge points, 5 x 2) of one eye.

    `crop` is an IRIS_SIZE square cut at `corners`. The contour's points 0..8 run along the
    lower lid from corner to corner, 9..15 along the upper. The network knows the image's
    left eye only; the right eye is shown to it `mirrored`.
    """
    outputs = network("iris").run(_as_left_eye(crop, mirrored))
    contour, iris = (_eye_points(raw, corners, mirrored) for raw in outputs)
    return contour, iris


def eye_contour(crop: Pixels, corners: Corners, *, mirrored: bool) -> Points:
    """The contour that `eye` gives, without the sixth of the work that only the iris needs."""
    outputs = network("iris", only_output=0).run(_as_left_eye(crop, mirrored))
    return _eye_points(outputs[0], corners, mirrored)


def _as_left_eye(crop: Pixels, mirrored: bool) -> NDArray[np.float32]:
    shown = crop[:, ::-1] if mirrored else crop
    return shown[None].astype(np.float32) / np.float32(255)


def _eye_points(raw: NDArray[np.float32], corners: Corners, mirrored: bool) -> Points:
    points: Points = raw.reshape(-1, 3)[:, :2]
    if mirrored:
        points = points * (-1, 1) + (IRIS_SIZE - 1, 0)
    return from_crop(points, corners, IRIS_SIZE)
