"""A witness's memory survives, is checked as it is replaced, and is never made up."""

import sqlite3
import subprocess
import sys
import threading

import pytest

from tests.custody.logs import SmallLog
from tests.custody.signers import LOG, ORIGIN, VIGILANCE
from tidewaiter.custody.fork import fork_between
from tidewaiter.custody.witness import (
    ANOTHER_ROOT,
    NOT_CONTINUED,
    AddCheckpoint,
    Witness,
    WitnessAnswer,
)
from tidewaiter.errors import ConfigurationError, IntegrityError, StorageError
from tidewaiter.storage import witness_book
from tidewaiter.storage.key_file import read_keys, write_keys
from tidewaiter.storage.witness_book import SqliteWitnessBook

KEYS = str(VIGILANCE.verifier)
WITNESS = Witness((VIGILANCE,), {ORIGIN: (LOG.verifier,)})


@pytest.fixture
def path(tmp_path):
    SqliteWitnessBook.create(tmp_path / "book.db", KEYS).close()
    return tmp_path / "book.db"


def test_the_memory_is_there_when_the_book_is_opened_again(path):
    log = SmallLog()
    with SqliteWitnessBook(path, KEYS) as book:
        assert WITNESS.add_checkpoint(log.request(0, 5), book, 100).status == 200
        remembered = book.last(ORIGIN)
    with SqliteWitnessBook(path, KEYS) as book:
        assert book.last(ORIGIN) == remembered
        assert WITNESS.add_checkpoint(log.request(0, 9), book, 101).body == "5\n"
        assert WITNESS.add_checkpoint(log.request(5, 9), book, 101).status == 200
        assert book.last(ORIGIN).size == 9


def test_a_witness_that_forgot_does_not_start(tmp_path, path):
    with pytest.raises(ConfigurationError, match="could confirm a fork"):
        SqliteWitnessBook(tmp_path / "gone.db", KEYS)
    assert not (tmp_path / "gone.db").exists()
    with pytest.raises(ConfigurationError, match="never emptied"):
        SqliteWitnessBook.create(path, KEYS)
    with pytest.raises(IntegrityError, match="another key"):
        SqliteWitnessBook(path, str(LOG.verifier))


def test_a_file_that_is_no_book_is_refused(tmp_path):
    (tmp_path / "empty.db").write_bytes(b"")
    (tmp_path / "text.db").write_bytes(b"no database at all, only text" * 100)
    for name in ("empty.db", "text.db"):
        with pytest.raises(StorageError, match=name):
            SqliteWitnessBook(tmp_path / name, KEYS)


def test_a_disk_without_full_syncs_is_refused(path, monkeypatch):
    plain = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda *_, **__: plain(":memory:"))
    with pytest.raises(ConfigurationError, match="use a local disk"):
        SqliteWitnessBook(path, KEYS)


