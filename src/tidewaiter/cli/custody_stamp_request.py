"""`tidewaiter custody stamp request`: what to send to a time-stamping authority."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("request")
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The request [default: the checkpoint's name with .tsq, in this folder].",
)
def command(*, checkpoint: Path, out: Path | None) -> None:
    """Write a request to time-stamp CHECKPOINT: a checkpoint note, or a proof file that has one.

    Send it with any tool, for example `curl -H "Content-Type: application/timestamp-query"
    --data-binary @FILE.tsq URL -o FILE.tsr`, and keep the reply away from the log's own machine.
    The authority learns a digest and nothing else.
    """
    from tidewaiter.custody.time_stamp import note_within, stamp_request
    from tidewaiter.wiring_custody_files import read_handed_over

    request = stamp_request(note_within(read_handed_over(checkpoint)))
    target = out or Path(checkpoint.name + ".tsq")
    target.write_bytes(request)
    click.echo(f"request of {len(request)} bytes: {target}")
