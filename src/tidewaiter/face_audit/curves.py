"""Curves of an audit: error rates over thresholds, and detection error trade-offs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from tidewaiter.evaluation.presentation_attacks import spoofability_curve
from tidewaiter.evaluation.verification import (
    deviates,
    false_match_rate,
    false_non_match_rate,
)
from tidewaiter.face_audit.detection import gate_scores
from tidewaiter.face_audit.observations import Seen
from tidewaiter.face_audit.results import Curve
from tidewaiter.face_audit.trials import Role

# Points of a curve; more are not seen on a page.
MOST_POINTS = 200
SPOOFABILITY_POINTS = 21

Scores = np.typing.NDArray[np.float64]


def sweep_curves(test: Sequence[Seen]) -> tuple[Curve, ...]:
    """Acceptance over the threshold: honest people refused, impostors and attacks accepted.

    One curve per species; none where the service hides its scores.
    """
    everything = _scores(test, lambda _: True)
    everything = everything[np.isfinite(everything)]
    if everything.size < 2:
        return ()
    grid = np.unique(np.quantile(everything, np.linspace(0, 1, MOST_POINTS)))
    mated = _scores(test, lambda s: s.trial.role is Role.MATED)
    curves = [("FNMR", mated, false_non_match_rate), ("FMR", _random(test), false_match_rate)]
    curves += [(name, scores, false_match_rate) for name, scores in _species(test)]
    return tuple(
        Curve(
            name=name,
            trials=int(scores.size),
            x=tuple(float(x) for x in grid),
            y=tuple(float(y) for y in share(scores, grid)),
        )
        for name, scores, share in curves
        if scores.size
    )


def det_curves(test: Sequence[Seen], *, gated: bool) -> tuple[Curve, ...]:
    """Trade-offs as normal deviates: FMR against FNMR, and per species APCER against BPCER.

    Rates are clipped to half an error of their trials, since none was seen to be zero. A
    picture on which the gate failed counts as rejected, as everywhere.
    """
    mated = _scores(test, lambda s: s.trial.role is Role.MATED)
    found = [_trade_off("recogniser", _random(test), mated)]
    if gated:
        genuine = -gate_scores([s for s in test if s.trial.role is Role.MATED])
        for name in sorted({s.trial.species for s in test if s.trial.species}):
            attacks = -gate_scores([s for s in test if s.trial.species == name])
            found.append(_trade_off(f"gate: {name}", attacks, genuine))
    return tuple(curve for curve in found if curve is not None)


def spoofability_curves(test: Sequence[Seen]) -> tuple[Curve, ...]:
    """EPSC: the least half of FAR_ω + FNMR, over the share ω of attacks among impostors.

    One curve per species, without the gate; none where the service hides its scores.
    """
    mated = _scores(test, lambda s: s.trial.role is Role.MATED)
    random = _random(test)
    if not mated.size or not random.size:
        return ()
    omegas = np.linspace(0, 1, SPOOFABILITY_POINTS)
    return tuple(
        Curve(
            name=name,
            trials=int(mated.size + random.size + scores.size),
            x=tuple(float(omega) for omega in omegas),
            y=tuple(float(e) for e in spoofability_curve(mated, random, scores, omegas)[:, 0]),
        )
        for name, scores in _species(test)
        if scores.size
    )


def _trade_off(name: str, bad: Scores, good: Scores) -> Curve | None:
    """Share of `bad` passing against share of `good` refused, over every threshold."""
    if not bad.size or not good.size:
        return None
    levels = np.unique(np.concatenate([bad, good]))
    levels = levels[np.isfinite(levels)]
    if not levels.size:
        return None
    picks = np.unique(np.linspace(0, levels.size - 1, MOST_POINTS).astype(int))
    grid = levels[picks]
    passing = deviates(false_match_rate(bad, grid), bad.size)
    refused = deviates(false_non_match_rate(good, grid), good.size)
    return Curve(
        name=name,
        trials=int(bad.size + good.size),
        x=tuple(float(x) for x in passing),
        y=tuple(float(y) for y in refused),
    )


def _species(test: Sequence[Seen]) -> list[tuple[str, Scores]]:
    names = dict.fromkeys(s.trial.species for s in test if s.trial.role is Role.ATTACK)
    return [
        (name, _scores(test, lambda s, n=name: s.trial.species == n and s.trial.headline))  # type: ignore[misc]
        for name in names
    ]


def _random(test: Sequence[Seen]) -> Scores:
    return _scores(test, lambda s: s.trial.role is Role.ZERO_EFFORT)


def _scores(test: Sequence[Seen], chosen: Callable[[Seen], bool]) -> Scores:
    found = [s.score for s in test if s.compared and s.score is not None and chosen(s)]
    return np.array(found, dtype=np.float64)
