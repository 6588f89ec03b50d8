"""Intervals against statsmodels, published examples, and their own coverage by exact enumeration."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import confint_proportions_2indep, proportion_confint
from statsmodels.stats.rates import confint_poisson

import fairness

NAMES = {"wilson": "wilson", "clopper-pearson": "beta", "jeffreys": "jeffreys"}


@pytest.mark.parametrize("method", NAMES)
@pytest.mark.parametrize("level", [0.9, 0.95, 0.99])
def test_rates_agree_with_statsmodels(method, level):
    for trials in (1, 7, 40, 400):
        for events in {1, trials // 3, trials - 1} - {0, trials}:
            found = fairness.rate_interval(events=events, trials=trials, method=method, level=level)
            other = proportion_confint(events, trials, alpha=1 - level, method=NAMES[method])
            assert (found.low, found.high) == pytest.approx(other, abs=1e-12)


def test_differences_agree_with_statsmodels():
    for events, trials, other_events, other_trials in [(7, 34, 1, 34), (0, 20, 3, 50), (20, 20, 5, 90)]:
        found = fairness.difference_interval(
            events=events, trials=trials, other_events=other_events, other_trials=other_trials
        )
        other = confint_proportions_2indep(events, trials, other_events, other_trials, method="newcomb", compare="diff")
        assert (found.low, found.high) == pytest.approx(other, abs=1e-12)


def test_poisson_agrees_with_statsmodels_and_with_the_law_itself():
    for events in (0, 1, 7, 1_253):
        found = fairness.poisson_rate_interval(events=events, exposure=3.5)
        other = confint_poisson(events, 3.5, method="exact-c")
        assert (found.low, found.high) == pytest.approx([float(np.nan_to_num(b)) for b in other], rel=1e-9)
        assert stats.poisson.cdf(events, found.high * 3.5) == pytest.approx(0.025)
        if events:
            assert stats.poisson.sf(events - 1, found.low * 3.5) == pytest.approx(0.025)


def test_zero_in_forty_is_not_zero():
    upper = {m: fairness.rate_interval(events=0, trials=40, method=m).high for m in NAMES}
    assert upper["clopper-pearson"] == pytest.approx(1 - 0.025 ** (1 / 40), abs=1e-12)  # by hand
    assert {m: round(100 * v, 1) for m, v in upper.items()} == {
        "wilson": 8.8,
        "clopper-pearson": 8.8,
        "jeffreys": 6.0,
    }


def test_published_examples():
    # Newcombe (1998), Statist. Med. 17: 56/70 against 48/80, method 10.
    newcombe = fairness.difference_interval(events=56, trials=70, other_events=48, other_trials=80)
    assert (newcombe.low, newcombe.high) == pytest.approx((0.0524, 0.3339), abs=5e-5)
    # Koopman (1984), Biometrics 40: 36/40 against 16/80.
    koopman = fairness.ratio_interval(events=36, trials=40, other_events=16, other_trials=80)
    assert (koopman.low, koopman.high) == pytest.approx((2.94, 7.15), abs=5e-3)


def _coverage(method, n, p):
    """Exact: the probability that the interval holds p, summed over every count."""
    counts = np.arange(n + 1)
    holds = [(i := fairness.rate_interval(events=int(k), trials=n, method=method)).low <= p <= i.high for k in counts]
    return float(stats.binom.pmf(counts, n, p)[holds].sum())


@pytest.mark.parametrize(("n", "p", "wilson"), [(30, 0.02, 0.978), (50, 0.04, 0.951), (200, 0.02, 0.935)])
def test_coverage_where_police_audits_live(n, p, wilson):
    assert _coverage("wilson", n, p) == pytest.approx(wilson, abs=0.005)
    assert _coverage("clopper-pearson", n, p) >= 0.95


def test_clopper_pearson_never_covers_less_than_it_says():
    worst = min(_coverage("clopper-pearson", n, p) for n in (5, 17, 40) for p in np.linspace(0.005, 0.995, 100))
    assert worst >= 0.95


def test_percentile_bootstrap_collapses_where_wilson_holds():
    # The exact law of the percentile bootstrap of a share: its bounds are binomial quantiles of k/n.
    n, p = 30, 0.02
    counts = np.arange(n + 1)
    low = stats.binom.ppf(0.025, n, counts / n) / n
    high = stats.binom.ppf(0.975, n, counts / n) / n
    bootstrap = float(stats.binom.pmf(counts, n, p)[(low <= p) & (p <= high)].sum())
    assert bootstrap == pytest.approx(0.449, abs=0.01)  # for a nominal 95 %


def test_paired_difference_covers_by_exact_enumeration():
    n = 25
    probabilities = np.array([0.35, 0.2, 0.1, 0.35])  # both, first only, second only, neither: true gap 0.10
    log_factorial = np.cumsum(np.r_[0.0, np.log(np.arange(1, n + 1))])
    covered = 0.0
    for both in range(n + 1):
        for first in range(n + 1 - both):
            for second in range(n + 1 - both - first):
                cells = np.array([both, first, second, n - both - first - second])
                mass = np.exp(log_factorial[n] - log_factorial[cells].sum() + (cells * np.log(probabilities)).sum())
                found = fairness.paired_difference_interval(
                    both=both, first_only=first, second_only=second, neither=int(cells[3])
                )
                covered += mass * (found.low <= 0.1 <= found.high)
    assert 0.94 < covered < 0.975


def test_quantile_interval_covers_by_exact_enumeration():
    # For a continuous law, the interval of ranks (l, u) covers the median when l <= Bin(n, 1/2) < u.
    for n in (10, 40, 400):
        found = fairness.quantile_interval(np.arange(1.0, n + 1))
        low, high = int(found.low), int(found.high)
        assert stats.binom.cdf(high - 1, n, 0.5) - stats.binom.cdf(low - 1, n, 0.5) >= 0.95
