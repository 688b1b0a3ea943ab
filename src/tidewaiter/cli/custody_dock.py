"""`tidewaiter custody dock`: take in the recordings of a device."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidewaiter.cli.custody_options import (
    CONTRADICTED,
    echo,
    end_unless_all_taken,
    retention_option,
    settings_option,
    site_option,
    tell_outcome,
    time_option,
)

if TYPE_CHECKING:
    from tidewaiter.wiring_custody_handover import HandedOver


@click.command("dock")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--device", required=True, help="Whose recordings they are.")
@time_option("--camera-clock", help="What the device's own clock shows now; the offset is logged.")
@click.option(
    "--records",
    type=click.Path(path_type=Path, dir_okay=False),
    help="What a camera that signs on board hands over [default: the .records file in PATHS].",
)
@click.option(
    "--receipts-to",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write the camera's receipts here as well, to be carried back to it.",
)
@retention_option
@site_option
@settings_option
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    paths: tuple[Path, ...],
    device: str,
    camera_clock: int | None,
    records: Path | None,
    receipts_to: Path | None,
    retention: str,
    site: Path,
    settings_path: Path | None,
) -> None:
    """Take the recordings in PATHS, files or folders of one device, into custody.

    Each is fingerprinted, sealed, numbered in the device's own sequence, signed and logged; the
    witnesses are asked at once, and a receipt is written for each recording. Keep the originals
    until it is there. Running it again after any interruption goes on where it stopped.

    A camera that signs on board hands over a file of records, which are logged as it signed them;
    what does not hold is kept with what was found, and the command then ends with 4.
    """
    from tidewaiter import wiring, wiring_custody, wiring_custody_handover
    from tidewaiter.wiring_custody_site import SitePlace, now_ms

    place, settings = SitePlace(site), wiring.read_settings(settings_path)
    offset = None if camera_clock is None else camera_clock - now_ms()
    _tell_offset(device, offset)
    beside, files = wiring_custody_handover.handover_files(paths)
    records = records or beside
    if records is None:
        outcome = wiring_custody.dock_files(
            place, device, paths, settings, retention=retention, clock_offset_ms=offset
        )
        tell_outcome(outcome)
        end_unless_all_taken(outcome)
        return
    given = wiring_custody_handover.FromCamera(device, records, tuple(files))
    handed = wiring_custody_handover.take_handover(
        place, given, settings, retention=retention, clock_offset_ms=offset
    )
    tell_handover(handed)
    if receipts_to is not None:
        written = wiring_custody_handover.bring_back(handed, receipts_to)
        echo(f"{len(written)} receipts for {device} in {receipts_to}")
    if not handed.is_sound:
        raise click.exceptions.Exit(CONTRADICTED)
    end_unless_all_taken(handed.outcome)


def _tell_offset(device: str, offset_ms: int | None) -> None:
    """A clock that every audit will name is told while the camera is still at hand."""
    from tidewaiter.custody.chains import Allowed

    if offset_ms is not None and abs(offset_ms) > Allowed().offset_ms:
        way = "ahead" if offset_ms > 0 else "behind"
        far = timedelta(seconds=round(abs(offset_ms) / 1000))
        echo(
            f"notice: the clock of {device} is {far} {way}; this is logged. Set the camera's clock"
        )


def tell_handover(handed: HandedOver) -> None:
    """What of a camera's own records was logged, and what is wrong with the rest."""
    echo(f"{handed.logged} records logged as the camera signed them")
    for note in handed.notes:
        echo(f"notice: {note}")
    tell_outcome(handed.outcome)
