"""Carry out the commands of a custody site on real files: take in, confirm, prove, audit."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from pathlib import Path

from tidewaiter.casework.custody_audit import Audited, Place, audit
from tidewaiter.casework.custody_finding import Found, find_content, find_digest, find_link
from tidewaiter.casework.custody_site import Site
from tidewaiter.casework.custody_taking import Taken, dock, ingest
from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.fork import FORK_SUFFIX, fork_between
from tidewaiter.custody.gaps import Absences
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.merkle import leaf_hash
from tidewaiter.custody.proof import PROOF_SUFFIX, ProofFile
from tidewaiter.custody.quick_judging import QuickJudge
from tidewaiter.custody.record import parse_record
from tidewaiter.custody.record_kinds import HEX_DIGEST
from tidewaiter.custody.store import LogStore
from tidewaiter.custody.witness import AddCheckpoint
from tidewaiter.errors import (
    BadSignature,
    InputError,
    IntegrityError,
    StorageError,
)
from tidewaiter.jobs.custody_signers import usable_processors, verify_in_workers
from tidewaiter.outlets.witness_client import Confirmation
from tidewaiter.settings import Settings
from tidewaiter.storage import reports
from tidewaiter.storage.custody_secrets import SqliteSecrets
from tidewaiter.wiring_custody_files import (
    docking_order,
    listed_files,
    read_handed_over,
    readable,
)
from tidewaiter.wiring_custody_site import SitePlace, now_ms, opened_site

LONGEST_NUMBER = 18
MOST_TRIED = 1000
"""Checkpoints that an answer carried by hand is compared with."""


@dataclass
class Outcome:
    """What came of taking in, or of asking the witnesses."""

    taken: list[Taken] = field(default_factory=list)
    confirmations: list[Confirmation] = field(default_factory=list)
    receipts: list[Path] = field(default_factory=list)
    discrepancies: list[Discrepancy] = field(default_factory=list)
    refused: list[InputError] = field(default_factory=list)
    """Why files were not taken in; all others were."""

    waiting: int = 0
    """Recordings that are logged and not yet confirmed by the quorum."""


def dock_files(
    place: SitePlace,
    device: str,
    paths: Sequence[Path],
    settings: Settings,
    *,
    retention: str = "",
    clock_offset_ms: int | None = None,
) -> Outcome:
    """Take in what is on a device, ask the witnesses, write the receipts.

    Raises StorageError where something could not be kept; what was logged before stays logged,
    and running it again goes on.
    """
    with opened_site(place) as site:
        pattern = site.agent.file_number(device)
        files = sorted(listed_files(paths), key=partial(docking_order, pattern=pattern))
        handed, refused = readable(files, settings)
        if clock_offset_ms is not None:
            now = site.now_ms()
            offset = {"subject": device, "offset_ms": clock_offset_ms}
            site.say("clock", offset | {"device_ms": now + clock_offset_ms})
        taken = dock(site, device, handed, retention or place.settings.retention)
        return confirm(place, site, Outcome(taken, refused=refused))


def ingest_files(
    place: SitePlace, paths: Sequence[Path], settings: Settings, *, retention: str = ""
) -> Outcome:
    """Take in what somebody else hands in, at the claim level `import`."""
    with opened_site(place) as site:
        handed, refused = readable(listed_files(paths), settings)
        taken = ingest(site, handed, retention or place.settings.retention)
        return confirm(place, site, Outcome(taken, refused=refused))


def confirm(place: SitePlace, site: Site, outcome: Outcome) -> Outcome:
    """Log what waits, ask every witness for the newest checkpoint, write receipts."""
    site.hand_in()
    size = site.log.head.size
    note = site.log.checkpoint(size).encoded
    for client in place.witnesses():
        known = _last_confirmed(site, client.name)
        answer = client.confirm(note, known, site.log.consistency_proof)
        outcome.confirmations.append(answer)
        if answer.stated_size is not None and answer.stated_size < known:
            outcome.discrepancies.append(_set_back(answer, known))
        if answer.lines:
            lines = "".join(answer.lines).encode()
            take_answer(site, client.name, lines)
        elif answer.stated_size is not None and answer.stated_size > size:
            text = (
                f"{answer.witness} confirmed {answer.stated_size} records; {size} are stored: "
                "the database is an older state of itself"
            )
            last = answer.stated_size - 1
            found = Discrepancy("database-rolled-back", text, size, last)
            outcome.discrepancies.append(found)
            site.log.contradict(found)
    outcome.receipts += write_receipts(place, site)
    outcome.waiting = sum(bool(one.recording) for one in site.agent.outbox())
    return outcome


def _set_back(answer: Confirmation, known: int) -> Discrepancy:
    text = (
        f"{answer.witness} remembers {answer.stated_size} entries and confirmed {known} before: "
        "its memory was lost or an older one put back, or somebody on the way to it said so, since "
        "this is not signed; ask its keeper"
    )
    return Discrepancy("witness-set-back", text, answer.stated_size, known - 1)


def take_answer(site: Site, witness: str, lines: bytes) -> int:
    """Keep a witness's cosignature lines; gives the size it confirmed.

    An answer carried by hand may be to an older checkpoint, so the newest are tried in turn.
    Raises InputError for a witness that the policy does not name, IntegrityError where no line
    is a good one.
    """
    known = {one.name: one for one in site.policy.witnesses}
    if witness not in known:
        raise InputError(
            f"the policy names no witness {witness!r}; it names {', '.join(known) or 'none'}"
        )
    sizes = [one.size for one in site.store.checkpoints(_last_confirmed(site, witness))]
    for size in reversed(sizes[-MOST_TRIED:]):
        with contextlib.suppress(BadSignature):
            site.log.confirm(size, known[witness], lines)
            return size
    raise BadSignature(f"the answer of {witness} fits no checkpoint since its last one")


def write_requests(site: Site, folder: Path) -> list[Path]:
    """Write, for every witness of the policy, the request to carry to it on a stick."""
    size = site.log.head.size
    note = site.log.checkpoint(size)
    written = []
    for witness in site.policy.witnesses:
        known = _last_confirmed(site, witness.name)
        path = tuple(site.log.consistency_proof(known, size)) if known else ()
        request = AddCheckpoint(known, path, note)
        written.append(
            write_whole(folder / f"{witness.name}-{size}.add-checkpoint", request.encoded)
        )
    return written


def write_receipts(place: SitePlace, site: Site) -> list[Path]:
    """Write the proof of everything that waited and is now confirmed, and let it go."""
    written, done = [], []
    for one in site.agent.outbox():
        hashed = leaf_hash(one.leaf)
        index = site.store.indices_of([hashed]).get(hashed)
        if index is None:
            continue
        try:
            proof = prove_index(site, index, with_salts=True)
        except InputError:  # no quorum yet: it goes on waiting
            continue
        done.append(one.leaf)
        if one.recording:
            name = one.recording.replace("/", "_") + PROOF_SUFFIX
            path = place.path(place.settings.receipts) / name
            written.append(write_whole(path, proof.encoded))
    site.agent.confirmed(done)
    return written


@dataclass(frozen=True)
class Proven:
    """A proof, a name for it, and what was noticed while its entry was looked for."""

    proof: ProofFile
    name: str
    notice: str = ""


def prove_exhibit(place: SitePlace, exhibit: str, *, with_salts: bool) -> Proven:
    """The proof of a recording, a file, an entry's number, a digest, or a number of a device.

    Raises InputError where the log has no such thing, or witnesses have not confirmed it yet.
    """
    with opened_site(place) as site:
        if exhibit.isascii() and exhibit.isdigit():
            proof = prove_index(site, int(exhibit), with_salts=with_salts)
            return Proven(proof, f"entry-{exhibit}")
        name = _known_file(site, Path(exhibit)) if Path(exhibit).is_file() else exhibit
        found = _looked_up(site.store, name)
        if found is None:
            raise InputError(
                f"no entry of this log brings in a recording {name!r}, nor names such a digest or "
                "number; `tidewaiter custody list` shows the recordings it has"
            )
        if found.notice:  # made anew the next time the log is opened
            with contextlib.suppress(StorageError):
                site.store.misplace()
        return Proven(prove_index(site, found.index, with_salts=with_salts), name, found.notice)


def _known_file(site: Site, path: Path) -> str:
    """The recording that has the bytes of a file. Raises InputError."""
    with path.open("rb") as file:
        name = site.agent.taken(hashlib.file_digest(file, "sha256").hexdigest())
    if not name:
        raise InputError(
            f"{path.name} is no recording of this log, byte for byte; "
            "`tidewaiter custody compare` shows where a copy differs"
        )
    return name


def _looked_up(store: LogStore, name: str) -> Found | None:
    """The entry of a recording, of a SHA-256, or of DEVICE#NUMBER."""
    device, hash_sign, number = name.rpartition("#")
    if hash_sign and number.isascii() and number.isdigit() and len(number) < LONGEST_NUMBER:
        return find_link(store, device, int(number))
    if HEX_DIGEST.fullmatch(name):
        return find_digest(store, name) or find_content(store, name)
    return find_content(store, name)


