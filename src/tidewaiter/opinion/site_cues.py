"""Fit one cue to a site: move its offset, fit it anew, or keep what is shipped.

Every candidate is judged on items it has not seen. With genuine items only, a calibration
may move toward caution and nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from tidewaiter.evaluation.cllr import cllr
from tidewaiter.evaluation.elub import EXTREME
from tidewaiter.evaluation.sources import FloatArray, count_sources
from tidewaiter.opinion.applying import unbounded
from tidewaiter.opinion.calibration import (
    Calibration,
    ClassCount,
    DataSet,
    Isotonic,
    Logistic,
    SupportedBounds,
)
from tidewaiter.opinion.cues import Recipe, Refusal, Terms, fit_cue
from tidewaiter.opinion.curves import Plan, fit_curve
from tidewaiter.opinion.moving import (
    best_offset,
    cautious_offset,
    drawn_cautious_offsets,
    drawn_offsets,
    shifted,
    site_bounds,
)
from tidewaiter.opinion.scores import Sample, ScoreTable, sample_of
from tidewaiter.opinion.validating import FOLDS, Fitted, HeldOut, hold_out, measure, thinned
from tidewaiter.vocabulary import Proposition, Text, tr

# The issue asks for 10 + 10; a perfect cue is then bounded at a likelihood ratio of 10.
MIN_SITE_SOURCES = 10
# From this many sources of each class the slope is fitted anew as well.
REFIT_SOURCES = 30
# A curve fitted anew stands on the site's own items; shipped bounds do not apply to it.
UNLIMITED = SupportedBounds(lower=-EXTREME, upper=EXTREME)

Action = Literal["moved", "refitted", "fitted", "kept", "refused"]


@dataclass(frozen=True)
class SiteOutcome:
    """What became of one calibration at a site.

    `calibration` is to be installed; None where the shipped one stays or none is possible.
    The costs are Cllr in bits on items that were held out; None where there are no altered
    items to compute it from.
    """

    detectors: tuple[str, ...]
    proposition: Proposition
    action: Action
    calibration: Calibration | None
    sentence: Text
    cost_before: float | None = None
    cost_after: float | None = None
    reason: Text | None = None


def calibrate_cue(
    table: ScoreTable, base: Calibration | None, terms: Terms, recipe: Recipe
) -> SiteOutcome:
    """What a site's rows of one detector make of its shipped calibration `base`."""
    rows = tuple(row for row in table.rows if row.version == terms.version)
    sample = sample_of(rows)
    genuine = count_sources(sample.sources, ~sample.labels)
    altered = count_sources(sample.sources, sample.labels)
    if genuine < MIN_SITE_SOURCES:
        return _without(
            terms,
            "refused",
            tr(
                "{detector}: {found} independent genuine items could be examined; {needed} needed",
                detector=terms.detector,
                found=genuine,
                needed=MIN_SITE_SOURCES,
            ),
        )
    digest = ScoreTable(rows).sha256
    if base is None:
        return _from_nothing(table, terms, recipe)
    if altered < MIN_SITE_SOURCES:
        return _toward_caution(base, sample, terms, recipe, digest)
    return _on_both(base, sample, terms, recipe, digest)


def _from_nothing(table: ScoreTable, terms: Terms, recipe: Recipe) -> SiteOutcome:
    outcome = fit_cue(table, terms, recipe)
    if isinstance(outcome, Refusal):
        sentence = tr(
            "{detector}: no calibration is shipped, and these items support none",
            detector=terms.detector,
        )
        return replace(_without(terms, "refused", sentence), reason=outcome.reason)
    measures = outcome.calibration.measures
    cost = 1.0 if measures is None else measures.cllr.value
    sentence = tr(
        "{detector}: fitted on these items alone; saying nothing costs 1.00 bits, it costs "
        "{after:.2f} on held-out items",
        detector=terms.detector,
        after=cost,
    )
    return SiteOutcome(
        (terms.detector,),
        terms.proposition,
        "fitted",
        outcome.calibration,
        sentence,
        cost_before=1.0,
        cost_after=cost,
    )


