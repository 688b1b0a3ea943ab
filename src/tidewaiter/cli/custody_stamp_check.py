"""`tidewaiter custody stamp check`: what time an authority gave a checkpoint."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("check")
@click.argument("checkpoint", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("reply", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--anchors",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    required=True,
    help="The authority's root certificate (PEM), with those between if the reply has none.",
)
def command(*, checkpoint: Path, reply: Path, anchors: Path) -> None:
    """Check that REPLY stamps CHECKPOINT, a checkpoint note or a proof file, and print its time.

    Exits with 4 where the reply is of another checkpoint, of another authority, or changed.
    """
    from tidewaiter.cli.printing import printable
    from tidewaiter.custody.time_stamp import check_stamp, entry_within, note_within
    from tidewaiter.custody.verdict import shown_time
    from tidewaiter.wiring_custody_files import read_handed_over
    from tidewaiter.wiring_custody_stamps import read_reply

    data = read_handed_over(checkpoint)
    note, entry = note_within(data), entry_within(data)
    stamp = check_stamp(read_reply(reply), note, read_handed_over(anchors))
    what = "the checkpoint" if entry is None else f"entry {entry}, under this checkpoint,"
    text = (
        f"{what} existed no later than {shown_time(stamp.time_ms)}, by the word of "
        f"{stamp.authority} (stamp {stamp.serial}, policy {stamp.policy})"
    )
    click.echo(printable(text))
