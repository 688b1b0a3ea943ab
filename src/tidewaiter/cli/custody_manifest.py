"""`tidewaiter custody manifest`: the fingerprints of a recording, for comparing copies later."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("manifest")
@click.argument("recording", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of the manifest [default: the recording's name with .twm, in this folder].",
)
@click.option(
    "--clock",
    metavar="LEFT,TOP,RIGHT,BOTTOM",
    help="Box of a clock burnt into the picture, in percent of its width and height.",
)
def command(*, recording: Path, out: Path | None, clock: str | None) -> None:
    """Take the fingerprints of RECORDING in one pass and print its digest and Merkle root.

    With --clock the seconds of a burnt-in clock tell the moments of a still scene apart.
    A manifest holds hashes of every coded picture and sound packet, and pictures of 32 × 18
    points, from which people and places may be guessed: keep it as the recording itself.
    """
    from tidewaiter import wiring, wiring_compare
    from tidewaiter.cli.printing import printable

    box = wiring_compare.clock_box(clock) if clock else ()
    manifest = wiring_compare.make_manifest(recording, wiring.read_settings(), clock=box)
    target = out or Path(recording.name + wiring_compare.MANIFEST_SUFFIX)
    wiring_compare.write_manifest(manifest, target)
    click.echo(f"recording sha256:{manifest.sha256} {manifest.byte_length} bytes")
    click.echo(f"manifest root {manifest.root().hex()}")
    if manifest.prints is None:
        click.echo(printable(f"no fingerprints: {manifest.reason}"))
    else:
        prints = manifest.prints
        click.echo(
            f"{len(prints.picture_hash)} pictures ({manifest.codec}, {manifest.width} x "
            f"{manifest.height}), {len(prints.sound_hash)} packets of sound"
        )
    click.echo(printable(f"written to {target}"))
