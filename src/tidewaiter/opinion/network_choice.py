"""Whether a network fitted to a site may take the place of the one in use there.

Both scored the same items, whose sources neither fit has seen. The answer rests on
forgeries of families that the fit was never shown, and on genuine items.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from tidewaiter.evaluation.intervals import Interval, clopper_pearson, percentile_interval
from tidewaiter.evaluation.rates import auc, tpr_at_fpr
from tidewaiter.evaluation.sources import BoolArray, FloatArray, codes, draw_sources
from tidewaiter.opinion.scores import AS_ISSUED, MANIPULATED, ScoreRow, ScoreTable
from tidewaiter.vocabulary import Text, tr

DRAWS = 1000
LEVEL = 0.95
# A point estimate of the area may be lower by so much, for no reason but chance.
TOLERATED_AUC_LOSS = 0.005
# No plausible loss, at the lower end of the interval over sources, may be larger.
LARGEST_AUC_LOSS = 0.03
# What the shipped network is held to on the worst group of genuine faces as well. Of items
# at a likelihood ratio of 10 and more, about one in a hundred is genuine by its very meaning.
TOLERATED_FALSE_SUPPORT = 0.02
# Its lower end errs in one of twenty cases.
ONE_SIDED_LEVEL = 0.9
FALSE_POSITIVE_RATE = 0.01
AS_RECEIVED = "as_received"


@dataclass(frozen=True)
class Comparison:
    """Two networks on one kind of forgery: areas, detection at 1 % false alarms, the gain.

    All intervals are over sources; `gain` is the difference of the areas, paired by item.
    """

    forgery: str
    genuine_items: int
    forged_items: int
    sources: int
    auc_before: Interval
    auc_after: Interval
    gain: Interval
    found_before: Interval
    found_after: Interval

    @property
    def is_worse(self) -> bool:
        """Whether the fitted network lost more here than chance explains or may hide."""
        return self.gain.value < -TOLERATED_AUC_LOSS or self.gain.lower < -LARGEST_AUC_LOSS


@dataclass(frozen=True)
class FalseSupport:
    """Share of held-out genuine items for which support for manipulation was spoken."""

    before: float
    after: float
    items: int
    sources: int

    @property
    def is_worse(self) -> bool:
        """Whether the fitted network misjudges more, and more than tolerated, beyond chance.

        A network that may speak for the first time cannot keep to no error at all: the items
        count as so many sources, and the lower end of the rate's interval decides.
        """
        most = max(self.before, TOLERATED_FALSE_SUPPORT)
        if self.after <= most:
            return False
        least = clopper_pearson(self.after * self.sources, self.sources, ONE_SIDED_LEVEL).lower
        return least > most


@dataclass(frozen=True)
class Choice:
    """The decision, in one sentence, and what it rests on."""

    sentence: Text
    comparisons: tuple[Comparison, ...]
    false_support: FalseSupport
    accepted: bool


def compare(
    table: ScoreTable,
    versions: tuple[str, str],
    forgeries: Sequence[str],
    rng: np.random.Generator,
) -> Comparison:
    """Two versions of one detector on items both could examine, some `forgeries` (species).

    `versions` are the one in use and the fitted one. Items as received are left out: only
    re-shipped ones exist in both classes alike.
    """
    before, after = (_scores(table, version, forgeries) for version in versions)
    both = sorted(before.keys() & after.keys())
    rows = [before[key] for key in both]
    labels = np.array([row.label == MANIPULATED for row in rows], dtype=np.bool_)
    sources = codes([row.source for row in rows])
    scores = [np.array([_given(found[key]) for key in both]) for found in (before, after)]
    draws = draw_sources(labels, sources, DRAWS, rng)[:, sources].astype(np.float64)
    areas = _drawn(auc, scores, labels, draws)
    found = _drawn(_found, scores, labels, draws)
    return Comparison(
        forgery=" + ".join(forgeries),
        genuine_items=int((~labels).sum()),
        forged_items=int(labels.sum()),
        sources=int(np.unique(sources).size),
        auc_before=_interval(areas[0]),
        auc_after=_interval(areas[1]),
        gain=_interval(areas[1] - areas[0]),
        found_before=_interval(found[0]),
        found_after=_interval(found[1]),
    )


def choose(comparisons: Sequence[Comparison], false_support: FalseSupport) -> Choice:
    """Accept where nothing is worse and something is better; the first comparison leads."""
    worse = [entry for entry in comparisons if entry.is_worse]
    first = worse[0] if worse else comparisons[0]
    values: dict[str, str | int | float] = {
        "forgery": first.forgery,
        "before": first.auc_before.value,
        "after": first.auc_after.value,
        "low": first.gain.lower,
        "high": first.gain.upper,
        "support_before": 100 * false_support.before,
        "support_after": 100 * false_support.after,
        "genuine": false_support.items,
    }
    if worse:
        sentence = tr(
            "refused: on held-out forgeries ({forgery}) the area under the curve went from "
            "{before:.3f} to {after:.3f} (change {low:+.3f} to {high:+.3f})",
            **values,
        )
    elif false_support.is_worse:
        sentence = tr(
            "refused: false support for manipulation among {genuine} held-out genuine items rose "
            "from {support_before:.1f} % to {support_after:.1f} %",
            **values,
        )
    elif not _gains(comparisons, false_support):
        sentence = tr(
            "refused: it gains nothing on held-out forgeries ({forgery}: {before:.3f} before, "
            "{after:.3f} after) and misjudges no fewer genuine items ({support_after:.1f} % of "
            "{genuine})",
            **values,
        )
    else:
        sentence = tr(
            "accepted: on held-out forgeries ({forgery}) the area under the curve went from "
            "{before:.3f} to {after:.3f} (change {low:+.3f} to {high:+.3f}); false support among "
            "{genuine} held-out genuine items from {support_before:.1f} % to {support_after:.1f} %",
            **values,
        )
        return Choice(sentence, tuple(comparisons), false_support, accepted=True)
    return Choice(sentence, tuple(comparisons), false_support, accepted=False)


def _gains(comparisons: Sequence[Comparison], false_support: FalseSupport) -> bool:
    return any(entry.gain.value > 0 for entry in comparisons) or (
        false_support.after < false_support.before
    )


def _scores(
    table: ScoreTable, version: str, forgeries: Sequence[str]
) -> dict[tuple[str, str], ScoreRow]:
    return {
        (row.item, row.shipping): row
        for row in table.rows
        if row.version == version
        and row.score is not None
        and row.shipping != AS_RECEIVED
        and (row.label == AS_ISSUED or row.species in forgeries)
    }


def _given(row: ScoreRow) -> float:
    return float("nan") if row.score is None else row.score


def _found(scores: FloatArray, labels: BoolArray, weights: FloatArray) -> float:
    return tpr_at_fpr(scores, labels, FALSE_POSITIVE_RATE, weights)


def _drawn(
    statistic: Callable[[FloatArray, BoolArray, FloatArray], float],
    scores: Sequence[FloatArray],
    labels: BoolArray,
    draws: FloatArray,
) -> list[FloatArray]:
    """For each network the statistic of all items, then that of every draw."""
    ones = np.ones((1, labels.size))
    weights = np.concatenate([ones, draws])
    return [np.array([statistic(own, labels, row) for row in weights]) for own in scores]


def _interval(values: FloatArray) -> Interval:
    return percentile_interval(float(values[0]), values[1:], LEVEL)
