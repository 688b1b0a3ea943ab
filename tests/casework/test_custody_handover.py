"""What a camera signed itself is logged as it is; what does not hold is kept and named.

The red team's classes for the claim level `device`: each asserts the finding's name, that the
log still holds, and that no byte of what was handed over is lost.
"""

from __future__ import annotations

import hashlib
import io
import itertools
import random
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.custody.camera_kit import BoardCamera
from tests.custody.record_kit import World, key_text, secret_of
from tests.custody.small_site import POLICY, opened_small_site, small_world
from tidewaiter.casework.custody_erasing import destroy
from tidewaiter.casework.custody_handover import NO_RECORD, HandOver, take_over
from tidewaiter.casework.custody_site import Site, entries_of, keys_so_far, manifest_entry
from tidewaiter.casework.custody_taking import HandedIn, plain_parts
from tidewaiter.custody import handover
from tidewaiter.custody.camera import must_be_witnessed, recording_name
from tidewaiter.custody.device import DeviceState, emit
from tidewaiter.custody.handover import SegmentSecret, format_lines, parse_secrets
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.record import parse_record, sign_record
from tidewaiter.errors import InputError, MalformedText, TidewaiterError


@dataclass
class Desk:
    """A site in a folder, a camera that signs, and the card between them."""

    site: Site
    world: World
    camera: BoardCamera

    def hand_over(self, *, records=None, secrets=None, files=None, device=""):
        card = self.camera.card
        lines = format_lines(self.camera.leaves) if records is None else records
        opened, problems = parse_secrets(
            format_lines(self.camera.secrets) if secrets is None else secrets
        )
        assert problems == []
        named = sorted(card.iterdir()) if files is None else files
        handed = HandOver(
            device or self.camera.state.device,
            handed_in("shift.records", lines),
            lines,
            opened,
            [handed_in(path.name, path.read_bytes()) for path in named],
        )
        return take_over(self.site, handed, "routine")

    def logged(self):
        return [leaf.body for leaf in self.site.store.leaves()]

    def named_by_an_audit(self):
        """What judging every entry of the log anew finds, by name."""
        judge = Judge()
        found = [one.name for n, leaf in enumerate(self.logged()) for one in judge.feed(n, leaf)]
        absences = judge.absences(0, self.camera.now_ms + 1)
        return found + [one.name for one in absences.discrepancies]

    def imports(self):
        """The plain bytes of every import, with what was found."""
        found = {}
        for body in self.logged():
            record = parse_record(body)
            if record.kind == "import":
                parts = plain_parts(self.site, record.recording, record, "media")
                found[b"".join(parts)] = tuple(record.fields.get("found", ()))
        return found

    def plain(self, recording):
        record = entries_of(self.site.store, recording)[0].record
        return b"".join(plain_parts(self.site, recording, record, "media"))


def handed_in(name, data) -> HandedIn:
    digest = hashlib.sha256(data).hexdigest()
    return HandedIn(name, digest, "video/mp4", b"manifest", lambda: io.BytesIO(data))


@pytest.fixture
def desk(tmp_path):
    world = small_world()
    camera = BoardCamera("bwc-0099", tmp_path / "card")
    enrolment = {"subject": "bwc-0099", "holder": "device", "key": camera.public, "key_epoch": 0}
    world.act("key.enrol", enrolment, by=("amara", "bilal"))
    world.enrol("bwc-0100")
    with opened_small_site(tmp_path, lambda: camera.now_ms, create=True) as site:
        site.log.append(world.leaves)
        yield Desk(site, world, camera)


def names(done):
    return [one.name for one in done.findings]


def later(desk, leaf):
    """A leaf logged by people between two hand-overs."""
    desk.site.log.append([leaf])


def test_records_are_logged_byte_for_byte_and_media_open_again(desk):
    camera = desk.camera
    camera.heartbeat()
    camera.record("A.mp4", b"first medium " * 700)
    camera.record("B.mp4", b"second medium " * 700, media_type="video/mp4")
    camera.rotate()
    camera.record("C.mp4", b"third medium")
    camera.tell("stop", reason="docked")
    done = desk.hand_over()
    assert names(done) == []
    assert done.notes == []
    assert done.logged == 6
    assert [leaf for leaf in camera.leaves if leaf in desk.logged()] == camera.leaves
    assert done.segments == ["bwc-0099/1", "bwc-0099/2", "bwc-0099/4"]
    assert desk.plain("bwc-0099/2") == b"second medium " * 700
    prints = manifest_entry(desk.site.store, "bwc-0099/1")
    assert prints.kind == "ingest"
    assert b"".join(plain_parts(desk.site, "bwc-0099/1", prints, "manifest")) == b"manifest"
    assert desk.named_by_an_audit() == []
    assert desk.imports() == {}
    assert keys_so_far(desk.site.store).newest["bwc-0099"] == 1


