"""`tidewaiter custody approve`: put your signature to what somebody asks for."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo


@click.command("approve")
@click.argument("request_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--key", type=click.Path(path_type=Path, dir_okay=False), required=True, help="Your own key."
)
@click.option(
    "--site",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the custody site, if it is at hand; not needed for a first key.",
)
@click.option("--yes", is_flag=True, help="Do not ask back.")
def command(*, request_file: Path, key: Path, site: Path | None, yes: bool) -> None:
    """Read out what REQUEST_FILE asks for, and sign it if you agree; works on any machine.

    Two people of different roles must approve, and neither may be who asked. Everybody who
    verifies the log later checks these signatures.
    """
    from tidewaiter import wiring_custody_deciding as deciding
    from tidewaiter.casework.custody_request_words import read_out
    from tidewaiter.wiring_custody_site import SitePlace

    for line in read_out(deciding.read_request(request_file)):
        echo(line)
    if not yes:
        click.confirm("Do you approve exactly this?", abort=True)
    request = deciding.approve_file(request_file, key, SitePlace(site) if site else None)
    echo(f"approved by {', '.join(str(one['by']) for one in request.approvals)}")
