from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.custody.recordings import pictures, write
from tidewaiter import wiring_compare
from tidewaiter.cli.program import program
from tidewaiter.custody.differences import Comparison, Difference, Stretch
from tidewaiter.custody.manifest import Manifest, decode
from tidewaiter.errors import InputError, LimitExceeded, MalformedText, UnknownExhibit
from tidewaiter.settings import Limits, Settings
from tidewaiter.traces.fingerprints import Fingerprints


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    frames = pictures(75)
    write(folder / "original.mp4", frames)
    write(folder / "cut.mp4", frames[np.r_[0:20, 40:75]], options={"crf": "28"})
    return folder


def call(*arguments):
    return CliRunner().invoke(program, ["custody", *map(str, arguments)])


def test_a_manifest_stands_for_its_recording(folder):
    manifest = folder / "original.twm"
    taken = call("manifest", folder / "original.mp4", "--out", manifest, "--clock", "2,2,50,10")
    assert taken.exit_code == 0, taken.output
    found = decode(manifest.read_bytes())
    assert found.root().hex() in taken.output
    assert found.clock == (200, 200, 5000, 1000)

    report = folder / "report"
    compared = call("compare", manifest, folder / "cut.mp4", "--out", report, "--lang", "fr")
    assert compared.exit_code == 4, compared.output
    assert "Altérée" in compared.output
    document = json.loads((report / "comparison.json").read_text(encoding="utf-8"))
    [item] = document["differences"]
    assert item["kind"] == "removed"
    assert abs(item["copy"]["start"] - 20) <= 2
    page = (report / "comparison.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg") == 2


def test_the_recording_itself_is_unchanged(folder):
    same = call("compare", folder / "original.mp4", folder / "original.mp4", "--json")
    assert same.exit_code == 0
    assert json.loads(same.output)["verdict"] == "unchanged"


def test_a_foreign_manifest_moves_no_cursor(folder, tmp_path):
    """What it says of itself is shown and rewrites nothing that was printed before."""
    said = Manifest("0" * 64, 5, "video/mp4", "copy.mp4", reason="\r\u202eUnchanged.")
    (tmp_path / "foreign.twm").write_bytes(said.encode())
    compared = call("compare", folder / "original.mp4", tmp_path / "foreign.twm")
    assert compared.exit_code == 3
    assert "Unchanged." in compared.output
    assert not {"\r", "\u202e"} & set(compared.output)


def test_what_is_no_video_cannot_be_told(folder, tmp_path):
    notes = tmp_path / "notes.txt"
    notes.write_text("shift diary")
    assert call("compare", folder / "original.mp4", notes).exit_code == 3


@pytest.mark.parametrize("box", ["2,2,50", "50,2,20,10", "2,2,50,110", "a,b,c,d"])
def test_a_box_outside_the_picture_is_refused(folder, box):
    refused = call("manifest", folder / "original.mp4", "--clock", box)
    assert isinstance(refused.exception, InputError)


def test_a_file_that_is_not_there_is_named(tmp_path):
    refused = call("manifest", tmp_path / "gone.mp4")
    assert isinstance(refused.exception, UnknownExhibit)


def test_recordings_beyond_the_memory_limit_are_refused_before_they_are_compared(
    tmp_path, monkeypatch
):
    from tidewaiter import wiring_compare
    from tidewaiter.custody.manifest import Manifest

    for name in ("a", "b"):
        prints = _synthetic(60_000, ord(name))
        manifest = Manifest(name * 64, 1, "video/mp4", name, fps=25.0, prints=prints)
        (tmp_path / f"{name}.twm").write_bytes(manifest.encode())
    monkeypatch.setattr(wiring_compare, "_work", lambda *_: pytest.fail("a worker was started"))
    small = Settings(limits=Limits(max_memory_bytes=64 << 20))
    with pytest.raises(LimitExceeded, match=r"60000 pictures takes up to \d+ MiB.*64 MiB"):
        wiring_compare.compare_files(tmp_path / "a.twm", tmp_path / "b.twm", small)


def test_a_broken_manifest_breaks_a_worker_only(folder, tmp_path):
    manifest = folder / "original.twm"
    assert call("manifest", folder / "original.mp4", "--out", manifest).exit_code == 0
    broken = tmp_path / "broken.twm"
    broken.write_bytes(manifest.read_bytes()[:-40])
    refused = call("compare", manifest, broken)
    assert isinstance(refused.exception, MalformedText)


def _synthetic(frames, seed):
    """A still picture again and again: fingerprints without a recording."""
    random = np.random.default_rng(seed)
    nothing, times = np.zeros(0, np.int64), np.arange(frames, dtype=np.int64) * 40_000
    return Fingerprints(
        picture_hash=np.zeros((frames, 32), np.uint8),
        picture_pts=times,
        picture_dts=times,
        picture_key=np.ones(frames, np.bool_),
        picture_bytes=times,
        small=np.repeat(random.integers(0, 4080, (1, 18, 32), dtype=np.uint16), frames, axis=0),
        clock=np.zeros((0, 8, 64), np.uint16),
        frame_time=times,
        sound_hash=np.zeros((0, 32), np.uint8),
        sound_pts=nothing,
        sound_band=np.zeros((0, 12), np.uint8),
    )


def test_a_page_without_pictures_says_so(tmp_path, monkeypatch):
    def killed(*_):
        raise LimitExceeded("examining took over 1 s, the limit max_wall_s")

    monkeypatch.setattr(wiring_compare, "_work", killed)
    cut = Difference("removed", Stretch(9, 9, 0.3, 0.3), Stretch(9, 20, 0.3, 0.8))
    found = Comparison("altered", "remuxed", (cut,), (), "a" * 64, "b" * 64, (30, 20), (1.0, 0.8))
    facts = Manifest("a" * 64, 5, "video/mp4", "copy.mp4")
    compared = wiring_compare.Compared(found, (facts, facts), (tmp_path / "a", tmp_path / "b"))
    files = wiring_compare.comparison_files(compared, Settings(), "en")
    assert "Pictures of the places are missing" in files["comparison.html"]
    assert json.loads(files["comparison.json"])["notes"] == ["no pictures"]
