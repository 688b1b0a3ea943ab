"""A run killed at any point and gone on with ends in the same tables, and repeats no call.

Two hundred random points are in benchmarks/face_audit/kills.py; here are a few of every kind.
"""

from __future__ import annotations

import random
import sys

import pytest

from tests.face_audit.killing import killed_at, undisturbed

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9 on Windows"),
]


def test_a_killed_run_ends_in_the_same_tables_and_repeats_no_recorded_call(tmp_path):
    steps, wanted = undisturbed(tmp_path / "whole")
    rng = random.Random(4)
    doubts = 0
    for kills in ([2], [5], [6], [7], [rng.randrange(8, steps - 20)], [50, 61, 140]):
        after = killed_at(kills, tmp_path / "killed", wanted)
        assert after.same_tables, kills
        assert after.repeated == 0, kills
        assert after.in_doubt <= len(kills), kills
        doubts += after.in_doubt
    assert doubts > 0
