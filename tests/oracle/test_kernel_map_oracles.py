"""Kernel maps, Knox tables and map statistics against closed forms, quadrature and the libraries of the trade."""

from __future__ import annotations

import math
import warnings
from itertools import pairwise

import mpmath
import numpy as np
import pointpats
import pytest
from scipy import integrate, stats

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Points
from models.knox import global_knox, knox_table
from models.map_statistics import QUADRANTS, gi_star, local_moran, queen_neighbours, queen_weights
from models.prospective_continuous import clausen, prospective_surface
from models.space_time_kde import space_time_kde
from models.spread import ring_shares

OPEN = Grid(0.0, 0.0, 150.0, np.ones((21, 21), dtype=bool))


def _points(t, x, y, grid: Grid = OPEN) -> Points:
    t, x, y = (np.asarray(v, dtype=np.float64) for v in (t, x, y))
    return Points(t, x, y, grid.cell_of(x, y))


# --- the closed form behind the continuous prospective map ---------------------------------------------------------


def test_clausen_function_at_known_values_and_its_duplication() -> None:
    catalan = 0.915965594177219015
    assert clausen(math.pi / 2) == pytest.approx(catalan, abs=1e-15)
    assert clausen(-math.pi / 2) == pytest.approx(-catalan, abs=1e-15)
    assert clausen(math.pi / 3) == pytest.approx(1.0149416064096536, abs=1e-15)  # its largest value
    assert [clausen(0.0), clausen(math.pi)] == pytest.approx([0, 0], abs=1e-15)
    for t in (1e-9, 0.3, 2.0, 2.2, 3.1):
        assert clausen(t) == pytest.approx(float(mpmath.clsin(2, t)), rel=1e-14)
        assert clausen(t + 6 * math.pi) == pytest.approx(clausen(t), abs=1e-13)
        assert clausen(2 * t) == pytest.approx(2 * clausen(t) - 2 * clausen(math.pi - t), abs=1e-14)


def _mass(x_low: float, x_high: float, y_low: float, y_high: float, radius: float) -> float:
    """Integral of 1 / (1 + r) over the part of a rectangle that lies in the disc, by nested quadrature."""

    def strip(x: float) -> float:
        reach = math.sqrt(max(radius**2 - x**2, 0.0))
        low, high = max(y_low, -reach), min(y_high, reach)
        return integrate.quad(lambda y: 1 / (1 + math.hypot(x, y)), low, high, epsabs=1e-12)[0] if high > low else 0.0

    kinks = [math.sqrt(radius**2 - y**2) for y in (y_low, y_high) if abs(y) < radius]
    cuts = sorted({x_low, x_high, *(s * k for k in [*kinks, radius] for s in (-1, 1) if x_low < s * k < x_high)})
    return sum(integrate.quad(strip, a, b, epsabs=1e-11, limit=200)[0] for a, b in pairwise(cuts))


@pytest.mark.parametrize(("bandwidth", "unit_m"), [(8.0, 150.0), (2.5, 150.0), (400.0 / 50, 50.0)])
def test_prospective_surface_is_the_integral_over_each_cell(bandwidth: float, unit_m: float) -> None:
    place = np.array([1_600.0, 1_545.0])  # off every middle, 30 m from a border of its cell
    surface = prospective_surface(
        _points([3.0], *place[:, None]), grid=OPEN, at_days=10.0, bandwidth=bandwidth, unit_m=unit_m, edges="lose"
    ).reshape(OPEN.shape)
    whole = 2 * math.pi * (bandwidth - math.log(1 + bandwidth))
    for row, column in [(10, 10), (10, 11), (9, 10), (12, 12), (10, 12), (4, 13)]:
        west, south = (np.array([column, row]) * 150.0 - place) / unit_m
        side = 150.0 / unit_m
        want = 0.5 * _mass(west, west + side, south, south + side, bandwidth) / whole  # one week old: weight ½
        assert surface[row, column] == pytest.approx(want, abs=2e-11)
    assert surface.sum() == pytest.approx(0.5, abs=1e-13)


