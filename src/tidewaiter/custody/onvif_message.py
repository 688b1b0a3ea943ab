"""Messages of ONVIF Media Signing: what a camera says, inside the video, about its pictures.

A message is "user data unregistered" in a supplemental unit of H.264 or H.265. This module takes
one apart and says which of its bytes are signed; it believes nothing in it.
"""

from __future__ import annotations

import bisect
import itertools
import re
from dataclasses import dataclass

from tidewaiter.errors import MalformedText
from tidewaiter.media.nal import USER_DATA_UNREGISTERED

ONVIF_UUID = bytes.fromhex("005bc93f2d715e95ada4796f90877a6f")
"""UUID of the user data (ONVIF Media Signing Specification)."""

CERTIFICATE_MESSAGE, SIGNED_WITH_ESCAPES = 0x80, 0x40
GENERAL, HASH_LIST, SIGNATURE, CRYPTO, VENDOR, CERTIFICATES = range(1, 7)
STOP_BYTE = 0x80

# DER of the object identifiers of SHA-256, SHA-384 and SHA-512 (RFC 5754, section 2).
HASHES = {
    bytes.fromhex("0609608648016503040201"): "sha256",
    bytes.fromhex("0609608648016503040202"): "sha384",
    bytes.fromhex("0609608648016503040203"): "sha512",
}

LONGEST_MESSAGE = 1 << 20
"""Longer units are no signing messages: 64 kB a part is the format's own limit."""

_ESCAPE = re.compile(rb"\x00\x00\x03")
# Days from 1601-01-01, from which ONVIF counts in 100 ns, to 1970-01-01.
_EPOCH_DAYS = 134_774
_TICKS_PER_MS, _MS_PER_DAY = 10_000, 86_400_000
_SOFTWARE_LENGTH = 3


@dataclass(frozen=True)
class Described:
    """What a message says of the pictures it describes.

    `units` is how many coded units were hashed, `gop_hash` the hash over their hashes, `linked`
    the first hash of the group before. Times are the camera's, in ticks of 100 ns since 1601, or
    since the stream began; version 1 has no end.
    """

    version: int
    software: str
    is_partial: bool
    start: int
    end: int | None
    counter: int
    units: int
    gop_hash: bytes
    linked: bytes


@dataclass(frozen=True)
class SigningMessage:
    """One message: what it describes, and what its signature covers.

    `signature` is empty in a message that a later one vouches for; `signed` then is the whole
    unit. `described` is None in a message that only carries certificates.
    """

    unit: bytes
    signed: bytes
    signature: bytes
    described: Described | None
    hash_list: tuple[bytes, ...]
    hash_name: str
    certificates: bytes
    vendor: tuple[str, ...]


def posix_ms(ticks: int) -> int:
    """POSIX milliseconds of a time of ONVIF's."""
    return ticks // _TICKS_PER_MS - _EPOCH_DAYS * _MS_PER_DAY


def is_signing_message(unit: bytes, header: int) -> bool:
    """Whether a supplemental unit, whose header has so many bytes, is such a message."""
    try:
        start, _ = _payload(unit, header)
    except MalformedText:
        return False
    return unit[start : start + len(ONVIF_UUID)] == ONVIF_UUID


def parse_signing_message(unit: bytes, header: int, hash_name: str = "sha256") -> SigningMessage:
    """Take a message apart; `hash_name` is the hash named by the messages before it.

    Raises MalformedText.
    """
    start, size = _payload(unit, header)
    plain, escapes = _unescaped(unit, start, size)
    if len(plain) < start + size:
        raise MalformedText(f"a signing message of {size} bytes breaks off at {len(plain) - start}")
    flags_at = start + len(ONVIF_UUID)
    if flags_at >= start + size:
        raise MalformedText("a signing message without anything in it")
    flags = plain[flags_at]
    values, signature_at = _values(plain, flags_at + 1, start + size)
    if CRYPTO in values:
        hash_name = _hash_name(values[CRYPTO])
    if flags & SIGNED_WITH_ESCAPES:
        signed = unit if signature_at is None else unit[: _escaped_place(escapes, signature_at)]
    else:
        signed = plain if signature_at is None else plain[:signature_at]
    described = _described(values[GENERAL]) if GENERAL in values else None
    if described is None and not flags & CERTIFICATE_MESSAGE:
        raise MalformedText("a signing message that describes no pictures")
    length = len(described.gop_hash) if described else 0
    return SigningMessage(
        unit=unit,
        signed=signed,
        signature=_signature(values[SIGNATURE]) if SIGNATURE in values else b"",
        described=described,
        hash_list=_hash_list(values[HASH_LIST], length) if HASH_LIST in values else (),
        hash_name=hash_name,
        certificates=_certificates(values[CERTIFICATES]) if CERTIFICATES in values else b"",
        vendor=_vendor(values[VENDOR]) if VENDOR in values else (),
    )


