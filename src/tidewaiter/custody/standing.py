"""Whether a stored log agrees with itself and with what its witnesses remember.

Inner nodes are made again from the leaf hashes; a stored root is compared with them, never with
another stored root.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.merkle import Tree
from tidewaiter.custody.store import Head, StoredCheckpoint, Witnessed


def judge_head(tree: Tree, head: Head) -> list[Discrepancy]:
    """Compare the leaves that are there with the size and root stored last."""
    if tree.size < head.size:
        text = f"{tree.size} records are stored; the last commit stored {head.size}"
        return [Discrepancy("tail-truncated", text, tree.size, head.size - 1)]
    if tree.size > head.size:
        text = f"{tree.size} records are stored; the last commit stored {head.size} only"
        return [Discrepancy("backdated-insert", text, head.size, tree.size - 1)]
    if tree.size and tree.root() != head.root:
        text = f"the {tree.size} records give another root than the last commit stored"
        return [Discrepancy("history-rewritten", text, 0, tree.size - 1)]
    return []


def judge_checkpoints(tree: Tree, checkpoints: Iterable[StoredCheckpoint]) -> list[Discrepancy]:
    """Compare every stored checkpoint with the root over as many leaves.

    One finding for the first checkpoint that differs: all later ones differ with it.
    """
    good = 0
    for stored in checkpoints:
        if stored.size > tree.size:
            text = f"a checkpoint over {stored.size} records is stored, but {tree.size} records"
            return [Discrepancy("tail-truncated", text, tree.size, stored.size - 1)]
        if tree.root(stored.size) != stored.root:
            text = (
                f"the first {stored.size} records give another root than their checkpoint; the "
                f"first {good} still fit theirs"
            )
            return [Discrepancy("history-rewritten", text, good, stored.size - 1)]
        good = stored.size
    return []


def judge_witnesses(tree: Tree, witnessed: Sequence[Witnessed]) -> list[Discrepancy]:
    """Compare what every witness remembers with the leaves that are there."""
    found = [_judge_witness(tree, one, one.head) for one in witnessed if one.head is not None]
    return [one for one in found if one is not None]


def _judge_witness(tree: Tree, witnessed: Witnessed, head: Head) -> Discrepancy | None:
    if head.size > tree.size:
        text = (
            f"{witnessed.witness} confirmed {head.size} records; {tree.size} are stored: the "
            "database is an older state of itself"
        )
        return Discrepancy(
            "database-rolled-back", text, tree.size, head.size - 1, since_ms=witnessed.time_ms
        )
    if tree.root(head.size) != head.root:
        text = (
            f"{witnessed.witness} confirmed another root over the first {head.size} records than "
            "those that are stored give"
        )
        return Discrepancy("history-rewritten", text, 0, head.size - 1, since_ms=witnessed.time_ms)
    return None
