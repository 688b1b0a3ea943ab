"""Draw the log of a training: loss and validation over the pairs seen.

    python recipes/training_log.py DIR/log.csv

writes log.svg beside it, one plot above the other.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

from tidewaiter.report.svg import Line, rates_svg
from tidewaiter.vocabulary import tr

WIDTH, HEIGHT = 640, 300
STYLE = (
    "text{font:12px sans-serif;fill:#222}.curve{fill:none;stroke:#005a9c;stroke-width:1.5}"
    ".dashed{stroke:#a33;stroke-dasharray:5 3}.axis,line{stroke:#888;fill:none}"
)
NOT_FIGURES = frozenset({"pairs", "rate"})


def draw(log: Path) -> Path:
    """Write log.svg beside a log.csv; where it lies."""
    with log.open(newline="", encoding="utf-8") as lines:
        rows = list(csv.DictReader(lines))
    names = [name for name in rows[0] if name not in NOT_FIGURES]
    plots = [_plot(rows, name, place) for place, name in enumerate(names)]
    whole = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT * len(plots)}">'
        f"<style>{STYLE}</style>{''.join(plots)}</svg>\n"
    )
    drawn = log.with_suffix(".svg")
    drawn.write_text(whole, encoding="utf-8")
    return drawn


def _plot(rows: Sequence[dict[str, str]], name: str, place: int) -> str:
    points = tuple((float(row["pairs"]), float(row[name])) for row in rows)
    # The same name for every figure: labels are templates, never data.
    label = tr("{name}", name=name)
    plot = rates_svg(label, [Line(label, points)], (tr("pairs"), label), str, f"log{place}")
    size = f'<svg x="0" y="{HEIGHT * place}" width="{WIDTH}" height="{HEIGHT}" '
    return size + str(plot).removeprefix("<svg ")


if __name__ == "__main__":
    print(draw(Path(sys.argv[1])))
