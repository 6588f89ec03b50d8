r"""What the trade computes on a map of counts: Getis-Ord :math:`G_i^*` and local Moran, each cell against chance.

:math:`G_i^*` asks whether a cell and its neighbours hold more of the records than their number of cells would have;
local Moran whether a cell resembles its neighbours. Values and closed-form moments are those of ``esda``; the
permutations are drawn here, from the caller's generator (``esda`` seeds a global one and compiles for ten seconds in
every process).

What it cannot tell you: a « significant » hot spot says that records are not scattered at random over the cells. That
people live, pass and report unevenly is enough for that. And ten thousand tests at 5 % flag five hundred cells of a map
of pure chance: only the adjusted flag is a finding.

Notes
-----
Neighbours are the land cells that share an edge or a corner (queen, weight 1). A cell with none has no statistic. A
constant map has none at all: there is nothing to rank, and every number is NaN rather than 0. With
:math:`w_i` neighbours among :math:`n` cells, :math:`G_i^*=\sum_{j\in N_i\cup\{i\}}y_j/\sum_jy_j` has mean
:math:`k_i/n` and variance :math:`\frac{k_i(n-k_i)}{n^2(n-1)}\,\frac{s^2}{\bar y^2}`, :math:`k_i=w_i+1` and :math:`s`
the standard deviation (divisor :math:`n`), were all :math:`n` values permuted.

Pseudo p-values hold the cell's own value and permute the others: two-sided, twice the smaller of the two tails, each
:math:`(1+k)/(1+R)`. The same draws of places serve every cell, so that p-values of neighbours go together, as the
statistics do. They are adjusted for their number by Benjamini and Hochberg's procedure. With ``R`` permutations no
single cell among ``m`` can pass a level under ``2 m / (1 + R)``: that floor is given, since a flag that cannot be
raised says nothing.

References
----------
.. [1] Ord & Getis (1995), "Local spatial autocorrelation statistics", Geographical Analysis 27(4), 286-306,
   doi:10.1111/j.1538-4632.1995.tb00912.x.
.. [2] Anselin (1995), "Local indicators of spatial association", Geographical Analysis 27(2), 93-115,
   doi:10.1111/j.1538-4632.1995.tb00338.x.
.. [3] Benjamini & Hochberg (1995), "Controlling the false discovery rate", JRSS B 57(1), 289-300,
   doi:10.1111/j.2517-6161.1995.tb02031.x.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray, Grid, IntArray

#: Quadrants of local Moran, as ``esda`` numbers them; 0 where the statistic is undefined.
QUADRANTS: Final[tuple[str, ...]] = ("undefined", "high-high", "low-high", "low-low", "high-low")


@dataclass(frozen=True, slots=True)
class LocalStatistic:
    """A statistic of every cell. Arrays have shape (n_cells,); NaN where undefined.

    Attributes
    ----------
    value : ndarray
    expected, variance : ndarray
        Closed-form moments under permutation of all values.
    z : ndarray
        ``(value - expected) / sqrt(variance)``.
    p : ndarray
        Two-sided pseudo p-value, never 0.
    p_adjusted : ndarray
        The same, allowing for the number of cells.
    flagged : ndarray of bool
        ``p_adjusted`` at most the level. False where undefined.
    floor : float
        Smallest adjusted p-value that one cell alone could reach with so many permutations.
    quadrant : ndarray of int
        Index in :data:`QUADRANTS`: for local Moran the cell against its neighbours. For Gi*, 1 above expectation and 3
        below.
    """

    value: FloatArray
    expected: FloatArray
    variance: FloatArray
    z: FloatArray
    p: FloatArray
    p_adjusted: FloatArray
    flagged: BoolArray
    floor: float
    quadrant: IntArray

    @property
    def defined(self) -> BoolArray:
        """Cells that have the statistic."""
        return np.isfinite(self.value)


def queen_neighbours(grid: Grid) -> tuple[IntArray, IntArray]:
    """Land cells that share an edge or a corner: pairs (cell, neighbour), both ways, by cell then neighbour."""
    number = np.full((grid.shape[0] + 2, grid.shape[1] + 2), -1, dtype=np.int64)
    number[1:-1, 1:-1] = np.where(grid.land, np.cumsum(grid.land).reshape(grid.shape) - 1, -1)
    own, other = [], []
    for up in (-1, 0, 1):
        for right in (-1, 0, 1):
            if (up, right) == (0, 0):
                continue
            shifted = np.roll(number, (-up, -right), axis=(0, 1))
            both = (number >= 0) & (shifted >= 0)
            own.append(number[both])
            other.append(shifted[both])
    a, b = np.concatenate(own), np.concatenate(other)
    order = np.lexsort((b, a))
    return a[order], b[order]


def queen_weights(grid: Grid) -> Any:
    """The same as binary ``libpysal.weights.W``, its ids the cell numbers; cells without a neighbour are islands."""
    from libpysal.weights import W

    own, other = queen_neighbours(grid)
    start = np.searchsorted(own, np.arange(grid.n_cells + 1))
    lists = {cell: other[start[cell] : start[cell + 1]].tolist() for cell in range(grid.n_cells)}
    return W(lists, id_order=list(range(grid.n_cells)), silence_warnings=True)


def gi_star(
    values: npt.ArrayLike, *, grid: Grid, rng: np.random.Generator, permutations: int = 999, level: float = 0.05
) -> LocalStatistic:
    """Getis-Ord :math:`G_i^*` of a map of counts or of a surface.

    Parameters
    ----------
    values : array-like, shape (n_cells,)
        Finite, none below 0.
    grid : Grid
    rng : numpy.random.Generator
    permutations : int, default=999
    level : float, default=0.05
        Rate of false discoveries among the flagged.

    Raises
    ------
    ParameterError
        If the values are of another shape, below 0 or not finite, or ``permutations`` or ``level`` is out of range.
    """
    y, neighbours = _checked(values, grid, permutations, level, "gi_star")
    if y.min() < 0:
        raise bad_parameter(name="values", where="gi_star", must="at least 0", got=float(y.min()))
    if not _varies(y, neighbours):
        return _undefined(len(y))
    from esda.getisord import G_Local

    with warnings.catch_warnings(action="ignore"):  # of islands, dealt with here; esda also changes global filters
        found = G_Local(y, queen_weights(grid), transform="B", star=True, permutations=0)
    tails = _tails(y, neighbours, permutations, rng, np.ones(len(y)), y, found.Gs * y.sum())
    above = np.where(found.Zs > 0, 1, 3)
    return _assembled(found.Gs, found.EGs, found.VGs, tails, above, neighbours, permutations, level)


def local_moran(
    values: npt.ArrayLike, *, grid: Grid, rng: np.random.Generator, permutations: int = 999, level: float = 0.05
) -> LocalStatistic:
    """Local Moran :math:`I_i`, the mean of the neighbours' standardised values times the cell's own.

    Parameters, errors and what is returned are those of :func:`gi_star`; values may be below 0. The moments are those
    of a permutation of all values.
    """
    y, neighbours = _checked(values, grid, permutations, level, "local_moran")
    if not _varies(y, neighbours):
        return _undefined(len(y))
    from esda.moran import Moran_Local

    with warnings.catch_warnings(action="ignore"):  # of islands, dealt with here; esda also changes global filters
        found = Moran_Local(y, queen_weights(grid), transformation="r", permutations=0)
    with np.errstate(divide="ignore"):
        own = found.z / neighbours
    tails = _tails(found.z, neighbours, permutations, rng, own, np.zeros(len(y)), found.Is * len(y) / (len(y) - 1))
    return _assembled(found.Is, found.EI, found.VI, tails, found.q, neighbours, permutations, level)


def _checked(
    values: npt.ArrayLike, grid: Grid, permutations: int, level: float, where: str
) -> tuple[FloatArray, IntArray]:  # fmt: skip
    """Values as an array and the number of neighbours of each cell."""
    y = np.asarray(values, dtype=np.float64)
    if y.shape != (grid.n_cells,) or not np.isfinite(y).all():
        raise bad_parameter(
            name="values", where=where, must=f"finite, of shape ({grid.n_cells},), one per land cell", got=y.shape
        )
    if permutations < 1:
        raise bad_parameter(name="permutations", where=where, must="at least 1", got=permutations)
    if not 0 < level < 1:
        raise bad_parameter(name="level", where=where, must="a share in (0, 1)", got=level)
    return y, np.bincount(queen_neighbours(grid)[0], minlength=grid.n_cells)


def _varies(y: FloatArray, neighbours: IntArray) -> bool:
    """Whether there is a statistic at all: some cell has a neighbour and not all values are one, rounding apart."""
    return bool(neighbours.any()) and float(np.ptp(y)) > 1e-12 * float(np.abs(y).max())


def _tails(
    y: FloatArray, neighbours: IntArray, permutations: int, rng: np.random.Generator, factor: FloatArray,
    constant: FloatArray, observed: FloatArray,
) -> FloatArray:  # fmt: skip
    """Two-sided pseudo p of ``factor × sum of as many others drawn + constant`` against ``observed``."""
    widest = int(neighbours.max())
    drawn = np.stack([rng.choice(len(y) - 1, size=widest, replace=False) for _ in range(permutations)])
    scale = 1e-9 * max(float(np.abs(observed).max()), 1e-300)
    low, high = _count_tails(y, neighbours, drawn, factor, constant, observed, scale)
    return np.minimum(1.0, 2.0 * (1 + np.minimum(low, high)) / (1 + permutations))


@numba.njit(nogil=True, cache=True)
def _count_tails(
    y: FloatArray, neighbours: IntArray, drawn: IntArray, factor: FloatArray, constant: FloatArray,
    observed: FloatArray, slack: float,
) -> tuple[IntArray, IntArray]:  # fmt: skip
    """Draws at most and at least the observed; ties, to rounding, count on both sides."""
    low, high = np.zeros(len(y), dtype=np.int64), np.zeros(len(y), dtype=np.int64)
    for i in range(len(y)):
        for r in range(len(drawn)):
            total = 0.0
            for k in range(neighbours[i]):
                j = drawn[r, k]
                total += y[j if j < i else j + 1]
            value = factor[i] * total + constant[i]
            low[i] += value <= observed[i] + slack
            high[i] += value >= observed[i] - slack
    return low, high


def _assembled(
    value: npt.ArrayLike, expected: npt.ArrayLike, variance: npt.ArrayLike, p: FloatArray, quadrant: npt.ArrayLike,
    neighbours: IntArray, permutations: int, level: float,
) -> LocalStatistic:  # fmt: skip
    from statsmodels.stats.multitest import multipletests

    alone = neighbours == 0
    v, e, s = (np.where(alone, np.nan, np.asarray(a, dtype=np.float64)) for a in (value, expected, variance))
    p = np.where(alone, np.nan, p)
    adjusted = p.copy()
    adjusted[~alone] = multipletests(p[~alone], method="fdr_bh")[1]
    with np.errstate(invalid="ignore", divide="ignore"):  # a cell whose neighbours are all the others never varies
        z, flagged = (v - e) / np.sqrt(s), adjusted <= level
    floor = min(1.0, 2.0 * int((~alone).sum()) / (1 + permutations))
    quadrants = np.where(alone, 0, np.asarray(quadrant, dtype=np.int64))
    return LocalStatistic(v, e, s, z, p, adjusted, flagged, floor, quadrants)


def _undefined(n: int) -> LocalStatistic:
    value, expected, variance, z, p, adjusted = np.full((6, n), np.nan)
    silent, quadrant = np.zeros(n, dtype=bool), np.zeros(n, dtype=np.int64)
    return LocalStatistic(value, expected, variance, z, p, adjusted, silent, float("nan"), quadrant)