def _payload(unit: bytes, header: int) -> tuple[int, int]:
    """Where the user data begins, and its length without escapes."""
    if len(unit) > LONGEST_MESSAGE:
        raise MalformedText(f"a supplemental unit of {len(unit)} bytes; {LONGEST_MESSAGE} at most")
    if len(unit) <= header or unit[header] != USER_DATA_UNREGISTERED:
        raise MalformedText("a supplemental unit that is no user data")
    position, size = header + 1, 0
    while position < len(unit) and unit[position] == 0xFF:
        size, position = size + 255, position + 1
    if position >= len(unit):
        raise MalformedText("a supplemental unit that ends within its length")
    return position + 1, size + unit[position]


def _unescaped(unit: bytes, start: int, size: int) -> tuple[bytes, list[int]]:
    """The unit without emulation prevention, and where in it the bytes left out stood.

    Some writers escape and some do not; the announced size tells which, because the sequence
    that an escape makes can also be content.
    """
    if len(unit) - (unit[-1] == STOP_BYTE) - start <= size:
        return unit, []
    escapes = [match.end() - 1 for match in _ESCAPE.finditer(unit)]
    edges = [-1, *escapes, len(unit)]
    plain = b"".join(unit[a + 1 : b] for a, b in itertools.pairwise(edges))
    return plain, [escape - before for before, escape in enumerate(escapes)]


def _escaped_place(escapes: list[int], at: int) -> int:
    """Where a byte, or the escape just before it, stands with escapes."""
    return at + bisect.bisect_left(escapes, at)


def _values(plain: bytes, at: int, end: int) -> tuple[dict[int, bytes], int | None]:
    """Every value by its tag, and where the signature's tag stands."""
    values: dict[int, bytes] = {}
    signature_at = None
    while at < end:
        tag, length = plain[at], int.from_bytes(plain[at + 1 : at + 3], "big")
        value = plain[at + 3 : at + 3 + length]
        if at + 3 + length > end:
            raise MalformedText(f"part {tag} of a signing message goes beyond its end")
        if tag in values:
            raise MalformedText(f"part {tag} stands twice in a signing message")
        if signature_at is not None:
            raise MalformedText("a signing message goes on after its signature")
        if tag == SIGNATURE:
            signature_at = at
        values[tag] = value
        at += 3 + length
    return values, signature_at


def _described(value: bytes) -> Described:
    version = value[0] if value else 0
    if version not in (1, 2):
        raise MalformedText(f"version {version} of a signing message; 1 and 2 are known")
    end_length = 8 if version == 2 else 0
    fixed = 1 + _SOFTWARE_LENGTH + 1 + 8 + end_length + 4 + 2
    rest = len(value) - fixed
    if rest % 2 or rest // 2 not in (32, 48, 64):
        raise MalformedText(f"a signing message with hashes of {rest} bytes together")
    times = value[5 : 13 + end_length]
    tail = value[13 + end_length : fixed]
    hashes = value[fixed:]
    return Described(
        version=version,
        software=".".join(str(part) for part in value[1 : 1 + _SOFTWARE_LENGTH]),
        is_partial=bool(value[4]),
        start=int.from_bytes(times[:8], "big", signed=True),
        end=int.from_bytes(times[8:], "big", signed=True) if end_length else None,
        counter=int.from_bytes(tail[:4], "big"),
        units=int.from_bytes(tail[4:], "big"),
        gop_hash=hashes[: rest // 2],
        linked=hashes[rest // 2 :],
    )


def _versioned(value: bytes, what: str) -> bytes:
    if not value or value[0] != 1:
        raise MalformedText(f"{what} of a signing message in a version other than 1")
    return value[1:]


def _hash_list(value: bytes, length: int) -> tuple[bytes, ...]:
    joined = _versioned(value, "the list of hashes")
    if not length or len(joined) % length:
        raise MalformedText(f"a list of hashes of {len(joined)} bytes, not in steps of {length}")
    return tuple(joined[at : at + length] for at in range(0, len(joined), length))


def _signature(value: bytes) -> bytes:
    rest = _versioned(value, "the signature")
    size = int.from_bytes(rest[:2], "big")
    if not 0 < size <= len(rest) - 2:
        raise MalformedText(f"a signature of {size} bytes in a place of {len(rest) - 2}")
    return rest[2 : 2 + size]


def _hash_name(value: bytes) -> str:
    rest = _versioned(value, "the hash's name")
    identifier = rest[1 : 1 + rest[0]] if rest else b""
    if identifier not in HASHES:
        raise MalformedText(f"hash {identifier.hex() or 'without name'}; SHA-2 is known")
    return HASHES[identifier]


def _certificates(value: bytes) -> bytes:
    # The byte after the version says whether the operator made the key; both kinds are judged
    # by the same anchors.
    return _versioned(value, "the certificates")[1:]


def _vendor(value: bytes) -> tuple[str, ...]:
    rest, words = _versioned(value, "the maker"), []
    while rest:
        words.append(rest[1 : 1 + rest[0]].decode("utf-8", "replace"))
        rest = rest[1 + rest[0] :]
    return tuple(words)
