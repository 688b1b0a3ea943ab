"""`tidewaiter custody tiles`: the log as files for mirrors and other tools."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, site_option


@click.command("tiles")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@site_option
def command(*, folder: Path, site: Path) -> None:
    """Write into FOLDER what it lacks of the log, as C2SP tlog-tiles lays it out.

    Entries hold digests and commitments, not recordings. Carry the folder to a mirror
    (`custody witness mirror`), or let any web server serve it to monitors. What is there is
    compared first: a folder with another history of the log is left alone.
    """
    from tidewaiter import wiring_custody_tiles
    from tidewaiter.wiring_custody_site import SitePlace

    done = wiring_custody_tiles.write_tiles(SitePlace(site), folder)
    echo(f"{done.new} entries written, {done.size} in all, {done.files} files in {folder}")
