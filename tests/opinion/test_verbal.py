"""Words for likelihood ratios."""

from __future__ import annotations

import pytest

from tests.opinion.making import calibration, finding
from tidewaiter.opinion.verbal import ratio_of, scale, sentence
from tidewaiter.opinion.weighing import weigh
from tidewaiter.vocabulary import Opinion, Proposition


@pytest.mark.parametrize(
    ("log10_lr", "words"),
    [
        (0.0, "no support for either side"),
        (0.29, "no support for either side"),
        (0.5, "weak support for manipulation"),
        (1.0, "moderate support for manipulation"),
        (2.3, "moderately strong support for manipulation"),
        (3.5, "strong support for manipulation"),
        (5.0, "very strong support for manipulation"),
        (6.5, "extremely strong support for manipulation"),
        (-1.5, "moderate support for the exhibit being as issued"),
        (-7.0, "extremely strong support for the exhibit being as issued"),
    ],
)
def test_the_scale(log10_lr: float, words: str) -> None:
    assert str(scale(log10_lr)).startswith(words)


@pytest.mark.parametrize(
    ("log10_lr", "ratio"),
    [(1.6, "40"), (2.0, "100"), (3.08, "1200"), (0.15, "1.4"), (-0.5, "0.3"), (-9.0, "0.01")],
)
def test_a_ratio_is_rounded_to_what_a_reader_can_use(log10_lr: float, ratio: str) -> None:
    assert ratio_of(log10_lr) == ratio


def _opinion(score: float, **changes: object) -> Opinion:
    return weigh([finding(score=score)], [calibration(**changes)])[0]  # type: ignore[arg-type]


def test_the_sentence_of_the_handbook() -> None:
    said = str(sentence(_opinion(1.6, spread=0.19)))
    assert said.startswith(
        "The findings are about 40 times more probable if the picture was altered than if it is "
        "as recorded (95 % interval "
    )
    assert said.endswith("limited to 100 by the validation data).")


def test_the_mirror_image_keeps_its_numbers_above_one() -> None:
    said = str(sentence(_opinion(-1.6, bound=2.0)))
    assert "about 40 times less probable if the picture was altered" in said
    assert "limited to 100" in said


def test_an_interval_cut_to_one_value_by_its_limit_is_not_shown_as_certainty() -> None:
    said = str(sentence(_opinion(8.0, bound=2.0)))
    assert "about 100 times more probable" in said
    assert "the most that the validation data allow" in said
    assert "100–100" not in said


def test_a_cue_that_may_not_clear_says_that_it_may_say_no_less() -> None:
    said = str(sentence(_opinion(-8.0, may_clear=False)))
    assert "likelihood ratio 1, the least that the methods used here may say" in said
    assert "1–1" not in said


def test_no_support_either_way_is_said_without_times() -> None:
    assert "about as probable" in str(sentence(_opinion(0.1)))


def test_without_calibration_nothing_is_weighed() -> None:
    assert "weigh nothing" in str(sentence(weigh([finding()], [])[0]))


@pytest.mark.parametrize("proposition", Proposition)
@pytest.mark.parametrize("value", [1.5, -1.5, 0.0])
def test_every_proposition_has_its_sentence(proposition: Proposition, value: float) -> None:
    opinion = _opinion(value).model_copy(update={"proposition": proposition})
    said = str(sentence(opinion))
    assert "{" not in said
    assert said.startswith("The findings are about")
