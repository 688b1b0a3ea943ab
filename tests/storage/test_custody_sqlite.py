"""What is SQLite's own: reading without writing, files that are none, crashes while making one."""

from __future__ import annotations

import hashlib

import pytest

from tidewaiter.custody.merkle import EMPTY_ROOT, leaf_hash
from tidewaiter.custody.store import Head, StoredCheckpoint, StoredLeaf
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage.custody_sqlite import SqliteLog
from tidewaiter.storage.sqlite_files import connected


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.sqlite"


def filled(path) -> None:
    with SqliteLog.create(path, "origin") as store:
        leaf = StoredLeaf(0, b"one", leaf_hash(b"one"))
        store.append(Head(0, EMPTY_ROOT), [leaf], StoredCheckpoint(1, leaf.leaf_hash, b"note"))


def test_reading_changes_no_byte_and_leaves_nothing_beside(path):
    filled(path)
    before = hashlib.sha256(path.read_bytes()).hexdigest()
    path.with_name("log.sqlite.lock").unlink()
    with SqliteLog(path, read_only=True) as store:
        assert store.head().size == 1
        assert [leaf.body for leaf in store.leaves()] == [b"one"]
        with pytest.raises(StorageError, match="readonly"):
            store.cosign(1, "w", b"line")
    assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    assert {one.name for one in path.parent.iterdir()} <= {
        "log.sqlite",
        "log.sqlite-shm",
        "log.sqlite-wal",
    }


def test_a_file_that_is_no_database_is_named(path):
    path.write_bytes(b"no database" * 500)
    for read_only in (False, True):
        with pytest.raises(StorageError, match=r"log\.sqlite"):
            SqliteLog(path, read_only=read_only)


def test_a_log_cut_in_half_is_named(path):
    filled(path)
    path.write_bytes(path.read_bytes()[:6000])
    with pytest.raises(StorageError):
        list(SqliteLog(path, read_only=True).leaves())


def test_a_journal_that_does_not_sync_is_refused():
    from pathlib import Path

    with pytest.raises(ConfigurationError, match="local disk"):
        connected(Path(":memory:"))


def test_what_was_left_of_making_a_log_is_in_nobodys_way(path):
    (path.parent / f".{path.name}.1.new").write_bytes(b"half")
    filled(path)
    assert SqliteLog(path, read_only=True).origin == "origin"


def test_a_cell_of_absurd_size_is_not_read(path):
    filled(path)
    import contextlib
    import sqlite3

    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("DROP TRIGGER leaf_kept")
        database.execute("UPDATE leaf SET body = zeroblob(9000000)")
    with SqliteLog(path, read_only=True) as store, pytest.raises(StorageError, match="too big"):
        list(store.leaves())
