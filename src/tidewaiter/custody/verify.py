"""The offline verifier: a bundle, a policy and perhaps files in; a verdict in words out.

It asks no server and believes nothing in the bundle but what leads to a checkpoint that the
policy's witnesses confirmed. A part that does not parse is a failed verification.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidewaiter.custody.approvals import approvers, missing_approvals
from tidewaiter.custody.chains import Run
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.extra import unpack_extra
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.policy import Policy, shown_name
from tidewaiter.custody.proof import FIRST_LINE, ProofFile
from tidewaiter.custody.record import Record, parse_record
from tidewaiter.custody.trust import JudgedCheckpoint, judge_proof
from tidewaiter.custody.verdict import (
    Conclusion,
    Notebook,
    Verdict,
    one_line,
    shown_text,
    shown_time,
)
from tidewaiter.custody.verify_files import HandedIn, LoggedEntry, check_files
from tidewaiter.custody.witness_times import end_of_second_ms, witness_times
from tidewaiter.errors import BadSignature, BrokenProof, MalformedText, UnknownSigner

# What a part of a log cannot decide, because the entry that would is perhaps not in the bundle.
_OPEN_IN_PART = {"unknown-key", "entry-without-effect"}
_SIGNER_IS_OPEN = {"unknown-key", "revoked-key-used", "bad-signature", "device-reattributed"}
_NEEDS_APPROVERS = {"approval-missing", "early-erasure"}
_LEVELS_IN_WORDS = {
    "device": "the device itself signed first: what it was shown or fed before is not covered",
    "dock": "the dock signed first: nothing before the docking is covered",
    "ingest": "the ingest signed first: nothing before it is covered",
    "import": "it was imported: nothing before the import is covered",
}


@dataclass(frozen=True)
class Part:
    """One file of a bundle."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Bundle:
    """What is to be verified: proof files with their entries inside, and openings."""

    proofs: tuple[Part, ...]
    openings: tuple[Part, ...] = ()


def verify(bundle: Bundle, policy_text: bytes, files: Sequence[HandedIn] = ()) -> Verdict:
    """Verify a bundle, and files against it; never raises for anything in its arguments."""
    try:
        policy = Policy.parse(policy_text)
    except MalformedText as error:
        text = one_line(f"the policy cannot be read: {error}")
        return Verdict(Conclusion.NOT_A_BUNDLE, missing=(text,))
    if not any(part.body.startswith(FIRST_LINE) for part in bundle.proofs):
        text = f"no proof file was handed in: none begins with {FIRST_LINE.decode()}"
        return Verdict(Conclusion.NOT_A_BUNDLE, missing=(text,))
    notes = Notebook()
    entries = [entry for part in bundle.proofs for entry in _check_proof(part, policy, notes)]
    _check_views(entries, notes)
    entries = [entry for entry in entries if _is_confirmed(entry.judged, policy, notes)]
    for origin in dict.fromkeys(entry.judged.checkpoint.origin for entry in entries):
        group = {e.index: e for e in entries if e.judged.checkpoint.origin == origin}
        _check_log([group[index] for index in sorted(group)], notes)
    openings = [(part.name, part.body) for part in bundle.openings]
    check_files([entry.logged for entry in entries], openings, files, notes)
    return notes.verdict()


@dataclass(frozen=True)
class _Entry:
    """An entry that is in the log of the checkpoint it came with."""

    index: int
    leaf: bytes
    judged: JudgedCheckpoint
    logged: LoggedEntry


def _check_proof(part: Part, policy: Policy, notes: Notebook) -> list[_Entry]:
    """Follow one proof from its entry to a checkpoint that the policy's log signed."""
    name = shown_text(part.name)
    try:
        proof = ProofFile.parse(part.body)
        if proof.extra is None:
            notes.missing.append(f"{name} proves an entry that is not in it")
            return []
        leaf, salts = unpack_extra(proof.extra)
        judged = judge_proof(proof, leaf, policy)
        record = parse_record(leaf)
    except UnknownSigner as error:
        notes.missing.append(f"{name}: {error}")
        return []
    except BrokenProof as error:
        notes.contradict("record-edited", f"{name}: {error}")
        return []
    except BadSignature as error:
        notes.contradict("checkpoint-invalid", f"{name}: {error}")
        return []
    except MalformedText as error:
        notes.contradict("record-malformed", f"{name}: {error}")
        return []
    return [_Entry(proof.index, leaf, judged, LoggedEntry(proof.index, record, salts))]


