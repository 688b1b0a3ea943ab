"""A custody site: its log, its media, its secrets, and the devices that it signs for.

Guarantee: a number that was used is never used again, and a record that was written is logged
and kept until witnesses confirmed it. Mechanism: a device's next state and its record become
durable together, in an outbox, before the record leaves; the outbox is handed in again after
a crash. The hole that remains: whoever has the agent's file has the keys in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from tidewaiter.casework.custody_finding import find_content
from tidewaiter.casework.custody_log import CustodyLog, Receipt
from tidewaiter.custody.device import DeviceState, emit
from tidewaiter.custody.judging import Judge
from tidewaiter.custody.key_history import KeyHistory
from tidewaiter.custody.policy import Policy
from tidewaiter.custody.record import Record, parse_record, sign_record
from tidewaiter.custody.store import BlobStore, LogStore, SecretStore
from tidewaiter.errors import ConfigurationError, InputError

BATCH = 128
"""Records committed together."""

_KEY_KINDS = (b'"kind":"policy"', b'"kind":"key.')


@dataclass(frozen=True)
class Waiting:
    """A record in the outbox: written, and not yet known to be confirmed by witnesses."""

    leaf: bytes
    recording: str = ""


class Agent(Protocol):
    """Remembers what devices must remember between two records, durably."""

    def state(self, device: str) -> DeviceState | None:
        """What the device's next record starts from; None for a device that is not known."""

    def states(self) -> list[DeviceState]:
        """All devices in the order of their names."""

    def add(self, state: DeviceState, file_number: str = "") -> None:
        """Begin to sign for a device; `file_number` is the pattern of its file numbers."""

    def file_number(self, device: str) -> str:
        """The pattern by which the camera's own number is found in a file's name; may be empty."""

    def step(
        self,
        state: DeviceState,
        waiting: Waiting,
        content: str = "",
        following: Sequence[Waiting] = (),
    ) -> None:
        """Make a device's next state and its record durable together.

        `content` is the SHA-256 of the plain medium, remembered under a key of the agent.
        `following` are records of others about this one.
        """

    def keep(self, entries: Sequence[tuple[Waiting, str]]) -> None:
        """Make records that are signed already durable together, each with its content's SHA-256.

        The content is empty where the record brings none.
        """

    def outbox(self) -> list[Waiting]:
        """The records that wait, oldest first."""

    def confirmed(self, leaves: Sequence[bytes]) -> None:
        """Take records out of the outbox."""

    def taken(self, content: str) -> str:
        """The recording that has this plain SHA-256; empty where none has."""

    def forget(self, recording: str) -> None:
        """Forget by which content a recording is known."""


@dataclass
class Site:
    """Everything that the commands of one custody site work with."""

    log: CustodyLog
    policy: Policy
    blobs: BlobStore
    secrets: SecretStore
    agent: Agent
    class_key: Callable[[str], bytes]
    """The key of a retention class, by its name."""

    service: str
    now_ms: Callable[[], int]
    random: Callable[[int], bytes]
    next_class_key: Callable[[str], bytes | None] = lambda _retention: None
    """The key that a class is getting, while it does."""

    @property
    def store(self) -> LogStore:
        """The place where the log is kept."""
        return self.log.store

    def said(self, kind: str, fields: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of an entry by the site's own service, not yet signed."""
        return {
            **fields,
            "kind": kind,
            "device": self.service,
            "epoch": known_state(self.agent, self.service).epoch,
            "claimed_ms": self.now_ms(),
        }

    def say(self, kind: str, fields: Mapping[str, Any]) -> Receipt:
        """Log an entry signed by the site's own service."""
        return self.log_signed(self.said(kind, fields))

    def log_signed(self, fields: Mapping[str, Any]) -> Receipt:
        """Sign these fields as the service and log them."""
        secret = known_state(self.agent, self.service).secret
        (receipt,) = self.log.append([sign_record(fields, secret)])
        return receipt

    def tell(self, device: str, kind: str, fields: Mapping[str, Any]) -> bytes:
        """Write a device's next record into the outbox; `hand_in` logs it."""
        leaf, following = emit(known_state(self.agent, device), kind, self.now_ms(), fields)
        self.agent.step(following, Waiting(leaf))
        return leaf

    def hand_in(self) -> list[Receipt]:
        """Log everything that waits in the outbox, what a crash left there as well."""
        waiting = [one.leaf for one in self.agent.outbox()]
        receipts: list[Receipt] = []
        for start in range(0, len(waiting), BATCH):
            receipts += self.log.append(waiting[start : start + BATCH])
        return receipts


def known_state(agent: Agent, device: str) -> DeviceState:
    """The state of a device, with the key that signs for it.

    Raises ConfigurationError where this site does not sign for it.
    """
    state = agent.state(device)
    if state is None:
        known = ", ".join(one.device for one in agent.states()) or "nobody"
        raise ConfigurationError(
            f"this site does not sign for {device!r}; it signs for {known}: add it with "
            "`tidewaiter custody device add`"
        )
    if not state.by:
        return state
    signer = known_state(agent, state.by)
    return replace(state, epoch=signer.epoch, secret=signer.secret)


@dataclass(frozen=True)
class Placed:
    """A record and where it stands in the log."""

    index: int
    record: Record


def entries_of(store: LogStore, recording: str) -> list[Placed]:
    """Every entry about a recording, or about a copy made from it, in the order of the log."""
    named = f'":"{recording}"'.encode()
    found = []
    for leaf in store.leaves_with([named]):
        record = parse_record(leaf.body)
        if recording in (record.recording, record.fields.get("result")):
            found.append(Placed(leaf.index, record))
    return found


def content_entry(store: LogStore, recording: str) -> Placed:
    """The entry that brought in the content of a recording. Raises InputError."""
    found = find_content(store, recording)
    if found is not None:
        return Placed(found.index, found.record)
    raise InputError(
        f"no entry of this log brings in a recording {recording!r}; `tidewaiter custody list` "
        "shows those it has"
    )


def manifest_entry(store: LogStore, recording: str) -> Record:
    """The record that names a recording's sealed manifest. Raises InputError where none does.

    It is the recording's own, or the dock's where the camera signed the recording itself.
    """
    for placed in entries_of(store, recording):
        fields = placed.record.fields
        if "manifest_blob" in fields and fields.get("result", placed.record.recording) == recording:
            return placed.record
    raise InputError(f"no entry of this log has a manifest of {recording!r}")


def keys_so_far(store: LogStore) -> KeyHistory:
    """The keys that the log's entries brought in, each entry's approvals checked."""
    judge = Judge(whole_log=False)
    for leaf in store.leaves_with(_KEY_KINDS):
        judge.feed(leaf.index, leaf.body)
    return judge.history


def retention_entries(store: LogStore, recording: str) -> list[Placed]:
    """The entries that decide how long a recording is kept.

    Its own, those on retention classes, and those by which the approvals of these are judged.
    """
    marks = (*_KEY_KINDS, b'"kind":"retention"', f'":"{recording}"'.encode())
    return [Placed(leaf.index, parse_record(leaf.body)) for leaf in store.leaves_with(marks)]
