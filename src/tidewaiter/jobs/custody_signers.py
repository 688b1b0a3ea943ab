"""Signatures of a custody log verified in worker processes, while the log is read and judged.

A signature takes some fifty times as long as everything else that is judged of a record. Workers
get bodies and candidate keys and give back which key fits; they open nothing and decide nothing.
One that dies costs time and no finding: the judge then verifies what is left itself.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from itertools import chain, islice
from multiprocessing import get_context

from tidewaiter.casework.custody_reading import Keys, Verified, Verify, verify_later
from tidewaiter.custody.signers import keys_that_fit
from tidewaiter.custody.store import StoredLeaf

# Below it, starting the workers takes longer than the signatures.
FEWEST_RECORDS = 4096
# Parts that each worker has waiting: enough to be busy, few enough for the memory.
PARTS_AHEAD = 2
# Parts kept before it is decided; large records come in parts of few.
MOST_PARTS_FIRST = 16

_keys: Mapping[tuple[str, int], tuple[bytes, ...]] = {}


def usable_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def verify_in_workers(workers: int) -> Verify:
    """Signatures verified by so many processes beside this one; by this one alone for 0."""
    if workers < 1:
        return verify_later

    def verify(parts: Iterable[list[StoredLeaf]], keys: Callable[[], Keys]) -> Iterator[Verified]:
        source = iter(parts)
        first = list(_first(source))
        following = list(islice(source, 1))
        if not following and sum(map(len, first)) < FEWEST_RECORDS:
            yield from verify_later(first, keys)
            return
        yield from _verified(chain(first, following, source), keys(), workers)

    return verify


def _first(source: Iterator[list[StoredLeaf]]) -> Iterator[list[StoredLeaf]]:
    """Parts until it is clear that there are enough records for workers."""
    records = 0
    for part in islice(source, MOST_PARTS_FIRST):
        yield part
        records += len(part)
        if records >= FEWEST_RECORDS:
            return


def _verified(parts: Iterator[list[StoredLeaf]], keys: Keys, workers: int) -> Iterator[Verified]:
    # A fresh interpreter: a copy of this one would hold the store's connection and its locks.
    pool = ProcessPoolExecutor(
        workers, mp_context=get_context("spawn"), initializer=_begin, initargs=(keys,)
    )
    waiting: deque[tuple[list[StoredLeaf], Future[list[bytes | None]] | None]] = deque()
    try:
        for part in islice(parts, workers * PARTS_AHEAD):
            waiting.append((part, _asked(pool, part)))
        while waiting:
            part, answer = waiting.popleft()
            fitting = _answered(answer, len(part))
            for following in islice(parts, 1):
                waiting.append((following, _asked(pool, following)))
            pairs = zip(part, fitting, strict=True)
            yield part, {leaf.index: key for leaf, key in pairs if key is not None}
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _asked(pool: ProcessPoolExecutor, part: list[StoredLeaf]) -> Future[list[bytes | None]] | None:
    try:
        return pool.submit(_fitting, [leaf.body for leaf in part])
    except (BrokenProcessPool, RuntimeError):
        return None


def _answered(answer: Future[list[bytes | None]] | None, count: int) -> list[bytes | None]:
    nothing: list[bytes | None] = [None] * count
    try:
        return nothing if answer is None else answer.result()
    except BrokenProcessPool:
        return nothing


def _begin(keys: Keys) -> None:
    global _keys  # noqa: PLW0603 - a worker process keeps its keys here
    _keys = keys


def _fitting(bodies: list[bytes]) -> list[bytes | None]:
    return keys_that_fit(bodies, _keys)
