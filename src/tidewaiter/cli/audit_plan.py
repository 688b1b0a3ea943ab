"""`tidewaiter audit plan`: what an audit would do, cost and show, before anything is sent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from tidewaiter.face_audit.auditing import Estimate


@click.command("plan")
@click.argument("protocol", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder of the audit [default: the protocol's name beside it].",
)
def command(*, protocol: Path, out: Path | None) -> None:
    """Check a PROTOCOL and its people; print trials, calls, cost, time and what can be shown.

    Sends nothing. Every picture is opened and looked at, so that a run does not fail half-way.
    """
    from tidewaiter import wiring, wiring_audit
    from tidewaiter.cli.printing import printable

    folder = out or protocol.with_suffix("")
    bench, faceless = wiring_audit.open_audit(protocol, folder, wiring.read_settings())
    for name in faceless:
        click.echo(f"notice: no face was found in {printable(name)}; it counts as not captured")
    for line in _lines(bench.estimate()):
        click.echo(line)


def _lines(plan: Estimate) -> list[str]:
    trials = ", ".join(f"{count} {role}" for role, count in plan.trials.items())
    lines = [
        f"trials      {sum(plan.trials.values())}: {trials}",
        f"enrolments  {plan.enrolments}",
        f"forgeries   {plan.attack_pictures} pictures to make",
        f"calls       {plan.calls}, retries not counted",
        f"cost        {plan.cost} {plan.currency}".rstrip(),
        f"time        {_time(plan.seconds)}, forging included",
    ]
    few = f", attacked by {plan.attackers} others" if plan.attackers < plan.targets else ""
    lines.append(
        f"targets     {plan.targets}{few}: a kind of attack that never succeeds can be shown to "
        f"stay below {100 * plan.bound_if_none:.0f} %; "
        + (
            f"too few to show that anything is below 7 %, which takes {plan.targets_needed}"
            if plan.most_successes is None
            else f"one that succeeds on {plan.most_successes} of them, below 7 %"
        )
    )
    compared = f"FMR         {plan.calibration_comparisons} comparisons of calibration people: "
    lines.append(
        compared
        + (
            "too few for a threshold at any FMR, so only the threshold in service can be reported; "
            "30,000 are needed for 0.1 %"
            if plan.lowest_fmr >= 1
            else f"an FMR below {100 * plan.lowest_fmr:.3g} % cannot be reported, its threshold "
            "will be marked"
        )
    )
    if plan.over_limit:
        lines.append("limit       the plan goes beyond [limits]; the run will stop there")
    return lines


def _time(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"about {minutes} minutes" if minutes > 1 else "a minute or two"
