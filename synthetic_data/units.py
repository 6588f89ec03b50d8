"""Statistical units: each quarter cut into pieces of about as many residents, with counts as a census prints them.

A quarter is cut in two along a line that shares its residents, each half again, until the pieces hold about
``people.unit_residents``. The lines lie across the longer way. Pieces of one quarter cover it and do not overlap.

What it cannot tell you: nothing about real units, whose counts carry noise, rounding and years of delay. Here every
count is exact, and agrees with the persons of :mod:`synthetic_data.people`.
"""

from __future__ import annotations

from typing import TypeAlias

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from contrechamp.domain.columns import CRS_M, QUARTER_ID
from synthetic_data.city import City, share_out, shares_with_mean, standard
from synthetic_data.plans.city import PeoplePlan
from synthetic_data.scenario import Scenario

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
Piece: TypeAlias = tuple[IntArray, shapely.Geometry]
#: Units are rows of a frame: see :func:`draw_units`.
Units: TypeAlias = gpd.GeoDataFrame


def draw_units(scenario: Scenario, city: City, *, rng: np.random.Generator) -> Units:
    """Cut the quarters into units and count who lives there.

    Returns
    -------
    GeoDataFrame
        EPSG:2154, one row per unit, by quarter: unit_id, quarter_id, quarter (row of the quarters), population,
        n_0_14, n_15_29, n_30_59, n_60_plus, households, poverty, median_income_eur (a year and consumption unit),
        vacancy_rate (of dwellings), n_b (residents of group B), share_b, geometry. Populations sum to those of the
        quarters; so do the numbers of B, to the nearest person. :func:`unit_of_site` says in which unit each address
        lies.

    Notes
    -----
    A quarter has no more units than addresses; one without any is a unit of its own. A quarter in one piece has units
    in one piece.
    """
    plan, quarters = scenario.people, city.quarters
    weight = np.repeat(city.cell_density, city.sites_per_cell)
    residents, share_b = quarters["population"].to_numpy(), quarters["share_b"].to_numpy()
    shapes, rows, people, in_b = [], [], [], []
    for q, shape in enumerate(quarters.geometry.to_numpy()):
        sites = np.flatnonzero(city.site_quarter == q)
        n = max(1, min(round(int(residents[q]) / plan.unit_residents), len(sites)))
        xy = np.column_stack([city.site_x_m[sites], city.site_y_m[sites]])
        pieces = _cut((np.arange(len(sites)), shape), n, xy_m=xy, weight=weight[sites], rng=rng)
        pieces = _join_loose(pieces, xy_m=xy) if shape.geom_type == "Polygon" else pieces
        held = np.array([weight[sites[own]].sum() for own, _ in pieces])
        there = share_out(int(residents[q]), held if held.sum() > 0 else np.ones(len(pieces)))
        odds = plan.unit_segregation * scenario.city.segregation * rng.standard_normal(len(pieces))
        shapes += [piece for _, piece in pieces]
        rows += [q] * len(pieces)
        people.append(there)
        in_b.append(_share_out_b(there, share=float(share_b[q]), log_odds=odds))
    quarter, population, n_b = np.array(rows, dtype=np.int64), np.concatenate(people), np.concatenate(in_b)
    frame = pd.DataFrame(
        {
            "unit_id": _unit_ids(quarter, quarters[QUARTER_ID].tolist()),
            QUARTER_ID: pd.Series(quarters[QUARTER_ID].to_numpy()[quarter], dtype="str"),
            "quarter": quarter,
            "population": population,
            **_census(plan, city, quarter, population, rng=rng),
            "n_b": n_b,
            "share_b": np.round(n_b / np.maximum(population, 1), 6),
        }
    )
    return gpd.GeoDataFrame(frame, geometry=shapes, crs=CRS_M)


def unit_of_site(city: City, units: Units) -> IntArray:
    """Row of ``units`` in which each address lies, among the units of its quarter; shape (n_sites,)."""
    out = np.full(len(city.site_x_m), -1, dtype=np.int64)
    quarter, shapes = units["quarter"].to_numpy(), units.geometry.to_numpy()
    first = np.searchsorted(quarter, np.arange(len(city.quarters) + 1))
    by_quarter = np.argsort(city.site_quarter, kind="stable")
    start = np.searchsorted(city.site_quarter[by_quarter], np.arange(len(city.quarters) + 1))
    for q in range(len(city.quarters)):
        sites = by_quarter[start[q] : start[q + 1]]
        points = shapely.points(city.site_x_m[sites], city.site_y_m[sites])
        out[sites] = first[q] + _piece_of(points, shapes[first[q] : first[q + 1]])
    return out


