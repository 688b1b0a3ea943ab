"""`tidewaiter fit face`: refit the face network to a site's own faces."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.fitting import how_to_fit

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
# Small enough that a network in use stays what it is (see docs/howto/fit-the-face-network.md).
USUAL_RATE = 6e-5


@click.command("face")
@click.option(
    "--genuine", type=_FOLDER, required=True, help="Folder of genuine pictures and videos of faces."
)
@click.option("--forged", type=_FOLDER, help="Folder of pictures and videos known to be forged.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the network; name it as `face_network` in the settings to use it.",
)
@how_to_fit(USUAL_RATE)
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    genuine: Path,
    forged: Path | None,
    out: Path,
    hours: float,
    pairs: int | None,
    rate: float,
    seed: int,
    jobs: int,
    lang: str | None,
    settings_path: Path | None,
) -> None:
    """Refit the face network to your own genuine pictures and videos, overnight on 2 cores.

    Each direct subfolder of --genuine counts as one independent source (a person); files
    lying loose count as one source each; 80 sources are needed. The fit is judged on
    sources and on kinds of forgery that it has not seen, against the network in use. A
    network that is not better is not installed (exit code 8).

    Run the same command again to go on after a stop. Needs the extra `training`.
    """
    from tidewaiter import wiring, wiring_fitting
    from tidewaiter.casework.face_fitting import FitRequest
    from tidewaiter.cli.fitting import Pace, say_verdict
    from tidewaiter.cli.printing import printable
    from tidewaiter.messages import translator

    settings = wiring.read_settings(settings_path)
    translate = translator(lang or settings.language)
    request = FitRequest(
        genuine=genuine,
        forged=forged,
        out=out,
        hours=hours,
        pairs=pairs,
        rate=rate,
        seed=seed,
        limits=settings.limits,
        face_network=settings.face_network,
    )
    outcome = wiring_fitting.fit_face(
        request,
        workers=jobs,
        say=lambda text: click.echo(printable(text.render(translate)), err=True),
        on_progress=Pace(translate).show,
    )
    say_verdict(outcome.decision.choice.sentence, translate, accepted=outcome.decision.accepted)
    for sentence in outcome.decision.sentences:
        click.echo(printable(sentence.render(translate)))
