"""`tidewaiter custody view`: look at a recording, which is logged."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import basis_option
from tidewaiter.cli.custody_options import echo, site_option


@click.command("view")
@click.argument("recording")
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@basis_option
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Your own key: the entry is then signed by you, not by the site.",
)
@site_option
def command(*, recording: str, file: Path, basis: str, key: Path | None, site: Path) -> None:
    """Unseal RECORDING into FILE, to look at it; that you did and why is logged first."""
    from tidewaiter import wiring_custody_bundle
    from tidewaiter.wiring_custody_site import SitePlace

    entry = wiring_custody_bundle.view(SitePlace(site), recording, file, basis, key)
    echo(f"{file}; logged as entry {entry}")
