"""`tidewaiter schema`: what the JSON means, for programs."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("what", type=click.Choice(["report", "replay"]))
def command(what: str) -> None:
    """Print the JSON schema of what `examine --json` or `audit replay --json` writes."""
    from tidewaiter.face_audit.replay import Replay
    from tidewaiter.vocabulary import Report

    schema = (Report if what == "report" else Replay).model_json_schema(mode="serialization")
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False).encode())
