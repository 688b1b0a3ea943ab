"""Seal each line of a camera's file of secrets for the site that will dock it, and open it there.

Guarantee: who finds or takes the card, or the camera, opens no segment whose line was sealed and
whose key the camera forgot; only the site's own secret does. Mechanism: HPKE (RFC 9180) in base
mode with DHKEM(X25519, HKDF-SHA256), HKDF-SHA256 and AES-256-GCM, one encapsulation for each line.
Base mode names no sender: what is inside counts only as far as the camera's signed record agrees.
"""

from __future__ import annotations

import base64
import hashlib
from typing import TYPE_CHECKING

from tidewaiter.custody.handover import SegmentSecret
from tidewaiter.custody.record import canonical, parse_canonical
from tidewaiter.errors import BrokenSeal, MalformedText

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.hpke import Suite

SECRETS_INFO = b"tidewaiter/secrets/v1"
"""HPKE's `info`: a line sealed for anything else does not open as a secret."""

_NAME_LENGTH = 8
_PARTS = {"sealed", "to"}


def site_key_public(secret: bytes) -> bytes:
    """The public part, 32 bytes, of a site's secret for its cameras."""
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    return X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()


def site_key_name(public: bytes) -> str:
    """How a sealed line names the site's key: the first 8 bytes of its SHA-256, in hexadecimal."""
    return hashlib.sha256(public).hexdigest()[: 2 * _NAME_LENGTH]


def seal_secret(secret: SegmentSecret, site_key: bytes) -> bytes:
    """The line of the file of secrets that only the site opens, without its end.

    `site_key` is the site's public key. Raises MalformedText for a key with which nothing can
    be sealed.
    """
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PublicKey

    try:
        public = X25519PublicKey.from_public_bytes(site_key)
        sealed = _hpke().encrypt(secret.format(), public, info=SECRETS_INFO)
    except ValueError as error:
        raise MalformedText("a key for sealing secrets with which nothing can be sealed") from error
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
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

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
    try:
        own_key = X25519PrivateKey.from_private_bytes(site_secret)
        return _hpke().decrypt(sealed, own_key, info=SECRETS_INFO)
    except InvalidTag as error:
        raise BrokenSeal("a sealed secret that does not open: it was changed or cut off") from error


def _hpke() -> Suite:
    from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

    return Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
