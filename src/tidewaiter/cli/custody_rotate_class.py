"""`tidewaiter custody rotate-class`: a new key for a retention class."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import approver_option, basis_option, tell_decision
from tidewaiter.cli.custody_options import echo, site_option


@click.command("rotate-class")
@click.argument("retention")
@basis_option
@click.option(
    "--backup", "backups", multiple=True, help="A copy of the old class key that was destroyed."
)
@approver_option
@site_option
def command(
    *,
    retention: str,
    basis: str,
    backups: tuple[str, ...],
    approvers: tuple[Path, ...],
    site: Path,
) -> None:
    """Give the class RETENTION a new key and destroy the old one; two people must approve.

    Every recording that is not erased opens as before. A backup of the file of secrets that was
    made earlier opens nothing any more, so what was erased stays erased: make a new backup at once.
    Destroy copies of the old class key as well; the entry names them. An interrupted rotation is
    finished by the next command that opens the site.
    """
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    tell_decision(
        wiring_custody_deciding.decide_rotation(
            SitePlace(site), retention, basis, backups, approvers
        )
    )
    echo("back up the file of secrets now: earlier backups of it open nothing any more")
