"""Put an audit together: its files, the service, the gate, the ledger and the pages."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from tidewaiter import __version__
from tidewaiter.errors import ConfigurationError, InputError, StorageError, TidewaiterError
from tidewaiter.face_audit.auditing import (
    Audit,
    Estimate,
    check_before,
    check_faces,
    estimated,
    prepared,
    results,
)
from tidewaiter.face_audit.demonstration import chosen, people_text, protocol_text
from tidewaiter.face_audit.driver import Ending, Ports, carry_out, open_probes
from tidewaiter.face_audit.gate import GateKeeper
from tidewaiter.face_audit.ledger import Book, Opening, book_of, same_audit
from tidewaiter.face_audit.material import Material, Shown, closeness_by
from tidewaiter.face_audit.people import Person, read_people
from tidewaiter.face_audit.protocol import Gate, Protocol, read_protocol
from tidewaiter.face_audit.results import AuditResults, Planned
from tidewaiter.face_audit.service import Picture, Recogniser
from tidewaiter.face_audit.starting import PEOPLE_FILE, PROTOCOL_FILE
from tidewaiter.face_audit.trials import Closeness, Probe, for_another
from tidewaiter.report.audit_page import audit_page
from tidewaiter.settings import Settings
from tidewaiter.storage.kept import FolderOfBytes
from tidewaiter.storage.ledger_file import LedgerFile, read_ledger
from tidewaiter.storage.reports import write_whole
from tidewaiter.testing.samples import spliced_picture
from tidewaiter.wiring_gates import check_gate, gate_digest, gate_of
from tidewaiter.wiring_makers import Made, Workshop, embedded, made_ahead, recogniser_of
from tidewaiter.wiring_opening import first_of, open_all, wants_lookalikes

Show = Callable[[Probe], Shown]
LEDGER, MADE = "ledger.jsonl", "pictures"
# Rows of a ledger that a power cut may lose where asking again costs nothing.
ROWS_TOGETHER = 100
# Longest side of a picture in the report, in pixels.
THUMBNAIL_SIDE = 240
PICTURES = (".jpg", ".jpeg", ".png")
DEMO_GATE = "face.manipulation_network"


@dataclass(frozen=True)
class Bench:
    """An audit laid out on this machine, with everything it runs on."""

    audit: Audit
    material: Material
    recogniser: Recogniser
    also: tuple[Recogniser, ...]
    folder: Path
    gate: GateKeeper | None
    gate_network: str | None
    """Digest of the network behind the gate, where it is not the shipped one."""

    workshop: Workshop

    def opening(self, workers: int | None = None) -> Opening:
        """The first line of this audit's ledger, with what it would take with so many workers."""
        plan = self.estimate(workers)
        return Opening(
            audit=self.audit.protocol.audit,
            protocol_sha256=self.audit.digest,
            pictures=self.audit.pictures,
            endpoint=self.recogniser.card.endpoint,
            started=SystemClock().now(),
            planned=Planned(
                calls=plan.calls,
                cost=str(plan.cost),
                seconds=round(plan.seconds, 1),
                pictures=plan.attack_pictures,
                trials=self._trials(),
            ),
            gate_network=self.gate_network,
        )

    def _trials(self) -> int:
        """Of the recogniser under audit and of the further ones."""
        trials = self.audit.trials
        further = (for_another(trials, other.card.adapter) for other in self.also)
        return len(trials) + sum(len(asked) for asked in further)

    def estimate(self, workers: int | None = None) -> Estimate:
        """What this audit would take with so many workers, by default one per core."""
        also = self.also
        return estimated(self.audit, self.recogniser, also=also, workers=workers or cores())


