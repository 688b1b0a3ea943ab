"""What became of every trial, read off the ledger, and rates over chosen trials."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.clustered import (
    clustered_clopper_pearson,
    design_effect,
    identity_bootstrap,
    tally,
    two_way_clopper_pearson,
)
from tidewaiter.evaluation.intervals import Interval, clopper_pearson
from tidewaiter.evaluation.planning import reportable
from tidewaiter.face_audit.gate import Cut
from tidewaiter.face_audit.ledger import Book, Row
from tidewaiter.face_audit.results import Ends, Rate
from tidewaiter.face_audit.service import COMPARED, UNCAPTURED, Outcome
from tidewaiter.face_audit.trials import Trial

# Above this share of missing trials a cell has no headline (handbook of the face audit, 6.3).
MOST_MISSING = 0.05
# Every bootstrap starts from here, so that the same ledger gives the same report.
SEED = 1


@dataclass(frozen=True)
class Seen:
    """One trial and what became of it; `outcome` is None where no answer is recorded.

    `score` is that of the probe with `compared`: of a search, which may name others too,
    −∞ where that person is not among those named, None where no scores came with the names.
    """

    trial: Trial
    outcome: Outcome | None
    score: float | None
    candidates: tuple[tuple[str, float], ...]
    returned: tuple[str, ...]
    probe_sha256: str
    made_from: tuple[str, ...]
    gate_score: float | None
    gate_failed: bool

    @property
    def compared(self) -> bool:
        """Whether the service looked at faces and decided."""
        return self.outcome in COMPARED

    @property
    def uncaptured(self) -> bool:
        """Whether no template could be made: refused, but not "no match"."""
        return self.outcome in UNCAPTURED

    @property
    def missing(self) -> bool:
        """Whether nothing is known: in no denominator."""
        return not (self.compared or self.uncaptured)

    def accepted(self, threshold: float | None) -> bool:
        """Whether the probe passed for `compared`; None asks for the service's own verdict."""
        if not self.compared:
            return False
        if self.trial.reference is None:
            return self.trial.compared in self.named(threshold)
        if threshold is None or self.score is None:
            return self.outcome is Outcome.MATCH
        return self.score >= threshold

    def named(self, threshold: float | None) -> tuple[str, ...]:
        """Everybody a search named at this threshold."""
        if threshold is None or not self.candidates:
            return self.returned
        return tuple(name for name, score in self.candidates if score >= threshold)

    def passes(self, cut: Cut) -> bool:
        """Whether the gate lets the probe through; a gate that failed rejects."""
        return not cut.rejects(None if self.gate_failed else self.gate_score)


def observed(
    trials: Iterable[Trial], book: Book, *, declined_pass: bool = False
) -> tuple[Seen, ...]:
    """Every trial with what the ledger knows; attacks that could not be forged are left out.

    With `declined_pass` a picture that the gate declined to judge has the lowest score of
    all; else it counts as one on which the gate failed.
    """
    return tuple(
        _seen(trial, book, declined_pass=declined_pass)
        for trial in trials
        if trial.id not in book.unmade
    )


def rate(
    chosen: Sequence[Seen],
    event: Callable[[Seen], bool],
    *,
    over_people: Callable[[Seen], str] = lambda seen: seen.trial.target,
    captured_only: bool = False,
) -> Rate | None:
    """The share of events, clustered by target and by source; None without a trial that counts.

    With `captured_only` trials without a template leave the denominator, as FMR and FNMR ask.
    """
    counted = [s for s in chosen if not s.missing and not (captured_only and s.uncaptured)]
    if not counted:
        return None
    events = np.array([event(seen) for seen in counted])
    missing = sum(seen.missing for seen in chosen)
    return rate_of(
        events,
        [over_people(seen) for seen in counted],
        sources=[seen.trial.attacker for seen in counted],
        missing=missing,
        uncaptured=sum(seen.uncaptured for seen in chosen),
    )


def rate_of(
    events: np.typing.NDArray[np.bool_],
    people: Sequence[str],
    *,
    sources: Sequence[str] | None = None,
    missing: int = 0,
    uncaptured: int = 0,
) -> Rate:
    """A rate with every interval, of one flag per trial and the person it counts for.

    `sources` are those who present the pictures: where they differ as targets do, an
    interval by target alone holds the truth in as few as 86 % of audits, not 95 %
    (benchmarks/face_audit/coverage.py).
    """
    counts = tally(events, people)
    clustered = (
        clustered_clopper_pearson(counts)
        if sources is None
        else two_way_clopper_pearson(events, people, sources)
    )
    found, total = int(events.sum()), int(events.size)
    effect = design_effect(counts)
    every = total + missing
    return Rate(
        events=found,
        trials=total,
        value=found / total,
        people=counts.identities,
        people_hit=counts.identities_hit,
        exact=_ends(clopper_pearson(found, total)),
        clustered=_ends(clustered),
        bootstrap=_ends(identity_bootstrap(counts, np.random.default_rng(SEED))),
        design_effect=effect if np.isfinite(effect) else None,
        missing=missing,
        if_all=Ends(lower=found / every, upper=(found + missing) / every),
        uncaptured=uncaptured,
        headline=missing <= MOST_MISSING * every,
        fewer_than_30=not reportable(found),
    )


def _ends(interval: Interval) -> Ends:
    return Ends(lower=interval.lower, upper=interval.upper)


def _candidate_score(row: Row, name: str) -> float | None:
    """What a search gave that person: the best of all may be somebody else's."""
    return dict(row.candidates).get(name, float("-inf")) if row.candidates else None


def _seen(trial: Trial, book: Book, *, declined_pass: bool) -> Seen:
    row = book.answered.get(trial.id)
    if row is None or trial.id in book.open:
        return Seen(trial, None, None, (), (), "", (), None, gate_failed=True)
    gate = book.gated.get(row.probe_sha256)
    score = gate.gate_score if gate else None
    if gate is not None and gate.gate_declined and declined_pass:
        score = float("-inf")
    return Seen(
        trial,
        row.outcome,
        row.score if trial.reference is not None else _candidate_score(row, trial.compared),
        row.candidates,
        row.returned_ids,
        row.probe_sha256,
        row.made_from,
        score,
        gate_failed=score is None,
    )
