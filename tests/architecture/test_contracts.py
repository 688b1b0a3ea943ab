"""The tree keeps its promises: layers, budgets, one-line folders, quick start."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "tidewaiter"
FILES = sorted(SOURCE.rglob("*.py"))

VIOLATIONS = [
    ("vocabulary_and_media", "vocabulary.py", "import tidewaiter.media"),
    ("traces_and_opinion", "traces/base.py", "import tidewaiter.opinion"),
    ("media_and_weights", "media/material.py", "import tidewaiter.weights"),
    ("detector_and_forgeries", "detectors/base.py", "import tidewaiter.forgeries"),
    ("modalities", "detectors/image/__init__.py", "import tidewaiter.detectors.video"),
    ("framework", "casework/batch.py", "import click"),
    ("cli_and_jobs", "cli/examine.py", "import tidewaiter.jobs.queue"),
    ("casework_and_wiring", "casework/batch.py", "import tidewaiter.wiring"),
    ("torch_outside_training", "traces/base.py", "import torch"),
    ("onnx_outside_training", "casework/batch.py", "import onnx"),
    ("training_and_testing", "training/network.py", "import tidewaiter.testing"),
    ("opinion_and_training", "detectors/base.py", "import tidewaiter.training"),
    ("audit_and_report", "face_audit/driver.py", "import tidewaiter.report"),
    ("audit_and_framework", "face_audit/driver.py", "import click"),
    ("custody_and_audit", "custody/merkle.py", "import tidewaiter.face_audit"),
    ("custody_and_database", "custody/merkle.py", "import sqlite3"),
]


def lint_imports(source: Path) -> subprocess.CompletedProcess[str]:
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]);"
        "from importlinter.cli import lint_imports; sys.exit(lint_imports(cache_dir=None))"
    )
    return subprocess.run(
        [sys.executable, "-c", program, str(source)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(("name", "file", "line"), VIOLATIONS, ids=[v[0] for v in VIOLATIONS])
def test_a_deliberate_violation_breaks_a_contract(name, file, line, tmp_path):
    for original in FILES:
        copy = tmp_path / "tidewaiter" / original.relative_to(SOURCE)
        copy.parent.mkdir(parents=True, exist_ok=True)
        text = original.read_text(encoding="utf-8")
        if original.relative_to(SOURCE).as_posix() == file:
            text += f"\n\ndef _violation() -> None:\n    {line}\n"
        copy.write_text(text, encoding="utf-8")
    outcome = lint_imports(tmp_path)
    assert outcome.returncode != 0, outcome.stdout
    assert "BROKEN" in outcome.stdout


def test_every_folder_is_in_a_layer_and_says_what_it_is_in_one_line():
    layers = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
        "importlinter"
    ]["contracts"][0]["layers"]
    named = {part.strip() for layer in layers for part in layer.split("|")}
    for folder in sorted(p.parent for p in SOURCE.glob("*/__init__.py")):
        assert folder.name in named
    for init in sorted(SOURCE.rglob("__init__.py")):
        docstring = ast.get_docstring(ast.parse(init.read_text(encoding="utf-8")))
        assert docstring, f"{init} says nothing"
        assert "\n" not in docstring, f"{init}: more than one line"


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_files_and_functions_keep_their_size(file):
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or 0) - node.lineno + 1
            assert length <= 60, f"{node.name} has {length} lines"


@pytest.mark.parametrize("file", FILES, ids=lambda p: p.relative_to(SOURCE).as_posix())
def test_public_things_have_a_docstring(file):
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), f"{node.name} has no docstring"


def test_nothing_names_a_place_on_a_machine():
    pattern = re.compile(r"(?<![\w.])/(?:work|tmp|root|home)/")
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    for name in tracked:
        path = ROOT / name
        if (
            name.endswith((".py", ".md", ".toml", ".json", ".html", ".tsv", ".csv"))
            and path.is_file()
        ):
            if path == Path(__file__):
                continue
            found = pattern.search(path.read_text(encoding="utf-8"))
            assert not found, f"{name}: {found and found.group()}"


def test_help_loads_no_heavy_library():
    program = (
        "import sys; from tidewaiter.cli import main; sys.argv = ['tidewaiter', '--help']\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'numpy', 'scipy', 'cv2', 'av', 'PIL', 'openvino', 'pydantic', 'c2pa', 'rich'}\n"
        "sys.exit(', '.join(sorted(heavy & set(sys.modules))) or 0)\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
    assert "examine" in outcome.stdout


def test_everything_but_training_loads_without_torch():
    program = (
        "import importlib, pkgutil, sys\n"
        "sys.modules.update({'torch': None, 'onnx': None})\n"
        "import tidewaiter\n"
        "for found in pkgutil.walk_packages(tidewaiter.__path__, 'tidewaiter.'):\n"
        "    if not found.name.startswith('tidewaiter.training'):\n"
        "        importlib.import_module(found.name)\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert outcome.returncode == 0, outcome.stderr
