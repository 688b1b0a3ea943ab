"""Proof files: everything by which one entry is checked without network (C2SP tlog-proof).

The leaf's own bytes ride along as `extra`, so that one file suffices. Nothing authenticates
`extra`; hashing it and following the path to a witnessed root does.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidewaiter.custody.exact import (
    changed_line_ends,
    exact_base64,
    exact_hash,
    exact_number,
    must_be_short,
    quoted,
    spelled_base64,
)
from tidewaiter.custody.note import LARGEST_NOTE_BYTES
from tidewaiter.errors import MalformedText

PROOF_SUFFIX = ".tlog-proof"
"""What a proof file's name ends with."""
FIRST_LINE = b"c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63
"""No tree of at most 2^63 leaves needs more hashes."""
# The note, the longest leaf in base64, and the path.
_LARGEST_PROOF_BYTES = LARGEST_NOTE_BYTES + (1 << 18)


@dataclass(frozen=True)
class ProofFile:
    """An entry's index, its path to the root, and the signed checkpoint, verbatim."""

    index: int
    path: tuple[bytes, ...]
    checkpoint_note: bytes
    extra: bytes | None = None

    @classmethod
    def parse(cls, data: bytes) -> ProofFile:
        """Take a proof file apart; nothing in it is believed yet. Raises MalformedText."""
        must_be_short(data, _LARGEST_PROOF_BYTES, "the proof file")
        head, blank, note = data.partition(b"\n\n")
        if not blank:
            raise MalformedText(
                f"the proof file has no blank line above its checkpoint{changed_line_ends(data)}"
            )
        first, *lines = head.split(b"\n")
        if first != FIRST_LINE:
            raise MalformedText(
                f"the proof file begins with {quoted(first)}; c2sp.org/tlog-proof@v1 is needed"
            )
        extra = None
        if lines and lines[0].startswith(b"extra "):
            extra = exact_base64(lines.pop(0)[6:], "the extra data of the proof file")
        if not lines or not lines[0].startswith(b"index "):
            raise MalformedText("the proof file names no index")
        index = exact_number(lines.pop(0)[6:], "the index of the proof file")
        if len(lines) > LONGEST_PATH:
            raise MalformedText(f"a path of {len(lines)} hashes; {LONGEST_PATH} are the most")
        path = tuple(exact_hash(line, "a hash of the path") for line in lines)
        return cls(index, path, note, extra)

    @property
    def encoded(self) -> bytes:
        """The proof file as bytes; parsing them gives this proof again."""
        lines = [FIRST_LINE.decode("ascii")]
        if self.extra is not None:
            lines.append(f"extra {spelled_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [spelled_base64(sibling) for sibling in self.path]
        return "\n".join(lines).encode("ascii") + b"\n\n" + self.checkpoint_note
