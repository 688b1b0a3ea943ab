"""Faces of a picture, and faces followed through a video."""

from __future__ import annotations

from array import array
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Frame, Picture
from tidewaiter.media.material import Pixels
from tidewaiter.traces.base import PictureTrace, Traces, Untaken, VideoTrace
from tidewaiter.traces.face_geometry import (
    SKIN_REGIONS,
    Points,
    as_stored,
    box_of,
    cut,
    head_pose,
    square_crop,
)
from tidewaiter.traces.face_models import MESH_SIZE, Located, locate, mesh
from tidewaiter.traces.face_tracking import (
    LEAST_PRESENCE,
    MESH_COLUMNS,
    SMALL_FACE_PIXELS,
    THUMBNAIL_SIDE,
    WIDER_SIDE,
    Follower,
    Track,
)
from tidewaiter.vocabulary import Box, Status, tr
from tidewaiter.weights.pinned import why_unusable

MOST_FACES_IN_PICTURE = 16
# Shorter appearances are not kept: too short for any statement.
SHORTEST_TRACK_S = 1.0
# A gap in a track's samples longer than this is time without the face.
LONGEST_SAMPLE_GAP_S = 0.5
# A face that fills the picture is found when the picture is made smaller.
FILLING_SIDE = 160


@dataclass(frozen=True)
class PictureFace:
    """One face of a picture. Coordinates are those of the upright picture, in pixels.

    `box` is left, top, width, height of the 468 `points` (x, y, depth); `stored` is the
    same box on the picture as stored. Pose is yaw, pitch, roll in degrees.
    """

    box: NDArray[np.float32]
    stored: Box
    presence: float
    points: Points
    pose: tuple[float, float, float]


@dataclass(frozen=True)
class PictureFaces:
    """All faces of a picture that the mesh confirmed, largest first; may be none."""

    faces: tuple[PictureFace, ...]


@dataclass(frozen=True)
class FaceTrack:
    """One person's face through a video: n meshes, k looks at the eyes, m mean colours.

    `box` (n x 4: left, top, width, height) and `crop_side` (n) in pixels of the upright
    frame; `mouth` (n) is its opening over its width; `pose` (n x 3) is yaw, pitch, roll in
    degrees. While this face is the leading one: `eyes` (k x 2: left, right of the image;
    NaN where not looked at) are openings over widths; `colour` (m x 3 regions x R, G, B;
    0..255, NaN where a region is hidden) is taken on every frame.
    """

    number: int
    time_s: NDArray[np.float64]
    box: NDArray[np.float32]
    presence: NDArray[np.float32]
    mouth: NDArray[np.float32]
    pose: NDArray[np.float32]
    crop_side: NDArray[np.float32]
    eye_time_s: NDArray[np.float64]
    eyes: NDArray[np.float32]
    colour_time_s: NDArray[np.float64]
    colour: NDArray[np.float32]

    @property
    def seen_s(self) -> float:
        """How long the face was seen; gaps in the samples do not count."""
        steps = np.diff(self.time_s)
        return float(steps[steps <= LONGEST_SAMPLE_GAP_S].sum())


@dataclass(frozen=True)
class VideoFaces:
    """Every face followed for at least a second, the longest seen first; may be none.

    `looked_at_s` is the time examined: all of a video up to 20 minutes, evenly spread
    blocks of 30 s of a longer one. `found_share` is the share of looks that met a face.
    """

    width: int
    height: int
    tracks: tuple[FaceTrack, ...]
    looked_at_s: float
    located_times: int
    found_share: float
    most_at_once: int


class FacesInPicture(PictureTrace):
    """Locates every face of a picture and places the mesh on it."""

    name = "faces"

    @classmethod
    def obstacle(cls) -> str | None:
        """The engine is an extra, the models are distributions of their own."""
        return why_unusable()

    def measure(self, picture: Picture, earlier: Traces) -> PictureFaces:  # noqa: ARG002
        """The faces of the upright picture; none is a result, not a failure."""
        pixels = picture.upright
        candidates = _located_in(pixels)[:MOST_FACES_IN_PICTURE]
        faces = (_meshed(pixels, candidate, picture) for candidate in candidates)
        return PictureFaces(tuple(face for face in faces if face is not None))


