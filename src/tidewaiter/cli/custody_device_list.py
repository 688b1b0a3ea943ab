"""`tidewaiter custody device list`: what this site signs for, and the keys the log knows."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, site_option


@click.command("list")
@site_option
def command(*, site: Path) -> None:
    """Show every holder of keys as the log has it, and what this site signs for."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    for line in wiring_custody_deciding.holders(SitePlace(site)):
        echo(line)
