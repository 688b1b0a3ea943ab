"""A run killed at any point and gone on with ends in the same tables, and repeats no call.

Two hundred random steps and as many random moments are in benchmarks/face_audit/kills.py;
here are a few of every kind.
"""

from __future__ import annotations

import random
import sys

import pytest

from tests.face_audit.killing import killed_after, killed_at, nursery, served, undisturbed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows"),
]


@pytest.fixture(scope="module")
def runs():
    with nursery() as found:
        yield found


def test_a_killed_run_ends_in_the_same_tables_and_repeats_no_recorded_call(runs, tmp_path):
    steps, wanted = undisturbed(runs, tmp_path / "whole")
    rng = random.Random(4)
    doubts = 0
    for kills in ([2], [5], [6], [7], [rng.randrange(8, steps - 20)], [50, 61, 140]):
        after = killed_at(runs, kills, tmp_path / "killed", wanted)
        assert after.same_tables, kills
        assert after.repeated == 0, kills
        assert after.in_doubt <= len(kills), kills
        doubts += after.in_doubt
    assert doubts > 0


def test_killed_at_a_moment_before_a_real_server_it_keeps_the_cap_and_its_tables(runs, tmp_path):
    seconds, calls, wanted = served(runs, tmp_path / "whole")
    moments = (seconds / 20, seconds / 10)
    after = killed_after(runs, moments, tmp_path / "killed", calls * 2 // 3, wanted, seed=3)
    assert after.kills == 2
    assert after.same_tables
    assert after.repeated == after.over_the_cap == 0
    assert after.in_doubt <= 2
