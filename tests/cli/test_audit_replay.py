"""`tidewaiter audit replay`: what is printed, what is written, and the exit codes."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import sys

import pytest
from click.testing import CliRunner

from tidewaiter.cli.program import main, program
from tidewaiter.errors import InputError
from tidewaiter.face_audit import replay as replaying
from tidewaiter.face_audit.published import FILES

CONTENT = (
    "Filename,Src,Tar,Src Pred.,Src Conf.,Tar Pred.,Tar Conf.,Similarity\n"
    "/authors/own/1.jpg,Ana,1,Ana,1,Ana,1,0.6\n"
    "/authors/own/2.jpg,Bob,2,Bob,1,,,0\n"
)


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A study of two answers in one file, pinned by its digest."""
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / FILES[0].name).write_text(CONTENT, encoding="utf-8")
    digest = hashlib.sha256(CONTENT.encode()).hexdigest()
    pinned = (dataclasses.replace(FILES[0], sha256=digest),)
    monkeypatch.setattr(replaying.replay, "__kwdefaults__", {"seed": 1, "files": pinned})
    return folder


def run(*words):
    return CliRunner().invoke(program, ["audit", "replay", *map(str, words)])


def test_the_tables_the_answer_and_the_notes_are_printed(study):
    done = run(study)
    assert done.exit_code == 0, done.output
    assert "Azure    VoxCelebTH 1" in done.stdout
    assert "50.00" in done.stdout
    assert "the service named 1 of 2 forged pictures" in done.stdout
    assert "authors" not in done.stdout.replace("authors’", "")
    assert done.stderr == ""


def test_json_is_the_whole_result(study):
    document = json.loads(run(study, "--json").stdout)
    assert document["files"][0]["hits"] == {"count": 1, "percent": 50.0}
    assert document["absent"] == []


def test_out_holds_the_page_and_the_json(study, tmp_path):
    done = run(study, "--out", tmp_path / "out", "--lang", "fr")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "out/replay.json").read_text(encoding="utf-8"))["seed"] == 1
    page = (tmp_path / "out/replay.html").read_text(encoding="utf-8")
    assert "Une étude publiée, recalculée" in page


def test_an_altered_file_is_computed_marked_and_exits_with_integrity(study):
    path = study / FILES[0].name
    path.write_text(CONTENT.replace("0.6", "0.7"), encoding="utf-8")
    done = run(study)
    assert done.exit_code == 4
    assert "50.00" in done.stdout
    assert "is not the published file" in done.stderr


def test_an_absent_file_is_named_and_exits_with_input(study, monkeypatch):
    both = (*replaying.replay.__kwdefaults__["files"], FILES[1])
    monkeypatch.setattr(replaying.replay, "__kwdefaults__", {"seed": 1, "files": both})
    done = run(study)
    assert done.exit_code == 2
    assert f"Not replayed: {FILES[1].name} is not in the folder." in done.stderr


def test_the_installed_command_leaves_with_that_code(study, monkeypatch, capsys):
    (study / FILES[0].name).write_text(CONTENT.replace("0.6", "0.7"), encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["tidewaiter", "audit", "replay", str(study)])
    with pytest.raises(SystemExit) as left:
        main()
    assert left.value.code == 4
    assert "is not the published file" in capsys.readouterr().err


def test_a_folder_without_answers_is_one_sentence(tmp_path):
    done = run(tmp_path)
    assert isinstance(done.exception, InputError)
    assert done.stdout == ""


def test_a_folder_that_is_not_there_is_a_matter_of_usage(tmp_path):
    assert run(tmp_path / "nowhere").exit_code == 2


def test_the_group_lists_its_commands_without_loading_them():
    done = CliRunner().invoke(program, ["audit", "--help"])
    assert "replay" in done.stdout
    assert CliRunner().invoke(program, ["audit", "nothing"]).exit_code == 2


def test_the_schema_of_the_json_is_printed():
    printed = json.loads(CliRunner().invoke(program, ["schema", "replay"]).stdout)
    assert set(printed["required"]) >= {"seed", "files"}
    assert "clustered" in printed["$defs"]["ReplayedFile"]["properties"]
