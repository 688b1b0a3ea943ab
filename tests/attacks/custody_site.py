"""A whole custody site, and the hands of an insider who may write everything but the witnesses."""

from __future__ import annotations

import contextlib
import copy
import io
import itertools
import sqlite3
from dataclasses import dataclass, field

import pytest

from tests.custody.record_kit import World
from tidewaiter.casework import custody_reading
from tidewaiter.casework.custody_audit import Audited, Place, audit
from tidewaiter.casework.custody_log import CustodyLog, open_log
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.keys import ED25519_COSIGNATURE, ED25519_NOTE, SigningKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.record import parse_record
from tidewaiter.custody.store import Head, Witnessed
from tidewaiter.storage.custody_postgres import PostgresLog
from tidewaiter.storage.custody_sqlite import SqliteLog

ORIGIN = "custody.customs.example/2026"
LOG_KEY = SigningKey(ORIGIN, ED25519_NOTE, b"log key." * 4)
BATCH = 7
_schemas = itertools.count()
TABLES = ("leaf", "checkpoint", "cosignature", "head")


@dataclass
class MemoryWitness:
    """A witness that remembers what it cosigned last; its key is nowhere near the store."""

    name: str
    key: SigningKey
    remembered: Witnessed | None = None

    def latest(self) -> Witnessed:
        return self.remembered or Witnessed(self.name, None)

    def look(self, log: CustodyLog, size: int, time_s: int, policy: Policy) -> None:
        note = log.checkpoint(size)
        checkpoint = Checkpoint.parse(note.text)
        line = cosign(checkpoint, self.key, time_s).line.encode()
        witness = next(one for one in policy.witnesses if one.name == self.name)
        log.confirm(size, witness, line)
        self.remembered = Witnessed(
            self.name, Head(size, checkpoint.root), note.encoded, time_s * 1000
        )


def three_witnesses() -> list[MemoryWitness]:
    return [
        MemoryWitness(
            name, SigningKey(f"{name}.example", ED25519_COSIGNATURE, name.encode()[:4] * 8)
        )
        for name in ("vigilance", "audit", "outside")
    ]


def policy_of(witnesses) -> Policy:
    lines = [f"log {LOG_KEY.verifier}"]
    lines += [f"witness {one.name} {one.key.verifier}" for one in witnesses]
    lines += ["group some 2 " + " ".join(one.name for one in witnesses), "quorum some", ""]
    return Policy.parse("\n".join(lines).encode())


class OrdinaryJudge:
    """Every entry judged as the stand-alone verifier judges it, none by the short way."""

    def __init__(self, judge: Judge) -> None:
        self.judge = judge

    def feed(self, index, body):
        found = self.judge.feed(index, body)
        is_malformed = [one.name for one in found] == ["record-malformed"]
        return found, None if is_malformed else parse_record(body)


class SqliteHands:
    """The database file, opened past the program."""

    def __init__(self, path) -> None:
        self.path = path

    def create(self):
        return SqliteLog.create(self.path, ORIGIN)

    def reopen(self):
        return SqliteLog(self.path)

    def sql(self, query, *values):
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            triggers = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            for (name,) in triggers.fetchall():
                database.execute(f"DROP TRIGGER {name}")
            return database.execute(query, values).fetchall()

    def fill(self, table, rows):
        with contextlib.closing(sqlite3.connect(self.path)) as database, database:
            marks = ", ".join("?" * len(rows[0]))
            database.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)


class PostgresHands:
    """The schema, as its administrator reaches it."""

    def __init__(self, server) -> None:
        self.server, self.schema = server, f"attacked_{next(_schemas)}"

    def create(self):
        return PostgresLog.create(self.server.address, ORIGIN, self.schema)

    def reopen(self):
        return PostgresLog(self.server.address, self.schema)

    def sql(self, query, *values):
        import psycopg

        with psycopg.connect(self.server.address, autocommit=True) as connection:
            connection.execute(f"SET search_path TO {self.schema}")
            done = connection.execute(query.replace("?", "%s"), values)
            return done.fetchall() if done.description else []

    def fill(self, table, rows):
        import psycopg

        with psycopg.connect(self.server.address) as connection, connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(rows[0]))
            cursor.executemany(f"INSERT INTO {self.schema}.{table} VALUES ({marks})", rows)


