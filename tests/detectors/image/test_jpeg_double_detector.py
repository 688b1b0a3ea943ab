from __future__ import annotations

import numpy as np
import pytest

from tidewaiter.detectors.image.jpeg_double import JpegDoubleDetector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.jpeg_double import FrequencyFit, JpegDouble
from tidewaiter.vocabulary import MediaKind, Status


def finding(ratio=2.0, gain=0.3, peak=5.5, usable=0.9):
    double = JpegDouble(
        fits=(FrequencyFit((0, 1), 6, 3, gain), FrequencyFit((1, 0), 4, 2, 0.0)),
        step_ratio=ratio,
        mean_gain=gain,
        used=1,
        inserted_map=np.zeros((20, 30), np.float32),
        peak=peak,
        peak_at=(4, 11),
        quality=90,
        quality_label="≈90",
        usable_share=usable,
    )
    return JpegDoubleDetector().find(Traces(MediaKind.PICTURE, {"jpeg.double": double}))


def test_inside_the_gate_the_peak_is_the_score_and_its_window_is_outlined():
    found = finding()
    assert (found.status, found.score) == (Status.EXAMINED, 5.5)
    box = found.evidence[0].regions[0]
    assert (box.left, box.top, box.width, box.height) == (56, 0, 72, 72)
    assert [str(row.value) for row in found.evidence[1].rows] == [
        "first step 6, second step 3, gain 0.300"
    ]


@pytest.mark.parametrize(
    "outside", [{"ratio": 1.5}, {"gain": 0.09}, {"ratio": 0.0, "gain": 0.0}, {"usable": 0.2}]
)
def test_outside_the_gate_it_declines_and_shows_both_checks(outside):
    found = finding(**outside)
    assert found.status is Status.NOT_APPLICABLE
    assert found.score is None
    assert any(not check.passed for check in found.gate)
    assert "1.6, 0.1 and 25% needed" in str(found.reason)
