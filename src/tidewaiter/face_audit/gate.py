"""The gate in front of a recogniser: what it says of a picture, and where its cut lies."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.verification import threshold_at
from tidewaiter.face_audit.service import Picture


@dataclass(frozen=True)
class GateAnswer:
    """What a gate said: larger scores are more attack-like; None where it failed, and why."""

    score: float | None
    problem: str = ""
    declined: bool = False
    """Whether it has no score because the picture is none that it speaks on."""

    unavailable: bool = False
    """Whether it cannot run on this installation at all."""


GateKeeper = Callable[[Picture], GateAnswer]


@dataclass(frozen=True)
class Cut:
    """A picture is rejected where its score is `value` or more, or where the gate failed.

    `bpcer` is the share of the `count` calibration pictures so rejected; it exceeds what
    was asked for only where the gate failed on more than that.
    """

    value: float
    bpcer: float
    count: int
    failures: int

    def rejects(self, score: float | None) -> bool:
        """Whether a picture of this score is turned away; so is one that is not a number."""
        return score is None or not score < self.value


def fitted_cut(genuine: Sequence[float | None], bpcer: float) -> Cut:
    """The strictest cut that rejects at most this share of genuine calibration pictures.

    Failures count as rejections. Without interpolation: just above a score that exists, so
    equal scores fall on the same side. ValueError without any picture.
    """
    if not genuine:
        raise ValueError("no genuine calibration picture; at least one is needed to fit a cut")
    scores = np.array([np.inf if s is None else s for s in genuine], dtype=np.float64)
    value = threshold_at(scores, bpcer)
    failures = sum(score is None for score in genuine)
    return Cut(value, float((scores >= value).mean()), len(genuine), failures)
