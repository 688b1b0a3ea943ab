"""What the manipulation network says about the faces of a video, track by track.

Looks go by time stamps, at meshes that the face trace places anyway, and so in its blocks:
all of a video up to 20 minutes, evenly spread blocks of 30 s of a longer one. Nothing is
kept of a frame but numbers and, of the strongest looks, the network's 10 x 10 map.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from heapq import heappush, heappushpop

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Frame, Packet
from tidewaiter.traces.base import Traces, Untaken, VideoTrace
from tidewaiter.traces.face_crop import face_view
from tidewaiter.traces.face_geometry import Corners
from tidewaiter.traces.face_manipulation import box_around, network_of
from tidewaiter.traces.face_models import Mesh
from tidewaiter.traces.face_network import ask, heat_over
from tidewaiter.traces.face_quality import QUALITY_COLUMNS, FaceQuality, quality_of
from tidewaiter.traces.face_tracking import SeenFace
from tidewaiter.traces.face_windows import Windows, windows_of
from tidewaiter.vocabulary import Box, Status, tr
from tidewaiter.weights.own import OwnNetwork, why_shipped_unusable

# At meshes 0.2 s apart, 3.4 a second leave no second with fewer than three looks.
LOOKS_PER_S = 3.4
MOST_FACES_AT_ONCE = 2
# Of each track, so many of the strongest looks keep their map for the report.
MAPS_KEPT = 12
# About two seconds of a face.
LEAST_USABLE_LOOKS = 6
# In a crowd the tracks that have ended with the lowest looks are forgotten.
MOST_TRACKS = 64
STORED_COLUMNS = 1 + len(QUALITY_COLUMNS)


@dataclass(frozen=True)
class Moment:
    """One look in a video: its logit, the network's map and square, in the upright frame."""

    time_s: float
    score: float
    mask: NDArray[np.float32]
    corners: Corners


@dataclass(frozen=True)
class TrackAnswer:
    """One person's face: n looks, which may count, and the stretch that stands out most.

    `quality` is n x 8 in the order of QUALITY_COLUMNS, `usable` n. `windows` and `strongest`
    rest on usable looks; None with fewer than LEAST_USABLE_LOOKS. `seen_s` is about the
    time with the face.
    """

    number: int
    time_s: NDArray[np.float64]
    score: NDArray[np.float32]
    quality: NDArray[np.float32]
    usable: NDArray[np.bool_]
    seen_s: float
    windows: Windows | None
    strongest: Moment | None

    def lacking(self) -> dict[str, int]:
        """How many looks failed which condition."""
        rows = (FaceQuality(*map(float, row)).lacking for row in self.quality)
        failed = [name for row in rows for name in row]
        return {name: failed.count(name) for name in QUALITY_COLUMNS if name in failed}


@dataclass(frozen=True)
class FaceManipulationVideo:
    """Every track that was looked at, the strongest first; may be none.

    `heat` is the map of the strongest track's strongest moment over `area` of the upright
    frame (0 x 0 where there is none). `bits_per_pixel` is the stream's size over the pixels
    of its frames. `network_mark` is appended to the version of a detector.
    """

    tracks: tuple[TrackAnswer, ...]
    heat: NDArray[np.float32]
    area: Box
    duration_s: float
    bits_per_pixel: float
    network_mark: str


@dataclass
class _Looks:
    """One track's looks while the video is played."""

    next_s: float
    time_s: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("f"))
    strongest: list[tuple[float, int, Moment]] = field(default_factory=list)

    @property
    def highest(self) -> float:
        """The strongest look that may count; minus infinity without one."""
        return max((score for score, _, _ in self.strongest), default=-np.inf)

    def add(self, moment: Moment, quality: FaceQuality) -> None:
        self.time_s.append(moment.time_s)
        self.values.extend((moment.score, *quality.as_row()))
        if not quality.usable:
            return
        entry = (moment.score, len(self.time_s), moment)
        if len(self.strongest) < MAPS_KEPT:
            heappush(self.strongest, entry)
        else:
            heappushpop(self.strongest, entry)


