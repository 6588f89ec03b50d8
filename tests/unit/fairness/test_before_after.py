"""Before/after, controlled change and correlation, against hand cases and second implementations."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from fairness.before_after import controlled_change, correlation_test, naive_change


def test_naive_change_by_hand() -> None:
    counts = np.array([[[5, 10, 7], [5, 30, 21], [9, 100, 100]]])
    treated = np.array([[True, True, False]])
    assert naive_change(counts, treated) == pytest.approx([28 / 40 - 1])
    assert np.isnan(naive_change(np.zeros_like(counts), treated)[0])


def test_the_controlled_change_is_a_ratio_of_ratios() -> None:
    counts = np.array([[[8, 10, 5], [12, 10, 10], [10, 20, 30], [10, 20, 10]]])
    treated = np.array([[True, True, False, False]])
    found = controlled_change(counts, treated, ~treated)
    assert found.estimate == pytest.approx([(15 / 20) / (40 / 40) - 1])
    skipped = controlled_change(counts, treated, ~treated, since=-3)
    assert skipped.estimate == pytest.approx([(15 / 20) / (40 / 20) - 1])
    assert found.low[0] < found.estimate[0] < found.high[0]


def test_its_variance_agrees_with_a_regression_clustered_by_street() -> None:
    rng = np.random.default_rng(4)
    level = np.exp(rng.normal(3, 0.6, size=300))
    counts = rng.poisson(level[:, None] * np.exp(rng.normal(0, 0.3, size=(300, 3))))[None]
    treated = np.zeros((1, 300), dtype=bool)
    treated[0, :120] = True
    found = controlled_change(counts, treated, ~treated)
    # Poisson regression of the two years on treated × after, the streets' own standard errors
    y = np.concatenate([counts[0, :, 1], counts[0, :, 2]])
    after, has = np.repeat([0, 1], 300), np.tile(treated[0], 2).astype(int)
    x = np.column_stack([np.ones(600), after, has, after * has])
    fit = sm.GLM(y, x, family=sm.families.Poisson()).fit(
        cov_type="cluster", cov_kwds={"groups": np.tile(np.arange(300), 2)}
    )
    assert np.log1p(found.estimate[0]) == pytest.approx(fit.params[3], abs=1e-6)
    mine = (np.log1p(found.high[0]) - np.log1p(found.low[0])) / 2 / stats.t.ppf(0.975, 119)
    assert mine == pytest.approx(fit.bse[3], rel=0.02)


def test_the_correlation_is_that_of_scipy() -> None:
    rng = np.random.default_rng(2)
    counts = rng.poisson(20, size=(3, 50, 3))
    treated = rng.uniform(size=(3, 50)) < 0.3
    r, p = correlation_test(counts, treated)
    for world in range(3):
        change = np.log((counts[world, :, 2] + 0.5) / (counts[world, :, 1] + 0.5))
        theirs = stats.pearsonr(treated[world].astype(float), change)
        assert r[world] == pytest.approx(theirs.statistic)
        assert p[world] == pytest.approx(theirs.pvalue)
