r"""What a learner is shown of each cell on the morning of a day: its own past, its neighbours', the calendar, the rest.

One table of columns for every day, so that what is learned on past days can be used on the next:

``base_per_day``
    Mean of the last 364 days, drawn towards the mean of the city as far as chance explains the difference:
    :math:`(S+\kappa)/(D+\kappa/m)` for ``S`` records in ``D`` days, ``m`` being the mean of all cells. It is what a
    gamma law of the cells' rates of shape κ leads one to expect, and its sum over the cells is that of the means.
``lag_1d, lag_2d, lag_3d, lag_7d``
    Records one, two, three and seven days before.
``mean_7d … mean_364d``
    Mean per day over the last days, over those there are where there are fewer.
``ring_7d, ring_28d, ring_364d``
    The same, averaged over the land cells that touch the cell, corners included.
``days_since``
    Days since the last record, 1 for yesterday; 365 where the last 364 days have none.
``city_7d_ratio, city_28d_ratio``
    Mean of the whole city over the last days against the last 364; 1 without a record.
``weekday, season_sin, season_cos``
    Monday is 0. The season is an angle that turns once in 365.2425 days from day 0, which has no date.

Then every layer of the covariates under its own name.

What it cannot tell you: what was known *at the time*. A row of a past day is made of the records by the day they bear,
as the file has them now, those that were entered late included. A learner is thus trained on pasts a little more
complete than the one it will be shown, more so the longer records take to be entered.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid, IntArray
from contrechamp.domain.history import Covariates
from models.base import Seen

#: Longest look back, in whole weeks.
YEAR_DAYS: Final = 364
LAGS: Final = (1, 2, 3, 7)
WINDOWS: Final = (7, 28, 56, 182, 364)
#: Places in ``WINDOWS`` of those that neighbours are averaged over, and of those the city is.
_RING: Final = (0, 1, 4)
_CITY: Final = (0, 1)

HISTORY_NAMES: Final = (
    "base_per_day",
    *(f"lag_{k}d" for k in LAGS),
    *(f"mean_{w}d" for w in WINDOWS),
    *(f"ring_{WINDOWS[i]}d" for i in _RING),
    "days_since",
    *(f"city_{WINDOWS[i]}d_ratio" for i in _CITY),
)
CALENDAR_NAMES: Final = ("weekday", "season_sin", "season_cos")
_KINDS: Final = ("places", "days", "cell_days")
_TURN: Final = 2 * np.pi / 365.2425
#: Shape of the law of the cells' rates, at most: beyond it all cells are the same but for chance.
_KAPPA_RANGE: Final = (0.05, 100.0)

#: Where a column comes from (``history``, ``calendar``, ``places``, ``days``, ``cell_days``) and its name.
Column = tuple[str, str]


def columns_of(covariates: Covariates) -> tuple[Column, ...]:
    """Columns of the table, in order.

    Raises
    ------
    ParameterError
        If two layers, or a layer and a column made here, bear the same name.
    """
    columns = [("history", name) for name in HISTORY_NAMES] + [("calendar", name) for name in CALENDAR_NAMES]
    columns += [(kind, name) for kind in _KINDS for name in sorted(getattr(covariates, kind))]
    names = [name for _, name in columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise bad_parameter(
            name="covariates", where="columns_of", must="named so that each name is used once", got=twice,
            remedy="Rename these layers.",
        )  # fmt: skip
    return tuple(columns)


def layer(seen: Seen, kind: str, name: str, at: int) -> FloatArray:
    """One layer of the covariates on day ``at``, spread over the cells; shape (n_cells,).

    Raises
    ------
    ParameterError
        If the layer is not among the covariates.
    """
    known = getattr(seen.covariates, kind)
    if name not in known:
        raise bad_parameter(
            name=f"covariates.{kind}", where="a predictor", must=f"those of the last fit, {name!r} among them",
            got=sorted(known), remedy="Pass the same layers, or fit again.",
        )  # fmt: skip
    values = known[name] if kind == "places" else known[name][at]
    return np.broadcast_to(np.asarray(values, dtype=np.float64), (seen.grid.n_cells,))


def design(seen: Seen, at: int, *, columns: Sequence[Column], kappa: float, around: IntArray) -> FloatArray:
    """The table of day ``at``, shape (n_cells, len(columns)): the past as of the last morning seen, the rest of ``at``.

    Parameters
    ----------
    seen : Seen
    at : int
        Day predicted.
    columns : sequence of (str, str)
        From :func:`columns_of`.
    kappa : float
        From :func:`shape_of_rates`.
    around : ndarray of int, shape (n_cells, 8)
        From :func:`neighbours`.
    """
    recent = seen.events.counts[max(0, seen.n_days - YEAR_DAYS) :]
    cells = np.arange(seen.grid.n_cells)
    day = np.full(len(cells), len(recent), dtype=np.int64)
    out = np.empty((len(cells), len(columns)))
    out[:, : len(HISTORY_NAMES)] = history(recent, day=day, cell=cells, kappa=kappa, around=around)
    calendar = calendar_of(np.array([at]), first_weekday=seen.covariates.first_weekday)[0]
    out[:, len(HISTORY_NAMES) : len(HISTORY_NAMES) + len(CALENDAR_NAMES)] = calendar
    for j, (kind, name) in enumerate(columns):
        if kind in _KINDS:
            out[:, j] = layer(seen, kind, name, at)
    return out


def past_rows(
    seen: Seen, *, day: IntArray, cell: IntArray, columns: Sequence[Column], kappa: float, around: IntArray
) -> FloatArray:
    """Rows of past days and cells, shape (n_rows, len(columns)), each made of what precedes its day.

    Parameters
    ----------
    seen : Seen
    day : ndarray of int, shape (n_rows,)
        Ascending, before ``seen.n_days``.
    cell : ndarray of int, shape (n_rows,)
    columns, kappa, around
        As in :func:`design`.
    """
    out = np.empty((len(day), len(columns)))
    if not len(day):
        return out
    first = max(0, int(day[0]) - YEAR_DAYS)
    counts = seen.events.counts[first : int(day[-1])]
    out[:, : len(HISTORY_NAMES)] = history(counts, day=day - first, cell=cell, kappa=kappa, around=around)
    calendar = calendar_of(day, first_weekday=seen.covariates.first_weekday)
    out[:, len(HISTORY_NAMES) : len(HISTORY_NAMES) + len(CALENDAR_NAMES)] = calendar
    for j, (kind, name) in enumerate(columns):
        if kind == "places":
            out[:, j] = np.asarray(seen.covariates.places[name])[cell]
        elif kind == "days":
            out[:, j] = np.asarray(seen.covariates.days[name])[day]
        elif kind == "cell_days":
            out[:, j] = np.asarray(seen.covariates.cell_days[name])[day, cell]
    return out


def calendar_of(day: IntArray, *, first_weekday: int) -> FloatArray:
    """Weekday and season of each day, shape (n, 3).

    Examples
    --------
    >>> calendar_of(np.array([0, 5]), first_weekday=3)[:, 0].tolist()
    [3.0, 1.0]
    """
    angle = day * _TURN
    return np.column_stack([(first_weekday + day) % 7, np.sin(angle), np.cos(angle)]).astype(np.float64)


def shape_of_rates(counts: npt.NDArray[Any]) -> float:
    """Shape κ of a gamma law of the cells' rates, by moments of their totals over the last 364 days.

    Notes
    -----
    The variance of the totals beyond their mean is what chance does not explain: κ = mean² / (variance - mean), kept
    in [0.05, 100]. Few different cells make κ small and ``base_per_day`` each cell's own mean.

    Examples
    --------
    >>> shape_of_rates(np.array([[0, 0, 4, 4]]))
    2.0
    """
    totals = counts[-YEAR_DAYS:].sum(axis=0, dtype=np.float64)
    mean = float(totals.mean()) if totals.size else 0.0
    beyond = float(totals.var()) - mean if totals.size else 0.0
    low, high = _KAPPA_RANGE
    return high if beyond <= 0 else min(max(mean * mean / beyond, low), high)


def neighbours(grid: Grid) -> IntArray:
    """Land cells that touch each cell, shape (n_cells, 8); -1 where there is sea or nothing."""
    ny, nx = grid.shape
    number = np.full((ny + 2, nx + 2), -1, dtype=np.int64)
    number[1:-1, 1:-1] = grid.raster(np.arange(grid.n_cells), fill=-1).astype(np.int64)
    row, col = np.nonzero(grid.land)
    steps = [(i, j) for i in (-1, 0, 1) for j in (-1, 0, 1) if i or j]
    return np.column_stack([number[row + 1 + i, col + 1 + j] for i, j in steps]).astype(np.int64)


def history(
    counts: npt.NDArray[Any], *, day: IntArray, cell: IntArray, kappa: float, around: IntArray
) -> FloatArray:  # fmt: skip
    """Columns :data:`HISTORY_NAMES` of each (day, cell), made of the rows of ``counts`` before ``day``.

    Parameters
    ----------
    counts : ndarray, shape (n_days, n_cells)
    day : ndarray of int, shape (n_rows,)
        In [0, n_days], ascending.
    cell : ndarray of int, shape (n_rows,)
    kappa : float
    around : ndarray of int, shape (n_cells, 8)

    Returns
    -------
    ndarray, shape (n_rows, len(HISTORY_NAMES))
    """
    numbers = np.ascontiguousarray(counts, dtype=np.float64)
    windows, lags = np.array(WINDOWS), np.array(LAGS)
    return np.asarray(_history(numbers, day, cell, float(kappa), around, windows, lags, len(HISTORY_NAMES)))


@numba.njit(nogil=True, cache=True)
def _history(
    counts: FloatArray, day: IntArray, cell: IntArray, kappa: float, around: IntArray, windows: IntArray,
    lags: IntArray, n_columns: int,
) -> FloatArray:  # fmt: skip
    """Walk the days once, with the sum over each window and the day of the last record of every cell carried along."""
    n_cells, n_windows = counts.shape[1], len(windows)
    out = np.empty((len(day), n_columns))
    if len(day) == 0:
        return out
    longest = windows[n_windows - 1]
    now = day[0]
    sums, last = _sums_before(counts, now, windows)
    city = np.zeros(n_windows)
    row = 0
    while row < len(day):
        for w in range(n_windows):
            city[w] = 0.0
            for c in range(n_cells):
                city[w] += sums[w, c]
        had = min(longest, now)
        mean = city[n_windows - 1] / (had * n_cells) if had else 0.0
        while row < len(day) and day[row] == now:
            c = cell[row]
            out[row, 0] = (sums[n_windows - 1, c] + kappa) / (had + kappa / mean) if mean > 0.0 else 0.0
            j = 1
            for k in lags:
                out[row, j] = counts[now - k, c] if k <= now else 0.0
                j += 1
            for w in range(n_windows):
                out[row, j] = sums[w, c] / max(1, min(windows[w], now))
                j += 1
            for w in _RING:
                out[row, j] = _mean_around(sums[w], around[c]) / max(1, min(windows[w], now))
                j += 1
            out[row, j] = now - last[c] if last[c] >= now - longest else longest + 1
            for w in _CITY:
                j += 1
                out[row, j] = city[w] / max(1, min(windows[w], now)) / (mean * n_cells) if mean > 0.0 else 1.0
            row += 1
        if row < len(day):
            for _ in range(day[row] - now):
                for w in range(n_windows):
                    gone = now - windows[w]
                    for c in range(n_cells):
                        sums[w, c] += counts[now, c] - (counts[gone, c] if gone >= 0 else 0.0)
                for c in range(n_cells):
                    if counts[now, c] > 0:
                        last[c] = now
                now += 1
    return out


@numba.njit(nogil=True, cache=True)
def _sums_before(counts: FloatArray, day: int, windows: IntArray) -> tuple[FloatArray, IntArray]:
    """Sum over each window up to ``day``, and the day of the last record in the longest one (long ago if none)."""
    n_cells = counts.shape[1]
    sums, last = np.zeros((len(windows), n_cells)), np.full(n_cells, -(10**9))
    total = np.zeros(n_cells)
    w = 0
    for back in range(1, windows[-1] + 1):
        past = day - back
        if past >= 0:
            for c in range(n_cells):
                if counts[past, c] > 0:
                    total[c] += counts[past, c]
                    last[c] = max(last[c], past)
        if back == windows[w]:
            sums[w] = total
            w += 1
    return sums, last


@numba.njit(nogil=True, cache=True)
def _mean_around(values: FloatArray, around: IntArray) -> float:
    total, found = 0.0, 0
    for k in around:
        if k >= 0:
            total += values[k]
            found += 1
    return total / found if found else 0.0
