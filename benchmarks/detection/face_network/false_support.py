"""How often genuine faces would be said to support manipulation, overall and per group.

Every genuine item is weighed by a calibration that was fitted without its source: the
shipped one for sources of the untouched tenth, else one fitted on the other folds. What the
re-shipping battery would still withdraw is not withdrawn here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tables import Table, rate_of

from tidewaiter.opinion.weighing import SUPPORT_LOG10_LR

LEAST_GROUP = 100
SEXES = ("men", "women")
RACES = ("White", "Black", "Asian", "Indian", "others")
"""UTKFace's own codes and words, 0 to 4."""
AGES = ((0, 12), (13, 24), (25, 39), (40, 59), (60, 120))
AS_RECEIVED = "as_received"


def on_pictures(pictures: Table, log10_lr: NDArray[np.float64]) -> dict[str, Any]:
    """Rates per set, per way of shipping and per UTKFace group, the worst group named.

    `log10_lr` is what each item would be told; 0 where the detector declines.
    """
    genuine = ~pictures.forged
    table, told = pictures.where(genuine), log10_lr[genuine]
    wrong = told >= SUPPORT_LOG10_LR
    received = table["shipping"] == AS_RECEIVED
    sets = {k: received & (table["kind"] == k) for k in sorted(set(table["kind"]))}
    reshipped = np.char.startswith(table["shipping"].astype(str), "re-shipped")
    groups = dict(_groups(table, wrong, received & (table["kind"] == "utkface")))
    return {
        "as received": _rate(table, wrong, received),
        "per set": {name: _rate(table, wrong, keep) for name, keep in sets.items()},
        "re-shipped": _rate(table, wrong, reshipped),
        "UTKFace groups": groups,
        "worst UTKFace group": _worst(groups),
        "declined": {name: _declined(table, keep) for name, keep in sets.items()},
    }


def on_clips(clips: Table, log10_lr: NDArray[np.float64]) -> dict[str, Any]:
    """Rates on genuine clips per set, and on re-encoded copies."""
    genuine = ~clips.forged
    table, wrong = clips.where(genuine), log10_lr[genuine] >= SUPPORT_LOG10_LR
    received = table["shipping"] == AS_RECEIVED
    sets = {k: received & (table["kind"] == k) for k in sorted(set(table["kind"][received]))}
    return {
        **{name: _rate(table, wrong, keep) for name, keep in sets.items()},
        "clips of stills": _rate(table, wrong, table["shipping"] == "still clip"),
        "re-encoded": _rate(table, wrong, ~received & (table["shipping"] != "still clip")),
    }


def _rate(table: Table, wrong: NDArray[np.bool_], keep: NDArray[np.bool_]) -> dict[str, Any]:
    return rate_of(wrong[keep], table.where(keep))


def _declined(table: Table, keep: NDArray[np.bool_]) -> float:
    """Share of items on which the detector was silent."""
    return round(float(np.isnan(table["score"][keep]).mean()), 4) if keep.any() else 0.0


def _groups(
    table: Table, wrong: NDArray[np.bool_], keep: NDArray[np.bool_]
) -> Iterator[tuple[str, Any]]:
    """Sex x age x race, then coarser groupings; only groups of at least LEAST_GROUP."""
    people = [_person(item) for item in table["item"]]
    for grouping in ((0, 1, 2), (0, 2), (0, 1), (1, 2), (0,), (1,), (2,)):
        names = np.array([", ".join(p[i] for i in grouping) if p else "" for p in people])
        for name in sorted(set(names[keep]) - {""}):
            chosen = keep & (names == name)
            if chosen.sum() >= LEAST_GROUP:
                yield name, _rate(table, wrong, chosen)


def _person(item: str) -> tuple[str, str, str] | None:
    """Sex, age band and race by the name of a UTKFace file: age_sex_race_date."""
    kind, _, rest = item.partition("/")
    parts = rest.rpartition("/")[2].split("_")
    known = kind == "utkface" and len(parts) == 4 and all(p.isdigit() for p in parts[:3])
    if not known:
        return None
    age, sex, race = (int(part) for part in parts[:3])
    band = next((f"{low}-{high}" for low, high in AGES if low <= age <= high), "")
    return SEXES[sex], band, RACES[race]


def _worst(groups: dict[str, Any]) -> dict[str, Any]:
    def rate(name: str) -> float:
        return float(groups[name]["rate"]["value"])

    names: Iterable[str] = sorted(groups)
    worst = max(names, key=rate, default=None)
    return {} if worst is None else {"group": worst, **groups[worst]}
