"""Fit calibrations to a site's own camera or scanner, from as few as 10 + 10 items.

With few items only the offset moves and the bound shrinks to what they support; with more
the curve is fitted anew. Nothing worse than what is shipped is installed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tidewaiter.opinion.calibration import Calibration
from tidewaiter.opinion.cues import Recipe, Terms
from tidewaiter.opinion.scores import ScoreTable
from tidewaiter.opinion.site_cues import SiteOutcome, calibrate_cue
from tidewaiter.opinion.site_fusing import refit_fusions


def calibrate_site(
    table: ScoreTable, known: Sequence[Calibration], terms: Mapping[str, Terms], recipe: Recipe
) -> tuple[SiteOutcome, ...]:
    """One outcome per detector of the table, in their order, then one per fusion touched.

    `known` are the shipped calibrations of the installed versions. `recipe.domain` names
    the site and `recipe.origin` must be "site". Each item counts for its source.
    """
    if recipe.origin != "site":
        raise ValueError(f"the recipe's origin is {recipe.origin}; site is needed")
    outcomes = [
        calibrate_cue(
            table.of(detector), shipped_of(known, terms[detector]), terms[detector], recipe
        )
        for detector in sorted({row.detector for row in table.rows} & terms.keys())
    ]
    return refit_fusions(table, known, outcomes, recipe)


def shipped_of(known: Sequence[Calibration], terms: Terms) -> Calibration | None:
    """The most modest shipped calibration of exactly this detector version."""
    fitting = [
        entry
        for entry in known
        if not entry.is_fusion
        and entry.origin == "shipped"
        and entry.members[0].detector == terms.detector
        and entry.members[0].version == terms.version
    ]
    return min(fitting, key=lambda e: (e.spoken_upper - e.spoken_lower, e.id), default=None)
