"""Keep a fusion in step with members that a site has moved.

A fusion speaks only with the member calibrations it names. Where a site moved some of
them, a copy that names the moved ones is judged on the site's items. If it does worse
than the shipped fusion, neither it nor the moved members are installed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from tidewaiter.evaluation.cllr import cllr
from tidewaiter.evaluation.sources import FloatArray, codes
from tidewaiter.opinion.applying import spoken_values, unbounded
from tidewaiter.opinion.calibration import Calibration, Member
from tidewaiter.opinion.cues import Recipe
from tidewaiter.opinion.scores import MANIPULATED, Sample, ScoreTable
from tidewaiter.opinion.site_cues import MIN_SITE_SOURCES, SiteOutcome, installed
from tidewaiter.opinion.validating import HeldOut
from tidewaiter.vocabulary import tr


def refit_fusions(
    table: ScoreTable,
    known: Sequence[Calibration],
    outcomes: Sequence[SiteOutcome],
    recipe: Recipe,
) -> tuple[SiteOutcome, ...]:
    """The outcomes, with one more for every shipped fusion that has a moved member.

    The fusion is judged on the items its members' offsets were moved on; its own
    coefficients have not seen them.
    """
    settled = list(outcomes)
    by_id = {entry.id: entry for entry in known}
    for fusion in (entry for entry in known if entry.is_fusion and entry.origin == "shipped"):
        moved = {
            outcome.detectors[0]: outcome.calibration
            for outcome in settled
            if outcome.calibration is not None
        }
        before = {m.detector: by_id[str(m.calibration)] for m in fusion.members}
        after = {name: moved.get(name, entry) for name, entry in before.items()}
        if after == before:
            continue
        outcome = _refit(table, fusion, (before, after), recipe)
        if outcome.calibration is None:
            settled = [_withdrawn(entry, fusion) for entry in settled]
        settled.append(outcome)
    return tuple(settled)


def _refit(
    table: ScoreTable,
    fusion: Calibration,
    members: tuple[Mapping[str, Calibration], Mapping[str, Calibration]],
    recipe: Recipe,
) -> SiteOutcome:
    before, after = (_fused(table, fusion, chosen) for chosen in members)
    names = tuple(member.detector for member in fusion.members)
    both = np.unique(after.sources[after.labels]).size >= MIN_SITE_SOURCES
    if not both:
        after = after.chosen(~after.labels)
    costs = (_cost(before, fusion), _cost(after, fusion)) if both else None
    if costs is not None and costs[1] >= costs[0]:
        sentence = tr(
            "{proposition}: the cues together would cost {after:.2f} bits with this site's "
            "calibrations and cost {before:.2f} as shipped; all stay as shipped",
            proposition=fusion.proposition.value,
            before=costs[0],
            after=costs[1],
        )
        return SiteOutcome(names, fusion.proposition, "kept", None, sentence, *costs)
    calibration = _renamed(fusion, members[1], after, recipe)
    sentence = tr(
        "{proposition}: the cues together follow this site's calibrations; likelihood ratio at "
        "most {most:.1f}",
        proposition=fusion.proposition.value,
        most=10.0**calibration.spoken_upper,
    )
    outcome = SiteOutcome(names, fusion.proposition, "moved", calibration, sentence)
    return outcome if costs is None else replace(outcome, cost_before=costs[0], cost_after=costs[1])


def _fused(table: ScoreTable, fusion: Calibration, members: Mapping[str, Calibration]) -> Sample:
    """Every item's bounded ℓ by member (columns, silent ones 0)."""
    rows = {(row.item, row.shipping): row for row in table.rows if row.detector in members}
    keys = sorted(rows)
    place = {key: index for index, key in enumerate(keys)}
    scores = np.zeros((len(keys), len(fusion.members)))
    column = {member.detector: index for index, member in enumerate(fusion.members)}
    for row in table.rows:
        if row.score is not None and row.detector in members:
            value = spoken_values(members[row.detector], np.array([[row.score]]))[0]
            scores[place[row.item, row.shipping], column[row.detector]] = value
    return Sample(
        scores=scores,
        labels=np.array([rows[key].label == MANIPULATED for key in keys], dtype=np.bool_),
        sources=codes([rows[key].source for key in keys]),
    )


def _cost(sample: Sample, fusion: Calibration) -> float:
    return cllr(_bounded(sample, fusion), sample.labels)


def _bounded(sample: Sample, fusion: Calibration) -> FloatArray:
    values = unbounded(fusion.curve, sample.scores)
    return np.clip(values, fusion.bounds.lower, fusion.bounds.upper)


def _renamed(
    fusion: Calibration, members: Mapping[str, Calibration], sample: Sample, recipe: Recipe
) -> Calibration:
    named = tuple(
        Member(detector=m.detector, version=m.version, calibration=members[m.detector].id)
        for m in fusion.members
    )
    digest = hashlib.sha256("\n".join(str(m.calibration) for m in named).encode()).hexdigest()
    held_out = HeldOut(
        unbounded(fusion.curve, sample.scores),
        _bounded(sample, fusion),
        sample.labels,
        sample.sources,
    )
    copy = fusion.model_copy(update={"members": named})
    return installed(copy, fusion.curve, sample, (recipe, digest), (held_out, fusion.bounds))


def _withdrawn(outcome: SiteOutcome, fusion: Calibration) -> SiteOutcome:
    """A moved member whose fusion stays as shipped stays as shipped too."""
    if outcome.calibration is None or outcome.detectors[0] not in {
        member.detector for member in fusion.members
    }:
        return outcome
    sentence = tr(
        "{detector}: kept as shipped; moved, it would make the cues together worse",
        detector=outcome.detectors[0],
    )
    return replace(outcome, action="kept", calibration=None, sentence=sentence)
