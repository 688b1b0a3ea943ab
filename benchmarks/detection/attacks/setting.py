"""One run of the benchmark: where it lies, which faces it attacks, and what it has done so far."""

from __future__ import annotations

import json
import tomllib
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.detection.attacks.cells import Cell, all_cells
from benchmarks.detection.attacks.gradients import Goal
from benchmarks.detection.attacks.items import Item, forged_items, genuine_items
from tidewaiter.casework.plan import Plan
from tidewaiter.weights.own import NETWORK_FILE, shipped_network

HERE = Path(__file__).parent
PROTOCOL = tomllib.loads((HERE / "protocol.toml").read_text(encoding="utf-8"))
Row = dict[str, Any]


@dataclass(frozen=True)
class Setting:
    """Where things lie in one run."""

    work: Path
    shared_data: Path
    face_network: Path | None
    other_network: Path | None
    share: float

    @property
    def plan(self) -> Plan:
        """How files are examined: as anybody would, the stability battery included."""
        return Plan(face_network=self.face_network)

    @property
    def network(self) -> Path:
        """The network under attack."""
        if self.face_network is not None:
            return self.face_network / NETWORK_FILE
        return shipped_network().path

    def count(self, name: str) -> int:
        """A number of items of the protocol, or the share of it that this run takes."""
        return max(2, round(self.share * int(PROTOCOL["items"][name])))


@cache
def candidates(setting: Setting) -> tuple[Item, ...]:
    """Every item whose score is looked at."""
    data, seed = setting.shared_data, PROTOCOL["seed"]
    return (
        *forged_items(data, setting.count("forged_for_levels"), seed),
        *genuine_items(data, setting.count("genuine_for_levels"), seed),
    )


@cache
def levels(setting: Setting) -> dict[str, float]:
    """The threshold, and the scores of usual and of the most extreme faces, not attacked."""
    rows = [row for item in candidates(setting) for row in seen(setting, item)]
    forged = [row["score"] for row in rows if row["forged"]]
    genuine = [row["score"] for row in rows if not row["forged"]]
    false_alarms = PROTOCOL["levels"]["false_alarms"]
    threshold = float(np.quantile(genuine, 1 - false_alarms, method="higher"))
    return {
        "threshold": threshold,
        "usual_genuine": float(np.median(genuine)),
        "usual_detected": float(np.median([score for score in forged if score > threshold])),
        "lowest": min(genuine + forged),
        "highest": max(genuine + forged),
        "genuine": len(genuine),
        "forged": len(forged),
    }


@cache
def attacked(setting: Setting) -> list[Item]:
    """The first forgeries that the network detects and genuine faces it examines, by turns."""
    threshold = levels(setting)["threshold"]
    scored = [(item, row["score"]) for item in candidates(setting) for row in seen(setting, item)]
    forged = [item for item, score in scored if item.forged and score > threshold]
    genuine = [item for item, _ in scored if not item.forged]
    turns = zip_longest(
        forged[: setting.count("forged_attacked")], genuine[: setting.count("genuine_attacked")]
    )
    return [item for turn in turns for item in turn if item is not None]


def seen(setting: Setting, item: Item) -> list[Row]:
    """The row of a face that the network examined when it was not attacked; else none."""
    return [row for row in kept(setting, "look", item) if row["score"] is not None]


def examined(setting: Setting) -> list[Item]:
    """The first attacked items of each truth, whose files go through whole examinations."""
    return [item for item in attacked(setting) if _place(setting, item) < setting.count("examined")]


def queried(setting: Setting) -> list[Item]:
    """The first attacked items of each truth, about which the product is asked."""
    most = {True: setting.count("queried"), False: setting.count("genuine_queried")}
    return [item for item in attacked(setting) if _place(setting, item) < most[item.forged]]


def cells_of(setting: Setting, item: Item) -> list[Cell]:
    """The cells of this item: dear ones for the first items only."""
    place = _place(setting, item)
    dear = place < setting.count("dear_attacked")
    wanted = {
        "none": True,
        "gradient": True,
        "laundering": True,
        "transforms": dear,
        "aimed": dear,
        "transfer": dear and setting.other_network is not None,
        "queries": True,
    }
    cells = all_cells(
        Goal.HIDE if item.forged else Goal.DISCREDIT,
        PROTOCOL["gradients"]["epsilons"],
        PROTOCOL["queries"]["epsilon"],
    )
    return [cell for cell in cells if wanted[cell.means]]


def kept(setting: Setting, stage: str, item: Item) -> list[Row]:
    """The rows that a stage made of an item; none where it has not come to it."""
    file = rows_file(setting, stage, item)
    rows: list[Row] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else []
    return rows


def rows_file(setting: Setting, stage: str, item: Item) -> Path:
    """Where the rows that a stage makes of an item are kept."""
    return setting.work / stage / f"{item.name}.json"


def _place(setting: Setting, item: Item) -> int:
    order = [other.name for other in attacked(setting) if other.forged is item.forged]
    return order.index(item.name)
