"""`tidewaiter custody witness`: confirm, independently, that somebody's log only ever grew."""

from __future__ import annotations

import click

from tidewaiter.cli.lazy_group import LazyGroup

COMMANDS = {
    "init": "Make a new witness: its key, and its empty memory.",
    "serve": "Answer a log's requests over HTTP (C2SP tlog-witness).",
    "sign": "Confirm a checkpoint that was carried here as a file.",
    "mirror": "Keep a copy of a log's entries, and confirm only what was copied.",
    "forks": "Write out what proves, or may prove, that a log was forked.",
}
"""Each is in the file `custody_witness_<name>.py` beside this one."""


@click.group("witness", cls=LazyGroup, listed=COMMANDS, file="tidewaiter.cli.custody_witness_{}")
def command() -> None:
    """Confirm that somebody else's custody log only ever grew.

    A witness remembers one size and one root for each log, and signs only what continues them.
    Run it under another authority than the log, on its own machine, with its own key.
    """
