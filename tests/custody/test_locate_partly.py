"""Redacted copies whose untouched groups of pictures are those of the original, bit for bit."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tests.custody.recordings import GROUP, SPLICED, pictures, splice, write
from tidewaiter.casework.manifests import take_manifest
from tidewaiter.custody.locate import compare
from tidewaiter.custody.locate_partly import keeps_pictures, unasked_groups
from tidewaiter.custody.masks import Mask
from tidewaiter.settings import Limits

FRAMES = 96
MASK = Mask(1.2, 2.36, 40 / 160, 23 / 90, 80 / 160, 54 / 90)
HIDDEN = {2, 3, 4}
"""Groups of pictures into which the mask falls: frames 30 to 59."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("spliced")


@pytest.fixture(scope="module")
def scene():
    return pictures(FRAMES)


@pytest.fixture(scope="module")
def original(folder, scene):
    return take_manifest(write(folder / "original.mp4", scene, options=SPLICED), Limits())


@pytest.fixture(scope="module")
def redacted(folder, scene, original):
    """Makes the manifest of a redacted copy, with further changes, some groups encoded anew."""

    def make(name, change=lambda frames: None, groups=HIDDEN):
        frames = scene.copy()
        frames[30:60, 23:54, 40:80] = 0
        change(frames)
        again = write(folder / f"{name}.mp4", frames, options=SPLICED)
        copy = splice(folder / "original.mp4", again, folder / f"{name}-spliced.mp4", groups)
        return take_manifest(copy, Limits())

    return make


@pytest.fixture(scope="module")
def faithful(redacted):
    return redacted("faithful")


def judged(original, copy):
    return compare(original, copy, masks=[MASK])


def test_a_copy_that_kept_what_it_did_not_hide_is_faithful(original, faithful):
    same = (original.prints.picture_hash == faithful.prints.picture_hash).all(axis=1)
    assert same[: 2 * GROUP].all()
    assert same[5 * GROUP :].all()
    found = judged(original, faithful)
    assert (found.verdict, found.carrier) == ("transcoded", "re_encoded")
    assert found.differences == ()


def test_without_masks_its_pictures_are_replaced_ones(original, faithful):
    found = compare(original, faithful)
    assert (found.verdict, found.carrier) == ("altered", "remuxed")
    assert {item.kind for item in found.differences} == {"replaced"}


@pytest.mark.parametrize("frames", [slice(24, 60), slice(36, 46)], ids=["all along", "briefly"])
def test_a_patch_beside_the_mask_is_found(original, redacted, frames):
    def paint(pictures):
        pictures[frames, 66:86, 120:150] = 10

    found = judged(original, redacted(f"patched-{frames.start}", paint))
    [item] = [item for item in found.differences if item.kind == "painted"]
    assert abs(item.copy.start - frames.start) <= 5
    assert abs(item.copy.end - frames.stop) <= 5
    assert item.place.left == pytest.approx(120 / 160, abs=0.05)
    assert item.place.bottom == pytest.approx(86 / 90, abs=0.08)


def test_a_group_encoded_anew_without_a_mask_is_named(original, redacted):
    def touch(frames):
        frames[72:84, 0:8, 0:8] += 2

    found = judged(original, redacted("unasked", touch, HIDDEN | {6}))
    [item] = found.differences
    assert (item.kind, item.exact) == ("replaced", True)
    assert (item.copy.start, item.copy.end) == (6 * GROUP, 7 * GROUP)


def test_a_moment_that_stands_still_around_the_mask_is_found(original, redacted):
    def freeze(frames):
        still = frames[36:37].copy()
        frames[36:60] = still

    assert judged(original, redacted("frozen", freeze)).verdict == "altered"


def test_moved_or_missing_pictures_are_no_encoding(original, faithful):
    prints = faithful.prints
    order = np.r_[0:24, 72:84, 36:96]
    moved = dataclasses.replace(prints, picture_hash=original.prints.picture_hash[order])
    assert not keeps_pictures(original.prints, moved)
    fewer = dataclasses.replace(prints, small=prints.small[:-1])
    assert not keeps_pictures(original.prints, fewer)
    assert keeps_pictures(original.prints, prints)
    assert not keeps_pictures(original.prints, original.prints)


def test_pictures_shown_at_other_times_are_named(original, faithful):
    times = faithful.prints.frame_time.copy()
    times[70:] += 200_000
    late = dataclasses.replace(
        faithful, prints=dataclasses.replace(faithful.prints, frame_time=times)
    )
    assert [item.kind for item in judged(original, late).differences] == ["retimed"]


def test_a_mask_covers_times_that_were_rounded_to_milliseconds():
    times = np.array([1_196_000, 1_198_400, 1_200_000, 2_360_900, 2_363_000])
    assert MASK.during(times).tolist() == [False, True, True, True, False]


def test_a_mask_that_ends_before_the_group_does_covers_the_group(original, faithful):
    early = [dataclasses.replace(MASK, end_s=1.3)]
    assert unasked_groups(original.prints, faithful.prints, early) == []
    elsewhere = [dataclasses.replace(MASK, start_s=3.0, end_s=3.5)]
    assert unasked_groups(original.prints, faithful.prints, elsewhere) == [(24, 60)]
