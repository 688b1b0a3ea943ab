"""The written forms of the sample reports are those in `reports/`; nothing writes itself."""

from __future__ import annotations

import pytest

from tests.golden.regenerate import FOLDER, golden_files

HOW = "read the difference; if it is meant, run: python tests/golden/regenerate.py"
WRITTEN = dict(golden_files())


@pytest.mark.parametrize("name", WRITTEN)
def test_a_report_is_as_it_was(name: str) -> None:
    path = FOLDER / name
    assert path.is_file(), f"the golden file {name} is absent; {HOW}"
    golden = path.read_text(encoding="utf-8").splitlines()
    assert WRITTEN[name].splitlines() == golden, HOW


def test_no_golden_file_is_left_over() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(WRITTEN)
