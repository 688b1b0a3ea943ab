"""Fit the calibration of one cue from its rows of a score table.

Everything is learned on some sources and measured on others. What carries nothing, or has
too few sources, is refused with a reason; a refusal is a result and is reported.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from tidewaiter.detectors.base import Detector
from tidewaiter.evaluation.sources import count_sources
from tidewaiter.opinion.applying import unbounded
from tidewaiter.opinion.calibration import (
    Calibration,
    ClassCount,
    DataSet,
    Isotonic,
    Logistic,
    Member,
)
from tidewaiter.opinion.choosing import ANY_DOMAIN
from tidewaiter.opinion.curves import DRAWS, Kind, Plan, fit_curve
from tidewaiter.opinion.scores import Sample, ScoreRow, ScoreTable, sample_of
from tidewaiter.opinion.validating import (
    FOLDS,
    Fitted,
    HeldOut,
    hold_out,
    measure,
    supported_bounds,
    thinned,
)
from tidewaiter.opinion.verbal import NO_SUPPORT_BELOW
from tidewaiter.vocabulary import Proposition, Text, tr

# With fewer independent sources of a class the bound stays below a factor of six.
MIN_SOURCES = 5
# An isotonic curve has many parameters; it competes only from this many sources a class.
MIN_ISOTONIC_SOURCES = 30

KindChoice = Literal["logistic", "isotonic", "best"]


@dataclass(frozen=True)
class Terms:
    """What a detector declares about itself, as far as a calibration must know."""

    detector: str
    version: str
    proposition: Proposition
    may_clear: bool
    cap: float | None
    gate: Text


@dataclass(frozen=True)
class Recipe:
    """Who makes a calibration, from what, and how."""

    name: str
    data: str
    seed: int
    domain: str = ANY_DOMAIN
    origin: Literal["shipped", "site"] = "shipped"
    penalty: float | None = None
    draws: int = DRAWS

    def rng(self, purpose: str) -> np.random.Generator:
        """Random numbers for one purpose, the same whatever else is fitted."""
        return np.random.default_rng([self.seed, zlib.crc32(purpose.encode())])


@dataclass(frozen=True)
class Refusal:
    """Why no calibration was made."""

    detectors: tuple[str, ...]
    proposition: Proposition
    reason: Text


@dataclass(frozen=True)
class FittedCue:
    """A calibration with the held-out values of the rows it was fitted on."""

    calibration: Calibration
    rows: tuple[ScoreRow, ...]
    held_out: HeldOut


def terms_of(detectors: Iterable[Detector]) -> dict[str, Terms]:
    """The terms of every detector that may carry a likelihood ratio, by id."""
    return {
        d.id: Terms(d.id, d.version, d.proposition, d.may_clear, d.cap, d.speaks_when)
        for d in detectors
        if d.weighs
    }


def fit_cue(
    table: ScoreTable, terms: Terms, recipe: Recipe, kind: KindChoice = "logistic"
) -> FittedCue | Refusal:
    """One detector's calibration from its examined rows; or why there is none."""
    rows = tuple(row for row in table.rows if row.version == terms.version)
    sample = sample_of(rows)
    reason = too_few(sample)
    if reason is not None:
        return Refusal((terms.detector,), terms.proposition, reason)
    best: tuple[Kind, HeldOut] | None = None
    for candidate in _candidates(kind, sample):
        held_out = hold_out(sample, _fitter(candidate, recipe), recipe.rng("folds"))
        if held_out is not None and (best is None or _cost(held_out) < _cost(best[1])):
            best = (candidate, held_out)
    plan = None if best is None else Plan(kind=best[0], penalty=recipe.penalty, draws=recipe.draws)
    curve = None if plan is None else fit_curve(sample, plan, recipe.rng(terms.detector))
    if best is None or curve is None:
        return Refusal((terms.detector,), terms.proposition, _NOT_RISING)
    if _cost(best[1]) >= 1.0:
        return Refusal((terms.detector,), terms.proposition, _no_better(_cost(best[1])))
    calibration = assembled(
        curve,
        Material(sample, best[1], (Member(detector=terms.detector, version=terms.version),)),
        terms,
        recipe,
        data_sha256=ScoreTable(rows).sha256,
    )
    most = max(calibration.spoken_upper, -calibration.spoken_lower)
    if most < NO_SUPPORT_BELOW:
        return Refusal((terms.detector,), terms.proposition, _says_nothing(most))
    spoke = tuple(row for row in rows if row.score is not None)
    return FittedCue(calibration, spoke, best[1])


