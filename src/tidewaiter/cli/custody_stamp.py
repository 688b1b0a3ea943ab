"""`tidewaiter custody stamp`: RFC 3161 time stamps of checkpoints."""

from __future__ import annotations

import click

from tidewaiter.cli.lazy_group import LazyGroup

COMMANDS = {
    "request": "Write the request to send to a time-stamping authority.",
    "keep": "Check an authority's reply and keep it beside the site's checkpoint.",
    "ask": "Ask the authority that the site names, over the network, and keep its reply.",
    "check": "Check an authority's reply against a checkpoint, without network.",
}
"""Each is in the file `custody_stamp_<name>.py` beside this one."""


@click.group("stamp", cls=LazyGroup, listed=COMMANDS, file="tidewaiter.cli.custody_stamp_{}")
def command() -> None:
    """Bound a checkpoint in time by an authority that need not know the log (RFC 3161)."""
