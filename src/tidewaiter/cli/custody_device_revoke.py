"""`tidewaiter custody device revoke`: a key is lost."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import basis_option
from tidewaiter.cli.custody_options import echo, site_option, time_option


@click.command("revoke")
@click.argument("name")
@time_option("--since", required=True, help="Since when it may have been in other hands.")
@basis_option
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Your own key: a person revokes.",
)
@site_option
def command(*, name: str, since: int, basis: str, key: Path, site: Path) -> None:
    """Revoke all keys of NAME; what they signed and no witness had seen by then is doubtful."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    entry = wiring_custody_deciding.revoke(SitePlace(site), name, since, basis, key)
    echo(f"revoked by entry {entry}")