class FaceManipulationInVideo(VideoTrace):
    """Shows the two largest faces to the network about three times a second, every other
    time mirrored."""  # noqa: D205, D209

    name = "face_manipulation"
    after = ("faces",)

    @classmethod
    def obstacle(cls) -> str | None:
        """The shipped network's file may be damaged."""
        return why_shipped_unusable()

    def __init__(self) -> None:
        self._looks: dict[int, _Looks] = {}
        self._looked = 0
        self._network: OwnNetwork | None = None
        self._size = (1, 1)
        self._frames = 0
        self._bytes = 0
        self._last_s = 0.0

    def feed_packet(self, packet: Packet) -> None:
        """Count the bytes of the stream."""
        self._bytes += packet.byte_length

    def feed(self, frame: Frame) -> None:
        """Look at the largest faces that were meshed on this frame and are due."""
        self._frames += 1
        self._size, self._last_s = (frame.width, frame.height), frame.time_s
        seen: tuple[SeenFace, ...] = frame.shared.get("faces", ())
        largest = sorted(seen, key=lambda face: -_side(face.corners))[:MOST_FACES_AT_ONCE]
        for face in largest:
            if face.mesh is None:
                continue
            looks = self._looks.setdefault(face.track, _Looks(frame.time_s))
            if frame.time_s >= looks.next_s - 1e-6:
                looks.next_s = max(looks.next_s + 1 / LOOKS_PER_S, frame.time_s)
                self._look(frame, face.mesh, looks)
        if len(self._looks) > MOST_TRACKS:
            self._forget_one({face.track for face in seen})

    def result(self, earlier: Traces) -> FaceManipulationVideo | Untaken:
        """Every track that was looked at; `Untaken` where there is no face."""
        if isinstance(earlier["faces"], Untaken):
            return earlier["faces"]
        if not self._looks:
            return Untaken(Status.NOT_APPLICABLE, tr("no face was found in the video"))
        own, total_s = network_of(self.options), self._looked / LOOKS_PER_S
        answers = [_answer(number, looks, total_s) for number, looks in self._looks.items()]
        answers.sort(key=lambda answer: (-_score(answer), -answer.time_s.size, answer.number))
        heat, area = self._heat(answers[0].strongest)
        pixels = self._frames * self._size[0] * self._size[1]
        return FaceManipulationVideo(
            tracks=tuple(answers),
            heat=heat,
            area=area,
            duration_s=self._last_s,
            bits_per_pixel=8 * self._bytes / max(pixels, 1),
            network_mark=own.mark,
        )

    def _look(self, frame: Frame, placed: Mesh, looks: _Looks) -> None:
        if self._network is None:
            self._network = network_of(self.options)
        size = (frame.width, frame.height)
        crop, corners = face_view(frame.crop, placed.points)
        quality = quality_of(crop, corners, placed.points, placed.presence, size)
        answer = ask(crop, self._network, mirrored=len(looks.time_s) % 2 == 1)
        looks.add(Moment(frame.time_s, answer.score, answer.mask, corners), quality)
        self._looked += 1

    def _forget_one(self, present: set[int]) -> None:
        ended = [number for number in self._looks if number not in present]
        del self._looks[min(ended, key=lambda number: self._looks[number].highest)]

    def _heat(self, moment: Moment | None) -> tuple[NDArray[np.float32], Box]:
        if moment is None:
            return np.zeros((0, 0), np.float32), Box(left=0, top=0, width=1, height=1)
        box = box_around([moment.corners], self._size[::-1])
        left, top, width, height = (int(value) for value in box)
        heat = heat_over([(moment.mask, moment.corners)], box)
        return heat, Box(left=left, top=top, width=width, height=height)


def _answer(number: int, looks: _Looks, total_s: float) -> TrackAnswer:
    table = np.array(looks.values, np.float32).reshape(-1, STORED_COLUMNS)
    times = np.array(looks.time_s, np.float64)
    usable = np.array([FaceQuality(*map(float, row[1:])).usable for row in table], bool)
    windows = None
    if usable.sum() >= LEAST_USABLE_LOOKS:
        windows = windows_of(times[usable], table[usable, 0].astype(np.float64), total_s)
    return TrackAnswer(
        number=number,
        time_s=times,
        score=table[:, 0],
        quality=table[:, 1:],
        usable=usable,
        seen_s=times.size / LOOKS_PER_S,
        windows=windows,
        strongest=_strongest(looks, windows),
    )


def _strongest(looks: _Looks, windows: Windows | None) -> Moment | None:
    """The strongest look within the best window if its map was kept, else the strongest."""
    if windows is None:
        return None
    best = windows.best
    ranked = sorted(looks.strongest, key=lambda entry: -entry[0])
    within = [m for _, _, m in ranked if best.start_s <= m.time_s <= best.end_s]
    return next(iter(within), ranked[0][2] if ranked else None)


def _score(answer: TrackAnswer) -> float:
    return -np.inf if answer.windows is None else answer.windows.best.score


def _side(corners: Corners) -> float:
    return float(np.linalg.norm(corners[1] - corners[0]))
