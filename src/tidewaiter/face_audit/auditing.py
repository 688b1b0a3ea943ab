"""An audit from protocol to results: prepare, estimate, carry out, measure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from tidewaiter.errors import ConfigurationError, InputError
from tidewaiter.evaluation.clustered import two_way_clopper_pearson
from tidewaiter.evaluation.planning import (
    fewest_trials_below,
    most_successes_below,
    smallest_reportable_rate,
)
from tidewaiter.face_audit.driver import JUDGED
from tidewaiter.face_audit.enrolling import enrolled
from tidewaiter.face_audit.ledger import Book, Opening, Row, book_of
from tidewaiter.face_audit.measuring import measured
from tidewaiter.face_audit.observations import observed
from tidewaiter.face_audit.people import Person, Photo, check_may_be_sent, some_of
from tidewaiter.face_audit.protocol import Protocol, Target
from tidewaiter.face_audit.results import AuditResults, Doubt, ServiceUsed, Spent
from tidewaiter.face_audit.service import Recogniser, ServiceCard
from tidewaiter.face_audit.thresholds import check_reachable, threshold_from_card
from tidewaiter.face_audit.times import generation, working_s
from tidewaiter.face_audit.trials import (
    Closeness,
    Role,
    Setting,
    Trial,
    for_another,
    lay_out,
    settle,
)
from tidewaiter.face_audit.verdict import ACCEPTABLE, not_covered, verdict

# Seconds on one core, for the time of a plan: forging as in benchmarks/face_audit/results/
# pilot.json, the others single calls rounded up.
FORGING_S, EMBEDDING_S, JUDGING_S, REMOTE_CALL_S, ROW_S = 0.15, 0.15, 0.15, 0.6, 0.002


@dataclass(frozen=True)
class Audit:
    """A protocol with its people in place and every trial laid out."""

    protocol: Protocol
    digest: str
    setting: Setting
    trials: tuple[Trial, ...]

    @property
    def gallery(self) -> tuple[Photo, ...]:
        """Pictures to enrol before searching; none for verification."""
        if self.protocol.target.mode == "verify":
            return ()
        people = self.setting.people
        return tuple(photo for name in sorted(people) for photo in people[name].enrolled)

    @property
    def pictures(self) -> dict[str, str]:
        """Digest of each listed picture by its file."""
        people = self.setting.people.values()
        return {photo.file: photo.sha256 for person in people for photo in person.photos}


@dataclass(frozen=True)
class Estimate:
    """What an audit will take; retries are not counted."""

    trials: dict[str, int]
    attack_pictures: int
    enrolments: int
    calls: int
    cost: Decimal
    currency: str
    over_limit: bool
    seconds: float
    calibration_comparisons: int
    lowest_fmr: float
    """The lowest FMR behind which 30 false matches of calibration people can stand."""

    targets: int
    attackers: int
    """People who attack by the species with fewest of them; a recapture counts its targets."""

    bound_if_none: float
    """What a species that is never accepted can be shown to stay below: the upper end of the
    report's interval, of the species about which least can be shown."""

    most_successes: int | None
    """Successes with which a species still lies below the acceptable line; None: not even 0."""

    targets_needed: int
    """Targets from which a species that is never accepted is shown to lie below that line."""


def prepared(
    protocol: Protocol, people: Sequence[Person], people_bytes: bytes, closeness: Closeness
) -> Audit:
    """Everything laid out; nothing is sent. Raises InputError for people who do not suffice."""
    setting = settle(protocol, people)
    digest = protocol.digest(people_bytes)
    return Audit(protocol, digest, setting, lay_out(protocol, setting, closeness, digest))


def check_before(audit: Audit, recogniser: Recogniser) -> None:
    """Raises ConfigurationError or InputError for what would fail or harm once calls are sent."""
    card, target = recogniser.card, audit.protocol.target
    if target.mode not in recogniser.modes:
        raise ConfigurationError(
            f"the adapter {card.adapter!r} offers {', '.join(sorted(recogniser.modes))}, not "
            f"{target.mode!r}; change target.mode"
        )
    if card.remote:
        check_may_be_sent(list(audit.setting.people.values()), card.adapter)
        if recogniser.price.per_call is None:
            raise ConfigurationError(
                f"the adapter {card.adapter!r} may cost money and the protocol names no "
                "limits.price_per_call; name it (0 where calls are free), so that the cap holds"
            )
    for asked in audit.protocol.recognisers:
        if asked.adapter == card.adapter:
            check_reachable(asked, threshold_from_card(asked, card))


