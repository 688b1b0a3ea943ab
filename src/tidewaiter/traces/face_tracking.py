"""Follow faces through a video: when to locate, when to mesh, whose face is whose.

Everything goes by time stamps. Memory and work are bounded: the video is looked at in
blocks of 30 s; when more than 20 minutes have been measured, every second block is
dropped and from then on only every second (fourth, …) block is looked at, so that what
is kept stays spread evenly over the whole video.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media.material import Frame
from tidewaiter.traces.face_eyes import EyeWatch
from tidewaiter.traces.face_geometry import (
    EYE_CORNERS,
    SKIN_REGIONS,
    Corners,
    box_of,
    from_crop,
    head_pose,
    mesh_square,
    mouth_opening,
    overlap,
    skin_masks,
)
from tidewaiter.traces.face_models import MESH_SIZE, Located, Mesh, locate, mesh

BLOCK_S = 30.0
MOST_BLOCKS = 40
LOCATE_EVERY_S = 0.5
# While the mesh confirms the faces followed, only newcomers are missed in between.
LOCATE_NEWCOMERS_EVERY_S = 1.0
# A wider look costs 5 ms instead of 1.5 ms, so it is taken at most once a second.
LOOK_WIDER_EVERY_S = 1.0
# Above the highest heart rate looked for (4 Hz), so that new regions do not imitate one.
MESHES_PER_S = 5.0
MOST_FACES_AT_ONCE = 4
MOST_TRACKS = 32
LEAST_PRESENCE = 0.5
LEAST_SAME_FACE_OVERLAP = 0.3
# A track without a face for so long has ended.
LOST_AFTER_S = 1.0
# A face whose centre jumps by more than this share of its size is another face.
LARGEST_JUMP = 0.5
# Another face takes the lead only when it is clearly larger.
LEAD_FACTOR = 1.3
SMALL_FACE_PIXELS = 32
THUMBNAIL_SIDE = 320
WIDER_SIDE = 640
# Side of the crop in which the skin's mean colour is read: hundreds of pixels a region.
COLOUR_SIZE = 64
# Pixels this bright in any colour are highlights or clipped, not skin.
BRIGHTEST_SKIN = 250
MESH_COLUMNS = 10
COLOUR_COLUMNS = 3 * len(SKIN_REGIONS)


@dataclass(frozen=True)
class SeenFace:
    """A face in the current frame, left in `Frame.shared["faces"]` for later traces.

    A later trace, named `after=("faces",)`, gets an upright, eye-level crop of it by
    `frame.crop(seen.corners, 224, 224)`, or of a wider part by scaling `corners`. `mesh` is
    there when it was placed on this very frame and confirmed the face.
    """

    track: int
    corners: Corners
    measured: bool
    mesh: Mesh | None = None


@dataclass(frozen=True)
class Skin:
    """Where the skin was at the last mesh: masks in the crop of these corners."""

    corners: Corners
    masks: NDArray[np.uint8]


@dataclass
class Track:
    """One person's face while it is being followed; times and numbers, no pixels."""

    number: int
    corners: Corners
    box: NDArray[np.float32]
    seen_s: float
    next_mesh_s: float
    skin: Skin | None = None
    eyes: EyeWatch = field(default_factory=EyeWatch)
    time_s: array[float] = field(default_factory=lambda: array("d"))
    values: array[float] = field(default_factory=lambda: array("f"))
    colour_time_s: array[float] = field(default_factory=lambda: array("d"))
    colours: array[float] = field(default_factory=lambda: array("f"))

    def keep_blocks(self, stride: int) -> None:
        """Drop what was measured in blocks that are not a multiple of `stride`."""
        self.time_s, self.values = _thinned(self.time_s, self.values, MESH_COLUMNS, stride)
        self.colour_time_s, self.colours = _thinned(
            self.colour_time_s, self.colours, COLOUR_COLUMNS, stride
        )
        eyes = self.eyes
        eyes.time_s, eyes.openings = _thinned(eyes.time_s, eyes.openings, 2, stride)


