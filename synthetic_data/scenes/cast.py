"""Who is in a scene and what each means to do: passers-by by chance, and the cast that was asked for.

Everyone is drawn from a random stream of their own, named after situation and number: asking for one more person
changes nobody else's intentions, though people step aside for one another.

What it cannot tell you: speeds and lengths of stay are set by hand or by the scene, not taken from a count of a real
place.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np
import shapely

from contrechamp.domain.rng import stream
from contrechamp.domain.situations import SITUATIONS
from contrechamp.domain.video import FloatArray
from synthetic_data.scenes.bodily import draw_body
from synthetic_data.scenes.layouts import ONE_WAY, WATCHED, Entrance, Layout, Spot
from synthetic_data.scenes.plans import BEGINS_S, Move, Person, Stage
from synthetic_data.scenes.spec import SceneSpec

Point = tuple[float, float]

#: Situation → desired speed, m/s: mean and standard deviation. The others walk like adults.
SPEEDS_M_S: Final = {
    "cane": (0.62, 0.08), "child_playing": (0.9, 0.1), "wheelchair": (1.0, 0.15), "pram": (1.1, 0.15),
    "lost": (1.0, 0.15), "tourists": (1.0, 0.1), "cleaning": (0.8, 0.1), "hurrying": (3.5, 0.25),
}  # fmt: skip
ADULT_SPEED_M_S: Final = (1.34, 0.26)
#: Situation → how many come together.
GROUPS: Final = {"tourists": (3, 5), "talking": (2, 2)}
#: Situation → radius of the room left around them, metres.
ROOM_M: Final = {
    "rough_lying": 0.75, "rough_seated": 0.5, "vendor": 0.6, "busking": 0.45, "wheelchair": 0.4, "pram": 0.4,
    "sitting_down": 0.5, "falling": 0.4, "seated": 0.3, "tourists": 0.3,
}  # fmt: skip
_ROOM_M: Final = 0.25

TIE_S: Final = (20.0, 60.0)
STAYS_DOWN_S: Final = (8.0, 40.0)
P_STANDS_UP: Final = 0.5
RETURNS_AFTER_S: Final = (20.0, 150.0)
_BAG_S: Final = 3.0
_APART_M: Final = 1.2  #: between the spots of two who stay
_DETOUR: Final = 1.15  #: a way through people and things over the straight one


def draw_people(spec: SceneSpec, place: Layout) -> tuple[Person, ...]:
    """Everyone of the scene, the cast first, in the order of ``spec.cast``; passers-by by time of entry."""
    taken: list[Spot] = []
    people: list[Person] = []
    cast = [situation for situation, count in spec.cast for _ in range(count)]
    for k, situation in enumerate(cast):
        people += _Casting(spec, place, (situation, cast[:k].count(situation)), taken, situation=situation).draw()
    return (*people, *_passers_by(spec, place))


def _passers_by(spec: SceneSpec, place: Layout) -> list[Person]:
    """Poisson entries; two in three cross what is watched, the others pass beside it."""
    rng = stream(spec.seed, "scene", "flow")
    span_s = spec.duration_s - BEGINS_S
    times = np.sort(rng.uniform(BEGINS_S, spec.duration_s, rng.poisson(spec.flow_per_min * span_s / 60.0)))
    return [
        _Casting(spec, place, ("flow", k), [], situation="passing").passer_by(float(t)) for k, t in enumerate(times)
    ]


class _Casting:
    """Draws the one to five persons of one place in the cast."""

    def __init__(
        self, spec: SceneSpec, place: Layout, key: tuple[str | int, ...], taken: list[Spot], *, situation: str
    ) -> None:
        self.spec, self.place, self.key, self.taken, self.situation = spec, place, key, taken, situation
        self.rng = stream(spec.seed, "scene", *key)

    def draw(self) -> list[Person]:
        """The persons, in order."""
        if self.situation == "child_playing":
            return self._child_and_adult()
        if self.situation in ("bag_returning", "bag_leaving"):
            return [self._with_bag()]
        if SITUATIONS[self.situation].stays:
            return self._staying()
        return [self._transit()]

    # --- ways in and out ------------------------------------------------------------------------------------------

    def _ways(self) -> tuple[Entrance, Entrance, list[Point], list[Point]]:
        """Entrance, exit, and the middle of the one-way passage where it follows the one or leads to the other."""
        ways = self.place.entrances
        if self.situation == "counter_flow":
            first, last = self._two_ways()
            one_way = next(e for e in ways if e.way != "both")
            first, last = (one_way, last) if one_way.way == "out" else (first, one_way)
        else:
            ins = [e for e in ways if e.way != "out"]
            first = ins[int(self.rng.integers(len(ins)))]
            outs = [e for e in ways if e.way != "in" and e is not first]
            last = outs[int(self.rng.integers(len(outs)))]
        x, y = np.mean(self.place.zone(ONE_WAY).points, axis=0).tolist()
        return first, last, [(x, y)] if first.way != "both" else [], [(x, y)] if last.way != "both" else []

    def _two_ways(self) -> tuple[Entrance, Entrance]:
        both = [e for e in self.place.entrances if e.way == "both"]
        a, b = self.rng.choice(len(both), 2, replace=False)
        return both[int(a)], both[int(b)]

    def _speed(self) -> float:
        mean, sd = SPEEDS_M_S.get(self.situation, ADULT_SPEED_M_S)
        return float(np.clip(self.rng.normal(mean, sd), max(0.4, mean - 2 * sd), mean + 2 * sd))

    def _out(self, way: Entrance, speed: float) -> Stage:
        x, y = _along(way, float(self.rng.uniform(0.15, 0.85)))
        return Stage(x, y, speed, reach_m=0.8)

    def _person(self, *, stages: Sequence[Stage], begins_s: float, way_in: Entrance | None) -> Person:
        return Person(
            situation=self.situation, key=self.key, **draw_body(self.situation, rng=self.rng),
            radius_m=ROOM_M.get(self.situation, _ROOM_M), begins_s=begins_s,
            way_in=None if way_in is None else (way_in.start, way_in.end), stages=tuple(stages),
        )  # fmt: skip

    # --- those who pass -------------------------------------------------------------------------------------------

    def passer_by(self, begins_s: float) -> Person:
        """Someone who enters at ``begins_s`` and leaves."""
        first, last, before, after = self._ways()
        speed = self._speed()
        middle = [self._open_point()] if self.rng.uniform() < 2 / 3 else []
        stages = [Stage(*at, speed, reach_m=1.0) for at in (*before, *middle, *after)]
        return self._person(stages=[*stages, self._out(last, speed)], begins_s=begins_s, way_in=first)

    def _transit(self) -> Person:
        """Someone of the cast who crosses what is watched at a time drawn within the clip, acting there or not."""
        first, last, before, after = self._ways()
        speed = self._speed()
        here = Stage(*self._open_point(), speed, reach_m=0.6)
        share = float(self.rng.uniform(0.1, 0.9))
        if self.situation == "tying_shoe":
            here = replace(here, act="act", pause_s=float(self.rng.uniform(*TIE_S)))
            share *= 0.6
        elif self.situation == "falling":
            down_s = float(self.rng.uniform(*STAYS_DOWN_S)) if self.rng.uniform() < P_STANDS_UP else np.inf
            here = replace(here, act="act", pause_s=down_s)
            share *= 0.7
        up_to = [*(Stage(*at, speed, reach_m=1.0) for at in before), here]
        then = [*(Stage(*at, speed, reach_m=1.0) for at in after), self._out(last, speed)]
        begins_s = max(BEGINS_S, share * self.spec.duration_s - self._travel_s(first, up_to, speed))
        return self._person(stages=[*up_to, *then], begins_s=begins_s, way_in=first)

    def _with_bag(self) -> Person:
        """Someone who puts a bag down and walks off, for good or not."""
        first, last = self._two_ways()
        speed = self._speed()
        at = self._open_point()
        down = Stage(*at, speed, act="put_down", pause_s=_BAG_S, reach_m=0.4)
        stages = [down]
        if self.situation == "bag_returning":
            longest = min(RETURNS_AFTER_S[1], 0.4 * self.spec.duration_s)
            away_s = float(self.rng.uniform(min(RETURNS_AFTER_S[0], longest), longest))
            far = max((self._open_point() for _ in range(12)), key=lambda p: np.hypot(p[0] - at[0], p[1] - at[1]))
            stages += [
                Stage(*far, speed, act="stay", pause_s=away_s, reach_m=0.6),
                Stage(*at, speed, act="pick_up", pause_s=_BAG_S, reach_m=0.6),
            ]
        due_s = float(self.rng.uniform(0.05, 0.3)) * self.spec.duration_s
        return self._person(
            stages=[*stages, self._out(last, speed)], way_in=first,
            begins_s=max(BEGINS_S, due_s - self._travel_s(first, [down], speed)),
        )  # fmt: skip

    # --- those who stay -------------------------------------------------------------------------------------------

    def _staying(self) -> list[Person]:
        """One person, a pair or a group, on a spot."""
        fewest, most = GROUPS.get(self.situation, (1, 1))
        n = int(self.rng.integers(fewest, most + 1))
        seat = self._seat() if self.situation == "seated" else None
        spot = seat or self._spot()
        around = _circle(spot, n, self.rng)
        when, dwell_s = self._when(self.spec.dwell_s)
        first, last = self._two_ways()
        speed = self._speed()
        people = []
        for k, (x, y, heading) in enumerate(around):
            self.key = (*self.key[:2], k)
            if n > 1 and not _inside(self.place, x, y, 0.4):
                x, y = self._near((spot.x_m, spot.y_m), 0.4, 1.4)
            feet = (x + 0.62 * np.sin(heading), y + 0.62 * np.cos(heading)) if seat else (x, y)
            stay = Stage(
                float(feet[0]), float(feet[1]), speed, act="stay", pause_s=dwell_s, heading_rad=heading,
                moves=self._moves((x, y), dwell_s), seat=(x, y) if seat else None,
            )  # fmt: skip
            people.append(self._arriving(stay, when, first, last, late_s=0.7 * k))
        return people

    def _child_and_adult(self) -> list[Person]:
        """A child who runs about within 3 m, and an adult who waits close by."""
        spot = self._spot()
        when, dwell_s = self._when(self.spec.dwell_s)
        first, last = self._two_ways()
        speed = self._speed()
        stay = Stage(
            spot.x_m, spot.y_m, speed, act="stay", pause_s=dwell_s, heading_rad=spot.heading_rad,
            moves=self._moves((spot.x_m, spot.y_m), dwell_s),
        )  # fmt: skip
        child = self._arriving(stay, when, first, last, late_s=0.0)
        self.situation, self.key = "waiting", (*self.key, "adult")
        near = self._near((spot.x_m, spot.y_m), 1.0, 1.6)
        adult = self._arriving(
            Stage(*near, speed, act="stay", pause_s=dwell_s, heading_rad=_towards(near, (spot.x_m, spot.y_m))),
            when, first, last, late_s=1.0,
        )  # fmt: skip
        return [child, adult]

    def _when(self, dwell_s: tuple[float, float]) -> tuple[float, float]:
        """Start and length of a stay: the clip holds the whole stay, or the stay holds the whole clip."""
        low, high = max(min(dwell_s), 1e-3), max(*dwell_s, 1e-3)
        length = float(np.exp(self.rng.uniform(np.log(low), np.log(high))))
        slack = self.spec.duration_s - length
        return float(self.rng.uniform(min(0.0, slack), max(0.0, slack))), length

    def _arriving(self, stay: Stage, when: float, first: Entrance, last: Entrance, *, late_s: float) -> Person:
        out = self._out(last, stay.speed_m_s)
        if when <= 0:
            there = replace(stay, pause_s=when + stay.pause_s - BEGINS_S)
            return self._person(stages=[there, out], begins_s=BEGINS_S, way_in=None)
        begins_s = max(BEGINS_S, when - self._travel_s(first, [stay], stay.speed_m_s))
        return self._person(stages=[stay, out], begins_s=begins_s + late_s, way_in=first)

    def _moves(self, at: Point, dwell_s: float) -> tuple[Move, ...]:
        """What a stay is made of, for those who do not stay still; enough for ten minutes, then the same again."""
        n = int(np.clip(dwell_s / 4.0, 4, 150))
        draw = self.rng.uniform
        if self.situation == "cleaning":
            rows = [
                (dx, dy) for i, dy in enumerate(np.arange(-1.5, 1.6, 0.6)) for dx in ((-1.8, 1.8), (1.8, -1.8))[i % 2]
            ]
            points = [(at[0] + dx, at[1] + float(dy), 0.35, 0.5) for dx, dy in rows]
        elif self.situation == "child_playing":
            points = [(*self._near(at, 0.5, 2.9), float(draw(0.9, 2.2)), float(draw(0.2, 3.0))) for _ in range(n)]
        elif self.situation == "lost":
            points = [(*self._near(at, 0.5, 5.0), float(draw(0.7, 1.1)), float(draw(5.0, 20.0))) for _ in range(n)]
        elif self.situation == "leafleting":
            points = [(*self._near(at, 0.2, 0.8), 0.7, float(draw(3.0, 10.0))) for _ in range(n)]
        else:
            return ()
        return tuple(Move(*p) for p in points if _inside(self.place, p[0], p[1], 0.35))

    # --- where ----------------------------------------------------------------------------------------------------

    def _spot(self) -> Spot:
        """A spot of the watched zone that nobody has; then any open point of it, facing anywhere; then a spot outside.

        So that nobody asked for last is left outside what is watched.
        """
        room = _APART_M + (1.0 if self.situation in GROUPS or self.situation == "child_playing" else 0.0)
        spots = self.place.spots
        drawn = [spots[i] for i in self.rng.permutation(len(spots))]
        watched = self.place.zone(WATCHED).contains(np.array([(s.x_m, s.y_m) for s in drawn]))
        inside, outside = ([s for s, w in zip(drawn, watched, strict=True) if w == here] for here in (True, False))
        others = (Spot(*self._open_point(), float(self.rng.uniform(-np.pi, np.pi))) for _ in range(200))
        free = (
            s
            for s in itertools.chain(inside, others, outside)
            if all(np.hypot(s.x_m - t.x_m, s.y_m - t.y_m) >= room for t in self.taken)
        )
        chosen: Spot = next(free, drawn[0])
        self.taken.append(chosen)
        return chosen

    def _seat(self) -> Spot | None:
        """A free seat of a bench; None when all are taken, and one stays on a spot instead."""
        free = [s for s in self.place.seats if s not in self.taken]
        if not free:
            return None
        chosen = free[int(self.rng.integers(len(free)))]
        self.taken.append(chosen)
        return chosen

    def _open_point(self) -> Point:
        """Anywhere with room in the watched zone, out of the one-way passage."""
        zone, passage = self.place.zone(WATCHED), self.place.zone(ONE_WAY)
        corners = np.asarray(zone.points)
        points = self.rng.uniform(corners.min(axis=0) + 0.3, corners.max(axis=0) - 0.3, (100, 2))
        for x, y in points[zone.contains(points) & ~passage.contains(points)]:
            if _inside(self.place, x, y, 0.6):
                return float(x), float(y)
        raise ValueError(f"The watched zone of {self.place.key} has no room.")

    def _near(self, at: Point, closest_m: float, farthest_m: float) -> Point:
        """An open point at some distance from ``at``, or ``at`` itself where there is none."""
        for _ in range(30):
            angle, reach = self.rng.uniform(-np.pi, np.pi), self.rng.uniform(closest_m, farthest_m)
            x, y = at[0] + reach * np.sin(angle), at[1] + reach * np.cos(angle)
            if _inside(self.place, x, y, 0.4):
                return float(x), float(y)
        return at

    def _travel_s(self, first: Entrance, stages: Sequence[Stage], speed: float) -> float:
        way: FloatArray = np.array([_along(first, 0.5), *((s.x_m, s.y_m) for s in stages)])
        return float(np.hypot(*np.diff(way, axis=0).T).sum() * _DETOUR / speed)


def _along(way: Entrance, share: float) -> Point:
    a, b = np.asarray(way.start), np.asarray(way.end)
    x, y = a + share * (b - a)
    return float(x), float(y)


def _inside(place: Layout, x: float, y: float, room_m: float) -> bool:
    """Whether a foot may stand at a point, ``room_m`` away from everything."""
    at = shapely.Point(x, y)
    return bool(place.walkable.contains(at) and shapely.distance(place.walkable.boundary, at) >= room_m)


def _towards(a: Point, b: Point) -> float:
    return float(np.arctan2(b[0] - a[0], b[1] - a[1]))


def _circle(spot: Spot, n: int, rng: np.random.Generator) -> list[tuple[float, float, float]]:
    """One on the spot; several around it, facing its middle."""
    if n == 1:
        return [(spot.x_m, spot.y_m, spot.heading_rad)]
    radius = 0.45 if n == 2 else 0.85
    angles = rng.uniform(-np.pi, np.pi) + 2 * np.pi * np.arange(n) / n
    return [
        (float(spot.x_m + radius * np.sin(a)), float(spot.y_m + radius * np.cos(a)), float(a + np.pi)) for a in angles
    ]
