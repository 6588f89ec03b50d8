"""What would happen in a city if nobody patrolled, with the luck of each incident drawn beforehand.

Every policy tried on the same potential incidents meets the same luck: an incident that two policies treat alike ends
alike under both. The difference between two runs is then what the policies did, and nothing else.

What it cannot tell you: whether a patrol prevents anything. How much it does is a number the experiment sets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid, IntArray, count_cube


@dataclass(frozen=True, eq=False)
class Potential:
    """Incidents that happen unless prevented, oldest day first.

    Attributes
    ----------
    day, cell : ndarray of int, shape (n,)
    parent : ndarray of int, shape (n,)
        Position of the incident that called for this one, on an earlier day; -1 for none. What its parent's prevention
        takes away with it.
    elsewhere : ndarray of int, shape (n,)
        Cell to which it moves where a patrol pushes it away rather than prevents it.
    u_prevented, u_moved, u_reported, u_found : ndarray of float, shape (n,)
        Uniform draws in [0, 1).
    p_reported : ndarray of float, shape (n_cells,)
        Chance that residents report an incident of the cell.
    grid : Grid
    n_days : int
    """

    day: IntArray
    cell: IntArray
    parent: IntArray
    elsewhere: IntArray
    u_prevented: FloatArray
    u_moved: FloatArray
    u_reported: FloatArray
    u_found: FloatArray
    p_reported: FloatArray
    grid: Grid
    n_days: int

    def __post_init__(self) -> None:
        n = len(self.day)
        where = "Potential"
        for name in ("cell", "parent", "elsewhere", "u_prevented", "u_moved", "u_reported", "u_found"):
            if len(getattr(self, name)) != n:
                raise bad_parameter(
                    name=name, where=where, must=f"as long as day ({n})", got=len(getattr(self, name))
                )  # fmt: skip
        if n and (np.diff(self.day) < 0).any():
            raise bad_parameter(name="day", where=where, must="in order, earliest first", got="days out of order")
        if n and not (self.day[0] >= 0 and self.day[-1] < self.n_days):
            raise bad_parameter(name="day", where=where, must=f"in [0, {self.n_days})", got=(self.day[0], self.day[-1]))
        child = np.flatnonzero(self.parent >= 0)
        if (self.day[self.parent[child]] >= self.day[child]).any():
            raise bad_parameter(name="parent", where=where, must="on an earlier day", got="a parent of the same day")
        if self.p_reported.shape != (self.grid.n_cells,) or not (
            (self.p_reported >= 0).all() and (self.p_reported <= 1).all()
        ):
            raise bad_parameter(
                name="p_reported", where=where, must="one share in [0, 1] per cell", got=self.p_reported.shape
            )

    @property
    def bounds(self) -> IntArray:
        """Incidents of day ``d`` are those from ``bounds[d]`` to ``bounds[d + 1]``, shape (n_days + 1,)."""
        return np.searchsorted(self.day, np.arange(self.n_days + 1)).astype(np.int64)

    def counts(self) -> npt.NDArray[np.int32]:
        """Incidents by day and cell if nobody patrolled, shape (n_days, n_cells)."""
        return count_cube(self.cell, self.day, n_cells=self.grid.n_cells, n_days=self.n_days)
