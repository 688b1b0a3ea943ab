"""Put a stand-in together: the embedded recogniser behind a service's words, on loopback."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tidewaiter.face_audit.embedding import dlib_embedder
from tidewaiter.face_audit.stand_in.faults import shares_of
from tidewaiter.face_audit.stand_in.shapes import stand_in
from tidewaiter.face_audit.stand_in.standing_in import Script
from tidewaiter.outlets.stand_in_server import serving


@dataclass(frozen=True)
class Standing:
    """A stand-in at work: where, and what it has billed so far by trial id."""

    address: str
    bill: Callable[[], dict[str, int]]


@contextmanager
def standing_in(
    adapter: str,
    *,
    port: int = 0,
    faults: tuple[str, ...] = (),
    seed: int = 1,
    slow_s: float = 2.0,
    approved: bool = True,
) -> Iterator[Standing]:
    """Serve a stand-in within the block.

    Raises ConfigurationError for faults that are none or a port that is taken,
    MissingWeights where the embedded recogniser is not installed.
    """
    script = Script(shares_of(faults), seed, slow_s)
    made = stand_in(adapter, dlib_embedder(), script, approved=approved)
    with serving(made, port=port) as address:
        yield Standing(address, lambda: made.bill)
