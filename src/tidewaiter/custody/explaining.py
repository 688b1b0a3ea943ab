"""Name what was done to a stored log, from the roots it should give and does not.

An anchor is a size and a root that somebody vouched for. What the witnesses vouch for cannot be
forged by whoever holds the store and the log's key; what only the log signed can. The place of a
change is narrowed between the last anchor that fits and the first that does not, then one single
act (an insertion, an exchange) is searched for that explains it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tidewaiter.custody.discrepancy import Discrepancy
from tidewaiter.custody.frontier import Frontier, inserted_run, swapped_pair
from tidewaiter.custody.merkle import Tree

FORGED = frozenset({"bad-signature", "record-malformed", "unknown-key", "device-reattributed"})
"""What the judge of entries says of a record whose bytes are not its signer's."""
CUT = frozenset({"sequence-gap", "chain-broken"})
"""What it says of the place where a record is gone."""
# A longer span between two anchors is read again neither for devices nor for single acts.
LONGEST_WINDOW = 20_000
# Where more records than these look wrong, they are not single acts any more.
MOST_SINGLE_ACTS = 16


@dataclass(frozen=True)
class Anchor:
    """A size and root that somebody vouched for, and where that was found.

    `confirmed_by`: witnesses of the policy that signed it, so that the log's key alone could not.
    `time_ms`: when the last of them did; `not_after_ms`: when enough of them had, by the policy.
    `is_outside`: it was not taken from the store that is being audited.
    """

    size: int
    root: bytes
    source: str
    note: bytes = b""
    time_ms: int | None = None
    not_after_ms: int | None = None
    confirmed_by: frozenset[str] = frozenset()
    is_outside: bool = False

    @property
    def is_confirmed(self) -> bool:
        """Whether any witness signed it."""
        return bool(self.confirmed_by)


@dataclass(frozen=True)
class Stored:
    """What reading the store again gave: the tree over the bodies, and what looked wrong."""

    tree: Tree
    claimed_size: int
    edited: tuple[int, ...] = ()
    """Indices whose stored hash is not that of the body."""
    claimed_hashes: tuple[bytes, ...] = ()
    """The stored hashes at these indices."""
    gaps: tuple[tuple[int, int], ...] = ()
    """First and last index of every run of leaves that is not there."""
    judged: tuple[Discrepancy, ...] = ()
    """What the judge of entries found, over bodies as they are."""
    unnamed_media: int = 0
    """How many media no entry names."""
    devices_of: Callable[[int, int], tuple[str, ...]] = field(default=lambda _first, _last: ())


@dataclass(frozen=True)
class Fork:
    """Two notes by which anybody can see that the log showed two histories."""

    shown: bytes
    kept: bytes


def explain(stored: Stored, anchors: Sequence[Anchor]) -> tuple[list[Discrepancy], list[Fork]]:
    """All that is wrong with the store as a log, by name; and the forks, with their evidence."""
    views, others = _split_views(stored, anchors)
    found, forks = [_view(stored, anchor) for anchor in views], _forks(stored, views, anchors)
    found += [_deleted_gap(stored, others, gap) for gap in stored.gaps]
    found += _edited(stored, others)
    gone = sum(last - first + 1 for first, last in stored.gaps)
    wrong = [one for one in others if one.size <= stored.tree.size and not _fits(stored, one)]
    beyond = [one for one in others if one.size > stored.tree.size + gone]
    if wrong or beyond:
        is_explained = bool(stored.edited or stored.gaps)
        found += _changed(stored, others, wrong, beyond, is_explained=is_explained)
    if not found and stored.claimed_size != stored.tree.size + gone:
        found.append(_cut_off(stored, stored.claimed_size, None))
    return found, forks


def _fits(stored: Stored, anchor: Anchor) -> bool:
    return anchor.size <= stored.tree.size and stored.tree.root(anchor.size) == anchor.root


