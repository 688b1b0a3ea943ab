"""Play a recording once with everything a fingerprint needs: coded bytes, frames and sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.errors import UnsupportedMedia
from tidewaiter.media.container import DECODERS, SOUND_DECODERS, moving_streams
from tidewaiter.media.files import digest_of, opened_file, state_of
from tidewaiter.media.material import Frame, Packet
from tidewaiter.media.orientation import turned
from tidewaiter.media.playback import Playback
from tidewaiter.media.sniffing import HEAD_BYTES, identify, shown_name
from tidewaiter.media.source import Source
from tidewaiter.media.video import check_unchanged
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import MediaKind, Text

Samples = NDArray[np.float32]
NO_SAMPLES = np.zeros(0, np.float32)
SOUND_BATCH = 64
LARGEST_WAITING = 64 * 1024
"""Packets of sound that are decoded together, and bytes of the largest one that waits for more."""
FLOAT_SOUND = ("fltp", "flt")
"""Formats of decoded sound whose one channel can be taken as it lies in memory."""


@dataclass(frozen=True)
class CodedPacket(Packet):
    """A packet with its bytes: of pictures, or of sound with what it decodes to.

    `samples` is mono, -1..1, at the recording's own sampling rate; None for pictures and
    where sound cannot be decoded.
    """

    data: bytes = b""
    sound: bool = False
    samples: Samples | None = None


class RecordingPlayback(Playback):
    """A run through pictures and the first sound stream; sound comes as it lies in the file.

    Sound is decoded some packets at a time, so that it lags behind the pictures a little: turning
    from one decoder to the other for each packet cost more than decoding the packet.
    """

    decoders = DECODERS | SOUND_DECODERS

    def _prepare(self) -> None:
        self._waiting_sound: list[Any] = []
        self.sound = next(iter(self.container.streams.audio), None)
        self.sound_decoder = _sound_decoder(self.sound)
        self.undecoded_sound = 0
        super()._prepare()

    def _decoded_items(self) -> Iterator[Any]:
        base = float(self.stream.time_base or 0)
        for packet in self._demuxed():
            if packet.stream.index != self.stream.index:
                if packet.size:
                    yield from self._sound_packets(packet)
                continue
            if packet.size:
                self._count_packet()
                yield _coded(packet, base)
            elif packet.dts is not None:
                # An empty packet within the stream would tell the decoder to finish.
                continue
            yield from self._decoded(packet)
        yield from self._worked_off_sound()

    def _streams(self) -> list[Any]:
        return [self.stream] if self.sound is None else [self.stream, self.sound]

    def _sound_packets(self, packet: Any) -> Iterator[CodedPacket]:
        self._waiting_sound.append(packet)
        if len(self._waiting_sound) >= SOUND_BATCH or packet.size > LARGEST_WAITING:
            yield from self._worked_off_sound()

    def _worked_off_sound(self) -> Iterator[CodedPacket]:
        waiting, self._waiting_sound = self._waiting_sound, []
        for packet in waiting:
            yield self._sound_packet(packet)

    def _sound_packet(self, packet: Any) -> CodedPacket:
        from av.error import FFmpegError

        base = float(packet.time_base or 0)
        if self.sound_decoder is None:
            return _coded(packet, base, sound=True)
        try:
            frames = self.sound_decoder.decode(packet)
        except (FFmpegError, ValueError):
            self.undecoded_sound += 1
            return _coded(packet, base, sound=True)
        parts = [_mono(frame) for frame in frames]
        samples = parts[0] if len(parts) == 1 else np.concatenate([*parts, NO_SAMPLES])
        return _coded(packet, base, sound=True, samples=samples)


@dataclass
class Recording:
    """An opened recording, to be played once; facts about its container and streams."""

    source: Source
    playback: RecordingPlayback

    @property
    def codec(self) -> str:
        """The codec of the pictures, by FFmpeg's name."""
        return str(self.playback.stream.codec_context.codec.canonical_name)

    @property
    def configuration(self) -> bytes:
        """The header of the picture stream (avcC, hvcC, start codes) or nothing."""
        return bytes(self.playback.stream.codec_context.extradata or b"")

    @property
    def sound_codec(self) -> str:
        """The codec of the sound; empty where there is none."""
        sound = self.playback.sound
        return "" if sound is None else str(sound.codec_context.codec.canonical_name)

    @property
    def sound_rate(self) -> int:
        """Samples per second; 0 without sound."""
        sound = self.playback.sound
        return 0 if sound is None else int(sound.codec_context.sample_rate or 0)

    @property
    def further_streams(self) -> int:
        """Streams of pictures and of sound beside those that are played."""
        container = self.playback.container
        kinds = (moving_streams(container), container.streams.audio)
        return sum(max(len(kind) - 1, 0) for kind in kinds)

    @property
    def nominal_fps(self) -> float | None:
        """Frames per second as the stream states them."""
        return self.playback.clock.nominal_fps

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the pictures as they should be seen."""
        view = self.playback.view
        return (view.height, view.width) if view.orientation >= 5 else (view.width, view.height)

    def upright(self, stored: NDArray[Any]) -> NDArray[Any]:
        """A picture as stored, turned as it should be seen."""
        return turned(stored, self.playback.view.orientation)

    @property
    def quarter_turned(self) -> bool:
        """Whether width and height change places between storing and showing."""
        return self.playback.view.orientation >= 5

    def play(self) -> Iterator[CodedPacket | Frame]:
        """Every packet of pictures and sound in file order, every frame in display order."""
        try:
            yield from self.playback.items()  # type: ignore[misc]
        finally:
            self.playback.close()

    def notes(self) -> tuple[Text, ...]:
        """What was met while playing; complete after the last frame."""
        return tuple(self.playback.closing_notes())


def open_recording(path: str | Path, limits: Limits, *, name: str | None = None) -> Recording:
    """Open a video with its sound. Must run in a worker that may be killed.

    Raises UnsupportedMedia for anything but a video, CorruptMedia, LimitExceeded,
    UnknownExhibit or InputError.
    """
    source = _source(Path(path), limits, name)
    if source.identity.kind is not MediaKind.VIDEO:
        raise _not_a_video(source)
    check_unchanged(source)
    playback = RecordingPlayback(source, limits)
    if playback.stream is None:
        playback.close()
        raise _not_a_video(source)
    return Recording(source, playback)


def _source(path: Path, limits: Limits, name: str | None) -> Source:
    shown = shown_name(name or path.name or str(path))
    with opened_file(path, limits, shown) as file:
        identity = identify(file.read(HEAD_BYTES), shown)
        state = state_of(path)
        return Source(path, shown, state[2], digest_of(file, shown), identity, state)


def _not_a_video(source: Source) -> UnsupportedMedia:
    return UnsupportedMedia(
        f"{source.shown}: found {source.identity.what}; a video is needed to compare pictures "
        "and sound. Other files are the same when their digests (SHA-256) are the same."
    )


def _coded(
    packet: Any, base: float, *, sound: bool = False, samples: Samples | None = None
) -> CodedPacket:
    """A packet of a stream whose clock ticks every `base` seconds."""
    pts, dts = packet.pts, packet.dts
    return CodedPacket(
        packet.size,
        packet.is_keyframe,
        None if pts is None else pts * base,
        None if dts is None else dts * base,
        packet.is_corrupt,
        bytes(packet),
        sound,
        samples,
    )


def _sound_decoder(sound: Any) -> Any:
    """A decoder of our own for a sound stream; None where it is not one we run."""
    from av import CodecContext
    from av.error import FFmpegError

    if sound is None or sound.codec_context is None:
        return None
    known = sound.codec_context
    if known.codec.name not in SOUND_DECODERS:
        return None
    try:
        decoder = CodecContext.create(known.codec.name, "r")
        decoder.extradata = known.extradata
        decoder.sample_rate, decoder.layout = known.sample_rate, known.layout
        decoder.open()
    except (FFmpegError, ValueError, TypeError):
        # Sound that cannot be decoded is still compared packet by packet.
        return None
    return decoder


def _mono(frame: Any) -> Samples:
    """The mean of all channels of a decoded sound frame, -1..1."""
    if frame.layout.nb_channels == 1 and frame.format.name in FLOAT_SOUND:
        # Without PyAV's stacking of channels: this runs some fifty times for each second.
        plane = np.frombuffer(frame.planes[0], np.float32, frame.samples)
        return plane.copy()
    values = frame.to_ndarray()
    if values.dtype.kind == "i":
        values = values.astype(np.float32) / float(np.iinfo(values.dtype).max)
    elif values.dtype.kind == "u":
        values = values.astype(np.float32) / 128.0 - 1.0
    values = values.astype(np.float32, copy=False)
    if not frame.format.is_planar:
        values = values.reshape(-1, frame.layout.nb_channels).T
    mean: Samples = values.mean(axis=0)
    return mean
