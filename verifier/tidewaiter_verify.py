#!/usr/bin/env python3
"""Tidewaiter's custody verifier in one file: Python 3.11 or later and `cryptography` suffice.

    python -m pip install cryptography
    python tidewaiter_verify.py PROOF-OR-BUNDLE [FILE …] --policy POLICY

Made by joining the modules below, unaltered but for the imports between them; their SHA-256 are
those of the release they came from. Licence: Apache-2.0.

d57862470b001d8e48035d7477fa2ab0cf566a5ef6665cc0087e16332291150e  tidewaiter.errors
bc473ba8d7f891b4321bedd83b4bdc5be9094e96e08d00c55c2eea647127e736  tidewaiter.custody.exact
15da8d48e64e67758d28ff569fe8c4d4dbe698b2fd61e6ca239fe4b4a8065858  tidewaiter.custody.weak_keys
969f096fefba07338f4e720a1dc64b19c1eb13bca1b5f9acee2cc9a423e04bbb  tidewaiter.custody.keys
afa33291a522a1faf01e30d3f333b89bf9126b060647a448499372991b9cb3c3  tidewaiter.custody.note
5a64399478214a1aa27bebf328c1478c62b7338de624615864c272c5b400d333  tidewaiter.custody.proof
35f0325db71c2012d013d4255deaace5c6dff19502039a6dad7df11db3fd2124  tidewaiter.custody.discrepancy
36ad8db826545970060c443d72919a5905dae9b03d237149097b8d4115e2a817  tidewaiter.custody.findings_french
bce86b231d7332f5f1e4ad032d4919f58afd278e77bc5c40136302c5e071ee01  tidewaiter.custody.verdict
f6747b02fd057970162032a845140e701651385ee432f9079fb8febb6a1a0be7  tidewaiter.custody.verdict_french
6e8806685e448090a833689873d8bb5ce600c5cb761556cddf7fbc30ac526744  tidewaiter.custody.translating
3f2783069daea25660e121a1b8c638e592300557ac265d65c3e8367b68be3b0e  tidewaiter.custody.record_kinds
8e31c30e9a064730304a71cf23bbc978829e0889af2508b5357c781d5cd961b3  tidewaiter.custody.record
ab037dac6379cb65e3b889766ad154667281cd488d5add7532edee6029dea3a8  tidewaiter.custody.key_history
a131b6f9e1778fa6dd0728d0ca434b968440925cd5e88d174f9c6968d218935f  tidewaiter.custody.approvals
79c26684c3c42c9dbd92b1afae29bd13e76f1f852bf1b80d82af781811ca2779  tidewaiter.custody.chains
6c385c2c5eb9932367994e3f12ace2df4a230278f4e1d35344f3cc54e6bc27f6  tidewaiter.custody.commitments
02b195b9417b14adc6dd5a44883c19fc854962d4df134a44b3ac1c35f9223bdb  tidewaiter.custody.extra
3995a0c6979c2ece968197f40737fe52c3c4ddabea1d4a57f5add07c1d2de1a9  tidewaiter.custody.gaps
a54a904004411f855b3a733c4f05f9d6c6f193087ad42a58794a195fb762bc09  tidewaiter.custody.witness_times
4092e303fa06c2ab527890c6ae305e5a20ae2b641c7b0c5d5f9973fdf9bf4580  tidewaiter.custody.retention
f4f2cee40d8e0d5131ac1db92f2d529929b4f4ef5df00fee1b020a874e839bff  tidewaiter.custody.judging
044a1515af6978fb337f13821e97a06af34dd56a785f2c578fd2ba273ddc5772  tidewaiter.custody.merkle
a114e5ca2a0c0926a75a5dae135efab1998ddc7e93fe90bb501d8ad4e2c4a8cb  tidewaiter.custody.checkpoint
0d9c1bc8aa71f2aba2fda67f8f060b1ba1ae7b07f25b4939ddef2bfe8e90f010  tidewaiter.custody.cosignature
865dc81e25e196689269525ed84e6251bd6682c0762b722b30915b38d6dc866c  tidewaiter.custody.policy
37ee9008066f5350ecc4810eac516ec320db0c334694208f2c3679054801c991  tidewaiter.custody.trust
fde59d4888ec08fbeb5b32ce17240006491955b75eb3a17843bc43599ae1ec65  tidewaiter.custody.verify_files
4a5f8195656adb75c1cae2a3c7a8df4b997cc135fad24659d678266e13950c43  tidewaiter.custody.verify
ac96181aa7c2263eddf1919ec690a8a6af6cc605b94534ffa57e110d881f164e  tidewaiter.storage.plain_file
2a60fa89370f8e637188f344bcc4b8fd988d779e2dcd084f6b08941e763cbac4  tidewaiter.storage.custody_bundle
"""

from __future__ import annotations

import sys

if sys.version_info < (3, 11):
    sys.stderr.write("Python 3.11 or later is needed; this is " + sys.version.split()[0] + "\n")
    raise SystemExit(3)

import argparse
import base64
import binascii
import errno
import hashlib
import importlib.util
import io
import json
import os
import re
import stat
import struct
import sys
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence, Set as AbstractSet
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache, cached_property
from io import BufferedReader
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any, ClassVar


# == tidewaiter.errors
#
# Every error Tidewaiter raises on purpose.
#
# TidewaiterError                      exit 1   HTTP 500
# ├─ InputError                        exit 2   HTTP 422
# │  ├─ UnsupportedMedia                        HTTP 415
# │  ├─ CorruptMedia
# │  ├─ LimitExceeded                           HTTP 413
# │  ├─ UnknownExhibit                          HTTP 404
# │  └─ UnfitFaces
# ├─ ExaminationError                  exit 3   HTTP 503
# │  ├─ MissingWeights
# │  └─ MissingCalibration
# ├─ IntegrityError                    exit 4   HTTP 409   never retried, never downgraded
# │  ├─ MalformedText
# │  ├─ BadSignature
# │  ├─ UnknownSigner
# │  ├─ BrokenProof
# │  ├─ BrokenSeal
# │  ├─ SecondWriter
# │  ├─ MissingMedium
# │  └─ LogContradicted
# ├─ ExchangeError                     exit 5   HTTP 502
# ├─ StorageError                      exit 6   HTTP 503
# │  └─ UncertainCommit
# ├─ ConfigurationError                exit 7   HTTP 500
# └─ FitRefused                        exit 8   HTTP 409
#
# A message says what was found, what was needed and what to do. A detector that
# declines is a status of its finding, not an error.

class TidewaiterError(Exception):
    """Any failure that Tidewaiter explains to its user in one sentence."""

    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500


class InputError(TidewaiterError):
    """What the user handed in cannot be examined as it is."""

    exit_code = 2
    http_status = 422


class UnsupportedMedia(InputError):
    """The content is of a kind that Tidewaiter does not open."""

    http_status = 415


class CorruptMedia(InputError):
    """The content breaks the rules of its own format."""


class LimitExceeded(InputError):
    """The content is larger, longer or hungrier than the operator allows."""

    http_status = 413


class UnknownExhibit(InputError):
    """There is no exhibit at that path or of that digest."""

    http_status = 404


class UnfitFaces(InputError):
    """The faces given cannot be made into the forgery asked for; others may."""


class ExaminationError(TidewaiterError):
    """An examination could not be carried out on this installation."""

    exit_code = 3
    http_status = 503


class MissingWeights(ExaminationError):
    """A model file is not installed; the message names the command that installs it."""


class MissingCalibration(ExaminationError):
    """No calibration fits this detector's version."""


class IntegrityError(TidewaiterError):
    """Something that must not change has changed."""

    exit_code = 4
    http_status = 409


class MalformedText(IntegrityError):
    """A note, checkpoint, proof, policy or record breaks a rule of its format."""


class BadSignature(IntegrityError):
    """A signature under a known key does not fit what it is said to sign."""


class UnknownSigner(IntegrityError):
    """Nobody whose key is known has signed."""


class BrokenProof(IntegrityError):
    """A Merkle proof does not lead from what was given to the root it must lead to."""


class BrokenSeal(IntegrityError):
    """A sealed medium, or a wrapped key, does not open with the key given."""


class SecondWriter(IntegrityError):
    """Somebody else writes, or wrote, to a log that has one writer."""


class MissingMedium(IntegrityError):
    """Bulk material that was logged is not where it was kept."""


class LogContradicted(IntegrityError):
    """The stored log contradicts itself or its witnesses, so nothing is added to it."""


class ExchangeError(TidewaiterError):
    """A case message could not be read or sent."""

    exit_code = 5
    http_status = 502


class StorageError(TidewaiterError):
    """Records or bulk material could not be written or read back."""

    exit_code = 6
    http_status = 503


class UncertainCommit(StorageError):
    """The store failed in the very moment of committing: only reading again will tell."""


class ConfigurationError(TidewaiterError):
    """A setting is missing, unknown or contradicts another."""

    exit_code = 7


class FitRefused(TidewaiterError):
    """What was fitted to a site is no better than what is in use, so nothing was installed."""

    exit_code = 8
    http_status = 409


# == tidewaiter.custody.exact
#
# Reading foreign text of which exactly one spelling is accepted.
#
# A signature covers bytes, so two spellings of one number would be two documents. Everything here
# works on bytes and regular expressions: `int()` and `splitlines()` accept far more than the
# formats allow (signs, underscores, other digits, other line ends).

LARGEST_NUMBER = 2**63 - 1
"""No size, index or time of these formats is larger (C2SP tlog-cosignature)."""
# As long as 2^63 - 1 is in decimal.
_NUMBER = re.compile(rb"0|[1-9][0-9]{0,18}")
# Newline is the one control character that is allowed.
_CONTROL = re.compile(rb"[\x00-\x09\x0b-\x1f]")
_QUOTED_BYTES = 60


def exact_number(spelled: bytes, what: str) -> int:
    """The decimal number, without sign, leading zero or anything else; at most 2^63 - 1."""
    if not _NUMBER.fullmatch(spelled) or int(spelled) > LARGEST_NUMBER:
        raise MalformedText(
            f"{what} reads {quoted(spelled)}; a decimal number without leading zeros, "
            "at most 2^63 - 1, is needed"
        )
    return int(spelled)


def exact_base64(spelled: bytes, what: str) -> bytes:
    """The bytes spelled in padded standard base64, if encoding them gives the same text again."""
    try:
        decoded = base64.b64decode(spelled, validate=True)
    except binascii.Error as error:
        raise MalformedText(f"{what} reads {quoted(spelled)}; base64 is needed") from error
    if base64.b64encode(decoded) != spelled:
        raise MalformedText(f"{what} reads {quoted(spelled)}: not the canonical base64 spelling")
    return decoded


def exact_hash(spelled: bytes, what: str) -> bytes:
    """The 32 bytes spelled in base64."""
    decoded = exact_base64(spelled, what)
    if len(decoded) != 32:
        raise MalformedText(f"{what} has {len(decoded)} bytes; 32 needed")
    return decoded


def exact_text(data: bytes, what: str) -> str:
    """The text in these bytes: UTF-8, and of all control characters below U+0020 only newline."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise MalformedText(f"{what} is not UTF-8 from byte {error.start} on") from error
    control = _CONTROL.search(data)
    if control:
        raise MalformedText(f"{what} holds the control character 0x{control.group()[0]:02x}")
    return text


def must_be_short(data: bytes, limit: int, what: str) -> None:
    """Refuse what is longer than `limit` bytes before anything reads it."""
    if len(data) > limit:
        raise MalformedText(f"{what} has {len(data)} bytes; {limit} are read at most")


def changed_line_ends(data: bytes) -> str:
    """What to add to a complaint about a text that a mail program or an editor went through."""
    if b"\r\n" not in data:
        return ""
    return "; its line ends were changed to those of Windows: get the file again, unopened"


def spelled_base64(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode("ascii")


def quoted(spelled: bytes) -> str:
    """Foreign bytes as they can be shown in a message: short, and ASCII only."""
    shown = ascii(spelled[:_QUOTED_BYTES])[1:]
    return shown if len(spelled) <= _QUOTED_BYTES else f"{shown}…"


# == tidewaiter.custody.weak_keys
#
# Ed25519 public keys under which anybody can sign anything.
#
# Eight points of the curve are of small order. For each of them whole families of messages have
# signatures that nobody needed a secret for, and for the neutral one every message has. RFC 8032
# does not ask a verifier to refuse them, and OpenSSL and Go do not: whoever enrols such a key could
# later say that somebody else signed.

_PRIME = 2**255 - 19
# The vertical coordinate of the points of order 8; the other sign is its negative.
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
# Both spellings of a number that has two below 2^255 are here.
_SMALL_ORDER = frozenset({
    0, 1, _PRIME - 1, _PRIME, _PRIME + 1, _ORDER_8, _PRIME - _ORDER_8,
})  # fmt: skip
_ALL_BUT_SIGN = (1 << 255) - 1


def is_weak_key(public: bytes) -> bool:
    """Whether an Ed25519 public key, 32 bytes, is of small order: it binds nobody."""
    return int.from_bytes(public, "little") & _ALL_BUT_SIGN in _SMALL_ORDER


# == tidewaiter.custody.keys
#
# Keys that sign the log's checkpoints, and the keys by which others check them.
#
# Spelled as C2SP signed-note spells them: `name+hex(key ID)+base64(type ‖ public key)`. The key ID
# is the beginning of SHA-256(name ‖ newline ‖ type ‖ public key). A name and an ID together
# identify a key; an ID alone can be forged and identifies nothing.

# Signature types of C2SP signed-note and tlog-cosignature.
ED25519_NOTE = 0x01
ED25519_COSIGNATURE = 0x04
MLDSA44_COSIGNATURE = 0x06
PUBLIC_KEY_BYTES = {ED25519_NOTE: 32, ED25519_COSIGNATURE: 32, MLDSA44_COSIGNATURE: 1312}
"""Length of the public key of each signature type that is understood."""
SEED_BYTES = 32
"""Length of the secret seed of every key."""
KEY_ID_BYTES = 4
# What the tools of the Go checksum database write before a secret key.
_SECRET_MARK = b"PRIVATE+KEY+"
_KEY_ID = re.compile(rb"[0-9a-f]{8}")
# The name, the ID, and the longest key (ML-DSA-44) in base64, with room to spare.
_LONGEST_KEY_TEXT = 4096


@dataclass(frozen=True)
class VerifierKey:
    """A public key under a name, for one type of signature."""

    name: str
    algorithm: int
    public: bytes

    def __post_init__(self) -> None:
        needed = _public_length(self.name, self.algorithm)
        if len(self.public) != needed:
            raise MalformedText(
                f"key {self.name}: a public key of {len(self.public)} bytes; {needed} needed"
            )
        if self.algorithm != MLDSA44_COSIGNATURE and is_weak_key(self.public):
            raise MalformedText(f"key {self.name}: anybody can sign for it; a proper key is needed")

    @cached_property
    def key_id(self) -> bytes:
        """The four bytes that, with the name, identify this key in a signature line."""
        return key_id(self.name, self.algorithm, self.public)

    @classmethod
    def parse(cls, spelled: bytes | str) -> VerifierKey:
        """The key that is spelled out here. Raises MalformedText."""
        name, stated_id, algorithm, public = _key_fields(_as_bytes(spelled), "verifier key")
        key = cls(name, algorithm, public)
        if key.key_id != stated_id:
            raise MalformedText(
                f"key {name}: states the ID {stated_id.hex()}, but its ID is {key.key_id.hex()}: "
                "name, type or key was altered"
            )
        return key

    def __str__(self) -> str:
        encoded = spelled_base64(bytes([self.algorithm]) + self.public)
        return f"{self.name}+{self.key_id.hex()}+{encoded}"

    def verify(self, message: bytes, signature: bytes) -> None:
        """Accept the signature over exactly these bytes, or raise BadSignature."""
        from cryptography.exceptions import InvalidSignature

        try:
            _public_key(self.algorithm, self.public).verify(signature, message)
        except InvalidSignature as error:
            raise BadSignature(
                f"the signature of {self.name} does not fit what is signed"
            ) from error
        except ValueError as error:
            raise MalformedText(f"the key of {self.name} is no point of its curve") from error


@dataclass(frozen=True)
class SigningKey:
    """A secret key under a name, for one type of signature; never printed by accident."""

    name: str
    algorithm: int
    seed: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.seed) != SEED_BYTES:
            raise MalformedText(f"key {self.name}: a seed of {len(self.seed)} bytes; 32 needed")
        _public_length(self.name, self.algorithm)

    @cached_property
    def verifier(self) -> VerifierKey:
        """The public key that belongs to this one."""
        public = self._loaded.public_key().public_bytes_raw()
        return VerifierKey(self.name, self.algorithm, public)

    @classmethod
    def parse(cls, spelled: bytes | str) -> SigningKey:
        """The secret key that `secret_text` wrote. Raises MalformedText; quotes nothing secret."""
        data = _as_bytes(spelled)
        if not data.startswith(_SECRET_MARK):
            raise MalformedText("a secret key begins with PRIVATE+KEY+; this text does not")
        try:
            fields = _key_fields(data[len(_SECRET_MARK) :], "secret key")
        except MalformedText:
            raise MalformedText("the secret key is damaged: name, ID or base64 is wrong") from None
        name, stated_id, algorithm, seed = fields
        key = cls(name, algorithm, seed)
        if key.verifier.key_id != stated_id:
            raise MalformedText(f"the secret key of {name} does not belong to the ID it states")
        return key

    def secret_text(self) -> str:
        """The key as text, to be kept where only its owner reads."""
        encoded = spelled_base64(bytes([self.algorithm]) + self.seed)
        return f"{_SECRET_MARK.decode()}{self.name}+{self.verifier.key_id.hex()}+{encoded}"

    def sign(self, message: bytes) -> bytes:
        """The bare signature over these bytes."""
        signature: bytes = self._loaded.sign(message)
        return signature

    @cached_property
    def _loaded(self) -> Any:
        # Deriving the public key takes as long as a signature, and every loading does it.
        return _secret_key(self.algorithm, self.seed)


def key_id(name: str, algorithm: int, public: bytes) -> bytes:
    """First four bytes of SHA-256(name ‖ newline ‖ type ‖ public key)."""
    data = name.encode("utf-8") + b"\n" + bytes([algorithm]) + public
    return hashlib.sha256(data).digest()[:KEY_ID_BYTES]


def must_be_key_name(name: str) -> None:
    """Refuse a name that is empty or holds a space of any script, a plus or a control character."""
    if not name or "+" in name or any(mark.isspace() or ord(mark) < 0x20 for mark in name):
        raise MalformedText(
            f"{quoted(name.encode('utf-8', 'replace'))} is no key name: it must not be empty, "
            "and must hold neither spaces nor '+'"
        )


def _public_length(name: str, algorithm: int) -> int:
    """The length of a public key of this type, whose name is in order too."""
    must_be_key_name(name)
    length = PUBLIC_KEY_BYTES.get(algorithm)
    if length is None:
        raise MalformedText(
            f"key {name}: signature type 0x{algorithm:02x} is not understood; "
            "0x01, 0x04 and 0x06 are"
        )
    return length


def _as_bytes(spelled: bytes | str) -> bytes:
    return spelled.encode("utf-8", "replace") if isinstance(spelled, str) else spelled


def _key_fields(data: bytes, what: str) -> tuple[str, bytes, int, bytes]:
    """Name, stated ID, type and key material; base64 has its own "+", so only two are split at."""
    must_be_short(data, _LONGEST_KEY_TEXT, what)
    parts = data.split(b"+", 2)
    if len(parts) != 3 or not _KEY_ID.fullmatch(parts[1]):
        raise MalformedText(f"{quoted(data)} is no {what}: name+8 hex digits+base64 is needed")
    material = exact_base64(parts[2], f"the {what}")
    if not material:
        raise MalformedText(f"{quoted(data)} is no {what}: it holds no key")
    name = exact_text(parts[0], f"the name of the {what}")
    return name, bytes.fromhex(parts[1].decode("ascii")), material[0], material[1:]


def _public_key(algorithm: int, public: bytes) -> Any:
    if algorithm == MLDSA44_COSIGNATURE:
        return _mldsa().MLDSA44PublicKey.from_public_bytes(public)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    return Ed25519PublicKey.from_public_bytes(public)


def _secret_key(algorithm: int, seed: bytes) -> Any:
    if algorithm == MLDSA44_COSIGNATURE:
        return _mldsa().MLDSA44PrivateKey.from_seed_bytes(seed)
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Ed25519PrivateKey.from_private_bytes(seed)


def _mldsa() -> Any:
    """Older installations, such as a court's laptop, check Ed25519 without having ML-DSA."""
    try:
        from cryptography.hazmat.primitives.asymmetric import mldsa
    except ImportError as error:
        raise ConfigurationError(
            "this key is of the type ML-DSA-44, which the installed package cryptography does "
            "not know: install a newer one"
        ) from error
    return mldsa


