"""`tidewaiter custody list`: the recordings of the log."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, shown_moment, site_option


@click.command("list")
@click.option("--device", help="Only this device's.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per recording.")
@site_option
def command(*, device: str | None, as_json: bool, site: Path) -> None:
    """List every recording: its class, when it may go, holds, and whether it was erased."""
    from tidewaiter import wiring_custody
    from tidewaiter.wiring_custody_site import SitePlace

    for one in wiring_custody.list_recordings(SitePlace(site)):
        if device is not None and one.device != device:
            continue
        if as_json:
            click.echo(json.dumps(one.fields()).encode())
            continue
        state = "erased" if one.erased_by is not None else "on hold" if one.holds else "kept"
        has_date = one.expires_ms and state == "kept"
        until = f", until {shown_moment(one.expires_ms)}" if has_date else ""
        echo(f"{one.recording}  entry {one.entry}  {one.retention or 'no class'}  {state}{until}")
