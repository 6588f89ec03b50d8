"""Rates, comparisons and adjustments against published tables, and against statsmodels and SciPy."""

import numpy as np
import pytest
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.multitest import multipletests
from statsmodels.stats.power import NormalIndPower
from statsmodels.stats.proportion import proportion_effectsize, score_test_proportions_2indep

import fairness
from fairness.comparisons import difference_score, ratio_score

# Newcombe (1998), Statistics in Medicine 17, 857-872, table I: four examples, methods 3, 4, 5 and 6.
NEWCOMBE_SINGLE = {
    (81, 263): {
        "wilson": (0.2553, 0.3662), "wilson-corrected": (0.2535, 0.3682),
        "clopper-pearson": (0.2527, 0.3676), "mid-p": (0.2544, 0.3658),
    },
    (15, 148): {
        "wilson": (0.0624, 0.1605), "wilson-corrected": (0.0598, 0.1644),
        "clopper-pearson": (0.0578, 0.1617), "mid-p": (0.0601, 0.1581),
    },
    (0, 20): {
        "wilson": (0.0, 0.1611), "wilson-corrected": (0.0, 0.2005),
        "clopper-pearson": (0.0, 0.1684), "mid-p": (0.0, 0.1391),
    },
    (1, 29): {
        "wilson": (0.0061, 0.1718), "wilson-corrected": (0.0018, 0.1963),
        "clopper-pearson": (0.0009, 0.1776), "mid-p": (0.0017, 0.1585),
    },
}  # fmt: skip


@pytest.mark.parametrize("count", NEWCOMBE_SINGLE)
def test_newcombes_table_for_one_proportion(count):
    for method, bounds in NEWCOMBE_SINGLE[count].items():
        found = fairness.rate_interval(events=count[0], trials=count[1], method=method)
        assert (found.low, found.high) == pytest.approx(bounds, abs=5.1e-5), method


# Newcombe (1998), Statistics in Medicine 17, 873-890, table II: method 10 (square and add) on eight examples.
NEWCOMBE_TWO = [
    ((56, 70, 48, 80), (0.0524, 0.3339)),
    ((9, 10, 3, 10), (0.1705, 0.8090)),
    ((6, 7, 2, 7), (0.0582, 0.8062)),
    ((5, 56, 0, 29), (-0.0381, 0.1926)),
    ((0, 10, 0, 20), (-0.1611, 0.2775)),
    ((0, 10, 0, 10), (-0.2775, 0.2775)),
    ((10, 10, 0, 20), (0.6791, 1.0)),
    ((10, 10, 0, 10), (0.6075, 1.0)),
]


@pytest.mark.parametrize(("counts", "bounds"), NEWCOMBE_TWO)
def test_newcombes_table_for_a_difference(counts, bounds):
    names = ("events", "trials", "other_events", "other_trials")
    found = fairness.difference_interval(**dict(zip(names, counts, strict=True)))
    assert (found.low, found.high) == pytest.approx(bounds, abs=5.1e-5)


def test_agrestis_vegetarians():
    # Agresti, An introduction to categorical data analysis: 0 of 25. Score (0, 0.133), exact (0, 0.137).
    assert fairness.rate_interval(events=0, trials=25, method="wilson").high == pytest.approx(0.133, abs=5e-4)
    assert fairness.rate_interval(events=0, trials=25).high == pytest.approx(0.137, abs=5e-4)


def test_rule_of_three_against_the_exact_one_sided_bound():
    # Hanley & Lippman-Hand (1983): 3/n is within a tenth of 1 - 0.05^(1/n) from 20 trials on.
    for n in (20, 40, 1_000):
        exact = stats.beta.ppf(0.95, 1, n)
        assert exact == pytest.approx(1 - 0.05 ** (1 / n))
        assert exact < fairness.rule_of_three(trials=n) < 1.1 * exact


SMALL_TABLES = [(7, 34, 1, 34), (0, 20, 3, 50), (20, 20, 5, 90), (2, 40, 300, 6_000), (5, 56, 0, 29), (12, 12, 3, 4)]


def _score_by_maximising(difference, a, n, b, m):
    """Second implementation: the constrained likelihood is maximised by search, not by the closed root of the cubic."""
    edge = (max(0.0, -difference), min(1.0, 1 - difference))
    best = optimize.minimize_scalar(
        lambda p: -stats.binom.logpmf(b, m, p) - stats.binom.logpmf(a, n, p + difference),
        bounds=edge,
        method="bounded",
        options={"xatol": 1e-12},
    ).x
    variance = (best + difference) * (1 - best - difference) / n + best * (1 - best) / m
    return (a / n - b / m - difference) / np.sqrt(variance * (n + m) / (n + m - 1))


