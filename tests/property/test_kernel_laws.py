"""Laws of the kernel maps: nothing lost at any shore, what the place does not change, what no permutation changes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Points
from models import load_predictor
from models.knox import knox_table
from models.prospective import cell_distance_weights
from models.prospective_continuous import prospective_surface
from models.space_time_kde import space_time_kde, time_weight
from models.spread import Spreader, ring_shares

SEEDS = st.integers(0, 2**32 - 1)


def _coast(rng: np.random.Generator) -> Grid:
    land = rng.random(tuple(rng.integers(1, 12, 2))) < rng.uniform(0.2, 1)
    land.flat[rng.integers(land.size)] = True
    return Grid(*rng.uniform(-1e5, 1e5, 2), rng.choice([50.0, 150.0, 424.0]), land)


def _records(rng: np.random.Generator, grid: Grid, n: int) -> Points:
    cell = rng.integers(0, grid.n_cells, n)
    x, y = (grid.centres_m[cell] + rng.uniform(-0.49, 0.49, (n, 2)) * grid.cell_m).T
    t = np.sort(rng.uniform(0, 50, n))
    return Points(t, np.ascontiguousarray(x), np.ascontiguousarray(y), grid.cell_of(x, y))


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_nothing_is_lost_at_any_shore(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = _coast(rng)
    points = _records(rng, grid, int(rng.integers(0, 30)))
    kept = prospective_surface(points, grid=grid, at_days=50.0, bandwidth=rng.uniform(0.1, 12))
    assert kept.sum() == pytest.approx((1 / (1 + (50 - points.t_days) / 7)).sum(), rel=1e-11)
    assert (kept >= 0).all()
    for kernel in ("constant", "exponential", "quadratic"):
        sd = rng.uniform(20, 900, (len(points), 2))
        surface = space_time_kde(
            points, grid=grid, at_days=50.0, bandwidth_m=sd, time_kernel=kernel, scale_days=9.0
        )  # fmt: skip
        weights = time_weight(50 - points.t_days, kernel=kernel, scale_days=9.0)
        assert surface.sum() == pytest.approx(weights.sum(), rel=1e-11)
        lost = space_time_kde(
            points, grid=grid, at_days=50.0, bandwidth_m=sd, time_kernel=kernel, scale_days=9.0, edges="lose"
        )  # fmt: skip
        assert lost.sum() <= weights.sum() * (1 + 1e-12)
        assert (lost <= surface * (1 + 1e-12) + 1e-15).all()
    values = rng.poisson(0.7, grid.n_cells).astype(float)
    for table in (cell_distance_weights(3), ring_shares(100.0, 300.0, cell_m=grid.cell_m)):
        assert Spreader(grid, table)(values).sum() == pytest.approx(values.sum(), rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(SEEDS)
def test_far_from_any_shore_giving_back_changes_nothing_and_the_map_moves_with_the_records(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = Grid(0.0, 0.0, 100.0, np.ones((30, 30), dtype=bool))
    n = 6
    x, y = rng.uniform(1_300, 1_600, (2, n))
    t = np.sort(rng.uniform(0, 50, n))
    here = Points(t, x, y, grid.cell_of(x, y))
    moved = Points(t, x + 200.0, y - 100.0, grid.cell_of(x + 200.0, y - 100.0))
    for draw in (
        lambda p, e: prospective_surface(p, grid=grid, at_days=50.0, bandwidth=7.0, edges=e),
        lambda p, e: space_time_kde(p, grid=grid, at_days=50.0, bandwidth_m=90.0, edges=e),
    ):
        kept, lost = draw(here, "return"), draw(here, "lose")
        np.testing.assert_allclose(kept, lost, rtol=1e-9, atol=1e-14)
        np.testing.assert_allclose(
            np.roll(kept.reshape(30, 30), (-1, 2), axis=(0, 1)).ravel(), draw(moved, "return"), rtol=1e-6, atol=1e-12
        )


@settings(max_examples=40, deadline=None)
@given(SEEDS)
def test_knox_table_counts_every_pair_once_and_only_distances_and_lags_matter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(2, 70))
    whole = rng.random() < 0.5
    x, y = rng.integers(0, 30, (2, n)) * 37.0
    t = rng.integers(0, 40, n) if whole else rng.uniform(0, 40, n)
    metric = ("euclidean", "manhattan")[int(rng.integers(2))]
    zero = ("with-first", "apart")[int(rng.integers(2))]
    edges_m, edges_days = np.sort(rng.choice(np.arange(20, 900), 3, replace=False)), [1, 2.5, 10]
    common = {
        "edges_m": edges_m, "edges_days": edges_days, "permutations": 3, "metric": metric, "same_place": zero,
    }  # fmt: skip
    table = knox_table(x, y, t_days=t, rng=rng, **common)
    i, j = np.triu_indices(n, 1)
    dx, dy = np.abs(x[i] - x[j]), np.abs(y[i] - y[j])
    distance = dx + dy if metric == "manhattan" else np.sqrt(dx**2 + dy**2)
    row = np.searchsorted(edges_m, distance, side="right") + ((distance > 0) & (zero == "apart"))
    want = np.zeros(table.observed.shape, dtype=int)
    np.add.at(want, (row, np.searchsorted(edges_days, np.abs(t[i] - t[j]), side="right")), 1)
    assert (table.observed == want).all()
    assert table.expected == pytest.approx(np.outer(want.sum(1), want.sum(0)) / want.sum())
    assert table.expected.sum() == pytest.approx(n * (n - 1) / 2)
    assert ((table.p >= 0.25) & (table.p <= 1)).all()
    same = knox_table(-y + 500, x - 90, t_days=t.max() - t, rng=rng, **common)  # turned, and time run backwards
    if whole:
        assert (same.observed == want).all()


@settings(max_examples=20, deadline=None)
@given(SEEDS)
def test_without_significant_excess_the_knox_map_is_the_trailing_mean(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = _coast(rng)
    counts = rng.poisson(0.2, (30, grid.n_cells))
    # with 9 permutations no p-value is under 0.1
    knox = load_predictor("knox", permutations=9, level=0.05).fit(counts, grid=grid)
    mean = load_predictor("trailing-mean").fit(counts, grid=grid)
    np.testing.assert_allclose(knox.predict(), mean.predict(), rtol=1e-13)
    assert not knox.excess_.any()
