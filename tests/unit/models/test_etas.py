"""Events by cell, and the predictor made of them: what it refuses, what it keeps."""

from __future__ import annotations

import io

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from models import load_predictor, predictor_class
from models.etas_em import fit_em
from models.etas_events import CellEvents, EtasParams, intensity
from models.etas_likelihood import fit_mle, profile_intervals
from models.etas_profile import log_likelihood

GRID = Grid(0.0, 0.0, 150.0, np.ones((3, 4), dtype=bool))
EMPTY = CellEvents.from_events([], [], n_cells=3, duration_days=10)


def _bursts() -> np.ndarray:
    """A cell with a steady background, one with two bursts, the second at the end."""
    counts = np.zeros((60, 12), dtype=int)
    counts[::5, 2] = 1
    counts[[20, 21, 22, 57, 58, 59], 7] = [3, 2, 1, 4, 3, 2]
    return counts


def test_merging_loses_no_event_and_orders_them() -> None:
    cell, t = np.array([4, 1, 4, 4, 1]), np.array([2.5, 0.0, 0.5, 2.5, 9.9])
    events = CellEvents.from_events(cell, t, n_cells=6, duration_days=10)
    assert events.total == 5
    assert events.cell.tolist() == [1, 4]
    assert events.t_days.tolist() == [0.0, 9.9, 0.5, 2.5]
    assert events.weight.tolist() == [1, 1, 1, 2]
    assert events.row.tolist() == [0, 0, 1, 1]
    by_day = CellEvents.from_events(cell, t, n_cells=6, duration_days=10, resolution="day")
    counts = np.zeros((10, 6))
    np.add.at(counts, (np.floor(t).astype(int), cell), 1)
    again = CellEvents.from_counts(counts)
    for name in ("cell", "start", "t_days", "weight"):
        assert (getattr(by_day, name) == getattr(again, name)).all()


@pytest.mark.parametrize(
    ("cell", "t", "given", "message"),
    [
        ([0], [10.0], {}, "`t_days` parameter"),
        ([0], [-0.1], {}, "`t_days` parameter"),
        ([0], [np.nan], {}, "`t_days` parameter"),
        ([3], [1.0], {}, "`cell` parameter"),
        ([-1], [1.0], {}, "`cell` parameter"),
        ([0, 1], [1.0], {}, "`cell` parameter"),
        ([0], [1.0], {"duration_days": 0}, "`duration_days` parameter"),
        ([0], [1.0], {"duration_days": 9.5, "resolution": "day"}, "whole days"),
    ],
)
def test_events_outside_are_refused(cell: list[int], t: list[float], given: dict[str, object], message: str) -> None:
    with pytest.raises(ParameterError, match=message):
        CellEvents.from_events(cell, t, **({"n_cells": 3, "duration_days": 10} | given))  # type: ignore[arg-type]


@pytest.mark.parametrize("counts", [np.zeros((0, 3)), np.zeros(3), np.array([[1.0, np.nan]]), np.array([[-1, 2]])])
def test_what_is_not_counts_is_refused(counts: np.ndarray) -> None:
    with pytest.raises(ParameterError, match="`counts` parameter"):
        CellEvents.from_counts(counts)


def test_nothing_to_learn_from_is_said_not_guessed() -> None:
    em, mle = fit_em(EMPTY), fit_mle(EMPTY)
    assert em.n_steps == 0
    assert mle.params.theta == 0.0
    assert intensity(EMPTY, mle.params).tolist() == [0.0, 0.0, 0.0]
    assert not any(interval.estimable for interval in profile_intervals(EMPTY, mle))
    single = CellEvents.from_events([0, 2], [1.0, 4.0], n_cells=3, duration_days=10)
    assert fit_em(single).params.theta == 0.0
    assert fit_mle(single).params.theta == 0.0
    np.testing.assert_allclose(intensity(single, fit_mle(single).params), [0.1, 0.0, 0.1], rtol=1e-12)


def test_an_event_without_intensity_is_impossible() -> None:
    events = CellEvents.from_events([0], [1.0], n_cells=1, duration_days=2)
    assert log_likelihood(events, EtasParams(0.5, 1.0, np.zeros(1))) == -np.inf


@pytest.mark.parametrize("start", [(0.0, 1.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, np.nan)])
def test_start_must_be_positive(start: tuple[float, float, float]) -> None:
    with pytest.raises(ParameterError, match="`start` parameter of fit_em"):
        fit_em(EMPTY, start=start)


def test_day_likelihood_wants_days_and_bounds_are_bounds() -> None:
    events = CellEvents.from_events([0, 0], [1.5, 2.0], n_cells=1, duration_days=10)
    with pytest.raises(ParameterError, match="resolution='day'"):
        fit_mle(events, compensator="day")
    with pytest.raises(ParameterError, match="`omega_bounds_per_day`"):
        fit_mle(events, omega_bounds_per_day=(2.0, 1.0))
    with pytest.raises(ParameterError, match="after the last event"):
        intensity(events, EtasParams(0.1, 1.0, np.ones(1)), at_days=2.0)


@pytest.mark.parametrize("estimator", ["mle", "mle-adjusted"])
def test_a_burst_at_the_end_raises_its_cell_above_its_count(estimator: str) -> None:
    counts = _bursts()
    model = load_predictor("etas-per-cell", estimator=estimator).fit(counts, grid=GRID)
    surface = model.predict()
    assert surface[7] / surface[2] > 2 * counts[:, 7].sum() / counts[:, 2].sum()
    assert 0 < model.theta_ < 1
    assert (surface > 0).sum() == 2
    assert model.expected_ > surface.sum(), "the process expects the burst to go on"


def test_the_published_rule_runs_away_where_a_day_opens_a_burst() -> None:
    # three records on day 20 excite the next days but are divided by the intensity of their own day, which has no
    # excitation: the shares of an event add up to far more than one, and θ, an average number of offspring, passes one
    events = CellEvents.from_counts(_bursts())
    assert fit_em(events, pairing="published", max_steps=200).params.theta > 1
    assert 0 < fit_em(events).params.theta < 1
    with pytest.raises(ParameterError, match="run away"):
        fit_em(events, pairing="published", start=(1e300, 1.0, 1e-200))


def test_the_window_forgets_and_the_state_is_stored_whole() -> None:
    counts = _bursts()
    model = load_predictor("etas-per-cell", window_days=30).fit(counts, grid=GRID)
    assert (model.predict() == load_predictor("etas-per-cell").fit(counts[-30:], grid=GRID).predict()).all()
    file = io.BytesIO()
    np.savez(file, **model.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        kept = dict(arrays)
    again = predictor_class("etas-per-cell").from_arrays(model.get_params(), kept)
    for name in ("theta_", "omega_per_day_", "expected_"):
        assert getattr(again, name) == getattr(model, name)
    assert (again.mu_per_day_ == model.mu_per_day_).all()
    del kept["theta_"]
    with pytest.raises(ParameterError, match="Missing: theta_"):
        predictor_class("etas-per-cell").from_arrays({}, kept)


def test_the_published_iteration_wants_whole_counts() -> None:
    with pytest.raises(ParameterError, match="whole counts"):
        load_predictor("etas-per-cell", estimator="em-published").fit(_bursts() / 2, grid=GRID)