def test_every_commitment_of_the_camera_can_be_opened_and_erased(desk):
    signed = desk.camera.record("A.mp4", b"medium")
    desk.hand_over()
    digest = parse_record(signed.leaf).digest
    assert {one.field: one.value for one in desk.site.secrets.openings(digest)} == {
        "media": hashlib.sha256(b"medium").hexdigest(),
        "officer": "4711",
    }


def test_handing_over_again_changes_nothing(desk):
    desk.camera.record("A.mp4", b"medium")
    (desk.camera.card / "B.mp4").write_bytes(b"stranger")
    desk.hand_over()
    before = desk.logged()
    again = desk.hand_over()
    assert desk.logged() == before
    assert again.logged == 0
    assert [one.is_new for one in again.taken] == [False, False]
    assert again.segments == ["bwc-0099/0"]


def test_a_shift_in_two_parts_continues_its_chain(desk):
    desk.camera.record("A.mp4", b"one")
    desk.hand_over()
    desk.camera.record("B.mp4", b"two")
    done = desk.hand_over()
    assert (names(done), done.logged) == ([], 1)


def test_records_in_any_order_of_lines_are_the_same_chain(desk):
    desk.camera.heartbeat()
    desk.camera.record("A.mp4", b"one")
    desk.camera.record("B.mp4", b"two")
    shuffled = format_lines(reversed(desk.camera.leaves))
    assert names(desk.hand_over(records=shuffled)) == []
    assert desk.named_by_an_audit() == []


def test_missing_numbers_are_named_and_later_filled(desk):
    camera = desk.camera
    camera.record("A.mp4", b"one")
    lost = camera.record("B.mp4", b"two")
    camera.record("C.mp4", b"three")
    rest = format_lines([one for one in camera.leaves if one != lost.leaf])
    done = desk.hand_over(records=rest)
    assert names(done) == ["sequence-gap"]
    assert "number 1 is missing" in done.findings[0].text
    assert NO_RECORD in desk.imports()[b"two"]
    found = desk.hand_over()
    assert (found.logged, desk.named_by_an_audit()) == (1, [])


def test_a_number_used_twice_is_a_fork_and_both_media_are_kept(desk):
    camera = desk.camera
    before = camera.state
    camera.record("A.mp4", b"shown to the officer")
    camera.state = before
    camera.record("B.mp4", b"shown to the court")
    done = desk.hand_over()
    assert names(done) == ["device-fork"]
    assert done.logged == 2
    assert desk.plain("bwc-0099/0") == b"shown to the officer"
    assert desk.imports() == {b"shown to the court": ("device-fork",)}
    assert "device-fork" in desk.named_by_an_audit()


def test_a_segment_replayed_under_a_new_number_is_named(desk):
    camera = desk.camera
    camera.record("A.mp4", b"quiet street")
    fields = dict(parse_record(camera.leaves[0]).fields)
    old = {
        name: fields[name] for name in ("blob", "bytes", "commit", "level", "start_ms", "end_ms")
    }
    camera.tell("segment", recording=recording_name("bwc-0099", 1), **old)
    done = desk.hand_over()
    assert names(done) == ["segment-replayed", "media-missing"]
    assert "segment-replayed" in desk.named_by_an_audit()


def test_a_line_that_stands_twice_is_named_and_logged_once(desk):
    desk.camera.heartbeat()
    done = desk.hand_over(records=format_lines(desk.camera.leaves * 2))
    assert (names(done), done.logged) == (["segment-replayed"], 1)


def test_a_record_cut_out_of_its_chain_is_named(desk):
    camera = desk.camera
    camera.heartbeat()
    camera.state = replace(camera.state, prev="ab" * 32)
    camera.heartbeat()
    assert names(desk.hand_over()) == ["chain-broken"]
    assert "chain-broken" in desk.named_by_an_audit()


