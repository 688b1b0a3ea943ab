"""A count of hits as a share with its interval, as all results of this folder state it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidewaiter.evaluation.intervals import wilson


def share(hits: Sequence[bool]) -> dict[str, Any]:
    """Hits, trials, the share and its Wilson interval (95 %); needs one trial at least."""
    interval = wilson(sum(hits), len(hits))
    return {
        "found": sum(hits),
        "of": len(hits),
        "value": interval.value,
        "lower": interval.lower,
        "upper": interval.upper,
    }
