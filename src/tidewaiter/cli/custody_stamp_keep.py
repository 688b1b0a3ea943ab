"""`tidewaiter custody stamp keep`: keep a reply that was carried here."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, shown_moment, site_option


@click.command("keep")
@click.argument("reply", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--anchors",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The authority's certificates (PEM) [default: those that custody.toml names].",
)
@site_option
def command(*, reply: Path, anchors: Path | None, site: Path) -> None:
    """Check that REPLY stamps a checkpoint of the site, and keep both.

    Exports then carry the stamp along. Keep a copy away from the log's own machine too.
    """
    from tidewaiter import wiring_custody_stamps
    from tidewaiter.wiring_custody_files import read_handed_over
    from tidewaiter.wiring_custody_site import SitePlace

    certificates = None if anchors is None else read_handed_over(anchors)
    data = wiring_custody_stamps.read_reply(reply)
    kept = wiring_custody_stamps.keep(SitePlace(site), data, certificates)
    echo(
        f"the log of {kept.size} entries existed no later than {shown_moment(kept.stamp.time_ms)}, "
        f"by the word of {kept.stamp.authority}: {kept.path}"
    )
