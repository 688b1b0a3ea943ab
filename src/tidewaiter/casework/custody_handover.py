"""Take over what a camera signed itself: its records as they are, and their media beside them.

Nothing is refused and nothing repaired. A record that its camera validly signed is logged byte
for byte, whatever else is wrong with it: the audit names that again whenever it reads it. What
nobody validly signed cannot be logged under the camera's name; it is kept with its file, as an
import that says why. Media come first, then keys and salts, then all records and the dock's own
entries together in the outbox: after a crash, handing over again finishes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, cast

from tidewaiter.casework.custody_handover_judging import (
    JudgedLine,
    gaps_since,
    judge_lines,
    judge_so_far,
)
from tidewaiter.casework.custody_site import (
    Site,
    Waiting,
    entries_of,
    known_state,
)
from tidewaiter.casework.custody_taking import (
    WRAP_NONCE_LENGTH,
    HandedIn,
    PartStream,
    Taken,
    checked_parts,
    printable_name,
    take_import,
)
from tidewaiter.custody.chains import Allowed
from tidewaiter.custody.commitments import COMMITMENT_SALT_LENGTH, Opening, commit, opens
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.handover import SegmentSecret
from tidewaiter.custody.record import Record, sign_record
from tidewaiter.custody.seal import SEAL_NONCE_LENGTH, seal, wrap_key

NO_RECORD = "no-record"
"""Said of a file on the card that no record is about."""


@dataclass(frozen=True)
class HandOver:
    """What came from one camera: its records, what opens them, and the files on its card."""

    device: str
    records: HandedIn
    """The file of records itself, kept where any of its lines cannot be logged."""

    lines: bytes
    secrets: Mapping[str, SegmentSecret]
    files: Sequence[HandedIn]
    """Plain media; what lay sealed on the card has been opened."""


@dataclass
class TakenOver:
    """What became of a hand-over."""

    logged: int = 0
    """Records of the camera that were not in the log before."""

    taken: list[Taken] = field(default_factory=list)
    segments: list[str] = field(default_factory=list)
    """The camera's recordings whose media are in custody, now or before."""

    findings: list[Discrepancy] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass
class _Desk:
    """One hand-over while it is taken in."""

    site: Site
    handed: HandOver
    retention: str
    by_content: Mapping[str, HandedIn]
    result: TakenOver
    waiting: list[tuple[Waiting, str]] = field(default_factory=list)
    acknowledged: list[tuple[Waiting, str]] = field(default_factory=list)
    imports: list[tuple[HandedIn, frozenset[str]]] = field(default_factory=list)
    """Files that go in after the camera's records, with what was found."""

    used: set[str] = field(default_factory=set)
    """SHA-256 of the files that some record is about."""


def take_over(
    site: Site, handed: HandOver, retention: str, allowed: Allowed | None = None
) -> TakenOver:
    """Log a camera's records as it signed them, and take in their media.

    Raises InputError where no line is of this camera.
    """
    site.hand_in()
    judge = judge_so_far(site.store, handed.device, allowed or Allowed())
    first = site.log.head.size
    lines = judge_lines(site.store, judge, handed, first, site.now_ms())
    by_content = {one.sha256: one for one in handed.files}
    desk = _Desk(site, handed, retention, by_content, TakenOver())
    for line in lines:
        desk.result.findings += line.findings
        _take_line(desk, line)
    desk.result.findings += gaps_since(judge, handed.device, first)
    desk.result.logged = sum(line.is_new for line in lines)
    _take_rest(desk)
    if any(line.is_refused for line in lines):
        refused = frozenset[str]().union(*(line.names for line in lines if line.is_refused))
        desk.imports.append((handed.records, refused))
    site.agent.keep([*desk.waiting, *desk.acknowledged])
    site.hand_in()
    for file, names in desk.imports:
        taken = take_import(site, file, retention, sorted(names))
        desk.result.taken += [] if taken in desk.result.taken else [taken]
    site.hand_in()
    return desk.result


def _take_line(desk: _Desk, line: JudgedLine) -> None:
    """Log a record that holds; bring in its medium, or what was handed over in its place."""
    secret = desk.handed.secrets.get(hashlib.sha256(line.leaf).hexdigest())
    record = line.record
    if line.is_refused or record is None:
        _keep_apart(desk, secret, line.names)
        return
    if record.kind != "segment":
        if line.is_new:
            desk.waiting.append((Waiting(line.leaf), ""))
        return
    if line.is_second:
        desk.waiting.append((Waiting(line.leaf), ""))
        _keep_apart(desk, secret, line.names)
        return
    medium = _medium_of(desk, secret)
    if medium is not None:
        desk.used.add(medium.sha256)
    if not line.is_new and _is_settled(desk, record, medium):
        return
    problem = _take_medium(desk, line, secret, medium)
    if problem:
        name, text = problem
        at = line.index
        found = Discrepancy(name, f"{record.recording}: {text}", at, at, (record.device,))
        desk.result.findings.append(found)
        if line.is_new:
            desk.waiting.append((Waiting(line.leaf), ""))
        if medium is not None:
            desk.imports.append((medium, frozenset({name})))