@pytest.mark.parametrize("table", SMALL_TABLES)
def test_score_of_a_difference_is_at_the_most_likely_shares(table):
    # statsmodels up to 0.15.0 is no oracle here: its cubic has a wrong coefficient (its issue 10269).
    for value in (-0.4, -0.05, 0.1, 0.4):
        if abs(table[0] / table[1] - table[2] / table[3] - value) < 0.95:
            assert difference_score(value, *table) == pytest.approx(_score_by_maximising(value, *table), rel=1e-4)


@pytest.mark.parametrize("table", SMALL_TABLES)
def test_score_interval_of_a_difference_is_where_the_score_meets_the_normal_quantile(table):
    a, n, b, m = table
    found = fairness.difference_interval(events=a, trials=n, other_events=b, other_trials=m, method="score")
    assert difference_score(found.low, *table) == pytest.approx(1.959964, abs=1e-4)
    assert difference_score(found.high, *table) == pytest.approx(-1.959964, abs=1e-4)


def test_score_interval_is_that_of_r_propcis():
    # R, PropCIs: diffscoreci(7, 34, 1, 34, 0.95) prints 0.0270416, 0.3452912.
    found = fairness.difference_interval(events=7, trials=34, other_events=1, other_trials=34, method="score")
    assert (found.low, found.high) == pytest.approx((0.0270416, 0.3452912), abs=1e-6)


@pytest.mark.parametrize("table", [t for t in SMALL_TABLES if t[0] and t[2]])
def test_score_of_a_ratio_agrees_with_statsmodels(table):
    for value in (0.5, 1.0, 1.7):
        other = score_test_proportions_2indep(*table, value=value, compare="ratio", correction=False)
        assert ratio_score(value, *table) == pytest.approx(other.statistic, rel=1e-6)


def test_equivalence_of_ratios_agrees_with_two_one_sided_tests_of_statsmodels():
    for table, margin in [((40, 400, 42, 400), 1.25), ((400, 4_000, 420, 4_000), 1.25), ((4, 50, 3, 60), 2.0)]:
        a, n, b, m = table
        found = fairness.equivalence_test(events=a, trials=n, other_events=b, other_trials=m, margin=margin)
        low = score_test_proportions_2indep(*table, value=1 / margin, compare="ratio", correction=False)
        high = score_test_proportions_2indep(*table, value=margin, compare="ratio", correction=False)
        assert found.p_value == pytest.approx(max(stats.norm.sf(low.statistic), stats.norm.cdf(high.statistic)))


def test_equivalence_holds_its_level_at_the_margin():
    # Exact size, both groups of 200, true difference exactly at the margin: the null is rejected in about 5 %.
    n, margin, p = 200, 0.06, 0.05
    k = np.arange(45)
    arms = [{"events": a, "trials": n, "other_events": b, "other_trials": n} for a in k.tolist() for b in range(30)]
    found = [fairness.equivalence_test(**arm, margin=margin, scale="difference").shown for arm in arms]
    shown = np.reshape(found, (45, 30))
    law = np.outer(stats.binom.pmf(k, n, p + margin), stats.binom.pmf(k[:30], n, p))
    assert 0.02 < law[shown].sum() < 0.06


def test_poisson_ratio_is_that_of_r_poisson_test():
    # R, example(poisson.test): 11 / 800 against 23 / 3,011, from Fay (2010): 0.8584264, 4.2772659.
    found = fairness.poisson_ratio_interval(events=11, exposure=800, other_events=6 + 8 + 7, other_exposure=3_011)
    assert (found.estimate, found.low, found.high) == pytest.approx((1.971488, 0.8584264, 4.2772659), abs=1e-5)


def test_mcnemar_published_and_against_statsmodels():
    # Fagerland, Lydersen & Laake (2013), airway hyper-responsiveness: 1 against 7; exact 0.070, mid-p 0.039.
    assert fairness.mcnemar_test(first_only=1, second_only=7, method="exact").p_value == pytest.approx(0.070, abs=5e-4)
    assert fairness.mcnemar_test(first_only=1, second_only=7).p_value == pytest.approx(0.039, abs=5e-4)
    for a, b in [(0, 5), (3, 3), (12, 30)]:
        other = mcnemar([[10, a], [b, 10]], exact=True).pvalue
        assert fairness.mcnemar_test(first_only=a, second_only=b, method="exact").p_value == pytest.approx(other)


