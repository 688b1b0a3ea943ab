"""Whether the heat map points at what was altered, on forgeries whose mask is known."""

from __future__ import annotations

from typing import Any

import numpy as np
from tables import Table, bootstrap, estimate

# A forgery that alters nearly the whole face leaves nothing to tell apart.
LARGEST_MASK_SHARE = 0.9


def of_heat_maps(pictures: Table) -> dict[str, Any]:
    """Share of the heat map's mass inside the true mask, beside the mask's share of the face.

    Per species and over all; only forgeries that alter less than LARGEST_MASK_SHARE of the
    network's crop. Intervals by bootstrap over sources.
    """
    forged = pictures.only(part="report", shipping="as_received").scored("heat_inside")
    told = forged.where(forged["mask_share"] <= LARGEST_MASK_SHARE)
    names = sorted(set(told["species"]))
    return {
        "all": _of(told),
        **{name: _of(told.only(species=name)) for name in names},
        "left out, nearly the whole face altered": len(forged) - len(told),
    }


def _of(table: Table) -> dict[str, Any]:
    if not len(table):
        return {"items": 0}
    inside, chance = table["heat_inside"], table["mask_share"]
    return {
        "items": len(table),
        "mass inside the mask": estimate(bootstrap(_mean(inside), table)),
        "expected by chance": round(float(chance.mean()), 4),
        "more than chance": round(float((inside > chance).mean()), 4),
    }


def _mean(values: Any) -> Any:
    return lambda weights: float(np.average(values, weights=weights))
