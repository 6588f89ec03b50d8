"""Laws of the scores of maps, whatever the map and the events."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.grid import Grid
from models.attainable import attainable
from models.scores import (
    area_under_curve,
    at_level,
    captured,
    daily_scores,
    level_log_score,
    log_score,
    pai,
    random_pai_variance,
    rank_cells,
    rank_sums,
    tie_breaks,
)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 50))
def test_area_under_the_curve_is_that_of_trapezes_and_mirrors(seed: int, n_cells: int) -> None:
    rng = np.random.default_rng(seed)
    counts, ties = rng.poisson(0.6, (4, n_cells)), tie_breaks(4, n_cells, rng=rng)
    surfaces = rng.permuted(np.tile(np.arange(n_cells), (4, 1)), axis=1)  # no ties: the mirror is exact
    hits = captured(rank_cells(surfaces, ties=ties), counts)
    curve = np.concatenate([np.zeros((4, 1)), hits], axis=1)
    np.testing.assert_allclose(rank_sums(hits), np.trapezoid(curve, dx=1 / n_cells, axis=1), atol=1e-12)
    mirrored = captured(rank_cells(n_cells - surfaces, ties=ties), counts)
    np.testing.assert_allclose(rank_sums(hits) + rank_sums(mirrored), hits[:, -1], atol=1e-12)
    area = area_under_curve(surfaces, counts, rng=rng)
    some = hits[:, -1] > 0
    assert np.isnan(area[~some]).all()
    assert ((area[some] >= 0.5 / n_cells - 1e-12) & (area[some] <= 1 - 0.5 / n_cells + 1e-12)).all()


def test_random_order_has_an_area_of_one_half_exactly() -> None:
    # every order of 4 cells once: the mean over the 24 is 0.5 to the last bit, whatever the events
    from itertools import permutations

    orders = np.array(list(permutations(range(4))))
    for counts in ([1, 0, 0, 0], [0, 5, 1, 2]):
        hits = captured(orders, np.tile(counts, (24, 1)))
        assert (rank_sums(hits) / hits[:, -1]).mean() == pytest.approx(0.5, abs=1e-15)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(20, 120), st.floats(0.02, 0.6))
def test_random_choice_has_mean_pai_one_and_the_variance_of_the_function(seed: int, n_cells: int, area: float) -> None:
    rng = np.random.default_rng(seed)
    counts = rng.poisson(rng.gamma(0.4, 3.0, n_cells)) + np.eye(1, n_cells, dtype=int)[0]
    draws = 3000
    values = pai(np.zeros((draws, n_cells)), np.tile(counts, (draws, 1)), area=area, rng=rng)
    k = max(1, round(area * n_cells))
    variance = random_pai_variance(counts, k=k)
    assert values.mean() == pytest.approx(1.0, abs=5 * math.sqrt(variance / draws) + 1e-12)
    assert values.max() <= n_cells / k + 1e-9
    if n_cells >= 40:
        spread = math.sqrt(((values - 1) ** 2).var() / draws)
        assert values.var() == pytest.approx(variance, abs=6 * spread + 1e-12)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_static_map_passes_no_static_hindsight(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid(0.0, 0.0, 250.0, np.ones((5, 6), dtype=bool))
    counts, ties = rng.poisson(0.5, (12, 30)), tie_breaks(12, 30, rng=rng)
    surface = rng.permutation(30).astype(float)
    found = daily_scores(np.tile(surface, (12, 1)), counts, area=0.2, ties=ties)
    assert found.hits.sum() <= attainable(counts, k=found.k, grid=grid).sum() <= found.best_hits.sum()


def test_level_log_score_differs_from_the_log_score_by_the_factorials_only() -> None:
    rng = np.random.default_rng(3)
    maps, counts = rng.gamma(1.0, 1.0, (2, 6, 40)), rng.poisson(0.5, (6, 40))
    by_hand = [log_score(at_level(m, counts.sum(axis=1)), counts) for m in maps]
    found = [level_log_score(m, counts) for m in maps]
    np.testing.assert_allclose(found[0] - found[1], by_hand[0] - by_hand[1], rtol=1e-10)
    np.testing.assert_allclose(level_log_score(7 * maps[0], counts), found[0], rtol=1e-12)


def test_no_variance_without_events_nor_choice() -> None:
    assert math.isnan(random_pai_variance([0, 0], k=1))
    assert random_pai_variance([3, 1], k=2) == 0.0
