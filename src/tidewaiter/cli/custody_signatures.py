"""`tidewaiter custody signatures`: what a file's own signatures say."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.custody_options import echo, settings_option


@click.command("signatures")
@click.argument(
    "paths", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--json", "as_json", is_flag=True, help="Print everything found as JSON.")
@settings_option
def command(*, paths: tuple[Path, ...], as_json: bool, settings_path: Path | None) -> None:
    """Read the signatures inside PATHS: ONVIF media signing of cameras, and Content Credentials.

    Whose certificates you trust stands in the settings (`camera_trust_list`, `trust_list`). What
    is found is an input to judge by, never a verdict: a camera signs what it is fed, and whoever
    removes a signature leaves a plain unsigned file.
    """
    import json

    from tidewaiter import wiring
    from tidewaiter.casework.custody_inputs import words_of
    from tidewaiter.wiring_inputs import read_signatures

    settings = wiring.read_settings(settings_path)
    found = read_signatures(paths, settings)
    if as_json:
        pairs = zip(paths, found, strict=True)
        rows = [{"file": path.name, "names": one.names, **one.facts} for path, one in pairs]
        click.echo(json.dumps(rows, indent=1))
        return
    for path, one in zip(paths, found, strict=True):
        for line in words_of(one):
            echo(f"{path.name}: {line}")
