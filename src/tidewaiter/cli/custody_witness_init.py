"""`tidewaiter custody witness init`: a new witness."""

from __future__ import annotations

from pathlib import Path

import click

from tidewaiter.cli.witness_options import key_and_book


@click.command("init")
@click.option("--name", required=True, help="Its name, best like witness.vigilance.example.")
@key_and_book
@click.option("--ml-dsa", is_flag=True, help="Sign with ML-DSA-44 (post-quantum) as well.")
def command(*, name: str, key: Path, book: Path, ml_dsa: bool) -> None:
    """Make a new witness: a key and an empty memory, neither of which may exist.

    Prints the verifier key; carry it to the log's operator and to everybody who verifies, by
    hand. Never use this to replace a lost memory under the old key: a witness that forgot can be
    led to confirm a fork.
    """
    from tidewaiter import wiring_witness

    for line in wiring_witness.make_witness(name, key, book, post_quantum=ml_dsa):
        click.echo(line)