def write_forks(audited: Audited, folder: Path) -> list[Path]:
    """Write the forks that an audit found.

    Two roots over one size are one file that proves it to anybody; for two sizes both
    checkpoints are written, which prove it together with the entries.
    """
    written = []
    for number, one in enumerate(audited.forks, 1):
        fork = None
        with contextlib.suppress(IntegrityError):
            fork = fork_between(one.shown, one.kept)
        if fork is not None:
            written.append(write_whole(folder / f"{number:04}{FORK_SUFFIX}", fork.encoded))
        else:
            written.append(write_whole(folder / f"{number:04}-shown.checkpoint", one.shown))
            written.append(write_whole(folder / f"{number:04}-kept.checkpoint", one.kept))
    return written


def prove_index(site: Site, index: int, *, with_salts: bool) -> ProofFile:
    """The proof of an entry; with the salts of its media and manifest where asked for."""
    bodies = [leaf.body for leaf in site.store.leaves(index, index + 1)]
    salts: dict[str, bytes] = {}
    if with_salts and bodies:
        openings = site.secrets.openings(parse_record(bodies[0]).digest)
        salts = {one.field: one.salt for one in openings if one.field in {"media", "manifest"}}
    return site.log.prove(index, site.policy, salts)


@dataclass(frozen=True)
class Listed:
    """One recording of the log, with what decides how long it is kept."""

    recording: str
    device: str
    entry: int
    retention: str
    holds: int
    expires_ms: int | None
    erased_by: int | None

    def fields(self) -> dict[str, object]:
        """The same for JSON."""
        return asdict(self)


