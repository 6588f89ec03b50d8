"""Means and quantiles of independent values, with their intervals.

What it cannot tell you: independence is taken for granted. Days that follow each other, or several values of one
person, make these intervals too short: see :mod:`fairness.serial`.

References
----------
.. [1] Efron (1987), "Better bootstrap confidence intervals", JASA 82(397), 171-185.
.. [2] Conover (1999), "Practical nonparametric statistics", 3rd ed., section 3.2 (quantiles by order statistics).
"""

from __future__ import annotations

import math
from typing import Literal, get_args

import numpy as np
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from fairness._checks import Values, check_choice, check_level, check_rng, check_values

MeanMethod = Literal["t", "bootstrap"]


def mean_interval(
    values: Values,
    *,
    level: float = 0.95,
    method: MeanMethod = "t",
    rng: np.random.Generator | None = None,
    n_resamples: int = 4_000,
) -> Interval:
    """Mean of independent values, by Student's t or by the bias-corrected accelerated bootstrap.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Finite and independent of each other.
    level : float, default=0.95
    method : {"t", "bootstrap"}, default="t"
    rng : numpy.random.Generator, optional
        Required by ``"bootstrap"``, not used otherwise.
    n_resamples : int, default=4000

    Returns
    -------
    Interval
        ``n`` is the number of values. Not estimable with fewer than two values, or when all are equal: a sample that
        does not vary says nothing about its own error, and a width of zero would be a false promise.

    Raises
    ------
    ParameterError
        If a value is not finite or ``"bootstrap"`` is asked without ``rng``.
    """
    where = "mean_interval"
    data = check_values(values, where)
    check_level(level, where)
    check_choice(method, get_args(MeanMethod), where)
    if method == "bootstrap":
        check_rng(rng, where, when="with method='bootstrap'")
    if data.size < 2 or float(np.ptp(data)) == 0.0:
        return Interval.not_estimable(n=int(data.size), method=method, level=level)
    mean = float(data.mean())
    if method == "t":
        low, high = stats.t.interval(level, data.size - 1, loc=mean, scale=stats.sem(data))
    else:
        found = stats.bootstrap(
            (data,), np.mean, confidence_level=level, n_resamples=n_resamples, method="BCa", rng=rng
        )
        low, high = found.confidence_interval
    return Interval(mean, min(float(low), mean), max(float(high), mean), int(data.size), method, level)


def quantile_interval(values: Values, *, q: float = 0.5, level: float = 0.95) -> Interval:
    """Quantile of independent values, with the distribution-free interval of order statistics.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        ``inf`` is allowed and means "not within the horizon": it sorts last.
    q : float, default=0.5
        In (0, 1).
    level : float, default=0.95

    Returns
    -------
    Interval
        ``n`` is the number of values. The estimate is the sample quantile, midway between two values where ``n * q``
        is whole. Not estimable when the estimate or its upper bound is infinite, or when there are too few values
        for an interval at ``level`` (fewer than six for a median at 95 %).

    Raises
    ------
    ParameterError
        If a value is NaN or minus infinity, or ``q`` is not in (0, 1).

    Notes
    -----
    The bounds are order statistics whose ranks are binomial quantiles, so coverage is at least ``level`` whatever
    the law of the values.
    """
    where, method = "quantile_interval", "order-statistics"
    data = np.sort(check_values(values, where, allow_inf=True))
    check_level(level, where)
    if not 0 < q < 1:
        raise bad_parameter(name="q", where=where, must="a share in (0, 1)", got=q)
    n = int(data.size)
    tail = (1 - level) / 2
    low_rank = int(stats.binom.ppf(tail, n, q)) if n else 0
    high_rank = int(stats.binom.ppf(1 - tail, n, q)) + 1 if n else 1
    if low_rank < 1 or high_rank > n:
        return Interval.not_estimable(n=n, method=method, level=level)
    low, high = float(data[low_rank - 1]), float(data[high_rank - 1])
    if not math.isfinite(high):
        return Interval.not_estimable(n=n, method=method, level=level)
    rank = round(q * n, 9)  # 0.1 * 30 is 3 on paper, not in binary
    estimate = float(data[math.ceil(rank) - 1] + data[math.floor(rank)]) / 2
    return Interval(estimate, low, high, n, method, level)
