"""`tidewaiter examine --pdf`: every page also on paper, or refused before any work."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tidewaiter.messages import translator
from tidewaiter.testing.samples import spliced_picture

COMMAND = [sys.executable, "-c", "from tidewaiter.cli import main; main()"]
QUICK = ("--only", "image.jpeg_grid", "--no-stability")
needs_chromium = pytest.mark.skipif(
    shutil.which("chromium") is None, reason="Chromium is not installed on this machine"
)
needs_pdftotext = pytest.mark.skipif(
    shutil.which("pdftotext") is None, reason="pdftotext (poppler-utils) is not installed"
)
WORDS = ("What the examination of this file supports", "What to do next")


@pytest.fixture
def exhibits(tmp_path) -> Path:
    folder = tmp_path / "in"
    folder.mkdir()
    (folder / "spliced.jpg").write_bytes(spliced_picture())
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 20)
    return folder


def examine(folder: Path, *arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [*COMMAND, "examine", "in", "--out", "out", *QUICK, *arguments],
        cwd=folder.parent,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        **options,
    )


@needs_chromium
@needs_pdftotext
@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "fr"])
def test_each_page_is_printed_beside_itself_in_its_language(exhibits, language):
    done = examine(exhibits, "--pdf", "--lang", language)
    out = exhibits.parent / "out"
    assert done.returncode == 2, "the file that is no picture costs one line and the exit status"
    (pdf,) = out.glob("*.pdf")
    assert pdf.with_suffix(".html").is_file()
    text = subprocess.run(
        ["pdftotext", "-layout", str(pdf), "-"], capture_output=True, text=True, check=True
    ).stdout
    for words in WORDS:
        assert translator(language)(words) in text
    assert "spliced.jpg" in text
    assert hashlib.sha256(spliced_picture()).hexdigest() in text, "whole, at the head of each page"
    assert "file://" not in text
    assert str(exhibits.parent) not in text
    assert not list(out.glob(".*.part"))


def test_without_a_browser_nothing_is_examined_and_the_message_says_what_to_do(exhibits):
    bare = {**os.environ, "PATH": str(exhibits)}
    done = examine(exhibits, "--pdf", env=bare)
    assert done.returncode == 7
    assert "no Chromium was found" in done.stderr
    assert "install Chromium or Chrome, or name it with --browser" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (exhibits.parent / "out").exists()


def test_a_browser_that_fails_leaves_the_pages(exhibits):
    browser = exhibits.parent / "browser"
    browser.write_text("#!/bin/sh\nexit 1\n")
    browser.chmod(0o755)
    done = examine(exhibits, "--pdf", "--browser", str(browser))
    assert done.returncode == 3
    assert "browser did not print 'spliced" in done.stderr
    assert "open it and print it by hand" in done.stderr
    assert "1 examined, 1 could not be examined" in done.stdout, "told all the same"
    (page,) = (exhibits.parent / "out").glob("spliced*.html")
    assert page.read_text(encoding="utf-8").lower().startswith("<!doctype html>")
    assert not list((exhibits.parent / "out").glob("*.pdf"))