def list_recordings(place: SitePlace) -> list[Listed]:
    """Every recording of the log, in the order in which they came."""
    judge, devices = Judge(allowed=place.allowed, check_signatures=False), {}
    quick = QuickJudge(judge)
    with contextlib.closing(place.open_store(read_only=True)) as store:
        for leaf in store.leaves():
            _, entry = quick.feed(leaf.index, leaf.body)
            if entry is not None and b'"blob":' in leaf.body:
                devices[leaf.index] = entry.device
    book = judge.retention
    return [
        Listed(
            recording=name,
            device=devices.get(kept.entry, ""),
            entry=kept.entry,
            retention=kept.retention_class,
            holds=kept.holds,
            expires_ms=book.expires_ms(name),
            erased_by=kept.erased_by,
        )
        for name, kept in book.recordings.items()
    ]


@contextlib.contextmanager
def audit_place(place: SitePlace, outside: Sequence[Path], *, media: bool) -> Iterator[Place]:
    """What an audit reads, opened without being held against writers."""
    with contextlib.ExitStack() as stack:
        store = place.open_store(read_only=True)
        stack.callback(store.close)
        secrets = None
        # A copy elsewhere, at vigilance for instance, has none; that says nothing about the site.
        if place.path(place.settings.secrets).exists():
            secrets = SqliteSecrets(place.path(place.settings.secrets))
            stack.callback(secrets.close)
        yield Place(
            store=store,
            policy=place.read_policy(),
            blobs=place.open_blobs() if media else None,
            secrets=secrets,
            witnesses=place.witnesses(),
            outside=[read_handed_over(path) for path in outside],
        )


def audit_site(
    place: SitePlace,
    outside: Sequence[Path] = (),
    *,
    media: bool = True,
    workers: int | None = None,
) -> Audited:
    """Read every record, and every byte of media, again; ask the witnesses.

    So many worker processes verify signatures, one for each processor by default; this process
    alone does for 0.
    """
    judge = Judge(allowed=place.allowed)
    verify = verify_in_workers(usable_processors() if workers is None else workers)
    with audit_place(place, outside, media=media) as audited:
        return audit(audited, judge, to_ms=now_ms(), verify=verify)


def gaps_of(place: SitePlace, from_ms: int, to_ms: int | None) -> Absences:
    """What is missing between two moments, worked out from the entries alone."""
    judge = Judge(allowed=place.allowed, check_signatures=False)
    until_ms = min(now_ms(), now_ms() if to_ms is None else to_ms)
    jumps: list[Discrepancy] = []
    quick, store = QuickJudge(judge), place.open_store(read_only=True)
    with contextlib.closing(store):
        for leaf in store.leaves():
            found, _ = quick.feed(leaf.index, leaf.body)
            jumps += [one for one in found if one.name == "sequence-gap"]
    absences = judge.absences(from_ms, until_ms)
    within = [one for one in jumps if _overlaps(one, from_ms, until_ms)]
    return replace(absences, discrepancies=(*within, *absences.discrepancies))


def write_whole(path: Path, data: bytes) -> Path:
    """Write a file whole or not at all, and name it. Raises StorageError."""
    return reports.write_whole(path, data)


def _overlaps(found: Discrepancy, from_ms: int, until_ms: int) -> bool:
    """Whether it may have happened within the span; an end that is not known is open."""
    began_too_late = found.since_ms is not None and found.since_ms > until_ms
    ended_too_early = found.until_ms is not None and found.until_ms < from_ms
    return not (began_too_late or ended_too_early)


def _last_confirmed(site: Site, witness: str) -> int:
    """The largest size that a witness confirmed, as far as this site knows."""
    sizes = site.store.cosigned_sizes()
    return next(
        (size for size in reversed(sizes) if witness in site.store.cosignatures(size)),
        0,
    )
