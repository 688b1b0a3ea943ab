"""Requests travel: what was approved is exactly what is done, once, or nothing is."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidewaiter.casework.custody_requests import Request, approved, decode_request
from tidewaiter.custody.keys import ED25519_NOTE, SigningKey
from tidewaiter.custody.record import canonical
from tidewaiter.errors import InputError, MalformedText, TidewaiterError

AMARA = SigningKey("amara", ED25519_NOTE, b"amara..." * 4)
BILAL = SigningKey("bilal", ED25519_NOTE, b"bilal..." * 4)
ACTION = {
    "kind": "retention", "device": "ingest", "class": "routine", "days": 30,
    "basis": "Instruction", "request": "request-1",
}  # fmt: skip


def test_a_request_comes_back_as_it_went():
    request = approved(approved(Request(ACTION), AMARA), BILAL)
    assert decode_request(request.encode()) == request


def test_nobody_approves_twice():
    with pytest.raises(InputError, match="amara has approved"):
        approved(approved(Request(ACTION), AMARA), AMARA)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "tidewaiter/request/v2"},
        {"action": ACTION | {"days": "30"}},
        {"action": {name: value for name, value in ACTION.items() if name != "basis"}},
        {"action": ACTION | {"colour": "red"}},
        {"action": ACTION | {"sig": "A" * 86 + "=="}},
        {"action": ACTION | {"claimed_ms": 0}},
        {"action": ACTION | {"epoch": 7}},
        {"approvals": {}},
        {"approvals": [{"by": "amara"}]},
        {"approvals": ["amara"]},
    ],
)
def test_a_request_that_makes_no_entry_is_refused_before_anybody_signs(change):
    whole = json.loads(Request(ACTION).encode()) | change
    with pytest.raises(MalformedText):
        decode_request(canonical(whole))


@given(st.binary(max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_a_request_or_malformed(data):
    with pytest.raises(TidewaiterError):
        decode_request(data)
