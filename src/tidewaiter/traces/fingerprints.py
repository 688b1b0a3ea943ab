"""Fingerprints of a recording, taken in one pass: coded pictures, small pictures, sound.

Hashes of coded pictures survive a new container and nothing else; small pictures and sound
bands survive a new encoding and show where two recordings differ.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import CorruptMedia
from tidewaiter.media.material import Frame
from tidewaiter.media.nal import Splitter
from tidewaiter.media.recording import CodedPacket, Recording
from tidewaiter.traces.sound_bands import BANDS, SoundBands

SMALL_WIDTH, SMALL_HEIGHT = 32, 18
"""Size of a small picture; handbook custody 3.12."""
SMALL_STEPS = 16
"""Steps of a small picture per grey level: averaged noise is finer than one level."""
CLOCK_WIDTH, CLOCK_HEIGHT = 64, 8
"""Size of the finer picture of the clock's box: its seconds tell frames of a still scene apart."""
SHARE_UNITS = 10_000
"""A clock's box is given in these shares of the picture's width and height."""
SOURCE_ROWS = 180
"""A frame is first brought to so many rows, which is cheap, then averaged exactly."""

NO_TIME = np.iinfo(np.int64).min
"""Time of a packet that carries none."""
HASH_LENGTH = 32
FURTHER_STREAMS = "further streams"
"""Counts, among the marks, streams of pictures and sound of which no fingerprints are taken."""

ClockBox = tuple[int, ...]
"""Left, top, right, bottom in `SHARE_UNITS`; empty where the picture shows no clock."""

# ADTS header: 12 bits of ones, layer 0 (ISO/IEC 13818-7, 6.2); 9 bytes with a checksum, else 7.
ADTS_LENGTH, ADTS_LENGTH_CHECKED = 7, 9
PCM_BLOCK = 4096
"""Bytes of uncompressed sound per hash: containers cut it into packets as they like."""


@dataclass(frozen=True)
class Fingerprints:
    """All fingerprints of a recording; times in microseconds, `NO_TIME` where missing.

    Per coded picture, in file order: `picture_hash` (n x 32), `picture_pts`, `picture_dts`,
    `picture_key`, `picture_bytes`. Per decoded frame, in display order: `small` (m x 18 x 32,
    uint16, sixteenths of a grey level) and `frame_time` from the first frame. Per sound packet:
    `sound_hash` (k x 32) and `sound_pts`. `sound_band` (s x 12, half decibels) every 40 ms from
    `sound_start`, which counts from the first frame. `clock` (m or 0 x 8 x 64, like `small`)
    is the box of the burnt-in clock, where one was named.
    """

    picture_hash: NDArray[np.uint8]
    picture_pts: NDArray[np.int64]
    picture_dts: NDArray[np.int64]
    picture_key: NDArray[np.bool_]
    picture_bytes: NDArray[np.int64]
    small: NDArray[np.uint16]
    clock: NDArray[np.uint16]
    frame_time: NDArray[np.int64]
    sound_hash: NDArray[np.uint8]
    sound_pts: NDArray[np.int64]
    sound_band: NDArray[np.uint8]
    sound_start: int = 0
    parameters: tuple[str, ...] = ()
    marks: Mapping[str, int] = field(default_factory=dict)
    broken: int = 0


def fingerprints_of(recording: Recording, clock: ClockBox = ()) -> Fingerprints:
    """Play a recording once and take every fingerprint."""
    pictures = PictureHashes(recording.codec, recording.configuration)
    small = SmallPictures(recording.upright, quarter_turned=recording.quarter_turned, clock=clock)
    sound = SoundHashes(recording.sound_codec)
    bands = SoundBands(recording.sound_rate)
    if recording.further_streams:
        pictures.marks[FURTHER_STREAMS] = recording.further_streams
    for item in recording.play():
        if not isinstance(item, CodedPacket):
            small.feed(item)
        elif item.sound:
            sound.feed(item)
            bands.feed(item.samples, item.pts_s)
        else:
            pictures.feed(item)
    return _together(pictures, small, sound, bands)


class PictureHashes:
    """One hash per coded picture over its picture units alone."""

    def __init__(self, codec: str, configuration: bytes) -> None:
        self._splitter = Splitter(codec, configuration)
        self.hashes = bytearray()
        self.rows: list[tuple[int, int, bool, int]] = []
        self.parameters: dict[str, None] = dict.fromkeys(map(_digest, self._splitter.parameters))
        self.marks: Counter[str] = Counter()
        self.broken = 0

    def feed(self, packet: CodedPacket) -> None:
        """Note one coded picture; one that cannot be taken apart is hashed whole."""
        try:
            units = self._splitter.units(packet.data)
        except CorruptMedia:
            self.broken += 1
            picture: tuple[bytes, ...] = (packet.data,)
        else:
            picture = units.picture
            self.parameters.update(dict.fromkeys(map(_digest, units.parameters)))
            self.marks.update(units.marks())
        joined = b"".join(hashlib.sha256(unit).digest() for unit in picture)
        self.hashes += hashlib.sha256(joined).digest()
        self.rows.append(
            (_micros(packet.pts_s), _micros(packet.dts_s), packet.key, packet.byte_length)
        )


