"""Hindsight under a constraint, and PAI with areas in real units."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from models.attainable import CONSTRAINTS, attainable
from models.nij import nij_area, nij_pai
from models.scores import best_captured

GRID = Grid(0.0, 0.0, 150.0, np.ones((2, 4), dtype=bool))


def test_best_static_set_against_every_set() -> None:
    counts = np.random.default_rng(0).poisson(0.8, (9, 8))
    for k in range(1, 9):
        best = max(counts[:, list(chosen)].sum() for chosen in combinations(range(8), k))
        assert attainable(counts, k=k, grid=GRID).sum() == best


def test_static_hits_are_by_day_and_may_be_passed_on_a_day() -> None:
    counts = np.array([[5, 0, 0, 0, 0, 0, 0, 0], [0, 3, 0, 0, 0, 0, 0, 0]])
    assert attainable(counts, k=1, grid=GRID).tolist() == [5, 0]  # the cell of 5, both days
    assert best_captured(counts)[:, 0].tolist() == [5, 3]


def test_blocks_by_hand() -> None:
    # two squares of 2 × 2 cells: west holds 1 + 1 + 1 + 1, east 3; day 1 the other way round
    counts = np.array([[1, 1, 3, 0, 1, 1, 0, 0], [0, 0, 3, 3, 1, 0, 0, 0]])
    assert attainable(counts, k=4, grid=GRID, constraint="blocks").tolist() == [4, 6]
    assert attainable(counts, k=1, grid=GRID, constraint="blocks").tolist() == [4, 6]  # a square cannot be cut
    assert attainable(counts, k=5, grid=GRID, constraint="blocks").tolist() == [7, 7]


def test_blocks_follow_the_shore() -> None:
    land = np.array([[True, True, False, True], [True, False, False, False]])
    grid = Grid(0.0, 0.0, 150.0, land)  # west square: cells 0, 1, 3; east square: cell 2
    counts = np.array([[1, 1, 2, 1]])
    assert attainable(counts, k=3, grid=grid, constraint="blocks").tolist() == [3]
    assert attainable(counts, k=4, grid=grid, constraint="blocks").tolist() == [5]


@pytest.mark.parametrize("constraint", sorted(CONSTRAINTS))
def test_no_constrained_set_of_whole_blocks_beats_free_hindsight(constraint: str) -> None:
    counts = np.random.default_rng(1).poisson(0.5, (30, 8))
    free = best_captured(counts)
    for k in (4, 8):
        assert (attainable(counts, k=k, grid=GRID, constraint=constraint) <= free[:, k - 1]).all()
    assert (attainable(counts, k=8, grid=GRID, constraint=constraint) == counts.sum(axis=1)).all()


def test_unknown_constraint_and_size_are_refused() -> None:
    with pytest.raises(ParameterError, match="static, blocks"):
        attainable(np.zeros((1, 8)), k=1, grid=GRID, constraint="roads")
    with pytest.raises(ParameterError, match="`k`"):
        attainable(np.zeros((1, 8)), k=9, grid=GRID)


def test_nij_rules_on_real_areas() -> None:
    city = Grid(0.0, 0.0, 250.0, np.ones((62, 62), dtype=bool))
    found = nij_area(city)
    assert found.k == 21  # 0.5 sq mi = 1.295 km², cells of 0.0625 km²
    assert found.cell_sq_ft == pytest.approx(672_751, rel=1e-5)
    assert not found.cells_within_rules
    assert found.area_within_rules
    assert not found.within_rules
    small = nij_area(Grid(0.0, 0.0, 150.0, np.ones((98, 108), dtype=bool)), target_sq_mi=0.1)
    assert (small.cells_within_rules, small.area_within_rules, small.k) == (True, False, 12)
    tiny = nij_area(GRID)
    assert (tiny.k, tiny.forecast_sq_mi) == (8, tiny.total_sq_mi)  # never more than there is


def test_nij_pai_is_pai_by_cells_on_equal_cells_whatever_the_unit() -> None:
    in_feet = nij_pai(hits=721, events=2323, forecast_area=20 * 2_569_000.0, total_area=661 * 2_569_000.0)
    assert in_feet == pytest.approx(721 / 2323 * 661 / 20)
    assert in_feet == pytest.approx(10.26, abs=0.005)  # Oakland, published run
    assert np.isnan(nij_pai(hits=0, events=0, forecast_area=1, total_area=2))
    for wrong in ({"hits": 3, "events": 2}, {"forecast_area": 5.0}, {"forecast_area": 0.0}):
        with pytest.raises(ParameterError):
            nij_pai(**{"hits": 1, "events": 2, "forecast_area": 1.0, "total_area": 2.0, **wrong})
