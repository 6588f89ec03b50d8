r"""Knox table: pairs of records by how far apart and how many days apart they are, against what chance would give.

Near repeats are looked for with it: more pairs close in both space and time than the records' places and dates, taken
apart, account for.

What it cannot tell you: why. Pairs of *records* are close in both when one incident provokes another, when somebody is
recorded twice, when patrols return to where they recorded, and when a season or a building site raises a district for
some weeks. The table does not tell these apart.

Notes
-----
Null hypothesis: the dates are exchangeable among the places. Under it the expected number of pairs is, exactly, pairs
in the row × pairs in the column / all pairs, and :math:`p=(1+k)/(1+R)` where ``k`` of ``R`` permutations of the dates
reach what was observed: never 0. Bands are half-open, ``[low, high)``.

References
----------
.. [1] Knox (1964), "The detection of space-time interactions", Applied Statistics 13(1), 25-30, doi:10.2307/2985220.
.. [2] North, Curtis & Sham (2002), "A note on the calculation of empirical P values from Monte Carlo procedures",
   American Journal of Human Genetics 71(2), 439-441, doi:10.1086/341527.
.. [3] Johnson et al. (2007), "Space-time patterns of risk", Journal of Quantitative Criminology 23(3), 201-219,
   doi:10.1007/s10940-007-9025-3.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numba
import numpy as np
import numpy.typing as npt
from scipy.stats import poisson

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray
from contrechamp.domain.history import Points

#: ``euclidean``, or ``manhattan``: the sum of the two differences.
Metric = Literal["euclidean", "manhattan"]
#: Pairs at distance 0: with the first band, or in a row of their own before it.
SamePlace = Literal["with-first", "apart"]
#: Permutations counted in one pass over the pairs, side by side so that the processor counts several at once.
_ABREAST: Final = 64
#: Near pairs held at most: under two gigabytes.
MAX_NEAR_PAIRS: Final = 200_000_000
#: Pairs counted before a 16-bit count could overflow.
_BLOCK: Final = 32_767


@dataclass(frozen=True, slots=True)
class KnoxTable:
    """A Knox table. Arrays have shape (n_distance_bands, n_time_bands); the last row and column hold the rest.

    Attributes
    ----------
    observed : ndarray of int
        Pairs of events.
    expected : ndarray
        Mean under permutation of dates: pairs in the row × pairs in the column / all pairs, exactly.
    p : ndarray
        ``(1 + permutations with at least as many pairs) / (1 + permutations)``: never 0.
    """

    observed: IntArray
    expected: FloatArray
    p: FloatArray

    @property
    def ratio(self) -> FloatArray:
        """Observed over expected pairs; NaN where none is expected."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.expected > 0, self.observed / self.expected, np.nan)


