"""`tidewaiter custody export`: a folder that verifies alone."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import basis_option
from tidewaiter.cli.custody_options import echo, site_option


@click.command("export")
@click.argument("recording")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@basis_option
@click.option("--media", is_flag=True, help="Put the recording itself in, unsealed.")
@click.option("--verifier", is_flag=True, help="Put the verifier in: one file of Python.")
@site_option
def command(
    *, recording: str, folder: Path, basis: str, media: bool, verifier: bool, site: Path
) -> None:
    """Write a bundle on RECORDING into a new FOLDER; that it was handed out is logged.

    Holds proofs of all its entries and of its device's records around it, from heartbeat to
    heartbeat, the entries that enrol every key, the openings, its manifest, the policy, and a time
    stamp where the site keeps one that bounds the recording.
    """
    from tidewaiter import wiring_custody_bundle, wiring_custody_stamps
    from tidewaiter.wiring_custody_site import SitePlace

    place = SitePlace(site)
    done = wiring_custody_bundle.export(
        place, recording, folder, media=media, basis=basis, verifier=verifier
    )
    for path in wiring_custody_stamps.write_stamps(place, recording, folder):
        echo(f"time stamp: {path}")
    echo(f"{done.proofs} entries proven in {folder}")
    for line in done.left_out:
        echo(f"left out: {line}")
    if any("not confirmed" in line for line in done.left_out):
        echo("what waits for witnesses comes with an export made after they have confirmed it")
    echo(f"check it: tidewaiter custody verify {folder} --policy POLICY")
