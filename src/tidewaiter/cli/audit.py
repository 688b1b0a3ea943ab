"""`tidewaiter audit`: how often forged faces pass a face-recognition service."""

from __future__ import annotations

import click

from tidewaiter.cli.lazy_group import LazyGroup

COMMANDS = {
    "demo": "Carry out a small, complete audit on faces you have at hand.",
    "init": "Write a protocol and a list of people to begin with.",
    "plan": "Check a protocol: trials, calls, cost, time and what the numbers can show.",
    "run": "Carry out an audit, or go on with it after any interruption.",
    "status": "Say how far an audit is and what it has spent.",
    "report": "Write the report of an audit: verdict first, then every table.",
    "inject": "Carry out an audit again through a browser with a virtual camera.",
    "replay": "Recompute a published study of deepfakes against celebrity recognition.",
    "stand-in": "Serve a local stand-in for a rented service, to test audits on.",
}
"""Each is in the file `audit_<name>.py` beside this one."""


@click.group("audit", cls=LazyGroup, listed=COMMANDS, file="tidewaiter.cli.audit_{}")
def command() -> None:
    """Measure how often forged faces are taken for somebody by a face-recognition service."""
