"""A class's key is rotated by the command: two people, one entry, everything still opens."""

from __future__ import annotations

from tests.cli.custody_kit import Place


def test_two_people_rotate_a_class_key_and_everything_live_still_opens(tmp_path):
    place = Place(tmp_path)
    assert place.found().code == 0
    medium = tmp_path / "a.txt"
    medium.write_bytes(b"a recording")
    taken = place.do("ingest", medium).text.split()[4]
    key = place.site / "keys" / "routine.class-key"
    old = key.read_text()
    asked = place.do("rotate-class", "routine", "--basis", "yearly")
    assert asked.code == 3
    assert key.read_text() == old
    (request,) = (place.site / "requests").glob("*.request")
    for name in ("amara", "bilal"):
        assert place.do("approve", request, "--yes", "--key", place.key(name)).code == 0
    done = place.do("carry-out", request)
    assert done.code == 0, done.text
    assert key.read_text() != old
    seen = tmp_path / "seen"
    assert place.do("view", taken, seen, "--basis", "check").code == 0
    assert seen.read_bytes() == b"a recording"
    again = place.do("rotate-class", "routine", "--basis", "again", *place.approvers())
    assert "done by entry" in again.text
    assert "back up the file of secrets now" in again.text
    assert place.do("audit").code == 0
