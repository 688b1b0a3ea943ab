"""`tidewaiter custody gaps`: what is missing, from the entries alone."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tidewaiter.cli.custody_options import (
    CONTRADICTED,
    discrepancy_json,
    echo,
    shown_moment,
    site_option,
    tell_discrepancies,
    time_option,
)


@click.command("gaps")
@time_option("--from", "from_ms", help="Begin here [default: the beginning].")
@time_option("--to", "to_ms", help="End here [default: now].")
@click.option("--device", "devices", multiple=True, help="Only this device; may be repeated.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@site_option
def command(
    *,
    from_ms: int | None,
    to_ms: int | None,
    devices: tuple[str, ...],
    as_json: bool,
    site: Path,
) -> None:
    """List missing numbers, silences without a signed stop, and recordings that were due.

    A stop that a device signed, such as an empty battery, is listed as an outage and is no
    finding. Exits with 4 if anything is missing.
    """
    from tidewaiter import wiring_custody
    from tidewaiter.wiring_custody_site import SitePlace

    absences = wiring_custody.gaps_of(SitePlace(site), from_ms or 0, to_ms)
    found = [one for one in absences.discrepancies if _is_of(one.devices, devices)]
    outages = [one for one in absences.outages if _is_of((one.device,), devices)]
    if as_json:
        whole = {
            "missing": [discrepancy_json(one) for one in found],
            "outages": [
                {
                    "device": one.device,
                    "reason": one.reason,
                    "since_ms": one.since_ms,
                    "until_ms": one.until_ms,
                }
                for one in outages
            ],
        }
        click.echo(json.dumps(whole, ensure_ascii=False).encode())
    else:
        tell_discrepancies(found)
        for outage in outages:
            until = shown_moment(outage.until_ms) if outage.until_ms is not None else "now"
            echo(
                f"outage, signed: {outage.device} {outage.reason}, "
                f"{shown_moment(outage.since_ms)} to {until}"
            )
        if not found:
            echo("nothing is missing")
    if found:
        raise click.exceptions.Exit(CONTRADICTED)


def _is_of(names: tuple[str, ...], chosen: tuple[str, ...]) -> bool:
    return not chosen or bool(set(names) & set(chosen))
