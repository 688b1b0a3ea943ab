"""A PostgreSQL server of our own in a temporary folder, reached through a socket only."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

WAIT_S = 30.0


class Ended(Exception):
    """The server has ended itself; the text is its log."""


@dataclass
class PrivatePostgres:
    """A running server; `address` as libpq takes it."""

    folder: Path
    binaries: Path
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"host={self.folder} user=postgres dbname=postgres"

    def start(self, *settings: str) -> None:
        options = [word for setting in settings for word in ("-c", setting)]
        command = [self.binaries / "postgres", "-D", self.folder / "data", "-k", self.folder]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*command, "-c", "listen_addresses=", *options],
                stdout=log,
                stderr=log,
                **_as_somebody(),
            )
        self._wait()

    def kill(self) -> None:
        """Take the server down as a power cut would take down its processes."""
        assert self.process is not None
        # The postmaster's children see that it is gone and leave; wait for that too.
        self.process.kill()
        self.process.wait()
        pid_file = self.folder / "data" / "postmaster.pid"
        pid_file.unlink(missing_ok=True)
        time.sleep(0.2)

    def settle(self) -> None:
        """Wait until the server answers again; one that has ended itself is started."""
        assert self.process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1)
        try:
            self._wait()
        except Ended:
            self.start()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)  # SIGINT: fast shutdown
            try:
                self.process.wait(WAIT_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def execute(self, *statements: str) -> None:
        import psycopg

        with psycopg.connect(self.address, autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def _wait(self) -> None:
        import psycopg

        end = time.monotonic() + WAIT_S
        while True:
            try:
                psycopg.connect(self.address).close()
            except psycopg.OperationalError:
                assert self.process is not None
                if self.process.poll() is not None:
                    raise Ended((self.folder / "log").read_text()) from None
                assert time.monotonic() < end, (self.folder / "log").read_text()
                time.sleep(0.05)
            else:
                return


def found_binaries() -> Path | None:
    """The folder of initdb and postgres: Debian keeps it out of the path."""
    for path in sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True):
        return path.parent
    found = shutil.which("initdb")
    return Path(found).resolve().parent if found else None


@contextlib.contextmanager
def private_postgres(
    place: Path | None = None, *, journal: Path | None = None
) -> Iterator[PrivatePostgres]:
    """A fresh cluster, in that folder or where temporary files go, removed at the end.

    `journal` is an empty folder for its write-ahead log, in pieces of 1 MB.
    """
    binaries = found_binaries()
    assert binaries is not None
    folder = Path(tempfile.mkdtemp(prefix="tw-pg-", dir=place))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _account())
            if place is not None:
                place.chmod(0o755)
            if journal is not None:
                shutil.chown(journal, _account())
        command = [binaries / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust"]
        if journal is not None:
            command += ["-X", journal, "--wal-segsize=1"]
        subprocess.run(
            [*command, "-N", "-E", "UTF8", "--locale=C"],
            check=True,
            capture_output=True,
            **_as_somebody(),
        )
        server = PrivatePostgres(folder, binaries)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _as_somebody() -> dict[str, object]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    return {"user": _account(), "extra_groups": [], "cwd": "/"}


def _account() -> str:
    import pwd

    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"
