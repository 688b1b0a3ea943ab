"""`tidewaiter audit run`: carry out an audit, or go on with it."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("run")
@click.argument("protocol", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the audit [default: the protocol's name beside it].",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 256),
    help="Processes that forge, embed and judge ahead [default: one per core].",
)
def command(*, protocol: Path, out: Path | None, workers: int | None) -> None:
    """Carry out the audit of PROTOCOL; run again after any interruption to go on.

    No trial that was answered is asked again. Exit 10 where trials are left, because a limit
    of the protocol is reached or the service does not answer.
    """
    from tidewaiter import wiring, wiring_audit
    from tidewaiter.cli.printing import printable

    folder = out or protocol.with_suffix("")
    bench, faceless = wiring_audit.open_audit(protocol, folder, wiring.read_settings())
    for name in faceless:
        click.echo(f"notice: no face was found in {printable(name)}; it counts as not captured")
    ending, torn = wiring_audit.run_audit(
        bench, show_progress, workers=workers or wiring_audit.cores(), on_made=show_made
    )
    if torn:
        click.echo("notice: the last line of the ledger was cut short by a crash and dropped")
    if ending.reason is not None:
        click.echo(f"stopped: {ending.reason}")
        click.echo(f"{ending.left} trials are left")
        raise click.exceptions.Exit(10)
    click.echo(f"done; `tidewaiter audit report {printable(str(protocol))}` writes the report")


def show_made(done: int, total: int) -> None:
    """How far the making of pictures is."""
    if sys.stderr.isatty() and (done % 10 == 0 or done == total):
        click.echo(f"\r{done} of {total} pictures made", nl=done == total, err=True)


def show_progress(done: int, total: int) -> None:
    """How far a run is, for somebody who watches a terminal."""
    if sys.stderr.isatty() and (done % 10 == 0 or done == total):
        click.echo(f"\r{done} of {total} trials", nl=done == total, err=True)
