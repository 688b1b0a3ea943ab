"""Read the signatures that a file brings along: inputs to its record, never the verdict on it.

What is logged is that they were there and what they said on the day the file came in. A later
copy without them then reads as stripped, and a certificate that is withdrawn or expires later
changes nothing about what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from tidewaiter.custody.onvif import OnvifReader
from tidewaiter.custody.onvif_judging import MediaSigning
from tidewaiter.custody.onvif_revocation import Revocations, parse_revocations
from tidewaiter.custody.onvif_signer import NOTHING_REVOKED
from tidewaiter.errors import CorruptMedia, LimitExceeded, UnsupportedMedia
from tidewaiter.media.coded import coded_pictures, unit_codec
from tidewaiter.media.files import opened_file
from tidewaiter.media.sniffing import HEAD_BYTES, identify, shown_name
from tidewaiter.settings import Limits
from tidewaiter.traces.base import Untaken
from tidewaiter.traces.provenance import Credentials, CredentialState, read_credentials

UNREAD = "unread"
"""Ends a name where something is there that could not be read here."""

# ISO/IEC 19566-5: the description box of a C2PA manifest store begins so; one that is kept
# elsewhere is named in XMP.
CREDENTIAL_MARKS = (b"jumdc2pa\x00\x11\x00\x10", b"dcterms:provenance")
_STEP = 1 << 20


@dataclass(frozen=True)
class Inputs:
    """Names for the `signatures` field of a record, and what they rest on, ready for JSON."""

    names: tuple[str, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Trusted:
    """Whom the operator trusts: anchors of cameras (PEM), and the list for C2PA (PEM).

    `revoked` is the operator's list of withdrawn camera certificates, `crls` what makers signed
    (PEM): see `tidewaiter.custody.onvif_revocation`.
    """

    cameras: bytes = b""
    credentials: str = ""
    revoked: str = ""
    crls: bytes = b""


def read_inputs(path: Path, limits: Limits, trusted: Trusted) -> Inputs:
    """Every signature in a file; run it in a worker that may be killed.

    What cannot be read is named so. Raises MalformedText and ConfigurationError where the
    operator's own lists are unusable, UnknownExhibit or InputError where there is no such file.
    """
    found = [_camera_inputs(path, limits, trusted)]
    found.append(_credential_inputs(path, limits, trusted.credentials))
    return Inputs(
        tuple(name for one in found for name in one.names),
        {key: value for one in found for key, value in one.facts.items()},
    )


def may_carry_credentials(stream: BinaryIO) -> bool:
    """Whether the marks of Content Credentials stand anywhere in a file; nothing is parsed."""
    kept = b""
    while block := stream.read(_STEP):
        window = kept + block
        if any(mark in window for mark in CREDENTIAL_MARKS):
            return True
        kept = window[-max(map(len, CREDENTIAL_MARKS)) :]
    return False


def media_signing(
    path: Path,
    limits: Limits,
    anchors: Sequence[bytes],
    revocations: Revocations = NOTHING_REVOKED,
) -> MediaSigning | None:
    """What a camera's signatures in a video say; None where it is no H.264 or H.265."""
    codec = unit_codec(path, limits)
    if not codec:
        return None
    reader = _played(path, limits, codec, "sha256")
    if reader.hash_seen != reader.hash_name:
        reader = _played(path, limits, codec, reader.hash_seen)
    return reader.result(anchors, revocations)


def words_of(found: Inputs) -> Iterator[str]:
    """What was found, in words, a line each."""
    if not found.names:
        yield "no signatures of its own"
    for kind, facts in found.facts.items():
        if "reason" in facts:
            yield f"signatures ({kind}) that could not be read: {facts['reason']}"
        elif kind == "onvif":
            yield from _camera_words(facts)
        else:
            yield f"Content Credentials: {_CREDENTIALS[facts['state']]} {facts['signer']}".strip()