class SystemClock:
    """The clock of this machine."""

    def now(self) -> str:
        """UTC to the second."""
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def monotonic(self) -> float:
        """Seconds since some moment."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


def prepare_demo(faces: Path, out: Path, settings: Settings) -> tuple[Path, str | None]:
    """Copy a few faces, write list and protocol beside them; the protocol and its gate.

    Raises InputError for a folder without enough people, StorageError for a full disk.
    """
    found = {
        folder.name: [file.name for file in folder.iterdir() if file.suffix.lower() in PICTURES]
        for folder in faces.iterdir()
        if folder.is_dir()
    }
    people = chosen(found)
    try:
        for name, files in people.items():
            (out / "faces" / name).mkdir(parents=True, exist_ok=True)
            for file in files:
                shutil.copyfile(faces / name / file, out / "faces" / name / file)
    except OSError as error:
        raise StorageError(
            f"the faces could not be copied to {out.name!r} ({error.strerror}); choose another "
            "--out folder"
        ) from error
    listed = {name: [f"faces/{name}/{file}" for file in files] for name, files in people.items()}
    gate = DEMO_GATE if _can_run(Gate(detector=DEMO_GATE), settings) else None
    write_whole(out / PEOPLE_FILE, people_text(listed))
    write_whole(out / PROTOCOL_FILE, protocol_text(gate))
    return out / PROTOCOL_FILE, gate


def open_audit(
    protocol_path: Path,
    folder: Path,
    settings: Settings,
    *,
    workers: int = 1,
    on_checked: Callable[[int], None] = lambda _count: None,
) -> tuple[Bench, list[str]]:
    """The audit of a protocol, every picture opened and checked by `workers`, nothing sent.

    Also the files of probes without a face. Raises the errors of `tidewaiter.errors` for
    whatever would fail once calls are made.
    """
    protocol, people, listed = _read(protocol_path)
    home = protocol_path.parent
    workshop = Workshop(
        protocol=protocol, home=home.resolve(), kept=folder.resolve() / MADE, settings=settings
    )
    store = FolderOfBytes(workshop.kept)
    recogniser, *also = (recogniser_of(t, protocol, home, store) for t in protocol.recognisers)
    material = Material(home, store, settings.limits, protocol.capture)
    open_all(workshop, people, workers, on_checked)
    closeness = _closeness(protocol, people, recogniser, material, store)
    audit = prepared(protocol, people, listed, closeness)
    for each in (recogniser, *also):
        check_before(audit, each)
    faceless = check_faces(audit, material.has_face)
    gate = gate_of(protocol.gate, settings, home)
    if protocol.gate is not None and gate is not None:
        first = next(trial.probe.host for trial in audit.trials if not trial.species)
        check_gate(protocol.gate, gate, material.small_copy(first))
    digest = gate_digest(protocol.gate, settings, home)
    further = tuple(also)
    return Bench(audit, material, recogniser, further, folder, gate, digest, workshop), faceless


def run_audit(
    bench: Bench,
    on_progress: Callable[[int, int], None] = lambda _done, _all: None,
    *,
    workers: int = 1,
    on_made: Callable[[int, int], None] = lambda _done, _all: None,
    through: Callable[[Show], Show] | None = None,
) -> tuple[Ending, bool]:
    """Begin or go on; how it ended, and whether a torn last line was dropped.

    So many `workers` make and judge the pictures first. `through` is a way they take before
    they are shown; the gate then judges what arrives.
    """
    opening = bench.opening(workers)
    with LedgerFile(bench.folder / LEDGER, opening, together=_together(bench)) as ledger:
        left = open_probes(bench.audit.trials, book_of(ledger.rows), gated=bench.gate is not None)
        if through is not None:
            left = tuple((probe, False) for probe, _ in left)
        judged = made_ahead(bench.workshop, left, workers, on_made)
        made = Made(bench.material, bench.gate, judged)
        ports = Ports(
            recogniser=bench.recogniser,
            ledger=ledger,
            photo=bench.material.photo,
            show=made.show if through is None else through(made.show),
            clock=SystemClock(),
            gate=made.judge if bench.gate is not None else None,
            on_progress=on_progress,
        )
        return _by_each(bench, ports), ledger.torn


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not everywhere
        return os.cpu_count() or 1


def _by_each(bench: Bench, ports: Ports) -> Ending:
    """The recogniser under audit first, then the further ones, until one stops."""
    audit, limits = bench.audit, bench.audit.protocol.limits
    ending = carry_out(audit.trials, audit.gallery, ports, limits)
    for other in bench.also:
        if ending.reason is not None:
            break
        adapter = other.card.adapter
        further = replace(ports, recogniser=other, gate=None, by=adapter)
        ending = carry_out(for_another(audit.trials, adapter), (), further, limits)
    return ending


def _together(bench: Bench) -> int:
    """Rows that may reach the disk together: what runs here bills nobody."""
    billed = any(r.card.remote or r.price.per_call != 0 for r in (bench.recogniser, *bench.also))
    return 1 if billed else ROWS_TOGETHER


def audit_results(bench: Bench) -> AuditResults:
    """The record of what the ledger holds so far. Raises IntegrityError for another audit's."""
    path = bench.folder / LEDGER
    opening, rows = read_ledger(path)
    same_audit(opening, bench.opening())
    facts = {
        "ledger_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "tidewaiter": __version__,
        "python": platform.python_version(),
        "service": bench.recogniser.card.version,
        **({"gate_network_sha256": bench.gate_network} if bench.gate_network else {}),
    }
    cards = [recogniser.card for recogniser in (bench.recogniser, *bench.also)]
    return results(bench.audit, opening, rows, facts, *cards)


