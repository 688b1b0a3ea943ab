"""`tidewaiter custody hold`: keep a recording whatever its date."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import approver_option, basis_option, tell_decision
from tidewaiter.cli.custody_options import site_option


@click.command("hold")
@click.argument("recording")
@basis_option
@click.option("--lift", is_flag=True, help="Lift a hold instead; two people must approve.")
@approver_option
@site_option
def command(
    *, recording: str, basis: str, lift: bool, approvers: tuple[Path, ...], site: Path
) -> None:
    """Hold RECORDING: it is not erased while the hold is in force, whatever its date."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    tell_decision(
        wiring_custody_deciding.decide_hold(
            SitePlace(site), recording, basis, lift=lift, approvers=approvers
        )
    )