# == tidewaiter.custody.note
#
# Signed notes: text with signature lines under it, exactly as C2SP signed-note has them.

DASH = "—"
"""A signature line begins with U+2014 and one space."""
LARGEST_NOTE_BYTES = 1 << 20
MOST_SIGNATURES = 100
"""C2SP asks for at least 16; more than 100 are refused before any is checked."""


@dataclass(frozen=True)
class NoteSignature:
    """One signature line: whose it says it is, and the bytes after the key ID."""

    name: str
    key_id: bytes
    content: bytes

    @property
    def line(self) -> str:
        """The line as it stands in a note, with its newline."""
        return f"{DASH} {self.name} {spelled_base64(self.key_id + self.content)}\n"

    def is_by(self, key: VerifierKey) -> bool:
        """Whether name *and* ID are those of this key."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True)
class Note:
    """A text, which ends with a newline, and the signature lines under it, unchecked."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Note:
        """Take a note apart; nothing in it is believed yet. Raises MalformedText."""
        must_be_short(data, LARGEST_NOTE_BYTES, "the note")
        exact_text(data, "the note")
        # The text may hold blank lines; the last one parts it from the signatures.
        text, blank, lines = data.rpartition(b"\n\n")
        if not blank:
            raise MalformedText("the note has no text and blank line above its signatures")
        return cls(text.decode("utf-8") + "\n", parse_signature_lines(lines))

    @property
    def encoded(self) -> bytes:
        """The note as bytes; parsing them gives this note again."""
        lines = "".join(signature.line for signature in self.signatures)
        return f"{self.text}\n{lines}".encode()

    def with_signatures(self, added: Iterable[NoteSignature]) -> Note:
        """The same note with further lines at its end."""
        return Note(self.text, (*self.signatures, *added))


def parse_signature_lines(data: bytes) -> tuple[NoteSignature, ...]:
    """One or more signature lines, each with its newline. Raises MalformedText."""
    lines = data.split(b"\n")
    if len(lines) < 2 or lines.pop() != b"":
        raise MalformedText("the note does not end with a signature line and a newline")
    if len(lines) > MOST_SIGNATURES:
        raise MalformedText(f"{len(lines)} signature lines; {MOST_SIGNATURES} are read at most")
    return tuple(_signature(line) for line in lines)


def sign_note(text: str, *keys: SigningKey) -> Note:
    """Sign a text, which must end with a newline, with Ed25519 keys of the type 0x01."""
    if not text.endswith("\n"):
        raise MalformedText("the text of a note ends with a newline; this one does not")
    data = text.encode("utf-8")
    exact_text(data, "the text of the note")
    return Note(text, tuple(_signed(data, key) for key in keys))


