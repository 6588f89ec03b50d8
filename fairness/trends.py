r"""Trends in counts, many series at once: the yearly slope of a log-linear law, with or without hours as offset.

Counts made by a service follow the service as much as the world. The same regression is run on raw counts and on counts
per hour worked, so that the difference can be seen.

What it cannot tell you: what the service would have counted elsewhere. An offset corrects for hours that were written
down, not for where or how hard people looked during them.

Notes
-----
:math:`E\,y_w = h_w\,e^{a+bt_w+\ldots}`, where the dots are a sine and a cosine of the season if one is given, fitted by
maximum quasi-likelihood (Poisson score); the standard error is scaled by the dispersion
:math:`\hat\phi=\max(1, X^2/(n-p))`, ``X²`` being Pearson's statistic, and the interval is Student's with ``n - p``
degrees of freedom, ``p`` parameters being fitted. Weeks are taken to be independent given the law.

References
----------
.. [1] McCullagh & Nelder (1989), Generalized Linear Models, 2nd ed., ch. 6 (dispersion).
.. [2] Chapman (1951), "Some properties of the hypergeometric distribution with applications to zoological sample
   censuses" (capture-recapture).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray


@dataclass(frozen=True, eq=False)
class Slopes:
    """Slopes of many series, each array of the series' shape; NaN where there is nothing to estimate.

    Attributes
    ----------
    slope, low, high : ndarray
        Change of the log of the count per unit of time, and its interval.
    dispersion : ndarray
        1 where counts vary no more than Poisson.
    """

    slope: FloatArray
    low: FloatArray
    high: FloatArray
    dispersion: FloatArray


def log_slopes(
    counts: npt.ArrayLike, *, times: npt.ArrayLike, exposure: npt.ArrayLike | None = None,
    season: float | None = None, level: float = 0.95,
) -> Slopes:  # fmt: skip
    """Slope of each series of counts along its last axis.

    Parameters
    ----------
    counts : array-like, shape (…, n_times)
        At least 0.
    times : array-like, shape (n_times,)
        In the unit the slope is wanted per (years, say), at least three of them distinct.
    exposure : array-like, shape (…, n_times), optional
        Hours worked, above 0; 1 where left out.
    season : float, optional
        Period of a yearly movement to be set apart, in the unit of ``times``: without it, a season seen over a few
        years passes for a trend.
    level : float, default=0.95

    Notes
    -----
    A series without a single event has no slope: NaN, not 0.
    """
    y = np.asarray(counts, dtype=np.float64)
    t = np.asarray(times, dtype=np.float64)
    h = np.ones(y.shape) if exposure is None else np.broadcast_to(np.asarray(exposure, dtype=np.float64), y.shape)
    where = "log_slopes"
    if t.ndim != 1 or y.shape[-1:] != t.shape or len(np.unique(t)) < 3:
        raise bad_parameter(name="times", where=where, must="one per count, at least three distinct", got=t.shape)
    if not (np.isfinite(y).all() and (y >= 0).all()):
        raise bad_parameter(name="counts", where=where, must="finite and at least 0", got="a value below 0 or missing")
    if not (np.isfinite(h).all() and (h > 0).all()):
        raise bad_parameter(name="exposure", where=where, must="above 0", got="a value of 0 or less, or missing")
    columns = [np.ones(len(t)), t - t.mean()]
    if season is not None:
        columns += [np.sin(2 * np.pi * t / season), np.cos(2 * np.pi * t / season)]
    x = np.column_stack(columns)
    df = len(t) - x.shape[1]
    if df < 1 or np.linalg.matrix_rank(x) < x.shape[1]:
        raise bad_parameter(
            name="times", where=where, must=f"more than {x.shape[1]} and enough to tell trend from season", got=len(t)
        )
    total = y.sum(axis=-1)
    known = total > 0
    beta = np.zeros((*total.shape, x.shape[1]))
    beta[..., 0] = np.log(np.where(known, total, 1.0) / h.sum(axis=-1))
    for _ in range(60):
        mu = h * np.exp(np.clip(beta @ x.T, -60, 60))
        step = np.linalg.solve(np.einsum("...t,ti,tj->...ij", mu, x, x), ((y - mu) @ x)[..., None])[..., 0]
        size = np.abs(step @ x.T).max(axis=-1)
        beta += np.minimum(1.0, 2.0 / np.maximum(size, 1e-300))[..., None] * step  # by at most e² at a time
        if not (size[known] > 1e-10).any():
            break
    mu = h * np.exp(np.clip(beta @ x.T, -60, 60))
    information = np.einsum("...t,ti,tj->...ij", mu, x, x)
    dispersion = np.maximum(1.0, ((y - mu) ** 2 / mu).sum(-1) / df)
    slope = beta[..., 1]
    reach = stats.t.ppf((1 + level) / 2, df) * np.sqrt(dispersion * np.linalg.inv(information)[..., 1, 1])
    nan = np.where(known, 0.0, np.nan)
    return Slopes(slope + nan, slope - reach + nan, slope + reach + nan, dispersion + nan)


def chapman(first: npt.ArrayLike, second: npt.ArrayLike, both: npt.ArrayLike) -> FloatArray:
    """Chapman's estimate of how many there are, from two lists and what they share.

    Parameters
    ----------
    first, second, both : array-like of int
        Things on each list, and on both.

    Notes
    -----
    Supposes that being on one list says nothing of being on the other. Where what is plain to one is plain to both, the
    estimate is too low.

    Examples
    --------
    >>> float(chapman(9, 4, 1))
    24.0
    """
    a, b, m = (np.asarray(v, dtype=np.float64) for v in (first, second, both))
    if (m > np.minimum(a, b)).any() or (m < 0).any():
        raise bad_parameter(
            name="both", where="chapman", must="at least 0 and at most what each list holds", got="more than a list"
        )
    return np.asarray((a + 1) * (b + 1) / (m + 1) - 1, dtype=np.float64)