def _check_views(entries: Sequence[_Entry], notes: Notebook) -> None:
    """Signed checkpoints that contradict each other are a fork, whoever confirmed them."""
    checkpoints: dict[tuple[str, int], bytes] = {}
    leaves: dict[str, dict[int, bytes]] = {}
    for entry in entries:
        checkpoint = entry.judged.checkpoint
        size_key = (checkpoint.origin, checkpoint.size)
        if checkpoints.setdefault(size_key, checkpoint.root) != checkpoint.root:
            text = (
                f"{checkpoint.origin} signed two different logs of {checkpoint.size} entries; "
                "keep both checkpoints: together they prove it to anybody"
            )
            notes.contradict("split-view", text)
        known = leaves.setdefault(checkpoint.origin, {})
        if known.setdefault(entry.index, entry.leaf) != entry.leaf:
            text = f"two checkpoints of {checkpoint.origin} show different entries {entry.index}"
            notes.contradict("split-view", text, entry.index)
    trees = {origin: _tree_of(known) for origin, known in leaves.items()}
    for (origin, size), root in checkpoints.items():
        if size <= trees[origin].size and trees[origin].root(size) != root:
            text = (
                f"the first {size} entries of {origin} are not those of its checkpoint of {size} "
                "entries: it signed two histories"
            )
            notes.contradict("split-view", text)


def _tree_of(leaves: Mapping[int, bytes]) -> Tree:
    """The tree over the entries from the first to the one before the first that is not there."""
    tree = Tree()
    while tree.size in leaves:
        tree.append(leaf_hash(leaves[tree.size]))
    return tree


def _check_log(entries: Sequence[_Entry], notes: Notebook) -> None:
    """Everything about the confirmed entries of one log: who signed, what is missing."""
    largest = max(entries, key=lambda entry: entry.judged.checkpoint.size).judged.checkpoint
    tree = _tree_of({entry.index: entry.leaf for entry in entries})
    is_whole = tree.root() == largest.root  # trees of two sizes have no root in common
    where = f"the log {largest.origin} of {largest.size} entries"
    if is_whole:
        notes.proven.append(f"the bundle holds all of {where}: none is left out")
    else:
        shown = _numbers([entry.index for entry in entries])
        notes.proven.append(f"{shown} of the bundle {_are(len(entries))} in {where}, unaltered")
    times = witness_times(
        (entry.judged.checkpoint.size, end_of_second_ms(entry.judged.not_after_s))
        for entry in entries
        if entry.judged.not_after_s is not None
    )
    judge = Judge(times=times, whole_log=is_whole)
    erasers: dict[int, tuple[str, ...]] = {}
    for entry in entries:
        # Asked before the entry is taken in: keys count as they stood then.
        if entry.logged.record.kind == "erase":
            erasers[entry.index] = _who_approved(entry, judge)
        found = judge.feed_record(entry.index, entry.logged.record)
        _note_findings(found, entry, judge, notes)
        _note_signer(found, entry, judge, notes)
    _note_absences(entries, judge, notes)
    _note_erasures({entry.index: entry.logged.record for entry in entries}, erasers, judge, notes)
    _note_limits(entries, judge, notes, is_whole=is_whole)


def _is_confirmed(judged: JudgedCheckpoint, policy: Policy, notes: Notebook) -> bool:
    """Whether those whom the policy asks for confirmed the checkpoint; notes who and when."""
    size = judged.checkpoint.size
    names = ", ".join(
        f"{shown_name(name)} on {shown_time(1000 * at)}"
        for name, at in sorted(judged.confirmed.items(), key=lambda item: item[1])
    )
    if not policy.needs_witnesses:
        notes.not_proven.append(
            "that anybody independent had to confirm anything: the policy asks for no witness, and "
            "whoever holds the log's key could have written another history"
        )
    elif not judged.quorum_met:
        notes.missing.append(
            f"the log of {size} entries is confirmed by {names or 'no witness'}; the policy asks "
            f"for {policy.needed_words}"
        )
    if judged.not_after_s is not None:
        notes.proven.append(
            f"the log of {size} entries existed no later than "
            f"{shown_time(end_of_second_ms(judged.not_after_s))}, confirmed by {names} "
            f"({policy.needed_words} needed)"
        )
    return judged.quorum_met


def _note_findings(
    found: Sequence[Discrepancy], entry: _Entry, judge: Judge, notes: Notebook
) -> None:
    for one in found:
        is_open = not judge.whole_log and (
            one.name in _OPEN_IN_PART
            or (one.name in _NEEDS_APPROVERS and _may_be_enough(entry, judge))
        )
        if is_open:
            what = "who signed: " if one.name == "unknown-key" else ""
            notes.not_proven.append(f"{what}{one.text} (the bundle is only part of the log)")
        elif one.name == "device-clock-off":
            notes.not_proven.append(f"the time that the device claims: {one.text}")
        else:
            notes.contradictions.append(one)


