"""No false alarm: honest histories audit clean; benchmarks/custody/red_team.py runs a thousand."""

from __future__ import annotations

import pytest

from tests.attacks.custody_histories import honest_history


@pytest.mark.parametrize("seed", range(12))
def test_an_honest_history_audits_clean(tmp_path, seed):
    audited = honest_history(tmp_path, seed)
    assert audited.discrepancies == ()
    assert audited.confirmed_size == audited.records > 8
