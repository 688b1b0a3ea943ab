"""Signed notes: text with signature lines under it, exactly as C2SP signed-note has them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tidewaiter.custody.exact import (
    exact_base64,
    exact_text,
    must_be_short,
    quoted,
    spelled_base64,
)
from tidewaiter.custody.keys import (
    ED25519_NOTE,
    KEY_ID_BYTES,
    SigningKey,
    VerifierKey,
    must_be_key_name,
)
from tidewaiter.errors import MalformedText, UnknownSigner

DASH = "—"
"""A signature line begins with U+2014 and one space."""
LARGEST_NOTE_BYTES = 1 << 20
MOST_SIGNATURES = 100
"""C2SP asks for at least 16; more than 100 are refused before any is checked."""


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: whose it says it is, and the bytes after the key ID."""

    name: str
    key_id: bytes
    content: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{DASH} {self.name} {spelled_base64(self.key_id + self.content)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Whether name *and* ID are those of this key."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True)
class Note:
    """A text, which ends with a newline, and the signature lines under it, unchecked."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Take a note apart; nothing in it is believed yet. Raises MalformedText."""
        must_be_short(data, LARGEST_NOTE_BYTES, "the note")
        exact_text(data, "the note")
        # The text may hold blank lines; the last one parts it from the signatures.
        text, blank, lines = data.rpartition(b"\n\n")
        if not blank:
            raise MalformedText("the note has no text and blank line above its signatures")
        return cls(text.decode("utf-8") + "\n", parse_signature_lines(lines))

    @property
    def encoded(self) -> bytes:
        """The note as bytes; parsing them gives this note again."""
        lines = "".join(signature.line for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def with_signatures(self, added: Iterable[NoteSignature]) -> Note:
        """The same note with further lines at its end."""
        return Note(self.text, (*self.signatures, *added))


def parse_signature_lines(data: bytes) -> tuple[NoteSignature, ...]:
    """One or more signature lines, each with its newline. Raises MalformedText."""
    lines = data.split(b"\n")
    if len(lines) < 2 or lines.pop() != b"":
        raise MalformedText("the note does not end with a signature line and a newline")
    if len(lines) > MOST_SIGNATURES:
        raise MalformedText(f"{len(lines)} signature lines; {MOST_SIGNATURES} are read at most")
    return tuple(_signature(line) for line in lines)


def sign_note(text: str, *keys: SigningKey) -> Note:
    """Sign a text, which must end with a newline, with Ed25519 keys of the type 0x01."""
    if not text.endswith("\n"):
        raise MalformedText("the text of a note ends with a newline; this one does not")
    data = text.encode("utf-8")
    exact_text(data, "the text of the note")
    return Note(text, tuple(_signed(data, key) for key in keys))


def open_note(note: Note, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
    """The known keys of type 0x01 that signed this note; at least one, or an error.

    Lines of unknown keys are ignored. Raises BadSignature when a line of a known key does not
    fit, whatever else is on the note, and UnknownSigner when no known key signed.
    """
    known = [key for key in keys if key.algorithm == ED25519_NOTE]
    signers: list[VerifierKey] = []
    for signature in note.signatures:
        for key in known:
            if signature.is_by(key):
                key.verify(note.text.encode("utf-8"), signature.content)
                signers.append(key)
    if not signers:
        wanted = ", ".join(sorted({key.name for key in known})) or "any key"
        raise UnknownSigner(f"no signature of {wanted} under the note; one is needed")
    return signers


def _signature(line: bytes) -> NoteSignature:
    parts = line.split(b" ")
    if len(parts) != 3 or parts[0] != DASH.encode("utf-8"):
        raise MalformedText(f"{quoted(line)} is no signature line: “— name base64” is needed")
    name = exact_text(parts[1], "the name in a signature line")
    must_be_key_name(name)
    content = exact_base64(parts[2], f"the signature of {name}")
    if len(content) <= KEY_ID_BYTES:
        raise MalformedText(f"the signature of {name} has {len(content)} bytes: too few")
    return NoteSignature(name, content[:KEY_ID_BYTES], content[KEY_ID_BYTES:])


def _signed(data: bytes, key: SigningKey) -> NoteSignature:
    if key.algorithm != ED25519_NOTE:
        raise MalformedText(f"the key {key.name} signs checkpoints as a witness, not notes")
    return NoteSignature(key.name, key.verifier.key_id, key.sign(data))
