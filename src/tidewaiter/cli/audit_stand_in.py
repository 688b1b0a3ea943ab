"""`tidewaiter audit stand-in`: a local service to test audits on, in a rented one's words."""

from __future__ import annotations

import contextlib
import signal
import threading

import click


@click.command("stand-in")
@click.option(
    "--adapter",
    type=click.Choice(["rekognition", "azure", "compreface"]),
    required=True,
    help="The service whose words it speaks.",
)
@click.option("--port", type=click.IntRange(0, 65535), default=8700, show_default=True)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    metavar="NAME=SHARE",
    help="Share of requests that fail so: throttled, server-error, limited-access, slow, "
    "truncated, not-json, dropped. Repeatable.",
)
@click.option("--seed", default=1, show_default=True, help="Seed of the schedule of faults.")
@click.option(
    "--slow-s", type=click.FloatRange(0, 600), default=2.0, show_default=True, help="Slow is so."
)
@click.option("--unapproved", is_flag=True, help="azure: refuse face ids, as without approval.")
def command(
    *, adapter: str, port: int, faults: tuple[str, ...], seed: int, slow_s: float, unapproved: bool
) -> None:
    """Serve a stand-in on 127.0.0.1 until interrupted. It is test kit, not a service.

    It opens each picture under the service's real limits, in a process of its own that may
    crash without harm, locates the largest face, computes the embedded recogniser's
    embedding and really compares: similarity is 1 / (1 + exp((d - 0.6) / 0.06)) of the
    Euclidean distance d, times 100 for rekognition. Every answer is stamped, and so is
    every report on it. Any key will do; one that is "expired" (rekognition: an access key
    id beginning EXPIRED) is refused. GET /stand-in/bill tells the billed calls by trial.
    """
    from tidewaiter.wiring_stand_in import standing_in

    chosen = standing_in(
        adapter, port=port, faults=faults, seed=seed, slow_s=slow_s, approved=not unapproved
    )
    with chosen as standing:
        click.echo(f"{adapter} stand-in at {standing.address} (test kit; end it with Ctrl-C)")
        _wait_for_the_end()
        bill = standing.bill()
        click.echo(f"{sum(bill.values())} calls billed for {len(bill)} trials")


def _wait_for_the_end() -> None:
    """Until Ctrl-C or a polite request to end."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    with contextlib.suppress(KeyboardInterrupt):
        ended.wait()
