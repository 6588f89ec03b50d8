r"""Poisson regression that drops what it does not need: the elastic net along a path of penalties.

With :math:`\mu_i=e^{a+x_i\cdot b}`, weights :math:`w_i` and counts :math:`y_i` in units of their weighted mean,

.. math:: F(a,b)=\sum_iw_i\big(\mu_i-y_i\log\mu_i\big)
          +\lambda\Big(\alpha\lVert b\rVert_1+\tfrac{1-\alpha}2\lVert b\rVert_2^2\Big),\qquad\sum_iw_i=1.

Counts are divided by their mean, so that twice the records give the same coefficients at the same penalty, to the last
bit. The first penalty of the path, :math:`\max_j|\sum_iw_ix_{ij}(1-y_i)|/\alpha`, is the smallest that drops every
column.

What it cannot tell you: which of two columns that say the same is the cause. The penalty keeps the one that fits these
cells a little better, and on next year's cells it may keep the other.

Notes
-----
Proximal Newton: each step solves the penalised quadratic model by cyclic coordinate descent on its (p + 1)² matrix,
then backtracks until the objective falls enough. Stopped when no condition of optimality is missed by more than
``tolerance``. Loops run in a fixed order on one thread: same bits everywhere the compiler is the same.

References
----------
.. [1] Friedman, Hastie & Tibshirani (2010), "Regularization paths for generalized linear models via coordinate
   descent", Journal of Statistical Software 33(1). doi:10.18637/jss.v033.i01
.. [2] Lee, Sun & Saunders (2014), "Proximal Newton-type methods for minimizing composite functions", SIAM Journal on
   Optimization 24(3), 1420-1443. doi:10.1137/130921428
"""

from __future__ import annotations

import numba
import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray

_MAX_STEPS = 100
_MAX_SWEEPS = 1_000
_MAX_HALVINGS = 40


