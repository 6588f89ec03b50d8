r"""How well a map ranks tomorrow's events: hit rate, PAI, PEI, area under the curve, log score. Against a stated area.

A share of events captured means nothing without the share of the map that was flagged: 83 % of the map flagged at
random captures 83 % of events. PAI divides one by the other; PEI divides what was captured by what hindsight could.

What it cannot tell you: PAI compares places, not consequences. It rises when events are concentrated, whoever made the
map; only the difference from a baseline on the same events speaks of the forecast. On records it measures how well the
map foretells *recording*.

Notes
-----
With ``M`` cells of which ``k`` are flagged, and ``N`` events of which ``n`` fall in flagged cells:
``hit rate = n / N``, ``PAI = (n / N) / (k / M)``, ``PEI = n / n*`` where ``n*`` is the most any ``k`` cells hold that
day. So ``PAI <= M / k``, ``PEI <= 1``, and ``PAI = PEI × PAI of hindsight``. The share of area is the real one,
``k / M``, not the one asked for, so that a random choice has a mean PAI of exactly 1, with variance
:math:`(M/k)^2 N^{-2} k (1 - k/M) s^2`, ``s²`` being the variance (ddof 1) of the cells' counts.

Cells that tie are ordered by a random permutation drawn in advance, one per day, from ``rng``. A surface that is the
same everywhere is therefore a random choice of cells. Values closer than one part in 10¹² of the day's largest tie: the
last bits of a sum, which differ between processors, choose no cell.

References
----------
.. [1] Chainey, Tompson & Uhlig (2008), "The utility of hotspot mapping", Security Journal 21, 4-28 (PAI).
.. [2] Hunt (2016), "Do crime hot spots move?", PhD thesis, American University (PEI).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import special

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class DailyScores:
    """Day by day, what ``k`` flagged cells of ``n_cells`` captured.

    Attributes
    ----------
    events, hits, best_hits : ndarray of int, shape (n_days,)
        Events of the day, those in flagged cells, and the most that ``k`` cells held.
    k, n_cells : int
        Cells flagged and cells in all.
    """

    events: IntArray
    hits: IntArray
    best_hits: IntArray
    k: int
    n_cells: int

    @property
    def area_share(self) -> float:
        """Share of the cells that is flagged, ``k / n_cells``."""
        return self.k / self.n_cells

    @property
    def hit_rate(self) -> FloatArray:
        """Share of each day's events in flagged cells; NaN on a day without events."""
        return _ratio(self.hits, self.events)

    @property
    def pai(self) -> FloatArray:
        """Prediction accuracy index of each day; NaN on a day without events."""
        return self.hit_rate / self.area_share

    @property
    def pei(self) -> FloatArray:
        """Prediction efficiency index of each day; NaN on a day without events."""
        return _ratio(self.hits, self.best_hits)

    @property
    def pooled_hit_rate(self) -> float:
        """Hits of all days over events of all days; NaN without events."""
        return float(_ratio(self.hits.sum(), self.events.sum()))

    @property
    def pooled_pai(self) -> float:
        """PAI of all days together; NaN without events."""
        return self.pooled_hit_rate / self.area_share


def flagged_size(area: float, *, n_cells: int) -> int:
    """Cells in a share ``area`` of the map: ``max(1, round(area × n_cells))``, halves to even.

    Examples
    --------
    >>> flagged_size(0.01, n_cells=3840), flagged_size(0.0001, n_cells=3840)
    (38, 1)
    """
    if not 0 < area <= 1:
        raise bad_parameter(
            name="area", where="flagged_size", must="a share in (0, 1]", got=area,
            remedy="1 % is written 0.01.",
        )  # fmt: skip
    return max(1, round(area * n_cells))


def tie_breaks(n_days: int, n_cells: int, *, rng: np.random.Generator) -> IntArray:
    """One random order of the cells per day, shape (n_days, n_cells): who comes first among equals.

    Drawn once and shared by the predictors compared, so that chance favours none of them.
    """
    return np.asarray(rng.permuted(np.tile(np.arange(n_cells), (n_days, 1)), axis=1), dtype=np.int64)


