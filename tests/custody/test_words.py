"""Which words a record is looked up by."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.custody.record_kit import World
from tidewaiter.custody.record import canonical, parse_record
from tidewaiter.custody.words import content_word, digest_word, link_word, words_of

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
NAMES = ["blob", "recording", "result", "device", "seq", "exhibit", "manifest_blob"]


def test_a_segment_has_its_recording_its_medium_and_its_number():
    world = World()
    world.enrol("bwc-1")
    leaf = world.segment("bwc-1", manifest_blob="ab" * 32)
    blob = parse_record(leaf).fields["blob"]
    assert words_of(leaf) == [
        content_word("bwc-1/0"), digest_word(blob), link_word("bwc-1", 0)
    ]  # fmt: skip
    assert words_of(world.heartbeat("bwc-1")) == [link_word("bwc-1", 1)]
    assert words_of(world.leaves[0]) == []


def test_a_copy_is_found_by_its_own_name():
    body = canonical({"recording": "a", "result": "copy/1", "blob": "0" * 64})
    assert words_of(body) == [content_word("copy/1"), digest_word("0" * 64)]


def test_neighbours_of_a_chain_are_neighbours_in_the_index():
    assert sorted(link_word("bwc-1", seq) for seq in (256, 3, 255)) == [
        link_word("bwc-1", seq) for seq in (3, 255, 256)
    ]


@pytest.mark.parametrize(
    "body", [b"", b"\xff", b"[" * 100_000, b"7", b'{"seq":' + b"9" * 5000 + b"}", b"no record"]
)
def test_what_is_no_record_has_no_words(body):
    assert words_of(body) == []


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(st.sampled_from(NAMES), json_values))
def test_fields_of_any_type_do_no_harm(fields):
    import json

    assert all(isinstance(one, bytes) for one in words_of(json.dumps(fields).encode()))
