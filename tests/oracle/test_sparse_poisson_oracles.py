"""Sparse Poisson regression against statsmodels, closed forms and the conditions of optimality themselves."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm

from contrechamp.domain.errors import ParameterError
from models.sparse_poisson import first_penalty, poisson_path


def _drawn(seed: int = 0, n: int = 400, p: int = 7) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    x[:, 1] = 0.9 * x[:, 0] + 0.4 * x[:, 1]
    x = (x - x.mean(axis=0)) / x.std(axis=0)
    return x, rng.poisson(2.0 * np.exp(0.5 * x[:, 0] - 0.3 * x[:, 4])).astype(float)


def test_without_penalty_it_is_the_generalised_linear_model() -> None:
    x, y = _drawn()
    w = np.random.default_rng(1).uniform(0.2, 2.0, len(y))
    a, b = poisson_path(x, y, penalties=np.zeros(1), weights=w, tolerance=1e-12)
    fit = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson(), freq_weights=w).fit(tol=1e-14)
    np.testing.assert_allclose(np.r_[a, b[0]], fit.params, atol=1e-9)


@pytest.mark.parametrize(("share", "l1_ratio"), [(0.5, 1.0), (0.1, 1.0), (0.2, 0.5)])
def test_with_penalty_it_is_statsmodels_elastic_net(share: float, l1_ratio: float) -> None:
    x, y = _drawn()
    penalty = share * first_penalty(x, y)
    a, b = poisson_path(x, y, penalties=np.array([penalty]), l1_ratio=l1_ratio, tolerance=1e-12)
    fit = sm.GLM(y, sm.add_constant(x), family=sm.families.Poisson()).fit_regularized(
        alpha=np.r_[0.0, np.full(x.shape[1], penalty * y.mean())], L1_wt=l1_ratio, maxiter=2_000, cnvrg_tol=1e-13
    )
    np.testing.assert_allclose(np.r_[a, b[0]], fit.params, atol=1e-7)


def test_conditions_of_optimality_hold_along_the_path() -> None:
    x, y = _drawn(3)
    penalties = first_penalty(x, y) * np.geomspace(1.0, 1e-3, 12)
    intercepts, path = poisson_path(x, y, penalties=penalties, tolerance=1e-11)
    assert not path[0].any()
    assert path[1].any()
    for a, b, penalty in zip(intercepts, path, penalties, strict=True):
        mu = np.exp(a + x @ b)
        slope = x.T @ (y - mu) / len(y) / y.mean()
        assert mu.sum() == pytest.approx(y.sum(), rel=1e-9)  # the level is never penalised
        assert np.abs(slope).max() <= penalty + 1e-9
        np.testing.assert_allclose(slope[b != 0], penalty * np.sign(b[b != 0]), atol=1e-9)


def test_closed_form_of_one_column_with_two_values() -> None:
    """With x = ±1 in equal numbers and means ``s`` and ``r``, the penalty takes λ·mean off the slope of each side."""
    x, y = np.repeat([-1.0, 1.0], 50)[:, None], np.repeat([2.0, 6.0], 50)
    penalties = np.array([0.0, 0.1, 0.3, 0.5, 0.7])
    assert first_penalty(x, y) == 0.5
    _, b = poisson_path(x, y, penalties=penalties, tolerance=1e-13)
    expected = [np.arctanh(max(0.0, 0.5 - penalty)) for penalty in penalties]  # tanh b = (6 − 2)/(6 + 2) − λ
    np.testing.assert_allclose(b[:, 0], expected, atol=1e-10)


def test_scale_of_the_counts_changes_no_bit_and_weight_zero_no_more() -> None:
    x, y = _drawn(5)
    penalties = np.array([0.2, 0.05, 0.01])
    one, five = (poisson_path(x, y * m, penalties=penalties) for m in (1, 5))
    assert (one[1] == five[1]).all()
    np.testing.assert_allclose(five[0], one[0] + np.log(5), rtol=1e-14)
    keep = np.arange(len(y)) % 3 > 0
    part = poisson_path(x[keep], y[keep], penalties=penalties, tolerance=1e-12)
    hidden = poisson_path(
        np.where(keep[:, None], x, 99.0), y, penalties=penalties, weights=keep.astype(float), tolerance=1e-12
    )
    np.testing.assert_allclose(hidden[1], part[1], atol=1e-10)


def test_no_count_is_refused() -> None:
    with pytest.raises(ParameterError, match="positive somewhere"):
        poisson_path(np.ones((3, 1)), np.zeros(3), penalties=np.ones(1))
