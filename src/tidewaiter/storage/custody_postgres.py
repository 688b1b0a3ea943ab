"""The custody log in a PostgreSQL schema.

Guarantee: what `append` returned from survives a crash of the server. Mechanism: the server's own
durability, whose three settings are checked at the start; writers wait for the one row of `head`
and compare it. The hole that remains: whoever administers the server may rewrite every row; the
role that writes may not, and the audit with its witnesses finds it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any, Self

from tidewaiter.custody.merkle import EMPTY_ROOT
from tidewaiter.custody.store import Head, StoredCheckpoint, StoredLeaf
from tidewaiter.errors import (
    ConfigurationError,
    SecondWriter,
    StorageError,
    TidewaiterError,
    UncertainCommit,
)
from tidewaiter.storage.custody_sqlite import LARGEST, MOST_PLACES, ROWS_AT_ONCE, refuse_head
from tidewaiter.storage.postgres_schema import (
    GRANTS,
    NEEDED,
    PLACES,
    PLACES_GRANTS,
    SCHEMA,
    WRITERS,
    driver,
    first_line,
    named,
)

DEFAULT_SCHEMA = "custody"


class PostgresLog:
    """A LogStore in one schema of a PostgreSQL database, one writer at a time."""

    def __init__(
        self, address: str, schema: str = DEFAULT_SCHEMA, *, read_only: bool = False
    ) -> None:
        """`address` as libpq has it. Raises SecondWriter where another process writes."""
        self._address, self._schema, self._read_only = address, named(schema), read_only
        self._is_closed, self._in_snapshot = False, False
        self._connection = self._connected()
        try:
            with self._failing_named():
                rows = self._execute("SELECT origin FROM log").fetchall()
        except StorageError as error:
            self.close()
            raise ConfigurationError(
                f"there is no custody log in the schema {schema!r}; `tidewaiter custody init` "
                f"makes one ({error})"
            ) from error
        self.origin = str(rows[0][0]) if rows else ""
        self._has_places = self._find_places()

    @classmethod
    def create(
        cls, address: str, origin: str, schema: str = DEFAULT_SCHEMA, *, role: str = ""
    ) -> Self:
        """Make a new, empty log, and let a role add to it and no more.

        Raises ConfigurationError where the schema exists.
        """
        psycopg = driver()
        made = (SCHEMA + PLACES).format(schema=named(schema))
        granted = (GRANTS + PLACES_GRANTS).format(schema=schema, role=named(role)) if role else ""
        try:
            with psycopg.connect(address) as connection:
                connection.execute(made + granted)
                connection.execute(f"SET LOCAL search_path TO {schema}")
                connection.execute("INSERT INTO log VALUES (1, %s)", (origin,))
                connection.execute("INSERT INTO head VALUES (1, 0, %s)", (EMPTY_ROOT,))
        except psycopg.errors.DuplicateSchema as error:
            raise ConfigurationError(
                f"the schema {schema!r} exists; a new log needs a new one, an old one is never "
                "emptied"
            ) from error
        except psycopg.Error as error:
            raise StorageError(f"the log could not be made ({first_line(error)})") from error
        return cls(address, schema)

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        """Within it everything read is of one moment, though another process appends."""
        self._connect_again()
        with self._failing_named():
            self._execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        self._in_snapshot = True
        try:
            yield
        finally:
            self._in_snapshot = False
            self._roll_back()

    def head(self) -> Head:
        """The size and root that the last commit stored."""
        self._connect_again()
        with self._failing_named():
            return self._head("SELECT size, root FROM head")

    def append(
        self,
        before: Head,
        leaves: Sequence[StoredLeaf],
        checkpoint: StoredCheckpoint,
        words: Sequence[tuple[bytes, int]] = (),
    ) -> None:
        """Commit leaves and their checkpoint, if the stored head is still `before`."""
        self._connect_again()
        try:
            self._execute("BEGIN")
            # Whoever else writes waits here, then finds another head.
            found = self._head("SELECT size, root FROM head FOR UPDATE")
            if found != before:
                refuse_head(found, before)
            rows = [(leaf.index, leaf.leaf_hash, leaf.body) for leaf in leaves]
            self._copy("leaf (i, hash, body)", ["int8", "bytea", "bytea"], rows)
            row = (checkpoint.size, checkpoint.root, checkpoint.note)
            self._execute("INSERT INTO checkpoint VALUES (%s, %s, %s)", *row)
            self._execute("UPDATE head SET size = %s, root = %s", *row[:2])
            self._place(before.size, checkpoint.size, words)
        except BaseException as error:
            self._roll_back()
            if isinstance(error, driver().Error):
                raise self._not_stored(error) from error
            raise
        self._commit(checkpoint)

    def leaf_hashes(self) -> Iterator[bytes]:
        """The stored leaf hashes in order of index."""
        for _, found in self._pages("i, hash", "leaf", 0, None):
            yield found

    def leaves(self, start: int = 0, stop: int | None = None) -> Iterator[StoredLeaf]:
        """The stored leaves from `start` up to before `stop`, in order of index."""
        for row in self._pages("i, body, hash", "leaf", start, stop):
            yield StoredLeaf(*row)

    def leaves_with(self, marks: Sequence[bytes]) -> Iterator[StoredLeaf]:
        """The stored leaves that hold any of these bytes, in order of index."""
        holds = " OR ".join(["position(%s in body) > 0"] * len(marks))
        for row in self._pages("i, body, hash", "leaf", 0, None, holds=f"({holds})", marks=marks):
            yield StoredLeaf(*row)

    def places(self, word: bytes) -> list[int]:
        """Indices at which a record may hold the word, by the index that is kept beside them."""
        if not self._has_places:
            return []
        query = "SELECT DISTINCT i FROM place WHERE word = %s ORDER BY i LIMIT %s"
        return [i for (i,) in self._all(query, word, MOST_PLACES)]

    def placed(self) -> int:
        """How many records, from the first, that index says it covers."""
        rows = self._all("SELECT size FROM placed") if self._has_places else []
        return int(rows[0][0]) if rows else 0

    def place(self, start: int, stop: int, words: Sequence[tuple[bytes, int]]) -> None:
        """Add to that index the words of the records `start` up to before `stop`."""
        self._connect_again()
        with self._failing_named(), self._connection.transaction():
            self._place(start, stop, words)

    def misplace(self) -> None:
        """Empty that index, to be made anew."""
        self._connect_again()
        with self._failing_named(), self._connection.transaction():
            self._execute("DELETE FROM place")
            self._execute("UPDATE placed SET size = 0")

    def indices_of(self, leaf_hashes: Sequence[bytes]) -> dict[bytes, int]:
        """Where leaves of these hashes stand, for those that are there."""
        return dict(self._all("SELECT hash, i FROM leaf WHERE hash = ANY(%s)", list(leaf_hashes)))

    def checkpoints(self, start: int = 0, stop: int | None = None) -> Iterator[StoredCheckpoint]:
        """The checkpoints of a size from `start` up to before `stop`, smallest first."""
        for row in self._pages("size, root, note", "checkpoint", start, stop):
            yield StoredCheckpoint(*row)

    def cosign(self, size: int, witness: str, line: bytes) -> None:
        """Keep a witness's cosignature line of the checkpoint of that size."""
        query = (
            "INSERT INTO cosignature VALUES (%s, %s, %s) "
            "ON CONFLICT (size, witness) DO UPDATE SET line = excluded.line"
        )
        self._connect_again()
        with self._failing_named():
            self._execute(query, size, witness, line)

    def cosignatures(self, size: int) -> dict[str, bytes]:
        """The cosignature lines of a checkpoint by witness."""
        query = "SELECT witness, line FROM cosignature WHERE size = %s"
        return dict(sorted(self._all(query, size)))

    def cosigned_sizes(self) -> list[int]:
        """The sizes of the checkpoints that have a cosignature, smallest first."""
        return [
            size for (size,) in self._all("SELECT DISTINCT size FROM cosignature ORDER BY size")
        ]

    def close(self) -> None:
        """Let another process write."""
        self._is_closed = True
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _connected(self) -> Any:
        psycopg = driver()
        try:
            connection = psycopg.connect(self._address, autocommit=True)
        except psycopg.Error as error:
            raise StorageError(
                f"the PostgreSQL server was not reached ({first_line(error)}); check that it "
                "runs and that address and password are right"
            ) from error
        try:
            self._prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _connect_again(self) -> None:
        """After a lost connection, and never within a transaction: half of it would be gone."""
        if self._connection.closed and not self._is_closed and not self._in_snapshot:
            self._connection = self._connected()

    def _prepare(self, connection: Any) -> None:
        psycopg = driver()
        try:
            connection.execute(f"SET search_path TO {self._schema}")
            found = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in NEEDED}
            lock = "SELECT pg_try_advisory_lock(hashtext(current_database() || %s))"
            is_alone = self._read_only or connection.execute(lock, (self._schema,)).fetchone()[0]
        except psycopg.Error as error:
            raise self._not_read(error) from error
        wrong = [name for name, value in NEEDED.items() if found[name] != value]
        if wrong:
            listed = ", ".join(f"{name} = {found[name]}" for name in wrong)
            raise ConfigurationError(
                f"the PostgreSQL server works with {listed}; on is needed, or a crash loses "
                "acknowledged records"
            )
        if not is_alone:
            raise SecondWriter(
                f"another process writes to the log in the schema {self._schema!r}; a log has one "
                "writer: stop that process, or hand the records to it"
            )

    def _head(self, query: str) -> Head:
        rows = self._execute(query).fetchall()
        if len(rows) != 1:
            raise StorageError(f"the log {self._schema!r} has no head; run `custody audit`")
        return Head(*rows[0])

    def _copy(self, table: str, types: list[str], rows: Sequence[tuple[object, ...]]) -> None:
        command = f"COPY {table} FROM STDIN (FORMAT BINARY)"
        with self._connection.cursor() as cursor, cursor.copy(command) as copying:
            copying.set_types(types)
            for row in rows:
                copying.write_row(row)

    def _find_places(self) -> bool:
        """Whether the log has the index of words; an older one gets it from its owner."""
        query = "SELECT to_regclass(%s) IS NOT NULL AND to_regclass(%s) IS NOT NULL"
        ((has,),) = self._all(query, f"{self._schema}.place", f"{self._schema}.placed")
        if has or self._read_only:
            return bool(has)
        psycopg = driver()
        try:
            with self._connection.transaction():
                self._connection.execute(PLACES.format(schema=self._schema))
                for (role,) in self._execute(WRITERS, self._schema).fetchall():
                    granted = PLACES_GRANTS.format(schema=self._schema, role=named(role))
                    self._connection.execute(granted)
        except psycopg.errors.InsufficientPrivilege:
            return False
        except psycopg.Error as error:
            raise self._not_read(error) from error
        return True

    def _place(self, start: int, stop: int, words: Sequence[tuple[bytes, int]]) -> None:
        if self._has_places:
            self._copy("place (word, i)", ["bytea", "int8"], words)
            self._execute("UPDATE placed SET size = %s WHERE size = %s", stop, start)

    def _commit(self, checkpoint: StoredCheckpoint) -> None:
        try:
            self._execute("COMMIT")
        except driver().Error as error:
            if not self._was_committed(checkpoint, error):
                raise self._not_stored(error) from error

    def _was_committed(self, checkpoint: StoredCheckpoint, error: Exception) -> bool:
        """Whether a commit whose answer was lost took place: read on a new connection.

        The server may still be about to commit for the lost connection, so this waits for the
        row lock that it holds.
        """
        self._connection.close()
        try:
            self._connection = self._connected()
            with self._connection.transaction():
                self._head("SELECT size, root FROM head FOR UPDATE")
                query = "SELECT root, note FROM checkpoint WHERE size = %s"
                rows = self._execute(query, checkpoint.size).fetchall()
        except (driver().Error, TidewaiterError) as lost:
            raise UncertainCommit(
                f"the connection was lost while committing ({first_line(error)}) and not found "
                f"again ({first_line(lost)}); nothing of this batch was acknowledged; start "
                "again, then hand the records in again"
            ) from lost
        return bool(rows == [(checkpoint.root, checkpoint.note)])

    def _execute(self, query: str, *values: object) -> Any:
        return self._connection.execute(query, values or None, binary=True)

    def _all(self, query: str, *values: object) -> list[Any]:
        self._connect_again()
        with self._failing_named():
            return list(self._execute(query, *values).fetchall())

    def _pages(
        self,
        columns: str,
        table: str,
        start: int,
        stop: int | None,
        *,
        holds: str = "true",
        marks: Sequence[bytes] = (),
    ) -> Iterator[Any]:
        """Rows in order of the first column, some thousand at once: memory stays small."""
        key = columns.split(",", 1)[0]
        query = (
            f"SELECT {columns} FROM {table} WHERE {key} >= %s AND {key} < %s "  # noqa: S608 (ours)
            f"AND {holds} ORDER BY {key} LIMIT {ROWS_AT_ONCE}"
        )
        while rows := self._all(query, start, LARGEST if stop is None else stop, *marks):
            yield from rows
            start = rows[-1][0] + 1

    def _roll_back(self) -> None:
        with contextlib.suppress(driver().Error):
            self._connection.execute("ROLLBACK")

    def _not_stored(self, error: Exception) -> StorageError:
        return StorageError(
            f"the log {self._schema!r} did not take the records ({first_line(error)}); none of "
            "this batch was stored or acknowledged; check the server, then hand them in again"
        )

    def _not_read(self, error: Exception) -> StorageError:
        return StorageError(
            f"the log {self._schema!r} could not be read or written ({first_line(error)}); check "
            "the server and the rights of the role"
        )

    @contextlib.contextmanager
    def _failing_named(self) -> Iterator[None]:
        try:
            yield
        except driver().Error as error:
            raise self._not_read(error) from error
