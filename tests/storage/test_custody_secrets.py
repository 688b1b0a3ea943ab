"""Keys and salts: kept, given back, and gone from every file once forgotten."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from tidewaiter.custody.commitments import Opening
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage.custody_secrets import SqliteSecrets

RECORD, OTHER = "a" * 64, "b" * 64


@pytest.fixture
def secrets(tmp_path):
    made = SqliteSecrets(tmp_path / "keys" / "secrets.sqlite", create=True)
    yield made
    made.close()


def test_openings_and_keys_are_given_back(secrets, tmp_path):
    officer = Opening(RECORD, "officer", b"s" * 16, "Ana Pérez")
    age = Opening(RECORD, "age", b"t" * 16, 41)
    secrets.keep_openings([officer, age])
    secrets.keep_key("bwc-0017/3", "ordinary", b"wrapped\x00key")
    again = SqliteSecrets(tmp_path / "keys" / "secrets.sqlite")
    assert again.openings(RECORD) == [age, officer]
    assert again.openings(OTHER) == []
    assert again.wrapped_key("bwc-0017/3") == ("ordinary", b"wrapped\x00key")
    assert again.wrapped_key("bwc-0017/4") is None
    again.close()


def test_what_is_forgotten_is_in_no_file(secrets, tmp_path):
    for number in range(300):
        record = f"{number:064x}"
        secrets.keep_openings(
            [Opening(record, "officer", f"salt {number:011}".encode(), f"name {number} " * 90)]
        )
        secrets.keep_key(f"recording {number}", "ordinary", f"key number {number} ".encode() * 300)
    secrets.forget("recording 77", [f"{77:064x}"])
    assert secrets.wrapped_key("recording 77") is None
    assert secrets.openings(f"{77:064x}") == []
    found = b"".join(path.read_bytes() for path in sorted((tmp_path / "keys").iterdir()))
    for gone in (b"salt 00000000077", b"name 77 ", b"key number 77 "):
        assert gone not in found
    for kept in (b"salt 00000000078", b"name 78 ", b"key number 78 "):
        assert kept in found


def test_a_file_that_is_no_database_is_named(tmp_path):
    (tmp_path / "secrets.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(StorageError, match=r"secrets\.sqlite"):
        SqliteSecrets(tmp_path / "secrets.sqlite")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_only_the_owner_reads_the_file_and_its_journal(secrets):
    secrets.keep_key("bwc-0017/3", "ordinary", b"wrapped")
    assert secrets.path.stat().st_mode & 0o077 == 0


WRITES_A_KEY = """
import sys
from pathlib import Path
from tidewaiter.storage.custody_secrets import SqliteSecrets
SqliteSecrets(Path(sys.argv[1]), create=True).keep_key("bwc-0017/3", "ordinary", b"wrapped")
"""


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
def test_a_power_cut_brings_no_journal_back(tmp_path):
    """A journal that came back would undo an erasure, or a class's new key, after it was told."""
    path = tmp_path / "secrets.sqlite"
    calls = ["strace", "-f", "-e", "trace=unlink,unlinkat,openat,fsync,fdatasync"]
    done = subprocess.run(
        [*calls, sys.executable, "-c", WRITES_A_KEY, str(path)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    lines = done.stderr.splitlines()
    removed = max(n for n, line in enumerate(lines) if "unlink" in line and "-journal" in line)
    assert any(f'"{tmp_path}"' in line for line in lines[removed:])
    assert any("sync(" in line for line in lines[removed:])


def test_what_is_not_there_is_only_made_where_that_is_asked_for(tmp_path):
    with pytest.raises(ConfigurationError, match="connect their disk"):
        SqliteSecrets(tmp_path / "secrets.sqlite")
    assert not (tmp_path / "secrets.sqlite").exists()
