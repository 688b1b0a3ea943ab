"""Withdrawn camera certificates, judged against the time at which the camera says it signed."""

from __future__ import annotations

import datetime as dt
import functools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.custody.onvif_camera import DAY, NOW, Camera, Identity, certificate, pem, read
from tidewaiter.custody.onvif_revocation import (
    MOST_REVOKED,
    Revocation,
    crls_as_pem,
    parse_revocations,
)
from tidewaiter.errors import MalformedText

DER = serialization.Encoding.DER
BEFORE, AFTER = (NOW - 10 * DAY).date().isoformat(), (NOW + 10 * DAY).date().isoformat()


@functools.cache
def made():
    """Keys and certificates of a maker, its factory and a camera."""
    keys = {name: ec.generate_private_key(ec.SECP256R1()) for name in ("root", "factory", "leaf")}
    root = certificate("Root", keys["root"], "Root", keys["root"], ca=True)
    factory = certificate("Factory", keys["factory"], "Root", keys["root"], ca=True)
    leaf = certificate("Camera", keys["leaf"], "Factory", keys["factory"])
    return keys, {"root": root, "factory": factory, "leaf": leaf}


def camera(**more):
    keys, certificates = made()
    chain = pem(certificates["leaf"]) + pem(certificates["factory"])
    return Camera(identity=Identity(keys["leaf"], chain, pem(certificates["root"])), **more)


def print_of(name, *, colons=False):
    raw = made()[1][name].fingerprint(hashes.SHA256())
    return raw.hex(":").upper() if colons else raw.hex()


