"""Cosignatures of witnesses on checkpoints, as C2SP tlog-cosignature has them.

A cosignature says: at this time, this was the largest consistent tree of this log that the
witness had seen. The Ed25519 message does not name the witness, so no key may serve two.
"""

from __future__ import annotations

import struct

from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.exact import LARGEST_NUMBER
from tidewaiter.custody.keys import (
    ED25519_COSIGNATURE,
    MLDSA44_COSIGNATURE,
    SigningKey,
    VerifierKey,
)
from tidewaiter.custody.note import NoteSignature
from tidewaiter.errors import BadSignature, MalformedText

COSIGNATURE_TYPES = (ED25519_COSIGNATURE, MLDSA44_COSIGNATURE)
"""Types of keys that witnesses may have."""
_SUBTREE_LABEL = b"subtree/v1\n\0"
_TIME_BYTES = 8
# Names are counted in one byte in the ML-DSA message.
_LONGEST_NAME_BYTES = 255


def cosign(checkpoint: Checkpoint, key: SigningKey, time_s: int) -> NoteSignature:
    """The witness's line for this checkpoint at this time (POSIX seconds, not 0)."""
    message = _cosigned_message(checkpoint, key.verifier, time_s)
    content = struct.pack(">Q", time_s) + key.sign(message)
    return NoteSignature(key.name, key.verifier.key_id, content)


def verify_cosignature(checkpoint: Checkpoint, key: VerifierKey, signature: NoteSignature) -> int:
    """The time of this cosignature (POSIX seconds). Raises BadSignature or MalformedText."""
    if not signature.is_by(key):
        raise BadSignature(f"the line of {signature.name} is not by the key {key.name}")
    if len(signature.content) <= _TIME_BYTES:
        raise MalformedText(f"the cosignature of {key.name} is too short to hold a time")
    (time_s,) = struct.unpack(">Q", signature.content[:_TIME_BYTES])
    message = _cosigned_message(checkpoint, key, time_s)
    key.verify(message, signature.content[_TIME_BYTES:])
    return int(time_s)


def _cosigned_message(checkpoint: Checkpoint, key: VerifierKey, time_s: int) -> bytes:
    if not 0 < time_s <= LARGEST_NUMBER:
        raise MalformedText(f"{key.name} cosigned at the time {time_s}: 1 to 2^63 - 1 is needed")
    if key.algorithm == ED25519_COSIGNATURE:
        return f"cosignature/v1\ntime {time_s}\n{checkpoint.text}".encode()
    if key.algorithm == MLDSA44_COSIGNATURE:
        return subtree_message(
            key.name, time_s, checkpoint.origin, checkpoint.size, checkpoint.root
        )
    raise MalformedText(f"the key {key.name} is a log's, not a witness's: it cannot cosign")


def subtree_message(name: str, time_s: int, origin: str, size: int, root: bytes) -> bytes:
    """What ML-DSA-44 signs for a checkpoint; it covers the witness's name, not extension lines."""
    named = _SUBTREE_LABEL + _counted(name) + struct.pack(">Q", time_s) + _counted(origin)
    return named + struct.pack(">QQ", 0, size) + root


def _counted(name: str) -> bytes:
    data = name.encode("utf-8")
    if len(data) > _LONGEST_NAME_BYTES:
        raise MalformedText(f"the name {name[:40]}… has {len(data)} bytes; 255 are the most")
    return bytes([len(data)]) + data
