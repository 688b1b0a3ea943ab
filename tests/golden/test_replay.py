"""The published study, to the unit: counts and clustered intervals of the raw answers.

The figures were counted once by hand and by another program; nothing here may change them.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tidewaiter.face_audit.replay import Replay, replay

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "benchmarks/face_audit/results/replay.json"

# file: answers, people, hits, any, alias hits, wrong, of these the other person in the picture
COUNTS = {
    "Results_vox1.csv": (1600, 50, 1239, 1252, 1239, 13, 0),
    "Results_vox2.csv": (1600, 50, 812, 1032, 1020, 12, 0),
    "Results_FOM.csv": (2176, 58, 1114, 1152, 1140, 12, 0),
    "Results_celebDF.csv": (5639, 57, 1091, 1261, None, 170, 60),
    "Results_FaceApp.csv": (179, 20, 32, 38, 32, 6, 2),
    "ms_CelebDPR.csv": (4902, 50, 284, 336, 298, 38, 0),
    "AWS_Results_CelebDPR.csv": (4902, 50, 539, 1639, 539, 1100, 0),
}
# file: clustered interval (exact arithmetic), bootstrap interval (its seeded stream), effect
INTERVALS = {
    "Results_vox1.csv": ((68.65, 84.74), (69.7, 84.5), 13),
    "Results_vox2.csv": ((38.07, 63.36), (39.2, 62.1), 22),
    "Results_FOM.csv": ((45.10, 57.26), (45.1, 57.1), 8),
    "Results_celebDF.csv": ((13.72, 26.07), (14.2, 25.2), 30),
    "Results_FaceApp.csv": ((5.84, 37.55), (6.7, 31.8), 5),
    "ms_CelebDPR.csv": ((3.56, 8.84), (3.6, 8.5), 14),
    "AWS_Results_CelebDPR.csv": ((6.91, 16.35), (7.0, 15.8), 26),
}
# file: the score from which on a forgery counts as similar, the share, its bootstrap interval
SIMILAR = {
    "Results_vox1.csv": [(None, 74.50, (64.6, 83.6))],
    "Results_vox2.csv": [(None, 61.31, (51.1, 71.2))],
    "Results_FOM.csv": [(None, 93.34, (91.9, 94.7))],
    "Results_celebDF.csv": [(None, 81.38, None)],
    "Results_FaceApp.csv": [(None, 68.16, (55.3, 79.9))],
    "ms_CelebDPR.csv": [(None, 2.39, (1.2, 3.8))],
    "AWS_Results_CelebDPR.csv": [
        (80, 36.17, (29.3, 43.2)),
        (90, 26.23, None),
        (95, 18.46, None),
        (99, 6.49, None),
    ],
}


@pytest.fixture(scope="module")
def result(shared_data) -> Replay:
    folder = shared_data / "tariq"
    if not folder.is_dir():
        pytest.skip("the raw answers of ../shared/data/tariq are not present on this machine")
    return replay(folder)


@pytest.mark.shared
def test_every_count_is_exact(result):
    found = {
        file.file: (
            file.answers,
            file.people,
            file.hits.count,
            file.any_name.count,
            None if file.alias_hits is None else file.alias_hits.count,
            file.wrong_names.count,
            file.wrong_names_host,
        )
        for file in result.files
    }
    assert found == COUNTS
    assert result.altered == ()
    assert result.absent == ()


@pytest.mark.shared
def test_the_clustered_intervals_are_exact_arithmetic(result):
    for file in result.files:
        clustered, bootstrap, effect = INTERVALS[file.file]
        ends = round(file.clustered.lower, 2), round(file.clustered.upper, 2)
        assert ends == clustered, file.file
        drawn = round(file.bootstrap.lower, 1), round(file.bootstrap.upper, 1)
        assert drawn == bootstrap, file.file
        # The published effect is of a bootstrap variance; ours is that of the formula.
        assert file.design_effect == pytest.approx(effect, rel=0.21), file.file


@pytest.mark.shared
def test_the_shares_found_similar_are_exact(result):
    for file in result.files:
        expected = SIMILAR[file.file]
        assert [s.at_least for s in file.similarity] == [cut for cut, _, _ in expected]
        for share, (_, percent, ends) in zip(file.similarity, expected, strict=True):
            assert round(share.share.percent, 2) == percent
            if ends:
                assert share.bootstrap.lower == pytest.approx(ends[0], abs=1)
                assert share.bootstrap.upper == pytest.approx(ends[1], abs=1)


@pytest.mark.shared
def test_ninety_four_of_a_hundred_people_were_impersonated_at_least_once(result):
    assert [file.people_hit for file in result.files[:2]] == [48, 46]
    assert [file.similarity_with_host for file in result.files].count(True) == 1


@pytest.mark.shared
def test_the_committed_result_is_what_the_answers_give(result):
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == json.loads(result.model_dump_json())
