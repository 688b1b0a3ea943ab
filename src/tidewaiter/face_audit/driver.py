"""Carry out the trials of an audit: ask, write down, ask again where that may help, stop in time.

What runs here may be killed at any moment and started again: the ledger says what is
known, and nothing that was answered is asked again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol as Port

from tidewaiter.errors import ConfigurationError, UnfitFaces
from tidewaiter.face_audit.gate import GateKeeper
from tidewaiter.face_audit.ledger import Book, Ledger, Row, book_of
from tidewaiter.face_audit.material import Shown
from tidewaiter.face_audit.people import Photo
from tidewaiter.face_audit.protocol import Limits
from tidewaiter.face_audit.service import (
    WORTH_ASKING_AGAIN,
    Outcome,
    Picture,
    Recogniser,
    Reply,
)
from tidewaiter.face_audit.trials import Probe, Role, Trial, enrolment_id
from tidewaiter.vocabulary import Text, tr

# Waits of 1, 2, 4 … seconds, at most this, unless the service asks for longer.
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 60.0
# A service that answers none of so many trials, retries included, is down or unplugged.
MOST_UNANSWERED = 10
# A longer break than this is not slept through unseen: the run ends and says so.
MOST_ASKED_WAIT_S = 900.0


LASTING = frozenset(Outcome) - WORTH_ASKING_AGAIN - {Outcome.DENIED}
"""Outcomes that another call would only repeat."""

OWN = ("trial_id", "stage", "role", "species", "source_id", "target_id", "compared_id", "by")
"""What a row says of its trial, whatever the reply."""

JUDGED = frozenset({Role.MATED, Role.ATTACK})
"""Whose pictures a gate is asked about: no rate of a gate counts others."""


class Clock(Port):
    """The time, and waiting."""

    def now(self) -> str:
        """The time of day, as ISO 8601 in UTC."""

    def monotonic(self) -> float:
        """Seconds since some moment."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


@dataclass(frozen=True)
class Ports:
    """What a run needs from outside.

    `photo` gives a listed picture, `show` what is presented (raises UnfitFaces where it
    cannot be forged), `gate` judges it. `by` names a further recogniser in the ledger.
    """

    recogniser: Recogniser
    ledger: Ledger
    photo: Callable[[Photo], Picture]
    show: Callable[[Probe], Shown]
    clock: Clock
    gate: GateKeeper | None = None
    by: str = ""
    on_progress: Callable[[int, int], None] = lambda _done, _all: None


@dataclass(frozen=True)
class Ending:
    """How a run ended; `reason` where trials are left."""

    left: int
    reason: Text | None = None


class _CapReached(Exception):
    """The next call could cost more than is left."""


