"""A finished report in a real browser: it shows, prints, and asks for nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import tidewaiter
from tidewaiter.casework.plan import Plan
from tidewaiter.testing.samples import spliced_picture
from tidewaiter.wiring import run_batch

CHROMIUM = shutil.which("chromium")
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
]
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed on this machine"),
]


@pytest.fixture(scope="module")
def page(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    exhibit = folder / "spliced.jpg"
    exhibit.write_bytes(spliced_picture())
    run_batch([exhibit], Plan(stability=False), out=folder / "out", workers=1)
    assert tidewaiter.__version__
    return next((folder / "out").glob("spliced*.html"))


def browse(page: Path, tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess:
    profile = f"--user-data-dir={tmp_path / 'profile'}"
    return subprocess.run(
        [CHROMIUM, *FLAGS, profile, *arguments, page.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.parametrize(("width", "height"), [(500, 900), (1280, 900)])
def test_it_shows_something_up_to_the_edge_and_not_beyond(page, tmp_path, width, height):
    shot = tmp_path / "shot.png"
    browse(page, tmp_path, f"--window-size={width},{height}", f"--screenshot={shot}")
    pixels = np.asarray(Image.open(shot).convert("L"), float)
    assert pixels.shape == (height, width)
    assert pixels.std() > 10, "the page is blank"
    margin = pixels[:, -6:]
    assert margin.std() < 10, "something reaches the right edge: the page overflows"


def test_it_prints(page, tmp_path):
    pdf = tmp_path / "report.pdf"
    browse(page, tmp_path, f"--print-to-pdf={pdf}")
    assert pdf.read_bytes().startswith(b"%PDF")
    assert pdf.stat().st_size > 20_000


def test_it_asks_for_nothing(page, tmp_path):
    done = browse(page, tmp_path, "--dump-dom")
    assert "<script" not in done.stdout
    for attribute in ("src=", "href="):
        for part in done.stdout.split(attribute)[1:]:
            target = part[1:40]
            assert target.startswith(("data:", "#", "./")), target
