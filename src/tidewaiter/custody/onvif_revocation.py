"""Camera certificates that were withdrawn: the operator's own list, and lists that makers sign.

Both are files, brought like any other; no network is asked. What counts is the moment since when a
certificate is not to be trusted, against the moment at which the camera says that it signed: the
latter is a claim, and whoever stole a key can claim any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tidewaiter.errors import MalformedText

if TYPE_CHECKING:
    from cryptography.x509 import Certificate, CertificateRevocationList

MOST_REVOKED = 100_000
"""Lines of the operator's list."""

MOST_CRLS = 1000
_LONGEST_REASON = 200
_FINGERPRINT = re.compile(r"[0-9a-f]{64}")
_CRL = re.compile(rb"-----BEGIN X509 CRL-----.*?-----END X509 CRL-----\s*", re.DOTALL)
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class Revocation:
    """That a certificate is not trusted any more: since when (POSIX ms), why, by whose list."""

    since_ms: int
    reason: str
    source: str


@dataclass(frozen=True)
class Revocations:
    """All that is known to be withdrawn; nothing by default."""

    listed: Mapping[str, Revocation] = field(default_factory=dict)
    """By the SHA-256 of the certificate (DER), in hexadecimal."""

    crls: Sequence[CertificateRevocationList] = ()

    def of_path(self, path: Sequence[Certificate]) -> Revocation | None:
        """The earliest revocation of a certificate on the way to an anchor, or of the anchor."""
        issuers = [*path[1:], path[-1]]
        found = [
            one
            for certificate, issuer in zip(path, issuers, strict=True)
            for one in self._of(certificate, issuer)
        ]
        return min(found, key=lambda one: one.since_ms, default=None)

    def _of(self, certificate: Certificate, issuer: Certificate) -> Iterator[Revocation]:
        from cryptography.hazmat.primitives.hashes import SHA256

        listed = self.listed.get(certificate.fingerprint(SHA256()).hex())
        if listed is not None:
            yield listed
        for crl in self.crls:
            found = _entry(crl, certificate, issuer)
            if found is not None:
                yield found


def parse_revocations(text: str = "", crls: bytes = b"") -> Revocations:
    """The operator's list and a PEM text of certificate revocation lists.

    A line of the list is the SHA-256 of a certificate (as `openssl x509 -fingerprint -sha256`
    prints it, or plain), the day or moment since when, and the reason. Raises MalformedText.
    """
    listed: dict[str, Revocation] = {}
    lines = text.splitlines()
    if len(lines) > MOST_REVOKED:
        raise MalformedText(f"{len(lines)} revoked certificates; {MOST_REVOKED} at most")
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        fingerprint, one = _parse_line(number, line)
        before = listed.get(fingerprint)
        if before is None or one.since_ms < before.since_ms:
            listed[fingerprint] = one
    return Revocations(listed, tuple(_parse_crls(crls)))


def crls_as_pem(data: bytes) -> str:
    """Certificate revocation lists in PEM; one in DER is written as PEM. Raises MalformedText."""
    from cryptography.hazmat.primitives.serialization import Encoding
    from cryptography.x509 import load_der_x509_crl

    if b"-----BEGIN" not in data:
        try:
            return load_der_x509_crl(data).public_bytes(Encoding.PEM).decode("ascii")
        except ValueError as error:
            raise MalformedText(f"no certificate revocation list: {str(error)[:120]}") from error
    lists = list(_parse_crls(data))
    return "".join(one.public_bytes(Encoding.PEM).decode("ascii") for one in lists)


def extension_of(holder: Any, kind: Any) -> Any:
    """An extension's value, None where there is none. Raises ValueError where it is broken."""
    from cryptography.x509 import ExtensionNotFound

    try:
        return holder.extensions.get_extension_for_class(kind).value
    except ExtensionNotFound:
        return None


def _parse_line(number: int, line: str) -> tuple[str, Revocation]:
    words = line.split(maxsplit=2)
    if len(words) < 2:
        raise MalformedText(f"line {number}: a certificate's SHA-256 and a day needed")
    fingerprint = words[0].replace(":", "").lower()
    if not _FINGERPRINT.fullmatch(fingerprint):
        raise MalformedText(f"line {number}: {words[0][:80]!r} is no SHA-256 of a certificate")
    reason = words[2][:_LONGEST_REASON] if len(words) > 2 else ""
    return fingerprint, Revocation(_moment(number, words[1]), reason, "list")


def _moment(number: int, text: str) -> int:
    """A day counts from its first second in UTC; a moment must say its offset."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise MalformedText(
            f"line {number}: {text[:40]!r} is no day or moment like 2025-09-21T14:00:00Z"
        ) from error
    if moment.tzinfo is None:
        if not _DAY.fullmatch(text):
            raise MalformedText(f"line {number}: {text[:40]!r} does not say its offset from UTC")
        moment = moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1000)


def _parse_crls(data: bytes) -> Iterator[CertificateRevocationList]:
    from cryptography.x509 import load_pem_x509_crl

    if not data.strip():
        return
    blocks = _CRL.findall(data)
    if not blocks or len(blocks) > MOST_CRLS:
        raise MalformedText(
            f"{len(blocks)} certificate revocation lists in PEM; 1 to {MOST_CRLS} needed"
        )
    for number, block in enumerate(blocks, 1):
        try:
            yield load_pem_x509_crl(block)
        except ValueError as error:
            raise MalformedText(
                f"certificate revocation list {number} cannot be read: {str(error)[:120]}"
            ) from error


def _entry(
    crl: CertificateRevocationList, certificate: Certificate, issuer: Certificate
) -> Revocation | None:
    """What a list that the certificate's own issuer signed says of it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.x509 import CRLReason, InvalidityDate, KeyUsage, ReasonFlags

    try:
        if crl.issuer != issuer.subject or crl.issuer != certificate.issuer:
            return None
        entry = crl.get_revoked_certificate_by_serial_number(certificate.serial_number)
        usage = extension_of(issuer, KeyUsage)
        if entry is None or (usage is not None and not usage.crl_sign):
            return None
        if not crl.is_signature_valid(issuer.public_key()):  # type: ignore[arg-type]
            return None
        invalid, reason = extension_of(entry, InvalidityDate), extension_of(entry, CRLReason)
    except (UnsupportedAlgorithm, TypeError, ValueError):
        return None
    if reason is not None and reason.reason is ReasonFlags.remove_from_crl:
        return None
    since = entry.revocation_date_utc
    if invalid is not None:
        since = min(since, invalid.invalidity_date_utc)
    words = "" if reason is None else str(reason.reason.value)
    return Revocation(round(since.timestamp() * 1000), words, "crl")
