"""Lines and stops of the public transport of the city, and how many people get on at each: a gravity model.

Rail lines run through the stations, from one side of the city to the other by its most central one. Bus lines follow
streets, one after the other, each from a station to where most residents are still far from a stop. Between two stops
of a mode people travel in proportion to who lives around the first and to what draws them around the second, less as
they are farther apart.

What it cannot tell you: any real line. There are no timetables, no changes between lines, no capacity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from contrechamp.domain.rng import stream
from synthetic_data.streams.activity import home_cell, layers
from synthetic_data.streams.dense import BoolArray, FloatArray, IntArray, labels, pick

if TYPE_CHECKING:
    from synthetic_data.streets import Streets
    from synthetic_data.world import World

_STOP_GAP_M: Final = 450.0
_NEAR_STOP_M: Final = 400.0
_LINE_M: Final = (2000.0, 9000.0)
#: What draws trips, per place: as many jobs. Assumptions.
_PULL: Final = {"jobs": 1.0, "school": 120.0, "bar": 8.0, "market": 250.0, "station": 150.0, "hospital": 400.0}


@dataclass(frozen=True, eq=False)
class Network:
    """Lines, stops and the demand of a standard weekday.

    Attributes
    ----------
    stop, line : list of str
        Identifiers.
    stop_xy_m : ndarray, shape (n_stops, 2)
    serves_line, serves_stop : ndarray of int, shape (n_served,)
        Each stop of each line, in the order of identifiers.
    rail : ndarray of bool, shape (n_served,)
    outward, homeward : ndarray, shape (n_served,)
        Share of the boardings of people who leave home, and of those who go back, at each; each sums to 1.
    """

    stop: list[str]
    line: list[str]
    stop_xy_m: FloatArray
    serves_line: IntArray
    serves_stop: IntArray
    rail: BoolArray
    outward: FloatArray
    homeward: FloatArray


def street_graph(streets: Streets) -> csr_array:
    """Lengths of the pieces of street as a symmetric sparse matrix, shape (n_nodes, n_nodes)."""
    u, v, length = (streets.edges[k].to_numpy() for k in ("u", "v", "length_m"))
    n = len(streets.nodes)
    both = (np.concatenate([u, v]), np.concatenate([v, u]))
    return csr_array((np.concatenate([length, length]), both), shape=(n, n))


def draw_network(world: World) -> Network:
    """Draw the network of the world: the same whatever stream asks for it."""
    rng = stream(world.seed, "streams", "transport", "network")
    plan = world.scenario.mobility
    stations = world.places.of("station")[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    n_rail = min(plan.rail_lines, len(stations) // 2)
    rail = _rail_lines(stations, n_rail, centre_m=np.array(world.city.centre_m))
    buses = _bus_lines(world, stations, rng=rng)
    xy_m = world.streets.nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    bus_nodes = np.unique(np.concatenate(buses))
    rail_stops = np.unique(np.concatenate(rail)) if rail else np.empty(0, dtype=np.int64)
    n_bus, n_stations = len(bus_nodes), len(rail_stops)
    served = [(i, s) for i, line in enumerate(buses) for s in np.searchsorted(bus_nodes, np.unique(line)).tolist()]
    served += [(len(buses) + i, n_bus + s) for i, line in enumerate(rail)
               for s in np.searchsorted(rail_stops, np.unique(line)).tolist()]  # fmt: skip
    line_of, stop_of = (np.array(column, dtype=np.int64) for column in zip(*served, strict=True))
    is_rail = line_of >= len(buses)
    stop_xy = np.vstack([xy_m[bus_nodes], stations[rail_stops]])
    share = plan.rail_share if rail else 0.0
    outward, homeward = np.zeros(n_bus + n_stations), np.zeros(n_bus + n_stations)
    for first, last, part in ((0, n_bus, 1.0 - share), (n_bus, n_bus + n_stations, share)):
        if first < last:
            leaves, returns = _gravity(world, stop_xy[first:last])
            outward[first:last], homeward[first:last] = part * leaves, part * returns
    lines_there = np.bincount(stop_of, minlength=len(stop_xy))
    return Network(
        stop=labels("A", n_bus) + labels("S", n_stations),
        line=labels("B", len(buses)) + labels("R", len(rail)),
        stop_xy_m=stop_xy,
        serves_line=line_of,
        serves_stop=stop_of,
        rail=is_rail,
        outward=(outward / lines_there)[stop_of],
        homeward=(homeward / lines_there)[stop_of],
    )


def _rail_lines(stations: FloatArray, n: int, *, centre_m: FloatArray) -> list[IntArray]:
    """Stations of each line: two opposite sectors of the compass, and the most central station on all lines."""
    if n == 0:
        return []
    east, north = (stations - centre_m).T
    hub = int(np.argmin(np.hypot(east, north)))
    sector = np.floor((np.arctan2(north, east) + np.pi) / np.pi * n).astype(np.int64) % (2 * n)
    lines = [np.union1d(np.flatnonzero(sector % n == i), [hub]) for i in range(n)]
    return [line for line in lines if len(line) > 1]


def _bus_lines(world: World, stations: FloatArray, *, rng: np.random.Generator) -> list[IntArray]:
    """Nodes at which the buses of each line stop."""
    graph = street_graph(world.streets)
    nodes = world.streets.nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    tree = cKDTree(nodes)
    city = world.city
    site = world.people.home_site
    residents = np.bincount(tree.query(np.column_stack([city.site_x_m, city.site_y_m]))[1][site], minlength=len(nodes))
    want = residents.astype(np.float64)
    hubs = tree.query(stations)[1] if len(stations) else pick(want + 1e-9, size=10, rng=rng)
    lines: list[IntArray] = []
    for _ in range(world.scenario.mobility.bus_lines):
        hub = int(rng.choice(hubs))
        away, before = dijkstra(graph, indices=hub, limit=_LINE_M[1], return_predecessors=True)
        law = np.where((away > _LINE_M[0]) & np.isfinite(away), want, 0.0)
        if law.sum() == 0:
            law = np.where(np.isfinite(away) & (away > 0), residents + 1e-9, 0.0)
        end = int(pick(law, size=1, rng=rng)[0]) if law.sum() > 0 else hub
        stops = _stops(end, away, before)
        lines.append(stops)
        near = np.unique(np.concatenate(tree.query_ball_point(nodes[stops], _NEAR_STOP_M)).astype(np.int64))
        want[near] *= 0.3
    return lines


def _stops(end: int, away: FloatArray, before: IntArray) -> IntArray:
    """Nodes of the way from ``end`` back to where ``away`` is 0, one every few hundred metres."""
    way = [end]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    path = np.array(way[::-1], dtype=np.int64)
    _, first = np.unique(np.floor(away[path] / _STOP_GAP_M), return_index=True)
    return path[first]


def _gravity(world: World, stop_xy_m: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Share of boardings at each stop of those who leave home and of those who go back; each sums to 1."""
    tree = cKDTree(stop_xy_m)
    n = len(stop_xy_m)
    nearest = tree.query(world.city.grid.centres_m)[1]
    place = layers(world)
    pull = sum(w * (place[k] if k in place else world.places.layer(k)) for k, w in _PULL.items())
    lives = np.bincount(nearest[home_cell(world)], minlength=n) + 1e-9
    draws = np.bincount(nearest, pull, minlength=n) + 1e-9
    away_km = np.hypot(*(stop_xy_m[:, None] - stop_xy_m[None]).transpose(2, 0, 1)) / 1000.0
    trips = lives[:, None] * draws * np.exp(-away_km / world.scenario.mobility.gravity_km)
    if n > 1:
        np.fill_diagonal(trips, 0.0)
    trips /= trips.sum()
    return trips.sum(axis=1), trips.sum(axis=0)
