"""One file per command group."""

from tidewaiter.cli.program import main

__all__ = ["main"]
