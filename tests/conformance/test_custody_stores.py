"""One suite over every place that keeps the log: SQLite and PostgreSQL."""

from __future__ import annotations

import itertools

import pytest

from tidewaiter.custody.merkle import EMPTY_ROOT, leaf_hash
from tidewaiter.custody.store import Head, StoredCheckpoint, StoredLeaf
from tidewaiter.errors import ConfigurationError, SecondWriter, StorageError
from tidewaiter.storage.custody_postgres import PostgresLog
from tidewaiter.storage.custody_sqlite import SqliteLog

ORIGIN = "custody.customs.example/2026"
_schemas = itertools.count()


class Place:
    """Where a log can be made, opened again, and reached past the driver."""

    def __init__(self, create, reopen, execute):
        self.create, self.reopen, self.execute = create, reopen, execute


def sqlite_place(tmp_path) -> Place:
    import contextlib
    import sqlite3

    path = tmp_path / "log.sqlite"

    def execute(*statements):
        with contextlib.closing(sqlite3.connect(path)) as database, database:
            for statement in statements:
                database.execute(statement)

    return Place(lambda: SqliteLog.create(path, ORIGIN), lambda **k: SqliteLog(path, **k), execute)


def postgres_place(server) -> Place:
    schema = f"custody_{next(_schemas)}"

    def run(*statements):
        import psycopg

        with psycopg.connect(server.address, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {schema}")
            for statement in statements:
                connection.execute(statement)

    return Place(
        lambda: PostgresLog.create(server.address, ORIGIN, schema),
        lambda **k: PostgresLog(server.address, schema, **k),
        run,
    )


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))]
)
def place(request, tmp_path):
    if request.param == "sqlite":
        return sqlite_place(tmp_path)
    return postgres_place(request.getfixturevalue("postgres_server"))


@pytest.fixture
def store(place):
    with place.create() as made:
        yield made


def leaves_of(start: int, *bodies: bytes) -> list[StoredLeaf]:
    return [StoredLeaf(start + n, body, leaf_hash(body)) for n, body in enumerate(bodies)]


def filled(store, *bodies: bytes) -> Head:
    head = Head(len(bodies), b"r" * 32)
    store.append(
        Head(0, EMPTY_ROOT), leaves_of(0, *bodies), StoredCheckpoint(head.size, head.root, b"note")
    )
    return head


def test_a_new_log_is_empty(store):
    assert store.origin == ORIGIN
    assert store.head() == Head(0, EMPTY_ROOT)
    assert list(store.leaves()) == []
    assert list(store.leaf_hashes()) == []
    assert list(store.checkpoints()) == []
    assert store.indices_of([b"x" * 32]) == {}


def test_what_was_appended_is_read_back_after_a_restart(place):
    with place.create() as store:
        head = filled(store, b"\x00one", b"two\xff", b"three")
    with place.reopen() as again:
        assert again.head() == head
        assert [leaf.body for leaf in again.leaves()] == [b"\x00one", b"two\xff", b"three"]
        assert [leaf.index for leaf in again.leaves(1, 2)] == [1]
        assert list(again.leaf_hashes()) == [
            leaf_hash(b"\x00one"),
            leaf_hash(b"two\xff"),
            leaf_hash(b"three"),
        ]
        assert list(again.checkpoints()) == [StoredCheckpoint(3, b"r" * 32, b"note")]
        assert list(again.checkpoints(0, 3)) == []
        assert again.indices_of([leaf_hash(b"three"), leaf_hash(b"four")]) == {
            leaf_hash(b"three"): 2
        }


def test_a_second_batch_continues_the_first(store):
    head = filled(store, b"one", b"two")
    store.append(head, leaves_of(2, b"three"), StoredCheckpoint(3, b"s" * 32, b"note 3"))
    assert store.head() == Head(3, b"s" * 32)
    assert [found.size for found in store.checkpoints()] == [2, 3]


