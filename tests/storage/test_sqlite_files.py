"""Files whose disk is full: the reason is told, and the next transaction begins from nothing."""

from __future__ import annotations

import sqlite3

import pytest

from tidewaiter.custody.merkle import EMPTY_ROOT, leaf_hash
from tidewaiter.custody.store import Head, StoredCheckpoint, StoredLeaf
from tidewaiter.errors import StorageError
from tidewaiter.jobs.queue import Queue
from tidewaiter.storage.custody_sqlite import SqliteLog
from tidewaiter.storage.sqlite_files import ErasingFile

SCHEMA = "CREATE TABLE IF NOT EXISTS kept (n INTEGER PRIMARY KEY, bytes BLOB);"


@pytest.fixture
def file(tmp_path):
    made = ErasingFile(tmp_path / "secrets.sqlite", "the keys in", SCHEMA)
    yield made
    made.close()


class Faulty:
    """The file's connection, of which one statement fails as a disk would make it fail."""

    def __init__(self, plain, statement, *, rolls_back):
        self._plain, self._statement, self._rolls_back = plain, statement, rolls_back

    def __getattr__(self, name):
        return getattr(self._plain, name)

    def execute(self, statement, *values):
        if statement.startswith(self._statement):
            self._statement = "never again"
            if self._rolls_back:  # as SQLite does by itself after some failures
                self._plain.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")
        return self._plain.execute(statement, *values)


@pytest.mark.parametrize("statement", ["INSERT", "COMMIT"])
@pytest.mark.parametrize("rolls_back", [True, False])
def test_a_transaction_that_fails_names_why_and_leaves_nothing_open(file, statement, rolls_back):
    file._database = Faulty(file._database, statement, rolls_back=rolls_back)
    with pytest.raises(StorageError, match="disk is full"), file.transaction():
        file.execute("INSERT INTO kept VALUES (1, ?)", b"half")
    assert file.rows("SELECT n FROM kept") == []
    with file.transaction():
        file.execute("INSERT INTO kept VALUES (2, ?)", b"whole")
    assert file.rows("SELECT n FROM kept") == [(2,)]


@pytest.mark.parametrize("rolls_back", [True, False])
def test_a_queue_whose_commit_fails_goes_on_from_what_it_had(tmp_path, rolls_back):
    queue = Queue(tmp_path / "queue.sqlite")
    queue._db = Faulty(queue._db, "COMMIT", rolls_back=rolls_back)
    with pytest.raises(StorageError, match="disk is full"):
        queue.add([("lost", {})])
    queue.add([("kept", {})])
    assert [task.key for task in queue.tasks()] == ["kept"]
    queue.close()


@pytest.mark.parametrize("rolls_back", [True, False])
def test_a_log_whose_index_could_not_be_written_is_added_to_all_the_same(tmp_path, rolls_back):
    with SqliteLog.create(tmp_path / "log.sqlite", "origin") as store:
        store._database = Faulty(store._database, "COMMIT", rolls_back=rolls_back)
        with pytest.raises(StorageError, match="disk is full"):
            store.place(0, 0, [(b"word", 0)])
        leaf = StoredLeaf(0, b"one", leaf_hash(b"one"))
        store.append(Head(0, EMPTY_ROOT), [leaf], StoredCheckpoint(1, leaf.leaf_hash, b"note"))
        assert store.head().size == 1
        assert store.places(b"word") == []