def _on_both(
    base: Calibration, sample: Sample, terms: Terms, recipe: Recipe, digest: str
) -> SiteOutcome:
    """Choose between shipped, moved and refitted by their cost on held-out items."""
    shipped = np.clip(unbounded(base.curve, sample.scores), base.bounds.lower, base.bounds.upper)
    before = cllr(shipped, sample.labels)
    tried: dict[Action, HeldOut] = {}
    for action, fit_on in _candidates(base, sample, recipe).items():
        held_out = hold_out(sample, fit_on, recipe.rng("site folds"))
        if held_out is not None:
            tried[action] = _within(held_out, base.bounds, action)
    if not tried:
        return _kept(terms, before, None)
    action = min(tried, key=lambda name: cllr(tried[name].bounded, sample.labels))
    after = cllr(tried[action].bounded, sample.labels)
    if after >= before:
        return _kept(terms, before, after)
    curve = _final(action, base, sample, recipe)
    if curve is None:
        return _kept(terms, before, after)
    limits = base.bounds if action == "moved" else UNLIMITED
    calibration = installed(base, curve, sample, (recipe, digest), (tried[action], limits))
    return SiteOutcome(
        (terms.detector,),
        terms.proposition,
        action,
        calibration,
        _gained(action, calibration, terms.detector, (before, after)),
        cost_before=before,
        cost_after=after,
    )


def _gained(
    action: Action, calibration: Calibration, detector: str, costs: tuple[float, float]
) -> Text:
    values = {
        "detector": detector,
        "before": costs[0],
        "after": costs[1],
        "genuine": calibration.as_issued.items,
        "altered": calibration.manipulated.items,
        "most": 10.0**calibration.spoken_upper,
    }
    if action == "moved":
        return tr(
            "{detector}: moved to this site; on held-out items its cost fell from {before:.2f} to "
            "{after:.2f} bits ({genuine} genuine and {altered} altered items; likelihood ratio at "
            "most {most:.1f})",
            **values,
        )
    return tr(
        "{detector}: fitted anew to this site; on held-out items its cost fell from {before:.2f} "
        "to {after:.2f} bits ({genuine} genuine and {altered} altered items; likelihood ratio at "
        "most {most:.1f})",
        **values,
    )


def _candidates(
    base: Calibration, sample: Sample, recipe: Recipe
) -> dict[Action, Callable[[Sample], Fitted | None]]:
    def moved(part: Sample) -> Fitted | None:
        offset = best_offset(base.curve, part)
        return lambda scores: unbounded(base.curve, scores) + offset

    def refitted(part: Sample) -> Fitted | None:
        curve = fit_curve(part, Plan(penalty=recipe.penalty), None)
        return None if curve is None else lambda scores: unbounded(curve, scores)

    found: dict[Action, Callable[[Sample], Fitted | None]] = {"moved": moved}
    sources = min(
        count_sources(sample.sources, sample.labels), count_sources(sample.sources, ~sample.labels)
    )
    if sources >= REFIT_SOURCES:
        found["refitted"] = refitted
    return found


def _within(held_out: HeldOut, bounds: SupportedBounds, action: Action) -> HeldOut:
    """A moved curve keeps the shipped bounds as well; a refitted one stands on its own."""
    if action == "refitted":
        return held_out
    bounded = np.clip(held_out.bounded, bounds.lower, bounds.upper)
    return HeldOut(held_out.unbounded, bounded, held_out.labels, held_out.sources)


def _final(
    action: Action, base: Calibration, sample: Sample, recipe: Recipe
) -> Logistic | Isotonic | None:
    rng = recipe.rng(f"site {base.id}")
    if action == "refitted":
        return fit_curve(sample, Plan(penalty=recipe.penalty, draws=recipe.draws), rng)
    offsets = drawn_offsets(base.curve, sample, rng)
    return shifted(base.curve, best_offset(base.curve, sample), offsets)


