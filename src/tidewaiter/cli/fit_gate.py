"""`tidewaiter fit gate`: a network that stands before face recognition."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tidewaiter.cli.fitting import how_to_fit

if TYPE_CHECKING:
    from tidewaiter.casework.gate_choice import Passing
    from tidewaiter.vocabulary import Text

_FOLDER = click.Path(path_type=Path, exists=True, file_okay=False)
# A gate learns anew what it is to stop, and need not keep what an examination knows.
USUAL_RATE = 6e-4


@click.command("gate")
@click.option(
    "--genuine",
    type=_FOLDER,
    required=True,
    help="Folder of genuine pictures and videos of faces, as the gate's camera takes them.",
)
@click.option(
    "--forged", type=_FOLDER, help="Folder of attacks recorded by that camera: screens, prints …"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="Folder for the network; name it as gate.network in an audit's protocol.",
)
@click.option(
    "--leave-out",
    multiple=True,
    metavar="ATTACK",
    help="Attacks that it shall never see, to learn how it meets the unknown: a family (morph, "
    "recapture, reenactment or swap) or one species, such as recapture-print. May be given again.",
)
@how_to_fit(USUAL_RATE)
def command(  # noqa: PLR0913 - one argument per option of the command line
    *,
    genuine: Path,
    forged: Path | None,
    out: Path,
    leave_out: tuple[str, ...],
    hours: float,
    pairs: int | None,
    rate: float,
    seed: int,
    jobs: int,
    lang: str | None,
    settings_path: Path | None,
) -> None:
    """Fit a network to stand before face recognition at one camera.

    It learns every family of attacks, replays from screens and prints among them, as that
    camera ships them, and gives a score whatever the face looks like. Two fifths of the
    sources are held out and tell how often attacks would pass. Sources are counted as in
    `tidewaiter fit face`; 80 are needed. One that tells attacks no better than the network in
    use is not installed (exit code 8).

    Examinations may not use it. Run the same command again to go on after a stop. Needs the
    extra `training`.
    """
    from tidewaiter import wiring, wiring_fitting
    from tidewaiter.casework.face_fitting import FitRequest
    from tidewaiter.cli.fitting import Pace, say_verdict
    from tidewaiter.cli.printing import printable
    from tidewaiter.messages import translator
    from tidewaiter.weights.own import GATE

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
        purpose=GATE,
        left_out=leave_out,
    )
    outcome = wiring_fitting.fit_gate(
        request,
        workers=jobs,
        say=lambda text: click.echo(printable(text.render(translate)), err=True),
        on_progress=Pace(translate).show,
    )
    say_verdict(outcome.decision.sentence, translate, accepted=outcome.decision.accepted)
    for text in _told(outcome.decision.passing):
        click.echo(printable(text.render(translate)))


def _told(passing: Iterable[Passing]) -> Iterator[Text]:
    from tidewaiter.vocabulary import tr

    for one in passing:
        text = tr(
            "{family}: of {attacks} attacks {after:.1f} % pass ({low:.1f} to {high:.1f}), through "
            "the network in use {before:.1f} %",
            family=one.family,
            attacks=one.attacks,
            before=100 * one.before.value,
            after=100 * one.after.value,
            low=100 * one.after.lower,
            high=100 * one.after.upper,
        )
        yield tr("{told}; it never saw such attacks", told=text) if one.is_held_out else text
