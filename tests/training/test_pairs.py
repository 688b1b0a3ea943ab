"""Pairs: one of a number is always the same, and what is left out is never drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

pytest.importorskip("torch", reason="torch is not installed; see the extra `training`")

from tests.training.drawn_crops import crops
from tidewaiter.errors import UnfitFaces
from tidewaiter.forgeries.faces import SPECIES, Forgery, Species
from tidewaiter.training import pairs as drawing
from tidewaiter.training.pairs import (
    GATE_FAMILY_SHARES,
    LABELLED,
    OWN_FORGERY,
    SELF_BLEND,
    Mixture,
    Pairs,
)

FAMILIES = {species.family for species in SPECIES.values()}


@pytest.fixture
def drawn(monkeypatch):
    """Counts which species are made, without the time they take."""
    count: Counter[str] = Counter()

    def counting(name: str, species: Species) -> Species:
        def recipe(host, donor, rng):
            count[name] += 1
            mask = np.zeros(host.pixels.shape[:2], np.float32)
            return Forgery(255 - host.pixels, mask)

        return Species(species.family, recipe, species.uses_donor)

    replaced = {name: counting(name, species) for name, species in SPECIES.items()}
    monkeypatch.setattr(drawing, "SPECIES", replaced)
    return count


def only(kind: str, **more) -> Mixture:
    return Mixture(kinds={kind: 1.0}, **more)


def test_the_pair_of_a_number_depends_on_nothing_else():
    first, second = (Pairs(crops(4, forged=2), Mixture(), 3) for _ in range(2))
    again = [second[number] for number in (5, 1, 0)]
    for number, other in zip((5, 1, 0), again, strict=True):
        pair = first[number]
        assert pair.genuine.tobytes() == other.genuine.tobytes()
        assert pair.forged.tobytes() == other.forged.tobytes()


def test_another_seed_gives_other_pairs():
    one, other = (Pairs(crops(3), only(SELF_BLEND), seed)[0] for seed in (1, 2))
    assert one.genuine.tobytes() != other.genuine.tobytes()


def test_members_are_views_for_the_network_with_a_coarse_mask():
    pair = Pairs(crops(3), only(SELF_BLEND), 1)[4]
    assert pair.genuine.shape == pair.forged.shape == (160, 160, 3)
    assert pair.mask.shape == (10, 10)
    assert 0 <= pair.mask.min() < pair.mask.max() <= 1


def test_of_labelled_pairs_the_place_is_not_known():
    pair = Pairs(crops(3, forged=2), only(LABELLED), 1)[0]
    assert pair.mask is None


def test_labelled_members_are_of_one_pair():
    """Forged partners are the inverse of their own genuine face, so both sum to white."""
    made = Pairs(crops(4, forged=3), only(LABELLED), 1)
    for _ in range(6):
        genuine, forged, _ = made._made(LABELLED, np.random.default_rng(0))
        assert (genuine.astype(int) + forged == 255).all()


def test_without_labelled_pairs_the_other_kinds_are_drawn(drawn):
    made = Pairs(crops(3), Mixture(), 1)
    assert LABELLED not in made._kinds
    assert made[0].mask is not None


def test_recapture_is_never_drawn(drawn):
    made = Pairs(crops(3), only(OWN_FORGERY), 1)
    for number in range(60):
        made[number]
    assert {SPECIES[name].family for name in drawn} == FAMILIES - {"recapture"}


def test_for_a_gate_replays_are_learned_as_one_camera_ships_them(drawn):
    mixture = only(OWN_FORGERY, families=GATE_FAMILY_SHARES, one_camera=True)
    made = Pairs(crops(3), mixture, 1)
    for number in range(60):
        pair = made[number]
        assert pair.genuine.shape == pair.forged.shape == (160, 160, 3)
    assert {SPECIES[name].family for name in drawn} == FAMILIES - {"retouch"}
    shipped_otherwise = Pairs(crops(3), only(OWN_FORGERY, families=GATE_FAMILY_SHARES), 1)[0]
    assert shipped_otherwise.genuine.tobytes() != made[0].genuine.tobytes()


@pytest.mark.parametrize("family", sorted(FAMILIES - {"recapture"}))
def test_a_family_left_out_is_never_drawn(drawn, family):
    made = Pairs(crops(3), only(OWN_FORGERY, left_out=frozenset({family})), 1)
    for number in range(60):
        made[number]
    assert drawn
    assert family not in {SPECIES[name].family for name in drawn}


def test_a_species_left_out_is_never_drawn_and_its_family_still_is(drawn):
    left_out = frozenset({"recapture-print", "reenact", "reenact-mouth"})
    mixture = only(OWN_FORGERY, families=GATE_FAMILY_SHARES, left_out=left_out)
    made = Pairs(crops(3), mixture, 1)
    for number in range(60):
        made[number]
    assert "recapture-screen" in drawn
    assert not left_out & set(drawn)
    assert {SPECIES[name].family for name in drawn} == {"recapture", "swap", "morph"}


def test_self_blends_can_be_left_out(drawn):
    kinds = {SELF_BLEND: 1.0, OWN_FORGERY: 1.0}
    made = Pairs(crops(3), Mixture(kinds=kinds, left_out=frozenset({SELF_BLEND})), 1)
    assert made._kinds == [OWN_FORGERY]


def test_refused_forgeries_end_in_a_self_blend(monkeypatch):
    def refused(host, donor, rng):
        raise UnfitFaces("they look different ways; take another donor")

    monkeypatch.setattr(
        drawing, "SPECIES", {"swap-never": Species("swap", refused, uses_donor=False)}
    )
    pair = Pairs(crops(2), only(OWN_FORGERY), 1)[0]
    assert pair.mask is not None
    assert (pair.genuine != pair.forged).any()


def test_sets_are_drawn_by_their_shares():
    many = crops(2)
    other = tuple(
        item.__class__(**{**item.__dict__, "group": name})
        for item, name in zip(many.items, ("often", "seldom"), strict=True)
    )
    mixed = many.__class__(many.pixels, many.points, other, many.side)
    made = Pairs(mixed, Mixture(groups={"often": 0.9, "seldom": 0.1}), 1)
    rng = np.random.default_rng(4)
    count = Counter(made._any_group(rng) for _ in range(1000))
    assert 850 < count["often"] < 950


def test_a_transplanted_face_lies_over_its_genuine_partner():
    """The partner is the inverse of the genuine face: outside the mask nothing of it is seen."""
    made = Pairs(crops(3, forged=3), only(LABELLED, transplanted=1.0), 1)
    seen = [made._made(LABELLED, np.random.default_rng(seed)) for seed in range(6)]
    found = [trio for trio in seen if trio is not None]
    assert found
    for genuine, forged, mask in found:
        assert (forged[mask == 0] == genuine[mask == 0]).all()
        assert (forged[mask > 0.9] != genuine[mask > 0.9]).any()


def test_without_swaps_no_face_is_transplanted(drawn):
    left_out = frozenset({"swap"})
    made = Pairs(crops(3, forged=3), only(LABELLED, transplanted=1.0, left_out=left_out), 1)
    assert all(made[number].mask is None for number in range(5))
    assert not drawn


def test_a_swap_left_out_lays_no_face_over_another(drawn):
    left_out = frozenset({"swap-feather"})
    made = Pairs(crops(3, forged=3), only(LABELLED, transplanted=1.0, left_out=left_out), 1)
    for number in range(5):
        made[number]
    assert set(drawn) == {"swap-poisson"}


def test_couples_are_drawn_by_their_own_shares():
    many = crops(2, forged=2)
    items = tuple(
        item.__class__(**{**item.__dict__, "group": "often" if item.source == "s0" else "seldom"})
        for item in many.items
    )
    mixed = many.__class__(many.pixels, many.points, items, many.side)
    shares = {"often": 0.9, "seldom": 0.1}
    made = Pairs(mixed, Mixture(groups={"often": 0.1, "seldom": 0.9}, couples=shares), 1)
    rng = np.random.default_rng(4)
    count = Counter(items[made._any_couple(rng)[0][0]].group for _ in range(1000))
    assert 850 < count["often"] < 950
