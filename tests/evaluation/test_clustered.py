"""Intervals of clustered trials: formulas by hand, limits, and what they never do."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from tidewaiter.evaluation import clustered
from tidewaiter.evaluation.clustered import (
    Tally,
    clustered_clopper_pearson,
    design_effect,
    effective_trials,
    identity_bootstrap,
    korn_graubard,
    subject_bootstrap,
    tally,
    two_way_clopper_pearson,
)
from tidewaiter.evaluation.intervals import clopper_pearson


def counts(events: list[int], trials: list[int]) -> Tally:
    return Tally(np.array(events), np.array(trials))


EQUAL = counts([9, 1, 4, 7, 2, 6, 8, 3], [10] * 8)
TALLIES = st.integers(2, 12).flatmap(
    lambda n: st.lists(
        st.integers(1, 20).flatmap(lambda m: st.tuples(st.integers(0, m), st.just(m))),
        min_size=n,
        max_size=n,
    )
)


def test_a_tally_counts_by_person_in_sorted_order():
    found = tally(np.array([True, False, True, True]), ["b", "a", "b", "c"])
    assert found.events.tolist() == [0, 2, 1]
    assert found.trials.tolist() == [1, 2, 1]
    assert (found.identities, found.identities_hit, found.rate) == (3, 2, 0.75)


UNEQUAL = counts([9, 1, 12, 0, 2, 30, 4, 3], [10, 5, 40, 8, 8, 60, 12, 9])


# The jackknife is the more cautious where the person with most trials differs from the others,
# the spread of all people's own rates where that person is like the others by chance.
APART = counts([9, 1, 12, 0, 2, 55, 4, 3], [10, 5, 40, 8, 8, 60, 12, 9])
ALIKE = counts([9, 1, 3, 0, 8, 30, 4, 3], [10, 5, 10, 8, 8, 60, 8, 9])


def test_the_headline_interval_is_the_jackknife_written_out():
    events, trials = APART.events.tolist(), APART.trials.tolist()
    groups, total, rate = 8, sum(trials), sum(events) / sum(trials)
    without = [(sum(events) - k) / (total - n) - rate for k, n in zip(events, trials, strict=True)]
    squares = sum(shift**2 for shift in without)
    effect = (groups - 1) / groups * squares / (rate * (1 - rate) / total)
    kurtosis = groups * sum(shift**4 for shift in without) / squares**2
    freedom = 2 * (groups - 1) / (kurtosis - 1)
    assert 1 < freedom < groups - 1
    worth = total / effect
    worth *= (stats.t.ppf(0.975, total - 1) / stats.t.ppf(0.975, freedom)) ** 2
    lower = stats.beta.ppf(0.025, rate * worth, worth - rate * worth + 1)
    upper = stats.beta.ppf(0.975, rate * worth + 1, worth - rate * worth)
    found = clustered_clopper_pearson(APART)
    assert (found.value, found.lower, found.upper) == pytest.approx((rate, lower, upper), abs=1e-12)


def test_or_the_spread_of_peoples_own_rates_written_out():
    events, trials = ALIKE.events.tolist(), ALIKE.trials.tolist()
    groups, total, rate = 8, sum(trials), sum(events) / sum(trials)
    weights = [n / (1 + 0.3 * (n - 1)) for n in trials]
    people = list(zip(events, trials, [w / sum(weights) for w in weights], strict=True))
    between = groups / (groups - 1) * sum(w * (k / n - rate) ** 2 for k, n, w in people)
    within = sum(w / n for _, n, w in people)
    correlation = (between / (rate * (1 - rate)) - within) / (1 - within)
    assert 0 < correlation < 1
    worth = total / (1 + correlation * (sum(n * n for n in trials) / total - 1))
    worth *= (stats.t.ppf(0.975, total - 1) / stats.t.ppf(0.975, groups - 1)) ** 2
    assert effective_trials(ALIKE) == pytest.approx(worth, rel=1e-12)


def test_where_everybody_has_as_many_trials_both_variances_are_one():
    effect, freedom = clustered._jackknifed(EQUAL.events * 1.0, EQUAL.trials * 1.0)
    assert effect == pytest.approx(design_effect(EQUAL), rel=1e-12)
    spread = clustered._exchangeable(EQUAL.events * 1.0, EQUAL.trials * 1.0)
    assert spread == pytest.approx(effect, rel=1e-12)
    assert effective_trials(EQUAL) == pytest.approx(clustered._worth(80, effect, freedom, 0.95))


@pytest.mark.parametrize("correlation", [0.05, 0.3, 0.6])
def test_the_spread_of_own_rates_is_fair_whatever_their_correlation(correlation):
    rng = np.random.default_rng(4)
    trials = np.clip(rng.lognormal(3, 1.2, 4000).round(), 1, 400)
    spread = (1 - correlation) / correlation
    events = rng.binomial(trials.astype(int), rng.beta(0.3 * spread, 0.7 * spread, 4000))
    found = clustered._exchangeable(events.astype(float), trials)
    truth = 1 + correlation * ((trials**2).sum() / trials.sum() - 1)
    assert found == pytest.approx(truth, rel=0.12)


def test_one_person_with_most_of_the_trials_widens_the_interval():
    plain, found = korn_graubard(UNEQUAL), clustered_clopper_pearson(UNEQUAL)
    assert found.upper - found.lower > 1.1 * (plain.upper - plain.lower)


def test_korn_graubards_interval_is_the_formula_written_out():
    events, trials = EQUAL.events, EQUAL.trials
    groups, total, rate = 8, 80, 0.5
    variance = (
        groups
        / (groups - 1)
        * sum((k - rate * n) ** 2 for k, n in zip(events, trials, strict=True))
    )
    variance /= total**2
    effect = variance / (rate * (1 - rate) / total)
    worth = total / effect * (stats.t.ppf(0.975, 79) / stats.t.ppf(0.975, 7)) ** 2
    lower = stats.beta.ppf(0.025, rate * worth, worth - rate * worth + 1)
    upper = stats.beta.ppf(0.975, rate * worth + 1, worth - rate * worth)
    found = korn_graubard(EQUAL)
    assert design_effect(EQUAL) == pytest.approx(effect, abs=1e-12)
    assert (found.value, found.lower, found.upper) == pytest.approx((rate, lower, upper), abs=1e-12)


def test_trials_of_one_each_give_nearly_the_exact_interval():
    single = counts([1] * 30 + [0] * 70, [1] * 100)
    exact, found = clopper_pearson(30, 100), clustered_clopper_pearson(single)
    assert design_effect(single) == pytest.approx(100 / 99)
    assert found.lower == pytest.approx(exact.lower, abs=0.002)
    assert found.upper == pytest.approx(exact.upper, abs=0.002)


@pytest.mark.parametrize("events", [[0] * 10, [30, 30] + [0] * 8, [50] * 10, [20, 20] + [50] * 8])
def test_few_people_ever_hit_or_missed_count_as_one_trial_each_at_most(events):
    rare = counts(events, [50] * 10)
    assert effective_trials(rare) <= 10
    floored, free = korn_graubard(rare), korn_graubard(rare, floor=False)
    assert floored.upper - floored.lower >= free.upper - free.lower


def test_five_people_hit_and_missed_need_no_floor():
    known = counts([1] * 5 + [0] * 35, [50] * 40)
    assert effective_trials(known) > 40
    assert korn_graubard(known) == korn_graubard(known, floor=False)


def test_one_person_says_nothing_of_others():
    lonely = clustered_clopper_pearson(counts([3], [10]))
    assert (lonely.value, lonely.lower, lonely.upper) == (0.3, 0.0, 1.0)
    assert design_effect(counts([3], [10])) == np.inf


def test_two_people_who_differ_wholly_give_an_interval_all_the_same():
    found = clustered_clopper_pearson(counts([50, 0], [50, 50]))
    assert found.lower < 0.05
    assert found.upper > 0.95


@given(TALLIES)
def test_the_clustered_interval_holds_the_rate_and_is_never_short(pairs):
    events, trials = (list(column) for column in zip(*pairs, strict=True))
    found = clustered_clopper_pearson(counts(events, trials))
    naive = clopper_pearson(sum(events), sum(trials))
    assert 0 <= found.lower <= found.value <= found.upper <= 1
    assert found.upper >= naive.upper - 1e-9
    assert found.lower <= naive.lower + 1e-9
    if sum(events) == 0:
        assert found.upper > 0


@given(TALLIES, st.randoms())
def test_order_of_people_and_people_without_trials_do_not_matter(pairs, random):
    mixed = [*pairs, (0, 0)]
    random.shuffle(mixed)
    one, other = (
        clustered_clopper_pearson(counts(*(list(column) for column in zip(*given, strict=True))))
        for given in (pairs, mixed)
    )
    assert (one.lower, one.upper) == pytest.approx((other.lower, other.upper), abs=1e-9)


def test_the_identity_bootstrap_is_percentiles_of_rates_over_drawn_people():
    drawn = np.random.default_rng(3).integers(0, 8, size=(2000, 8))
    rates = EQUAL.events[drawn].sum(axis=1) / EQUAL.trials[drawn].sum(axis=1)
    found = identity_bootstrap(EQUAL, np.random.default_rng(3))
    assert (found.lower, found.upper) == tuple(np.percentile(rates, [2.5, 97.5]))


@pytest.mark.parametrize(("people", "rate"), [(10, 0.02), (20, 0.1), (40, 0.5)])
def test_the_headline_interval_holds_the_truth_where_the_exact_one_does_not(people, rate):
    rng = np.random.default_rng(11)
    own = rng.beta(rate * 7 / 3, (1 - rate) * 7 / 3, (250, people))
    held = {"clustered": 0, "exact": 0}
    for events in rng.binomial(32, own):
        audit = counts(events, [32] * people)
        for name, found in (
            ("clustered", clustered_clopper_pearson(audit)),
            ("exact", clopper_pearson(int(events.sum()), 32 * people)),
        ):
            held[name] += found.lower <= rate <= found.upper
    assert held["clustered"] / 250 >= 0.92
    assert held["exact"] / 250 <= 0.6


def crossed(seed: int = 7) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Flags of 20 targets by 12 hosts, five pictures each, where some of both succeed."""
    rng = np.random.default_rng(seed)
    targets, hosts = (axis.repeat(5) for axis in np.divmod(np.arange(240), 12))
    own = rng.normal(size=20)[targets] + rng.normal(size=12)[hosts]
    return rng.normal(size=targets.size) + own > 0.5, targets, hosts