def test_two_rates_doubles_the_smaller_tail_of_fishers_test():
    for a, n, b, m in SMALL_TABLES:
        table = [[a, n - a], [b, m - b]]
        tails = [stats.fisher_exact(table, alternative=side).pvalue for side in ("less", "greater")]
        found = fairness.two_rates_test(events=a, trials=n, other_events=b, other_trials=m)
        assert found.p_value == pytest.approx(min(1.0, 2 * min(tails)))
        many = fairness.each_against_others(events=[a, b], trials=[n, m])
        assert many == pytest.approx([found.p_value] * 2)


def test_benjamini_and_hochbergs_own_example_and_statsmodels():
    # Benjamini & Hochberg (1995), section 3.2, neuhaus thrombolysis trial: 15 hypotheses. Theirs rejects 4 at 5 %.
    p = [0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
         0.7590, 1.0]  # fmt: skip
    assert (fairness.benjamini_hochberg(p) <= 0.05).sum() == 4
    assert (fairness.holm(p) <= 0.05).sum() == 3
    rng = np.random.default_rng(1)
    for size in (1, 7, 40):
        values = rng.random(size) ** 3
        assert fairness.holm(values) == pytest.approx(multipletests(values, method="holm")[1])
        assert fairness.benjamini_hochberg(values) == pytest.approx(multipletests(values, method="fdr_bh")[1])


def test_detectable_ratio_is_cohens_by_the_normal_law():
    # People per group to see a doubling with 80 % power: about 137,000 from 1/6,000; 2,253 from 1 %; 423 from 5 %.
    for rate, size in [(1 / 6_000, 136_000), (0.01, 2_252), (0.05, 424)]:
        found = fairness.minimum_detectable_ratio(trials=size, other_trials=size, other_rate=rate, method="normal")
        assert found == pytest.approx(2.0, abs=0.04)
        effect = proportion_effectsize(found * rate, rate)
        assert NormalIndPower().solve_power(effect, nobs1=size, alpha=0.05) == pytest.approx(0.8, abs=0.002)


def test_detectable_ratio_has_the_power_it_says_by_brute_force():
    n, m, rate = 40, 60, 0.1
    ratio = fairness.minimum_detectable_ratio(trials=n, other_trials=m, other_rate=rate)
    p = np.array([[fairness.two_rates_test(events=a, trials=n, other_events=b, other_trials=m).p_value or 1.0
                   for b in range(m + 1)] for a in range(n + 1)])  # fmt: skip
    above = np.arange(n + 1)[:, None] / n > np.arange(m + 1)[None, :] / m
    law = np.outer(stats.binom.pmf(np.arange(n + 1), n, ratio * rate), stats.binom.pmf(np.arange(m + 1), m, rate))
    assert law[(p <= 0.05) & above].sum() == pytest.approx(0.8, abs=1e-3)
    assert law.sum() == pytest.approx(1.0)


# --- The bars ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [30, 50, 200, 1_000])
@pytest.mark.parametrize("p", [0.01, 0.02, 0.04, 0.05])
def test_default_covers_where_police_audits_live(n, p):
    assert fairness.rate_coverage(trials=n, rate=p) >= 0.94


def test_why_the_default_is_not_one_of_the_others():
    def worst(method, sizes=(30, 50, 200), rates=(0.01, 0.02, 0.05)):
        return min(fairness.rate_coverage(trials=n, rate=p, method=method) for n in sizes for p in rates)

    assert worst("wilson") == pytest.approx(0.911, abs=0.001)
    assert worst("jeffreys") == pytest.approx(0.885, abs=0.001)
    assert worst("clopper-pearson") >= 0.958
    # mid-P passes on the grid, and falls to 92 % beside it; its bound at zero is under 8.7 %.
    assert worst("mid-p", (200,), np.linspace(0.015, 0.016, 8)) < 0.92
    assert fairness.rate_interval(events=0, trials=40, method="mid-p").high < 0.087
    assert fairness.rate_interval(events=0, trials=40).high >= 0.087


def test_paired_equivalence_is_newcombes_interval_inside_the_margin():
    cells = {"both": 180, "first_only": 15, "second_only": 12, "neither": 300}
    found = fairness.paired_equivalence_test(**cells, margin=0.03)
    assert found.interval == fairness.paired_difference_interval(**cells, level=0.9) and found.shown
    edge = fairness.paired_difference_interval(**cells, level=1 - 2 * found.p_value)
    assert max(-edge.low, edge.high) == pytest.approx(0.03, abs=1e-6)
    tight = fairness.paired_equivalence_test(**cells, margin=0.02)
    assert not tight.shown and tight.p_value > 0.05
    free = fairness.paired_equivalence_test(both=0, first_only=0, second_only=0, neither=0, margin=0.1)
    assert free.p_value is None and not free.shown
