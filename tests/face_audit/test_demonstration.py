"""The demonstration takes people with enough pictures, and its files are accepted."""

from __future__ import annotations

import pytest

from tests.face_audit.making import audit, digest
from tidewaiter.errors import InputError
from tidewaiter.face_audit.demonstration import chosen, people_text, protocol_text
from tidewaiter.face_audit.people import check_may_be_sent, read_people

FOUND = {f"p{n:02}": [f"p{n:02}/{k}.jpg" for k in range(n)] for n in range(20)}


def test_people_with_enough_pictures_are_taken_and_stay_on_this_machine():
    people = chosen(FOUND)
    assert list(people) == [f"p{n:02}" for n in range(3, 15)]
    assert {len(files) for files in people.values()} == {3, 4}
    known = read_people(people_text(people), "identities.csv", digest)
    with pytest.raises(InputError, match="on this machine only"):
        check_may_be_sent(known, "rest")


def test_too_few_people_are_refused():
    with pytest.raises(InputError, match="5 folders"):
        chosen({name: FOUND[name] for name in list(FOUND)[3:8]})


@pytest.mark.parametrize("gate", [None, "face.manipulation_network"])
def test_the_protocol_is_accepted_and_attacks_in_four_ways(gate):
    found = audit(base=protocol_text(gate), people=people_text(chosen(FOUND)))
    assert {t.species for t in found.trials if t.species} == {
        "swap-feather",
        "morph-complete",
        "reenact",
        "recapture-screen",
    }
    assert (found.protocol.gate is not None) == (gate is not None)
