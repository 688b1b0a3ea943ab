"""Whoever approves reads every field of what they sign, in words."""

from __future__ import annotations

import pytest

from tidewaiter.casework.custody_request_words import _ASKS_TO, read_out
from tidewaiter.casework.custody_requests import Request
from tidewaiter.custody.record_kinds import KINDS, TWO_PERSONS


def lines_of(**fields) -> list[str]:
    return read_out(Request({"request": "request-1", "device": "ingest", **fields}))


def test_a_mask_is_told_by_its_seconds_and_its_edges():
    mask = {"from_ms": 2500, "to_ms": 8000, "x": 1000, "y": 2000, "width": 3000, "height": 4050}
    first, *rest = lines_of(kind="derive", masks=[mask, {**mask, "from_ms": 0}])
    assert first == "request-1 asks to log a redacted copy of a recording (derive)"
    place = "left 10 %, top 20 %, right 40 %, bottom 60.5 % of the picture"
    assert f"    mask: from 2.5 to 8 s; {place}" in rest
    assert f"    mask: from 0 to 8 s; {place}" in rest


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ([], ["x: none"]),
        (["tape 7", "tape 8"], ["x: tape 7; tape 8"]),
        ({"media": "ab", "name": "cd"}, ["x of media: ab", "x of name: cd"]),
        ([{"id": "dora", "role": "log"}], ["x: id dora, role log"]),
        (90, ["x: 90"]),
    ],
)
def test_every_value_is_told(value, told):
    lines = lines_of(kind="erase", x=value)
    assert lines[2:-1] == [f"    {one}" for one in told]


def test_every_action_that_two_people_approve_has_words():
    may = {kind for kind, fields in KINDS.items() if fields[0] | fields[1] >= TWO_PERSONS}
    assert may == _ASKS_TO.keys()


def test_who_has_approved_is_told():
    assert lines_of(kind="hold")[-1] == "approved so far by: nobody"
    given = ({"by": "amara", "epoch": 0, "sig": ""}, {"by": "bilal", "epoch": 0, "sig": ""})
    request = Request({"kind": "hold", "request": "request-1"}, given)
    assert read_out(request)[-1] == "approved so far by: amara, bilal"
