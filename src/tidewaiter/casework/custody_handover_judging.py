"""Judge the records of a hand-over by what the log knows, before any of them is logged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tidewaiter.custody.camera import recording_name
from tidewaiter.custody.chains import Allowed
from tidewaiter.custody.discrepancy import NAMES, Discrepancy
from tidewaiter.custody.handover import HANDED_KINDS, split_lines
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.merkle import leaf_hash
from tidewaiter.custody.record import Record, parse_record
from tidewaiter.custody.store import LogStore
from tidewaiter.errors import InputError, MalformedText

NOT_SIGNED = frozenset(
    {"bad-signature", "unknown-key", "revoked-key-used", "device-reattributed", "record-malformed"}
)
"""Findings with which a record cannot be logged under its camera's name."""

KEY_MARK = b'"kind":"key.'
FOUNDING_MARK = b'"kind":"policy"'
_SHOWN_NAMES = 5


class Lines(Protocol):
    """Of which camera the records are, and their bytes."""

    @property
    def device(self) -> str:
        """The camera that was named by whoever hands over."""

    @property
    def lines(self) -> bytes:
        """The file of records."""


@dataclass(frozen=True)
class JudgedLine:
    """One line of the records: what it is and what is wrong with it."""

    leaf: bytes
    record: Record | None
    findings: tuple[Discrepancy, ...]
    is_new: bool
    """Whether it is to be logged: validly signed, and not in the log yet."""

    index: int | None
    """Where it stands in the log, or will; None where it does not go there."""

    is_refused: bool = False
    """Whether it cannot be logged under the camera's name."""

    is_second: bool = False
    """Whether the camera used its number, and with it the recording's name, before."""

    @property
    def names(self) -> frozenset[str]:
        """What was found, by name."""
        return frozenset(one.name for one in self.findings)


def judge_so_far(store: LogStore, device: str, allowed: Allowed) -> Judge:
    """A judge that knows every key of the log and the whole chain of one device."""
    judge = Judge(allowed=allowed, whole_log=False)
    named = f'"device":"{device}"'.encode()
    for leaf in store.leaves_with([KEY_MARK, FOUNDING_MARK, named]):
        # Its signatures were checked when it was taken over; the audit checks all again.
        judge.check_signatures = KEY_MARK in leaf.body or FOUNDING_MARK in leaf.body
        judge.feed(leaf.index, leaf.body)
    judge.check_signatures = True
    return judge


def judge_lines(
    store: LogStore, judge: Judge, handed: Lines, first: int, now_ms: int
) -> list[JudgedLine]:
    """Judge every line, by number; the first that is logged gets the index `first`.

    A rotation must be logged before what the new key signed, in whatever order lines came.
    Raises InputError where all records are of other devices: then the wrong one was named.
    """
    lines = sorted(split_lines(handed.lines), key=_number_said)
    hashes = [leaf_hash(leaf) for _, leaf in lines]
    known = store.indices_of(hashes)
    found: list[JudgedLine] = []
    seen: set[bytes] = set()
    others: set[str] = set()
    for (number, leaf), hashed in zip(lines, hashes, strict=True):
        index = known.get(hashed)
        if index is not None and hashed not in seen:
            found.append(JudgedLine(leaf, parse_record(leaf), (), is_new=False, index=index))
        elif hashed in seen:
            text = "stands in the records twice"
            found.append(_refused(number, leaf, "segment-replayed", text, handed.device))
        else:
            line = _judged(judge, handed.device, number, leaf, first)
            found.append(_with_clock(line, now_ms + judge.allowed.offset_ms))
            first += line.is_new
        seen.add(hashed)
        record = found[-1].record
        others |= {record.device} if record is not None else set()
    if others and handed.device not in others:
        raise InputError(
            f"no record handed over is of {handed.device}; they are of "
            f"{', '.join(sorted(others)[:_SHOWN_NAMES])}: name the camera whose records these are"
        )
    return found


def gaps_since(judge: Judge, device: str, first: int) -> list[Discrepancy]:
    """The numbers that are missing before a record that was logged at `first` or later."""
    chain = judge.chains.get(device)
    missing: Sequence[Discrepancy] = chain.missing() if chain else ()
    return [one for one in missing if one.last is not None and one.last >= first]


def _with_clock(line: JudgedLine, latest_ms: int) -> JudgedLine:
    """The same, and that its clock is ahead of the moment at which it was handed over."""
    record = line.record
    if record is None or not line.is_new or record.claimed_ms <= latest_ms:
        return line
    ahead_s = (record.claimed_ms - latest_ms) / 1000
    text = (
        f"number {record.seq} of {record.device} claims a time {ahead_s:.0f} s later than it could "
        "have been written"
    )
    finding = Discrepancy("device-clock-off", text, line.index, line.index, (record.device,))
    return replace(line, findings=(*line.findings, finding))


def _number_said(line: tuple[int, bytes]) -> int:
    """The number that a line says it has; one that does not parse comes first."""
    try:
        return parse_record(line[1]).seq or 0
    except MalformedText:
        return -1


def _judged(judge: Judge, device: str, number: int, leaf: bytes, index: int) -> JudgedLine:
    try:
        record = parse_record(leaf)
    except MalformedText as error:
        return _refused(number, leaf, "record-malformed", str(error), device)
    if record.device != device or record.signer != device:
        text = f"is of {record.device}, signed by {record.signer}"
        return _refused(number, leaf, "device-reattributed", text, device, record)
    if record.kind not in HANDED_KINDS or record.seq is None:
        text = f"is a {record.kind} that no camera hands over, or has no number"
        return _refused(number, leaf, "record-malformed", text, device, record)
    if record.kind == "segment" and record.recording != recording_name(device, record.seq):
        text = f"names the recording {record.recording}; {recording_name(device, record.seq)} due"
        return _refused(number, leaf, "record-malformed", text, device, record)
    is_second = record.recording in judge.retention.recordings
    findings = judge.feed_record(index, record)
    wrong = next((one for one in findings if one.name in NOT_SIGNED), None)
    if wrong is not None:
        signers = tuple(dict.fromkeys((device, *wrong.devices)))
        refused = _refused(number, leaf, wrong.name, NAMES[wrong.name], device, record)
        named = replace(refused.findings[0], devices=signers)
        return replace(refused, findings=(named,))
    return JudgedLine(leaf, record, tuple(findings), is_new=True, index=index, is_second=is_second)


def _refused(
    number: int, leaf: bytes, name: str, text: str, device: str, record: Record | None = None
) -> JudgedLine:
    claimed = record.claimed_ms if record else None
    words = f"line {number} of the records: {text}; it is kept, but not under {device}"
    finding = Discrepancy(name, words, None, None, (device,), claimed)
    return JudgedLine(leaf, record, (finding,), is_new=False, index=None, is_refused=True)
