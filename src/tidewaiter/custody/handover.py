"""What a camera that signs on board hands over: its records, and what opens them.

Two files beside the segments. `NAME.records` holds one record a line, byte for byte as the camera
signed it: it may be shown to anybody. `NAME.secrets` holds, for each segment, the key that seals
it and the salts of its commitments: whoever has it can read the recordings. Each line stands for
itself, so that a torn or foreign one spoils no other.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tidewaiter.custody.commitments import Opening, format_openings, parse_openings
from tidewaiter.custody.record import canonical, parse_canonical
from tidewaiter.custody.record_kinds import HEX_DIGEST, decode_base64
from tidewaiter.custody.seal import KEY_LENGTH, LONGEST_CHUNK, SEAL_NONCE_LENGTH
from tidewaiter.errors import MalformedText

RECORDS_SUFFIX = ".records"
SECRETS_SUFFIX = ".secrets"
LARGEST_HANDOVER = 1 << 26
"""Bytes of a file of records or of secrets: some 70,000 records, more than a week of a camera."""

HANDED_KINDS = frozenset({"segment", "heartbeat", "stop", "key.rotate"})
"""What a camera says of itself. Everything else is decided by people and logged by the site."""

LONGEST_FILE_NAME = 255
_PARTS = {"record", "file", "key", "nonce", "chunk", "openings"}


@dataclass(frozen=True)
class SegmentSecret:
    """What opens one segment, and which file holds it, plain or sealed."""

    record: str
    """SHA-256 of the record, in hexadecimal."""

    file: str
    """Name of the file, without any folder."""

    key: bytes = field(repr=False)
    nonce: bytes
    chunk_length: int
    openings: tuple[Opening, ...] = field(repr=False)
    """Of every commitment in the record; `media` among them."""

    @property
    def media(self) -> str:
        """SHA-256 of the plain file as the camera says it; empty where it says none."""
        return next((str(one.value) for one in self.openings if one.field == "media"), "")

    def format(self) -> bytes:
        """The line of the file of secrets, without its end."""
        return canonical({
            "record": self.record, "file": self.file, "chunk": self.chunk_length,
            "key": base64.b64encode(self.key).decode("ascii"),
            "nonce": base64.b64encode(self.nonce).decode("ascii"),
            "openings": parse_canonical(format_openings(self.openings)),
        })  # fmt: skip

    @classmethod
    def parse(cls, line: bytes) -> SegmentSecret:
        """The secret that `format` wrote. Raises MalformedText."""
        found = parse_canonical(line)
        if not isinstance(found, dict) or found.keys() != _PARTS:
            raise MalformedText(f"a secret without {', '.join(sorted(_PARTS))}")
        digest, name, chunk = found["record"], found["file"], found["chunk"]
        if not (isinstance(digest, str) and HEX_DIGEST.fullmatch(digest)):
            raise MalformedText("a secret whose record is not 64 hexadecimal digits")
        if not isinstance(name, str) or not 0 < len(name) <= LONGEST_FILE_NAME:
            raise MalformedText(f"a secret whose file is no name of up to {LONGEST_FILE_NAME}")
        if {"/", "\\", "\0"} & set(name) or name in {".", ".."}:
            raise MalformedText("a secret whose file lies in another folder; a bare name needed")
        if type(chunk) is not int or not 0 < chunk <= LONGEST_CHUNK:
            raise MalformedText(f"a secret whose chunk is not 1 to {LONGEST_CHUNK} bytes")
        openings = parse_openings(canonical(found["openings"]))
        if any(one.record != digest for one in openings):
            raise MalformedText("a secret with an opening of another record")
        if len({one.field for one in openings}) != len(openings):
            raise MalformedText("a secret that opens one commitment twice")
        key = _secret_bytes(found["key"], KEY_LENGTH, "key")
        nonce = _secret_bytes(found["nonce"], SEAL_NONCE_LENGTH, "nonce")
        return cls(digest, name, key, nonce, chunk, openings)


def format_lines(lines: Iterable[bytes]) -> bytes:
    """Records, or formatted secrets, as a file: each with a newline."""
    return b"".join(line + b"\n" for line in lines)


def split_lines(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The lines that are not empty, with their numbers from 1.

    Only a newline ends a line: JSON escapes it, so that no record holds one. Raises MalformedText
    for a file beyond the limit.
    """
    if len(data) > LARGEST_HANDOVER:
        raise MalformedText(
            f"a hand-over of {len(data)} bytes; at most {LARGEST_HANDOVER}: hand it over in parts"
        )
    for number, line in enumerate(data.split(b"\n"), 1):
        if line:
            yield number, line


def parse_secrets(data: bytes) -> tuple[dict[str, SegmentSecret], list[str]]:
    """The secrets by their record, and in words which lines are none.

    A line that does not parse costs its segment's key, never another's.
    """
    found: dict[str, SegmentSecret] = {}
    problems = []
    for number, line in split_lines(data):
        try:
            secret = SegmentSecret.parse(line)
        except MalformedText as error:
            problems.append(f"line {number} of the secrets: {error}")
            continue
        if found.setdefault(secret.record, secret) != secret:
            problems.append(f"line {number} of the secrets: a second secret of one record")
    return found, problems


def _secret_bytes(value: Any, length: int, what: str) -> bytes:
    raw = decode_base64(value, length) if isinstance(value, str) else None
    if raw is None:
        raise MalformedText(f"a secret whose {what} is not base64 of {length} bytes")
    return raw
