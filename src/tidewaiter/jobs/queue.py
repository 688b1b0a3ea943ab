"""A durable queue of tasks in one SQLite file, shared by a supervisor and its workers.

Guarantee: a task is handed to one worker at a time; what was completed stays completed
through kill -9 of a worker or of everything. Mechanism: one UPDATE … RETURNING claims a
task; completion only succeeds for the owner of the claim. The hole that remains: between
writing a report and completing its task, a kill makes the task run once more; it then
writes the same bytes again. Claims use synchronous=NORMAL (a lost claim is only taken
again), completions FULL.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tidewaiter.errors import StorageError

MAX_ATTEMPTS = 3
"""A task whose worker was killed from outside is tried this often in all."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS task (
  id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, payload TEXT NOT NULL,
  state TEXT NOT NULL DEFAULT 'ready', owner TEXT, leased_at REAL,
  attempts INTEGER NOT NULL DEFAULT 0, result TEXT, error TEXT, finish_number INTEGER
);
CREATE INDEX IF NOT EXISTS task_state ON task (state, id);
CREATE INDEX IF NOT EXISTS task_finish ON task (finish_number);
CREATE TABLE IF NOT EXISTS fact (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""

_NEXT_NUMBER = "(SELECT COALESCE(MAX(finish_number),0)+1 FROM task)"
_COLUMNS = "id, key, payload, state, attempts, owner, leased_at, result, error, finish_number"


@dataclass(frozen=True)
class Task:
    """One unit of work; `state` is ready, leased, done or failed."""

    id: int
    key: str
    payload: dict[str, Any]
    state: str
    attempts: int
    owner: str | None
    leased_at: float | None
    result: dict[str, Any] | None
    error: dict[str, Any] | None
    finish_number: int | None


class Queue:
    """Tasks by key; a key is worked on at most once until it is forgotten."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = sqlite3.connect(path, timeout=60, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            raise StorageError(
                f"the record of examinations {path.name!r} cannot be opened: {error}; "
                "free disk space, choose another --out folder, or remove that file if it is damaged"
            ) from error

    def close(self) -> None:
        """Release the file."""
        self._db.close()

    def add(self, tasks: Iterable[tuple[str, dict[str, Any]]]) -> None:
        """Add tasks by key; known keys keep their state and result."""
        rows = [(key, json.dumps(payload)) for key, payload in tasks]
        with self._transaction("FULL"):
            self._db.executemany("INSERT OR IGNORE INTO task (key, payload) VALUES (?, ?)", rows)

    def forget(self, keys: Iterable[str] | None = None) -> None:
        """Drop tasks by key, or all."""
        with self._transaction("FULL"):
            if keys is None:
                self._db.execute("DELETE FROM task")
            else:
                self._db.executemany("DELETE FROM task WHERE key = ?", [(key,) for key in keys])

    def claim(self, owner: str) -> Task | None:
        """Take the next ready task, or None when there is none."""
        with self._transaction("NORMAL"):
            row = self._db.execute(
                "UPDATE task SET state='leased', owner=?, leased_at=?, attempts=attempts+1 "  # noqa: S608 - own literals
                "WHERE id = (SELECT id FROM task WHERE state='ready' ORDER BY id LIMIT 1) "
                f"RETURNING {_COLUMNS}",
                (owner, time.time()),
            ).fetchone()
        return _task(row) if row else None

    def complete(self, task_id: int, owner: str, result: dict[str, Any]) -> bool:
        """Record a result; False when `owner` no longer holds the task (no effect then)."""
        return self._finish(task_id, owner, "done", json.dumps(result), None)

    def fail(self, task_id: int, owner: str, error: dict[str, Any]) -> bool:
        """Record a final failure; False when `owner` no longer holds the task."""
        return self._finish(task_id, owner, "failed", None, json.dumps(error))

    def release(self, owner: str | None = None, *, blameless: bool = False) -> None:
        """Make tasks ready again that a dead owner (default: anybody) still held.

        A task that used up its attempts becomes failed instead. `blameless`: the worker was
        dismissed by its own supervisor, so the attempt does not count.
        """
        if blameless:
            with self._transaction("FULL"):
                self._db.execute(
                    "UPDATE task SET attempts=attempts-1 WHERE state='leased' AND owner=?", (owner,)
                )
        error = {
            "type": "ExaminationError",
            "message": f"the worker was killed {MAX_ATTEMPTS} times while examining this file; "
            "examine it alone, or raise the limits",
        }
        held = "state='leased' AND (? IS NULL OR owner=?)"
        with self._transaction("FULL"):
            self._db.execute(
                f"UPDATE task SET state='failed', error=?, finish_number={_NEXT_NUMBER} "  # noqa: S608
                f"WHERE {held} AND attempts>=?",
                (json.dumps(error), owner, owner, MAX_ATTEMPTS),
            )
            self._db.execute(
                f"UPDATE task SET state='ready', owner=NULL WHERE {held}",  # noqa: S608
                (owner, owner),
            )

    def held_by(self, owner: str) -> Task | None:
        """The task `owner` works on at present."""
        return next(iter(self._tasks("state='leased' AND owner=?", (owner,))), None)

    def finished_after(self, number: int) -> list[Task]:
        """Done and failed tasks in the order they finished, from after `number`."""
        found = self._tasks("finish_number > ?", (number,))
        return sorted(found, key=lambda task: task.finish_number or 0)

    def last_finished(self) -> int:
        """The number of the task that finished last; 0 when none has."""
        return int(self._read("SELECT COALESCE(MAX(finish_number),0) FROM task", ())[0][0])

    def tasks(self) -> Iterator[Task]:
        """All tasks in the order they were added."""
        yield from self._tasks("1", ())

    def count(self, *states: str) -> int:
        """How many tasks are in any of `states`."""
        marks = ",".join("?" * len(states))
        query = f"SELECT COUNT(*) FROM task WHERE state IN ({marks})"  # noqa: S608 - only marks
        return int(self._read(query, states)[0][0])

    def fact(self, name: str) -> str | None:
        """A stored fact about the queue itself, such as what plan it was filled for."""
        rows = self._read("SELECT value FROM fact WHERE name=?", (name,))
        return rows[0][0] if rows else None

    def set_fact(self, name: str, value: str) -> None:
        """Store a fact about the queue itself."""
        with self._transaction("FULL"):
            self._db.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, value))

    def _finish(
        self, task_id: int, owner: str, state: str, result: str | None, error: str | None
    ) -> bool:
        with self._transaction("FULL"):
            changed = self._db.execute(
                f"UPDATE task SET state=?, result=?, error=?, finish_number={_NEXT_NUMBER} "  # noqa: S608
                "WHERE id=? AND owner=? AND state='leased'",
                (state, result, error, task_id, owner),
            ).rowcount
        return changed == 1

    def _tasks(self, where: str, values: tuple[Any, ...]) -> list[Task]:
        query = f"SELECT {_COLUMNS} FROM task WHERE {where} ORDER BY id"  # noqa: S608 - own literals
        return [_task(row) for row in self._read(query, values)]

    def _read(self, query: str, values: tuple[Any, ...]) -> list[Any]:
        try:
            return self._db.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise StorageError(
                f"the record of examinations {self.path.name!r} cannot be read: {error}; "
                "choose another --out folder or remove that file"
            ) from error

    @contextmanager
    def _transaction(self, synchronous: str) -> Iterator[None]:
        try:
            self._db.execute(f"PRAGMA synchronous={synchronous}")
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._db.execute("COMMIT")
            except BaseException:
                # After some failures SQLite has rolled back by itself.
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
        except sqlite3.Error as error:
            raise StorageError(
                f"the record of examinations could not be written: {error}; "
                "check free disk space and that the folder is writable"
            ) from error


def _task(row: tuple[Any, ...]) -> Task:
    task_id, key, payload, state, attempts, owner, leased_at, result, error, number = row
    return Task(
        task_id,
        key,
        json.loads(payload),
        state,
        attempts,
        owner,
        leased_at,
        json.loads(result) if result else None,
        json.loads(error) if error else None,
        number,
    )