def test_a_clock_set_back_is_named(desk):
    camera, here_ms = desk.camera, desk.camera.now_ms
    desk.site.now_ms = lambda: here_ms
    camera.tell("heartbeat", uptime_ms=1_000, boot="boot-1")
    camera.now_ms -= 3_600_000
    camera.tell("heartbeat", uptime_ms=11_000, boot="boot-1")
    assert names(desk.hand_over()) == ["device-clock-off"]


def test_a_clock_ahead_of_the_dock_is_named_and_the_record_logged(desk):
    here_ms = desk.camera.now_ms
    desk.site.now_ms = lambda: here_ms
    desk.camera.now_ms += 120_000 - 10_000
    desk.camera.heartbeat()
    desk.camera.now_ms += 1_000
    desk.camera.heartbeat()
    done = desk.hand_over()
    assert (names(done), done.logged) == (["device-clock-off"], 2)
    assert "claims a time 11 s later" in done.findings[0].text


def kept_apart(desk, done, name, *media):
    """Nothing new stands under the camera's name; the lines and files are kept, with the name."""
    assert names(done) == [name]
    assert done.logged == 0
    assert all(leaf not in desk.logged() for leaf in desk.camera.leaves[-1:])
    kept = desk.imports()
    for one in (*media, format_lines(desk.camera.leaves)):
        assert kept[one] == (name,)
    assert desk.named_by_an_audit() == []


def test_a_record_edited_on_the_card_is_kept_apart(desk):
    desk.camera.record("A.mp4", b"medium")
    (leaf,) = desk.camera.leaves
    desk.camera.leaves = [leaf.replace(b'"start_ms":17664', b'"start_ms":17663')]
    kept_apart(desk, desk.hand_over(), "bad-signature")


def test_a_key_that_nobody_enrolled_is_kept_apart(desk):
    stranger = BoardCamera("bwc-0666", desk.camera.card)
    desk.camera = stranger
    stranger.record("A.mp4", b"medium")
    kept_apart(desk, desk.hand_over(), "unknown-key", b"medium")


def test_a_record_signed_with_another_cameras_key_is_kept_apart(desk):
    desk.camera.state = replace(desk.camera.state, secret=secret_of("bwc-0100"))
    desk.camera.record("A.mp4", b"medium")
    done = desk.hand_over()
    kept_apart(desk, done, "device-reattributed", b"medium")
    assert done.findings[0].devices == ("bwc-0099", "bwc-0100")


def test_a_key_that_was_revoked_is_kept_apart(desk):
    later(
        desk,
        desk.world.act(
            "key.revoke",
            {"subject": "bwc-0099", "since_ms": desk.camera.now_ms - 1, "basis": "stolen"},
            who="amara",
        ),
    )
    desk.camera.record("A.mp4", b"medium")
    kept_apart(desk, desk.hand_over(), "revoked-key-used", b"medium")


def test_a_key_that_was_rotated_out_signs_nothing_more(desk):
    camera = desk.camera
    old = camera.state
    camera.rotate()
    desk.hand_over()
    camera.leaves, camera.secrets = [], []
    camera.state = replace(camera.state, epoch=old.epoch, secret=old.secret)
    camera.record("A.mp4", b"medium")
    kept_apart(desk, desk.hand_over(), "revoked-key-used", b"medium")


def test_a_decision_that_a_camera_signs_is_no_decision(desk):
    fields = {"recording": "bwc-0100/0", "state": "placed", "basis": "mine"}
    desk.camera.tell("hold", **fields)
    kept_apart(desk, desk.hand_over(), "record-malformed")


def test_a_camera_brings_no_recording_of_anothers_name(desk):
    signed = desk.camera.record("A.mp4", b"medium")
    fields = dict(parse_record(signed.leaf).fields) | {"recording": "bwc-0100/0"}
    desk.camera.leaves = [sign_record(fields, desk.camera.state.secret)]
    kept_apart(desk, desk.hand_over(), "record-malformed")
    assert desk.imports()[b"medium"] == (NO_RECORD,)


def test_a_torn_line_spoils_no_other(desk):
    desk.camera.record("A.mp4", b"medium")
    whole = format_lines(desk.camera.leaves)
    desk.camera.heartbeat()
    done = desk.hand_over(records=whole + desk.camera.leaves[1][:100])
    assert (names(done), done.logged) == (["record-malformed"], 1)
    assert whole + desk.camera.leaves[1][:100] in desk.imports()