def open_note(note: Note, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
    """The known keys of type 0x01 that signed this note; at least one, or an error.

    Lines of unknown keys are ignored. Raises BadSignature when a line of a known key does not
    fit, whatever else is on the note, and UnknownSigner when no known key signed.
    """
    known = [key for key in keys if key.algorithm == ED25519_NOTE]
    signers: list[VerifierKey] = []
    for signature in note.signatures:
        for key in known:
            if signature.is_by(key):
                key.verify(note.text.encode("utf-8"), signature.content)
                signers.append(key)
    if not signers:
        wanted = ", ".join(sorted({key.name for key in known})) or "any key"
        raise UnknownSigner(f"no signature of {wanted} under the note; one is needed")
    return signers


def _signature(line: bytes) -> NoteSignature:
    parts = line.split(b" ")
    if len(parts) != 3 or parts[0] != DASH.encode("utf-8"):
        raise MalformedText(f"{quoted(line)} is no signature line: “— name base64” is needed")
    name = exact_text(parts[1], "the name in a signature line")
    must_be_key_name(name)
    content = exact_base64(parts[2], f"the signature of {name}")
    if len(content) <= KEY_ID_BYTES:
        raise MalformedText(f"the signature of {name} has {len(content)} bytes: too few")
    return NoteSignature(name, content[:KEY_ID_BYTES], content[KEY_ID_BYTES:])


def _signed(data: bytes, key: SigningKey) -> NoteSignature:
    if key.algorithm != ED25519_NOTE:
        raise MalformedText(f"the key {key.name} signs checkpoints as a witness, not notes")
    return NoteSignature(key.name, key.verifier.key_id, key.sign(data))


# == tidewaiter.custody.proof
#
# Proof files: everything by which one entry is checked without network (C2SP tlog-proof).
#
# The leaf's own bytes ride along as `extra`, so that one file suffices. Nothing authenticates
# `extra`; hashing it and following the path to a witnessed root does.

PROOF_SUFFIX = ".tlog-proof"
"""What a proof file's name ends with."""
FIRST_LINE = b"c2sp.org/tlog-proof@v1"
LONGEST_PATH = 63
"""No tree of at most 2^63 leaves needs more hashes."""
# The note, the longest leaf in base64, and the path.
_LARGEST_PROOF_BYTES = LARGEST_NOTE_BYTES + (1 << 18)


@dataclass(frozen=True)
class ProofFile:
    """An entry's index, its path to the root, and the signed checkpoint, verbatim."""

    index: int
    path: tuple[bytes, ...]
    checkpoint_note: bytes
    extra: bytes | None = None

    @classmethod
    def parse(cls, data: bytes) -> ProofFile:
        """Take a proof file apart; nothing in it is believed yet. Raises MalformedText."""
        must_be_short(data, _LARGEST_PROOF_BYTES, "the proof file")
        head, blank, note = data.partition(b"\n\n")
        if not blank:
            raise MalformedText(
                f"the proof file has no blank line above its checkpoint{changed_line_ends(data)}"
            )
        first, *lines = head.split(b"\n")
        if first != FIRST_LINE:
            raise MalformedText(
                f"the proof file begins with {quoted(first)}; c2sp.org/tlog-proof@v1 is needed"
            )
        extra = None
        if lines and lines[0].startswith(b"extra "):
            extra = exact_base64(lines.pop(0)[6:], "the extra data of the proof file")
        if not lines or not lines[0].startswith(b"index "):
            raise MalformedText("the proof file names no index")
        index = exact_number(lines.pop(0)[6:], "the index of the proof file")
        if len(lines) > LONGEST_PATH:
            raise MalformedText(f"a path of {len(lines)} hashes; {LONGEST_PATH} are the most")
        path = tuple(exact_hash(line, "a hash of the path") for line in lines)
        return cls(index, path, note, extra)

    @property
    def encoded(self) -> bytes:
        """The proof file as bytes; parsing them gives this proof again."""
        lines = [FIRST_LINE.decode("ascii")]
        if self.extra is not None:
            lines.append(f"extra {spelled_base64(self.extra)}")
        lines.append(f"index {self.index}")
        lines += [spelled_base64(sibling) for sibling in self.path]
        return "\n".join(lines).encode("ascii") + b"\n\n" + self.checkpoint_note


# == tidewaiter.custody.discrepancy
#
# What an audit or a verifier found wrong, by name, with its place in the log.

NAMES = {
    "record-edited": "a record's bytes are not those that were logged",
    "media-edited": "a medium's bytes are not those that were logged",
    "record-deleted": "a record that was logged is gone",
    "backdated-insert": "a record stands where none stood when that part was confirmed",
    "reordered": "records stand in another order than they were logged in",
    "tail-truncated": "the end of the log was cut off",
    "database-rolled-back": "the database is an older state of itself",
    "store-rolled-back": "database and media are an older state of themselves",
    "split-view": "two checkpoints signed by the log contradict each other",
    "history-rewritten": "the log is not the one that the witnesses confirmed",
    "media-swapped": "a medium stands under the digest of another",
    "media-missing": "a medium that was logged and not erased is gone",
    "device-reattributed": "a record names a device that did not sign it",
    "segment-replayed": "a segment was logged before under another number",
    "revoked-key-used": "a record is signed by a key that was no longer valid",
    "device-clock-off": "a device's clock is further off than the policy allows",
    "sequence-gap": "numbers are missing from a device's sequence",
    "device-fork": "a device used one number for two records",
    "unexplained-silence": "a device was silent for longer than allowed, without a signed stop",
    "expected-recording-missing": "a recording that was due was not made",
    "early-erasure": "a recording was erased before its date without two approvals",
    "approval-missing": "an action lacks two approvals by different persons",
    "redaction-not-faithful": "a redacted copy differs from its source outside the mask",
    "chain-broken": "a record does not follow the one before it in its device's chain",
    "level-overstated": "a record claims to have been signed earlier on its way than it was",
    "unknown-key": "no entry of the log enrols the key that signed a record",
    "approval-reused": "approvals given for one action stand under another entry too",
    "erased-under-hold": "a recording was erased while a hold on it was in force",
    "entry-without-effect": "an entry contradicts the ones before it and takes no effect",
    "bad-signature": "a record's signature does not fit the key it names",
    "record-malformed": "a leaf does not parse as a record",
    "checkpoint-invalid": "a stored checkpoint does not fit the log or its key",
    "witness-set-back": "a witness remembers less than it confirmed before",
    "witness-unreachable": "a witness did not say what it last confirmed",
}
"""Every name a discrepancy may have, with what it means in one line."""


@dataclass(frozen=True)
class Discrepancy:
    """One thing that is not as it was logged or as the policy asks.

    `first` to `last` are leaf indices, both included; None where it has no place in the log.
    `since_ms` is the last moment, in POSIX milliseconds, at which it was certainly still right,
    `until_ms` the first at which it certainly was again; None where nothing bounds it.
    """

    name: str
    text: str
    first: int | None = None
    last: int | None = None
    devices: tuple[str, ...] = ()
    since_ms: int | None = None
    until_ms: int | None = None

    def __post_init__(self) -> None:
        if self.name not in NAMES:
            raise ValueError(f"{self.name!r} is no name of a discrepancy")


# == tidewaiter.custody.findings_french
#
# What the judge of a log finds, in French; the notation is that of `verdict_french`.

FRENCH_FINDINGS = {
    # Where, and since when.
    "<text> after {at@} before {to@}": "<text>, après le {at@} et avant le {to@}",
    "<text> after {at@}": "<text>, après le {at@}",
    "<text> before {at@}": "<text>, avant le {at@}",
    "entry {n#}: <text>": "entrée {n#} : <text>",
    "entry {n#}, {kind}: <text>": "entrée {n#}, {kind} : <text>",
    "entry {n#} of {who} <text>": "l'entrée {n#} de {who} <text>",
    "entry {n#} of {who}: <text>": "l'entrée {n#} de {who} : <text>",
    # Signatures.
    "the signature is not by key {k#} of {who}": (
        "la signature n'est pas celle de la clé {k#} de {who}"
    ),
    "the signature is not by the founder {who}": "la signature n'est pas celle du fondateur {who}",
    "entry 0 was signed by {who}, who is not among the founders": (
        "l'entrée 0 a été signée par {who}, qui n'est pas parmi les fondateurs"
    ),
    "was signed by {who}, not by {other}": "a été signée par {who}, et non par {other}",
    "was signed by {who}, but {other} has a key of its own": (
        "a été signée par {who}, alors que {other} a sa propre clé"
    ),
    "was signed by {who}, which is a <kind> and no dock": (
        "a été signée par {who} (<kind>), qui n'est pas une station d'accueil"
    ),
    "cannot be attributed: <problem>": "ne peut être attribuée : <problem>",
    "does not count: <problem>": "ne compte pas : <problem>",
    "entry {n#} claims the level {level}, but {who}, which signed it, is a <kind>": (
        "l'entrée {n#} affirme le niveau {level}, mais {who}, qui l'a signée, est : <kind>"
    ),
    "claims a time {s#} s after witnesses had confirmed it": (
        "affirme une heure postérieure de {s#} s à sa confirmation par les témoins"
    ),
    "the clock of {who} was off by {s#} s when it was docked": (
        "l'horloge de {who} était décalée de {s#} s lors du dépôt à la station"
    ),
    # Keys.
    "no entry before {n#} enrols key {k#} of {who}": (
        "aucune entrée avant {n#} n'inscrit la clé {k#} de {who}"
    ),
    "key {k#} of {who} was revoked by entry {n#}": (
        "la clé {k#} de {who} a été révoquée par l'entrée {n#}"
    ),
    "key {k#} of {who} was replaced by entry {n#}": (
        "la clé {k#} de {who} a été remplacée par l'entrée {n#}"
    ),
    "entry {n#} names founders; only entry 0 may": (
        "l'entrée {n#} nomme des fondateurs ; seule l'entrée 0 le peut"
    ),
    "the founding entry names a founder, or a key, twice": (
        "l'entrée fondatrice nomme deux fois un fondateur ou une clé"
    ),
    "the founding entry names a key for which anybody can sign": (
        "l'entrée fondatrice nomme une clé pour laquelle n'importe qui peut signer"
    ),
    "anybody can sign for the key that entry {n#} gives {who}": (
        "n'importe qui peut signer pour la clé que l'entrée {n#} donne à {who}"
    ),
    "the key that entry {n#} gives {who} is already that of {other}": (
        "la clé que l'entrée {n#} donne à {who} est déjà celle de {other}"
    ),
    "entry {n#} enrols key {k#} of {who}, which has key {m#}": (
        "l'entrée {n#} inscrit la clé {k#} de {who}, qui a déjà la clé {m#}"
    ),
    "entry {n#} makes {who} another <kind> than it was before": (
        "l'entrée {n#} fait de {who} autre chose que ce qu'il était (<kind>)"
    ),
    "entry {n#}, a record of {other}, rotates a key of {who}": (
        "l'entrée {n#}, dans la chaîne de {other}, remplace une clé de {who}"
    ),
    "entry {n#} rotates key {k#} of {who} to another epoch than the next": (
        "l'entrée {n#} remplace la clé {k#} de {who} par une autre que la suivante"
    ),
    "entry {n#} revokes the keys of {who} without being a person's": (
        "l'entrée {n#} révoque les clés de {who} sans être celle d'une personne"
    ),
    "entry {n#} revokes the keys of {who}, which has none": (
        "l'entrée {n#} révoque les clés de {who}, qui n'en a pas"
    ),
    # Approvals.
    "approved by <who,>; two people of different roles needed": (
        "approuvé par <who,> ; il faut deux personnes de rôles différents"
    ),
    "approved by <who,>; two people of different roles needed (<why;>)": (
        "approuvé par <who,> ; il faut deux personnes de rôles différents (<why;>)"
    ),
    "the founding entry is signed by fewer than two of the people it names": (
        "l'entrée fondatrice est signée par moins de deux des personnes qu'elle nomme"
    ),
    "all founders have one role; two roles needed": (
        "tous les fondateurs ont un seul rôle ; il en faut deux"
    ),
    "the founding entry is not signed by {names*}": (
        "l'entrée fondatrice n'est pas signée par {names*}"
    ),
    "{who} is a <kind>, not a person": "{who} n'est pas une personne (<kind>)",
    "{who} has the role {role}, which approves nothing": (
        "{who} a le rôle {role}, qui n'approuve rien"
    ),
    "{who} is who asked for it": "{who} est l'auteur de la demande",
    "the signature of {who} is not over this action": (
        "la signature de {who} ne porte pas sur cette action"
    ),
    "all who approved have the role {role}": "tous les approbateurs ont le rôle {role}",
    "{who} approved twice": "{who} a approuvé deux fois",
    "entry {n#} uses the approvals given for entry {m#} again": (
        "l'entrée {n#} réutilise les approbations données pour l'entrée {m#}"
    ),
    # Chains of devices, and what is missing in them.
    "is the medium of entry {m#} again": "est de nouveau le contenu de l'entrée {m#}",
    "the clock of {who} went <way> by {s#} s between numbers {a#} and {b#}": (
        "l'horloge de {who} est allée <way> de {s#} s entre les numéros {a#} et {b#}"
    ),
    "number {n#} of {who} is logged again by entry {m#}": (
        "le numéro {n#} de {who} est consigné de nouveau par l'entrée {m#}"
    ),
    "number {n#} of {who} is used for a second record with other content by entry {m#}": (
        "le numéro {n#} de {who} est utilisé par l'entrée {m#} pour un second contenu"
    ),
    "number {n#} of {who} (entry {m#}) does not name number {a#} as logged (entry {b#})": (
        "le numéro {n#} de {who} (entrée {m#}) ne désigne pas le numéro {a#} tel que consigné "
        "(entrée {b#})"
    ),
    "number {n#} of {who} (entry {m#}) is its first and yet names one before it": (
        "le numéro {n#} de {who} (entrée {m#}) est son premier et en désigne pourtant un précédent"
    ),
    "the file numbers of camera {who} jump from {a#} to {b#}: files {c#} to {d#} were not docked": (
        "les numéros de fichier de la caméra {who} sautent de {a#} à {b#} : les fichiers {c#} à "
        "{d#} n'ont pas été déposés"
    ),
    "the file numbers of camera {who} jump from {a#} to {b#}: file {c#} was not docked": (
        "les numéros de fichier de la caméra {who} sautent de {a#} à {b#} : le fichier {c#} n'a "
        "pas été déposé"
    ),
    "number {n#} is missing from the records of {who}": (
        "le numéro {n#} manque parmi les entrées de {who}"
    ),
    "numbers {a#} to {b#} are missing from the records of {who}": (
        "les numéros {a#} à {b#} manquent parmi les entrées de {who}"
    ),
    "{who} was to record {what}; {s#} s are missing": (
        "{who} devait enregistrer {what} ; il manque {s#} s"
    ),
    "the unit {who} was to record {what}; {s#} s are missing": (
        "l'unité {who} devait enregistrer {what} ; il manque {s#} s"
    ),
    "{who} has not been heard from since, and signed no stop": (
        "{who} n'a plus donné signe depuis, et n'a signé aucun arrêt"
    ),
    "{who} was silent for {s#} s, and signed no stop before": (
        "{who} est resté muet {s#} s, sans avoir signé d'arrêt auparavant"
    ),
    # How long recordings are kept.
    "entry {n#} erases {recording}, which no entry before it brought in": (
        "l'entrée {n#} efface {recording}, qu'aucune entrée antérieure n'a fait entrer"
    ),
    "entry {n#} erases {recording} while a hold on it is in force": (
        "l'entrée {n#} efface {recording} alors qu'un gel le protège"
    ),
    "entry {n#} erases {recording} {d#} days before its date; <lacking>": (
        "l'entrée {n#} efface {recording} {d#} jours avant son terme ; <lacking>"
    ),
    "no entry before it brings in {recording}": (
        "aucune entrée antérieure ne fait entrer {recording}"
    ),
}
"""English sentences of the judge, and the parts that they are put together from."""


# == tidewaiter.custody.verdict
#
# What a verifier concludes, in words: what is proven, by whom, when; and what is not.

class Conclusion(StrEnum):
    """The four ends that a verification can have."""

    PROVEN = "proven"
    CONTRADICTED = "contradicted"
    CANNOT_TELL = "cannot-tell"
    NOT_A_BUNDLE = "not-a-bundle"


EXIT_CODES = {
    Conclusion.PROVEN: 0,
    Conclusion.NOT_A_BUNDLE: 2,
    Conclusion.CANNOT_TELL: 3,
    Conclusion.CONTRADICTED: 4,
}
"""What the program ends with; 4 also where a part of the bundle does not parse."""

_HEADLINES = {
    Conclusion.PROVEN: "PROVEN: what is listed first holds, and nothing handed in contradicts it.",
    Conclusion.NOT_A_BUNDLE: "NOT A BUNDLE: there is nothing here that could be verified.",
    Conclusion.CANNOT_TELL: "CANNOT TELL: something that is needed for a proof is missing.",
    Conclusion.CONTRADICTED: "CONTRADICTED: something here is not what was logged.",
}
_LONGEST_SHOWN = 200
# Beyond what a verdict has to say; a foreign word in it may be as long as a note.
_LONGEST_SENTENCE = 2000
_LARGEST_TIME_MS = 253_402_300_799_999  # the end of the year 9999


@dataclass(frozen=True)
class Verdict:
    """The conclusion of a verification and the sentences it rests on."""

    conclusion: Conclusion
    proven: tuple[str, ...] = ()
    not_proven: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    contradictions: tuple[Discrepancy, ...] = ()

    @property
    def exit_code(self) -> int:
        """0 proven, 4 contradicted or unreadable, 3 cannot tell, 2 not a bundle."""
        return EXIT_CODES[self.conclusion]

    def words(self) -> str:
        """The verdict as plain text, for a screen or a file."""
        contradictions = tuple(f"{one.name}: {one.text}" for one in self.contradictions)
        parts = (
            ("Contradicted", contradictions),
            ("Proven", self.proven),
            ("Missing", self.missing),
            ("Not proven", self.not_proven),
        )
        lines = [_HEADLINES[self.conclusion]]
        for title, sentences in parts:
            if sentences:
                lines += ["", title, *(f"  - {sentence}" for sentence in sentences)]
        return "\n".join(lines) + "\n"


@dataclass
class Notebook:
    """Sentences gathered while verifying; each only once."""

    proven: list[str] = field(default_factory=list)
    not_proven: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    contradictions: list[Discrepancy] = field(default_factory=list)

    def contradict(self, name: str, text: str, index: int | None = None) -> None:
        """Note that something is not what was logged."""
        self.contradictions.append(Discrepancy(name, text, index, index))

    def verdict(self) -> Verdict:
        """What follows: a contradiction beats a gap, and a gap beats a proof."""
        conclusion = Conclusion.PROVEN
        if self.missing or not self.proven:
            conclusion = Conclusion.CANNOT_TELL
        if self.contradictions:
            conclusion = Conclusion.CONTRADICTED
        return Verdict(
            conclusion,
            _on_one_line(self.proven),
            _on_one_line(self.not_proven),
            _on_one_line(self.missing),
            tuple(
                replace(one, text=one_line(one.text)) for one in dict.fromkeys(self.contradictions)
            ),
        )


def shown_time(time_ms: int) -> str:
    """POSIX milliseconds as a date and time in UTC; the bare number beyond the calendar."""
    if not 0 <= time_ms <= _LARGEST_TIME_MS:
        return f"{time_ms} ms after 1970"
    return datetime.fromtimestamp(time_ms // 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def shown_text(text: str) -> str:
    """A foreign text as it may be printed: no control characters, not too long."""
    return one_line(text, _LONGEST_SHOWN)


def one_line(text: str, longest: int = _LONGEST_SENTENCE) -> str:
    """A sentence that may hold foreign words: nothing in it ends a line or turns its direction."""
    clean = "".join(letter if letter.isprintable() else "?" for letter in text[:longest])
    return clean if len(text) <= longest else f"{clean}…"


def _on_one_line(sentences: Sequence[str]) -> tuple[str, ...]:
    return tuple(one_line(sentence) for sentence in dict.fromkeys(sentences))


# == tidewaiter.custody.verdict_french
#
# What a verifier says, in French: every English sentence of a verdict with its translation.
#
# `{x}` stands for one word, `{x*}` for any text, `{x#}` for a number, `{x@}` for a time; they are
# carried over as they are. `<x>` stands for a part that is translated in its turn, `<x,>` and
# `<x;>` for a list of such parts. Names of findings stay English: the documents explain them.

FRENCH_HEADLINES = {
    "proven": "PROUVÉ : ce qui est listé en premier est établi, et rien de ce qui a été remis ne "
    "le contredit.",
    "not-a-bundle": "PAS UN DOSSIER : il n'y a rien ici qui puisse être vérifié.",
    "cannot-tell": "INDÉCIDABLE : il manque quelque chose de nécessaire à une preuve.",
    "contradicted": "CONTREDIT : quelque chose ici n'est pas ce qui a été consigné.",
}
"""The first line of a verdict by its conclusion."""

FRENCH_TITLES = {
    "Contradicted": "Contredit",
    "Proven": "Prouvé",
    "Missing": "Manquant",
    "Not proven": "Non prouvé",
}

FRENCH_WORDS = {
    "device": "appareil",
    "dock": "station d'accueil",
    "service": "service",
    "person": "personne",
    "nobody": "personne",
    "no witness": "aucun témoin",
    "forward": "en avant",
    "back": "en arrière",
    "report": "le rapport",
    "exhibit": "la pièce",
    "examination": "l'examen",
    "decision": "la décision",
    "is": "figure",
    "are": "figurent",
    ", still sealed": ", encore scellé",
}
"""Single words that sentences are put together from."""

FRENCH_SENTENCES = {
    # What was confirmed, and by whom.
    "the log of {n#} entries existed no later than {at@}, confirmed by <who,> (<needed> needed)": (
        "le registre de {n#} entrées existait au plus tard le {at@}, confirmé par <who,> "
        "(il faut : <needed>)"
    ),
    "the log of {n#} entries is confirmed by <who,>; the policy asks for <needed>": (
        "le registre de {n#} entrées est confirmé par <who,> ; la politique exige : <needed>"
    ),
    "{name} on {at@}": "{name} le {at@}",
    "{n#} of {names*}": "{n#} parmi {names*}",
    "that anybody independent had to confirm anything: the policy asks for no witness, and whoever "
    "holds the log's key could have written another history": (
        "que quiconque d'indépendant ait dû confirmer quoi que ce soit : la politique n'exige "
        "aucun témoin, et le détenteur de la clé du registre aurait pu écrire une autre histoire"
    ),
    "the bundle holds all of <where>: none is left out": (
        "le dossier contient tout <where> : aucune entrée n'est omise"
    ),
    "<shown> of the bundle <are> in <where>, unaltered": (
        "<shown> du dossier <are> sans altération dans <where>"
    ),
    "the log {origin} of {n#} entries": "le registre {origin} de {n#} entrées",
    "entry {n#}": "l'entrée {n#}",
    "entries {n*}": "les entrées {n*}",
    "{n#} entries between {a#} and {b#}": "{n#} entrées entre {a#} et {b#}",
    "entry {n#} ({kind} {recording}) was signed by key {k#} of {who}, enrolled by entry {m#}; it "
    "claims the time {at@}": (
        "l'entrée {n#} ({kind} {recording}) a été signée par la clé {k#} de {who}, inscrite par "
        "l'entrée {m#} ; elle se dit du {at@}"
    ),
    "{who} signed a stop ({reason}) on {at@}": "{who} a signé un arrêt ({reason}) le {at@}",
    "numbers {a#} to {b#} of {who} are all there, from {at@} to {to@} by its clock": (
        "les numéros {a#} à {b#} de {who} sont tous présents, du {at@} au {to@} selon son horloge"
    ),
    "{recording} was erased by entry {n#}, approved by {who*}: {basis*}": (
        "{recording} a été effacé par l'entrée {n#}, approuvée par {who*} : {basis*}"
    ),
    "{recording} was erased by entry {n#}; who approved that is not proven: {basis*}": (
        "{recording} a été effacé par l'entrée {n#} ; qui l'a approuvé n'est pas prouvé : {basis*}"
    ),
    # Files and openings.
    "{name*} is, byte for byte, the recording {recording} of {who} logged as entry {n#}<sealed>": (
        "{name*} est, octet pour octet, l'enregistrement {recording} de {who} consigné par "
        "l'entrée {n#}<sealed>"
    ),
    "{name*} is, byte for byte, the <field> of the <kind> logged as entry {n#}": (
        "{name*} est, octet pour octet, <field> désigné par <kind> de l'entrée {n#}"
    ),
    "{name*} is the manifest of {recording} logged as entry {n#}<sealed>": (
        "{name*} est le manifeste de {recording} consigné par l'entrée {n#}<sealed>"
    ),
    "{name*} is, byte for byte, the redacted copy {result} logged as entry {n#}<sealed>: made from "
    "{recording}, and not the original": (
        "{name*} est, octet pour octet, la copie caviardée {result} consignée par l'entrée "
        "{n#}<sealed> : faite à partir de {recording}, et non l'original"
    ),
    "{field} of entry {n#} is: {value*}": "{field} de l'entrée {n#} : {value*}",
    "the opening of {field} does not fit what entry {n#} committed to": (
        "l'ouverture de {field} ne correspond pas à l'engagement de l'entrée {n#}"
    ),
    "the entry that the opening of {field} belongs to": (
        "l'entrée à laquelle appartient l'ouverture de {field}"
    ),
    "the entry with which {name*} could be compared": (
        "l'entrée à laquelle {name*} pourrait être comparé"
    ),
    "{name*} ({n#} bytes, SHA-256 {digest}) is not <names,> as logged": (
        "{name*} ({n#} octets, SHA-256 {digest}) n'est pas ce qui a été consigné : <names,>"
    ),
    "the exhibit or report of entry {n#}": "la pièce ou le rapport de l'entrée {n#}",
    "{name*} is not the sealed file of any entry here; whether it is the plain recording takes the "
    "salt of {names*}, which was not handed in or was destroyed": (
        "{name*} n'est le fichier scellé d'aucune entrée présente ; pour savoir si c'est "
        "l'enregistrement en clair, il faut le sel de {names*}, qui n'a pas été remis ou a été "
        "détruit"
    ),
    "the content of {recording} (entry {n#}): no file that fits it was handed in, only its entry "
    "was checked": (
        "le contenu de {recording} (entrée {n#}) : aucun fichier correspondant n'a été remis, "
        "seule l'entrée a été vérifiée"
    ),
    "what signatures inside {recording} said (entry {n#} noted {names*}): they were read when it "
    "came in, and nothing here rests on them": (
        "ce que disaient les signatures contenues dans {recording} (l'entrée {n#} a noté "
        "{names*}) : elles ont été lues à la réception, et rien ici ne repose sur elles"
    ),
    # What even an unbroken proof does not show.
    "claim level {level}: <words>": "niveau {level} : <words>",
    "the device itself signed first: what it was shown or fed before is not covered": (
        "l'appareil lui-même a signé le premier : ce qu'on lui a montré ou fourni auparavant n'est "
        "pas couvert"
    ),
    "the dock signed first: nothing before the docking is covered": (
        "la station d'accueil a signé la première : rien de ce qui précède n'est couvert"
    ),
    "the ingest signed first: nothing before it is covered": (
        "la réception a signé la première : rien de ce qui précède n'est couvert"
    ),
    "it was imported: nothing before the import is covered": (
        "il a été importé : rien de ce qui précède l'importation n'est couvert"
    ),
    "who signed {n#} of the entries {a#} to {b#}: entry {m#} says that the key of {who} may have "
    "been in other hands since {at@}": (
        "qui a signé {n#} des entrées {a#} à {b#} : l'entrée {m#} dit que la clé de {who} a pu "
        "être en d'autres mains depuis le {at@}"
    ),
    "that no later entry revoked a key, or erased or changed what is proven here: the bundle is "
    "only part of the log": (
        "qu'aucune entrée postérieure n'ait révoqué une clé, ni effacé ou modifié ce qui est "
        "prouvé ici : le dossier n'est qu'une partie du registre"
    ),
    "who holds the keys: entry 0, in which the founders name each other, is not in the bundle": (
        "qui détient les clés : l'entrée 0, où les fondateurs se nomment, n'est pas dans le dossier"
    ),
    "who signed: <text> (the bundle is only part of the log)": (
        "qui a signé : <text> (le dossier n'est qu'une partie du registre)"
    ),
    "<text> (the bundle is only part of the log)": (
        "<text> (le dossier n'est qu'une partie du registre)"
    ),
    "the time that the device claims: <text>": "l'heure que l'appareil affirme : <text>",
    # What a proof file or a policy lacks.
    "that these are the right witnesses: the policy was taken from the bundle itself, so who made "
    "the bundle chose whom to trust; get it from somebody else": (
        "que ce soient les bons témoins : la politique a été prise dans le dossier lui-même, donc "
        "l'auteur du dossier a choisi à qui se fier ; obtenez-la de quelqu'un d'autre"
    ),
    "{name*} proves an entry that is not in it": (
        "{name*} prouve une entrée qui n'y est pas contenue"
    ),
    "no proof file was handed in: none begins with {line}": (
        "aucun fichier de preuve n'a été remis : aucun ne commence par {line}"
    ),
    "the policy cannot be read: <error>": "la politique ne peut être lue : <error>",
    "the log {origin} is not in the policy": "le registre {origin} n'est pas dans la politique",
    "the checkpoint of {origin} has extension lines; this log never writes any, and not every "
    "cosignature covers them": (
        "le point de contrôle de {origin} a des lignes d'extension ; ce registre n'en écrit "
        "jamais, et toutes les cosignatures ne les couvrent pas"
    ),
    "the proof for leaf {n#} of {m#} leads to another root than the checkpoint's: the entry is not "
    "the one that was logged there, or the proof was altered": (
        "la preuve de l'entrée {n#} sur {m#} mène à une autre racine que celle du point de "
        "contrôle : l'entrée n'est pas celle qui y a été consignée, ou la preuve a été altérée"
    ),
    "the signature of {who} does not fit what is signed": (
        "la signature de {who} ne correspond pas à ce qui est signé"
    ),
    "no signature of {names*} under the note; one is needed": (
        "aucune signature de {names*} sous la note ; il en faut une"
    ),
    # Two histories.
    "{origin} signed two different logs of {n#} entries; keep both checkpoints: together they "
    "prove it to anybody": (
        "{origin} a signé deux registres différents de {n#} entrées ; conservez les deux points "
        "de contrôle : ensemble, ils le prouvent à quiconque"
    ),
    "two checkpoints of {origin} show different entries {n#}": (
        "deux points de contrôle de {origin} montrent des entrées {n#} différentes"
    ),
    "the first {n#} entries of {origin} are not those of its checkpoint of {m#} entries: it signed "
    "two histories": (
        "les {n#} premières entrées de {origin} ne sont pas celles de son point de contrôle de "
        "{m#} entrées : il a signé deux histoires"
    ),
}
"""English sentences of the verifier itself, each with the French one."""


# == tidewaiter.custody.translating
#
# A verdict in another language than English, made from the English one.
#
# What is decided does not depend on it: finished sentences are looked up, and what is not in the
# table, such as the details of a format, stays English and says so.

VERDICT_LANGUAGES = ("en", "fr")
NOT_TRANSLATED = "(en anglais) "
_PART = re.compile(r"(\{\w+[*#@]?\}|<\w+[,;]?>)")
_MATCHES = {
    "*": r"(.*?)",
    "#": r"([-+]?\d+(?:\.\d+)?)",
    "@": r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC|-?\d+ ms after 1970)",
}


def words_in(verdict: Verdict, language: str) -> str:
    """The verdict as plain text in one of `VERDICT_LANGUAGES`."""
    if language != "fr":
        return verdict.words()
    lines = []
    for line in verdict.words().removesuffix("\n").split("\n"):
        if line.startswith("  - "):
            lines.append(f"  - {_sentence(line[4:])}")
        else:
            lines.append(FRENCH_TITLES.get(line, line))
    return "\n".join([FRENCH_HEADLINES[verdict.conclusion], *lines[1:]]) + "\n"


def _sentence(text: str) -> str:
    """A whole sentence; before it may stand the name of a finding, and that of a file."""
    name, colon, rest = text.partition(": ")
    if colon and name in NAMES:
        return f"{name} : {_sentence(rest)}"
    told = _in_french(text)
    if colon and told.startswith(NOT_TRANSLATED):
        return f"{name} : {_in_french(rest)}"
    return told


def _in_french(text: str) -> str:
    """One sentence, or part of one; marked where the table does not have it."""
    if text in FRENCH_WORDS:
        return FRENCH_WORDS[text]
    for pattern, names, french in _patterns():
        found = pattern.fullmatch(text)
        if found:
            values = dict(zip(names, found.groups(), strict=True))
            pieces = enumerate(_PART.split(french))
            return "".join(_value(one, values) if at % 2 else one for at, one in pieces)
    return f"{NOT_TRANSLATED}{text}"


def _value(part: str, values: dict[str, str]) -> str:
    value = values[part]
    if part.startswith("{") or not value:
        return value
    if part[-2] not in ",;":
        return _in_french(value)
    separator = f"{part[-2]} "
    return separator.join(_listed_one(one) for one in value.split(separator))


def _listed_one(text: str) -> str:
    """An item of a list, which may be a bare name."""
    return text if " " not in text and text not in FRENCH_WORDS else _in_french(text)


@cache
def _patterns() -> list[tuple[re.Pattern[str], list[str], str]]:
    """Patterns of all sentences, those with most words of their own first."""
    table = FRENCH_SENTENCES | FRENCH_FINDINGS
    ordered = sorted(table, key=lambda english: -len(_PART.sub("", english)))
    return [_pattern(english, table[english]) for english in ordered]


def _pattern(english: str, french: str) -> tuple[re.Pattern[str], list[str], str]:
    pieces = _PART.split(english)
    spelled = [_matching(piece) if at % 2 else re.escape(piece) for at, piece in enumerate(pieces)]
    return re.compile("".join(spelled), re.DOTALL), pieces[1::2], french


def _matching(part: str) -> str:
    return r"(.*?)" if part.startswith("<") else _MATCHES.get(part[-2], r"(\S+?)")


# == tidewaiter.custody.record_kinds
#
# Which kinds of record there are, and which fields each of them must and may have.
#
# The first record of a log is a `policy` that names its founders with their keys; everything
# that may be signed or approved later follows from it by entries of the log itself.

LARGEST_RECORD_NUMBER = 2**53 - 1
"""Beyond it, JSON readers of other languages round (RFC 8785, section 3.2.2.3)."""

LONGEST_TEXT = 16_384
LONGEST_LIST = 512
LEVELS = ("device", "dock", "ingest", "import")
"""Claim levels: who signed first. Nothing before that first signature is covered."""

HOLDERS = ("device", "dock", "service", "person")
ROLES = (
    "recording",
    "storage",
    "log",
    "retention",
    "redaction",
    "vigilance",
    "legal",
    "command",
)
"""Roles of persons; who runs the machines has another role than who decides."""

STOP_REASONS = ("officer", "battery", "storage-full", "docked", "fault", "privacy-pause")
ACCESS_ACTS = ("view", "export", "share", "search", "release")
WITNESS_ACTS = ("add", "remove")
HOLD_STATES = ("placed", "lifted")
DEVICE_STATES = ("recording", "docked", "idle")
NAMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")
HEX_DIGEST = re.compile(r"[0-9a-f]{64}")

REQUIRED_ALWAYS = {"v", "kind", "device", "epoch", "claimed_ms", "sig"}
OPTIONAL_ALWAYS = {"by", "seq", "prev", "uptime_ms", "boot", "level", "commit", "note"}
TWO_PERSONS = {"request", "approvals"}

KINDS: dict[str, tuple[set[str], set[str]]] = {
    "policy": ({"policy"} | TWO_PERSONS, {"people"}),
    "witness": ({"act", "name", "vkey"} | TWO_PERSONS, set()),
    "key.enrol": (
        {"subject", "holder", "key", "key_epoch"} | TWO_PERSONS,
        {"person", "role", "unit"},
    ),
    "key.rotate": ({"key", "key_epoch"}, TWO_PERSONS),
    "key.revoke": ({"subject", "since_ms", "basis"}, set()),
    "key.class": ({"class", "fingerprint", "basis"} | TWO_PERSONS, {"backups"}),
    "expect": ({"from_ms", "to_ms", "operation", "max_silence_s"}, {"subject", "unit"}),
    "segment": (
        {"seq", "prev", "level", "recording", "blob", "bytes", "commit"},
        {"start_ms", "end_ms", "camera_no", "media_type", "class", "signatures", "manifest_blob"},
    ),
    "heartbeat": ({"seq", "prev", "uptime_ms"}, {"state", "battery", "free_mb", "last_segment"}),
    "stop": ({"seq", "prev", "reason"}, {"last_segment"}),
    "ingest": (
        {"recording", "entry"},
        {"class", "offset_ms", "manifest_blob", "signatures"},
    ),
    "silence": ({"subject", "from_ms", "to_ms"}, set()),
    "access": ({"act", "recording"}, {"basis"} | TWO_PERSONS),
    "category": ({"recording", "class", "basis"}, TWO_PERSONS),
    "retention": ({"class", "days", "basis"} | TWO_PERSONS, set()),
    "hold": ({"recording", "state", "basis"}, TWO_PERSONS),
    "erase": ({"recording", "basis", "scope", "backups", "openings_out"} | TWO_PERSONS, set()),
    "derive": (
        {"source", "recording", "result", "blob", "bytes", "method", "tool", "commit"}
        | TWO_PERSONS,
        {"masks", "dropped", "media_type", "class", "basis", "manifest_blob"},
    ),
    "clock": ({"subject", "device_ms", "offset_ms"}, set()),
    "import": (
        {"level", "recording", "blob", "bytes", "commit"},
        {"media_type", "class", "found", "signatures", "start_ms", "end_ms", "manifest_blob"},
    ),
    "examination": ({"exhibit", "report", "software"}, {"recording"}),
    "decision": ({"basis", "outcome"}, {"recording", "report", "exhibit"}),
}
"""Per kind: the fields it must have and those it may have, beside those of every record."""

_WORDS_OF_KIND = {
    "hold": ("state", HOLD_STATES),
    "heartbeat": ("state", DEVICE_STATES),
    "access": ("act", ACCESS_ACTS),
    "witness": ("act", WITNESS_ACTS),
}
"""Fields that have other words in another kind."""


def check_fields(fields: Mapping[str, Any]) -> None:
    """Accept the fields of one record, `sig` included, or raise MalformedText."""
    kind = fields.get("kind")
    if not isinstance(kind, str) or kind not in KINDS:
        raise MalformedText(
            f"a record of kind {_shown(kind)}; this version knows {', '.join(KINDS)}"
        )
    if fields.get("v") != 1:
        raise MalformedText(f"a {kind} record of format {_shown(fields.get('v'))}; 1 is known")
    required, optional = KINDS[kind]
    missing = (REQUIRED_ALWAYS | required) - fields.keys()
    if missing:
        raise MalformedText(f"a {kind} record without {', '.join(sorted(missing))}")
    unknown = fields.keys() - REQUIRED_ALWAYS - OPTIONAL_ALWAYS - required - optional
    if unknown:
        raise MalformedText(f"a {kind} record with {_shown(sorted(unknown))}, which it cannot have")
    if ("seq" in fields) != ("prev" in fields):
        raise MalformedText(f"a {kind} record with one of seq and prev; both or neither needed")
    for name, value in fields.items():
        if not _CHECKS[name](value):
            raise MalformedText(f"{name} of a {kind} record is {_shown(value)}; {_RULES[name]}")
    _check_kind(kind, fields)


def decode_base64(text: str, length: int) -> bytes | None:
    """The bytes of canonical padded base64 of exactly `length` bytes, else None."""
    try:
        raw = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None
    if len(raw) != length or base64.b64encode(raw).decode("ascii") != text:
        return None
    return raw


def _check_kind(kind: str, fields: Mapping[str, Any]) -> None:
    if (
        kind == "key.enrol"
        and fields["holder"] == "person"
        and not {"person", "role"} <= set(fields)
    ):
        raise MalformedText("a key.enrol record of a person without person and role")
    chosen = _WORDS_OF_KIND.get(kind)
    if chosen and fields.get(chosen[0], chosen[1][0]) not in chosen[1]:
        raise MalformedText(
            f"{chosen[0]} of a {kind} record is {fields[chosen[0]]}; one of {', '.join(chosen[1])} "
            "needed"
        )
    if kind == "expect" and ("subject" in fields) == ("unit" in fields):
        raise MalformedText("an expect record needs a subject or a unit, one of them")
    if kind in {"segment", "import", "derive"} and "media" not in fields["commit"]:
        raise MalformedText(f"a {kind} record without a commitment to its medium")
    for first, last in (("from_ms", "to_ms"), ("start_ms", "end_ms")):
        if (first in fields) != (last in fields):
            raise MalformedText(f"a {kind} record with one of {first} and {last}; both needed")
        if first in fields and fields[first] > fields[last]:
            raise MalformedText(f"a {kind} record whose {first} lies after its {last}")


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:60]}…"