class FacesInVideo(VideoTrace):
    """Follows the faces of a video by time stamps, in bounded memory.

    Up to four faces are meshed five times a second. Of the largest, the eyes are looked at
    12 times a second and the skin's colour on every frame. `Frame.shared["faces"]` names
    the faces of the current frame with the corners of an eye-level crop (see `SeenFace`).
    """

    name = "faces"

    @classmethod
    def obstacle(cls) -> str | None:
        """The engine is an extra, the models are distributions of their own."""
        return why_unusable()

    def __init__(self) -> None:
        self._follower = Follower()
        self._size: tuple[int, int] | None = None

    def feed(self, frame: Frame) -> None:
        """Measure what is due and leave the faces of this frame to later traces."""
        if self._size is None:
            self._size = (frame.width, frame.height)
        frame.shared["faces"] = self._follower.see(frame)

    def result(self, earlier: Traces) -> VideoFaces | Untaken:  # noqa: ARG002
        """All tracks; `Untaken` only if the video has no frame."""
        if self._size is None:
            return Untaken(Status.NOT_APPLICABLE, tr("the video has no frame that decodes"))
        follower = self._follower
        tracks = [_frozen(track) for track in follower.tracks]
        kept = [track for track in tracks if track.seen_s >= SHORTEST_TRACK_S]
        return VideoFaces(
            *self._size,
            tracks=tuple(sorted(kept, key=lambda track: (-track.seen_s, track.number))),
            looked_at_s=follower.looked_at_s,
            located_times=follower.located_times,
            found_share=follower.found_times / max(follower.located_times, 1),
            most_at_once=follower.most_at_once,
        )


def _located_in(pixels: Pixels) -> list[Located]:
    """Faces at 320 pixels; wider when none or small ones; smaller when one fills it."""
    faces = _located_at(pixels, THUMBNAIL_SIDE)
    scale = THUMBNAIL_SIDE / max(pixels.shape[:2])
    if faces and min(float(face.box[2]) for face in faces) * scale >= SMALL_FACE_PIXELS:
        return faces
    if max(pixels.shape[:2]) > THUMBNAIL_SIDE:
        faces = _located_at(pixels, WIDER_SIDE) or faces
    return faces or _located_at(pixels, FILLING_SIDE)


def _located_at(pixels: Pixels, side: int) -> list[Located]:
    import cv2

    height, width = pixels.shape[:2]
    scale = min(side / max(height, width), 1.0)
    size = (max(round(width * scale), 1), max(round(height * scale), 1))
    if scale < 1:
        pixels = np.asarray(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), np.uint8)
    return [face.scaled(1 / scale) for face in locate(pixels)]


def _meshed(pixels: Pixels, face: Located, picture: Picture) -> PictureFace | None:
    corners = face.square()
    crop = square_crop(lambda *where: cut(pixels, *where), corners, MESH_SIZE)
    found = mesh(crop, corners)
    if found.presence < LEAST_PRESENCE:
        return None
    box = box_of(found.points)
    height, width = picture.rgb.shape[:2]
    left, top, wide, high = as_stored(box, picture.orientation, width, height)
    return PictureFace(
        box=box,
        stored=Box(left=left, top=top, width=wide, height=high),
        presence=found.presence,
        points=found.points,
        pose=head_pose(found.points),
    )


def _frozen(track: Track) -> FaceTrack:
    values = _table(track.values, MESH_COLUMNS)
    colours = _table(track.colours, 3 * len(SKIN_REGIONS))
    return FaceTrack(
        number=track.number,
        time_s=np.array(track.time_s, np.float64),
        box=values[:, :4],
        presence=values[:, 4],
        mouth=values[:, 5],
        pose=values[:, 6:9],
        crop_side=values[:, 9],
        eye_time_s=np.array(track.eyes.time_s, np.float64),
        eyes=_table(track.eyes.openings, 2),
        colour_time_s=np.array(track.colour_time_s, np.float64),
        colour=colours.reshape(-1, len(SKIN_REGIONS), 3),
    )


def _table(values: array[float], columns: int) -> NDArray[np.float32]:
    return np.array(values, np.float32).reshape(-1, columns)
