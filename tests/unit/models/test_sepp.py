"""Kernel self-exciting process: what is merged, which pairs are found, where triggered events are put on the map."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid, count_cube
from contrechamp.domain.history import Events, Points
from models import load_predictor
from models.sepp_em import fit_sepp, scaled_neighbours
from models.sepp_events import SeppEvents
from models.sepp_map import RingShares, due, excited_cells
from models.sepp_pairs import Pairs
from models.sepp_trigger import Bins, ring_offsets

GRID = Grid(1000.0, 2000.0, 150.0, np.ones((20, 24), dtype=bool))


def _points(t: np.ndarray, x: np.ndarray, y: np.ndarray) -> Points:
    order = np.argsort(t, kind="stable")
    t, x, y = (np.asarray(v, dtype=np.float64)[order] for v in (t, x, y))
    return Points(t, x, y, GRID.cell_of(x, y))


def _random(n: int, seed: int, *, days: int = 40) -> Points:
    rng = np.random.default_rng(seed)
    return _points(rng.uniform(0, days, n), 1000 + rng.uniform(0, 3600, n), 2000 + rng.uniform(0, 3000, n))


def test_events_of_one_instant_and_place_are_one_with_a_weight() -> None:
    points = _points(np.array([3.0, 1.0, 3.0, 3.0]), np.full(4, 1075.0), np.array([2075.0, 2075, 2075, 2225]))
    events = SeppEvents.from_points(points, grid=GRID, last_day=5)
    assert events.t_days.tolist() == [1.0, 3.0, 3.0]
    assert events.weight.tolist() == [0.75, 1.5, 0.75]
    assert events.total == 4
    assert (events.whole_days, events.centred, events.sites.step_m) == (True, True, 150.0)
    moved = SeppEvents.from_points(
        Points(points.t_days, points.x_m + 1e-3, points.y_m, points.cell), grid=GRID, last_day=5
    )
    assert (moved.whole_days, moved.centred, moved.sites.step_m) == (True, False, 50.0)
    assert moved.sites.n_events.tolist() == [2, 1]
    assert (moved.sites.column.tolist(), moved.sites.row.tolist()) == ([1, 1], [1, 4])


@pytest.mark.parametrize(("first", "last"), [(0, 3), (2, 9)])
def test_events_out_of_the_window_are_refused(first: int, last: int) -> None:
    points = _points(np.array([1.0, 4.0]), np.full(2, 1075.0), np.full(2, 2075.0))
    with pytest.raises(ParameterError, match=rf"on days {first} to {last - 1}"):
        SeppEvents.from_points(points, grid=GRID, first_day=first, last_day=last)


@settings(max_examples=25, deadline=None)
@given(n=st.integers(2, 90), seed=st.integers(0, 10_000), reach=st.sampled_from([(3.0, 200.0), (15.0, 900.0)]))
def test_the_pairs_found_are_those_within_reach(n: int, seed: int, reach: tuple[float, float]) -> None:
    events = SeppEvents.from_points(_random(n, seed), grid=GRID, last_day=40)
    bins = Bins.of(events, cutoff_days=reach[0], cutoff_m=reach[1])
    pairs = Pairs.of(events, bins)
    lag = events.t_days[None, :] - events.t_days[:, None]
    away = np.hypot(events.x_m[None, :] - events.x_m[:, None], events.y_m[None, :] - events.y_m[:, None])
    parent, child = np.nonzero((lag > 0) & (lag < bins.reach_days) & (away < bins.reach_m))
    found = np.repeat(np.arange(n), np.diff(pairs.start))
    assert sorted(zip(pairs.parent.tolist(), found.tolist(), strict=True)) == sorted(zip(parent, child, strict=True))
    row, ring = np.divmod(pairs.bin.astype(int), len(bins.ring_area_m2))
    assert (bins.lag_edges_days[row] <= lag[pairs.parent, found] + 1e-9).all()
    assert (lag[pairs.parent, found] <= bins.lag_edges_days[row + 1] + 1e-9).all()
    assert (bins.ring_edges_m[ring] <= away[pairs.parent, found] + 1e-6).all()
    assert (away[pairs.parent, found] <= bins.ring_edges_m[ring + 1] + 1e-6).all()


def test_smoothing_moves_mass_and_loses_none() -> None:
    events = SeppEvents.from_points(_random(60, 0), grid=GRID, last_day=40)
    bins = Bins.of(events, cutoff_days=10.0, cutoff_m=300.0)
    mass = np.random.default_rng(0).gamma(0.3, size=bins.volume.shape)
    smooth = bins.smoothed(mass, neighbours=15)
    assert smooth.sum() == pytest.approx(mass.sum())
    assert np.abs(np.diff(smooth, axis=1)).sum() < 0.5 * np.abs(np.diff(mass, axis=1)).sum()
    assert (bins.smoothed(mass, neighbours=0) == mass).all()


def test_offspring_after_the_window_are_allowed_for() -> None:
    points = _points(np.array([0.25, 35.25]), np.full(2, 1080.0), np.full(2, 2080.0))
    events = SeppEvents.from_points(points, grid=GRID, last_day=40)
    bins = Bins.of(events, cutoff_days=10.0, cutoff_m=300.0)
    seen = bins.exposure(events)
    low, high = bins.lag_edges_days[:-1], bins.lag_edges_days[1:]
    second = np.clip((4.75 - low) / (high - low), 0.0, 1.0)
    np.testing.assert_allclose(seen, (1.0 + second) / 2, rtol=1e-12)


def test_a_ring_holds_the_cells_whose_middle_is_in_it() -> None:
    column, row, ring = ring_offsets(4)
    first = 1 / math.sqrt(math.pi)
    for c, r, d in zip(column, row, ring, strict=True):
        assert d * first <= math.hypot(c, r) < (d + 1) * first
    assert np.bincount(ring).tolist() == [1, 4, 4, 12]


def test_what_is_due_on_a_day_is_the_kernel_over_that_day() -> None:
    edges = np.array([0.0, 0.5, 2.0, 4.0])
    triggered = np.array([[0.1], [0.3], [0.4]])
    t = np.array([9.75, 9.0, 6.5, 5.9, 2.0])
    # Day 10: lags [.25, 1.25), [1, 2), [3.5, 4.5), [4.1, 5.1), beyond.
    wanted = [0.05 + 0.75 / 1.5 * 0.3, 0.2, 0.1, 0.0, 0.0]
    np.testing.assert_allclose(due(triggered, edges, t, at=10).ravel(), wanted, atol=1e-15)


def test_rings_on_the_map_weigh_what_was_due_and_sit_around_the_event() -> None:
    edges = np.arange(4) * 60.0
    shares = RingShares.of(edges, cell_m=150.0, step_m=50.0, centred=False)
    at = _points(np.array([1.0]), np.array([1000 + 10 * 150 + 120.0]), np.array([2000 + 8 * 150 + 70.0]))
    rings = np.array([[0.2, 0.5, 0.3]])
    cells = GRID.raster(excited_cells(rings, at, shares=shares, grid=GRID))
    assert cells.sum() == pytest.approx(1.0)
    # Disc of 60 m around (125, 75) in the cell: the segment beyond 25 m to the east.
    east = (60**2 * math.acos(25 / 60) - 25 * math.sqrt(60**2 - 25**2)) / (math.pi * 60**2)
    only = GRID.raster(excited_cells(np.array([[1.0, 0, 0]]), at, shares=shares, grid=GRID))
    assert only[8, 11] == pytest.approx(east, abs=0.01)
    assert only[8, 10] == pytest.approx(1 - east, abs=0.01)


def test_the_shore_gives_back_what_would_fall_at_sea() -> None:
    land = np.ones((6, 6), dtype=bool)
    land[:, :3] = False
    coast = Grid(0.0, 0.0, 150.0, land)
    at = Points(np.array([1.0]), np.array([460.0]), np.array([400.0]), coast.cell_of([460.0], [400.0]))
    shares = RingShares.of(np.arange(4) * 60.0, cell_m=150.0, step_m=50.0, centred=False)
    cells = excited_cells(np.array([[0.0, 0.4, 0.6]]), at, shares=shares, grid=coast)
    assert cells.sum() == pytest.approx(1.0)


def test_neighbours_grow_as_the_square_root_of_the_events() -> None:
    assert [scaled_neighbours(15, n) for n in (10, 2_000, 8_000, 200_000)] == [15, 15, 30, 150]


def test_no_event_to_fit_is_refused() -> None:
    nothing = SeppEvents.from_points(_points(np.zeros(0), np.zeros(0), np.zeros(0)), grid=GRID, last_day=5)
    with pytest.raises(ParameterError, match="at least one event"):
        fit_sepp(nothing, grid=GRID, cutoff_days=30.0, cutoff_m=400.0)


@pytest.mark.parametrize("n", [1, 2, 3])
def test_a_handful_of_events_gives_a_map(n: int) -> None:
    points = _random(n, 4)
    counts = count_cube(points.cell, np.floor(points.t_days), n_cells=GRID.n_cells, n_days=40)
    fitted = load_predictor("sepp").fit(Events(counts, GRID, lambda: points), grid=GRID)
    surface = fitted.predict()
    assert fitted.theta_ == 0.0
    assert surface.sum() == pytest.approx(n / 40)
    assert (surface > 0).all()


@pytest.fixture(scope="module")
def points() -> Points:
    """Families of three within hours and metres over a thin background."""
    rng = np.random.default_rng(8)
    n = 150
    t, x, y = rng.uniform(0, 99, n), 1200 + rng.uniform(0, 3200, n), 2200 + rng.uniform(0, 2600, n)
    t = np.concatenate([t, t + rng.exponential(0.5, n), t + rng.exponential(0.5, n)])
    x, y = (np.concatenate([v, v + rng.normal(0, 20, n), v + rng.normal(0, 20, n)]) for v in (x, y))
    keep = t < 100
    return _points(t[keep], x[keep], y[keep])


class TestSelfExciting:
    """On families of three, two of which have a parent."""

    def _events(self, points: Points, n_days: int = 100) -> Events:
        counts = count_cube(points.cell, np.floor(points.t_days), n_cells=GRID.n_cells, n_days=n_days)
        return Events(counts, GRID, lambda: points)

    def test_families_are_found(self, points: Points) -> None:
        fitted = load_predictor("sepp").fit(self._events(points), grid=GRID)
        assert fitted.theta_ == pytest.approx(2 / 3, abs=0.15)
        assert fitted.triggered_.sum() == pytest.approx(fitted.theta_)
        within = np.cumsum(fitted.triggered_.sum(axis=0)) / fitted.theta_
        assert np.interp(85.0, fitted.ring_edges_m_[1:], within) > 0.85
        soon = np.cumsum(fitted.triggered_.sum(axis=1)) / fitted.theta_
        assert np.interp(3.0, fitted.lag_edges_days_[1:], soon) > 0.75  # a flat kernel: a tenth

    def test_a_new_event_raises_its_place_and_it_fades(self, points: Points) -> None:
        fitted = load_predictor("sepp").fit(self._events(points), grid=GRID)
        cell = int(GRID.cell_of(2575.0, 3275.0))
        before = fitted.predict(101)[cell]
        new = Points(
            np.append(points.t_days, 100.9), np.append(points.x_m, 2575.0), np.append(points.y_m, 3275.0),
            np.append(points.cell, cell),
        )  # fmt: skip
        after = [fitted.update(self._events(new, 101)).predict(day)[cell] for day in (101, 102, 104, 108)]
        assert after[0] > 3 * before
        assert after[0] > after[1] > after[2] > after[3]

    def test_drawn_parents_repeat_under_their_seed(self, points: Points) -> None:
        def surface(seed: int) -> np.ndarray:
            model = load_predictor("sepp", declustering="drawn", seed=seed)
            return model.fit(self._events(points), grid=GRID).predict()

        assert (surface(1) == surface(1)).all()
        assert (surface(1) != surface(2)).any()
        whole = load_predictor("sepp").fit(self._events(points), grid=GRID).predict()
        assert np.corrcoef(surface(1), whole)[0, 1] > 0.98