def rank_cells(surfaces: npt.ArrayLike, *, ties: IntArray) -> IntArray:
    """Cells of each day from the highest value to the lowest, shape (n_days, n_cells); ties in the order ``ties``."""
    values = np.atleast_2d(np.asarray(surfaces, dtype=np.float64))
    top = values.max(axis=1, keepdims=True, initial=0.0)
    rounded = np.round(values / np.where(top > 0, top, 1.0), 12)
    shuffled = np.take_along_axis(rounded, ties, axis=1)
    order = np.argsort(-shuffled, axis=1, kind="stable")
    return np.take_along_axis(ties, order, axis=1)


def captured(order: IntArray, counts: npt.ArrayLike) -> IntArray:
    """Events in the first 1, 2, … cells of ``order``, day by day, shape (n_days, n_cells)."""
    y = np.atleast_2d(np.asarray(counts, dtype=np.int64))
    return np.cumsum(np.take_along_axis(y, order, axis=1), axis=1)


def best_captured(counts: npt.ArrayLike) -> IntArray:
    """Most events that any 1, 2, … cells held, day by day: the hindsight that PEI divides by."""
    y = np.atleast_2d(np.asarray(counts, dtype=np.int64))
    return np.cumsum(-np.sort(-y, axis=1), axis=1)


def daily_scores(surfaces: npt.ArrayLike, counts: npt.ArrayLike, *, area: float, ties: IntArray) -> DailyScores:
    """Score each day's surface on that day's events.

    Parameters
    ----------
    surfaces : array-like, shape (n_days, n_cells) or (n_cells,)
        What was predicted for each day. Only the order of the cells matters.
    counts : array-like, same shape
        Events of each day.
    area : float
        Share of the cells to flag, in (0, 1].
    ties : ndarray, shape (n_days, n_cells)
        From :func:`tie_breaks`.
    """
    y = np.atleast_2d(np.asarray(counts, dtype=np.int64))
    k = flagged_size(area, n_cells=y.shape[1])
    return DailyScores(
        events=y.sum(axis=1),
        hits=captured(rank_cells(surfaces, ties=ties), y)[:, k - 1],
        best_hits=best_captured(y)[:, k - 1],
        k=k,
        n_cells=y.shape[1],
    )


def hit_rate(surfaces: npt.ArrayLike, counts: npt.ArrayLike, *, area: float, rng: np.random.Generator) -> FloatArray:
    """Share of each day's events in the flagged cells, shape (n_days,); NaN on a day without events."""
    return _scores(surfaces, counts, area, rng).hit_rate


def pai(surfaces: npt.ArrayLike, counts: npt.ArrayLike, *, area: float, rng: np.random.Generator) -> FloatArray:
    """Prediction accuracy index of each day, shape (n_days,); NaN on a day without events."""
    return _scores(surfaces, counts, area, rng).pai


def pei(surfaces: npt.ArrayLike, counts: npt.ArrayLike, *, area: float, rng: np.random.Generator) -> FloatArray:
    """Prediction efficiency index of each day, shape (n_days,); NaN on a day without events."""
    return _scores(surfaces, counts, area, rng).pei


def pooled_pai(surfaces: npt.ArrayLike, counts: npt.ArrayLike, *, area: float, rng: np.random.Generator) -> float:
    """PAI of all days together: hits over events over share of area; NaN without events."""
    return _scores(surfaces, counts, area, rng).pooled_pai


def rank_sums(hits: IntArray) -> FloatArray:
    """Sum over each day's events of the share of cells ranked below theirs, their own counting half, shape (n_days,).

    Parameters
    ----------
    hits : ndarray, shape (n_days, n_cells)
        From :func:`captured`.

    Notes
    -----
    Divided by the day's events, this is the area under the curve of the hit rate against the share of the map flagged
    (straight between cells): in ``[0.5 / M, 1 - 0.5 / M]``, and 0.5 on average for a random order, whatever the events.
    """
    n_cells = hits.shape[1]
    return np.asarray((hits.sum(axis=1) - hits[:, -1] / 2) / n_cells, dtype=np.float64)


def area_under_curve(surfaces: npt.ArrayLike, counts: npt.ArrayLike, *, rng: np.random.Generator) -> FloatArray:
    """Area under each day's hit-rate curve, shape (n_days,); 0.5 for a random order, NaN on a day without events."""
    n_days, n_cells = np.atleast_2d(np.asarray(counts)).shape
    hits = captured(rank_cells(surfaces, ties=tie_breaks(n_days, n_cells, rng=rng)), counts)
    return _ratio(rank_sums(hits), hits[:, -1])