def test_prospective_surface_agrees_with_a_fine_sampling_of_the_usual_density() -> None:
    # what gridding by sampling tends to: the mean of 1/(1+d) × 1/(1+t) over points of the cell
    rng = np.random.default_rng(4)
    points = _points([0.0, 5.0, 40.0], *rng.uniform(1_350, 1_800, (2, 3)))
    at = 42.0
    surface = prospective_surface(points, grid=OPEN, at_days=at, edges="lose").reshape(OPEN.shape)
    fine = (np.arange(200) + 0.5) / 200 * 150.0
    x, y = np.meshgrid(12 * 150.0 + fine, 9 * 150.0 + fine)
    total = 0.0
    for t, px, py in zip(points.t_days, points.x_m, points.y_m, strict=True):
        total = total + (1 / (1 + np.hypot(x - px, y - py) / 150.0)) / (1 + (at - t) / 7)
    assert surface[9, 12] * 2 * math.pi * (8 - math.log(9)) == pytest.approx(float(np.mean(total)), rel=1e-6)


def test_a_record_on_a_corner_gives_four_cells_the_same_and_old_ones_nothing() -> None:
    surface = prospective_surface(
        _points([0.0, 1.0], [1_500.0] * 2, [1_500.0] * 2), grid=OPEN, at_days=57.0, edges="lose"
    )
    square = surface.reshape(OPEN.shape)[9:11, 9:11]
    assert square == pytest.approx(square[0, 0], rel=1e-12)
    # the record of day 1 is exactly eight weeks old, which is too old; so is that of day 0
    assert surface.sum() == 0
    assert prospective_surface(_points([1.0], [1.0], [1.0]), grid=OPEN, at_days=56.9).sum() == pytest.approx(
        1 / (1 + 55.9 / 7), rel=1e-12
    )


# --- Gaussian kernel ----------------------------------------------------------------------------------------------


def test_space_time_kde_is_the_integral_of_its_density() -> None:
    points = _points([0.0, 6.0], [1_010.0, 1_500.0], [1_700.0, 1_500.0])
    sd = np.array([[120.0, 300.0], [200.0, 80.0]])
    surface = space_time_kde(
        points, grid=OPEN, at_days=7.0, bandwidth_m=sd, time_kernel="quadratic", scale_days=7.0, edges="lose"
    ).reshape(OPEN.shape)

    def density(y: float, x: float) -> float:
        return sum(
            w * stats.norm.pdf(x, px, sx) * stats.norm.pdf(y, py, sy)
            for w, px, py, (sx, sy) in zip([0.5, 49 / 50], points.x_m, points.y_m, sd, strict=True)
        )

    for row, column in [(11, 6), (10, 10), (9, 12)]:
        want, _ = integrate.dblquad(
            density, column * 150.0, column * 150.0 + 150, row * 150.0, row * 150.0 + 150, epsabs=1e-11
        )
        assert surface[row, column] == pytest.approx(want, abs=1e-10)


def test_space_time_kde_with_a_vanishing_bandwidth_counts_and_a_huge_one_is_flat() -> None:
    x, y = np.random.default_rng(1).uniform(10, 3_140, (2, 60))
    points = _points(np.zeros(60), x, y)
    common = {"grid": OPEN, "at_days": 1.0, "time_kernel": "constant"}
    counted = np.bincount(points.cell, minlength=OPEN.n_cells)
    inside = np.abs((np.concatenate([x, y]) + 75) % 150 - 75).min()  # nearest border
    assert space_time_kde(points, bandwidth_m=inside / 40, **common) == pytest.approx(counted, abs=1e-12)
    flat = space_time_kde(points, bandwidth_m=1e7, **common)
    assert flat == pytest.approx(60 / OPEN.n_cells, rel=1e-6)


# --- rings --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("h", [0.2, 0.7, 1.0])
def test_disc_shares_have_their_closed_form_under_one_cell(h: float) -> None:
    table = ring_shares(0.0, 150.0 * h, cell_m=150.0)
    middle = len(table) // 2
    assert table[middle, middle] == pytest.approx(1 - 8 * h / (3 * math.pi) + h * h / (2 * math.pi), abs=1e-14)
    assert table.sum() == pytest.approx(1, abs=1e-14)


