"""The thresholds of an audit: the one in service, and those at false match rates asked for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tidewaiter.evaluation.planning import reportable
from tidewaiter.evaluation.sources import FloatArray
from tidewaiter.evaluation.verification import threshold_at
from tidewaiter.face_audit.observations import Seen
from tidewaiter.face_audit.protocol import Target
from tidewaiter.face_audit.results import ThresholdUsed
from tidewaiter.face_audit.service import ServiceCard
from tidewaiter.face_audit.trials import Role

GIVEN = "given"


def threshold_from_card(target: Target, card: ServiceCard) -> float | None:
    """The threshold in service as a similarity: the protocol's, else the adapter's own.

    None where nobody knows it; the service's own verdicts then count.
    """
    given = target.threshold.given
    if given is None:
        return card.given_threshold
    return -given if target.score == "distance" else given


def thresholds(
    calibration: Sequence[Seen], given: float | None, wanted: Sequence[float]
) -> tuple[ThresholdUsed, ...]:
    """The given threshold, then the loosest that keep each FMR on the calibration people.

    An FMR is left out where the service hides its scores, or where the calibration has no
    comparison of two people. Look-alikes are left out: they would make it stricter.
    """
    scores = np.array(
        [
            s.score
            for s in calibration
            if s.trial.role is Role.ZERO_EFFORT and s.compared and s.score is not None
        ],
        dtype=np.float64,
    )
    found = [_at(scores, fmr) for fmr in sorted(wanted, reverse=True)] if scores.size else []
    return (ThresholdUsed(name=GIVEN, value=given), *found)


def _at(scores: FloatArray, fmr: float) -> ThresholdUsed:
    value = threshold_at(scores, fmr)
    errors = int((scores >= value).sum())
    return ThresholdUsed(
        name=f"FMR {100 * fmr:g} %",
        value=value,
        fmr_wanted=fmr,
        comparisons=int(scores.size),
        errors=errors,
        supported=reportable(errors),
    )
