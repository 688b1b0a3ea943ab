"""`tidewaiter custody`: recordings that nobody alters unseen, and where a copy differs."""

from __future__ import annotations

import click

from tidewaiter.cli.lazy_group import LazyGroup

COMMANDS = {
    "manifest": "Take the fingerprints of a recording, in one pass.",
    "compare": "Say whether a copy is the original, and where it was changed.",
    "stamp": "Bound a checkpoint in time by an authority (RFC 3161).",
    "witness": "Confirm, independently, that somebody's log only ever grew.",
}
"""Each is in the file `custody_<name>.py` beside this one."""


@click.group("custody", cls=LazyGroup, listed=COMMANDS, file="tidewaiter.cli.custody_{}")
def command() -> None:
    """Keep recordings so that no change goes unseen, and show where a copy differs."""
