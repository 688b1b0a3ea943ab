"""`tidewaiter custody ingest`: take in what somebody else hands in."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import (
    end_unless_all_taken,
    retention_option,
    settings_option,
    site_option,
    tell_outcome,
)


@click.command("ingest")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@retention_option
@site_option
@settings_option
def command(
    *, paths: tuple[Path, ...], retention: str, site: Path, settings_path: Path | None
) -> None:
    """Take PATHS, files or folders handed in by somebody else, into custody.

    They are logged as imported: what happened to them before is not covered, and the proof says
    so. Use `dock` for devices that the administration itself records with.
    """
    from tidewaiter import wiring, wiring_custody
    from tidewaiter.wiring_custody_site import SitePlace

    settings = wiring.read_settings(settings_path)
    outcome = wiring_custody.ingest_files(SitePlace(site), paths, settings, retention=retention)
    tell_outcome(outcome)
    end_unless_all_taken(outcome)
