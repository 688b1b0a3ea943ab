"""The shipped thresholds follow from the benign copies that are kept beside them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tidewaiter.custody.thresholds import shipped_thresholds

FILE = Path(__file__).parents[2] / "src" / "tidewaiter" / "custody" / "thresholds.json"
KEPT = json.loads(FILE.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("name", "rows", "level", "factor"),
    [
        ("picture", "pictures", "picture", 1.15),
        ("clock", "pictures", "clock", 1.15),
        ("sound", "sound", "level", 2.0),
    ],
)
def test_no_benign_copy_of_calibration_reaches_a_threshold(name, rows, level, factor):
    highest = max(row[level] for row in KEPT[rows])
    assert getattr(shipped_thresholds(), name) == pytest.approx(factor * highest, abs=0.06)


def test_no_benign_copy_shows_a_change_of_order_as_long_as_counts():
    found = shipped_thresholds()
    assert found.shortest > max(row["longest"] for row in KEPT["pictures"])
    assert found.shortest_sound > max(row["longest"] for row in KEPT["sound"])


def test_the_basis_is_what_is_kept():
    copies = len(KEPT["pictures"])
    scenes = len({row["scene"] for row in KEPT["pictures"]})
    expected = f"{copies} benign copies of {scenes} scenes, {len(KEPT['sound'])} of sound"
    assert shipped_thresholds().basis == expected
    assert copies >= 50


def test_results_were_measured_with_the_thresholds_that_are_shipped():
    results = Path(__file__).parents[2] / "benchmarks/custody/edits/results/edits.json"
    measured = json.loads(results.read_text(encoding="utf-8"))["thresholds"]
    assert measured == vars(shipped_thresholds())
