"""Whatever is done to a confirmed part of a log is found; single acts are found at their place."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.custody.explaining import Anchor, Stored, explain
from tidewaiter.custody.frontier import Frontier, inserted_run, swapped_pair
from tidewaiter.custody.merkle import Tree

SIZES = st.integers(min_value=2, max_value=40)


def leaves_of(count: int, word: str = "leaf") -> list[bytes]:
    return [hashlib.sha256(f"{word} {n}".encode()).digest() for n in range(count)]


def anchors_of(leaves, every: int) -> list[Anchor]:
    """What witnesses confirmed while this history grew."""
    tree = Tree(leaves)
    sizes = sorted({*range(every, tree.size, every), tree.size})
    return [
        Anchor(
            size,
            tree.root(size),
            f"witness at {size}",
            time_ms=size,
            confirmed_by=frozenset({"witness"}),
            is_outside=True,
        )
        for size in sizes
    ]


def explained(leaves, anchors):
    tree = Tree(leaves)
    return explain(Stored(tree, tree.size), anchors)[0]


@given(SIZES, st.integers(1, 9))
@settings(max_examples=40, deadline=None)
def test_an_honest_log_needs_no_explanation(count, every):
    leaves = leaves_of(count)
    assert explained(leaves, anchors_of(leaves, every)) == []
    # What came after the last confirmation is nobody's contradiction.
    assert explained([*leaves, *leaves_of(3, "later")], anchors_of(leaves, every)) == []


@given(SIZES, st.integers(1, 9), st.data())
@settings(max_examples=60, deadline=None)
def test_any_change_of_a_confirmed_leaf_is_found_in_its_span(count, every, data):
    leaves = leaves_of(count)
    anchors = anchors_of(leaves, every)
    index = data.draw(st.integers(0, count - 1))
    changed = [*leaves[:index], b"x" * 32, *leaves[index + 1 :]]
    (found,) = explained(changed, anchors)
    assert found.name == "history-rewritten"
    assert found.first <= index <= found.last
    assert found.last - found.first < every
    assert found.since_ms == count


@given(SIZES, st.integers(1, 9), st.data())
@settings(max_examples=60, deadline=None)
def test_an_insertion_is_found_at_its_place(count, every, data):
    leaves = leaves_of(count)
    index, run = data.draw(st.integers(0, count - 1)), data.draw(st.integers(1, 4))
    changed = [*leaves[:index], *leaves_of(run, "new"), *leaves[index:]]
    (found,) = explained(changed, anchors_of(leaves, every))
    assert (found.name, found.first, found.last) == ("backdated-insert", index, index + run - 1)


@given(SIZES, st.data())
@settings(max_examples=60, deadline=None)
def test_an_exchange_is_found_at_its_places(count, data):
    leaves = leaves_of(count)
    first = data.draw(st.integers(0, count - 2))
    second = data.draw(st.integers(first + 1, count - 1))
    changed = list(leaves)
    changed[first], changed[second] = leaves[second], leaves[first]
    (found,) = explained(changed, anchors_of(leaves, count))
    assert (found.name, found.first, found.last) == ("reordered", first, second)


@given(SIZES, st.integers(1, 9), st.data())
@settings(max_examples=60, deadline=None)
def test_a_shorter_log_is_found(count, every, data):
    leaves = leaves_of(count)
    size = data.draw(st.integers(0, count - 1))
    found = explained(leaves[:size], anchors_of(leaves, every))
    assert [
        (one.name in {"tail-truncated", "store-rolled-back"}, one.first, one.last) for one in found
    ] == [(True, size, count - 1)]


@given(SIZES, st.data())
@settings(max_examples=40, deadline=None)
def test_any_two_changes_are_found(count, data):
    leaves = leaves_of(count)
    changed = list(leaves)
    for _ in range(2):
        index = data.draw(st.integers(0, len(changed) - 1))
        if data.draw(st.booleans()) and len(changed) > 1:
            del changed[index]
        else:
            changed[index] = hashlib.sha256(changed[index]).digest()
    assert explained(changed, anchors_of(leaves, 5))


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 100])
def test_a_frontier_gives_the_trees_root(size):
    leaves = leaves_of(size)
    tree = Tree(leaves)
    assert Frontier().grown(leaves).root == tree.root()
    for start in range(size + 1):
        assert Frontier(tree.peaks(start)).grown(leaves[start:]).root == tree.root()


def test_a_search_that_would_take_too_long_is_not_begun():
    leaves = leaves_of(900)
    root = Tree(leaves).root()
    assert inserted_run(Frontier(), [*leaves, b"x" * 32], 1, root) is None
    assert swapped_pair(Frontier(), leaves, root) is None


def test_two_histories_of_one_size_are_evidence_of_each_other():
    leaves = leaves_of(8)
    anchors = [*anchors_of(leaves, 8)]
    kept = Anchor(8, Tree(leaves).root(), "kept", note=b"kept")
    shown = Anchor(8, b"r" * 32, "shown", note=b"shown", is_outside=True)
    found, forks = explain(Stored(Tree(leaves), 8), [*anchors, kept, shown])
    assert [one.name for one in found] == ["split-view"]
    assert [(fork.shown, fork.kept) for fork in forks] == [(b"shown", b"kept")]
