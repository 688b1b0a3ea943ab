"""`tidewaiter audit init`: a protocol and a list of people to begin with."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("init")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
def command(*, folder: Path) -> None:
    """Write a commented protocol.toml and an identities.csv to fill in into FOLDER.

    Files that are there already are left alone.
    """
    from tidewaiter import wiring
    from tidewaiter.cli.printing import printable
    from tidewaiter.face_audit import starting

    files = {starting.PROTOCOL_FILE: starting.PROTOCOL, starting.PEOPLE_FILE: starting.PEOPLE}
    for name, text in files.items():
        shown = printable(str(folder / name))
        if (folder / name).exists():
            click.echo(f"kept as it is: {shown}")
        else:
            wiring.write_texts(folder, {name: text})
            click.echo(f"written: {shown}")
    click.echo(
        "Put the pictures beside them, list everybody with their consent, then: "
        f"tidewaiter audit plan {printable(str(folder / starting.PROTOCOL_FILE))}"
    )
