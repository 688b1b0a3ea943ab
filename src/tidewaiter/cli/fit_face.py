"""`tidewaiter fit face`: refit the face network to a site's own faces."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
# Small enough that a network in use stays what it is (see docs/howto/fit-the-face-network.md).
USUAL_RATE = 6e-5
USUAL_HOURS = 8.0
SAY_EVERY_S = 30.0


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
@click.option(
    "--hours",
    type=click.FloatRange(0.05, 168),
    default=USUAL_HOURS,
    show_default=True,
    help="Most time to take.",
)
@click.option(
    "--pairs", type=click.IntRange(16, 10_000_000), help="Pairs to train on, whatever the hours."
)
@click.option(
    "--rate",
    type=click.FloatRange(0, 10, min_open=True),
    default=USUAL_RATE,
    show_default=True,
    help="Learning rate at its peak.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, help="Random seed.")
@click.option("--jobs", type=click.IntRange(1, 256), default=2, show_default=True, help="Workers.")
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
    from tidewaiter import wiring
    from tidewaiter.casework.face_fitting import FitRequest
    from tidewaiter.cli.printing import printable
    from tidewaiter.errors import FitRefused
    from tidewaiter.messages import translator
    from tidewaiter.vocabulary import tr

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
    pace = _Pace(translate)
    outcome = wiring.fit_face(
        request,
        workers=jobs,
        say=lambda text: click.echo(printable(text.render(translate)), err=True),
        on_progress=pace.show,
    )
    verdict = printable(outcome.decision.choice.sentence.render(translate))
    if not outcome.decision.accepted:
        aside = tr(
            "the refused network and its card are kept in {folder}", folder=wiring.REJECTED_FOLDER
        )
        click.echo(aside.render(translate), err=True)
        raise FitRefused(verdict)
    click.echo(verdict)
    for sentence in outcome.decision.sentences:
        click.echo(printable(sentence.render(translate)))


class _Pace:
    """A line now and then on standard error: phase, how far, how long it may still take."""

    def __init__(self, translate: Any) -> None:
        self._translate = translate
        self._phase = ""
        self._begun = self._said = 0.0
        self._before = 0

    def show(self, phase: Any, done: int, total: int) -> None:
        """Say where a phase stands: at its beginning, at its end, and every half minute."""
        from tidewaiter.vocabulary import tr

        now = time.monotonic()
        name = phase.render(self._translate)
        if name != self._phase:
            self._phase, self._begun, self._before, self._said = name, now, done, 0.0
        if now - self._said < SAY_EVERY_S and done < total:
            return
        self._said = now
        values = {"phase": phase, "done": done, "all": total}
        finished = done - self._before
        if not finished or done == total:
            text = tr("{phase}: {done} of {all}", **values)
        else:
            minutes = (total - done) * (now - self._begun) / finished / 60
            text = tr(
                "{phase}: {done} of {all}, about {minutes:.0f} min left", **values, minutes=minutes
            )
        click.echo(text.render(self._translate), err=True)
