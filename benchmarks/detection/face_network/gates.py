"""Where the network stops being valid: AUC by size, sharpness, turn and sureness of the face.

Bins are cut on the validation part, where limits may be chosen, and checked on the report
part. Material: DFDC crops and forgeries of ours against their hosts, as received, saved
alike and after every way of shipping, without regard to the detector's own gates.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
from tables import Table

from tidewaiter.evaluation.rates import auc, tpr_at_fpr

EDGES: dict[str, tuple[float, ...]] = {
    "side": (0, 48, 64, 80, 96, 128, 160, 200, 260, 10_000),
    "yaw": (0, 10, 20, 30, 40, 50, 90),
    "pitch": (0, 10, 20, 30, 40, 90),
    "outside": (0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 1),
    "face_contrast": (0, 8, 12, 16, 24, 40, 80, 255),
    "face_brightness": (0, 25, 40, 60, 90, 130, 170, 200, 235, 256),
    "presence": (0, 0.5, 0.7, 0.9, 0.97, 0.99, 1.01),
}
SHARPNESS_QUANTILES = (0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
LEAST_OF_EACH = 25


def by_condition(pictures: Table) -> dict[str, Any]:
    """AUC, false alarms at the limit of 1 % overall, and counts per bin of each condition."""
    known = pictures.only(kind=["dfdc", "lfw", "utkface"]).scored()
    sharp = known.only(part="validate")["sharpness"]
    sharp = sharp[np.isfinite(sharp)]
    edges = dict(EDGES)
    if sharp.size:
        cuts = np.unique(np.round(np.quantile(sharp, SHARPNESS_QUANTILES), 3))
        edges["sharpness"] = (0.0, *cuts[1:-1].tolist(), 1e9)
    return {
        part: {name: _bins(known.only(part=part), name, cuts) for name, cuts in edges.items()}
        for part in ("validate", "report")
    }


def _bins(table: Table, name: str, edges: tuple[float, ...]) -> list[dict[str, Any]]:
    values = np.abs(table[name])
    limit = float(np.quantile(table["network"][~table.forged], 0.99)) if len(table) else 0.0
    rows = []
    for low, high in pairwise(edges):
        inside = table.where((values >= low) & (values < high))
        rows.append({"from": low, "to": high, **_bin(inside, limit)})
    return rows


def _bin(inside: Table, limit: float) -> dict[str, Any]:
    forged, values = inside.forged, inside["network"]
    counts = {"genuine": int((~forged).sum()), "forged": int(forged.sum())}
    if min(counts.values()) < LEAST_OF_EACH:
        return {**counts, "auc": None}
    return {
        **counts,
        "auc": round(auc(values, forged), 4),
        "found at 5 % false alarms": round(tpr_at_fpr(values, forged, 0.05), 4),
        "false alarms at the overall 1 %": round(float((values[~forged] >= limit).mean()), 4),
    }