def test_the_two_way_interval_is_the_formula_written_out():
    flags, targets, hosts = crossed()
    rate, total = flags.mean(), flags.size

    def jackknife(groups):
        names = sorted(set(groups))
        shifts = []
        for name in names:
            rest = [f for f, g in zip(flags, groups, strict=True) if g != name]
            shifts.append(sum(rest) / len(rest) - rate)
        squares = sum(shift**2 for shift in shifts)
        kurtosis = len(names) * sum(shift**4 for shift in shifts) / squares**2
        freedom = min(2 / (kurtosis - 1), 1) * (len(names) - 1)
        return (len(names) - 1) / len(names) * squares, freedom

    by_target, by_host = jackknife(targets.tolist()), jackknife(hosts.tolist())
    pairs = jackknife(list(zip(targets.tolist(), hosts.tolist(), strict=True)))[0]
    variance = max(by_target[0] + by_host[0] - pairs, by_target[0], by_host[0])
    freedom = min(by_target[1], by_host[1])
    worth = total / (variance / (rate * (1 - rate) / total))
    worth *= (stats.t.ppf(0.975, total - 1) / stats.t.ppf(0.975, freedom)) ** 2
    exact = clopper_pearson(rate * worth, worth)
    found = two_way_clopper_pearson(flags, targets, hosts)
    ends = found.value, found.lower, found.upper
    assert ends == pytest.approx((rate, exact.lower, exact.upper), abs=1e-12)


