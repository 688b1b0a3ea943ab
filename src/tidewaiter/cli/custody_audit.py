"""`tidewaiter custody audit`: read everything again and name what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import click

from tidewaiter.cli.custody_options import (
    CONTRADICTED,
    discrepancy_json,
    echo,
    settings_option,
    site_option,
    tell_discrepancies,
)


@click.command("audit")
@click.option(
    "--outside",
    multiple=True,
    type=click.Path(path_type=Path, dir_okay=False),
    help="A proof file or checkpoint as somebody else holds it; may be repeated.",
)
@click.option("--no-media", is_flag=True, help="Leave out the media; their bytes go unchecked.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@click.option(
    "--forks",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for what proves to anybody that the log was forked.",
)
@click.option(
    "--redactions", is_flag=True, help="Open redacted copies and compare them; needs the keys."
)
@click.option(
    "--workers",
    type=click.IntRange(min=0),
    help="Processes that verify signatures; 0: this one alone. As many as there are processors "
    "by default; logs of a few thousand records need none.",
)
@site_option
@settings_option
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    outside: tuple[Path, ...],
    no_media: bool,
    as_json: bool,
    forks: Path | None,
    redactions: bool,
    workers: int | None,
    site: Path,
    settings_path: Path | None,
) -> None:
    """Read every record and every byte of media again, and ask every witness what it confirmed.

    Names what is wrong, since when, and for which devices; exits with 4 if anything is. Reads
    only. Whoever does not trust the operator runs this with their own copy of the policy.
    """
    from tidewaiter import wiring, wiring_custody, wiring_custody_redacting
    from tidewaiter.wiring_custody_site import SitePlace

    place, untold = SitePlace(site), list[str]()
    audited = wiring_custody.audit_site(place, outside, media=not no_media, workers=workers)
    if redactions:
        found, untold = wiring_custody_redacting.audit_redactions(
            place, wiring.read_settings(settings_path)
        )
        audited = replace(audited, discrepancies=(*audited.discrepancies, *found))
    if forks is not None:
        for path in wiring_custody.write_forks(audited, forks):
            echo(f"proves a fork: {path}")
    if as_json:
        whole = {
            "records": audited.records,
            "media": audited.media,
            "media_bytes": audited.media_bytes,
            "confirmed": audited.confirmed_size,
            "witnesses_not_asked": list(audited.unasked),
            "not_compared": untold,
            "discrepancies": [discrepancy_json(one) for one in audited.discrepancies],
        }
        click.echo(json.dumps(whole, ensure_ascii=False).encode())
    else:
        tell_discrepancies(audited.discrepancies)
        for reason in audited.unasked:
            echo(f"notice: a witness gave no answer that counts: {reason}")
        for reason in untold:
            echo(f"notice: a redacted copy was not compared: {reason}")
        echo(
            f"{audited.records} records, {audited.confirmed_size} of them vouched for by "
            f"witnesses; {audited.media} media of {audited.media_bytes} bytes"
        )
        if not audited.discrepancies:
            echo("nothing is other than it was logged")
    if audited.discrepancies:
        raise click.exceptions.Exit(CONTRADICTED)