class SmallPictures:
    """Each frame's luma, upright, averaged to 32 x 18."""

    def __init__(
        self,
        upright: Callable[[NDArray[Any]], NDArray[Any]],
        *,
        quarter_turned: bool,
        clock: ClockBox = (),
    ) -> None:
        self._upright = upright
        self._clock = clock
        self.clock = bytearray()
        size = (SMALL_WIDTH, SMALL_HEIGHT)
        self._size = size[::-1] if quarter_turned else size
        self.small = bytearray()
        self.times: list[int] = []

    def feed(self, frame: Frame) -> None:
        """Note one frame."""
        import cv2

        luma = frame.luma_thumbnail(SOURCE_ROWS).astype(np.float32)
        small = cv2.resize(luma, self._size, interpolation=cv2.INTER_AREA)
        steps = np.rint(self._upright(small) * SMALL_STEPS).astype("<u2")
        self.small += steps.tobytes()
        if self._clock:
            self.clock += _clock_picture(frame, self._clock)
        self.times.append(_micros(frame.time_s))


def _clock_picture(frame: Frame, box: ClockBox) -> bytes:
    """The clock's box in `CLOCK_WIDTH` x `CLOCK_HEIGHT`, by the centres of its corner cells."""
    scale = np.array([frame.width, frame.height, frame.width, frame.height]) / SHARE_UNITS
    left, top, right, bottom = np.array(box) * scale
    half_x, half_y = (right - left) / CLOCK_WIDTH / 2, (bottom - top) / CLOCK_HEIGHT / 2
    corners = np.array(
        [
            [left + half_x, top + half_y],
            [right - half_x, top + half_y],
            [left + half_x, bottom - half_y],
        ],
        np.float32,
    )
    # Corners name pixel centres, and the first pixel's centre is 0.
    cut = frame.crop(corners - np.float32(0.5), CLOCK_WIDTH, CLOCK_HEIGHT)
    steps: bytes = np.rint(cut.mean(axis=2) * SMALL_STEPS).astype("<u2").tobytes()
    return steps


class SoundHashes:
    """One hash per packet of coded sound, or per block where the sound is not compressed."""

    def __init__(self, codec: str) -> None:
        self._codec = codec
        self._blocks = codec.startswith("pcm_")
        self._left = bytearray()
        self.hashes = bytearray()
        self.times: list[int] = []

    def feed(self, packet: CodedPacket) -> None:
        """Note one packet of sound."""
        if not self._blocks:
            self._note(without_adts(packet.data) if self._codec == "aac" else packet.data, packet)
            return
        self._left += packet.data
        while len(self._left) >= PCM_BLOCK:
            self._note(bytes(self._left[:PCM_BLOCK]), packet)
            del self._left[:PCM_BLOCK]

    def _note(self, data: bytes, packet: CodedPacket) -> None:
        self.hashes += hashlib.sha256(data).digest()
        self.times.append(_micros(packet.pts_s))


def without_adts(data: bytes) -> bytes:
    """AAC without the header that transport streams put before each packet."""
    if len(data) < ADTS_LENGTH or data[0] != 0xFF or data[1] & 0xF6 != 0xF0:
        return data
    announced = (data[3] & 3) << 11 | data[4] << 3 | data[5] >> 5
    if announced != len(data):
        return data
    return data[ADTS_LENGTH if data[1] & 1 else ADTS_LENGTH_CHECKED :]


def _together(
    pictures: PictureHashes, small: SmallPictures, sound: SoundHashes, bands: SoundBands
) -> Fingerprints:
    columns = list(zip(*pictures.rows, strict=True)) or [(), (), (), ()]
    pts, dts, key, length = columns
    picture_pts = np.array(pts, np.int64)
    timed = picture_pts[picture_pts != NO_TIME]
    zero_s = float(timed.min()) / 1e6 if len(timed) else 0.0
    rows, start_s = bands.result()
    return Fingerprints(
        picture_hash=_rows(pictures.hashes, np.uint8, (HASH_LENGTH,)),
        picture_pts=picture_pts,
        picture_dts=np.array(dts, np.int64),
        picture_key=np.array(key, np.bool_),
        picture_bytes=np.array(length, np.int64),
        small=_rows(small.small, "<u2", (SMALL_HEIGHT, SMALL_WIDTH)),
        clock=_rows(small.clock, "<u2", (CLOCK_HEIGHT, CLOCK_WIDTH)),
        frame_time=np.array(small.times, np.int64),
        sound_hash=_rows(sound.hashes, np.uint8, (HASH_LENGTH,)),
        sound_pts=np.array(sound.times, np.int64),
        sound_band=rows.reshape(-1, BANDS),
        sound_start=0 if start_s is None else round((start_s - zero_s) * 1e6),
        parameters=tuple(pictures.parameters),
        marks=dict(pictures.marks),
        broken=pictures.broken,
    )


def _rows(data: bytearray, kind: Any, shape: tuple[int, ...]) -> NDArray[Any]:
    return np.frombuffer(data, kind).reshape(-1, *shape)


def _micros(seconds: float | None) -> int:
    return NO_TIME if seconds is None else round(seconds * 1e6)


def _digest(unit: bytes) -> str:
    return hashlib.sha256(unit).hexdigest()
