"""`tidewaiter custody device sealing-key`: the key for which cameras seal their secrets."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, site_option


@click.command("sealing-key")
@site_option
def command(*, site: Path) -> None:
    """Print this site's public key, for which cameras that sign on board seal their secrets.

    It is made the first time. Whoever finds a card then cannot read it; this site can. Back its
    secret up with the site's other keys: a camera that forgot its own has no other way back.
    """
    from tidewaiter import wiring_custody_handover
    from tidewaiter.wiring_custody_site import SitePlace

    echo(wiring_custody_handover.sealing_key(SitePlace(site)))