def _split_views(stored: Stored, anchors: Sequence[Anchor]) -> tuple[list[Anchor], list[Anchor]]:
    """Anchors that contradict a history which witnesses confirm to be the one in the store."""
    agreed = max((a.size for a in anchors if a.is_confirmed and _fits(stored, a)), default=-1)
    views = [
        one
        for one in anchors
        if one.is_outside
        and not _fits(stored, one)
        and (one.size <= agreed or (not one.is_confirmed and agreed >= 0))
    ]
    return views, [one for one in anchors if one not in views]


def _view(stored: Stored, anchor: Anchor) -> Discrepancy:
    text = (
        f"{anchor.source} shows a log of {anchor.size} records with another root than the "
        "witnesses confirmed: somebody was shown another history, signed by the log's own key"
    )
    last = min(anchor.size, stored.tree.size) - 1
    return Discrepancy("split-view", text, 0, max(last, 0), since_ms=anchor.time_ms)


def _forks(stored: Stored, views: Sequence[Anchor], anchors: Sequence[Anchor]) -> list[Fork]:
    kept = [one for one in anchors if one.note and _fits(stored, one)]
    forks = []
    for view in views:
        same = [one for one in kept if one.size == view.size] or kept[-1:]
        forks += [Fork(view.note, one.note) for one in same[:1]]
    return forks


def _deleted_gap(stored: Stored, anchors: Sequence[Anchor], gap: tuple[int, int]) -> Discrepancy:
    first, last = gap
    which = f"record {first} is" if first == last else f"records {first} to {last} are"
    devices = stored.devices_of(max(0, first - 1), last + 1)
    since = max((a.time_ms for a in anchors if a.time_ms and a.size > first), default=None)
    return Discrepancy(
        "record-deleted", f"{which} gone from the store", first, last, devices, since
    )


def _edited(stored: Stored, anchors: Sequence[Anchor]) -> list[Discrepancy]:
    """Bodies whose stored hashes were left as they were: exchanged, or each edited."""
    if not stored.edited:
        return []
    found = [stored.tree.leaf(index) for index in stored.edited]
    first, last = stored.edited[0], stored.edited[-1]
    if len(found) > 1 and sorted(found) == sorted(stored.claimed_hashes):
        text = f"{len(found)} records from {first} to {last} stand in each other's place"
        devices = stored.devices_of(first, last)
        return [Discrepancy("reordered", text, first, last, devices, _time(anchors, last))]
    return [
        Discrepancy(
            "record-edited",
            f"the bytes of record {index} are not those that its hash was taken of",
            index,
            index,
            stored.devices_of(index, index),
            _time(anchors, index),
        )
        for index in stored.edited
    ]


def _time(anchors: Sequence[Anchor], index: int) -> int | None:
    """The last time at which a witness vouched for a tree that holds this index."""
    return max((a.time_ms for a in anchors if a.time_ms and a.size > index), default=None)


def _changed(
    stored: Stored,
    anchors: Sequence[Anchor],
    wrong: Sequence[Anchor],
    beyond: Sequence[Anchor],
    *,
    is_explained: bool,
) -> list[Discrepancy]:
    first_wrong = min([*wrong, *beyond], key=lambda one: one.size)
    firm = any(one.is_confirmed for one in anchors)
    good = max(
        (
            one.size
            for one in anchors
            if (one.is_confirmed or not firm)
            and one.size <= first_wrong.size
            and _fits(stored, one)
        ),
        default=0,
    )
    since = max((one.time_ms for one in [*wrong, *beyond] if one.time_ms), default=None)
    named = [] if is_explained else _within(stored, good, first_wrong, since)
    if not wrong and not named and beyond:
        return [_shorter(stored, anchors, beyond, since)]
    if named or is_explained:
        return named
    last = min(first_wrong.size, stored.tree.size) - 1
    text = (
        f"the records from {good} to {last} are not those that {first_wrong.source} vouches for: "
        "they were written again"
    )
    devices = stored.devices_of(good, last)
    return [Discrepancy("history-rewritten", text, good, last, devices, since)]


