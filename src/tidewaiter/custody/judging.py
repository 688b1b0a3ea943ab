"""Every entry judged in the order of the log, by what the entries before it allow.

The judge sees entries only: whether their bytes are those that were logged is the tree's to say,
and whether media are still there the audit's. It never trusts the server's own findings.
"""

from __future__ import annotations

import base64
from array import array
from dataclasses import dataclass, field

from tidewaiter.custody.approvals import missing_approvals, needs_two
from tidewaiter.custody.chains import Allowed, DeviceChain
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.gaps import Absences, Roster, find_absences
from tidewaiter.custody.key_history import KeyHistory, Standing
from tidewaiter.custody.record import Record, parse_record, signature_fits
from tidewaiter.custody.retention import RetentionBook
from tidewaiter.custody.witness_times import WitnessTimes
from tidewaiter.errors import MalformedText

_SIGNERS_OF_LEVEL = {"device": {"device"}, "dock": {"device", "dock"}}


@dataclass(frozen=True)
class Doubt:
    """Entries logged before their key was revoked, but not provably before it was lost."""

    signer: str
    first: int
    last: int
    count: int
    revoked_by: int
    since_ms: int


@dataclass
class Judge:
    """What follows from the entries so far: keys, chains, retention, what was due.

    `whole_log` is False where only some entries of a log are judged, as in a bundle.
    """

    times: WitnessTimes = field(default_factory=WitnessTimes)
    allowed: Allowed = field(default_factory=Allowed)
    whole_log: bool = True
    check_signatures: bool = True
    attributions_left: int = 20_000
    """How many keys may still be tried on signatures that do not fit the key they name."""

    history: KeyHistory = field(default_factory=KeyHistory)
    retention: RetentionBook = field(default_factory=RetentionBook)
    roster: Roster = field(default_factory=Roster)
    chains: dict[str, DeviceChain] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    verified: dict[int, bytes] = field(default_factory=dict)
    """Keys already found to have signed these entries; others are tried when they come."""

    signed: dict[str, array[int]] = field(default_factory=dict)
    """By signer, the entries that count as theirs."""

    blobs: dict[str, int] = field(default_factory=dict)
    """By digest of a sealed medium, the first entry that names it."""

    _requests: dict[str, int] = field(default_factory=dict)

    def feed(self, index: int, leaf: bytes) -> list[Discrepancy]:
        """Judge the entry at this index; entries come in the order of the log."""
        try:
            record = parse_record(leaf)
        except MalformedText as error:
            return [Discrepancy("record-malformed", f"entry {index}: {error}", index, index)]
        return self.feed_record(index, record)

    def feed_record(self, index: int, record: Record) -> list[Discrepancy]:
        """Judge an entry that has been parsed."""
        signature = self._judge_signature(index, record)
        if signature is not None:
            return [signature]
        self.signed.setdefault(record.signer, array("Q")).append(index)
        found = self._judge_clock(index, record) + self._judge_level(index, record)
        lacking = self._lacking(index, record)
        if lacking and record.kind != "erase":
            text = f"entry {index}, {record.kind}: {lacking}"
            found.append(Discrepancy("approval-missing", text, index, index))
        found += self._judge_repeats(index, record)
        found += self._take_effect(index, record, lacking)
        return found

    def absences(self, from_ms: int, to_ms: int) -> Absences:
        """What is missing between two moments, after the last entry was fed."""
        return find_absences(
            self.chains, self.roster, from_ms=from_ms, to_ms=to_ms, whole_log=self.whole_log
        )

    def settled_key(self, index: int, record: Record) -> bytes | None:
        """The key that must have signed it, where signer and level leave nothing to say.

        It holds for all later records of that signer, epoch, device and level, until an entry
        about keys comes. None where there is something to say, or may be later.
        """
        known = self.history.epochs.get((record.signer, record.epoch))
        if known is None or known.rotated is not None or known.revoked is not None:
            return None
        if self._judge_stand_in(record) or self._judge_level(index, record):
            return None
        return known.key

    def _judge_signature(self, index: int, record: Record) -> Discrepancy | None:
        if index == 0 and "people" in record.fields:
            return self._judge_founding(record)
        own_seq = record.seq if record.signer == record.device else None
        standing = self.history.standing(record.signer, record.epoch, index, own_seq)
        where = f"entry {index} of {record.device}"
        name, text = self._judge_key(record, standing)
        if name:
            return self._wrong(name, index, record, f"{where} {text}")
        if not self.check_signatures or self._is_signed_by(standing.key or b"", index, record):
            return None
        owner = self._who_signed(record)
        if owner:
            text = f"{where} was signed by {owner}, not by {record.signer}"
            return self._wrong("device-reattributed", index, record, text, owner)
        text = f"{where}: the signature is not by key {record.epoch} of {record.signer}"
        return self._wrong("bad-signature", index, record, text)

    def _is_signed_by(self, key: bytes, index: int, record: Record) -> bool:
        return self.verified.get(index) == key or signature_fits(record, key)

    def _judge_key(self, record: Record, standing: Standing) -> tuple[str, str]:
        """The name of what is wrong with the key that a record names, and a text; empty if fine."""
        if standing.key is None:
            return "unknown-key", f"cannot be attributed: {standing.problem}"
        stand_in = self._judge_stand_in(record)
        if stand_in:
            return "device-reattributed", stand_in
        if standing.problem:
            return "revoked-key-used", f"does not count: {standing.problem}"
        return "", ""

    def _judge_founding(self, record: Record) -> Discrepancy | None:
        """The first entry brings the keys of its own signers."""
        keys = [base64.b64decode(one["key"]) for one in record.fields["people"]]
        named = [one["id"] for one in record.fields["people"]]
        if record.signer not in named:
            text = f"entry 0 was signed by {record.signer}, who is not among the founders"
            return self._wrong("unknown-key", 0, record, text)
        if not signature_fits(record, keys[named.index(record.signer)]):
            text = f"entry 0: the signature is not by the founder {record.signer}"
            return self._wrong("bad-signature", 0, record, text)
        return None

    def _judge_stand_in(self, record: Record) -> str:
        """Only a dock or a service signs for another, and only for what has no key of its own."""
        if record.signer == record.device:
            return ""
        if record.device in self.history.holders:
            return f"was signed by {record.signer}, but {record.device} has a key of its own"
        signer = self.history.holders[record.signer]
        if signer.kind not in {"dock", "service"}:
            return f"was signed by {record.signer}, which is a {signer.kind} and no dock"
        return ""

    def _judge_level(self, index: int, record: Record) -> list[Discrepancy]:
        """Whether who signed first is what the record says: a dock is no camera."""
        holder = self.history.holders.get(record.signer)
        wanted = _SIGNERS_OF_LEVEL.get(record.level)
        if holder is None or wanted is None or holder.kind in wanted:
            return []
        text = (
            f"entry {index} claims the level {record.level}, but {record.signer}, which signed "
            f"it, is a {holder.kind}"
        )
        return [self._wrong("level-overstated", index, record, text)]

    def _who_signed(self, record: Record) -> str:
        """Whose signature it is, of the keys that the log knows; empty if nobody's.

        Tries are limited in all, so that many false signatures among many keys stay cheap.
        """
        for key, name in self.history.owners.items():
            if self.attributions_left == 0:
                return ""
            self.attributions_left -= 1
            if signature_fits(record, key):
                return name
        return ""

    def _wrong(
        self, name: str, index: int, record: Record, text: str, other: str = ""
    ) -> Discrepancy:
        devices = tuple(dict.fromkeys(one for one in (record.device, other) if one))
        return Discrepancy(name, text, index, index, devices, self.times.not_before_ms(index))

    def _judge_clock(self, index: int, record: Record) -> list[Discrepancy]:
        """Compare a claimed time with the witnesses, and a measured offset with what is allowed."""
        found = []
        confirmed = self.times.not_after_ms(index)
        if confirmed is not None and record.claimed_ms - confirmed > self.allowed.offset_ms:
            ahead_s = (record.claimed_ms - confirmed) / 1000
            text = (
                f"entry {index} of {record.device} claims a time {ahead_s:.0f} s after witnesses "
                "had confirmed it"
            )
            found.append(self._wrong("device-clock-off", index, record, text))
        if record.kind == "clock" and abs(record.fields["offset_ms"]) > self.allowed.offset_ms:
            subject, off_s = record.fields["subject"], record.fields["offset_ms"] / 1000
            text = f"the clock of {subject} was off by {off_s:+.0f} s when it was docked"
            found.append(
                Discrepancy("device-clock-off", text, index, index, (subject,), record.claimed_ms)
            )
        return found

    def _lacking(self, index: int, record: Record) -> str:
        holder = self.history.holders.get(record.signer)
        shortens = record.kind == "category" and self.retention.shortens(record)
        holder_kind = holder.kind if holder else "device"
        if not needs_two(record, holder_kind=holder_kind, shortens=shortens):
            return ""
        return missing_approvals(index, record, self.history)

    def _judge_repeats(self, index: int, record: Record) -> list[Discrepancy]:
        found = []
        request, blob = record.fields.get("request"), record.fields.get("blob")
        if request is not None:
            first = self._requests.setdefault(request, index)
            if first != index:
                text = f"entry {index} uses the approvals given for entry {first} again"
                found.append(Discrepancy("approval-reused", text, first, index))
        if blob is not None:
            first = self.blobs.setdefault(blob, index)
            if first != index and record.kind == "segment":
                text = f"entry {index} of {record.device} is the medium of entry {first} again"
                found.append(self._wrong("segment-replayed", index, record, text))
        return found

    def _take_effect(self, index: int, record: Record, lacking: str) -> list[Discrepancy]:
        found = []
        if not lacking:
            self.roster.enter(index, record)
            problem = self.history.enter(index, record)
            if problem:
                found.append(Discrepancy("entry-without-effect", problem, index, index))
            elif record.kind == "key.revoke":
                self._doubt(index, record)
        if record.seq is not None:
            if record.device not in self.chains:
                self.chains[record.device] = DeviceChain(record.device, self.allowed)
            found += self.chains[record.device].enter(index, record)
        return found + self.retention.enter(index, record, lacking, self.times)

    def _doubt(self, index: int, record: Record) -> None:
        """Note what the revoked key signed that no witness had confirmed when it was lost."""
        subject, since_ms = record.fields["subject"], record.fields["since_ms"]
        proven = self.times.size_by(since_ms)
        late = [one for one in self.signed.get(subject, ()) if one >= proven]
        if late:
            self.doubts.append(Doubt(subject, late[0], late[-1], len(late), index, since_ms))
