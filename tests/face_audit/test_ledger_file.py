"""What was written stays; what was cut short, changed or held by another is met by name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.face_audit.making import audit, listed, opening
from tidewaiter.cli.program import program
from tidewaiter.errors import InputError, IntegrityError, StorageError
from tidewaiter.face_audit.ledger import Row, book_of
from tidewaiter.face_audit.results import Planned
from tidewaiter.face_audit.service import Outcome
from tidewaiter.storage.ledger_file import LedgerFile, read_ledger

ROW = Row(state="sent", trial_id="a" * 64, stage="licit", calls=1)


@pytest.fixture
def path(tmp_path):
    with LedgerFile(tmp_path / "ledger.jsonl", opening(audit())) as ledger:
        ledger.append(ROW)
    return tmp_path / "ledger.jsonl"


def test_rows_are_read_back(path):
    with LedgerFile(path, opening(audit())) as ledger:
        assert ledger.rows == [ROW]
        assert not ledger.torn
    assert read_ledger(path)[1] == [ROW]


@pytest.mark.parametrize("cut", [1, 5, 40])
def test_a_torn_last_line_is_dropped_with_a_notice_and_writing_goes_on(path, cut):
    whole = path.read_bytes()
    path.write_bytes(whole + whole.splitlines(keepends=True)[-1][:-cut])
    assert read_ledger(path)[1] == [ROW]
    with LedgerFile(path, opening(audit())) as ledger:
        assert ledger.torn
        ledger.append(ROW)
    assert read_ledger(path)[1] == [ROW, ROW]


def test_a_ledger_cut_within_its_first_line_begins_anew(path):
    path.write_bytes(path.read_bytes()[:20])
    with LedgerFile(path, opening(audit())) as ledger:
        assert ledger.rows == []


def test_a_changed_line_is_met_by_its_number(path):
    path.write_bytes(path.read_bytes().replace(b'"sent"', b'"Sent"'))
    with pytest.raises(IntegrityError, match="line 2"):
        LedgerFile(path, opening(audit()))


def test_a_new_ledger_is_on_disk_by_name_before_anything_is_sent(tmp_path, monkeypatch):
    synced = []
    monkeypatch.setattr("tidewaiter.storage.ledger_file.sync_folder", synced.append)
    with LedgerFile(tmp_path / "ledger.jsonl", opening(audit()), together=100):
        assert synced == [tmp_path]


def test_a_status_counts_what_was_denied_or_is_in_doubt_as_left(tmp_path):
    begun = opening(audit()).model_copy(
        update={"planned": Planned(calls=3, cost="0", seconds=1.0, pictures=0, trials=3)}
    )
    with LedgerFile(tmp_path / "p" / "ledger.jsonl", begun) as ledger:
        for name, outcome in (("a", Outcome.MATCH), ("b", Outcome.DENIED), ("c", None)):
            sent = ROW.model_copy(update={"trial_id": name * 64})
            ledger.append(sent)
            if outcome is not None:
                ledger.append(sent.model_copy(update={"state": "answered", "outcome": outcome}))
    (tmp_path / "p.toml").write_text("")
    asked = ["audit", "status", str(tmp_path / "p.toml")]
    said = CliRunner().invoke(program, asked, catch_exceptions=False)
    assert "of 3 trials; 2 left" in said.output


def test_another_protocol_or_picture_is_refused(path):
    with pytest.raises(IntegrityError, match="belongs to protocol"):
        LedgerFile(path, opening(audit(people=listed(13))))
    wanted = opening(audit())
    changed = wanted.model_copy(update={"pictures": {**wanted.pictures, "p00/0.png": "0" * 64}})
    refitted = wanted.model_copy(update={"gate_network": "a" * 64})
    with pytest.raises(IntegrityError, match=r"network as shipped, now it is aaaaaaaaaaaa…"):
        LedgerFile(path, refitted)
    with pytest.raises(IntegrityError, match=r"'p00/0\.png' has changed"):
        LedgerFile(path, changed)


def test_a_second_process_is_refused_while_the_first_holds_it(path):
    with (
        LedgerFile(path, opening(audit())),
        pytest.raises(StorageError, match="another process"),
    ):
        LedgerFile(path, opening(audit()))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no /dev/full")
def test_a_full_disk_stops_before_anything_is_sent(path):
    ledger = LedgerFile(path, opening(audit()))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, ledger._file.fileno())
    with pytest.raises(StorageError, match="nothing more was sent"):
        ledger.append(ROW)
    os.close(full)
    ledger.close()
    assert read_ledger(path)[1] == [ROW]


def test_a_reply_to_nothing_is_an_integrity_error():
    with pytest.raises(IntegrityError, match="never sent"):
        book_of([ROW.model_copy(update={"state": "answered"})])


def test_there_must_be_a_ledger_to_read(tmp_path):
    with pytest.raises(InputError, match="no ledger"):
        read_ledger(tmp_path / "none.jsonl")