def test_two_ways_are_never_shorter_than_either():
    flags, targets, hosts = crossed()
    both = two_way_clopper_pearson(flags, targets, hosts)
    for way in (targets, hosts):
        one = clustered_clopper_pearson(tally(flags, [str(name) for name in way]))
        assert both.upper - both.lower >= one.upper - one.lower


def test_a_single_host_says_nothing_of_other_hosts():
    found = two_way_clopper_pearson(np.array([True, False, True]), ["a", "b", "c"], ["h"] * 3)
    assert (found.value, found.lower, found.upper) == (2 / 3, 0.0, 1.0)


def test_a_trial_without_a_host_is_refused():
    with pytest.raises(ValueError, match="needed"):
        two_way_clopper_pearson(np.array([True, False]), ["a", "b"], ["h"])


def test_drawing_in_parts_changes_nothing(monkeypatch):
    whole = identity_bootstrap(EQUAL, np.random.default_rng(3))
    monkeypatch.setattr(clustered, "DRAWN_AT_ONCE", 50)
    assert identity_bootstrap(EQUAL, np.random.default_rng(3)) == whole


def test_resampling_subjects_widens_the_interval_of_pairs():
    rng = np.random.default_rng(5)
    first, second = np.triu_indices(40, 1)
    wolf = rng.random(40) < 0.15
    accepted = (wolf[first] | wolf[second]) & (rng.random(first.size) < 0.3)
    names = [f"p{n:02d}" for n in range(40)]
    people = [[names[n] for n in side] for side in (first, second)]
    found = subject_bootstrap(accepted, *people, np.random.default_rng(1), draws=500)
    naive = clopper_pearson(int(accepted.sum()), accepted.size)
    assert found.value == accepted.mean()
    assert found.upper - found.lower > 2 * (naive.upper - naive.lower)


def test_a_pair_counts_as_often_as_its_two_people_were_drawn():
    class Drawn:
        def integers(self, low, high, size):
            return np.array([0, 0, 1])  # a twice, b once, c never

    pairs = (np.array([True, False, True]), ["a", "a", "b"], ["b", "c", "c"])
    found = subject_bootstrap(*pairs, Drawn(), draws=3)
    assert (found.value, found.lower, found.upper) == (2 / 3, 2 / 3, 1.0)


def test_a_pair_of_one_person_is_refused():
    with pytest.raises(ValueError, match="two different people"):
        subject_bootstrap(np.array([True]), ["a"], ["a"], np.random.default_rng(1))


@pytest.mark.parametrize("wrong", [([2], [1]), ([-1], [1]), ([0], [0]), ([1, 1], [2])])
def test_counts_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="needed"):
        clustered_clopper_pearson(counts(*wrong))


def test_no_trial_is_no_tally():
    with pytest.raises(ValueError, match="≥ 1 pair"):
        tally(np.array([], dtype=bool), [])
