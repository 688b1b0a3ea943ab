"""`tidewaiter schema`: what the JSON means, for programs."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("what", type=click.Choice(["report"]))
def command(what: str) -> None:  # noqa: ARG001 - one schema so far; the word keeps the place of others
    """Print the JSON schema of a report as `examine --json` writes it."""
    from tidewaiter.vocabulary import Report

    schema = Report.model_json_schema(mode="serialization")
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False).encode())