def _is_count(value: object) -> bool:
    return type(value) is int and 0 <= value <= LARGEST_RECORD_NUMBER


def _is_integer(value: object) -> bool:
    return type(value) is int and -LARGEST_RECORD_NUMBER <= value <= LARGEST_RECORD_NUMBER


def _is_name(value: object) -> bool:
    return isinstance(value, str) and NAMED.fullmatch(value) is not None


def _is_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= LONGEST_TEXT


def _is_digest(value: object) -> bool:
    return isinstance(value, str) and HEX_DIGEST.fullmatch(value) is not None


def _is_key(value: object) -> bool:
    return isinstance(value, str) and decode_base64(value, 32) is not None


def _is_signature(value: object) -> bool:
    return isinstance(value, str) and decode_base64(value, 64) is not None


def _is_commit(value: object) -> bool:
    return (
        isinstance(value, dict)
        and 0 < len(value) <= LONGEST_LIST
        and all(_is_name(name) and _is_digest(digest) for name, digest in value.items())
    )


def _one_of(*words: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in words


def _list_of(check: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, list)
        and len(value) <= LONGEST_LIST
        and all(check(item) for item in value)
    )


def _object_of(**checks: Callable[[object], bool]) -> Callable[[object], bool]:
    return lambda value: (
        isinstance(value, dict)
        and value.keys() == checks.keys()
        and all(check(value[name]) for name, check in checks.items())
    )


_COUNT = (_is_count, "a whole number from 0 to 2^53 - 1 needed")
_INTEGER = (_is_integer, "a whole number within 2^53 needed")
_NAME = (_is_name, "a name of up to 128 letters, digits, dots, dashes, colons and slashes needed")
_TEXT = (_is_text, f"a text of up to {LONGEST_TEXT} characters needed")
_DIGEST = (_is_digest, "64 hexadecimal digits needed")
_KEY = (_is_key, "base64 of a public key of 32 bytes needed")


def _word(*words: str) -> tuple[Callable[[object], bool], str]:
    return _one_of(*words), f"one of {', '.join(words)} needed"


_FIELDS: dict[str, tuple[Callable[[object], bool], str]] = {
    **dict.fromkeys(("v", "epoch", "key_epoch", "seq", "uptime_ms", "bytes", "camera_no"), _COUNT),
    **dict.fromkeys(("battery", "free_mb", "days", "max_silence_s"), _COUNT),
    **dict.fromkeys(("claimed_ms", "since_ms", "from_ms", "to_ms", "start_ms", "end_ms"), _INTEGER),
    **dict.fromkeys(("device_ms", "offset_ms"), _INTEGER),
    **dict.fromkeys(("kind", "device", "by", "subject", "unit", "person", "class", "boot"), _NAME),
    **dict.fromkeys(("recording", "result", "operation", "request", "name", "media_type"), _NAME),
    **dict.fromkeys(("note", "policy", "vkey", "basis", "tool", "software", "outcome"), _TEXT),
    **dict.fromkeys(
        ("prev", "blob", "manifest_blob", "entry", "source", "exhibit", "report", "last_segment"),
        _DIGEST,
    ),
    "fingerprint": _DIGEST,
    "key": _KEY,
    "sig": (_is_signature, "base64 of a signature of 64 bytes needed"),
    "level": _word(*LEVELS),
    "holder": _word(*HOLDERS),
    "role": _word(*ROLES),
    "reason": _word(*STOP_REASONS),
    "state": _word(*HOLD_STATES, *DEVICE_STATES),
    "act": _word(*ACCESS_ACTS, *WITNESS_ACTS),
    "method": _word("mask", "drop", "both"),
    "commit": (_is_commit, "field names with 64 hexadecimal digits each needed"),
    "found": (_list_of(_is_name), "a list of names needed"),
    "scope": (_list_of(_is_name), "a list of names needed"),
    "signatures": (_list_of(_is_name), "a list of names needed"),
    "backups": (_list_of(_is_text), "a list of texts needed"),
    "openings_out": (_list_of(_is_text), "a list of texts needed"),
    "dropped": (_list_of(_is_digest), "a list of digests needed"),
    "people": (
        _list_of(_object_of(id=_is_name, person=_is_name, role=_one_of(*ROLES), key=_is_key)),
        "a list of people with id, person, role and key needed",
    ),
    "approvals": (
        _list_of(_object_of(by=_is_name, epoch=_is_count, sig=_is_signature)),
        "a list of approvals with by, epoch and sig needed",
    ),
    "masks": (
        _list_of(
            _object_of(
                **dict.fromkeys(("from_ms", "to_ms", "x", "y", "width", "height"), _is_count)
            )
        ),
        "a list of masks with from_ms, to_ms, x, y, width and height needed",
    ),
}
_CHECKS = {name: check for name, (check, _) in _FIELDS.items()}
_RULES = {name: rule for name, (_, rule) in _FIELDS.items()}


# == tidewaiter.custody.record
#
# A record of the custody log: canonical JSON, signed by a device, a dock, a service or a person.
#
# The leaf of the log is the record's exact bytes: keys sorted, whole numbers and strings only,
# UTF-8, below 65,536 bytes. Its signature covers the same bytes without `sig`.

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


# == tidewaiter.custody.key_history
#
# Who may sign from which entry of the log to which: enrolments, rotations and revocations.
#
# Everything starts from the founding record, entry 0, in which the first people name each other.
# Order is the order of the log, which its witnesses vouch for; no clock decides here, except that
# a revocation says since when the key may have been in other hands.

@dataclass(frozen=True)
class Holder:
    """Somebody, or something, whose keys the log knows."""

    name: str
    kind: str
    """`device`, `dock`, `service` or `person`."""

    person: str
    """The natural person behind the name: one person may hold two cards."""

    role: str
    unit: str
    """Empty where the enrolment says nothing of it, as the role."""


@dataclass
class KeyEpoch:
    """One key of one holder, and the part of the log in which it counts."""

    key: bytes
    since: int
    """Index of the entry that brought it in."""

    rotated: int | None = None
    """Index of the entry that replaced it."""

    last_seq: int = 0
    """Number of the rotation in the holder's own chain, if any; records before it stay valid."""

    revoked: int | None = None
    """Index of the entry that revoked it."""


@dataclass(frozen=True)
class Standing:
    """What is known of one key: `problem` is empty where it counts, `key` None where unknown."""

    key: bytes | None
    problem: str


@dataclass
class KeyHistory:
    """The keys that the entries so far have brought in, replaced and revoked."""

    holders: dict[str, Holder] = field(default_factory=dict)
    epochs: dict[tuple[str, int], KeyEpoch] = field(default_factory=dict)
    owners: dict[bytes, str] = field(default_factory=dict)
    """Whose each key is; a key shared by two could not tell them apart."""

    newest: dict[str, int] = field(default_factory=dict)
    """The last epoch of each holder."""

    founded: bool = False

    def enter(self, index: int, record: Record) -> str:
        """Take in an entry that is validly signed and approved; says what is wrong, if anything.

        An entry with something wrong takes no effect.
        """
        fields = record.fields
        if record.kind == "policy":
            return self._found(index, record) if "people" in fields else ""
        if record.kind == "key.enrol":
            holder = Holder(
                name=fields["subject"],
                kind=fields["holder"],
                person=fields.get("person", fields["subject"]),
                role=fields.get("role", ""),
                unit=fields.get("unit", ""),
            )
            return self._add(index, holder, fields["key_epoch"], fields["key"])
        if record.kind == "key.rotate":
            return self._rotate(index, record)
        if record.kind == "key.revoke":
            return self._revoke(index, record)
        return ""

    def standing(self, signer: str, epoch: int, index: int, seq: int | None = None) -> Standing:
        """Whether the signer's key of that epoch counts for the next entry, which has that index.

        What a device numbered before it rotated its key counts with the old key, however late
        it is docked.
        """
        known = self.epochs.get((signer, epoch))
        if known is None:
            return Standing(None, f"no entry before {index} enrols key {epoch} of {signer}")
        if known.revoked is not None:
            return Standing(
                known.key, f"key {epoch} of {signer} was revoked by entry {known.revoked}"
            )
        is_earlier = seq is not None and seq < known.last_seq
        if known.rotated is not None and not is_earlier:
            return Standing(
                known.key, f"key {epoch} of {signer} was replaced by entry {known.rotated}"
            )
        return Standing(known.key, "")

    def person_of(self, name: str) -> str:
        """The natural person behind a holder; the name itself where none is known."""
        holder = self.holders.get(name)
        return holder.person if holder else name

    def owner_of(self, key: bytes) -> str:
        """Whose key it is; empty where it is nobody's."""
        return self.owners.get(key, "")

    def _found(self, index: int, record: Record) -> str:
        people = record.fields["people"]
        if self.founded or index != 0:
            return f"entry {index} names founders; only entry 0 may"
        names, keys = {one["id"] for one in people}, {one["key"] for one in people}
        if len(names) < len(people) or len(keys) < len(people):
            return "the founding entry names a founder, or a key, twice"
        if any(is_weak_key(base64.b64decode(key)) for key in keys):
            return "the founding entry names a key for which anybody can sign"
        for one in people:
            holder = Holder(one["id"], "person", one["person"], one["role"], unit="")
            self._add(index, holder, 0, one["key"])
        self.founded = True
        return ""

    def _add(self, index: int, holder: Holder, epoch: int, encoded: str) -> str:
        key = base64.b64decode(encoded)
        owner, newest = self.owner_of(key), self.newest.get(holder.name, -1)
        before = self.holders.get(holder.name, holder)
        if is_weak_key(key):
            return f"anybody can sign for the key that entry {index} gives {holder.name}"
        if owner:
            return f"the key that entry {index} gives {holder.name} is already that of {owner}"
        if epoch <= newest:
            return f"entry {index} enrols key {epoch} of {holder.name}, which has key {newest}"
        if (before.kind, before.person) != (holder.kind, holder.person):
            return f"entry {index} makes {holder.name} another {holder.kind} than it was before"
        self.holders[holder.name] = holder
        self.epochs[holder.name, epoch] = KeyEpoch(key, index)
        self.owners[key], self.newest[holder.name] = holder.name, epoch
        return ""

    def _rotate(self, index: int, record: Record) -> str:
        signer, epoch = record.signer, record.epoch
        if record.device != signer:
            return f"entry {index}, a record of {record.device}, rotates a key of {signer}"
        if record.fields["key_epoch"] != epoch + 1:
            return f"entry {index} rotates key {epoch} of {signer} to another epoch than the next"
        problem = self._add(index, self.holders[signer], epoch + 1, record.fields["key"])
        if not problem:
            replaced = self.epochs[signer, epoch]
            replaced.rotated, replaced.last_seq = index, record.seq or 0
        return problem

    def _revoke(self, index: int, record: Record) -> str:
        subject, revoker = record.fields["subject"], self.holders.get(record.signer)
        if revoker is None or revoker.kind != "person":
            return f"entry {index} revokes the keys of {subject} without being a person's"
        if subject not in self.newest:
            return f"entry {index} revokes the keys of {subject}, which has none"
        for (name, _), known in self.epochs.items():
            if name == subject and known.revoked is None:
                known.revoked = index
        return ""


# == tidewaiter.custody.approvals
#
# Actions that two people of different roles must approve, and the check that they did.
#
# An approval signs `tidewaiter/approval/v1` and the SHA-256 of the action: all that the entry says
# except where it stands in its signer's chain. The verifier compares persons, not keys, since one
# person may hold two. That two names of the log are two people is the word of those who enrolled
# them: nothing here can know it.

APPROVED_AS = b"tidewaiter/approval/v1\n"
ROLES_THAT_NEVER_APPROVE = frozenset({"storage", "log", "recording"})
"""Who runs the machines, or holds the camera, does not decide what becomes of recordings."""

# Known only when the entry is logged, after the approvals were given.
_NOT_PART_OF_THE_ACTION = {"approvals", "sig", "seq", "prev", "epoch", "claimed_ms", "uptime_ms"}
_ALWAYS_TWO = {kind for kind, (required, _) in KINDS.items() if required >= TWO_PERSONS}


def needs_two(record: Record, *, holder_kind: str = "device", shortens: bool = True) -> bool:
    """Whether the entry counts only with two approvals.

    `holder_kind` is what its signer is (devices and docks rotate their keys alone); `shortens`
    whether a change of category shortens the recording's life, which is assumed where unknown.
    """
    if record.kind == "category":
        return shortens
    if record.kind == "access":
        return bool(record.fields["act"] == "release")
    if record.kind == "hold":
        return bool(record.fields["state"] == "lifted")
    if record.kind == "key.rotate":
        return holder_kind in {"person", "service"}
    return record.kind in _ALWAYS_TWO


def action_digest(fields: Mapping[str, Any]) -> bytes:
    """SHA-256 of the action that the fields of an entry describe."""
    action = {n: v for n, v in fields.items() if n not in _NOT_PART_OF_THE_ACTION} | {"v": 1}
    return hashlib.sha256(canonical(action)).digest()


def approve(fields: Mapping[str, Any], by: str, epoch: int, secret: bytes) -> dict[str, Any]:
    """One approval of the action, to be put into the `approvals` of its entry."""
    signature = sign_bytes(secret, APPROVED_AS + action_digest(fields))
    return {"by": by, "epoch": epoch, "sig": base64.b64encode(signature).decode("ascii")}


def missing_approvals(index: int, record: Record, history: KeyHistory) -> str:
    """What the entry's approvals lack; empty where two people of different roles approved it.

    The founding entry is approved by all whom it names.
    """
    if "people" in record.fields:
        return _founders_missing(record)
    counted, spoilt = _judged(index, record, history)
    pairs = combinations(counted, 2)
    if any(one.person != other.person and one.role != other.role for one, other in pairs):
        return ""
    people = list(dict.fromkeys(holder.person for holder in counted))
    if len(people) > 1:
        spoilt.append(f"all who approved have the role {counted[0].role}")
    named = ", ".join(people) or "nobody"
    return f"approved by {named}; two people of different roles needed{_listed(spoilt)}"


def approvers(index: int, record: Record, history: KeyHistory) -> tuple[str, ...]:
    """The people whose approvals of the entry count, each once, as they stand in it.

    Not for the founding entry. Whether they are enough `missing_approvals` says.
    """
    counted, _ = _judged(index, record, history)
    return tuple(dict.fromkeys(holder.person for holder in counted))


def _judged(index: int, record: Record, history: KeyHistory) -> tuple[list[Holder], list[str]]:
    """The holders whose approvals count, and why others do not."""
    counted: list[Holder] = []
    spoilt: list[str] = []
    for one in record.fields.get("approvals", ()):
        problem = _why_it_does_not_count(index, record, one, history)
        if problem:
            spoilt.append(problem)
            continue
        holder = history.holders[one["by"]]
        if any(holder.person == other.person for other in counted):
            spoilt.append(f"{holder.person} approved twice")
        counted.append(holder)
    return counted, spoilt


def _founders_missing(record: Record) -> str:
    people = {one["id"]: one for one in record.fields["people"]}
    signed = {
        one["by"]
        for one in record.fields["approvals"]
        if one["by"] in people
        and one["epoch"] == 0
        and _approval_fits(record, one, base64.b64decode(people[one["by"]]["key"]))
    }
    if len({people[name]["person"] for name in signed}) < 2:
        return "the founding entry is signed by fewer than two of the people it names"
    if len({people[name]["role"] for name in signed}) < 2:
        return "all founders have one role; two roles needed"
    if signed != people.keys():
        return f"the founding entry is not signed by {', '.join(sorted(people.keys() - signed))}"
    return ""


def _why_it_does_not_count(
    index: int, record: Record, one: Mapping[str, Any], history: KeyHistory
) -> str:
    name = one["by"]
    standing = history.standing(name, one["epoch"], index)
    if standing.key is None or standing.problem:
        return standing.problem
    holder = history.holders[name]
    if holder.kind != "person":
        return f"{name} is a {holder.kind}, not a person"
    if holder.role in ROLES_THAT_NEVER_APPROVE:
        return f"{name} has the role {holder.role}, which approves nothing"
    if holder.person == history.person_of(record.signer):
        return f"{name} is who asked for it"
    if not _approval_fits(record, one, standing.key):
        return f"the signature of {name} is not over this action"
    return ""


def _approval_fits(record: Record, one: Mapping[str, Any], key: bytes) -> bool:
    message = APPROVED_AS + action_digest(record.fields)
    return bytes_signed_by(key, message, base64.b64decode(one["sig"]))


def _listed(problems: list[str]) -> str:
    return f" ({'; '.join(problems)})" if problems else ""


# == tidewaiter.custody.chains
#
# The chain of one device: its numbers, digests and clock, and what is missing between them.
#
# Records may arrive late and out of order; what counts is the device's own numbering. Eight bytes
# of digest are kept for each record, and two whole records for each unbroken run of numbers.

_KEPT = 8


@dataclass(frozen=True)
class Allowed:
    """How long a device may be silent, and how far its clock may be off.

    The defaults are this software's choice: five heartbeats missed, and two minutes.
    """

    silence_ms: int = 300_000
    offset_ms: int = 120_000


@dataclass(slots=True)
class Link:
    """What is remembered of one record of a chain; made anew for every record, never changed."""

    index: int
    seq: int
    claimed_ms: int
    uptime_ms: int | None
    boot: str
    stop_reason: str


