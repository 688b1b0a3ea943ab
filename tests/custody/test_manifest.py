from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.custody.recordings import pictures, remux, tones, write
from tidewaiter.casework.manifests import take_manifest
from tidewaiter.custody.manifest import (
    MAGIC,
    PIECE_ROWS,
    Manifest,
    decode,
    facts_of,
    is_manifest,
)
from tidewaiter.custody.merkle import Tree, leaf_hash, verify_inclusion
from tidewaiter.errors import MalformedText
from tidewaiter.settings import Limits


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    path = tmp_path_factory.mktemp("made") / "shift.mp4"
    return write(path, pictures(50), tones(2))


@pytest.fixture(scope="module")
def manifest(original):
    return take_manifest(original, Limits())


def test_everything_is_counted(manifest):
    prints = manifest.prints
    assert prints.picture_hash.shape == (50, 32)
    assert prints.small.shape == (50, 18, 32)
    assert len(np.unique(prints.picture_hash, axis=0)) == 50
    assert len(prints.parameters) == 2
    assert np.array_equal(np.diff(prints.frame_time), np.full(49, 40_000))
    assert prints.sound_band.shape[0] == pytest.approx(50, abs=2)
    assert abs(prints.sound_start) < 100_000
    assert manifest.codec == "h264"
    assert (manifest.width, manifest.height, manifest.sound_rate) == (160, 90, 16_000)


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("copy.mkv", {}),
        ("copy.ts", {}),
        ("copy.mov", {}),
        ("parts.mp4", {"movflags": "frag_keyframe+empty_moov"}),
    ],
)
def test_another_container_leaves_every_fingerprint(original, manifest, tmp_path, name, options):
    copy = take_manifest(remux(original, tmp_path / name, **options), Limits()).prints
    ours = manifest.prints
    assert np.array_equal(copy.picture_hash, ours.picture_hash)
    assert np.array_equal(copy.sound_hash, ours.sound_hash)
    assert np.array_equal(copy.small, ours.small)
    assert copy.parameters == ours.parameters


def test_a_manifest_comes_back_from_its_bytes(manifest):
    again = decode(manifest.encode())
    assert again.encode() == manifest.encode()
    assert again.root() == manifest.root()
    for field in dataclasses.fields(manifest.prints):
        ours, theirs = (getattr(m.prints, field.name) for m in (manifest, again))
        assert np.array_equal(ours, theirs), field.name


def test_long_sections_come_back_piece_by_piece(manifest):
    random = np.random.default_rng(1)
    count = 2 * PIECE_ROWS + 7
    small = random.integers(0, 1 << 16, (count, 18, 32), dtype=np.uint16)
    times = random.integers(-(2**60), 2**60, count, dtype=np.int64)
    prints = dataclasses.replace(
        manifest.prints, small=small, frame_time=times, clock=np.zeros((0, 8, 64), np.uint16)
    )
    data = dataclasses.replace(manifest, prints=prints).encode()
    back = decode(data).prints
    assert np.array_equal(back.small, small)
    assert np.array_equal(back.frame_time, times)


def test_facts_are_read_without_the_fingerprints(manifest):
    data = manifest.encode()
    facts = facts_of(data[: data.index(b"\n\n") + 2])
    assert facts.manifest == dataclasses.replace(manifest, prints=None)
    assert facts.rows["small"] == 50
    with pytest.raises(MalformedText):
        facts_of(data[: data.index(b"\n\n")])


def test_a_group_of_pictures_is_proven_to_belong_to_its_recording(manifest):
    leaves = manifest.leaves()
    tree = Tree(leaf_hash(leaf) for leaf in leaves)
    third = 4 + 2
    assert leaves[third] == manifest.prints.picture_hash[24:36].tobytes()
    path = tree.inclusion_proof(third)
    verify_inclusion(third, tree.size, leaf_hash(leaves[third]), path, manifest.root())


def test_a_file_that_is_no_video_is_named_by_its_digest(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("shift diary")
    manifest = take_manifest(path, Limits())
    assert manifest.prints is None
    assert "text" in manifest.reason
    assert decode(manifest.encode()) == manifest


def test_a_recording_cut_off_says_so_or_has_fewer_pictures(original, tmp_path):
    path = tmp_path / "torn.mp4"
    path.write_bytes(original.read_bytes()[:2000])
    manifest = take_manifest(path, Limits())
    assert manifest.byte_length == 2000
    assert manifest.prints is None
    assert manifest.reason


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_changed_bytes_are_refused_or_mean_the_same_form(data):
    whole = Manifest("0" * 64, 5, "video/mp4", "a.mp4", reason="short").encode()
    place = data.draw(st.integers(0, len(whole) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = whole[:place] + bytes([byte]) + whole[place + 1 :]
    try:
        found = decode(changed)
    except MalformedText:
        return
    assert isinstance(found, Manifest)


def test_every_cut_of_a_manifest_is_refused(manifest):
    whole = manifest.encode()
    for length in [*range(0, 2000, 7), len(whole) - 1]:
        with pytest.raises(MalformedText):
            decode(whole[:length])
    with pytest.raises(MalformedText):
        decode(whole + b"x")


def test_a_bomb_is_not_opened(manifest):
    import zlib

    whole = manifest.encode()
    head, _, _ = whole.partition(b"\n\n")
    bomb = zlib.compress(bytes(50_000_000), 9)
    with pytest.raises(MalformedText):
        decode(head + b"\n\n" + bomb)


def test_what_begins_like_a_manifest_is_one():
    assert is_manifest(MAGIC + b"{}")
    assert not is_manifest(b"\x00\x00\x00 ftyp")
