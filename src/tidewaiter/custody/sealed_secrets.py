"""Seal each line of a camera's file of secrets for the site that will dock it, and open it there.

Guarantee: who finds or takes the card, or the camera, opens no segment whose line was sealed and
whose key the camera forgot; only the site's own secret does. Mechanism: HPKE (RFC 9180) in base
mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, one encapsulation for each line.
Base mode names no sender: what is inside counts only as far as the camera's signed record agrees.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable

from tidewaiter.custody.handover import SegmentSecret
from tidewaiter.custody.record import canonical, parse_canonical
from tidewaiter.errors import BrokenSeal, MalformedText

SITE_KEY_LENGTH = 32
SECRETS_INFO = b"tidewaiter/secrets/v1"
"""HPKE's `info`: a line sealed for anything else does not open as a secret."""

# RFC 9180, sections 7.1 to 7.3: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, AES-256-GCM.
_KEM, _KDF, _AEAD = b"\x00\x20", b"\x00\x01", b"\x00\x02"
_KEM_SUITE, _SUITE = b"KEM" + _KEM, b"HPKE" + _KEM + _KDF + _AEAD
_BASE_MODE = b"\x00"
_NONCE_LENGTH, _TAG_LENGTH = 12, 16
_NAME_LENGTH = 8
_PARTS = {"sealed", "to"}


def site_key_public(secret: bytes) -> bytes:
    """The public part, 32 bytes, of a site's secret for its cameras."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def site_key_name(public: bytes) -> str:
    """How a sealed line names the site's key: the first 8 bytes of its SHA-256, in hexadecimal."""
    return hashlib.sha256(public).hexdigest()[: 2 * _NAME_LENGTH]


def seal_secret(secret: SegmentSecret, site_key: bytes, random: Callable[[int], bytes]) -> bytes:
    """The line of the file of secrets that only the site opens, without its end.

    `site_key` is the site's public key; `random` gives that many bytes that nobody can foretell.
    Raises MalformedText for a key with which nothing can be sealed.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    own = random(SITE_KEY_LENGTH)
    encapsulated = site_key_public(own)
    key, nonce = _key_and_nonce(_agreed(own, site_key), encapsulated, site_key)
    sealed = encapsulated + AESGCM(key).encrypt(nonce, secret.format(), b"")
    text = base64.b64encode(sealed).decode("ascii")
    return canonical({"sealed": text, "to": site_key_name(site_key)})


def open_lines(data: bytes, site_secret: bytes | None) -> tuple[bytes, list[str]]:
    """A file of secrets with its sealed lines opened, and in words which could not be.

    Lines that are not sealed stay as they are; a line that does not open costs its segment only.
    """
    lines, problems = [], []
    for number, line in enumerate(data.split(b"\n"), 1):
        opened = line
        try:
            if is_sealed(line):
                opened = open_secret(line, site_secret)
        except (BrokenSeal, MalformedText) as error:
            problems.append(f"line {number} of the secrets: {error}")
            opened = b""
        lines.append(opened)
    return b"\n".join(lines), problems


def is_sealed(line: bytes) -> bool:
    """Whether a line of a file of secrets was sealed for a site."""
    try:
        found = parse_canonical(line)
    except MalformedText:
        return False
    return isinstance(found, dict) and found.keys() == _PARTS


def open_secret(line: bytes, site_secret: bytes | None) -> bytes:
    """The line that was sealed. Raises BrokenSeal, or MalformedText for a malformed line."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    found = parse_canonical(line)
    if not isinstance(found["to"], str) or len(found["to"]) != 2 * _NAME_LENGTH:
        raise MalformedText(f"a sealed secret without the {2 * _NAME_LENGTH} digits of a key")
    try:
        sealed = base64.b64decode(found["sealed"], validate=True)
    except (TypeError, ValueError) as error:
        raise MalformedText("a sealed secret that is not base64") from error
    public = None if site_secret is None else site_key_public(site_secret)
    if site_secret is None or public is None or found["to"] != site_key_name(public):
        own = "none" if public is None else site_key_name(public)
        raise BrokenSeal(f"sealed for the key {found['to']!r}; this site has {own}")
    if len(sealed) < SITE_KEY_LENGTH + _TAG_LENGTH:
        raise MalformedText(f"a sealed secret of {len(sealed)} bytes")
    encapsulated, text = sealed[:SITE_KEY_LENGTH], sealed[SITE_KEY_LENGTH:]
    key, nonce = _key_and_nonce(_agreed(site_secret, encapsulated), encapsulated, public)
    try:
        return AESGCM(key).decrypt(nonce, text, b"")
    except InvalidTag as error:
        raise BrokenSeal("a sealed secret that does not open: it was changed or cut off") from error


def _agreed(secret: bytes, public: bytes) -> bytes:
    """What both sides agree on. Raises MalformedText for a key that makes it foreseeable."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey

    try:
        theirs = X25519PublicKey.from_public_bytes(public)
        return X25519PrivateKey.from_private_bytes(secret).exchange(theirs)
    except ValueError as error:
        raise MalformedText("a key for sealing secrets with which nothing can be sealed") from error


def _key_and_nonce(agreed: bytes, encapsulated: bytes, public: bytes) -> tuple[bytes, bytes]:
    """Key and nonce of the one message under an encapsulation (RFC 9180, sections 4.1 and 5.1)."""
    shared = _expand(
        _extract(_KEM_SUITE, b"", b"eae_prk", agreed),
        _KEM_SUITE,
        b"shared_secret",
        encapsulated + public,
        hashlib.sha256().digest_size,
    )
    context = (
        _BASE_MODE
        + _extract(_SUITE, b"", b"psk_id_hash", b"")
        + _extract(_SUITE, b"", b"info_hash", SECRETS_INFO)
    )
    secret = _extract(_SUITE, shared, b"secret", b"")
    key = _expand(secret, _SUITE, b"key", context, 32)
    return key, _expand(secret, _SUITE, b"base_nonce", context, _NONCE_LENGTH)


def _extract(suite: bytes, salt: bytes, label: bytes, material: bytes) -> bytes:
    return hmac.digest(salt, b"HPKE-v1" + suite + label + material, "sha256")


def _expand(secret: bytes, suite: bytes, label: bytes, info: bytes, length: int) -> bytes:
    """HKDF-Expand of up to 32 bytes, which is one block of it."""
    labelled = length.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
    return hmac.digest(secret, labelled + b"\x01", "sha256")[:length]
