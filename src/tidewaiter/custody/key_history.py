"""Who may sign from which entry of the log to which: enrolments, rotations and revocations.

Everything starts from the founding record, entry 0, in which the first people name each other.
Order is the order of the log, which its witnesses vouch for; no clock decides here, except that
a revocation says since when the key may have been in other hands.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from tidewaiter.custody.record import Record


@dataclass(frozen=True)
class Holder:
    """Somebody, or something, whose keys the log knows."""

    name: str
    kind: str
    """`device`, `dock`, `service` or `person`."""

    person: str = ""
    """The natural person behind the name: one person may hold two cards."""

    role: str = ""
    unit: str = ""


@dataclass
class KeyEpoch:
    """One key of one holder, and the part of the log in which it counts."""

    key: bytes
    since: int
    """Index of the entry that brought it in."""

    rotated: int | None = None
    """Index of the entry that replaced it."""

    last_seq: int | None = None
    """Number of the rotation in the holder's own chain; records before it stay valid."""

    revoked: int | None = None
    """Index of the entry that revoked it."""

    doubtful_since_ms: int | None = None


@dataclass(frozen=True)
class Standing:
    """What is known of one key at one place of the log: `problem` is empty where it counts."""

    key: bytes | None
    problem: str = ""
    is_unknown: bool = False
    doubtful_since_ms: int | None = None


@dataclass
class KeyHistory:
    """The keys that the entries so far have brought in, replaced and revoked."""

    holders: dict[str, Holder] = field(default_factory=dict)
    epochs: dict[tuple[str, int], KeyEpoch] = field(default_factory=dict)
    owners: dict[bytes, str] = field(default_factory=dict)
    """Whose each key is; a key shared by two could not tell them apart."""

    newest: dict[str, int] = field(default_factory=dict)
    """The last epoch of each holder."""

    founded: bool = False

    def enter(self, index: int, record: Record) -> str:
        """Take in an entry that is validly signed and approved; says what is wrong, if anything.

        An entry with something wrong takes no effect.
        """
        fields = record.fields
        if record.kind == "policy":
            return self._found(index, record) if "people" in fields else ""
        if record.kind == "key.enrol":
            holder = Holder(
                name=fields["subject"],
                kind=fields["holder"],
                person=fields.get("person", fields["subject"]),
                role=fields.get("role", ""),
                unit=fields.get("unit", ""),
            )
            return self._add(index, holder, fields["key_epoch"], fields["key"])
        if record.kind == "key.rotate":
            return self._rotate(index, record)
        if record.kind == "key.revoke":
            return self._revoke(index, record)
        return ""

    def standing(self, signer: str, epoch: int, index: int, seq: int | None = None) -> Standing:
        """Whether the signer's key of that epoch counts for the entry at that index."""
        known = self.epochs.get((signer, epoch))
        if known is None or known.since > index:
            return Standing(
                None, f"no entry before {index} enrols key {epoch} of {signer}", is_unknown=True
            )
        doubt = known.doubtful_since_ms
        if known.revoked is not None and index > known.revoked:
            problem = f"key {epoch} of {signer} was revoked by entry {known.revoked}"
            return Standing(known.key, problem, doubtful_since_ms=doubt)
        if known.rotated is not None and index > known.rotated:
            late = seq is not None and known.last_seq is not None and seq < known.last_seq
            if not late:
                problem = f"key {epoch} of {signer} was replaced by entry {known.rotated}"
                return Standing(known.key, problem, doubtful_since_ms=doubt)
        return Standing(known.key, doubtful_since_ms=doubt)

    def person_of(self, name: str) -> str:
        """The natural person behind a holder; the name itself where none is known."""
        holder = self.holders.get(name)
        return holder.person if holder else name

    def owner_of(self, key: bytes) -> str:
        """Whose key it is; empty where it is nobody's."""
        return self.owners.get(key, "")

    def _found(self, index: int, record: Record) -> str:
        people = record.fields["people"]
        if self.founded or index != 0:
            return f"entry {index} names founders; only entry 0 may"
        if len({one["id"] for one in people}) + len({one["key"] for one in people}) < 2 * len(
            people
        ):
            return "the founding entry names a founder, or a key, twice"
        for one in people:
            self._add(index, Holder(one["id"], "person", one["person"], one["role"]), 0, one["key"])
        self.founded = True
        return ""

    def _add(self, index: int, holder: Holder, epoch: int, encoded: str) -> str:
        key = base64.b64decode(encoded)
        owner, newest = self.owner_of(key), self.newest.get(holder.name, -1)
        before = self.holders.get(holder.name, holder)
        if owner:
            return f"the key that entry {index} gives {holder.name} is already that of {owner}"
        if epoch <= newest:
            return f"entry {index} enrols key {epoch} of {holder.name}, which has key {newest}"
        if (before.kind, before.person) != (holder.kind, holder.person):
            return f"entry {index} makes {holder.name} another {holder.kind} than it was before"
        self.holders[holder.name] = holder
        self.epochs[holder.name, epoch] = KeyEpoch(key, index)
        self.owners[key], self.newest[holder.name] = holder.name, epoch
        return ""

    def _rotate(self, index: int, record: Record) -> str:
        signer, epoch = record.signer, record.epoch
        if record.fields["key_epoch"] != epoch + 1:
            return f"entry {index} rotates key {epoch} of {signer} to another epoch than the next"
        problem = self._add(index, self.holders[signer], epoch + 1, record.fields["key"])
        if not problem:
            replaced = self.epochs[signer, epoch]
            replaced.rotated, replaced.last_seq = index, record.seq
        return problem

    def _revoke(self, index: int, record: Record) -> str:
        subject, since_ms = record.fields["subject"], record.fields["since_ms"]
        revoker = self.holders.get(record.signer)
        if revoker is None or revoker.kind != "person":
            return f"entry {index} revokes the keys of {subject} without being a person's"
        if subject not in self.newest:
            return f"entry {index} revokes the keys of {subject}, which has none"
        for epoch in range(self.newest[subject] + 1):
            known = self.epochs.get((subject, epoch))
            if known is not None and known.revoked is None:
                known.revoked, known.doubtful_since_ms = index, since_ms
        return ""
