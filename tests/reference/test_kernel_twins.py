"""Second implementations of the kernel predictors, slow and obvious, against those of the platform."""

from __future__ import annotations

import math

import numpy as np
import pytest

from contrechamp.domain.grid import Grid
from contrechamp.domain.history import EventLog
from contrechamp.domain.rng import stream
from models import load_predictor
from models.knox import knox_table
from models.spread import ring_shares
from models.walk import walk_forward


@pytest.fixture(scope="module")
def grid() -> Grid:
    land = np.ones((8, 10), dtype=bool)
    land[:3, 7:] = False
    land[0, 1] = land[1, 0] = land[1, 1] = False
    return Grid(0.0, 0.0, 150.0, land)


@pytest.fixture(scope="module")
def counts(grid: Grid) -> np.ndarray:
    rng = np.random.default_rng(21)
    return rng.poisson(rng.gamma(0.5, 0.6, grid.n_cells), (75, grid.n_cells))


def _places(grid: Grid) -> list[tuple[int, int]]:
    return [(int(r), int(c)) for r, c in zip(*np.nonzero(grid.land), strict=True)]


def _spread(grid: Grid, values: list[float], share) -> list[float]:
    """Each value over the land cells in proportion to ``share(row difference, column difference)``."""
    places = _places(grid)
    out = [0.0] * len(places)
    for (row, column), value in zip(places, values, strict=True):
        shares = [share(r - row, c - column) for r, c in places]
        for k, s in enumerate(shares):
            out[k] += value * s / sum(shares)
    return out


def _scaled(surface: list[float], mean_daily: float) -> list[float]:
    return [value * mean_daily / sum(surface) for value in surface]


@pytest.mark.parametrize("at", [75, 79, 90])
@pytest.mark.parametrize("window", [10, 364])
def test_same_weekday_twin(grid: Grid, counts: np.ndarray, at: int, window: int) -> None:
    used = [day for day in range(75) if day >= 75 - window]
    pattern = [sum(int(counts[day, cell]) for day in used if (at - day) % 7 == 0) for cell in range(grid.n_cells)]
    mean = sum(int(counts[day].sum()) for day in used) / len(used)
    got = load_predictor("same-weekday", window_days=window).fit(counts, grid=grid).predict(at)
    assert got == pytest.approx(_scaled(pattern, mean), rel=1e-12)


@pytest.mark.parametrize("at", [75, 83])
@pytest.mark.parametrize("bandwidth", [1, 3, 20])
def test_prospective_twin(grid: Grid, counts: np.ndarray, at: int, bandwidth: int) -> None:
    recent = [0.0] * grid.n_cells
    for day in range(75 - 56, 75):
        weeks = math.floor((at - (day + 0.5)) / 7)  # a record of noon, seen from the start of the day predicted
        for cell in range(grid.n_cells):
            recent[cell] += counts[day, cell] / (1 + weeks)
    surface = _spread(
        grid, recent, lambda up, right: (max(abs(up), abs(right)) < bandwidth) / (1 + max(abs(up), abs(right)))
    )
    got = load_predictor("prospective", bandwidth_m=bandwidth * grid.cell_m).fit(counts, grid=grid).predict(at)
    assert got == pytest.approx(_scaled(surface, counts[-56:].sum() / 56), rel=1e-12)


@pytest.mark.parametrize("at", [75, 80])
def test_near_repeat_twin(grid: Grid, at: int) -> None:
    rng = np.random.default_rng(22)
    n = 120
    cell, t = rng.integers(0, grid.n_cells, n), rng.uniform(0, 60, n)
    x, y = (grid.centres_m[cell] + rng.uniform(-75, 75, (n, 2))).T
    x, y, t = np.tile(x, 2), np.tile(y, 2), np.concatenate([t, t + rng.uniform(1, 14, n)])  # each repeated once
    log = EventLog.from_arrays(
        t_days=t, x_m=x, y_m=y, cell=grid.cell_of(x, y), known_day=np.floor(t), grid=grid, n_days=75
    )  # fmt: skip
    seen = log.until(75)
    params = {"band_m": 130.0, "n_bands_m": 2, "band_days": 5, "n_bands_days": 3, "seed": 6}
    fitted = load_predictor("knox", **params).fit(seen, grid=grid)
    table = knox_table(
        seen.points.x_m, seen.points.y_m, t_days=np.floor(seen.points.t_days), edges_m=[130, 260],
        edges_days=[1, 6, 11, 16], permutations=99, rng=stream(6, "models", "knox"),
    )  # fmt: skip
    assert (fitted.observed_ == table.observed[:2, 1:4]).all()
    assert (fitted.p_ == table.p[:2, 1:4]).all()
    surface = [float(v) for v in seen.counts.sum(axis=0) / 75]
    used = 0
    for band in range(3):
        excess = [
            (table.observed[k, band + 1] - table.expected[k, band + 1]) / len(seen.points)
            if table.p[k, band + 1] <= 0.05 and table.observed[k, band + 1] > table.expected[k, band + 1]
            else 0.0
            for k in range(2)
        ]
        used += sum(e > 0 for e in excess)
        days = [day for day in range(75) if 1 + 5 * band <= at - day <= 5 * (band + 1)]
        recent = [float(sum(seen.counts[day, c] for day in days)) for c in range(grid.n_cells)]
        if sum(excess) == 0 or sum(recent) == 0:
            continue
        rings = [ring_shares(130.0 * k, 130.0 * (k + 1), cell_m=150.0) for k in range(2)]

        def share(up: int, right: int, rings=rings, excess=excess) -> float:
            total = 0.0
            for ring, e in zip(rings, excess, strict=True):
                m = len(ring) // 2
                if max(abs(up), abs(right)) <= m:
                    total += e * ring[up + m, right + m]
            return total

        surface = [a + b * sum(excess) / 5 for a, b in zip(surface, _spread(grid, recent, share), strict=True)]
    assert used >= 2  # the planted repeats are found
    assert fitted.predict(at) == pytest.approx(_scaled(surface, float(seen.counts.sum()) / 75), rel=1e-11)


@pytest.mark.parametrize("key", ["same-weekday", "prospective", "knox"])
def test_a_day_and_those_after_it_do_not_reach_its_map(key: str, grid: Grid, counts: np.ndarray) -> None:
    changed = counts.copy()
    changed[70:] += 3
    before, after = (walk_forward(load_predictor(key), c, grid=grid, first_day=66) for c in (counts, changed))
    assert (before[:5] == after[:5]).all()
    assert (before[5:] != after[5:]).any()
