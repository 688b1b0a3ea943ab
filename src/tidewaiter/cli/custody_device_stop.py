"""`tidewaiter custody device stop`: a device stops, and says why."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, site_option


@click.command("stop")
@click.argument("device")
@click.option(
    "--reason",
    required=True,
    type=click.Choice(["officer", "battery", "storage-full", "docked", "fault", "privacy-pause"]),
)
@site_option
def command(*, device: str, reason: str, site: Path) -> None:
    """Log that DEVICE stops and why: the silence after it is then an outage, not a gap."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    number = wiring_custody_deciding.tell(SitePlace(site), device, "stop", {"reason": reason})
    echo(f"number {number} of {device}")
