"""Who signed a video as ONVIF prescribes: the chain to an anchor, and each signature.

A valid chain says whose key it is; it says nothing about the pictures. Anchors are the operator's
own list; without one no signer is known, whatever the certificates call themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from tidewaiter.custody.onvif_message import SigningMessage
from tidewaiter.custody.onvif_revocation import Revocation, Revocations, extension_of
from tidewaiter.errors import MalformedText

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

NOTHING_REVOKED = Revocations()
LONGEST_CHAIN = 10
MOST_ANCHORS = 1000
_NAME_LENGTH = 200


class Provenance(Enum):
    """Whose key signed, as far as it can be told."""

    KNOWN = "signer-known"
    """The chain leads to an anchor of the operator's, each certificate in force when it signed."""

    UNKNOWN = "signer-unknown"
    """The chain leads to no anchor: anyone may have written the names in it."""

    EXPIRED = "signer-expired"
    """The chain leads to an anchor, but a certificate was not in force when the camera signed."""

    REVOKED = "signer-revoked"
    """The chain leads to an anchor, but a certificate was withdrawn by the time at which the camera
    says it signed, or the camera does not say when."""

    REVOKED_LATER = "signer-revoked-later"
    """A certificate was withdrawn after the time at which the camera says it signed. Whoever has a
    stolen key can claim any time: only what was in custody before bounds it."""


@dataclass(frozen=True)
class Signer:
    """The camera's certificates, and whose they are.

    `timed` is False where the camera's times do not say on which day it signed, so that the
    certificates' dates could not be judged.
    """

    provenance: Provenance
    name: str
    serial: str
    timed: bool
    key: bytes
    """The public key, DER."""

    revocation: Revocation | None = None
    """That a certificate of the chain was withdrawn, at whatever time."""

    def provenance_at(self, at_ms: int | None) -> Provenance:
        """Whose key it was when the camera says it signed; None where it does not say."""
        if self.revocation is None or self.provenance is Provenance.UNKNOWN:
            return self.provenance
        if at_ms is None or at_ms >= self.revocation.since_ms:
            return Provenance.REVOKED
        if self.provenance is Provenance.EXPIRED:
            return self.provenance
        return Provenance.REVOKED_LATER


def judge_signer(
    pem: bytes,
    anchors: Sequence[Certificate],
    at_ms: int | None,
    revocations: Revocations = NOTHING_REVOKED,
) -> Signer:
    """Follow a camera's chain (PEM, its own certificate first) to one of the anchors.

    `at_ms` is when it signed, None where that is not known. Raises MalformedText.
    """
    from cryptography.exceptions import UnsupportedAlgorithm

    chain = certificates_in(pem)
    try:
        path = _path(chain, anchors)
        key, name = _key_bytes(chain[0]), chain[0].subject.rfc4514_string()[:_NAME_LENGTH]
    except (UnsupportedAlgorithm, ValueError) as error:
        raise MalformedText(f"a certificate that cannot be used: {str(error)[:120]}") from error
    if path is None:
        provenance = Provenance.UNKNOWN
    elif at_ms is not None and not all(_in_force(one, at_ms) for one in path):
        provenance = Provenance.EXPIRED
    else:
        provenance = Provenance.KNOWN
    revocation = revocations.of_path(path) if path else None
    serial = f"{chain[0].serial_number:x}"
    return Signer(provenance, name, serial, at_ms is not None, key, revocation)


def certificates_in(pem: bytes, most: int = LONGEST_CHAIN) -> list[Certificate]:
    """The certificates of a PEM text, at least one. Raises MalformedText."""
    from cryptography.x509 import load_pem_x509_certificates

    try:
        chain = load_pem_x509_certificates(pem)
    except ValueError as error:
        raise MalformedText(f"certificates that cannot be read: {str(error)[:120]}") from error
    if len(chain) > most:
        raise MalformedText(f"{len(chain)} certificates; {most} at most")
    return chain


def signature_fits(message: SigningMessage, signer: Signer) -> bool:
    """Whether the message was signed by this key and not changed since."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA, EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    by_name = {"sha256": hashes.SHA256(), "sha384": hashes.SHA384(), "sha512": hashes.SHA512()}
    used = by_name[message.hash_name]
    try:
        key = serialization.load_der_public_key(signer.key)
        if isinstance(key, EllipticCurvePublicKey):
            key.verify(message.signature, message.signed, ECDSA(used))
        elif isinstance(key, RSAPublicKey):
            key.verify(message.signature, message.signed, PKCS1v15(), used)
        else:
            return False
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    return True


def _path(chain: list[Certificate], trusted: Sequence[Certificate]) -> list[Certificate] | None:
    """The certificates from the camera's own up to an anchor; None where none leads there."""
    path = [chain[0]]
    while len(path) <= LONGEST_CHAIN:
        for anchor in trusted:
            if path[-1] == anchor:
                return path
            if _issued(path[-1], anchor, below=len(path) - 1):
                return [*path, anchor]
        above = (one for one in chain if one not in path)
        issuer = next((o for o in above if _issued(path[-1], o, below=len(path) - 1)), None)
        if issuer is None:
            return None
        path.append(issuer)
    return None


def _issued(certificate: Certificate, issuer: Certificate, *, below: int) -> bool:
    """Whether one signed the other and may sign certificates with so many others in between."""
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.x509 import BasicConstraints, KeyUsage

    try:
        basic = extension_of(issuer, BasicConstraints)
        usage = extension_of(issuer, KeyUsage)
        certificate.verify_directly_issued_by(issuer)
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    if basic is None or not basic.ca or (usage is not None and not usage.key_cert_sign):
        return False
    return basic.path_length is None or below <= basic.path_length


def _in_force(certificate: Certificate, at_ms: int) -> bool:
    first = certificate.not_valid_before_utc.timestamp()
    return first <= at_ms / 1000 <= certificate.not_valid_after_utc.timestamp()


def _key_bytes(certificate: Certificate) -> bytes:
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    key = certificate.public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
