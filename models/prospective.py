r"""Prospective hot-spot map (ProMap): recent records weigh more, near ones weigh more, and the two are multiplied.

The grid form of Bowers, Johnson and Pease: a record :math:`d` cells and :math:`w` whole weeks away adds
:math:`\frac{1}{1+d}\cdot\frac{1}{1+w}`, up to a bandwidth in each. It is the near-repeat idea with the weights decided
beforehand; :mod:`models.near_repeat` estimates them instead, and :mod:`models.prospective_continuous` draws the same
surface from exact places.

What it cannot tell you: the weights come from no data. Whether a record is followed by another nearby is a finding of
some cities for some offences (:func:`models.near_repeat.knox_table` looks for it); the map assumes it everywhere. Where
patrols return to where they recorded, it is their own footprint that it takes for contagion.

Notes
-----
Distance between cells is the largest of the two differences of row and column, so that the eight neighbours are all one
cell away. The age of a record is counted in whole weeks from the start of the day predicted: the seven days before
it are week 0. A record is taken as weight 1 shared out over the cells it reaches, what falls in the sea given back to
the land (:mod:`models.spread`), and the map is scaled to the mean daily count of the window.

References
----------
.. [1] Bowers, Johnson & Pease (2004), "Prospective hot-spotting", British Journal of Criminology 44(5), 641-658,
   doi:10.1093/bjc/azh036.
.. [2] Johnson, Bowers, Birks & Pease (2009), "Predictive mapping of crime by ProMap", in Putting Crime in its Place,
   171-198, doi:10.1007/978-0-387-09688-9_8.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

import numpy as np

from contrechamp.domain.grid import FloatArray, Grid
from models.base import WINDOW_DAYS, BasePredictor, Domain, Seen
from models.spread import Spreader

_WEEK = 7


class Prospective(BasePredictor):
    """Records of the last weeks, weighted by nearness in space times nearness in time.

    Parameters
    ----------
    bandwidth_m : float, default=400.0
        Reach, rounded up to whole cells: a record adds nothing from there on.
    window_days : int, default=56
        Days of history used: eight weeks, the two months of the original. All the days available where there are fewer.

    Notes
    -----
    The reach is the original's: 400 m, eight cells of 50 m. On larger cells it is fewer of them, never fewer than one;
    eight cells of 250 m would blur over 2 km, and lose to anything.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "bandwidth_m": Domain(0.0, 20_000.0, "a length in (0, 20000] metres"),
        "window_days": WINDOW_DAYS,
    }

    def __init__(self, bandwidth_m: float = 400.0, window_days: int = 56) -> None:
        self.bandwidth_m = bandwidth_m
        self.window_days = window_days

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        used = min(int(self.window_days), seen.n_days)
        if used == 0:
            return np.zeros(seen.grid.n_cells), 0
        window = seen.events.counts[-used:]
        weeks = (at - 1 - np.arange(seen.n_days - used, seen.n_days)) // _WEEK
        recent = np.zeros(seen.grid.n_cells)
        for week in np.unique(weeks):
            recent += window[weeks == week].sum(axis=0, dtype=np.float64) / (1.0 + week)
        surface = _spreader(seen.grid, reach_cells(float(self.bandwidth_m), cell_m=seen.grid.cell_m))(recent)
        total = float(surface.sum())
        return surface * (float(window.sum(dtype=np.float64)) / used / total if total > 0 else 0.0), used


def reach_cells(bandwidth_m: float, *, cell_m: float) -> int:
    """Cells at which a record adds nothing any more: the reach, rounded up.

    Examples
    --------
    >>> [reach_cells(400.0, cell_m=c) for c in (50.0, 150.0, 250.0, 1000.0)]
    [8, 3, 2, 1]
    """
    return max(1, int(np.ceil(bandwidth_m / cell_m - 1e-9)))


def cell_distance_weights(bandwidth_cells: int) -> FloatArray:
    """Weight ``1 / (1 + d)`` of the cells closer than the bandwidth, shape (2 b - 1, 2 b - 1), the centre amid them.

    Examples
    --------
    >>> cell_distance_weights(2).tolist()
    [[0.5, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 0.5]]
    """
    away = np.abs(np.arange(1 - bandwidth_cells, bandwidth_cells))
    return 1.0 / (1.0 + np.maximum(away[:, None], away[None, :]))


@lru_cache(maxsize=8)
def _spreader(grid: Grid, bandwidth_cells: int) -> Spreader:
    return Spreader(grid, cell_distance_weights(bandwidth_cells))
