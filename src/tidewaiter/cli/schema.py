"""`tidewaiter schema`: what the JSON means, for programs."""

from __future__ import annotations

import json

import click


@click.command("schema")
@click.argument("what", type=click.Choice(["report", "replay", "audit"]))
def command(what: str) -> None:
    """Print the JSON schema of what `examine`, `audit replay` or `audit report` writes."""
    from tidewaiter.face_audit.replay import Replay
    from tidewaiter.face_audit.results import AuditResults
    from tidewaiter.vocabulary import Noun, Report

    models: dict[str, type[Noun]] = {"report": Report, "replay": Replay, "audit": AuditResults}
    schema = models[what].model_json_schema(mode="serialization")
    click.echo(json.dumps(schema, indent=2, ensure_ascii=False).encode())
