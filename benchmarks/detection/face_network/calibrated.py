"""What the calibrated network tells of sources that its calibration has not seen.

A source of the untouched tenth is weighed by the shipped calibration; any other source the
calibration was fitted on is weighed by a fit on the other folds; the rest were never used.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from face_measured import Measured
from face_tables import score_table, untouched
from numpy.typing import NDArray
from tables import SEED

from tidewaiter.evaluation.sources import codes, fold_by_source
from tidewaiter.opinion.applying import unbounded
from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.curves import Plan, fit_curve
from tidewaiter.opinion.scores import MANIPULATED, Sample, sample_of
from tidewaiter.opinion.validating import FOLDS, HeldOut, measure
from tidewaiter.opinion.weighing import SUPPORT_LOG10_LR

Numbers = NDArray[np.float64]

# Logits and their windowed means lie between these.
SCORES = (-20.0, 20.0)


@dataclass(frozen=True)
class Told:
    """Rows with a score and their log10 LR before bounds, by a fit that had not seen them."""

    rows: list[Measured]
    unbounded: Numbers

    def bounded(self, calibration: Calibration) -> Numbers:
        """Within what the calibration's data support."""
        return np.clip(self.unbounded, calibration.bounds.lower, calibration.bounds.upper)

    def chosen(self, keep: NDArray[np.bool_]) -> Told:
        """Some of the rows."""
        rows = [row for row, kept in zip(self.rows, keep, strict=True) if kept]
        return Told(rows, self.unbounded[keep])


def told(calibration: Calibration, fitted_on: list[Measured], rows: list[Measured]) -> Told:
    """What rows would be told; those without a score are left out."""
    spoken = [row for row in rows if row.score is not None]
    scores = np.array([row.score for row in spoken], np.float64).reshape(-1, 1)
    values = unbounded(calibration.curve, scores)
    sources = np.array([row.source for row in spoken])
    for inside, outside in _folds(calibration, fitted_on):
        curve = fit_curve(inside, Plan(kind=calibration.curve.kind), None)
        assert curve is not None
        here = np.isin(sources, outside)
        values[here] = unbounded(curve, scores[here])
    return Told(spoken, values)


def measures(calibration: Calibration, found: Told) -> dict[str, Any]:
    """Cllr and its kin with intervals over sources; what was spoken after the floor at 0."""
    labels = np.array([row.label == MANIPULATED for row in found.rows])
    if not labels.any() or labels.all():
        return {"genuine": int((~labels).sum()), "forged": int(labels.sum())}
    sources = codes([row.source for row in found.rows])
    held_out = HeldOut(found.unbounded, found.bounded(calibration), labels, sources)
    limits = (calibration.spoken_lower, calibration.spoken_upper)
    result = measure(held_out, limits, np.random.default_rng(SEED))
    return {
        "genuine": int((~labels).sum()),
        "forged": int(labels.sum()),
        "sources": int(np.unique(sources).size),
        **result.model_dump(mode="json"),
    }


def support_from(calibration: Calibration) -> float | None:
    """The least score that is told as support for manipulation; None where none is."""
    scores = np.linspace(*SCORES, 4001)
    told_as = np.clip(
        unbounded(calibration.curve, scores[:, None]),
        calibration.spoken_lower,
        calibration.spoken_upper,
    )
    reached = np.flatnonzero(told_as >= SUPPORT_LOG10_LR)
    return float(scores[reached[0]]) if reached.size else None


def _folds(
    calibration: Calibration, fitted_on: list[Measured]
) -> list[tuple[Sample, NDArray[np.str_]]]:
    """For every fold the sample of the others, and the sources that lie in it."""
    rows = [row for row in fitted_on if not untouched(row) and row.score is not None]
    member = calibration.members[0]
    sample = sample_of(score_table(rows, member.detector, member.version).rows)
    names = np.array([row.source for row in rows])
    fold_of = fold_by_source(sample.labels, sample.sources, FOLDS, np.random.default_rng(SEED))
    return [
        (sample.chosen(fold_of != fold), np.unique(names[fold_of == fold])) for fold in range(FOLDS)
    ]
