"""`tidewaiter fit`: make networks of our own fit a site's material."""

from __future__ import annotations

import click

from tidewaiter.cli.lazy_group import LazyGroup

COMMANDS = {
    "face": "Refit the face network to your own genuine pictures and videos.",
    "gate": "Fit a network to stand before face recognition at one camera.",
}
"""Each is in the file `fit_<name>.py` beside this one."""


@click.group("fit", cls=LazyGroup, listed=COMMANDS, file="tidewaiter.cli.fit_{}")
def command() -> None:
    """Refit a network to your own material; a worse one is never installed."""
