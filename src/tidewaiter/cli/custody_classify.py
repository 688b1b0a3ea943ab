"""`tidewaiter custody classify`: put a recording into another retention class."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import approver_option, basis_option, tell_decision
from tidewaiter.cli.custody_options import site_option


@click.command("classify")
@click.argument("recording")
@click.option("--class", "retention", required=True, metavar="NAME", help="The new class.")
@basis_option
@approver_option
@site_option
def command(
    *, recording: str, retention: str, basis: str, approvers: tuple[Path, ...], site: Path
) -> None:
    """Put RECORDING into another class; what shortens its life two people must approve."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    tell_decision(
        wiring_custody_deciding.decide_category(
            SitePlace(site), recording, retention, basis, approvers
        )
    )
