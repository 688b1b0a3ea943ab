"""What the copy-move detector says of given measurements."""

from dataclasses import replace

import numpy as np

from tidewaiter.detectors.image.copy_move import CopyMoveDetector
from tidewaiter.traces.base import Traces
from tidewaiter.traces.copy_move import CopyMove, RepeatedRegion
from tidewaiter.traces.likeness import Agreement
from tidewaiter.vocabulary import HeatMap, MediaKind, Regions, Status


def region(lower, *, edged=False, repeated=False):
    return RepeatedRegion(
        origin=(8, 16, 64, 64),
        copy=(208, 116, 64, 64),
        transform=(1.0, 0.0, 200.0, 0.0, 1.0, 100.0),
        found_by="keypoints",
        likeness=0.98,
        agreement=Agreement(0.7, 0.02, lower, 3000, edged=edged),
        area_px=4096,
        repeated=repeated,
    )


def found(*regions, live_share=0.8):
    taken = CopyMove(
        regions=regions,
        map=np.zeros((30, 40), np.float32),
        keypoints=900,
        live_share=live_share,
        looked_alike=len(regions),
        scale=1.0,
    )
    return CopyMoveDetector().find(Traces(MediaKind.PICTURE, {"copy_move": taken}))


def test_a_shared_noise_is_the_score_and_is_drawn_as_a_pair():
    finding = found(region(0.9))
    assert finding.score == 0.9
    drawn = next(item for item in finding.evidence if isinstance(item, Regions))
    assert drawn.pairs == ((0, 1),)
    assert (drawn.boxes[1].left, drawn.boxes[1].top) == (208, 116)


def test_places_that_only_look_alike_score_nothing_and_are_counted():
    finding = found(region(-0.1), region(-0.2))
    assert finding.score == 0
    assert [type(item) for item in finding.evidence] == [HeatMap]
    assert finding.features["places_alike"] == 2


def test_print_that_is_all_edges_counts_only_where_it_is_not_repeated():
    assert found(region(0.5, edged=True, repeated=True)).score == 0
    assert found(region(0.5, edged=True)).score == 0.5
    assert found(region(0.5, repeated=True)).score == 0.5


def test_a_picture_without_structure_is_declined_with_what_was_found():
    finding = found(live_share=0.01)
    assert finding.status is Status.NOT_APPLICABLE
    assert "1.0%" in str(finding.reason)
    assert "5%" in str(finding.reason)
    assert not finding.gate[0].passed


def test_texture_that_differs_contradicts_an_agreement():
    differing = replace(region(1.5), likeness=0.1)
    assert found(differing).score == 0
