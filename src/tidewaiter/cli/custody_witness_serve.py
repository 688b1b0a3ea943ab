"""`tidewaiter custody witness serve`: answer a log's requests over HTTP."""

from __future__ import annotations

import contextlib
import signal
import threading
from pathlib import Path

import click

from tidewaiter.cli.witness_options import key_and_book, logs


@click.command("serve")
@key_and_book
@logs
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), default=8750, show_default=True)
@click.option("--prefix", default="", help="Path before add-checkpoint, such as /w1.")
def command(*, key: Path, book: Path, logs: Path, host: str, port: int, prefix: str) -> None:
    """Serve until interrupted; put a reverse proxy with TLS before it.

    POST add-checkpoint confirms a checkpoint that continues what was confirmed before; GET
    <SHA-256 of the origin in hex>/checkpoint tells what was confirmed last. Refuses to start
    without its memory. A log that forked is answered 422, and its request kept: see `forks`.
    """
    from tidewaiter import wiring_witness

    files = wiring_witness.WitnessFiles(key, book, logs)
    prefix = f"/{prefix.strip('/')}".rstrip("/")
    with wiring_witness.serving(files, host=host, port=port, prefix=prefix) as address:
        click.echo(f"witness at {address} (end it with Ctrl-C)")
        ended = threading.Event()
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
        with contextlib.suppress(KeyboardInterrupt):
            ended.wait()
