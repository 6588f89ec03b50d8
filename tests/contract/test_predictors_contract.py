"""One suite over every registered predictor: what a newcomer must do before anyone looks at its scores."""

from __future__ import annotations

import io
import json

import numpy as np
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.protocols import Predictor
from models import PREDICTORS, load_predictor, predictor_class

KEYS = sorted(PREDICTORS)


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


@pytest.mark.parametrize("key", KEYS)
class TestPredictor:
    def test_is_a_predictor(self, key: str) -> None:
        assert isinstance(load_predictor(key), Predictor)

    def test_surface_is_finite_and_not_negative(self, key: str, grid: Grid, counts: np.ndarray) -> None:
        surface = load_predictor(key).fit(counts, grid=grid).predict()
        assert surface.shape == (grid.n_cells,)
        assert surface.dtype == np.float64
        assert np.isfinite(surface).all()
        assert (surface >= 0).all()

    def test_expects_as_many_records_as_the_days_it_uses_had(self, key: str, grid: Grid, counts: np.ndarray) -> None:
        fitted = load_predictor(key).fit(counts, grid=grid)
        used = counts[-fitted.n_days_used_ :]
        assert fitted.predict().sum() == pytest.approx(used.sum() / len(used), rel=1e-12)

    @pytest.mark.parametrize("n_days", [0, 1, 30])
    def test_no_event_gives_zeros_of_the_right_shape(self, key: str, n_days: int, grid: Grid) -> None:
        fitted = load_predictor(key).fit(np.zeros((n_days, grid.n_cells), dtype=np.int32), grid=grid)
        assert fitted.predict().tolist() == [0.0] * grid.n_cells
        assert fitted.n_days_ == n_days

    def test_does_not_touch_its_input_nor_keep_it(self, key: str, grid: Grid, counts: np.ndarray) -> None:
        given = counts.copy()
        given.flags.writeable = False
        fitted = load_predictor(key).fit(given, grid=grid)
        before = fitted.predict()
        fitted.predict()[:] = -1.0
        assert (given == counts).all()
        assert (fitted.predict() == before).all()

    def test_same_input_same_surface_and_refit_forgets(self, key: str, grid: Grid, counts: np.ndarray) -> None:
        once = load_predictor(key).fit(counts, grid=grid)
        other = load_predictor(key).fit(counts[:20] * 3, grid=grid).fit(counts, grid=grid)
        assert (once.predict() == other.predict()).all()

    def test_counts_of_any_number_type(self, key: str, grid: Grid, counts: np.ndarray) -> None:
        surfaces = [load_predictor(key).fit(counts.astype(t), grid=grid).predict() for t in (np.uint8, np.int64, float)]
        assert (surfaces[0] == surfaces[1]).all()
        assert (surfaces[0] == surfaces[2]).all()

    def test_scaling_the_counts_scales_the_map(self, key: str, grid: Grid, counts: np.ndarray) -> None:
        one, five = (load_predictor(key).fit(counts * m, grid=grid).predict() for m in (1, 5))
        np.testing.assert_allclose(five, 5 * one, rtol=1e-12)

    def test_params_round_trip_through_json(self, key: str) -> None:
        params = json.loads(json.dumps(load_predictor(key).get_params()))
        assert load_predictor(key, **params).get_params() == params

    def test_arrays_round_trip_without_pickle(self, key: str, grid: Grid, counts: np.ndarray) -> None:
        fitted = load_predictor(key).fit(counts, grid=grid)
        file = io.BytesIO()
        np.savez(file, **fitted.to_arrays())
        file.seek(0)
        with np.load(file, allow_pickle=False) as arrays:
            again = predictor_class(key).from_arrays(fitted.get_params(), dict(arrays))
        assert (again.predict() == fitted.predict()).all()
        assert (again.n_days_, again.n_days_used_) == (fitted.n_days_, fitted.n_days_used_)

    def test_incomplete_arrays_are_refused(self, key: str) -> None:
        with pytest.raises(ParameterError, match="Missing: n_days_, n_days_used_"):
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
    def test_bad_counts(self, key: str, bad: str, grid: Grid) -> None:
        counts = np.zeros((3, grid.n_cells + (bad == "shape")))
        if bad != "shape":
            counts[1, 1] = {"negative": -1.0, "nan": np.nan}[bad]
        with pytest.raises(ParameterError, match="The `counts` parameter of"):
            load_predictor(key).fit(counts, grid=grid)


def test_unknown_predictor_lists_those_that_exist() -> None:
    with pytest.raises(ParameterError, match=", ".join(PREDICTORS)):
        load_predictor("oracle")
