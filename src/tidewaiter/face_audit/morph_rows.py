"""Morphs against all their contributors: who of both could use the document, and where."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from tidewaiter.evaluation.clustered import two_way_clopper_pearson
from tidewaiter.evaluation.morphs import (
    attack_potential,
    expected_morph_success,
    mmpmr,
    mmpmr_average,
    rmmr,
)
from tidewaiter.evaluation.sources import BoolArray, FloatArray
from tidewaiter.face_audit.observations import Seen, rate_of
from tidewaiter.face_audit.protocol import Attack
from tidewaiter.face_audit.results import Ends, MorphRow, Rate
from tidewaiter.face_audit.trials import LOOKALIKE, RANDOM

# Morphs are measured by verdicts, since a service may hide its scores: 1 accepted, 0 not.
ACCEPTED = 0.5

Accepted = list[list[bool]]
"""For each contributor, which of their references the morph was accepted against."""

PAIR_KINDS = ("all", RANDOM, LOOKALIKE)


@dataclass(frozen=True)
class Witness:
    """What one recogniser saw of the measured people, and its threshold in this table."""

    adapter: str
    seen: Sequence[Seen]
    threshold: float | None


@dataclass(frozen=True)
class HonestScores:
    """Similarities without any attack: of one person, and of pairs by (target, source)."""

    mated: FloatArray
    pairs: Mapping[tuple[str, str], float]


def morph_rows(
    witnesses: Sequence[Witness], attack: Attack, honest: HonestScores, fnmr: Rate | None
) -> Iterator[MorphRow]:
    """The measures of one morph species, per mixture and kind of pairs.

    The first witness is the recogniser under audit. A morph of which any comparison is
    missing is left out and counted; one without a template is accepted for nobody.
    """
    for alpha in attack.alpha or (None,):
        for pair in PAIR_KINDS:
            chosen = [
                Witness(w.adapter, _chosen(w.seen, attack.species, alpha, pair), w.threshold)
                for w in witnesses
            ]
            whole, left_out = _whole(chosen)
            if whole:
                row = _row(whole, chosen, honest, fnmr)
                label = {"species": attack.species, "alpha": alpha, "pair": pair}
                yield row.model_copy(update={**label, "left_out": left_out})


def _chosen(seen: Sequence[Seen], species: str, alpha: float | None, pair: str) -> list[Seen]:
    return [
        s
        for s in seen
        if (s.trial.species, s.trial.probe.alpha) == (species, alpha)
        and pair in ("all", s.trial.pair)
    ]


def _whole(witnesses: Sequence[Witness]) -> tuple[dict[str, list[Accepted]], int]:
    """What each recogniser accepted of each morph that all of them could answer, by probe."""
    found = [_accepted_by_probe(witness) for witness in witnesses]
    every = sorted({key for one in found for key in one})
    whole = {
        key: [one[key] for one in found] for key in every if all(one.get(key) for one in found)
    }
    return whole, len(every) - len(whole)  # type: ignore[return-value]


def _accepted_by_probe(witness: Witness) -> dict[str, Accepted | None]:
    """None for a morph of which a comparison is missing, or that met one contributor only."""
    ordered = sorted(witness.seen, key=lambda s: s.trial.probe.key)
    found: dict[str, Accepted | None] = {}
    for key, group in groupby(ordered, key=lambda s: s.trial.probe.key):
        met = list(group)
        accepted = _by_contributor(met, witness.threshold)
        usable = len(accepted) > 1 and not any(s.missing for s in met)
        found[key] = accepted if usable else None
    return found


def _by_contributor(met: Sequence[Seen], threshold: float | None) -> Accepted:
    ordered = sorted(met, key=lambda s: s.trial.compared)
    return [
        [s.accepted(threshold) for s in group]
        for _, group in groupby(ordered, key=lambda s: s.trial.compared)
    ]


def _row(
    whole: Mapping[str, list[Accepted]],
    witnesses: Sequence[Witness],
    honest: HonestScores,
    fnmr: Rate | None,
) -> MorphRow:
    first = witnesses[0]
    pair_of = {s.trial.probe.key: (s.trial.target, s.trial.source) for s in first.seen}
    tried = [_as_array([by_each[q] for by_each in whole.values()]) for q in range(len(witnesses))]
    passed = np.array([mmpmr(morph[None], ACCEPTED) == 1 for morph in tried[0]])
    targets, sources = zip(*(pair_of[key] for key in whole), strict=True)
    min_max = rate_of(passed, targets, sources=sources)
    potential = _potential(tried, list(whole.values()))
    return MorphRow(
        species="",
        pair="all",
        morphs=len(whole),
        min_max=min_max,
        prod_avg=mmpmr_average(tried[0], ACCEPTED),
        rmmr=rmmr(min_max.value, fnmr.value) if fnmr else None,
        expected=_expected({pair_of[key] for key in whole}, honest, first.threshold),
        recognisers=tuple(witness.adapter for witness in witnesses),
        attack_potential=_shares(potential),
        potential_ends=_ends(potential, targets, sources),
        left_out=0,
    )


def _expected(
    pairs: set[tuple[str, str]], honest: HonestScores, threshold: float | None
) -> float | None:
    """P_morph: what licit scores of these pairs foretell; None where scores are hidden."""
    scores = [honest.pairs[pair] for pair in sorted(pairs) if pair in honest.pairs]
    if threshold is None or not scores or not honest.mated.size:
        return None
    return expected_morph_success(honest.mated, np.array(scores), threshold)


def _as_array(morphs: Sequence[Accepted]) -> FloatArray:
    """Verdicts as (morphs, contributors, references); NaN where a contributor had fewer."""
    most = max(len(tried) for morph in morphs for tried in morph)
    padded = [[[*map(float, t), *[np.nan] * (most - len(t))] for t in morph] for morph in morphs]
    return np.array(padded, dtype=np.float64)


def _potential(tried: Sequence[FloatArray], morphs: Sequence[Sequence[Accepted]]) -> FloatArray:
    """MAP[r,c] of each morph, 1 or 0, shape (morphs, r, c).

    Rows r go up to the references that every contributor was met with.
    """
    most = min(len(met) for by_each in morphs for accepted in by_each for met in accepted)
    limits = [ACCEPTED] * len(tried)
    each = [
        attack_potential([one[number : number + 1] for one in tried], limits)[:most]
        for number in range(len(morphs))
    ]
    return np.array(each, dtype=np.float64)


def _shares(potential: FloatArray) -> tuple[tuple[float, ...], ...]:
    return tuple(tuple(float(share) for share in row) for row in potential.mean(axis=0))


def _ends(
    potential: FloatArray, targets: Sequence[str], sources: Sequence[str]
) -> tuple[tuple[Ends, ...], ...]:
    """Intervals over the people attacked and those mixed into them."""
    _, rows, columns = potential.shape
    return tuple(
        tuple(_interval(potential[:, r, c] == 1, targets, sources) for c in range(columns))
        for r in range(rows)
    )


def _interval(events: BoolArray, targets: Sequence[str], sources: Sequence[str]) -> Ends:
    interval = two_way_clopper_pearson(events, targets, sources)
    return Ends(lower=interval.lower, upper=interval.upper)
