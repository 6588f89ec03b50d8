"""Means and rates over successive days, which resemble each other: block bootstrap, with the length of blocks chosen.

Yesterday's alerts resemble today's, and one broken lamp raises thirty. Treating such counts as independent gives
intervals that are far too short: on a year of daily counts with autocorrelation 0.7, « 95 % » is really 60 % or so.
Here the days are kept in blocks, and the *effective* number of independent days is stated beside the interval. For
people or cameras counted several times, see :mod:`fairness.clusters`.

What it cannot tell you: anything about a kind of day that is not in the data. A block bootstrap knows the weather of
the days it is given; with fewer than some forty days, or with slow swings that last as long as the data, it is still
too short (measured: 88 % for 60 days with autocorrelation 0.7, 78 % with 0.9).

References
----------
.. [1] Politis & Romano (1994), "The stationary bootstrap", JASA 89(428), 1303-1313.
.. [2] Politis & White (2004), "Automatic block-length selection for the dependent bootstrap", Econometric Reviews
   23(1); Patton, Politis & White (2009), correction, 28(4).
.. [3] Sheppard, ``arch``, https://arch.readthedocs.io.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from fairness._checks import Values, check_level, check_values

#: The automatic length is best for the variance; coverage wants longer blocks (chosen by measured coverage).
BLOCK_FACTOR: Final = 2.0
_FEWEST_TIMES: Final = 10
_FEWEST_BLOCKS: Final = 3.0


@dataclass(frozen=True, slots=True)
class Dependent:
    """An interval for dependent data, with what the dependence costs.

    Attributes
    ----------
    interval : Interval
        Its ``n`` counts times, or units, as given.
    n_effective : float or None
        Independent values that would give the same standard error; None when not estimable.
    block_length : float or None
        Mean length of a block, in times; None for clusters.
    n_clusters : int or None
        Independent clusters; None for blocks.
    """

    interval: Interval
    n_effective: float | None
    block_length: float | None = None
    n_clusters: int | None = None


def automatic_block_length(values: Values) -> float:
    """Mean block length for a series: twice Politis and White's, between 1 and a third of the series.

    Parameters
    ----------
    values : array-like of float, shape (n,)

    Returns
    -------
    float
        1 for a constant or very short series, and for one without autocorrelation.

    Raises
    ------
    ParameterError
        If a value is not finite.
    """
    from arch.bootstrap import optimal_block_length

    data = check_values(values, "automatic_block_length")
    if data.size < _FEWEST_TIMES or float(np.ptp(data)) == 0.0:
        return 1.0
    with np.errstate(divide="ignore", invalid="ignore"):  # a stretch of equal days has no autocorrelation
        asked = float(optimal_block_length(data)["stationary"].iloc[0])
    if not math.isfinite(asked) or asked <= 1.0:
        return 1.0
    return min(BLOCK_FACTOR * asked, data.size / _FEWEST_BLOCKS)


def serial_interval(
    values: Values,
    *,
    exposure: Values | None = None,
    level: float = 0.95,
    block_length: float | None = None,
) -> Dependent:
    """Mean of successive values, or ratio of two sums over successive times, by the stationary block bootstrap.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        One value per time, in order: daily false alerts, for instance.
    exposure : array-like of float, shape (n,), optional
        What is divided by, at each time: person-hours, camera-hours, passages. Without it the mean is taken.
    level : float, default=0.95
    block_length : float, optional
        Mean length of a block, at least 1. By default :func:`automatic_block_length`.

    Returns
    -------
    Dependent
        Not estimable with fewer than ten times, when nothing was exposed, or when the values do not vary. Lower bounds
        are cut at 0 when no value is negative.

    Raises
    ------
    ParameterError
        If a value is not finite, an exposure is negative, lengths differ, or ``block_length`` is under 1.

    Notes
    -----
    The standard error is the stationary bootstrap's for a mean in its closed form (Politis & Romano 1994, lemma 1):
    what resampling tends to with endless draws, so there is no random number here. It is multiplied by ``sqrt(1 / (1 -
    b / n))``, as blocks of length *b* are centred on their own mean, and by Student's quantile with ``n / b - 1``
    degrees of freedom. For a ratio the residuals ``values - ratio × exposure`` are used.

    Examples
    --------
    >>> flat = serial_interval([0, 1] * 30)
    >>> flat.interval.estimate, flat.interval.n
    (0.5, 60)
    """
    where, method = "serial_interval", "stationary-bootstrap"
    data = check_values(values, where)
    check_level(level, where)
    weight = np.ones(data.size) if exposure is None else check_values(exposure, where, name="exposure")
    if weight.size != data.size or bool((weight < 0).any()):
        raise bad_parameter(
            name="exposure", where=where, must="of the length of `values`, and at least 0", got=(data.size, weight.size)
        )
    if block_length is not None and not 1 <= block_length < math.inf:
        raise bad_parameter(name="block_length", where=where, must="at least 1", got=block_length)
    n, total = int(data.size), float(weight.sum())
    if n < _FEWEST_TIMES or total <= 0:
        return Dependent(Interval.not_estimable(n=n, method=method, level=level), None)
    ratio = float(data.sum()) / total
    residual = (data - ratio * weight) / (total / n)
    if float(np.ptp(residual)) <= 1e-12 * max(1.0, abs(ratio)):
        return Dependent(Interval.not_estimable(n=n, method=method, level=level), None)
    length = automatic_block_length(residual) if block_length is None else min(block_length, n / _FEWEST_BLOCKS)
    variance = stationary_variance(residual, block_length=length) / (1 - length / n)
    error = math.sqrt(variance)
    reach = float(stats.t.isf((1 - level) / 2, n / length - 1)) * error
    low = ratio - reach
    if bool((data >= 0).all()):
        low = max(low, 0.0)
    interval = Interval(ratio, low, ratio + reach, n, method, level)
    return Dependent(interval, float(residual.var(ddof=1)) / variance, length)


def stationary_variance(values: Values, *, block_length: float) -> float:
    """Variance of the mean of a stationary-bootstrap sample, in closed form.

    Parameters
    ----------
    values : array-like of float, shape (n,)
    block_length : float
        Mean length of a block, at least 1. With 1, the ordinary bootstrap.

    Returns
    -------
    float

    Examples
    --------
    >>> stationary_variance([1.0, 2.0, 3.0, 4.0], block_length=1) * 4  # the plain variance, 1.25
    1.25
    """
    data = check_values(values, "stationary_variance")
    n = data.size
    gap = data - data.mean()
    spectrum = np.fft.rfft(gap, 2 * n)
    covariance = np.fft.irfft(spectrum * np.conj(spectrum), 2 * n)[:n] / n
    lag = np.arange(1, n)
    stay = 1 - 1 / block_length
    kept = (1 - lag / n) * stay**lag + (lag / n) * stay ** (n - lag)
    return float(max(covariance[0] + 2 * (kept @ covariance[1:]), 0.0)) / n


def resampled_interval(
    statistic: Callable[..., float],
    *arrays: npt.ArrayLike,
    rng: np.random.Generator,
    clusters: npt.ArrayLike | None = None,
    block_length: float | None = None,
    level: float = 0.95,
    n_resamples: int = 1_000,
) -> Dependent:
    """Any statistic of dependent rows: blocks of successive rows, or whole clusters, are drawn again (``arch``).

    Parameters
    ----------
    statistic : callable
        Takes the resampled arrays, returns a number. A draw where it is not finite is set aside.
    *arrays : array-like, shape (n, ...)
        Rows in order of time (blocks), or in any order (clusters).
    rng : numpy.random.Generator
    clusters : array-like, shape (n,), optional
        Labels; whole clusters are drawn. Without it, blocks of rows.
    block_length : float, optional
        Mean length of a block. By default the longest that any flat numeric array asks for.
    level : float, default=0.95
    n_resamples : int, default=1000

    Returns
    -------
    Dependent
        The estimate, plus or minus Student's quantile (blocks or clusters, minus 1) times the bootstrap standard error.
        Not estimable with fewer than two blocks or clusters, when one draw in twenty or more gives no number, or when
        the statistic does not vary. ``n_effective`` is None: it is defined for means and rates only.

    Raises
    ------
    ParameterError
        If lengths differ or there is no array.

    Notes
    -----
    Percentiles are not used: at small counts they cover least (45 % for a nominal 95 %, 30 trials at 2 %).
    """
    from arch.bootstrap import IIDBootstrap, StationaryBootstrap

    where = "resampled_interval"
    check_level(level, where)
    data = [np.asarray(one) for one in arrays]
    if not data or any(len(one) != len(data[0]) for one in data):
        raise bad_parameter(
            name="arrays", where=where, must="one or more, of the same length", got=[len(one) for one in data]
        )
    n = len(data[0])
    method = "stationary-bootstrap" if clusters is None else "cluster-bootstrap"
    none = Interval.not_estimable(n=n, method=method, level=level)
    if n == 0:
        return Dependent(none, None)
    if clusters is None:
        length = _longest(data) if block_length is None else block_length
        length = min(max(length, 1.0), max(n / _FEWEST_BLOCKS, 1.0))
        sampler: IIDBootstrap = StationaryBootstrap(length, np.arange(n), seed=rng)  # type: ignore[arg-type]
        units, members = n / length, None
    else:
        code, labels = pd.factorize(pd.Series(np.asarray(clusters)))
        if len(code) != n:
            raise bad_parameter(name="clusters", where=where, must=f"of length {n}, as the data", got=len(code))
        length, units = None, float(len(labels))
        members = np.split(np.argsort(code, kind="stable"), np.cumsum(np.bincount(code))[:-1])
        sampler = IIDBootstrap(np.arange(len(labels)), seed=rng)
    estimate = float(statistic(*data))
    if units < 2 or not math.isfinite(estimate):
        return Dependent(none, None, length, None if members is None else int(units))
    draws: FloatArray = np.empty(n_resamples)
    for index in range(n_resamples):
        drawn = np.asarray(sampler.update_indices(), dtype=np.intp)
        rows = drawn if members is None else np.concatenate([members[unit] for unit in drawn])
        draws[index] = statistic(*(one[rows] for one in data))
    good = draws[np.isfinite(draws)]
    error = float(good.std(ddof=1)) if good.size > 1 else 0.0
    if good.size < 0.95 * n_resamples or error == 0.0:
        return Dependent(none, None, length, None if members is None else int(units))
    reach = float(stats.t.isf((1 - level) / 2, units - 1)) * error
    interval = Interval(estimate, estimate - reach, estimate + reach, n, method, level)
    return Dependent(interval, None, length, None if members is None else int(units))


def _longest(data: Sequence[npt.NDArray[np.generic]]) -> float:
    flat = [one for one in data if one.ndim == 1 and np.issubdtype(one.dtype, np.number)]
    series: list[FloatArray] = [one.astype(np.float64) for one in flat]
    return max((automatic_block_length(one) for one in series if bool(np.isfinite(one).all())), default=1.0)
