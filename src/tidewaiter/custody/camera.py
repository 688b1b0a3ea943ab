"""The camera's side: make the records that a camera which signs on board hands over.

For makers of cameras and of their software, and for tests. Nothing here reads a file, a clock or
a source of chance: all of it is handed in. The caller writes the next state to disk, with fsync,
before a record or a secret leaves the camera (see `device`), keeps a segment until its witnessed
receipt came back, and forgets its key then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tidewaiter.custody.commitments import COMMITMENT_SALT_LENGTH, Opening, commit
from tidewaiter.custody.device import DeviceState, emit
from tidewaiter.custody.extra import unpack_extra
from tidewaiter.custody.handover import SegmentSecret
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.seal import CHUNK_LENGTH, KEY_LENGTH, SEAL_NONCE_LENGTH, seal
from tidewaiter.custody.trust import judge_proof
from tidewaiter.errors import BrokenProof


@dataclass(frozen=True)
class Segment:
    """A segment to be signed: where it stands on the card, when by the camera's clock."""

    file: str
    claimed_ms: int
    start_ms: int
    end_ms: int
    said: Mapping[str, str]
    """Further fields to commit to, such as `officer`; only whoever gets the salt reads them."""

    fields: Mapping[str, Any]
    """Further fields that anybody may read, such as `uptime_ms`, `boot`, `media_type`."""


@dataclass(frozen=True)
class SignedSegment:
    """A line for the records, a line for the secrets, and the state to store before they go."""

    leaf: bytes
    secret: SegmentSecret
    following: DeviceState


def sign_segment(
    state: DeviceState,
    segment: Segment,
    medium: Iterable[bytes],
    random: Callable[[int], bytes],
    *,
    keep_sealed: Callable[[bytes], object] | None = None,
    chunk_length: int = CHUNK_LENGTH,
) -> SignedSegment:
    """Sign one segment, read once in parts of any length; one chunk in memory.

    `keep_sealed` gets the sealed bytes, for a card on which nothing lies plain; without it the
    plain file is handed over and the dock seals it to the same bytes. `random` gives that many
    bytes that nobody can foretell. Raises MalformedText for fields that make no record.
    """
    key, nonce = random(KEY_LENGTH), random(SEAL_NONCE_LENGTH)
    plain, sealed, length = hashlib.sha256(), hashlib.sha256(), 0
    parts = _hashed(medium, plain)
    for part in seal(parts, key, nonce, "media", chunk_length=chunk_length):
        sealed.update(part)
        length += len(part)
        if keep_sealed is not None:
            keep_sealed(part)
    values = {**segment.said, "media": plain.hexdigest()}
    salts = {name: random(COMMITMENT_SALT_LENGTH) for name in values}
    fields = {
        **segment.fields,
        "recording": recording_name(state.device, state.seq),
        "level": "device",
        "blob": sealed.hexdigest(),
        "bytes": length,
        "commit": {name: commit(name, salts[name], value) for name, value in values.items()},
        "start_ms": segment.start_ms,
        "end_ms": segment.end_ms,
    }
    leaf, following = emit(state, "segment", segment.claimed_ms, fields)
    digest = hashlib.sha256(leaf).hexdigest()
    openings = tuple(Opening(digest, name, salts[name], values[name]) for name in sorted(values))
    secret = SegmentSecret(digest, segment.file, key, nonce, chunk_length, openings)
    return SignedSegment(leaf, secret, following)


def recording_name(device: str, seq: int) -> str:
    """What the recording of a camera's record is called; no record may bring another's name."""
    return f"{device}/{seq}"


def must_be_witnessed(leaf: bytes, receipt: bytes, policy: bytes) -> int:
    """Accept a receipt that came back for a record; gives the POSIX second that bounds it.

    Then the camera may free the segment and forget its key. Raises MalformedText, BadSignature,
    UnknownSigner or BrokenProof where the receipt is not one for this record under this policy.
    """
    proof, trusted = ProofFile.parse(receipt), Policy.parse(policy)
    if proof.extra is None or unpack_extra(proof.extra)[0] != leaf:
        raise BrokenProof("the receipt is one for another record")
    judged = judge_proof(proof, leaf, trusted)
    if not judged.quorum_met or judged.not_after_s is None:
        raise BrokenProof(
            f"{len(judged.confirmed)} witnesses confirmed the record; {trusted.needed_words} "
            "needed: keep the segment"
        )
    return judged.not_after_s


def _hashed(parts: Iterable[bytes], state: hashlib._Hash) -> Iterator[bytes]:
    for part in parts:
        state.update(part)
        yield part
