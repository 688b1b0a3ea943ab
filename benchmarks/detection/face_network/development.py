"""AUC on faces and clips the network has not seen: per set, method, species, way of shipping."""

from __future__ import annotations

from typing import Any

import numpy as np
from tables import Table, auc_of, bootstrap, estimate

from tidewaiter.evaluation.rates import auc, tpr_at_fpr

AS_RECEIVED, CONTROL, TABLE = "as_received", "saved alike", "table: "
# A method with fewer clips gets no figure of its own.
LEAST_FORGED = 4


def dfdc(pictures: Table) -> dict[str, Any]:
    """Frame AUC on DFDC crops of originals that were not trained on."""
    crops = pictures.only(kind="dfdc", shipping=[AS_RECEIVED])
    crops = crops.where(~crops.forged | (crops["species"] == "dfdc"))
    reported = crops.only(part="report").scored()
    forged, values = reported.forged, reported["network"]
    found = bootstrap(lambda weights: tpr_at_fpr(values, forged, 0.05, weights), reported)
    return {
        "report originals": auc_of(reported),
        "validation originals": auc_of(crops.only(part="validate")),
        "found at 5 % false alarms": estimate(found),
        "inside the gates": auc_of(reported, "score"),
    }


def ffpp(clips: Table, column: str = "network") -> dict[str, Any]:
    """Video AUC on FaceForensics++, over all methods and each, and of re-encoded copies.

    The genuine clips are the same eight for every method. Intervals draw the four pairs of
    people, so they are wide and themselves uncertain.
    """
    own = clips.only(kind="ffpp")
    received = own.only(shipping=AS_RECEIVED)
    methods = sorted(set(received["species"]) - {""})
    return {
        "all methods": auc_of(received, column),
        **{m: auc_of(received.only(species=["", m]), column) for m in methods},
        "copies": {
            way: auc_of(own.only(shipping=way), column)
            for way in sorted(set(own["shipping"]) - {AS_RECEIVED})
        },
    }


def species(pictures: Table) -> dict[str, Any]:
    """AUC of every forgery of ours against its hosts saved alike, and of every family."""
    own = pictures.only(kind=["dfdc", "lfw", "utkface"], part="report")
    controls = own.only(shipping=CONTROL)
    forged = own.where((own["species"] != "dfdc") & own.forged).only(shipping=AS_RECEIVED)
    names = sorted(set(forged["species"]))
    families = sorted({name.split("-")[0] for name in names})
    by_name = {name: forged["species"] == name for name in names}
    by_family = {
        f"{family} (all)": np.char.startswith(forged["species"].astype(str), family)
        for family in families
    }
    return {
        "all": auc_of(_together(controls, forged)),
        **{
            name: auc_of(_together(controls, forged.where(keep)))
            for name, keep in (by_family | by_name).items()
            if keep.sum() >= LEAST_FORGED
        },
    }


def diffusion(pictures: Table) -> dict[str, Any]:
    """AUC on the pictures of two people by diffusion; whole pictures, no blending."""
    return auc_of(pictures.only(kind="ecuador", shipping=AS_RECEIVED))


def launderings(pictures: Table) -> dict[str, Any]:
    """AUC after every way of shipping, and what it loses against the same items as received.

    The loss is counted on the items that have a face both before and after.
    """
    dfdc_crops = pictures.only(kind="dfdc", part="report")
    ways = sorted({s for s in dfdc_crops["shipping"] if str(s).startswith(TABLE)})
    return {way.removeprefix(TABLE): _loss(dfdc_crops, way) for way in ways}


def clip_losses(clips: Table) -> dict[str, Any]:
    """The same for the re-encoded copies of the development clips."""
    own = clips.only(kind="ffpp")
    return {way: _loss(own, way) for way in sorted(set(own["shipping"]) - {AS_RECEIVED})}


def _loss(table: Table, way: str) -> dict[str, Any]:
    after = table.only(shipping=way)
    no_face = int(np.isnan(after["network"]).sum())
    after = after.scored()
    before = table.only(shipping=AS_RECEIVED).scored()
    both = np.intersect1d(after["item"], before["item"])
    after, before = (t.where(np.isin(t["item"], both)) for t in (after, before))
    order_after, order_before = np.argsort(after["item"]), np.argsort(before["item"])
    late, early = after["network"][order_after], before["network"][order_before]
    paired = after.where(order_after)
    forged = paired.forged
    if forged.all() or not forged.any():
        return {"items": len(paired), "without a face": no_face}
    found = bootstrap(
        lambda weights: auc(early, forged, weights) - auc(late, forged, weights), paired
    )
    return {
        "items": len(paired),
        "without a face": no_face,
        "auc before": round(auc(early, forged), 4),
        "auc after": auc_of(paired)["auc"],
        "loss": estimate(found),
    }


def _together(genuine: Table, forged: Table) -> Table:
    names = ("item", "source", "label", "network")
    return Table({name: np.concatenate([genuine[name], forged[name]]) for name in names})
