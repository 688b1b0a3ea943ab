"""Faults at a seeded sample of points; benchmarks/custody/faults.py runs ten thousand."""

from __future__ import annotations

import random

import pytest

from tests.storage import custody_faults as faults

SEED = 20_261


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    if not faults.can_inject():
        pytest.skip("strace is not installed or may not attach; on Debian: apt-get install strace")
    plan = faults.make_plan(random.Random(SEED))
    folder = tmp_path_factory.mktemp("faults") / "base"
    folder.mkdir()
    faults.make_base(folder, plan)
    return folder, plan


def test_an_undisturbed_run_is_whole(prepared):
    folder, plan = prepared
    counts = faults.counted_calls(folder, plan)
    assert counts["pwrite64"] >= 4
    assert counts["fdatasync"] >= 1
    assert counts["rename"] >= 1


@pytest.mark.parametrize("fault", faults.FAULTS)
def test_a_fault_at_any_call_loses_nothing_acknowledged(prepared, fault):
    folder, plan = prepared
    rng = random.Random(f"{SEED} {fault}")
    counts = faults.counted_calls(folder, plan)
    points = [(call, number) for call in faults.CALLS for number in range(1, counts[call] + 1)]
    outcomes = set()
    for call, number in rng.sample(points, 25):
        outcome, wrong = faults.injected(folder, plan, call, fault, number)
        assert not wrong, (call, number, wrong)
        outcomes.add(outcome)
    assert outcomes & ({"killed"} if "killed" in fault else {"refused"})


def test_a_power_cut_at_any_moment_loses_nothing_acknowledged(prepared):
    folder, plan = prepared
    calls = faults.recorded(folder, plan)
    assert sum(call.kind == "receipt" for call in calls) == len(plan.batches)
    rng = random.Random(SEED)
    for _ in range(60):
        assert faults.power_cut(folder, plan, calls, rng) == ""


def test_the_rebuilt_disk_shows_a_log_that_did_not_sync(prepared):
    """The harness can fail: with the log's syncs taken out, acknowledged records are lost."""
    folder, plan = prepared
    calls = faults.recorded(folder, plan)
    unsynced = [one for one in calls if not (one.kind == "sync" and "sqlite" in one.path)]
    rng = random.Random(SEED)
    wrong = [faults.power_cut(folder, plan, unsynced, rng) for _ in range(40)]
    assert any(wrong)
