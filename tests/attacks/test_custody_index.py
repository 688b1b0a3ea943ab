"""The index of words altered by who administers the store: it hides no record and fakes none."""

from __future__ import annotations

import contextlib
import sqlite3

import pytest

from tests.attacks.custody_site import LOG_KEY, PostgresHands, Site, SqliteHands
from tidewaiter.casework.custody_finding import bring_up, find_content, find_digest, find_link
from tidewaiter.casework.custody_log import open_log
from tidewaiter.custody.record import parse_record
from tidewaiter.custody.words import content_word, digest_word, link_word, words_of
from tidewaiter.errors import IntegrityError
from tidewaiter.storage.custody_files import FolderOfBlobs
from tidewaiter.storage.custody_sqlite import SqliteLog


@pytest.fixture(
    params=["sqlite", pytest.param("postgres", marks=pytest.mark.xdist_group("postgres"))]
)
def site(request, tmp_path):
    is_file = request.param == "sqlite"
    hands = (
        SqliteHands(tmp_path / "log.sqlite")
        if is_file
        else PostgresHands(request.getfixturevalue("postgres_server"))
    )
    made = Site(hands, FolderOfBlobs(tmp_path / "media"))
    for name in ("bwc-1", "bwc-2"):
        made.world.enrol(name)
    for _ in range(4):
        for name in ("bwc-1", "bwc-2"):
            made.world.heartbeat(name)
            made.world.segment(name)
    made.keep()
    made.close()
    yield made
    made.close()


RECORDING, SEQ = "bwc-2/5", 5


def looked_up(site):
    """The same record by its recording, its medium and its number; with what was noticed."""
    with site.hands.reopen() as store:
        found = [find_content(store, RECORDING), find_link(store, "bwc-2", SEQ)]
        found.append(find_digest(store, found[0].record.fields["blob"]))
        assert find_content(store, "bwc-2/6") is None
        assert find_link(store, "bwc-9", 0) is None
        assert find_digest(store, "00" * 32) is None
    assert len({one.index for one in found}) == 1
    assert found[0].record.recording == RECORDING
    return found


def all_words(site):
    (body,) = [b for b in site.bodies() if parse_record(b).recording == RECORDING]
    return [content_word(RECORDING), link_word("bwc-2", SEQ), words_of(body)[1]]


def test_an_honest_index_leads_straight_there(site, monkeypatch):
    with site.hands.reopen() as store:
        assert store.placed() == store.head().size
        monkeypatch.setattr(type(store), "leaves_with", None)
        found = find_content(store, RECORDING)
        assert (found.record.seq, found.notice) == (SEQ, "")
        assert find_link(store, "bwc-2", SEQ) == found
        assert find_digest(store, found.record.fields["blob"]) == found


def test_rows_taken_out_hide_nothing_and_are_noticed(site):
    for word in all_words(site):
        site.hands.sql("DELETE FROM place WHERE word = ?", word)
    assert all("past this program" in one.notice for one in looked_up(site))


def test_rows_that_lead_elsewhere_lead_nowhere(site):
    for word in all_words(site):
        site.hands.sql("UPDATE place SET i = 0 WHERE word = ?", word)
    assert all(one.notice for one in looked_up(site))
    for word in all_words(site):
        site.hands.fill("place", [(word, i) for i in range(-50, 10**6, 7000)])
    looked_up(site)


def test_words_put_in_fake_nothing(site):
    site.hands.fill("place", [(content_word("bwc-2/6"), 3), (digest_word("00" * 32), 3)])
    site.hands.fill("place", [(link_word("bwc-9", 0), 10**12)])
    assert not any(one.notice for one in looked_up(site))


def test_an_index_that_says_it_covers_less_or_more(site):
    size = len(site.world.leaves)
    for claimed in (3, 10**9, -5):
        site.hands.sql("UPDATE placed SET size = ?", claimed)
        site.hands.sql("DELETE FROM place WHERE i > 3")
        looked_up(site)
        with site.hands.reopen() as store:
            bring_up(store)
            assert store.placed() == size
        assert not any(one.notice for one in looked_up(site))


@pytest.mark.parametrize("gone", [("place", "placed"), ("placed",)])
def test_an_index_that_is_gone_is_made_anew(site, gone):
    """So does a log that was made before there were indexes."""
    for table in gone:
        site.hands.sql(f"DROP TABLE {table}")
    with site.hands.reopen() as store:
        assert store.placed() == 0
        assert find_content(store, RECORDING).notice == ""
        assert bring_up(store) == len(site.world.leaves)
        assert bring_up(store) == 0
        store.misplace()
        assert (store.placed(), store.places(content_word(RECORDING))) == (0, [])
        bring_up(store)
        log = open_log(store, LOG_KEY)
        log.append([b"no record"])
        assert store.placed() == log.head.size
    assert not any(one.notice for one in looked_up(site))


def test_a_record_altered_under_its_index_gives_no_proof(site):
    index = looked_up(site)[0].index
    body = site.bodies()[index].replace(b'"bytes":', b'"bytes":1')
    site.hands.sql("UPDATE leaf SET body = ? WHERE i = ?", body, index)
    with site.hands.reopen() as store:
        assert find_content(store, RECORDING).index == index
        with pytest.raises(IntegrityError, match=r"not the one that was logged.*custody audit"):
            open_log(store, LOG_KEY).prove(index, site.policy)


def test_the_audit_does_not_look_at_the_index(site):
    site.hands.sql("DELETE FROM place")
    assert site.audited().discrepancies == ()


def test_cells_of_any_type_in_a_file_are_no_places(tmp_path):
    site = Site(SqliteHands(tmp_path / "log.sqlite"), FolderOfBlobs(tmp_path / "media"))
    site.world.enrol("bwc-1")
    site.world.segment("bwc-1")
    site.keep()
    site.close()
    path = tmp_path / "log.sqlite"
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.executescript(
            "DROP TABLE place; CREATE TABLE place (word, i); DROP TABLE placed;"
            "CREATE TABLE placed (size); INSERT INTO placed VALUES ('many')"
        )
        row = (content_word("bwc-1/0"), "second")
        database.execute("INSERT INTO place VALUES (?, ?)", row)
    with SqliteLog(path, read_only=True) as store:
        assert store.places(content_word("bwc-1/0")) == []
        assert store.placed() == 0
        assert find_content(store, "bwc-1/0").record.seq == 0
