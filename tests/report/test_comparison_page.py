from __future__ import annotations

import dataclasses
import re

import pytest

from tidewaiter.custody.differences import (
    CARRIERS,
    MEASURES,
    NOT_COMPARED,
    Comparison,
    Difference,
    Place,
    Stretch,
)
from tidewaiter.custody.differences import KINDS as DIFFERENCE_KINDS
from tidewaiter.messages import translator
from tidewaiter.report.comparison_page import (
    KINDS,
    MEASURED,
    Seen,
    comparison_page,
    lines,
    measured_words,
    verdict_words,
)

CUT = Difference(
    "removed",
    Stretch(150, 150, 6.0, 6.0),
    Stretch(150, 200, 6.0, 8.0),
    uncertain=9,
    measure="length_pictures",
    level=50.0,
    threshold=3.0,
)
PAINTED = Difference(
    "painted",
    Stretch(60, 120, 2.4, 4.8),
    Stretch(60, 120, 2.4, 4.8),
    place=Place(0.1, 0.2, 0.3, 0.4),
    measure="picture_residual",
    level=1213.5,
    threshold=26.6,
)
FOUND = Comparison(
    verdict="altered",
    carrier="re_encoded",
    differences=(PAINTED, CUT),
    notes=("cropped", "something new"),
    original_sha256="a" * 64,
    copy_sha256="b" * 64,
    frames=(250, 200),
    seconds=(10.0, 8.0),
    floor=0.5,
    thresholds="88 copies",
)
NAMES = ("shift <1>.mp4", "copy.mp4")
PIXEL = b"\x89PNG\r\n\x1a\n"


def unaltered(verdict, carrier):
    return dataclasses.replace(FOUND, verdict=verdict, carrier=carrier, differences=(), notes=())


def said_of(found):
    return " ".join(sentence.render(str) for sentence in verdict_words(found))


def test_every_kind_and_every_measure_has_words():
    assert set(KINDS) == set(DIFFERENCE_KINDS)
    assert set(MEASURED) == set(MEASURES)


@pytest.mark.parametrize("language", ["en", "fr"])
def test_every_difference_states_its_level_and_the_threshold(language):
    page = comparison_page(FOUND, NAMES, {}, language)
    for item in FOUND.differences:
        assert measured_words(item).render(translator(language)) in page
    assert "1213.5" in page
    assert "26.6" in page


@pytest.mark.parametrize("measure", MEASURES)
def test_what_was_measured_is_said_with_its_threshold(measure):
    bare = measure == "identity"
    levels = {"level": None, "threshold": None} if bare else {"level": 7.0, "threshold": 3.0}
    said = measured_words(dataclasses.replace(CUT, measure=measure, **levels)).render(str)
    assert "{" not in said
    assert bare or ("7" in said and "3" in said)
    assert ("alter nothing" in said) == (not bare and measure != "pace")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_page_says_what_and_where(language):
    page = comparison_page(FOUND, NAMES, {0: Seen(PIXEL, PIXEL)}, language)
    assert "<1>" not in page
    assert page.count("<svg") == 2
    assert page.count("data:image/png") == 2
    assert "#150 – #199" in page
    assert "a" * 64 in page
    words = KINDS["removed"].render(translator(language))
    assert words in page


def test_languages_differ():
    english, french = (comparison_page(FOUND, NAMES, {}, one) for one in ("en", "fr"))
    assert "Altérée" in french
    assert "Altérée" not in english


@pytest.mark.parametrize(
    ("verdict", "carrier", "word"),
    [
        ("unchanged", "same_file", "same file"),
        ("unchanged", "remuxed", "remuxed"),
        ("transcoded", "re_encoded", "does not prove"),
        ("transcoded", "sound_re_encoded", "sound was encoded anew"),
        ("cannot_tell", "re_encoded", "Cannot tell"),
    ],
)
def test_each_verdict_has_its_words(verdict, carrier, word):
    found = unaltered(verdict, carrier)
    assert any(word in sentence.render(str) for sentence in verdict_words(found))
    assert "<svg" not in comparison_page(found, NAMES, {})


def test_an_exact_comparison_says_so():
    exact = dataclasses.replace(FOUND, carrier="remuxed")
    assert "bit by bit" in said_of(exact)
    assert "bit by bit" not in said_of(FOUND)
    assert "bit by bit" not in said_of(dataclasses.replace(FOUND, carrier="sound_re_encoded"))


def test_every_carrier_has_words_for_what_was_altered():
    for carrier in set(CARRIERS) - {"same_file"}:
        assert said_of(dataclasses.replace(FOUND, carrier=carrier)).startswith("Altered.")


def test_what_was_not_compared_is_said_where_nothing_else_differs():
    found = dataclasses.replace(unaltered("cannot_tell", "remuxed"), notes=(NOT_COMPARED,))
    assert "holds more than was compared" in said_of(found)


def test_lines_for_a_terminal_name_every_difference():
    said = lines(FOUND, str)
    assert len(said) == 4
    assert said[-1].strip().startswith("0:06 (#150)")
    assert "← 0:06 – 0:08 (#150 – #199)" in said[-1]


def test_stretches_bear_the_numbers_of_their_rows_on_both_bars():
    whole_copy = dataclasses.replace(PAINTED, copy=Stretch(0, 200, 0.0, 8.0), original=None)
    found = dataclasses.replace(FOUND, differences=(whole_copy, CUT))
    page = comparison_page(found, NAMES, {})
    on_copy, on_original = page.split("<figcaption>The original:")
    assert re.findall(r'class="number"[^>]*>(\d+)<', on_copy) == ["1", "2"]
    assert re.findall(r'class="number"[^>]*>(\d+)<', on_original) == ["2"]


def test_each_timeline_says_whose_it_is():
    page = comparison_page(FOUND, NAMES, {})
    assert "<figcaption>The copy: where it differs</figcaption>" in page
    assert page.index("<figcaption>The copy:") < page.index("<figcaption>The original:")
