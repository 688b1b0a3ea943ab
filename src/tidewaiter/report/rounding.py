"""Round every number of a report, so that two processors give the same report."""

from __future__ import annotations

from typing import Any

from tidewaiter.vocabulary import Noun, Report

SIGNIFICANT_DIGITS = 6
"""Float32 measurements agree between processors to about seven digits; one is given away."""


def rounded(report: Report) -> Report:
    """The report with floats, also those inside sentences, at `SIGNIFICANT_DIGITS`.

    Rounding keeps order, so lower ≤ log10_lr ≤ upper still holds. A number that lies on
    a rounding edge may still differ by one unit of the sixth digit between processors.
    """
    return report.model_copy(update=_rounded_fields(report))


def _rounded_fields(noun: Noun) -> dict[str, Any]:
    return {name: _round(getattr(noun, name)) for name in type(noun).model_fields}


def _round(value: Any) -> Any:
    if isinstance(value, float):
        # Adding zero turns -0.0 into 0.0.
        return float(f"{value:.{SIGNIFICANT_DIGITS}g}") + 0.0
    if isinstance(value, Noun):
        return value.model_copy(update=_rounded_fields(value))
    if isinstance(value, tuple):
        return tuple(_round(item) for item in value)
    if isinstance(value, dict):
        return {key: _round(item) for key, item in value.items()}
    return value
