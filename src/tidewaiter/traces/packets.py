"""The compressed stream as it lies in the file: sizes, time stamps, key frames, rhythm."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tidewaiter.media import Frame, Packet, Video
from tidewaiter.traces.base import Traces, Untaken, VideoTrace
from tidewaiter.vocabulary import Status, tr

SHORTEST_PERIOD, LONGEST_PERIOD = 8, 129
"""Frames of a first group of pictures that are searched for; custody handbook 3.14."""

MOST_EXCESS = 3.0
"""A frame's excess size is clipped here, so that one scene change cannot make a rhythm."""

NEIGHBOURS = 2
"""A frame is compared with the median of this many on either side, of its own type."""

FEWEST_FOLDS = 4
"""A period must repeat this often before it is called one."""

LARGE_SHARES = (0.2, 0.1, 0.05, 0.02)
"""Shares of frames that are called large, each tried: long periods mark few frames."""

LEAST_EXCESS = 0.02
"""A frame that is not even 2 % larger than its neighbours is not large."""

_CHUNK = 4096
_COLUMNS = np.dtype(
    [("size", "i8"), ("pts_s", "f8"), ("dts_s", "f8"), ("key", "?"), ("corrupt", "?")]
)


@dataclass(frozen=True)
class PacketTable:
    """One value a packet, in display order where all have a presentation time, else file order.

    Times are seconds, NaN where missing. `frame_type` is the type of the decoded frame
    of the same rank (b"?" where their numbers differ). `in_display_order` tells the order.
    """

    size: NDArray[np.int64]
    pts_s: NDArray[np.float64]
    dts_s: NDArray[np.float64]
    key: NDArray[np.bool_]
    corrupt: NDArray[np.bool_]
    frame_type: NDArray[np.bytes_]
    in_display_order: bool
    codec: str
    nominal_fps: float | None

    @property
    def packets(self) -> int:
        """Number of packets."""
        return len(self.size)


class Packets(VideoTrace):
    """The packet table of the examined stream."""

    name = "packets"

    def __init__(self) -> None:
        self._rows = [np.zeros(_CHUNK, _COLUMNS)]
        self._count = 0
        self._types = bytearray()
        self._codec = ""
        self._nominal_fps: float | None = None

    def begin(self, video: Video) -> None:
        """Note codec and nominal rate."""
        self._codec = video.codec
        self._nominal_fps = video.nominal_fps

    def feed_packet(self, packet: Packet) -> None:
        """Note one packet."""
        if self._count == len(self._rows) * _CHUNK:
            self._rows.append(np.zeros(_CHUNK, _COLUMNS))
        self._rows[-1][self._count % _CHUNK] = (
            packet.byte_length,
            np.nan if packet.pts_s is None else packet.pts_s,
            np.nan if packet.dts_s is None else packet.dts_s,
            packet.key,
            packet.corrupt,
        )
        self._count += 1

    def feed(self, frame: Frame) -> None:
        """Note the type of the decoded frame."""
        self._types += (frame.picture_type or "?")[:1].encode("ascii", "replace")

    def result(self, earlier: Traces) -> Any:  # noqa: ARG002 - needs no other trace
        """A `PacketTable`, or `Untaken` when the stream holds no packet."""
        if not self._count:
            return Untaken(Status.NOT_APPLICABLE, tr("the video stream holds no packet"))
        rows = np.concatenate(self._rows)[: self._count]
        timed = bool(np.isfinite(rows["pts_s"]).all())
        if timed:
            rows = rows[np.argsort(rows["pts_s"], kind="stable")]
        types = bytes(self._types) if len(self._types) == self._count else b"?" * self._count
        return PacketTable(
            **{name: np.ascontiguousarray(rows[name]) for name in _COLUMNS.names or ()},
            frame_type=np.frombuffer(types, "S1"),
            in_display_order=timed,
            codec=self._codec,
            nominal_fps=self._nominal_fps,
        )


@dataclass(frozen=True)
class EncodingRhythm:
    """How strongly sizes of inter frames repeat with a period, as after a second encoding.

    `excess` is each frame's size over the median of its neighbours of the same type,
    minus one, clipped to 0…3; NaN at key frames and next to them. `strength[i]` is
    -log10 of the number of phases, over all periods, expected to hold as many large frames
    by chance (NFA) for the best phase, `phase[i]`, of `period[i]` frames. Empty arrays
    where the stream is too short or all intra.
    """

    excess: NDArray[np.float64]
    period: NDArray[np.int64]
    strength: NDArray[np.float64]
    phase: NDArray[np.int64]
    key_period: int


