"""Where people go, wait and gather, and buildings that stand empty: eleven kinds of places.

Every place is at an address of the city. How many bars, schools and stations a quarter has is the city's; how many
places of each other kind there are is the scenario's.

What it cannot tell you: where any real place is, or what goes on inside. A place is a point with a number of persons
it holds; it has no opening hours, no owner and no reputation.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.spatial import cKDTree

from contrechamp.domain.columns import CELL
from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import Grid
from synthetic_data.city import City, standard
from synthetic_data.scenario import Scenario

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Kinds of places, in the order of their identifiers.
PLACE_KINDS: Final = (
    "bar", "school", "station", "market", "stadium", "hospital", "vacant", "park", "police_station", "fire_station",
    "town_hall",
)  # fmt: skip

# Persons a place holds at once: median and spread of the log. All assumptions.
_CAPACITY: Final[Mapping[str, tuple[float, float]]] = {
    "bar": (60, 0.5), "school": (260, 0.4), "station": (400, 0.6), "market": (600, 0.5), "stadium": (60_000, 0.05),
    "hospital": (600, 0.5), "vacant": (12, 0.7), "park": (400, 1.0), "police_station": (60, 0.4),
    "fire_station": (50, 0.3), "town_hall": (300, 0.3),
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Places:
    """Places of a city.

    Attributes
    ----------
    frame : DataFrame
        One row per place: place_id, kind, x_m, y_m, cell, quarter (row of the quarters), capacity (persons).
    grid : Grid
        Grid of the cells.
    """

    frame: pd.DataFrame
    grid: Grid

    def of(self, kind: str) -> pd.DataFrame:
        """Places of one kind, under their rows of ``frame``.

        Raises
        ------
        ParameterError
            If there is no such kind.
        """
        if kind not in PLACE_KINDS:
            raise bad_parameter(name="kind", where="Places.of", must=f"one of {', '.join(PLACE_KINDS)}", got=kind)
        return self.frame.iloc[self._rows[kind]]

    def layer(self, kind: str, *, bandwidth_m: float = 200.0) -> FloatArray:
        """Places of one kind spread over the land cells by a Gaussian kernel cut at three bandwidths.

        Returns
        -------
        ndarray, shape (n_cells,)
            Sums to the number of places of that kind: what would fall into the sea stays on land.

        Raises
        ------
        ParameterError
            If there is no such kind, or the bandwidth is not positive.
        """
        if not bandwidth_m > 0:
            raise bad_parameter(name="bandwidth_m", where="Places.layer", must="a length in (0, inf) metres",
                                got=bandwidth_m)  # fmt: skip
        places = self.of(kind)
        x, y, own = places["x_m"].to_numpy(), places["y_m"].to_numpy(), places[CELL].to_numpy()
        reach = int(np.ceil(3 * bandwidth_m / self.grid.cell_m + 0.5))
        step = np.arange(-reach, reach + 1) * self.grid.cell_m
        shape = (len(x), len(step), len(step))
        cell = self.grid.cell_of(
            np.broadcast_to(x[:, None, None] + step, shape), np.broadcast_to(y[:, None, None] + step[:, None], shape)
        )
        gap = np.hypot(*(self.grid.centres_m[cell] - np.column_stack([x, y])[:, None, None]).transpose(3, 0, 1, 2))
        mass = np.where((cell >= 0) & (gap <= 3 * bandwidth_m), np.exp(-((gap / bandwidth_m) ** 2) / 2), 0.0)
        total = mass.sum(axis=(1, 2))
        out = np.bincount(own[total == 0], minlength=self.grid.n_cells).astype(np.float64)
        mass, cell = mass[total > 0] / total[total > 0, None, None], cell[total > 0]
        out += np.bincount(cell[mass > 0], mass[mass > 0], minlength=self.grid.n_cells)
        return out

    @cached_property
    def _rows(self) -> dict[str, IntArray]:
        kind = self.frame["kind"].to_numpy()
        return {k: np.flatnonzero(kind == k) for k in PLACE_KINDS}


def draw_places(scenario: Scenario, city: City, *, rng: np.random.Generator) -> Places:
    """Draw every place of the city, in order of kind, then of quarter.

    Notes
    -----
    Bars of a quarter gather in a few streets. Schools, stations, hospitals and stations of police and fire are spread
    over the residents they serve; markets and town halls stand where it is dense; parks where it is not; the stadium
    half-way out. Buildings stand empty where it is dense and poor. A quarter without any address has its places at the
    address nearest to its middle.
    """
    plan, quarters = scenario.places, city.quarters
    density = np.repeat(city.cell_density, city.sites_per_cell)
    residents = np.repeat(city.cell_population, city.sites_per_cell)
    z = standard(quarters["poverty"].to_numpy())[city.site_quarter]
    xy = np.column_stack([city.site_x_m, city.site_y_m])
    away = np.hypot(*(xy - city.centre_m).T)
    ring = np.quantile(away, 0.25)
    serve = _along_a_curve(xy)
    sites = {
        "bar": _bars(city, quarters["bars"].to_numpy(), xy, density, street_m=plan.bar_street_m, rng=rng),
        "school": _per_quarter(city, quarters["schools"].to_numpy(), residents, serve, rng=rng),
        "station": _per_quarter(city, quarters["stations"].to_numpy(), density, serve, rng=rng),
        "market": _evenly(plan.n_markets, density**1.2, serve, rng=rng),
        "stadium": _evenly(plan.n_stadiums, np.exp(-((away / ring - 1) ** 2) / 0.02), serve, rng=rng),
        "hospital": _evenly(plan.n_hospitals, residents, serve, rng=rng),
        "vacant": rng.choice(
            len(xy), size=plan.n_vacant, p=_law(density * np.exp(scenario.people.vacancy_gradient * z))
        ),
        "park": _evenly(plan.n_parks, density**0.3, serve, rng=rng),
        "police_station": _evenly(plan.n_police_stations, density, serve, rng=rng),
        "fire_station": _evenly(plan.n_fire_stations, residents**0.7, serve, rng=rng),
        "town_hall": _evenly(plan.n_town_halls, density**0.8, serve, rng=rng),
    }
    kind = np.repeat(np.arange(len(PLACE_KINDS)), [len(sites[k]) for k in PLACE_KINDS])
    site = np.concatenate([np.sort(sites[k]) if k not in _OF_QUARTERS else sites[k] for k in PLACE_KINDS])
    quarter = city.site_quarter[site]
    for k, column in _OF_QUARTERS.items():
        quarter[kind == PLACE_KINDS.index(k)] = np.repeat(np.arange(len(quarters)), quarters[column])
    median = np.array([_CAPACITY[k][0] for k in PLACE_KINDS])[kind]
    log_sd = np.array([_CAPACITY[k][1] for k in PLACE_KINDS])[kind]
    capacity = np.maximum(np.rint(median * np.exp(log_sd * rng.standard_normal(len(kind)))), 1).astype(np.int64)
    frame = pd.DataFrame(
        {
            "place_id": _identifiers(len(kind), rng=rng.spawn(1)[0]),
            "kind": pd.Series([PLACE_KINDS[k] for k in kind.tolist()], dtype="str"),
            "x_m": city.site_x_m[site],
            "y_m": city.site_y_m[site],
            CELL: site // city.sites_per_cell,
            "quarter": quarter,
            "capacity": capacity,
        }
    )
    return Places(frame, city.grid)


#: Kinds counted by quarter in the city, and the column that counts them.
_OF_QUARTERS: Final[Mapping[str, str]] = {"bar": "bars", "school": "schools", "station": "stations"}


def _identifiers(n: int, *, rng: np.random.Generator) -> pd.Series[str]:
    """Draw ``n`` different identifiers in no order: what is missing from a list of places does not show in it."""
    digits = max(6, len(str(10 * n)))
    numbers = rng.choice(10**digits, size=n, replace=False, shuffle=True)
    return pd.Series([f"P{i:0{digits}d}" for i in numbers.tolist()], dtype="str")


def _law(weight: FloatArray) -> FloatArray:
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def _along_a_curve(xy_m: FloatArray, *, levels: int = 10) -> IntArray:
    """Order of points along a Hilbert curve: near on the curve is near on the ground."""
    low, size = xy_m.min(axis=0), max(float(np.ptp(xy_m, axis=0).max()), 1.0)
    side = 1 << levels
    x, y = np.minimum((xy_m - low) / size * side, side - 1).astype(np.int64).T
    place = np.zeros(len(x), dtype=np.int64)
    s = side >> 1
    while s:
        right, up = (x & s) > 0, (y & s) > 0
        place += s * s * ((3 * right) ^ up)
        turn = ~up
        flip = turn & right
        x, y = np.where(flip, side - 1 - x, x), np.where(flip, side - 1 - y, y)
        x, y = np.where(turn, y, x), np.where(turn, x, y)
        s >>= 1
    return np.asarray(np.argsort(place, kind="stable"), dtype=np.int64)


def _evenly(n: int, weight: FloatArray, order: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Draw ``n`` addresses by systematic sampling along ``order``: in proportion to weight, and spread out."""
    if n == 0:
        return np.empty(0, dtype=np.int64)
    fill = np.cumsum(weight[order])
    at = np.searchsorted(fill, (np.arange(n) + rng.random(n)) / n * fill[-1])
    chosen: IntArray = order[np.minimum(at, len(order) - 1)]
    return chosen


