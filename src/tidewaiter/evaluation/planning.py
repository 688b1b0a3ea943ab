"""What a sample can and cannot show, before anything is spent on it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tidewaiter.evaluation.intervals import LEVEL, Interval, clopper_pearson

# 30 errors put the true rate within ±30 % of the measured at 90 % confidence
# (Doddington et al. 2000, the rule of 30; ISO/IEC 19795-1).
REPORTABLE_ERRORS = 30

# Lines that attack acceptance is judged against: NIST SP 800-63A-4 and FIDO 7 %, FIDO's lower
# level 15 %, iBeta level 2 as reported 1 %.
LINES = (0.15, 0.07, 0.01)

# Attempts on one person resemble each other; the pilot's correlation within a person
# (handbook of the face audit, 3.6).
CORRELATION = 0.3

_ROUNDING = 1e-9


@dataclass(frozen=True)
class LineShown:
    """Whether a sample can show that a rate lies below a line.

    With `most_successes`, one trial counted per person, the upper end of the two-sided 95 %
    interval still lies below the line; None where even no success at all would not do.
    """

    line: float
    most_successes: int | None


@dataclass(frozen=True)
class Showing:
    """What a sample of so many people and trials can show.

    `effective_trials` is between the people and the trials; `bound_if_none` is the upper end
    of the one-sided 95 % bound should nothing succeed, with one effective trial per person;
    `expected` are the intervals to expect at given true rates.
    """

    people: int
    trials: int
    effective_trials: float
    bound_if_none: float
    smallest_reportable: float
    lines: tuple[LineShown, ...]
    expected: tuple[Interval, ...]


def trials_without_success(rate: float, level: float = LEVEL) -> int:
    """Independent trials, all failing, that put the true rate below `rate` (one-sided).

    15 % needs 19, 7 % 42, 1 % 299, 0.1 % 2,995.
    """
    _check_rate(rate)
    return math.ceil(math.log(1 - level) / math.log1p(-rate) - _ROUNDING)


def bound_without_success(trials: float, level: float = LEVEL) -> float:
    """The one-sided upper bound of a rate of which no event was seen: exact, about 3/n."""
    if trials <= 0:
        raise ValueError(f"{trials} trials; more than 0 is needed")
    return -math.expm1(math.log(1 - level) / trials)


def reportable(errors: int) -> bool:
    """The rule of 30: whether there are errors enough to state a rate without a mark."""
    return errors >= REPORTABLE_ERRORS


def trials_for(rate: float) -> int:
    """Trials that the rule of 30 asks for at a rate: 30,000 for an FMR of 0.1 %."""
    _check_rate(rate)
    return math.ceil(REPORTABLE_ERRORS / rate - _ROUNDING)


def smallest_reportable_rate(trials: int) -> float:
    """The lowest rate that so many trials can report by the rule of 30; at most 1."""
    if trials < 1:
        raise ValueError(f"{trials} trials; at least one is needed")
    return min(1.0, REPORTABLE_ERRORS / trials)


def effective_trials(people: int, trials: int, correlation: float = CORRELATION) -> float:
    """Independent trials that trials spread evenly over people are worth.

    `correlation` within a person: 0 where attempts are independent, 1 where they all agree.
    """
    if people < 1 or trials < people or not 0 <= correlation <= 1:
        raise ValueError(
            f"{trials} trials of {people} people, correlation {correlation}; at least one trial "
            "each and a correlation of 0 to 1 are needed"
        )
    return trials / (1 + (trials / people - 1) * correlation)


def most_successes_below(line: float, trials: float, level: float = LEVEL) -> int | None:
    """The most successes whose exact interval still ends below the line; None if not even 0."""
    _check_rate(line)
    most = None
    for successes in range(math.ceil(trials * line)):
        if clopper_pearson(successes, trials, level).upper >= line:
            break
        most = successes
    return most


def fewest_trials_below(line: float, level: float = LEVEL) -> int:
    """Trials without a success from which the exact interval ends below the line."""
    _check_rate(line)
    return math.floor(math.log((1 - level) / 2) / math.log1p(-line)) + 1


def showing(
    people: int,
    trials: int,
    *,
    rates: Sequence[float] = (0.01, 0.07, 0.5),
    lines: Sequence[float] = LINES,
    correlation: float = CORRELATION,
) -> Showing:
    """What an audit with so many trials spread over so many people can show."""
    worth = effective_trials(people, trials, correlation)
    return Showing(
        people=people,
        trials=trials,
        effective_trials=worth,
        bound_if_none=bound_without_success(people),
        smallest_reportable=smallest_reportable_rate(trials),
        lines=tuple(LineShown(line, most_successes_below(line, people)) for line in lines),
        expected=tuple(clopper_pearson(rate * worth, worth) for rate in rates),
    )


def _check_rate(rate: float) -> None:
    if not 0 < rate < 1:
        raise ValueError(f"a rate of {rate}; between 0 and 1 is needed")
