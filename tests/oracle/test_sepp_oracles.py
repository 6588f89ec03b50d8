"""Kernel self-exciting process against a slow second implementation, and against what was planted."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Points
from models.sepp_background import Background
from models.sepp_em import SeppFit, fit_sepp
from models.sepp_events import SeppEvents

ROOT = Path(__file__).parents[2]
SIDE_M, CELL_M, DAYS = 15_000.0, 150.0, 365
CITY = Grid(0.0, 0.0, CELL_M, np.ones((100, 100), dtype=bool))


def _module(name: str, path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


direct = _module("sepp_direct", ROOT / "tests/reference/sepp_direct.py")


def _points(t: np.ndarray, x: np.ndarray, y: np.ndarray, *, grid: Grid, by_cell: bool, by_day: bool) -> Points:
    cell = grid.cell_of(x, y)
    if by_cell:
        x, y = grid.centres_m[cell].T.copy()
    return Points(np.floor(t) + 0.5 if by_day else t, x, y, cell)


def _planted(n: int, theta: float, seed: int, *, coarse: bool = False, **law: float) -> SeppEvents:
    t, x, y = direct.simulate(
        n, theta=theta, **({"lag_days": 5.0, "sd_m": 100.0} | law), side_m=SIDE_M, days=DAYS, spots=30,
        rng=np.random.default_rng(seed),
    )  # fmt: skip
    points = _points(t, x, y, grid=CITY, by_cell=coarse, by_day=coarse)
    return SeppEvents.from_points(points, grid=CITY, last_day=DAYS)


def _fit(events: SeppEvents, **given: object) -> SeppFit:
    return fit_sepp(events, grid=CITY, cutoff_days=30.0, cutoff_m=400.0, **given)


@pytest.mark.parametrize(("by_cell", "by_day"), [(False, False), (True, True), (False, True)])
def test_agrees_with_every_pair_looked_at(by_cell: bool, by_day: bool) -> None:
    grid = Grid(0.0, 0.0, 150.0, np.ones((12, 14), dtype=bool))
    rng = np.random.default_rng(3)
    t, x, y = direct.simulate(260, theta=0.4, lag_days=2.0, sd_m=60.0, side_m=1800.0, days=60, spots=3, rng=rng)
    t, x, y = t[:200], x[:200], y[:200]
    points = _points(t, x, y, grid=grid, by_cell=by_cell, by_day=by_day)
    events = SeppEvents.from_points(points, grid=grid, last_day=60)
    fast = fit_sepp(
        events, grid=grid, cutoff_days=20.0, cutoff_m=330.0, neighbours=8, trend_days=9.0, iterations=4
    )  # fmt: skip
    slow = direct.Slow(
        list(events.t_days), list(events.x_m), list(events.y_m), list(events.weight), 60, 14, 12, 150.0, 20.0, 330.0, 8,
        9.0, by_cell, by_day,
    )  # fmt: skip
    theta, mass, alone, pairs = slow.fit(4)
    assert theta > 0.1
    assert fast.theta == pytest.approx(theta, abs=1e-8)
    np.testing.assert_allclose(fast.mass, mass, atol=1e-8)
    np.testing.assert_allclose(fast.p_background, alone, atol=1e-8)
    to_one = np.array(alone)
    for (_, child), p in pairs.items():
        to_one[child] += p
    np.testing.assert_allclose(to_one, 1.0, atol=1e-12)
    assert len(fast.pairs) == len(pairs)


@pytest.mark.parametrize("coarse", [False, True])
def test_planted_excitation_is_found(coarse: bool) -> None:
    fits = [_fit(_planted(10_000, 0.30, seed, coarse=coarse)) for seed in range(3)]
    assert [fit.theta for fit in fits] == pytest.approx([0.30] * 3, abs=0.05)
    assert [fit.mean_lag_days for fit in fits] == pytest.approx([5.0] * 3, abs=0.8)
    wide = np.hypot(100.0, CELL_M / np.sqrt(6)) if coarse else 100.0  # both ends rounded to the middle of a cell
    assert [fit.sd_m for fit in fits] == pytest.approx([wide] * 3, rel=0.12)


@pytest.mark.parametrize("coarse", [False, True])
def test_without_excitation_next_to_none_is_found(coarse: bool) -> None:
    found = [_fit(_planted(n, 0.0, seed, coarse=coarse)).theta for n in (2_000, 10_000) for seed in range(4)]
    assert max(found) < 0.06
    assert np.mean(found) < 0.04


def test_shuffled_times_leave_next_to_none() -> None:
    points = _planted(10_000, 0.30, 1)
    t = np.random.default_rng(0).permutation(points.t_days)
    order = np.argsort(t)
    shuffled = Points(t[order], points.x_m[order], points.y_m[order], CITY.cell_of(points.x_m, points.y_m)[order])
    assert _fit(SeppEvents.from_points(shuffled, grid=CITY, last_day=DAYS)).theta < 0.06


def test_lags_are_days_not_days_to_the_minus_one() -> None:
    """0.1 per day is ten days. Cut at 30 days the mean lag is 10 - 30 / (e³ - 1) = 8.43."""
    fit = _fit(_planted(10_000, 0.30, 2, lag_days=10.0))
    assert fit.mean_lag_days == pytest.approx(10 - 30 / (np.exp(3) - 1), abs=1.2)


def test_drawn_parents_agree_with_weighed_ones_and_repeat() -> None:
    events = _planted(10_000, 0.30, 0)
    weighed = _fit(events)
    drawn = [_fit(events, rng=np.random.default_rng(seed)) for seed in (5, 5, 6)]
    assert drawn[0].theta == drawn[1].theta != drawn[2].theta
    assert (drawn[0].mass == drawn[1].mass).all()
    assert [fit.theta for fit in drawn] == pytest.approx([weighed.theta] * 3, abs=0.02)
    assert drawn[0].mean_lag_days == pytest.approx(weighed.mean_lag_days, abs=0.5)


def test_one_child_in_a_few_tells_nearly_the_same() -> None:
    events = _planted(10_000, 0.30, 0)
    whole = _fit(events)
    part = _fit(events, max_pairs=len(whole.pairs) // 3)
    assert 0.25 < len(part.pairs) / len(whole.pairs) < 0.4
    assert part.pairs.child.sum() == pytest.approx(len(events))
    assert part.theta == pytest.approx(whole.theta, abs=0.04)


def test_likelihood_never_falls_where_the_step_is_one_of_em() -> None:
    events = _planted(3_000, 0.30, 4)
    bare = _fit(events, hold_background=True, smooth=False, iterations=60)
    assert np.diff(bare.log_likelihood).min() > -1e-8
    assert bare.log_likelihood[-1] - bare.log_likelihood[0] > 50


def test_chances_sum_to_the_number_of_events() -> None:
    events = _planted(3_000, 0.30, 4)
    fit = _fit(events)
    density = fit.theta * fit.bins.density(fit.mass)
    excited = fit.pairs.excitation(density)
    some = excited > 0
    lam = np.where(some, excited / np.where(some, 1 - fit.p_background, 1.0), 1.0)
    triggered = fit.pairs.responsibilities(density, lam).sum()
    assert triggered + fit.p_background.sum() == pytest.approx(len(events), rel=1e-12)
    seen = float(fit.mass.sum(axis=1) @ fit.bins.exposure(events)) * len(events)
    assert triggered == pytest.approx(fit.theta * seen, rel=1e-9)  # Euler's relation, at the maximum over θ


def test_background_of_one_event_is_a_gaussian_cut_at_three() -> None:
    grid = Grid(0.0, 0.0, 100.0, np.ones((9, 9), dtype=bool))
    at = np.array([450.0, 450.0, 450.0])
    up = at + np.array([0.0, 0.0, 100.0])
    points = Points(np.array([1.0, 2.0, 3.0]), at, up, grid.cell_of(at, up))
    events = SeppEvents.from_points(points, grid=grid, last_day=4)
    background = Background.of(events, grid=grid, neighbours=2, trend_days=5.0)
    assert background.bandwidth_m.tolist() == [100.0, 100.0]
    cells = grid.raster(background.cells(np.array([1.0, 0.0, 0.0]), grid=grid))
    assert cells.sum() == pytest.approx(1.0)
    mass = np.diff([direct.phi(z) for z in (-0.5, 0.5, 1.5)])
    assert cells[4, 5] / cells[4, 4] == pytest.approx(mass[1] / mass[0], rel=2e-3)
    density = background.density(np.ones(3))
    one = 1 / (2 * np.pi * 100.0**2 * (1 - np.exp(-4.5))) / 4
    trend = background.trend(np.ones(3))
    even = 3 / 81 / 100**2 / 4
    expected = 0.999 * one * np.array([1 + np.exp(-0.5), 1 + np.exp(-0.5), 2 * np.exp(-0.5)]) + 0.001 * even
    np.testing.assert_allclose(density, expected * trend[[1, 2, 3]], rtol=1e-12)
