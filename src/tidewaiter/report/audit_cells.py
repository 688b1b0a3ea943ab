"""How an audit's report writes a rate: counts and interval, and no "0 %" without its upper end."""

from __future__ import annotations

import math

from tidewaiter.evaluation.intervals import clopper_pearson
from tidewaiter.face_audit.results import Ends, Rate

NOTHING = "–"


def rate_said(rate: Rate | None) -> str:
    """Events of trials = rate [interval], with the marks that the page explains."""
    if rate is None:
        return NOTHING
    marks = ("†" if rate.fewer_than_30 else "") + ("" if rate.headline else "‡")
    said = f"{rate.events}/{rate.trials} = {_figure(rate.value)} %"
    return f"{said} {ends_said(rate.clustered)}{marks}"


def ends_said(ends: Ends) -> str:
    """An interval in percent."""
    return f"[{_figure(ends.lower)}–{_figure(ends.upper)}]"


def percent_said(share: float | None, upper: float | None = None) -> str:
    """A figure that follows from others; where it is nothing, with the upper end it may have."""
    if share is None:
        return NOTHING
    said = f"{_figure(share)} %"
    return said if share or upper is None else f"{said} (≤ {_figure(upper)})"


def upper_ends(one: Rate | None, other: Rate | None) -> float | None:
    """The most that the sum of two rates may be by their intervals."""
    return one.clustered.upper + other.clustered.upper if one and other else None


def upper_of_none(people: int) -> float | None:
    """The upper end of a rate of which none was seen, one trial counted per person."""
    return clopper_pearson(0, people).upper if people else None


def _figure(share: float) -> str:
    """In percent, with as many digits as keep a small rate from being rounded to nothing."""
    size = abs(100 * share)
    digits = 1 - math.floor(math.log10(size)) if 0 < size < 1 else 1
    return f"{100 * share:.{digits}f}".replace("-", "\N{MINUS SIGN}")
