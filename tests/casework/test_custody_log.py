"""The log over a real SQLite file: receipts, idempotence, restart checks, proofs."""

from __future__ import annotations

import contextlib
import sqlite3
import threading

import pytest

from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.keys import ED25519_COSIGNATURE, ED25519_NOTE, SigningKey
from tidewaiter.custody.merkle import leaf_hash, verify_inclusion
from tidewaiter.custody.note import Note, open_note
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.store import Head, Witnessed
from tidewaiter.errors import (
    ConfigurationError,
    InputError,
    IntegrityError,
    LimitExceeded,
    LogContradicted,
    StorageError,
    UncertainCommit,
)
from tidewaiter.storage.custody_sqlite import SqliteLog

ORIGIN = "custody.customs.example/2026"
KEY = SigningKey(ORIGIN, ED25519_NOTE, b"k" * 32)
WITNESS_KEYS = [
    SigningKey(f"{n}.example", ED25519_COSIGNATURE, n.encode() * 4)
    for n in ("vigilant", "examiner", "outsider")
]
POLICY = Policy.parse(
    "\n".join(
        [
            f"log {KEY.verifier}",
            *[f"witness w{n} {key.verifier}" for n, key in enumerate(WITNESS_KEYS)],
            "group outside 2 w0 w1 w2",
            "quorum outside\n",
        ]
    ).encode()
)


class Remembering:
    """A witness that says it confirmed this head."""

    def __init__(self, head: Head | None) -> None:
        self.name, self.head = "vigilance", head

    def latest(self) -> Witnessed:
        return Witnessed(self.name, self.head, time_ms=1_700_000_000_000)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "log.sqlite"


@pytest.fixture
def log(path):
    made = open_log(SqliteLog.create(path, ORIGIN), KEY)
    yield made
    made.close()


def reopened(log, path, *witnesses):
    log.close()
    return open_log(SqliteLog(path), KEY, witnesses)


def changed(path, *statements):
    """Write past the program, as an administrator of the database can."""
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)


def confirmed_by(log, size, *numbers):
    checkpoint = Checkpoint.parse(log.checkpoint(size).text)
    for number in numbers:
        line = cosign(checkpoint, WITNESS_KEYS[number], 1_790_000_000).line
        log.confirm(size, POLICY.witnesses[number], line.encode())


def test_receipts_follow_the_order_of_the_batch(log):
    first = log.append([b"one", b"two"])
    second = log.append([b"three"])
    assert [(one.index, one.size, one.is_new) for one in first + second] == [
        (0, 2, True),
        (1, 2, True),
        (2, 3, True),
    ]
    assert log.head.size == 3


def test_the_same_record_twice_gets_the_same_place(log):
    log.append([b"one", b"two"])
    again = log.append([b"two", b"three", b"three", b"one"])
    assert [(one.index, one.is_new) for one in again] == [
        (1, False),
        (2, True),
        (2, True),
        (0, False),
    ]
    assert [one.size for one in log.append([b"one"])] == [3]
    assert log.head.size == 3


def test_the_checkpoint_is_signed_and_over_the_root(log):
    log.append([b"one", b"two", b"three"])
    note = log.checkpoint()
    assert open_note(note, [KEY.verifier]) == [KEY.verifier]
    assert Checkpoint.parse(note.text) == Checkpoint(ORIGIN, 3, log.head.root)
    with pytest.raises(InputError, match="no checkpoint over 2"):
        log.checkpoint(2)


@pytest.mark.parametrize(("body", "error"), [(b"", InputError), (b"x" * 65_536, LimitExceeded)])
def test_a_record_of_an_impossible_size_spoils_nothing(log, body, error):
    with pytest.raises(error):
        log.append([b"good", body])
    assert log.head.size == 0
    assert log.append([b"x" * 65_535])[0].index == 0


def test_after_a_restart_the_log_goes_on(log, path):
    log.append([b"one", b"two"])
    again = reopened(log, path, Remembering(Head(2, log.head.root)), Remembering(None))
    assert again.discrepancies == []
    assert again.append([b"three"])[0].index == 2
    again.close()


def test_a_witness_that_knows_more_stops_the_log(log, path):
    log.append([b"one"])
    again = reopened(log, path, Remembering(Head(7, b"r" * 32)))
    assert [(one.name, one.first, one.last) for one in again.discrepancies] == [
        ("database-rolled-back", 1, 6)
    ]
    with pytest.raises(LogContradicted, match="database-rolled-back"):
        again.append([b"two"])
    assert again.head.size == 1
    again.close()


def test_a_witness_that_knows_another_root_stops_the_log(log, path):
    log.append([b"one", b"two"])
    again = reopened(log, path, Remembering(Head(1, b"r" * 32)))
    assert [one.name for one in again.discrepancies] == ["history-rewritten"]
    with pytest.raises(LogContradicted):
        again.append([b"three"])
    again.close()