def check_faces(audit: Audit, has_face: Callable[[Photo], bool]) -> list[str]:
    """Files of probes without a face, for a notice.

    Raises InputError for an enrolment without a face, or what attacks would be made from.
    """
    forged_from = {
        photo.sha256
        for trial in audit.trials
        if trial.species
        for photo in trial.probe.choices[0]
        if photo is not None
    }
    listed = [photo for person in audit.setting.people.values() for photo in person.photos]
    faceless = [photo for photo in listed if not has_face(photo)]
    needed = [p for p in faceless if p.role == "enrol" or p.sha256 in forged_from]
    if needed:
        others = [photo.file for photo in needed[1:]]
        raise InputError(
            f"{needed[0].file!r} of {needed[0].person!r} shows no face, and it is needed as "
            "an enrolment or to make attacks from; replace it or take it off the list"
            + (f"; the same holds of {some_of(others)}" if others else "")
        )
    return [photo.file for photo in faceless]


def estimated(
    audit: Audit, recogniser: Recogniser, *, also: Sequence[Recogniser] = (), workers: int = 1
) -> Estimate:
    """Calls, money and time, and what the numbers of people can and cannot show.

    `also` are the further recognisers; `workers` make pictures at once.
    """
    limits = audit.protocol.limits
    roles = Counter(trial.role.value for trial in audit.trials)
    forgeries = {trial.probe.key for trial in audit.trials if trial.species}
    shares = [(recogniser, audit.trials)]
    shares += [(other, for_another(audit.trials, other.card.adapter)) for other in also]
    billed = [(r, _calls(audit, r, trials)) for r, trials in shares]
    calls = sum(count for _, count in billed)
    cost = sum(((r.price.per_call or Decimal(0)) * count for r, count in billed), Decimal(0))
    each = 1 / limits.rps if limits.rps else REMOTE_CALL_S
    rows = sum(len(trials) for _, trials in shares)
    pairs = sum(
        t.part == "calibrate" and t.role is Role.ZERO_EFFORT and t.species == ""
        for t in audit.trials
    )
    money = limits.most_money
    targets, attackers = len(audit.setting.targets), _attackers(audit.trials)
    bound = _bound_if_none(audit.trials)
    return Estimate(
        trials={role.value: roles[role.value] for role in Role},
        attack_pictures=len(forgeries),
        enrolments=len(audit.gallery),
        calls=calls,
        cost=cost,
        currency=limits.currency,
        over_limit=(limits.max_calls is not None and calls > limits.max_calls)
        or (money is not None and cost > money),
        seconds=calls * each + ROW_S * rows + _making_s(audit, shares) / workers,
        calibration_comparisons=pairs,
        lowest_fmr=smallest_reportable_rate(max(pairs, 1)),
        targets=targets,
        attackers=attackers,
        bound_if_none=bound,
        most_successes=most_successes_below(ACCEPTABLE, min(targets, attackers))
        if bound < ACCEPTABLE
        else None,
        targets_needed=fewest_trials_below(ACCEPTABLE),
    )


def results(
    audit: Audit,
    opening: Opening,
    rows: Sequence[Row],
    facts: Mapping[str, str],
    *cards: ServiceCard,
) -> AuditResults:
    """The whole record from a ledger; `facts` are the ledger's digest and versions.

    `cards` are the recogniser under audit and the further ones. Same ledger, same record.
    Raises IntegrityError for rows that contradict each other.
    """
    book = book_of(rows)
    protocol, card = audit.protocol, cards[0]
    tables = measured(audit.trials, book, protocol, audit.setting, cards)
    verify = protocol.target.mode == "verify"
    lost = enrolled(observed(audit.trials, book), audit.setting, book, verify=verify)
    left = _left(audit, book)
    service = _service(protocol.target, card, any(row.test_kit for row in rows if not row.by))
    sides = Counter(audit.setting.part_of.values())
    return AuditResults(
        audit=audit.protocol.audit,
        protocol_sha256=audit.digest,
        protocol=audit.protocol.model_dump(mode="json"),
        ledger_sha256=facts["ledger_sha256"],
        started=opening.started,
        versions={key: value for key, value in facts.items() if key != "ledger_sha256"},
        service=service,
        further=tuple(
            _service(target, other, any(row.test_kit for row in rows if row.by))
            for target, other in zip(protocol.also, cards[1:], strict=True)
        ),
        people={
            "calibrate": sides["calibrate"],
            "test": sides["test"],
            "targets": len(audit.setting.targets),
        },
        partial=left > 0,
        trials_left=left,
        verdict=verdict(tables.at, tables.gate, service, left, without_template=lost.without),
        fte=lost.fte,
        gate=tables.gate,
        at=tables.at,
        sweep=tables.sweep,
        det=tables.det,
        spoofability=tables.spoofability,
        worst=tables.worst,
        spent=_spent(book, opening, rows),
        not_covered=not_covered(tables.gate, protocol.target.mode, further=len(protocol.also)),
    )


