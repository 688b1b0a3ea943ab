"""Founding a custody site: once, and by people who can decide something together."""

from __future__ import annotations

import pytest

from tests.cli.custody_kit import FOUNDERS, ORIGIN, Place


def test_a_founded_site_is_never_founded_again(tmp_path):
    place = Place(tmp_path)
    words = ["--origin", ORIGIN, *[f"--founder={one}" for one in FOUNDERS]]
    first = place.do("init", *words)
    assert first.code == 0
    assert "no witness" in first.text
    again = place.do("init", *words)
    assert again.code == 7
    assert "never made anew" in again.text


@pytest.mark.parametrize(
    ("founders", "said"),
    [
        (("a:vigilance", "b:legal"), "2 founders"),
        (("a:log", "b:storage", "c:legal"), "of whom 1 may approve"),
        (("a:log", "b:legal", "c:legal"), "two of them of different roles"),
        (("a:log", "a:legal", "c:vigilance"), "one name"),
    ],
)
def test_founders_who_could_not_decide_anything_are_refused(tmp_path, founders, said):
    answer = Place(tmp_path).do("init", "--origin", ORIGIN, *[f"--founder={f}" for f in founders])
    assert answer.code == 7
    assert said in answer.text
    assert not (tmp_path / "site").exists()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (("--class", "under review=5"), "under review"),
        (("--class", f"long={10**17}"), "a number beyond"),
        (("--class", "brief=5", "--class", "brief=6"), "two classes"),
    ],
)
def test_what_cannot_be_founded_leaves_no_half_of_a_site(tmp_path, wrong, said):
    """Else the next, right attempt is told that a site is there already."""
    place = Place(tmp_path)
    words = ["--origin", ORIGIN, *[f"--founder={one}" for one in FOUNDERS]]
    answer = place.do("init", *words, *wrong)
    assert (answer.code, said in answer.text) == (7, True), answer.text
    assert not (place.site / "log.sqlite").exists()
    assert place.do("init", *words).code == 0


def test_an_origin_may_hold_any_sign_that_a_checkpoint_takes(tmp_path):
    words = ["--origin", 'log"of\\customs', *[f"--founder={one}" for one in FOUNDERS]]
    place = Place(tmp_path)
    assert place.do("init", *words).code == 0
    assert place.do("list").code == 0
