"""How long each recording must be kept, what holds it, and whether it was erased rightly.

A recording stays for the days of its class, counted from the later of what its device claims and
what witnesses bound. A hold blocks erasing whatever the date. Erasing before the date takes a
legal basis and two approvals, and without them is named `early-erasure`.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.record import Record
from tidewaiter.custody.witness_times import WitnessTimes

DAY_MS = 86_400_000
_BRINGS_A_RECORDING = {"segment", "import"}
_IS_ABOUT_A_RECORDING = {"ingest", "hold", "category", "derive"}


@dataclass(slots=True)
class Kept:
    """What the entries say of one recording."""

    entry: int
    since_ms: int
    retention_class: str
    holds: int = 0
    erased_by: int | None = None
    last: int = 0
    """The last entry that brought content under this name; 0 for a copy made from another."""


@dataclass
class RetentionBook:
    """Every recording with its class, holds and erasure; every class with its days."""

    recordings: dict[str, Kept] = field(default_factory=dict)
    class_days: dict[str, int] = field(default_factory=dict)

    def shortens(self, record: Record) -> bool:
        """Whether a change of category brings the recording's date forward; assumed if unknown."""
        kept = self.recordings.get(record.recording)
        old = self.class_days.get(kept.retention_class) if kept else None
        new = self.class_days.get(record.fields["class"])
        return old is None or new is None or new < old

    def expires_ms(self, recording: str) -> int | None:
        """When the recording may go; None where no entry says so."""
        kept = self.recordings.get(recording)
        if kept is None or kept.retention_class not in self.class_days:
            return None
        return kept.since_ms + self.class_days[kept.retention_class] * DAY_MS

    def is_erased(self, recording: str, entry: int | None = None) -> bool:
        """Whether an entry says that the content was destroyed that `entry` names; by default all.

        What came in under the same name later is not what people agreed to erase.
        """
        kept = self.recordings.get(recording)
        if kept is None or kept.erased_by is None:
            return False
        return kept.erased_by > (max(kept.entry, kept.last) if entry is None else entry)

    def enter(
        self, index: int, record: Record, lacking: str, times: WitnessTimes
    ) -> list[Discrepancy]:
        """Take in an entry; `lacking` says what its approvals lack, empty if nothing."""
        if record.kind == "erase":
            return self._erase(index, record, lacking, times)
        if record.kind in _BRINGS_A_RECORDING:
            named = record.fields.get("class", "")
            self.bring(index, record.recording, record.claimed_ms, named, times)
        elif record.kind in _IS_ABOUT_A_RECORDING and record.recording not in self.recordings:
            text = f"entry {index}, {record.kind}: no entry before it brings in {record.recording}"
            return [Discrepancy("entry-without-effect", text, index, index)]
        elif record.kind == "derive" and not lacking:
            self._derive(index, record, times)
        elif not lacking:
            self._change(record)
        return []

    def bring(
        self, index: int, recording: str, claimed_ms: int, named: str, times: WitnessTimes
    ) -> None:
        """Take in an entry that brings content of a recording, of the class it names if any."""
        since = max(claimed_ms, times.not_before_ms(index) or 0)
        kept = self.recordings.setdefault(recording, Kept(index, since, named))
        kept.last = index
        kept.since_ms = max(kept.since_ms, since)
        kept.retention_class = kept.retention_class or named

    def _derive(self, index: int, record: Record, times: WitnessTimes) -> None:
        since = max(record.claimed_ms, times.not_before_ms(index) or 0)
        kept = Kept(index, since, record.fields.get("class", ""))
        self.recordings.setdefault(record.fields["result"], kept)

    def _change(self, record: Record) -> None:
        fields = record.fields
        if record.kind == "retention":
            self.class_days[fields["class"]] = fields["days"]
        if record.kind not in _IS_ABOUT_A_RECORDING:
            return
        kept = self.recordings[record.recording]
        if record.kind == "category":
            kept.retention_class = fields["class"]
        elif record.kind == "ingest":
            kept.retention_class = kept.retention_class or fields.get("class", "")
        elif fields["state"] == "placed":
            kept.holds += 1
        elif kept.holds:
            kept.holds -= 1

    def _erase(
        self, index: int, record: Record, lacking: str, times: WitnessTimes
    ) -> list[Discrepancy]:
        kept, name = self.recordings.get(record.recording), record.recording
        if kept is None:
            text = f"entry {index} erases {name}, which no entry before it brought in"
            return [Discrepancy("entry-without-effect", text, index, index)]
        found = []
        due, at = self.expires_ms(name), record.claimed_ms
        confirmed = times.not_after_ms(index)
        by_ms = at if confirmed is None else min(at, confirmed)
        if kept.holds:
            text = f"entry {index} erases {name} while a hold on it is in force"
            found.append(Discrepancy("erased-under-hold", text, index, index, since_ms=by_ms))
        if lacking and due is not None and by_ms < due:
            days = (due - by_ms) / DAY_MS
            text = f"entry {index} erases {name} {days:.1f} days before its date; {lacking}"
            found.append(Discrepancy("early-erasure", text, index, index, since_ms=by_ms))
        elif lacking:
            found.append(
                Discrepancy("approval-missing", f"entry {index}, erase: {lacking}", index, index)
            )
        kept.erased_by = index
        return found
