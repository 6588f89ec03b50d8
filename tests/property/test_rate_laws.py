"""Laws of rates, comparisons and adjustments that hold for every count."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fairness

METHODS = ("clopper-pearson", "wilson", "wilson-corrected", "mid-p", "jeffreys")
counts = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
shares = st.lists(st.floats(0, 1), min_size=1, max_size=12)


@given(counts, st.sampled_from(METHODS), st.floats(0.6, 0.99))
def test_levels_are_nested_and_the_estimate_is_inside(count, method, level):
    k, n = count
    inner = fairness.rate_interval(events=k, trials=n, method=method, level=level)
    outer = fairness.rate_interval(events=k, trials=n, method=method, level=(1 + level) / 2)
    assert outer.low <= inner.low <= inner.estimate <= inner.high <= outer.high
    assert inner.estimable and inner.n == n and inner.method == method


@given(counts, st.sampled_from(METHODS))
def test_bounds_rise_with_the_count_and_mirror(count, method):
    k, n = count
    here = fairness.rate_interval(events=k, trials=n, method=method)
    mirror = fairness.rate_interval(events=n - k, trials=n, method=method)
    assert here.low == pytest.approx(1 - mirror.high, abs=1e-9)
    if k < n:
        above = fairness.rate_interval(events=k + 1, trials=n, method=method)
        assert here.low < above.low or (here.low == above.low == 0)
        assert here.high < above.high or (here.high == above.high == 1)


@given(st.integers(1, 300))
def test_zero_of_more_is_a_lower_bound_and_never_zero(n):
    here, more = (fairness.rate_interval(events=0, trials=m).high for m in (n, n + 1))
    assert 0 < more < here
    assert fairness.rule_of_three(trials=n) <= 3.7 / n


@given(st.lists(counts, min_size=1, max_size=8), st.sampled_from(METHODS), st.floats(0.5, 0.999))
def test_many_bounds_are_the_single_ones(table, method, level):
    low, high = fairness.rate_bounds(
        events=[k for k, _ in table] + [0], trials=[n for _, n in table] + [0], method=method, level=level
    )
    for index, (k, n) in enumerate(table):
        one = fairness.rate_interval(events=k, trials=n, method=method, level=level)
        assert (low[index], high[index]) == (one.low, one.high)
    assert np.isnan(low[-1]) and np.isnan(high[-1])


@given(counts, counts)
def test_score_difference_holds_the_estimate_mirrors_and_agrees_with_its_test(one, two):
    arms = {"events": one[0], "trials": one[1], "other_events": two[0], "other_trials": two[1]}
    back = {"events": two[0], "trials": two[1], "other_events": one[0], "other_trials": one[1]}
    here = fairness.difference_interval(**arms, method="score")
    there = fairness.difference_interval(**back, method="score")
    assert -1 <= here.low <= here.estimate <= here.high <= 1
    assert here.low == pytest.approx(-there.high, abs=1e-6)
    tost = fairness.equivalence_test(**arms, margin=0.3, scale="difference")
    inside = tost.interval.low > -0.3 and tost.interval.high < 0.3
    if abs(tost.p_value - 0.05) > 1e-6:
        assert tost.shown == inside


@given(counts, counts, st.floats(1.05, 4))
def test_ratio_equivalence_is_symmetric_and_agrees_with_its_interval(one, two, margin):
    arms = {"events": one[0], "trials": one[1], "other_events": two[0], "other_trials": two[1]}
    back = {"events": two[0], "trials": two[1], "other_events": one[0], "other_trials": one[1]}
    here, there = (fairness.equivalence_test(**a, margin=margin) for a in (arms, back))
    if one[0] == 0 or two[0] == 0:
        assert here.p_value is there.p_value is None and not here.shown
    else:
        assert here.p_value == pytest.approx(there.p_value, abs=1e-9)
        if abs(here.p_value - 0.05) > 1e-6:
            assert here.shown == (1 / margin < here.interval.low and here.interval.high < margin)


@given(st.integers(0, 40), st.floats(0.1, 50), st.integers(1, 40), st.floats(0.1, 50))
def test_poisson_ratio_turns_over(a, s, b, t):
    here = fairness.poisson_ratio_interval(events=a, exposure=s, other_events=b, other_exposure=t)
    assert 0 <= here.low <= here.estimate <= here.high
    if a:
        there = fairness.poisson_ratio_interval(events=b, exposure=t, other_events=a, other_exposure=s)
        assert here.low == pytest.approx(1 / there.high, rel=1e-9)


@given(st.integers(2, 80), st.integers(2, 400), st.floats(0.02, 0.4))
@settings(max_examples=25, deadline=None)
def test_more_people_detect_smaller_ratios(n, m, rate):
    here = fairness.minimum_detectable_ratio(trials=n, other_trials=m, other_rate=rate)
    more = fairness.minimum_detectable_ratio(trials=8 * n, other_trials=8 * m, other_rate=rate)
    if here is not None:
        assert 1 < more < here <= 1 / rate


@given(shares)
def test_adjusted_values_keep_order_never_shrink_and_holm_is_stricter(p):
    holm, bh = fairness.holm(p), fairness.benjamini_hochberg(p)
    order = np.argsort(p, kind="stable")
    for adjusted in (holm, bh):
        assert (adjusted >= np.asarray(p) - 1e-15).all() and (adjusted <= 1).all()
        assert (np.diff(adjusted[order]) >= -1e-15).all()
    assert (holm >= bh - 1e-15).all()
    assert holm[order[0]] == pytest.approx(min(1, p[order[0]] * len(p)))


cells = st.lists(st.integers(0, 30), min_size=6, max_size=6)


@given(cells, st.sampled_from(["false_positive_rate", "recall", "precision"]), st.floats(0, 1), st.floats(0, 1))
def test_any_admissible_world_is_within_the_bounds(six, metric, a, b):
    counts = fairness.CheckedCounts(*six)
    free = fairness.bounds_under(counts=counts, metric=metric)
    world = fairness.bounds_under(counts=counts, metric=metric, hidden_flagged=(a, a), hidden_unflagged=(b, b))
    if free.estimable:
        assert free.outer_low <= free.low <= free.high <= free.outer_high
    if world.estimable:
        assert world.low == world.high
        if free.estimable:
            assert free.low - 1e-12 <= world.low <= free.high + 1e-12


@given(cells, st.sampled_from(["false_positive_rate", "recall", "precision"]), st.floats(1, 20), st.floats(1, 20))
def test_bounds_widen_with_gamma(six, metric, one, two):
    counts = fairness.CheckedCounts(*six)
    small, large = (fairness.bounds_under(counts=counts, metric=metric, gamma=g) for g in sorted((one, two)))
    if small.estimable and large.estimable:
        assert large.low <= small.low + 1e-12 and small.high <= large.high + 1e-12
        assert large.outer_low <= small.outer_low + 1e-12 and small.outer_high <= large.outer_high + 1e-12


amounts = st.lists(st.floats(0, 1e6), min_size=2, max_size=12)


@given(amounts, st.floats(0.1, 100))
def test_concentration_ignores_scale_and_order_and_stays_in_range(values, scale):
    data = np.asarray(values)
    if data.sum() < 1e-3:
        return
    n = len(data)
    for index, top in ((fairness.gini, 1 - 1 / n), (fairness.theil, np.log(n))):
        here = index(data).item()
        assert -1e-9 <= here <= top + 1e-9
        assert index(scale * data[::-1]).item() == pytest.approx(here, abs=1e-7)
    away = fairness.runaway_index(data, truth=np.ones(n)).item()
    assert -1e-12 <= away <= 1 + 1e-12