def _within(stored: Stored, good: int, wrong: Anchor, since: int | None) -> list[Discrepancy]:
    """What single acts between the last good anchor and the first wrong one explain it."""
    end = min(wrong.size, stored.tree.size)
    forged = [one for one in stored.judged if one.name in FORGED and _lies(one, good, end)]
    if len(forged) > MOST_SINGLE_ACTS:
        return []
    if forged:
        return [_renamed(one, "record-edited", since) for one in forged]
    run = _inserted(stored, good, wrong)
    if run is not None:
        first, last = run
        which = f"record {first} was" if first == last else f"records {first} to {last} were"
        text = f"{which} put in after {wrong.source} had confirmed that part without"
        devices = stored.devices_of(first, last)
        return [Discrepancy("backdated-insert", text, first, last, devices, since)]
    pair = _exchanged(stored, good, wrong)
    if pair is not None:
        first, last = pair
        text = f"records {first} and {last} stand in each other's place"
        devices = stored.devices_of(first, first) + stored.devices_of(last, last)
        return [Discrepancy("reordered", text, first, last, tuple(sorted(set(devices))), since)]
    cut = [one for one in stored.judged if one.name in CUT and _lies(one, good, end)]
    if len(cut) > MOST_SINGLE_ACTS:
        return []
    return [_renamed(one, "record-deleted", since) for one in cut]


def _lies(found: Discrepancy, start: int, end: int) -> bool:
    return found.last is not None and start <= found.last and (found.first or 0) <= end


def _renamed(found: Discrepancy, name: str, since: int | None) -> Discrepancy:
    text = f"{found.text}; the log no longer gives the root that was confirmed"
    return Discrepancy(name, text, found.first, found.last, found.devices, since or found.since_ms)


def _before(stored: Stored, size: int) -> Frontier:
    return Frontier(stored.tree.peaks(size))


def _window(stored: Stored, start: int, end: int) -> list[bytes]:
    return [stored.tree.leaf(index) for index in range(start, end)]


def _inserted(stored: Stored, good: int, wrong: Anchor) -> tuple[int, int] | None:
    if wrong.size - good > LONGEST_WINDOW:
        return None
    before = _before(stored, good)
    for surplus in range(1, min(9, stored.tree.size - wrong.size + 1)):
        window = _window(stored, good, wrong.size + surplus)
        run = inserted_run(before, window, surplus, wrong.root)
        if run is not None:
            return good + run[0], good + run[1]
    return None


def _exchanged(stored: Stored, good: int, wrong: Anchor) -> tuple[int, int] | None:
    if wrong.size > stored.tree.size or wrong.size - good > LONGEST_WINDOW:
        return None
    window = _window(stored, good, wrong.size)
    pair = swapped_pair(_before(stored, good), window, wrong.root)
    return None if pair is None else (good + pair[0], good + pair[1])


def _shorter(
    stored: Stored, anchors: Sequence[Anchor], beyond: Sequence[Anchor], since: int | None
) -> Discrepancy:
    """The store is a beginning of what was confirmed: an earlier state of it, or a cut one."""
    largest = max(beyond, key=lambda one: one.size)
    size = stored.tree.size
    was_shown = any(one.is_confirmed and one.size == size for one in anchors)
    left_behind = any(not one.is_outside for one in beyond)
    if stored.claimed_size != size or left_behind or (size and not was_shown):
        return _cut_off(stored, largest.size, since, largest.source)
    name = "database-rolled-back" if stored.unnamed_media else "store-rolled-back"
    remains = (
        f"; {stored.unnamed_media} media are kept that no record names"
        if stored.unnamed_media
        else "; the media are of that earlier state too"
    )
    text = (
        f"{largest.source} confirmed {largest.size} records; the store is the state of {size} "
        f"records{remains}"
    )
    return Discrepancy(name, text, size, largest.size - 1, since_ms=since)


def _cut_off(
    stored: Stored, due: int, since: int | None, source: str = "the last commit"
) -> Discrepancy:
    size = stored.tree.size
    if size > due:
        text = f"{size} records are stored; the last commit stored {due} only"
        return Discrepancy("backdated-insert", text, due, size - 1, since_ms=since)
    text = f"{size} records are stored; {source} had {due}: the end was cut off"
    return Discrepancy("tail-truncated", text, size, due - 1, since_ms=since)