class DoubleEncoding(VideoTrace):
    """The period that a first encoding's key frames leave in the sizes of inter frames."""

    name = "double_encoding"
    after = ("packets",)

    def result(self, earlier: Traces) -> Any:
        """An `EncodingRhythm`; `Untaken` where there is no packet table."""
        table = earlier["packets"]
        if isinstance(table, Untaken):
            return table
        return encoding_rhythm(table)


def encoding_rhythm(table: PacketTable) -> EncodingRhythm:
    """Fold the excess sizes of inter frames over every period (Wang & Farid 2006, idea)."""
    excess = excess_sizes(table)
    last = min(LONGEST_PERIOD, int(np.isfinite(excess).sum()) // FEWEST_FOLDS)
    periods = np.arange(SHORTEST_PERIOD, int(last) + 1)
    tests = float(periods.sum()) * len(LARGE_SHARES)
    folded = [best_phase(excess, int(period), tests) for period in periods]
    return EncodingRhythm(
        excess=excess,
        period=periods,
        strength=np.array([strength for strength, _ in folded], np.float64),
        phase=np.array([phase for _, phase in folded], np.int64),
        key_period=usual_key_interval(table),
    )


def best_phase(excess: NDArray[np.float64], period: int, tests: float) -> tuple[float, int]:
    """-log10 NFA of the phase that holds most of the large frames, and that phase.

    `tests` is the number of phases, periods and definitions of "large" looked at.
    """
    values = excess[np.isfinite(excess)]
    counts = _fold(np.isfinite(excess), period)
    best = (-np.log10(tests), 0)
    for share in LARGE_SHARES:
        large = excess > max(float(np.quantile(values, 1.0 - share)), LEAST_EXCESS)
        rate = float(large.sum()) / len(values)
        if rate == 0.0:
            continue
        tails = binomial_exponent(_fold(large, period), counts, rate)
        phase = int(np.argmax(tails))
        best = max(best, (float(tails[phase]) - float(np.log10(tests)), phase))
    return best


def binomial_exponent(
    events: NDArray[np.int64], trials: NDArray[np.int64], rate: float
) -> NDArray[np.float64]:
    """-log10 of the chance of at least so many events, 0…300; 0 where none is asked for."""
    from scipy.special import betainc

    # P[B(n, p) >= k] = I_p(k, n - k + 1); scipy.stats would take a second to import.
    tail = betainc(np.maximum(events, 1), trials - np.maximum(events, 1) + 1.0, rate)
    exponent = -np.log10(np.maximum(tail, 1e-300))
    return np.asarray(np.where(events > 0, exponent, 0.0), np.float64)


def excess_sizes(table: PacketTable) -> NDArray[np.float64]:
    """Size over the median size of the neighbours of the same type, minus one; 0…3 or NaN."""
    excess = np.full(table.packets, np.nan)
    near_key = table.key.copy()
    near_key[1:] |= table.key[:-1]
    near_key[:-1] |= table.key[1:]
    for kind in np.unique(table.frame_type[~near_key]):
        places = np.flatnonzero((table.frame_type == kind) & ~near_key)
        if len(places) > 2 * NEIGHBOURS:
            excess[places] = _over_neighbours(table.size[places].astype(np.float64))
    return excess


def usual_key_interval(table: PacketTable) -> int:
    """The commonest distance between key frames in frames; 0 with fewer than two of them."""
    steps = np.diff(np.flatnonzero(table.key))
    if not len(steps):
        return 0
    values, counts = np.unique(steps, return_counts=True)
    return int(values[np.argmax(counts)])


def _over_neighbours(size: NDArray[np.float64]) -> NDArray[np.float64]:
    padded = np.pad(size, NEIGHBOURS, mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    others = np.delete(windows, NEIGHBOURS, axis=1)
    usual = np.maximum(np.median(others, axis=1), 1.0)
    return np.clip(size / usual - 1.0, 0.0, MOST_EXCESS)


def _fold(marks: NDArray[np.bool_], period: int) -> NDArray[np.int64]:
    """How many of the marks fall on each phase."""
    return np.bincount(np.flatnonzero(marks) % period, minlength=period)
