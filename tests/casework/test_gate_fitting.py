"""What can be left out of a gate's fit: families and species, some of them."""

from __future__ import annotations

import pytest

from tidewaiter.casework.gate_fitting import check_left_out
from tidewaiter.errors import InputError

RECAPTURES = ("recapture-print", "recapture-screen")


@pytest.mark.parametrize(
    "left_out", [(), ("recapture",), ("recapture-print", "reenact"), ("swap", *RECAPTURES)]
)
def test_families_and_species_can_be_left_out(left_out):
    check_left_out(left_out)


@pytest.mark.parametrize("name", ["masks", "retouch", "retouch-slim", "Swap"])
def test_what_a_gate_is_not_taught_is_refused_by_name(name):
    with pytest.raises(InputError, match=f"^'{name}' was given .*recapture-print, recapture-scre"):
        check_left_out(("swap", name))


@pytest.mark.parametrize("last", [("recapture",), RECAPTURES])
def test_something_is_left_to_learn(last):
    with pytest.raises(InputError, match=r"^every attack was given to --leave-out"):
        check_left_out(("swap", "morph", "reenactment", *last))