@pytest.mark.parametrize(
    ("statement", "name", "first", "last"),
    [
        ("DELETE FROM leaf WHERE i = 4", "tail-truncated", 4, 4),
        ("UPDATE leaf SET hash = zeroblob(32) WHERE i = 3", "history-rewritten", 2, 3),
        ("UPDATE head SET root = zeroblob(32)", "history-rewritten", 0, 4),
        ("UPDATE head SET size = 9", "tail-truncated", 5, 8),
        ("INSERT INTO leaf VALUES (5, zeroblob(32), 'x')", "backdated-insert", 5, 5),
        ("DELETE FROM checkpoint WHERE size = 5", "checkpoint-invalid", 0, 4),
        ("UPDATE checkpoint SET note = 'x' WHERE size = 5", "checkpoint-invalid", 0, 4),
    ],
)
def test_what_an_administrator_changed_stops_the_log_at_its_start(
    log, path, statement, name, first, last
):
    for batch in ([b"one", b"two"], [b"three", b"four"], [b"five"]):
        log.append(batch)
    log.close()
    changed(path, statement)
    again = open_log(SqliteLog(path), KEY)
    assert (name, first, last) in [(one.name, one.first, one.last) for one in again.discrepancies]
    with pytest.raises(LogContradicted):
        again.append([b"six"])
    again.close()


def test_a_checkpoint_of_another_key_is_not_this_logs(log, path):
    log.append([b"one"])
    log.close()
    again = open_log(SqliteLog(path), SigningKey(ORIGIN, ED25519_NOTE, b"other key" + b"k" * 23))
    assert [one.name for one in again.discrepancies] == ["checkpoint-invalid"]
    again.close()


def test_a_key_of_another_log_is_refused(path):
    with (
        SqliteLog.create(path, ORIGIN) as store,
        pytest.raises(ConfigurationError, match="elsewhere"),
    ):
        open_log(store, SigningKey("elsewhere", ED25519_NOTE, b"k" * 32))


def test_somebody_who_writes_past_the_lock_is_noticed(log, path):
    log.append([b"one"])
    changed(path, "UPDATE head SET size = 2")
    with pytest.raises(IntegrityError, match="somebody else wrote"):
        log.append([b"two"])
    with pytest.raises(StorageError, match="start the log again"):
        log.append([b"two"])


class Failing:
    """A store that fails once, in a way of our choice."""

    def __init__(self, store, error, *, committed=False):
        self._store, self._error, self._committed = store, error, committed

    def __getattr__(self, name):
        return getattr(self._store, name)

    def append(self, *batch):
        error, self._error = self._error, None
        if error is None or self._committed:
            self._store.append(*batch)
        if error is not None:
            raise error


def test_after_a_failure_before_the_commit_the_log_reads_itself_again(path):
    log = open_log(Failing(SqliteLog.create(path, ORIGIN), StorageError("full")), KEY)
    with pytest.raises(StorageError, match="full"):
        log.append([b"one"])
    assert log.head.size == 0
    assert log.append([b"one"])[0].index == 0
    log.close()


@pytest.mark.parametrize("committed", [False, True])
def test_after_an_uncertain_commit_only_a_restart_helps(path, committed):
    store = Failing(SqliteLog.create(path, ORIGIN), UncertainCommit("torn"), committed=committed)
    log = open_log(store, KEY)
    with pytest.raises(UncertainCommit):
        log.append([b"one"])
    with pytest.raises(StorageError, match="start the log again"):
        log.append([b"one"])
    again = reopened(log, path)
    assert again.append([b"one"])[0] == again.append([b"one"])[0].__class__(
        0, leaf_hash(b"one"), 1, is_new=not committed
    )
    again.close()


def test_records_are_proven_under_the_earliest_confirmed_checkpoint(log):
    log.append([b"one", b"two"])
    log.append([b"three"])
    confirmed_by(log, 2, 0)
    confirmed_by(log, 3, 0, 2)
    proof = log.prove(1, POLICY)
    checkpoint = Checkpoint.parse(Note.parse(proof.checkpoint_note).text)
    assert (checkpoint.size, proof.index) == (3, 1)
    verify_inclusion(1, 3, leaf_hash(b"two"), proof.path, checkpoint.root)
    assert len(Note.parse(proof.checkpoint_note).signatures) == 3


def test_what_no_quorum_confirmed_is_not_proven(log):
    log.append([b"one"])
    confirmed_by(log, 1, 0)
    with pytest.raises(InputError, match="not yet confirmed by 2 of"):
        log.prove(0, POLICY)
    with pytest.raises(InputError, match="no record 1"):
        log.prove(1, POLICY)


def test_a_cosignature_by_somebody_else_is_not_kept(log):
    log.append([b"one"])
    line = cosign(Checkpoint.parse(log.checkpoint().text), WITNESS_KEYS[1], 5).line.encode()
    with pytest.raises(IntegrityError, match="none of the lines"):
        log.confirm(1, POLICY.witnesses[0], line)
    other = cosign(Checkpoint(ORIGIN, 1, b"r" * 32), WITNESS_KEYS[0], 5).line.encode()
    with pytest.raises(IntegrityError):
        log.confirm(1, POLICY.witnesses[0], other)
    assert log.store.cosignatures(1) == {}


def test_many_threads_append_without_gaps_or_doubles(log):
    receipts = []

    def work(number):
        for n in range(20):
            receipts.extend(log.append([f"{number} {n}".encode(), f"all {n}".encode()]))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert log.head.size == 4 * 20 + 20
    assert {one.index for one in receipts} == set(range(100))
