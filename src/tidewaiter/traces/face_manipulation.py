"""What the manipulation network says about every face of a picture."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Picture
from tidewaiter.traces.base import Options, PictureTrace, Traces, Untaken
from tidewaiter.traces.compression import Compression, compression_of
from tidewaiter.traces.face_crop import face_view
from tidewaiter.traces.face_geometry import Corners, as_stored, cut_repeating
from tidewaiter.traces.face_network import FACE_NETWORK, ask_twice, heat_over
from tidewaiter.traces.face_quality import FaceQuality, quality_of
from tidewaiter.traces.faces import PictureFace, PictureFaces
from tidewaiter.vocabulary import Box, Status, tr
from tidewaiter.weights.own import OwnNetwork, shipped_network, why_shipped_unusable

# Of genuine and forged validation faces, shipped in every way, 99 of 100 lie within.
STEADY_GAPS = (-4.4, 4.8)


@dataclass(frozen=True)
class FaceAnswer:
    """One face: the network's logit, its map (10 x 10 logits), where it looked, how good it is.

    `gap` is how far the logit of the first look lies above that of the second. `corners` are
    those of the network's square in the upright picture, `box` the face in the picture as
    stored.
    """

    score: float
    mask: NDArray[np.float32]
    corners: Corners
    box: Box
    quality: FaceQuality
    gap: float

    @property
    def steady(self) -> bool:
        """Whether both looks agree as they do about faces that nobody prepared."""
        return STEADY_GAPS[0] <= self.gap <= STEADY_GAPS[1]

    @property
    def usable(self) -> bool:
        """Whether the network's answer about this face may count."""
        return self.steady and self.quality.usable


@dataclass(frozen=True)
class FaceManipulation:
    """The network's answers, largest face first, and their maps over the picture.

    The maps are those of the faces that may count, or of all where none may. `heat` covers
    `area`, both of the picture as stored: shares of alteration, 0 to 1, NaN beside the
    faces. `network_mark` is appended to the version of a detector.
    """

    faces: tuple[FaceAnswer, ...]
    heat: NDArray[np.float32]
    area: Box
    compression: Compression
    network_mark: str


class FaceManipulationInPicture(PictureTrace):
    """Shows every face to the network, as it is, then mirrored and compressed anew."""

    name = "face_manipulation"
    after = ("faces",)

    @classmethod
    def obstacle(cls) -> str | None:
        """The shipped network's file may be damaged."""
        return why_shipped_unusable()

    def measure(self, picture: Picture, earlier: Traces) -> FaceManipulation | Untaken:
        """All answers; `Untaken` where the picture shows no face."""
        found = earlier["faces"]
        if isinstance(found, Untaken):
            return found
        faces: PictureFaces = found
        if not faces.faces:
            return Untaken(Status.NOT_APPLICABLE, tr("no face was found in the picture"))
        own = network_of(self.options)
        answers = tuple(answer_about(picture, face, own) for face in faces.faces)
        shown = [answer for answer in answers if answer.usable] or list(answers)
        upright = box_around([answer.corners for answer in shown], picture.upright.shape)
        height, width = picture.rgb.shape[:2]
        left, top, wide, high = as_stored(upright, picture.orientation, width, height)
        heat = heat_over([(answer.mask, answer.corners) for answer in shown], upright)
        return FaceManipulation(
            faces=answers,
            heat=_turned_back(heat, picture.orientation),
            area=Box(left=left, top=top, width=wide, height=high),
            compression=compression_of(picture),
            network_mark=own.mark,
        )


def network_of(options: Options) -> OwnNetwork:
    """The network the operator chose, else the shipped one; raises MissingWeights."""
    chosen = options.get(FACE_NETWORK)
    return chosen if isinstance(chosen, OwnNetwork) else shipped_network()


def answer_about(picture: Picture, face: PictureFace, own: OwnNetwork) -> FaceAnswer:
    """Cut the network's view of one face, measure it and ask."""
    pixels = picture.upright
    crop, corners = face_view(partial(cut_repeating, pixels), face.points)
    size = (pixels.shape[1], pixels.shape[0])
    answer, gap = ask_twice(crop, own)
    return FaceAnswer(
        score=answer.score,
        mask=answer.mask,
        corners=corners,
        box=face.stored,
        quality=quality_of(crop, corners, face.points, face.presence, size),
        gap=gap,
    )


def box_around(squares: list[Corners], shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Left, top, width, height of whole pixels around squares, clipped to the picture."""
    all_corners = np.concatenate([*squares, *(_fourth(square) for square in squares)])
    edge = np.array([shape[1], shape[0]], np.float32)
    low = np.floor(np.clip(all_corners.min(0), 0, edge - 1))
    high = np.ceil(np.clip(all_corners.max(0), low + 1, edge))
    return np.concatenate([low, high - low]).astype(np.float32)


def _fourth(square: Corners) -> Corners:
    return np.asarray(square[1] + square[2] - square[0], np.float32)[None]


def _turned_back(upright: NDArray[np.float32], orientation: int) -> NDArray[np.float32]:
    """The array as `Picture.upright` had it before turning."""
    quarter_turns = {3: 2, 4: 2, 5: 1, 6: 3, 7: 3, 8: 1}.get(orientation, 0)
    stored = np.rot90(upright, -quarter_turns)
    if orientation in (2, 4, 5, 7):
        stored = stored[:, ::-1]
    kept: NDArray[np.float32] = stored.copy()
    return kept
