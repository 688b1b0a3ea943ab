"""The chain of one device: its numbers, digests and clock, and what is missing between them.

Records may arrive late and out of order; what counts is the device's own numbering. Eight bytes
of digest are kept for each record, and two whole records for each unbroken run of numbers.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise

from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.record import NO_PREVIOUS, Record

_KEPT = 8


@dataclass(frozen=True)
class Allowed:
    """How long a device may be silent, and how far its clock may be off.

    The defaults are this software's choice: five heartbeats missed, and two minutes.
    """

    silence_ms: int = 300_000
    offset_ms: int = 120_000


@dataclass(slots=True)
class Link:
    """What is remembered of one record of a chain; made anew for every record, never changed."""

    index: int
    seq: int
    claimed_ms: int
    uptime_ms: int | None
    boot: str
    stop_reason: str


@dataclass(frozen=True)
class Pause:
    """A time in which a device wrote nothing: `reason` as signed before, empty if unexplained.

    `until_ms` is None where the device has not been heard from since.
    """

    device: str
    reason: str
    since_ms: int
    until_ms: int | None
    index: int


@dataclass
class Run:
    """Records numbered without a gap."""

    head: Link
    tail: Link
    first_prev: str
    last_digest: str
    digests: bytearray
    is_keys_only: bool
    """Whether it has nothing but rotations of keys, which a bundle holds from anywhere."""


@dataclass
class DeviceChain:
    """All records of one device so far, as runs in the order of their numbers."""

    device: str
    allowed: Allowed = field(default_factory=Allowed)
    runs: list[Run] = field(default_factory=list)
    outages: list[Pause] = field(default_factory=list)
    silences: list[Pause] = field(default_factory=list)
    covered_ms: list[tuple[int, int]] = field(default_factory=list)
    """Spans that segments cover by the device's clock, disjoint and in order."""

    camera_no: int | None = None
    speaks_for_itself: bool = False
    """Whether the device signs, so that its silence means something."""

    def enter(self, index: int, record: Record) -> list[Discrepancy]:
        """Take in the device's next record as logged; says what contradicts the chain."""
        seq = record.seq
        if seq is None:
            return []
        self.speaks_for_itself |= record.signer == self.device
        place = bisect_right(self.runs, seq, key=lambda run: run.head.seq)
        before = self.runs[place - 1] if place else None
        if before is not None and seq <= before.tail.seq:
            return [self._number_again(index, record, before)]
        link = _link_of(index, record)
        found = self._join(place, record, link)
        if record.kind == "segment" and "start_ms" in record.fields:
            self.cover(record.fields["start_ms"], record.fields["end_ms"])
        return [*found, *self._file_number(index, record)]

    def cover(self, start: int, end: int) -> None:
        """Take in a span that a segment covers, in POSIX milliseconds of the device's clock."""
        place = bisect_right(self.covered_ms, (start, end))
        while place and self.covered_ms[place - 1][1] >= start:
            place -= 1
            start = min(start, self.covered_ms[place][0])
        while place < len(self.covered_ms) and self.covered_ms[place][0] <= end:
            end = max(end, self.covered_ms[place][1])
            del self.covered_ms[place]
        self.covered_ms.insert(place, (start, end))

    def missing(self, *, from_start: bool = True) -> list[Discrepancy]:
        """The numbers that no record has, with the time in which they were given out.

        Without `from_start` only those within the stretch that is at hand.
        """
        runs = self.runs if from_start else self.stretch()
        found = []
        if from_start and runs[0].head.seq:
            found.append(self._gap(None, runs[0].head))
        for before, after in pairwise(runs):
            found.append(self._gap(before.tail, after.head))
        return found

    def stretch(self) -> list[Run]:
        """The runs from the first to the last that has more than rotations of keys."""
        told = [place for place, run in enumerate(self.runs) if not run.is_keys_only]
        return self.runs[told[0] : told[-1] + 1] if told else []

    def _join(self, place: int, record: Record, link: Link) -> list[Discrepancy]:
        """Put a record between the runs, at the end of one, before the next, or joining both."""
        before = self.runs[place - 1] if place else None
        after = self.runs[place] if place < len(self.runs) else None
        kept = bytearray.fromhex(record.digest[: 2 * _KEPT])
        is_key = record.kind == "key.rotate"
        run = Run(link, link, str(record.prev), record.digest, kept, is_key)
        found: list[Discrepancy] = []
        if link.seq == 0 and record.prev != NO_PREVIOUS:
            found.append(self._broken(link, "is its first and yet names one before it"))
        if before is not None and before.tail.seq + 1 == link.seq:
            found += self._follow(before, run)
            run = _joined(before, run)
            del self.runs[place - 1]
            place -= 1
        if after is not None and link.seq + 1 == after.head.seq:
            found += self._follow(run, after)
            run = _joined(run, after)
            del self.runs[place]
        self.runs.insert(place, run)
        return found

    def _follow(self, before: Run, after: Run) -> list[Discrepancy]:
        """Judge a record against its direct predecessor: digest, silence, clock."""
        found = []
        if after.first_prev != before.last_digest:
            text = f"does not name number {before.tail.seq} as logged (entry {before.tail.index})"
            found.append(self._broken(after.head, text))
        since, until = before.tail, after.head
        if since.stop_reason:
            span = (since.stop_reason, since.claimed_ms, until.claimed_ms, since.index)
            self.outages.append(Pause(self.device, *span))
        elif _elapsed_ms(since, until) > self.allowed.silence_ms:
            pause = Pause(self.device, "", since.claimed_ms, until.claimed_ms, since.index)
            self.silences.append(pause)
        return found + self._clock_jump(since, until)

    def _clock_jump(self, since: Link, until: Link) -> list[Discrepancy]:
        by_clock = until.claimed_ms - since.claimed_ms
        off_ms = min(by_clock, 0)
        if since.uptime_ms is not None and until.uptime_ms is not None and since.boot == until.boot:
            off_ms = by_clock - (until.uptime_ms - since.uptime_ms)
        if abs(off_ms) <= self.allowed.offset_ms:
            return []
        way = "forward" if off_ms > 0 else "back"
        text = (
            f"the clock of {self.device} went {way} by {abs(off_ms) / 1000:.0f} s between numbers "
            f"{since.seq} and {until.seq}"
        )
        return [
            Discrepancy(
                "device-clock-off", text, since.index, until.index, (self.device,), since.claimed_ms
            )
        ]

    def _number_again(self, index: int, record: Record, run: Run) -> Discrepancy:
        seq = int(record.seq or 0)
        at = _KEPT * (seq - run.head.seq)
        is_same = run.digests[at : at + _KEPT].hex() == record.digest[: 2 * _KEPT]
        name = "segment-replayed" if is_same else "device-fork"
        what = "logged again" if is_same else "used for a second record with other content"
        text = f"number {seq} of {self.device} is {what} by entry {index}"
        return Discrepancy(name, text, index, index, (self.device,), record.claimed_ms)

    def _broken(self, link: Link, text: str) -> Discrepancy:
        whole = f"number {link.seq} of {self.device} (entry {link.index}) {text}"
        return Discrepancy(
            "chain-broken", whole, link.index, link.index, (self.device,), link.claimed_ms
        )

    def _gap(self, before: Link | None, after: Link) -> Discrepancy:
        first, last = before.seq + 1 if before else 0, after.seq - 1
        numbers = f"number {first} is" if first == last else f"numbers {first} to {last} are"
        return Discrepancy(
            "sequence-gap",
            f"{numbers} missing from the records of {self.device}",
            before.index if before else None,
            after.index,
            (self.device,),
            before.claimed_ms if before else None,
            after.claimed_ms,
        )

    def _file_number(self, index: int, record: Record) -> list[Discrepancy]:
        """A camera that cannot sign numbers its files: its jumps are told, not proven."""
        number, last = record.fields.get("camera_no"), self.camera_no
        if number is None:
            return []
        self.camera_no = number
        if last is None or number <= last + 1:
            return []
        text = (
            f"the file numbers of camera {self.device} jump from {last} to {number}: files "
            f"{last + 1} to {number - 1} were not docked"
        )
        if number == last + 2:
            text = (
                f"the file numbers of camera {self.device} jump from {last} to {number}: file "
                f"{last + 1} was not docked"
            )
        return [
            Discrepancy("sequence-gap", text, index, index, (self.device,), None, record.claimed_ms)
        ]


def _joined(before: Run, after: Run) -> Run:
    before.digests += after.digests
    only_keys = before.is_keys_only and after.is_keys_only
    return Run(
        before.head, after.tail, before.first_prev, after.last_digest, before.digests, only_keys
    )


def _link_of(index: int, record: Record) -> Link:
    fields = record.fields
    return Link(
        index,
        int(record.seq or 0),
        record.claimed_ms,
        fields.get("uptime_ms"),
        fields.get("boot", ""),
        fields["reason"] if record.kind == "stop" else "",
    )


def _elapsed_ms(since: Link, until: Link) -> int:
    """Time between two records by the clock or by the uptime, whichever says more."""
    elapsed = until.claimed_ms - since.claimed_ms
    if since.uptime_ms is not None and until.uptime_ms is not None and since.boot == until.boot:
        elapsed = max(elapsed, until.uptime_ms - since.uptime_ms)
    return elapsed
