from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tidewaiter.detectors.image.jpeg_ghosts import JpegGhostsDetector
from tidewaiter.detectors.image.jpeg_shifted import JpegShiftedDetector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.jpeg_ghosts import QUALITIES, JpegGhosts
from tidewaiter.traces.jpeg_shifted import JpegShifted
from tidewaiter.vocabulary import MediaKind, Status

SHIFTED = JpegShifted(
    score=11.5,
    shift=(3, 5),
    first_quality=70,
    at=(2, 1),
    cell_px=64,
    whole_picture=1.0,
    active_share=0.4,
    shifted_map=np.zeros((6, 7), np.float32),
    quality=90,
    quality_label="90",
)


def finding(**changes):
    traces = Traces(MediaKind.PICTURE, {"jpeg.shifted": replace(SHIFTED, **changes)})
    return JpegShiftedDetector().find(traces)


def test_inside_the_gate_the_window_is_scored_and_outlined():
    found = finding()
    assert (found.status, found.score) == (Status.EXAMINED, 11.5)
    box, area = found.evidence[0].regions[0], found.evidence[0].area
    assert (box.left, box.top, box.width) == (69, 131, 128)
    assert (area.left, area.width, area.height) == (32, 448, 384)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quality": 84, "quality_label": "84"}, "84; 85 or more needed"),
        ({"active_share": 0.01}, "1.0%; 5% needed"),
    ],
)
def test_outside_the_gate_it_declines(changes, said):
    found = finding(**changes)
    assert found.status is Status.NOT_APPLICABLE
    assert said in str(found.reason)


def test_ghosts_are_shown_and_never_scored():
    ghosts = JpegGhosts(
        difference=tuple(np.linspace(1, 0, len(QUALITIES))),
        ghost_quality=62,
        spread=0.2,
        ghost_map=np.ones((9, 9), np.float32),
        textured_share=0.7,
        quality=90,
        quality_label="90",
    )
    found = JpegGhostsDetector().find(Traces(MediaKind.PICTURE, {"jpeg.ghosts": ghosts}))
    assert found.status is Status.EXAMINED
    assert found.score is None
    assert not JpegGhostsDetector.weighs
    assert "quality 62" in str(found.concludes)
    assert [item.kind for item in found.evidence] == ["heat_map", "series"]
