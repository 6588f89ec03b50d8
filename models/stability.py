r"""How much a map moves from one day to the next: rank correlations, and the flagged cells kept.

A map that never moves gains nothing from being drawn every day; one that moves without capturing more sends patrols
about for nothing. Neither is a score of skill: they say what the map asks of those who follow it.

What it cannot tell you: whether a change was right. A map of noise moves a lot, a map of population never.

Notes
-----
Spearman's coefficient is Pearson's on average ranks; Kendall's is :math:`\tau_b`, which allows for ties:
:math:`(C - D)/\sqrt{(n_0 - n_x)(n_0 - n_y)}` with :math:`n_0 = n(n-1)/2` pairs, ``C`` concordant, ``D`` discordant,
``n_x``, ``n_y`` tied in either. Both are undefined, NaN, where all cells of a day tie. Kendall's is counted in
:math:`O(n \log n)` by merge sort [1]_. The overlap of two flagged sets is Jaccard's: common cells over cells in either.

References
----------
.. [1] Knight (1966), "A computer method for calculating Kendall's tau with ungrouped data", JASA 61(314), 436-439.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

from contrechamp.domain.grid import FloatArray, IntArray


def average_ranks(values: npt.ArrayLike) -> FloatArray:
    """Rank of each cell within its day, 1 for the least; equal cells share the mean of their ranks."""
    x = np.atleast_2d(np.asarray(values, dtype=np.float64))
    return np.asarray(_average_ranks(x, np.argsort(x, axis=1)), dtype=np.float64)


def spearman(ranks: FloatArray, later: FloatArray) -> FloatArray:
    """Spearman's coefficient, day by day, of two arrays of average ranks of shape (n_days, n_cells)."""
    a = ranks - ranks.mean(axis=1, keepdims=True)
    b = later - later.mean(axis=1, keepdims=True)
    below = np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    above = (a * b).sum(axis=1)
    out = np.divide(above, below, out=np.full(below.shape, np.nan), where=below > 0)
    return np.asarray(np.clip(out, -1.0, 1.0), dtype=np.float64)


def kendall(values: npt.ArrayLike, later: npt.ArrayLike) -> float:
    """Kendall's tau-b between two maps of the same cells; NaN where all cells of one tie.

    Examples
    --------
    >>> kendall([1, 2, 3, 4], [1, 3, 2, 4])
    0.6666666666666...
    """
    x, y = np.asarray(values, dtype=np.float64), np.asarray(later, dtype=np.float64)
    order = np.lexsort((y, x))
    x, y = x[order], y[order]
    n = len(x)
    pairs = n * (n - 1) // 2
    tied_x, tied_both = _tied(np.diff(x) != 0), _tied((np.diff(x) != 0) | (np.diff(y) != 0))
    swaps = int(_inversions(y))
    tied_y = _tied(np.diff(np.sort(y)) != 0)
    if tied_x == pairs or tied_y == pairs:
        return float("nan")
    score = pairs - tied_x - tied_y + tied_both - 2 * swaps
    tau = score / (np.sqrt(float(pairs - tied_x)) * np.sqrt(float(pairs - tied_y)))
    return float(min(1.0, max(-1.0, tau)))


def jaccard(order: IntArray, later: IntArray, *, k: int) -> FloatArray:
    """Overlap, day by day, of the first ``k`` cells of two arrays of cells in order, shape (n_days, n_cells)."""
    n_days, n_cells = order.shape
    common = np.empty(n_days)
    for day in range(n_days):
        flagged = np.zeros(n_cells, dtype=bool)
        flagged[order[day, :k]] = True
        common[day] = np.count_nonzero(flagged[later[day, :k]])
    return common / (2 * k - common)


def _tied(changes: npt.NDArray[np.bool_]) -> int:
    """Pairs within runs of equal neighbours, given where a run ends."""
    bounds = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(changes) + 1]])
    runs = np.diff(bounds)
    return int((runs * (runs - 1) // 2).sum())


@njit(cache=True)
def _average_ranks(x: Any, order: Any) -> Any:  # pragma: no cover - compiled
    out = np.empty(x.shape)
    for day in range(x.shape[0]):
        start = 0
        n = x.shape[1]
        while start < n:
            end = start + 1
            value = x[day, order[day, start]]
            while end < n and x[day, order[day, end]] == value:
                end += 1
            mean = (start + end + 1) / 2.0
            for i in range(start, end):
                out[day, order[day, i]] = mean
            start = end
    return out


@njit(cache=True)
def _inversions(y: Any) -> Any:  # pragma: no cover - compiled
    """Pairs out of order, by a bottom-up merge sort of a copy."""
    a, b = y.copy(), y.copy()
    n, width, swaps = len(a), 1, 0
    while width < n:
        for left in range(0, n, 2 * width):
            middle, right = min(left + width, n), min(left + 2 * width, n)
            i, j = left, middle
            for out in range(left, right):
                if i < middle and (j >= right or a[i] <= a[j]):
                    b[out] = a[i]
                    i += 1
                else:
                    b[out] = a[j]
                    swaps += middle - i
                    j += 1
        a, b = b, a
        width *= 2
    return swaps