def random_pai_variance(counts: npt.ArrayLike, *, k: int) -> float:
    """Variance of the PAI of ``k`` cells chosen at random, its mean being 1; NaN without events.

    Parameters
    ----------
    counts : array-like, shape (n_cells,)
        Events of a day, or of the whole period for cells chosen once.
    k : int

    Examples
    --------
    >>> random_pai_variance([0, 1, 2, 5], k=2)
    0.2916666666666667
    """
    y = np.asarray(counts, dtype=np.float64)
    n_cells, total = len(y), float(y.sum())
    if not 1 <= k <= n_cells:
        raise bad_parameter(name="k", where="random_pai_variance", must=f"in [1, {n_cells}]", got=k)
    if total == 0:
        return float("nan")
    if k == n_cells:
        return 0.0
    return float((n_cells / k) ** 2 / total**2 * k * (1 - k / n_cells) * y.var(ddof=1))


def area_for_share(hits: IntArray, *, share: float) -> FloatArray:
    """Smallest share of the map whose flagged cells capture ``share`` of each day's events.

    Parameters
    ----------
    hits : ndarray, shape (n_days, n_cells)
        From :func:`captured`.
    share : float
        In (0, 1].

    Returns
    -------
    ndarray, shape (n_days,)
        NaN on a day without events.
    """
    if not 0 < share <= 1:
        raise bad_parameter(name="share", where="area_for_share", must="a share in (0, 1]", got=share)
    total = hits[:, -1]
    need = np.ceil(share * total - 1e-9)
    first = (hits >= need[:, None]).argmax(axis=1) + 1
    return np.where(total > 0, first / hits.shape[1], np.nan)


def log_score(surfaces: npt.ArrayLike, counts: npt.ArrayLike, *, floor: float = 1e-4) -> FloatArray:
    """Poisson log score of each day: sum over cells of the log chance of the count seen, in nats. Higher is better.

    Parameters
    ----------
    surfaces, counts : array-like, shape (n_days, n_cells)
        Expected and seen events.
    floor : float, default=1e-4
        Smallest expectation allowed per cell and day (one event in 27 years). Without it one event in a cell where
        none was ever seen makes the score minus infinity.
    """
    if not floor > 0:
        raise bad_parameter(name="floor", where="log_score", must="a rate in (0, inf) per cell and day", got=floor)
    rate = np.maximum(np.atleast_2d(np.asarray(surfaces, dtype=np.float64)), floor)
    y = np.atleast_2d(np.asarray(counts, dtype=np.float64))
    return np.asarray((y * np.log(rate) - rate - special.gammaln(y + 1)).sum(axis=1), dtype=np.float64)


def level_log_score(surfaces: npt.ArrayLike, counts: npt.ArrayLike, *, floor: float = 1e-4) -> FloatArray:
    """Log score of each day's map once scaled to that day's events, less what no map can change (the factorials).

    Only the places are scored: maps learn the level of records, and on truth, where there are more events, a raw score
    would reward whichever map happens to sum higher. Only differences between maps of the same days have a meaning.
    """
    y = np.atleast_2d(np.asarray(counts))
    rate = np.maximum(at_level(np.atleast_2d(np.asarray(surfaces, dtype=np.float64)), y.sum(axis=1)), floor)
    day, cell = np.nonzero(y)
    seen = np.bincount(day, y[day, cell] * np.log(rate[day, cell]), minlength=len(y))
    return np.asarray(seen - rate.sum(axis=1), dtype=np.float64)


def at_level(surfaces: FloatArray, events: npt.ArrayLike) -> FloatArray:
    """Scale each day's map to the events of that day; a map of zeros stays one."""
    total = surfaces.sum(axis=1, keepdims=True)
    wanted = np.asarray(events, dtype=np.float64)[:, None]
    return np.asarray(surfaces * np.divide(wanted, total, out=np.zeros(total.shape), where=total > 0))


def _scores(surfaces: npt.ArrayLike, counts: npt.ArrayLike, area: float, rng: np.random.Generator) -> DailyScores:
    n_days, n_cells = np.atleast_2d(np.asarray(counts)).shape
    return daily_scores(surfaces, counts, area=area, ties=tie_breaks(n_days, n_cells, rng=rng))


def _ratio(top: Any, bottom: Any) -> FloatArray:
    top, bottom = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    return np.asarray(np.divide(top, bottom, out=np.full(bottom.shape, np.nan), where=bottom > 0), dtype=np.float64)
