"""`tidewaiter custody`: recordings that nobody alters unseen, and where a copy differs."""

from __future__ import annotations

import click

from tidewaiter.cli.lazy_group import LazyGroup

COMMANDS = {
    "init": "Found a custody site: log, keys, policy, and who decides.",
    "device": "Enrol devices and people; heartbeats, stops, new and lost keys.",
    "dock": "Take in the recordings of a device, and get receipts.",
    "ingest": "Take in what somebody else hands in.",
    "checkpoint": "Have the log confirmed by its witnesses.",
    "list": "List the recordings, how long they are kept, and holds.",
    "prove": "Write the proof file of a recording or an entry.",
    "verify": "Check a proof and files against it, without network.",
    "audit": "Read every record and every byte of media again; name what is wrong.",
    "gaps": "List missing numbers, silences, and recordings that were due.",
    "expect": "Say what will have to be recorded.",
    "view": "Unseal a recording to look at it, which is logged.",
    "release": "Let a recording leave the house; two people must.",
    "export": "Write a folder that verifies alone, for a court or a lawyer.",
    "tiles": "Write the log as files for mirrors and other tools.",
    "hold": "Keep a recording whatever its date; or lift that.",
    "classify": "Put a recording into another retention class.",
    "retain": "Say how long a class of recordings is kept.",
    "rotate-class": "Give a class a new key, so that old backups open nothing erased.",
    "redact": "Log a redacted copy, and check that nothing else changed.",
    "erase": "Destroy a recording and keep the proof of it.",
    "approve": "Sign what somebody asks for, after reading it.",
    "carry-out": "Do what was asked for and approved.",
    "key": "Make a person's own key.",
    "signatures": "Read what the signatures inside files say (ONVIF, C2PA).",
    "manifest": "Take the fingerprints of a recording, in one pass.",
    "compare": "Say whether a copy is the original, and where it was changed.",
    "stamp": "Bound a checkpoint in time by an authority (RFC 3161).",
    "witness": "Confirm, independently, that somebody's log only ever grew.",
}
"""Each is in the file `custody_<name>.py` beside this one."""


@click.group("custody", cls=LazyGroup, listed=COMMANDS, file="tidewaiter.cli.custody_{}")
def command() -> None:
    """Keep recordings so that no change goes unseen, and show where a copy differs."""