def _per_quarter(
    city: City, counts: IntArray, weight: FloatArray, order: IntArray, *, rng: np.random.Generator
) -> IntArray:
    """Draw ``counts[q]`` addresses in each quarter q by :func:`_evenly`."""
    held = order[np.argsort(city.site_quarter[order], kind="stable")]
    start = np.searchsorted(city.site_quarter[held], np.arange(len(counts) + 1))
    out = [
        np.full(n, _stand_in(city, q)) if n and start[q] == start[q + 1]
        else _evenly(int(n), weight, held[start[q] : start[q + 1]], rng=rng)
        for q, n in enumerate(counts.tolist())
    ]  # fmt: skip
    return np.concatenate(out).astype(np.int64)


def _bars(
    city: City, counts: IntArray, xy_m: FloatArray, density: FloatArray, *, street_m: float, rng: np.random.Generator
) -> IntArray:
    """Draw bars: each quarter has a street of bars per dozen of them, and a few bars elsewhere."""
    by_quarter = np.argsort(city.site_quarter, kind="stable")
    start = np.searchsorted(city.site_quarter[by_quarter], np.arange(len(counts) + 1))
    out: list[IntArray] = []
    for q, n in enumerate(counts.tolist()):
        own = by_quarter[start[q] : start[q + 1]]
        if n == 0 or len(own) == 0:
            out.append(np.full(n, _stand_in(city, q) if n else 0))
            continue
        streets = own[rng.choice(len(own), size=1 + n // 12, p=_law(density[own]))]
        gap = cKDTree(xy_m[streets]).query(xy_m[own])[0]
        pull = np.exp(-((gap / street_m) ** 2) / 2) + 0.02
        out.append(own[rng.choice(len(own), size=n, p=_law(pull * density[own]))])
    return np.concatenate(out).astype(np.int64)


def _stand_in(city: City, quarter: int) -> int:
    """Address nearest to the middle of a quarter that has none."""
    x, y = shapely.get_coordinates(shapely.point_on_surface(city.quarters.geometry.iloc[quarter]))[0]
    return int(np.argmin(np.hypot(city.site_x_m - x, city.site_y_m - y)))
