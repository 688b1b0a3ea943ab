"""Hand over what a camera signed on board: find its files, take them in, give receipts back."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from tidewaiter.casework.custody_handover import HandOver, TakenOver, take_over
from tidewaiter.custody.handover import (
    LARGEST_HANDOVER,
    RECORDS_SUFFIX,
    SECRETS_SUFFIX,
    SegmentSecret,
    parse_secrets,
    split_lines,
)
from tidewaiter.custody.keys import ED25519_NOTE, VerifierKey
from tidewaiter.custody.proof import PROOF_SUFFIX
from tidewaiter.custody.record import parse_record
from tidewaiter.custody.seal import SEAL_MARK, unseal
from tidewaiter.custody.sealed_secrets import open_lines, site_key_public
from tidewaiter.errors import BrokenSeal, InputError, MalformedText, UnknownExhibit
from tidewaiter.settings import Settings
from tidewaiter.storage.site_key import SITE_SECRET_LENGTH, make_site_key, read_site_key
from tidewaiter.wiring_custody import Outcome, confirm, write_whole
from tidewaiter.wiring_custody_files import (
    handed_in,
    listed_files,
    read_handed_over,
    readable,
)
from tidewaiter.wiring_custody_site import SitePlace, opened_site

LARGEST_KEY_TEXT = 1 << 14
_NO_MEDIA = {RECORDS_SUFFIX, SECRETS_SUFFIX, PROOF_SUFFIX}
_PART = 1 << 20
_RAW_KEY_LENGTH = 32
_BASE64_OF_KEY = 44


@dataclass(frozen=True)
class FromCamera:
    """What lies on the desk: whose it is said to be, its file of records, all other files."""

    device: str
    records: Path
    files: tuple[Path, ...]


@dataclass
class HandedOver:
    """What came of a hand-over: as for any docking, and what was found in the records."""

    outcome: Outcome
    logged: int = 0
    notes: list[str] = field(default_factory=list)
    brought_back: list[Path] = field(default_factory=list)
    """Receipts written for the camera."""

    @property
    def is_sound(self) -> bool:
        """Whether nothing in it contradicts what its camera signed."""
        return not self.outcome.discrepancies


def handover_files(paths: Sequence[Path]) -> tuple[Path | None, list[Path]]:
    """The file of records among the files named, if there is one, and all media.

    Secrets, and receipts that were brought back before, are no media of the camera.
    Raises InputError for two files of records: each hand-over is one camera's.
    """
    files = listed_files(paths)
    records = [one for one in files if one.suffix == RECORDS_SUFFIX]
    if len(records) > 1:
        raise InputError(
            f"{len(records)} files of records ({', '.join(one.name for one in records[:5])}); "
            "hand over one at a time, with --records"
        )
    if not records:
        return None, files
    return records[0], [one for one in files if one.suffix not in _NO_MEDIA]


def take_handover(
    place: SitePlace,
    given: FromCamera,
    settings: Settings,
    *,
    retention: str = "",
    clock_offset_ms: int | None = None,
) -> HandedOver:
    """Log what a camera signed, as it is, take in its media, ask the witnesses.

    Raises InputError where the records are another camera's, UnknownExhibit where a file cannot
    be read. Running it again after an interruption goes on.
    """
    records, lines = given.records, read_handed_over(given.records, LARGEST_HANDOVER)
    secrets, notes = _secrets_beside(place, records)
    own = records.resolve()
    files = [one for one in given.files if one.suffix not in _NO_MEDIA and one.resolve() != own]
    with tempfile.TemporaryDirectory(prefix="tidewaiter-handover-") as folder:
        plain = _opened_files(files, _sealed_secrets(lines, secrets), Path(folder), notes)
        (whole,) = handed_in([records], settings)
        media, refused = readable(plain, settings) if plain else ([], [])
        handed = HandOver(given.device, whole, lines, secrets, media)
        with opened_site(place) as site:
            if clock_offset_ms is not None:
                offset = {"subject": given.device, "offset_ms": clock_offset_ms}
                site.say("clock", offset | {"device_ms": site.now_ms() + clock_offset_ms})
            wanted = retention or place.settings.retention
            done = take_over(site, handed, wanted, place.allowed)
            outcome = confirm(place, site, Outcome(done.taken, refused=refused))
    outcome.discrepancies[:0] = done.findings
    return HandedOver(outcome, done.logged, [*notes, *done.notes], _receipts_of(place, done))


def bring_back(handed: HandedOver, folder: Path) -> list[Path]:
    """Copy the receipts of a hand-over to where the camera finds them. Raises StorageError."""
    return [write_whole(folder / one.name, one.read_bytes()) for one in handed.brought_back]


def sealing_key(place: SitePlace) -> str:
    """The site's public key for its cameras, in base64; its secret is made at the first asking.

    Raises ConfigurationError where the secret cannot be read or kept.
    """
    folder = place.path(place.settings.class_keys)
    if read_site_key(folder) is None:
        make_site_key(folder, os.urandom(SITE_SECRET_LENGTH))
    secret = read_site_key(folder) or b""
    return base64.b64encode(site_key_public(secret)).decode("ascii")


def key_in_file(path: Path, name: str) -> str:
    """The public key, in base64, that a camera made for itself: a vkey, PEM, or base64 of 32 bytes.

    Raises InputError for anything else, a secret key above all; UnknownExhibit.
    """
    data = read_handed_over(path, LARGEST_KEY_TEXT)
    if b"PRIVATE" in data:
        raise InputError(
            f"{path.name} holds a secret key, which must never leave its camera: make a new one "
            "there, and bring its public part"
        )
    raw = _pem_key(data) if data.lstrip().startswith(b"-----BEGIN") else _text_key(data, name)
    if raw is None or len(raw) != _RAW_KEY_LENGTH:
        raise InputError(
            f"{path.name} is no public Ed25519 key: a line like NAME+ID+KEY, PEM, or base64 of "
            f"{_RAW_KEY_LENGTH} bytes needed"
        )
    return base64.b64encode(raw).decode("ascii")


def _receipts_of(place: SitePlace, done: TakenOver) -> list[Path]:
    folder = place.path(place.settings.receipts)
    named = [folder / (one.replace("/", "_") + PROOF_SUFFIX) for one in done.segments]
    return [path for path in named if path.exists()]


def _secrets_beside(place: SitePlace, records: Path) -> tuple[dict[str, SegmentSecret], list[str]]:
    path = records.with_suffix(SECRETS_SUFFIX)
    if not path.exists():
        return {}, [f"there is no {path.name}: what the records are about cannot be opened"]
    site_secret = read_site_key(place.path(place.settings.class_keys))
    opened, sealed = open_lines(read_handed_over(path, LARGEST_HANDOVER), site_secret)
    secrets, torn = parse_secrets(opened)
    return secrets, [*sealed, *torn]


def _sealed_secrets(lines: bytes, secrets: Mapping[str, SegmentSecret]) -> dict[str, SegmentSecret]:
    """The secrets by SHA-256 of their sealed media and, for files that were changed, by name."""
    found = {one.file: one for one in secrets.values()}
    for _, leaf in split_lines(lines):
        secret = secrets.get(hashlib.sha256(leaf).hexdigest())
        if secret is not None:
            with contextlib.suppress(MalformedText):
                found[str(parse_record(leaf).fields.get("blob", ""))] = secret
    return found


def _opened_files(
    files: Sequence[Path], secrets: Mapping[str, SegmentSecret], folder: Path, notes: list[str]
) -> list[Path]:
    """The files, those that lay sealed opened into a folder that goes away."""
    plain = []
    for number, path in enumerate(files):
        digest = _digest_if_sealed(path)
        secret = secrets.get(digest) or secrets.get(path.name) if digest else None
        opened = path
        if secret is not None:
            opened = folder / str(number) / path.name
            opened.parent.mkdir()
            try:
                _unseal_file(path, secret.key, opened)
            except BrokenSeal as error:
                notes.append(f"{path.name}: {error}")
                opened = path
        plain.append(opened)
    return plain


def _digest_if_sealed(path: Path) -> str:
    """The SHA-256 of a file that begins as a sealed medium does; empty for any other."""
    try:
        with path.open("rb") as file:
            if file.read(len(SEAL_MARK)) != SEAL_MARK:
                return ""
            file.seek(0)
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnknownExhibit(f"{path.name}: cannot be read ({error.strerror})") from error


def _unseal_file(path: Path, key: bytes, out: Path) -> None:
    with path.open("rb") as source, out.open("wb") as target:
        for part in unseal(iter(lambda: source.read(_PART), b""), key, "media"):
            target.write(part)


def _pem_key(data: bytes) -> bytes | None:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(data)
    except (ValueError, UnsupportedAlgorithm):
        return None
    return key.public_bytes_raw() if isinstance(key, Ed25519PublicKey) else None


def _text_key(data: bytes, name: str) -> bytes | None:
    """A verifier key, which must be NAME's, or the bare 32 bytes in base64."""
    try:
        text = data.decode("ascii").strip()
        if len(text) == _BASE64_OF_KEY:
            return base64.b64decode(text, validate=True)
        key = VerifierKey.parse(text)
    except (ValueError, MalformedText):
        return None
    if key.name != name:
        raise InputError(f"the key is that of {key.name}; that of {name} needed")
    return key.public if key.algorithm == ED25519_NOTE else None
