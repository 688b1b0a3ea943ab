"""`tidewaiter custody retain`: how long a class of recordings is kept."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import approver_option, basis_option, tell_decision
from tidewaiter.cli.custody_options import site_option


@click.command("retain")
@click.argument("retention")
@click.option("--days", type=click.IntRange(0, 36500), required=True)
@basis_option
@approver_option
@site_option
def command(
    *, retention: str, days: int, basis: str, approvers: tuple[Path, ...], site: Path
) -> None:
    """Keep recordings of the class RETENTION for so many days; two people must approve."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    fields = {"class": retention, "days": days, "basis": basis}
    tell_decision(wiring_custody_deciding.decide(SitePlace(site), "retention", fields, approvers))
