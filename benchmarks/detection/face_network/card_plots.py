"""Tippett and reliability plots of a calibration as SVG files of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from tidewaiter.evaluation.cllr import pav
from tidewaiter.report.rates import ece_lines, tippett_lines
from tidewaiter.report.svg import Line, rates_svg
from tidewaiter.vocabulary import tr

# The page's colours and dashes, as the report's style sheet has them.
STYLE = (
    "<style>.plot{font:12px sans-serif;background:#fff;color:#111}"
    ".axis{fill:none;stroke:#888;stroke-width:1}"
    ".curve{fill:none;stroke:currentColor;stroke-width:1.5}.dashed{stroke-dasharray:5 4}"
    "text{fill:#111}.m{text-anchor:middle}.e{text-anchor:end}</style>"
    '<rect x="0" y="-40" width="400" height="320" fill="#fff"/>'
)
# PAV gives infinite values at its ends; a plot stops here.
LARGEST_SHOWN = 4.0


def plots(calibration: Mapping[str, Any]) -> dict[str, str]:
    """The plots of held-out likelihood ratios of one calibration file, by kind."""
    scale = tr("log10 likelihood ratio")
    share = tr("share of items with at least this likelihood ratio")
    found = {
        "tippett": rates_svg(
            tr("Tippett plot"), tippett_lines(calibration), (scale, share), str, "tippett"
        ),
        "reliability": rates_svg(
            tr("Reliability"),
            reliability_lines(calibration),
            (scale, tr("log10 likelihood ratio that the held-out items bear out (PAV)")),
            str,
            "reliability",
        ),
        "cost": rates_svg(
            tr("Cost over prior odds"),
            ece_lines(calibration),
            (tr("log10 prior odds"), tr("cross-entropy in bits")),
            str,
            "cost",
        ),
    }
    return {name: _alone(str(drawing)) for name, drawing in found.items()}


def reliability_lines(calibration: Mapping[str, Any]) -> tuple[Line, ...]:
    """What held-out items bear out at every stated ratio, beside the diagonal."""
    manipulated = list(calibration["held_out_manipulated"])
    values = np.array([*manipulated, *calibration["held_out_as_issued"]], np.float64)
    labels = np.arange(values.size) < len(manipulated)
    borne = np.clip(pav(values, labels), -LARGEST_SHOWN, LARGEST_SHOWN)
    order = np.argsort(values, kind="stable")
    ends = (float(values.min()), float(values.max()))
    return (
        Line(
            tr("borne out"),
            tuple(zip(values[order].tolist(), borne[order].tolist(), strict=True)),
        ),
        Line(tr("as stated"), tuple((end, end) for end in ends), dashed=True),
    )


def _alone(drawing: str) -> str:
    """An inline drawing as a file: name space and style added."""
    head, _, rest = drawing.partition(">")
    return f'{head} xmlns="http://www.w3.org/2000/svg">{STYLE}{rest}\n'
