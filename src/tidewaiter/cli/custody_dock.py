"""`tidewaiter custody dock`: take in the recordings of a device."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import (
    retention_option,
    settings_option,
    site_option,
    tell_outcome,
    time_option,
)


@click.command("dock")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--device", required=True, help="Whose recordings they are.")
@time_option("--camera-clock", help="What the device's own clock shows now; the offset is logged.")
@retention_option
@site_option
@settings_option
def command(
    *,
    paths: tuple[Path, ...],
    device: str,
    camera_clock: int | None,
    retention: str,
    site: Path,
    settings_path: Path | None,
) -> None:
    """Take the recordings in PATHS, files or folders of one device, into custody.

    Each is fingerprinted, sealed, numbered in the device's own sequence, signed and logged; the
    witnesses are asked at once, and a receipt is written for each recording. Keep the originals
    until it is there. Running it again after any interruption goes on where it stopped.
    """
    from tidewaiter import wiring, wiring_custody
    from tidewaiter.wiring_custody_site import SitePlace, now_ms

    offset = None if camera_clock is None else camera_clock - now_ms()
    outcome = wiring_custody.dock_files(
        SitePlace(site),
        device,
        paths,
        wiring.read_settings(settings_path),
        retention=retention,
        clock_offset_ms=offset,
    )
    tell_outcome(outcome)
