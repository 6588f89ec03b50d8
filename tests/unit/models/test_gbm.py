"""Boosted trees: the arrays are scikit-learn's, the level is right, tomorrow stays out, planted effects are found."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from threadpoolctl import threadpool_limits

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates, Events
from models import load_predictor
from models.base import Seen
from models.gbm import BoostedTrees, city_mean
from models.scores import log_score
from models.trees import Forest, coarse

GRID = Grid(0.0, 0.0, 250.0, np.ones((9, 10), dtype=bool))
N, DAYS, FIRST = GRID.n_cells, 420, 364


def _world(seed: int, *, weather: float, weekend: float) -> tuple[np.ndarray, Covariates]:
    """Cells with lasting rates; days multiplied by the weather and, on the last two of the week, by ``weekend``."""
    rng = np.random.default_rng(seed)
    place = rng.gamma(2.0, 0.25, N)
    celsius = rng.normal(size=DAYS)
    tempo = np.exp(weather * celsius) * np.where((np.arange(DAYS) + 3) % 7 >= 5, weekend, 1.0)
    counts = rng.poisson(place * (tempo / tempo.mean())[:, None]).astype(np.int32)
    return counts, Covariates(days={"temperature": celsius}, first_weekday=3)


def _gain(counts: np.ndarray, beside: Covariates) -> tuple[float, int]:
    """Mean daily log score over the trailing mean of as many days, and the trees grown."""
    model = BoostedTrees().fit(counts[:FIRST], grid=GRID, covariates=beside)
    mean = load_predictor("trailing-mean", window_days=364).fit(counts[:FIRST], grid=GRID)
    gains = []
    for day in range(FIRST, DAYS):
        ours, theirs = model.update(counts[:day]).predict(day), mean.update(counts[:day]).predict(day)
        gains.append(float((log_score(ours, counts[day]) - log_score(theirs, counts[day]))[0]))
    return float(np.mean(gains)), model.forest_.n_trees


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Threads that wait for one another on busy cores are most of the time of a small fit."""
    with threadpool_limits(limits=1):
        yield


@pytest.mark.parametrize(("weather", "weekend"), [(0.5, 1.0), (0.0, 2.0)])
def test_a_planted_effect_of_the_weather_or_the_week_is_found(weather: float, weekend: float) -> None:
    gain, trees = _gain(*_world(1, weather=weather, weekend=weekend))
    assert trees > 5
    assert gain > 1.0  # nats a day over 90 cells


def test_days_in_a_random_order_leave_nothing_to_find() -> None:
    gains = []
    for seed in range(4):
        counts, beside = _world(seed, weather=0.5, weekend=2.0)
        shuffled = np.random.default_rng(seed).permuted(np.arange(DAYS))
        gains.append(_gain(counts[shuffled], beside)[0])
    assert max(gains) < 0.25
    assert np.mean(gains) < 0.1


def test_where_nothing_changes_from_day_to_day_it_is_the_mean() -> None:
    found = [_gain(*_world(seed, weather=0.0, weekend=1.0)) for seed in range(4)]
    assert min(trees for _, trees in found) <= 1
    assert max(abs(gain) for gain, _ in found) < 0.15  # nats a day over 90 cells


def _sampled_city() -> tuple[np.ndarray, Grid]:
    """A city too large for every empty cell and day to be kept."""
    grid = Grid(0.0, 0.0, 150.0, np.ones((30, 40), dtype=bool))
    rng = np.random.default_rng(4)
    return rng.poisson(rng.gamma(0.3, 0.1, grid.n_cells), (200, grid.n_cells)).astype(np.int32), grid


def test_sampled_rows_weigh_what_all_of_them_do() -> None:
    counts, grid = _sampled_city()
    seen = Seen(Events.from_counts(counts, grid=grid), grid, Covariates())
    model = BoostedTrees(seed=5).fit(counts, grid=grid)
    rows = model._rows(seen)
    assert rows is not None
    assert len(rows.count) < 0.4 * 172 * grid.n_cells
    assert rows.count.sum() == counts[28:].sum()
    assert np.count_nonzero(rows.count) == np.count_nonzero(counts[28:])
    expected = sum(counts[:day].sum() / day for day in range(28, 200))
    assert rows.weight.sum() == pytest.approx(expected, rel=1e-12)
    np.testing.assert_allclose(city_mean(counts)[28:].sum(), expected, rtol=1e-12)
    # Not only in all: what the sampled rows say of any column is what all rows say.
    full = BoostedTrees(empty_per_record=1_000.0).fit(counts, grid=grid)._rows(seen)
    assert full is not None
    for name in ("mean_182d", "ring_28d", "weekday"):
        j = model.feature_names_.index(name)
        whole = np.average(full.table[:, j], weights=full.weight)
        assert np.average(rows.table[:, j], weights=rows.weight) == pytest.approx(whole, rel=0.03)
    other = BoostedTrees(seed=6).fit(counts, grid=grid)._rows(seen)
    assert other is not None
    assert len(other.count) != len(rows.count) or (other.table != rows.table).any()


