"""What the noise detector says of given levels, and when it declines."""

import numpy as np

from tidewaiter.detectors.image.noise_inconsistency import NoiseInconsistencyDetector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.noise import NoiseLevels, OddWindow
from tidewaiter.vocabulary import HeatMap, MediaKind, Series, Status


def found(*, compared=4000, dead_share=0.1, log10_nfa=-7.5):
    empty = np.zeros((40, 60), np.float32)
    taken = NoiseLevels(
        level=empty,
        deviation=empty,
        map=empty,
        brightness=(60.0, 120.0),
        usual_level=(1.5, 2.5),
        odd=OddWindow(160, 320, 96, 96, "noisier", log10_nfa),
        compared=compared,
        usable_share=0.9,
        dead_share=dead_share,
    )
    return NoiseInconsistencyDetector().find(Traces(MediaKind.PICTURE, {"noise": taken}))


def test_the_score_is_how_unlikely_the_oddest_window_is():
    finding = found()
    assert finding.score == 7.5
    heat, curve = finding.evidence
    assert isinstance(heat, HeatMap)
    assert (heat.regions[0].left, str(heat.regions[0].label)) == (160, "noisier")
    assert isinstance(curve, Series)


def test_few_blocks_are_declined_with_numbers():
    finding = found(compared=999)
    assert finding.status is Status.NOT_APPLICABLE
    assert str(finding.reason) == "999 homogeneous blocks with noise; 1000 needed"


def test_noise_removed_by_compression_is_declined_with_numbers():
    finding = found(dead_share=0.72)
    assert finding.status is Status.NOT_APPLICABLE
    assert "72%" in str(finding.reason)
    assert [check.passed for check in finding.gate] == [True, False]
