"""The strongest fit face counts; unfit ones are declined with numbers."""

import numpy as np
import pytest

from tidewaiter.detectors.face.manipulation_network import ManipulationNetwork
from tidewaiter.traces.base import Traces
from tidewaiter.traces.compression import Compression
from tidewaiter.traces.face_manipulation import FaceAnswer, FaceManipulation
from tidewaiter.traces.face_quality import QUALITY_COLUMNS, FaceQuality
from tidewaiter.vocabulary import Box, Facts, HeatMap, MediaKind, Status

GOOD = FaceQuality(150, 0.3, 45, 120, 5, -5, 0.99, 0.0)


def face(score, gap=0.0, **changes):
    quality = FaceQuality(**dict(zip(QUALITY_COLUMNS, GOOD.as_row(), strict=True)) | changes)
    box = Box(left=10, top=10, width=150, height=150)
    return FaceAnswer(score, np.zeros((10, 10), "f"), np.zeros((3, 2), "f"), box, quality, gap)


def find(*faces, compression=None, mark=""):
    compression = compression or Compression("JPEG", 90)
    area = Box(left=0, top=0, width=200, height=200)
    answers = FaceManipulation(faces, np.zeros((8, 8), "f"), area, compression, mark)
    return ManipulationNetwork().find(Traces(MediaKind.PICTURE, {"face_manipulation": answers}))


def test_the_score_is_the_largest_of_all_fit_faces_less_what_their_number_gives():
    assert find(face(2.5)).score == 2.5
    finding = find(face(-3.0), face(2.5), face(9.0, pixels=20.0))
    assert finding.status is Status.EXAMINED
    assert finding.score == pytest.approx(2.5 - np.log(2))
    assert finding.features["highest"] == 2.5
    assert finding.features["faces"] == 3
    assert finding.features["faces_examined"] == 2


def test_the_map_and_every_face_are_shown():
    shown = find(face(1.0), face(9.0, pixels=20.0)).evidence
    heat, table = shown
    assert isinstance(heat, HeatMap)
    assert (heat.trace, heat.field) == ("face_manipulation", "heat")
    assert len(heat.regions) == 2
    assert isinstance(table, Facts)
    assert "score 1.00" in str(table.rows[0].value)
    assert "not examined" in str(table.rows[1].value)


def test_a_score_that_does_not_survive_a_compression_is_no_score():
    finding = find(face(9.0, gap=30.0), face(2.5))
    assert finding.score == 2.5
    alone = find(face(9.0, gap=30.0))
    assert alone.status is Status.NOT_APPLICABLE
    assert "compressed anew: -30.0; " in str(alone.reason)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"pixels": 40.0}, "size of the face: 40 pixels; at least 80 pixels needed"),
        ({"sharpness": 0.01}, "sharpness of the face: 0.01; at least"),
        ({"yaw": -70.0}, "turn of the head sideways: 70°; at most"),
        ({"presence": 0.4}, "nothing covers the face: 40%; at least"),
        ({"outside": 0.8}, "beyond the edge: 80%; at most"),
    ],
)
def test_outside_its_gate_it_declines_with_numbers(changes, words):
    finding = find(face(9.0, **changes))
    assert finding.status is Status.NOT_APPLICABLE
    assert words in str(finding.reason)
    assert [check.passed for check in finding.gate].count(False) == 1
    assert isinstance(finding.evidence[0], Facts)


def test_of_several_unfit_faces_the_largest_is_described():
    finding = find(face(1.0, pixels=50.0), face(1.0, pixels=30.0))
    assert "none of 2 faces" in str(finding.reason)
    assert "50 pixels" in str(finding.reason)


def test_heavy_compression_is_declined():
    finding = find(face(5.0), compression=Compression("JPEG", 10))
    assert finding.status is Status.NOT_APPLICABLE
    assert "JPEG 10" in str(finding.reason)
    assert find(face(5.0), compression=Compression("WEBP")).status is Status.EXAMINED


@pytest.mark.parametrize("changes", [{}, {"pixels": 10.0}])
def test_another_network_is_another_version(changes):
    version = ManipulationNetwork.version
    assert find(face(1.0, **changes)).version == version
    assert find(face(1.0, **changes), mark="+0123abcd").version == f"{version}+0123abcd"


def test_it_may_never_clear_a_picture():
    assert not ManipulationNetwork.may_clear
    assert any("never speaks for" in str(text) for text in ManipulationNetwork.limitations)
