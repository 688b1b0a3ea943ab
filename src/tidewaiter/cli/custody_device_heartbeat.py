"""`tidewaiter custody device heartbeat`: a device is there and running."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tidewaiter.cli.custody_options import echo, site_option


@click.command("heartbeat")
@click.argument("device")
@click.option("--state", type=click.Choice(["recording", "docked", "idle"]))
@click.option("--battery", type=click.IntRange(0, 100), help="Percent left.")
@click.option("--free-mb", type=click.IntRange(0), help="Free storage, in megabytes.")
@site_option
def command(
    *, device: str, state: str | None, battery: int | None, free_mb: int | None, site: Path
) -> None:
    """Log that DEVICE is there and running; once a minute, from a timer of its own machine."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    given = {"state": state, "battery": battery, "free_mb": free_mb}
    fields: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    number = wiring_custody_deciding.tell(SitePlace(site), device, "heartbeat", fields)
    echo(f"number {number} of {device}")