@dataclass
class Site:
    """One log with media and witnesses, filled from a World."""

    hands: SqliteHands | PostgresHands
    blobs: object
    world: World = field(default_factory=World)
    witnesses: list[MemoryWitness] = field(default_factory=three_witnesses)
    kept: int = 0
    proofs: list[bytes] = field(default_factory=list)
    log: CustodyLog | None = None

    def __post_init__(self) -> None:
        self.policy = policy_of(self.witnesses)
        self.log = open_log(self.hands.create(), LOG_KEY)

    def keep(self, *, cosigned: bool = True, batch: int = BATCH) -> None:
        """Log what the world wrote since, media first, and let the witnesses look."""
        while self.kept < len(self.world.leaves):
            leaves = self.world.leaves[self.kept : self.kept + batch]
            for leaf in leaves:
                self._keep_medium(leaf)
            self.log.append(leaves)
            self.kept += len(leaves)
            if cosigned:
                self.cosign()

    def _keep_medium(self, leaf: bytes) -> None:
        record = parse_record(leaf)
        if record.kind == "segment":
            # record_kit seals the medium of segment n of a device so.
            medium = b"sealed " + f"medium {record.device} {record.seq}".encode()
            assert self.blobs.put(io.BytesIO(medium)) == record.fields["blob"]

    def cosign(self) -> None:
        for witness in self.witnesses:
            size = self.log.head.size
            witness.look(self.log, size, self.world.now_ms // 1000, self.policy)

    def close(self) -> None:
        if self.log is not None:
            self.log.close()
            self.log = None

    def audited(self, *, outside=(), judge: Judge | None = None) -> Audited:
        """What vigilance finds: it has the policy and asks the witnesses."""
        self.close()
        with self.hands.reopen() as store:
            place = Place(store, self.policy, self.blobs, witnesses=self.witnesses, outside=outside)
            same = copy.deepcopy(judge)
            audited = audit(place, judge)
            with pytest.MonkeyPatch.context() as patched:
                patched.setattr(custody_reading, "QuickJudge", OrdinaryJudge)
                assert audit(place, same) == audited
            return audited

    # ----- what an insider does -----

    def bodies(self) -> list[bytes]:
        return [bytes(body) for (body,) in self.hands.sql("SELECT body FROM leaf ORDER BY i")]

    def snapshot(self) -> dict[str, list[tuple]]:
        return {table: self.hands.sql(f"SELECT * FROM {table}") for table in TABLES}

    def restore(self, rows: dict[str, list[tuple]]) -> None:
        for table in TABLES:
            self.hands.sql(f"DELETE FROM {table}")
            if rows[table]:
                self.hands.fill(table, rows[table])

    def rewrite(self, bodies: list[bytes], sizes: list[int] | None = None) -> None:
        """Write another history, every hash and root made to fit, signed with the stolen key.

        Cosignatures that would contradict it are taken out, the others left as cover.
        """
        old = self.snapshot()
        tree = Tree(map(leaf_hash, bodies))
        sizes = (
            sorted({size for size, _, _ in old["checkpoint"] if size < tree.size} | {tree.size})
            if sizes is None
            else sizes
        )
        notes = {}
        for size in sizes:
            kept = [row for row in old["checkpoint"] if row[:2] == (size, tree.root(size))]
            signed = sign_checkpoint(Checkpoint(ORIGIN, size, tree.root(size)), LOG_KEY)
            notes[size] = kept[0] if kept else (size, tree.root(size), signed.encoded)
        unchanged = {row[0] for row in notes.values() if row in old["checkpoint"]}
        leaves = [(i, leaf_hash(body), body) for i, body in enumerate(bodies)]
        cosigned = [row for row in old["cosignature"] if row[0] in unchanged]
        head = [(1, tree.size, tree.root())]
        self.restore(
            {
                "leaf": leaves,
                "checkpoint": list(notes.values()),
                "cosignature": cosigned,
                "head": head,
            }
        )
