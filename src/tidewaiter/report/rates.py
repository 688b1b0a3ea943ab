"""How well the calibrations behind a report did on sources they had not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tidewaiter.opinion.plots import ece_plot
from tidewaiter.report.svg import Line
from tidewaiter.report.words import likelihood_ratio
from tidewaiter.vocabulary import Text, tr

Summary = Mapping[str, Any]
"""A calibration as plain data, in the shape in which `Calibration` serialises; `id` must be
there, everything else may be missing."""

ESTIMATES = {
    "cllr": tr("Cllr (0 is perfect, 1 says nothing)"),
    "cllr_min": tr("Cllr_min (what is left if the scale were perfect)"),
    "auc": tr("AUC (share of pairs put in the right order)"),
    "tpr_at_1_percent_fpr": tr("Manipulated items found at 1 % false alarms"),
    "misleading_as_issued": tr("Genuine items with a ratio above 1 (misleading)"),
    "misleading_manipulated": tr("Manipulated items with a ratio below 1 (misleading)"),
    "false_support": tr("Genuine items that would get “supports manipulated”"),
    "found": tr("Manipulated items that would get “supports manipulated”"),
}
SHARES = {
    "tpr_at_1_percent_fpr",
    "misleading_as_issued",
    "misleading_manipulated",
    "false_support",
    "found",
}


def rate_rows(summary: Summary) -> Iterator[tuple[Text, Text]]:
    """Name and value of every known measure, with its interval; rates never without one."""
    if summary.get("domain"):
        yield tr("Domain"), tr("{domain}", domain=str(summary["domain"]))
    for key, name in (
        ("as_issued", tr("Genuine material")),
        ("manipulated", tr("Manipulated material")),
    ):
        count = summary.get(key)
        if count:
            yield name, _material(count)
    bounds = summary.get("bounds")
    if bounds:
        yield tr("Likelihood ratios it can support"), _bounds(bounds)
    measures = summary.get("measures") or {}
    for key, name in ESTIMATES.items():
        if measures.get(key):
            yield name, _estimate(measures[key], as_share=key in SHARES)


def tippett_lines(summary: Summary) -> tuple[Line, ...]:
    """Share of held-out items with log10 LR ≥ x, per proposition; empty without both."""
    issued = summary.get("held_out_as_issued") or ()
    manipulated = summary.get("held_out_manipulated") or ()
    if not issued or not manipulated:
        return ()
    low, high = min(*issued, *manipulated), max(*issued, *manipulated)
    return (
        Line(tr("manipulated items"), _exceeding(manipulated, low, high)),
        Line(tr("genuine items"), _exceeding(issued, low, high), dashed=True),
    )


def ece_lines(summary: Summary) -> tuple[Line, ...]:
    """Cost of the held-out likelihood ratios over prior odds, beside that of saying nothing."""
    issued = summary.get("held_out_as_issued") or ()
    manipulated = summary.get("held_out_manipulated") or ()
    if not issued or not manipulated:
        return ()
    plot = ece_plot(manipulated, issued)
    at = plot.log10_prior_odds.tolist()
    return (
        Line(tr("with these likelihood ratios"), tuple(zip(at, plot.given.tolist(), strict=True))),
        Line(tr("saying nothing"), tuple(zip(at, plot.silent.tolist(), strict=True)), dashed=True),
    )


def _material(count: Mapping[str, int]) -> Text:
    return tr(
        "{items} items from {sources} independent sources",
        items=count["items"],
        sources=count["sources"],
    )


def _bounds(bounds: Mapping[str, float]) -> Text:
    return tr(
        "{lower} to {upper}",
        lower=likelihood_ratio(bounds["lower"]),
        upper=likelihood_ratio(bounds["upper"]),
    )


def _estimate(estimate: Mapping[str, float], *, as_share: bool) -> Text:
    value, lower, upper = (estimate[key] for key in ("value", "lower", "upper"))
    if as_share:
        return tr(
            "{value:.1f} % (95 % interval {lower:.1f} to {upper:.1f} %)",
            value=100 * value,
            lower=100 * lower,
            upper=100 * upper,
        )
    return tr(
        "{value:.3f} (95 % interval {lower:.3f} to {upper:.3f})",
        value=value,
        lower=lower,
        upper=upper,
    )


def _exceeding(values: Sequence[float], low: float, high: float) -> tuple[tuple[float, float], ...]:
    """The stairs of the share of `values` that reach x, from `low` to `high`."""
    stairs = [(low, 1.0)]
    ordered = sorted(values)
    for index, value in enumerate(ordered):
        stairs.append((value, 1.0 - index / len(ordered)))
        stairs.append((value, 1.0 - (index + 1) / len(ordered)))
    return (*stairs, (high, stairs[-1][1]))
