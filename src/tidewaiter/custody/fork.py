"""Proof that a log told two stories: two checkpoints it signed that cannot both be true.

Two roots over the same number of entries speak for themselves. For different sizes the proof
holds the root that the larger tree has at the smaller size, with a consistency proof from it: a
tree has one root at each size, and the log signed another.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.exact import exact_base64, exact_hash, must_be_short, quoted, spelled_base64
from tidewaiter.custody.keys import VerifierKey
from tidewaiter.custody.merkle import Tree, verify_consistency
from tidewaiter.custody.note import LARGEST_NOTE_BYTES, Note, open_note
from tidewaiter.custody.proof import LONGEST_PATH
from tidewaiter.errors import BrokenProof, MalformedText

FORK_SUFFIX = ".log-fork"
"""What the file of a proven fork ends with."""
FORK_FIRST_LINE = b"tidewaiter/fork/v1"


@dataclass(frozen=True)
class Fork:
    """Two signed checkpoints, the smaller first, and how the larger contradicts the smaller.

    For different sizes `other_root` is the root of the larger tree over as many entries as the
    smaller has, and `path` leads from it to the larger root; for equal sizes both are empty.
    """

    smaller: bytes
    larger: bytes
    other_root: bytes = b""
    path: tuple[bytes, ...] = ()

    @classmethod
    def parse(cls, data: bytes) -> Fork:
        """Read a fork's file; nothing in it is believed yet. Raises MalformedText."""
        must_be_short(data, 4 * LARGEST_NOTE_BYTES, "the file of the fork")
        first, *lines = data.split(b"\n")
        if first != FORK_FIRST_LINE or len(lines) < 3 or lines.pop() != b"":
            raise MalformedText(f"{quoted(first)} does not begin the file of a fork")
        smaller, larger = (_field(line, b"note ") for line in lines[:2])
        if len(lines) == 2:
            return cls(smaller, larger)
        if len(lines) > LONGEST_PATH + 3:
            raise MalformedText(f"a path of {len(lines) - 3} hashes; {LONGEST_PATH} are the most")
        root = _field(lines[2], b"root ")
        return cls(smaller, larger, root, tuple(exact_hash(line, "a hash") for line in lines[3:]))

    @property
    def encoded(self) -> bytes:
        """The fork as a file; parsing it gives this fork again."""
        lines = [FORK_FIRST_LINE.decode("ascii")]
        lines += [f"note {spelled_base64(note)}" for note in (self.smaller, self.larger)]
        if self.other_root:
            lines.append(f"root {spelled_base64(self.other_root)}")
            lines += [spelled_base64(sibling) for sibling in self.path]
        return "".join(f"{line}\n" for line in lines).encode("ascii")


def fork_between(one: bytes, other: bytes, leaf_hashes: Iterable[bytes] = ()) -> Fork | None:
    """The fork that two checkpoint notes prove, if any.

    Different sizes need the leaf hashes under the larger checkpoint, as a mirror has them; a log
    that signs a root over leaves it shows nobody is refused by every witness, but leaves no
    proof of this kind. Signatures are left to `prove_fork`. Raises MalformedText, and BrokenProof
    when the leaf hashes are not those of the larger checkpoint.
    """
    smaller, larger = sorted((one, other), key=lambda note: _checkpoint(note).size)
    small, large = _checkpoint(smaller), _checkpoint(larger)
    if small.origin != large.origin:
        return None
    if small.size == large.size:
        return Fork(smaller, larger) if small.root != large.root else None
    tree = Tree(leaf_hashes)
    if tree.root(large.size) != large.root:
        raise BrokenProof(f"these leaf hashes do not give the root over {large.size} entries")
    other_root = tree.root(small.size)
    if other_root == small.root:
        return None
    return Fork(smaller, larger, other_root, tuple(tree.consistency_proof(small.size, large.size)))


def prove_fork(fork: Fork, keys: Iterable[VerifierKey]) -> tuple[Checkpoint, Checkpoint]:
    """The two contradicting checkpoints, both signed by a key of that log; or an error.

    Raises MalformedText, BadSignature, UnknownSigner, and BrokenProof when the two do not
    contradict each other.
    """
    known = list(keys)
    small, large = _checkpoint(fork.smaller), _checkpoint(fork.larger)
    if small.origin != large.origin:
        raise BrokenProof(f"{small.origin} and {large.origin} are two logs, not one that forked")
    for note in (fork.smaller, fork.larger):
        open_note(Note.parse(note), [key for key in known if key.name == small.origin])
    if small.size == large.size:
        contradicts = small.root != large.root and not fork.other_root and not fork.path
    else:
        verify_consistency(small.size, large.size, fork.other_root, large.root, fork.path)
        contradicts = fork.other_root != small.root
    if not contradicts:
        raise BrokenProof(
            f"the checkpoints over {small.size} and {large.size} entries do not contradict each "
            "other: this proves no fork"
        )
    return small, large


def _field(line: bytes, name: bytes) -> bytes:
    if not line.startswith(name):
        raise MalformedText(f"{quoted(line)} does not begin with {quoted(name)}")
    value = line[len(name) :]
    return exact_base64(value, "a note") if name == b"note " else exact_hash(value, "the root")


def _checkpoint(note: bytes) -> Checkpoint:
    return Checkpoint.parse(Note.parse(note).text)
