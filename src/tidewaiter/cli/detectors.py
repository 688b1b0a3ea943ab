"""`tidewaiter detectors`: what can be looked for on this installation."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command("detectors")
@click.option("--json", "as_json", is_flag=True, help="A JSON list instead of text.")
@click.option("--lang", help="Language: en or fr.")
@click.option(
    "--settings",
    "settings_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file.",
)
def command(*, as_json: bool, lang: str | None, settings_path: Path | None) -> None:
    """List every detector: what it looks for, when it may speak, its calibration and measured
    error rates, and whether it can run here."""  # noqa: D205, D209 - shown as one paragraph
    from tidewaiter import wiring
    from tidewaiter.casework.listing import list_detectors
    from tidewaiter.messages import translator

    settings = wiring.read_settings(settings_path)
    translate = translator(lang or settings.language)
    entries = list_detectors(settings.calibrations, settings.face_network)
    if as_json:
        rows = [
            entry.model_dump(mode="json", context={"translate": translate}) for entry in entries
        ]
        click.echo(json.dumps(rows, indent=2, ensure_ascii=False).encode())
        return
    for entry in entries:
        click.echo(click.style(f"{entry.id}", bold=True) + f"  (version {entry.version})")
        for label, value in entry.lines(translate):
            click.echo(f"  {label}: {value}")