def test_thousands_of_leaves_come_in_order(store):
    bodies = [f"record {n}".encode() for n in range(9001)]
    filled(store, *bodies)
    assert [leaf.body for leaf in store.leaves()] == bodies
    assert [leaf.index for leaf in store.leaves(4090, 4100)] == list(range(4090, 4100))
    hashes = [leaf_hash(body) for body in bodies[:1500]]
    assert store.indices_of(hashes) == {one: n for n, one in enumerate(hashes)}


def test_two_readings_at_once_do_not_disturb_each_other(store):
    filled(store, *[f"record {n}".encode() for n in range(5000)])
    pairs = zip(store.leaves(), store.leaf_hashes(), strict=True)
    assert all(leaf.leaf_hash == one for leaf, one in pairs)
    next(store.leaves())
    assert store.head().size == 5000


def test_an_append_on_another_head_is_refused_and_stores_nothing(store):
    head = filled(store, b"one")
    for wrong in (Head(0, EMPTY_ROOT), Head(1, b"x" * 32)):
        with pytest.raises(SecondWriter, match="somebody else wrote"):
            store.append(wrong, leaves_of(1, b"two"), StoredCheckpoint(2, b"s" * 32, b"n"))
    assert store.head() == head
    assert len(list(store.leaves())) == 1


def test_a_batch_that_does_not_fit_is_stored_not_even_in_part(store):
    head = filled(store, b"one")
    batch = [*leaves_of(1, b"two"), StoredLeaf(0, b"again at 0", leaf_hash(b"again at 0"))]
    with pytest.raises(StorageError, match="none of this batch was stored"):
        store.append(head, batch, StoredCheckpoint(3, b"s" * 32, b"n"))
    assert [leaf.body for leaf in store.leaves()] == [b"one"]
    assert len(list(store.checkpoints())) == 1
    store.append(head, leaves_of(1, b"two"), StoredCheckpoint(2, b"s" * 32, b"n"))


def test_the_same_bytes_cannot_stand_twice(store):
    head = filled(store, b"one")
    with pytest.raises(StorageError):
        store.append(head, leaves_of(1, b"one"), StoredCheckpoint(2, b"s" * 32, b"n"))


def test_cosignatures_are_kept_by_witness(store):
    filled(store, b"one")
    store.cosign(1, "vigilance", b"line v")
    store.cosign(1, "audit", b"line a")
    store.cosign(1, "audit", b"line a, later")
    assert store.cosignatures(1) == {"audit": b"line a, later", "vigilance": b"line v"}
    assert store.cosignatures(2) == {}
    assert store.cosigned_sizes() == [1]


def test_there_is_one_writer(place):
    with place.create():
        with pytest.raises(SecondWriter, match="one writer"):
            place.reopen()
        with place.reopen(read_only=True) as reader:
            assert reader.head().size == 0
    with place.reopen() as after:
        assert after.head().size == 0


def test_an_old_log_is_never_emptied(place):
    place.create().close()
    with pytest.raises(ConfigurationError, match="exists"):
        place.create()


def test_a_log_that_is_not_there_is_not_made(place):
    with pytest.raises(ConfigurationError, match="custody init"):
        place.reopen()


def test_a_log_without_head_is_named(place):
    place.create().close()
    place.execute("DELETE FROM head")
    with place.reopen() as store, pytest.raises(StorageError, match="no head"):
        store.head()


def test_a_snapshot_shows_one_moment_while_another_process_appends(place):
    with place.create() as writer:
        head = filled(writer, b"one")
        with place.reopen(read_only=True) as reader:
            with reader.snapshot():
                assert reader.head() == head
                writer.append(head, leaves_of(1, b"two"), StoredCheckpoint(2, b"s" * 32, b"n"))
                assert reader.head() == head
                assert len(list(reader.leaves())) == len(list(reader.checkpoints())) == 1
            assert reader.head().size == len(list(reader.leaves())) == 2


def test_what_is_read_in_a_snapshot_may_fail_and_be_read_again(place):
    with place.create() as store:
        head = filled(store, b"one")
        with pytest.raises(RuntimeError), store.snapshot():
            raise RuntimeError
        store.append(head, leaves_of(1, b"two"), StoredCheckpoint(2, b"s" * 32, b"n"))
