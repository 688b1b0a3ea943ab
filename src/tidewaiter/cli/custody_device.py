"""`tidewaiter custody device`: who and what may sign, and what devices say of themselves."""

from __future__ import annotations

import click

from tidewaiter.cli.lazy_group import LazyGroup

COMMANDS = {
    "add": "Let a camera, a dock, a device, a service or a person into the log.",
    "list": "Show what this site signs for, and every key that the log knows.",
    "sealing-key": "Print the key for which cameras seal what opens their recordings.",
    "heartbeat": "Log that a device is there and running.",
    "stop": "Log that a device stops, and why: then its silence is explained.",
    "rotate": "Give a device a new key; the old one signs it and is destroyed.",
    "revoke": "Say that a key is lost, and since when.",
}
"""Each is in the file `custody_device_<name>.py` beside this one."""


@click.group("device", cls=LazyGroup, listed=COMMANDS, file="tidewaiter.cli.custody_device_{}")
def command() -> None:
    """Enrol devices and people, and log what devices say of themselves."""
