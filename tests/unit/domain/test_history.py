"""What a predictor is shown one morning: nothing of the day, nothing that had not entered the file."""

from __future__ import annotations

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates, EventLog, Events

GRID = Grid(0.0, 0.0, 100.0, np.ones((2, 3), dtype=bool))


def _log(*, n: int, seed: int, n_days: int = 12) -> EventLog:
    rng = np.random.default_rng(seed)
    t = rng.uniform(-1, n_days + 1, n)
    x, y = rng.uniform(-20, 320, n), rng.uniform(-20, 220, n)
    known = np.floor(t).astype(int) + rng.choice([0, 0, 0, 1, 4], n)
    return EventLog.from_arrays(
        t_days=t, x_m=x, y_m=y, cell=GRID.cell_of(x, y), known_day=known, grid=GRID, n_days=n_days
    )


def test_each_morning_shows_what_a_plain_filter_shows() -> None:
    log = _log(n=400, seed=0)
    day_of = np.floor(log.points.t_days).astype(int)
    for day, seen in log.mornings(3, 12):
        keep = (day_of < day) & (log.known_day < day)
        assert seen.n_days == day
        assert seen.points.t_days.tolist() == log.points.t_days[keep].tolist()
        assert seen.points.cell.tolist() == log.points.cell[keep].tolist()
        counted = np.zeros((day, 6), dtype=int)
        np.add.at(counted, (day_of[keep], log.points.cell[keep]), 1)
        assert (seen.counts == counted).all()
        assert not seen.counts.flags.writeable
        assert (log.until(day).counts == counted).all()
        assert seen.points.since(day - 2.0).t_days.tolist() == [t for t in log.points.t_days[keep] if t >= day - 2]


def test_counts_alone_are_placed_at_noon_in_the_middle_of_their_cell() -> None:
    counts = np.array([[0, 2, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0]])
    points = Events.from_counts(counts.astype(float), grid=GRID).points
    assert points.t_days.tolist() == [0.5, 0.5, 1.5]
    assert points.x_m.tolist() == [150.0, 150.0, 50.0]
    assert points.y_m.tolist() == [50.0, 50.0, 50.0]
    assert points.cell.tolist() == [1, 1, 0]
    with pytest.raises(ParameterError, match="whole counts"):
        _ = Events.from_counts(counts / 2, grid=GRID).points


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"places": {"bars": np.zeros(5)}}, r"places\['bars'\].*\(6,\)"),
        ({"days": {"rain": np.zeros(9)}}, r"days\['rain'\].*at least 10"),
        ({"cell_days": {"crowd": np.zeros((10, 5))}}, r"cell_days\['crowd'\]"),
        ({"places": {"bars": np.full(6, np.nan)}}, "NaN"),
    ],
)
def test_covariates_that_do_not_fit_are_refused(given: dict[str, dict[str, np.ndarray]], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        Covariates(**given).check(n_cells=6, n_days=10)  # type: ignore[arg-type]