@dataclass(frozen=True)
class Pause:
    """A time in which a device wrote nothing: `reason` as signed before, empty if unexplained.

    `until_ms` is None where the device has not been heard from since.
    """

    device: str
    reason: str
    since_ms: int
    until_ms: int | None
    index: int


@dataclass
class Run:
    """Records numbered without a gap."""

    head: Link
    tail: Link
    first_prev: str
    last_digest: str
    digests: bytearray
    is_keys_only: bool
    """Whether it has nothing but rotations of keys, which a bundle holds from anywhere."""


@dataclass
class DeviceChain:
    """All records of one device so far, as runs in the order of their numbers."""

    device: str
    allowed: Allowed = field(default_factory=Allowed)
    runs: list[Run] = field(default_factory=list)
    outages: list[Pause] = field(default_factory=list)
    silences: list[Pause] = field(default_factory=list)
    covered_ms: list[tuple[int, int]] = field(default_factory=list)
    """Spans that segments cover by the device's clock, disjoint and in order."""

    camera_no: int | None = None
    speaks_for_itself: bool = False
    """Whether the device signs, so that its silence means something."""

    def enter(self, index: int, record: Record) -> list[Discrepancy]:
        """Take in the device's next record as logged; says what contradicts the chain."""
        seq = record.seq
        if seq is None:
            return []
        self.speaks_for_itself |= record.signer == self.device
        place = bisect_right(self.runs, seq, key=lambda run: run.head.seq)
        before = self.runs[place - 1] if place else None
        if before is not None and seq <= before.tail.seq:
            return [self._number_again(index, record, before)]
        link = _link_of(index, record)
        found = self._join(place, record, link)
        if record.kind == "segment" and "start_ms" in record.fields:
            self.cover(record.fields["start_ms"], record.fields["end_ms"])
        return [*found, *self._file_number(index, record)]

    def cover(self, start: int, end: int) -> None:
        """Take in a span that a segment covers, in POSIX milliseconds of the device's clock."""
        place = bisect_right(self.covered_ms, (start, end))
        while place and self.covered_ms[place - 1][1] >= start:
            place -= 1
            start = min(start, self.covered_ms[place][0])
        while place < len(self.covered_ms) and self.covered_ms[place][0] <= end:
            end = max(end, self.covered_ms[place][1])
            del self.covered_ms[place]
        self.covered_ms.insert(place, (start, end))

    def missing(self, *, from_start: bool = True) -> list[Discrepancy]:
        """The numbers that no record has, with the time in which they were given out.

        Without `from_start` only those within the stretch that is at hand.
        """
        runs = self.runs if from_start else self.stretch()
        found = []
        if from_start and runs[0].head.seq:
            found.append(self._gap(None, runs[0].head))
        for before, after in pairwise(runs):
            found.append(self._gap(before.tail, after.head))
        return found

    def stretch(self) -> list[Run]:
        """The runs from the first to the last that has more than rotations of keys."""
        told = [place for place, run in enumerate(self.runs) if not run.is_keys_only]
        return self.runs[told[0] : told[-1] + 1] if told else []

    def _join(self, place: int, record: Record, link: Link) -> list[Discrepancy]:
        """Put a record between the runs, at the end of one, before the next, or joining both."""
        before = self.runs[place - 1] if place else None
        after = self.runs[place] if place < len(self.runs) else None
        kept = bytearray.fromhex(record.digest[: 2 * _KEPT])
        is_key = record.kind == "key.rotate"
        run = Run(link, link, str(record.prev), record.digest, kept, is_key)
        found: list[Discrepancy] = []
        if link.seq == 0 and record.prev != NO_PREVIOUS:
            found.append(self._broken(link, "is its first and yet names one before it"))
        if before is not None and before.tail.seq + 1 == link.seq:
            found += self._follow(before, run)
            run = _joined(before, run)
            del self.runs[place - 1]
            place -= 1
        if after is not None and link.seq + 1 == after.head.seq:
            found += self._follow(run, after)
            run = _joined(run, after)
            del self.runs[place]
        self.runs.insert(place, run)
        return found

    def _follow(self, before: Run, after: Run) -> list[Discrepancy]:
        """Judge a record against its direct predecessor: digest, silence, clock."""
        found = []
        if after.first_prev != before.last_digest:
            text = f"does not name number {before.tail.seq} as logged (entry {before.tail.index})"
            found.append(self._broken(after.head, text))
        since, until = before.tail, after.head
        if since.stop_reason:
            span = (since.stop_reason, since.claimed_ms, until.claimed_ms, since.index)
            self.outages.append(Pause(self.device, *span))
        elif _elapsed_ms(since, until) > self.allowed.silence_ms:
            pause = Pause(self.device, "", since.claimed_ms, until.claimed_ms, since.index)
            self.silences.append(pause)
        return found + self._clock_jump(since, until)

    def _clock_jump(self, since: Link, until: Link) -> list[Discrepancy]:
        by_clock = until.claimed_ms - since.claimed_ms
        off_ms = min(by_clock, 0)
        if since.uptime_ms is not None and until.uptime_ms is not None and since.boot == until.boot:
            off_ms = by_clock - (until.uptime_ms - since.uptime_ms)
        if abs(off_ms) <= self.allowed.offset_ms:
            return []
        way = "forward" if off_ms > 0 else "back"
        text = (
            f"the clock of {self.device} went {way} by {abs(off_ms) / 1000:.0f} s between numbers "
            f"{since.seq} and {until.seq}"
        )
        return [
            Discrepancy(
                "device-clock-off", text, since.index, until.index, (self.device,), since.claimed_ms
            )
        ]

    def _number_again(self, index: int, record: Record, run: Run) -> Discrepancy:
        seq = int(record.seq or 0)
        at = _KEPT * (seq - run.head.seq)
        is_same = run.digests[at : at + _KEPT].hex() == record.digest[: 2 * _KEPT]
        name = "segment-replayed" if is_same else "device-fork"
        what = "logged again" if is_same else "used for a second record with other content"
        text = f"number {seq} of {self.device} is {what} by entry {index}"
        return Discrepancy(name, text, index, index, (self.device,), record.claimed_ms)

    def _broken(self, link: Link, text: str) -> Discrepancy:
        whole = f"number {link.seq} of {self.device} (entry {link.index}) {text}"
        return Discrepancy(
            "chain-broken", whole, link.index, link.index, (self.device,), link.claimed_ms
        )

    def _gap(self, before: Link | None, after: Link) -> Discrepancy:
        first, last = before.seq + 1 if before else 0, after.seq - 1
        numbers = f"number {first} is" if first == last else f"numbers {first} to {last} are"
        return Discrepancy(
            "sequence-gap",
            f"{numbers} missing from the records of {self.device}",
            before.index if before else None,
            after.index,
            (self.device,),
            before.claimed_ms if before else None,
            after.claimed_ms,
        )

    def _file_number(self, index: int, record: Record) -> list[Discrepancy]:
        """A camera that cannot sign numbers its files: its jumps are told, not proven."""
        number, last = record.fields.get("camera_no"), self.camera_no
        if number is None:
            return []
        self.camera_no = number
        if last is None or number <= last + 1:
            return []
        text = (
            f"the file numbers of camera {self.device} jump from {last} to {number}: files "
            f"{last + 1} to {number - 1} were not docked"
        )
        if number == last + 2:
            text = (
                f"the file numbers of camera {self.device} jump from {last} to {number}: file "
                f"{last + 1} was not docked"
            )
        return [
            Discrepancy("sequence-gap", text, index, index, (self.device,), None, record.claimed_ms)
        ]


def _joined(before: Run, after: Run) -> Run:
    before.digests += after.digests
    only_keys = before.is_keys_only and after.is_keys_only
    return Run(
        before.head, after.tail, before.first_prev, after.last_digest, before.digests, only_keys
    )


def _link_of(index: int, record: Record) -> Link:
    fields = record.fields
    return Link(
        index,
        int(record.seq or 0),
        record.claimed_ms,
        fields.get("uptime_ms"),
        fields.get("boot", ""),
        fields["reason"] if record.kind == "stop" else "",
    )


def _elapsed_ms(since: Link, until: Link) -> int:
    """Time between two records by the clock or by the uptime, whichever says more."""
    elapsed = until.claimed_ms - since.claimed_ms
    if since.uptime_ms is not None and until.uptime_ms is not None and since.boot == until.boot:
        elapsed = max(elapsed, until.uptime_ms - since.uptime_ms)
    return elapsed


# == tidewaiter.custody.commitments
#
# Salted commitments: what a leaf holds in place of anything that may have to be forgotten.
#
# A plain hash of a passport number can be guessed; with 16 random bytes of salt it cannot, and
# with the salt destroyed nobody can say any more what was committed to. Whoever got an opening
# before that keeps it.

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


# == tidewaiter.custody.extra
#
# A leaf inside a proof file, small enough that a proof among a million records keeps within 2 kB.
#
# `extra` of a proof file holds either the leaf's bytes as they are, or byte 0x01 and a raw deflate
# stream (with the dictionary below) followed by the digests and signatures taken out of it, which
# no compression makes smaller. The proof does not vouch for any of it: hashing the leaf does.

_PACKED = b"\x01"
# Canonical JSON escapes control characters, so these three never occur in a leaf.
_DIGEST_MARK, _SIGNATURE_MARK, _SALTS_MARK = b"\x02", b"\x03", b"\x04"
_TAKEN_OUT = re.compile(rb"[0-9a-f]{64}|[A-Za-z0-9+/]{86}==")
_MOST_SALTS = 64
_SALT_NAME = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}")


def pack_extra(leaf: bytes, salts: Mapping[str, bytes] | None = None) -> bytes:
    """A leaf, and the salts of those commitments that its reader may open, for a proof file."""
    given = sorted((salts or {}).items())
    taken: list[bytes] = []
    text = _TAKEN_OUT.sub(lambda found: _take_out(found[0], taken), leaf)
    text += b"".join(_SALTS_MARK + name.encode("ascii") for name, _ in given)
    deflater = zlib.compressobj(9, zlib.DEFLATED, -15, 9, zdict=_USUAL_BYTES)
    packed = _PACKED + deflater.compress(text) + deflater.flush()
    packed += b"".join(taken) + b"".join(salt for _, salt in given)
    if unpack_extra(packed) != (leaf, dict(given)):
        raise MalformedText("this leaf, or a salt with it, does not fit into a proof file")
    return packed


def unpack_extra(extra: bytes) -> tuple[bytes, dict[str, bytes]]:
    """The leaf in the extra data of a proof file, and salts by field; a bare leaf as it is.

    Raises MalformedText.
    """
    if not extra.startswith(_PACKED):
        return extra, {}
    text, raw = _inflate(extra[1:])
    body, *names = text.split(_SALTS_MARK)
    leaf, raw = _put_back(body, raw)
    if len(raw) != COMMITMENT_SALT_LENGTH * len(names) or len(names) > _MOST_SALTS:
        raise MalformedText("the extra data of the proof does not hold the salts it names")
    salts = {}
    for number, name in enumerate(names):
        if not _SALT_NAME.fullmatch(name) or name.decode("ascii") in salts:
            raise MalformedText("a salt in the extra data of the proof has no name of its own")
        at = COMMITMENT_SALT_LENGTH * number
        salts[name.decode("ascii")] = raw[at : at + COMMITMENT_SALT_LENGTH]
    return leaf, salts


def _take_out(found: bytes, taken: list[bytes]) -> bytes:
    if len(found) == 64:
        taken.append(bytes.fromhex(found.decode("ascii")))
        return _DIGEST_MARK
    raw = base64.b64decode(found)
    if base64.b64encode(raw) != found:
        return found
    taken.append(raw)
    return _SIGNATURE_MARK


def _inflate(packed: bytes) -> tuple[bytes, bytes]:
    inflater = zlib.decompressobj(-15, zdict=_USUAL_BYTES)
    try:
        text = inflater.decompress(packed, 2 * MOST_LEAF_BYTES)
    except zlib.error as error:
        raise MalformedText("the extra data of the proof does not inflate") from error
    if not inflater.eof:
        raise MalformedText("the extra data of the proof is cut short, or more than a record")
    return text, inflater.unused_data


def _put_back(body: bytes, raw: bytes) -> tuple[bytes, bytes]:
    parts, at = [], 0
    for part in re.split(rb"([\x02\x03])", body):
        if part == _DIGEST_MARK:
            parts.append(raw[at : at + 32].hex().encode("ascii"))
            at += 32
        elif part == _SIGNATURE_MARK:
            parts.append(base64.b64encode(raw[at : at + 64]))
            at += 64
        else:
            parts.append(part)
    leaf = b"".join(parts)
    if at > len(raw) or len(leaf) > MOST_LEAF_BYTES:
        raise MalformedText("the extra data of the proof lacks digests, or is more than a record")
    return leaf, raw[at:]


_USUAL_BYTES = (
    b'"media_type":"video/mp4","method":"mask","request":"\x02","result":"","source":"\x02"'
    b'"level":"ingest","by":"ingest-1","class":"routine","level":"import"'
    b'{"blob":"\x02","boot":"","by":"dock-1","bytes":,"camera_no":,"claimed_ms":17'
    b',"class":"routine-90","commit":{"manifest":"\x02","media":"\x02","name":"\x02",'
    b'"officer":"\x02"},"device":"bwc-00","end_ms":17,"epoch":0,"kind":"segment",'
    b'"level":"dock","level":"device","prev":"\x02","recording":"bwc-00/20","seq":,'
    b'"sig":"\x03","start_ms":17,"uptime_ms":,"v":1}\x04media\x04manifest'
)
"""What a deflated record may refer back to; part of the format, never to be changed."""


# == tidewaiter.custody.gaps
#
# What is missing, worked out from the entries alone: never from what the server says of it.
#
# A missing number, a silence that no signed stop explains, and a recording that was due and was
# not made are findings. A signed outage is shown as an outage: it is not tampering.

REASONS_THAT_EXCUSE = frozenset({"battery", "storage-full", "fault", "privacy-pause"})
"""Signed stops after which a device could not, or must not, make a recording that was due."""


@dataclass(frozen=True)
class Expectation:
    """An operation that was to be recorded, by one device or by any device of a unit."""

    index: int
    subject: str
    unit: str
    from_ms: int
    to_ms: int
    operation: str
    silence_ms: int


@dataclass(frozen=True)
class Absences:
    """What is missing within a span of time, and the outages that devices signed for."""

    discrepancies: tuple[Discrepancy, ...]
    outages: tuple[Pause, ...]


@dataclass
class Roster:
    """What the entries say of who should have recorded: units of devices, and what was due."""

    units: dict[str, str] = field(default_factory=dict)
    expectations: list[Expectation] = field(default_factory=list)

    def enter(self, index: int, record: Record) -> None:
        """Take in an entry that is validly signed."""
        fields = record.fields
        if record.kind == "key.enrol" and "unit" in fields:
            self.units[fields["subject"]] = fields["unit"]
        if record.kind == "expect":
            self.expectations.append(
                Expectation(
                    index,
                    fields.get("subject", ""),
                    fields.get("unit", ""),
                    fields["from_ms"],
                    fields["to_ms"],
                    fields["operation"],
                    1000 * fields["max_silence_s"],
                )
            )


def find_absences(
    chains: Mapping[str, DeviceChain],
    roster: Roster,
    *,
    from_ms: int,
    to_ms: int,
    whole_log: bool,
) -> Absences:
    """Everything missing between two moments (POSIX milliseconds), the later one not after now.

    `whole_log`: False where only part of the log is at hand, so that a chain may begin late and
    end early without meaning anything.
    """
    found: list[Discrepancy] = []
    outages: list[Pause] = []
    for name in sorted(chains):
        chain = chains[name]
        found += chain.missing(from_start=whole_log)
        ends = _open_end(chain, to_ms) if whole_log else []
        silences = [*chain.silences, *(end for end in ends if not end.reason)]
        if chain.speaks_for_itself:
            found += [_silence(pause) for pause in silences]
        outages += [*chain.outages, *(end for end in ends if end.reason)]
    if whole_log:
        for due in roster.expectations:
            found += _not_recorded(due, chains, roster, from_ms=from_ms, to_ms=to_ms)
    return Absences(
        tuple(one for one in found if _meets(one.since_ms, one.until_ms, from_ms, to_ms)),
        tuple(one for one in outages if _meets(one.since_ms, one.until_ms, from_ms, to_ms)),
    )


def _open_end(chain: DeviceChain, to_ms: int) -> list[Pause]:
    """The time since the device was last heard from, where it is longer than allowed."""
    last = chain.runs[-1].tail
    if not last.stop_reason and to_ms - last.claimed_ms <= chain.allowed.silence_ms:
        return []
    if last.claimed_ms >= to_ms:
        return []
    return [Pause(chain.device, last.stop_reason, last.claimed_ms, None, last.index)]


def _silence(pause: Pause) -> Discrepancy:
    if pause.until_ms is None:
        text = f"{pause.device} has not been heard from since, and signed no stop"
    else:
        seconds = (pause.until_ms - pause.since_ms) / 1000
        text = f"{pause.device} was silent for {seconds:.0f} s, and signed no stop before"
    return Discrepancy(
        "unexplained-silence",
        text,
        pause.index,
        pause.index,
        (pause.device,),
        pause.since_ms,
        pause.until_ms,
    )


def _not_recorded(
    due: Expectation,
    chains: Mapping[str, DeviceChain],
    roster: Roster,
    *,
    from_ms: int,
    to_ms: int,
) -> list[Discrepancy]:
    """The parts of a time in which something was due that no recording covers."""
    start, end = max(due.from_ms, from_ms), min(due.to_ms, to_ms)
    names = [due.subject] if due.subject else _devices_of(due.unit, roster)
    spans = sorted(
        span for name in names if name in chains for span in _explained(chains[name], due, end)
    )
    at, found = start, []
    for first, last in [*spans, (end, end)]:
        if min(first, end) - at > due.silence_ms:
            found.append(_due(due, names, at, min(first, end)))
        at = max(at, last)
    return found


def _explained(chain: DeviceChain, due: Expectation, to_ms: int) -> list[tuple[int, int]]:
    """What the device recorded, and when it had signed that it could not.

    An outage of one device of a unit excuses nobody: another could have recorded.
    """
    if not due.subject:
        return chain.covered_ms
    stops = [*chain.outages, *_open_end(chain, to_ms)]
    return chain.covered_ms + [
        (one.since_ms, to_ms if one.until_ms is None else one.until_ms)
        for one in stops
        if one.reason in REASONS_THAT_EXCUSE
    ]


def _devices_of(unit: str, roster: Roster) -> list[str]:
    return sorted(name for name, of in roster.units.items() if of == unit)


def _due(due: Expectation, names: list[str], since_ms: int, until_ms: int) -> Discrepancy:
    who = due.subject or f"the unit {due.unit}"
    text = f"{who} was to record {due.operation}; {(until_ms - since_ms) / 1000:.0f} s are missing"
    return Discrepancy(
        "expected-recording-missing", text, due.index, due.index, tuple(names), since_ms, until_ms
    )


def _meets(since: int | None, until: int | None, from_ms: int, to_ms: int) -> bool:
    return (since is None or since < to_ms) and (until is None or until >= from_ms)


# == tidewaiter.custody.witness_times
#
# When an entry was logged, as far as the witnesses of its checkpoints bound it.
#
# Three clocks are kept apart: what the device claims, when the ingest says it came, and the time of
# the witnesses. Only the last binds; the order of entries is proven by the tree itself.

@dataclass(frozen=True)
class WitnessTimes:
    """Sizes of witnessed checkpoints with the times at which a quorum had confirmed them."""

    sizes: tuple[int, ...] = ()
    times_ms: tuple[int, ...] = ()

    def not_after_ms(self, index: int) -> int | None:
        """A time by which the entry was in the log; None where no witness has confirmed it."""
        place = bisect_right(self.sizes, index)
        return self.times_ms[place] if place < len(self.times_ms) else None

    def not_before_ms(self, index: int) -> int | None:
        """A time at which enough witnesses had not seen the entry; None where nothing says so."""
        place = bisect_right(self.sizes, index)
        return self.times_ms[place - 1] if place else None

    def size_by(self, time_ms: int) -> int:
        """How many entries were confirmed at that time."""
        place = bisect_right(self.times_ms, time_ms)
        return self.sizes[place - 1] if place else 0


