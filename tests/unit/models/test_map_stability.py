"""Rank correlations against scipy, overlaps by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from models.stability import average_ranks, jaccard, kendall, spearman


@pytest.mark.parametrize("levels", [3, 50, 10**9])
def test_against_scipy_with_and_without_ties(levels: int) -> None:
    rng = np.random.default_rng(levels % 97)
    x, y = rng.integers(0, levels, 300), rng.integers(0, levels, 300)
    y = np.where(rng.uniform(size=300) < 0.5, x, y)
    np.testing.assert_array_equal(average_ranks(x)[0], stats.rankdata(x))
    expected = stats.spearmanr(x, y).statistic
    assert spearman(average_ranks(x), average_ranks(y))[0] == pytest.approx(expected, rel=1e-12)
    assert kendall(x, y) == pytest.approx(stats.kendalltau(x, y).statistic, rel=1e-12)


def test_same_reversed_and_flat_maps() -> None:
    x = np.array([3.0, 1.0, 2.0, 5.0])
    ranks = average_ranks(np.stack([x, x, x]))
    other = average_ranks(np.stack([x * 2 + 1, -x, np.ones(4)]))
    assert spearman(ranks, other)[:2].tolist() == [1.0, -1.0]
    assert math.isnan(spearman(ranks, other)[2])
    assert (kendall(x, x), kendall(x, -x)) == (1.0, -1.0)
    assert math.isnan(kendall(x, np.ones(4)))


def test_kendall_by_hand() -> None:
    # pairs of (1,1)(2,3)(3,2): two concordant, one discordant
    assert kendall([1, 2, 3], [1, 3, 2]) == pytest.approx(1 / 3)


def test_overlap_by_hand() -> None:
    order, later = np.array([[0, 1, 2, 3], [0, 1, 2, 3]]), np.array([[1, 0, 3, 2], [2, 1, 0, 3]])
    assert jaccard(order, later, k=1).tolist() == [0.0, 0.0]
    assert jaccard(order, later, k=2).tolist() == [1.0, 1 / 3]
    assert jaccard(order, later, k=4).tolist() == [1.0, 1.0]
