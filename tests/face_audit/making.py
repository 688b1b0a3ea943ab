"""People, a recogniser and ports made of nothing, for tests of the driver."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from decimal import Decimal

from tidewaiter.errors import UnfitFaces
from tidewaiter.face_audit.auditing import Audit, prepared
from tidewaiter.face_audit.driver import Ports
from tidewaiter.face_audit.ledger import Opening
from tidewaiter.face_audit.material import Shown
from tidewaiter.face_audit.people import read_people
from tidewaiter.face_audit.protocol import Protocol, read_protocol
from tidewaiter.face_audit.service import Outcome, Picture, Price, Reply, ServiceCard

PROTOCOL = """
audit = "test"
[target]
adapter = "dlib"
threshold = { fmr = [0.1] }
[[attacks]]
species = "swap-feather"
[[attacks]]
species = "morph-complete"
[limits]
retries = 3
price_per_call = 0.01
"""


def listed(people: int = 12, *, enrol: int = 1, probes: int = 3) -> str:
    rows = ["id,file,role,consent,authorised,sex"]
    for person in range(people):
        roles = ["enrol"] * enrol + ["probe"] * probes
        sex = "mf"[person % 2]
        rows += [
            f"p{person:02},p{person:02}/{n}.png,{r},staff,yes,{sex}" for n, r in enumerate(roles)
        ]
    return "\n".join(rows) + "\n"


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def number(*parts: str) -> float:
    """A number between 0 and 1 that follows from the parts."""
    return int(digest("/".join(parts))[:8], 16) / 0xFFFFFFFF


def closeness(one: str, other: str) -> float:
    return number(*sorted((one, other)))


def protocol(text: str = "", base: str = PROTOCOL) -> Protocol:
    return read_protocol(base + text, "p.toml")


def audit(text: str = "", *, people: str | None = None, base: str = PROTOCOL) -> Audit:
    content = people or listed()
    known = read_people(content, "identities.csv", digest)
    return prepared(protocol(text, base), known, content.encode(), closeness)


def opening(of: Audit) -> Opening:
    return Opening(
        audit="test",
        protocol_sha256=of.digest,
        pictures=of.pictures,
        endpoint="nowhere",
        started="2026-01-01T00:00:00Z",
    )


@dataclass
class MemoryLedger:
    rows: list = field(default_factory=list)

    def append(self, row) -> None:
        self.rows.append(row)


@dataclass
class StillClock:
    seconds: float = 0.0
    slept: list = field(default_factory=list)

    def now(self) -> str:
        return f"t{self.seconds:.1f}"

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.seconds += seconds


@dataclass
class MadeRecogniser:
    """Scores follow from the names of the pictures; `faults` gives the reply instead, by call."""

    price: Price = field(default_factory=lambda: Price(Decimal("0.01")))
    remote: bool = True
    faults: object = None
    asked: list = field(default_factory=list)
    gallery: list = field(default_factory=list)
    modes = frozenset({"verify", "identify"})

    @property
    def card(self) -> ServiceCard:
        return ServiceCard(
            "made", "https://nowhere", "1", "0 to 1", 0.5, self.remote, keeps_gallery=True
        )

    def enrol(self, identity, pictures):
        self.gallery.append(identity)
        return tuple(Reply(Outcome.ENROLLED, calls=1) for _ in pictures)

    def compare(self, reference, probe, *, trial=""):
        self.asked.append(trial)
        fault = self.faults(trial, self.asked.count(trial)) if self.faults else None
        if fault is not None:
            return fault
        score = alike(reference.name, probe.name)
        outcome = Outcome.MATCH if score >= 0.5 else Outcome.NO_MATCH
        return Reply(outcome, score=score, calls=1)

    def search(self, probe, *, trial=""):
        self.asked.append(trial)
        scores = sorted(
            ((n, alike(f"{n}/0.png", probe.name)) for n in self.gallery), key=lambda c: -c[1]
        )
        named = tuple(name for name, score in scores if score >= 0.5)
        outcome = Outcome.MATCH if named else Outcome.NO_MATCH
        return Reply(outcome, scores[0][1], named, tuple(scores), calls=1)


def alike(reference: str, probe: str) -> float:
    """A person is like themself, a forgery like everybody in it, others not."""
    owner = reference.split("/", maxsplit=1)[0]
    kin = owner in probe
    return number(reference, probe) * 0.45 + (0.5 if kin else 0.0)


def show(probe) -> Shown:
    if not probe.species:
        return Shown(photo(probe.host), (probe.host.file,))
    if number("unfit", probe.key) < 0.05:
        raise UnfitFaces("heads turned too far")
    files = tuple(p.file for p in probe.choices[0] if p is not None)
    name = f"{probe.species}:{'+'.join(files)}:{probe.seed}"
    return Shown(Picture(name, name.encode()), files)


def photo(listed_photo) -> Picture:
    return Picture(listed_photo.file, listed_photo.file.encode())


def ports(**given) -> Ports:
    usual = {
        "recogniser": MadeRecogniser(),
        "ledger": MemoryLedger(),
        "photo": photo,
        "show": show,
        "clock": StillClock(),
    }
    return Ports(**{**usual, **given})
