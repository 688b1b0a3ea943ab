"""Signatures verified in worker processes: the same audit, whatever becomes of the workers."""

from __future__ import annotations

import os

import pytest

from tests.attacks.custody_site import Site, SqliteHands
from tidewaiter.casework.custody_audit import Place, audit
from tidewaiter.casework.custody_reading import verify_later
from tidewaiter.custody.quick_judging import QuickJudge
from tidewaiter.jobs import custody_signers
from tidewaiter.jobs.custody_signers import usable_processors, verify_in_workers
from tidewaiter.storage.custody_files import FolderOfBlobs


class Deadly:
    """Ends the process that reads it."""

    def __reduce__(self):
        return os._exit, (1,)


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A log in which somebody forged two records, read in many small parts."""
    monkeypatch.setattr(custody_signers, "FEWEST_RECORDS", 10)
    monkeypatch.setattr("tidewaiter.casework.custody_reading.AT_ONCE", 4)
    site = Site(SqliteHands(tmp_path / "log.sqlite"), FolderOfBlobs(tmp_path / "media"))
    site.world.enrol("bwc-1")
    for _ in range(30):
        site.world.heartbeat("bwc-1")
    site.keep()
    bodies = site.bodies()
    bodies[20] = bodies[20].replace(b'"boot-1"', b'"boot-2"')
    bodies[31] = bodies[31].replace(b'"v":1', b'"v":2')
    site.close()
    site.rewrite(bodies)
    with site.hands.reopen() as store:
        yield Place(store, site.policy, witnesses=site.witnesses)


def test_two_workers_find_what_one_process_finds(place, monkeypatch):
    alone = audit(place, verify=verify_in_workers(0))
    assert {"bad-signature", "record-malformed"} <= {one.name for one in alone.discrepancies}
    known, feed = [], QuickJudge.feed

    def fed(quick, index, body):
        known.append(index in quick.judge.verified)
        return feed(quick, index, body)

    monkeypatch.setattr(QuickJudge, "feed", fed)
    assert audit(place, verify=verify_in_workers(2)) == alone
    # All but the two forged ones were known to be signed before the judge came to them.
    assert [index for index, is_known in enumerate(known) if not is_known] == [20, 31]


def test_workers_that_die_cost_no_finding(place, monkeypatch):
    alone = audit(place)
    monkeypatch.setattr(
        "tidewaiter.casework.custody_reading.candidate_keys", lambda _: {("a", 0): Deadly()}
    )
    assert audit(place, verify=verify_in_workers(1)) == alone


def test_a_short_log_starts_no_worker(monkeypatch):
    monkeypatch.setattr(custody_signers, "ProcessPoolExecutor", None)
    parts = [[], []]
    assert list(verify_in_workers(4)(parts, dict)) == [([], {}), ([], {})]


def test_there_is_a_processor():
    assert usable_processors() >= 1
    assert verify_in_workers(0) is verify_later
