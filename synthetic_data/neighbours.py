"""Who is near a place: persons drawn by the cell they live or work in, some far more readily than others.

What it cannot tell you: who was there. Near is a matter of cells; nobody is followed through the day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from synthetic_data.city import City

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Neighbours:
    """Persons by cell.

    Attributes
    ----------
    person : ndarray of int
        Persons in order of cell.
    filled : ndarray, shape (n_persons,)
        Running sum of their weights.
    first, last : ndarray of int, shape (n_cells,)
        Rows of the persons of each cell, of the nearest cell with anybody where a cell has none.
    """

    person: IntArray
    filled: FloatArray
    first: IntArray
    last: IntArray

    @classmethod
    def of(cls, person: IntArray, cell: IntArray, weight: FloatArray, city: City) -> Neighbours:
        """Put persons (of positive weight) in their cells.

        Parameters
        ----------
        person, cell, weight : ndarray, shape (n,)
            Number of each, grid cell, and how readily they are drawn among those of the cell.
        """
        kept = np.flatnonzero((weight > 0) & (cell >= 0))
        order = kept[np.argsort(cell[kept], kind="stable")]
        n_cells = city.grid.n_cells
        edges = np.searchsorted(cell[order], np.arange(n_cells + 1))
        held = np.flatnonzero(np.diff(edges))
        at = np.arange(n_cells)
        if 0 < len(held) < n_cells:
            at = held[np.asarray(cKDTree(city.grid.centres_m[held]).query(city.grid.centres_m)[1], dtype=np.int64)]
        return cls(person[order].astype(np.int64), np.cumsum(weight[order]), edges[:-1][at], edges[1:][at])

    def __len__(self) -> int:
        return len(self.person)

    def draw(self, cell: IntArray, *, rng: np.random.Generator) -> IntArray:
        """Draw a person near each cell, in proportion to weights; -1 for all where there is nobody at all."""
        u = rng.random(len(cell))
        if not len(self):
            return np.full(len(cell), -1, dtype=np.int64)
        first, last = self.first[cell], self.last[cell]
        below = np.where(first > 0, self.filled[first - 1], 0.0)
        row = np.searchsorted(self.filled, below + u * (self.filled[last - 1] - below), side="right")
        return self.person[np.clip(row, first, last - 1)]


def somewhere_near(
    city: City, x_m: FloatArray, y_m: FloatArray, *, spread_m: float, rng: np.random.Generator
) -> IntArray:
    """Draw a land cell about each point, Gaussian; the point's own where the draw is off the land (-1 if it is too)."""
    step = spread_m * rng.standard_normal((len(x_m), 2))
    own, there = city.grid.cell_of(x_m, y_m), city.grid.cell_of(x_m + step[:, 0], y_m + step[:, 1])
    return np.asarray(np.where(there >= 0, there, own), dtype=np.int64)
