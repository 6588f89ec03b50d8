r"""The triggering kernel of the self-exciting process, learned without a formula: a smoothed table by lag and distance.

.. math:: g(t, r) = \theta\, h(t, r), \qquad \int_0^{T_c}\!\!\int_0^{R} h(t, r)\, 2\pi r\, dr\, dt = 1

where :math:`h` is constant in each bin of lag (short ones first: equal steps of :math:`\sqrt t`) and ring of distance.
What is smoothed is the mass of each bin, by a Gaussian whose width, as in Mohler et al. (2011), is set by a nearest
neighbour: it is narrow where pairs are many. They take the :math:`k`-th neighbour among the sampled pairs in the three
dimensions (lag, east, north); here, from :math:`M` triggered events, lag takes :math:`(k/M)^{1/3}` of them and
distance, which stands for two dimensions, :math:`(k/M)^{2/3}`: the box holds :math:`k`. Lags are smoothed in days and
distances in area (:math:`\pi r^2`), where a flat density is a flat mass, both reflected at 0. The cost is that of the
table, whatever the number of pairs.

At the end of the window an event's later offspring are not seen yet: the mass of a bin is divided by the share of the
events whose offspring at that lag would have been.

What it cannot tell you: a direction. Bins are rings, so repetition along a street looks like repetition all round.

References
----------
.. [1] Mohler, Short, Brantingham, Schoenberg & Tita (2011), "Self-exciting point process modeling of crime", JASA
   106(493), 100-108. doi:10.1198/jasa.2011.ap09546
.. [2] Marsan & Lengliné (2008), "Extending earthquakes' reach through cascading", Science 319(5866), 1076-1079.
   doi:10.1126/science.1148783 (the same table, without smoothing)
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.special import ndtr

from contrechamp.domain.grid import FloatArray, IntArray
from models.sepp_events import SeppEvents

#: Bins of lag where instants are known. With 30 days the first ends after 27 minutes, the last is 36 hours wide.
N_LAGS: Final = 40
#: Radius of the first ring over the resolution: the disc has the area of the square told apart.
_RING: Final = 1.0 / math.sqrt(math.pi)


@dataclass(frozen=True, eq=False)
class Bins:
    """Bins of lag and of distance.

    Attributes
    ----------
    lag_edges_days : ndarray, shape (n_lags + 1,)
    ring_edges_m : ndarray, shape (n_rings + 1,)
        Equally spaced.
    ring_area_m2 : ndarray, shape (n_rings,)
        Of the ring; where events sit in the middle of their cell, of the cells whose middle is in it.
    whole_days : bool
    """

    lag_edges_days: FloatArray
    ring_edges_m: FloatArray
    ring_area_m2: FloatArray
    whole_days: bool

    @classmethod
    def of(cls, events: SeppEvents, *, cutoff_days: float, cutoff_m: float) -> Bins:
        """Bins that fit the resolution of ``events`` and reach at least the cut-offs."""
        if events.whole_days:
            lags = np.arange(math.ceil(cutoff_days) + 1) + 0.5
        else:
            lags = cutoff_days * (np.arange(N_LAGS + 1) / N_LAGS) ** 2
        rho = events.sites.step_m
        rings = math.ceil(cutoff_m / (rho * _RING))
        edges = rho * _RING * np.arange(rings + 1)
        if events.centred:
            area = np.asarray(np.bincount(ring_offsets(rings)[2], minlength=rings) * rho**2)
        else:
            area = np.asarray(np.pi * np.diff(edges**2))
        lags, edges, area = (np.asarray(v, dtype=np.float64) for v in (lags, edges, area))
        return cls(lags, edges, area, events.whole_days)

    @property
    def reach_days(self) -> float:
        """Lag from which nothing is triggered."""
        return float(self.lag_edges_days[-1])

    @property
    def reach_m(self) -> float:
        """Distance from which nothing is triggered."""
        return float(self.ring_edges_m[-1])

    @property
    def volume(self) -> FloatArray:
        """Days × square metres of each bin, shape (n_lags, n_rings)."""
        return np.outer(np.diff(self.lag_edges_days), self.ring_area_m2)

    def density(self, mass: FloatArray) -> FloatArray:
        """Mass of each bin over its volume; 0 in a ring that holds the middle of no cell."""
        volume = self.volume
        return np.divide(mass, volume, out=np.zeros_like(mass), where=volume > 0)

    def exposure(self, events: SeppEvents) -> FloatArray:
        """Share of the events whose offspring of each bin of lag fall within the window, shape (n_lags,)."""
        rest = np.sort(events.duration_days - events.t_days)
        by_rest = events.weight[np.argsort(events.duration_days - events.t_days, kind="stable")]
        # Integral of the share still seen at lag s: each event adds min(rest, s).
        count, area = np.append(0.0, np.cumsum(by_rest)), np.append(0.0, np.cumsum(by_rest * rest))
        at = np.searchsorted(rest, self.lag_edges_days)
        seen = area[at] + self.lag_edges_days * (count[-1] - count[at])
        return np.asarray(np.diff(seen) / np.diff(self.lag_edges_days) / count[-1])

    def start(self) -> FloatArray:
        """Mass from which the iteration starts: exponential in lag, Gaussian in distance, a quarter of the reach."""
        lag, ring = (self.lag_edges_days[1:] + self.lag_edges_days[:-1]) / 2, self.ring_edges_m[1:]
        shape = np.outer(np.exp(-4 * lag / self.reach_days), np.exp(-8 * (ring / self.reach_m) ** 2)) * self.volume
        return np.asarray(shape / shape.sum())

    def smoothed(self, mass: FloatArray, *, neighbours: float) -> FloatArray:
        """Spread the mass of each bin, sum unchanged; not at all where ``neighbours`` is 0."""
        total = float(mass.sum())
        if total <= 0 or neighbours <= 0:
            return mass
        share = min(1.0, neighbours / total)
        area = np.append(0.0, np.cumsum(self.ring_area_m2))
        over_lags = _spreading(self.lag_edges_days, mass.sum(axis=1), share ** (1 / 3))
        over_rings = _spreading(area, mass.sum(axis=0), share ** (2 / 3))
        return np.asarray(over_lags @ mass @ over_rings.T)


def ring_offsets(n_rings: int) -> tuple[IntArray, IntArray, IntArray]:
    """Cells whose middle lies in a ring around the middle of another: columns and rows apart, and the ring of each."""
    m = math.ceil(n_rings * _RING)
    row, column = (axis.ravel().astype(np.int64) for axis in np.mgrid[-m : m + 1, -m : m + 1])
    ring = np.floor(np.hypot(column, row) / _RING).astype(np.int64)
    return column[ring < n_rings], row[ring < n_rings], ring[ring < n_rings]


def _spreading(edges: FloatArray, mass: FloatArray, share: float) -> FloatArray:
    """What part of the mass of a bin (column) goes to each (row): a Gaussian as wide as holds ``share`` of all mass.

    Reflected at the first edge, cut at the last and scaled to sum to 1; never narrower than half the bin.
    """
    centre, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    reached = np.append(0.0, np.cumsum(mass)) / mass.sum()
    place = (reached[1:] + reached[:-1]) / 2
    low, high = (np.interp(np.clip(place + s * share / 2, 0.0, 1.0), reached, edges) for s in (-1, 1))
    width = np.maximum((high - low) / 2, half)
    width[width == 0] = 1.0  # a bin of no extent, which holds nothing
    start = edges[0]
    up = ndtr((edges[:, None] - centre) / width)
    down = ndtr((2 * start - edges[:, None] - centre) / width)
    part = np.diff(up, axis=0) - np.diff(down, axis=0)
    return np.asarray(part / part.sum(axis=0))
