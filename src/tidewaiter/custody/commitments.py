"""Salted commitments: what a leaf holds in place of anything that may have to be forgotten.

A plain hash of a passport number can be guessed; with 16 random bytes of salt it cannot, and
with the salt destroyed nobody can say any more what was committed to. Whoever got an opening
before that keeps it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from tidewaiter.custody.record import Record, canonical, parse_canonical
from tidewaiter.custody.record_kinds import NAMED
from tidewaiter.errors import MalformedText

COMMITTED_AS = b"tidewaiter/commit/v1\0"
COMMITMENT_SALT_LENGTH = 16


@dataclass(frozen=True)
class Opening:
    """What opens one commitment: the record's digest, the field, the salt and the value."""

    record: str
    field: str
    salt: bytes
    value: str | int


def commit(field: str, salt: bytes, value: str | int) -> str:
    """The commitment, 64 hexadecimal digits. Raises MalformedText for a salt of another length."""
    if len(salt) != COMMITMENT_SALT_LENGTH:
        raise MalformedText(f"a salt of {len(salt)} bytes; {COMMITMENT_SALT_LENGTH} needed")
    name = field.encode("utf-8")
    if b"\0" in name:
        raise MalformedText("a field name with a zero byte")
    return hashlib.sha256(COMMITTED_AS + name + b"\0" + salt + canonical(value)).hexdigest()


def opens(record: Record, opening: Opening) -> bool:
    """Whether the opening is of this record and gives the value it was committed to."""
    return (
        opening.record == record.digest
        and opening.field in record.commit
        and commit(opening.field, opening.salt, opening.value) == record.commit[opening.field]
    )


def format_openings(openings: tuple[Opening, ...]) -> bytes:
    """Openings as canonical JSON, for a bundle."""
    return canonical([
        {"record": one.record, "field": one.field, "salt": one.salt.hex(), "value": one.value}
        for one in openings
    ])  # fmt: skip


def parse_openings(text: bytes) -> tuple[Opening, ...]:
    """The openings of a bundle. Raises MalformedText."""
    found = parse_canonical(text)
    if not isinstance(found, list):
        raise MalformedText("openings that are no list")
    return tuple(_parse_opening(one) for one in found)


def _parse_opening(found: Any) -> Opening:
    if not isinstance(found, dict) or found.keys() != {"record", "field", "salt", "value"}:
        raise MalformedText("an opening without record, field, salt and value")
    record, field, salt, value = (found[name] for name in ("record", "field", "salt", "value"))
    if not all(isinstance(text, str) for text in (record, field, salt)):
        raise MalformedText("an opening whose record, field and salt are not texts")
    if not NAMED.fullmatch(field):
        raise MalformedText("an opening of a field that no record can have")
    if not isinstance(value, str | int):
        raise MalformedText("an opening whose value is neither text nor number")
    try:
        raw = bytes.fromhex(salt)
    except ValueError as error:
        raise MalformedText("an opening whose salt is not hexadecimal") from error
    if raw.hex() != salt or len(raw) != COMMITMENT_SALT_LENGTH:
        raise MalformedText(f"an opening whose salt is not {COMMITMENT_SALT_LENGTH} bytes")
    return Opening(record, field, raw, value)
