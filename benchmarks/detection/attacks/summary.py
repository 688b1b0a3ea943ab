"""From rows to figures: rates with exact intervals, one source one trial."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from tidewaiter.evaluation.intervals import clopper_pearson
from tidewaiter.vocabulary import Verdict

Row = dict[str, Any]
Levels = dict[str, float]

MANIPULATED, AS_ISSUED = Verdict.SUPPORTS_MANIPULATED.value, Verdict.SUPPORTS_AS_ISSUED.value
# Means that need the network's weights, and those that need none of ours.
WHITE_BOX = ("gradient", "transforms", "aimed")
BLACK_BOX = ("queries", "transfer")
LAUNDERING = "laundering"
HALF_THE_COPIES = 0.5


def summarise(
    looked: Sequence[Row],
    attacked: Sequence[Row],
    examined: Sequence[Row],
    levels: Levels,
    *,
    most_queries: int,
) -> dict[str, dict[str, Any]]:
    """Results by file name: the network alone, the fused opinion, and genuine faces.

    `looked` are the scores of untouched faces, of which some were attacked.
    """
    forged, genuine = _parted(attacked)
    forged_told, genuine_told = _parted(examined)
    basis = {
        "levels": {name: round(value, 3) for name, value in levels.items()},
        "detected, not attacked": _detected_by_kind(looked, levels["threshold"]),
        "forgeries": dict(Counter(row["kind"] for row in _controls(forged))),
        "genuine": dict(Counter(row["kind"] for row in _controls(genuine))),
        "queries at most": most_queries,
    }
    return {
        "basis": basis,
        "network": _network(forged, levels, laundered=False),
        "laundering": _network(forged, levels, laundered=True),
        "opinion": {"worst": _worst(forged_told), **_by_cell(forged_told, _opinion)},
        "genuine": {
            "network": _by_cell(genuine, partial(_raised, levels)),
            "opinion": _by_cell(genuine_told, _misjudged),
        },
        "stability": {"forged": _outliving(forged_told), "genuine": _outliving(genuine_told)},
    }


def _detected_by_kind(looked: Sequence[Row], threshold: float) -> dict[str, Any]:
    forged, _ = _parted(looked)
    return {
        kind: rate(_detected(row, threshold) for row in forged if row["kind"] == kind)
        for kind in sorted({row["kind"] for row in forged})
    }


def _network(forged: Sequence[Row], levels: Levels, *, laundered: bool) -> dict[str, Any]:
    """`missed` is the success of an attack: every forgery was detected before it."""

    def figures(rows: Sequence[Row]) -> dict[str, Any]:
        queries = [row["queries"] for row in rows if row["queries"]]
        return {
            "missed": rate(not _detected(row, levels["threshold"]) for row in rows),
            "beyond": rate(_is_beyond(row, levels) for row in rows),
            "declined": _declined(rows),
            **({"queries, median": float(np.median(queries))} if queries else {}),
        }

    return _by_cell([r for r in forged if (r["means"] == LAUNDERING) is laundered], figures)


def _opinion(rows: Sequence[Row]) -> dict[str, Any]:
    """`face` is the opinion about faces; `any` is whether any opinion supports manipulation."""
    return {
        "face": rate(row["face"] == MANIPULATED for row in rows),
        "any": rate(row["strongest"] == MANIPULATED for row in rows),
        "not as issued": rate(row["strongest"] != AS_ISSUED for row in rows),
    }


def _raised(levels: Levels, rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "above threshold": rate(_detected(row, levels["threshold"]) for row in rows),
        "beyond": rate(_is_beyond(row, levels) for row in rows),
        "declined": _declined(rows),
    }


def _misjudged(rows: Sequence[Row]) -> dict[str, Any]:
    return {
        "face": rate(row["face"] == MANIPULATED for row in rows),
        "any": rate(row["strongest"] == MANIPULATED for row in rows),
    }


def _outliving(rows: Sequence[Row]) -> dict[str, Any]:
    """Of the files said to show a manipulated face: whose support outlives half the copies."""
    said = [row for row in rows if row["face"] == MANIPULATED and row["survived"] is not None]
    return {
        cell: rate(row["survived"] >= HALF_THE_COPIES for row in found)
        for cell, found in _grouped(said).items()
    }


def _worst(forged: Sequence[Row]) -> dict[str, Any]:
    """The worst attack of each access: the share of forgeries not said to be as issued."""
    worst = {}
    for name, means in (("white-box", WHITE_BOX), ("black-box", BLACK_BOX)):
        cells = _grouped([row for row in forged if row["means"] in means])
        rates = [rate(r["strongest"] != AS_ISSUED for r in rows) for rows in cells.values()]
        if rates:
            worst[name] = min(rates, key=lambda found: (found["value"], found["lower"]))
    return worst


def _parted(rows: Sequence[Row]) -> tuple[list[Row], list[Row]]:
    return [r for r in rows if r["forged"]], [r for r in rows if not r["forged"]]


def _by_cell(
    rows: Sequence[Row], figures: Callable[[Sequence[Row]], dict[str, Any]]
) -> dict[str, Any]:
    return {cell: figures(found) for cell, found in _grouped(rows).items()}


def _grouped(rows: Sequence[Row]) -> dict[str, list[Row]]:
    cells: dict[str, list[Row]] = {}
    for row in rows:
        cells.setdefault(row["cell"], []).append(row)
    return cells


def _controls(rows: Sequence[Row]) -> list[Row]:
    """One row of each item: the one saved without loss and not attacked."""
    return [row for row in rows if row["cell"] == "saved again"]


def _detected(row: Row, threshold: float) -> bool:
    return row["score"] is not None and row["score"] > threshold


def _is_beyond(row: Row, levels: Levels) -> bool:
    """Whether the score is more extreme than that of any face that was not attacked."""
    score = row["score"]
    return score is not None and not levels["lowest"] <= score <= levels["highest"]


def _declined(rows: Sequence[Row]) -> dict[str, Any]:
    """The share of faces that the detector would not speak about after the attack."""
    return rate(row["score"] is None for row in rows)


def rate(events: Any) -> dict[str, Any]:
    """A share with its exact 95 % interval and the number it is of."""
    happened = [bool(event) for event in events]
    if not happened:
        return {"of": 0}
    found = clopper_pearson(sum(happened), len(happened))
    return {
        "value": round(found.value, 4),
        "lower": round(found.lower, 4),
        "upper": round(found.upper, 4),
        "of": len(happened),
    }
