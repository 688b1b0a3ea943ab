"""What samples can show: the published sizes, and the intervals behind them."""

from __future__ import annotations

import pytest

from tidewaiter.evaluation import planning
from tidewaiter.evaluation.intervals import clopper_pearson, rule_of_three


@pytest.mark.parametrize(
    ("rate", "trials"),
    [(0.15, 19), (0.07, 42), (0.05, 59), (0.02, 149), (0.01, 299), (0.001, 2995)],
)
def test_zero_success_sizes_are_the_published_ones(rate, trials):
    assert planning.trials_without_success(rate) == trials
    assert planning.bound_without_success(trials) <= rate
    assert planning.bound_without_success(trials - 1) > rate


def test_the_rule_of_three_is_near_the_exact_bound():
    assert planning.bound_without_success(100) == pytest.approx(rule_of_three(100), rel=0.02)
    assert planning.bound_without_success(10**7) == pytest.approx(3e-7, rel=0.002)


def test_the_rule_of_thirty_asks_for_thirty_thousand_at_a_thousandth():
    assert planning.trials_for(0.001) == 30_000
    assert planning.smallest_reportable_rate(30_000) == pytest.approx(0.001)
    assert planning.smallest_reportable_rate(10) == 1.0
    assert planning.reportable(30)
    assert not planning.reportable(29)


def test_thirty_errors_lie_within_thirty_percent_at_ninety_percent_confidence():
    interval = clopper_pearson(30, 30_000, level=0.9)
    assert 0.68 * interval.value < interval.lower
    assert interval.upper < 1.38 * interval.value


def test_correlated_attempts_are_worth_between_the_people_and_the_trials():
    assert planning.effective_trials(40, 160, 0.0) == 160
    assert planning.effective_trials(40, 160, 1.0) == pytest.approx(40)
    assert planning.effective_trials(40, 160) == pytest.approx(160 / 1.9)


def test_the_most_successes_below_a_line_are_the_most():
    most = planning.most_successes_below(0.15, 100)
    assert clopper_pearson(most, 100).upper < 0.15 <= clopper_pearson(most + 1, 100).upper
    assert planning.most_successes_below(0.07, 51) == 0
    assert planning.most_successes_below(0.07, 50) is None


@pytest.mark.parametrize("line", [0.5, 0.15, 0.07, 0.05, 0.01])
def test_the_fewest_trials_below_a_line_are_the_fewest(line):
    fewest = planning.fewest_trials_below(line)
    assert planning.most_successes_below(line, fewest) is not None
    assert planning.most_successes_below(line, fewest - 1) is None


def test_forty_people_cannot_show_the_line_of_seven_percent():
    shown = planning.showing(40, 160)
    by_line = {line.line: line.most_successes for line in shown.lines}
    assert by_line[0.07] is None
    assert by_line[0.15] == 1
    assert 0.07 < shown.bound_if_none < 0.08
    assert shown.smallest_reportable == 30 / 160
    assert [interval.value for interval in shown.expected] == pytest.approx([0.01, 0.07, 0.5])
    assert shown.expected[1].upper > 0.13


@pytest.mark.parametrize(
    "call",
    [
        lambda: planning.trials_without_success(0),
        lambda: planning.trials_for(1),
        lambda: planning.bound_without_success(0),
        lambda: planning.smallest_reportable_rate(0),
        lambda: planning.effective_trials(10, 5),
        lambda: planning.effective_trials(10, 50, 2),
    ],
)
def test_samples_that_cannot_be_are_refused(call):
    with pytest.raises(ValueError, match="needed"):
        call()
