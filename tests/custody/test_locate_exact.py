from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from tidewaiter.custody.locate_exact import exact_changes, matching_blocks, shared_share

FRAMES = list(range(100))


def said(copy, original=FRAMES):
    return [
        (change.kind, change.copy, change.original, change.from_original)
        for change in exact_changes(original, copy)
    ]


def test_nothing_is_said_of_the_same():
    assert said(FRAMES) == []


def test_a_cut_names_what_is_gone():
    assert said(FRAMES[:30] + FRAMES[45:]) == [("removed", (30, 30), (30, 45), None)]
    assert said(FRAMES[7:]) == [("removed", (0, 0), (0, 7), None)]
    assert said(FRAMES[:93]) == [("removed", (93, 93), (93, 100), None)]
    assert said(FRAMES[:50] + FRAMES[51:]) == [("removed", (50, 50), (50, 51), None)]


def test_one_other_picture_is_replaced():
    assert said([*FRAMES[:77], "x", *FRAMES[78:]]) == [("replaced", (77, 78), (77, 78), None)]


def test_foreign_pictures_are_inserted():
    assert said([*FRAMES[:20], "x", "y", *FRAMES[20:]]) == [("inserted", (20, 22), None, None)]


def test_a_repeated_stretch_names_its_source():
    copy = FRAMES[:60] + FRAMES[40:60] + FRAMES[60:]
    assert said(copy) == [("repeated", (60, 80), None, (40, 60))]


def test_footage_put_in_place_of_other_is_replaced():
    copy = FRAMES[:60] + FRAMES[10:20] + FRAMES[70:]
    assert said(copy) == [("replaced", (60, 70), (60, 70), (10, 20))]


def test_two_stretches_that_change_places_are_moved():
    copy = FRAMES[:10] + FRAMES[80:85] + FRAMES[15:80] + FRAMES[10:15] + FRAMES[85:]
    assert said(copy) == [("moved", (10, 15), None, (80, 85)), ("moved", (80, 85), None, (10, 15))]


def test_stretches_that_change_places_around_a_shorter_one_leave_no_edge_unnamed():
    copy = FRAMES[:10] + FRAMES[40:70] + FRAMES[30:40] + FRAMES[10:30] + FRAMES[70:]
    assert said(copy) == [
        ("moved_away", (10, 10), (10, 40), None),
        ("moved", (40, 50), None, (30, 40)),
        ("moved", (50, 70), None, (10, 30)),
    ]


@given(st.lists(st.integers(0, 29), unique=True, max_size=6), st.randoms(use_true_random=False))
def test_every_break_is_an_edge_of_a_finding(cuts, random):
    edges = [0, *sorted(cuts), 30]
    parts = [FRAMES[start:end] for start, end in pairwise(edges)]
    random.shuffle(parts)
    copy = [item for part in parts for item in part]
    breaks = {0, 30, *(p for p in range(1, 30) if copy[p] != copy[p - 1] + 1)}
    found = exact_changes(FRAMES[:30], copy)
    got = {edge for change in found for edge in change.copy}
    assert breaks - {0, 30} <= got <= breaks


def test_a_still_scene_coded_alike_is_matched_outwards():
    original = [*range(10), *["still"] * 30, *range(10, 20)]
    assert said(original, original) == []
    [cut] = said(original[:20] + original[25:], original)
    assert cut[0] == "removed"
    assert cut[2][1] - cut[2][0] == 5


def test_sharing_is_counted_over_the_copy():
    assert shared_share(FRAMES, [1, 2, "x", "y"]) == 0.5
    assert shared_share(FRAMES, []) == 0.0


@given(
    original=st.lists(st.integers(0, 9), max_size=40),
    copy=st.lists(st.integers(0, 9), max_size=40),
)
def test_blocks_match_rise_and_never_overlap(original, copy):
    ours = theirs = 0
    for block in matching_blocks(original, copy):
        assert block.length > 0
        assert block.ours >= ours
        assert block.theirs >= theirs
        ours, theirs = block.ours + block.length, block.theirs + block.length
        assert original[block.ours : ours] == copy[block.theirs : theirs]
    assert ours <= len(original)
    assert theirs <= len(copy)


@given(
    original=st.lists(st.integers(0, 60), max_size=40),
    copy=st.lists(st.integers(0, 60), max_size=40),
)
def test_a_difference_is_said_exactly_where_there_is_one(original, copy):
    changes = exact_changes(original, copy)
    assert (changes == []) == (original == copy)
    kept = [True] * len(copy)
    for change in changes:
        for place in range(*change.copy):
            kept[place] = False
    remaining = iter(original)
    assert all(
        any(item == found for found in remaining) for place, item in enumerate(copy) if kept[place]
    )