def _is_settled(desk: _Desk, record: Record, medium: HandedIn | None) -> bool:
    """Whether a record that was logged before needs nothing more: medium there, or erased."""
    name = record.recording
    file = medium.name if medium else name
    if desk.site.secrets.wrapped_key(name) is not None:
        desk.result.taken.append(Taken(file, name, is_new=False))
        desk.result.segments.append(name)
        return True
    erased = [one.index for one in entries_of(desk.site.store, name) if one.record.kind == "erase"]
    if erased:
        desk.result.notes.append(f"{name} was erased by entry {erased[0]}; it is not taken in anew")
    return bool(erased)


def _medium_of(desk: _Desk, secret: SegmentSecret | None) -> HandedIn | None:
    """The file that has the bytes which the camera says it signed."""
    return desk.by_content.get(secret.media) if secret else None


def _take_medium(
    desk: _Desk, line: JudgedLine, secret: SegmentSecret | None, medium: HandedIn | None
) -> tuple[str, str] | None:
    """Seal a segment as its camera did and keep what opens it; else what is wrong, by name."""
    site, record = desk.site, cast("Record", line.record)
    if secret is None:
        return "media-missing", "no line of the secrets opens it"
    if medium is None:
        return "media-missing", f"no file handed over has the bytes of {secret.file}"
    fitting = [one for one in secret.openings if opens(record, one)]
    if not any(one.field == "media" for one in fitting):
        return "media-edited", f"{medium.name} is not what the camera committed to"
    plain, chunk = checked_parts(medium), secret.chunk_length
    sealed = PartStream(seal(plain, secret.key, secret.nonce, "media", chunk_length=chunk))
    blob = site.blobs.put(cast("BinaryIO", sealed))
    if (blob, sealed.length) != (record.fields["blob"], record.fields["bytes"]):
        # What was put stays: under that digest another recording's medium may stand.
        return "media-edited", f"{medium.name}, sealed with the key that came along, is other bytes"
    for one in secret.openings:
        if one not in fitting:
            desk.result.notes.append(f"{record.recording}: the opening of {one.field} does not fit")
    site.secrets.keep_openings(fitting)
    _keep_key(desk, record.recording, secret.key)
    desk.acknowledged.append((_acknowledgement(desk, record, medium, secret.key), ""))
    desk.waiting.append((Waiting(line.leaf, record.recording), medium.sha256))
    desk.result.taken.append(Taken(medium.name, record.recording, is_new=True))
    desk.result.segments.append(record.recording)
    return None


def _keep_key(desk: _Desk, recording: str, key: bytes) -> None:
    site = desk.site
    wrapped = wrap_key(
        site.class_key(desk.retention),
        key,
        nonce=site.random(WRAP_NONCE_LENGTH),
        recording=recording,
        retention_class=desk.retention,
    )
    site.secrets.keep_key(recording, desk.retention, wrapped)


def _acknowledgement(desk: _Desk, record: Record, file: HandedIn, key: bytes) -> Waiting:
    """The dock's own entry: when the recording came, its fingerprints, the name on the card."""
    site = desk.site
    nonce = site.random(SEAL_NONCE_LENGTH)
    prints = PartStream(seal([file.manifest], key, nonce, "manifest"))
    values = {
        "manifest": hashlib.sha256(file.manifest).hexdigest(),
        "name": printable_name(file.name),
    }
    salts = {name: site.random(COMMITMENT_SALT_LENGTH) for name in values}
    fields: dict[str, Any] = {
        "recording": record.recording,
        "entry": record.digest,
        "class": desk.retention,
        "manifest_blob": site.blobs.put(cast("BinaryIO", prints)),
        "commit": {name: commit(name, salts[name], value) for name, value in values.items()},
    }
    if file.signatures:
        fields["signatures"] = list(file.signatures)
    said = site.said("ingest", fields)
    leaf = sign_record(said, known_state(site.agent, site.service).secret)
    digest = hashlib.sha256(leaf).hexdigest()
    site.secrets.keep_openings(
        [Opening(digest, name, salts[name], value) for name, value in values.items()]
    )
    return Waiting(leaf)


def _keep_apart(desk: _Desk, secret: SegmentSecret | None, names: frozenset[str]) -> None:
    """Keep the file of a record that does not count, as an import that says why."""
    medium = _medium_of(desk, secret)
    if medium is not None:
        desk.used.add(medium.sha256)
        desk.imports.append((medium, names))


def _take_rest(desk: _Desk) -> None:
    """Files that no record is about: in the place of one that is missing, or strange to all."""
    signed = {one.file: one.media for one in desk.handed.secrets.values()}
    for file in desk.handed.files:
        if file.sha256 in desk.used:
            continue
        if signed.get(file.name, file.sha256) != file.sha256:
            text = f"{file.name} is not the file that the camera signed under that name"
            found = Discrepancy("media-edited", text, None, None, (desk.handed.device,))
            desk.result.findings.append(found)
            desk.imports.append((file, frozenset({found.name})))
        else:
            desk.result.notes.append(f"{file.name}: no record is about it; taken in as an import")
            desk.imports.append((file, frozenset({NO_RECORD})))
