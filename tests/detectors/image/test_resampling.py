"""What the resampling detector says of given spectra, and when it declines."""

import numpy as np
import pytest

from tidewaiter.detectors.image.resampling import ResamplingDetector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.compression import Compression
from tidewaiter.traces.resampling import Resampling
from tidewaiter.vocabulary import MediaKind, Status


def found(*, shape=(5, 6), power=100.0, live_share=1.0, overall_peak=2.0, quality=97):
    strength = np.full(shape, 4.0, np.float32)
    strength[1, 2] = power
    taken = Resampling(
        strength=strength,
        frequency=np.full(shape, 0.3125, np.float32),
        frequencies=(0.1, 0.2, 0.3),
        overall=(1.0, overall_peak, 1.0),
        overall_peak=overall_peak,
        overall_frequency=0.2,
        live_share=live_share,
        compression=Compression("JPEG", quality),
        positions=(tuple(range(0, 640, 128)), tuple(range(0, 768, 128))),
    )
    return ResamplingDetector().find(Traces(MediaKind.PICTURE, {"resampling": taken}))


def test_the_score_is_the_strongest_local_peak_and_its_window_is_drawn():
    finding = found()
    assert finding.score == pytest.approx(2.0)
    window = finding.evidence[0].regions[0]
    assert (window.left, window.top) == (256, 128)
    assert "3.20" in str(window.label)


def test_a_wholly_scaled_picture_is_said_to_be_so():
    assert any("whole picture shows" in str(text) for text in found(overall_peak=30).limitations)
    assert not any("whole picture shows" in str(text) for text in found().limitations)


def test_few_windows_or_little_structure_are_declined_with_numbers():
    small = found(shape=(3, 3))
    assert small.status is Status.NOT_APPLICABLE
    assert str(small.reason) == "windows of 256 pixels: 9; 16 needed"
    assert str(found(quality=90).reason).startswith("compression: JPEG 90;")
    flat = found(live_share=0.1)
    assert str(flat.reason) == "windows with structure: 10%; 30% needed"
