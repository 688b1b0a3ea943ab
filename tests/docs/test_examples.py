"""The examples of the documentation work: Python runs, commands and options exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import numpy as np
import pytest

from tidewaiter.cli.program import COMMANDS, program
from tidewaiter.detectors.base import Detector
from tidewaiter.testing.samples import untouched_picture
from tidewaiter.traces.base import Traces
from tidewaiter.vocabulary import MediaKind, Status

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    text = page.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def commands() -> list[tuple[str, list[str]]]:
    found = []
    for page in PAGES:
        for block in blocks(page, "console"):
            for line in block.splitlines():
                if not line.startswith("$ "):
                    continue
                for part in re.split(r"\s*(?:\||\|\||>|&&)\s*", line[2:]):
                    words = shlex.split(part)
                    at = [n for n, word in enumerate(words) if word.split("/")[-1] == "tidewaiter"]
                    if at and len(words) > at[0] + 1 and "pip" not in part:
                        found.append((page.name, words[at[0] + 1 :]))
    return found


def test_the_documentation_shows_every_command():
    shown = {words[0] for _, words in commands()}
    assert shown >= {"examine", "selftest", "calibrate"}


@pytest.mark.parametrize(
    ("page", "words"), commands(), ids=[f"{p}: {' '.join(w)}" for p, w in commands()]
)
def test_a_command_of_the_documentation_exists_with_its_options(page, words):
    assert words[0] in COMMANDS, f"{page}: tidewaiter {words[0]}"
    command, deeper = program.get_command(click.Context(program), words[0]), iter(words[1:])
    while isinstance(command, click.Group):
        word = next(deeper)
        assert word in command.list_commands(click.Context(command)), f"{page}: {words}"
        command = command.get_command(click.Context(command), word)
    known = {option for parameter in command.params for option in parameter.opts}
    for word in words[1:]:
        if word.startswith("--"):
            assert word in known, f"{page}: {word}"


def test_the_python_of_the_tutorial_runs(tmp_path, monkeypatch, capsys):
    (tmp_path / "photo.jpg").write_bytes(untouched_picture())
    monkeypatch.chdir(tmp_path)
    examples = blocks(ROOT / "docs/tutorial/first-ten-minutes.md", "python")
    assert examples
    for example in examples:
        exec(compile(example, "tutorial", "exec"), {})
    assert "image.altered" in capsys.readouterr().out


def test_the_detector_of_the_how_to_is_one():
    (example,) = blocks(ROOT / "docs/howto/add-a-detector.md", "python")
    names: dict[str, object] = {}
    exec(compile(example, "how-to", "exec"), names)
    detector = names["BrightCorner"]()
    assert isinstance(detector, Detector)
    finding = detector.find(Traces(MediaKind.PICTURE, {"noise": np.zeros(1)}))
    assert finding.status is Status.EXAMINED
