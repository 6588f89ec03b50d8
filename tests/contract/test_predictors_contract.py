"""One suite over every registered predictor: what a newcomer must do before anyone looks at its scores."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.history import Covariates, Events
from contrechamp.domain.protocols import Predictor
from models import PREDICTORS, load_predictor, predictor_class
from models.base import BasePredictor

KEYS = sorted(PREDICTORS)
#: Parameters that make a costly predictor quick on a small map. Everything else runs on its defaults.
LIGHT: dict[str, dict[str, object]] = {
    "st-net": {"width": 4, "blocks": 1, "epochs": 2, "batch_days": 14},
}


@pytest.fixture(scope="module")
def grid() -> Grid:
    land = np.ones((9, 11), dtype=bool)
    land[:4, 6:] = False  # a bay
    land[8, 0] = False
    land[0, 1] = land[1, 0] = land[1, 1] = False  # cell (0, 0) is an islet
    return Grid(0.0, 0.0, 250.0, land)


@pytest.fixture(scope="module")
def counts(grid: Grid) -> np.ndarray:
    return np.random.default_rng(0).poisson(0.3, (80, grid.n_cells)).astype(np.int32)


@pytest.fixture(scope="module")
def beside(grid: Grid) -> Covariates:
    """Two layers of places, a day layer and a layer by cell and day, for days 0 to 99."""
    rng = np.random.default_rng(1)
    return Covariates(
        places={"bars_per_km2": rng.gamma(1.0, 2.0, grid.n_cells), "to_station_m": rng.uniform(0, 900, grid.n_cells)},
        days={"temperature_c": 15 + 10 * np.sin(np.arange(100) / 9)},
        cell_days={"planned_crowd": (rng.uniform(size=(100, grid.n_cells)) < 0.01) * 500.0},
        first_weekday=3,
    )


def make(key: str) -> BasePredictor:
    return load_predictor(key, **LIGHT.get(key, {}))


def fitted_on(key: str, counts: np.ndarray, grid: Grid, beside: Covariates) -> BasePredictor:
    return make(key).fit(counts, grid=grid, covariates=beside)


@pytest.mark.parametrize("key", KEYS)
class TestPredictor:
    def test_is_a_predictor(self, key: str) -> None:
        assert isinstance(load_predictor(key), Predictor)

    def test_surface_is_finite_and_not_negative(
        self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates
    ) -> None:
        surface = fitted_on(key, counts, grid, beside).predict()
        assert surface.shape == (grid.n_cells,)
        assert surface.dtype == np.float64
        assert np.isfinite(surface).all()
        assert (surface >= 0).all()

    def test_expects_as_many_records_as_the_days_it_uses_had(
        self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates
    ) -> None:
        fitted = fitted_on(key, counts, grid, beside)
        used = counts[-fitted.n_days_used_ :]
        close = {"rel": 1e-12} if fitted.LINEAR else {"rel": 0.25}  # others learn a level of their own
        assert fitted.predict().sum() == pytest.approx(used.sum() / len(used), **close)

    @pytest.mark.parametrize("n_days", [0, 1, 30])
    def test_no_event_gives_zeros_of_the_right_shape(
        self, key: str, n_days: int, grid: Grid, beside: Covariates
    ) -> None:
        fitted = fitted_on(key, np.zeros((n_days, grid.n_cells), dtype=np.int32), grid, beside)
        assert fitted.predict().tolist() == [0.0] * grid.n_cells
        assert fitted.n_days_ == n_days

    def test_does_not_touch_its_input_nor_keep_it(
        self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates
    ) -> None:
        given = counts.copy()
        given.flags.writeable = False
        fitted = fitted_on(key, given, grid, beside)
        before = fitted.predict()
        fitted.predict()[:] = -1.0
        assert (given == counts).all()
        assert (fitted.predict() == before).all()

    def test_same_input_same_surface_and_refit_forgets(
        self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates
    ) -> None:
        once = fitted_on(key, counts, grid, beside)
        other = fitted_on(key, counts[:20] * 3, grid, beside).fit(counts, grid=grid, covariates=beside)
        assert (once.predict() == other.predict()).all()

    def test_counts_of_any_number_type(self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates) -> None:
        surfaces = [fitted_on(key, counts.astype(t), grid, beside).predict() for t in (np.uint8, np.int64, float)]
        assert (surfaces[0] == surfaces[1]).all()
        assert (surfaces[0] == surfaces[2]).all()

    def test_scaling_the_counts_scales_the_map(
        self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates
    ) -> None:
        one, five = (fitted_on(key, counts * m, grid, beside).predict() for m in (1, 5))
        if predictor_class(key).LINEAR:
            np.testing.assert_allclose(five, 5 * one, rtol=1e-12)
        else:
            assert five.sum() == pytest.approx(5 * one.sum(), rel=0.25)

    def test_a_later_day_is_predicted_and_a_past_one_refused(
        self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates
    ) -> None:
        fitted = fitted_on(key, counts, grid, beside)
        assert (fitted.predict() == fitted.predict(80)).all()
        later = fitted.predict(86)
        assert later.shape == (grid.n_cells,)
        assert np.isfinite(later).all()
        with pytest.raises(ParameterError, match="80 or later"):
            fitted.predict(79)

    def test_update_shows_newer_events(self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates) -> None:
        late = counts.copy()
        late[70:, 5] += 9
        model = fitted_on(key, counts[:70], grid, beside)
        stale = model.predict(80)
        fresh = model.update(late).predict()
        assert model.n_days_ == 80
        assert np.isfinite(fresh).all()
        if key != "uniform":
            assert fresh[5] > stale[5]

    def test_counts_and_events_say_the_same(self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates) -> None:
        one = fitted_on(key, counts, grid, beside).predict()
        other = make(key).fit(Events.from_counts(counts, grid=grid), grid=grid, covariates=beside).predict()
        assert (one == other).all()

    def test_what_was_not_covered_is_refused(
        self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates
    ) -> None:
        with pytest.raises(ParameterError, match="at least 101"):
            fitted_on(key, counts, grid, beside).predict(100)
        if predictor_class(key).NEEDS_PLACES:
            with pytest.raises(ParameterError, match="layers of places"):
                make(key).fit(counts, grid=grid)

    def test_params_round_trip_through_json(self, key: str) -> None:
        params = json.loads(json.dumps(load_predictor(key).get_params()))
        assert load_predictor(key, **params).get_params() == params

    def test_arrays_round_trip_without_pickle(
        self, key: str, grid: Grid, counts: np.ndarray, beside: Covariates
    ) -> None:
        fitted = fitted_on(key, counts, grid, beside)
        file = io.BytesIO()
        np.savez(file, **fitted.to_arrays())
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            again = predictor_class(key).from_arrays(fitted.get_params(), dict(arrays))
        assert (again.predict() == fitted.predict()).all()
        assert (again.n_days_, again.n_days_used_) == (fitted.n_days_, fitted.n_days_used_)

    def test_incomplete_arrays_are_refused(self, key: str) -> None:
        with pytest.raises(ParameterError, match=r"Missing: .*n_days_, n_days_used_"):
            predictor_class(key).from_arrays({}, {"surface_": np.zeros(3)})

    def test_every_parameter_has_a_domain_and_refuses_what_is_outside(self, key: str, grid: Grid) -> None:
        cls = predictor_class(key)
        assert set(cls.CONSTRAINTS) == set(cls().get_params())
        for name, domain in cls.CONSTRAINTS.items():
            for bad in (-1, 0 if not domain.closed else domain.low - 1, float("nan"), float("inf"), "3", None, True):
                with pytest.raises(ParameterError, match=f"The `{name}` parameter of {cls.__name__} must be"):
                    load_predictor(key, **{name: bad})
                with pytest.raises(ParameterError, match=f"`{name}`"):  # set by hand: caught at fit
                    cls(**{name: bad}).fit(np.zeros((2, grid.n_cells)), grid=grid)

    def test_unknown_parameter_is_named(self, key: str) -> None:
        with pytest.raises(ParameterError, match=r"has no parameter 'radius'\. It has: "):
            load_predictor(key, radius=3)

    def test_predict_before_fit(self, key: str) -> None:
        with pytest.raises(ParameterError, match="before fit"):
            load_predictor(key).predict()

    @pytest.mark.parametrize("bad", ["shape", "negative", "nan"])
    def test_bad_counts(self, key: str, bad: str, grid: Grid, beside: Covariates) -> None:
        counts = np.zeros((3, grid.n_cells + (bad == "shape")))
        if bad != "shape":
            counts[1, 1] = {"negative": -1.0, "nan": np.nan}[bad]
        with pytest.raises(ParameterError, match="The `counts` parameter of"):
            fitted_on(key, counts, grid, beside)


def test_unknown_predictor_lists_those_that_exist() -> None:
    with pytest.raises(ParameterError, match=", ".join(PREDICTORS)):
        load_predictor("oracle")
