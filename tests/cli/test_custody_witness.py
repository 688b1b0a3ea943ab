"""The commands of a witness: made, asked on paper, asked over HTTP, and telling of a fork."""

import signal
import subprocess
import sys
from dataclasses import dataclass

import pytest
from click.testing import CliRunner

from tests.custody.logs import SmallLog
from tests.custody.signers import LOG
from tidewaiter.cli.program import program
from tidewaiter.custody.cosignature import verify_cosignature
from tidewaiter.custody.fork import Fork, prove_fork
from tidewaiter.custody.keys import VerifierKey
from tidewaiter.custody.merkle import leaf_hash
from tidewaiter.custody.note import parse_signature_lines
from tidewaiter.custody.witness import AddCheckpoint
from tidewaiter.errors import TidewaiterError
from tidewaiter.outlets.witness_client import WitnessClient
from tidewaiter.storage.tile_folder import TileFolder


@pytest.fixture
def witness(tmp_path):
    """The options of a new witness, and its verifier key."""
    options = ["--key", str(tmp_path / "w.key"), "--book", str(tmp_path / "w.book")]
    made = run("init", "--name", "w.example", *options)
    assert made.exit_code == 0, made.output
    (tmp_path / "logs").write_text(f"log {LOG.verifier}\nquorum none\n")
    return [*options, "--logs", str(tmp_path / "logs")], VerifierKey.parse(made.output.strip())


@dataclass(frozen=True)
class Done:
    exit_code: int
    output: str


def run(*arguments):
    """As the installed command does it: an error is one sentence and its own exit code."""
    done = CliRunner().invoke(program, ["custody", "witness", *map(str, arguments)])
    if isinstance(done.exception, TidewaiterError):
        return Done(done.exception.exit_code, str(done.exception))
    return Done(done.exit_code, done.output)


def request(tmp_path, log, old, new):
    path = tmp_path / f"{old}-{new}.add-checkpoint"
    path.write_bytes(log.request(old, new))
    return path


def test_a_checkpoint_carried_on_a_stick_is_confirmed(tmp_path, witness):
    options, known = witness
    log = SmallLog()
    done = run("sign", request(tmp_path, log, 0, 5), *options, "--out", tmp_path / "lines")
    assert done.exit_code == 0, done.output
    (line,) = parse_signature_lines((tmp_path / "lines").read_bytes())
    assert verify_cosignature(log.checkpoint(5), known, line) > 0
    again = run("sign", request(tmp_path, log, 0, 9), *options)
    assert again.exit_code == 2
    assert "last confirmed 5 entries" in again.output
    assert run("sign", request(tmp_path, log, 5, 9), *options).exit_code == 0
    assert (tmp_path / "5-9.add-checkpoint.cosigned").is_file()
    assert run("sign", tmp_path / "absent", *options).exit_code == 2


def test_a_fork_is_refused_and_can_be_shown_to_others(tmp_path, witness):
    options, _ = witness
    assert run("sign", request(tmp_path, SmallLog(), 0, 5), *options).exit_code == 0
    quiet = run("forks", tmp_path / "forks", *options[:4])
    assert (quiet.exit_code, (tmp_path / "forks").exists()) == (0, False)
    fork = SmallLog("fork")
    for size in (5, 8):
        refused = run("sign", request(tmp_path, fork, 5, size), *options)
        assert refused.exit_code == 4, refused.output
    told = run("forks", tmp_path / "forks", *options[:4])
    assert told.exit_code == 4
    proof = Fork.parse((tmp_path / "forks" / "0001.log-fork").read_bytes())
    assert prove_fork(proof, [LOG.verifier])[0].size == 5
    kept = AddCheckpoint.parse((tmp_path / "forks" / "0002.add-checkpoint").read_bytes())
    assert kept == AddCheckpoint(0, (), fork.note(8)), "nothing but what the log signed"


def test_a_mirror_says_what_it_took_in(tmp_path, witness):
    options, known = witness
    log, bodies = SmallLog(), [b"one", b"two", b"three"]
    log.tree.extend(map(leaf_hash, bodies))
    TileFolder(tmp_path / "export").write(
        log.tree, lambda start, stop: bodies[start:stop], log.note(3).encoded
    )
    folders = [tmp_path / "export", tmp_path / "copy"]
    done = run("mirror", *folders, *options, "--out", tmp_path / "lines")
    assert done.exit_code == 0, done.output
    assert "3 entries taken in, 3 in all" in done.output
    (line,) = parse_signature_lines((tmp_path / "lines").read_bytes())
    assert verify_cosignature(log.checkpoint(3), known, line) > 0


@pytest.mark.parametrize(
    ("spoil", "code", "problem"),
    [
        (lambda folder: (folder / "w.book").unlink(), 7, "could confirm a fork"),
        (lambda folder: (folder / "w.key").chmod(0o644), 7, "chmod 600"),
        (lambda folder: (folder / "logs").unlink(), 7, "cannot be read"),
        (lambda folder: (folder / "logs").write_text("quorum none"), 7, "names no log"),
        (lambda folder: (folder / "logs").write_text("logs"), 7, "line 1"),
        (lambda folder: (folder / "r").write_bytes(b"old 0\n"), 4, "a request is"),
        (lambda folder: (folder / "r").write_bytes(SmallLog().request(3, 4)), 2, "0 entries"),
    ],
)
def test_what_is_missing_or_wrong_is_named(tmp_path, witness, spoil, code, problem):
    options, _ = witness
    (tmp_path / "r").write_bytes(SmallLog().request(0, 5))
    spoil(tmp_path)
    done = run("sign", tmp_path / "r", *options)
    assert done.exit_code == code, done.output
    assert problem in done.output
    assert not (tmp_path / "r.cosigned").exists()


def test_a_witness_is_made_once(tmp_path, witness):
    options, _ = witness
    again = run("init", "--name", "w.example", *options[:4])
    assert again.exit_code == 7
    assert "never emptied" in again.output
    both = run(
        *("init", "--name", "pq.example", "--ml-dsa"),
        *("--key", tmp_path / "pq.key", "--book", tmp_path / "pq.book"),
    )
    assert len(both.output.splitlines()) == 2


def test_the_installed_command_serves_until_it_is_ended(witness):
    options, known = witness
    begun = [sys.executable, "-c", "from tidewaiter.cli import main; main()"]
    command = [*begun, "custody", "witness", "serve", *options]
    with subprocess.Popen(
        [*command, "--port", "0", "--prefix", "w1/"], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            address = process.stdout.readline().split()[2]
            assert address.endswith("/w1")
            log = SmallLog()
            client = WitnessClient("w", [known], address, LOG.verifier)
            done = client.confirm(log.note(5).encoded, 0, log.proof)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            process.kill()
    assert len(done.lines) == 1
