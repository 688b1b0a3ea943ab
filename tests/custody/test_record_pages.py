"""The page on records names every kind, level, stop reason and finding that there is."""

from __future__ import annotations

from pathlib import Path

from tidewaiter.custody.discrepancy import NAMES
from tidewaiter.custody.record_kinds import KINDS, LEVELS

PAGE = (Path(__file__).parents[2] / "docs/reference/custody-records.md").read_text(encoding="utf-8")


def test_every_kind_and_level_is_on_the_page():
    for word in (*KINDS, *LEVELS):
        assert f"`{word}`" in PAGE, word


def test_every_name_of_a_finding_is_on_the_page_with_its_meaning():
    for name, meaning in NAMES.items():
        assert f"| `{name}` | {meaning} |" in PAGE, name
