"""No false alarm: honest histories audit clean; benchmarks/custody/red_team.py runs a thousand."""

from __future__ import annotations

import pytest

from tests.attacks.custody_histories import honest_history
from tests.attacks.custody_site import Site, SqliteHands
from tests.custody.record_kit import World
from tidewaiter.casework.custody_audit import Place, audit
from tidewaiter.storage.custody_files import FolderOfBlobs
from tidewaiter.storage.custody_sqlite import SqliteLog


@pytest.mark.parametrize("seed", range(12))
def test_an_honest_history_audits_clean(tmp_path, seed):
    audited = honest_history(tmp_path, seed)
    assert audited.discrepancies == ()
    assert audited.confirmed_size == audited.records > 8


def test_an_audit_beside_a_log_that_grows_finds_nothing(tmp_path):
    site = Site(SqliteHands(tmp_path / "log.sqlite"), FolderOfBlobs(tmp_path / "media"), World())
    site.world.enrol("bwc-1")
    site.world.heartbeat("bwc-1")
    site.keep()

    class Growing(SqliteLog):
        """Each reading of this log meets a log that has grown meanwhile."""

        def head(self):
            grow()
            return super().head()

        def leaves(self, start=0, stop=None):
            grow()
            return super().leaves(start, stop)

        def checkpoints(self, start=0, stop=None):
            found = list(super().checkpoints(start, stop))
            grow()
            return iter(found)

    def grow():
        site.world.heartbeat("bwc-1")
        site.keep()

    with Growing(site.hands.path, read_only=True) as store:
        place = Place(store, site.policy, site.blobs, witnesses=site.witnesses)
        assert audit(place).discrepancies == ()
    site.close()