class _AskedToWait(Exception):
    """The service asks for a break of so many seconds, too long to sleep through."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def carry_out(
    trials: Sequence[Trial], gallery: Sequence[Photo], ports: Ports, limits: Limits
) -> Ending:
    """Enrol `gallery` (for searches), carry out `trials`, ask the gate; all that is still open.

    Raises ConfigurationError where the service denies access, StorageError where the ledger
    cannot be written; both before anything further is sent.
    """
    run = _Run(ports, limits)
    for trial in trials:
        run.remember(trial)
    todo = [trial for trial in trials if not run.settled(trial.id)]
    try:
        run.enrol(gallery)
        reason = _ask_all(run, todo, len(trials))
    except _CapReached:
        reason = _limit_reached(run)
    except _AskedToWait as asked:
        reason = tr(
            "the service asks for a break of {minutes:.0f} minutes; what was answered is kept; "
            "run again after the break, and lower limits.rps if it asks again",
            minutes=asked.seconds / 60,
        )
    left = sum(not run.settled(trial.id) for trial in trials)
    if reason is None:
        for trial in trials:
            run.judge(trial)
    return Ending(left, reason)


def open_probes(
    trials: Sequence[Trial], book: Book, *, gated: bool
) -> tuple[tuple[Probe, bool], ...]:
    """Probes a run will show, in its order, and whether the gate is to be asked about each."""
    judged = {t.probe.key for t in trials if gated and t.role in JUDGED}
    left = {}
    for trial in trials:
        known = book.answered.get(trial.id)
        if trial.id in book.unmade or (
            known and (known.probe_sha256 in book.gated or trial.probe.key not in judged)
        ):
            continue
        left[trial.probe.key] = trial.probe
    return tuple((probe, key in judged) for key, probe in left.items())


def _limit_reached(run: _Run) -> Text:
    """A limit that a silent service used up is to be raised only once it speaks."""
    calls, cost = run.book.calls, str(run.book.cost)
    last = run.last_reply
    if last is not None and last.outcome in WORTH_ASKING_AGAIN:
        return tr(
            "the limit of the protocol is reached: {calls} calls, {cost} spent, the last answered "
            "with {said}; see that the service is up and that the protocol describes its address "
            "and replies, then raise [limits] and run again to go on",
            calls=calls,
            cost=cost,
            said=_said(last),
        )
    return tr(
        "the limit of the protocol is reached: {calls} calls, {cost} spent; raise [limits] "
        "and run again to go on",
        calls=calls,
        cost=cost,
    )


def _ask_all(run: _Run, todo: Sequence[Trial], total: int) -> Text | None:
    unanswered = 0
    for number, trial in enumerate(todo, start=total - len(todo) + 1):
        answered = run.carry_out(trial)
        run.judge(trial)
        unanswered = 0 if answered else unanswered + 1
        if unanswered == MOST_UNANSWERED:
            return tr(
                "{count} trials in a row were left without an answer, the last with {said}; see "
                "that the service is up and that the protocol describes its address and replies, "
                "raise limits.retries so that they are asked again, then run again",
                count=unanswered,
                said=_said(run.last_reply),
            )
        run.ports.on_progress(number, total)
    return None


class _Run:
    """One run over a ledger."""

    def __init__(self, ports: Ports, limits: Limits) -> None:
        self.ports, self.limits = ports, limits
        self.book: Book = book_of(ports.ledger.rows)
        self.price = ports.recogniser.price
        self.last_reply: Reply | None = None
        self._last_sent: float | None = None
        self._replies: dict[tuple[str, str], Row] = {}

    def settled(self, trial_id: str) -> bool:
        """Whether the ledger has all there will be about this trial."""
        leave = self.limits.on_doubt == "leave"
        return self.book.settled(trial_id, self.limits.retries, leave_doubt=leave)

    def enrol(self, gallery: Sequence[Photo]) -> None:
        """Fill the gallery. One that lives in this process is filled at every start."""
        lasting = self.ports.recogniser.card.keeps_gallery
        for photo in gallery:
            picture = self.ports.photo(photo)
            trial_id = enrolment_id(photo)
            row = Row(
                state="sent",
                trial_id=trial_id,
                stage="enrol",
                target_id=photo.person,
                probe_sha256=picture.sha256,
            )
            if not self.settled(trial_id):
                calls = self.price.calls_per_enrolment
                self._ask(row, calls, lambda p=picture, i=photo.person: self._enrolled(i, p))  # type: ignore[misc]
            elif not lasting:
                self._enrolled(photo.person, picture)

    def carry_out(self, trial: Trial) -> bool:
        """Carry out one trial to its end; False where no answer came.

        What another trial has asked already, as for somebody who is look-alike and random
        impostor at once, or a search of one picture for several targets, is not paid again.
        """
        row = _row_of(trial, self.ports.by)
        known = self._replies.get(trial.asked)
        if known is not None:
            self._enter(_shared(known, row, self.ports.clock.now()))
            return True
        answered = self._shown(trial, row)
        self.remember(trial)
        return answered

    def remember(self, trial: Trial) -> None:
        """Keep its reply for trials that ask the same."""
        row = self.book.answered.get(trial.id)
        if row is not None and trial.id not in self.book.open and row.outcome in LASTING:
            self._replies.setdefault(trial.asked, row)

    def _shown(self, trial: Trial, row: Row) -> bool:
        try:
            shown = self.ports.show(trial.probe)
        except UnfitFaces as error:
            self._enter(row.model_copy(update={"state": "unmade", "service_code": str(error)}))
            return True
        probe = shown.picture
        row = row.model_copy(
            update={
                "probe_sha256": probe.sha256,
                "made_from": shown.made_from,
                "forging_ms": shown.forging_ms,
            }
        )
        service = self.ports.recogniser
        if trial.reference is None:
            return self._ask(
                row, self.price.most_calls_per_trial, lambda: service.search(probe, trial=trial.id)
            )
        reference = self.ports.photo(trial.reference)
        return self._ask(
            row,
            self.price.most_calls_per_trial,
            lambda: service.compare(reference, probe, trial=trial.id),
        )

    def judge(self, trial: Trial) -> None:
        """Ask the gate about the picture of a trial that was carried out, once per picture."""
        gate, known = self.ports.gate, self.book.answered.get(trial.id)
        if gate is None or known is None or known.probe_sha256 in self.book.gated:
            return
        if trial.role not in JUDGED:
            return
        answer = gate(self.ports.show(trial.probe).picture)
        self._enter(
            Row(
                state="gated",
                trial_id=known.probe_sha256,
                stage="gate",
                probe_sha256=known.probe_sha256,
                gate_score=answer.score,
                gate_declined=answer.declined,
                service_code=answer.problem,
            )
        )

    def _enrolled(self, identity: str, picture: Picture) -> Reply:
        return self.ports.recogniser.enrol(identity, (picture,))[0]

    def _ask(self, row: Row, most_calls: int, call: Callable[[], Reply]) -> bool:
        """Send until answered or out of retries; every attempt is written down before and after."""
        while True:
            attempt = self.book.attempts[row.trial_id] + 1
            self._afford(most_calls)
            self._pace(most_calls)
            sent = row.model_copy(
                update={
                    "attempt": attempt,
                    "calls": most_calls,
                    "cost": self._money(most_calls),
                    "at": self.ports.clock.now(),
                }
            )
            self._enter(sent)
            reply = self.last_reply = call()
            self._enter(self._answered(sent, reply))
            if reply.outcome is Outcome.DENIED:
                raise ConfigurationError(
                    f"the service denied access ({_said(reply)}); the key is wrong or has "
                    "expired, or lacks the right or the licence: mend that, then run again; what "
                    "was answered is kept"
                )
            if reply.outcome not in WORTH_ASKING_AGAIN:
                return True
            if attempt > self.limits.retries:
                return False
            if (reply.retry_after_s or 0.0) > MOST_ASKED_WAIT_S:
                raise _AskedToWait(reply.retry_after_s or 0.0)
            self.ports.clock.sleep(_wait(row.trial_id, attempt, reply))

    def _answered(self, sent: Row, reply: Reply) -> Row:
        return sent.model_copy(
            update={
                "state": "answered",
                "calls": reply.calls,
                "cost": self._money(reply.calls),
                "outcome": reply.outcome,
                "score": reply.score,
                "returned_ids": reply.returned,
                "candidates": reply.candidates,
                "http": reply.http,
                "service_code": reply.service_code,
                "latency_ms": round(reply.latency_ms, 1),
                "test_kit": self.ports.recogniser.card.test_kit,
                "at": self.ports.clock.now(),
            }
        )

    def _enter(self, row: Row) -> None:
        self.ports.ledger.append(row)
        self.book.enter(row)

    def _afford(self, calls: int) -> None:
        most_calls, most_money = self.limits.max_calls, self.limits.most_money
        if most_calls is not None and self.book.calls + calls > most_calls:
            raise _CapReached
        if most_money is not None and self.book.cost + self._money(calls) > most_money:
            raise _CapReached

    def _money(self, calls: int) -> Decimal:
        return (self.price.per_call or Decimal(0)) * calls

    def _pace(self, calls: int) -> None:
        if self.limits.rps is None:
            return
        clock = self.ports.clock
        if self._last_sent is not None:
            due = self._last_sent + calls / self.limits.rps - clock.monotonic()
            if due > 0:
                clock.sleep(due)
        self._last_sent = clock.monotonic()


def _row_of(trial: Trial, by: str) -> Row:
    return Row(
        state="sent",
        by=by,
        trial_id=trial.id,
        stage="target" if trial.role is Role.ATTACK else "licit",
        role=trial.role.value,
        species=trial.species,
        source_id=trial.source,
        target_id=trial.target,
        compared_id=trial.compared,
    )


def _shared(known: Row, row: Row, at: str) -> Row:
    """The reply to another trial as that to this one."""
    own = row.model_dump(include=set(OWN))
    nothing = {"attempt": 1, "calls": 0, "cost": Decimal(0), "latency_ms": 0.0}
    said = {**own, **nothing, "reply_of": known.reply_of or known.trial_id, "at": at}
    return known.model_copy(update=said)


def _said(reply: Reply | None) -> str:
    """What the service said, as far as it said anything."""
    status = f"status {reply.http}" if reply is not None and reply.http else ""
    code = "" if reply is None else reply.service_code
    return ", ".join(part for part in (status, code) if part) or "no word"


def _wait(trial_id: str, attempt: int, reply: Reply) -> float:
    """Doubling waits with a jitter of half, drawn from the trial; never less than asked for."""
    jitter = hashlib.sha256(f"{trial_id}/{attempt}".encode()).digest()[0] / 255
    wait = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2.0 ** (attempt - 1)) * (0.5 + jitter / 2)
    return max(wait, reply.retry_after_s or 0.0)
