"""A site's log goes out as tiles, a mirror takes it in, and another history does not pass."""

import sqlite3

import pytest

from tests.cli.custody_kit import Place, run
from tidewaiter.custody.checkpoint import Checkpoint
from tidewaiter.custody.note import Note
from tidewaiter.storage.tile_folder import TileFolder


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = Place(tmp_path_factory.mktemp("tiles"))
    made = place.found()
    assert made.code == 0, made.text
    return place


def size_of(folder):
    return Checkpoint.parse(Note.parse(TileFolder(folder).checkpoint()).text).size


def test_the_log_goes_out_and_a_mirror_takes_it_in(place):
    export, copy = place.folder / "export", place.folder / "copy"
    first = place.do("tiles", export)
    assert first.code == 0, first.text
    before = size_of(export)
    assert f"{before} entries written, {before} in all" in first.text
    enrolled = place.do("device", "add", "dock-1", "--holder", "dock", *place.approvers())
    assert enrolled.code == 0, enrolled.text
    place.carry("vigilance")
    second = place.do("tiles", export)
    assert f"{size_of(export) - before} entries written" in second.text
    assert len(Note.parse(TileFolder(export).checkpoint()).signatures) == 2
    files = place.files("court")
    taken = run(
        *("witness", "mirror", export, copy, "--key", files.key, "--book", files.book),
        *("--logs", files.logs, "--out", place.folder / "lines"),
    )
    assert taken.code == 0, taken.text
    done = place.do("checkpoint", "--answer", "court", place.folder / "lines")
    assert "confirmed by court" in done.text
    bodies = list(TileFolder(copy).entries(0, size_of(copy), size=size_of(copy)))
    assert len(bodies) == size_of(export) > before
    assert all(body.startswith(b"{") for body in bodies)


def test_another_history_is_not_mixed_in(place):
    export = place.folder / "other"
    assert place.do("tiles", export).code == 0
    site = place.folder / "second"
    words = [f"--founder={name}" for name in ("x:log", "y:vigilance", "z:legal")]
    words += [f"--witness={name} {key}" for name, key in place.vkeys.items()]
    made = run("init", "--origin", "custody.customs.example/2026", *words, "--site", site)
    assert made.code == 0, made.text
    refused = run("tiles", export, "--site", site)
    assert refused.code == 4
    assert "another history" in refused.text or "export into another folder" in refused.text


def test_an_edited_record_does_not_go_out(place):
    database = sqlite3.connect(place.site / "log.sqlite")
    with database:
        database.execute("DROP TRIGGER leaf_kept")
        database.execute("UPDATE leaf SET body = body || ' ' WHERE i = 1")
    database.close()
    refused = place.do("tiles", place.folder / "edited")
    assert refused.code == 4
    assert "changed after it was logged" in refused.text
    assert not (place.folder / "edited" / "checkpoint").exists()
