"""Massilia: quarters and districts, who lives there, what is there, and the addresses where things happen.

The two groups are called A and B and stand for nobody. How strongly they live apart, and how strongly B goes with
poverty, are parameters of the scenario.

What it cannot tell you: nothing about Marseille. Only totals (area, residents, numbers of quarters) are anchored.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely
from scipy.cluster.vq import kmeans2
from scipy.sparse.csgraph import connected_components

from contrechamp.domain.columns import CRS_M, DISTRICT_ID, QUARTER_ID
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from synthetic_data import geography
from synthetic_data.names import draw_quarter_names
from synthetic_data.scenario import CityPlan
from synthetic_data.zones import Zones

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class City:
    """A drawn city.

    Attributes
    ----------
    quarters : GeoDataFrame
        One row per quarter, EPSG:2154: quarter_id, name, district_id, population, share_a, share_b, poverty, lighting,
        bars, schools, stations, geometry.
    land : Polygon or MultiPolygon
        Union of the quarters.
    grid : Grid
        Cells whose centre is on land.
    cell_quarter : ndarray of int, shape (n_cells,)
        Row of ``quarters`` in which each cell's centre lies.
    cell_density : ndarray, shape (n_cells,)
        Relative density of building.
    cell_population : ndarray, shape (n_cells,)
        Residents, a real number.
    site_x_m, site_y_m : ndarray, shape (n_cells * sites_per_cell,)
        Addresses on land, ordered by cell: those of cell c are rows ``c * k … c * k + k - 1``.
    site_quarter : ndarray of int
        Row of ``quarters`` in which each address lies.
    centre_m : (float, float)
        Where the city is densest, patrolled and watched most: the port, or the middle of the zones of a user.
    """

    quarters: gpd.GeoDataFrame
    land: shapely.Polygon | shapely.MultiPolygon
    grid: Grid
    cell_quarter: IntArray
    cell_density: FloatArray
    cell_population: FloatArray
    site_x_m: FloatArray
    site_y_m: FloatArray
    site_quarter: IntArray
    centre_m: tuple[float, float]

    @property
    def sites_per_cell(self) -> int:
        """Number of addresses in each cell."""
        return len(self.site_x_m) // self.grid.n_cells

    @property
    def area_km2(self) -> FloatArray:
        """Area of each quarter."""
        return np.asarray(shapely.area(self.quarters.geometry.to_numpy()) / 1e6, dtype=np.float64)


def draw_city(plan: CityPlan, *, rng: np.random.Generator, zones: Zones | None = None) -> City:
    """Draw the ground, the quarters, their residents and their addresses.

    Parameters
    ----------
    plan : CityPlan
        Section ``city`` of a scenario.
    rng : numpy.random.Generator
        Source of chance.
    zones : Zones, optional
        Quarters to draw everything else on, in their order, for a plan fitted to them
        (:func:`synthetic_data.zones.fit`). Drawn when not given.
    """
    if zones is None:
        centre, relief = geography.PORT_M, None
        land = geography.draw_land(area_km2=plan.area_km2, rng=rng)
        centres = geography.draw_secondary_centres(land, n=9, rng=rng)
        seeds = geography.draw_seeds(land, n=plan.n_quarters, centres_m=centres, rng=rng)
        shapes = geography.partition(land, seeds_m=seeds, rng=rng)
        district = _districts(shapes, n=plan.n_districts, centre_m=centre, rng=rng)
        away = np.hypot(*(shapely.get_coordinates(shapely.centroid(shapes)) - centre).T)
        order = np.lexsort((away, district))
        shapes, district = [shapes[i] for i in order], district[order]
    else:
        shapes, centre, relief = list(zones.shapes), zones.centre_m, zones.centre_m
        centres = geography.draw_secondary_centres(shapely.union_all(shapes), n=9, centre_m=centre, rng=rng)
        district = _districts(shapes, n=plan.n_districts, centre_m=centre, rng=rng)

    land = shapely.union_all(shapes)
    grid = Grid.over(land, cell_m=plan.cell_m)
    if grid.n_cells == 0:
        raise ParameterError(
            "The `city.cell_m` value of the scenario must leave the middle of one cell on land, at least. Got "
            f"{plan.cell_m:g} m for {land.area / 1e6:.4g} km². Ask for smaller cells."
        )
    cell_quarter = _locate(grid.centres_m, shapes)
    density = geography.urban_density(grid.centres_m, land, centres_m=centres, centre_m=relief)
    density = density**plan.density_contrast
    residents = None
    if zones is not None:
        residents = share_out(plan.population, shapely.area(shapes)) if zones.population is None else zones.population
    quarters = _people_and_places(plan, shapes, cell_quarter, density, residents=residents, rng=rng)
    ids = [f"Q{i + 1:03d}" for i in range(len(shapes))]
    names = draw_quarter_names(len(shapes), rng=rng)
    if zones is not None:
        ids, names = list(zones.ids or ids), list(zones.names or names)
    quarters.insert(0, QUARTER_ID, pd.Series(ids, dtype="str"))
    quarters.insert(1, "name", pd.Series(names, dtype="str"))
    quarters.insert(2, DISTRICT_ID, district + 1)

    site_x, site_y = _sites(grid, land, per_cell=plan.sites_per_cell, rng=rng)
    site_quarter = _locate(np.column_stack([site_x, site_y]), shapes)
    if plan.density_contrast == 0:  # equal to the last resident: in proportion to addresses, which areas only approach
        addresses = np.bincount(site_quarter, minlength=len(shapes)).astype(np.float64)
        quarters["population"] = share_out(plan.population, addresses)
        population = np.full(grid.n_cells, plan.population / grid.n_cells)
    else:
        built = np.bincount(cell_quarter, density, minlength=len(shapes))
        population = quarters["population"].to_numpy()[cell_quarter] * density / built[cell_quarter]
    return City(
        quarters=gpd.GeoDataFrame(quarters, geometry=shapes, crs=CRS_M),
        land=land,
        grid=grid,
        cell_quarter=cell_quarter,
        cell_density=density,
        cell_population=population,
        site_x_m=site_x,
        site_y_m=site_y,
        site_quarter=site_quarter,
        centre_m=centre,
    )


def share_out(total: int, weights: FloatArray) -> IntArray:
    """Split a whole number in proportion to weights by largest remainders; the parts sum to ``total`` exactly.

    Examples
    --------
    >>> share_out(10, np.array([1.0, 1.0, 1.0])).tolist()
    [4, 3, 3]
    """
    exact = total * weights / weights.sum()
    parts: IntArray = np.floor(exact).astype(np.int64)
    first = np.argsort(-(exact - parts), kind="stable")[: total - int(parts.sum())]
    parts[first] += 1
    return parts


def smooth_field(xy_m: FloatArray, *, scale_m: float, rng: np.random.Generator) -> FloatArray:
    """Gaussian field with exponential correlation at a few hundred points at most, standardised; shape (n,)."""
    gap = np.hypot(*(xy_m[:, None, :] - xy_m[None, :, :]).transpose(2, 0, 1))
    root = np.linalg.cholesky(np.exp(-gap / scale_m) + 1e-9 * np.eye(len(xy_m)))
    values = root @ rng.standard_normal(len(xy_m))
    return standard(values)


def standard(values: FloatArray) -> FloatArray:
    """Values in standard deviations from their mean; zeros where they do not differ."""
    spread = values.std()
    return (values - values.mean()) / spread if spread > 0 else np.zeros_like(values)


def _people_and_places(
    plan: CityPlan,
    shapes: list[shapely.Polygon],
    cell_quarter: IntArray,
    density: FloatArray,
    *,
    residents: IntArray | None,
    rng: np.random.Generator,
) -> pd.DataFrame:
    n = len(shapes)
    area_km2 = shapely.area(shapes) / 1e6
    cells = np.bincount(cell_quarter, minlength=n)
    mean_density = np.bincount(cell_quarter, density, minlength=n) / np.maximum(cells, 1)
    mean_density = np.where(cells > 0, mean_density, mean_density[cells > 0].mean())
    scale_m = 0.2 * float(np.sqrt(area_km2.sum() * 1e6))

    uneven = 0.25 * plan.density_contrast
    population = share_out(plan.population, area_km2 * mean_density * np.exp(uneven * rng.standard_normal(n)))
    if residents is not None:
        population = residents
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    z_poverty = smooth_field(middle, scale_m=scale_m, rng=rng)
    own = smooth_field(middle, scale_m=scale_m, rng=rng)
    odds = plan.segregation * (plan.poverty_link * z_poverty + np.sqrt(1 - plan.poverty_link**2) * own)
    # rounded, so that the last bits of a linear-algebra library do not reach the files
    share_b = np.round(shares_with_mean(odds, weights=population, mean=plan.share_b), 6)
    log_density = standard(np.log(mean_density))
    bars = rng.multinomial(plan.n_bars, _p(area_km2 * mean_density**1.5 * np.exp(0.5 * rng.standard_normal(n))))
    schools = rng.multinomial(plan.n_schools, _p(population + 1.0))
    stations = rng.multinomial(plan.n_stations, _p(area_km2**0.5 * mean_density))
    return pd.DataFrame(
        {
            "population": population,
            "share_a": np.round(1.0 - share_b, 6),
            "share_b": share_b,
            "poverty": np.round(1 / (1 + np.exp(1.15 - 0.6 * z_poverty)), 6),
            "lighting": np.round(1 / (1 + np.exp(-(0.6 + 0.9 * log_density + 0.5 * rng.standard_normal(n)))), 6),
            "bars": bars,
            "schools": schools,
            "stations": stations,
        }
    )


def _p(weights: npt.NDArray[Any]) -> FloatArray:
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def shares_with_mean(log_odds: FloatArray, *, weights: npt.NDArray[Any], mean: float) -> FloatArray:
    """Logistic shares whose weighted mean is ``mean``: the intercept is found by bisection."""
    low, high = -40.0, 40.0
    for _ in range(80):
        middle = (low + high) / 2
        share = 1 / (1 + np.exp(-(middle + log_odds)))
        if np.average(share, weights=weights) < mean:
            low = middle
        else:
            high = middle
    return np.asarray(share, dtype=np.float64)


def _districts(
    shapes: list[shapely.Polygon], *, n: int, centre_m: tuple[float, float], rng: np.random.Generator
) -> IntArray:
    """Group quarters into contiguous districts, numbered from 0 by distance from the centre."""
    middle = shapely.get_coordinates(shapely.centroid(shapes))
    n = min(n, len(np.unique(np.round(middle), axis=0)))  # one quarter may lie round another
    if n == 1:
        return np.zeros(len(shapes), dtype=np.int64)
    label = kmeans2(middle, n, minit="++", iter=50, rng=rng)[1].astype(np.int64)
    border = borders(shapes)
    for _ in range(len(shapes)):
        stray = _first_stray(label, border)
        if stray is None:
            break
        near = np.bincount(label, border[stray].sum(axis=0) * (label != label[stray[0]]), minlength=n)
        label[stray] = int(np.argmax(near))
    used = np.unique(label)
    reach = np.array([np.hypot(*(middle[label == d] - centre_m).T).mean() for d in used])
    rank = np.empty(int(used.max()) + 1, dtype=np.int64)
    rank[used[np.argsort(reach)]] = np.arange(len(used))
    return np.asarray(rank[label], dtype=np.int64)


def borders(shapes: list[shapely.Polygon]) -> FloatArray:
    """Length of the border shared by each pair of quarters, shape (n, n); 2 m for the crossing to an island."""
    out = np.zeros((len(shapes), len(shapes)))
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    edges = shapely.boundary(shapes)
    pairs = left < right
    length = shapely.length(shapely.intersection(edges[left[pairs]], edges[right[pairs]]))
    out[left[pairs], right[pairs]] = length
    out = out + out.T
    while True:
        n_parts, part = connected_components(out > 1.0)
        if n_parts == 1:
            return out
        island = np.flatnonzero(part == part[-1])
        others = np.flatnonzero(part != part[-1])
        near, gap = shapely.STRtree([shapes[i] for i in others]).query_nearest(
            [shapes[i] for i in island], return_distance=True
        )
        best = int(np.argmin(gap))
        a, b = island[near[0, best]], others[near[1, best]]
        out[a, b] = out[b, a] = 2.0


def _first_stray(label: IntArray, border: FloatArray) -> IntArray | None:
    """Quarters of a district that are cut off from its largest part; None when every district is in one piece."""
    for d in np.unique(label):
        left = set(np.flatnonzero(label == d).tolist())
        parts: list[list[int]] = []
        while left:
            part, edge = [], [left.pop()]
            while edge:
                q = edge.pop()
                part.append(q)
                near = [p for p in np.flatnonzero(border[q] > 1.0).tolist() if p in left]
                left -= set(near)
                edge += near
            parts.append(sorted(part))
        if len(parts) > 1:
            return np.array(min(parts, key=lambda part: (len(part), part)), dtype=np.int64)
    return None


def _locate(xy_m: FloatArray, shapes: list[shapely.Polygon]) -> IntArray:
    """Index of the quarter that holds each point, of the nearest one for a point on no quarter."""
    out = np.full(len(xy_m), -1, dtype=np.int64)
    for i, shape in enumerate(shapes):
        west, south, east, north = shape.bounds
        near = np.flatnonzero(
            (out < 0) & (xy_m[:, 0] >= west) & (xy_m[:, 0] <= east) & (xy_m[:, 1] >= south) & (xy_m[:, 1] <= north)
        )
        shapely.prepare(shape)
        out[near[shapely.intersects_xy(shape, xy_m[near, 0], xy_m[near, 1])]] = i
    lost = np.flatnonzero(out < 0)
    if len(lost):
        out[lost] = shapely.STRtree(shapes).nearest(shapely.points(xy_m[lost]))
    return out


def _sites(
    grid: Grid, land: shapely.Geometry, *, per_cell: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    """Draw addresses uniformly on the land of each cell, to the decimetre; at the centre where there is hardly any."""
    centre = np.repeat(grid.centres_m, per_cell, axis=0)
    shapely.prepare(land)
    out = centre.copy()
    todo = np.arange(len(centre))
    for _ in range(30):
        tried = np.round(centre[todo] + grid.cell_m * rng.uniform(-0.499, 0.499, (len(todo), 2)), 1)
        good = shapely.contains_xy(land, tried[:, 0], tried[:, 1])
        out[todo[good]] = tried[good]
        todo = todo[~good]
        if not len(todo):
            break
    return out[:, 0].copy(), out[:, 1].copy()
