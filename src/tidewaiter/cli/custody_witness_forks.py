"""`tidewaiter custody witness forks`: what proves that a log was forked."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from tidewaiter.cli.witness_options import key_and_book
from tidewaiter.errors import IntegrityError


@click.command("forks")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@key_and_book
def command(*, folder: Path, key: Path, book: Path) -> None:
    """Write into FOLDER what a log signed and should not have; exits with 4 if there is any.

    A file .log-fork proves a fork to anybody who knows the log's key. A file .add-checkpoint is a
    signed request that did not continue what was confirmed; with the log's entries it becomes a
    proof or an explanation.
    """
    from tidewaiter import wiring_witness
    from tidewaiter.cli.printing import printable

    files = wiring_witness.WitnessFiles(key, book, key)
    forks, requests = wiring_witness.export_forks(files, folder)
    for path in forks:
        click.echo(f"proves a fork: {printable(str(path))}")
    for path in requests:
        click.echo(f"does not continue the log: {printable(str(path))}")
    if not forks and not requests:
        click.echo("no log signed anything that does not continue what it signed before")
        return
    sys.exit(IntegrityError.exit_code)