def knox_table(
    x_m: npt.ArrayLike, y_m: npt.ArrayLike, *, t_days: npt.ArrayLike, edges_m: Sequence[float],
    edges_days: Sequence[float], permutations: int, rng: np.random.Generator, metric: Metric = "euclidean",
    same_place: SamePlace = "with-first",
) -> KnoxTable:  # fmt: skip
    """Count pairs of events by distance and days apart, and how often permuted dates give as many.

    Parameters
    ----------
    x_m, y_m : array-like of float, shape (n_events,)
        Metres. Single precision stays single precision.
    t_days : array-like, shape (n_events,)
        Whole or fractional days.
    edges_m, edges_days : sequence of float
        Increasing open upper edges of the bands. A last band holds the rest.
    permutations : int
        At least 1.
    rng : numpy.random.Generator
    metric : {"euclidean", "manhattan"}, default="euclidean"
    same_place : {"with-first", "apart"}, default="with-first"
        Where pairs at distance 0 are counted.

    Raises
    ------
    ParameterError
        If there are fewer than two events, edges do not increase from above 0, or a value is not finite.

    Notes
    -----
    Only pairs under the last distance edge are held in memory (nine bytes each): permuting dates leaves as many pairs
    in each column, so the last row follows by difference.
    """
    where = "knox_table"
    x, y, t = np.asarray(x_m), np.asarray(y_m), np.asarray(t_days)
    x, y = (v if v.dtype == np.float32 else v.astype(np.float64) for v in (x, y))
    if x.ndim != 1 or x.size < 2 or not x.shape == y.shape == t.shape:
        raise bad_parameter(
            name="x_m, y_m, t_days", where=where, must="three arrays of one length, at least 2",
            got=(x.shape, y.shape, t.shape),
        )  # fmt: skip
    if not (np.isfinite(x).all() and np.isfinite(y).all() and np.isfinite(t).all()):
        raise bad_parameter(name="x_m, y_m, t_days", where=where, must="finite", got="NaN or infinity")
    for name, edges in (("edges_m", edges_m), ("edges_days", edges_days)):
        if not len(edges) or edges[0] <= 0 or list(edges) != sorted(set(edges)):
            raise bad_parameter(name=name, where=where, must="increasing numbers above 0", got=edges)
    if permutations < 1:
        raise bad_parameter(name="permutations", where=where, must="at least 1", got=permutations)
    when, limits = _as_compared(t, edges_days)
    i, j, row = _near_pairs(x, y, np.asarray(edges_m, dtype=x.dtype), metric == "manhattan", same_place == "apart")
    n_rows = len(edges_m) + (same_place == "apart")
    columns = _bands(_pairs_under(np.sort(when), limits), x.size * (x.size - 1) // 2)

    def tables(dates: npt.NDArray[Any]) -> IntArray:
        """Tables of the columns of ``dates``, shape (n_tables, n_rows + 1, n_bands)."""
        under = _pairs_by_row(i, j, row, dates, limits, n_rows)
        near = _bands(np.moveaxis(under, 2, 0), np.bincount(row, minlength=n_rows)[None, :])
        return np.concatenate([near, (columns - near.sum(axis=1))[:, None, :]], axis=1)

    observed = tables(when[:, None])[0]
    reached = np.zeros(observed.shape, dtype=np.int64)
    for first in range(0, permutations, _ABREAST):
        drawn = [rng.permutation(when) for _ in range(min(_ABREAST, permutations - first))]
        reached += (tables(np.ascontiguousarray(np.column_stack(drawn))) >= observed).sum(axis=0)
    expected = observed.sum(axis=1, keepdims=True) * (observed.sum(axis=0, keepdims=True) / columns.sum())
    return KnoxTable(observed, expected, (1 + reached) / (1 + permutations))


@dataclass(frozen=True, slots=True)
class KnoxStatistic:
    """One pair of thresholds, tested.

    Attributes
    ----------
    close_in_both, close_in_space, close_in_time, pairs : int
        Pairs of records.
    expected : float
        Mean of ``close_in_both`` under permutation of dates.
    p : float
        Pseudo p-value, never 0.
    p_poisson : float
        Chance of at least as many, were the pairs a Poisson number of that mean: an approximation, for comparison.
    """

    close_in_both: int
    close_in_space: int
    close_in_time: int
    pairs: int
    expected: float
    p: float
    p_poisson: float


def global_knox(
    points: Points, *, within_m: float, within_days: float, permutations: int, rng: np.random.Generator
) -> KnoxStatistic:
    """Test one pair of thresholds, both included, as :class:`pointpats.Knox` counts them.

    Notes
    -----
    ``pointpats`` draws from the global generator and holds every pair close in time; the counts are the same here. Its
    Poisson p-value is the chance of *more* pairs than observed, ours of at least as many.
    """
    for name, value in (("within_m", within_m), ("within_days", within_days)):
        if not value > 0:
            raise bad_parameter(name=name, where="global_knox", must="above 0", got=value)
    table = knox_table(
        points.x_m, points.y_m, t_days=points.t_days, edges_m=[float(np.nextafter(within_m, np.inf))],
        edges_days=[float(np.nextafter(within_days, np.inf))], permutations=permutations, rng=rng,
    )  # fmt: skip
    both, expected = int(table.observed[0, 0]), float(table.expected[0, 0])
    return KnoxStatistic(
        close_in_both=both,
        close_in_space=int(table.observed[0].sum()),
        close_in_time=int(table.observed[:, 0].sum()),
        pairs=int(table.observed.sum()),
        expected=expected,
        p=float(table.p[0, 0]),
        p_poisson=float(poisson.sf(both - 1, expected)),
    )


def _as_compared(t: npt.NDArray[Any], edges_days: Sequence[float]) -> tuple[npt.NDArray[Any], npt.NDArray[Any]]:
    """Dates and edges in the type they are compared in: whole days as short integers, others in double precision."""
    start = t.min()
    if (t == np.floor(t)).all() and t.max() - start < _BLOCK:
        limits = np.minimum(np.ceil(edges_days), _BLOCK)  # a whole number is under 1.5 when it is under 2
        return (t - start).astype(np.int16), limits.astype(np.int16)
    return t.astype(np.float64), np.asarray(edges_days, dtype=np.float64)


def _bands(under: IntArray, total: Any) -> IntArray:
    """Pairs in each band from pairs under each edge (last axis) and their total."""
    whole = np.concatenate([under, np.broadcast_to(np.asarray(total)[..., None], (*under.shape[:-1], 1))], axis=-1)
    return np.diff(whole, axis=-1, prepend=0).astype(np.int64)


@numba.njit(nogil=True, cache=True)
def _pairs_under(ordered: npt.NDArray[Any], limits: npt.NDArray[Any]) -> IntArray:
    """Pairs fewer days apart than each limit, all events together; ``ordered`` ascending."""
    out = np.zeros(len(limits), dtype=np.int64)
    for e in range(len(limits)):
        first = 0
        for i in range(len(ordered)):
            while ordered[i] - ordered[first] >= limits[e]:
                first += 1
            out[e] += i - first
    return out


@numba.njit(nogil=True, cache=True)
def _pairs_by_row(
    i: npt.NDArray[np.int32], j: npt.NDArray[np.int32], row: npt.NDArray[np.uint8], dates: npt.NDArray[Any],
    limits: npt.NDArray[Any], n_rows: int,
) -> IntArray:  # fmt: skip
    """Near pairs by row, fewer days apart than each limit, for each column of ``dates``."""
    abreast = dates.shape[1]
    out = np.zeros((n_rows, len(limits), abreast), dtype=np.int64)
    part = np.zeros((n_rows, len(limits), abreast), dtype=np.int16)
    apart = np.empty(abreast, dtype=dates.dtype)
    for first in range(0, len(row), _BLOCK):
        part[:] = 0
        for k in range(first, min(first + _BLOCK, len(row))):
            one, other = dates[i[k]], dates[j[k]]
            for p in range(abreast):
                apart[p] = abs(one[p] - other[p])
            counts = part[row[k]]
            for e in range(len(limits)):
                limit, count = limits[e], counts[e]
                for p in range(abreast):
                    count[p] += np.int16(apart[p] < limit)
        out += part
    return out


def _near_pairs(
    x: npt.NDArray[Any], y: npt.NDArray[Any], edges: npt.NDArray[Any], manhattan: bool, apart: bool
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32], npt.NDArray[np.uint8]]:
    """Pairs under the last edge, each with its row, found among the squares of that side around each event."""
    corner = float(x.min()), float(y.min())
    extent = max(float(x.max()) - corner[0], float(y.max()) - corner[1])
    side = max(float(edges[-1]) * 1.000_001, extent / 2_000)  # a little larger: no pair is lost to rounding
    column, line = (
        ((v.astype(np.float64) - low) // side).astype(np.int64) for v, low in zip((x, y), corner, strict=True)
    )
    width, height = int(column.max()) + 1, int(line.max()) + 1
    square = line * width + column
    order = np.argsort(square, kind="stable").astype(np.int32)
    start = np.searchsorted(square[order], np.arange(width * height + 1))
    laid_out = x[order], y[order], order, start, width, height, edges, manhattan, apart
    n = _visit(*laid_out, order[:0], order[:0], np.empty(0, dtype=np.uint8))
    if n > MAX_NEAR_PAIRS:
        raise bad_parameter(
            name="edges_m", where="knox_table", must=f"short enough for at most {MAX_NEAR_PAIRS:,} near pairs", got=n,
            remedy="Take shorter bands, or fewer events: a part of the period, or of the city.",
        )  # fmt: skip
    i, j, row = np.empty(n, dtype=np.int32), np.empty(n, dtype=np.int32), np.empty(n, dtype=np.uint8)
    _visit(*laid_out, i, j, row)
    return i, j, row


@numba.njit(nogil=True, cache=True)
def _visit(
    x: npt.NDArray[Any], y: npt.NDArray[Any], order: npt.NDArray[np.int32], start: IntArray, width: int, height: int,
    edges: npt.NDArray[Any], manhattan: bool, apart: bool, i_out: npt.NDArray[np.int32], j_out: npt.NDArray[np.int32],
    row_out: npt.NDArray[np.uint8],
) -> int:  # fmt: skip
    """Count the pairs under the last edge; write them where the arrays have room for them."""
    found, write, last = 0, len(i_out) > 0, len(edges)
    for line in range(height):
        for column in range(width):
            own = line * width + column
            for up in range(2):
                for right in range(-1, 2):
                    ahead = up * 3 + right
                    if ahead < 0 or line + up >= height or column + right < 0 or column + right >= width:
                        continue
                    other = own + up * width + right
                    for i in range(start[own], start[own + 1]):
                        for j in range(i + 1 if other == own else start[other], start[other + 1]):
                            dx, dy = abs(x[i] - x[j]), abs(y[i] - y[j])
                            distance = dx + dy if manhattan else np.sqrt(dx * dx + dy * dy)
                            row = 0
                            while row < last and edges[row] <= distance:
                                row += 1
                            if row == last:
                                continue
                            if write:
                                i_out[found], j_out[found] = order[i], order[j]
                                row_out[found] = row if not apart else (0 if distance == 0 else row + 1)
                            found += 1
    return found