class Follower:
    """Follows up to four faces at once; `see` is called for every frame."""

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self.live: list[Track] = []
        self.looked_at_s = 0.0
        self.located_times = 0
        self.found_times = 0
        self.most_at_once = 0
        self._stride = 1
        self._last_s: float | None = None
        self._next_locate_s = 0.0
        self._next_wider_s = 0.0
        self._count = 0
        self._lead: Track | None = None

    def see(self, frame: Frame) -> tuple[SeenFace, ...]:
        """Measure this frame as far as it is due; the faces known to be in it."""
        now = frame.time_s
        if not self._in_measured_block(now):
            self.live.clear()
            self._last_s = None
            return ()
        if self._last_s is not None:
            self.looked_at_s += max(now - self._last_s, 0.0)
        self._last_s = now
        if now >= self._next_locate_s:
            self._locate(frame)
        self._choose_lead()
        seen = tuple(self._measure(track, frame) for track in list(self.live))
        self._end_lost(now)
        return seen

    def _in_measured_block(self, now: float) -> bool:
        block = int(max(now, 0.0) // BLOCK_S)
        while block // self._stride >= MOST_BLOCKS:
            self._stride *= 2
            for track in self.tracks:
                track.keep_blocks(self._stride)
        return block % self._stride == 0

    def _locate(self, frame: Frame) -> None:
        now = frame.time_s
        confirmed = bool(self.live) and all(t.skin is not None for t in self.live)
        self._next_locate_s = now + (LOCATE_NEWCOMERS_EVERY_S if confirmed else LOCATE_EVERY_S)
        faces = self._faces_in(frame)
        self.located_times += 1
        self.found_times += bool(faces)
        self.most_at_once = max(self.most_at_once, len(faces))
        free = list(self.live)
        for face in faces[:MOST_FACES_AT_ONCE]:
            known = _best_match(face, free)
            if known is not None:
                free.remove(known)
                if known.seen_s < now - LOCATE_EVERY_S:
                    known.corners = face.square()
            elif len(self.live) < MOST_FACES_AT_ONCE:
                self._begin(face, now)

    def _faces_in(self, frame: Frame) -> list[Located]:
        faces = _located(frame, THUMBNAIL_SIDE)
        smallest = min((float(face.box[2]) for face in faces), default=0.0)
        scale = THUMBNAIL_SIDE / max(frame.width, frame.height)
        if smallest * scale >= SMALL_FACE_PIXELS or frame.time_s < self._next_wider_s:
            return faces
        self._next_wider_s = frame.time_s + LOOK_WIDER_EVERY_S
        return _located(frame, WIDER_SIDE) or faces

    def _begin(self, face: Located, now: float) -> None:
        track = Track(self._count, face.square(), face.box, now, now)
        self._count += 1
        self.live.append(track)
        self.tracks.append(track)
        if len(self.tracks) > MOST_TRACKS:
            ended = [t for t in self.tracks if t not in self.live]
            self.tracks.remove(min(ended, key=lambda t: len(t.time_s)))

    def _choose_lead(self) -> None:
        largest = max(self.live, key=lambda t: float(t.box[2]), default=None)
        lead = self._lead if self._lead in self.live else None
        if largest is None or lead is None or largest.box[2] > LEAD_FACTOR * lead.box[2]:
            lead = largest
        self._lead = lead

    def _measure(self, track: Track, frame: Frame) -> SeenFace:
        now = frame.time_s
        leads = track is self._lead
        meshed = now >= track.next_mesh_s - 1e-6
        if not meshed and not (leads and track.skin is not None):
            return SeenFace(track.number, track.corners, measured=False)
        corners, placed = track.corners, None
        if meshed:
            crop = frame.crop(corners, MESH_SIZE, MESH_SIZE)
            track.next_mesh_s = max(track.next_mesh_s + 1 / MESHES_PER_S, now)
            placed = self._place(track, mesh(crop, corners), corners, now)
        if leads and track.skin is not None:
            track.colour_time_s.append(now)
            track.colours.extend(_skin_colours(frame, track.skin))
            track.eyes.look(frame)
        return SeenFace(track.number, corners, measured=meshed, mesh=placed)

    def _place(self, track: Track, found: Mesh, corners: Corners, now: float) -> Mesh | None:
        """Keep what a mesh says if it is this track's face; None if it is not."""
        box = box_of(found.points)
        if found.presence < LEAST_PRESENCE or _jumped(track, box):
            track.skin = None
            track.eyes.lose()
            self._next_locate_s = min(self._next_locate_s, now + 1 / MESHES_PER_S)
            return None
        track.box, track.seen_s = box, now
        track.corners = mesh_square(found.points)
        rectangle, masks = skin_masks(found.in_crop, COLOUR_SIZE)
        track.skin = Skin(from_crop(rectangle, corners, MESH_SIZE), masks)
        track.time_s.append(now)
        pose = head_pose(found.points)
        side = float(np.linalg.norm(track.corners[1] - track.corners[0]))
        track.values.extend((*box, found.presence, mouth_opening(found.points), *pose, side))
        track.eyes.place(found.points[np.array(EYE_CORNERS), :2], pose[0])
        return found

    def _end_lost(self, now: float) -> None:
        self.live = [t for t in self.live if now - t.seen_s <= LOST_AFTER_S]


def _located(frame: Frame, side: int) -> list[Located]:
    width, height = frame.width, frame.height
    rows = max(round(side * height / max(width, height)), 1)
    thumbnail = frame.thumbnail(min(rows, height))
    factor = height / thumbnail.shape[0]
    return [face.scaled(factor) for face in locate(thumbnail[:WIDER_SIDE, :WIDER_SIDE])]


def _best_match(face: Located, tracks: list[Track]) -> Track | None:
    """The track whose last box overlaps this face most, if enough."""
    shares = [overlap(face.box, track.box) for track in tracks]
    if not shares or max(shares) < LEAST_SAME_FACE_OVERLAP:
        return None
    return tracks[int(np.argmax(shares))]


def _jumped(track: Track, box: NDArray[np.float32]) -> bool:
    """Whether this box is too far from the track's last to be the same face."""
    if not track.time_s:
        return False
    shift = (box[:2] + box[2:] / 2) - (track.box[:2] + track.box[2:] / 2)
    return float(np.abs(shift).max()) > LARGEST_JUMP * float(track.box[2:].max())


def _skin_colours(frame: Frame, skin: Skin) -> list[float]:
    """Mean R, G, B of every skin region, highlights left out; NaN where nothing is left."""
    import cv2

    crop = frame.crop(skin.corners, COLOUR_SIZE, COLOUR_SIZE)
    matt = cv2.inRange(crop, (0, 0, 0), (BRIGHTEST_SKIN,) * 3)
    colours: list[float] = []
    for mask in skin.masks:
        chosen = cv2.bitwise_and(mask, matt)
        seen = cv2.countNonZero(chosen) > 0
        colours.extend(cv2.mean(crop, chosen)[:3] if seen else (float("nan"),) * 3)
    return colours


def _thinned(
    times: array[float], values: array[float], columns: int, stride: int
) -> tuple[array[float], array[float]]:
    stamps = np.frombuffer(times, np.float64) if times else np.zeros(0)
    table = np.frombuffer(values, np.float32).reshape(-1, columns) if times else np.zeros((0, 1))
    kept = (stamps // BLOCK_S).astype(np.int64) % stride == 0
    return array("d", stamps[kept].tobytes()), array("f", table[kept].astype("f").tobytes())
