r"""Counts held by cell, spread over the cells around by a table of shares: what the grid forms of the field do.

A cell's count goes to its neighbours as the table says. What the table would put in the sea or off the grid is given
back to the land cells that the same count reaches, in proportion, so that nothing is lost at the shore; a cell whose
table reaches no land keeps its own.

What it cannot tell you: a share given back to the land says that nothing is recorded at sea, not that nothing is there.

Notes
-----
:func:`ring_shares` is the table of an event that is anywhere in its cell with equal chance and whose effect is spread
evenly over the ring :math:`a\le r<b` around it. For a disc of radius :math:`h\le 1` (in sides of a cell) the event's
own cell keeps :math:`1-\frac{8h}{3\pi}+\frac{h^2}{2\pi}`.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numba
import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import BoolArray, FloatArray, Grid

#: Points of each Gauss-Legendre rule: every piece is smooth, and this is far below rounding.
_OUTER_POINTS = 32


class Spreader:
    """A table of shares laid on one grid.

    Parameters
    ----------
    grid : Grid
    shares : ndarray, shape (2 m + 1, 2 m + 1)
        Share that each cell around receives, the cell itself in the middle; none below 0. Only proportions matter.
    """

    def __init__(self, grid: Grid, shares: FloatArray) -> None:
        self._grid, self._shares = grid, np.ascontiguousarray(shares, dtype=np.float64)
        middle = self._shares.shape[0] // 2
        if self._shares.shape != (2 * middle + 1,) * 2 or not (self._shares >= 0).all():
            raise bad_parameter(
                name="shares", where="Spreader", must="a square of odd side, none below 0", got=self._shares.shape
            )
        self._land = np.ascontiguousarray(grid.land, dtype=np.bool_)
        mirrored = np.ascontiguousarray(self._shares[::-1, ::-1])
        self._kept = _scatter(self._land.astype(np.float64), mirrored, self._land)[self._land]

    def __call__(self, values: npt.ArrayLike) -> FloatArray:
        """Spread one value per land cell, shape (n_cells,); same sum, none below 0 if no value is."""
        given = np.asarray(values, dtype=np.float64)
        reaching = self._kept > 0
        raster = np.zeros(self._grid.shape)
        raster[self._land] = np.divide(given, self._kept, out=np.zeros_like(given), where=reaching)
        return _scatter(raster, self._shares, self._land)[self._land] + np.where(reaching, 0.0, given)


@lru_cache(maxsize=64)
def ring_shares(inner_m: float, outer_m: float, *, cell_m: float) -> FloatArray:
    """Share of each cell around, for an effect spread evenly over a ring around a place drawn evenly in the cell.

    Parameters
    ----------
    inner_m, outer_m : float
        Radii, ``0 <= inner_m < outer_m``.
    cell_m : float

    Returns
    -------
    ndarray, shape (2 m + 1, 2 m + 1)
        Read-only, symmetric, sums to 1.
    """
    if not (0 <= inner_m < outer_m and cell_m > 0):
        raise bad_parameter(
            name="inner_m, outer_m", where="ring_shares", must="radii with 0 <= inner_m < outer_m",
            got=(inner_m, outer_m),
        )  # fmt: skip
    far, near = outer_m / cell_m, inner_m / cell_m
    table = far**2 * _disc_shares(far)
    if near > 0:
        hole = near**2 * _disc_shares(near)
        gap = (len(table) - len(hole)) // 2
        table[gap : gap + len(hole), gap : gap + len(hole)] -= hole
    table = np.maximum(table, 0.0)
    table /= table.sum()
    table.flags.writeable = False
    return table


def _disc_shares(h: float) -> FloatArray:
    """The same for a disc of radius ``h`` cells: the disc's mass under the tent ``(1 - |u - i|)(1 - |v - j|)``."""
    m = int(np.ceil(h))
    whole = np.arange(-m, m + 1, dtype=np.float64)
    kinks = np.sqrt(np.maximum(h * h - whole**2, 0.0))  # where the rim crosses a whole number of cells
    cuts = np.unique(np.clip(np.concatenate([whole, kinks, -kinks]), -h, h))
    outer, outer_w = np.polynomial.legendre.leggauss(_OUTER_POINTS)
    inner, inner_w = np.polynomial.legendre.leggauss(2)
    table = np.zeros((2 * m + 3, 2 * m + 3))
    for low_x, high_x in pairwise(cuts):
        a, b = np.arcsin([low_x / h, high_x / h])  # x = h sin θ leaves no square root at the rim
        theta = (a + b) / 2 + outer * (b - a) / 2
        x, reach = h * np.sin(theta), h * np.cos(theta)
        wx = outer_w * (b - a) / 2 * reach
        i = int(np.floor((low_x + high_x) / 2))
        for j in range(-m, m):
            low, high = np.clip(j, -reach, reach), np.clip(j + 1, -reach, reach)
            y = (low + high)[:, None] / 2 + inner * (high - low)[:, None] / 2
            mass = wx[:, None] * inner_w * (high - low)[:, None] / 2
            right, up = (x - i)[:, None], y - j
            for di, along_x in ((0, 1 - right), (1, right)):
                for dj, along_y in ((0, 1 - up), (1, up)):
                    table[j + dj + m + 1, i + di + m + 1] += float((mass * along_x * along_y).sum())
    table = (table + table[::-1]) / 2
    table = (table + table[:, ::-1]) / 2
    return np.asarray((table + table.T) / 2 / (np.pi * h * h))


@numba.njit(nogil=True, cache=True)
def _scatter(raster: FloatArray, shares: FloatArray, land: BoolArray) -> FloatArray:
    """Add to every land cell what the others send it. Cells of value 0 cost nothing."""
    rows, columns = raster.shape
    m = shares.shape[0] // 2
    out = np.zeros((rows, columns))
    for r in range(rows):
        for c in range(columns):
            value = raster[r, c]
            if value == 0.0:
                continue
            for rr in range(max(0, r - m), min(rows, r + m + 1)):
                for cc in range(max(0, c - m), min(columns, c + m + 1)):
                    if land[rr, cc]:
                        out[rr, cc] += value * shares[rr - r + m, cc - c + m]
    return out
