"""Scores of clips made anew from their looks, as the product would make them today.

How looks become a score can then be changed without looking again: looking costs hours,
this costs seconds.
"""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from face_measured import Measured, read_measured

from tidewaiter.traces.face_manipulation_video import LEAST_USABLE_LOOKS, LOOKS_PER_S
from tidewaiter.traces.face_windows import window_score

Look = Mapping[str, Any]


def read_clips(folder: Path) -> list[Measured]:
    """The rows of clips.csv.gz, their scores made anew from looks.json.gz beside it."""
    looks = json.loads(gzip.decompress((folder / "looks.json.gz").read_bytes()))
    return list(scored_anew(read_measured(folder / "clips.csv.gz"), looks))


def scored_anew(rows: Sequence[Measured], looks: Sequence[Look]) -> Iterator[Measured]:
    """Every row with the aggregate of its tracks; a clip that was declined stays declined."""
    tracks: dict[tuple[str, str], list[Look]] = defaultdict(list)
    for track in looks:
        tracks[track["item"], track["shipping"]].append(track)
    for row in rows:
        score = clip_score(tracks[row.item, row.shipping])
        told = score if row.score is not None else None
        yield row if score is None else replace(row, network=score, score=told)


def clip_score(tracks: Sequence[Look]) -> float | None:
    """The highest aggregate of all tracks; None without a track that can be examined."""
    total_s = sum(len(track["time_s"]) for track in tracks) / LOOKS_PER_S
    scores = []
    for track in tracks:
        usable = np.array(track["usable"], bool)
        if usable.sum() >= LEAST_USABLE_LOOKS:
            times, logits = (np.array(track[name], np.float64) for name in ("time_s", "score"))
            scores.append(window_score(times[usable], logits[usable], total_s))
    return max((score for score in scores if score is not None), default=None)
