r"""The background of the self-exciting process: a kernel density whose width follows the k-th nearest neighbour.

.. math:: \nu(t)\,\mu(x, y)/T, \qquad \mu(x) = \sum_i p_i\, \frac{1}{2\pi D_i^2}\exp\Big(-\frac{|x-x_i|^2}{2D_i^2}\Big)

:math:`p_i` is the chance that event :math:`i` is background and :math:`D_i` the distance to its k-th nearest event,
fixed before the iteration as in Zhuang et al. (2002). :math:`\nu`, of mean 1, is the daily sum of the :math:`p_i`
smoothed over ``trend_days``: Mohler et al. (2011) take the 100th neighbour in time, which is days in their data and
hours in a city's file.

Places are rounded to the lattice of :class:`models.sepp_events.Sites`, so the cost does not grow with the number of
events that share a square; :math:`D_i` is at least 0.4 of its side (:math:`1/\sqrt{2\pi}`: the highest density is then
one over its area). One part in a thousand is spread evenly over the land: nowhere is impossible.

What it cannot tell you: why a place has the level it has. It is the level of the *records* left over once those that
follow others are taken away.

References
----------
.. [1] Zhuang, Ogata & Vere-Jones (2002), "Stochastic declustering of space-time earthquake occurrences", JASA 97(458),
   369-380. doi:10.1198/016214502760046925
.. [2] Mohler et al. (2011), "Self-exciting point process modeling of crime", JASA 106(493), 100-108.
   doi:10.1198/jasa.2011.ap09546
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np
from scipy import ndimage, sparse
from scipy.spatial import cKDTree

from contrechamp.domain.grid import FloatArray, Grid
from models.sepp_events import SeppEvents, Sites

#: Part of the background spread evenly over the land.
EVEN: Final = 1e-3
#: A Gaussian is cut here, in standard deviations, and scaled to keep its mass.
REACH_SD: Final = 3.0
#: A square right at the cut is within it, whatever rounding says.
_TIE: Final = 1.0 + 1e-9
_KEPT: Final = 1.0 - math.exp(-(REACH_SD**2) / 2)


@dataclass(frozen=True, eq=False)
class Background:
    """Kernels between sites, laid out once.

    Attributes
    ----------
    events : SeppEvents
    bandwidth_m : ndarray, shape (n_sites,)
    kernel_per_m2 : sparse matrix, shape (n_sites, n_sites)
        Row: where it is looked at; column: whose kernel.
    area_m2 : float
        Of the land.
    trend_days : float
    """

    events: SeppEvents
    bandwidth_m: FloatArray
    kernel_per_m2: sparse.csc_array
    area_m2: float
    trend_days: float

    @classmethod
    def of(cls, events: SeppEvents, *, grid: Grid, neighbours: int, trend_days: float) -> Background:
        """Measure the bandwidths of ``events`` and lay out their kernels."""
        bandwidth = bandwidths(events.sites, neighbours=neighbours)
        kernel = _kernel(events.sites, bandwidth)
        return cls(events, bandwidth, kernel, grid.n_cells * grid.cell_m**2, trend_days)

    def trend(self, p: FloatArray) -> FloatArray:
        """Level of each day of the window, mean 1, shape (n_days,)."""
        daily = np.bincount(self.events.t_days.astype(np.int64), weights=p, minlength=int(self.events.duration_days))
        level = ndimage.gaussian_filter1d(daily, self.trend_days, mode="reflect")
        return np.asarray(level / level.mean()) if daily.any() else np.ones(len(daily))

    def density(self, p: FloatArray) -> FloatArray:
        """Background at each event, per day and square metre, from the chance ``p`` that each is background.

        Parameters
        ----------
        p : ndarray, shape (n,)
            Weight included.

        Notes
        -----
        What an event adds to the density at its own place is left out: with it, an event with no other near would
        explain itself.
        """
        e, total = self.events, float(p.sum())
        by_site = np.bincount(e.site, weights=p, minlength=len(e.sites))
        own = p / (2 * np.pi * self.bandwidth_m[e.site] ** 2 * _KEPT)
        others = np.maximum((self.kernel_per_m2 @ by_site)[e.site] - own, 0.0)
        level = self.trend(p)[e.t_days.astype(np.int64)]
        return np.asarray(((1 - EVEN) * others + EVEN * total / self.area_m2) * level / e.duration_days)

    def cells(self, p: FloatArray, *, grid: Grid) -> FloatArray:
        """Background of each land cell, sum that of ``p``, shape (n_cells,).

        Notes
        -----
        What a kernel would put at sea is given back to the land cells it reaches, in proportion.
        """
        sites = self.events.sites
        by_site = np.bincount(self.events.site, weights=p, minlength=len(sites))
        steps = round(grid.cell_m / sites.step_m)
        out = np.zeros(grid.shape)
        place = (sites.row + 0.5) / steps, (sites.column + 0.5) / steps
        _spread(by_site, *place, self.bandwidth_m / grid.cell_m, grid.land, out)
        even = EVEN * float(by_site.sum()) / grid.n_cells
        return np.asarray((1 - EVEN) * out[grid.land] + even)


def bandwidths(sites: Sites, *, neighbours: int) -> FloatArray:
    """Distance from each site to its ``neighbours``-th nearest event, itself left out, metres, shape (n_sites,).

    Notes
    -----
    Where there are fewer events, the farthest. Never under 0.4 of the lattice's step.
    """
    out = np.full(len(sites), sites.step_m / math.sqrt(2 * math.pi))
    wanted = min(neighbours, int(sites.n_events.sum()) - 1)
    if len(sites) < 2:
        return out
    place = np.column_stack([sites.column, sites.row]).astype(np.float64)
    tree, pending, k = cKDTree(place), np.arange(len(sites)), min(16, len(sites))
    while len(pending):  # events share sites: few sites often hold all the neighbours wanted
        steps, near = tree.query(place[pending], k=k)
        reached = np.cumsum(sites.n_events[near], axis=1) - 1
        done = reached[:, -1] >= wanted
        at = (reached < wanted).sum(axis=1)[done]
        out[pending[done]] = np.maximum(out[0], steps[np.flatnonzero(done), at] * sites.step_m)
        pending, k = pending[~done], min(4 * k, len(sites))
    return out


@numba.njit(nogil=True, cache=True)
def _spread(mass: Any, row: Any, column: Any, sd: Any, land: Any, out: Any) -> None:
    """Add to ``out`` the part of each Gaussian in each land cell; places and widths in cells."""
    ny, nx = land.shape
    root = math.sqrt(2.0)
    for s in range(len(mass)):
        if mass[s] <= 0.0:
            continue
        reach = REACH_SD * sd[s]
        r0, r1 = max(0, math.floor(row[s] - reach)), min(ny, math.ceil(row[s] + reach))
        c0, c1 = max(0, math.floor(column[s] - reach)), min(nx, math.ceil(column[s] + reach))
        up, across = np.empty(r1 - r0), np.empty(c1 - c0)
        for r in range(r0, r1):
            up[r - r0] = math.erf((r + 1 - row[s]) / sd[s] / root) - math.erf((r - row[s]) / sd[s] / root)
        for c in range(c0, c1):
            across[c - c0] = math.erf((c + 1 - column[s]) / sd[s] / root) - math.erf((c - column[s]) / sd[s] / root)
        ashore = 0.0  # above 0: the middle of a site is on land
        for r in range(r0, r1):
            for c in range(c0, c1):
                if land[r, c]:
                    ashore += up[r - r0] * across[c - c0]
        for r in range(r0, r1):
            for c in range(c0, c1):
                if land[r, c]:
                    out[r, c] += mass[s] / ashore * up[r - r0] * across[c - c0]


def _kernel(sites: Sites, bandwidth_m: FloatArray) -> sparse.csc_array:
    column, row = sites.column - sites.column.min(), sites.row - sites.row.min()
    raster = np.full((int(row.max()) + 1, int(column.max()) + 1), -1, dtype=np.int32)
    raster[row, column] = np.arange(len(sites))
    sd = bandwidth_m / sites.step_m
    start = np.concatenate([[0], np.cumsum(_reached(raster, column, row, sd))])
    index, value = _gaussians(raster, column, row, sd, start, sites.step_m**2)
    return sparse.csc_array((value, index, start), shape=(len(sites), len(sites)))


@numba.njit(nogil=True, cache=True)
def _reached(raster: Any, column: Any, row: Any, sd: Any) -> Any:
    """Sites within reach of each; ``sd`` in steps."""
    out = np.zeros(len(column), dtype=np.int64)
    for s in range(len(column)):
        far = (REACH_SD * sd[s]) ** 2 * _TIE
        m = int(np.sqrt(far))
        for r in range(max(0, row[s] - m), min(raster.shape[0], row[s] + m + 1)):
            half = int(np.sqrt(far - (r - row[s]) ** 2))
            for c in range(max(0, column[s] - half), min(raster.shape[1], column[s] + half + 1)):
                out[s] += raster[r, c] >= 0
    return out


@numba.njit(nogil=True, cache=True)
def _gaussians(raster: Any, column: Any, row: Any, sd: Any, start: Any, square_m2: float) -> Any:
    """Site and density, per square metre, of each pair counted by ``_reached``."""
    index, value = np.empty(start[-1], dtype=np.int32), np.empty(start[-1])
    for s in range(len(column)):
        at, far = start[s], (REACH_SD * sd[s]) ** 2 * _TIE
        m = int(np.sqrt(far))
        bell = np.exp(-0.5 * (np.arange(m + 1) / sd[s]) ** 2)
        peak = 1.0 / (2 * np.pi * sd[s] ** 2 * _KEPT * square_m2)
        for r in range(max(0, row[s] - m), min(raster.shape[0], row[s] + m + 1)):
            half, up = int(np.sqrt(far - (r - row[s]) ** 2)), peak * bell[abs(r - row[s])]
            for c in range(max(0, column[s] - half), min(raster.shape[1], column[s] + half + 1)):
                if raster[r, c] >= 0:
                    index[at] = raster[r, c]
                    value[at] = up * bell[abs(c - column[s])]
                    at += 1
    return index, value
