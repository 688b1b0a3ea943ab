"""The score table: written, read back, and refused where it is wrong."""

from __future__ import annotations

import pytest

from tests.opinion.making import gaussian_table
from tidewaiter.errors import InputError
from tidewaiter.opinion.scores import COLUMNS, ScoreTable, read_scores, sample_of, write_scores

HEADER = ",".join(COLUMNS) + "\n"
GOOD = "image.a,1,i,s,manipulated,splice,as_received,examined,1.5\n"


def test_a_table_survives_writing_and_reading() -> None:
    table = gaussian_table({"image.a": 1.0, "image.b": 0.1}, declines=0.3)
    assert read_scores(write_scores(table)) == table


def test_the_digest_does_not_depend_on_the_order_of_rows() -> None:
    table = gaussian_table({"image.a": 1.0})
    assert ScoreTable(table.rows[::-1]).sha256 == table.sha256
    assert ScoreTable(table.rows[1:]).sha256 != table.sha256


def test_declined_items_are_counted_and_not_fitted() -> None:
    table = gaussian_table({"image.a": 1.0}, declines=0.4)
    sample = sample_of(table.rows)
    declined = sample.declined_as_issued + sample.declined_manipulated
    assert declined > 0
    assert sample.labels.size + declined == len(table.rows)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("detector,score\n", "no column version"),
        ("", "no column"),
        (HEADER + GOOD.replace("manipulated", "fake"), "line 2: label"),
        (HEADER + GOOD.replace("examined", "done"), "line 2: status"),
        (HEADER + GOOD.replace("1.5", "high"), "line 2: score"),
        (HEADER + GOOD.replace("1.5", "nan"), "finite"),
        (HEADER + GOOD.replace("examined", "failed"), "only an examined item"),
        (HEADER + GOOD + GOOD, "line 3: .*twice"),
        (HEADER + "image.a,1\n", "fewer fields"),
    ],
)
def test_a_wrong_table_names_the_line(text: str, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read_scores(text)
