r"""Whether a map means what it says: Brier score, expected against observed, slope of a Poisson recalibration.

A ranking says where; a rate also says how much. A map that announces 0.1 event in each of a thousand cells should see a
hundred. Where it announces more differences between places than there are, its slope is under 1.

What it cannot tell you: on records, calibration is with *recording*. A map exactly calibrated on a biased file repeats
its bias with the right totals.

Notes
-----
- **Brier**: mean over cells of :math:`(p - y)^2`, with :math:`p = 1 - e^{-\lambda}` the chance of at least one event in
  a cell of expectation ``λ``, and ``y`` 1 where there was one. 0 is best; it falls with the rarity of events, so that
  only maps of the same cells and days compare.
- **Recalibration**: the Poisson regression :math:`\log E[N] = a + b \log\lambda` over cells and days, 0 and 1 for a
  calibrated map. ``a`` follows from ``b``; ``b`` solves
  :math:`\sum \lambda^b \log\lambda / \sum \lambda^b = \sum N \log\lambda / \sum N`, whose left side rises with
  ``b``. It is taken on rates no smaller than :data:`FLOOR`, counted by day in steps of :data:`STEP` of the logarithm
  (relative error of :math:`\sum \lambda^b` about ``(b · STEP)² / 24``, under 2 in 100 000 for ``b`` of 1), so that
  days can be drawn again thousands of times.

References
----------
.. [1] Brier (1950), Monthly Weather Review 78(1), 1-3.
.. [2] Cox (1958), "Two further applications of a model for binary regression", Biometrika 45, 562-565.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray
from contrechamp.domain.intervals import Interval
from models.resampling import DayDraws

#: Smallest expectation per cell and day: one event in 27 years.
FLOOR: Final = 1e-4
#: Edges of the bins of expected events per cell and day in which expected and observed are summed.
RATE_EDGES: Final = (0.0, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, float("inf"))
#: Width of a class of the logarithm of a rate.
STEP: Final = 0.02
_N_CLASSES: Final = 700
#: Middles of the classes: from the floor to 120 events per cell and day.
LOG_RATES: Final = np.log(FLOOR) + STEP * (np.arange(_N_CLASSES) + 0.5)
#: Under this spread (a fifth of a tenth of e) a map is too flat to have a slope.
_FLAT_SD: Final = 0.02


@dataclass(frozen=True, eq=False)
class Calibration:
    """Daily sums from which calibration is computed.

    Attributes
    ----------
    cells, expected, observed : ndarray, shape (n_days, n_bins)
        By bin of :data:`RATE_EDGES`: cells, events expected, events seen.
    classes : ndarray of int, shape (n_days, n_classes)
        Cells by class of the logarithm of their rate.
    events, log_sum : ndarray, shape (n_days,)
        Events, and the sum over them of the logarithm of their cell's rate.
    """

    cells: IntArray
    expected: FloatArray
    observed: IntArray
    classes: npt.NDArray[np.int32]
    events: IntArray
    log_sum: FloatArray


def brier(surfaces: npt.ArrayLike, counts: npt.ArrayLike) -> FloatArray:
    """Brier score of each day, shape (n_days,): mean over cells of the squared error on "at least one event"."""
    rate = np.atleast_2d(np.asarray(surfaces, dtype=np.float64))
    some = np.atleast_2d(np.asarray(counts)) > 0
    error = -np.expm1(-rate) - some
    return np.asarray(np.mean(error * error, axis=1), dtype=np.float64)


def calibration(surfaces: npt.ArrayLike, counts: npt.ArrayLike) -> Calibration:
    """Sum expected and seen events by day and by rate.

    Parameters
    ----------
    surfaces, counts : array-like, shape (n_days, n_cells)
    """
    rate = np.atleast_2d(np.asarray(surfaces, dtype=np.float64))
    y = np.atleast_2d(np.asarray(counts, dtype=np.int64))
    if rate.shape != y.shape:
        raise bad_parameter(
            name="surfaces", where="calibration", must=f"of the shape of counts, {y.shape}", got=rate.shape
        )
    n_days, n_bins = len(rate), len(RATE_EDGES) - 1
    log_rate = np.log(np.maximum(rate, FLOOR))
    day = np.arange(n_days)[:, None]
    which = np.clip(((log_rate - np.log(FLOOR)) / STEP).astype(np.int64), 0, _N_CLASSES - 1)
    classes = np.bincount((day * _N_CLASSES + which).ravel(), minlength=n_days * _N_CLASSES)
    coarse = (day * n_bins + np.searchsorted(RATE_EDGES[1:-1], rate, side="right")).ravel()
    size, shape = n_days * n_bins, (n_days, n_bins)
    seen = np.flatnonzero(y)
    return Calibration(
        np.bincount(coarse, minlength=size).reshape(shape),
        np.asarray(np.bincount(coarse, rate.ravel(), minlength=size), dtype=np.float64).reshape(shape),
        np.rint(np.bincount(coarse[seen], y.ravel()[seen], minlength=size)).astype(np.int64).reshape(shape),
        classes.reshape(n_days, _N_CLASSES).astype(np.int32),
        y.sum(axis=1),
        (y * log_rate).sum(axis=1),
    )


def recalibration(of: Calibration) -> tuple[float, float]:
    """Intercept ``a`` and slope ``b`` of the Poisson recalibration; NaN for a flat map or without events."""
    a, b = _solve(of, np.ones((1, len(of.events))))
    return float(a[0]), float(b[0])


def recalibration_intervals(of: Calibration, *, draws: DayDraws, level: float = 0.95) -> tuple[Interval, Interval]:
    """Intercept and slope with their intervals over resampled days; ``n`` counts days.

    Not estimable for a flat map, without events, or where more than one draw in twenty has none.
    """
    n = len(of.events)
    intercept, slope = recalibration(of)
    none = Interval.not_estimable(n=n, method=draws.method, level=level)
    if not np.isfinite(slope):
        return none, none
    drawn = _solve(of, draws.weights)
    out = []
    for estimate, values in zip((intercept, slope), drawn, strict=True):
        found = values[np.isfinite(values)]
        if len(found) < 0.95 * len(values):
            return none, none
        low, high = np.quantile(found, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
        out.append(Interval(estimate, float(low), float(high), n, draws.method, level))
    return out[0], out[1]


def _solve(of: Calibration, weights: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Newton on the slope alone, for all draws at once; the left side of the equation is a mean that rises with it."""
    used = np.flatnonzero(of.classes.any(axis=0))
    x = LOG_RATES[used]
    cells = weights @ of.classes[:, used].astype(np.float64)
    events, log_sum = weights @ of.events.astype(np.float64), weights @ of.log_sum
    total = np.maximum(cells.sum(axis=1), 1.0)
    mean = cells @ x / total
    spread = np.sqrt(np.maximum(cells @ x**2 / total - mean**2, 0.0))
    ok = (events > 0) & (spread > _FLAT_SD)
    target = np.divide(log_sum, events, out=np.zeros(len(events)), where=events > 0)
    b = np.ones(len(events))
    top = x.max(initial=0.0)
    for _ in range(60):
        mass = cells * np.exp(b[:, None] * (x - top))
        whole = np.maximum(mass.sum(axis=1), np.finfo(float).tiny)
        tilted = mass @ x / whole
        variance = np.maximum(mass @ x**2 / whole - tilted**2, 1e-12)
        step = np.clip((target - tilted) / variance, -1.0, 1.0)
        b = np.clip(np.where(ok, b + step, b), -50.0, 50.0)
        if np.abs(step[ok]).max(initial=0.0) < 1e-10:
            break
    ok &= np.abs(b) < 50.0
    whole = (cells * np.exp(b[:, None] * (x - top))).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        a = np.log(events) - np.log(whole) - b * top
    return np.where(ok, a, np.nan), np.where(ok, b, np.nan)
