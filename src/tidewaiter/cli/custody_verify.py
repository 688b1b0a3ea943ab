"""`tidewaiter custody verify`: check a proof and files against it, without network."""

from __future__ import annotations

import json
from pathlib import Path

import click

from tidewaiter.cli.custody_options import discrepancy_json, echo


@click.command("verify")
@click.argument("bundle", type=click.Path(path_type=Path))
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--policy",
    type=click.Path(path_type=Path, dir_okay=False),
    required=True,
    help="Policy file: whose log, which witnesses, how many. Get it from somebody you trust.",
)
@click.option(
    "--lang",
    type=click.Choice(("en", "fr")),
    default="en",
    show_default=True,
    help="Language of the verdict in words.",
)
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
def command(
    *, bundle: Path, files: tuple[Path, ...], policy: Path, lang: str, as_json: bool
) -> None:
    """Verify BUNDLE, a proof file or an exported folder, and FILES against it.

    Says in words what is proven, by whom and when, what is not proven, what is missing and what
    contradicts. Asks no server. Exits with 0 proven, 4 contradicted, 3 cannot tell, 2 no bundle.
    """
    from tidewaiter import wiring_custody_bundle
    from tidewaiter.custody.translating import words_in

    verdict = wiring_custody_bundle.verify_files(bundle, policy, files)
    if as_json:
        whole = {
            "conclusion": str(verdict.conclusion),
            "contradictions": [discrepancy_json(one) for one in verdict.contradictions],
            "proven": list(verdict.proven),
            "missing": list(verdict.missing),
            "not_proven": list(verdict.not_proven),
        }
        click.echo(json.dumps(whole, ensure_ascii=False).encode())
    else:
        for line in words_in(verdict, lang).splitlines():
            echo(line)
    raise click.exceptions.Exit(verdict.exit_code)
