"""`tidewaiter custody release`: let a recording leave the house."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import approver_option, basis_option, tell_decision
from tidewaiter.cli.custody_options import site_option


@click.command("release")
@click.argument("recording")
@basis_option
@approver_option
@site_option
def command(*, recording: str, basis: str, approvers: tuple[Path, ...], site: Path) -> None:
    """Let RECORDING leave the house, to a court or a lawyer; two people must approve.

    `export --media` then hands it out, and each time it does is logged.
    """
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    fields = {"act": "release", "recording": recording, "basis": basis}
    tell_decision(wiring_custody_deciding.decide(SitePlace(site), "access", fields, approvers))
