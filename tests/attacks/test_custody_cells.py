"""Any one cell of the log's tables set to anything: found, or refused by one of our errors."""

from __future__ import annotations

import random
import shutil

import pytest

from tests.attacks.custody_site import LOG_KEY, Site, SqliteHands
from tests.custody.record_kit import World
from tidewaiter.casework.custody_audit import Place, audit
from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.judging import Judge
from tidewaiter.errors import TidewaiterError
from tidewaiter.storage.custody_files import FolderOfBlobs
from tidewaiter.storage.custody_sqlite import SqliteLog

CELLS = [
    *[("leaf", column) for column in ("i", "hash", "body")],
    *[("checkpoint", column) for column in ("size", "root", "note")],
    *[("cosignature", column) for column in ("size", "line")],
    *[("head", column) for column in ("size", "root")],
    ("log", "origin"),
]
VALUES = [
    None,
    "",
    "text",
    "\ud800".encode("utf-8", "surrogatepass"),
    b"",
    b"\x00" * 32,
    b"\xff",
    -1,
    0,
    7,
    2**62,
    1.5,
    b"{}",
    b"[" * 9000,
]


@pytest.fixture(scope="module")
def honest(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cells")
    site = Site(SqliteHands(folder / "log.sqlite"), FolderOfBlobs(folder / "media"))
    world: World = site.world
    world.enrol("bwc-1")
    for _ in range(5):
        world.heartbeat("bwc-1")
    site.keep(batch=3)
    site.close()
    return site


@pytest.mark.parametrize(("table", "column"), CELLS)
def test_no_value_in_a_cell_passes(honest, tmp_path, table, column):
    rng = random.Random(f"{table} {column}")
    for number, value in enumerate(rng.sample(VALUES, 6)):
        path = tmp_path / f"{number}.sqlite"
        shutil.copy(honest.hands.path, path)
        hands = SqliteHands(path)
        loosen(hands, table)
        (count,) = hands.sql(f"SELECT count(*) FROM {table}")[0]
        row = rng.randrange(count)
        (before,) = hands.sql(f"SELECT {column} FROM {table} LIMIT 1 OFFSET ?", row)[0]
        if before == value and type(before) is type(value):
            continue
        hands.sql(
            f"UPDATE {table} SET {column} = ? WHERE rowid = (SELECT rowid FROM {table} LIMIT 1 OFFSET ?)",
            value,
            row,
        )
        assert is_noticed(honest, path), (row, value)
        try:
            with SqliteLog(path) as store:
                open_log(store, LOG_KEY).append([b"one more"])
        except TidewaiterError:
            pass


def test_a_checkpoint_that_is_gone_is_noticed(honest, tmp_path):
    path = tmp_path / "log.sqlite"
    shutil.copy(honest.hands.path, path)
    assert not is_noticed(honest, path)
    SqliteHands(path).sql("DELETE FROM checkpoint WHERE size = 7")
    assert is_noticed(honest, path)


def loosen(hands, table) -> None:
    """Take the types, keys and checks off a table, as the owner of the file can."""
    columns = [name for _, name, *_ in hands.sql(f"PRAGMA table_info({table})")]
    hands.sql(f"ALTER TABLE {table} RENAME TO strict_{table}")
    hands.sql(f"CREATE TABLE {table} ({', '.join(columns)})")
    hands.sql(f"INSERT INTO {table} SELECT * FROM strict_{table}")
    hands.sql(f"DROP TABLE strict_{table}")


def is_noticed(honest, path) -> bool:
    try:
        with SqliteLog(path, read_only=True) as store:
            place = Place(store, honest.policy, honest.blobs, witnesses=honest.witnesses)
            return bool(audit(place, Judge(check_signatures=False)).discrepancies)
    except TidewaiterError:
        return True
