"""Keys that sign the log's checkpoints, and the keys by which others check them.

Spelled as C2SP signed-note spells them: `name+hex(key ID)+base64(type ‖ public key)`. The key ID
is the beginning of SHA-256(name ‖ newline ‖ type ‖ public key). A name and an ID together
identify a key; an ID alone can be forged and identifies nothing.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tidewaiter.custody.exact import (
    exact_base64,
    exact_text,
    must_be_short,
    quoted,
    spelled_base64,
)
from tidewaiter.custody.weak_keys import is_weak_key
from tidewaiter.errors import BadSignature, ConfigurationError, MalformedText

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
