"""What is missing, worked out from the entries alone: never from what the server says of it.

A missing number, a silence that no signed stop explains, and a recording that was due and was
not made are findings. A signed outage is shown as an outage: it is not tampering.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tidewaiter.custody.chains import DeviceChain, Pause
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.record import Record

REASONS_THAT_EXCUSE = frozenset({"battery", "storage-full", "fault", "privacy-pause"})
"""Signed stops after which a device could not, or must not, make a recording that was due."""


@dataclass(frozen=True)
class Expectation:
    """An operation that was to be recorded, by one device or by any device of a unit."""

    index: int
    subject: str
    unit: str
    from_ms: int
    to_ms: int
    operation: str
    silence_ms: int


@dataclass(frozen=True)
class Absences:
    """What is missing within a span of time, and the outages that devices signed for."""

    discrepancies: tuple[Discrepancy, ...]
    outages: tuple[Pause, ...]


@dataclass
class Roster:
    """What the entries say of who should have recorded: units of devices, and what was due."""

    units: dict[str, str] = field(default_factory=dict)
    expectations: list[Expectation] = field(default_factory=list)

    def enter(self, index: int, record: Record) -> None:
        """Take in an entry that is validly signed."""
        fields = record.fields
        if record.kind == "key.enrol" and "unit" in fields:
            self.units[fields["subject"]] = fields["unit"]
        if record.kind == "expect":
            self.expectations.append(
                Expectation(
                    index,
                    fields.get("subject", ""),
                    fields.get("unit", ""),
                    fields["from_ms"],
                    fields["to_ms"],
                    fields["operation"],
                    1000 * fields["max_silence_s"],
                )
            )


def find_absences(
    chains: Mapping[str, DeviceChain],
    roster: Roster,
    *,
    from_ms: int,
    to_ms: int,
    whole_log: bool,
) -> Absences:
    """Everything missing between two moments (POSIX milliseconds), the later one not after now.

    `whole_log`: False where only part of the log is at hand, so that a chain may begin late and
    end early without meaning anything.
    """
    found: list[Discrepancy] = []
    outages: list[Pause] = []
    for name in sorted(chains):
        chain = chains[name]
        found += chain.missing(from_start=whole_log)
        ends = _open_end(chain, to_ms) if whole_log else []
        silences = [*chain.silences, *(end for end in ends if not end.reason)]
        if chain.speaks_for_itself:
            found += [_silence(pause) for pause in silences]
        outages += [*chain.outages, *(end for end in ends if end.reason)]
    if whole_log:
        for due in roster.expectations:
            found += _not_recorded(due, chains, roster, from_ms=from_ms, to_ms=to_ms)
    return Absences(
        tuple(one for one in found if _meets(one.since_ms, one.until_ms, from_ms, to_ms)),
        tuple(one for one in outages if _meets(one.since_ms, one.until_ms, from_ms, to_ms)),
    )


def _open_end(chain: DeviceChain, to_ms: int) -> list[Pause]:
    """The time since the device was last heard from, where it is longer than allowed."""
    last = chain.runs[-1].tail
    if not last.stop_reason and to_ms - last.claimed_ms <= chain.allowed.silence_ms:
        return []
    if last.claimed_ms >= to_ms:
        return []
    return [Pause(chain.device, last.stop_reason, last.claimed_ms, None, last.index)]


def _silence(pause: Pause) -> Discrepancy:
    if pause.until_ms is None:
        text = f"{pause.device} has not been heard from since, and signed no stop"
    else:
        seconds = (pause.until_ms - pause.since_ms) / 1000
        text = f"{pause.device} was silent for {seconds:.0f} s, and signed no stop before"
    return Discrepancy(
        "unexplained-silence",
        text,
        pause.index,
        pause.index,
        (pause.device,),
        pause.since_ms,
        pause.until_ms,
    )


def _not_recorded(
    due: Expectation,
    chains: Mapping[str, DeviceChain],
    roster: Roster,
    *,
    from_ms: int,
    to_ms: int,
) -> list[Discrepancy]:
    """The parts of a time in which something was due that no recording covers."""
    start, end = max(due.from_ms, from_ms), min(due.to_ms, to_ms)
    names = [due.subject] if due.subject else _devices_of(due.unit, roster)
    spans = sorted(
        span for name in names if name in chains for span in _explained(chains[name], due, end)
    )
    at, found = start, []
    for first, last in [*spans, (end, end)]:
        if min(first, end) - at > due.silence_ms:
            found.append(_due(due, names, at, min(first, end)))
        at = max(at, last)
    return found


def _explained(chain: DeviceChain, due: Expectation, to_ms: int) -> list[tuple[int, int]]:
    """What the device recorded, and when it had signed that it could not.

    An outage of one device of a unit excuses nobody: another could have recorded.
    """
    if not due.subject:
        return chain.covered_ms
    stops = [*chain.outages, *_open_end(chain, to_ms)]
    return chain.covered_ms + [
        (one.since_ms, to_ms if one.until_ms is None else one.until_ms)
        for one in stops
        if one.reason in REASONS_THAT_EXCUSE
    ]


def _devices_of(unit: str, roster: Roster) -> list[str]:
    return sorted(name for name, of in roster.units.items() if of == unit)


def _due(due: Expectation, names: list[str], since_ms: int, until_ms: int) -> Discrepancy:
    who = due.subject or f"the unit {due.unit}"
    text = f"{who} was to record {due.operation}; {(until_ms - since_ms) / 1000:.0f} s are missing"
    return Discrepancy(
        "expected-recording-missing", text, due.index, due.index, tuple(names), since_ms, until_ms
    )


def _meets(since: int | None, until: int | None, from_ms: int, to_ms: int) -> bool:
    return (since is None or since < to_ms) and (until is None or until >= from_ms)
