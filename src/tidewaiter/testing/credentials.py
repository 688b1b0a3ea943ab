"""Make signed samples: pictures and videos with Content Credentials of a made-up signer."""

from __future__ import annotations

import io
from typing import Any

from tidewaiter.traces.provenance import OFFLINE_SETTINGS

SIGNER = "Tidewaiter sample signer"
_STEPS = {
    "actions": [
        {
            "action": "c2pa.created",
            "digitalSourceType": "http://cv.iptc.org/newscodes/digitalsourcetype/digitalCapture",
        }
    ]
}


def signed_picture(picture_bytes: bytes, media_type: str) -> tuple[bytes, bytes]:
    """Sign a JPEG, PNG, WebP or TIFF file (or an MP4) with a fresh certificate chain.

    Returns the signed file and the PEM of the authority that vouches for the signer: put
    it on the trust list and the file reads as trusted. Keys are made anew each time and
    forgotten, so two calls give different bytes. Needs c2pa-python (extra `provenance`).
    """
    import c2pa

    chain, key, authority = _certificates()
    manifest = {
        "claim_generator_info": [{"name": "Tidewaiter samples", "version": "1"}],
        "assertions": [{"label": "c2pa.actions", "data": _STEPS}],
    }
    context = c2pa.Context(
        c2pa.Settings.from_dict({**OFFLINE_SETTINGS, "builder": {"thumbnail": {"enabled": False}}})
    )
    signed = io.BytesIO()
    with (
        c2pa.Signer.from_info(c2pa.C2paSignerInfo(b"es256", chain, key, None)) as signer,
        c2pa.Builder(manifest, context) as builder,
    ):
        builder.sign(signer, media_type, io.BytesIO(picture_bytes), signed)
    return signed.getvalue(), authority


def _certificates() -> tuple[bytes, bytes, bytes]:
    """Signer's chain, signer's key and authority, all PEM, valid for twenty years."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    authority_key = ec.generate_private_key(ec.SECP256R1())
    signer_key = ec.generate_private_key(ec.SECP256R1())
    root = _certificate("Tidewaiter sample authority", authority_key, None).sign(
        authority_key, hashes.SHA256()
    )
    leaf = _certificate(SIGNER, signer_key, authority_key).sign(authority_key, hashes.SHA256())
    key = signer_key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    authority = root.public_bytes(serialization.Encoding.PEM)
    return leaf.public_bytes(serialization.Encoding.PEM) + authority, key, authority


def _certificate(name: str, key: Any, issuer_key: Any | None) -> Any:
    """An unsigned certificate with what C2PA asks of a signer (C2PA 2.x, section 14.5)."""
    from datetime import UTC, datetime

    from cryptography import x509
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    is_authority = issuer_key is None
    issuer = "Tidewaiter sample authority"
    public = (key if issuer_key is None else issuer_key).public_key()
    start = datetime(2024, 1, 1, tzinfo=UTC)

    def named(words: str) -> x509.Name:
        return x509.Name(
            [
                x509.NameAttribute(NameOID.ORGANIZATION_NAME, words),
                x509.NameAttribute(NameOID.COMMON_NAME, words),
            ]
        )

    builder = (
        x509.CertificateBuilder()
        .subject_name(named(name))
        .issuer_name(named(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start.replace(year=2044))
        .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
        .add_extension(_key_usage(signs_certificates=is_authority), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public), critical=False)
    )
    if is_authority:
        return builder
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
    return builder.add_extension(usage, critical=False)


def _key_usage(*, signs_certificates: bool) -> Any:
    from cryptography import x509

    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )
