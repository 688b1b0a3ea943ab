"""The short way of judging finds what the ordinary way finds, and remembers the same."""

from __future__ import annotations

import base64
import copy
import functools
import random
from dataclasses import asdict

import pytest

from tests.custody.honest_history import honest_world
from tests.custody.record_kit import START_MS, World, secret_of
from tests.custody.test_judge_robustness import Absurd
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.merkle import leaf_hash
from tidewaiter.custody.quick_judging import QuickJudge
from tidewaiter.custody.quick_records import QUICK_KINDS, QuickEntry
from tidewaiter.custody.record import parse_record, sign_record
from tidewaiter.custody.signers import candidate_keys, keys_that_fit
from tidewaiter.custody.store import StoredLeaf
from tidewaiter.errors import MalformedText

history = functools.cache(honest_world)


def judged_alike(leaves, times=None, **more) -> tuple[list, int]:
    """The findings of both ways, which must be the same, and how many went the short way."""
    ordinary, quick = (Judge(**more) for _ in range(2))
    if times is not None:
        ordinary.times = quick.times = times
    expected = [ordinary.feed(index, leaf) for index, leaf in enumerate(leaves)]
    judge = QuickJudge(quick)
    got = [judge.feed(index, leaf) for index, leaf in enumerate(leaves)]
    assert [found for found, _ in got] == expected
    for name in (
        "history",
        "retention",
        "roster",
        "doubts",
        "signed",
        "blobs",
        "attributions_left",
    ):
        assert getattr(quick, name) == getattr(ordinary, name), name
    assert quick.chains.keys() == ordinary.chains.keys()
    for device, chain in ordinary.chains.items():
        assert asdict(quick.chains[device]) == asdict(chain)
    assert quick.absences(0, 2**52) == ordinary.absences(0, 2**52)
    short = sum(isinstance(entry, QuickEntry) for _, entry in got)
    return [one for found in expected for one in found], short


@pytest.mark.parametrize("seed", range(6))
def test_honest_histories(seed):
    world, times = history(seed)
    found, short = judged_alike(world.leaves, times)
    assert found == []
    kinds = [parse_record(leaf).kind for leaf in world.leaves]
    assert short > sum(kind in QUICK_KINDS for kind in kinds) // 2


def test_histories_that_somebody_tampered_with():
    names = set()
    for seed in range(18):
        rng = random.Random(seed)
        world, times = history(seed % 3)
        leaves = list(world.leaves)
        for _ in range(rng.randint(1, 6)):
            tamper(rng, leaves)
        found, _ = judged_alike(leaves, times, check_signatures=seed % 3 > 0)
        names |= {one.name for one in found}
    assert names >= {
        "bad-signature", "chain-broken", "device-clock-off", "device-fork", "record-malformed",
        "segment-replayed", "unknown-key",
    }  # fmt: skip


def test_absurd_histories():
    absurd = Absurd(7)
    world = World()
    for name in ("bwc-1", "bwc-2"):
        world.enrol(name)
    leaves = world.leaves + [absurd_leaf(absurd) for _ in range(150)]
    found, _ = judged_alike([leaf for leaf in leaves if leaf])
    assert found


def absurd_leaf(absurd: Absurd) -> bytes:
    """Some kinds want more of their fields than chance gives them."""
    try:
        return absurd.leaf()
    except MalformedText:
        return b""


def tamper(rng: random.Random, leaves: list[bytes]) -> None:
    at, other = sorted(rng.sample(range(1, len(leaves)), 2))
    act = rng.choice(["lose", "repeat", "swap", "flip", "sign", "clock", "camera", "move", "fork"])
    if act == "lose":
        del leaves[at]
    elif act == "repeat":
        leaves.insert(other, leaves[at])
    elif act == "swap":
        leaves[at], leaves[other] = leaves[other], leaves[at]
    elif act == "flip":
        spot = rng.randrange(len(leaves[at]))
        leaves[at] = leaves[at][:spot] + b"7" + leaves[at][spot + 1 :]
    elif act == "fork":
        leaves.insert(at + 1, signed_anew(rng, leaves[at], "clock", own=True))
    elif act == "move":
        leaves.insert(other, leaves.pop(at))
    else:
        leaves[at] = signed_anew(rng, leaves[at], act)


def signed_anew(rng: random.Random, leaf: bytes, act: str, *, own: bool = False) -> bytes:
    """What a thief of a device's key could write, or somebody with another key."""
    try:
        fields = dict(parse_record(leaf).fields)
    except MalformedText:
        return leaf
    if act == "clock":
        fields["claimed_ms"] += rng.choice([-(10**6), 130_000, 10**6, 10**9])
    elif act == "camera" and fields["kind"] == "segment":
        fields["camera_no"] = rng.randint(1, 40)
    signer = str(fields.get("by", fields["device"]))
    theirs = signer if fields["epoch"] == 0 else f"{signer} {fields['epoch']}"
    secret = secret_of(theirs if own else rng.choice([theirs, "stranger", "bwc-0"]))
    return sign_record(fields, secret)


@pytest.mark.parametrize("seed", range(4))
def test_keys_found_beforehand_change_nothing(seed):
    rng = random.Random(seed)
    leaves = list(history(seed)[0].leaves)
    for _ in range(3):
        tamper(rng, leaves)
    stored = [StoredLeaf(n, leaf, leaf_hash(leaf)) for n, leaf in enumerate(leaves)]
    fitting = keys_that_fit(leaves, candidate_keys(stored))
    assert sum(key is not None for key in fitting) > len(leaves) // 2
    verified = {n: key for n, key in enumerate(fitting) if key is not None}
    expected, _ = judged_alike(leaves)
    found, _ = judged_alike(leaves, verified=verified)
    assert found == expected
    wrong = dict.fromkeys(range(len(leaves)), bytes(32))
    assert judged_alike(leaves, verified=copy.copy(wrong))[0] == expected


@pytest.mark.parametrize("seed", range(4))
def test_no_key_that_an_entry_brings_is_passed_over(seed):
    leaves = history(seed)[0].leaves
    brought = {one for leaf in leaves for one in keys_in(parse_record(leaf).fields)}
    stored = [StoredLeaf(n, leaf, leaf_hash(leaf)) for n, leaf in enumerate(leaves)]
    assert len(brought) > 5
    assert {key for keys in candidate_keys(stored).values() for key in keys} == brought


def keys_in(value: object) -> list[bytes]:
    """What stands under the name `key`, however deep."""
    if isinstance(value, list):
        return [key for one in value for key in keys_in(one)]
    if not isinstance(value, dict):
        return []
    own = [base64.b64decode(value["key"])] if "key" in value else []
    return own + [key for one in value.values() for key in keys_in(one)]


def test_a_key_that_fits_counts_only_where_the_log_lets_it():
    world = World()
    world.enrol("bwc-1")
    world.heartbeat("bwc-1")
    fields = {"subject": "bwc-1", "since_ms": START_MS, "basis": "lost"}
    world.act("key.revoke", fields, who="amara")
    world.heartbeat("bwc-1")
    leaves = [StoredLeaf(n, leaf, leaf_hash(leaf)) for n, leaf in enumerate(world.leaves)]
    fitting = keys_that_fit(world.leaves, candidate_keys(leaves))
    verified = {n: key for n, key in enumerate(fitting) if key is not None}
    assert len(verified) == len(leaves)
    found, _ = judged_alike(world.leaves, verified=verified)
    assert [(one.name, one.last) for one in found] == [("revoked-key-used", 4)]
