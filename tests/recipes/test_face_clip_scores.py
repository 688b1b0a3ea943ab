"""Scores made anew from kept looks are those that the product gave."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tests.traces.test_face_manipulation_video import ONE, OTHER, asked, played  # noqa: F401
from tidewaiter.detectors.face.manipulation_network_video import ManipulationNetworkVideo
from tidewaiter.traces.base import Traces
from tidewaiter.vocabulary import MediaKind

sys.path.insert(0, str(Path(__file__).parents[2] / "recipes"))

from face_clip_scores import clip_score, scored_anew
from face_measured import Measured


def kept(tracks):
    return [
        {
            "item": "a",
            "shipping": "as_received",
            "time_s": np.round(track.time_s, 3).tolist(),
            "score": np.round(track.score.astype(float), 3).tolist(),
            "usable": track.usable.tolist(),
        }
        for track in tracks
    ]


def test_the_score_is_the_products(asked):  # noqa: F811
    asked.score_at = lambda now: float(np.sin(5 * now) * 3 + (4 if 10 < now < 12 else -1))
    found = played([ONE, OTHER, (7, 560, 30)], 20)
    finding = ManipulationNetworkVideo().find(Traces(MediaKind.VIDEO, {"face_manipulation": found}))
    assert clip_score(kept(found.tracks)) == pytest.approx(finding.score, abs=0.01)


def test_declined_clips_stay_declined():
    row = Measured("a", "s", "ffpp", "report", "as_issued", "", "as_received", "not_applicable")
    track = {"item": "a", "shipping": "as_received", "time_s": list(range(10))}
    looks = [{**track, "score": [1.0] * 10, "usable": [True] * 10}]
    (anew,) = scored_anew([row], looks)
    assert anew.network is not None
    assert anew.score is None
    assert next(scored_anew([row], [])) == row
