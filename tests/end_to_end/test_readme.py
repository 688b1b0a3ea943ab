"""The run that the README shows is the run that a new user sees."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_demo_prints_what_the_readme_shows(tmp_path):
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    shown = re.search(r"```console\n\$ make demo\n(.*?)```", readme, re.DOTALL).group(1)
    command = [sys.executable, "-c", "from tidewaiter.cli import main; main()"]
    done = subprocess.run(
        [*command, "demo", "--out", "demo-reports"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == shown
