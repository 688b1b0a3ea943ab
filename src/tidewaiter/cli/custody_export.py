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
    heartbeat, the entries that enrol every key, the openings, its manifest and the policy.
    """
    from tidewaiter import wiring_custody_bundle
    from tidewaiter.wiring_custody_site import SitePlace

    done = wiring_custody_bundle.export(
        SitePlace(site), recording, folder, media=media, basis=basis, verifier=verifier
    )
    echo(f"{done.proofs} entries proven in {folder}")
    for line in done.left_out:
        echo(f"left out: {line}")
    echo(f"check it: tidewaiter custody verify {folder} --policy POLICY")
