"""Judge a gate's network on people and attacks that its fit has not seen."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tidewaiter.errors import InputError
from tidewaiter.evaluation.clustered import clustered_clopper_pearson, tally
from tidewaiter.evaluation.intervals import Interval
from tidewaiter.face_audit.gate import fitted_cut
from tidewaiter.opinion.network_choice import Comparison, compare
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED, ScoreRow, ScoreTable
from tidewaiter.vocabulary import Status, Text, tr
from tidewaiter.weights.own import GATE

IN_USE, FITTED = "in use", "fitted"
CUT_BPCER = 0.05
"""Share of genuine pictures that the tried cuts may turn away."""
SEED = 4_711


@dataclass(frozen=True)
class Shown:
    """A picture of the trial: whose, of which attacks ("" for genuine), both scores.

    `family` is a family of attacks, or a species that was left out singly.
    """

    item: str
    source: str
    family: str
    scores: tuple[float, float]
    """Of the network in use and of the fitted one."""


@dataclass(frozen=True)
class Passing:
    """Share of such attacks that pass a cut fitted at CUT_BPCER on other people."""

    family: str
    is_held_out: bool
    attacks: int
    before: Interval
    after: Interval


@dataclass(frozen=True)
class GateDecision:
    """What was decided, in one sentence, and what it rests on."""

    sentence: Text
    accepted: bool
    passing: tuple[Passing, ...]
    comparisons: tuple[Comparison, ...]
    """Areas under the curve: of all learned families, then of each learned and held out."""

    bpcer: Interval
    """Share of genuine pictures that the fitted network's cuts turned away."""

    genuine: int
    people: int


def decide_gate(shown: Sequence[Shown], left_out: Sequence[str]) -> GateDecision:
    """Compare the network in use with the fitted one; raises InputError without both kinds.

    Accepted where the learned attacks are told better, and none of them worse, beyond chance.
    Attacks left out are reported and decide nothing: the network in use may know them.
    """
    families = sorted({one.family for one in shown} - {""})
    learned = [family for family in families if family not in left_out]
    if not learned or all(one.family for one in shown):
        raise InputError(
            "no genuine and attacked held-out pictures could be shown to both networks; pictures "
            "with faces at least 64 pixels long, sharp and turned to the camera are needed"
        )
    table = ScoreTable(tuple(_rows(shown)))
    groups = [tuple(learned), *((family,) for family in families)]
    comparisons = tuple(
        compare(table, (IN_USE, FITTED), group, np.random.default_rng([SEED, number]))
        for number, group in enumerate(groups)
    )
    passed = [_passed(shown, network) for network in (0, 1)]
    passing = tuple(
        Passing(
            family,
            family in left_out,
            sum(one.family == family for one in shown),
            *(_share(shown, through, family) for through in passed),
        )
        for family in families
    )
    refused = _share(shown, ~passed[1], "")
    sentence, accepted = _judged(comparisons[0], comparisons[1:], passing, refused, left_out)
    genuine = [one for one in shown if not one.family]
    people = len({one.source for one in genuine})
    return GateDecision(sentence, accepted, passing, comparisons, refused, len(genuine), people)


def _judged(
    first: Comparison,
    single: Iterable[Comparison],
    passing: Sequence[Passing],
    refused: Interval,
    left_out: Sequence[str],
) -> tuple[Text, bool]:
    worst = max((one for one in passing if not one.is_held_out), key=lambda one: one.after.value)
    values: dict[str, str | int | float] = {
        "family": worst.family,
        "before": 100 * worst.before.value,
        "after": 100 * worst.after.value,
        "low": 100 * worst.after.lower,
        "high": 100 * worst.after.upper,
        "refused": 100 * refused.value,
    }
    lost = [one for one in single if one.gain.upper < 0 and one.forgery not in left_out]
    if lost:
        return tr(
            "refused: it tells {forgery} worse than the network in use (area under the curve "
            "{before:.3f}, then {after:.3f})",
            forgery=lost[0].forgery,
            before=lost[0].auc_before.value,
            after=lost[0].auc_after.value,
        ), False
    if first.gain.lower <= 0:
        return tr(
            "refused: it tells attacks no better than the network in use (area under the curve "
            "{before:.3f}, then {after:.3f}, change {low:+.3f} to {high:+.3f})",
            before=first.auc_before.value,
            after=first.auc_after.value,
            low=first.gain.lower,
            high=first.gain.upper,
        ), False
    return tr(
        "accepted: at a cut that turns away {refused:.1f} % of genuine pictures, of the learned "
        "attacks {family} passes most often: {after:.1f} % ({low:.1f} to {high:.1f}); through the "
        "network in use {before:.1f} %",
        **values,
    ), True


def _passed(shown: Sequence[Shown], network: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Which pictures pass the cut that the other half of the people fitted."""
    passed = np.zeros(len(shown), np.bool_)
    half = np.array([_half(one.source) for one in shown])
    for side in (0, 1):
        genuine = [
            one.scores[network]
            for one, own in zip(shown, half, strict=True)
            if own != side and not one.family
        ]
        if not genuine:
            raise InputError(
                "too few people are held out to fit a cut on some and to try it on others; add "
                "pictures of more people"
            )
        cut = fitted_cut(genuine, CUT_BPCER)
        for number, one in enumerate(shown):
            if half[number] == side:
                passed[number] = not cut.rejects(one.scores[network])
    return passed


def _half(source: str) -> int:
    return hashlib.sha256(f"half/{source}".encode()).digest()[0] % 2


def _share(
    shown: Sequence[Shown], flags: np.ndarray[tuple[int], np.dtype[np.bool_]], family: str
) -> Interval:
    """Share of a family's pictures with the flag; its interval is over people."""
    own = np.array([one.family == family for one in shown])
    sources = [one.source for one in shown if one.family == family]
    return clustered_clopper_pearson(tally(flags[own], sources))


def _rows(shown: Iterable[Shown]) -> Iterable[ScoreRow]:
    for one in shown:
        for network, score in zip((IN_USE, FITTED), one.scores, strict=True):
            yield ScoreRow(
                detector=GATE,
                version=network,
                item=one.item,
                source=one.source,
                label=MANIPULATED if one.family else AS_ISSUED,
                species=one.family,
                shipping="saved",
                status=Status.EXAMINED,
                score=score,
            )


def shown_of(rows: Iterable[Mapping[str, Any]]) -> list[Shown]:
    """What workers said, as pictures of the trial."""
    return [
        Shown(row["item"], row["source"], row["family"], (row["scores"][0], row["scores"][1]))
        for row in rows
    ]
