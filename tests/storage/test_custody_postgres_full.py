"""A PostgreSQL server whose disk is full, and one that is ended in the midst of a commit."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import pytest

from tests.storage.cut_cable import Cable
from tests.storage.private_postgres import found_binaries, private_postgres
from tidewaiter.casework.custody_audit import Place, audit
from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.policy import Policy
from tidewaiter.errors import StorageError, UncertainCommit
from tidewaiter.storage.custody_postgres import PostgresLog

psycopg = pytest.importorskip(
    "psycopg", reason="psycopg is not installed; see the extra `postgres`"
)

pytestmark = pytest.mark.xdist_group("postgres")
ORIGIN = "custody.customs.example/2026"
KEY = SigningKey(ORIGIN, ED25519_NOTE, b"k" * 32)
POLICY = Policy.parse(f"log {KEY.verifier}\nquorum none\n".encode())
BATCH = 16
# Random, or the server would press them into nothing; 2 kB, so that 16 fill some pages.
BODIES = [random.Random(n).randbytes(2000) for n in range(4000)]
LEFT_BYTES = 3 << 20


@pytest.fixture
def volume():
    """A disk of 96 MB, for root only; PostgreSQL needs 40 of them before any entry."""
    if found_binaries() is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    # A short path: it will hold a socket. The server's own account must reach it.
    above = Path(tempfile.mkdtemp(prefix="tw-full-"))
    above.chmod(0o755)
    folder = above / "volume"
    folder.mkdir()
    mounting = ["mount", "-t", "tmpfs", "-o", "size=96m,mode=0755", "tmpfs", folder]
    try:
        if os.geteuid() or subprocess.run(mounting, capture_output=True, check=False).returncode:
            pytest.skip("a small disk cannot be mounted here; root may where mounting is allowed")
        yield folder
        subprocess.run(["umount", "-l", folder], check=True)
    finally:
        shutil.rmtree(above, ignore_errors=True)


@pytest.fixture(params=["records", "journal"])
def server(request, volume):
    """A server whose tables, or whose write-ahead log, are on the small disk."""
    (volume / request.param).mkdir()
    where = {"place": volume / "records"} if request.param == "records" else {}
    if not where:
        where = {"journal": volume / "journal"}
    with private_postgres(**where) as made:
        PostgresLog.create(made.address, ORIGIN, "filled").close()
        yield made


@contextlib.contextmanager
def filled(volume: Path):
    """Within it only a little space is left."""
    free = os.statvfs(volume)
    ballast = volume / "ballast"
    ballast.write_bytes(bytes(free.f_bavail * free.f_frsize - LEFT_BYTES))
    try:
        yield
    finally:
        ballast.unlink()


def append_until_it_fails(log) -> int:
    """Raises what the log raises; gives what was acknowledged until then by its note."""
    for start in range(0, len(BODIES), BATCH):
        try:
            receipts = log.append(BODIES[start : start + BATCH])
        except StorageError as error:
            error.add_note(str(start))
            raise
        assert receipts[-1].size == start + BATCH
    raise AssertionError("the disk was never full")


def must_be_whole(server, acknowledged: int) -> None:
    """The log goes on where it was, an audit finds nothing, and everything can be handed in."""
    with PostgresLog(server.address, "filled") as store:
        log = open_log(store, KEY)
        assert log.discrepancies == []
        assert log.head.size in {acknowledged, acknowledged + BATCH}
        assert log.head.root == Tree(map(leaf_hash, BODIES[: log.head.size])).root()
        assert log.append(BODIES[: acknowledged + 100])[-1].index == acknowledged + 99
        audited = audit(Place(store, POLICY), entries=False)
    assert audited.discrepancies == ()
    assert audited.records == acknowledged + 100


def test_a_full_disk_loses_nothing_acknowledged_and_the_log_goes_on(server, volume):
    with PostgresLog(server.address, "filled") as store:
        log = open_log(store, KEY)
        with filled(volume), pytest.raises(StorageError) as failed:
            append_until_it_fails(log)
        acknowledged = int(failed.value.__notes__[0])
        assert acknowledged > 0
        assert "\n" not in str(failed.value)
        # A server without space for its write-ahead log ends itself, or recovers for a while.
        server.settle()
        if not isinstance(failed.value, UncertainCommit):
            assert "none of this batch was stored or acknowledged" in str(failed.value)
            # The same process goes on, without being started again.
            assert log.head.size == acknowledged
            acknowledged += BATCH
            assert log.append(BODIES[:acknowledged])[-1].index == acknowledged - 1
    must_be_whole(server, acknowledged)


@pytest.fixture
def shared_server(postgres_server):
    postgres_server.execute("DROP SCHEMA IF EXISTS filled CASCADE")
    PostgresLog.create(postgres_server.address, ORIGIN, "filled").close()
    return postgres_server


@pytest.mark.parametrize("ended", ["politely", "by kill -9"])
def test_a_backend_ended_while_it_commits_is_looked_up(shared_server, ended):
    """The commit is on disk and waits for a second server that there is none of: it never answers."""
    with PostgresLog(shared_server.address, "filled") as store:
        log = open_log(store, KEY)
        log.append(BODIES[:BATCH])
        shared_server.execute(
            "ALTER SYSTEM SET synchronous_standby_names = 'nobody'", "SELECT pg_reload_conf()"
        )
        ending = threading.Thread(target=end_the_waiting_backend, args=(shared_server, ended))
        ending.start()
        # After a kill the server starts itself again, and may not be back in time to be asked.
        may_stay_open = ended == "by kill -9"
        with contextlib.suppress(UncertainCommit) if may_stay_open else contextlib.nullcontext():
            receipts = log.append(BODIES[BATCH : 2 * BATCH])
            assert receipts[-1].index == 2 * BATCH - 1
            assert all(one.is_new for one in receipts)
        ending.join()
    must_be_whole(shared_server, 2 * BATCH)


def end_the_waiting_backend(server, ended: str) -> None:
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    end = time.monotonic() + 20
    with psycopg.connect(server.address, autocommit=True) as connection:
        while (found := connection.execute(waiting).fetchone()) is None:
            assert time.monotonic() < end, "no backend waits in its commit"
            time.sleep(0.01)
        if ended == "politely":
            connection.execute("SELECT pg_terminate_backend(%s)", found)
        else:
            os.kill(found[0], signal.SIGKILL)
    while time.monotonic() < end:
        # A server that starts itself again lets nobody in until it is there.
        with contextlib.suppress(psycopg.OperationalError):
            server.execute(
                "ALTER SYSTEM RESET synchronous_standby_names", "SELECT pg_reload_conf()"
            )
            return
        time.sleep(0.05)


@pytest.mark.parametrize("arrives", [True, False])
def test_a_line_cut_at_the_commit_is_looked_up(shared_server, tmp_path, arrives):
    """A cable between log and server: COMMIT is sent, and no answer ever comes."""
    with Cable(shared_server.folder, arrives=arrives) as cable:
        address = shared_server.address.replace(
            f"host={shared_server.folder}", f"host={cable.folder}"
        )
        with PostgresLog(address, "filled") as store:
            log = open_log(store, KEY)
            log.append(BODIES[:BATCH])
            cable.cuts_at = b"COMMIT"
            if arrives:
                assert log.append(BODIES[BATCH : 2 * BATCH])[-1].is_new
            else:
                with pytest.raises(StorageError, match="none of this batch was stored"):
                    log.append(BODIES[BATCH : 2 * BATCH])
            assert log.head.size == BATCH * (2 if arrives else 1)
    must_be_whole(shared_server, BATCH * (2 if arrives else 1))
