"""A witness killed at each step of a confirmation: it may forget nothing that it told, and of two
histories it confirms one, whichever asks first afterwards."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys

import pytest

from tests.custody.logs import SmallLog
from tests.custody.signers import LOG
from tidewaiter import wiring_witness
from tidewaiter.custody.keys import VerifierKey
from tidewaiter.custody.store import Head
from tidewaiter.errors import ConfigurationError, IntegrityError
from tidewaiter.outlets.witness_client import WitnessClient

# The server as installed, and a process that ends itself at a named step of the nth confirmation.
KILLED_SERVER = """
import itertools, os, signal, sys
from pathlib import Path
from tidewaiter.outlets import witness_server
from tidewaiter.storage.witness_book import SqliteWitnessBook
from tidewaiter.wiring_witness import WitnessFiles, serving

step, at = sys.argv[2], int(sys.argv[3])
confirmations = itertools.count(1)

def killing(owner, name, *, before):
    original = getattr(owner, name)
    def wrapped(self, *values):
        ends = next(confirmations) == at
        if ends and before:
            os.kill(os.getpid(), signal.SIGKILL)
        done = original(self, *values)
        if ends:
            self.wfile.flush() if step == "answering" else None
            os.kill(os.getpid(), signal.SIGKILL)
        return done
    setattr(owner, name, wrapped)

if step == "judged":
    killing(SqliteWitnessBook, "_replace", before=True)
elif step == "written":
    killing(SqliteWitnessBook, "_replace", before=False)
elif step == "stored":
    killing(SqliteWitnessBook, "step", before=False)
elif step == "answering":
    killing(witness_server._WitnessHandler, "end_headers", before=False)
folder = Path(sys.argv[1])
files = WitnessFiles(folder / "w.key", folder / "w.book", folder / "logs")
with serving(files, host="127.0.0.1", port=0) as address:
    print(address, flush=True)
    sys.stdin.read()
"""
# Nothing may be remembered before the commit, everything must be after it.
STEPS = {"judged": 5, "written": 5, "stored": 9, "answering": 9}


class WitnessProcess:
    """A witness in a process of its own, and a client that asks it."""

    def __init__(self, folder, known, step="", at=0):
        command = [sys.executable, "-c", KILLED_SERVER, str(folder), step, str(at)]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self.client = WitnessClient(
            "w", [known], self.process.stdout.readline().strip(), LOG.verifier
        )

    def confirm(self, log, known_size, size):
        return self.client.confirm(log.note(size).encoded, known_size, log.proof)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


@pytest.fixture
def made(tmp_path):
    (vkey,) = wiring_witness.make_witness("w.example", tmp_path / "w.key", tmp_path / "w.book")
    (tmp_path / "logs").write_text(f"log {LOG.verifier}\nquorum none\n")
    return tmp_path, VerifierKey.parse(vkey)


def files_of(folder):
    return wiring_witness.WitnessFiles(folder / "w.key", folder / "w.book", folder / "logs")


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("first", ["honest", "fork"])
def test_a_killed_witness_confirms_one_of_two_histories(made, step, first):
    folder, known = made
    histories = {"honest": SmallLog(), "fork": SmallLog("fork", forked_at=6)}
    with WitnessProcess(folder, known, step, at=2) as witness:
        assert witness.confirm(histories["honest"], 0, 5).lines
        done = witness.confirm(histories["honest"], 5, 9)
        assert done.lines == ()
        assert done.reason in {"no answer (connection)", "no answer (truncated)"}
        assert witness.process.wait(20) == -signal.SIGKILL
    second = "fork" if first == "honest" else "honest"
    with wiring_witness.serving(files_of(folder), host="127.0.0.1", port=0) as address:
        client = WitnessClient("w", [known], address, LOG.verifier)
        remembered = client.latest().head
        assert remembered == Head(STEPS[step], histories["honest"].tree.root(STEPS[step]))
        answers = {
            name: client.confirm(
                histories[name].note(9).encoded, remembered.size, histories[name].proof
            )
            for name in (first, second)
        }
    confirmed = [name for name, done in answers.items() if done.lines]
    # What was stored before the kill is the history that is continued.
    assert confirmed == (["honest"] if STEPS[step] == 9 else [first])
    refused = answers["fork" if confirmed == ["honest"] else "honest"]
    assert "422" in refused.reason or "another root" in refused.reason


def test_a_book_without_the_journal_that_a_kill_left_says_less_than_it_confirmed(made):
    """Whoever copies the file alone sets the witness back; the log notices by the size stated."""
    folder, known = made
    log = SmallLog()
    with WitnessProcess(folder, known) as witness:
        assert witness.confirm(log, 0, 5).lines
        assert witness.confirm(log, 5, 9).lines
        witness.process.kill()
        witness.process.wait(20)
    assert (folder / "w.book-wal").stat().st_size > 0
    for beside in folder.glob("w.book-*"):
        beside.unlink()
    with wiring_witness.serving(files_of(folder), host="127.0.0.1", port=0) as address:
        client = WitnessClient("w", [known], address, LOG.verifier)
        done = client.confirm(log.note(12).encoded, 9, log.proof)
    assert done.stated_size is not None
    assert done.stated_size < 9


def test_a_lost_or_foreign_book_starts_no_witness(made):
    folder, _ = made
    other = folder / "other"
    wiring_witness.make_witness("w.example", folder / "other.key", other)
    shutil.copy(folder / "w.book", folder / "kept")
    shutil.copy(other, folder / "w.book")
    with pytest.raises(IntegrityError, match="another key"), start(folder):
        pass
    (folder / "w.book").unlink()
    with pytest.raises(ConfigurationError, match="could confirm a fork"), start(folder):
        pass
    shutil.copy(folder / "kept", folder / "w.book")
    with start(folder) as address:
        assert address.startswith("http://127.0.0.1:")


def start(folder):
    return wiring_witness.serving(files_of(folder), host="127.0.0.1", port=0)