def test_ring_shares_by_drawing() -> None:
    rng = np.random.default_rng(7)
    n, inner, outer, cell = 400_000, 200.0, 400.0, 150.0
    place, angle = rng.uniform(0, cell, (2, n)), rng.uniform(0, 2 * math.pi, n)
    radius = np.sqrt(rng.uniform(inner**2, outer**2, n))
    column, row = (np.floor((place + radius * [np.cos(angle), np.sin(angle)]) / cell)).astype(int)
    table = ring_shares(inner, outer, cell_m=cell)
    middle = len(table) // 2
    drawn = np.zeros_like(table)
    np.add.at(drawn, (row + middle, column + middle), 1 / n)
    assert drawn == pytest.approx(table, abs=5 * math.sqrt(table.max() / n))


# --- Knox ---------------------------------------------------------------------------------------------------------


def test_knox_counts_are_those_of_pointpats() -> None:
    rng = np.random.default_rng(2)
    points = _points(np.sort(rng.integers(0, 120, 300)), *rng.integers(0, 60, (2, 300)) * 50.0)  # many ties
    ours = global_knox(points, within_m=250.0, within_days=7, permutations=99, rng=rng)
    theirs = pointpats.Knox(
        np.column_stack([points.x_m, points.y_m]), points.t_days[:, None], delta=250.0, tau=7.0, permutations=0
    )
    assert ours.close_in_both == theirs.nst == theirs.observed[0, 0]
    assert ours.close_in_space == theirs.observed[0].sum()
    assert ours.close_in_time == theirs.observed[:, 0].sum()
    assert ours.pairs == 300 * 299 // 2
    assert ours.expected == pytest.approx(theirs.expected[0, 0], rel=1e-12)
    assert ours.p_poisson > theirs.p_poisson  # at least as many, against more
    assert ours.p_poisson - theirs.p_poisson == pytest.approx(stats.poisson.pmf(ours.close_in_both, ours.expected))
    assert 0 < ours.p <= 1


def test_knox_finds_a_planted_near_repeat_and_stays_at_its_level_without() -> None:
    rng = np.random.default_rng(3)
    x, y, t = rng.uniform(0, 3_000, 150), rng.uniform(0, 3_000, 150), rng.uniform(0, 300, 150)
    near = np.concatenate([x, x[:40] + 20]), np.concatenate([y, y[:40]]), np.concatenate([t, t[:40] + 2])
    common = {"edges_m": [100.0], "edges_days": [7.0], "permutations": 99}
    planted = knox_table(near[0], near[1], t_days=near[2], rng=rng, **common)
    assert planted.p[0, 0] == 0.01
    assert planted.observed[0, 0] >= 40 > 8 > planted.expected[0, 0]
    null = [
        knox_table(*rng.uniform(0, 1_500, (2, 60)), t_days=rng.uniform(0, 60, 60), rng=rng, **common).p[0, 0]
        for _ in range(200)
    ]
    assert min(null) > 0
    assert np.mean(np.array(null) <= 0.05) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


# --- Gi* and local Moran ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def coast() -> Grid:
    land = np.ones((9, 10), dtype=bool)
    land[:3, 6:] = False
    land[0, 8] = True  # an islet
    return Grid(0.0, 0.0, 150.0, land)


def test_queen_neighbours_by_hand(coast: Grid) -> None:
    own, other = queen_neighbours(coast)
    lists = [other[own == cell].tolist() for cell in range(coast.n_cells)]
    assert lists[0] == [1, 7, 8]  # row 0 holds cells 0 … 5 and the islet, 6
    assert lists[6] == []
    assert lists[8] == [0, 1, 2, 7, 9, 13, 14, 15]
    w = queen_weights(coast)
    assert w.islands == [6]
    assert w.s0 == len(own)
    assert (w.sparse.toarray() == w.sparse.toarray().T).all()


