"""The ledger of an audit: one row per event, only ever added to, and what follows from it.

A call is written down as sent, and the row is on disk, before it is sent; its reply is
another row. A process that dies in between leaves the call in doubt: it may have been
billed. So no call whose reply was recorded is made again, and at most as many calls per
crash are in doubt as were under way, which is one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal, Protocol

from pydantic import ValidationError

from tidewaiter.errors import IntegrityError
from tidewaiter.face_audit.results import Planned
from tidewaiter.face_audit.service import WORTH_ASKING_AGAIN, Outcome
from tidewaiter.vocabulary import Noun, Sha256


class Opening(Noun):
    """The first line: which audit this is the ledger of."""

    format: Literal["tidewaiter-audit-ledger-1"] = "tidewaiter-audit-ledger-1"
    audit: str
    protocol_sha256: Sha256
    pictures: dict[str, Sha256]
    """Digest of each listed picture, by its file as listed."""

    endpoint: str
    started: str
    planned: Planned | None = None
    """What was to be expected when the audit began."""

    gate_network: Sha256 | None = None
    """Digest of the network behind the gate, where it is not the shipped one."""


class Row(Noun):
    """One event of one trial.

    `sent` before a call, `answered` with its reply, `unmade` where the attack could not be
    forged, `gated` with what the gate said of a probe (its id is the probe's digest).
    """

    state: Literal["sent", "answered", "unmade", "gated"]
    trial_id: str
    stage: Literal["enrol", "licit", "target", "gate"]
    role: str = ""
    species: str = ""
    source_id: str = ""
    target_id: str = ""
    compared_id: str = ""
    probe_sha256: str = ""
    made_from: tuple[str, ...] = ()
    forging_ms: float | None = None
    """How long making the picture took, where it was forged."""

    attempt: int = 1
    calls: int = 0
    cost: Decimal = Decimal(0)
    outcome: Outcome | None = None
    score: float | None = None
    returned_ids: tuple[str, ...] = ()
    candidates: tuple[tuple[str, float], ...] = ()
    gate_score: float | None = None
    gate_declined: bool = False
    http: int | None = None
    service_code: str = ""
    latency_ms: float = 0.0
    by: str = ""
    """The adapter of a further recogniser; empty for the one under audit."""

    reply_of: str = ""
    """The trial whose reply this is, where both ask the same; then nothing was sent or paid."""

    test_kit: bool = False
    """Whether a stand-in for tests answered."""

    at: str = ""


class Ledger(Protocol):
    """Where rows are kept; `append` returns once the row would survive a power cut."""

    @property
    def rows(self) -> Iterable[Row]:
        """All rows so far, in order."""

    def append(self, row: Row) -> None:
        """Add one row. Raises StorageError where it cannot be written whole."""


@dataclass
class Book:
    """What a ledger says, kept up while rows are added."""

    answered: dict[str, Row] = field(default_factory=dict)
    """The last reply of each trial."""

    unmade: dict[str, Row] = field(default_factory=dict)
    gated: dict[str, Row] = field(default_factory=dict)
    open: dict[str, Row] = field(default_factory=dict)
    """Calls sent whose reply is not recorded."""

    in_doubt: list[Row] = field(default_factory=list)
    """Calls sent again after their reply was lost."""

    attempts: Counter[str] = field(default_factory=Counter)
    calls: int = 0
    cost: Decimal = Decimal(0)

    def enter(self, row: Row) -> None:
        """Take in the next row. A call in doubt counts as paid at its most."""
        if row.state == "sent":
            if row.trial_id in self.open:
                self.in_doubt.append(self.open[row.trial_id])
            self.open[row.trial_id] = row
            self._pay(row.calls, row.cost)
        elif row.state == "answered" and row.reply_of in self.answered:
            if row.trial_id in self.open:
                self.in_doubt.append(self.open.pop(row.trial_id))
            self.answered[row.trial_id] = row
        elif row.state == "answered":
            sent = self.open.pop(row.trial_id, None)
            if sent is None:
                raise IntegrityError(
                    f"the ledger has a reply to trial {row.trial_id[:12]} that was never sent; it "
                    "was changed after it was written; begin the audit in a new folder"
                )
            self._pay(row.calls - sent.calls, row.cost - sent.cost)
            self.answered[row.trial_id] = row
            self.attempts[row.trial_id] += 1
        elif row.state == "unmade":
            self.unmade[row.trial_id] = row
        else:
            self.gated[row.trial_id] = row

    def settled(self, trial_id: str, retries: int, *, leave_doubt: bool = False) -> bool:
        """Whether nothing more is to be asked about this trial."""
        if trial_id in self.unmade or (leave_doubt and trial_id in self.open):
            return True
        row = self.answered.get(trial_id)
        if row is None or trial_id in self.open:
            return False
        return row.outcome not in {*WORTH_ASKING_AGAIN, Outcome.DENIED} or (
            row.outcome is not Outcome.DENIED and self.attempts[trial_id] > retries
        )

    @property
    def doubtful(self) -> list[Row]:
        """Every call whose reply is not recorded, asked again since or not."""
        return [*self.in_doubt, *self.open.values()]

    def _pay(self, calls: int, cost: Decimal) -> None:
        self.calls += calls
        self.cost += cost


def book_of(rows: Iterable[Row]) -> Book:
    """The book of a ledger's rows. Raises IntegrityError for rows that contradict each other."""
    book = Book()
    for row in rows:
        book.enter(row)
    return book


def read_opening(line: str, name: str) -> Opening:
    """The first line of a ledger. Raises IntegrityError where it is none."""
    try:
        return Opening.model_validate_json(line)
    except ValidationError as error:
        raise IntegrityError(
            f"{name!r} does not begin as a ledger of an audit; choose another folder"
        ) from error


def read_row(line: str, number: int, name: str) -> Row:
    """One later line. Raises IntegrityError naming it where it is not a row."""
    try:
        return Row.model_validate_json(line)
    except ValidationError as error:
        raise IntegrityError(
            f"line {number} of {name!r} is not a row of a ledger; it was changed after it was "
            "written; restore it from a copy, or begin in a new folder"
        ) from error


def same_audit(found: Opening, wanted: Opening) -> None:
    """Raises IntegrityError where a ledger belongs to another protocol, pictures or gate."""
    if found.protocol_sha256 != wanted.protocol_sha256:
        raise IntegrityError(
            f"the ledger belongs to protocol {found.protocol_sha256[:12]}, not to "
            f"{wanted.protocol_sha256[:12]}; the protocol or the list of people was changed since; "
            "restore them, or begin in a new folder"
        )
    if found.gate_network != wanted.gate_network:
        raise IntegrityError(
            f"the audit was begun with the gate's network {_short(found.gate_network)}, now it is "
            f"{_short(wanted.gate_network)}; restore it, or begin in a new folder"
        )
    changed = changed_pictures(found.pictures, wanted.pictures)
    if changed:
        raise IntegrityError(
            f"the picture {changed[0]!r} has changed since the audit began; restore it, or begin "
            "in a new folder"
        )


def _short(digest: str | None) -> str:
    return "as shipped" if digest is None else f"{digest[:12]}…"


def changed_pictures(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Files whose digest is not what it was."""
    return sorted(name for name in then if now.get(name) != then[name])
