r"""Recorded events as the kernel self-exciting process takes them: merged, weighted, told apart to a resolution.

Events at the same instant and place become one with a weight, so that ten times the records ask no more work and give
the same law. Two resolutions follow from what is handed over, and bound every kernel from below:

* space: the side :math:`\rho` of the smallest square told apart. A whole cell where every event sits in the middle of
  its cell (counts by cell), a third of the cell's side otherwise;
* time: a whole day where all events bear the same time of day (counts by day), an instant otherwise.

Without them the process would take the rounding for a discovery: two records of one cell are 0 m apart, which no
smooth background explains and any triggering kernel does.

What it cannot tell you: how finely the records were really located. Addresses rounded to the street corner, or times
rounded to the hour, look like instants and points here, and what they share by rounding looks like repetition.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid, IntArray
from contrechamp.domain.history import Points

#: Steps of the background's lattice to the side of a cell; odd, so that the middle of a cell is the middle of a step.
STEPS_PER_CELL: Final = 3


@dataclass(frozen=True, eq=False)
class Sites:
    """Squares of a lattice in which at least one event fell.

    Attributes
    ----------
    column, row : ndarray of int, shape (n_sites,)
        Counted in steps from the south-west corner of the grid.
    n_events : ndarray of int, shape (n_sites,)
        Merged events in each.
    step_m : float
        Side of a square: the spatial resolution.
    """

    column: IntArray
    row: IntArray
    n_events: IntArray
    step_m: float

    def __len__(self) -> int:
        return len(self.column)


@dataclass(frozen=True, eq=False)
class SeppEvents:
    """Merged events, oldest first.

    Attributes
    ----------
    t_days : ndarray, shape (n,)
        From the start of the window, in ``[0, duration_days)``.
    x_m, y_m : ndarray, shape (n,)
    weight : ndarray, shape (n,)
        Records in each, over their mean: sums to ``n``.
    total : float
        Records, all together.
    duration_days : float
    site : ndarray of int, shape (n,)
        Index into ``sites``.
    sites : Sites
    whole_days, centred : bool
        Whether only the day, and only the cell, of each is known.
    """

    t_days: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    weight: FloatArray
    total: float
    duration_days: float
    site: IntArray
    sites: Sites
    whole_days: bool
    centred: bool

    def __len__(self) -> int:
        return len(self.t_days)

    @classmethod
    def from_points(cls, points: Points, *, grid: Grid, first_day: int = 0, last_day: int) -> SeppEvents:
        """Merge the events of days ``first_day … last_day - 1``.

        Raises
        ------
        ParameterError
            If an event lies outside those days or off the grid.
        """
        t = np.asarray(points.t_days, dtype=np.float64) - first_day
        duration = float(last_day - first_day)
        if len(t) and not (t.min() >= 0 and t.max() < duration):
            raise bad_parameter(
                name="points", where="SeppEvents.from_points", must=f"on days {first_day} to {last_day - 1}",
                got=(float(points.t_days.min()), float(points.t_days.max())),
            )  # fmt: skip
        if len(t) and (points.cell.min() < 0 or points.cell.max() >= grid.n_cells):
            raise bad_parameter(name="points", where="SeppEvents.from_points", must="on the grid", got="a cell off it")
        merged, weight = _merged(Points(t, points.x_m, points.y_m, points.cell))
        t, x, y = merged.t_days, merged.x_m, merged.y_m
        centred = bool(len(t)) and bool((np.column_stack([x, y]) == grid.centres_m[merged.cell]).all())
        step_m = grid.cell_m if centred else grid.cell_m / STEPS_PER_CELL
        site, sites = _sites(merged, grid=grid, step_m=step_m)
        total = float(weight.sum())
        return cls(
            t, x, y, weight * len(t) / total if len(t) else weight, total, duration, site, sites,
            bool(len(t)) and float(np.ptp(t - np.floor(t))) == 0.0, centred,
        )  # fmt: skip


def lattice(points: Points, *, grid: Grid, step_m: float) -> tuple[IntArray, IntArray]:
    """Column and row of each point on the lattice of side ``step_m`` laid from the corner of the grid.

    Notes
    -----
    Always a square of the point's own cell, whatever rounding says of a point on its edge.
    """
    steps = round(grid.cell_m / step_m)
    middle = grid.centres_m[points.cell]
    column, row = (
        np.floor((middle[:, i] - corner) / grid.cell_m).astype(np.int64) * steps
        + np.clip(np.floor((at - middle[:, i]) / step_m + steps / 2), 0, steps - 1).astype(np.int64)
        for i, corner, at in ((0, grid.x0_m, points.x_m), (1, grid.y0_m, points.y_m))
    )
    return column, row


def _merged(points: Points) -> tuple[Points, FloatArray]:
    order = np.lexsort((points.y_m, points.x_m, points.t_days))
    t, x, y = points.t_days[order], points.x_m[order], points.y_m[order]
    new = np.ones(len(t), dtype=bool)
    new[1:] = (t[1:] != t[:-1]) | (x[1:] != x[:-1]) | (y[1:] != y[:-1])
    at = np.flatnonzero(new)
    weight = np.diff(np.append(at, len(t))).astype(np.float64)
    return Points(t[at], x[at], y[at], points.cell[order[at]]), weight


def _sites(points: Points, *, grid: Grid, step_m: float) -> tuple[IntArray, Sites]:
    column, row = lattice(points, grid=grid, step_m=step_m)
    width = grid.shape[1] * round(grid.cell_m / step_m)
    keys, site, n_events = np.unique(row * width + column, return_inverse=True, return_counts=True)
    return site.astype(np.int64), Sites(keys % width, keys // width, n_events.astype(np.int64), step_m)
