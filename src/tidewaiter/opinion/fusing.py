"""Fuse the cues for one proposition by a logistic model of their bounded log10 LR.

Fitted on joint data with held-out member values. A silent cue enters as 0, without a sign
that it is missing: which cues are silent betrays format and data set. A cue whose
coefficient is not positive is left out. Where nobody may clear, no evidence may weigh a
little against manipulation (the intercept, never positive); otherwise it weighs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.cllr import cllr
from tidewaiter.evaluation.sources import FloatArray, codes
from tidewaiter.opinion.applying import LN10, unbounded
from tidewaiter.opinion.calibration import Calibration, Draws, Isotonic, Logistic, Member
from tidewaiter.opinion.cues import (
    FittedCue,
    Material,
    Recipe,
    Refusal,
    Terms,
    assembled,
    too_few,
)
from tidewaiter.opinion.curves import Plan, fit_curve, usual_penalty
from tidewaiter.opinion.logistic import class_balanced, fit
from tidewaiter.opinion.scores import MANIPULATED, Sample
from tidewaiter.opinion.validating import Fitted, hold_out
from tidewaiter.vocabulary import Text, tr


def fit_fusion(cues: Sequence[FittedCue], recipe: Recipe) -> Calibration | Refusal:
    """A fusion of the cues for one proposition, or why the strongest should speak alone."""
    cues = sorted(cues, key=lambda cue: cue.calibration.id)
    names = tuple(cue.calibration.members[0].detector for cue in cues)
    proposition = cues[0].calibration.proposition
    sample = joint_sample(cues)
    may_clear = any(cue.calibration.may_clear for cue in cues)

    def refuse(reason: Text) -> Refusal:
        return Refusal(names, proposition, reason)

    few = too_few(sample)
    if few is not None:
        return refuse(few)
    kept = positive_members(sample, recipe.penalty, may_clear=may_clear)
    if kept is None or len(kept.columns) < 2:
        return refuse(tr("beside the best cue the others add nothing; it speaks alone"))
    held_out = hold_out(
        sample, _fitter(cues, recipe, may_clear=may_clear), recipe.rng("fusion folds")
    )
    if held_out is None:
        return refuse(tr("the cues do not agree between sources; the strongest speaks alone"))
    columns = list(kept.columns)
    narrowed = Sample(sample.scores[:, columns], sample.labels, sample.sources)
    plan = _plan(recipe, intercept=kept.intercept)
    chosen = [cues[column].calibration for column in columns]
    caps = [entry.cap for entry in chosen]
    curve = within_caps(fit_curve(narrowed, plan, recipe.rng(f"fusion {proposition}")), caps)
    if curve is None:
        return refuse(tr("beside the best cue the others add nothing; it speaks alone"))
    fusion = _assembled(curve, Material(narrowed, held_out, _members(chosen)), chosen, recipe)
    alone = cllr(_strongest(sample.scores), sample.labels)
    together = cllr(
        np.clip(held_out.bounded, fusion.spoken_lower, fusion.spoken_upper), sample.labels
    )
    if together >= alone:
        return refuse(
            tr(
                "on sources it had not seen the fusion costs {together:.3f} bits, the strongest "
                "cue alone {alone:.3f}; it speaks alone",
                together=together,
                alone=alone,
            )
        )
    return fusion


def joint_sample(cues: Sequence[FittedCue]) -> Sample:
    """Bounded held-out ℓ of every cue (columns) on every item that at least one examined."""
    spoken = [
        {
            (row.item, row.shipping): value
            for row, value in zip(cue.rows, _bounded(cue), strict=True)
        }
        for cue in cues
    ]
    rows = {(row.item, row.shipping): row for cue in cues for row in cue.rows}
    keys = sorted(rows)
    return Sample(
        scores=np.array([[values.get(key, 0.0) for values in spoken] for key in keys]),
        labels=np.array([rows[key].label == MANIPULATED for key in keys], dtype=np.bool_),
        sources=codes([rows[key].source for key in keys]),
    )


@dataclass(frozen=True)
class Kept:
    """The cues that carry something beside the others, and whether there is an intercept."""

    columns: tuple[int, ...]
    intercept: bool


def positive_members(sample: Sample, penalty: float | None, *, may_clear: bool) -> Kept | None:
    """Drop the cue with the lowest coefficient until all are positive and the intercept is not."""
    columns = list(range(sample.scores.shape[1]))
    weights = class_balanced(sample.labels)
    ridge = usual_penalty(sample) if penalty is None else penalty
    while columns:
        for intercept in (True, False):
            if intercept and may_clear:
                continue
            inputs = sample.scores[:, columns]
            found = fit(inputs, sample.labels, weights, penalty=ridge, intercept=intercept)
            if found[0] <= 0:
                break
        if np.all(found[1:] > 0):
            return Kept(tuple(columns), intercept)
        columns.pop(int(np.argmin(found[1:])))
    return None


def within_caps(curve: Logistic | Isotonic | None, caps: Sequence[float | None]) -> Logistic | None:
    """The curve with coefficients of capped cues limited to 1, so that no cap is outgrown."""
    if not isinstance(curve, Logistic):
        return None
    most = np.array([np.inf if cap is None else LN10 for cap in caps])
    table = curve.draws.table()
    limited = np.column_stack([table[:, :1], np.minimum(table[:, 1:], most)])
    return curve.model_copy(
        update={
            "slopes": tuple(np.minimum(curve.slopes, most).tolist()),
            "draws": Draws.of(limited, "float32"),
        }
    )


def _bounded(cue: FittedCue) -> FloatArray:
    limits = (cue.calibration.spoken_lower, cue.calibration.spoken_upper)
    return np.clip(cue.held_out.bounded, *limits)


def _plan(recipe: Recipe, *, intercept: bool) -> Plan:
    return Plan(penalty=recipe.penalty, draws=recipe.draws, intercept=intercept, standardise=False)


def _fitter(
    cues: Sequence[FittedCue], recipe: Recipe, *, may_clear: bool
) -> Callable[[Sample], Fitted | None]:
    """Everything a fusion learns, learned on a part of the sources."""

    def fit_on(part: Sample) -> Fitted | None:
        kept = positive_members(part, recipe.penalty, may_clear=may_clear)
        if kept is None:
            return None
        columns = list(kept.columns)
        narrowed = Sample(part.scores[:, columns], part.labels, part.sources)
        caps = [cues[column].calibration.cap for column in columns]
        curve = within_caps(
            fit_curve(narrowed, _plan(recipe, intercept=kept.intercept), None), caps
        )
        return None if curve is None else lambda scores: unbounded(curve, scores[:, columns])

    return fit_on


def _members(chosen: Sequence[Calibration]) -> tuple[Member, ...]:
    return tuple(
        Member(
            detector=entry.members[0].detector,
            version=entry.members[0].version,
            calibration=entry.id,
        )
        for entry in chosen
    )


def _assembled(
    curve: Logistic | Isotonic,
    material: Material,
    chosen: Sequence[Calibration],
    recipe: Recipe,
) -> Calibration:
    digest = hashlib.sha256("\n".join(entry.id for entry in chosen).encode()).hexdigest()
    caps = [entry.cap for entry in chosen]
    terms = Terms(
        detector=f"fusion.{chosen[0].proposition}",
        version=str(len(chosen)),
        proposition=chosen[0].proposition,
        may_clear=any(entry.may_clear for entry in chosen),
        cap=None if None in caps else max(cap for cap in caps if cap is not None),
        gate=tr("at least one of its detectors may speak; a silent one counts as no evidence"),
    )
    return assembled(curve, material, terms, recipe, data_sha256=digest)


def _strongest(scores: FloatArray) -> FloatArray:
    """Per item, the member value furthest from 0."""
    rows = np.arange(scores.shape[0])
    return np.asarray(scores[rows, np.argmax(np.abs(scores), axis=1)])
