"""`custody prove` finds what is asked for in any of its names, and says when the index lied."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.cli.custody_kit import founded
from tidewaiter.custody.extra import unpack_extra
from tidewaiter.custody.proof import ProofFile
from tidewaiter.custody.record import parse_record


@pytest.fixture(scope="module")
def shift(tmp_path_factory):
    """One recording, docked and confirmed."""
    place = founded(tmp_path_factory.mktemp("prove"))
    (place.card / "MOV_0001.txt").write_bytes(b"first recording " * 999)
    with place.served("court"):
        place.do("dock", "--device", "bwc-0017", place.card)
        place.carry("vigilance")
        place.do("checkpoint")
    return place


def proven(place, asked, out):
    """The record that the proof of something is about, and what was said."""
    answer = place.do("prove", asked, "--out", out)
    assert answer.code == 0, answer.text
    proof = ProofFile.parse(out.read_bytes())
    return proof.index, parse_record(unpack_extra(proof.extra)[0]), answer.text


def test_one_record_by_all_its_names(shift, tmp_path):
    out = tmp_path / "a.tlog-proof"
    index, record, said = proven(shift, "bwc-0017/0", out)
    assert "notice" not in said
    digests = [record.fields["blob"], record.fields["manifest_blob"]]
    for asked in (*digests, "bwc-0017#0", index, shift.card / "MOV_0001.txt"):
        assert proven(shift, asked, out)[:2] == (index, record)


@pytest.mark.parametrize("asked", ["bwc-0017/9", "bwc-0017#999", "ab" * 32, "bwc-0017#" + "9" * 40])
def test_what_the_log_has_not_is_named(shift, asked):
    answer = shift.do("prove", asked)
    assert (answer.code, "no entry of this log" in answer.text) == (2, True)


def test_an_index_that_somebody_altered_is_told_and_made_anew(shift, tmp_path):
    before = proven(shift, "bwc-0017/0", tmp_path / "a.tlog-proof")
    with contextlib.closing(sqlite3.connect(shift.site / "log.sqlite")) as database, database:
        database.execute("DELETE FROM place")
    again = proven(shift, "bwc-0017/0", tmp_path / "b.tlog-proof")
    assert again[:2] == before[:2]
    assert "notice: the log's index of words has not entry" in again[2]
    assert "notice" not in proven(shift, "bwc-0017/0", tmp_path / "c.tlog-proof")[2]