def test_a_file_edited_on_the_card_is_named_and_kept(desk):
    desk.camera.record("A.mp4", b"the truth")
    (desk.camera.card / "A.mp4").write_bytes(b"a lie")
    done = desk.hand_over()
    assert names(done) == ["media-missing", "media-edited"]
    assert done.segments == []
    assert desk.imports() == {b"a lie": ("media-edited",)}
    # The true file turns up later: the record waits for it, and nothing is left to name.
    (desk.camera.card / "A.mp4").write_bytes(b"the truth")
    assert names(desk.hand_over()) == []
    assert desk.plain("bwc-0099/0") == b"the truth"


def test_two_files_swapped_are_told_apart_by_what_was_signed(desk):
    desk.camera.record("A.mp4", b"first")
    desk.camera.record("B.mp4", b"second")
    (desk.camera.card / "A.mp4").write_bytes(b"second")
    (desk.camera.card / "B.mp4").write_bytes(b"first")
    assert names(desk.hand_over()) == []
    assert desk.plain("bwc-0099/0") == b"first"


def test_a_key_that_does_not_seal_as_signed_is_named(desk):
    desk.camera.record("A.mp4", b"medium")
    secret = SegmentSecret.parse(desk.camera.secrets[0])
    desk.camera.secrets = [replace(secret, key=bytes(32)).format()]
    done = desk.hand_over()
    assert names(done) == ["media-edited"]
    assert desk.imports() == {b"medium": ("media-edited",)}


def test_without_secrets_records_count_and_media_are_kept(desk):
    desk.camera.record("A.mp4", b"medium")
    done = desk.hand_over(secrets=b"")
    assert (names(done), done.logged) == (["media-missing"], 1)
    assert desk.imports() == {b"medium": (NO_RECORD,)}


def test_a_salt_that_does_not_open_the_medium_is_named(desk):
    signed = desk.camera.record("A.mp4", b"medium")
    openings = tuple(replace(one, salt=bytes(16)) for one in signed.secret.openings)
    desk.camera.secrets = [replace(signed.secret, openings=openings).format()]
    done = desk.hand_over()
    assert names(done) == ["media-edited"]
    assert "is not what the camera committed to" in done.findings[0].text
    assert desk.imports() == {b"medium": ("media-edited",)}


def test_signatures_inside_the_medium_are_noted_by_the_dock(desk, monkeypatch):
    desk.camera.record("A.mp4", b"medium")
    plain = handed_in
    monkeypatch.setitem(
        globals(), "handed_in", lambda *words: replace(plain(*words), signatures=("onvif",))
    )
    desk.hand_over()
    assert manifest_entry(desk.site.store, "bwc-0099/0").fields["signatures"] == ["onvif"]


def test_an_opening_that_does_not_fit_is_not_kept(desk):
    signed = desk.camera.record("A.mp4", b"medium")
    openings = tuple(
        replace(one, value="somebody else") if one.field == "officer" else one
        for one in signed.secret.openings
    )
    desk.camera.secrets = [replace(signed.secret, openings=openings).format()]
    done = desk.hand_over()
    assert done.notes == ["bwc-0099/0: the opening of officer does not fit"]
    kept = desk.site.secrets.openings(parse_record(signed.leaf).digest)
    assert [one.field for one in kept] == ["media"]


def test_an_erased_recording_does_not_come_back_with_its_card(desk):
    desk.camera.record("A.mp4", b"medium")
    desk.hand_over()
    leaf = desk.world.erase("bwc-0099/0")
    later(desk, leaf)
    desk.site.secrets.forget("bwc-0099/0", [parse_record(desk.camera.leaves[0]).digest])
    done = desk.hand_over()
    assert "erased by entry" in done.notes[0]
    assert desk.site.secrets.wrapped_key("bwc-0099/0") is None


def test_the_wrong_camera_named_takes_nothing_in(desk):
    desk.camera.record("A.mp4", b"medium")
    before = desk.logged()
    with pytest.raises(InputError, match="they are of bwc-0099"):
        desk.hand_over(device="bwc-0100")
    assert desk.logged() == before