def poisson_path(
    columns: FloatArray, counts: FloatArray, *, penalties: FloatArray, weights: FloatArray | None = None,
    l1_ratio: float = 1.0, tolerance: float = 1e-9,
) -> tuple[FloatArray, FloatArray]:  # fmt: skip
    """Intercept and coefficients at each penalty, from the first to the last, each begun where the one before ended.

    Parameters
    ----------
    columns : ndarray, shape (n, p)
        Best of mean 0 and standard deviation 1: the penalty treats all alike.
    counts : ndarray, shape (n,)
        At least 0, not all 0.
    penalties : ndarray, shape (k,)
        λ, at least 0; descending is quickest.
    weights : ndarray, shape (n,), optional
        At least 0; equal where left out. A row of weight 0 is not looked at.
    l1_ratio : float, default=1.0
        α in [0, 1].
    tolerance : float, default=1e-9
        Largest miss of a condition of optimality.

    Returns
    -------
    intercepts : ndarray, shape (k,)
        In units of the counts, not of their mean.
    coefficients : ndarray, shape (k, p)

    Raises
    ------
    ParameterError
        If the counts that weigh are all 0.
    """
    x = np.ascontiguousarray(columns, dtype=np.float64)
    w = np.full(len(x), 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
    y, total = np.asarray(counts, dtype=np.float64), float(w.sum())
    sum_y = float(w @ y)
    if not sum_y > 0:
        raise bad_parameter(
            name="counts", where="poisson_path", must="positive somewhere", got="zeros",
            remedy="Without an event no coefficient can be told from another.",
        )  # fmt: skip
    y = y * total / sum_y  # in this order, whole counts and their multiples give the same bits
    path = _path(x, y, w / total, np.asarray(penalties, dtype=np.float64), float(l1_ratio), float(tolerance))
    return path[:, 0] + np.log(sum_y / total), path[:, 1:]


def first_penalty(
    columns: FloatArray, counts: FloatArray, *, weights: FloatArray | None = None, l1_ratio: float = 1.0
) -> float:
    """Smallest penalty at which every coefficient is 0.

    Examples
    --------
    >>> first_penalty(np.array([[-1.0], [1.0]]), np.array([1.0, 3.0]))
    0.5
    """
    w = np.full(len(columns), 1.0) if weights is None else np.asarray(weights, dtype=np.float64)
    y, total = np.asarray(counts, dtype=np.float64), w.sum()
    slope = columns.T @ (w / total * (1.0 - y * total / (w @ y)))
    return float(np.abs(slope).max(initial=0.0)) / l1_ratio


@numba.njit(nogil=True, cache=True)
def _path(x: FloatArray, y: FloatArray, w: FloatArray, penalties: FloatArray, alpha: float, tol: float) -> FloatArray:
    n, p = x.shape
    out = np.zeros((len(penalties), p + 1))
    beta = np.zeros(p + 1)
    eta, mu = np.zeros(n), np.ones(n)
    for k in range(len(penalties)):
        _solve(x, y, w, alpha * penalties[k], (1.0 - alpha) * penalties[k], tol, beta, eta, mu)
        out[k] = beta
    return out


@numba.njit(nogil=True, cache=True)
def _solve(
    x: FloatArray, y: FloatArray, w: FloatArray, l1: float, l2: float, tol: float, beta: FloatArray, eta: FloatArray,
    mu: FloatArray,
) -> None:  # fmt: skip
    """Move ``beta`` (intercept first), with ``eta`` and ``mu`` beside it, to the minimum."""
    n, p = x.shape
    value = _objective(y, w, eta, mu, beta, l1, l2)
    gradient, hessian = np.empty(p + 1), np.empty((p + 1, p + 1))
    new, new_eta, new_mu = np.empty(p + 1), np.empty(n), np.empty(n)
    for _ in range(_MAX_STEPS):
        _slopes(x, y, w, mu, gradient)
        for j in range(1, p + 1):
            gradient[j] += l2 * beta[j]
        if _miss(gradient, beta, l1) <= tol:
            break
        _curvature(x, w, mu, hessian)
        for j in range(1, p + 1):
            hessian[j, j] += l2
        step = _quadratic(gradient, hessian, beta, l1, tol)
        decrease = 0.0
        for j in range(p + 1):
            decrease += gradient[j] * step[j]
            if j:
                decrease += l1 * (abs(beta[j] + step[j]) - abs(beta[j]))
        length = 1.0
        for _ in range(_MAX_HALVINGS):
            new[:] = beta + length * step
            for i in range(n):
                total = new[0]
                for j in range(p):
                    total += x[i, j] * new[j + 1]
                new_eta[i] = total
                new_mu[i] = np.exp(total) if w[i] > 0.0 else 0.0
            new_value = _objective(y, w, new_eta, new_mu, new, l1, l2)
            if new_value <= value + 1e-4 * length * decrease + 1e-15 * abs(value):
                break
            length *= 0.5
        else:
            break
        beta[:], eta[:], mu[:], value = new, new_eta, new_mu, new_value


@numba.njit(nogil=True, cache=True)
def _objective(
    y: FloatArray, w: FloatArray, eta: FloatArray, mu: FloatArray, beta: FloatArray, l1: float, l2: float
) -> float:
    value = 0.0
    for i in range(len(y)):
        if w[i] > 0.0:
            value += w[i] * (mu[i] - y[i] * eta[i])
    for j in range(1, len(beta)):
        value += l1 * abs(beta[j]) + 0.5 * l2 * beta[j] * beta[j]
    return value


@numba.njit(nogil=True, cache=True)
def _slopes(x: FloatArray, y: FloatArray, w: FloatArray, mu: FloatArray, out: FloatArray) -> None:
    out[:] = 0.0
    for i in range(len(y)):
        if w[i] > 0.0:
            r = w[i] * (mu[i] - y[i])
            out[0] += r
            for j in range(x.shape[1]):
                out[j + 1] += r * x[i, j]


@numba.njit(nogil=True, cache=True)
def _curvature(x: FloatArray, w: FloatArray, mu: FloatArray, out: FloatArray) -> None:
    p = x.shape[1]
    out[:] = 0.0
    for i in range(x.shape[0]):
        if w[i] > 0.0:
            v = w[i] * mu[i]
            out[0, 0] += v
            for j in range(p):
                vx = v * x[i, j]
                out[j + 1, 0] += vx
                for k in range(j + 1):
                    out[j + 1, k + 1] += vx * x[i, k]
    for j in range(p + 1):
        for k in range(j):
            out[k, j] = out[j, k]


@numba.njit(nogil=True, cache=True)
def _miss(gradient: FloatArray, beta: FloatArray, l1: float) -> float:
    """Largest miss of a condition of optimality."""
    worst: float = abs(gradient[0])
    for j in range(1, len(beta)):
        if beta[j] > 0.0:
            miss = abs(gradient[j] + l1)
        elif beta[j] < 0.0:
            miss = abs(gradient[j] - l1)
        else:
            miss = max(0.0, abs(gradient[j]) - l1)
        worst = max(worst, miss)
    return worst


@numba.njit(nogil=True, cache=True)
def _quadratic(gradient: FloatArray, hessian: FloatArray, beta: FloatArray, l1: float, tol: float) -> FloatArray:
    """Step that minimises the penalised quadratic model, by cyclic coordinate descent."""
    step, slope = np.zeros_like(beta), gradient.copy()
    for _ in range(_MAX_SWEEPS):
        moved = 0.0
        for j in range(len(beta)):
            bend = hessian[j, j]
            if bend <= 0.0:
                continue
            here = beta[j] + step[j]
            target = here - slope[j] / bend
            if j:
                target = np.sign(target) * max(0.0, abs(target) - l1 / bend)
            change = target - here
            if change != 0.0:
                step[j] = target - beta[j]
                for k in range(len(beta)):
                    slope[k] += change * hessian[k, j]
                moved = max(moved, abs(change) * bend)
        if moved <= 0.1 * tol:
            break
    return step
