"""The thresholds of a comparison: a data file made by a recipe from copies that alter nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files


@dataclass(frozen=True)
class Thresholds:
    """Levels that benign copies never reached, and what they were measured on.

    `picture`, `clock` and `sound` are residual scores; `shortest` and `shortest_sound` the
    least lengths of a change of order, in frames and in rows of sound.
    """

    picture: float
    clock: float
    sound: float
    shortest: int
    shortest_sound: int
    basis: str


@cache
def shipped_thresholds() -> Thresholds:
    """The thresholds in the package, by `recipes/custody_thresholds.py`."""
    text = files("tidewaiter.custody").joinpath("thresholds.json").read_text(encoding="utf-8")
    found = json.loads(text)
    return Thresholds(**found["thresholds"])
