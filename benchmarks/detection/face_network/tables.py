"""Measured items as columns, and the statistics of all figures."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from typing import Any

import numpy as np
from face_measured import COLUMNS, TEXTS, Measured
from numpy.typing import NDArray

from tidewaiter.evaluation.intervals import Interval, clopper_pearson, source_bootstrap
from tidewaiter.evaluation.rates import auc
from tidewaiter.evaluation.sources import BoolArray, FloatArray, codes

DRAWS = 1000
SEED = 4242


class Table:
    """Measured items as columns; `table["score"]` is an array, NaN where absent."""

    def __init__(self, columns: Mapping[str, NDArray[Any]]) -> None:
        self._columns = dict(columns)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._columns[name]

    def __len__(self) -> int:
        return len(self._columns["item"])

    @property
    def forged(self) -> BoolArray:
        """True where the item is known to be manipulated."""
        return np.asarray(self["label"] == "manipulated")

    @cached_property
    def sources(self) -> NDArray[np.int64]:
        """A number for every item's source."""
        return codes(self["source"])

    def where(self, keep: BoolArray) -> Table:
        """The items for which `keep` holds."""
        return Table({name: column[keep] for name, column in self._columns.items()})

    def only(self, **wanted: str | Sequence[str]) -> Table:
        """The items whose columns have these values: `only(kind="dfdc", part="report")`."""
        keep = np.ones(len(self), bool)
        for name, values in wanted.items():
            keep &= np.isin(self[name], [values] if isinstance(values, str) else list(values))
        return self.where(keep)

    def scored(self, column: str = "network") -> Table:
        """The items that have this number."""
        return self.where(np.isfinite(self[column]))


def table_of(rows: Iterable[Measured]) -> Table:
    """Rows as columns."""
    listed = [asdict(row) for row in rows]
    columns: dict[str, NDArray[Any]] = {}
    for name in COLUMNS:
        values = [row[name] for row in listed]
        columns[name] = np.array(values, dtype=str if name in TEXTS else np.float64)
    return Table(columns)


def auc_of(table: Table, column: str = "network") -> dict[str, Any]:
    """AUC of a column between genuine and forged, interval by bootstrap over sources."""
    kept = table.scored(column)
    forged = kept.forged
    if forged.all() or not forged.any():
        return {"forged": int(forged.sum()), "genuine": int((~forged).sum()), "auc": None}
    values = kept[column]
    found = bootstrap(lambda weights: auc(values, forged, weights), kept)
    return {
        "forged": int(forged.sum()),
        "genuine": int((~forged).sum()),
        "sources": int(np.unique(kept.sources).size),
        "auc": estimate(found),
    }


def bootstrap(statistic: Callable[[FloatArray], float], table: Table) -> Interval:
    """A statistic of item weights with its 95 % interval over the table's sources."""
    rng = np.random.default_rng([SEED, zlib.crc32(str(len(table)).encode())])
    return source_bootstrap(statistic, table.forged, table.sources, rng, draws=DRAWS)


def rate_of(holds: BoolArray, table: Table) -> dict[str, Any]:
    """A share of items with its exact interval, as if each source gave one item.

    The interval counts sources: several pictures of one person are not independent.
    """
    total, sources = int(holds.size), int(np.unique(table.sources).size)
    share = float(holds.mean()) if total else 0.0
    found = clopper_pearson(share * sources, sources) if sources else Interval(0.0, 0.0, 1.0)
    return {
        "items": total,
        "sources": sources,
        "events": int(holds.sum()),
        "rate": estimate(found),
    }


def estimate(found: Interval, digits: int = 4) -> dict[str, float]:
    """An interval as the results files hold it."""
    return {
        "value": round(found.value, digits),
        "lower": round(found.lower, digits),
        "upper": round(found.upper, digits),
    }
