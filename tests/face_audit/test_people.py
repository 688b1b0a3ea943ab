"""Nobody is audited without consent, twice, or on both sides."""

from __future__ import annotations

import pytest

from tests.face_audit.making import digest, listed
from tidewaiter.errors import InputError
from tidewaiter.face_audit.people import (
    check_may_be_sent,
    read_people,
    sides,
    some_of,
    targets_of,
)

HEADER = "id,file,role,consent,authorised,part\n"


def people(rows: str):
    return read_people(HEADER + rows, "identities.csv", digest)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("a,a.png,enrol,,yes,\n", "nobody is audited without consent"),
        ("a,a.png,guest,staff,yes,\n", "one of enrol, probe, impostor"),
        ("a,a.png,enrol,staff,perhaps,\n", "one of yes, no"),
        ("a,a.png,enrol,staff,yes,test\na,b.png,probe,staff,yes,calibrate\n", "both sides"),
        ("a,a.png,enrol,staff,yes,\na,b.png,probe,staff,no,\n", "two values of 'authorised'"),
        (
            "a,a.png,enrol,staff,yes,\nb,a.png,probe,staff,yes,\n",
            "'a' and 'b' are the same picture",
        ),
        ("a,a.png,enrol,staff,yes,\na,b.png,impostor,staff,yes,\n", "enrolled and an impostor"),
        ("", "lists nobody"),
    ],
)
def test_a_list_that_cannot_be_used_is_refused_in_one_sentence(rows, said):
    with pytest.raises(InputError, match=said):
        people(rows)


@pytest.mark.parametrize("mark", [";", "\t"])
def test_a_list_saved_with_other_marks_than_commas_is_told_so(mark):
    text = (HEADER + "a,a.png,enrol,staff,yes,\n").replace(",", mark)
    with pytest.raises(InputError, match="commas are needed"):
        read_people(text, "identities.csv", digest)


def test_a_message_names_some_files_and_counts_the_others():
    assert some_of(["a.png", "b.png"]) == "'a.png', 'b.png'"
    assert some_of([f"{n}.png" for n in range(12)]).endswith("'9.png' and 2 more")


def test_a_missing_column_is_named():
    with pytest.raises(InputError, match="'consent' is missing"):
        read_people("id,file,role\n", "identities.csv", digest)


def test_sides_share_nobody_and_do_not_move_with_the_order():
    known = read_people(listed(), "identities.csv", digest)
    once = sides(known, 0.4, 1)
    assert once == sides(known[::-1], 0.4, 1)
    assert sum(part == "calibrate" for part in once.values()) == 5
    assert once != sides(known, 0.4, 2)


def test_too_few_people_on_a_side_are_refused():
    with pytest.raises(InputError, match="at least 2 are needed"):
        sides(read_people(listed(3), "identities.csv", digest), 0.4, 1)


@pytest.mark.parametrize(
    ("named", "said"), [("zz", "not in the list"), ("b", "not authorised"), ("c", "0 probe")]
)
def test_a_target_must_be_listed_authorised_and_pictured(named, said):
    known = people(
        "a,a.png,enrol,staff,yes,\na,a2.png,probe,staff,yes,\n"
        "b,b.png,enrol,staff,no,\nb,b2.png,probe,staff,no,\nc,c.png,enrol,staff,yes,\n"
    )
    assert targets_of(known, ()) == ("a",)
    with pytest.raises(InputError, match=said):
        targets_of(known, [named])


@pytest.mark.parametrize("consent", ["Research", "research data set of 2007", "research: LFW"])
def test_people_of_research_data_are_not_sent_away(consent):
    known = people(f"a,a.png,enrol,{consent},yes,\n")
    with pytest.raises(InputError, match="on this machine only"):
        check_may_be_sent(known, "rest")


def test_people_who_agreed_may_be_sent():
    check_may_be_sent(people("a,a.png,enrol,signed for this research audit,yes,\n"), "rest")