def _piece_of(points: npt.NDArray[np.object_], pieces: npt.NDArray[np.object_]) -> IntArray:
    """Index of the piece that holds each point; of the nearest one for a point on none."""
    if len(pieces) == 1 or len(points) == 0:
        return np.zeros(len(points), dtype=np.int64)
    out = np.full(len(points), -1, dtype=np.int64)
    tree = shapely.STRtree(pieces)
    at, piece = tree.query(points, predicate="intersects")
    out[at[::-1]] = piece[::-1]
    lost = np.flatnonzero(out < 0)
    if len(lost):
        out[lost] = tree.nearest(points[lost])
    return out


def _cut(piece: Piece, n: int, *, xy_m: FloatArray, weight: FloatArray, rng: np.random.Generator) -> list[Piece]:
    """Cut a piece (its addresses, its shape) into ``n`` that weigh about the same."""
    own, shape = piece
    if n == 1:
        return [piece]
    gap = xy_m[own] - np.average(xy_m[own], axis=0, weights=weight[own])
    spread = (gap * weight[own, None]).T @ gap
    angle = 0.5 * np.arctan2(2 * spread[0, 1], spread[0, 0] - spread[1, 1]) + rng.normal(0.0, 0.25)
    along = np.array([np.cos(angle), np.sin(angle)])
    reach = xy_m[own] @ along
    order = np.argsort(reach, kind="stable")
    low = n // 2
    # as many addresses on each side as there are units to make of it, at least
    k = int(np.searchsorted(np.cumsum(weight[own][order]), weight[own].sum() * low / n))
    k = min(max(k, low), len(own) - (n - low))
    at = float(reach[order[k - 1]] + reach[order[k]]) / 2
    half = _half_plane(shape, along, at)
    here, there = _polygons(shapely.intersection(shape, half)), _polygons(shapely.difference(shape, half))
    if here.area < 1.0 or there.area < 1.0:
        return [piece]
    left = _cut((np.sort(own[order[:k]]), here), low, xy_m=xy_m, weight=weight, rng=rng)
    return left + _cut((np.sort(own[order[k:]]), there), n - low, xy_m=xy_m, weight=weight, rng=rng)


def _polygons(shape: shapely.Geometry) -> shapely.Geometry:
    """The same without the points and lines along which it only touches."""
    parts = shapely.get_parts(shape)
    whole = [part for part in parts if part.geom_type == "Polygon"]
    return shape if len(whole) == len(parts) else shapely.multipolygons(whole)


def _half_plane(shape: shapely.Geometry, along: FloatArray, at: float) -> shapely.Polygon:
    """The part of the plane with ``x · along <= at``, as far as the shape reaches."""
    west, south, east, north = shape.bounds
    size = 2 * (east - west + north - south)
    middle = np.array([(west + east) / 2, (south + north) / 2])
    across = np.array([-along[1], along[0]])
    foot = middle + along * (at - middle @ along)
    return shapely.Polygon(
        [foot + size * across, foot - size * across, foot - size * (across + along), foot + size * (across - along)]
    )


def _join_loose(pieces: list[Piece], *, xy_m: FloatArray) -> list[Piece]:
    """Give what a line has cut off from the main part of a piece to the neighbour it shares most border with."""
    parts = [sorted(shapely.get_parts(shape), key=shapely.area) for _, shape in pieces]
    shapes = [of_piece.pop() for of_piece in parts]
    loose = [part for of_piece in parts for part in of_piece]
    while loose:
        waiting = []
        for part in loose:
            shared = [shapely.intersection(part.boundary, shape.boundary).length for shape in shapes]
            best = int(np.argmax(shared))
            if shared[best] > 0:
                shapes[best] = shapely.union(shapes[best], part)
            else:
                waiting.append(part)
        if len(waiting) == len(loose):  # touches by a point only: stays with the nearest
            for part in waiting:
                best = int(np.argmin([part.distance(shape) for shape in shapes]))
                shapes[best] = shapely.union(shapes[best], part)
            break
        loose = waiting
    own = _piece_of(shapely.points(xy_m), np.array(shapes, dtype=object))
    return [(np.flatnonzero(own == i), shape) for i, shape in enumerate(shapes)]


