"""Write the tables of docs/explanation/attacks.md from the results.

    python benchmarks/detection/attacks/page.py

tests/attacks compares the page with what this writes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "explanation" / "attacks.md"
NONE = "–"

Figures = dict[str, Any]


def page(text: str) -> str:
    """The page with both tables replaced by those of the results."""
    network = _result("network") | _result("laundering")
    forged = [basis(_result("basis")), "", *forged_table(network, _result("opinion"))]
    text = _with_table(text, "forged", forged)
    return _with_table(text, "genuine", genuine_table(_result("genuine")))


def basis(found: Figures) -> str:
    """What the figures rest on, in a sentence or two."""
    kinds = ", ".join(f"{count} {kind}" for kind, count in found["forgeries"].items())
    untouched = ", ".join(
        f"{kind} {_share(detected)}" for kind, detected in found["detected, not attacked"].items()
    )
    return (
        f"Threshold from {found['levels']['genuine']:.0f} held-out genuine faces. Of held-out "
        f"forgeries that were not attacked the network detects: {untouched}. Attacked were the "
        f"first of those detected ({kinds}), one of each original or person; by dearer means "
        f"fewer, as the intervals show. At most {found['queries at most']} queries. In brackets "
        "95 % intervals (Clopper–Pearson)."
    )


def forged_table(network: Figures, opinion: Figures) -> list[str]:
    """One row of each attack on forgeries."""
    head = (
        "attack",
        "missed by the network",
        "because it declined",
        "score beyond any not attacked",
        "examination: face manipulated",
        "any manipulation",
        "not as issued",
    )
    rows = [
        (
            cell,
            _share(found["missed"]),
            _share(found["declined"]),
            _share(found["beyond"]),
            _share(opinion.get(cell, {}).get("face")),
            _share(opinion.get(cell, {}).get("any")),
            _share(opinion.get(cell, {}).get("not as issued")),
        )
        for cell, found in network.items()
    ]
    return _table(head, rows)


def genuine_table(genuine: Figures) -> list[str]:
    """One row of each attack on genuine faces."""
    head = (
        "attack",
        "above the threshold",
        "declined",
        "score beyond any not attacked",
        "examination: face manipulated",
        "any manipulation",
    )
    rows = [
        (
            cell,
            _share(figures["above threshold"]),
            _share(figures["declined"]),
            _share(figures["beyond"]),
            _share(genuine["opinion"].get(cell, {}).get("face")),
            _share(genuine["opinion"].get(cell, {}).get("any")),
        )
        for cell, figures in genuine["network"].items()
    ]
    return _table(head, rows)


def main() -> None:
    """Write the tables into the page."""
    PAGE.write_text(page(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    return [
        f"| {' | '.join(head)} |",
        "|" + "---|" * len(head),
        *(f"| {' | '.join(row)} |" for row in rows),
    ]


def _share(found: Figures | None) -> str:
    if not found or "value" not in found:
        return NONE
    value, lower, upper = (100 * found[name] for name in ("value", "lower", "upper"))
    return f"{value:.0f} % ({lower:.0f} to {upper:.0f})"


def _with_table(text: str, name: str, lines: Sequence[str]) -> str:
    pattern = rf"(<!-- attacks: {name} -->\n).*?(<!-- attacks: end -->)"
    table = "\n".join(lines)
    return re.sub(pattern, lambda m: f"{m[1]}{table}\n{m[2]}", text, flags=re.DOTALL)


def _result(name: str) -> Figures:
    file = HERE / "results" / f"{name}.json"
    result: Figures = json.loads(file.read_text(encoding="utf-8"))
    return result


if __name__ == "__main__":
    main()