def write_report(
    bench: Bench,
    language: str,
    told: Callable[[AuditResults], AuditResults] = lambda found: found,
) -> AuditResults:
    """Write report.json and report.html into the folder of the audit, as `told` has them."""
    found = told(audit_results(bench))
    thumbnails = {
        picture.file: small
        for picture in found.worst
        if (content := FolderOfBytes(bench.folder / MADE).get(picture.file)) is not None
        and (small := _thumbnail(content)) is not None
    }
    page = audit_page(found, thumbnails, language)
    write_whole(bench.folder / "report.html", page)
    write_whole(bench.folder / "report.json", found.model_dump_json(indent=1) + "\n")
    return found


def audit_status(folder: Path) -> tuple[Opening, Book]:
    """What the ledger in a folder says, also while another process runs the audit."""
    opening, rows = read_ledger(folder / LEDGER)
    return opening, book_of(rows)


def _read(path: Path) -> tuple[Protocol, tuple[Person, ...], bytes]:
    said, remedy = "the protocol", "`tidewaiter audit init` writes one to begin with"
    protocol = read_protocol(_text(path, said, remedy, ConfigurationError), path.name)
    listed = path.parent / protocol.people
    said, remedy = "the list of people", "`people` in the protocol names it, from its own folder"
    text = _text(listed, said, remedy, InputError)
    people = read_people(text, listed.name, _digest_below(path.parent))
    return protocol, people, text.encode("utf-8")


def _text(path: Path, said: str, remedy: str, kind: type[TidewaiterError]) -> str:
    try:
        return path.read_bytes().decode("utf-8")
    except OSError as error:
        raise kind(f"{said} {path.name!r} cannot be read ({error.strerror}); {remedy}") from error
    except UnicodeDecodeError as error:
        raise kind(
            f"{said} {path.name!r} is not UTF-8 text (byte {error.start + 1}); save it as UTF-8"
        ) from error


def _can_run(gate: Gate, settings: Settings) -> bool:
    """Found on a picture of ours: no file from outside is opened in this process."""
    keeper = gate_of(gate, settings, Path())
    assert keeper is not None
    return not keeper(Picture("sample.jpg", spliced_picture())).unavailable


def _thumbnail(content: bytes) -> bytes | None:
    """A forgery of ours, small enough for twenty of them on a page; None where it is damaged."""
    import cv2
    import numpy as np

    data = np.frombuffer(content, np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if pixels is None:
        return None
    scale = min(1.0, THUMBNAIL_SIDE / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return cv2.imencode(".jpg", small)[1].tobytes()


def _digest_below(folder: Path) -> Callable[[str], str]:
    def digest(name: str) -> str:
        try:
            return hashlib.sha256((folder / name).read_bytes()).hexdigest()
        except OSError as error:
            raise InputError(
                f"the picture {name!r} cannot be read ({error.strerror}); correct the list of "
                "people, whose files count from its own folder"
            ) from error

    return digest


def _closeness(
    protocol: Protocol,
    people: tuple[Person, ...],
    recogniser: Recogniser,
    material: Material,
    store: FolderOfBytes,
) -> Closeness:
    """By the embedded recogniser, since a service would be asked, and paid, for every pair."""
    firsts = {person.id: first_of(person) for person in people if person.photos}
    if not wants_lookalikes(protocol):
        return lambda _one, _other: 0.0
    pairing = recogniser if recogniser.card.endpoint == "embedded" else embedded(store)
    return closeness_by(pairing, material, firsts, store)
