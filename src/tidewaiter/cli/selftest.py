"""`tidewaiter selftest`: prove an installation offline."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command("selftest")
@click.option("--lang", help="Language: en or fr.")
@click.option(
    "--settings",
    "settings_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file.",
)
def command(*, lang: str | None, settings_path: Path | None) -> None:
    """Prove this installation offline: libraries, models, calibrations, workers, and one
    untouched and one altered exhibit examined from end to end."""  # noqa: D205, D209
    from tidewaiter.messages import translator
    from tidewaiter.wiring import read_settings, selftest

    settings = read_settings(settings_path)
    translate = translator(lang or settings.language)
    failed = 0
    for step in selftest(settings):
        failed += not step.passed
        mark = "✓" if step.passed else "✗"
        click.echo(f"{mark} {step.name.render(translate)}: {step.found.render(translate)}")
    click.echo(translate("all well") if not failed else translate("something is wrong; see above"))
    sys.exit(3 if failed else 0)
