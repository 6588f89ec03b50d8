"""A city whose law is known: hot spots that last or move, and incidents that call for others near and soon.

Shared by the papers of Mohler et al., whose data are not public: what their models do is shown here on events for which
the share of near repeats and the life of a hot spot are set, and can be set to nothing.

What it cannot tell you: which of these cities resembles Los Angeles or Kent. Every number of the law is an assumption.
There are no streets, hours or types; all that happens is recorded, at its place and on its day.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from contrechamp.domain.grid import FloatArray, Grid, count_cube
from contrechamp.domain.history import EventLog, Points


@dataclass(frozen=True, slots=True)
class City:
    """The law of a square city.

    Attributes
    ----------
    side_m, cell_m : float
        Side of the city and of its cells.
    n_days : int
    per_day : float
        Expected incidents a day, families included, what leaves the city not deducted.
    kappa : float
        Mean number of incidents that one calls for, in [0, 1): the share of all that are near repeats.
    lag_days, near_m : float
        Mean of the exponential lag; standard deviation, along each axis, of the displacement.
    n_spots : int
        Hot spots, their weights as 1, 1/2, 1/3…
    spot_share : float
        Share of what owes nothing to earlier incidents that falls in hot spots; the rest is spread evenly.
    spot_m : float
        Standard deviation of a hot spot.
    spot_life_days : float
        Mean life of a hot spot, after which it reopens elsewhere; 0 for one that stays.
    """

    side_m: float
    cell_m: float
    n_days: int
    per_day: float
    kappa: float
    lag_days: float
    near_m: float
    n_spots: int
    spot_share: float
    spot_m: float
    spot_life_days: float

    @property
    def grid(self) -> Grid:
        """All-land grid of the city."""
        n = round(self.side_m / self.cell_m)
        return Grid(0.0, 0.0, self.cell_m, np.ones((n, n), dtype=np.bool_))


def draw_events(city: City, *, rng: np.random.Generator) -> EventLog:
    """Draw the incidents of a city, in time order; those outside it or after its days are left out.

    Parameters
    ----------
    city : City
    rng : numpy.random.Generator

    Notes
    -----
    Families that began before day 0 are left out: give a predictor a history that is not scored.
    """
    places, families = rng.spawn(2)
    n = places.poisson(city.per_day * (1 - city.kappa) * city.n_days)
    t = places.uniform(0, city.n_days, n)
    xy = places.uniform(0, city.side_m, (n, 2))
    hot = np.flatnonzero(places.random(n) < city.spot_share)
    weight = 1.0 / np.arange(1, city.n_spots + 1)
    spot = places.choice(city.n_spots, len(hot), p=weight / weight.sum())
    xy[hot] = _centres(city, spot, t[hot], rng=places) + places.normal(0, city.spot_m, (len(hot), 2))
    times, where = [t], [xy]
    while len(t):
        litter = families.poisson(city.kappa, len(t))
        t = np.repeat(t, litter)
        t = t + families.exponential(city.lag_days, len(t))
        xy = np.repeat(xy, litter, axis=0)
        xy = xy + families.normal(0, city.near_m, xy.shape)
        times.append(t)
        where.append(xy)
    t, xy = np.concatenate(times), np.concatenate(where)
    return EventLog.from_arrays(
        t_days=t, x_m=xy[:, 0], y_m=xy[:, 1], cell=city.grid.cell_of(xy[:, 0], xy[:, 1]), known_day=np.floor(t),
        grid=city.grid, n_days=city.n_days,
    )  # fmt: skip


def daily_counts(points: Points, city: City) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    """Incidents by day and cell, shape (n_days, n_cells)."""
    return count_cube(points.cell, np.floor(points.t_days), n_cells=city.grid.n_cells, n_days=city.n_days)


def _centres(city: City, spot: np.ndarray, t: FloatArray, *, rng: np.random.Generator) -> FloatArray:
    """Where each hot spot stands at each time, shape (n, 2): it moves at the times of a Poisson process."""
    mean_moves = city.n_days / city.spot_life_days if city.spot_life_days else 0.0
    moves = rng.poisson(mean_moves, city.n_spots)
    centres = rng.uniform(0, city.side_m, (city.n_spots, int(moves.max(initial=0)) + 1, 2))
    out = np.empty((len(spot), 2))
    for one in range(city.n_spots):
        mine = spot == one
        when = np.sort(rng.uniform(0, city.n_days, moves[one]))
        out[mine] = centres[one, np.searchsorted(when, t[mine])]
    return out
