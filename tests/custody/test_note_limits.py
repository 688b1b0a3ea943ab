"""Where notes, checkpoints and cosignatures stop being read, to the byte."""

from __future__ import annotations

import base64

import pytest

from tests.custody.signers import LOG, ORIGIN, VIGILANCE, key
from tidewaiter.custody.keys import ED25519_COSIGNATURE
from tidewaiter.custody.note import (
    LARGEST_NOTE_BYTES,
    Note,
    NoteSignature,
    open_note,
    sign_note,
)
from tidewaiter.errors import MalformedText, UnknownSigner


def test_a_note_is_read_up_to_its_limit_and_not_beyond():
    lines = sign_note("x\n", LOG).encoded.partition(b"\n\n")[2]
    for extra, fits in ((0, True), (1, False)):
        text = b"x" * (LARGEST_NOTE_BYTES - len(lines) - 2 + extra)
        data = text + b"\n\n" + lines
        assert (len(data) == LARGEST_NOTE_BYTES) is fits
        if fits:
            assert Note.parse(data).encoded == data
        else:
            with pytest.raises(MalformedText, match="1048577 bytes; 1048576 are read at most"):
                Note.parse(data)


def test_a_note_without_a_blank_line_says_so():
    with pytest.raises(MalformedText, match="no text and blank line above its signatures"):
        Note.parse("— a AAAAAAA=\n".encode())


def test_a_witness_cannot_sign_a_note_as_a_log():
    """Its key has another type, so what it signed is no note, however it is spelled."""
    text = "a log's text\n"
    content = VIGILANCE.sign(text.encode())
    line = NoteSignature(VIGILANCE.name, VIGILANCE.verifier.key_id, content)
    with pytest.raises(UnknownSigner, match=r"no signature of any key under the note"):
        open_note(Note(text, (line,)), [VIGILANCE.verifier])


def test_a_missing_signer_is_named_among_those_who_were_asked_for():
    note = sign_note("text\n", key("somebody.example"))
    witness = key("witness.example", ED25519_COSIGNATURE)
    with pytest.raises(UnknownSigner, match=f"no signature of {ORIGIN} under the note"):
        open_note(note, [LOG.verifier, witness.verifier])


def test_a_signature_line_holds_more_than_a_key_id():
    for length in (0, 3, 4):
        spelled = base64.b64encode(bytes(length)).decode()
        with pytest.raises(MalformedText, match=f"has {length} bytes: too few"):
            Note.parse(f"text\n\n— a {spelled}\n".encode())
    spelled = base64.b64encode(bytes(5)).decode()
    (signature,) = Note.parse(f"text\n\n— a {spelled}\n".encode()).signatures
    assert (signature.key_id, signature.content) == (bytes(4), bytes(1))