def witness_times(confirmed: Iterable[tuple[int, int]]) -> WitnessTimes:
    """Times from pairs of size and POSIX milliseconds, in any order.

    A larger tree confirmed earlier bounds the smaller ones too, so that both columns only rise.
    """
    earliest: dict[int, int] = {}
    bound: int | None = None
    for size, time_ms in sorted(confirmed, reverse=True):
        bound = time_ms if bound is None else min(bound, time_ms)
        earliest[size] = bound
    sizes = sorted(earliest)
    return WitnessTimes(tuple(sizes), tuple(earliest[size] for size in sizes))


def end_of_second_ms(time_s: int) -> int:
    """The last POSIX millisecond of a second: witnesses state no smaller unit."""
    return 1000 * time_s + 999


# == tidewaiter.custody.retention
#
# How long each recording must be kept, what holds it, and whether it was erased rightly.
#
# A recording stays for the days of its class, counted from the later of what its device claims and
# what witnesses bound. A hold blocks erasing whatever the date. Erasing before the date takes a
# legal basis and two approvals, and without them is named `early-erasure`.

DAY_MS = 86_400_000
_BRINGS_A_RECORDING = {"segment", "import"}
_IS_ABOUT_A_RECORDING = {"ingest", "hold", "category", "derive"}


@dataclass(slots=True)
class Kept:
    """What the entries say of one recording."""

    entry: int
    since_ms: int
    retention_class: str
    holds: int = 0
    erased_by: int | None = None
    last: int = 0
    """The last entry that brought content under this name; 0 for a copy made from another."""


@dataclass
class RetentionBook:
    """Every recording with its class, holds and erasure; every class with its days."""

    recordings: dict[str, Kept] = field(default_factory=dict)
    class_days: dict[str, int] = field(default_factory=dict)

    def shortens(self, record: Record) -> bool:
        """Whether a change of category brings the recording's date forward; assumed if unknown."""
        kept = self.recordings.get(record.recording)
        old = self.class_days.get(kept.retention_class) if kept else None
        new = self.class_days.get(record.fields["class"])
        return old is None or new is None or new < old

    def expires_ms(self, recording: str) -> int | None:
        """When the recording may go; None where no entry says so."""
        kept = self.recordings.get(recording)
        if kept is None or kept.retention_class not in self.class_days:
            return None
        return kept.since_ms + self.class_days[kept.retention_class] * DAY_MS

    def is_erased(self, recording: str, entry: int | None = None) -> bool:
        """Whether an entry says that the content was destroyed that `entry` names; by default all.

        What came in under the same name later is not what people agreed to erase.
        """
        kept = self.recordings.get(recording)
        if kept is None or kept.erased_by is None:
            return False
        return kept.erased_by > (max(kept.entry, kept.last) if entry is None else entry)

    def enter(
        self, index: int, record: Record, lacking: str, times: WitnessTimes
    ) -> list[Discrepancy]:
        """Take in an entry; `lacking` says what its approvals lack, empty if nothing."""
        if record.kind == "erase":
            return self._erase(index, record, lacking, times)
        if record.kind in _BRINGS_A_RECORDING:
            named = record.fields.get("class", "")
            self.bring(index, record.recording, record.claimed_ms, named, times)
        elif record.kind in _IS_ABOUT_A_RECORDING and record.recording not in self.recordings:
            text = f"entry {index}, {record.kind}: no entry before it brings in {record.recording}"
            return [Discrepancy("entry-without-effect", text, index, index)]
        elif record.kind == "derive" and not lacking:
            self._derive(index, record, times)
        elif not lacking:
            self._change(record)
        return []

    def bring(
        self, index: int, recording: str, claimed_ms: int, named: str, times: WitnessTimes
    ) -> None:
        """Take in an entry that brings content of a recording, of the class it names if any."""
        since = max(claimed_ms, times.not_before_ms(index) or 0)
        kept = self.recordings.setdefault(recording, Kept(index, since, named))
        kept.last = index
        kept.since_ms = max(kept.since_ms, since)
        kept.retention_class = kept.retention_class or named

    def _derive(self, index: int, record: Record, times: WitnessTimes) -> None:
        since = max(record.claimed_ms, times.not_before_ms(index) or 0)
        kept = Kept(index, since, record.fields.get("class", ""))
        self.recordings.setdefault(record.fields["result"], kept)

    def _change(self, record: Record) -> None:
        fields = record.fields
        if record.kind == "retention":
            self.class_days[fields["class"]] = fields["days"]
        if record.kind not in _IS_ABOUT_A_RECORDING:
            return
        kept = self.recordings[record.recording]
        if record.kind == "category":
            kept.retention_class = fields["class"]
        elif record.kind == "ingest":
            kept.retention_class = kept.retention_class or fields.get("class", "")
        elif fields["state"] == "placed":
            kept.holds += 1
        elif kept.holds:
            kept.holds -= 1

    def _erase(
        self, index: int, record: Record, lacking: str, times: WitnessTimes
    ) -> list[Discrepancy]:
        kept, name = self.recordings.get(record.recording), record.recording
        if kept is None:
            text = f"entry {index} erases {name}, which no entry before it brought in"
            return [Discrepancy("entry-without-effect", text, index, index)]
        found = []
        due, at = self.expires_ms(name), record.claimed_ms
        confirmed = times.not_after_ms(index)
        by_ms = at if confirmed is None else min(at, confirmed)
        if kept.holds:
            text = f"entry {index} erases {name} while a hold on it is in force"
            found.append(Discrepancy("erased-under-hold", text, index, index, since_ms=by_ms))
        if lacking and due is not None and by_ms < due:
            days = (due - by_ms) / DAY_MS
            text = f"entry {index} erases {name} {days:.1f} days before its date; {lacking}"
            found.append(Discrepancy("early-erasure", text, index, index, since_ms=by_ms))
        elif lacking:
            found.append(
                Discrepancy("approval-missing", f"entry {index}, erase: {lacking}", index, index)
            )
        kept.erased_by = index
        return found


# == tidewaiter.custody.judging
#
# Every entry judged in the order of the log, by what the entries before it allow.
#
# The judge sees entries only: whether their bytes are those that were logged is the tree's to say,
# and whether media are still there the audit's. It never trusts the server's own findings.

_SIGNERS_OF_LEVEL = {"device": {"device"}, "dock": {"device", "dock"}}


@dataclass(frozen=True)
class Doubt:
    """Entries logged before their key was revoked, but not provably before it was lost."""

    signer: str
    first: int
    last: int
    count: int
    revoked_by: int
    since_ms: int


@dataclass
class Judge:
    """What follows from the entries so far: keys, chains, retention, what was due.

    `whole_log` is False where only some entries of a log are judged, as in a bundle.
    """

    times: WitnessTimes = field(default_factory=WitnessTimes)
    allowed: Allowed = field(default_factory=Allowed)
    whole_log: bool = True
    check_signatures: bool = True
    attributions_left: int = 20_000
    """How many keys may still be tried on signatures that do not fit the key they name."""

    history: KeyHistory = field(default_factory=KeyHistory)
    retention: RetentionBook = field(default_factory=RetentionBook)
    roster: Roster = field(default_factory=Roster)
    chains: dict[str, DeviceChain] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    verified: dict[int, bytes] = field(default_factory=dict)
    """Keys already found to have signed these entries; others are tried when they come."""

    signed: dict[str, array[int]] = field(default_factory=dict)
    """By signer, the entries that count as theirs."""

    blobs: dict[str, int] = field(default_factory=dict)
    """By digest of a sealed medium, the first entry that names it."""

    _requests: dict[str, int] = field(default_factory=dict)

    def feed(self, index: int, leaf: bytes) -> list[Discrepancy]:
        """Judge the entry at this index; entries come in the order of the log."""
        try:
            record = parse_record(leaf)
        except MalformedText as error:
            return [Discrepancy("record-malformed", f"entry {index}: {error}", index, index)]
        return self.feed_record(index, record)

    def feed_record(self, index: int, record: Record) -> list[Discrepancy]:
        """Judge an entry that has been parsed."""
        signature = self._judge_signature(index, record)
        if signature is not None:
            return [signature]
        self.signed.setdefault(record.signer, array("Q")).append(index)
        found = self._judge_clock(index, record) + self._judge_level(index, record)
        lacking = self._lacking(index, record)
        if lacking and record.kind != "erase":
            text = f"entry {index}, {record.kind}: {lacking}"
            found.append(Discrepancy("approval-missing", text, index, index))
        found += self._judge_repeats(index, record)
        found += self._take_effect(index, record, lacking)
        return found

    def absences(self, from_ms: int, to_ms: int) -> Absences:
        """What is missing between two moments, after the last entry was fed."""
        return find_absences(
            self.chains, self.roster, from_ms=from_ms, to_ms=to_ms, whole_log=self.whole_log
        )

    def settled_key(self, index: int, record: Record) -> bytes | None:
        """The key that must have signed it, where signer and level leave nothing to say.

        It holds for all later records of that signer, epoch, device and level, until an entry
        about keys comes. None where there is something to say, or may be later.
        """
        known = self.history.epochs.get((record.signer, record.epoch))
        if known is None or known.rotated is not None or known.revoked is not None:
            return None
        if self._judge_stand_in(record) or self._judge_level(index, record):
            return None
        return known.key

    def _judge_signature(self, index: int, record: Record) -> Discrepancy | None:
        if index == 0 and "people" in record.fields:
            return self._judge_founding(record)
        own_seq = record.seq if record.signer == record.device else None
        standing = self.history.standing(record.signer, record.epoch, index, own_seq)
        where = f"entry {index} of {record.device}"
        name, text = self._judge_key(record, standing)
        if name:
            return self._wrong(name, index, record, f"{where} {text}")
        if not self.check_signatures or self._is_signed_by(standing.key or b"", index, record):
            return None
        owner = self._who_signed(record)
        if owner:
            text = f"{where} was signed by {owner}, not by {record.signer}"
            return self._wrong("device-reattributed", index, record, text, owner)
        text = f"{where}: the signature is not by key {record.epoch} of {record.signer}"
        return self._wrong("bad-signature", index, record, text)

    def _is_signed_by(self, key: bytes, index: int, record: Record) -> bool:
        return self.verified.get(index) == key or signature_fits(record, key)

    def _judge_key(self, record: Record, standing: Standing) -> tuple[str, str]:
        """The name of what is wrong with the key that a record names, and a text; empty if fine."""
        if standing.key is None:
            return "unknown-key", f"cannot be attributed: {standing.problem}"
        stand_in = self._judge_stand_in(record)
        if stand_in:
            return "device-reattributed", stand_in
        if standing.problem:
            return "revoked-key-used", f"does not count: {standing.problem}"
        return "", ""

    def _judge_founding(self, record: Record) -> Discrepancy | None:
        """The first entry brings the keys of its own signers."""
        keys = [base64.b64decode(one["key"]) for one in record.fields["people"]]
        named = [one["id"] for one in record.fields["people"]]
        if record.signer not in named:
            text = f"entry 0 was signed by {record.signer}, who is not among the founders"
            return self._wrong("unknown-key", 0, record, text)
        if not signature_fits(record, keys[named.index(record.signer)]):
            text = f"entry 0: the signature is not by the founder {record.signer}"
            return self._wrong("bad-signature", 0, record, text)
        return None

    def _judge_stand_in(self, record: Record) -> str:
        """Only a dock or a service signs for another, and only for what has no key of its own."""
        if record.signer == record.device:
            return ""
        if record.device in self.history.holders:
            return f"was signed by {record.signer}, but {record.device} has a key of its own"
        signer = self.history.holders[record.signer]
        if signer.kind not in {"dock", "service"}:
            return f"was signed by {record.signer}, which is a {signer.kind} and no dock"
        return ""

    def _judge_level(self, index: int, record: Record) -> list[Discrepancy]:
        """Whether who signed first is what the record says: a dock is no camera."""
        holder = self.history.holders.get(record.signer)
        wanted = _SIGNERS_OF_LEVEL.get(record.level)
        if holder is None or wanted is None or holder.kind in wanted:
            return []
        text = (
            f"entry {index} claims the level {record.level}, but {record.signer}, which signed "
            f"it, is a {holder.kind}"
        )
        return [self._wrong("level-overstated", index, record, text)]

    def _who_signed(self, record: Record) -> str:
        """Whose signature it is, of the keys that the log knows; empty if nobody's.

        Tries are limited in all, so that many false signatures among many keys stay cheap.
        """
        for key, name in self.history.owners.items():
            if self.attributions_left == 0:
                return ""
            self.attributions_left -= 1
            if signature_fits(record, key):
                return name
        return ""

    def _wrong(
        self, name: str, index: int, record: Record, text: str, other: str = ""
    ) -> Discrepancy:
        devices = tuple(dict.fromkeys(one for one in (record.device, other) if one))
        return Discrepancy(name, text, index, index, devices, self.times.not_before_ms(index))

    def _judge_clock(self, index: int, record: Record) -> list[Discrepancy]:
        """Compare a claimed time with the witnesses, and a measured offset with what is allowed."""
        found = []
        confirmed = self.times.not_after_ms(index)
        if confirmed is not None and record.claimed_ms - confirmed > self.allowed.offset_ms:
            ahead_s = (record.claimed_ms - confirmed) / 1000
            text = (
                f"entry {index} of {record.device} claims a time {ahead_s:.0f} s after witnesses "
                "had confirmed it"
            )
            found.append(self._wrong("device-clock-off", index, record, text))
        if record.kind == "clock" and abs(record.fields["offset_ms"]) > self.allowed.offset_ms:
            subject, off_s = record.fields["subject"], record.fields["offset_ms"] / 1000
            text = f"the clock of {subject} was off by {off_s:+.0f} s when it was docked"
            found.append(
                Discrepancy("device-clock-off", text, index, index, (subject,), record.claimed_ms)
            )
        return found

    def _lacking(self, index: int, record: Record) -> str:
        holder = self.history.holders.get(record.signer)
        shortens = record.kind == "category" and self.retention.shortens(record)
        holder_kind = holder.kind if holder else "device"
        if not needs_two(record, holder_kind=holder_kind, shortens=shortens):
            return ""
        return missing_approvals(index, record, self.history)

    def _judge_repeats(self, index: int, record: Record) -> list[Discrepancy]:
        found = []
        request, blob = record.fields.get("request"), record.fields.get("blob")
        if request is not None:
            first = self._requests.setdefault(request, index)
            if first != index:
                text = f"entry {index} uses the approvals given for entry {first} again"
                found.append(Discrepancy("approval-reused", text, first, index))
        if blob is not None:
            first = self.blobs.setdefault(blob, index)
            if first != index and record.kind == "segment":
                text = f"entry {index} of {record.device} is the medium of entry {first} again"
                found.append(self._wrong("segment-replayed", index, record, text))
        return found

    def _take_effect(self, index: int, record: Record, lacking: str) -> list[Discrepancy]:
        found = []
        if not lacking:
            self.roster.enter(index, record)
            problem = self.history.enter(index, record)
            if problem:
                found.append(Discrepancy("entry-without-effect", problem, index, index))
            elif record.kind == "key.revoke":
                self._doubt(index, record)
        if record.seq is not None:
            if record.device not in self.chains:
                self.chains[record.device] = DeviceChain(record.device, self.allowed)
            found += self.chains[record.device].enter(index, record)
        return found + self.retention.enter(index, record, lacking, self.times)

    def _doubt(self, index: int, record: Record) -> None:
        """Note what the revoked key signed that no witness had confirmed when it was lost."""
        subject, since_ms = record.fields["subject"], record.fields["since_ms"]
        proven = self.times.size_by(since_ms)
        late = [one for one in self.signed.get(subject, ()) if one >= proven]
        if late:
            self.doubts.append(Doubt(subject, late[0], late[-1], len(late), index, since_ms))


# == tidewaiter.custody.merkle
#
# The Merkle tree of the custody log, and its proofs of inclusion and of consistency.
#
# Tree and proofs are those of RFC 6962 (2.1), the two verifiers those of RFC 9162 (2.1.3.2 and
# 2.1.4.2). Only complete nodes are stored: node `index` of level `l` covers the leaves from
# `index * 2^l` on, `2^l` of them; everything else folds from at most log2(size) of these.

HASH_LENGTH = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()
"""Root of the log that holds nothing."""
LEAF_PREFIX = b"\x00"
NODE_PREFIX = b"\x01"


def leaf_hash(data: bytes) -> bytes:
    """The hash by which a log entry of these bytes stands in the tree."""
    return hashlib.sha256(LEAF_PREFIX + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node above these two."""
    return hashlib.sha256(NODE_PREFIX + left + right).digest()


class Tree:
    """An append-only Merkle tree over leaf hashes; one byte array for each level.

    64 bytes a leaf in all. Sizes asked for may be any from 0 to `size`, so that proofs against
    an earlier checkpoint need no earlier copy of the tree.
    """

    def __init__(self, leaf_hashes: Iterable[bytes] = ()) -> None:
        self._levels: list[bytearray] = [bytearray()]
        self.extend(leaf_hashes)

    @property
    def size(self) -> int:
        """How many leaves there are."""
        return len(self._levels[0]) // HASH_LENGTH

    def append(self, leaf: bytes) -> int:
        """Add one leaf hash; returns its index."""
        _must_be_hash(leaf)
        index = self.size
        self._levels[0] += leaf
        # Every trailing 1 bit of the index is a left sibling waiting: its parent is now whole.
        level, remaining = 0, index
        while remaining & 1:
            pair = self._levels[level][-2 * HASH_LENGTH :]
            level, remaining = level + 1, remaining >> 1
            if level == len(self._levels):
                self._levels.append(bytearray())
            self._levels[level] += hashlib.sha256(NODE_PREFIX + pair).digest()
        return index

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add many leaf hashes at once, level by level: faster than one by one."""
        hashes = list(leaf_hashes)
        for leaf in hashes:
            _must_be_hash(leaf)
        self._levels[0] += b"".join(hashes)
        level = 0
        while self._raise_level(level):
            level += 1

    def leaf(self, index: int) -> bytes:
        """The leaf hash at this index."""
        _must_be_leaf_of(index, self.size)
        return self._node(0, index)

    def nodes(self, level: int, start: int, stop: int) -> bytes:
        """The hashes of the complete nodes `start` up to before `stop` of a level, joined."""
        known = self._levels[level] if level < len(self._levels) else bytearray()
        reached = len(known) // HASH_LENGTH
        if not 0 <= start <= stop <= reached:
            raise BrokenProof(f"level {level} has {reached} complete nodes; {stop} were asked for")
        return bytes(known[HASH_LENGTH * start : HASH_LENGTH * stop])

    def root(self, size: int | None = None) -> bytes:
        """The root over the first `size` leaves; over all of them by default."""
        chosen = self._chosen(size)
        return self._fold(0, chosen) if chosen else EMPTY_ROOT

    def peaks(self, size: int | None = None) -> list[tuple[int, bytes]]:
        """Level and hash of the complete subtrees of the first `size` leaves, largest first."""
        remaining, found, start = self._chosen(size), [], 0
        while remaining:
            level = remaining.bit_length() - 1
            found.append((level, self._node(level, start >> level)))
            start, remaining = start + (1 << level), remaining - (1 << level)
        return found

    def inclusion_proof(self, index: int, size: int | None = None) -> list[bytes]:
        """The hashes, sibling first, that lead from leaf `index` to the root over `size` leaves."""
        end = self._chosen(size)
        _must_be_leaf_of(index, end)
        path, start = [], 0
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._fold(middle, end))
                end = middle
            else:
                path.append(self._fold(start, middle))
                start = middle
        path.reverse()
        return path

    def consistency_proof(self, old: int, new: int | None = None) -> list[bytes]:
        """The hashes that show that the first `old` of `new` leaves have not been changed."""
        end = self._chosen(new)
        _must_be_reached(old, end)
        path: list[bytes] = []
        start, whole = 0, True
        while 0 < old < end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._fold(middle, end))
                end = middle
            else:
                path.append(self._fold(start, middle))
                start, whole = middle, False
        if not whole:
            path.append(self._fold(start, end))
        path.reverse()
        return path

    def _raise_level(self, level: int) -> bool:
        """Hash the new pairs of a level into the next; says whether there were any."""
        nodes = self._levels[level]
        above = self._levels[level + 1] if level + 1 < len(self._levels) else bytearray()
        first, last = 2 * len(above), len(nodes) // (2 * HASH_LENGTH) * 2 * HASH_LENGTH
        if first >= last:
            return False
        pairs = bytes(nodes[first:last])
        sha256, prefix, width = hashlib.sha256, NODE_PREFIX, 2 * HASH_LENGTH
        above += b"".join(
            [sha256(prefix + pairs[at : at + width]).digest() for at in range(0, len(pairs), width)]
        )
        if level + 1 == len(self._levels):
            self._levels.append(above)
        return True

    def _chosen(self, size: int | None) -> int:
        if size is None:
            return self.size
        _must_be_reached(size, self.size)
        return size

    def _node(self, level: int, index: int) -> bytes:
        return bytes(self._levels[level][HASH_LENGTH * index : HASH_LENGTH * (index + 1)])

    def _fold(self, start: int, end: int) -> bytes:
        """Root over leaves [start, end); `start` is a multiple of a power of two ≥ the span."""
        span, folded = end - start, b""
        while span:
            level = (span & -span).bit_length() - 1
            peak = self._node(level, ((start + span) >> level) - 1)
            folded = node_hash(peak, folded) if folded else peak
            span &= span - 1
        return folded


