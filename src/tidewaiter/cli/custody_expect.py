"""`tidewaiter custody expect`: say what will have to be recorded."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, site_option, time_option


@click.command("expect")
@click.argument("operation")
@click.option("--device", help="The device that must record it.")
@click.option("--unit", help="The unit of which some device must.")
@time_option("--from", "from_ms", required=True, help="When it begins.")
@time_option("--to", "to_ms", required=True, help="When it ends.")
@click.option(
    "--max-silence", type=click.IntRange(0), default=60, show_default=True, help="Seconds."
)
@site_option
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    operation: str,
    device: str | None,
    unit: str | None,
    from_ms: int,
    to_ms: int,
    max_silence: int,
    site: Path,
) -> None:
    """Log that OPERATION, such as a search, must be recorded; `gaps` shows where it was not."""
    from tidewaiter import wiring_custody_deciding
    from tidewaiter.wiring_custody_site import SitePlace

    if (device is None) == (unit is None):
        raise click.UsageError("name --device or --unit, one of them")
    who = {"subject": device} if device is not None else {"unit": unit}
    fields = {"from_ms": from_ms, "to_ms": to_ms, "operation": operation}
    fields |= {"max_silence_s": max_silence} | who
    entry = wiring_custody_deciding.say(SitePlace(site), "expect", fields)
    echo(f"expected by entry {entry}")
