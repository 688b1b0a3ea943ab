"""The tree equals the RFC's recursion at every size, and no altered proof is accepted."""

import hashlib
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.custody.merkle import (
    EMPTY_ROOT,
    Tree,
    leaf_hash,
    node_hash,
    verify_consistency,
    verify_inclusion,
)
from tidewaiter.errors import BrokenProof

# The eight inputs that implementations of RFC 6962 share as a test vector, and their roots.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
LEAVES = [leaf_hash(str(number).encode()) for number in range(130)]


def by_the_rfc(leaves):
    """Root by the recursion of RFC 6962, 2.1."""
    if len(leaves) <= 1:
        return leaves[0] if leaves else hashlib.sha256(b"").digest()
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    return node_hash(by_the_rfc(leaves[:k]), by_the_rfc(leaves[k:]))


def path_by_the_rfc(m, leaves):
    if len(leaves) == 1:
        return []
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if m < k:
        return [*path_by_the_rfc(m, leaves[:k]), by_the_rfc(leaves[k:])]
    return [*path_by_the_rfc(m - k, leaves[k:]), by_the_rfc(leaves[:k])]


def proof_by_the_rfc(m, leaves, whole=True):
    if m == len(leaves):
        return [] if whole else [by_the_rfc(leaves)]
    k = 1 << ((len(leaves) - 1).bit_length() - 1)
    if m <= k:
        return [*proof_by_the_rfc(m, leaves[:k], whole), by_the_rfc(leaves[k:])]
    return [*proof_by_the_rfc(m - k, leaves[k:], whole=False), by_the_rfc(leaves[:k])]


def test_the_shared_vectors():
    tree = Tree()
    for number, entry in enumerate(ENTRIES):
        assert tree.append(leaf_hash(entry)) == number
    for size, root in ROOTS.items():
        assert tree.root(size).hex() == root
    assert EMPTY_ROOT.hex() == ROOTS[0]


@pytest.mark.parametrize("size", [*range(1, 40), 63, 64, 65, 127, 128, 129])
def test_every_proof_equals_the_rfc_and_is_accepted(size):
    tree, leaves = Tree(LEAVES), LEAVES[:size]
    root = tree.root(size)
    assert root == by_the_rfc(leaves)
    for index in range(size):
        path = tree.inclusion_proof(index, size)
        assert path == path_by_the_rfc(index, leaves)
        verify_inclusion(index, size, leaves[index], path, root)
    for old in range(size + 1):
        path = tree.consistency_proof(old, size)
        assert path == (proof_by_the_rfc(old, leaves) if old else [])
        verify_consistency(old, size, tree.root(old), root, path)


def test_a_tree_that_grows_by_batches_is_the_rfcs_after_each():
    tree, size = Tree(), 0
    for count in (3, 5, 0, 1, 7, 2, 30, 64, 1):
        tree.extend(LEAVES[size : size + count])
        size += count
        assert tree.root() == by_the_rfc(LEAVES[:size])
        for level in range(8):
            width = 1 << level
            whole = [LEAVES[at : at + width] for at in range(0, size - width + 1, width)]
            assert tree.nodes(level, 0, len(whole)) == b"".join(map(by_the_rfc, whole))
            with pytest.raises(BrokenProof):
                tree.nodes(level, 0, len(whole) + 1)


@given(st.lists(st.integers(0, 40), max_size=8))
def test_a_tree_is_the_same_however_its_leaves_arrived(batches):
    one, many = Tree(), Tree()
    for start, count in enumerate(batches):
        batch = [leaf_hash(bytes([start, number])) for number in range(count)]
        many.extend(batch)
        for leaf in batch:
            one.append(leaf)
        assert one.root() == many.root()
        assert one.size == many.size
    assert one._levels == many._levels
    assert all(one.leaf(index) == many.leaf(index) for index in range(one.size))


def test_nodes_are_the_roots_of_the_complete_subtrees():
    tree = Tree(LEAVES[:13])
    assert [tree.leaf(index) for index in range(13)] == LEAVES[:13]
    for level, reached in enumerate([13, 6, 3, 1, 0, 0]):
        width = 1 << level
        roots = [by_the_rfc(LEAVES[at : at + width]) for at in range(0, reached * width, width)]
        for start in range(reached + 1):
            for stop in range(start, reached + 1):
                assert tree.nodes(level, start, stop) == b"".join(roots[start:stop])
        for start, stop in ((-1, reached), (reached + 1, reached), (0, reached + 1)):
            with pytest.raises(BrokenProof, match=f"level {level} has {reached} complete nodes"):
                tree.nodes(level, start, stop)


@pytest.mark.parametrize("size", [*range(18), 127, 128, 130])
def test_peaks_are_the_largest_complete_subtrees_in_order(size):
    tree, start, levels = Tree(LEAVES), 0, []
    for level, found in tree.peaks(size):
        assert found == by_the_rfc(LEAVES[start : start + (1 << level)])
        start, levels = start + (1 << level), [*levels, level]
    assert start == size
    assert levels == sorted(set(levels), reverse=True)
    assert Tree(LEAVES[:size]).peaks() == tree.peaks(size)