def verify_inclusion(
    index: int, size: int, leaf: bytes, path: Sequence[bytes], root: bytes
) -> None:
    """Accept that `leaf` is the hash at `index` under `root` over `size` leaves, or raise.

    Raises BrokenProof.
    """
    _must_be_leaf_of(index, size)
    _must_be_path(path)
    first, last, folded = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise BrokenProof(
                f"the proof for leaf {index} of {size} has {len(path)} hashes: too many"
            )
        if first & 1 or first == last:
            folded = node_hash(sibling, folded)
            first, last = _past_right_edge(first, last)
        else:
            folded = node_hash(folded, sibling)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise BrokenProof(f"the proof for leaf {index} of {size} has {len(path)} hashes: too few")
    if folded != root:
        raise BrokenProof(
            f"the proof for leaf {index} of {size} leads to another root than the checkpoint's: "
            "the entry is not the one that was logged there, or the proof was altered"
        )


def verify_consistency(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    """Accept that the tree of `old` leaves is the beginning of that of `new` leaves, or raise.

    Raises BrokenProof.
    """
    if not 0 <= old <= new:
        raise BrokenProof(f"a tree of {old} leaves cannot be the beginning of one of {new}")
    _must_be_path(path)
    if old in {0, new}:
        _verify_trivial(old, new, old_root, new_root, path)
        return
    if not path:
        raise BrokenProof(f"no hashes were given to lead from {old} leaves to {new}")
    first, last = _past_complete_subtrees(old - 1, new - 1)
    hashes = iter(path)
    seed = old_root if old & (old - 1) == 0 else next(hashes)
    old_folded = new_folded = seed
    for sibling in hashes:
        if last == 0:
            raise BrokenProof(f"the proof from {old} leaves to {new} has too many hashes")
        if first & 1 or first == last:
            old_folded, new_folded = node_hash(sibling, old_folded), node_hash(sibling, new_folded)
            first, last = _past_right_edge(first, last)
        else:
            new_folded = node_hash(new_folded, sibling)
        first, last = first >> 1, last >> 1
    if last != 0:
        raise BrokenProof(f"the proof from {old} leaves to {new} has too few hashes")
    if old_folded != old_root or new_folded != new_root:
        raise BrokenProof(
            f"the log of {new} leaves does not continue the log of {old}: "
            "history was rewritten, or the proof was altered"
        )


def _split(span: int) -> int:
    """The largest power of two smaller than the span."""
    return 1 << ((span - 1).bit_length() - 1)


def _past_right_edge(first: int, last: int) -> tuple[int, int]:
    while first & 1 == 0 and first != 0:
        first, last = first >> 1, last >> 1
    return first, last


def _past_complete_subtrees(first: int, last: int) -> tuple[int, int]:
    while first & 1:
        first, last = first >> 1, last >> 1
    return first, last


def _verify_trivial(
    old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]
) -> None:
    if path:
        raise BrokenProof(f"the proof from {old} leaves to {new} has hashes where none belong")
    if old == new and old_root != new_root:
        raise BrokenProof(f"two different roots over the same {new} leaves: the log was forked")
    if old == 0 and old_root != EMPTY_ROOT:
        raise BrokenProof("the root given for the empty log is not the root of an empty tree")


def _must_be_hash(leaf: bytes) -> None:
    if len(leaf) != HASH_LENGTH:
        raise BrokenProof(f"a leaf hash of {len(leaf)} bytes; {HASH_LENGTH} needed")


def _must_be_leaf_of(index: int, size: int) -> None:
    if not 0 <= index < size:
        raise BrokenProof(f"leaf {index} of {size}: there is no such leaf in that tree")


def _must_be_reached(size: int, reached: int) -> None:
    if not 0 <= size <= reached:
        raise BrokenProof(f"a tree of {size} leaves was asked for; the log has {reached}")


def _must_be_path(path: Sequence[bytes]) -> None:
    for sibling in path:
        if len(sibling) != HASH_LENGTH:
            raise BrokenProof(f"a proof hash of {len(sibling)} bytes; {HASH_LENGTH} needed")


# == tidewaiter.custody.checkpoint
#
# Checkpoints: a log's name, its size and its root, as C2SP tlog-checkpoint spells them.

@dataclass(frozen=True)
class Checkpoint:
    """The state of the log `origin` when it held `size` entries.

    `extensions` are lines that others may add; this log never writes any, and whoever checks
    this log refuses them, because not every cosignature covers them.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.size <= LARGEST_NUMBER or len(self.root) != HASH_LENGTH:
            raise MalformedText(
                f"a checkpoint of {self.size} entries with a root of {len(self.root)} bytes; "
                "a size from 0 to 2^63 - 1 and 32 bytes are needed"
            )
        for line in (self.origin, *self.extensions):
            if not line or "\n" in line:
                raise MalformedText("a line of the checkpoint is empty or is more than one line")

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """The checkpoint that is the text of a note. Raises MalformedText."""
        lines = text.encode("utf-8").split(b"\n")
        if lines.pop() != b"" or len(lines) < 3:
            raise MalformedText(
                f"a checkpoint of {len(lines)} lines; origin, size and root are needed"
            )
        origin, size, root, *extensions = lines
        return cls(
            exact_text(origin, "the origin"),
            exact_number(size, "the tree size"),
            exact_hash(root, "the root hash"),
            tuple(exact_text(line, "an extension line") for line in extensions),
        )

    @property
    def text(self) -> str:
        """The text that is signed, with its final newline."""
        lines = (self.origin, str(self.size), spelled_base64(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def sign_checkpoint(checkpoint: Checkpoint, key: SigningKey) -> Note:
    """The checkpoint as a note of the log, whose key carries the origin as its name."""
    if key.name != checkpoint.origin:
        raise MalformedText(f"the key {key.name} cannot sign for the log {checkpoint.origin}")
    if checkpoint.extensions:
        raise MalformedText("this log writes no extension lines into its checkpoints")
    return sign_note(checkpoint.text, key)


# == tidewaiter.custody.cosignature
#
# Cosignatures of witnesses on checkpoints, as C2SP tlog-cosignature has them.
#
# A cosignature says: at this time, this was the largest consistent tree of this log that the
# witness had seen. The Ed25519 message does not name the witness, so no key may serve two.

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


# == tidewaiter.custody.policy
#
# Trust policies: which logs are known, which witnesses, and how many of these must agree.
#
# The file is C2SP tlog-policy. Its words are bytes, compared as bytes. What counts towards the
# quorum is distinct witnesses of the policy: never lines, and never the log's own signature.

NO_QUORUM = "none"
"""What a policy names as its quorum when nobody independent needs to confirm anything."""
LARGEST_POLICY_BYTES = 1 << 18
# Tab, newline and everything from space on but delete.
_ALLOWED = re.compile(rb"[\t\n\x20-\x7e\x80-\xff]*")
_THRESHOLD = re.compile(rb"[1-9][0-9]{0,5}")


@dataclass(frozen=True)
class PolicyLog:
    """A log that is known: its key, whose name is the origin, and perhaps its address."""

    key: VerifierKey
    url: str


@dataclass(frozen=True)
class PolicyWitness:
    """A witness that is known, under the name by which the policy counts it."""

    name: str
    key: VerifierKey
    url: str


@dataclass(frozen=True)
class PolicyGroup:
    """A group that has confirmed once `threshold` of its members have."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class Policy:
    """Who is trusted, and the name of the witness or group whose confirmation is needed."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[PolicyWitness, ...]
    groups: tuple[PolicyGroup, ...]
    quorum: str

    @classmethod
    def parse(cls, data: bytes) -> Policy:
        """Read a policy file. Raises MalformedText, which names the line and the rule."""
        must_be_short(data, LARGEST_POLICY_BYTES, "the policy")
        if not _ALLOWED.fullmatch(data):
            raise MalformedText(
                "the policy holds a control character other than tab and "
                f"newline{changed_line_ends(data)}"
            )
        reading = _PolicyReading()
        for number, line in enumerate(data.split(b"\n"), 1):
            words = re.findall(rb"[^ \t]+", line)
            if words and not words[0].startswith(b"#"):
                try:
                    reading.take(words)
                except MalformedText as error:
                    raise MalformedText(f"line {number} of the policy: {error}") from error
        return reading.finished()

    @property
    def needs_witnesses(self) -> bool:
        """Whether anybody independent must have confirmed a checkpoint."""
        return self.quorum != NO_QUORUM

    def quorum_met(self, confirmed: AbstractSet[str]) -> bool:
        """Whether these witnesses, by their names in this policy, are enough."""
        if not self.needs_witnesses:
            return True
        met = {witness.name for witness in self.witnesses if witness.name in confirmed}
        # Members are defined before their group, so one pass in the file's order is enough.
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        return self.quorum in met

    @property
    def needed_words(self) -> str:
        """What the quorum asks for, in words: “2 of vigilance, audit, wco”."""
        words = {witness.name: shown_name(witness.name) for witness in self.witnesses}
        groups = {group.name for group in self.groups}
        # Members are defined before their group; one pass keeps deep nesting off the stack.
        for group in self.groups:
            members = [
                f"({words[member]})" if member in groups else words[member]
                for member in group.members
            ]
            words[group.name] = f"{group.threshold} of {', '.join(members)}"
        return words.get(self.quorum, self.quorum)


def shown_name(name: str) -> str:
    """A policy's name as it can be printed: bytes that are no UTF-8 become question marks."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


@dataclass
class _PolicyReading:
    """The lines of a policy so far."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: list[PolicyWitness] = field(default_factory=list)
    groups: list[PolicyGroup] = field(default_factory=list)
    quorum: str | None = None
    names: set[str] = field(default_factory=set)
    members: set[str] = field(default_factory=set)

    def take(self, words: list[bytes]) -> None:
        kinds: dict[bytes, Callable[[list[bytes]], None]] = {
            b"log": self._log,
            b"witness": self._witness,
            b"group": self._group,
            b"quorum": self._quorum,
        }
        if words[0] not in kinds:
            raise MalformedText(f"{quoted(words[0])} is none of log, witness, group, quorum")
        kinds[words[0]](words[1:])

    def finished(self) -> Policy:
        if self.quorum is None:
            raise MalformedText("the policy has no quorum line; exactly one is needed")
        return Policy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), self.quorum)

    def _log(self, words: list[bytes]) -> None:
        if len(words) not in {1, 2}:
            raise MalformedText("“log <vkey> [<url>]” is needed")
        key = VerifierKey.parse(words[0])
        if key.algorithm != ED25519_NOTE:
            raise MalformedText(f"the key {key.name} is not of the type 0x01, a log's")
        self._must_be_new_key(key)
        self.logs.append(PolicyLog(key, _policy_word(words[1]) if words[1:] else ""))

    def _witness(self, words: list[bytes]) -> None:
        if len(words) not in {2, 3}:
            raise MalformedText("“witness <name> <vkey> [<url>]” is needed")
        name, key = self._new_name(words[0]), VerifierKey.parse(words[1])
        if key.algorithm not in COSIGNATURE_TYPES:
            raise MalformedText(f"the key {key.name} is not of the type 0x04 or 0x06, a witness's")
        self._must_be_new_key(key)
        url = _policy_word(words[2]) if words[2:] else ""
        self.witnesses.append(PolicyWitness(name, key, url))
        self.names.add(name)

    def _group(self, words: list[bytes]) -> None:
        if len(words) < 3:
            raise MalformedText("“group <name> <k|any|all> <member>…” is needed")
        name = self._new_name(words[0])
        members = tuple(self._new_member(word) for word in words[2:])
        self.groups.append(PolicyGroup(name, _threshold(words[1], len(members)), members))
        self.names.add(name)

    def _quorum(self, words: list[bytes]) -> None:
        if len(words) != 1:
            raise MalformedText("“quorum <name>” is needed")
        if self.quorum is not None:
            raise MalformedText("a second quorum line; exactly one is needed")
        name = _policy_word(words[0])
        if name != NO_QUORUM and name not in self.names:
            raise MalformedText(f"the quorum {quoted(words[0])} is not defined above")
        self.quorum = name

    def _new_name(self, word: bytes) -> str:
        name = _policy_word(word)
        if name == NO_QUORUM or name in self.names:
            raise MalformedText(f"the name {quoted(word)} is taken already")
        return name

    def _new_member(self, word: bytes) -> str:
        name = _policy_word(word)
        if name not in self.names:
            raise MalformedText(f"the member {quoted(word)} is not defined above")
        if name in self.members:
            raise MalformedText(f"{quoted(word)} is a member already; a name may be one only once")
        self.members.add(name)
        return name

    def _must_be_new_key(self, key: VerifierKey) -> None:
        listed = [log.key for log in self.logs] + [witness.key for witness in self.witnesses]
        for known in listed:
            if known.public == key.public:
                raise MalformedText(
                    f"the key of {key.name} is listed already, as {known.name}: "
                    "one key cannot count twice"
                )


def _threshold(word: bytes, members: int) -> int:
    if word == b"any":
        return 1
    if word == b"all":
        return members
    if not _THRESHOLD.fullmatch(word) or int(word) > members:
        raise MalformedText(f"the threshold {quoted(word)} is not 1 to {members}, any or all")
    return int(word)


def _policy_word(word: bytes) -> str:
    """Names are opaque bytes; bytes that are no UTF-8 stay apart from all that are."""
    return word.decode("utf-8", "surrogateescape")


# == tidewaiter.custody.trust
#
# Whether a checkpoint is what the policy asks for: the log's key, and a quorum of witnesses.

_LONGEST_WORD = 200


@dataclass(frozen=True)
class JudgedCheckpoint:
    """A checkpoint signed by a known log, with what the witnesses of the policy say of it.

    `confirmed` gives the time (POSIX seconds) of each witness's earliest cosignature, under the
    witness's name in the policy; `quorum_met` counts distinct witnesses. `not_after_s` is a time
    by which this state of the log existed: when enough witnesses had confirmed it, so that no
    single one sets it; None where too few have, or none at all.
    """

    checkpoint: Checkpoint
    confirmed: Mapping[str, int]
    quorum_met: bool
    not_after_s: int | None


def judge_checkpoint(data: bytes, policy: Policy) -> JudgedCheckpoint:
    """Check every signature of a known key on a checkpoint note.

    A missing quorum is a result, not an error: it may only be that a witness is late. Raises
    MalformedText, BadSignature when a line of a known log or witness does not fit, and
    UnknownSigner when no log of the policy with this origin signed.
    """
    note = Note.parse(data)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.extensions:
        raise MalformedText(
            f"the checkpoint of {_one_word(checkpoint.origin)} has extension lines; "
            "this log never writes any, and not every cosignature covers them"
        )
    keys = [log.key for log in policy.logs if log.key.name == checkpoint.origin]
    if not keys:
        raise UnknownSigner(f"the log {_one_word(checkpoint.origin)} is not in the policy")
    open_note(note, keys)
    confirmed = _confirmed(note, checkpoint, policy)
    met = policy.quorum_met(confirmed.keys())
    return JudgedCheckpoint(checkpoint, confirmed, met, _quorum_time_s(confirmed, policy))


def judge_proof(proof: ProofFile, leaf: bytes, policy: Policy) -> JudgedCheckpoint:
    """Check that the entry with these bytes is in the log at the proof's index.

    Raises BrokenProof beside what `judge_checkpoint` raises; whether the quorum is met is in
    the result.
    """
    judged = judge_checkpoint(proof.checkpoint_note, policy)
    checkpoint = judged.checkpoint
    verify_inclusion(proof.index, checkpoint.size, leaf_hash(leaf), proof.path, checkpoint.root)
    return judged


def _confirmed(note: Note, checkpoint: Checkpoint, policy: Policy) -> dict[str, int]:
    confirmed: dict[str, int] = {}
    for witness in policy.witnesses:
        for signature in note.signatures:
            if signature.is_by(witness.key):
                time_s = verify_cosignature(checkpoint, witness.key, signature)
                confirmed[witness.name] = min(time_s, confirmed.get(witness.name, time_s))
    return confirmed


def _quorum_time_s(confirmed: Mapping[str, int], policy: Policy) -> int | None:
    for time_s in sorted(confirmed.values()):
        if policy.quorum_met({name for name, at in confirmed.items() if at <= time_s}):
            return time_s
    return None


def _one_word(origin: str) -> str:
    """A foreign origin as it is shown: a log of a policy has no spaces in its name, and is short.

    With spaces it could read as a sentence of the verdict.
    """
    word = "_".join(origin.split())
    return word if len(word) <= _LONGEST_WORD else f"{word[:_LONGEST_WORD]}…"


# == tidewaiter.custody.verify_files
#
# Whether files handed in are what the entries of a bundle say, and what openings reveal.

FILES_OF_A_RECORDING = ("media", "manifest")
"""Commitments whose value is the SHA-256 of a file, in hexadecimal."""
FILES_NAMED_OPENLY = ("blob", "manifest_blob", "report", "exhibit")
"""Fields that hold the SHA-256 of a file as it is: a sealed one, or one that was examined."""


@dataclass(frozen=True)
class HandedIn:
    """A file whose bytes are to be checked: its name, SHA-256 in hexadecimal, and length."""

    name: str
    sha256: str
    byte_length: int


@dataclass(frozen=True)
class LoggedEntry:
    """An entry that is in the log, with the salts that came in its proof file."""

    index: int
    record: Record
    salts: Mapping[str, bytes]


def check_files(
    entries: Sequence[LoggedEntry],
    opening_parts: Sequence[tuple[str, bytes]],
    files: Sequence[HandedIn],
    notes: Notebook,
) -> None:
    """Match every file with an entry; say of each whether it is what was logged."""
    openings = _read_openings(opening_parts, notes)
    _note_openings(entries, openings, notes)
    matched: set[int] = set()
    for file in files:
        match = _match(file, entries, openings)
        if match is None:
            _note_stranger(file, entries, openings, notes)
        else:
            matched.add(match[0].index)
            notes.proven.append(_matched_words(file, *match))
    for entry in entries:
        if "blob" in entry.record.fields and entry.index not in matched:
            notes.not_proven.append(
                f"the content of {entry.record.recording} (entry {entry.index}): no file that "
                "fits it was handed in, only its entry was checked"
            )
        if entry.record.fields.get("signatures"):
            names = shown_text(", ".join(entry.record.fields["signatures"]))
            notes.not_proven.append(
                f"what signatures inside {entry.record.recording} said (entry {entry.index} noted "
                f"{names}): they were read when it came in, and nothing here rests on them"
            )


def _read_openings(parts: Sequence[tuple[str, bytes]], notes: Notebook) -> list[Opening]:
    found: list[Opening] = []
    for name, body in parts:
        try:
            found += parse_openings(body)
        except MalformedText as error:
            notes.contradict("record-malformed", f"{shown_text(name)}: {error}")
    return found


def _note_openings(
    entries: Sequence[LoggedEntry], openings: Sequence[Opening], notes: Notebook
) -> None:
    by_digest = {entry.record.digest: entry for entry in entries}
    for opening in openings:
        entry = by_digest.get(opening.record)
        field = shown_text(opening.field)
        if entry is None:
            notes.missing.append(f"the entry that the opening of {field} belongs to")
        elif not opens(entry.record, opening):
            text = f"the opening of {field} does not fit what entry {entry.index} committed to"
            notes.contradict("record-edited", text, entry.index)
        elif opening.field not in FILES_OF_A_RECORDING:
            value = shown_text(str(opening.value))
            notes.proven.append(f"{field} of entry {entry.index} is: {value}")


def _match(
    file: HandedIn, entries: Sequence[LoggedEntry], openings: Sequence[Opening]
) -> tuple[LoggedEntry, str] | None:
    """The entry and field that a file is the content of."""
    for entry in entries:
        for field in FILES_NAMED_OPENLY:
            if entry.record.fields.get(field) == file.sha256:
                return entry, field
        for field in FILES_OF_A_RECORDING:
            if any(
                commit(field, salt, file.sha256) == entry.record.commit.get(field)
                for salt in _salts(entry, field, openings)
            ):
                return entry, field
    return None


def _salts(entry: LoggedEntry, field: str, openings: Sequence[Opening]) -> list[bytes]:
    given = [entry.salts[field]] if field in entry.salts else []
    digest = entry.record.digest
    return given + [one.salt for one in openings if (one.record, one.field) == (digest, field)]


def _matched_words(file: HandedIn, entry: LoggedEntry, field: str) -> str:
    name, index, record = shown_text(file.name), entry.index, entry.record
    if field in {"report", "exhibit"}:
        return f"{name} is, byte for byte, the {field} of the {record.kind} logged as entry {index}"
    sealed = ", still sealed" if field.endswith("blob") else ""
    if field.startswith("manifest"):
        return f"{name} is the manifest of {record.recording} logged as entry {index}{sealed}"
    if record.kind == "derive":
        return (
            f"{name} is, byte for byte, the redacted copy {record.fields['result']} logged as "
            f"entry {index}{sealed}: made from {record.recording}, and not the original"
        )
    return (
        f"{name} is, byte for byte, the recording {record.recording} of {record.device} logged "
        f"as entry {index}{sealed}"
    )


def _note_stranger(
    file: HandedIn,
    entries: Sequence[LoggedEntry],
    openings: Sequence[Opening],
    notes: Notebook,
) -> None:
    """A file that fits no entry: contradicted if every recording could have been compared."""
    name = shown_text(file.name)
    comparable = [entry for entry in entries if _files_of(entry)]
    # A plain recording is shorter than its sealed file, so one of that length was sealed.
    sealed = [entry for entry in entries if entry.record.fields.get("bytes") == file.byte_length]
    closed = [
        entry
        for entry in comparable
        if "blob" in entry.record.fields and not _salts(entry, "media", openings)
    ]
    if sealed:
        comparable, closed = sealed, []
    if not comparable:
        notes.missing.append(f"the entry with which {name} could be compared")
    elif closed:
        names = ", ".join(entry.record.recording for entry in closed[:3])
        notes.missing.append(
            f"{name} is not the sealed file of any entry here; whether it is the plain recording "
            f"takes the salt of {names}, which was not handed in or was destroyed"
        )
    else:
        index = comparable[0].index if len(comparable) == 1 else None
        names = ", ".join(_files_of(entry) for entry in comparable[:3])
        text = f"{name} ({file.byte_length} bytes, SHA-256 {file.sha256}) is not {names} as logged"
        notes.contradict("media-edited", text, index)


def _files_of(entry: LoggedEntry) -> str:
    """What the entry says of files, in words; empty where it names none."""
    fields, record = entry.record.fields, entry.record
    if "blob" in fields:
        return str(fields.get("result", record.recording))
    if "report" in fields or "exhibit" in fields:
        return f"the exhibit or report of entry {entry.index}"
    return ""


# == tidewaiter.custody.verify
#
# The offline verifier: a bundle, a policy and perhaps files in; a verdict in words out.
#
# It asks no server and believes nothing in the bundle but what leads to a checkpoint that the
# policy's witnesses confirmed. A part that does not parse is a failed verification.

# What a part of a log cannot decide, because the entry that would is perhaps not in the bundle.
_OPEN_IN_PART = {"unknown-key", "entry-without-effect"}
_SIGNER_IS_OPEN = {"unknown-key", "revoked-key-used", "bad-signature", "device-reattributed"}
_NEEDS_APPROVERS = {"approval-missing", "early-erasure"}
_LEVELS_IN_WORDS = {
    "device": "the device itself signed first: what it was shown or fed before is not covered",
    "dock": "the dock signed first: nothing before the docking is covered",
    "ingest": "the ingest signed first: nothing before it is covered",
    "import": "it was imported: nothing before the import is covered",
}


@dataclass(frozen=True)
class Part:
    """One file of a bundle."""

    name: str
    body: bytes


@dataclass(frozen=True)
class Bundle:
    """What is to be verified: proof files with their entries inside, and openings."""

    proofs: tuple[Part, ...]
    openings: tuple[Part, ...] = ()


def verify(bundle: Bundle, policy_text: bytes, files: Sequence[HandedIn] = ()) -> Verdict:
    """Verify a bundle, and files against it; never raises for anything in its arguments."""
    try:
        policy = Policy.parse(policy_text)
    except MalformedText as error:
        text = one_line(f"the policy cannot be read: {error}")
        return Verdict(Conclusion.NOT_A_BUNDLE, missing=(text,))
    if not any(part.body.startswith(FIRST_LINE) for part in bundle.proofs):
        text = f"no proof file was handed in: none begins with {FIRST_LINE.decode()}"
        return Verdict(Conclusion.NOT_A_BUNDLE, missing=(text,))
    notes = Notebook()
    entries = [entry for part in bundle.proofs for entry in _check_proof(part, policy, notes)]
    _check_views(entries, notes)
    entries = [entry for entry in entries if _is_confirmed(entry.judged, policy, notes)]
    for origin in dict.fromkeys(entry.judged.checkpoint.origin for entry in entries):
        group = {e.index: e for e in entries if e.judged.checkpoint.origin == origin}
        _check_log([group[index] for index in sorted(group)], notes)
    openings = [(part.name, part.body) for part in bundle.openings]
    check_files([entry.logged for entry in entries], openings, files, notes)
    return notes.verdict()


@dataclass(frozen=True)
class _Entry:
    """An entry that is in the log of the checkpoint it came with."""

    index: int
    leaf: bytes
    judged: JudgedCheckpoint
    logged: LoggedEntry


def _check_proof(part: Part, policy: Policy, notes: Notebook) -> list[_Entry]:
    """Follow one proof from its entry to a checkpoint that the policy's log signed."""
    name = shown_text(part.name)
    try:
        proof = ProofFile.parse(part.body)
        if proof.extra is None:
            notes.missing.append(f"{name} proves an entry that is not in it")
            return []
        leaf, salts = unpack_extra(proof.extra)
        judged = judge_proof(proof, leaf, policy)
        record = parse_record(leaf)
    except UnknownSigner as error:
        notes.missing.append(f"{name}: {error}")
        return []
    except BrokenProof as error:
        notes.contradict("record-edited", f"{name}: {error}")
        return []
    except BadSignature as error:
        notes.contradict("checkpoint-invalid", f"{name}: {error}")
        return []
    except MalformedText as error:
        notes.contradict("record-malformed", f"{name}: {error}")
        return []
    return [_Entry(proof.index, leaf, judged, LoggedEntry(proof.index, record, salts))]


