"""Intervals: shapes, edges, refusals, and laws that hold for every count."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fairness
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream


def test_no_trial_is_not_estimable_and_never_zero():
    for found in (
        fairness.rate_interval(events=0, trials=0),
        fairness.difference_interval(events=0, trials=0, other_events=1, other_trials=3),
        fairness.ratio_interval(events=1, trials=3, other_events=0, other_trials=3),
        fairness.paired_difference_interval(both=0, first_only=0, second_only=0, neither=0),
        fairness.poisson_rate_interval(events=0, exposure=0),
        fairness.mean_interval([3.0]),
        fairness.mean_interval([2.0, 2.0, 2.0]),
        fairness.quantile_interval([]),
        fairness.quantile_interval([1.0, 2.0, 3.0]),
    ):
        assert not found.estimable
        assert found.estimate is found.low is found.high is None


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        (lambda: fairness.rate_interval(events=5, trials=4), "`events` parameter of rate_interval must be at most"),
        (lambda: fairness.rate_interval(events=-1, trials=4), "whole number of at least 0. Got -1"),
        (lambda: fairness.rate_interval(events=1, trials=4, level=95), "Write 0.95 for 95 %"),
        (lambda: fairness.rate_interval(events=1, trials=4, method="wald"), "one of wilson, clopper-pearson, jeffreys"),
        (lambda: fairness.rate_interval(events=0.5, trials=4), "whole number"),
        (lambda: fairness.poisson_rate_interval(events=1, exposure=-2), "`exposure` parameter"),
        (lambda: fairness.mean_interval([1.0, math.nan]), "`values` parameter"),
        (lambda: fairness.mean_interval([1.0, 2.0], method="bootstrap"), "domain.rng.stream"),
        (lambda: fairness.quantile_interval([1.0, 2.0], q=1.0), "`q` parameter"),
    ],
)
def test_bad_parameters_end_in_one_paragraph(call, fragment):
    with pytest.raises(ParameterError) as caught:
        call()
    assert fragment in str(caught.value) and "\n" not in str(caught.value)
    assert caught.value.exit_code == 10


counts = st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))).filter(lambda c: c[1] > 0)


@given(counts, st.sampled_from(["wilson", "clopper-pearson", "jeffreys"]), st.floats(0.5, 0.999))
def test_rate_bounds_hold_the_estimate_and_mirror(count, method, level):
    events, trials = count
    found = fairness.rate_interval(events=events, trials=trials, method=method, level=level)
    mirror = fairness.rate_interval(events=trials - events, trials=trials, method=method, level=level)
    assert 0 <= found.low <= found.estimate <= found.high <= 1
    assert found.low < found.high  # never a width of zero, at 0 of n either
    assert found.low == pytest.approx(1 - mirror.high, abs=1e-9)


@given(counts, counts)
def test_difference_and_ratio_agree_with_their_mirror(one, two):
    there = fairness.difference_interval(events=one[0], trials=one[1], other_events=two[0], other_trials=two[1])
    back = fairness.difference_interval(events=two[0], trials=two[1], other_events=one[0], other_trials=one[1])
    assert there.low == pytest.approx(-back.high, abs=1e-12)
    assert -1 - 1e-12 <= there.low < there.high <= 1 + 1e-12
    if one[0] and two[0]:
        over = fairness.ratio_interval(events=one[0], trials=one[1], other_events=two[0], other_trials=two[1])
        under = fairness.ratio_interval(events=two[0], trials=two[1], other_events=one[0], other_trials=one[1])
        assert over.low <= over.estimate <= over.high
        assert over.low < over.high
        assert over.low == pytest.approx(1 / under.high, rel=1e-6)


@given(counts, counts)
def test_paired_interval_of_uncorrelated_margins_is_newcombes_independent_one(one, two):
    # With a zero margin the correlation is undefined and taken as 0: the two intervals must then coincide.
    n = one[1]
    paired = fairness.paired_difference_interval(both=0, first_only=one[0], second_only=0, neither=n - one[0])
    free = fairness.difference_interval(events=one[0], trials=n, other_events=0, other_trials=n)
    assert (paired.low, paired.high) == pytest.approx((free.low, free.high))


def test_positive_correlation_narrows_a_paired_difference():
    paired = fairness.paired_difference_interval(both=180, first_only=15, second_only=5, neither=200)
    free = fairness.difference_interval(events=195, trials=400, other_events=185, other_trials=400)
    assert paired.estimate == pytest.approx(free.estimate)
    assert paired.high - paired.low < 0.6 * (free.high - free.low)


def test_mean_by_t_and_by_bootstrap_meet_on_plain_data_and_repeat_themselves():
    values = stream(5, "mean").normal(10, 2, size=200)
    by_t = fairness.mean_interval(values)
    boot = fairness.mean_interval(values, method="bootstrap", rng=stream(5, "boot"))
    again = fairness.mean_interval(values, method="bootstrap", rng=stream(5, "boot"))
    assert boot == again
    assert (boot.low, boot.high) == pytest.approx((by_t.low, by_t.high), abs=0.06)


def test_quantile_counts_what_never_came_as_last():
    never = np.inf
    found = fairness.quantile_interval([3.0, 1.0, 2.0] + [float(v) for v in range(4, 31)] + [never] * 10)
    assert found.n == 40 and found.estimate == 20.5
    assert fairness.quantile_interval([float(v) for v in range(1, 42)]).estimate == 21.0
    assert fairness.quantile_interval([float(v) for v in range(1, 301)], q=0.1).estimate == 30.5
    assert (found.low, found.high) == (14.0, 27.0)  # ranks 14 and 27 of 40: binomial quantiles
    assert not fairness.quantile_interval([1.0] * 15 + [never] * 25).estimable
    assert not fairness.quantile_interval([1.0] * 21 + [never] * 19).estimable  # the bound lies beyond the horizon