def altered_paths(path, rng):
    """Every element with one bit flipped, dropped, doubled, or swapped with its neighbour."""
    for at, element in enumerate(path):
        bit = rng.randrange(256)
        flipped = bytearray(element)
        flipped[bit // 8] ^= 1 << bit % 8
        yield [*path[:at], bytes(flipped), *path[at + 1 :]]
        yield [*path[:at], *path[at + 1 :]]
        yield [*path[:at], element, *path[at:]]
        if at and path[at - 1] != element:
            yield [*path[: at - 1], element, path[at - 1], *path[at + 1 :]]
    yield [*path, bytes(32)]
    yield [bytes(32), *path]


@settings(deadline=None)
@given(st.integers(1, 130), st.randoms(use_true_random=False))
def test_no_altered_inclusion_proof_is_accepted(size, rng):
    tree, index = Tree(LEAVES[:size]), rng.randrange(size)
    path, root = tree.inclusion_proof(index), tree.root()
    for altered in altered_paths(path, rng):
        with pytest.raises(BrokenProof):
            verify_inclusion(index, size, LEAVES[index], altered, root)
    other = rng.randrange(size + 3)
    if other != index:
        with pytest.raises(BrokenProof):
            verify_inclusion(other, size, LEAVES[index], path, root)
    with pytest.raises(BrokenProof, match="another root"):
        verify_inclusion(index, size, leaf_hash(b"changed"), path, root)


@settings(deadline=None)
@given(st.integers(1, 130), st.randoms(use_true_random=False))
def test_no_altered_consistency_proof_is_accepted(size, rng):
    tree, old = Tree(LEAVES[:size]), rng.randrange(size + 1)
    path, roots = tree.consistency_proof(old), (tree.root(old), tree.root())
    for altered in altered_paths(path, rng):
        with pytest.raises(BrokenProof):
            verify_consistency(old, size, *roots, altered)
    changed = Tree([*LEAVES[: size - 1], leaf_hash(b"changed")])
    if old == size:
        with pytest.raises(BrokenProof, match="forked"):
            verify_consistency(old, size, roots[0], changed.root(), path)
    rewritten = Tree([leaf_hash(b"changed"), *LEAVES[1:size]])
    if 0 < old < size:
        with pytest.raises(BrokenProof, match="history was rewritten"):
            verify_consistency(
                old, size, roots[0], rewritten.root(), rewritten.consistency_proof(old)
            )


@pytest.mark.parametrize("index", [0, 4, 6])
def test_an_impossible_inclusion_proof_is_named(index):
    tree = Tree(LEAVES[:7])
    path, root = tree.inclusion_proof(index), tree.root()
    for altered, problem in (
        ([*path, bytes(32)], f"leaf {index} of 7 has {len(path) + 1} hashes: too many"),
        (path[:-1], f"leaf {index} of 7 has {len(path) - 1} hashes: too few"),
        ([*path[:-1], path[-1][:31]], "a proof hash of 31 bytes"),
        ([*path[:-1], bytes(32)], "another root"),
    ):
        with pytest.raises(BrokenProof, match=problem):
            verify_inclusion(index, 7, LEAVES[index], altered, root)
    with pytest.raises(BrokenProof, match="another root"):
        verify_inclusion(index, 7, LEAVES[index], path, bytes(32))


@pytest.mark.parametrize(("old", "new"), [(3, 8), (4, 8), (6, 7), (1, 2)])
def test_both_roots_of_a_consistency_proof_must_fit(old, new):
    tree = Tree(LEAVES)
    path, roots = tree.consistency_proof(old, new), (tree.root(old), tree.root(new))
    verify_consistency(old, new, *roots, path)
    wrong = bytes(32)
    altered = [*path[:-1], wrong]
    for first, last, hashes in (
        (wrong, roots[1], path),
        (roots[0], wrong, path),
        (*roots, altered),
    ):
        with pytest.raises(BrokenProof, match="history was rewritten"):
            verify_consistency(old, new, first, last, hashes)


@pytest.mark.parametrize(
    ("old", "new", "path", "problem"),
    [
        (5, 4, [], "cannot be the beginning"),
        (-1, 4, [], "cannot be the beginning"),
        (3, 8, [], "no hashes"),
        (3, 8, [bytes(32)], "too few"),
        (4, 8, [bytes(32)] * 9, "too many"),
        (3, 8, [bytes(31)], "31 bytes"),
        (0, 8, [bytes(32)], "none belong"),
        (0, 8, [], "empty tree"),
    ],
)
def test_an_impossible_consistency_proof_is_named(old, new, path, problem):
    with pytest.raises(BrokenProof, match=problem):
        verify_consistency(old, new, bytes(32), bytes(32), path)


def test_two_roots_over_the_same_leaves_are_a_fork():
    verify_consistency(5, 5, bytes(32), bytes(32), [])
    with pytest.raises(BrokenProof, match="two different roots over the same 5 leaves"):
        verify_consistency(5, 5, bytes(32), LEAVES[0], [])


def test_a_tree_is_not_asked_beyond_its_end():
    tree = Tree(LEAVES[:5])
    for ask in (
        lambda: tree.leaf(5),
        lambda: tree.leaf(-1),
        lambda: tree.root(6),
        lambda: tree.root(-1),
        lambda: tree.inclusion_proof(3, 3),
        lambda: tree.inclusion_proof(-1),
        lambda: tree.consistency_proof(4, 3),
        lambda: Tree().inclusion_proof(0),
        lambda: tree.append(b"short"),
        lambda: tree.extend([bytes(31), bytes(33)]),
    ):
        with pytest.raises(BrokenProof):
            ask()
    assert tree.size == 5


def test_random_sizes_beyond_the_small_ones():
    rng, leaves = random.Random(5), [leaf_hash(bytes([n % 256, n // 256])) for n in range(5000)]
    tree = Tree(leaves)
    for _ in range(200):
        new = rng.randrange(1, 5001)
        old, index = rng.randrange(new + 1), rng.randrange(new)
        verify_inclusion(
            index, new, leaves[index], tree.inclusion_proof(index, new), tree.root(new)
        )
        path = tree.consistency_proof(old, new)
        verify_consistency(old, new, tree.root(old), tree.root(new), path)