def _may_be_enough(entry: _Entry, judge: Judge) -> bool:
    """Whether approvers whose enrolment is perhaps elsewhere could make up what is lacking."""
    record = entry.logged.record
    if "people" in record.fields:
        return False  # founders are judged by the keys in the entry itself
    named = {one["by"] for one in record.fields.get("approvals", ())}
    unknown = named - judge.history.holders.keys()
    return bool(unknown) and len(unknown) + len(approvers(entry.index, record, judge.history)) > 1


def _note_signer(
    found: Sequence[Discrepancy], entry: _Entry, judge: Judge, notes: Notebook
) -> None:
    record = entry.logged.record
    if record.recording and not any(one.name in _SIGNER_IS_OPEN for one in found):
        known = judge.history.epochs[record.signer, record.epoch]
        notes.proven.append(
            f"entry {entry.index} ({record.kind} {record.recording}) was signed by key "
            f"{record.epoch} of {record.signer}, enrolled by entry {known.since}; it claims the "
            f"time {shown_time(record.claimed_ms)}"
        )


def _note_absences(entries: Sequence[_Entry], judge: Judge, notes: Notebook) -> None:
    claimed = [entry.logged.record.claimed_ms for entry in entries]
    absences = judge.absences(min(claimed), max(claimed) + 1)
    for one in absences.discrepancies:
        since = f" after {shown_time(one.since_ms)}" if one.since_ms is not None else ""
        until = f" before {shown_time(one.until_ms)}" if one.until_ms is not None else ""
        notes.missing.append(f"{one.name}: {one.text}{since}{until}")
    for outage in absences.outages:
        text = f"{outage.device} signed a stop ({outage.reason}) on {shown_time(outage.since_ms)}"
        notes.proven.append(text)
    for chain in judge.chains.values():
        stretch = chain.stretch()
        if len(stretch) == 1:
            (run,) = stretch
            _note_stretch(chain.device, run, notes)


def _note_stretch(device: str, run: Run, notes: Notebook) -> None:
    first, last = run.head, run.tail
    if first.seq < last.seq:
        notes.proven.append(
            f"numbers {first.seq} to {last.seq} of {device} are all there, from "
            f"{shown_time(first.claimed_ms)} to {shown_time(last.claimed_ms)} by its clock"
        )


def _who_approved(entry: _Entry, judge: Judge) -> tuple[str, ...]:
    """Whose approvals of the entry count; empty where they are not enough."""
    index, record = entry.index, entry.logged.record
    if missing_approvals(index, record, judge.history):
        return ()
    return approvers(index, record, judge.history)


def _note_erasures(
    records: Mapping[int, Record],
    erasers: Mapping[int, tuple[str, ...]],
    judge: Judge,
    notes: Notebook,
) -> None:
    """An erased recording is proven to have existed; say why it went and who approved."""
    for name, kept in judge.retention.recordings.items():
        if kept.erased_by is None:
            continue
        entry, people = kept.erased_by, " and ".join(erasers[kept.erased_by])
        basis = shown_text(records[entry].fields["basis"])
        if people:
            text = f"{name} was erased by entry {entry}, approved by {people}: {basis}"
        else:
            text = f"{name} was erased by entry {entry}; who approved that is not proven: {basis}"
        notes.proven.append(text)


def _note_limits(
    entries: Sequence[_Entry], judge: Judge, notes: Notebook, *, is_whole: bool
) -> None:
    """Say what even an unbroken proof does not show."""
    for level in dict.fromkeys(entry.logged.record.level for entry in entries):
        if level:
            notes.not_proven.append(f"claim level {level}: {_LEVELS_IN_WORDS[level]}")
    for doubt in judge.doubts:
        notes.not_proven.append(
            f"who signed {doubt.count} of the entries {doubt.first} to {doubt.last}: entry "
            f"{doubt.revoked_by} says that the key of {doubt.signer} may have been in other hands "
            f"since {shown_time(doubt.since_ms)}"
        )
    if not is_whole:
        notes.not_proven.append(
            "that no later entry revoked a key, or erased or changed what is proven here: the "
            "bundle is only part of the log"
        )
    if not judge.history.founded:
        notes.not_proven.append(
            "who holds the keys: entry 0, in which the founders name each other, is not in the "
            "bundle"
        )


def _numbers(indices: Sequence[int]) -> str:
    if len(indices) == 1:
        return f"entry {indices[0]}"
    if len(indices) <= 6:
        return f"entries {', '.join(str(index) for index in indices)}"
    return f"{len(indices)} entries between {indices[0]} and {indices[-1]}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