def _share_out_b(population: IntArray, *, share: float, log_odds: FloatArray) -> IntArray:
    """Whole numbers of B per unit that sum to the nearest whole number to ``share`` of all."""
    total = round(share * int(population.sum()))
    if total == 0:
        return np.zeros(len(population), dtype=np.int64)
    expected = population * shares_with_mean(log_odds, weights=population, mean=share)
    n_b = np.minimum(share_out(total, expected), population)
    for i in np.argsort(n_b - population, kind="stable"):  # what did not fit goes where there is most room
        n_b[i] += min(int(population[i] - n_b[i]), total - int(n_b.sum()))
    return np.asarray(n_b, dtype=np.int64)


def _census(
    plan: PeoplePlan, city: City, quarter: IntArray, population: IntArray, *, rng: np.random.Generator
) -> dict[str, FloatArray | IntArray]:
    """Ages, households, income and vacancy of each unit; they follow the poverty of its quarter, and its own."""
    poverty = city.quarters["poverty"].to_numpy()
    log_odds = np.log(poverty / (1 - poverty))
    spread, z = float(log_odds.std()), standard(log_odds)
    z_unit = z[quarter] + 0.35 * rng.standard_normal(len(quarter))
    unit_poverty = 1 / (1 + np.exp(-(log_odds[quarter] + spread * (z_unit - z[quarter]))))

    noise = plan.contrast * rng.standard_normal((4, len(quarter)))
    family = plan.contrast * plan.family_gradient * z_unit

    weight = np.maximum(population, 1e-9)
    kids = shares_with_mean(family, weights=weight, mean=plan.share_0_14)
    old = shares_with_mean(-0.5 * family + 0.15 * noise[0], weights=weight, mean=plan.share_60_plus)
    young = shares_with_mean(0.3 * noise[1], weights=weight, mean=plan.share_15_29)
    middle = np.maximum(1 - kids - old - young, 0.05)
    law = np.column_stack([kids, young, middle, old])
    ages = _round_rows(law / law.sum(axis=1, keepdims=True), population)

    sizes = np.array(plan.household_sizes) / sum(plan.household_sizes)
    mean_size = float(sizes @ np.arange(1, len(sizes) + 1))
    small = np.exp(-family / 3)
    small *= population.sum() / (population @ small)
    wanted = population * np.clip(small / mean_size, 1 / len(sizes), 1.0)
    adults = population - ages[:, 0]
    households = np.minimum(np.maximum(np.rint(wanted).astype(np.int64), population > 0), adults)
    income = plan.income_median_eur * np.exp(-plan.income_gradient * z_unit + 0.06 * noise[2])
    empty = plan.vacancy_gradient * z_unit + 0.25 * noise[3]
    vacancy = shares_with_mean(empty, weights=np.maximum(households, 1e-9), mean=plan.vacancy_rate)
    return {
        "n_0_14": ages[:, 0],
        "n_15_29": ages[:, 1],
        "n_30_59": ages[:, 2],
        "n_60_plus": ages[:, 3],
        "households": households,
        "poverty": np.round(unit_poverty, 6),
        "median_income_eur": np.round(income, -1),
        "vacancy_rate": np.round(vacancy, 4),
    }


def _round_rows(shares: FloatArray, totals: IntArray) -> IntArray:
    """Whole numbers in the proportions of each row that sum to its total, by largest remainders.

    Columns are the ages 0-14, 15-29, 30-59 and 60 or more. A unit of children alone has its residents made adults.
    """
    exact = shares * totals[:, None]
    parts = np.floor(exact).astype(np.int64)
    missing = totals - parts.sum(axis=1)
    rank = np.argsort(np.argsort(-(exact - parts), axis=1, kind="stable"), axis=1, kind="stable")
    parts += rank < missing[:, None]
    alone = (totals > 0) & (parts[:, 1:].sum(axis=1) == 0)
    parts[alone, 0], parts[alone, 2] = 0, totals[alone]
    return parts


def _unit_ids(quarter: IntArray, ids: list[str]) -> pd.Series[str]:
    """Identifier of the quarter and a number of two digits at least."""
    first = np.searchsorted(quarter, quarter)
    number = np.arange(len(quarter)) - first + 1
    return pd.Series([f"{ids[q]}-{n:02d}" for q, n in zip(quarter.tolist(), number.tolist(), strict=True)], dtype="str")
