"""`tidewaiter calibrate`: make the numbers fit a site's own material."""

from __future__ import annotations

from pathlib import Path

import click

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)


@click.command("calibrate")
@click.option(
    "--genuine", type=_FOLDER, required=True, help="Folder of items known to be as issued."
)
@click.option("--altered", type=_FOLDER, help="Folder of items known to be altered.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the site calibrations; name it as `calibrations` in the settings to use them.",
)
@click.option("--detector", "detectors", multiple=True, metavar="ID", help="Only this detector.")
@click.option("--jobs", type=click.IntRange(1, 256), default=1, show_default=True, help="Workers.")
@click.option("--lang", help="Language: en or fr.")
@click.option(
    "--settings",
    "settings_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Settings file.",
)
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    genuine: Path,
    altered: Path | None,
    out: Path,
    detectors: tuple[str, ...],
    jobs: int,
    lang: str | None,
    settings_path: Path | None,
) -> None:
    """Fit a site calibration from as few as 10 genuine and 10 altered items.

    Each direct subfolder of --genuine and --altered counts as one independent source (a
    camera, a trader); files lying loose count as one source each. Says what the
    calibration gained on held-out items, and installs none that is worse.
    """
    from tidewaiter import wiring
    from tidewaiter.cli.printing import printable
    from tidewaiter.messages import translator

    settings = wiring.read_settings(settings_path)
    translate = translator(lang or settings.language)
    outcomes = wiring.calibrate_site(
        genuine, altered, settings, out=out, detectors=detectors, workers=jobs
    )
    for outcome in outcomes:
        click.echo(printable(outcome.render(translate)))
