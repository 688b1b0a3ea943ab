"""`tidewaiter custody device rotate`: a new key for a device."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, site_option


@click.command("rotate")
@click.argument("device")
@site_option
def command(*, device: str, site: Path) -> None:
    """Give DEVICE a new key; whoever steals it cannot sign as before."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    epoch = wiring_custody_deciding.rotate_key(SitePlace(site), device)
    echo(f"{device} signs with key {epoch} from now on")
