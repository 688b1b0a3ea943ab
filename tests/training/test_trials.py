"""Trials: genuine and forged travel alike, and two families are kept from every fit."""

from __future__ import annotations

from collections import Counter

import cv2
import numpy as np
import pytest

from tests.forgeries.drawn_faces import face
from tidewaiter.forgeries.faces import SPECIES
from tidewaiter.training.trials import (
    CLIP,
    FAMILIES,
    GATE_FAMILIES,
    SAVED,
    WAYS,
    kinds_of,
    left_out_families,
    trials,
)

HOST, DONOR = ((one.pixels, one.points) for one in (face(1, 320), face(2, 320)))


def made(families=("swap", "retouch"), seed=3):
    return list(trials(HOST, [DONOR], kinds_of(families), seed))


def test_every_member_travels_every_way():
    found = Counter((trial.family, trial.way) for trial in made())
    assert set(found) == {(family, way) for family in ("", "swap", "retouch") for way in WAYS}
    assert set(found.values()) == {1}


def test_a_seed_gives_the_same_bytes_and_another_gives_others():
    assert made() == made()
    assert [t.data for t in made() if t.family] != [t.data for t in made(seed=4) if t.family]


def test_a_family_does_not_depend_on_which_others_are_made():
    alone = [trial for trial in made(("retouch",)) if trial.family]
    assert alone == [trial for trial in made() if trial.family == "retouch"]


def test_members_of_a_way_have_one_size_and_differ():
    for way in WAYS:
        shown = [
            cv2.imdecode(np.frombuffer(trial.data, np.uint8), 1)
            for trial in made()
            if trial.way == way
        ]
        assert len({picture.shape for picture in shown}) == 1
        assert (shown[0] != shown[1]).any()


def test_for_a_gate_every_family_is_made_as_a_camera_saves_it():
    found = list(trials(HOST, [DONOR], kinds_of(GATE_FAMILIES), 3, ways=(SAVED,)))
    assert {trial.way for trial in found} == {SAVED}
    assert {"recapture", "swap"} <= {trial.family for trial in found}
    whole = [
        trial for trial in trials(HOST, [DONOR], kinds_of(GATE_FAMILIES), 3) if trial.way == SAVED
    ]
    assert found == whole


def test_without_a_fitting_donor_a_family_is_left_out():
    assert {trial.family for trial in trials(HOST, [], kinds_of(("swap", "retouch")), 1)} == {
        "",
        "retouch",
    }


def test_a_species_set_apart_is_a_kind_of_its_own_and_drawn_in_no_family():
    kinds = kinds_of(("recapture", "reenactment"), ("recapture-print", "recapture"))
    assert kinds == {
        "recapture": ("recapture-screen",),
        "reenactment": ("reenact", "reenact-mouth"),
        "recapture-print": ("recapture-print",),
    }
    found = {trial.family: trial.data for trial in trials(HOST, [DONOR], kinds, 3, ways=(SAVED,))}
    assert found.keys() == {"", *kinds}
    assert found["recapture"] != found["recapture-print"]


def test_a_family_of_which_every_species_is_set_apart_is_none():
    apart = ("recapture-print", "recapture-screen")
    assert set(kinds_of(("recapture", "swap"), apart)) == {"swap", *apart}


def test_two_families_are_left_out_and_over_sites_all_of_them():
    drawn = Counter(left_out_families(f"site {number}") for number in range(300))
    assert len(drawn) == 6
    assert min(drawn.values()) > 25
    assert all(len(set(pair)) == 2 for pair in drawn)
    assert left_out_families("site 1") == left_out_families("site 1")


@pytest.mark.parametrize("family", FAMILIES)
def test_families_are_those_of_the_forgeries(family):
    assert family in {species.family for species in SPECIES.values()}


def test_clips_show_the_host_and_one_forgery():
    for seed, family in ((2, "retouch"), (3, "swap")):
        found = list(trials(HOST, [DONOR], kinds_of(("swap", "retouch")), seed, clip=True))
        clips = [trial.family for trial in found if trial.way == CLIP]
        assert clips == ["", family]
