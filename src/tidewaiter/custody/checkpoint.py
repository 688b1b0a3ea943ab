"""Checkpoints: a log's name, its size and its root, as C2SP tlog-checkpoint spells them."""

from __future__ import annotations

from dataclasses import dataclass

from tidewaiter.custody.exact import (
    LARGEST_NUMBER,
    exact_hash,
    exact_number,
    exact_text,
    spelled_base64,
)
from tidewaiter.custody.keys import SigningKey
from tidewaiter.custody.merkle import HASH_LENGTH
from tidewaiter.custody.note import Note, sign_note
from tidewaiter.errors import MalformedText


@dataclass(frozen=True)
class Checkpoint:
    """The state of the log `origin` when it held `size` entries.

    `extensions` are lines that others may add; this log never writes any, and whoever checks
    this log refuses them, because not every cosignature covers them.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= LARGEST_NUMBER or len(self.root) != HASH_LENGTH:
            raise MalformedText(
                f"a checkpoint of {self.size} entries with a root of {len(self.root)} bytes; "
                "a size from 0 to 2^63 - 1 and 32 bytes are needed"
            )
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line:
                raise MalformedText("a line of the checkpoint is empty or is more than one line")

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint that is the text of a note. Raises MalformedText."""
        lines = text.encode("utf-8").split(b"\n")
        if lines.pop() != b"" or len(lines) < 3:
            raise MalformedText(
                f"a checkpoint of {len(lines)} lines; origin, size and root are needed"
            )
        origin, size, root, *extensions = lines
        return cls(
            exact_text(origin, "the origin"),
            exact_number(size, "the tree size"),
            exact_hash(root, "the root hash"),
            tuple(exact_text(line, "an extension line") for line in extensions),
        )

    @property
    def text(self) -> str:
        """The text that is signed, with its final newline."""
        lines = (self.origin, str(self.size), spelled_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> Note:
    """The checkpoint as a note of the log, whose key carries the origin as its name."""
    if key.name != checkpoint.origin:
        raise MalformedText(f"the key {key.name} cannot sign for the log {checkpoint.origin}")
    if checkpoint.extensions:
        raise MalformedText("this log writes no extension lines into its checkpoints")
    return sign_note(checkpoint.text, key)