def test_gi_star_moments_are_those_of_permutations(coast: Grid) -> None:
    rng = np.random.default_rng(5)
    y = rng.gamma(1.5, 2.0, coast.n_cells)
    found = gi_star(y, grid=coast, rng=rng, permutations=99)
    own, other = queen_neighbours(coast)
    n = coast.n_cells
    matrix = np.eye(n)
    matrix[own, other] = 1
    k = matrix.sum(axis=1)
    s2, mean = y.var(), y.mean()
    here = found.defined
    assert (np.flatnonzero(~here) == [6]).all()
    assert found.value[here] == pytest.approx((matrix @ y / y.sum())[here], rel=1e-12)
    assert found.expected[here] == pytest.approx((k / n)[here], rel=1e-12)
    assert found.variance[here] == pytest.approx((k * (n - k) / (n - 1) / n**2 * s2 / mean**2)[here], rel=1e-12)
    drawn = np.array([matrix @ rng.permutation(y) / y.sum() for _ in range(8_000)])
    assert drawn.mean(axis=0)[here] == pytest.approx(found.expected[here], rel=0.03)
    assert drawn.var(axis=0)[here] == pytest.approx(found.variance[here], rel=0.09)
    assert found.z[here] == pytest.approx(((found.value - found.expected) / np.sqrt(found.variance))[here])


def test_local_moran_and_its_moments(coast: Grid) -> None:
    rng = np.random.default_rng(6)
    y = rng.gamma(1.5, 2.0, coast.n_cells)
    found = local_moran(y, grid=coast, rng=rng, permutations=99)
    own, other = queen_neighbours(coast)
    z = (y - y.mean()) / y.std()
    n, neighbours = coast.n_cells, np.bincount(own, minlength=coast.n_cells)
    lag = np.bincount(own, weights=z[other], minlength=n) / np.maximum(neighbours, 1)
    here = found.defined
    assert found.value[here] == pytest.approx((z * lag * (n - 1) / n)[here], rel=1e-10)
    assert found.expected[here] == pytest.approx(-1 / (n - 1))
    named = np.array(QUADRANTS)[found.quadrant]
    assert (named[here & (z > 0) & (lag > 0)] == "high-high").all()
    assert (named[here & (z < 0) & (lag > 0)] == "low-high").all()
    assert (named[here & (z < 0) & (lag < 0)] == "low-low").all()
    assert named[6] == "undefined"


def test_pseudo_p_by_enumeration() -> None:
    # three cells in a row, 1 2 6: the end cell has one neighbour, drawn among the two others. Its sum 1 + 2 is the
    # smaller of 3 and 7: half of the draws are as low, all as high. The middle cell has both others, always.
    rng = np.random.default_rng(8)
    found = gi_star([1.0, 2.0, 6.0], grid=Grid(0.0, 0.0, 1.0, np.ones((1, 3), dtype=bool)), rng=rng, permutations=3_999)
    assert found.p[0] == pytest.approx(1.0, abs=0.05)
    assert found.p[1] == 1.0
    # nine cells, all at 1 but one block of high ones: the corner cell 0 has neighbours 1, 3, 4
    square = Grid(0.0, 0.0, 1.0, np.ones((3, 3), dtype=bool))
    y = np.array([1.0, 9.0, 1.0, 9.0, 9.0, 1.0, 1.0, 1.0, 1.0])
    found = gi_star(y, grid=square, rng=rng, permutations=9_999)
    assert found.p[0] == pytest.approx(2 / math.comb(8, 3), rel=0.15)  # one draw in 56 takes all three
    assert found.floor == pytest.approx(18 / 10_000)


