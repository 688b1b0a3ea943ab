"""Find, for every message of a signed video, the coded slices that it describes."""

from __future__ import annotations

import hashlib
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tidewaiter.custody.onvif_message import Described, SigningMessage

# Places tried for one message, so that hostile streams cost no square of their length.
MOST_STARTS, MOST_REPEATS = 64, 8


@dataclass(frozen=True)
class Item:
    """One hashed unit: a coded slice, or a message that a later one vouches for.

    `hash` is what the camera hashes it to, `picture` its place in the video; `is_start` where a
    group of pictures begins.
    """

    hash: bytes
    picture: int
    is_start: bool
    message: int | None = None


@dataclass(frozen=True)
class Span:
    """The items that one message describes, end excluded.

    `matched` are those that are as described; `missing` counts what is described and not there.
    A message whose pictures came before the video began is `outside`: it says nothing here.
    """

    message: int
    first: int
    end: int
    matched: tuple[int, ...]
    missing: int = 0
    outside: bool = False

    @property
    def foreign(self) -> tuple[int, ...]:
        """The items that are there and were not described."""
        known = set(self.matched)
        return tuple(at for at in range(self.first, self.end) if at not in known)


def match_messages(
    items: Sequence[Item], messages: Sequence[SigningMessage], places: Sequence[int]
) -> list[Span]:
    """A span for every message that describes something, in the order of the messages.

    `places` says how many items came before each message. First every message takes the group
    whose joint hash it states; what is left between is given to the others by their hash lists,
    and else in order.
    """
    board = _Board(items)
    exact: dict[int, Span] = {}
    cursor = 0
    for number, message in enumerate(messages):
        if message.described is not None:
            span = board.exact(number, message, cursor, places[number])
            if span is not None:
                exact[number], cursor = span, span.end
    bounds = _next_starts(exact, len(messages), len(items))
    spans: list[Span] = []
    low = 0
    for number, message in enumerate(messages):
        if message.described is None:
            continue
        limits = (low, max(low, min(bounds[number], places[number])))
        span = exact.get(number) or board.partly(number, message, limits)
        spans.append(span)
        low = max(low, span.end)
    return spans


def _next_starts(exact: Mapping[int, Span], count: int, end: int) -> list[int]:
    """For every message, where the next one begins that was found by its joint hash."""
    bounds = [end] * count
    for number in range(count - 1, -1, -1):
        bounds[number] = end
        if number in exact:
            end = exact[number].first
    return bounds


class _Board:
    """The items, and where each hash stands."""

    def __init__(self, items: Sequence[Item]) -> None:
        self.items = items
        found: dict[bytes, list[int]] = defaultdict(list)
        for at, item in enumerate(items):
            found[item.hash].append(at)
        self.places: Mapping[bytes, list[int]] = found
        self.starts = [at for at, item in enumerate(items) if item.is_start]

    def exact(self, number: int, message: SigningMessage, low: int, high: int) -> Span | None:
        """The group with the joint hash that the message states, between two places."""
        described = message.described
        if described is None or not described.units:
            return None
        for at in self._candidates(message, low, high):
            end = at + described.units
            if end <= high and self._joint(at, end, message.hash_name) == described.gop_hash:
                return Span(number, at, end, tuple(range(at, end)))
        return None

    def partly(self, number: int, message: SigningMessage, limits: tuple[int, int]) -> Span:
        """What of a message's pictures is there, when its joint hash fits nothing."""
        described = message.described
        total = len(message.hash_list) or (described.units if described is not None else 0)
        low, high = limits
        matched = self._in_order(message.hash_list, low, high)
        if matched:
            return self._around(number, message.hash_list, matched, limits)
        end = self._whole_group(low, high, described)
        if end is None:
            return Span(number, low, low, (), total if low else 0, outside=low == 0)
        return Span(number, low, end, (), max(0, total - (end - low)))

    def _candidates(self, message: SigningMessage, low: int, high: int) -> list[int]:
        first = message.hash_list[0] if message.hash_list else b""
        known = self.places.get(first, [])
        repeats = known[bisect_left(known, low) :][:MOST_REPEATS]
        starts = self.starts[bisect_left(self.starts, low) :][:MOST_STARTS]
        return sorted(at for at in {low, *repeats, *starts} if at < high)

    def _joint(self, first: int, end: int, name: str) -> bytes:
        return hashlib.new(name, b"".join(one.hash for one in self.items[first:end])).digest()

    def _in_order(self, hash_list: Sequence[bytes], low: int, high: int) -> dict[int, int]:
        """Which item each hash of the list is, in the order of both; by number in the list."""
        found: dict[int, int] = {}
        for number, known in enumerate(hash_list):
            places = self.places.get(known, [])
            following = bisect_left(places, low)
            if following < len(places) and places[following] < high:
                found[number] = places[following]
                low = places[following] + 1
        return found

    def _around(
        self,
        number: int,
        hash_list: Sequence[bytes],
        matched: Mapping[int, int],
        limits: tuple[int, int],
    ) -> Span:
        """The matched items, and those around them that stand where others were described."""
        first_listed, last_listed = min(matched), max(matched)
        first, end = matched[first_listed], matched[last_listed] + 1
        for _ in range(first_listed):
            if first > limits[0] and not self.items[first].is_start:
                first -= 1
        for _ in range(len(hash_list) - 1 - last_listed):
            if end < limits[1] and not self.items[end].is_start:
                end += 1
        foreign = end - first - len(matched)
        missing = max(0, len(hash_list) - len(matched) - foreign)
        return Span(number, first, end, tuple(sorted(matched.values())), missing)

    def _whole_group(self, low: int, high: int, described: Described | None) -> int | None:
        """The end of the group at `low`, if it is over before `high`: then it is the one meant.

        A message comes during the group after the one it describes, so that a group still going
        on is not meant.
        """
        if described is None or low >= len(self.items):
            return None
        if low == 0 and not self.items[0].is_start:
            return None
        after = bisect_right(self.starts, low)
        following = self.starts[after] if after < len(self.starts) else high + 1
        if following <= high:
            return min(following, low + described.units) if described.is_partial else following
        if low > 0 and described.is_partial and low + described.units <= high:
            return low + described.units
        return None
