"""Fit calibrations from a score table: every cue alone, then a fusion per proposition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.cues import FittedCue, KindChoice, Recipe, Refusal, Terms, fit_cue
from tidewaiter.opinion.fusing import fit_fusion
from tidewaiter.opinion.scores import ScoreTable
from tidewaiter.vocabulary import Proposition


@dataclass(frozen=True)
class FitResult:
    """All calibrations that a table supports, and what was refused."""

    calibrations: tuple[Calibration, ...]
    refusals: tuple[Refusal, ...]


def fit_all(
    table: ScoreTable,
    terms: Mapping[str, Terms],
    recipe: Recipe,
    *,
    kinds: Mapping[str, KindChoice] | None = None,
    fuse: bool = True,
) -> FitResult:
    """Calibrations for every detector of the table and a fusion per proposition.

    The table's manipulated rows count for every detector in it: leave out species that a
    detector does not look for. `kinds` names curves other than logistic by detector id.
    """
    cues: list[FittedCue] = []
    refusals: list[Refusal] = []
    for detector in sorted({row.detector for row in table.rows} & terms.keys()):
        outcome = fit_cue(
            table.of(detector), terms[detector], recipe, (kinds or {}).get(detector, "logistic")
        )
        if isinstance(outcome, Refusal):
            refusals.append(outcome)
        else:
            cues.append(outcome)
    calibrations = [cue.calibration for cue in cues]
    for proposition in Proposition:
        own = [cue for cue in cues if cue.calibration.proposition is proposition]
        if fuse and len(own) > 1:
            fused = fit_fusion(own, recipe)
            if isinstance(fused, Refusal):
                refusals.append(fused)
            else:
                calibrations.append(fused)
    return FitResult(tuple(calibrations), tuple(refusals))