@pytest.mark.parametrize("dies_at", range(1, 7))
def test_a_crash_at_any_step_is_finished_by_the_next_hand_over(desk, dies_at, monkeypatch):
    desk.camera.record("A.mp4", b"medium " * 2000)
    desk.camera.leaves.insert(0, b"{torn")
    calls = itertools.count(1)

    def dying(real):
        def step(*words, **more):
            if next(calls) == dies_at:
                raise KeyboardInterrupt
            return real(*words, **more)

        return step

    for place, name in (
        (desk.site.blobs, "put"), (desk.site.secrets, "keep_key"),
        (desk.site.agent, "keep"), (desk.site.agent, "step"), (desk.site.log, "append"),
    ):  # fmt: skip
        monkeypatch.setattr(place, name, dying(getattr(place, name)))
    with pytest.raises(KeyboardInterrupt):
        desk.hand_over()
    desk.hand_over()
    assert desk.plain("bwc-0099/0") == b"medium " * 2000
    assert format_lines(desk.camera.leaves) in desk.imports()
    assert [leaf for leaf in desk.logged() if b'"kind":"segment"' in leaf] == desk.camera.leaves[1:]
    assert desk.named_by_an_audit() == []


def test_a_receipt_carried_back_says_that_the_segment_may_go(desk):
    signed = desk.camera.record("A.mp4", b"medium")
    desk.hand_over()
    index = desk.logged().index(signed.leaf)
    receipt = desk.site.log.prove(index, desk.site.policy, {}).encoded
    with pytest.raises(TidewaiterError, match="another record"):
        must_be_witnessed(desk.camera.heartbeat(), receipt, POLICY)
    with pytest.raises(TidewaiterError, match="keep the segment"):
        must_be_witnessed(signed.leaf, receipt, POLICY)


LEAVES = st.binary(max_size=200) | st.text(max_size=100).map(str.encode)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(LEAVES, max_size=5))
def test_whatever_stands_in_the_records_is_kept_and_nothing_else_breaks(desk, junk):
    lines = format_lines(junk)
    if not lines.strip(b"\n"):
        return
    done = desk.hand_over(records=lines, files=[])
    assert set(names(done)) <= {"record-malformed", "segment-replayed"}
    assert lines in desk.imports()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_secrets_that_do_not_parse_cost_only_themselves(data):
    found, problems = parse_secrets(data)
    assert found == {}
    assert len(problems) == sum(bool(line) for line in data.split(b"\n"))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_secret_with_anything_changed_parses_strictly_or_not(data):
    camera_key = key_text("somebody")
    line = (
        b'{"chunk":4096,"file":"A.mp4","key":"' + camera_key.encode() + b'","nonce":"AAAAAAAAAA=="'
        b',"openings":[],"record":"' + b"ab" * 32 + b'"}'
    )
    assert SegmentSecret.parse(line).format() == line
    at = data.draw(st.integers(0, len(line) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = line[:at] + bytes([byte]) + line[at + 1 :]
    try:
        assert SegmentSecret.parse(changed).format() == changed
    except MalformedText:
        assert changed != line


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"key": b"short"}, "key is not base64 of 32 bytes"),
        ({"nonce": b"longer than seven"}, "nonce is not base64 of 7 bytes"),
        ({"chunk_length": 0}, "chunk is not 1 to"),
        ({"chunk_length": (1 << 24) + 1}, "chunk is not 1 to"),
        ({"record": "AB" * 32}, "record is not 64 hexadecimal digits"),
        ({"record": "ab" * 32}, "opening of another record"),
        ({"openings": "twice"}, "opens one commitment twice"),
    ],
)
def test_a_secret_that_is_none_says_why(desk, change, says):
    secret = desk.camera.record("A.mp4", b"medium").secret
    if change.get("openings") == "twice":
        change = {"openings": secret.openings * 2}
    line = replace(secret, **change).format()
    assert parse_secrets(line + b"\n" + secret.format())[0] == {secret.record: secret}
    with pytest.raises(MalformedText, match=says):
        SegmentSecret.parse(line)


def test_two_secrets_of_one_record_are_told_and_the_first_counts(desk):
    secret = desk.camera.record("A.mp4", b"medium").secret
    other = replace(secret, file="B.mp4")
    found, problems = parse_secrets(format_lines([secret.format(), other.format()]))
    assert found == {secret.record: secret}
    assert problems == ["line 2 of the secrets: a second secret of one record"]


