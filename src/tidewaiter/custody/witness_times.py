"""When an entry was logged, as far as the witnesses of its checkpoints bound it.

Three clocks are kept apart: what the device claims, when the ingest says it came, and the time of
the witnesses. Only the last binds; the order of entries is proven by the tree itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class WitnessTimes:
    """Sizes of witnessed checkpoints with the times at which a quorum had confirmed them."""

    sizes: tuple[int, ...] = ()
    times_ms: tuple[int, ...] = ()

    def not_after_ms(self, index: int) -> int | None:
        """A time by which the entry was in the log; None where no witness has confirmed it."""
        place = bisect_right(self.sizes, index)
        return self.times_ms[place] if place < len(self.times_ms) else None

    def not_before_ms(self, index: int) -> int | None:
        """A time at which enough witnesses had not seen the entry; None where nothing says so."""
        place = bisect_right(self.sizes, index)
        return self.times_ms[place - 1] if place else None

    def size_by(self, time_ms: int) -> int:
        """How many entries were confirmed at that time."""
        place = bisect_right(self.times_ms, time_ms)
        return self.sizes[place - 1] if place else 0


def witness_times(confirmed: Iterable[tuple[int, int]]) -> WitnessTimes:
    """Times from pairs of size and POSIX milliseconds, in any order.

    A larger tree confirmed earlier bounds the smaller ones too, so that both columns only rise.
    """
    earliest: dict[int, int] = {}
    bound: int | None = None
    for size, time_ms in sorted(confirmed, reverse=True):
        bound = time_ms if bound is None else min(bound, time_ms)
        earliest[size] = bound
    sizes = sorted(earliest)
    return WitnessTimes(tuple(sizes), tuple(earliest[size] for size in sizes))


def end_of_second_ms(time_s: int) -> int:
    """The last POSIX millisecond of a second: witnesses state no smaller unit."""
    return 1000 * time_s + 999