def _check_views(entries: Sequence[_Entry], notes: Notebook) -> None:
    """Signed checkpoints that contradict each other are a fork, whoever confirmed them."""
    checkpoints: dict[tuple[str, int], bytes] = {}
    leaves: dict[str, dict[int, bytes]] = {}
    for entry in entries:
        checkpoint = entry.judged.checkpoint
        size_key = (checkpoint.origin, checkpoint.size)
        if checkpoints.setdefault(size_key, checkpoint.root) != checkpoint.root:
            text = (
                f"{checkpoint.origin} signed two different logs of {checkpoint.size} entries; "
                "keep both checkpoints: together they prove it to anybody"
            )
            notes.contradict("split-view", text)
        known = leaves.setdefault(checkpoint.origin, {})
        if known.setdefault(entry.index, entry.leaf) != entry.leaf:
            text = f"two checkpoints of {checkpoint.origin} show different entries {entry.index}"
            notes.contradict("split-view", text, entry.index)
    trees = {origin: _tree_of(known) for origin, known in leaves.items()}
    for (origin, size), root in checkpoints.items():
        if size <= trees[origin].size and trees[origin].root(size) != root:
            text = (
                f"the first {size} entries of {origin} are not those of its checkpoint of {size} "
                "entries: it signed two histories"
            )
            notes.contradict("split-view", text)


def _tree_of(leaves: Mapping[int, bytes]) -> Tree:
    """The tree over the entries from the first to the one before the first that is not there."""
    tree = Tree()
    while tree.size in leaves:
        tree.append(leaf_hash(leaves[tree.size]))
    return tree


def _check_log(entries: Sequence[_Entry], notes: Notebook) -> None:
    """Everything about the confirmed entries of one log: who signed, what is missing."""
    largest = max(entries, key=lambda entry: entry.judged.checkpoint.size).judged.checkpoint
    tree = _tree_of({entry.index: entry.leaf for entry in entries})
    is_whole = tree.root() == largest.root  # trees of two sizes have no root in common
    where = f"the log {largest.origin} of {largest.size} entries"
    if is_whole:
        notes.proven.append(f"the bundle holds all of {where}: none is left out")
    else:
        shown = _numbers([entry.index for entry in entries])
        notes.proven.append(f"{shown} of the bundle {_are(len(entries))} in {where}, unaltered")
    times = witness_times(
        (entry.judged.checkpoint.size, end_of_second_ms(entry.judged.not_after_s))
        for entry in entries
        if entry.judged.not_after_s is not None
    )
    judge = Judge(times=times, whole_log=is_whole)
    erasers: dict[int, tuple[str, ...]] = {}
    for entry in entries:
        # Asked before the entry is taken in: keys count as they stood then.
        if entry.logged.record.kind == "erase":
            erasers[entry.index] = _who_approved(entry, judge)
        found = judge.feed_record(entry.index, entry.logged.record)
        _note_findings(found, entry, judge, notes)
        _note_signer(found, entry, judge, notes)
    _note_absences(entries, judge, notes)
    _note_erasures({entry.index: entry.logged.record for entry in entries}, erasers, judge, notes)
    _note_limits(entries, judge, notes, is_whole=is_whole)


def _is_confirmed(judged: JudgedCheckpoint, policy: Policy, notes: Notebook) -> bool:
    """Whether those whom the policy asks for confirmed the checkpoint; notes who and when."""
    size = judged.checkpoint.size
    names = ", ".join(
        f"{shown_name(name)} on {shown_time(1000 * at)}"
        for name, at in sorted(judged.confirmed.items(), key=lambda item: item[1])
    )
    if not policy.needs_witnesses:
        notes.not_proven.append(
            "that anybody independent had to confirm anything: the policy asks for no witness, and "
            "whoever holds the log's key could have written another history"
        )
    elif not judged.quorum_met:
        notes.missing.append(
            f"the log of {size} entries is confirmed by {names or 'no witness'}; the policy asks "
            f"for {policy.needed_words}"
        )
    if judged.not_after_s is not None:
        notes.proven.append(
            f"the log of {size} entries existed no later than "
            f"{shown_time(end_of_second_ms(judged.not_after_s))}, confirmed by {names} "
            f"({policy.needed_words} needed)"
        )
    return judged.quorum_met


def _note_findings(
    found: Sequence[Discrepancy], entry: _Entry, judge: Judge, notes: Notebook
) -> None:
    for one in found:
        is_open = not judge.whole_log and (
            one.name in _OPEN_IN_PART
            or (one.name in _NEEDS_APPROVERS and _may_be_enough(entry, judge))
        )
        if is_open:
            what = "who signed: " if one.name == "unknown-key" else ""
            notes.not_proven.append(f"{what}{one.text} (the bundle is only part of the log)")
        elif one.name == "device-clock-off":
            notes.not_proven.append(f"the time that the device claims: {one.text}")
        else:
            notes.contradictions.append(one)


def _may_be_enough(entry: _Entry, judge: Judge) -> bool:
    """Whether approvers whose enrolment is perhaps elsewhere could make up what is lacking."""
    record = entry.logged.record
    if "people" in record.fields:
        return False  # founders are judged by the keys in the entry itself
    named = {one["by"] for one in record.fields.get("approvals", ())}
    unknown = named - judge.history.holders.keys()
    return bool(unknown) and len(unknown) + len(approvers(entry.index, record, judge.history)) > 1


def _note_signer(
    found: Sequence[Discrepancy], entry: _Entry, judge: Judge, notes: Notebook
) -> None:
    record = entry.logged.record
    if record.recording and not any(one.name in _SIGNER_IS_OPEN for one in found):
        known = judge.history.epochs[record.signer, record.epoch]
        notes.proven.append(
            f"entry {entry.index} ({record.kind} {record.recording}) was signed by key "
            f"{record.epoch} of {record.signer}, enrolled by entry {known.since}; it claims the "
            f"time {shown_time(record.claimed_ms)}"
        )


def _note_absences(entries: Sequence[_Entry], judge: Judge, notes: Notebook) -> None:
    claimed = [entry.logged.record.claimed_ms for entry in entries]
    absences = judge.absences(min(claimed), max(claimed) + 1)
    for one in absences.discrepancies:
        since = f" after {shown_time(one.since_ms)}" if one.since_ms is not None else ""
        until = f" before {shown_time(one.until_ms)}" if one.until_ms is not None else ""
        notes.missing.append(f"{one.name}: {one.text}{since}{until}")
    for outage in absences.outages:
        text = f"{outage.device} signed a stop ({outage.reason}) on {shown_time(outage.since_ms)}"
        notes.proven.append(text)
    for chain in judge.chains.values():
        stretch = chain.stretch()
        if len(stretch) == 1:
            (run,) = stretch
            _note_stretch(chain.device, run, notes)


def _note_stretch(device: str, run: Run, notes: Notebook) -> None:
    first, last = run.head, run.tail
    if first.seq < last.seq:
        notes.proven.append(
            f"numbers {first.seq} to {last.seq} of {device} are all there, from "
            f"{shown_time(first.claimed_ms)} to {shown_time(last.claimed_ms)} by its clock"
        )


def _who_approved(entry: _Entry, judge: Judge) -> tuple[str, ...]:
    """Whose approvals of the entry count; empty where they are not enough."""
    index, record = entry.index, entry.logged.record
    if missing_approvals(index, record, judge.history):
        return ()
    return approvers(index, record, judge.history)


def _note_erasures(
    records: Mapping[int, Record],
    erasers: Mapping[int, tuple[str, ...]],
    judge: Judge,
    notes: Notebook,
) -> None:
    """An erased recording is proven to have existed; say why it went and who approved."""
    for name, kept in judge.retention.recordings.items():
        if kept.erased_by is None:
            continue
        entry, people = kept.erased_by, " and ".join(erasers[kept.erased_by])
        basis = shown_text(records[entry].fields["basis"])
        if people:
            text = f"{name} was erased by entry {entry}, approved by {people}: {basis}"
        else:
            text = f"{name} was erased by entry {entry}; who approved that is not proven: {basis}"
        notes.proven.append(text)


def _note_limits(
    entries: Sequence[_Entry], judge: Judge, notes: Notebook, *, is_whole: bool
) -> None:
    """Say what even an unbroken proof does not show."""
    for level in dict.fromkeys(entry.logged.record.level for entry in entries):
        if level:
            notes.not_proven.append(f"claim level {level}: {_LEVELS_IN_WORDS[level]}")
    for doubt in judge.doubts:
        notes.not_proven.append(
            f"who signed {doubt.count} of the entries {doubt.first} to {doubt.last}: entry "
            f"{doubt.revoked_by} says that the key of {doubt.signer} may have been in other hands "
            f"since {shown_time(doubt.since_ms)}"
        )
    if not is_whole:
        notes.not_proven.append(
            "that no later entry revoked a key, or erased or changed what is proven here: the "
            "bundle is only part of the log"
        )
    if not judge.history.founded:
        notes.not_proven.append(
            "who holds the keys: entry 0, in which the founders name each other, is not in the "
            "bundle"
        )


def _numbers(indices: Sequence[int]) -> str:
    if len(indices) == 1:
        return f"entry {indices[0]}"
    if len(indices) <= 6:
        return f"entries {', '.join(str(index) for index in indices)}"
    return f"{len(indices)} entries between {indices[0]} and {indices[-1]}"


def _are(count: int) -> str:
    return "is" if count == 1 else "are"


# == tidewaiter.storage.plain_file
#
# Files that somebody else put there: opened only where they are plain.

def opened_plain(path: Path) -> BufferedReader:
    """The file, to read. Raises OSError, also for a pipe or a device, which might never answer."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "no plain file", str(path))
    return os.fdopen(descriptor, "rb")


# == tidewaiter.storage.custody_bundle
#
# Bundles on disk, and the verifier as a program that needs nothing else of Tidewaiter.
#
# A bundle is one proof file, or a folder of them: `*.tlog-proof`, `openings*.json`, and the files
# to be checked under `media/` and `manifests/`.

LARGEST_PART_BYTES = 1 << 20
MOST_PARTS = 1_000_000
FOLDERS_OF_FILES = ("media", "manifests")
_READ_AT_ONCE = 1 << 20


def read_bundle(path: Path) -> Bundle:
    """The bundle at a path. Raises OSError."""
    if not path.is_dir():
        return Bundle((_read_part(path, path.name),))
    names = sorted(one.relative_to(path) for one in path.rglob("*") if one.is_file())
    proofs = [name for name in names if name.suffix == PROOF_SUFFIX][:MOST_PARTS]
    openings = [name for name in names if name.match("openings*.json")][:MOST_PARTS]
    return Bundle(
        tuple(_read_part(path / name, name.as_posix()) for name in proofs),
        tuple(_read_part(path / name, name.as_posix()) for name in openings),
    )


def files_of_bundle(path: Path) -> list[Path]:
    """The media and manifests that a bundle's folder carries."""
    folders = [path / name for name in FOLDERS_OF_FILES]
    return sorted(one for folder in folders for one in folder.rglob("*") if one.is_file())


def hand_in(path: Path) -> HandedIn:
    """A file's name, digest and length, read in pieces. Raises OSError."""
    digest, length = hashlib.sha256(), 0
    with opened_plain(path) as stream:
        while piece := stream.read(_READ_AT_ONCE):
            digest.update(piece)
            length += len(piece)
    return HandedIn(path.name, digest.hexdigest(), length)


def with_own_policy(verdict: Verdict, bundle: Path, policy: Path) -> Verdict:
    """The verdict, which says so where the policy lies in the bundle that it is to judge."""
    if not policy.resolve().is_relative_to(bundle.resolve()):
        return verdict
    text = (
        "that these are the right witnesses: the policy was taken from the bundle itself, so who "
        "made the bundle chose whom to trust; get it from somebody else"
    )
    return replace(verdict, not_proven=(text, *verdict.not_proven))


def verdict_json(verdict: Verdict) -> str:
    """The verdict for other programs."""
    fields = asdict(verdict) | {"exit_code": verdict.exit_code}
    return json.dumps(fields, indent=1, ensure_ascii=False) + "\n"


def run_verifier(arguments: Sequence[str] | None = None) -> int:
    """Verify what the command line names; prints the verdict and returns the exit code."""
    _print_whatever_comes()
    chosen = _command_line().parse_args(arguments)
    if importlib.util.find_spec("cryptography") is None:
        sys.stderr.write("signatures need a library: python -m pip install cryptography\n")
        return EXIT_CODES[Conclusion.CANNOT_TELL]
    try:
        policy = _read_part(chosen.policy, chosen.policy.name).body
        bundle = read_bundle(chosen.bundle)
        files = [hand_in(path) for path in [*chosen.file, *files_of_bundle(chosen.bundle)]]
    except OSError as error:
        sys.stderr.write(f"{error.filename}: {error.strerror}\n")
        return EXIT_CODES[Conclusion.NOT_A_BUNDLE]
    verdict = with_own_policy(verify(bundle, policy, files), chosen.bundle, chosen.policy)
    told = verdict_json(verdict) if chosen.json else words_in(verdict, chosen.lang)
    sys.stdout.write(told)
    return verdict.exit_code


def _print_whatever_comes() -> None:
    """A name that this terminal cannot show must not end the program: it is spelled out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _read_part(path: Path, name: str) -> Part:
    """One part, cut just above its limit: what is longer then fails to parse."""
    with opened_plain(path) as stream:
        return Part(name, stream.read(LARGEST_PART_BYTES + 1))


def _command_line() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description="Verify a custody proof or bundle offline. Exit: 0 proven, 4 contradicted or "
        "unreadable, 3 cannot tell, 2 not a bundle."
    )
    parser.add_argument("bundle", type=Path, help="a .tlog-proof file, or a folder of them")
    parser.add_argument("file", type=Path, nargs="*", help="recordings or manifests to check")
    parser.add_argument(
        "--policy",
        type=Path,
        required=True,
        help="whom to trust; take it from the administration's witnesses, never from the bundle",
    )
    parser.add_argument("--json", action="store_true", help="print the verdict as JSON, in English")
    parser.add_argument(
        "--lang", choices=VERDICT_LANGUAGES, default="en", help="language of the verdict"
    )
    return parser


if __name__ == "__main__":
    raise SystemExit(run_verifier())
