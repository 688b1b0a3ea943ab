"""Morphs against all their contributors: who of both could use the document."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal, cast

import numpy as np

from tidewaiter.evaluation.morphs import attack_potential, mmpmr, mmpmr_average, rmmr
from tidewaiter.evaluation.sources import FloatArray
from tidewaiter.face_audit.observations import Seen, rate_of
from tidewaiter.face_audit.results import MorphRow, Rate

# Morphs are measured by verdicts, since a service may hide its scores: 1 accepted, 0 not.
ACCEPTED = 0.5

Accepted = list[list[bool]]
"""For each contributor, which of their references the morph was accepted against."""


def morph_rows(
    seen: Sequence[Seen], species: str, pair: str, threshold: float | None, fnmr: Rate | None
) -> MorphRow | None:
    """The measures of one morph species; None where no morph met both contributors.

    A morph of which any comparison is missing is left out and counted. A morph without a
    template is accepted for nobody.
    """
    ordered = sorted(seen, key=lambda s: s.trial.probe.key)
    whole: dict[str, Accepted] = {}
    targets: list[str] = []
    left_out = 0
    for key, group in groupby(ordered, key=lambda s: s.trial.probe.key):
        met = list(group)
        accepted = _by_contributor(met, threshold)
        if any(s.missing for s in met) or len(accepted) < 2:
            left_out += 1
            continue
        whole[key] = accepted
        targets.append(met[0].trial.target)
    if not whole:
        return None
    morphs = list(whole.values())
    tried = _as_array(morphs)
    min_max = rate_of(np.array([mmpmr(morph[None], ACCEPTED) == 1 for morph in tried]), targets)
    return MorphRow(
        species=species,
        pair=cast("Literal['all', 'random', 'look-alike']", pair),
        morphs=len(morphs),
        min_max=min_max,
        prod_avg=mmpmr_average(tried, ACCEPTED),
        rmmr=rmmr(min_max.value, fnmr.value) if fnmr else None,
        map_attempts=_attempts(tried, morphs),
        left_out=left_out,
    )


def _by_contributor(met: Sequence[Seen], threshold: float | None) -> Accepted:
    ordered = sorted(met, key=lambda s: s.trial.compared)
    return [
        [s.accepted(threshold) for s in group]
        for _, group in groupby(ordered, key=lambda s: s.trial.compared)
    ]


def _as_array(morphs: Sequence[Accepted]) -> FloatArray:
    """Verdicts as (morphs, contributors, references); NaN where a contributor had fewer."""
    most = max(len(tried) for morph in morphs for tried in morph)
    padded = [[[*map(float, t), *[np.nan] * (most - len(t))] for t in morph] for morph in morphs]
    return np.array(padded, dtype=np.float64)


def _attempts(tried: FloatArray, morphs: Sequence[Accepted]) -> tuple[float, ...]:
    """MAP[r,1] for r up to the references that every contributor was met with."""
    most = min(len(met) for morph in morphs for met in morph)
    return tuple(float(share) for share in attack_potential([tried], [ACCEPTED])[:most, 0])
