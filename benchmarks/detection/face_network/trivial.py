"""What file size, brightness, sharpness and borders alone achieve, beside the network.

Where such a feature separates the classes of a set, a network may have learned it. The
combination is a logistic regression, cross-validated by source.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from tables import SEED, Table, auc_of

from tidewaiter.evaluation.rates import auc
from tidewaiter.evaluation.sources import FloatArray, fold_by_source
from tidewaiter.opinion.logistic import class_balanced, fit

FEATURES = {
    "byte_length": "size of the file",
    "brightness": "brightness",
    "contrast": "contrast",
    "detail": "sharpness of the picture",
    "black": "black border",
    "colour": "colourfulness",
    "side": "size of the face",
}
FOLDS = 5
PENALTY = 1e-3


def beside_the_network(sets: dict[str, Table]) -> dict[str, Any]:
    """AUC (either direction) of every feature, of all together and of the network, per set."""
    return {name: _of(table) for name, table in sets.items()}


def _of(table: Table) -> dict[str, Any]:
    keep = np.isfinite(table["network"])
    for name in FEATURES:
        keep &= np.isfinite(table[name])
    kept = table.where(keep)
    forged = kept.forged
    alone = {}
    for name, words in FEATURES.items():
        value = auc(kept[name], forged)
        alone[words] = round(max(value, 1 - value), 4)
    combined = _cross_validated(kept)
    return {
        "items": len(kept),
        "each alone": alone,
        "all together": round(auc(combined, forged), 4),
        "network": auc_of(kept)["auc"],
    }


def _cross_validated(table: Table) -> FloatArray:
    features = np.stack([table[name] for name in FEATURES], axis=1)
    features = np.sign(features) * np.log1p(np.abs(features))
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    scaled = np.concatenate([scaled, scaled**2], axis=1)
    forged, values = table.forged, np.zeros(len(table))
    folds = fold_by_source(forged, table.sources, FOLDS, np.random.default_rng(SEED))
    for fold in range(FOLDS):
        inside = folds != fold
        balanced = class_balanced(forged[inside])
        weights = fit(scaled[inside], forged[inside], balanced, penalty=PENALTY)
        values[~inside] = weights[0] + scaled[~inside] @ weights[1:]
    return values
