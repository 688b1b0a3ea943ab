"""What the dock is told while the camera and its card are still at hand."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.cli.custody_kit import founded


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    place = founded(tmp_path_factory.mktemp("dock"))
    # The head of an MP4 file that promises more than there is: a card pulled out too early.
    (place.card / "MOV_0001.mp4").write_bytes(
        b"\0\0\0\x18ftypisom\0\0\x02\0isommp41" + b"\0\x01\0\0mdat" + bytes(900)
    )
    return place


@pytest.fixture(scope="module")
def docked(place):
    """What the dock said when the card was handed in for the first time."""
    return place.do("dock", "--device", "bwc-0017", place.card)


def shown_clock(**off) -> str:
    return (datetime.now(UTC) + timedelta(**off)).isoformat()


def test_a_recording_copied_by_halves_is_kept_and_told(place, docked):
    assert docked.code == 0, docked.text
    assert "MOV_0001.mp4: taken in as bwc-0017/0" in docked.text
    assert "notice: kept byte for byte, without fingerprints: " in docked.text
    assert "1 recording is logged and waits for witnesses" in docked.text
    again = place.do("dock", "--device", "bwc-0017", place.card)
    assert "notice: kept byte for byte" not in again.text


def test_an_empty_file_on_a_card_keeps_no_other_from_custody(place, docked):
    assert docked.code == 0, docked.text
    empty, later = place.card / "MOV_0002.mp4", place.card / "MOV_0003.mp4"
    try:
        empty.touch()
        later.write_bytes(b"recorded after the battery was changed")
        answer = place.do("dock", "--device", "bwc-0017", place.card)
        assert answer.code == 2, answer.text
        assert "not taken in: MOV_0002.mp4: the file is empty (0 bytes)" in answer.text
        assert "MOV_0003.mp4: taken in as bwc-0017/" in answer.text
        assert "1 of the files were not taken in, all others were" in answer.text
        assert "MOV_0002" not in place.do("ingest", later).text
        alone = place.do("ingest", empty)
        assert alone.code == 2
        assert "were not taken in" not in alone.text, "nothing else was there to be taken in"
    finally:
        empty.unlink()
        later.unlink()


@pytest.mark.usefixtures("docked")
def test_a_clock_far_off_is_told(place):
    for off, told in (
        ({"days": -265}, "is 265 days, 0:00:"),
        ({"minutes": 5}, " ahead; this is logged. Set the camera's clock"),
        ({"minutes": -5}, " behind; this is logged. Set the camera's clock"),
    ):
        words = ("dock", "--device", "bwc-0017", place.card, "--camera-clock", shown_clock(**off))
        answer = place.do(*words)
        assert answer.code == 0, answer.text
        assert "notice: the clock of bwc-0017 is" in answer.text
        assert told in answer.text
    words = ("dock", "--device", "bwc-0017", place.card, "--camera-clock", shown_clock())
    assert "notice: the clock" not in place.do(*words).text


@pytest.mark.usefixtures("docked")
def test_who_has_confirmed_needs_no_request_and_a_request_is_no_answer(place, tmp_path):
    with place.served("court"):
        answer = place.do("checkpoint", "--requests", tmp_path)
    assert answer.code == 0, answer.text
    said = {line.partition(": ")[0]: line for line in answer.text.splitlines() if "add-ch" in line}
    assert "court-" in said["not needed, has confirmed"]
    assert "vigilance-" in said["carry to the witness"]
    (request,) = tmp_path.glob("vigilance-*")
    wrong = place.do("checkpoint", "--answer", "vigilance", request)
    assert wrong.code == 2
    assert f"its answer is {request.name}.cosigned" in wrong.text


@pytest.mark.usefixtures("docked")
def test_an_export_says_when_what_waits_for_witnesses_will_come(place, tmp_path):
    place.carry("vigilance", "court")
    place.do("hold", "bwc-0017/0", "--basis", "case 3")
    words = ("export", "bwc-0017/0", tmp_path / "bundle", "--basis", "case 3")
    answer = place.do(*words)
    assert answer.code == 0, answer.text
    assert "(hold), not confirmed by witnesses yet" in answer.text
    assert "comes with an export made after they have confirmed it" in answer.text