def test_level_of_the_trees_is_that_of_the_city() -> None:
    counts, grid = _sampled_city()
    weekend = np.where(np.arange(200) % 7 >= 5, 3, 1)[:, None]
    model = BoostedTrees().fit(counts * weekend, grid=grid)
    assert model.forest_.n_trees > 5
    rows = model._rows(Seen(Events.from_counts(counts * weekend, grid=grid), grid, Covariates()))
    assert rows is not None
    grown_on = rows.where(rows.day < 172)
    fitted = grown_on.weight @ np.exp(model.forest_.raw(grown_on.table))
    assert fitted == pytest.approx(grown_on.count.sum(), rel=0.002)
    week = sum(model.predict(day).sum() for day in range(200, 207)) / 7
    assert week == pytest.approx((counts * weekend)[-196:].sum() / 196, rel=0.1)
    assert model.predict(200).sum() < 0.6 * model.predict(201).sum()  # Friday, then Saturday


def test_tomorrow_changes_no_map() -> None:
    counts, beside = _world(2, weather=0.5, weekend=2.0)
    rng = np.random.default_rng(0)
    celsius = np.concatenate([beside.days["temperature"][:401], rng.normal(size=DAYS - 401)])
    later = Covariates(days={"temperature": celsius}, first_weekday=3)
    one = BoostedTrees().fit(counts[:400], grid=GRID, covariates=beside).predict(400)
    two = BoostedTrees().fit(counts[:400], grid=GRID, covariates=later).predict(400)
    assert (one == two).all()


def test_map_is_rate_of_design_and_survives_storage() -> None:
    counts, beside = _world(1, weather=0.5, weekend=2.0)
    model = BoostedTrees().fit(counts[:FIRST], grid=GRID, covariates=beside)
    table = model.design(Seen(Events.from_counts(counts[:FIRST], grid=GRID), GRID, beside), FIRST + 2)
    assert table.shape == (N, len(model.feature_names_))
    assert (model.rate(table) == model.predict(FIRST + 2)).all()
    assert model.feature_names_[-1] == "temperature"
    assert set(table[:, -1]) == {beside.days["temperature"][FIRST + 2]}
    file = io.BytesIO()
    np.savez(file, **model.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        again = BoostedTrees.from_arrays(model.get_params(), dict(arrays))
    assert again.feature_names_ == model.feature_names_
    assert (again.rate(table) == model.rate(table)).all()


def test_too_little_to_learn_from_is_the_smoothed_mean() -> None:
    counts = np.zeros((50, N), dtype=np.int32)
    counts[::5, 3] = 2
    model = BoostedTrees().fit(counts, grid=GRID)
    assert model.forest_.n_trees == 0
    assert model.predict().sum() == pytest.approx(0.4, rel=1e-12)
    assert model.predict().argmax() == 3


def _grown(seed: int = 0) -> tuple[HistGradientBoostingRegressor, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(3_000, 5))
    x[:, 3] = rng.integers(0, 4, 3_000)
    y = rng.poisson(np.exp(np.sin(2 * x[:, 0]) + 0.5 * (x[:, 3] == 2)))
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=40, random_state=0, early_stopping=False)
    return model.fit(x, y, rng.uniform(0.5, 2.0, 3_000)), x


def test_forest_is_scikit_learns_to_the_last_bit() -> None:
    model, x = _grown()
    forest = Forest.from_sklearn(model)
    assert forest.n_trees == 40
    assert (np.exp(forest.raw(x)) == model.predict(x)).all()
    other = np.random.default_rng(9).normal(scale=3.0, size=(500, 5))
    assert (np.exp(forest.raw(other)) == model.predict(other)).all()
    some = list(model.staged_predict(x))[6]
    assert (np.exp(Forest.from_sklearn(model, n_trees=7).raw(x)) == some).all()
    assert (Forest.from_sklearn(model, n_trees=0).raw(x) == model._baseline_prediction[0, 0]).all()


def test_trees_grown_on_the_coarse_table_send_the_original_rows_to_the_same_leaves() -> None:
    _, x = _grown()
    rough = coarse(x, levels=64)
    assert all(len(np.unique(column)) <= 64 for column in rough.T)
    assert (rough[:, 3] == x[:, 3]).all()
    assert np.abs(np.sort(rough[:, 0]) - np.sort(x[:, 0])).mean() < 0.03
    y = np.random.default_rng(1).poisson(np.exp(x[:, 0]))
    model = HistGradientBoostingRegressor(loss="poisson", max_iter=30, max_bins=64, early_stopping=False).fit(rough, y)
    assert (model.predict(x) == model.predict(rough)).all()


def test_a_forest_of_another_make_is_refused() -> None:
    model, x = _grown()
    arrays = Forest.from_sklearn(model).to_arrays()
    assert (Forest.from_arrays(arrays).raw(x) == Forest.from_sklearn(model).raw(x)).all()
    for name, spoil in (("left", lambda a: a * 0), ("right", lambda a: a + 10_000), ("start", lambda a: a[:-1])):
        with pytest.raises(ParameterError, match="children come after their parents"):
            Forest.from_arrays(arrays | {name: spoil(arrays[name])})
    with pytest.raises(ParameterError, match="at least"):
        Forest.from_arrays(arrays).raw(x[:, :1])
    categories = HistGradientBoostingRegressor(categorical_features=[3], max_iter=5).fit(x, x[:, 3] == 2)
    with pytest.raises(ParameterError, match="without splits on categories"):
        Forest.from_sklearn(categories)
