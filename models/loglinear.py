r"""Poisson regression, for one set of columns or for all subsets of them at once.

The plainest model that turns factors into expected events: the logarithm of the rate is a sum of effects. Fitting every
subset of the columns in one go is what an ablation of data streams needs, and rows that share the same columns may be
added up first: their counts and exposures are all the fit reads.

What it cannot tell you: a coefficient is what goes with events among *recorded* rows, other columns held. It is an
effect only if nothing that drives both was left out, and if recording does not follow the column.

Notes
-----
For rows :math:`i` with exposure :math:`e_i`, the coefficients maximise

.. math:: \sum_i y_i (a + x_i^\top b) - e_i \exp(a + x_i^\top b) - \tfrac{1}{2} r \lVert b \rVert^2,

by Newton's method; ``r`` is the ridge, the precision of a Gaussian prior on each log effect. The intercept is free.

References
----------
.. [1] McCullagh & Nelder (1989), "Generalized Linear Models", 2nd ed., chapter 6.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray

#: Newton stops when no linear predictor moves by more than this.
TOLERANCE = 1e-9
#: Largest move of a linear predictor in one Newton step: keeps the first steps of a rare event in bounds.
_LONGEST_STEP = 2.0


def fit_loglinear(
    design: npt.ArrayLike, counts: npt.ArrayLike, *, exposure: npt.ArrayLike | None = None,
    subsets: BoolArray | None = None, ridge: float = 1.0, max_steps: int = 200,
) -> FloatArray:  # fmt: skip
    """Fit log-linear Poisson rates on one or several subsets of the columns.

    Parameters
    ----------
    design : array-like, shape (n_rows, n_columns)
    counts : array-like, shape (n_rows,)
        Events of each row, at least 0.
    exposure : array-like, shape (n_rows,), optional
        What the rate is per: cell-days, or the expectation of another model. Ones where left out.
    subsets : ndarray of bool, shape (n_subsets, n_columns), optional
        Columns each fit may use. All of them, once, where left out.
    ridge : float, default=1.0
        Precision of the prior on each coefficient, above 0: two columns that say the same share the effect.
    max_steps : int, default=200

    Returns
    -------
    ndarray, shape (n_subsets, 1 + n_columns)
        Intercept, then coefficients (0 for columns left out). Without any event the intercept is minus infinity: a
        rate of 0.

    Raises
    ------
    ParameterError
        If shapes disagree, a count or an exposure is negative or not finite, or no exposure is above 0.
    """
    x, y = np.asarray(design, dtype=np.float64), np.asarray(counts, dtype=np.float64)
    e = np.ones(len(y)) if exposure is None else np.asarray(exposure, dtype=np.float64)
    _check(x, y, e, ridge)
    n_columns = x.shape[1]
    chosen = np.ones((1, n_columns), dtype=np.bool_) if subsets is None else np.asarray(subsets, dtype=np.bool_)
    coefficients = np.zeros((len(chosen), 1 + n_columns))
    if not y.any():
        coefficients[:, 0] = -np.inf
        return coefficients
    coefficients[:, 0] = np.log(y.sum() / e.sum())
    full = np.column_stack([np.ones(len(y)), x])
    used = np.column_stack([np.ones(len(chosen), dtype=np.bool_), chosen])
    prior = np.where(used, ridge, 1.0)  # a column left out gets a 1 on the diagonal and a gradient of 0
    prior[:, 0] = 0.0
    target = full.T @ y
    pairs = np.einsum("ij,ik->ijk", full, full).reshape(len(y), -1)
    both = used[:, :, None] & used[:, None, :]
    for _ in range(max_steps):
        mean = e * np.exp(coefficients @ full.T)  # (n_subsets, n_rows)
        gradient = np.where(used, target - mean @ full - prior * coefficients, 0.0)
        hessian = np.where(both, (mean @ pairs).reshape(len(chosen), 1 + n_columns, -1), 0.0)
        hessian[:, np.arange(1 + n_columns), np.arange(1 + n_columns)] += prior
        step = np.linalg.solve(hessian, gradient[:, :, None])[:, :, 0]
        moved = np.abs(step @ full.T).max(axis=1)
        coefficients += step * np.minimum(1.0, _LONGEST_STEP / np.maximum(moved, _LONGEST_STEP))[:, None]
        if moved.max() < TOLERANCE:
            break
    return coefficients


def linear_predictor(coefficients: FloatArray, design: npt.ArrayLike) -> FloatArray:
    """Log rates of rows, shape (n_subsets, n_rows), or (n_rows,) for one set of coefficients."""
    x = np.asarray(design, dtype=np.float64)
    return np.asarray(coefficients[..., :1] + coefficients[..., 1:] @ x.T, dtype=np.float64)


def _check(x: FloatArray, y: FloatArray, e: FloatArray, ridge: float) -> None:
    where = "fit_loglinear"
    if x.ndim != 2 or y.shape != (len(x),) or e.shape != y.shape:
        raise bad_parameter(
            name="design, counts, exposure", where=where, must="of shapes (n, p), (n,) and (n,)",
            got=(x.shape, y.shape, e.shape),
        )  # fmt: skip
    if not np.isfinite(x).all():
        raise bad_parameter(name="design", where=where, must="finite", got="NaN or infinity")
    for name, values in (("counts", y), ("exposure", e)):
        if not np.isfinite(values).all() or (values < 0).any():
            raise bad_parameter(name=name, where=where, must="finite and at least 0", got=values)
    if not e.any():
        raise bad_parameter(name="exposure", where=where, must="above 0 somewhere", got="zeros, or no row")
    if not ridge > 0:
        raise bad_parameter(name="ridge", where=where, must="above 0", got=ridge)
