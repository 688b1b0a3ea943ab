"""Media and manifests sealed under one key for each recording, which erasing destroys.

A sealed medium is a header of 29 bytes and chunks of AES-256-GCM. Each chunk is bound to the
header, its number and whether it is the last: none can be dropped, repeated, moved or cut off
unseen. GCM does not bind a ciphertext to one key, so a sealed medium alone proves no plain
medium; the salted commitment in the leaf does.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING

from tidewaiter.errors import BrokenSeal

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_LENGTH = 32
SEAL_NONCE_LENGTH = 7
CHUNK_LENGTH = 1 << 20
TAG_LENGTH = 16
LONGEST_CHUNK = 1 << 24
SEAL_MARK = b"tidewaiter/seal/v1"
"""What a sealed medium begins with."""

_HEADER_LENGTH = len(SEAL_MARK) + 4 + SEAL_NONCE_LENGTH
_MOST_CHUNKS = 1 << 32
_WRAP_NONCE_LENGTH = 12
_WRAPPED_AS = b"tidewaiter/wrap/v1\0"


def seal(
    parts: Iterable[bytes],
    key: bytes,
    nonce: bytes,
    purpose: str,
    *,
    chunk_length: int = CHUNK_LENGTH,
) -> Iterator[bytes]:
    """The sealed bytes of a plain medium handed in as parts of any length; one chunk in memory.

    `key` is the recording's own, 32 bytes; `nonce` 7 bytes, new for every sealing; `purpose`
    (`media`, `manifest`) gives each its own key, so that one key serves a whole recording.
    """
    if len(nonce) != SEAL_NONCE_LENGTH:
        raise ValueError(f"a nonce of {len(nonce)} bytes; {SEAL_NONCE_LENGTH} needed")
    header = SEAL_MARK + chunk_length.to_bytes(4, "big") + nonce
    cipher = _cipher(key, purpose)
    yield header
    number, waiting = 0, b""
    for chunk in _rechunked(parts, chunk_length):
        # The last chunk is known only when none follows, so one is kept back.
        if number:
            yield _close_chunk(cipher, header, number - 1, waiting, last=False)
        number, waiting = number + 1, chunk
    yield _close_chunk(cipher, header, max(number - 1, 0), waiting, last=True)


def unseal(parts: Iterable[bytes], key: bytes, purpose: str) -> Iterator[bytes]:
    """The plain bytes of a sealed medium; what was yielded before an error is genuine.

    Raises BrokenSeal for a wrong key, a changed, missing, moved or added chunk.
    """
    stream = iter(parts)
    header, rest = _take_header(stream)
    chunk_length = int.from_bytes(header[len(SEAL_MARK) : len(SEAL_MARK) + 4], "big")
    if not header.startswith(SEAL_MARK) or not 0 < chunk_length <= LONGEST_CHUNK:
        raise BrokenSeal("this is no sealed medium: its first bytes are not those of a seal")
    cipher = _cipher(key, purpose)
    number, waiting, seen = 0, b"", False
    for chunk in _rechunked(chain([rest], stream), chunk_length + TAG_LENGTH):
        if seen:
            yield _open_chunk(cipher, header, number, waiting, last=False)
            number += 1
        waiting, seen = chunk, True
    yield _open_chunk(cipher, header, number, waiting, last=True)


def wrap_key(
    class_key: bytes, key: bytes, *, nonce: bytes, recording: str, retention_class: str
) -> bytes:
    """A recording's key sealed under that of its retention class: 60 bytes, bound to both names."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(nonce) != _WRAP_NONCE_LENGTH or len(key) != KEY_LENGTH:
        raise ValueError(f"a key of {KEY_LENGTH} and a nonce of {_WRAP_NONCE_LENGTH} bytes needed")
    return nonce + AESGCM(class_key).encrypt(nonce, key, _wrapping(recording, retention_class))


def unwrap_key(class_key: bytes, wrapped: bytes, *, recording: str, retention_class: str) -> bytes:
    """The recording's key. Raises BrokenSeal where it was wrapped by or for another."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    nonce, text = wrapped[:_WRAP_NONCE_LENGTH], wrapped[_WRAP_NONCE_LENGTH:]
    if len(text) != KEY_LENGTH + TAG_LENGTH:
        raise BrokenSeal(f"a wrapped key of {len(wrapped)} bytes; 60 needed")
    try:
        return AESGCM(class_key).decrypt(nonce, text, _wrapping(recording, retention_class))
    except InvalidTag as error:
        raise BrokenSeal(
            f"the key of recording {recording} does not open with the key of class "
            f"{retention_class}: it was changed, or wrapped under another class key"
        ) from error


def _cipher(key: bytes, purpose: str) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    if len(key) != KEY_LENGTH:
        raise ValueError(f"a key of {len(key)} bytes; {KEY_LENGTH} needed")
    derivation = HKDF(SHA256(), KEY_LENGTH, salt=None, info=SEAL_MARK + purpose.encode("utf-8"))
    return AESGCM(derivation.derive(key))


def _chunk_place(header: bytes, number: int, *, last: bool) -> tuple[bytes, bytes]:
    """The nonce of a chunk, and what it is bound to."""
    if number >= _MOST_CHUNKS:
        raise BrokenSeal(f"a medium of more than {_MOST_CHUNKS} chunks; use longer chunks")
    flag = bytes([last])
    nonce = header[-SEAL_NONCE_LENGTH:] + number.to_bytes(4, "big") + flag
    return nonce, header + number.to_bytes(8, "big") + flag


def _close_chunk(cipher: AESGCM, header: bytes, number: int, text: bytes, *, last: bool) -> bytes:
    nonce, bound = _chunk_place(header, number, last=last)
    return cipher.encrypt(nonce, text, bound)


def _open_chunk(cipher: AESGCM, header: bytes, number: int, text: bytes, *, last: bool) -> bytes:
    from cryptography.exceptions import InvalidTag

    nonce, bound = _chunk_place(header, number, last=last)
    try:
        return cipher.decrypt(nonce, text, bound)
    except InvalidTag as error:
        raise BrokenSeal(
            f"chunk {number} of the sealed medium does not open: it was changed, moved or cut "
            "off, or the key is another recording's"
        ) from error


def _rechunked(parts: Iterable[bytes], length: int) -> Iterator[bytes]:
    """The same bytes in chunks of `length`, the last one shorter; none of them empty."""
    held = bytearray()
    for part in parts:
        held += part
        whole = len(held) // length * length
        for start in range(0, whole, length):
            yield bytes(held[start : start + length])
        del held[:whole]
    if held:
        yield bytes(held)


def _take_header(stream: Iterator[bytes]) -> tuple[bytes, bytes]:
    held = b""
    for part in stream:
        held += part
        if len(held) >= _HEADER_LENGTH:
            break
    return held[:_HEADER_LENGTH], held[_HEADER_LENGTH:]


def _wrapping(recording: str, retention_class: str) -> bytes:
    return _WRAPPED_AS + recording.encode("utf-8") + b"\0" + retention_class.encode("utf-8")
