"""What is PostgreSQL's own: its settings, its roles, lost connections, a killed server."""

from __future__ import annotations

import random
import threading
import time

import pytest

from tests.storage.private_postgres import found_binaries, private_postgres
from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage.custody_postgres import PostgresLog

psycopg = pytest.importorskip(
    "psycopg", reason="psycopg is not installed; see the extra `postgres`"
)

pytestmark = pytest.mark.xdist_group("postgres")
ORIGIN = "custody.customs.example/2026"
KEY = SigningKey(ORIGIN, ED25519_NOTE, b"k" * 32)


@pytest.fixture
def server(postgres_server):
    postgres_server.execute("DROP SCHEMA IF EXISTS lone CASCADE")
    return postgres_server


@pytest.fixture
def store(server):
    with PostgresLog.create(server.address, ORIGIN, "lone") as made:
        yield made


@pytest.mark.parametrize("setting", ["synchronous_commit=off", "synchronous_commit=local"])
def test_a_server_that_may_lose_commits_is_refused(server, store, setting):
    store.close()
    with pytest.raises(ConfigurationError, match="synchronous_commit"):
        PostgresLog(f"{server.address} options='-c {setting}'", "lone")


def test_the_role_that_writes_may_add_and_no_more(server):
    server.execute("DROP ROLE IF EXISTS custody_writer", "CREATE ROLE custody_writer LOGIN")
    PostgresLog.create(server.address, ORIGIN, "lone", role="custody_writer").close()
    address = server.address.replace("user=postgres", "user=custody_writer")
    with PostgresLog(address, "lone") as store:
        log = open_log(store, KEY)
        assert log.append([b"one", b"two"])[1].index == 1
        store.cosign(2, "vigilance", b"line")
        store.cosign(2, "vigilance", b"line again")
    with psycopg.connect(address, autocommit=True) as connection:
        for statement in (
            "UPDATE lone.leaf SET body = 'x'",
            "DELETE FROM lone.leaf",
            "DELETE FROM lone.checkpoint",
            "UPDATE lone.checkpoint SET note = 'x'",
            "DELETE FROM lone.head",
            "DELETE FROM lone.cosignature",
            "TRUNCATE lone.leaf",
            "DROP TABLE lone.leaf",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    server.execute("DROP SCHEMA lone CASCADE", "DROP ROLE custody_writer")


def test_a_name_that_is_no_name_reaches_no_statement(server):
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        PostgresLog(server.address, 'x"; DROP SCHEMA public; --')


def test_a_server_that_is_not_there_is_named():
    with pytest.raises(StorageError, match="was not reached"):
        PostgresLog("host=/nonexistent user=nobody dbname=none")


def test_a_backend_that_dies_in_the_midst_stores_nothing(server, store, monkeypatch):
    log = open_log(store, KEY)
    log.append([b"one"])
    copy = PostgresLog._copy

    def dying(self, *given):
        copy(self, *given)
        pid = self._connection.info.backend_pid
        server.execute(f"SELECT pg_terminate_backend({pid})")

    monkeypatch.setattr(PostgresLog, "_copy", dying)
    with pytest.raises(StorageError, match="none of this batch was stored"):
        log.append([b"two", b"three"])
    monkeypatch.undo()
    assert log.head.size == 1
    assert log.append([b"two", b"three"])[1].index == 2


@pytest.mark.parametrize("arrived", [True, False])
def test_a_connection_lost_at_the_commit_is_looked_up(server, store, monkeypatch, arrived):
    log = open_log(store, KEY)
    execute = PostgresLog._execute

    def losing(self, query, *values):
        if query != "COMMIT":
            return execute(self, query, *values)
        if arrived:
            execute(self, query)
        self._connection.close()
        raise psycopg.OperationalError("server closed the connection unexpectedly")

    monkeypatch.setattr(PostgresLog, "_execute", losing)
    if arrived:
        assert log.append([b"one"])[0].index == 0
    else:
        with pytest.raises(StorageError, match="none of this batch was stored"):
            log.append([b"one"])
    monkeypatch.undo()
    assert log.head.size == (1 if arrived else 0)
    assert [one.is_new for one in log.append([b"one"])] == [not arrived]


@pytest.mark.slow
def test_a_server_killed_while_it_commits_loses_nothing_acknowledged():
    if found_binaries() is None:
        pytest.skip("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    rng = random.Random(20_263)
    bodies = [f"record {n}".encode() for n in range(100_000)]
    with private_postgres() as server:
        PostgresLog.create(server.address, ORIGIN, "killed").close()
        for _ in range(3):
            acknowledged: list[int] = []
            appending = threading.Thread(
                target=append_until_it_fails, args=(server, bodies, acknowledged)
            )
            appending.start()
            time.sleep(0.3 + rng.random())
            server.kill()
            appending.join()
            server.start()
            with PostgresLog(server.address, "killed") as store:
                log = open_log(store, KEY)
                assert log.discrepancies == []
                assert log.head.size >= max(acknowledged, default=0)
                assert log.head.root == Tree(map(leaf_hash, bodies[: log.head.size])).root()


def append_until_it_fails(server, bodies, acknowledged):
    try:
        with PostgresLog(server.address, "killed") as store:
            log = open_log(store, KEY)
            while True:
                size = log.head.size
                log.append(bodies[size : size + 5])
                acknowledged.append(log.head.size)
    except StorageError:
        return
