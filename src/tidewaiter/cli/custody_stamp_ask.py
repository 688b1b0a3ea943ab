"""`tidewaiter custody stamp ask`: ask the configured authority, and keep its reply."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, shown_moment, site_option


@click.command("ask")
@site_option
def command(*, site: Path) -> None:
    """Ask the authority that `[stamping]` in custody.toml names to stamp the newest checkpoint.

    Connects to that one address and sends a digest, nothing else. Without an address nobody is
    asked; `stamp request` and `stamp keep` do the same by hand.
    """
    from tidewaiter import wiring_custody_stamps
    from tidewaiter.wiring_custody_site import SitePlace

    kept = wiring_custody_stamps.ask(SitePlace(site))
    echo(
        f"the log of {kept.size} entries existed no later than {shown_moment(kept.stamp.time_ms)}, "
        f"by the word of {kept.stamp.authority}: {kept.path}"
    )