def _camera_words(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"signed by its camera (ONVIF media signing): {_AUTHENTICITY[facts['authenticity']]}"
    yield (
        f"{facts['confirmed']} of {facts['pictures']} coded pictures confirmed by "
        f"{facts['messages']} messages; {facts['missing']} missing, {facts['head']} before the "
        f"first signed one, {facts['tail']} after the last"
    )
    signer = _PROVENANCE.get(facts["provenance"] or "", "no certificate came along")
    yield f"{signer}: {facts['signer']}" if facts["signer"] else signer
    if facts["revoked_since_ms"] is not None:
        since = datetime.fromtimestamp(facts["revoked_since_ms"] / 1000, UTC)
        yield f"revoked since {since:%Y-%m-%d %H:%M:%S} UTC: {facts['revoked_why'] or 'no reason'}"
    for group in facts["groups"]:
        if group["foreign"]:
            places = ", ".join(str(place) for place in group["foreign"][:_SHOWN_PLACES])
            more = len(group["foreign"]) - _SHOWN_PLACES
            yield f"not as signed: pictures {places}{f' and {more} more' if more > 0 else ''}"
    yield from facts["faults"]


_SHOWN_PLACES = 10
_AUTHENTICITY = {
    "authentic": "its pictures are those that were signed",
    "incomplete": "what is there was signed so, but something in between is missing",
    "not-authentic": "its pictures are not all those that were signed",
    "undecided": "the messages in it describe none of its pictures",
}
_PROVENANCE = {
    "signer-known": "the signer is on your list",
    "signer-unknown": "the signer is not on your list, and may have written any name",
    "signer-expired": "the signer is on your list, but its certificate was not in force",
    "signer-revoked": "the signer is on your list, but its certificate was revoked",
    "signer-revoked-later": (
        "the signer is on your list; its certificate was revoked after the time that it claims, "
        "and whoever has a stolen key may claim any time"
    ),
}
_CREDENTIALS = {
    "elsewhere": "kept elsewhere, not fetched",
    "broken": "present, but they do not hold",
    "untrusted": "the file is as it was signed; the signer is not on your list:",
    "trusted": "the file is as it was signed by one on your list:",
}


def _played(path: Path, limits: Limits, codec: str, hash_name: str) -> OnvifReader:
    reader = OnvifReader(codec, hash_name)
    for units in coded_pictures(path, limits):
        reader.feed(units)
    return reader


def _camera_inputs(path: Path, limits: Limits, trusted: Trusted) -> Inputs:
    anchors = [trusted.cameras] if trusted.cameras else []
    revocations = parse_revocations(trusted.revoked, trusted.crls)
    try:
        found = media_signing(path, limits, anchors, revocations)
    except UnsupportedMedia:
        return Inputs()
    except (CorruptMedia, LimitExceeded) as error:
        return Inputs((f"onvif:{UNREAD}",), {"onvif": {"reason": str(error)}})
    if found is None or not found.names():
        return Inputs()
    facts = asdict(found) | {"authenticity": found.authenticity.value}
    facts["provenance"] = None if found.provenance is None else found.provenance.value
    return Inputs(found.names(), {"onvif": facts})


def _credential_inputs(path: Path, limits: Limits, trust_list: str) -> Inputs:
    shown = shown_name(path.name)
    with opened_file(path, limits, shown) as stream:
        if not may_carry_credentials(stream):
            return Inputs()
        stream.seek(0)
        try:
            media_type = identify(stream.read(HEAD_BYTES), shown).media_type
        except UnsupportedMedia:
            return Inputs()
        stream.seek(0)
        try:
            found = read_credentials(stream, media_type, trust_list)
        except ImportError as error:
            return Inputs((f"c2pa:{UNREAD}",), {"c2pa": {"reason": str(error)}})
    return _credential_names(found)


def _credential_names(found: Credentials | Untaken) -> Inputs:
    if isinstance(found, Untaken) or found.state is CredentialState.NONE:
        return Inputs()
    facts = {
        "state": found.state.value,
        "changed": found.changed,
        "signer": found.issuer or found.name,
        "signed_at": found.signed_at,
        "failures": list(found.failures),
    }
    return Inputs(("c2pa", f"c2pa:{found.state.value}"), {"c2pa": facts})
