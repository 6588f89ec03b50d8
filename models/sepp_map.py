r"""From triggering kernel to map: what recent events are due to trigger on one day, cell by cell.

In time the integral over the day is exact: the kernel is constant in each bin of lag. In space an event stands in the
middle of its lattice square (a third of a cell), and the share of each ring that falls in each cell around is counted
on a fine grid of points, the same for every event that stands at that place in its cell. Where only cells are known, a
ring is shared between the cells whose middle is in it.

What the kernel would put at sea or off the grid is given back to the land cells that the same event reaches, in
proportion.

What it cannot tell you: what the events of the day itself, not yet recorded, will trigger.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np

from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.history import Points
from models.sepp_events import lattice
from models.sepp_trigger import ring_offsets

#: Points along the side of a lattice square on which rings are counted.
_POINTS: Final = 12


@dataclass(frozen=True, eq=False)
class RingShares:
    """Share of each ring that falls in each cell around an event's own.

    Attributes
    ----------
    share : ndarray, shape (steps, steps, n_rings, 2 m + 1, 2 m + 1)
        By row and column of the event's square in its cell, ring, row and column of the cell; each ring sums to 1.
    step_m : float
    """

    share: FloatArray
    step_m: float

    @classmethod
    def of(cls, ring_edges_m: FloatArray, *, cell_m: float, step_m: float, centred: bool) -> RingShares:
        """Count the shares of rings of equal width."""
        n_rings, steps = len(ring_edges_m) - 1, round(cell_m / step_m)
        m = math.ceil(ring_edges_m[-1] / cell_m)
        side = 2 * m + 1
        share = np.zeros((steps, steps, n_rings, side, side))
        if centred:
            column, row, ring = ring_offsets(n_rings)
            np.add.at(share[0, 0], (ring, row + m, column + m), 1.0)
        else:
            middle = (np.arange(side * steps * _POINTS) + 0.5) / _POINTS * step_m
            cell = np.arange(side * steps * _POINTS) // (steps * _POINTS)
            width = ring_edges_m[1] - ring_edges_m[0]
            for r, c in np.ndindex(steps, steps):
                y, x = (middle - (m * steps + place + 0.5) * step_m for place in (r, c))
                ring = np.floor(np.hypot(y[:, None], x[None, :]) / width).astype(np.int64)
                key = (np.minimum(ring, n_rings) * side + cell[:, None]) * side + cell[None, :]
                points = np.bincount(key.ravel(), minlength=(n_rings + 1) * side * side)
                share[r, c] = points.reshape(n_rings + 1, side, side)[:n_rings]
        total = share.sum(axis=(-1, -2), keepdims=True)
        return cls(np.divide(share, total, out=share, where=total > 0), step_m)


def due(triggered: FloatArray, lag_edges_days: FloatArray, t_days: FloatArray, *, at: int) -> FloatArray:
    """Events that each event is due to trigger on day ``at``, by ring, shape (n, n_rings)."""
    sofar = np.vstack([np.zeros(triggered.shape[1]), np.cumsum(triggered, axis=0)])
    edges = lag_edges_days
    out = np.zeros((len(t_days), triggered.shape[1]))
    for sign, lag in ((1.0, at + 1 - t_days), (-1.0, at - t_days)):
        lag = np.clip(lag, edges[0], edges[-1])
        b = np.clip(np.searchsorted(edges, lag, side="right") - 1, 0, len(edges) - 2)
        part = (lag - edges[b]) / (edges[b + 1] - edges[b])
        out += sign * (sofar[b] + part[:, None] * triggered[b])
    return np.maximum(out, 0.0)


def excited_cells(
    rings: FloatArray, points: Points, *, shares: RingShares, grid: Grid
) -> FloatArray:  # fmt: skip
    """Lay rings around events and add them up by land cell, shape (n_cells,).

    Parameters
    ----------
    rings : ndarray, shape (n, n_rings)
        Events due around each.
    points : Points
        The events.
    shares : RingShares
    grid : Grid
    """
    ny, nx = grid.shape
    steps = len(shares.share)
    column, row = lattice(points, grid=grid, step_m=shares.step_m)
    keys, place = np.unique(row * (nx * steps) + column, return_inverse=True)
    by_place = np.zeros((len(keys), rings.shape[1]))
    np.add.at(by_place, place, rings)
    row, column = keys // (nx * steps), keys % (nx * steps)
    out = np.zeros((ny, nx))
    _lay(by_place, row, column, shares.share, grid.land, out)
    return np.asarray(out[grid.land])


@numba.njit(nogil=True, cache=True)
def _lay(rings: Any, row: Any, column: Any, share: Any, land: Any, out: Any) -> None:
    steps, m = share.shape[0], share.shape[3] // 2
    ny, nx = land.shape
    for k in range(len(row)):
        r0, c0 = row[k] // steps, column[k] // steps
        part = np.zeros(share.shape[3:])
        total = 0.0
        for d in range(rings.shape[1]):
            if rings[k, d] > 0.0:
                total += rings[k, d]
                part += rings[k, d] * share[row[k] % steps, column[k] % steps, d]
        ashore = 0.0
        for r in range(max(0, r0 - m), min(ny, r0 + m + 1)):
            for c in range(max(0, c0 - m), min(nx, c0 + m + 1)):
                if land[r, c]:
                    ashore += part[r - r0 + m, c - c0 + m]
        if ashore > 0.0:
            for r in range(max(0, r0 - m), min(ny, r0 + m + 1)):
                for c in range(max(0, c0 - m), min(nx, c0 + m + 1)):
                    if land[r, c]:
                        out[r, c] += total / ashore * part[r - r0 + m, c - c0 + m]
