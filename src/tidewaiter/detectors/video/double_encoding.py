"""Traces of an earlier encoding: inter frames that are large in a steady rhythm."""

from __future__ import annotations

import numpy as np

from tidewaiter.detectors.base import Detector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.packets import LARGE_SHARES, EncodingRhythm, PacketTable, best_phase
from tidewaiter.vocabulary import (
    Check,
    Evidence,
    Finding,
    MediaKind,
    Proposition,
    Series,
    tr,
)

FEWEST_INTER_FRAMES = 100
"""Fewer leave no room for four repetitions of the usual first groups of 12 to 25 frames."""

LEAST_STRENGTH = 2.0
"""A rhythm weaker than NFA = 0.01 is not searched for a shift of phase."""

SHIFT_STEPS = 40
"""Places at which the video is split to look for a shift."""

PYRAMID_PERIODS = (2, 4, 8, 16)
"""Periods of hierarchical B frames: custody handbook 3.14."""


class DoubleEncoding(Detector):
    """Finds the key-frame rhythm of an earlier encoding in the sizes of inter frames."""

    id = "video.double_encoding"
    version = "1"
    proposition = Proposition.VIDEO_ALTERED
    media = frozenset({MediaKind.VIDEO})
    needs = frozenset({"packets", "double_encoding"})
    looks_for = tr("a rhythm of large inter frames, left by the key frames of an earlier encoding")
    speaks_when = tr(
        "at least {needed} inter frames away from key frames", needed=FEWEST_INTER_FRAMES
    )
    score_unit = tr("-log10 of the number of such rhythms expected by chance")
    limitations = (
        tr("Every messenger and editor encodes again; a second encoding alone is no forgery."),
        tr("A ticking clock or a blinking lamp in the scene has a rhythm too."),
        tr("Strong compression wipes the rhythm out; no rhythm is no sign of an original."),
    )

    def examine(self, traces: Traces) -> Finding:
        """Score the strongest rhythm that is not one of the last encoding itself."""
        table: PacketTable = traces["packets"]
        rhythm: EncodingRhythm = traces["double_encoding"]
        known = int(np.isfinite(rhythm.excess).sum())
        gate = (_gate(known),)
        if not gate[0].passed or not len(rhythm.period):
            return self.not_applicable(
                tr(
                    "{found} inter frames found; {needed} needed",
                    found=known,
                    needed=FEWEST_INTER_FRAMES,
                ),
                gate=gate,
            )
        foreign = np.where(_of_last_encoding(rhythm), -np.inf, rhythm.strength)
        best = int(np.argmax(foreign))
        score = float(foreign[best]) if np.isfinite(foreign[best]) else 0.0
        period = int(rhythm.period[best])
        shift, at = phase_shift(rhythm, period) if score >= LEAST_STRENGTH else (0.0, 0)
        return self.examined(
            score,
            gate=gate,
            evidence=_evidence(rhythm, score),
            features={
                "period_frames": float(period),
                "phase_shift": shift,
                "phase_shift_frame": float(at),
                "key_period_frames": float(rhythm.key_period),
                "inter_frames": float(table.packets - int(table.key.sum())),
            },
        )


def phase_shift(rhythm: EncodingRhythm, period: int) -> tuple[float, int]:
    """How much better two phases, before and after a place, explain the rhythm; and the place.

    In decades of NFA; large where a number of frames that is no multiple of the period
    was taken out or put in. (0, 0) where one phase explains it all.
    """
    excess = rhythm.excess
    tests = float(period * len(LARGE_SHARES))
    whole, _ = best_phase(excess, period, tests)
    best = (0.0, 0)
    for place in np.linspace(0, len(excess), SHIFT_STEPS + 2).astype(int)[1:-1]:
        parts = (excess[:place], excess[place:])
        if min(int(np.isfinite(part).sum()) for part in parts) < 2 * period:
            continue
        (left, left_phase), (right, right_phase) = (
            best_phase(part, period, tests * SHIFT_STEPS) for part in parts
        )
        if left_phase != (right_phase + place) % period and min(left, right) > 0.0:
            best = max(best, (left + right - whole, int(place)))
    return best


def _gate(known: int) -> Check:
    return Check(
        name=tr("inter frames away from key frames"),
        found=tr("{count}", count=known),
        needed=tr("{count}", count=FEWEST_INTER_FRAMES),
        passed=known >= FEWEST_INTER_FRAMES,
    )


def _of_last_encoding(rhythm: EncodingRhythm) -> np.ndarray:
    """Periods that the last encoder's own key frames or B frames would leave."""
    own = np.isin(rhythm.period, PYRAMID_PERIODS)
    if rhythm.key_period:
        own |= rhythm.period % rhythm.key_period == 0
        own |= rhythm.key_period % rhythm.period == 0
    return np.asarray(own)


def _evidence(rhythm: EncodingRhythm, score: float) -> list[Evidence]:
    return [
        Series(
            caption=tr("Strength of each rhythm; the best reaches {score:.1f}", score=score),
            x=tuple(rhythm.period.astype(float).tolist()),
            y=tuple(rhythm.strength.tolist()),
            x_label=tr("period in frames"),
            y_label=tr("-log10 of the number expected by chance"),
        )
    ]
