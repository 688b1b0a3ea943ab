"""A record of the custody log: canonical JSON, signed by a device, a dock, a service or a person.

The leaf of the log is the record's exact bytes: keys sorted, whole numbers and strings only,
UTF-8, below 65,536 bytes. Its signature covers the same bytes without `sig`.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tidewaiter.custody.record_kinds import LARGEST_RECORD_NUMBER, check_fields
from tidewaiter.errors import MalformedText

MOST_LEAF_BYTES = 65_535  # C2SP tlog-tiles: an entry's length is a big-endian u16
SIGNED_AS = b"tidewaiter/record/v1\n"
NO_PREVIOUS = "0" * 64
"""`prev` of a device's first record, whose `seq` is 0."""

_DEEPEST = 8


@dataclass(frozen=True)
class Record:
    """One record that parsed: its fields, and the exact bytes that are the leaf."""

    fields: Mapping[str, Any]
    body: bytes

    @property
    def kind(self) -> str:
        """What the record says, such as `segment` or `key.enrol`."""
        return str(self.fields["kind"])

    @property
    def device(self) -> str:
        """Whose chain the record extends."""
        return str(self.fields["device"])

    @property
    def signer(self) -> str:
        """Whose key signed it: a dock or the ingest where the device cannot sign."""
        return str(self.fields.get("by", self.fields["device"]))

    @property
    def epoch(self) -> int:
        """Which of the signer's keys signed it."""
        return int(self.fields["epoch"])

    @property
    def seq(self) -> int | None:
        """The record's number in its device's chain, where it is in one."""
        return self.fields.get("seq")

    @property
    def prev(self) -> str | None:
        """The digest of the device's previous record, where it is in a chain."""
        return self.fields.get("prev")

    @property
    def claimed_ms(self) -> int:
        """The signer's own clock, in POSIX milliseconds: a claim."""
        return int(self.fields["claimed_ms"])

    @property
    def level(self) -> str:
        """Who signed first; empty where nothing was recorded."""
        return str(self.fields.get("level", ""))

    @property
    def recording(self) -> str:
        """The recording it is about; empty where it is about none."""
        return str(self.fields.get("recording", ""))

    @property
    def commit(self) -> Mapping[str, str]:
        """The commitments by field name."""
        found: Mapping[str, str] = self.fields.get("commit", {})
        return found

    @property
    def digest(self) -> str:
        """SHA-256 of the leaf's bytes in hexadecimal: what `prev` and openings name."""
        return hashlib.sha256(self.body).hexdigest()


def canonical(value: object) -> bytes:
    """The one way to write these whole numbers, strings, lists and objects as JSON.

    Raises MalformedText for anything else: fractions, truth values, null, keys outside ASCII.
    """
    _must_be_plain(value, 0)
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise MalformedText("a text with half a surrogate pair, which UTF-8 cannot hold") from error


def parse_canonical(body: bytes) -> Any:
    """The value of canonical JSON. Raises MalformedText unless re-writing gives the same bytes."""
    if len(body) > MOST_LEAF_BYTES:
        raise MalformedText(f"a record of {len(body)} bytes; at most {MOST_LEAF_BYTES} allowed")
    try:
        value = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_without_repeats,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as error:
        raise MalformedText(f"not JSON of whole numbers and strings: {error}") from error
    if canonical(value) != body:
        raise MalformedText("JSON that is not in canonical form: order, spaces or escapes differ")
    return value


def parse_record(body: bytes) -> Record:
    """The record that a leaf holds. Raises MalformedText."""
    fields = parse_canonical(body)
    if not isinstance(fields, dict):
        raise MalformedText("a leaf that is no JSON object")
    check_fields(fields)
    return Record(fields, body)


def sign_record(fields: Mapping[str, Any], secret: bytes) -> bytes:
    """The leaf of these fields, signed with an Ed25519 secret of 32 bytes.

    `v` is added; a `sig` among the fields is replaced. Raises MalformedText.
    """
    unsigned = {name: value for name, value in fields.items() if name != "sig"} | {"v": 1}
    signature = sign_bytes(secret, SIGNED_AS + canonical(unsigned))
    body = canonical(unsigned | {"sig": base64.b64encode(signature).decode("ascii")})
    return parse_record(body).body


def signature_fits(record: Record, key: bytes) -> bool:
    """Whether this public key of 32 bytes signed the record."""
    unsigned = {name: value for name, value in record.fields.items() if name != "sig"}
    signature = base64.b64decode(record.fields["sig"])
    return bytes_signed_by(key, SIGNED_AS + canonical(unsigned), signature)


def public_key(secret: bytes) -> bytes:
    """The Ed25519 public key, 32 bytes, of a secret of 32 bytes."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def sign_bytes(secret: bytes, message: bytes) -> bytes:
    """The Ed25519 signature, 64 bytes, over a message."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(secret).sign(message)


def bytes_signed_by(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature over a message fits a public key of 32 bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def _must_be_plain(value: object, depth: int) -> None:
    if depth > _DEEPEST:
        raise MalformedText(f"a record nested more than {_DEEPEST} deep")
    if isinstance(value, str):
        return
    if type(value) is int:
        if abs(value) > LARGEST_RECORD_NUMBER:
            raise MalformedText(f"a number beyond 2^53 - 1: {value.bit_length()} bits")
    elif isinstance(value, list):
        for item in value:
            _must_be_plain(item, depth + 1)
    elif isinstance(value, dict):
        for name, item in value.items():
            if not isinstance(name, str) or not name.isascii():
                raise MalformedText("an object with a name outside ASCII")
            _must_be_plain(item, depth + 1)
    else:
        raise MalformedText(f"{type(value).__name__} in a record; whole numbers and strings only")


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise MalformedText("an object that has one name twice")
    return found


def _refuse_number(text: str) -> Any:
    raise MalformedText(f"{text[:20]} in a record; whole numbers and strings only")
