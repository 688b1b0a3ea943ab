"""`tidewaiter custody witness mirror`: keep a copy of a log, and confirm only what was copied."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.witness_options import key_and_book, logs

_FOLDER = click.Path(path_type=Path, file_okay=False)


@click.command("mirror")
@click.argument("source", type=_FOLDER)
@click.argument("copy", type=_FOLDER)
@key_and_book
@logs
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="The cosignature lines to carry back.",
)
def command(*, source: Path, copy: Path, key: Path, book: Path, logs: Path, out: Path) -> None:
    """Take the new entries of SOURCE into COPY, then confirm SOURCE's checkpoint.

    SOURCE is a folder of tiles (C2SP tlog-tiles) as the log exports it: from a stick, or fetched
    each day. Every entry is hashed; nothing is confirmed before it is durable in COPY. If the log
    rewrote entries that were mirrored, a .log-fork file beside COPY proves it. Use a key and a
    book of the mirror's own.
    """
    from tidewaiter import wiring, wiring_mirror, wiring_witness
    from tidewaiter.cli.printing import printable

    files = wiring_witness.WitnessFiles(key, book, logs)
    done = wiring_mirror.mirror(files, source, copy)
    wiring.write_texts(out.parent, {out.name: done.lines})
    click.echo(
        f"{printable(done.origin)}: {done.now - done.before} entries taken in, {done.now} in all; "
        f"carry this back: {printable(str(out))}"
    )
