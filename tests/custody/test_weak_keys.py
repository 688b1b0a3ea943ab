"""Keys of small order sign whatever they are shown; no log and no policy takes them."""

from __future__ import annotations

import base64

import pytest

from tests.custody.bundle_kit import camera_world
from tests.custody.record_kit import FOUNDERS, World, key_text, secret_of
from tests.custody.signers import LOG
from tidewaiter.custody.approvals import approve
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.keys import (
    ED25519_COSIGNATURE,
    ED25519_NOTE,
    MLDSA44_COSIGNATURE,
    VerifierKey,
    key_id,
)
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.record import parse_record as parsed
from tidewaiter.custody.record import public_key, sign_record, signature_fits
from tidewaiter.custody.weak_keys import is_weak_key
from tidewaiter.errors import MalformedText

P = 2**255 - 19
D = -121665 * pow(121666, -1, P) % P
NEUTRAL = (1).to_bytes(32, "little")
SIGNS_ALL = base64.b64encode(NEUTRAL + bytes(32)).decode()


def decoded(spelled: int) -> tuple[int, int] | None:
    """The point that these 255 bits spell, with the smaller horizontal coordinate; RFC 8032."""
    y = spelled % P
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if x * x % P != square:
        x = x * pow(2, (P - 1) // 4, P) % P
    return (x, y) if x * x % P == square else None


def doubled(point: tuple[int, int]) -> tuple[int, int]:
    x, y = point
    both = D * x * x * y * y % P
    return (
        2 * x * y * pow(1 + both, -1, P) % P,
        (y * y + x * x) * pow(1 - both, -1, P) % P,
    )


def order_divides_eight(spelled: int) -> bool:
    point = decoded(spelled)
    for _ in range(3):
        point = doubled(point) if point else None
    return point == (0, 1)


def weak_spellings() -> list[int]:
    from tidewaiter.custody import weak_keys

    return sorted(weak_keys._SMALL_ORDER)


def test_exactly_the_points_of_small_order_are_weak():
    """Seven vertical coordinates in all: y = 0, 1, -1 and two of order 8, two spelled twice."""
    known = weak_spellings()
    assert len(known) == 7
    assert all(order_divides_eight(one) for one in known)
    assert len({decoded(one)[1] for one in known}) == 5, "the group of order 8 has no others"
    for spelled in known:
        for sign in (0, 1 << 255):
            assert is_weak_key((spelled | sign).to_bytes(32, "little"))
    # No other number below 2^255 has a second spelling that is one of these.
    assert not [one for one in range(2**255 - 17, 2**255) if order_divides_eight(one)]


def test_ordinary_keys_are_not_weak():
    names = [f"holder {n}" for n in range(200)]
    assert not any(is_weak_key(public_key(secret_of(name))) for name in names)


@pytest.mark.parametrize("algorithm", [ED25519_NOTE, ED25519_COSIGNATURE])
def test_no_policy_takes_a_key_that_binds_nobody(algorithm):
    with pytest.raises(MalformedText, match="anybody can sign"):
        VerifierKey("w", algorithm, NEUTRAL)
    spelled = base64.b64encode(bytes([algorithm]) + NEUTRAL).decode()
    vkey = f"w+{key_id('w', algorithm, NEUTRAL).hex()}+{spelled}"
    line = f"log {vkey}" if algorithm == ED25519_NOTE else f"log {LOG.verifier}\nwitness w {vkey}"
    with pytest.raises(MalformedText, match="anybody can sign"):
        Policy.parse(f"{line}\nquorum none\n".encode())


def test_a_key_of_another_type_may_begin_as_it_likes():
    public = NEUTRAL.ljust(1312, b"\0")
    assert VerifierKey("w", MLDSA44_COSIGNATURE, public).public == public


def test_an_enrolled_key_that_binds_nobody_takes_no_effect():
    world = camera_world()
    fields = {"subject": "elif", "holder": "person", "person": "elif", "role": "command"}
    weak = {"key": base64.b64encode(NEUTRAL).decode(), "key_epoch": 0}
    world.act("key.enrol", fields | weak, by=("amara", "bilal"))
    judge = Judge()
    found = [one for index, leaf in enumerate(world.leaves) for one in judge.feed(index, leaf)]
    assert [one.name for one in found] == ["entry-without-effect"]
    assert "anybody can sign" in found[0].text
    assert "elif" not in judge.history.holders
    # What nobody signed would otherwise be hers.
    said = {"act": "view", "recording": "bwc-1/1", "device": "elif", "epoch": 0, "kind": "access"}
    leaf = sign_record(said | {"claimed_ms": world.now_ms}, secret_of("anybody"))
    body = leaf.replace(parsed(leaf).fields["sig"].encode(), SIGNS_ALL.encode())
    assert signature_fits(parsed(body), NEUTRAL)
    (found,) = judge.feed(len(world.leaves), body)
    assert found.name == "unknown-key"


def test_a_founder_whose_key_binds_nobody_founds_nothing():
    world = World(founded=False)
    people = [
        {"id": name, "person": person, "role": role, "key": key_text(name)}
        for name, person, role in FOUNDERS[:2]
    ]
    people[1]["key"] = base64.b64encode(NEUTRAL).decode()
    fields = {"policy": "p", "people": people, "kind": "policy", "device": "amara", "epoch": 0}
    fields |= {"claimed_ms": world.now_ms, "request": "r"}
    signed = approve(fields, "amara", 0, secret_of("amara"))
    forged = {"by": "bilal", "epoch": 0, "sig": SIGNS_ALL}
    leaf = sign_record(fields | {"approvals": [signed, forged]}, secret_of("amara"))
    judge = Judge()
    (found,) = judge.feed(0, leaf)
    assert (found.name, judge.history.founded) == ("entry-without-effect", False)