def _toward_caution(
    base: Calibration, sample: Sample, terms: Terms, recipe: Recipe, digest: str
) -> SiteOutcome:
    """Genuine items alone may only make a calibration claim less."""
    genuine = sample.chosen(~sample.labels)
    offset = cautious_offset(base.curve, genuine.scores, base.usual_as_issued)
    if offset == 0.0:
        reason = tr(
            "{detector}: kept as shipped; this site's genuine items score no higher than those "
            "it was fitted on",
            detector=terms.detector,
        )
        return _without(terms, "kept", reason)
    offsets = drawn_cautious_offsets(base, genuine, recipe.rng(f"site {base.id}"))
    curve = shifted(base.curve, offset, offsets)
    values = _held_out_caution(base, genuine)
    held_out = HeldOut(values, values, genuine.labels, genuine.sources)
    calibration = installed(base, curve, genuine, (recipe, digest), (held_out, base.bounds))
    sentence = tr(
        "{detector}: moved toward caution by a factor of {factor:.1f}; held-out genuine items on "
        "the wrong side of 1 fell from {before} to {after} of {genuine} (no altered items; "
        "likelihood ratio at most {most:.1f})",
        detector=terms.detector,
        factor=10.0**-offset,
        before=int(np.sum(unbounded(base.curve, genuine.scores) > 0)),
        after=int(np.sum(values > 0)),
        genuine=calibration.as_issued.items,
        most=10.0**calibration.spoken_upper,
    )
    return SiteOutcome((terms.detector,), terms.proposition, "moved", calibration, sentence)


def _held_out_caution(base: Calibration, genuine: Sample) -> FloatArray:
    """Moved values of every genuine item, by an offset that did not see its source."""
    values = np.zeros(genuine.labels.size)
    order = np.unique(genuine.sources, return_inverse=True)[1]
    for fold in range(FOLDS):
        inside = order % FOLDS != fold
        offset = cautious_offset(base.curve, genuine.scores[inside], base.usual_as_issued)
        values[~inside] = unbounded(base.curve, genuine.scores[~inside]) + offset
    return values


def installed(
    base: Calibration,
    curve: Logistic | Isotonic,
    sample: Sample,
    made_by: tuple[Recipe, str],
    judged_by: tuple[HeldOut, SupportedBounds],
) -> Calibration:
    """The site calibration: `base` with a new curve, its bounds and measures from the site.

    `made_by` is the recipe and the digest of the site's rows, `judged_by` the held-out
    values and the bounds that must not be passed whatever they show.
    """
    recipe, digest = made_by
    held_out, limits = judged_by
    bounds = site_bounds(limits, held_out.unbounded, held_out.labels, held_out.sources)
    bounded = np.clip(held_out.bounded, bounds.lower, bounds.upper)
    both = bool(sample.labels.any())
    genuine = unbounded(curve, sample.scores[~sample.labels])
    calibration = Calibration.model_validate(
        dict(base)
        | {
            "id": f"{base.id[:90]}-site-{digest[:8]}",
            "origin": "site",
            "domain": recipe.domain,
            "data": (DataSet(name=recipe.data, sha256=digest),),
            "as_issued": _count(sample, manipulated=False),
            "manipulated": _count(sample, manipulated=True),
            "split": f"{FOLDS} folds by source, seed {recipe.seed}",
            "curve": curve,
            "bounds": SupportedBounds(lower=bounds.lower, upper=bounds.upper),
            "measures": None,
            "held_out_as_issued": thinned(bounded[~sample.labels]),
            "held_out_manipulated": thinned(bounded[sample.labels]) if both else (),
            "usual_as_issued": float(np.median(genuine)),
            "seed": recipe.seed,
            "recipe": recipe.name,
            "based_on": base.id,
        }
    )
    if not both:
        return calibration
    shown = HeldOut(held_out.unbounded, bounded, held_out.labels, held_out.sources)
    spoken = (calibration.spoken_lower, calibration.spoken_upper)
    measures = measure(shown, spoken, recipe.rng("site measures"))
    return calibration.model_copy(update={"measures": measures})


def _count(sample: Sample, *, manipulated: bool) -> ClassCount:
    chosen = sample.labels if manipulated else ~sample.labels
    return ClassCount(
        items=int(chosen.sum()),
        sources=count_sources(sample.sources, chosen),
        declined=sample.declined_manipulated if manipulated else sample.declined_as_issued,
    )


def _kept(terms: Terms, before: float, after: float | None) -> SiteOutcome:
    sentence = tr(
        "{detector}: kept as shipped; on held-out items it costs {before:.2f} bits, the site "
        "calibration would cost {after:.2f}",
        detector=terms.detector,
        before=before,
        after=1.0 if after is None else after,
    )
    return SiteOutcome((terms.detector,), terms.proposition, "kept", None, sentence, before, after)


def _without(terms: Terms, action: Action, sentence: Text) -> SiteOutcome:
    return SiteOutcome((terms.detector,), terms.proposition, action, None, sentence)
