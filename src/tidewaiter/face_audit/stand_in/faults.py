"""What goes wrong with the stand-in on demand, on a schedule that a seed decides."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from tidewaiter.errors import ConfigurationError


class Fault(StrEnum):
    """One way in which a request fails."""

    THROTTLED = "throttled"
    """429 with Retry-After; nothing is done or billed."""

    SERVER_ERROR = "server-error"
    """500; nothing is done or billed."""

    LIMITED_ACCESS = "limited-access"
    """403, as without the provider's approval."""

    SLOW = "slow"
    """The right answer, late; billed."""

    TRUNCATED = "truncated"
    """Half of the right answer, then the connection ends; billed."""

    NOT_JSON = "not-json"
    """A page of words with status 200; billed."""

    DROPPED = "dropped"
    """The connection ends without an answer; billed."""


UNBILLED = frozenset({Fault.THROTTLED, Fault.SERVER_ERROR, Fault.LIMITED_ACCESS})
"""Faults that come before any work."""


def fault_at(number: int, shares: Mapping[Fault, float], seed: int) -> Fault | None:
    """What befalls the request of that number; the same for the same seed."""
    drawn = np.random.default_rng([seed, number]).random()
    for fault in Fault:
        drawn -= shares.get(fault, 0.0)
        if drawn < 0:
            return fault
    return None


def shares_of(texts: tuple[str, ...]) -> dict[Fault, float]:
    """Shares from texts like "throttled=0.1"; raises ConfigurationError for any other."""
    shares: dict[Fault, float] = {}
    for text in texts:
        name, _, value = text.partition("=")
        try:
            shares[Fault(name)] = float(value)
        except ValueError as error:
            raise ConfigurationError(
                f"the fault {text!r} is not one; NAME=SHARE is needed, as throttled=0.1, with "
                f"a name of {', '.join(Fault)}"
            ) from error
    if not all(0 <= share <= 1 for share in shares.values()) or sum(shares.values()) > 1:
        raise ConfigurationError("shares of faults lie between 0 and 1 and add up to at most 1")
    return shares