def test_a_judgement_that_fails_changes_nothing(path):
    with SqliteWitnessBook(path, KEYS) as book:
        with pytest.raises(ZeroDivisionError):
            book.step(ORIGIN, lambda _: 1 // 0)
        assert book.last(ORIGIN) is None
        assert WITNESS.add_checkpoint(SmallLog().request(0, 2), book, 100).status == 200


class FailingCommit:
    """A connection whose commits fail, before or after they took effect."""

    def __init__(self, database, *, commits):
        self._database, self._commits = database, commits

    def execute(self, statement, *values):
        if statement == "COMMIT":
            if self._commits:
                self._database.execute("COMMIT")
            raise sqlite3.OperationalError("disk I/O error")
        return self._database.execute(statement, *values)

    def close(self):
        self._database.close()


@pytest.mark.parametrize("commits", [False, True])
def test_nothing_is_told_when_the_disk_fails_at_the_commit(path, commits):
    log = SmallLog()
    with SqliteWitnessBook(path, KEYS) as book:
        WITNESS.add_checkpoint(log.request(0, 5), book, 100)
        sound, book._database = book._database, FailingCommit(book._database, commits=commits)
        with pytest.raises(StorageError, match="disk I/O error"):
            WITNESS.add_checkpoint(log.request(5, 9), book, 100)
        book._database = sound
        # Stored or not, what was confirmed once can be asked for again, and nothing else.
        assert book.last(ORIGIN).size == (9 if commits else 5)
        again = WITNESS.add_checkpoint(log.request(9 if commits else 5, 9), book, 100)
        assert again.status == 200
        assert WITNESS.add_checkpoint(SmallLog("fork").request(9, 10), book, 100).status == 422


def test_forks_are_kept_up_to_a_bound(path, monkeypatch):
    monkeypatch.setattr(witness_book, "MOST_KEPT", 2)
    fork = SmallLog("fork")
    with SqliteWitnessBook(path, KEYS) as book:
        WITNESS.add_checkpoint(SmallLog().request(0, 5), book, 100)
        known = book.last(ORIGIN).note
        for size in (6, 7, 8, 5):
            assert WITNESS.add_checkpoint(fork.request(5, size), book, 100).status == 422
        kept = book.kept()
    assert [row[:2] for row in kept] == [(ORIGIN, 100)] * 3
    signed = [AddCheckpoint.parse(row[3]).note for row in kept]
    # What proves a fork by itself finds a place though others took theirs.
    assert signed == [fork.note(6), fork.note(7), fork.note(5)]
    assert [row[2] for row in kept] == [NOT_CONTINUED, NOT_CONTINUED, ANOTHER_ROOT]
    assert kept[2][4] == known


def test_who_saw_a_checkpoint_cannot_fill_the_place_of_the_next_forks(path, monkeypatch):
    """Checkpoints are public, and false proofs under them anybody's to write."""
    monkeypatch.setattr(witness_book, "MOST_KEPT", 2)
    log, fork = SmallLog(), SmallLog("fork", forked_at=2)
    with SqliteWitnessBook(path, KEYS) as book:
        WITNESS.add_checkpoint(log.request(0, 5), book, 100)
        for n in range(20):
            junk = (bytes([n]) * 32,)
            for size in (5, 6):
                body = AddCheckpoint(5, junk, log.note(size)).encoded
                assert WITNESS.add_checkpoint(body, book, 100).status == 422
        assert len(book.kept()) == 1
        for n in range(5):
            WITNESS.add_checkpoint(AddCheckpoint(n, (), fork.note(5)).encoded, book, 100)
        kept = [AddCheckpoint.parse(row[3]).note for row in book.kept()]
    assert kept == [log.note(6), fork.note(5)]


def test_a_fork_is_kept_beside_what_it_was_judged_by(path, monkeypatch):
    """Another request may be confirmed before it is written down."""
    log, fork = SmallLog(), SmallLog("fork", forked_at=2)
    with SqliteWitnessBook(path, KEYS) as book:
        WITNESS.add_checkpoint(log.request(0, 5), book, 100)
        known, keep = book.last(ORIGIN).note, book.keep

        def late(*args):
            assert WITNESS.add_checkpoint(log.request(5, 9), book, 100).status == 200
            keep(*args)

        monkeypatch.setattr(book, "keep", late)
        WITNESS.add_checkpoint(AddCheckpoint(5, (), fork.note(5)).encoded, book, 100)
        assert book.last(ORIGIN).size == 9
        (row,) = book.kept()
    assert row[4] == known
    assert fork_between(known, AddCheckpoint.parse(row[3]).note.encoded) is not None


def test_of_concurrent_requests_one_history_is_confirmed(path):
    # The race that C2SP tlog-witness describes: sizes 7 and 9 asked for at once from 5.
    honest = SmallLog()
    with SqliteWitnessBook(path, KEYS) as book:
        assert WITNESS.add_checkpoint(honest.request(0, 5), book, 100).status == 200
    answers, barrier = [], threading.Barrier(8, timeout=30)
    bodies = [honest.request(5, 7 + 2 * (number % 2)) for number in range(8)]

    def ask(book, body):
        barrier.wait()
        answers.append(WITNESS.add_checkpoint(body, book, 100))

    books = [SqliteWitnessBook(path, KEYS) for _ in bodies]
    threads = [
        threading.Thread(target=ask, args=asked) for asked in zip(books, bodies, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for book in books:
        book.close()
    assert sorted(answer.status for answer in answers) == [200] + [409] * 7
    with SqliteWitnessBook(path, KEYS) as book:
        assert {answer.body for answer in answers if answer.status == 409} == {
            f"{book.last(ORIGIN).size}\n"
        }


# A fraction of a second of confirmations, each told only once it is stored.
KILLED = """
import sys, time
from pathlib import Path
from tests.custody.logs import SmallLog
from tests.storage.test_witness_book import KEYS, WITNESS
from tidewaiter.storage.witness_book import SqliteWitnessBook
log = SmallLog()
book = SqliteWitnessBook(Path(sys.argv[1]), KEYS)
for size in range(100_000):
    assert WITNESS.add_checkpoint(log.request(size, size + 1), book, 100).status == 200
    print(size + 1, flush=True)
"""


def test_a_killed_witness_remembers_everything_it_told(path):
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE, text=True
    ) as process:
        told = [process.stdout.readline() for _ in range(20)]
        process.kill()
        told += process.stdout.readlines()
    sizes = [int(line) for line in told if line.endswith("\n")]
    with SqliteWitnessBook(path, KEYS) as book:
        last = book.last(ORIGIN)
    assert sizes[-1] <= last.size <= sizes[-1] + 1
    assert last.root == SmallLog().checkpoint(last.size).root


def test_a_state_changed_by_somebody_else_is_noticed(path):
    with SqliteWitnessBook(path, KEYS) as book:
        WITNESS.add_checkpoint(SmallLog().request(0, 5), book, 100)

        def meddle(last):
            book._database.execute("UPDATE log SET size = 3")
            return WitnessAnswer(200, "", remember=last)

        with pytest.raises(IntegrityError, match="changed while"):
            book.step(ORIGIN, meddle)
        assert book.last(ORIGIN).size == 5


def test_a_broken_book_is_a_storage_error(path):
    with SqliteWitnessBook(path, KEYS) as book:
        database = sqlite3.connect(path)
        database.execute("DROP TABLE log")
        database.close()
        with pytest.raises(StorageError, match="nothing was confirmed"):
            book.last(ORIGIN)


def test_keys_are_for_their_owner_only(tmp_path):
    path = tmp_path / "witness.key"
    write_keys(path, [VIGILANCE, LOG])
    assert path.stat().st_mode & 0o777 == 0o600
    assert read_keys(path) == (VIGILANCE, LOG)
    with pytest.raises(ConfigurationError, match="never overwritten"):
        write_keys(path, [LOG])
    path.chmod(0o640)
    with pytest.raises(ConfigurationError, match="chmod 600"):
        read_keys(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        read_keys(tmp_path / "absent.key")


@pytest.mark.parametrize("text", ["", "\n\n", "hello\n", f"{VIGILANCE.secret_text()}\n\nmore\n"])
def test_a_file_that_holds_no_keys_is_refused(tmp_path, text):
    path = tmp_path / "witness.key"
    path.write_text(text)
    path.chmod(0o600)
    with pytest.raises(IntegrityError) as refused:
        read_keys(path)
    assert VIGILANCE.secret_text()[20:] not in str(refused.value)
