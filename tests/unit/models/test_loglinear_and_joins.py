"""Log-linear fits against scikit-learn and statsmodels; joins against forecasts written out day by day."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import PoissonRegressor

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.history import Covariates
from models.joins import forecast_joins, shrunk_levels
from models.loglinear import fit_loglinear, linear_predictor

STREAMS = ("day", "cell")


def drawn(n: int = 300, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3))
    exposure = rng.uniform(0.5, 3.0, size=n)
    return x, rng.poisson(exposure * np.exp(0.3 + x @ [0.5, -0.3, 0.0])), exposure


def test_the_ridge_fit_is_that_of_scikit_learn() -> None:
    x, y, _ = drawn()
    ridge = 7.0
    theirs = PoissonRegressor(alpha=ridge / len(y), tol=1e-12, max_iter=10_000).fit(x, y)
    assert fit_loglinear(x, y, ridge=ridge)[0] == pytest.approx([theirs.intercept_, *theirs.coef_], abs=1e-6)


def test_with_hardly_a_ridge_the_fit_is_the_maximum_likelihood_of_statsmodels() -> None:
    x, y, exposure = drawn(seed=1)
    theirs = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson(), exposure=exposure).fit().params
    assert fit_loglinear(x, y, exposure=exposure, ridge=1e-9)[0] == pytest.approx(theirs, abs=1e-7)


def test_every_subset_at_once_is_each_subset_alone() -> None:
    x, y, exposure = drawn(seed=2)
    subsets = (np.arange(8)[:, None] >> np.arange(3) & 1) == 1
    together = fit_loglinear(x, y, exposure=exposure, subsets=subsets)
    for mask, found in zip(subsets, together, strict=True):
        alone = fit_loglinear(x[:, mask], y, exposure=exposure)[0]
        assert found[0] == pytest.approx(alone[0], abs=1e-8)
        assert found[1:][mask] == pytest.approx(alone[1:], abs=1e-8)
        assert not found[1:][~mask].any()
    assert together[0, 0] == pytest.approx(np.log(y.sum() / exposure.sum()), abs=1e-12)


def test_rows_that_share_their_columns_may_be_added_up() -> None:
    x, y, exposure = drawn(seed=3)
    bits = (x > 0).astype(float)
    code = (bits @ [1, 2, 4]).astype(int)
    patterns = np.arange(8)[:, None] >> np.arange(3) & 1
    whole = fit_loglinear(bits, y, exposure=exposure)
    summed = fit_loglinear(patterns, np.bincount(code, y, 8), exposure=np.bincount(code, exposure, 8))
    assert summed == pytest.approx(whole, abs=1e-9)


def test_the_slope_of_the_penalised_likelihood_is_zero_where_the_fit_stops_however_wild_the_rows() -> None:
    rng = np.random.default_rng(8)
    for _ in range(60):
        n, p = rng.integers(3, 40), rng.integers(1, 6)
        x = rng.normal(size=(n, p)) * rng.choice([0.1, 1.0, 5.0])
        exposure = rng.uniform(1e-6, 2.0, size=n) * rng.choice([1e-3, 1.0, 1e3])
        y = rng.poisson(np.minimum(exposure * np.exp(x @ rng.normal(size=p)), 1e6))
        ridge = float(rng.choice([1e-3, 1.0, 10.0]))
        if y.any():
            found = fit_loglinear(x, y, exposure=exposure, ridge=ridge)[0]
            left = y - exposure * np.exp(linear_predictor(found, x))
            slope = np.array([left.sum(), *(x.T @ left - ridge * found[1:])])
            assert np.abs(slope).max() < 1e-9 * (1 + y.sum() * (1 + np.abs(x).max()))


def test_nothing_seen_gives_a_rate_of_zero_and_a_separated_column_stays_finite() -> None:
    silent = fit_loglinear(np.ones((4, 2)), np.zeros(4))
    assert np.exp(linear_predictor(silent, np.ones((4, 2)))).max() == 0.0
    column = np.array([[0.0], [0.0], [1.0], [1.0]])
    split = fit_loglinear(column, [5000, 5000, 0, 0])
    assert np.isfinite(split).all() and split[0, 1] < -3


@pytest.mark.parametrize(
    ("change", "said"),
    [({"counts": [1, 2]}, "shapes"), ({"counts": [-1, 0, 0]}, "counts"), ({"exposure": [0, 0, 0]}, "exposure"),
     ({"ridge": 0.0}, "ridge"), ({"design": [[np.nan]] * 3}, "design")],
)  # fmt: skip
def test_bad_input_is_refused(change: dict[str, object], said: str) -> None:
    good: dict[str, object] = {"design": np.ones((3, 1)), "counts": [1, 2, 3], "exposure": [1.0, 1.0, 1.0]}
    with pytest.raises(ParameterError, match=said):
        fit_loglinear(**{**good, **change})  # type: ignore[arg-type]


def small_world(seed: int = 0, n_days: int = 60, n_cells: int = 12) -> tuple[np.ndarray, Covariates]:
    rng = np.random.default_rng(seed)
    day, cell = rng.integers(0, 2, n_days), rng.integers(0, 2, (n_days, n_cells))
    rate = rng.gamma(2.0, 0.5, n_cells) * np.exp(0.6 * day[:, None] - 0.4 * cell)
    covariates = Covariates(days={"day": day.astype(float)}, cell_days={"cell": cell.astype(np.int8)})
    return rng.poisson(rate), covariates


def test_gains_are_those_of_the_surfaces_day_by_day() -> None:
    records, covariates = small_world()
    forecasts = forecast_joins(records, covariates, streams=STREAMS, first_day=30, refit_days=11)
    after = records[30:].astype(float)
    for first, last in ((0, 30), (7, 23)):
        gains = forecasts.gains(after, first=first, last=last)
        for subset in range(8):
            surfaces = np.array([forecasts.surface(subset, d) for d in range(first, last)])
            y = after[first:last]
            expected = (y * np.log(surfaces / surfaces.sum())).sum() / y.sum() + np.log(y.size)
            assert gains[subset] == pytest.approx(expected, abs=1e-10)
    assert np.isnan(forecasts.gains(np.zeros_like(after))).all()


def test_a_refit_is_the_plain_fit_of_the_days_before_it() -> None:
    records, covariates = small_world(1)
    forecasts = forecast_joins(records, covariates, streams=STREAMS, first_day=30, refit_days=15)
    level = shrunk_levels(records[:45].sum(axis=0))
    cell = np.asarray(covariates.cell_days["cell"])[:45].ravel() - 0.5
    plain = fit_loglinear(cell[:, None], records[:45].ravel(), exposure=np.tile(level, 45))[0]
    today = np.asarray(covariates.cell_days["cell"])[47] - 0.5
    expected = level * np.exp(plain[0] + plain[1] * today)
    assert forecasts.surface(0b101, 17) == pytest.approx(expected, rel=1e-8)  # records and the stream of cells


def test_tomorrow_changes_no_forecast_of_today() -> None:
    records, covariates = small_world(2)
    days, cells = np.asarray(covariates.days["day"]).copy(), np.asarray(covariates.cell_days["cell"]).copy()
    later = records.copy()
    days[46:], cells[46:], later[45:] = 1 - days[46:], 1 - cells[46:], 0
    other = Covariates(days={"day": days}, cell_days={"cell": cells})
    one = forecast_joins(records, covariates, streams=STREAMS, first_day=30, refit_days=5)
    two = forecast_joins(later, other, streams=STREAMS, first_day=30, refit_days=5)
    for day in range(16):
        assert np.array_equal(one.surface(7, day), two.surface(7, day))
    assert not np.array_equal(one.surface(7, 16), two.surface(7, 16))


def test_levels_are_shrunk_by_the_posterior_mean_of_a_gamma() -> None:
    counts = np.array([0, 4, 8, 28])
    mean, excess = 10.0, counts.var() - 10.0
    k = mean**2 / excess
    assert shrunk_levels(counts) == pytest.approx((counts + k) / (mean + k))
    assert shrunk_levels(counts).mean() == pytest.approx(1.0)
    assert shrunk_levels(np.array([3, 3, 3])).tolist() == [1.0, 1.0, 1.0] == shrunk_levels(np.zeros(3, int)).tolist()


def test_streams_that_are_no_question_are_refused() -> None:
    records, covariates = small_world()
    warm = Covariates(days={"day": np.full(60, 17.5)})
    with pytest.raises(ParameterError, match="answers 0 or 1"):
        forecast_joins(records, warm, streams=("day",), first_day=30)
    with pytest.raises(ParameterError, match="no such stream"):
        forecast_joins(records, covariates, streams=("sea",), first_day=30)
    for first in (0, 60):
        with pytest.raises(ParameterError, match="first_day"):
            forecast_joins(records, covariates, streams=STREAMS, first_day=first)