def test_benjamini_hochberg_by_hand_and_its_floor(coast: Grid) -> None:
    y = np.ones(coast.n_cells)
    raster = coast.raster(y)
    raster[5:8, 2:5] = 12.0
    y = raster[coast.land] + np.random.default_rng(9).uniform(0, 0.1, coast.n_cells)
    found = gi_star(y, grid=coast, rng=np.random.default_rng(10), permutations=9_999)
    p = found.p[found.defined]
    order = np.argsort(p)
    m = len(p)
    adjusted = np.minimum.accumulate((p[order] * m / np.arange(1, m + 1))[::-1])[::-1]
    assert found.p_adjusted[found.defined][order] == pytest.approx(np.minimum(adjusted, 1), rel=1e-12)
    flagged = coast.raster(found.flagged.astype(float))
    assert flagged[6, 3] == 1 and flagged[0, 0] == 0
    assert (found.quadrant[found.flagged] == 1).all()
    few = gi_star(y, grid=coast, rng=np.random.default_rng(10), permutations=99)
    assert few.floor == 1.0  # no cell alone could be flagged with so few permutations


def test_pure_chance_is_rarely_flagged(coast: Grid) -> None:
    rng = np.random.default_rng(11)
    maps = [gi_star(rng.gamma(1.0, 1.0, coast.n_cells), grid=coast, rng=rng, permutations=2_999) for _ in range(30)]
    assert np.mean([m.flagged.any() for m in maps]) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 30)


@pytest.mark.parametrize("statistic", [gi_star, local_moran])
@pytest.mark.parametrize("value", [0.0, 0.1, 7.0])
def test_a_constant_map_has_no_statistic(statistic, value: float, coast: Grid) -> None:
    found = statistic(np.full(coast.n_cells, value), grid=coast, rng=np.random.default_rng(0), permutations=9)
    assert not found.defined.any()
    assert not found.flagged.any()
    assert np.isnan(found.p).all() and np.isnan(found.z).all() and math.isnan(found.floor)


@pytest.mark.parametrize("statistic", [gi_star, local_moran])
def test_a_map_of_islands_has_no_statistic_and_bad_maps_are_refused(statistic, coast: Grid) -> None:
    rng = np.random.default_rng(0)
    apart = Grid(0.0, 0.0, 1.0, np.array([[True, False, True]]))
    assert not statistic([1.0, 2.0], grid=apart, rng=rng).defined.any()
    for values, match in (([1.0], "one per land cell"), ([np.nan] * coast.n_cells, "finite")):
        with pytest.raises(ParameterError, match=match):
            statistic(values, grid=coast, rng=rng)
    with pytest.raises(ParameterError, match="permutations"):
        statistic(np.ones(coast.n_cells), grid=coast, rng=rng, permutations=0)
    with pytest.raises(ParameterError, match="level"):
        statistic(np.ones(coast.n_cells), grid=coast, rng=rng, level=1.0)


def test_statistics_leave_the_warning_filters_and_the_global_generator_alone(coast: Grid) -> None:
    before, state = list(warnings.filters), np.random.get_state()[1].copy()  # noqa: NPY002
    for statistic in (gi_star, local_moran):
        statistic(np.arange(coast.n_cells), grid=coast, rng=np.random.default_rng(0), permutations=9)
    assert list(warnings.filters) == before
    assert (np.random.get_state()[1] == state).all()  # noqa: NPY002


@pytest.mark.slow
@pytest.mark.parametrize("statistic", [gi_star, local_moran])
def test_pseudo_p_are_those_of_esda(statistic, coast: Grid) -> None:
    from esda.getisord import G_Local
    from esda.moran import Moran_Local

    y = np.random.default_rng(12).gamma(2.0, 1.0, coast.n_cells)
    ours = statistic(y, grid=coast, rng=np.random.default_rng(13), permutations=9_999)
    settings = {"permutations": 9_999, "n_jobs": 1, "seed": 14, "keep_simulations": False}
    with warnings.catch_warnings(action="ignore"):
        if statistic is gi_star:
            theirs = G_Local(y, queen_weights(coast), transform="B", star=True, **settings)
        else:
            theirs = Moran_Local(y, queen_weights(coast), transformation="r", **settings)
    here = ours.defined
    p = np.minimum(1, 2 * np.asarray(theirs.p_sim, dtype=np.float64))[here]  # one tail there, two here
    assert np.abs(ours.p[here] - p).max() < 0.07
    assert np.abs(ours.p[here] - p).mean() < 0.015
