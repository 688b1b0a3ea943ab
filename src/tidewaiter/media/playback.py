"""Demux and decode one stream, in one thread, keeping count of what breaks on the way."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

from tidewaiter.errors import CorruptMedia, LimitExceeded
from tidewaiter.media.clock import Clock, nominal_rate
from tidewaiter.media.container import (
    DECODERS,
    choose_stream,
    open_container,
    out_of_memory,
    reason_of,
)
from tidewaiter.media.frames import AvFrame, View
from tidewaiter.media.material import Frame, Packet
from tidewaiter.media.orientation import AS_STORED, orientation_of_matrix
from tidewaiter.media.source import Source, check_dimensions
from tidewaiter.settings import Limits
from tidewaiter.vocabulary import Text, tr

FIRST_FRAME_PACKETS = 1000
"""The first frame must come from the first so many packets of the stream."""

PACKETS_PER_FRAME = 4
"""More packets than this for every allowed frame (fields, slices) are an endless stream."""

EARLY_END_SHARE = 0.9
"""A video that ends before this share of its promised duration is noted as cut short."""


class Playback:
    """One run through a stream: opened up to its first frame, then played to its end.

    Raises what `open_container` and `choose_stream` raise; `stream` is None for sound only.
    """

    decoders = DECODERS

    def __init__(self, source: Source, limits: Limits) -> None:
        self.source, self.limits = source, limits
        self.container = open_container(source, limits, self.decoders)
        try:
            self.stream = choose_stream(self.container, source)
            if self.stream is not None:
                self._prepare()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give the file and the decoder back."""
        self._held: list[Any] = []
        self.container.close()

    def items(self) -> Iterator[Packet | Frame]:
        """Packets in file order and frames in display order; each frame lives until the next."""
        held, self._held = self._held, []
        for item in chain(held, self._walk):
            if isinstance(item, Packet):
                yield item
                continue
            frame = self._frame(item)
            yield frame
            frame.release()
        if self.frames == 0:
            raise self._nothing_decoded()

    def opening_notes(self) -> Iterator[Text]:
        """What is worth saying before playing."""
        streams, context = self.container.streams, self.stream.codec_context
        if len(streams.video) > 1:
            yield tr(
                "the file holds {count} video streams; stream {index}, {width} × {height} "
                "pixels, was examined",
                count=len(streams.video),
                index=self.stream.index,
                width=context.width,
                height=context.height,
            )
        if streams.audio:
            yield tr("the sound in the file was not examined")
        if self.oblique:
            yield tr("the file asks to be shown at an oblique angle; it was examined as stored")
        ratio = self.stream.sample_aspect_ratio
        if ratio and ratio != 1:
            yield tr(
                "pixels are not square ({ratio}); they were examined as stored", ratio=str(ratio)
            )

    def closing_notes(self) -> Iterator[Text]:
        """What was met while playing; complete after the last frame."""
        if self.damaged:
            yield tr("{count} packets could not be decoded", count=self.damaged)
        if self.corrupt:
            yield tr("{count} frames were decoded from damaged data", count=self.corrupt)
        if self.read_problem:
            yield tr("the file breaks off: {problem}", problem=self.read_problem)
        promised = self.promised_s
        if promised and self.clock.end_s < EARLY_END_SHARE * promised:
            yield tr(
                "the file promises {promised:.1f} s of video; {found:.1f} s could be decoded",
                promised=promised,
                found=self.clock.end_s,
            )
        if self.resized:
            yield tr("the frames change their size {count} times", count=self.resized)
        if self.clock.guessed:
            yield tr(
                "{count} of {frames} frames carry no time; it was continued at {fps:.3f} frames "
                "per second",
                count=self.clock.guessed,
                frames=self.frames,
                fps=self.clock.fps,
            )

    def _prepare(self) -> None:
        stream, limits = self.stream, self.limits
        self.frames = self.packets = self.damaged = self.corrupt = self.resized = 0
        self.read_problem = ""
        self.promised_s = self._promised_s()
        self._check_promises()
        stream.thread_count = 1
        stream.codec_context.options = {"max_pixels": str(limits.max_pixels)}
        self.clock = Clock(
            float(stream.time_base or 0) or 1 / 90_000,
            nominal_rate(stream),
            by_dts=self.source.identity.reader == "avi",
        )
        self._walk = self._decoded_items()
        self._held = self._until_first_frame()
        first = self._held[-1]
        self.pixel_format: str = first.format.name
        check_dimensions(first.width, first.height, limits, self.source.shown)
        orientation = _orientation(first)
        self.oblique = orientation is None
        self.view = View(orientation or AS_STORED, first.width, first.height)
        self._size = first.width, first.height

    def _promised_s(self) -> float | None:
        stream, container = self.stream, self.container
        if stream.duration is not None and stream.time_base:
            found = float(stream.duration * stream.time_base)
        else:
            # AV_TIME_BASE: containers count in microseconds.
            found = (container.duration or 0) / 1e6
        return found if found > 0 else None

    def _check_promises(self) -> None:
        context, limits, shown = self.stream.codec_context, self.limits, self.source.shown
        check_dimensions(context.width or 1, context.height or 1, limits, shown)
        if self.promised_s and self.promised_s > limits.max_duration_s:
            raise self._too_long(self.promised_s)
        if self.stream.frames > limits.max_frames:
            raise self._too_many(f"{self.stream.frames} frames promised by the header")

    def _until_first_frame(self) -> list[Any]:
        held: list[Any] = []
        for item in self._walk:
            held.append(item)
            if not isinstance(item, Packet):
                return held
            if len(held) >= FIRST_FRAME_PACKETS:
                break
        raise self._nothing_decoded()

    def _decoded_items(self) -> Iterator[Any]:
        """Packets as they lie in the file and what the decoder makes of them."""
        base = float(self.stream.time_base or 0)
        for packet in self._demuxed():
            if packet.size:
                self._count_packet()
                pts, dts = packet.pts, packet.dts
                yield Packet(
                    packet.size,
                    packet.is_keyframe,
                    None if pts is None else pts * base,
                    None if dts is None else dts * base,
                    packet.is_corrupt,
                )
            elif packet.dts is not None:
                # An empty packet within the stream would tell the decoder to finish.
                continue
            yield from self._decoded(packet)

    def _streams(self) -> list[Any]:
        return [self.stream]

    def _demuxed(self) -> Iterator[Any]:
        from av.error import FFmpegError

        try:
            yield from self.container.demux(*self._streams())
        except MemoryError as error:
            raise out_of_memory(self.source, self.limits) from error
        except FFmpegError as error:
            self.read_problem = reason_of(error)

    def _decoded(self, packet: Any) -> list[Any]:
        from av.error import FFmpegError

        try:
            frames: list[Any] = packet.decode()
        except MemoryError as error:
            raise out_of_memory(self.source, self.limits) from error
        except FFmpegError:
            # The decoder refuses sizes beyond max_pixels before it allocates them.
            context = self.stream.codec_context
            check_dimensions(
                context.width or 1, context.height or 1, self.limits, self.source.shown
            )
            self.damaged += 1
            return []
        return frames

    def _frame(self, av_frame: Any) -> AvFrame:
        size = av_frame.width, av_frame.height
        if size != self._size:
            check_dimensions(*size, self.limits, self.source.shown)
            self.resized += 1
            self._size = size
        if self.frames >= self.limits.max_frames:
            raise self._too_many(f"more than {self.limits.max_frames} frames")
        time_s, guessed = self.clock.time_of(av_frame)
        if time_s > self.limits.max_duration_s:
            raise self._too_long(time_s)
        self.corrupt += av_frame.is_corrupt
        self.frames += 1
        return AvFrame(av_frame, self.frames - 1, time_s, guessed, self.view)

    def _count_packet(self) -> None:
        self.packets += 1
        if self.packets > PACKETS_PER_FRAME * self.limits.max_frames + FIRST_FRAME_PACKETS:
            raise self._too_many(f"{self.packets} packets and only {self.frames} frames")

    def _too_many(self, found: str) -> LimitExceeded:
        return LimitExceeded(
            f"{self.source.shown}: found {found}; at most "
            f"{self.limits.max_frames} frames are allowed. Raise limits.max_frames in the settings."
        )

    def _too_long(self, found_s: float) -> LimitExceeded:
        return LimitExceeded(
            f"{self.source.shown}: found {found_s:.0f} s of video; at most "
            f"{self.limits.max_duration_s:.0f} s are allowed. Raise limits.max_duration_s in the "
            "settings to examine it."
        )

    def _nothing_decoded(self) -> CorruptMedia:
        cause = f" ({self.read_problem})" if self.read_problem else ""
        return CorruptMedia(
            f"{self.source.shown}: found {self.source.identity.what} with {self.packets} packets, "
            f"none of which gives a picture{cause}. Ask for the file again from where it came."
        )


def _orientation(av_frame: Any) -> int | None:
    """The orientation in the frame's display matrix.

    Looked at once only: side data make reference cycles, which would let memory grow.
    """
    matrix = av_frame.side_data.get("DISPLAYMATRIX")
    return AS_STORED if matrix is None else orientation_of_matrix(bytes(matrix))
