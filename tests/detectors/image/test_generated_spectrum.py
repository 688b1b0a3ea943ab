"""What the spectrum detector says of given peaks, and when it declines."""

import pytest

from tidewaiter.detectors.image.generated_spectrum import GeneratedSpectrumDetector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.compression import Compression
from tidewaiter.traces.spectrum import Spectrum
from tidewaiter.vocabulary import MediaKind, Proposition, Status


def found(**changes):
    values = {
        "peaks": (0.6, 0.2, 0.3),
        "frequencies": (0.1, 0.4),
        "radial": (0.0, -0.5),
        "tail": -0.5,
        "live_share": 1.0,
        "width": 1024,
        "height": 768,
        "compression": Compression("JPEG", 95),
    }
    taken = Spectrum(**(values | changes))
    return GeneratedSpectrumDetector().find(Traces(MediaKind.PICTURE, {"spectrum": taken}))


def test_the_score_is_the_mean_of_two_peaks_and_jpegs_own_period_is_a_feature():
    finding = found()
    assert finding.proposition is Proposition.IMAGE_GENERATED
    assert finding.score == pytest.approx(0.4)
    assert finding.features["period_8"] == 0.3


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"height": 300}, "shorter side: 300 pixels; 512 pixels needed"),
        (
            {"compression": Compression("JPEG", 80)},
            "compression: JPEG 80; lossless or JPEG 90 or better needed",
        ),
        (
            {"compression": Compression("WEBP")},
            "compression: WEBP; lossless or JPEG 90 or better needed",
        ),
        ({"live_share": 0.2}, "tiles with fine structure: 20%; 50% needed"),
    ],
)
def test_outside_its_domain_it_declines_with_numbers(changes, reason):
    finding = found(**changes)
    assert finding.status is Status.NOT_APPLICABLE
    assert str(finding.reason) == reason


def test_that_nothing_was_fitted_is_said():
    assert any("No model was fitted" in str(text) for text in found().limitations)
