"""Concentration and drift: how unevenly attention is spread, how far it is from the truth, and when it went there.

What it cannot tell you: an even spread is not a just one, and following the truth exactly is not either. These are
distances between distributions over zones; which distribution one *should* be near is not a statistical question. The
truth is known in a simulation only: in a real city the same formulas on records measure the distance from the records.

References
----------
.. [1] Gini (1912), "Variabilità e mutabilità". Cowell (2011), "Measuring inequality", 3rd ed.
.. [2] Theil (1967), "Economics and information theory".
.. [3] Kullback & Leibler (1951), "On information and sufficiency", Ann. Math. Statist. 22(1).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from fairness._checks import check_open_share


def gini(values: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> FloatArray:
    """Gini index along the last axis: 0 when all zones have as much, near 1 when one has all.

    Parameters
    ----------
    values : array-like of float, shape (..., n_zones)
        Amounts (patrol-hours, alerts), at least 0.
    weights : array-like of float, shape (n_zones,), optional
        What each zone should have in proportion to (inhabitants, area, true incidents). By default equal.

    Returns
    -------
    ndarray of float, shape (...)
        NaN where the total is 0: not estimable.

    Raises
    ------
    ParameterError
        If an amount is negative or not finite, or a weight is not above 0.

    Notes
    -----
    Twice the area between the Lorenz curve and the diagonal. With *n* equal weights the largest value is ``1 - 1/n``:
    no correction is applied.

    Examples
    --------
    >>> gini([1, 1, 1, 1]).item(), gini([0, 0, 0, 5]).item(), gini([0, 0]).item()
    (0.0, 0.75, nan)
    """
    data, base = _amounts(values, "gini"), _weights(weights, values, "gini")
    density = data / base
    order = np.argsort(density, axis=-1, kind="stable")
    part = np.take_along_axis(data, order, axis=-1)
    width = np.take_along_axis(np.broadcast_to(base, data.shape), order, axis=-1)
    total = part.sum(axis=-1, keepdims=True)
    lorenz = np.cumsum(part, axis=-1) / np.where(total > 0, total, np.nan)
    middle = lorenz - np.diff(lorenz, axis=-1, prepend=0.0) / 2
    return np.asarray(1 - 2 * (middle * width).sum(axis=-1), dtype=np.float64)


def theil(values: npt.ArrayLike, *, weights: npt.ArrayLike | None = None) -> FloatArray:
    """Theil's T along the last axis: 0 when spread as the weights, ``log(n)`` when one of n equal zones has all.

    Parameters
    ----------
    values, weights
        As :func:`gini`.

    Returns
    -------
    ndarray of float, shape (...)
        In nats. NaN where the total is 0: not estimable.

    Raises
    ------
    ParameterError
        As :func:`gini`.

    Notes
    -----
    It is the Kullback–Leibler divergence of the shares from the weights, and splits into a part between groups of zones
    and a part within them.

    Examples
    --------
    >>> round(theil([0, 0, 0, 5]).item(), 4)  # log 4
    1.3863
    """
    data, base = _amounts(values, "theil"), _weights(weights, values, "theil")
    return kl_divergence(data, reference=base)


def kl_divergence(values: npt.ArrayLike, *, reference: npt.ArrayLike) -> FloatArray:
    """Kullback–Leibler divergence of the shares of ``values`` from those of ``reference``, along the last axis.

    Parameters
    ----------
    values, reference : array-like of float, shape (..., n_zones)
        Amounts, at least 0; both are turned into shares.

    Returns
    -------
    ndarray of float, shape (...)
        In nats, ``inf`` where something is in a zone where ``reference`` has nothing. NaN where a total is 0.

    Raises
    ------
    ParameterError
        If an amount is negative or not finite.

    Examples
    --------
    >>> round(kl_divergence([3, 1], reference=[1, 1]).item(), 4), kl_divergence([1, 1], reference=[1, 0]).item()
    (0.1308, inf)
    """
    p, q = _shares(values, "kl_divergence"), _shares(reference, "kl_divergence")
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(p == 0, 0.0, p * (np.log(p) - np.log(q)))
    total = np.asarray(terms.sum(axis=-1), dtype=np.float64)
    empty = np.isnan(p).any(axis=-1) | np.isnan(q).any(axis=-1)
    return np.where(empty, np.nan, np.maximum(total, 0.0))


def share_table(
    *, patrol: npt.ArrayLike, truth: npt.ArrayLike, zones: Sequence[str | int] | None = None
) -> pd.DataFrame:
    """Share of patrol-hours beside share of true incidents, zone by zone.

    Parameters
    ----------
    patrol, truth : array-like of float, shape (n_zones,)
        Amounts, at least 0.
    zones : sequence, optional
        Names; by default 0, 1, 2…

    Returns
    -------
    DataFrame
        ``patrol_share``, ``truth_share``, ``gap`` (points) and ``ratio`` (missing where the truth is 0), zones in the
        order given. Shares are missing where a total is 0.

    Raises
    ------
    ParameterError
        If an amount is negative or not finite, or lengths differ.

    Examples
    --------
    >>> share_table(patrol=[30, 10], truth=[50, 50], zones=["A", "B"])["ratio"].tolist()
    [1.5, 0.5]
    """
    p, q = _shares(patrol, "share_table"), _shares(truth, "share_table")
    if p.ndim != 1 or p.shape != q.shape or (zones is not None and len(zones) != p.size):
        raise bad_parameter(
            name="patrol, truth, zones", where="share_table", must="of one length", got=(p.size, q.size)
        )
    ratio = np.divide(p, q, out=np.full(p.size, np.nan), where=q > 0)
    index = pd.Index(list(range(p.size) if zones is None else zones), name="zone", dtype=None)
    return pd.DataFrame({"patrol_share": p, "truth_share": q, "gap": p - q, "ratio": ratio}, index=index)


def runaway_index(shares: npt.ArrayLike, *, truth: npt.ArrayLike) -> FloatArray:
    """How far attention has run towards a single zone: 0 where it follows the truth, 1 where one zone has it all.

    Parameters
    ----------
    shares : array-like of float, shape (..., n_zones)
        Shares or amounts of patrols (or of records), at least 0.
    truth : array-like of float, shape (n_zones,)
        True rates, or shares.

    Returns
    -------
    ndarray of float, shape (...)
        ``max over zones of (s - t) / (1 - t)``. NaN where a total is 0. A zone with the whole truth cannot be run to.

    Raises
    ------
    ParameterError
        If an amount is negative or not finite.

    Examples
    --------
    >>> runaway_index([[0.5, 0.5], [0.75, 0.25], [1, 0]], truth=[1, 1]).tolist()
    [0.0, 0.5, 1.0]
    """
    s, t = _shares(shares, "runaway_index"), _shares(truth, "runaway_index")
    excess = np.divide(s - t, 1 - t, out=np.zeros(np.broadcast_shapes(s.shape, t.shape)), where=t < 1)
    return np.asarray(excess.max(axis=-1), dtype=np.float64)


def time_to_drift(
    path: npt.ArrayLike,
    *,
    truth: npt.ArrayLike,
    threshold: float = 0.2,
    times: npt.ArrayLike | None = None,
    lasting: bool = False,
) -> FloatArray:
    """First time at which some zone's share is further than ``threshold`` from the truth.

    Parameters
    ----------
    path : array-like of float, shape (n_times, ..., n_zones)
        Shares or amounts, one layer per time.
    truth : array-like of float, shape (n_zones,)
    threshold : float, default=0.2
        Gap of shares, in (0, 1).
    times : array-like of float, shape (n_times,), optional
        By default 1, 2, 3…
    lasting : bool, default=False
        True: first time from which the gap is never under the threshold again.

    Returns
    -------
    ndarray of float, shape (...)
        ``inf`` where it never happened within the horizon: hand it to :func:`fairness.means.quantile_interval`, which
        sorts such values last, and never average it.

    Raises
    ------
    ParameterError
        If an amount is negative or not finite, ``threshold`` is not in (0, 1), or there is not one time per layer.

    Examples
    --------
    >>> walk = [[0.5, 0.5], [0.8, 0.2], [0.6, 0.4], [0.9, 0.1]]
    >>> time_to_drift(walk, truth=[1, 1]).item(), time_to_drift(walk, truth=[1, 1], lasting=True).item()
    (2.0, 4.0)
    """
    where = "time_to_drift"
    check_open_share(threshold, "threshold", where)
    layers, t = _shares(path, where), _shares(truth, where)
    when = np.arange(1.0, len(layers) + 1) if times is None else np.asarray(times, dtype=np.float64)
    if when.shape != (len(layers),):
        raise bad_parameter(name="times", where=where, must=f"{len(layers)} times, one per layer", got=times)
    away = np.abs(layers - t).max(axis=-1) > threshold + 1e-9
    if lasting:
        away = np.flip(np.logical_and.accumulate(np.flip(away, axis=0), axis=0), axis=0)
    if not len(when):
        return np.full(away.shape[1:], np.inf)
    return np.where(away.any(axis=0), when[away.argmax(axis=0)], np.inf)


def _amounts(values: npt.ArrayLike, where: str) -> FloatArray:
    data = np.asarray(values, dtype=np.float64)
    if data.ndim < 1 or data.shape[-1] < 1 or not bool((np.isfinite(data) & (data >= 0)).all()):
        raise bad_parameter(name="values", where=where, must="finite amounts of at least 0, per zone", got=values)
    return data


def _shares(values: npt.ArrayLike, where: str) -> FloatArray:
    data = _amounts(values, where)
    total = data.sum(axis=-1, keepdims=True)
    return np.asarray(data / np.where(total > 0, total, np.nan), dtype=np.float64)


def _weights(weights: npt.ArrayLike | None, values: npt.ArrayLike, where: str) -> FloatArray:
    zones = np.shape(values)[-1]
    base = np.ones(zones) if weights is None else np.asarray(weights, dtype=np.float64)
    if base.shape != (zones,) or not bool((np.isfinite(base) & (base > 0)).all()):
        raise bad_parameter(name="weights", where=where, must=f"{zones} numbers above 0", got=weights)
    return np.asarray(base / base.sum(), dtype=np.float64)
