"""Append to the custody log, start it again after a stop, and prove what it holds.

Guarantee: a receipt is given for what is committed, and only then does anything signed leave;
after a restart the log continues the log that its checkpoints and witnesses know, or it takes
nothing more. The hole that remains: records never yet confirmed by a witness.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import verify_cosignature
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.extra import pack_extra
from tidewaiter.custody.keys import SigningKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.note import Note, open_note, parse_signature_lines
from tidewaiter.custody.policy import Policy, PolicyWitness
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.record import MOST_LEAF_BYTES
from tidewaiter.custody.standing import judge_checkpoints, judge_head, judge_witnesses
from tidewaiter.custody.store import (
    Head,
    LogStore,
    StoredCheckpoint,
    StoredLeaf,
    Witness,
    Witnessed,
)
from tidewaiter.custody.words import words_of
from tidewaiter.errors import (
    ConfigurationError,
    InputError,
    IntegrityError,
    LimitExceeded,
    LogContradicted,
    StorageError,
    UncertainCommit,
)


@dataclass(frozen=True)
class Receipt:
    """Where a record stands. `size` is a checkpoint that covers it."""

    index: int
    leaf_hash: bytes
    size: int
    is_new: bool


def open_log(store: LogStore, key: SigningKey, witnesses: Sequence[Witness] = ()) -> CustodyLog:
    """Start a log: make its tree again, compare it with its checkpoints, ask its witnesses.

    What does not fit stands in `discrepancies`; the log can then be read but not added to.
    """
    if key.name != store.origin:
        raise ConfigurationError(
            f"the key is that of {key.name!r}; this log is {store.origin!r}: name its own key"
        )
    log = CustodyLog(store, key)
    log.ask(witnesses)
    return log


class CustodyLog:
    """One log with its one writer. Its methods may be called from any thread."""

    def __init__(self, store: LogStore, key: SigningKey) -> None:
        self.store, self.key = store, key
        self.discrepancies: list[Discrepancy] = []
        self.witnessed: list[Witnessed] = []
        self._lock = threading.RLock()
        self._dead = ""
        self._tree: Tree | None = self._read_tree()

    @property
    def head(self) -> Head:
        """Size and root of what is committed."""
        with self._lock:
            tree = self._whole_tree()
            return Head(tree.size, tree.root())

    def append(self, bodies: Sequence[bytes]) -> list[Receipt]:
        """Commit records as one batch; a record that is there already gets its old place.

        Raises LimitExceeded or InputError before anything is stored, LogContradicted where the
        log may not go on, StorageError where the store did not take the batch.
        """
        hashes = [leaf_hash(body) for body in map(_fitting, bodies)]
        with self._lock:
            self._must_go_on()
            known = self.store.indices_of(hashes)
            before = self._whole_tree().size
            fresh = _fresh(bodies, hashes, known, before)
            if fresh:
                self._commit(fresh)
            places = known | {leaf.leaf_hash: leaf.index for leaf in fresh}
            size = before + len(fresh)
        return [Receipt(places[one], one, size, is_new=places[one] >= before) for one in hashes]

    def ask(self, witnesses: Sequence[Witness]) -> None:
        """Ask witnesses what they confirmed last; stop taking records where it does not fit."""
        answers = [witness.latest() for witness in witnesses]
        with self._lock:
            self.witnessed += answers
            self.discrepancies += judge_witnesses(self._whole_tree(), answers)

    def contradict(self, discrepancy: Discrepancy) -> None:
        """Stop taking records: somebody showed that the log is not what it should be."""
        with self._lock:
            self.discrepancies.append(discrepancy)

    def checkpoint(self, size: int | None = None) -> Note:
        """The signed checkpoint over so many records, the newest by default, cosigned so far."""
        with self._lock:
            chosen = self._whole_tree().size if size is None else size
            for stored in self.store.checkpoints(chosen, chosen + 1):
                note = Note.parse(stored.note)
                lines = b"".join(self.store.cosignatures(chosen).values())
                return note.with_signatures(parse_signature_lines(lines)) if lines else note
        raise InputError(f"there is no checkpoint over {chosen} records; append one first")

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """The hashes that show a witness that the log of `old` records was only added to."""
        with self._lock:
            return self._whole_tree().consistency_proof(old, new)

    def confirm(self, size: int, witness: PolicyWitness, lines: bytes) -> int:
        """Check and keep a witness's answer; returns its time in POSIX seconds.

        Raises IntegrityError where no line is a good cosignature by that witness.
        """
        checkpoint = Checkpoint.parse(self.checkpoint(size).text)
        for signature in parse_signature_lines(lines):
            if signature.is_by(witness.key):
                time_s = verify_cosignature(checkpoint, witness.key, signature)
                self.store.cosign(size, witness.name, signature.line.encode())
                return time_s
        raise IntegrityError(f"none of the lines is by the witness {witness.name}")

    def prove(
        self, index: int, policy: Policy, salts: Mapping[str, bytes] | None = None
    ) -> ProofFile:
        """The proof of one record under the earliest checkpoint that the quorum confirmed.

        `salts` of its commitments ride along for a reader who may open them.
        Raises InputError where there is no such record, or none confirmed it yet, and
        IntegrityError where other bytes than those logged are stored.
        """
        with self._lock:
            tree = self._whole_tree()
            bodies = [leaf.body for leaf in self.store.leaves(index, index + 1)]
            if not 0 <= index < tree.size or not bodies:
                raise InputError(f"there is no record {index}; the log holds {tree.size}")
            if leaf_hash(bodies[0]) != tree.leaf(index):
                raise IntegrityError(
                    f"record {index} as it is stored is not the one that was logged there; find "
                    "out what else was changed with `tidewaiter custody audit`"
                )
            size, note = self._confirmed(index, policy)
            path = tuple(tree.inclusion_proof(index, size))
        return ProofFile(index, path, note.encoded, pack_extra(bodies[0], salts))

    def close(self) -> None:
        """Let another process write."""
        with self._lock:
            self._dead = self._dead or "the log was closed"
            self.store.close()

    def _read_tree(self) -> Tree:
        """The tree over the stored hashes; every stored root is compared with it."""
        tree = Tree(self.store.leaf_hashes())
        self.discrepancies += judge_head(tree, self.store.head())
        self.discrepancies += judge_checkpoints(tree, self.store.checkpoints())
        self.discrepancies += self._judge_newest(tree.size)
        return tree

    def _judge_newest(self, size: int) -> list[Discrepancy]:
        """The newest note must be this key's; the audit looks at all of them."""
        if size == 0:
            return []
        try:
            newest = next(self.store.checkpoints(size, size + 1))
            note = Note.parse(newest.note)
            open_note(note, [self.key.verifier])
            signed = Checkpoint.parse(note.text)
        except StopIteration:
            text = f"no checkpoint over the {size} records is stored"
        except IntegrityError as error:
            text = f"the checkpoint over {size} records is not this log's: {error}"
        else:
            if (signed.origin, signed.size, signed.root) == (self.key.name, size, newest.root):
                return []
            text = f"the checkpoint stored for {size} records was signed for something else"
        return [Discrepancy("checkpoint-invalid", text, 0, size - 1)]

    def _must_go_on(self) -> None:
        if self._dead:
            raise StorageError(f"{self._dead}; start the log again")
        if self.discrepancies:
            found = "; ".join(f"{one.name}: {one.text}" for one in self.discrepancies[:3])
            raise LogContradicted(
                f"nothing is added to this log ({found}); it can still be read: find out who "
                "changed it with `tidewaiter custody audit`"
            )

    def _whole_tree(self) -> Tree:
        if self._dead:
            raise StorageError(f"{self._dead}; start the log again")
        if self._tree is None:
            self._tree = self._read_tree()
            self._must_go_on()
        return self._tree

    def _commit(self, fresh: Sequence[StoredLeaf]) -> None:
        tree = self._whole_tree()
        before = Head(tree.size, tree.root())
        # From here to the commit the tree is ahead of the store: any failure discards it, and
        # the signed note with it.
        self._tree = None
        tree.extend(leaf.leaf_hash for leaf in fresh)
        checkpoint = Checkpoint(self.key.name, tree.size, tree.root())
        note = sign_checkpoint(checkpoint, self.key).encoded
        try:
            stored = StoredCheckpoint(checkpoint.size, checkpoint.root, note)
            words = [(word, leaf.index) for leaf in fresh for word in words_of(leaf.body)]
            self.store.append(before, fresh, stored, words)
        except UncertainCommit as error:
            self._dead = str(error)
            raise
        except IntegrityError as error:
            self._dead = str(error)
            raise
        self._tree = tree

    def _confirmed(self, index: int, policy: Policy) -> tuple[int, Note]:
        """The earliest checkpoint over this record that the quorum confirmed."""
        sizes = self.store.cosigned_sizes() if policy.needs_witnesses else [self.head.size]
        for size in sizes:
            if size > index and policy.quorum_met(set(self.store.cosignatures(size))):
                return size, self.checkpoint(size)
        raise InputError(
            f"record {index} is logged but not yet confirmed by {policy.needed_words}; a proof "
            "without them would show nothing: ask the witnesses, then try again"
        )


def _fitting(body: bytes) -> bytes:
    if not body:
        raise InputError("an empty record; one byte at least is needed")
    if len(body) > MOST_LEAF_BYTES:
        raise LimitExceeded(
            f"a record of {len(body)} bytes; at most {MOST_LEAF_BYTES} fit into an entry: keep "
            "bulk material as a medium and log its digest"
        )
    return body


def _fresh(
    bodies: Sequence[bytes], hashes: Sequence[bytes], known: dict[bytes, int], size: int
) -> list[StoredLeaf]:
    """The records that are not there yet, each once, with their new places."""
    new = {one: body for one, body in zip(hashes, bodies, strict=True) if one not in known}
    return [StoredLeaf(size + place, body, one) for place, (one, body) in enumerate(new.items())]