def crl(entries, by="Factory", key="factory", *, reason=None, invalid=None):
    """A list that `by` signs with this key, of certificates with the day of their revocation."""
    keys, certificates = made()
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, by)]))
        .last_update(NOW)
        .next_update(NOW + 30 * DAY)
    )
    for name, at in entries:
        one = x509.RevokedCertificateBuilder().revocation_date(at)
        one = one.serial_number(certificates[name].serial_number)
        if reason is not None:
            one = one.add_extension(x509.CRLReason(reason), critical=False)
        if invalid is not None:
            one = one.add_extension(x509.InvalidityDate(invalid), critical=False)
        builder = builder.add_revoked_certificate(one.build())
    return builder.sign(keys[key], hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def judged(text="", crls=b"", anchors=None, **more):
    signing = camera(**more)
    reader = read(signing.sign("IPPIPPIPPIP"), signing.codec)
    trusted = [signing.identity.anchor] if anchors is None else anchors
    return reader.result(trusted, parse_revocations(text, crls))


def test_without_lists_nothing_is_revoked():
    found = judged()
    assert found.names()[-1] == "onvif:signer-known"
    assert found.revoked_since_ms is None


@pytest.mark.parametrize("name", ["leaf", "factory", "root"])
@pytest.mark.parametrize("colons", [False, True])
def test_a_listed_certificate_takes_what_is_below_it_along(name, colons):
    found = judged(f"{print_of(name, colons=colons)} {BEFORE} stolen at the fair\n")
    assert found.names() == ("onvif", "onvif:authentic", "onvif:signer-revoked")
    assert found.revoked_why == "stolen at the fair"
    assert (
        found.revoked_since_ms == dt.datetime.fromisoformat(f"{BEFORE}T00:00Z").timestamp() * 1000
    )


def test_what_was_signed_before_is_named_apart():
    assert judged(f"{print_of('leaf')} {AFTER}").names()[-1] == "onvif:signer-revoked-later"


def test_the_very_moment_counts_as_revoked_and_one_millisecond_later_does_not():
    at = NOW.isoformat()
    late = (NOW + dt.timedelta(seconds=30)).isoformat()
    assert judged(f"{print_of('leaf')} {at}").names()[-1] == "onvif:signer-revoked"
    assert judged(f"{print_of('leaf')} {late}").names()[-1] == "onvif:signer-revoked-later"


def test_revoked_in_the_middle_of_a_recording_is_revoked():
    """The camera's messages are two seconds apart; the third comes after the moment."""
    middle = (NOW + dt.timedelta(seconds=3)).isoformat()
    assert judged(f"{print_of('leaf')} {middle}").names()[-1] == "onvif:signer-revoked"


@pytest.mark.parametrize("day", [BEFORE, AFTER])
def test_a_camera_that_does_not_say_when_gets_no_benefit(day):
    found = judged(f"{print_of('leaf')} {day}", version=1, start=22_400_444)
    assert found.names()[-1] == "onvif:signer-revoked"


def test_a_stranger_stays_a_stranger():
    found = judged(f"{print_of('leaf')} {BEFORE}", anchors=[])
    assert found.names()[-1] == "onvif:signer-unknown"


def test_another_camera_of_the_maker_is_not_touched():
    text = f"{'ab' * 32} {BEFORE}"
    assert judged(text).names()[-1] == "onvif:signer-known"


def test_the_earliest_of_two_lines_counts():
    text = f"{print_of('leaf')} {AFTER} later\n\n# a comment\n{print_of('leaf')} {BEFORE} first\n"
    assert judged(text).revoked_why == "first"


@pytest.mark.parametrize(("at", "said"), [(-10, "revoked"), (10, "revoked-later")])
def test_a_list_that_the_issuer_signed_is_believed(at, said):
    reason = x509.ReasonFlags.key_compromise
    found = judged(crls=crl([("leaf", NOW + at * DAY)], reason=reason))
    assert found.names()[-1] == f"onvif:signer-{said}"
    assert found.revoked_why == "keyCompromise"


def test_a_factory_that_its_maker_revoked_takes_its_cameras_along():
    crls = crl([]) + crl([("factory", NOW - DAY)], by="Root", key="root")
    assert judged(crls=crls).names()[-1] == "onvif:signer-revoked"


def test_the_date_since_when_a_key_was_in_other_hands_counts():
    found = judged(crls=crl([("leaf", NOW + 10 * DAY)], invalid=NOW - DAY))
    assert found.names()[-1] == "onvif:signer-revoked"


def test_a_list_that_somebody_else_signed_says_nothing():
    forged = crl([("leaf", NOW - DAY)], key="root")
    assert judged(crls=forged).names()[-1] == "onvif:signer-known"
    of_another = crl([("leaf", NOW - DAY)], by="Root", key="root")
    assert judged(crls=of_another).names()[-1] == "onvif:signer-known"


def test_a_certificate_that_was_put_back_is_not_revoked():
    put_back = crl([("leaf", NOW - DAY)], reason=x509.ReasonFlags.remove_from_crl)
    assert judged(crls=put_back).names()[-1] == "onvif:signer-known"


def test_lists_come_in_pem_or_in_der():
    text = crl([("leaf", NOW - DAY)])
    assert crls_as_pem(text * 2).encode() == text * 2
    der = x509.load_pem_x509_crl(text).public_bytes(DER)
    assert crls_as_pem(der).encode() == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (f"{'ab' * 32}", "line 1: a certificate's SHA-256 and a day"),
        (f"{'ab' * 20} {BEFORE}", "line 1: .* is no SHA-256"),
        (f"# so\n{'ab' * 32} yesterday", "line 2: 'yesterday' is no day"),
        (f"{'ab' * 32} 2025-09-21T10:00:00", "does not say its offset"),
        (f"{'ab' * 32} 20250921", "does not say its offset"),
        ("\n" * (MOST_REVOKED + 1), "at most"),
    ],
)
def test_a_line_that_cannot_be_meant_is_named(text, says):
    with pytest.raises(MalformedText, match=says):
        parse_revocations(text)


@pytest.mark.parametrize(
    "data", [b"nothing", b"-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----"]
)
def test_what_is_no_list_is_refused(data):
    with pytest.raises(MalformedText, match="revocation list"):
        parse_revocations(crls=data)
    with pytest.raises(MalformedText, match="revocation list"):
        crls_as_pem(data)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_a_list_or_is_refused(text):
    try:
        found = parse_revocations(text)
    except MalformedText:
        return
    assert all(isinstance(one, Revocation) for one in found.listed.values())


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_any_bytes_are_lists_or_are_refused(data):
    try:
        crls_as_pem(data)
    except MalformedText:
        return
    raise AssertionError
