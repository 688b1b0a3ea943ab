"""What morphs achieve: one picture that is to pass for every person it was made from.

`scores` are similarities of shape (morphs, contributors, probes); a comparison is accepted
at score ≥ threshold. Where a contributor has fewer probes, the rest is NaN; a probe that was
tried and gave no template is −∞. Inputs are never changed.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tidewaiter.evaluation.sources import BoolArray, FloatArray
from tidewaiter.evaluation.verification import threshold_at


def mmpmr(scores: FloatArray, threshold: float) -> float:
    """MinMax MMPMR: share of morphs for which every contributor has an accepted probe.

    Scherhag et al. 2017.
    """
    passed = _accepted(_checked(scores), threshold)
    return float(np.all(np.any(passed, axis=2), axis=1).mean())


def mmpmr_average(scores: FloatArray, threshold: float) -> float:
    """ProdAvg MMPMR: the same as a probability over probes drawn at random."""
    values = _checked(scores)
    tried = (~np.isnan(values)).sum(axis=2)
    return float((_accepted(values, threshold).sum(axis=2) / tried).prod(axis=1).mean())


def rmmr(mmpmr_value: float, fnmr: float) -> float:
    """Morph acceptance plus the price in honest refusals: 1 + MMPMR − (1 − FNMR)."""
    return mmpmr_value + fnmr


def fmmpmr(scores: FloatArray, threshold: float) -> float:
    """FMMPMR: share of (morph, attempt) in which all contributors are accepted at once.

    Probe p of every contributor is one attempt; an attempt nobody made is left out.
    Venkatesh et al. 2020.
    """
    values = _checked(scores)
    made = np.asarray(np.any(~np.isnan(values), axis=1))
    together = np.asarray(np.all(_accepted(values, threshold), axis=1))
    return float(together[made].mean())


def attack_potential(scores: Sequence[FloatArray], thresholds: Sequence[float]) -> FloatArray:
    """MAP[r, c]: share of morphs that pass ≥ r attempts of each contributor in ≥ c recognisers.

    One array of scores and one threshold per recogniser, morphs in the same order; entry
    [r − 1, c − 1] of the result. It never rises with r or c. Ferrara et al. 2022, ISO/IEC
    20059.
    """
    if len(scores) == 0 or len(scores) != len(thresholds):
        raise ValueError(
            f"{len(scores)} recognisers, {len(thresholds)} thresholds; one each is needed"
        )
    checked = [_checked(one) for one in scores]
    if len({one.shape[:2] for one in checked}) != 1:
        raise ValueError("the same morphs and contributors are needed from every recogniser")
    attempts = max(one.shape[2] for one in checked)
    # For each recogniser and morph: how many attempts of its least successful contributor pass.
    passed = np.array(
        [
            _accepted(one, threshold).sum(axis=2).min(axis=1)
            for one, threshold in zip(checked, thresholds, strict=True)
        ]
    )
    fooled = (passed[None] >= np.arange(1, attempts + 1)[:, None, None]).sum(axis=1)
    return np.asarray(
        (fooled[:, None] >= np.arange(1, len(scores) + 1)[None, :, None]).mean(axis=2)
    )


def macer_at_bscer(morph_scores: FloatArray, bona_fide_scores: FloatArray, bscer: float) -> float:
    """Share of morphs a morph detector misses at the lowest cut with BSCER ≤ `bscer`.

    Detector scores: larger is more like a morph. Report it at 0.1 and at 0.01.
    """
    cut = threshold_at(bona_fide_scores, bscer)
    values = np.asarray(morph_scores, dtype=np.float64)
    if values.size == 0:
        raise ValueError("no morph; at least one is needed")
    return float((values < cut).mean())


def expected_morph_success(mated: FloatArray, impostor: FloatArray, threshold: float) -> float:
    """P_morph: share of pairs whose morph would pass for both, told from licit scores alone.

    A morph lies about half-way between a pair's own score and the mean of mated scores
    (Gomez-Barrero et al. 2018).
    """
    own, others = np.asarray(mated, np.float64), np.asarray(impostor, np.float64)
    own, others = own[~np.isnan(own)], others[~np.isnan(others)]
    if own.size == 0 or others.size == 0:
        raise ValueError(f"{own.size} mated, {others.size} non-mated scores; one each is needed")
    return float((others > 2 * threshold - own.mean()).mean())


def _accepted(values: FloatArray, threshold: float) -> BoolArray:
    return np.asarray(values >= threshold, dtype=np.bool_)


def _checked(scores: FloatArray) -> FloatArray:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim != 3 or values.size == 0:
        raise ValueError(
            f"scores of shape {values.shape}; (morphs, contributors, probes) is needed, none 0"
        )
    if np.isnan(values).all(axis=2).any():
        raise ValueError("a contributor without any probe; at least one each is needed")
    return values
