"""`tidewaiter custody key`: make a person's own key."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo


@click.command("key")
@click.argument("name")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The new key's file [default: NAME.key].",
)
def command(*, name: str, out: Path | None) -> None:
    """Make a key for NAME, a person or a device, and print its public part to be enrolled."""
    from tidewaiter import wiring_custody_deciding

    target = out or Path(f"{name}.key")
    echo(wiring_custody_deciding.make_key(name, target))
    echo(f"keep {target} where nobody else reads it")
