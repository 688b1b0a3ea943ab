"""The thresholds of an audit: the one in service, and those at false match rates asked for."""

from __future__ import annotations

import math
from collections.abc import Sequence
from types import MappingProxyType

import numpy as np

from tidewaiter.errors import ConfigurationError
from tidewaiter.evaluation.planning import reportable
from tidewaiter.evaluation.sources import FloatArray
from tidewaiter.evaluation.verification import threshold_at
from tidewaiter.face_audit.observations import Seen
from tidewaiter.face_audit.protocol import Target
from tidewaiter.face_audit.results import ThresholdUsed
from tidewaiter.face_audit.service import ServiceCard
from tidewaiter.face_audit.trials import Role

GIVEN = "given"
# Similarities that a service can give, by adapter; of others nothing is known. Embeddings of
# dlib have about unit length, so none is further than 2 from another.
SCALES = MappingProxyType(
    {
        "dlib": (-2.0, 0.0),
        "faceres": (-1.0, 1.0),
        "azure": (0.0, 1.0),
        "compreface": (0.0, 1.0),
        "rekognition": (0.0, 100.0),
    }
)


def threshold_from_card(target: Target, card: ServiceCard) -> float | None:
    """The threshold in service as a similarity: the protocol's, else the adapter's own.

    None where nobody knows it; the service's own verdicts then count.
    """
    given = target.threshold.given
    if given is None:
        return card.given_threshold
    return -given if target.score == "distance" else given


def check_reachable(target: Target, given: float | None) -> None:
    """Raises ConfigurationError for a threshold by which everybody is accepted, or nobody."""
    if given is None:
        return
    turned = target.score == "distance"
    said = -given if turned else given
    if turned and given >= 0:
        raise ConfigurationError(
            f"target.threshold.given is a distance of {said:g}, by which nobody is accepted; a "
            "distance above 0 is needed"
        )
    lowest, highest = SCALES.get(target.adapter, (-math.inf, math.inf))
    if not math.isfinite(given) or not lowest <= given <= highest:
        ends = (-highest, -lowest) if turned else (lowest, highest)
        raise ConfigurationError(
            f"target.threshold.given is {said:g}, by which everybody or nobody is accepted; scores "
            f"of {target.adapter!r} lie from {ends[0] + 0:g} to {ends[1]:g}, "
            f"and target.score says that they are a {target.score}"
        )


def thresholds(
    calibration: Sequence[Seen], given: float | None, wanted: Sequence[float]
) -> tuple[ThresholdUsed, ...]:
    """The given threshold, then the loosest that keep each FMR on the calibration people.

    An FMR is left out where the service hides its scores, or where the calibration has no
    comparison of two people. Look-alikes are left out: they would make it stricter. Of a
    search counts what the target was given, not the best answer, which may be the
    impostor's own name.
    """
    scores = np.array(
        [
            s.score
            for s in calibration
            if s.trial.role is Role.ZERO_EFFORT and s.compared and s.score is not None
        ],
        dtype=np.float64,
    )
    known = np.isfinite(scores).any()
    found = [_at(scores, fmr) for fmr in sorted(wanted, reverse=True)] if known else []
    return (ThresholdUsed(name=GIVEN, value=given), *found)


def _at(scores: FloatArray, fmr: float) -> ThresholdUsed:
    # Below the lowest score that a search gave anybody nothing is known.
    value = max(threshold_at(scores, fmr), float(scores[np.isfinite(scores)].min()))
    errors = int((scores >= value).sum())
    return ThresholdUsed(
        name=f"FMR {100 * fmr:g} %",
        value=value,
        fmr_wanted=fmr,
        comparisons=int(scores.size),
        errors=errors,
        supported=reportable(errors),
    )