@dataclass(frozen=True)
class Material:
    """What a calibration is assembled from."""

    sample: Sample
    held_out: HeldOut
    members: tuple[Member, ...]


def assembled(
    curve: Logistic | Isotonic,
    material: Material,
    terms: Terms,
    recipe: Recipe,
    *,
    data_sha256: str,
) -> Calibration:
    """A whole calibration: bounds and measures come from the held-out values."""
    sample, held_out = material.sample, material.held_out
    values = unbounded(curve, sample.scores)
    calibration = Calibration(
        id=_id(terms, recipe, data_sha256),
        origin=recipe.origin,
        proposition=terms.proposition,
        members=material.members,
        domain=recipe.domain,
        gate=terms.gate,
        data=(DataSet(name=recipe.data, sha256=data_sha256),),
        as_issued=_count(sample, manipulated=False),
        manipulated=_count(sample, manipulated=True),
        split=f"{FOLDS} folds by source, seed {recipe.seed}",
        curve=curve,
        bounds=supported_bounds(held_out),
        cap=terms.cap,
        may_clear=terms.may_clear,
        measures=None,
        held_out_as_issued=thinned(held_out.bounded[~held_out.labels]),
        held_out_manipulated=thinned(held_out.bounded[held_out.labels]),
        usual_as_issued=float(np.median(values[~sample.labels])),
        seed=recipe.seed,
        recipe=recipe.name,
    )
    limits = (calibration.spoken_lower, calibration.spoken_upper)
    measures = measure(held_out, limits, recipe.rng(f"{terms.detector} measures"))
    return calibration.model_copy(update={"measures": measures})


def too_few(sample: Sample) -> Text | None:
    """Why a sample has too few independent sources, or None."""
    manipulated = count_sources(sample.sources, sample.labels)
    if manipulated < MIN_SOURCES:
        return tr(
            "{found} independent sources of manipulated items; {needed} needed",
            found=manipulated,
            needed=MIN_SOURCES,
        )
    as_issued = count_sources(sample.sources, ~sample.labels)
    if as_issued < MIN_SOURCES:
        return tr(
            "{found} independent sources of genuine items; {needed} needed",
            found=as_issued,
            needed=MIN_SOURCES,
        )
    return None


_NOT_RISING = tr("a larger score is not more manipulation-like; the cue carries nothing here")


def _no_better(cost: float) -> Text:
    return tr(
        "on sources it had not seen its likelihood ratios cost {found:.2f} bits; saying nothing "
        "costs 1.00",
        found=cost,
    )


def _says_nothing(most: float) -> Text:
    return tr(
        "the data support a likelihood ratio of at most {found:.1f}; below {needed:.0f} it "
        "supports neither side",
        found=10.0**most,
        needed=10.0**NO_SUPPORT_BELOW,
    )


def _candidates(kind: KindChoice, sample: Sample) -> Sequence[Kind]:
    if kind != "best":
        return (kind,)
    sources = min(
        count_sources(sample.sources, sample.labels), count_sources(sample.sources, ~sample.labels)
    )
    return ("logistic", "isotonic") if sources >= MIN_ISOTONIC_SOURCES else ("logistic",)


def _fitter(kind: Kind, recipe: Recipe) -> Callable[[Sample], Fitted | None]:
    def fit_on(part: Sample) -> Fitted | None:
        curve = fit_curve(part, Plan(kind=kind, penalty=recipe.penalty), None)
        return None if curve is None else lambda scores: unbounded(curve, scores)

    return fit_on


def _cost(held_out: HeldOut) -> float:
    from tidewaiter.evaluation.cllr import cllr

    return cllr(held_out.bounded, held_out.labels)


def _id(terms: Terms, recipe: Recipe, digest: str) -> str:
    """A name for the file: letters, digits and a few signs, whatever a site calls itself."""
    name = f"{terms.detector}-{terms.version}-{recipe.domain}".lower()
    return re.sub(r"[^a-z0-9_.+]+", "-", name)[:100] + f"-{digest[:8]}"


def _count(sample: Sample, *, manipulated: bool) -> ClassCount:
    chosen = sample.labels if manipulated else ~sample.labels
    return ClassCount(
        items=int(chosen.sum()),
        sources=count_sources(sample.sources, chosen),
        declined=sample.declined_manipulated if manipulated else sample.declined_as_issued,
    )
