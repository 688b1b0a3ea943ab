"""`tidewaiter custody prove`: a proof file of one recording or entry."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, site_option


@click.command("prove")
@click.argument("exhibit")
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="The proof file [default: named after the recording, in this folder].",
)
@click.option(
    "--without-salts",
    is_flag=True,
    help="Leave out what shows that a given file is the recording; the entry is proven still.",
)
@site_option
def command(*, exhibit: str, out: Path | None, without_salts: bool, site: Path) -> None:
    """Write the proof of EXHIBIT: a recording's name, an entry's number, or the file itself.

    Also the SHA-256 of a sealed medium, of an examined exhibit or of its report, and DEVICE#NUMBER
    for one record of a device.

    A proof file of about 1.5 kB, with the policy, is all that `verify` needs, on any machine and
    without network. Hand it to the officer, the trader and the court; keep copies outside.
    """
    from tidewaiter import wiring_custody
    from tidewaiter.custody.proof import PROOF_SUFFIX
    from tidewaiter.wiring_custody_site import SitePlace

    proven = wiring_custody.prove_exhibit(SitePlace(site), exhibit, with_salts=not without_salts)
    target = out or Path(proven.name.replace("/", "_") + PROOF_SUFFIX)
    data = proven.proof.encoded
    wiring_custody.write_whole(target, data)
    if proven.notice:
        echo(f"notice: {proven.notice}")
    echo(f"proof of entry {proven.proof.index} ({len(data)} bytes): {target}")
