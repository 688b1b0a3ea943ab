"""Who may sign from which entry of the log to which: enrolments, rotations and revocations.

Everything starts from the founding record, entry 0, in which the first people name each other.
Order is the order of the log, which its witnesses vouch for; no clock decides here, except that
a revocation says since when the key may have been in other hands.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from tidewaiter.custody.record import Record
from tidewaiter.custody.weak_keys import is_weak_key


@dataclass(frozen=True)
class Holder:
    """Somebody, or something, whose keys the log knows."""

    name: str
    kind: str
    """`device`, `dock`, `service` or `person`."""

    person: str
    """The natural person behind the name: one person may hold two cards."""

    role: str
    unit: str
    """Empty where the enrolment says nothing of it, as the role."""


@dataclass
class KeyEpoch:
    """One key of one holder, and the part of the log in which it counts."""

    key: bytes
    since: int
    """Index of the entry that brought it in."""

    rotated: int | None = None
    """Index of the entry that replaced it."""

    last_seq: int = 0
    """Number of the rotation in the holder's own chain, if any; records before it stay valid."""

    revoked: int | None = None
    """Index of the entry that revoked it."""


@dataclass(frozen=True)
class Standing:
    """What is known of one key: `problem` is empty where it counts, `key` None where unknown."""

    key: bytes | None
    problem: str


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
        """Whether the signer's key of that epoch counts for the next entry, which has that index.

        What a device numbered before it rotated its key counts with the old key, however late
        it is docked.
        """
        known = self.epochs.get((signer, epoch))
        if known is None:
            return Standing(None, f"no entry before {index} enrols key {epoch} of {signer}")
        if known.revoked is not None:
            return Standing(
                known.key, f"key {epoch} of {signer} was revoked by entry {known.revoked}"
            )
        is_earlier = seq is not None and seq < known.last_seq
        if known.rotated is not None and not is_earlier:
            return Standing(
                known.key, f"key {epoch} of {signer} was replaced by entry {known.rotated}"
            )
        return Standing(known.key, "")

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
        names, keys = {one["id"] for one in people}, {one["key"] for one in people}
        if len(names) < len(people) or len(keys) < len(people):
            return "the founding entry names a founder, or a key, twice"
        if any(is_weak_key(base64.b64decode(key)) for key in keys):
            return "the founding entry names a key for which anybody can sign"
        for one in people:
            holder = Holder(one["id"], "person", one["person"], one["role"], unit="")
            self._add(index, holder, 0, one["key"])
        self.founded = True
        return ""

    def _add(self, index: int, holder: Holder, epoch: int, encoded: str) -> str:
        key = base64.b64decode(encoded)
        owner, newest = self.owner_of(key), self.newest.get(holder.name, -1)
        before = self.holders.get(holder.name, holder)
        if is_weak_key(key):
            return f"anybody can sign for the key that entry {index} gives {holder.name}"
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
        if record.device != signer:
            return f"entry {index}, a record of {record.device}, rotates a key of {signer}"
        if record.fields["key_epoch"] != epoch + 1:
            return f"entry {index} rotates key {epoch} of {signer} to another epoch than the next"
        problem = self._add(index, self.holders[signer], epoch + 1, record.fields["key"])
        if not problem:
            replaced = self.epochs[signer, epoch]
            replaced.rotated, replaced.last_seq = index, record.seq or 0
        return problem

    def _revoke(self, index: int, record: Record) -> str:
        subject, revoker = record.fields["subject"], self.holders.get(record.signer)
        if revoker is None or revoker.kind != "person":
            return f"entry {index} revokes the keys of {subject} without being a person's"
        if subject not in self.newest:
            return f"entry {index} revokes the keys of {subject}, which has none"
        for (name, _), known in self.epochs.items():
            if name == subject and known.revoked is None:
                known.revoked = index
        return ""
