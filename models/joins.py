r"""Forecasts from every subset of a set of data streams at once: what an ablation needs.

Past records give a level per cell, shrunk towards the city’s; every other stream adds one effect to the log of the
rate. One forecast is made per subset of the streams, walked forward with the same refits, so that subsets differ by
their streams and by nothing else.

What it cannot tell you: what a richer model would draw from the same streams (interactions, lags, finer answers), nor
what a stream costs those it watches.

Notes
-----
Streams answer yes or no, so that rows with the same answers may be added up before the fit (:mod:`models.loglinear`):
256 subsets cost little more than one.

*Gain.* A forecast :math:`f` brought to the right total scores :math:`\sum \log (f / \sum f)` on the events of a period
(the Poisson log score with its level given for free: nobody knows which share of incidents is recorded). Its gain is
that score less the score of a constant, divided by the number of events: nats per event. Constants that depend on the
events alone, or on how finely the map is cut, cancel; a *ratio* of two gains has no unit and may be read in percent.

References
----------
.. [1] Harte & Vere-Jones (2005), "The entropy score and its uses in earthquake forecasting", Pure Appl. Geophys. 162.
   doi:10.1007/s00024-004-2667-2 (information gain per event).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray
from contrechamp.domain.history import Covariates
from models.loglinear import fit_loglinear, linear_predictor


@dataclass(frozen=True, eq=False)
class JoinForecasts:
    """Forecasts of consecutive days by every subset of the streams.

    Attributes
    ----------
    codes : ndarray of int, shape (n_days, n_cells)
        Answers of the streams beside the records, as bits.
    starts : ndarray of int, shape (n_refits,)
        First day of each refit, counted from the first forecast day.
    place : ndarray, shape (n_refits, n_cells)
        Level per cell that past records give, mean 1.
    log_rates : ndarray, shape (n_refits, 2, n_subsets, n_codes)
        Log rates by answer, without and with past records, for every subset of the other streams.
    """

    codes: IntArray
    starts: IntArray
    place: FloatArray
    log_rates: FloatArray

    def surface(self, subset: int, day: int) -> FloatArray:
        """Forecast of one day by one subset; bit 0 stands for past records, shape (n_cells,)."""
        refit = int(np.searchsorted(self.starts, day, side="right")) - 1
        log_rate = self.log_rates[refit, subset & 1, subset >> 1, self.codes[day]]
        return np.asarray(np.exp(log_rate) * (self.place[refit] if subset & 1 else 1.0), dtype=np.float64)

    def gains(self, events: npt.ArrayLike, *, first: int = 0, last: int | None = None) -> FloatArray:
        """Gain of every subset over a constant forecast, in nats per event.

        Parameters
        ----------
        events : array-like, shape (n_days, n_cells)
            Events of the forecast days, or what was expected of them.
        first, last : int, optional
            Days scored: ``first … last - 1``. All where left out.

        Returns
        -------
        ndarray, shape (2 * n_subsets,)
            By number of the subset, bit 0 standing for past records. NaN without any event.
        """
        n_days, n_cells = self.codes.shape
        end = n_days if last is None else last
        y = np.asarray(events, dtype=np.float64)
        if y.shape != (n_days, n_cells):
            raise bad_parameter(name="events", where="gains", must=f"of shape {(n_days, n_cells)}", got=y.shape)
        n_codes, n_subsets = self.log_rates.shape[3], self.log_rates.shape[2]
        score, mass = np.zeros((2, n_subsets)), np.zeros((2, n_subsets))
        bounds = [*self.starts.tolist(), n_days]
        for refit, log_rates in enumerate(self.log_rates):
            a, b = max(bounds[refit], first), min(bounds[refit + 1], end)
            if a >= b:
                continue
            codes, here, level = self.codes[a:b].ravel(), y[a:b], self.place[refit]
            by_code = np.bincount(codes, here.ravel(), minlength=n_codes)
            levels = np.bincount(codes, np.tile(level, b - a), minlength=n_codes)
            cells = np.bincount(codes, minlength=n_codes)
            score += log_rates @ by_code
            score[1] += here.sum(axis=0) @ np.log(level)
            mass[0] += np.exp(log_rates[0]) @ cells
            mass[1] += np.exp(log_rates[1]) @ levels
        total = float(y[first:end].sum())
        if total == 0:
            return np.full(2 * n_subsets, np.nan)
        gain = score / total - np.log(mass) + np.log((end - first) * n_cells)
        return np.asarray(gain.T.ravel(), dtype=np.float64)  # subset of the others by subset, without then with records


def forecast_joins(
    records: npt.NDArray[np.integer], covariates: Covariates, *, streams: Sequence[str], first_day: int,
    refit_days: int = 60, ridge: float = 1.0,
) -> JoinForecasts:  # fmt: skip
    """Forecast the days from ``first_day`` on, by every subset of past records and other streams.

    Parameters
    ----------
    records : ndarray of int, shape (n_days, n_cells)
        Recorded events. The forecast of a day reads those of earlier days only.
    covariates : Covariates
        Holds every stream under its name in ``days`` or ``cell_days``, with values 0 and 1; the forecast of day ``d``
        reads row ``d`` and the past.
    streams : sequence of str
        Streams beside past records, at most 12.
    first_day : int
    refit_days : int, default=60
    ridge : float, default=1.0
        See :func:`models.loglinear.fit_loglinear`.

    Raises
    ------
    ParameterError
        If a stream is absent or answers anything but 0 and 1, or there is no day before ``first_day`` or none after.
    """
    n_days, n_cells = records.shape
    if not 1 <= first_day < n_days:
        raise bad_parameter(name="first_day", where="forecast_joins", must=f"in [1, {n_days})", got=first_day)
    if not 1 <= len(streams) <= 12:
        raise bad_parameter(name="streams", where="forecast_joins", must="from 1 to 12 names", got=streams)
    covariates.check(n_cells=n_cells, n_days=n_days)
    codes = np.zeros((n_days, n_cells), dtype=np.int64)
    for bit, name in enumerate(streams):
        codes |= _answers(covariates, name, n_days) << bit
    n_codes = 1 << len(streams)
    bits = np.arange(n_codes)[:, None] >> np.arange(len(streams)) & 1
    design, subsets = bits - 0.5, bits == 1
    starts = np.arange(first_day, n_days, refit_days)
    place = np.empty((len(starts), n_cells))
    log_rates = np.empty((len(starts), 2, n_codes, n_codes))
    for refit, day in enumerate(starts):
        seen, answered = records[:day], codes[:day].ravel()
        place[refit] = shrunk_levels(seen.sum(axis=0))
        counts = np.bincount(answered, seen.ravel(), minlength=n_codes)
        for known, level in enumerate((np.ones(n_cells), place[refit])):
            exposure = np.bincount(answered, np.tile(level, int(day)), minlength=n_codes)
            fitted = fit_loglinear(design, counts, exposure=exposure, subsets=subsets, ridge=ridge)
            log_rates[refit, known] = linear_predictor(fitted, design)
    return JoinForecasts(codes[first_day:], starts - first_day, place, log_rates)


def shrunk_levels(totals: npt.NDArray[np.integer]) -> FloatArray:
    """Relative level of each cell, shrunk towards 1 as far as the counts' noise asks for; mean 1.

    Notes
    -----
    Levels are taken as Gamma of mean 1 and variance ``1/k``, matched to the spread of the counts beyond that of a
    Poisson law: ``(total + k) / (mean + k)``. All 1 where the counts spread no more than that.
    """
    counts = np.asarray(totals, dtype=np.float64)
    mean = float(counts.mean())
    excess = float(counts.var()) - mean
    if mean == 0 or excess <= 0:
        return np.ones(len(counts))
    k = mean**2 / excess
    return np.asarray((counts + k) / (mean + k), dtype=np.float64)


def _answers(covariates: Covariates, name: str, n_days: int) -> IntArray:
    values = covariates.days.get(name)
    found = None if values is None else np.asarray(values)[:n_days, None]
    if found is None and name in covariates.cell_days:
        found = np.asarray(covariates.cell_days[name])[:n_days]
    if found is None or not np.isin(found, (0, 1)).all():
        got = "no such stream" if found is None else "other values"
        raise bad_parameter(
            name="covariates", where="forecast_joins", must=f"a stream {name!r} that answers 0 or 1", got=got,
            remedy="Turn a measurement into a question, such as above or below its median.",
        )  # fmt: skip
    return found.astype(np.int64)
