"""`tidewaiter custody carry-out`: do what was asked for and approved."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_decisions import tell_decision
from tidewaiter.cli.custody_options import site_option


@click.command("carry-out")
@click.argument("request_file", type=click.Path(path_type=Path, dir_okay=False))
@site_option
def command(*, request_file: Path, site: Path) -> None:
    """Log what REQUEST_FILE asks for and do it, once two people have approved.

    What was logged and then interrupted (an erasure, a redaction, a new class key) is finished by
    doing it again.
    """
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    tell_decision(wiring_custody_deciding.carry_out_file(SitePlace(site), request_file))
