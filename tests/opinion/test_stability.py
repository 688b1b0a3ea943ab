"""Re-shipping: attenuation is expected, a flip ends as "cannot tell"."""

from __future__ import annotations

import pytest

from tests.opinion.making import ALTERED
from tidewaiter.opinion.stability import apply, change, compare
from tidewaiter.vocabulary import Opinion, Verdict, tr

MANIPULATED, AS_ISSUED, UNSURE = (
    Verdict.SUPPORTS_MANIPULATED,
    Verdict.SUPPORTS_AS_ISSUED,
    Verdict.CANNOT_TELL,
)


def _opinion(log10_lr: float, verdict: Verdict) -> Opinion:
    return Opinion(
        proposition=ALTERED,
        log10_lr=log10_lr,
        lower=log10_lr - 0.1,
        upper=log10_lr + 0.1,
        calibration="test",
        verbal=tr("words"),
        verdict=verdict,
        contributors=(),
    )


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((1.5, MANIPULATED), (1.45, MANIPULATED), "same"),
        ((1.5, MANIPULATED), (0.3, UNSURE), "attenuated"),
        ((1.5, MANIPULATED), (1.9, MANIPULATED), "strengthened"),
        ((1.5, MANIPULATED), (-1.2, AS_ISSUED), "flipped"),
        ((-1.2, AS_ISSUED), (1.2, MANIPULATED), "flipped"),
        ((0.2, UNSURE), (1.2, MANIPULATED), "flipped"),
        ((0.95, UNSURE), (1.0, MANIPULATED), "flipped"),
        ((0.0, UNSURE), (-1.2, AS_ISSUED), "strengthened"),
        ((0.2, UNSURE), (0.2, UNSURE), "same"),
        ((1.05, MANIPULATED), (0.99, UNSURE), "attenuated"),
    ],
)
def test_how_an_opinion_moved(
    before: tuple[float, Verdict], after: tuple[float, Verdict], expected: str
) -> None:
    assert change(_opinion(*before), _opinion(*after)) == expected


def test_a_proposition_nobody_speaks_about_any_more_is_attenuated() -> None:
    (outcome,) = compare([_opinion(1.5, MANIPULATED)], {"jpeg 40": []})
    assert (outcome.change, outcome.log10_lr) == ("attenuated", 0.0)


def test_a_flip_becomes_cannot_tell_and_names_the_transforms() -> None:
    received = [_opinion(0.0, UNSURE)]
    reshipped = {
        "jpeg 70": [_opinion(0.1, UNSURE)],
        "jpeg 40": [_opinion(1.2, MANIPULATED)],
        "half size": [_opinion(1.3, MANIPULATED)],
    }
    outcomes = compare(received, reshipped)
    assert [outcome.transform for outcome in outcomes] == list(reshipped)
    (settled,) = apply(received, outcomes)
    assert settled.verdict is UNSURE
    assert "jpeg 40, half size" in str(settled.reason)
    assert "no support" in str(settled.verbal)


def test_an_opinion_that_survives_is_left_as_it_is() -> None:
    received = [_opinion(1.5, MANIPULATED)]
    outcomes = compare(received, {"jpeg 90": [_opinion(1.4, MANIPULATED)]})
    assert apply(received, outcomes) == tuple(received)
