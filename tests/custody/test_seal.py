"""Sealing: what is opened is what was sealed, whole and in order, or an error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.custody.seal import TAG_LENGTH, seal, unseal, unwrap_key, wrap_key
from tidewaiter.errors import BrokenSeal

KEY, NONCE = bytes(range(32)), bytes(7)
HEADER = 29


def sealed(plain: bytes, *, parts: int = 3, chunk: int = 10) -> bytes:
    step = max(1, len(plain) // parts)
    pieces = [plain[at : at + step] for at in range(0, len(plain), step)]
    return b"".join(seal(pieces, KEY, NONCE, "media", chunk_length=chunk))


def opened(text: bytes, key: bytes = KEY, purpose: str = "media", *, step: int = 7) -> bytes:
    parts = [text[at : at + step] for at in range(0, len(text), step)]
    return b"".join(unseal(parts, key, purpose))


@given(st.binary(max_size=65), st.integers(1, 40), st.integers(1, 12))
@settings(max_examples=100, deadline=None)
def test_what_was_sealed_comes_back(plain, step, chunk):
    text = sealed(plain, chunk=chunk)
    assert opened(text, step=step) == plain
    chunks = max(1, -(-len(plain) // chunk))
    assert len(text) == HEADER + len(plain) + chunks * TAG_LENGTH


def test_every_flipped_bit_is_seen():
    text = sealed(b"a recording of 26 letters.")
    for at in range(len(text)):
        for bit in (1, 128):
            changed = text[:at] + bytes([text[at] ^ bit]) + text[at + 1 :]
            with pytest.raises(BrokenSeal):
                opened(changed)


def test_chunks_cannot_be_dropped_moved_repeated_added_or_cut():
    text = sealed(b"0123456789abcdefghijABCDEFGHIJ")
    width = 10 + TAG_LENGTH
    header, chunks = (
        text[:HEADER],
        [text[HEADER + width * n : HEADER + width * (n + 1)] for n in (0, 1, 2)],
    )
    a, b, c = chunks
    for changed in (
        [a, b],
        [a, c],
        [b, c],
        [b, a, c],
        [a, a, b, c],
        [a, b, c, c],
        [],
        [a, b, c[:-1]],
    ):
        with pytest.raises(BrokenSeal):
            opened(header + b"".join(changed))


def test_another_key_purpose_or_no_seal_at_all():
    text = sealed(b"plain")
    with pytest.raises(BrokenSeal, match="chunk 0"):
        opened(text, bytes(32))
    with pytest.raises(BrokenSeal, match="chunk 0"):
        opened(text, purpose="manifest")
    with pytest.raises(BrokenSeal, match="no sealed medium"):
        opened(b"\x00\x00\x00\x18ftypmp42" * 9)
    with pytest.raises(BrokenSeal, match="no sealed medium"):
        opened(b"")


def test_the_plain_bytes_are_not_in_the_sealed_ones_and_one_key_gives_two_texts():
    plain = b"officer 4711 speaks" * 4
    text = sealed(plain)
    assert b"officer" not in text
    other = b"".join(seal([plain], KEY, NONCE, "manifest", chunk_length=10))
    assert other[HEADER:] != text[HEADER:]


def test_a_wrapped_key_is_bound_to_its_recording_and_class():
    names = {"recording": "bwc-1/7", "retention_class": "routine-90"}
    wrapped = wrap_key(bytes(32), KEY, nonce=bytes(12), **names)
    assert unwrap_key(bytes(32), wrapped, **names) == KEY
    for changed in ({"recording": "bwc-1/8"}, {"retention_class": "held"}):
        with pytest.raises(BrokenSeal, match="does not open"):
            unwrap_key(bytes(32), wrapped, **(names | changed))
    with pytest.raises(BrokenSeal, match="60 needed"):
        unwrap_key(bytes(32), wrapped[:-1], **names)
    with pytest.raises(BrokenSeal):
        unwrap_key(bytes(31) + b"\x01", wrapped, **names)
