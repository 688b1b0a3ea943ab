"""The red team of the custody log: full access to the store, its key and its media, not to the
witnesses. Each attack must be found, by its name and at its place."""

from __future__ import annotations

import json

import pytest

from tests.attacks.custody_site import LOG_KEY, ORIGIN, PostgresHands, Site, SqliteHands
from tests.conformance.test_custody_blobs import bucket_place, folder_place
from tests.custody.record_kit import MINUTE_MS, World, secret_of
from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.checkpoint import Checkpoint, sign_checkpoint
from tidewaiter.custody.cosignature import cosign
from tidewaiter.custody.merkle import EMPTY_ROOT, Tree, leaf_hash
from tidewaiter.custody.record import canonical, parse_record, sign_record
from tidewaiter.custody.store import Head, Witnessed
from tidewaiter.errors import StorageError


@pytest.fixture(
    params=[
        "sqlite, folder",
        pytest.param("postgres, bucket", marks=pytest.mark.xdist_group("postgres")),
    ]
)
def place(request, tmp_path):
    """The database as an administrator reaches it, and the media as root on their host does."""
    if request.param == "sqlite, folder":
        return SqliteHands(tmp_path / "log.sqlite"), folder_place(tmp_path / "media")
    return PostgresHands(request.getfixturevalue("postgres_server")), request.getfixturevalue(
        "bucket"
    )


@pytest.fixture(scope="session")
def s3_server():
    pytest.importorskip("boto3", reason="boto3 is not installed; see the extra `s3`")
    from tests.storage.strict_s3 import strict_s3

    with strict_s3("media") as state:
        yield state


@pytest.fixture
def bucket(s3_server):
    s3_server.buckets["media"] = {}
    return bucket_place(s3_server)


@pytest.fixture
def site(place):
    hands, media = place
    made = Site(hands, media.store)
    made.media = media
    fill(made.world)
    made.keep()
    yield made
    made.close()