def _attackers(trials: Sequence[Trial]) -> int:
    """How many people attack by the species with fewest of them; 0 without any attack."""
    by_species: dict[str, set[str]] = {}
    for trial in trials:
        if trial.species:
            by_species.setdefault(trial.species, set()).add(trial.attacker)
    return min((len(names) for names in by_species.values()), default=0)


def _bound_if_none(trials: Sequence[Trial]) -> float:
    by_species: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.species and trial.headline:
            by_species.setdefault(trial.species, []).append(trial)
    return max(
        (
            two_way_clopper_pearson(
                np.zeros(len(of), np.bool_), [t.target for t in of], [t.attacker for t in of]
            ).upper
            for of in by_species.values()
        ),
        default=1.0,
    )


def _left(audit: Audit, book: Book) -> int:
    """Trials that are not carried out to their end: by a further recogniser, or by the gate."""
    protocol, limits = audit.protocol, audit.protocol.limits
    leave = limits.on_doubt == "leave"
    every = [*audit.trials]
    for other in protocol.also:
        every += for_another(audit.trials, other.adapter)
    asked = sum(not book.settled(t.id, limits.retries, leave_doubt=leave) for t in every)
    return asked + (0 if protocol.gate is None else len(_unjudged(audit.trials, book)))


def _unjudged(trials: Sequence[Trial], book: Book) -> set[str]:
    """Digests of pictures that were shown and that the gate has not seen."""
    shown = (book.answered.get(trial.id) for trial in trials if trial.role in JUDGED)
    return {row.probe_sha256 for row in shown if row is not None} - book.gated.keys()


def _calls(audit: Audit, recogniser: Recogniser, trials: Sequence[Trial]) -> int:
    """Calls that count, each question asked once and each picture looked at once."""
    price = recogniser.price
    verify = audit.protocol.target.mode == "verify"
    each = price.calls_per_compare if verify else price.calls_per_search
    references = {trial.reference.sha256 for trial in trials if trial.reference}
    probes = {trial.probe.key for trial in trials}
    return (
        len(audit.gallery) * price.calls_per_enrolment
        + len({trial.asked for trial in trials}) * each
        + len(references) * price.calls_per_reference
        + len(probes) * price.calls_per_probe
    )


def _making_s(audit: Audit, shares: Sequence[tuple[Recogniser, Sequence[Trial]]]) -> float:
    """Forging, embedding where the recogniser runs here, and judging: each picture once."""
    forged = {trial.probe.key for trial in audit.trials if trial.species}
    judged = {trial.probe.key for trial in audit.trials if trial.role in JUDGED}
    seconds = FORGING_S * len(forged)
    if audit.protocol.gate is not None:
        seconds += JUDGING_S * len(judged)
    for recogniser, trials in shares:
        if not recogniser.card.remote:
            pictures = {t.probe.key for t in trials}
            pictures |= {t.reference.sha256 for t in trials if t.reference}
            seconds += EMBEDDING_S * len(pictures)
    return seconds


def _service(target: Target, card: ServiceCard, test_kit: bool) -> ServiceUsed:
    return ServiceUsed(
        adapter=card.adapter,
        mode=target.mode,
        endpoint=card.endpoint,
        version=card.version,
        score_meaning=card.score_meaning,
        given_threshold=threshold_from_card(target, card),
        test_kit=test_kit or card.test_kit,
    )


def _spent(book: Book, opening: Opening, rows: Sequence[Row]) -> Spent:
    outcomes = Counter(
        row.outcome.value
        for row in book.answered.values()
        if row.outcome is not None and row.stage != "enrol"
    )
    return Spent(
        planned=opening.planned,
        calls=book.calls,
        cost=str(book.cost),
        seconds=working_s(opening, rows),
        generation=generation(rows),
        in_doubt=tuple(
            Doubt(trial_id=row.trial_id, attempt=row.attempt, sent_at=row.at)
            for row in book.doubtful
        ),
        outcomes=dict(sorted(outcomes.items())),
        unmade=len(book.unmade),
    )
