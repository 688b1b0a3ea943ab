"""The custody commands on real files: from founding to a verdict, and what an insider breaks."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import subprocess
import sys

import pytest
from click.testing import CliRunner

from tests.cli.custody_kit import founded, run
from tidewaiter import wiring_custody_files as files
from tidewaiter.cli.program import program
from tidewaiter.errors import StorageError
from tidewaiter.testing.samples import untouched_picture


@pytest.fixture(scope="module")
def shift(tmp_path_factory):
    """Two recordings docked at the end of a shift and confirmed by both witnesses."""
    place = founded(tmp_path_factory.mktemp("shift"))
    (place.card / "MOV_0001.txt").write_bytes(b"first recording " * 999)
    (place.card / "MOV_0002.txt").write_bytes(b"second recording " * 999)
    with place.served("court"):
        place.docked = place.do("dock", "--device", "bwc-0017", place.card)
        place.carry("vigilance")
    return place


@pytest.fixture
def copied(shift, tmp_path):
    """A copy of the whole place that a test may break."""
    place = type(shift)(tmp_path / "copy", dict(shift.vkeys))
    shutil.copytree(shift.folder, place.folder)
    return place


def test_docking_takes_in_numbers_and_confirms(shift):
    assert shift.docked.code == 0
    assert "MOV_0001.txt: taken in as bwc-0017/0" in shift.docked.text
    assert "confirmed by court" in shift.docked.text
    assert "2 recordings are logged and wait for witnesses" in shift.docked.text
    names = sorted(path.name for path in (shift.site / "receipts").iterdir())
    assert names == ["bwc-0017_0.tlog-proof", "bwc-0017_1.tlog-proof"]


def test_a_receipt_proves_the_recording_offline_to_anybody(shift, tmp_path):
    receipt = shift.site / "receipts" / "bwc-0017_0.tlog-proof"
    assert receipt.stat().st_size <= 2000
    mine = tmp_path / "policy"
    mine.write_bytes(shift.policy.read_bytes())
    answer = run("verify", receipt, shift.card / "MOV_0001.txt", "--policy", mine)
    assert answer.code == 0
    assert "is, byte for byte, the recording bwc-0017/0 of bwc-0017" in answer.text
    other = run("verify", receipt, shift.card / "MOV_0002.txt", "--policy", mine)
    assert other.code == 4
    assert "media-edited" in other.text


def test_docking_again_takes_nothing_in_twice(copied):
    again = copied.do("dock", "--device", "bwc-0017", copied.card)
    assert again.code == 0
    assert again.text.count("was in custody already as") == 2
    listed = copied.do("list", "--json").text.splitlines()
    assert [json.loads(one)["recording"] for one in listed] == ["bwc-0017/0", "bwc-0017/1"]


def test_an_honest_site_is_found_honest(shift):
    answer = shift.do("audit")
    assert answer.code == 0, answer.text
    assert "nothing is other than it was logged" in answer.text
    assert shift.do("gaps").code == 0


def test_an_edited_medium_is_named_with_its_device(copied):
    blob = next(
        path
        for path in (copied.site / "media").rglob("*")
        if path.is_file() and path.stat().st_size > 9000
    )
    blob.chmod(0o644)
    blob.write_bytes(blob.read_bytes()[:-1] + b"x")
    answer = copied.do("audit", "--json")
    assert answer.code == 4
    (found,) = json.loads(answer.text)["discrepancies"]
    assert found["name"] == "media-edited"
    assert found["devices"] == ["bwc-0017"]


def test_an_edited_row_stops_the_log_and_is_named(copied):
    with sqlite3.connect(copied.site / "log.sqlite") as database:
        for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        database.execute("UPDATE leaf SET body = replace(body, 'routine', 'routinf') WHERE i = 5")
    answer = copied.do("audit", "--json")
    assert answer.code == 4
    assert "record-edited" in {one["name"] for one in json.loads(answer.text)["discrepancies"]}


def test_a_file_number_that_is_missing_on_the_card_shows(copied):
    (copied.card / "MOV_0005.txt").write_bytes(b"a later recording")
    assert copied.do("dock", "--device", "bwc-0017", copied.card).code == 0
    answer = copied.do("audit", "--json")
    assert answer.code == 4
    (found,) = json.loads(answer.text)["discrepancies"]
    assert found["name"] == "sequence-gap"
    assert "files 3 to 4 were not docked" in found["text"]


def test_one_person_cannot_erase_and_two_can(copied):
    asked = copied.do(
        "erase", "bwc-0017/1", "--basis", "a plea", "--early", f"--approver={copied.key('amara')}"
    )
    assert asked.code == 3
    (request,) = (copied.site / "requests").iterdir()
    refused = copied.do("carry-out", request)
    assert refused.code == 4
    assert "two people of different roles needed" in refused.text
    again = run("approve", request, "--key", copied.key("amara"), "--yes")
    assert again.code == 2
    assert run("approve", request, "--key", copied.key("bilal"), "--yes").code == 0
    done = copied.do("carry-out", request)
    assert done.code == 0, done.text
    copied.carry("vigilance", "court")
    assert copied.do("audit").code == 0
    (erased,) = [line for line in copied.do("list").text.splitlines() if "bwc-0017/1" in line]
    assert erased.endswith("erased"), "no date until which it is kept"


def test_nothing_is_erased_before_its_date_unless_those_who_approve_are_told(copied):
    words = ("erase", "bwc-0017/1", "--basis", "90 days over")
    refused = copied.do(*words, *copied.approvers())
    assert refused.code == 4
    assert "to be kept until" in refused.text
    assert "90.0 days more; nothing was erased" in refused.text
    looked = copied.do(
        "view", "bwc-0017/1", copied.folder / "x", "--basis", "y", "--key", copied.key("amara")
    )
    assert looked.code == 0, looked.text
    assert copied.do(*words, "--early").code == 3
    (request,) = (copied.site / "requests").iterdir()
    read = run("approve", request, "--key", copied.key("bilal"), "--yes")
    assert "note: to be kept until" in read.text


def test_after_erasing_nothing_opens_it_and_the_neighbour_still_verifies(copied):
    plain = (copied.card / "MOV_0002.txt").read_bytes()
    shutil.rmtree(copied.card)
    done = copied.do("erase", "bwc-0017/1", "--basis", "a plea", "--early", *copied.approvers())
    assert done.code == 0, done.text
    copied.carry("vigilance", "court")
    for path in copied.folder.rglob("*"):
        assert not path.is_file() or plain[:64] not in path.read_bytes(), path
    proof = copied.folder / "p.tlog-proof"
    assert copied.do("prove", "bwc-0017/0", "--out", proof).code == 0
    assert run("verify", proof, "--policy", copied.policy).code == 0


def test_a_hold_blocks_erasing_until_two_people_lift_it(copied):
    assert copied.do("hold", "bwc-0017/0", "--basis", "case 7/2026").code == 0
    blocked = copied.do("erase", "bwc-0017/0", "--basis", "space", *copied.approvers())
    assert blocked.code == 4
    assert "case 7/2026" in blocked.text
    lifted = copied.do("hold", "bwc-0017/0", "--basis", "closed", "--lift", *copied.approvers())
    assert lifted.code == 0
    done = copied.do("erase", "bwc-0017/0", "--basis", "space", "--early", *copied.approvers())
    assert done.code == 0, done.text


def test_an_export_verifies_alone_and_is_logged(copied):
    copied.carry("vigilance", "court")
    folder = copied.folder / "bundle"
    words = ("export", "bwc-0017/0", folder, "--basis", "court order", "--media", "--verifier")
    refused = copied.do(*words)
    assert refused.code == 2
    assert "was not released" in refused.text
    released = ("release", "bwc-0017/0", "--basis", "court order")
    assert copied.do(*released).code == 3
    assert copied.do(*released, *copied.approvers()).code == 0
    with copied.served("court"), copied.served("vigilance"):
        done = copied.do(*words)
    assert done.code == 0, done.text
    answer = run("verify", folder, "--policy", copied.policy)
    assert answer.code == 0, answer.text
    assert "is, byte for byte, the recording bwc-0017/0" in answer.text
    assert "MOV_0001.txt" in answer.text
    assert "numbers 0 to 1 of bwc-0017 are all there" in answer.text
    # The neighbour's record is proven, and nothing that opens it comes along.
    assert "MOV_0002.txt" not in answer.text
    neighbour = run("verify", folder, copied.card / "MOV_0002.txt", "--policy", copied.policy)
    assert neighbour.code == 3
    alone = subprocess.run(
        [sys.executable, "-I", folder / "tidewaiter_verify.py", folder, "--policy", copied.policy],
        capture_output=True, text=True, check=False, cwd=copied.folder,
    )  # fmt: skip
    assert alone.returncode == 0, alone.stdout + alone.stderr


def test_what_somebody_hands_in_is_an_import(copied):
    scan = copied.folder / "scan.txt"
    scan.write_bytes(b"a scan that a trader handed in")
    done = copied.do("ingest", scan)
    assert done.code == 0, done.text
    copied.carry("vigilance", "court")
    proof = copied.folder / "scan.tlog-proof"
    assert copied.do("prove", scan, "--out", proof).code == 0
    answer = run("verify", proof, scan, "--policy", copied.policy)
    assert answer.code == 0
    assert "nothing before the import is covered" in answer.text


def test_a_file_whose_own_name_is_too_long_for_an_export_is_exported(copied):
    """Its name is whatever somebody gave it, and must not keep it from the court."""
    scan = copied.folder / f"x.{'a' * 250}"
    scan.write_bytes(b"a scan that a trader handed in")
    done = copied.do("ingest", scan)
    recording = done.text.split("taken in as ")[1].split()[0]
    copied.carry("vigilance", "court")
    assert copied.do("release", recording, "--basis", "court", *copied.approvers()).code == 0
    folder = copied.folder / "bundle"
    with copied.served("court"), copied.served("vigilance"):
        done = copied.do("export", recording, folder, "--basis", "court", "--media")
    assert done.code == 0, done.text
    (medium,) = (folder / "media").iterdir()
    assert medium.suffix == ".bin"


def test_an_examination_is_an_entry_that_names_exhibit_report_and_versions(copied):
    picture = copied.folder / "picture.jpg"
    picture.write_bytes(untouched_picture())
    assert copied.do("ingest", picture).code == 0
    out = copied.folder / "reports"
    words = ["examine", str(picture), "--out", str(out), "--custody", str(copied.site)]
    words += ["--only", "provenance.file_facts", "--no-stability"]
    done = CliRunner().invoke(program, words)
    assert done.exit_code == 0, done.output
    assert "logged in custody: entries" in done.output
    (report,) = (one for one in out.glob("*.json") if one.name.startswith("picture"))
    with sqlite3.connect(copied.site / "log.sqlite") as database:
        (body,) = database.execute("SELECT body FROM leaf ORDER BY i DESC").fetchone()
    entry = json.loads(body)
    assert entry["kind"] == "examination"
    assert entry["exhibit"] == hashlib.sha256(picture.read_bytes()).hexdigest()
    assert entry["report"] == hashlib.sha256(report.read_bytes()).hexdigest()
    assert entry["recording"].startswith("import/")
    assert "tidewaiter" in entry["software"]


def test_an_export_before_the_witnesses_answered_writes_nothing(copied):
    late = copied.folder / "late.txt"
    late.write_bytes(b"not confirmed yet")
    taken = copied.do("ingest", late)
    name = taken.text.split("taken in as ")[1].split()[0]
    done = copied.do("export", name, copied.folder / "bundle", "--basis", "court order")
    assert done.code == 2
    assert "not yet confirmed" in done.text
    assert not (copied.folder / "bundle").exists()


def test_a_rolled_back_site_stops_and_is_named(copied):
    old = copied.folder / "old"
    shutil.copytree(copied.site, old)
    scan = copied.folder / "scan.txt"
    scan.write_bytes(b"another exhibit")
    with copied.served("court"), copied.served("vigilance"):
        shutil.copy(copied.policy, old / "policy")
        assert copied.do("ingest", scan).code == 0
        shutil.rmtree(copied.site)
        shutil.copytree(old, copied.site)
        answer = copied.do("audit", "--json")
        names = {one["name"] for one in json.loads(answer.text)["discrepancies"]}
        assert answer.code == 4
        assert names & {"store-rolled-back", "database-rolled-back"}
        stopped = copied.do("ingest", scan)
    assert stopped.code == 4
    assert "rolled" in stopped.text


def test_a_half_copied_recording_is_refused_by_name(copied, monkeypatch):
    growing = copied.folder / "growing.txt"
    growing.write_bytes(b"half of a recording")
    taken = files.decode

    def grow(data):
        growing.write_bytes(b"half of a recording, and more")
        return taken(data)

    monkeypatch.setattr(files, "decode", grow)
    answer = copied.do("ingest", growing)
    assert answer.code == 2
    assert "growing.txt changed while it was read" in answer.text
    assert "import" not in copied.do("list").text


def test_a_dock_killed_before_it_was_logged_goes_on_with_the_same_number(copied, monkeypatch):
    late = copied.card / "MOV_0003.txt"
    late.write_bytes(b"third recording")

    def die(_site):
        raise StorageError("the machine went down")

    with monkeypatch.context() as broken:
        broken.setattr("tidewaiter.casework.custody_site.Site.hand_in", die)
        assert copied.do("dock", "--device", "bwc-0017", copied.card).code == 6
    again = copied.do("dock", "--device", "bwc-0017", copied.card)
    assert again.code == 0
    copied.carry("vigilance", "court")
    assert (copied.site / "receipts" / "bwc-0017_2.tlog-proof").exists()
    assert copied.do("audit").code == 0


def test_device_heartbeats_stops_rotation_and_loss(copied):
    made = copied.do("device", "add", "gate-1", "--unit", "gate", *copied.approvers())
    assert made.code == 0, made.text
    assert copied.do("device", "heartbeat", "gate-1", "--battery", "80").code == 0
    assert copied.do("device", "rotate", "gate-1").code == 0
    assert copied.do("device", "stop", "gate-1", "--reason", "battery").code == 0
    copied.carry("vigilance", "court")
    assert copied.do("audit").code == 0
    gaps = copied.do("gaps")
    assert gaps.code == 0
    assert "outage, signed: gate-1 battery" in gaps.text
    revoked = copied.do(
        "device", "revoke", "gate-1", "--since", "2026-01-01", "--basis", "lost",
        "--key", copied.key("amara"),
    )  # fmt: skip
    assert revoked.code == 0, revoked.text
    assert copied.do("device", "heartbeat", "gate-1").code == 0
    assert "revoked-key-used" in copied.do("audit", "--json").text


def test_a_recording_that_was_due_and_not_made_shows(copied):
    due = copied.do(
        "expect", "search", "--device", "bwc-0017", "--from", "2026-01-05T08:00:00+00:00",
        "--to", "2026-01-05T09:00:00+00:00",
    )  # fmt: skip
    assert due.code == 0, due.text
    gaps = copied.do("gaps", "--json")
    assert gaps.code == 4
    assert json.loads(gaps.text)["missing"][0]["name"] == "expected-recording-missing"


def test_a_camera_file_that_was_never_docked_shows(copied):
    (copied.card / "MOV_0004.txt").write_bytes(b"recorded after one that is not here")
    copied.do("dock", "--device", "bwc-0017", copied.card)
    assert "file 3 was not docked" in copied.do("gaps").text


def test_a_shorter_life_takes_two_people_and_a_longer_one_does_not(copied):
    longer = copied.do("classify", "bwc-0017/0", "--class", "proceedings", "--basis", "case 7")
    assert longer.code == 0, longer.text
    shorter = ("classify", "bwc-0017/0", "--class", "routine", "--basis", "case closed")
    assert copied.do(*shorter).code == 3
    assert copied.do(*shorter, *copied.approvers()).code == 0
    brief = ("retain", "brief", "--days", "1", "--basis", "test")
    assert copied.do(*brief, *copied.approvers()).code == 0
    listed = [json.loads(one) for one in copied.do("list", "--json").text.splitlines()]
    assert listed[0]["retention"] == "routine"


def test_a_person_with_their_own_key_is_let_in_and_approves(copied):
    key = copied.folder / "esi.key"
    vkey = run("key", "esi", "--out", key).text.splitlines()[0]
    added = copied.do(
        "device", "add", "esi", "--holder", "person", "--role", "command", "--vkey", vkey,
        *copied.approvers(),
    )  # fmt: skip
    assert added.code == 0, added.text
    approvers = [f"--approver={copied.key('amara')}", f"--approver={key}"]
    done = copied.do("retain", "brief", "--days", "1", "--basis", "test", *approvers)
    assert done.code == 0, done.text
    assert "esi: person, command" in copied.do("device", "list").text


def test_whoever_looks_stands_in_the_log(copied):
    seen = copied.folder / "seen.txt"
    words = ("view", "bwc-0017/0", seen, "--basis", "random check", "--key", copied.key("amara"))
    done = copied.do(*words)
    assert done.code == 0, done.text
    assert seen.read_bytes() == (copied.card / "MOV_0001.txt").read_bytes()
    copied.carry("vigilance", "court")
    assert copied.do("audit").code == 0
    assert copied.do(*words).code == 7


def test_vigilance_audits_its_copy_without_any_key(copied):
    for name in ("keys", "founders", "receipts"):
        shutil.rmtree(copied.site / name)
    for name in ("secrets.sqlite", "agent.sqlite"):
        (copied.site / name).unlink()
    answer = copied.do("audit")
    assert answer.code == 0, answer.text
    assert not (copied.site / "secrets.sqlite").exists()


def test_a_request_that_was_changed_after_it_was_approved_is_not_done(copied):
    asked = copied.do(
        "retain", "routine", "--days", "60", "--basis", "law", *copied.approvers()[:1]
    )
    assert asked.code == 3
    (request,) = (copied.site / "requests").iterdir()
    assert run("approve", request, "--key", copied.key("bilal"), "--yes").code == 0
    honest = request.read_bytes()
    request.write_bytes(honest.replace(b'"days":60', b'"days":1'))
    refused = copied.do("carry-out", request)
    assert refused.code == 4
    assert "is not over this action" in refused.text
    request.write_bytes(honest)
    assert copied.do("carry-out", request).code == 0
    twice = copied.do("carry-out", request)
    assert twice.code == 2
    assert "ask anew" in twice.text


def test_a_witness_whose_memory_was_set_back_is_named(copied):
    book = copied.folder / "court.book"
    old = book.read_bytes()
    scan = copied.folder / "scan.txt"
    scan.write_bytes(b"another exhibit")
    assert copied.do("ingest", scan).code == 0
    copied.carry("court")
    for beside in copied.folder.glob("court.book-*"):
        beside.unlink()
    book.write_bytes(old)
    with copied.served("court"):
        answer = copied.do("checkpoint")
    assert answer.code == 4
    assert "witness-set-back: court remembers" in answer.text