def fill(world: World, rounds: int = 6, *, pause_ms: int = MINUTE_MS) -> None:
    """Two cameras: heartbeats, segments, a signed stop."""
    world.define_class()
    for name in ("bwc-1", "bwc-2"):
        world.enrol(name)
    for n in range(rounds):
        for name in ("bwc-1", "bwc-2"):
            world.heartbeat(name, after_ms=pause_ms // 2)
            world.segment(name, after_ms=pause_ms // 2)
        if n == rounds // 2:
            world.stop("bwc-1", after_ms=1000)


def found(audited, name):
    return [
        (one.first, one.last, *one.devices) for one in audited.discrepancies if one.name == name
    ]


def names(audited):
    return {one.name for one in audited.discrepancies}


def index_of(site, device, kind, nth=0):
    """Where the nth record of that kind by that device stands."""
    hits = [
        n
        for n, leaf in enumerate(site.world.leaves)
        if (record := parse_record(leaf)).kind == kind and record.device == device
    ]
    return hits[nth]


def altered(body: bytes, **changes) -> bytes:
    """The record with other fields, its signature left as it was."""
    return canonical(json.loads(body) | changes)


def test_an_honest_log_is_found_honest(site):
    audited = site.audited()
    assert audited.discrepancies == ()
    assert audited.records == len(site.world.leaves)
    assert audited.confirmed_size == audited.records
    assert (audited.media, audited.unasked) == (12, ())


# 1 record-edited


def test_editing_a_body_alone(site):
    where = index_of(site, "bwc-1", "segment", 2)
    body = altered(site.bodies()[where], bytes=7)
    site.hands.sql("UPDATE leaf SET body = ? WHERE i = ?", body, where)
    assert (where, where, "bwc-1") in found(site.audited(), "record-edited")


def test_editing_a_record_and_every_hash_root_and_signature_of_the_log(site):
    where = index_of(site, "bwc-2", "segment", 1)
    bodies = site.bodies()
    bodies[where] = altered(bodies[where], bytes=7)
    site.rewrite(bodies)
    audited = site.audited()
    assert found(audited, "record-edited") == [(where, where, "bwc-2")]
    edited = next(one for one in audited.discrepancies if one.name == "record-edited")
    assert edited.since_ms == site.world.now_ms // 1000 * 1000


def test_editing_the_last_record_before_any_witness_saw_it(site):
    site.world.segment("bwc-1")
    site.keep(cosigned=False)
    bodies = site.bodies()
    bodies[-1] = altered(bodies[-1], bytes=7)
    site.rewrite(bodies)
    assert "bad-signature" in names(site.audited())


# 2 media-edited


def test_editing_a_medium_and_keeping_every_hash(site):
    where = index_of(site, "bwc-1", "segment", 3)
    blob = parse_record(site.world.leaves[where]).fields["blob"]
    site.media.overwrite(blob, b"something else")
    assert found(site.audited(), "media-edited") == [(where, where, "bwc-1")]


# 3 record-deleted


def test_deleting_a_row(site):
    where = index_of(site, "bwc-2", "heartbeat", 2)
    site.hands.sql("DELETE FROM leaf WHERE i = ?", where)
    (hit,) = found(site.audited(), "record-deleted")
    assert hit[:2] == (where, where)


def test_deleting_a_record_and_closing_the_gap(site):
    where = index_of(site, "bwc-2", "heartbeat", 2)
    bodies = site.bodies()
    del bodies[where]
    site.rewrite(bodies)
    hits = found(site.audited(), "record-deleted")
    assert hits
    assert all(first <= where <= last + 1 and "bwc-2" in devices for first, last, *devices in hits)


# 4 backdated-insert


def own_record(site, **fields) -> bytes:
    """A record that an insider with a valid key writes today about another day."""
    whole = {"kind": "access", "device": "dora", "epoch": 0, "act": "view", "recording": "bwc-1/1"}
    return sign_record(
        {**whole, "claimed_ms": site.world.now_ms - 3 * MINUTE_MS, **fields}, secret_of("dora")
    )


def test_inserting_a_record_into_the_past(site):
    where = 9
    bodies = site.bodies()
    bodies.insert(where, own_record(site))
    site.rewrite(bodies)
    assert found(site.audited(), "backdated-insert") == [(where, where, "dora")]


def test_inserting_three_records_into_the_past(site):
    bodies = site.bodies()
    bodies[12:12] = [own_record(site, recording=f"bwc-1/{n}") for n in (1, 3, 5)]
    site.rewrite(bodies)
    assert found(site.audited(), "backdated-insert") == [(12, 14, "dora")]


# 5 reordered


def test_exchanging_two_rows_bodies(site):
    first, second = index_of(site, "bwc-1", "segment", 1), index_of(site, "bwc-2", "segment", 1)
    bodies = site.bodies()
    for index, other in ((first, second), (second, first)):
        site.hands.sql("UPDATE leaf SET body = ? WHERE i = ?", bodies[other], index)
    assert [hit[:2] for hit in found(site.audited(), "reordered")] == [(first, second)]


def test_exchanging_two_records_and_every_hash(site):
    first = index_of(site, "bwc-1", "segment", 1)
    second = first + 2
    bodies = site.bodies()
    bodies[first], bodies[second] = bodies[second], bodies[first]
    site.rewrite(bodies)
    hits = found(site.audited(), "reordered")
    assert [hit[:2] for hit in hits] == [(first, second)]


# 6 tail-truncated


def test_cutting_off_the_end(site):
    site.hands.sql("DELETE FROM leaf WHERE i >= ?", 20)
    assert [hit[:2] for hit in found(site.audited(), "tail-truncated")] == [
        (20, len(site.world.leaves) - 1)
    ]


def test_cutting_off_the_end_and_signing_what_is_left(site):
    site.rewrite(site.bodies()[:20])
    assert [hit[:2] for hit in found(site.audited(), "tail-truncated")] == [
        (20, len(site.world.leaves) - 1)
    ]


# 7 database-rolled-back, 8 store-rolled-back


def rolled_back(site):
    before, size = site.snapshot(), site.kept
    for _ in range(4):
        site.world.segment("bwc-1")
    site.keep()
    site.restore(before)
    return size


def test_restoring_an_old_database(site):
    size = rolled_back(site)
    assert found(site.audited(), "database-rolled-back") == [(size, site.kept - 1)]


def test_restoring_an_old_database_and_its_media(site):
    media = set(site.blobs.digests())
    size = rolled_back(site)
    for digest in set(site.blobs.digests()) - media:
        site.media.remove(digest)
    assert found(site.audited(), "store-rolled-back") == [(size, site.kept - 1)]


def test_an_older_answer_in_a_witnesss_place(site):
    """An insider on the road cannot sign for a witness, and can show what it signed before."""
    vigilance, audit, outside = site.witnesses
    before, known = vigilance.remembered, site.kept
    site.world.heartbeat("bwc-1")
    site.keep()
    vigilance.remembered = before
    audit.remembered = Witnessed("audit", Head(0, EMPTY_ROOT))
    assert found(site.audited(), "witness-set-back") == [(known, known), (0, known)]
    assert outside.remembered.head.size == site.kept


def test_a_witness_that_confirmed_more_while_the_log_was_read(site, monkeypatch):
    vigilance = site.witnesses[0]
    before = vigilance.remembered
    site.world.heartbeat("bwc-1")
    site.keep()
    asked = []

    def latest():
        asked.append(1)
        return before if len(asked) % 2 else vigilance.remembered

    monkeypatch.setattr(vigilance, "latest", latest)
    assert site.audited().discrepancies == ()
    assert len(asked) == 4, "both audits asked twice"


# 9 split-view


def test_showing_a_court_another_history(site):
    bodies = site.bodies()
    where = index_of(site, "bwc-1", "segment", 2)
    bodies[where] = altered(bodies[where], bytes=7)
    forged = sign_checkpoint(Checkpoint(ORIGIN, 20, Tree(map(leaf_hash, bodies)).root(20)), LOG_KEY)
    audited = site.audited(outside=[forged.encoded])
    assert found(audited, "split-view") == [(0, 19)]
    (fork,) = audited.forks
    assert fork.shown == forged.encoded
    assert fork.kept != fork.shown


def test_showing_a_court_another_history_with_one_bribed_witness(site):
    forged = Checkpoint(ORIGIN, 21, b"f" * 32)
    line = cosign(forged, site.witnesses[2].key, site.world.now_ms // 1000)
    note = sign_checkpoint(forged, LOG_KEY).with_signatures([line])
    audited = site.audited(outside=[note.encoded])
    assert found(audited, "split-view") == [(0, 20)]
    assert audited.forks[0].shown == note.encoded


# 10 history-rewritten


def test_writing_the_whole_history_again_with_every_stolen_key(site):
    other = World()
    fill(other, rounds=7, pause_ms=MINUTE_MS - 1)
    site.rewrite(other.leaves)
    assert [hit[:2] for hit in found(site.audited(), "history-rewritten")] == [(0, site.kept - 1)]


def test_writing_the_whole_history_again_carelessly(site):
    leaves = [
        sign_record(json.loads(leaf) | {"note": "new"}, secret_of(parse_record(leaf).device))
        for leaf in site.world.leaves[4:]
    ]
    site.rewrite(site.world.leaves[:4] + leaves)
    assert [hit[:2] for hit in found(site.audited(), "history-rewritten")] == [(0, site.kept - 1)]


# 11 media-swapped


def test_swapping_the_media_of_two_recordings(site):
    where = [index_of(site, "bwc-1", "segment", 1), index_of(site, "bwc-2", "segment", 4)]
    blobs = [parse_record(site.world.leaves[index]).fields["blob"] for index in where]
    contents = []
    for blob in blobs:
        with site.blobs.open(blob) as source:
            contents.append(source.read())
    for blob, content in zip(blobs, reversed(contents), strict=True):
        site.media.overwrite(blob, content)
    assert sorted(found(site.audited(), "media-swapped")) == [
        (where[0], where[0], "bwc-1"),
        (where[1], where[1], "bwc-2"),
    ]


def test_removing_a_medium(site):
    where = index_of(site, "bwc-2", "segment", 3)
    site.media.remove(parse_record(site.world.leaves[where]).fields["blob"])
    assert found(site.audited(), "media-missing") == [(where, where, "bwc-2")]


def test_bringing_a_recording_in_under_the_name_of_an_erased_one(site):
    """Two people approved that what had the name went, not what was given it afterwards."""
    site.world.erase("bwc-1/3")
    first = index_of(site, "bwc-1", "segment", 1)
    site.media.remove(parse_record(site.world.leaves[first]).fields["blob"])
    later = parse_record(site.world.segment("bwc-1", recording="bwc-1/3"))
    site.keep()
    assert found(site.audited(), "media-missing") == []
    site.media.remove(later.fields["blob"])
    where = site.kept - 1
    assert found(site.audited(), "media-missing") == [(where, where, "bwc-1")]


def test_a_medium_that_cannot_be_read_hides_nothing_else(site, monkeypatch):
    where = [index_of(site, "bwc-1", "segment", 1), index_of(site, "bwc-2", "segment", 3)]
    edited, unread = (parse_record(site.world.leaves[index]).fields["blob"] for index in where)
    site.media.overwrite(edited, b"something else")
    opened = site.blobs.open

    def failing(digest):
        if digest == unread:
            raise StorageError("the disk says no")
        return opened(digest)

    monkeypatch.setattr(site.blobs, "open", failing)
    audited = site.audited()
    assert found(audited, "media-edited") == [(where[0], where[0], "bwc-1")]
    assert found(audited, "media-missing") == [(where[1], where[1], "bwc-2")]
    assert any("cannot be read: the disk says no" in one.text for one in audited.discrepancies)


# 12 device-reattributed


def test_giving_a_record_to_another_camera(site):
    """The insider has the second camera's key, and the first camera's numbering."""
    where = index_of(site, "bwc-1", "segment", 4)
    bodies = site.bodies()
    bodies[where] = sign_record(json.loads(bodies[where]), secret_of("bwc-2"))
    site.rewrite(bodies)
    audited = site.audited()
    assert found(audited, "device-reattributed") == [(where, where, "bwc-1", "bwc-2")]
    assert [hit[:2] for hit in found(audited, "record-edited")] == [(where, where)]


# 13 segment-replayed


def test_handing_in_an_old_medium_as_a_new_segment(site):
    old = parse_record(site.world.leaves[index_of(site, "bwc-1", "segment", 1)])
    site.world.tell(
        "bwc-1",
        "segment",
        {
            name: old.fields[name]
            for name in ("blob", "bytes", "level", "commit", "start_ms", "end_ms", "class")
        }
        | {"recording": "bwc-1/again"},
        after_ms=MINUTE_MS,
    )
    site.log.append(site.world.leaves[site.kept :])
    site.kept += 1
    assert found(site.audited(), "segment-replayed") == [(site.kept - 1, site.kept - 1, "bwc-1")]


# 14 revoked-key-used


def test_signing_with_a_key_that_was_revoked(site):
    since_ms = site.world.now_ms
    fields = {"subject": "bwc-2", "since_ms": since_ms, "basis": "lost"}
    site.world.act("key.revoke", fields)
    site.world.heartbeat("bwc-2")
    site.keep()
    assert found(site.audited(), "revoked-key-used") == [(site.kept - 1, site.kept - 1, "bwc-2")]


# 15 device-clock-off


@pytest.mark.parametrize("off_ms", [40 * MINUTE_MS, -40 * MINUTE_MS])
def test_setting_a_cameras_clock(site, off_ms):
    site.world.heartbeat("bwc-1")
    uptime_ms = site.world.now_ms + MINUTE_MS - 1_766_400_000_000 + 5_000
    site.world.tell(
        "bwc-1",
        "heartbeat",
        {"uptime_ms": uptime_ms, "boot": "boot-1"},
        after_ms=MINUTE_MS + off_ms,
    )
    site.keep(cosigned=False)
    (hit,) = found(site.audited(), "device-clock-off")
    assert hit == (site.kept - 2, site.kept - 1, "bwc-1")


def test_one_bribed_witness_sets_no_time(site):
    """It takes a quorum to say when a record was there; one alone could excuse any claim."""
    site.world.now_ms += 60 * MINUTE_MS
    site.world.act("access", {"act": "view", "recording": "bwc-1/1"}, who="amara")
    site.world.now_ms -= 60 * MINUTE_MS
    site.keep(cosigned=False)
    for witness, late_s in zip(site.witnesses, (0, 1, 10**9), strict=True):
        time_s = site.world.now_ms // 1000 + late_s
        witness.look(site.log, site.kept, time_s, site.policy)
    audited = site.audited()
    assert found(audited, "device-clock-off") == [(site.kept - 1, site.kept - 1, "amara")]


def test_records_that_one_witness_saw_are_not_called_confirmed(site):
    before = site.kept
    site.world.heartbeat("bwc-1")
    site.keep(cosigned=False)
    time_s = site.world.now_ms // 1000
    site.witnesses[0].look(site.log, site.kept, time_s, site.policy)
    assert site.audited().confirmed_size == before
    site.log = open_log(site.hands.reopen(), LOG_KEY)
    site.witnesses[2].look(site.log, site.kept, time_s, site.policy)
    assert site.audited().confirmed_size == site.kept


# 16 sequence-gap


def test_losing_records_on_their_way(site):
    for _ in range(3):
        site.world.heartbeat("bwc-2", logged=False)
    site.world.heartbeat("bwc-2")
    site.keep()
    before = index_of(site, "bwc-2", "segment", 5)
    assert found(site.audited(), "sequence-gap") == [(before, site.kept - 1, "bwc-2")]


# 17 unexplained-silence


def test_a_camera_that_was_silent(site):
    before = index_of(site, "bwc-2", "segment", 5)
    site.world.heartbeat("bwc-1", after_ms=20 * MINUTE_MS)
    site.world.heartbeat("bwc-2")
    site.keep()
    assert (before, before, "bwc-2") in found(site.audited(), "unexplained-silence")


# 18 early-erasure


def test_erasing_before_the_date_with_one_approval(site):
    site.world.erase("bwc-1/3", by=("amara",))
    site.keep()
    assert [hit[:2] for hit in found(site.audited(), "early-erasure")] == [
        (site.kept - 1, site.kept - 1)
    ]


# 19 approval-missing


@pytest.mark.parametrize("by", [("amara",), ("amara", "amara"), ("chen", "chen-2")])
def test_one_approval_or_one_person_twice(site, by):
    site.world.act("retention", {"class": "routine", "days": 1, "basis": "space"}, by=by)
    site.keep()
    assert [hit[:2] for hit in found(site.audited(), "approval-missing")] == [
        (site.kept - 1, site.kept - 1)
    ]
