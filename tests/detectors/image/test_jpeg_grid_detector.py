from __future__ import annotations

import numpy as np
import pytest

from tidewaiter.detectors.image.jpeg_grid import JpegGridDetector
from tidewaiter.traces.base import Traces, Untaken
from tidewaiter.traces.jpeg_grid import LOSSLESS_QUALITY, GridRegion, JpegGrid
from tidewaiter.vocabulary import MediaKind, Status, tr


def finding(*, quality=LOSSLESS_QUALITY, main=(0, 0), nfas=(-8.0, 2.0)):
    regions = tuple(GridRegion(8 * i, 16, 64, 48, (1, 2), 900, nfa) for i, nfa in enumerate(nfas))
    grid = JpegGrid(
        main_origin=main,
        main_log10_nfa=-40.0 if main else 3.0,
        main_share=0.6,
        voting_share=0.4,
        best_log10_nfa=nfas[0] if nfas else 12.0,
        regions=regions,
        region_map=np.zeros((20, 20), np.float32),
        main_map=np.zeros((20, 20), np.float32),
        final_quality=quality,
    )
    return JpegGridDetector().find(Traces(MediaKind.PICTURE, {"jpeg.grid": grid}))


def test_a_significant_region_scores_its_negative_log_nfa_and_is_outlined():
    found = finding()
    assert found.status is Status.EXAMINED
    assert found.score == 8.0
    assert found.features["regions"] == 1
    assert [(box.left, box.width) for box in found.evidence[0].regions] == [(0, 64)]


def test_without_a_region_the_score_is_negative():
    assert finding(nfas=()).score == -12.0
    assert finding(nfas=(3.0,)).evidence[0].regions == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"quality": 96}, "stored at JPEG quality 96; needed: without loss, or JPEG quality 97"),
        ({"quality": None}, "cannot be read"),
        ({"main": None}, "NFA of the main grid 3.0; needed: below 0"),
    ],
)
def test_outside_its_domain_it_declines_with_found_and_needed(changed, said):
    found = finding(**changed)
    assert found.status is Status.NOT_APPLICABLE
    assert said in str(found.reason)
    assert len(found.gate) == 2


def test_an_untaken_trace_is_passed_on():
    untaken = Untaken(Status.NOT_APPLICABLE, tr("too small"))
    found = JpegGridDetector().find(Traces(MediaKind.PICTURE, {"jpeg.grid": untaken}))
    assert (found.status, str(found.reason)) == (Status.NOT_APPLICABLE, "too small")
