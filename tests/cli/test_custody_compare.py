from __future__ import annotations

import json

import numpy as np
import pytest
from click.testing import CliRunner

from tests.custody.recordings import pictures, write
from tidewaiter.cli.program import program
from tidewaiter.custody.manifest import decode
from tidewaiter.errors import InputError, UnknownExhibit


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
