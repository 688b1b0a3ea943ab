"""`tidewaiter custody witness sign`: confirm a checkpoint carried here as a file."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.witness_options import key_and_book, logs


@click.command("sign")
@click.argument("request", type=click.Path(path_type=Path, dir_okay=False))
@key_and_book
@logs
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="Default: REQUEST.cosigned"
)
def command(*, request: Path, key: Path, book: Path, logs: Path, out: Path | None) -> None:
    """Confirm REQUEST, the body of an add-checkpoint request, without any network.

    Writes the cosignature lines to carry back to the log. The witness remembers the checkpoint
    before the lines are written, as its server does; both may use the same memory.
    """
    from tidewaiter import wiring, wiring_witness
    from tidewaiter.cli.printing import printable

    files = wiring_witness.WitnessFiles(key, book, logs)
    lines = wiring_witness.sign_request(files, request)
    out = out or request.with_name(f"{request.name}.cosigned")
    wiring.write_texts(out.parent, {out.name: lines})
    click.echo(f"confirmed; carry this back: {printable(str(out))}")
