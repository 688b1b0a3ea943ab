"""What devices remember: never a number twice, and nothing lost between writing and logging."""

from __future__ import annotations

import sqlite3

import pytest

from tidewaiter.casework.custody_site import Waiting, known_state
from tidewaiter.custody.device import DeviceState, emit, rotate
from tidewaiter.errors import ConfigurationError, StorageError
from tidewaiter.storage.custody_agent import SqliteAgent

SECRET, NEW = b"s" * 32, b"n" * 32


@pytest.fixture
def agent(tmp_path):
    made = SqliteAgent(tmp_path / "agent.sqlite", create=True)
    made.add(DeviceState("dock-1", 0, secret=SECRET))
    made.add(DeviceState("bwc-1", 0, by="dock-1"), r"MOV_(\d+)")
    yield made
    made.close()


def stepped(agent, device):
    leaf, state = emit(known_state(agent, device), "stop", 1, {"reason": "docked"})
    agent.step(state, Waiting(leaf, f"{device}/0"), "a" * 64)
    return leaf


def test_the_next_number_and_the_record_become_durable_together(agent):
    leaf = stepped(agent, "bwc-1")
    again = SqliteAgent(agent.path)
    assert again.state("bwc-1").seq == 1
    assert again.outbox() == [Waiting(leaf, "bwc-1/0")]
    again.close()


def test_a_step_that_fails_keeps_neither(agent, monkeypatch):
    def fail(_content):
        raise sqlite3.OperationalError("disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(agent, "_mark", fail)
        with pytest.raises(StorageError, match="disk is full"):
            stepped(agent, "bwc-1")
    assert agent.state("bwc-1").seq == 0
    assert agent.outbox() == []


def test_a_camera_is_signed_for_with_the_key_of_its_dock(agent):
    state = known_state(agent, "bwc-1")
    assert (state.secret, state.by) == (SECRET, "dock-1")
    stepped(agent, "bwc-1")
    assert agent.state("bwc-1").secret == b""


def test_a_replaced_secret_is_no_longer_in_the_file(agent):
    assert SECRET in agent.path.read_bytes()
    leaf, state = rotate(known_state(agent, "dock-1"), NEW, 1)
    agent.step(state, Waiting(leaf))
    agent.close()
    assert NEW in agent.path.read_bytes()
    assert SECRET not in agent.path.read_bytes()
    assert agent.path.stat().st_mode & 0o077 == 0


def test_content_is_known_by_a_mark_that_only_this_file_makes(agent):
    stepped(agent, "bwc-1")
    assert agent.taken("a" * 64) == "bwc-1/0"
    assert agent.taken("b" * 64) == ""
    assert b"a" * 64 not in agent.path.read_bytes()
    agent.forget("bwc-1/0")
    assert agent.taken("a" * 64) == ""


def test_confirmed_records_leave_the_outbox(agent):
    first, second = stepped(agent, "bwc-1"), stepped(agent, "bwc-1")
    agent.confirmed([first])
    assert [one.leaf for one in agent.outbox()] == [second]


def test_a_memory_is_neither_emptied_nor_made_up(agent, tmp_path):
    with pytest.raises(ConfigurationError, match="never emptied"):
        SqliteAgent(agent.path, create=True)
    with pytest.raises(ConfigurationError, match="is not there"):
        SqliteAgent(tmp_path / "other.sqlite")
    with pytest.raises(ConfigurationError, match="signs for 'bwc-1' already"):
        agent.add(DeviceState("bwc-1", 0))


def test_a_device_nobody_added_is_named(agent):
    with pytest.raises(ConfigurationError, match="does not sign for 'bwc-9'"):
        known_state(agent, "bwc-9")
