"""RFC 3161 time stamps of checkpoints: a time from an authority that need not know the log.

What is stamped is the checkpoint's signed text, so that one stamp bounds every entry below it
and stays good when cosignatures are added. The reply is kept outside the server too. A stamp
says that the log existed by then, not that nothing else did: witnesses exclude a second history,
stamps do not.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.extra import unpack_extra
from tidewaiter.custody.merkle import leaf_hash, verify_inclusion
from tidewaiter.custody.note import Note
from tidewaiter.custody.proof import FIRST_LINE, ProofFile
from tidewaiter.errors import BadSignature, ConfigurationError, InputError, MalformedText

INSTALL_COMMAND = "pip install 'tidewaiter[timestamps]'"
LARGEST_REPLY_BYTES = 1 << 18


@dataclass(frozen=True)
class TimeStamp:
    """A time by which a checkpoint existed, by the word of an authority."""

    time_ms: int
    authority: str
    serial: str
    policy: str


def note_within(data: bytes) -> bytes:
    """The checkpoint note in a file: the file itself, or the note that a proof file ends with."""
    return ProofFile.parse(data).checkpoint_note if data.startswith(FIRST_LINE) else data


def entry_within(data: bytes) -> int | None:
    """The entry that a proof file shows to be under its checkpoint; None for a bare checkpoint.

    Nobody's signature is checked: the stamp is over the checkpoint's text, and the entry under
    its root. Raises MalformedText or BrokenProof.
    """
    if not data.startswith(FIRST_LINE):
        return None
    proof = ProofFile.parse(data)
    checkpoint = Checkpoint.parse(Note.parse(proof.checkpoint_note).text)
    if proof.extra is None:
        raise MalformedText("a proof file without its entry; what it proves cannot be told")
    leaf, _ = unpack_extra(proof.extra)
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(leaf), proof.path, checkpoint.root)
    return proof.index


def stamp_request(note: bytes) -> bytes:
    """The request (DER) to send to a time-stamping authority for a checkpoint note.

    No nonce: the reply is checked against the note, and an older reply to the same note only
    proves more. Raises MalformedText for what is no note.
    """
    builder = _library().TimestampRequestBuilder()
    text = _stamped_text(note)
    whole = builder.data(text).nonce(nonce=False).cert_request(cert_request=True).build()
    return bytes(whole.as_bytes())


def check_stamp(reply: bytes, note: bytes, anchors: bytes) -> TimeStamp:
    """Accept a reply (DER) as a stamp of this note, signed below one of the anchors (PEM).

    Certificates that sign themselves are anchors; the others may stand between. Raises
    MalformedText, BadSignature for another note, another authority or a changed reply, and
    InputError for anchors that are none.
    """
    library, text = _library(), _stamped_text(note)
    if len(reply) > LARGEST_REPLY_BYTES:
        raise MalformedText(f"a time stamp of {len(reply)} bytes; {LARGEST_REPLY_BYTES} at most")
    try:
        decoded = library.decode_timestamp_response(reply)
        said = decoded.tst_info
        time_ms = round(1000 * said.gen_time.timestamp())
        serial, policy, name = f"{said.serial_number:x}", said.policy.dotted_string, said.name
    except (ValueError, AttributeError, OverflowError) as error:
        raise MalformedText(f"this is no reply with an RFC 3161 time stamp: {error}") from error
    verifier = _verifier(library, anchors)
    try:
        verifier.verify_message(decoded, text)
    except (library.VerificationError, ValueError) as error:
        digest = hashlib.sha256(text).hexdigest()
        raise BadSignature(
            f"the time stamp does not fit the checkpoint with SHA-256 {digest}, or is not by an "
            f"authority below the given certificates: {error}"
        ) from error
    return TimeStamp(time_ms, _authority(name), serial, policy)


def _stamped_text(note: bytes) -> bytes:
    return Note.parse(note).text.encode("utf-8")


def _verifier(library: Any, anchors: bytes) -> Any:
    from cryptography.x509 import load_pem_x509_certificates

    try:
        certificates = load_pem_x509_certificates(anchors)
        builder = library.VerifierBuilder()
        for one in certificates:
            if one.issuer == one.subject:
                builder = builder.add_root_certificate(one)
            else:
                builder = builder.add_intermediate_certificate(one)
        return builder.build()
    except ValueError as error:
        raise InputError(
            f"the authority's certificates cannot be used ({error}); PEM with its root needed"
        ) from error


def _authority(name: Any) -> str:
    """The name that the authority gives itself."""
    spelled = getattr(getattr(name, "value", None), "rfc4514_string", None)
    return str(spelled()) if spelled else "an authority that does not name itself"


def _library() -> Any:
    try:
        import rfc3161_client
    except ImportError as error:
        raise ConfigurationError(
            f"time stamps need a library that is not installed: {INSTALL_COMMAND}"
        ) from error
    return rfc3161_client
