"""What the commands share that ask for something two people must approve."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidewaiter.cli.custody_options import echo

if TYPE_CHECKING:
    from tidewaiter.wiring_custody_deciding import Decided

UNDECIDED = 3
"""Exit status where approvals are still missing."""

approver_option = click.option(
    "--approver",
    "approvers",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="KEYFILE",
    help="Key of somebody here who approves; twice, for two people of different roles.",
)
basis_option = click.option("--basis", required=True, help="The legal basis, or the reason.")


def tell_decision(decided: Decided) -> None:
    """Say what was logged, or where the request lies that others must approve."""
    if decided.request_file is None:
        done = "was done before" if decided.entry is None else f"done by entry {decided.entry}"
        echo(done)
        return
    echo(f"not done yet: {decided.lacking}")
    echo(f"carry this to those who approve: {decided.request_file}")
    echo("they run `tidewaiter custody approve`; then `tidewaiter custody carry-out` does it")
    raise click.exceptions.Exit(UNDECIDED)
