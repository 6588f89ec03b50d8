"""Who uses the application that follows people, and the journeys it follows: the common ground of D15 and D16.

Users are persons of the city who have a smartphone and took the application up. Each leaves home for work, for a walk
or an errand, some for sport, and comes back the same way, along the shortest way through the streets. The application
keeps some of these journeys: fewer late in the day, when batteries are low.

What it cannot tell you: how people move. Ways are the shortest, speeds are drawn by mode, nobody gets lost, waits for
anybody or changes vehicles.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.sparse.csgraph import dijkstra
from scipy.spatial import cKDTree

from contrechamp.domain.rng import stream
from synthetic_data.streams.activity import WEIGHTS, layers, standard_poverty
from synthetic_data.streams.dense import SECOND_US, BoolArray, FloatArray, IntArray, clock, window
from synthetic_data.streams.network import street_graph

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Seconds between two points.
POINT_S: Final = 10
#: Modes of a journey and their mean speeds, m/s.
MODES: Final = ("walk", "run", "ride", "drive")
SPEED_M_S: Final = np.array([1.35, 2.8, 4.5, 7.5])
_WALK, _RUN, _RIDE, _DRIVE = range(4)
_WALKABLE_M: Final = 1200.0
_ADULT: Final = 15
_SPORTY: Final = 0.2
#: Chance of each kind of outing on a weekday and on a day of the weekend. Assumptions.
_GO: Final = {"work": (0.90, 0.18), "leisure": (0.70, 0.85), "sport": (0.30, 0.40)}
_CHUNK: Final = 128


@dataclass(frozen=True, eq=False)
class Journeys:
    """Points of the journeys that the application kept, as arrays of one length, by user then by time.

    Attributes
    ----------
    users : ndarray of int, shape (n_users,)
        Persons, in increasing order.
    user : ndarray of int
        Index in ``users`` of each point.
    journey : ndarray of int
        Number of the journey of each point, from 0.
    t_us : ndarray of int
    x_m, y_m : ndarray
        Where the person is, without error.
    speed_m_s : ndarray
    mode : ndarray of int
        Index in :data:`MODES`.
    """

    users: IntArray
    user: IntArray
    journey: IntArray
    t_us: IntArray
    x_m: FloatArray
    y_m: FloatArray
    speed_m_s: FloatArray
    mode: IntArray


@dataclass(frozen=True, eq=False)
class _Trips:
    """One way, one row: user, far end, out (1) or back (0), departure, length, mode."""

    user: IntArray
    node: IntArray
    out: IntArray
    t_us: IntArray
    length_m: FloatArray
    mode: IntArray

    def take(self, rows: IntArray) -> _Trips:
        return _Trips(*(getattr(self, name)[rows] for name in self.__dataclass_fields__))

    @property
    def duration_s(self) -> FloatArray:
        return np.asarray(self.length_m / SPEED_M_S[self.mode], dtype=np.float64)


def app_users(world: World) -> IntArray:
    """Persons who took the application up, in increasing order; the same for every stream."""
    rng = stream(world.seed, "streams", "app", "users")
    plan, people = world.scenario.mobility, world.people
    able = np.flatnonzero(people.smartphone & (people.age >= _ADULT))
    liking = -plan.app_age_slope * people.age[able] / 10.0
    liking = liking - plan.app_poverty_slope * standard_poverty(world)[people.quarter[able]]
    order = np.argsort(-(liking + rng.gumbel(size=len(able))), kind="stable")
    return np.sort(able[order[: plan.app_users]])


def draw_journeys(world: World) -> Journeys:
    """Draw the journeys of the dense days; the same for every stream."""
    rng = stream(world.seed, "streams", "app", "journeys")
    users = app_users(world)
    nodes = world.streets.nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    graph, tree, city = street_graph(world.streets), cKDTree(nodes), world.city
    homes = tree.query(np.column_stack([city.site_x_m, city.site_y_m])[world.people.home_site[users]])[1]
    work_cell = world.people.work_cell[users]
    work = np.where(work_cell >= 0, tree.query(city.grid.centres_m[work_cell])[1], -1)
    place = layers(world)
    pull = sum((WEIGHTS[k] * place[k] for k in WEIGHTS), np.full(city.grid.n_cells, 1e-6))
    pull = pull[cKDTree(city.grid.centres_m).query(nodes)[1]]
    sporty = rng.random(len(users)) < _SPORTY
    ways: list[IntArray] = []
    parts: list[_Trips] = []
    for first in range(0, len(users), _CHUNK):
        mine = np.arange(first, min(first + _CHUNK, len(users)))
        away, before = dijkstra(graph, indices=homes[mine], return_predecessors=True)
        trips = _outings(world, mine, work[mine], sporty[mine], world.people.car[users[mine]], pull, away, rng=rng)
        parts.append(trips)
        ways += [
            _way(before[u - first], node) for u, node in zip(trips.user.tolist(), trips.node.tolist(), strict=True)
        ]
    trips = _join(parts)
    kept = np.flatnonzero(rng.random(len(trips.user)) < _chance_kept(world, trips, n_users=len(users)))
    return _points(world, users, trips.take(kept), [ways[i] for i in kept.tolist()], nodes, rng=rng)


def _join(parts: list[_Trips]) -> _Trips:
    whole, real = np.empty(0, dtype=np.int64), np.empty(0)
    parts = [_Trips(whole, whole, whole, whole, real, whole), *parts]
    return _Trips(*(np.concatenate([getattr(p, n) for p in parts]) for n in _Trips.__dataclass_fields__))


def _outings(
    world: World, users: IntArray, work: IntArray, sporty: BoolArray, owns_car: BoolArray, pull: FloatArray,
    away: FloatArray, *, rng: np.random.Generator,
) -> _Trips:  # fmt: skip
    """Ways out and back of some users over all days, in order of user and departure; outings do not overlap."""
    span = window(world.scenario)
    weekend = clock(np.array(span.midnights_us[:-1], dtype=np.int64)).weekend.astype(np.int64)
    n, n_days = len(users), span.n_days
    near = np.where(np.isfinite(away) & (away > 0), away, np.inf)
    rows: list[IntArray] = []
    ends: list[IntArray] = []
    starts: list[IntArray] = []
    stays: list[FloatArray] = []
    for kind, (weekday, at_weekend) in _GO.items():
        goes = rng.random((n, n_days)) < np.where(weekend == 1, at_weekend, weekday)
        goes &= {"work": work >= 0, "leisure": np.ones(n, dtype=bool), "sport": sporty}[kind][:, None]
        row, day = np.nonzero(goes)
        start, stay = _hours(kind, len(row), rng=rng)
        if kind == "work":
            node = work[row]
        else:
            law = pull * np.exp(-near / 2500.0) if kind == "leisure" else np.exp(-(((near - 2200.0) / 700.0) ** 2))
            node = _pick_rows(law, row, rng=rng)
        rows, ends, starts, stays = [*rows, row], [*ends, node], [*starts, span.at_us(day, start)], [*stays, stay]
    sport = np.repeat([kind == "sport" for kind in _GO], [len(row) for row in rows])
    row, node, t_us, stay = np.concatenate(rows), np.concatenate(ends), np.concatenate(starts), np.concatenate(stays)
    length = away[row, node]
    fine = np.flatnonzero(np.isfinite(length) & (length > 1.0))
    row, node, t_us, stay, sport, length = row[fine], node[fine], t_us[fine], stay[fine], sport[fine], length[fine]
    car = owns_car[row]
    mode = np.where(length < _WALKABLE_M, _WALK, np.where(car, _DRIVE, _RIDE))
    mode = np.where(sport, _RUN, mode)
    lasts = length / SPEED_M_S[mode]
    back_us = t_us + ((lasts + np.where(sport, 60.0, stay * 3600)) * SECOND_US).astype(np.int64)
    back_us -= back_us % SECOND_US
    home_us = back_us + ((lasts + 120.0) * SECOND_US).astype(np.int64)
    keep = _apart(row, t_us, home_us)
    k, out = np.repeat(keep, 2), np.tile(np.array([1, 0]), len(keep))
    return _Trips(users[row[k]], node[k], out, np.where(out == 1, t_us[k], back_us[k]), length[k], mode[k])


def _apart(user: IntArray, t_us: IntArray, home_us: IntArray) -> IntArray:
    """Outings, by user and departure, less those that would begin before the user is back from another."""
    keep, until, last = [], 0, -1
    for i in np.lexsort((t_us, user)).tolist():
        if user[i] != last or t_us[i] >= until:
            keep.append(i)
            last, until = user[i], home_us[i]
    return np.array(keep, dtype=np.int64)


def _hours(kind: str, n: int, *, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Local hour of departure, and hours before the way back."""
    if kind == "work":
        return np.clip(rng.normal(8.2, 0.9, n), 5.0, 12.0), np.clip(rng.normal(8.5, 1.2, n), 3.0, 11.0)
    if kind == "sport":
        return np.clip(rng.normal(18.5, 3.5, n), 6.0, 21.5), np.zeros(n)
    late = rng.random(n) < 0.45
    start = np.where(late, rng.normal(19.3, 1.0, n), rng.normal(14.5, 2.6, n))
    return np.clip(start, 7.0, 21.5), 0.3 + rng.gamma(2.0, 0.6, n)


