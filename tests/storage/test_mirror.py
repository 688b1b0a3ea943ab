"""A mirror takes in every entry before it confirms, and proves a rewritten history."""

import os

import pytest

from tests.custody.signers import LOG, ORIGIN, key
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import verify_cosignature
from tidewaiter.custody.fork import Fork, prove_fork
from tidewaiter.custody.keys import VerifierKey
from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.note import parse_signature_lines
from tidewaiter.errors import IntegrityError, TidewaiterError, UnknownSigner
from tidewaiter.storage.tile_folder import TileFolder
from tidewaiter.wiring_mirror import mirror
from tidewaiter.wiring_witness import WitnessFiles, make_witness


def entries(size, label="", changed=-1):
    return [f"entry {n} {label if n == changed else ''}".encode() for n in range(size)]


def export(folder, bodies, *, known=0, signer=LOG):
    """What the log writes for its mirrors."""
    tree = Tree(map(leaf_hash, bodies))
    note = sign_checkpoint(Checkpoint(signer.name, len(bodies), tree.root()), signer)
    TileFolder(folder).write(
        tree, lambda start, stop: bodies[start:stop], note.encoded, known_size=known
    )
    return note


@pytest.fixture
def files(tmp_path):
    files = WitnessFiles(tmp_path / "m.key", tmp_path / "m.book", tmp_path / "logs")
    files.logs.write_text(f"log {LOG.verifier}\nquorum none\n")
    (tmp_path / "vkey").write_text(make_witness("mirror.example", files.key, files.book)[0])
    return files


def test_the_copy_grows_with_the_log_and_is_confirmed(tmp_path, files):
    source, copy = tmp_path / "export", tmp_path / "copy"
    known = VerifierKey.parse((tmp_path / "vkey").read_text())
    before = 0
    for size in (1, 200, 256, 300, 600):
        note = export(source, entries(size), known=before)
        done = mirror(files, source, copy, now=lambda: 1000)
        assert (done.origin, done.before, done.now) == (ORIGIN, before, size)
        (line,) = parse_signature_lines(done.lines.encode())
        checkpoint = Checkpoint.parse(note.text)
        assert verify_cosignature(checkpoint, known, line) == 1000
        before = size
    kept = TileFolder(copy)
    assert list(kept.entries(0, 600, size=600)) == entries(600)
    assert list(kept.entries(250, 515, size=600)) == entries(600)[250:515]
    assert Tree(kept.leaf_hashes(600)).root() == checkpoint.root
    # The same again is confirmed again; an older export is not.
    assert mirror(files, source, copy).before == 600
    export(tmp_path / "older", entries(300))
    with pytest.raises(TidewaiterError, match="600 are mirrored already"):
        mirror(files, tmp_path / "older", copy)


@pytest.mark.parametrize("size", [300, 500])
def test_a_rewritten_history_is_proven_to_others(tmp_path, files, size):
    copy = tmp_path / "copy"
    export(tmp_path / "export", entries(300))
    mirror(files, tmp_path / "export", copy)
    export(tmp_path / "rewritten", entries(size, "changed", 7))
    with pytest.raises(IntegrityError, match="rewrote its history"):
        mirror(files, tmp_path / "rewritten", copy)
    fork = Fork.parse((tmp_path / f"copy-{size}.log-fork").read_bytes())
    assert [one.size for one in prove_fork(fork, [LOG.verifier])] == [300, size]
    assert list(TileFolder(copy).entries(0, 300, size=300)) == entries(300)
    # The mirror still goes on with the honest log.
    export(tmp_path / "export", entries(301), known=300)
    assert mirror(files, tmp_path / "export", copy).now == 301


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


@pytest.mark.parametrize(
    ("damage", "problem"),
    [
        (lambda folder: flip(folder / "tile/entries/000"), "was changed|no whole|do not give"),
        (lambda folder: (folder / "tile/entries/000").unlink(), "carry the whole folder"),
        (lambda folder: (folder / "checkpoint").unlink(), "carry the whole folder"),
        (lambda folder: flip(folder / "checkpoint"), "."),
        (lambda folder: os.truncate(folder / "tile/entries/000", 100), "whole entries"),
        (lambda folder: os.truncate(folder / "tile/entries/000", 10**8), "longer than any"),
        (lambda folder: replace_by_pipe(folder / "tile/entries/000"), "no plain file"),
    ],
)
def test_a_damaged_export_confirms_nothing(tmp_path, files, damage, problem):
    export(tmp_path / "export", entries(300))
    damage(tmp_path / "export")
    with pytest.raises(TidewaiterError, match=problem):
        mirror(files, tmp_path / "export", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def replace_by_pipe(path):
    path.unlink()
    os.mkfifo(path)


def test_a_copy_that_somebody_changed_is_noticed(tmp_path, files):
    export(tmp_path / "export", entries(300))
    mirror(files, tmp_path / "export", tmp_path / "copy")
    flip(tmp_path / "copy/tile/entries/000")
    export(tmp_path / "export", entries(301), known=300)
    with pytest.raises(IntegrityError):
        mirror(files, tmp_path / "export", tmp_path / "copy")


def test_only_logs_of_the_mirror_are_taken_in(tmp_path, files):
    stranger = key("stranger.example")
    export(tmp_path / "export", entries(3), signer=stranger)
    with pytest.raises(TidewaiterError, match="not one of this witness's"):
        mirror(files, tmp_path / "export", tmp_path / "copy")
    namesake = type(LOG)(ORIGIN, 1, bytes(32))
    export(tmp_path / "export", entries(3), signer=namesake)
    with pytest.raises(UnknownSigner):
        mirror(files, tmp_path / "export", tmp_path / "copy")


def test_an_export_of_entries_that_are_not_in_the_tree_is_refused(tmp_path):
    bodies = entries(10)
    tree = Tree(map(leaf_hash, bodies))
    bodies[4] = b"changed in the database"
    with pytest.raises(IntegrityError, match="changed after it was logged"):
        TileFolder(tmp_path).write(tree, lambda start, stop: bodies[start:stop], b"note")
    assert not (tmp_path / "checkpoint").exists()