def test_a_hand_over_beyond_the_limit_asks_for_parts(monkeypatch):
    monkeypatch.setattr(handover, "LARGEST_HANDOVER", 10)
    with pytest.raises(MalformedText, match="hand it over in parts"):
        list(handover.split_lines(b"x" * 11))


@pytest.mark.parametrize("name", ["../A.mp4", "a/b", "..", ".", "", "a\x00b", "x" * 256])
def test_a_secret_names_no_file_elsewhere(name, desk):
    signed = desk.camera.record("A.mp4", b"medium")
    with pytest.raises(MalformedText, match="file"):
        SegmentSecret.parse(replace(signed.secret, file=name).format())


def test_the_makers_functions_write_what_emit_writes():
    state = DeviceState("bwc-1", 0, secret=bytes(32))
    leaf, following = emit(state, "heartbeat", 5, {"uptime_ms": 3})
    assert parse_record(leaf).prev == "0" * 64
    assert following.prev == hashlib.sha256(leaf).hexdigest()


def test_erasing_takes_the_fingerprints_that_the_dock_added_along(desk):
    desk.camera.record("A.mp4", b"medium")
    desk.hand_over()
    prints = manifest_entry(desk.site.store, "bwc-0099/0")
    assert len(desk.site.secrets.openings(prints.digest)) == 2
    assert len(list(desk.site.blobs.digests())) == 2
    later(desk, desk.world.erase("bwc-0099/0"))
    destroy(desk.site, "bwc-0099/0")
    assert desk.site.secrets.openings(prints.digest) == []
    assert list(desk.site.blobs.digests()) == []
    assert desk.site.agent.taken(hashlib.sha256(b"medium").hexdigest()) == ""


@pytest.mark.parametrize("seed", range(6))
def test_honest_shifts_docked_in_parts_and_again_raise_nothing(desk, seed):
    """Outages, rotations, drift, sealed and plain cards, old lines handed over once more."""
    chance, camera = random.Random(seed), desk.camera
    for shift in range(3):
        for number in range(chance.randint(1, 5)):
            camera.now_ms += chance.randint(-2_000, 40_000)
            act = chance.choice(["record", "record", "heartbeat", "rotate"])
            if act == "record":
                medium = chance.randbytes(chance.randint(1, 9_000))
                camera.record(f"{shift}-{number}.mp4", medium)
            else:
                getattr(camera, act)()
        camera.tell("stop", reason=chance.choice(["docked", "battery", "fault"]))
        lines = list(camera.leaves)
        chance.shuffle(lines)
        done = desk.hand_over(records=format_lines(lines))
        assert (names(done), done.notes) == ([], [])
        if chance.random() < 0.5:
            camera.leaves, camera.secrets = [], []
            for path in camera.card.iterdir():
                path.unlink()
        camera.now_ms += chance.randint(0, 8 * 3_600_000)
    assert desk.named_by_an_audit() == []
    assert desk.imports() == {}


@pytest.mark.parametrize("seed", range(6))
def test_one_changed_byte_of_records_or_media_is_always_named(desk, seed):
    chance, camera = random.Random(seed), desk.camera
    camera.heartbeat()
    camera.record("A.mp4", chance.randbytes(500))
    camera.tell("stop", reason="docked")
    whole = bytearray(format_lines(camera.leaves))
    at = chance.randrange(len(whole) - 1)
    whole[at] ^= 1 << chance.randrange(8)
    assert names(desk.hand_over(records=bytes(whole)))
    assert bytes(whole) in desk.imports()
    path = camera.card / "A.mp4"
    data = bytearray(path.read_bytes())
    data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)
    assert "media-edited" in names(desk.hand_over()) or desk.plain("bwc-0099/1")
    assert bytes(data) in desk.imports()


def test_cards_in_the_wrong_order_are_mended_by_the_later_one_once_more(desk):
    camera = desk.camera
    camera.heartbeat()
    camera.rotate()
    earlier, camera.leaves = camera.leaves, []
    camera.record("A.mp4", b"medium")
    assert names(desk.hand_over()) == ["unknown-key"]
    assert names(desk.hand_over(records=format_lines(earlier), files=[])) == []
    assert names(desk.hand_over()) == []
    assert desk.plain("bwc-0099/2") == b"medium"
    assert desk.named_by_an_audit() == []