def _pick_rows(law: FloatArray, row: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Draw, for each item, an index under the law of its row."""
    edges = np.cumsum(law, axis=1)
    u = rng.random(len(row))
    out = np.empty(len(row), dtype=np.int64)
    for i in np.unique(row).tolist():
        mine = row == i
        out[mine] = np.searchsorted(edges[i], u[mine] * edges[i, -1], side="right")
    return np.asarray(np.minimum(out, law.shape[1] - 1), dtype=np.int64)


def _way(before: IntArray, node: int) -> IntArray:
    """Nodes of the way from home to ``node``."""
    way = [node]
    while before[way[-1]] >= 0:
        way.append(int(before[way[-1]]))
    return np.array(way[::-1], dtype=np.int64)


def _n_points(trips: _Trips) -> IntArray:
    return np.ceil(trips.duration_s / POINT_S).astype(np.int64)


def _chance_kept(world: World, trips: _Trips, *, n_users: int) -> FloatArray:
    """Chance that a journey is kept: as the battery lets it, and so that points are as many as the plan says."""
    plan = world.scenario.mobility
    hour = clock(trips.t_us).hour
    late = np.clip((hour - 7.0) / 16.0, 0.0, 1.0)
    alive = 1.0 - plan.battery_loss * np.where(hour < 4.0, 1.0, late)
    n = _n_points(trips)
    target = plan.app_points_per_user_day * n_users * window(world.scenario).n_days
    low, high = 0.0, 1e6
    for _ in range(80):
        factor = (low + high) / 2
        if (np.minimum(factor * alive, 1.0) * n).sum() < target:
            low = factor
        else:
            high = factor
    return np.minimum(high * alive, 1.0)


def _points(
    world: World, users: IntArray, trips: _Trips, ways: list[IntArray], nodes: FloatArray, *, rng: np.random.Generator
) -> Journeys:
    """Follow each journey along its way, a point every few seconds; vehicles stop now and then."""
    n = _n_points(trips)
    journey = np.repeat(np.arange(len(n)), n)
    rank = np.arange(len(journey)) - (np.cumsum(n) - n)[journey]
    mode = trips.mode[journey]
    pace = rng.gamma(np.where(mode >= _RIDE, 5.0, 40.0))
    pace[(mode >= _RIDE) & (rng.random(len(mode)) < 0.10)] = 1e-3
    gone = np.cumsum(pace)
    total = np.bincount(journey, pace, minlength=len(n))
    gone -= (np.cumsum(total) - total)[journey] + pace
    scale = trips.length_m / np.maximum(total, 1e-12)
    reached = np.where(trips.out[journey] == 1, gone, total[journey] - gone) * scale[journey]

    sizes = np.array([len(way) for way in ways], dtype=np.int64)
    way_xy = nodes[np.concatenate(ways)] if ways else np.empty((0, 2))
    step = np.hypot(*np.diff(way_xy, axis=0, prepend=way_xy[:1]).T)
    starts = np.cumsum(sizes) - sizes
    step[starts] = 0.0
    # all ways one after the other on one axis, a metre apart; their lengths are those of the drawing, not of the table
    of_way = np.repeat(np.arange(len(sizes)), sizes)
    drawn_m = np.bincount(of_way, step, minlength=len(sizes))
    base = np.cumsum(drawn_m + 1.0) - (drawn_m + 1.0)
    along = np.cumsum(step)
    along = along - along[starts][of_way] + base[of_way]
    at = base[journey] + np.clip(reached / trips.length_m[journey], 0.0, 1.0) * drawn_m[journey]
    t_us = trips.t_us[journey] + rank * (POINT_S * SECOND_US)
    inside = window(world.scenario).holds(t_us)
    return Journeys(
        users=users,
        user=trips.user[journey][inside],
        journey=journey[inside],
        t_us=t_us[inside],
        x_m=np.interp(at, along, way_xy[:, 0])[inside] if len(along) else at,
        y_m=np.interp(at, along, way_xy[:, 1])[inside] if len(along) else at,
        speed_m_s=(pace * scale[journey] / POINT_S)[inside],
        mode=mode[inside],
    )
