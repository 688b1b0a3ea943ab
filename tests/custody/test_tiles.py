"""Tiles are those of C2SP tlog-tiles, and bytes that are none are refused."""

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.custody.merkle import Tree, leaf_hash
from tidewaiter.custody.tiles import (
    TileName,
    bundle_bytes,
    bundle_entries,
    tile_bytes,
    tile_hashes,
    tiles_of,
)
from tidewaiter.errors import BrokenProof, MalformedText


def test_the_specifications_path():
    assert TileName(0, 1234067).path == "tile/0/x001/x234/067"
    assert TileName(None, 1234067, 5).path == "tile/entries/x001/x234/067.p/5"
    assert TileName(2, 0).path == "tile/2/000"
    assert TileName(1, 999, 255).path == "tile/1/999.p/255"
    assert TileName(1, 1000).path == "tile/1/x001/000"


def test_the_specifications_example_of_seventy_thousand_entries():
    names = list(tiles_of(70_000))
    widths = {
        level: [name.width for name in names if name.level == level] for level in (0, 1, 2, 3, None)
    }
    assert widths[0] == [256] * 273 + [112]
    assert widths[1] == [256, 17]
    assert widths[2] == [1]
    assert widths[3] == []
    assert widths[None] == widths[0]
    assert [(n.level, n.index, n.width) for n in tiles_of(256)] == [
        *((0, 0, 256), (1, 0, 1), (None, 0, 256)),
    ]
    assert list(tiles_of(0)) == []


@given(st.integers(0, 70_000), st.integers(0, 70_000))
def test_growing_needs_the_new_tiles_only(one, other):
    known, size = sorted((one, other))
    new, all_now, before = (
        set(tiles_of(size, known)),
        set(tiles_of(size)),
        set(tiles_of(known)),
    )
    assert new == all_now - before
    # What was full stays; only partial tiles are replaced by wider ones.
    assert all(name.width < 256 for name in before - all_now)


def test_every_hash_of_a_tile_is_the_root_it_stands_for():
    leaves = [leaf_hash(struct.pack(">I", n)) for n in range(70_000)]
    tree = Tree(leaves)
    for name in tiles_of(70_000):
        if name.level is None:
            continue
        hashes = tile_hashes(tile_bytes(tree, name), name)
        span = 256**name.level
        for at in {0, len(hashes) // 2, len(hashes) - 1}:
            first = (name.first + at) * span
            if span < 70_000 and first + span <= 70_000 and name.index % 40 == 0:
                assert hashes[at] == Tree(leaves[first : first + span]).root()
    with pytest.raises(BrokenProof, match="were asked for"):
        tile_bytes(tree, TileName(0, 273, 113))
    with pytest.raises(BrokenProof):
        tile_bytes(tree, TileName(9, 0, 1))
    with pytest.raises(MalformedText, match="are in such a tile"):
        tile_hashes(bytes(31), TileName(0, 0, 1))


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=9))
def test_a_bundle_gives_its_entries_back(entries):
    name = TileName(None, 0, len(entries))
    data = bundle_bytes(entries)
    assert bundle_entries(data, name) == entries
    for damaged in (data[:-1], data + b"\0", data + b"\0\0"):
        with pytest.raises(MalformedText):
            bundle_entries(damaged, name)
    with pytest.raises(MalformedText):
        bundle_entries(data, TileName(None, 0, len(entries) + 1))


@given(st.binary(max_size=60), st.integers(1, 256))
def test_any_bytes_are_a_bundle_or_refused(data, width):
    name = TileName(None, 0, width)
    try:
        entries = bundle_entries(data, name)
    except MalformedText:
        return
    assert bundle_bytes(entries) == data


def test_a_bundle_has_bounds():
    assert len(bundle_bytes([bytes(65_535)])) == 65_537
    for entries in ([], [b""] * 257, [bytes(65_536)]):
        with pytest.raises(MalformedText):
            bundle_bytes(entries)
