"""D05, presence from mobile telephones: how many of one operator's telephones are in each zone, by quarter-hour.

The customers of an operator are persons of the city, the same all week. Each is at home, at work, out, or at an event;
visitors come on top. A telephone is in one zone at a time, so customers are neither made nor lost from one
quarter-hour to the next: only where they are changes.

What it cannot tell you: how an operator corrects its counts. These are telephones seen, not persons estimated; no
telephone is switched off, none leaves the city, and a trip takes no time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.activity import WEIGHTS, crowds, home_cell, layers, standard_poverty
from synthetic_data.streams.dense import (
    SECOND_US,
    BoolArray,
    FloatArray,
    IntArray,
    Window,
    clean,
    clock,
    labels,
    pick,
    spoken,
    window,
)

if TYPE_CHECKING:
    from synthetic_data.world import World

_QUARTER_S: Final = 900
#: Share of workers at work on a weekday and on a day of the weekend; of people who go out; all assumptions.
_AT_WORK: Final = (0.90, 0.18)
_OUT: Final = (0.35, 0.50)
#: Share of a day's visitors who stay the night.
_OVERNIGHT: Final = 0.35
#: Longest stay at an event, and the end of any night out, in quarter-hours (from midnight).
_LONGEST: Final = 24
_NIGHT_END: Final = 112


def telecom_zones(world: World) -> IntArray:
    """Zone of each grid cell, numbered from 0; shape (n_cells,).

    Cells are halved again and again, across the longer side, so that both halves hold as many people and as much land:
    zones of some 500 m in the dense centre and of 2 km in the hills.
    """
    grid = world.city.grid
    residents = np.bincount(home_cell(world), minlength=grid.n_cells).astype(np.float64)
    weight = 0.85 * residents / max(residents.sum(), 1.0) + 0.15 / grid.n_cells
    zone = np.zeros(grid.n_cells, dtype=np.int64)
    todo = [(np.arange(grid.n_cells), min(world.scenario.mobility.telecom_zones, grid.n_cells), 0)]
    while todo:
        cells, n, first = todo.pop()
        zone[cells] = first
        if n == 1:
            continue
        xy = grid.centres_m[cells]
        order = cells[np.argsort(xy[:, int(np.argmax(np.ptp(xy, axis=0)))], kind="stable")]
        low = n // 2
        cut = int(np.searchsorted(np.cumsum(weight[order]), weight[order].sum() * low / n)) + 1
        cut = min(max(cut, low), len(order) - (n - low))
        todo += [(order[:cut], low, first), (order[cut:], n - low, first + low)]
    return zone


def chance_counted(world: World, *, rng: np.random.Generator) -> FloatArray:
    """Chance that each person is a customer whose telephone is counted, shape (n_people,)."""
    plan, people = world.scenario.mobility, world.people
    share = plan.operator_share + plan.operator_spread * rng.uniform(-1.0, 1.0, len(world.city.quarters))
    seen = np.exp(-plan.poor_undercount * standard_poverty(world))
    share = share * seen / np.average(seen, weights=np.bincount(people.quarter, minlength=len(seen)))
    child = np.where(people.age < 15, 1.0 - plan.child_undercount, 1.0)
    return np.asarray(np.clip(share, 0.0, 1.0)[people.quarter] * child, dtype=np.float64)


def presence_telecom(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw D05: one row per zone and quarter-hour, unless too few were there to publish."""
    plan, span = world.scenario.mobility, window(world.scenario)
    zone = telecom_zones(world)
    n_zones = int(zone.max()) + 1
    t_us = span.starts_us(_QUARTER_S)
    residents, visitors = count_persons(world, zone, t_us, span, rng=rng)
    count = residents + visitors
    step, which = np.nonzero(count >= max(plan.suppress_below, 1))
    n = count[step, which]
    return clean(
        "presence_telecom",
        {
            "zone": spoken(which, labels("Z", n_zones)),
            "t": t_us[step],
            "count": n,
            "share_visitors": np.round(visitors[step, which] / n, 3),
        },
        t_drop_us=t_us[step] + (_QUARTER_S - 1) * SECOND_US,
    )


def count_persons(
    world: World, zone: IntArray, t_us: IntArray, span: Window, *, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Count customers and visitors by quarter-hour and zone, each of shape (n_steps, n_zones).

    Customers sum to the same number in every quarter-hour.
    """
    n_zones = int(zone.max()) + 1
    customer = np.flatnonzero(rng.random(len(world.people)) < chance_counted(world, rng=rng))
    home = zone[home_cell(world)[customer]]
    work_cell = world.people.work_cell[customer]
    work = np.where(work_cell >= 0, zone[work_cell], -1)
    place, at = layers(world), clock(np.array(span.midnights_us, dtype=np.int64))
    draws = {
        "day": _by_zone(zone, n_zones, place, ("market", "jobs", "park", "station")),
        "evening": _by_zone(zone, n_zones, place, ("bar", "station", "residents")),
        "visit": _by_zone(zone, n_zones, place, ("station", "bar", "market", "jobs")),
    }
    moves, guests = _Moves(len(t_us), n_zones), _Moves(len(t_us), n_zones)
    events = crowds(world)
    day_of_event = np.searchsorted(span.midnights_us, events["t_start_us"].to_numpy(), side="right") - 1
    share = world.scenario.mobility.operator_share
    taken = len(customer) / max(len(world.people), 1)
    for day in range(span.n_days):
        weekend = int(at.weekday[day] >= 5)
        first, last = _shift(len(home), rng=rng)
        works = (work >= 0) & (rng.random(len(home)) < _AT_WORK[weekend])
        out = rng.random(len(home)) < _OUT[weekend]
        base = _step(span, span.midnights_us[day])
        attends = np.zeros(len(home), dtype=bool)
        for event in events[day_of_event == day].itertuples():
            start, end = (_step(span, int(t)) for t in (event.t_start_us, event.t_end_us))
            end = min(end, start + _LONGEST, base + _NIGHT_END)
            foreign = world.scenario.mobility.event_visitors
            n_own = rng.binomial(int(event.attendance), (1 - foreign) * min(taken, 1.0))
            busy = attends | (works & (base + first < end) & (base + last > start))
            there = _attend(n_own, busy, out, rng=rng)
            attends[there] = True
            moves.leave(home[there], *_all(len(there), zone[event.cell], start, end))
            guests.come(*_all(rng.binomial(int(event.attendance), foreign * share), zone[event.cell], start, end))
        out &= ~attends
        moves.leave(home[works], work[works], base + first[works], base + last[works])
        _go_out(moves, home, works, out, last, base, draws, rng=rng)
        _visit(guests, round(world.scenario.mobility.visitors_share * len(world.people) * share), base, draws, rng=rng)
    return np.bincount(home, minlength=n_zones) + moves.total(), guests.total()


class _Moves:
    """Comings and goings by quarter-hour and zone, summed up in the end."""

    def __init__(self, n_steps: int, n_zones: int) -> None:
        self._shape = (n_steps + 1, n_zones)
        self._change = np.zeros((n_steps + 1) * n_zones, dtype=np.int64)

    def _add(self, zone: IntArray, step: IntArray, sign: int) -> None:
        at = np.clip(step, 0, self._shape[0] - 1) * self._shape[1] + zone
        self._change += sign * np.bincount(at, minlength=len(self._change))

    def come(self, zone: IntArray, first: IntArray, last: IntArray) -> None:
        """Be in ``zone`` from step ``first`` up to, and without, step ``last``."""
        self._add(zone, first, 1)
        self._add(zone, last, -1)

    def leave(self, home: IntArray, zone: IntArray, first: IntArray, last: IntArray) -> None:
        """Be in ``zone`` rather than at ``home``."""
        self.come(zone, first, last)
        self.come(home, last, first)

    def total(self) -> IntArray:
        """Persons by step and zone, on top of those who were there before."""
        return np.asarray(np.cumsum(self._change.reshape(self._shape), axis=0)[:-1], dtype=np.int64)


def _step(span: Window, t_us: int) -> int:
    return (t_us - span.midnights_us[0]) // (_QUARTER_S * SECOND_US)


def _by_zone(zone: IntArray, n_zones: int, place: dict[str, FloatArray], kinds: tuple[str, ...]) -> FloatArray:
    pull = sum((WEIGHTS[k] * place[k] for k in kinds), np.full(len(zone), 1e-9))
    return np.asarray(np.bincount(zone, pull, minlength=n_zones), dtype=np.float64)


def _shift(n: int, *, rng: np.random.Generator) -> tuple[IntArray, IntArray]:
    """First and last quarter-hour of each person's day at work."""
    first = np.clip(rng.normal(34.0, 5.0, n), 20, 44)
    length = np.clip(rng.normal(34.0, 5.0, n), 12, 44)
    return first.astype(np.int64), (first + length).astype(np.int64)


def _all(n: int, zone: int, first: int, last: int) -> tuple[IntArray, IntArray, IntArray]:
    return np.full(n, zone), np.full(n, first), np.full(n, last)


def _attend(n: int, busy: BoolArray, out: BoolArray, *, rng: np.random.Generator) -> IntArray:
    """Persons, ``n`` where there are so many, who are at an event: first those who meant to go out anyway."""
    tried = np.unique(rng.integers(len(busy), size=3 * n)) if len(busy) else np.empty(0, dtype=np.int64)
    tried = rng.permutation(tried[~busy[tried]])
    return np.asarray(tried[np.argsort(~out[tried], kind="stable")][:n], dtype=np.int64)


def _go_out(
    moves: _Moves, home: IntArray, works: BoolArray, out: BoolArray, last: IntArray, base: int,
    draws: dict[str, FloatArray], *, rng: np.random.Generator,
) -> None:  # fmt: skip
    """Those who worked go out afterwards, the others in the day or in the evening; for two hours or so."""
    goes = np.flatnonzero(out)
    late = works[goes] | (rng.random(len(goes)) < 0.4)
    start = np.where(late, np.clip(rng.normal(78.0, 5.0, len(goes)), 72, 92), rng.normal(58.0, 9.0, len(goes)))
    start = np.where(works[goes], np.maximum(start, last[goes] + 1), np.clip(start, 36, 92)).astype(np.int64)
    stay = (2 + rng.gamma(3.0, 2.2, len(goes))).astype(np.int64)
    there = np.where(late, pick(draws["evening"], size=len(goes), rng=rng), pick(draws["day"], size=len(goes), rng=rng))
    moves.leave(home[goes], there, base + start, base + np.minimum(start + stay, _NIGHT_END))


def _visit(guests: _Moves, n: int, base: int, draws: dict[str, FloatArray], *, rng: np.random.Generator) -> None:
    """Visitors of a day: some are there for the night, the others for some hours."""
    n_night = rng.binomial(n, _OVERNIGHT)
    guests.come(pick(draws["visit"], size=n_night, rng=rng), np.full(n_night, base), np.full(n_night, base + 96))
    n_day = rng.poisson(n - n * _OVERNIGHT)
    start = np.clip(rng.normal(44.0, 9.0, n_day), 24, 84).astype(np.int64)
    stay = (4 + rng.gamma(4.0, 5.0, n_day)).astype(np.int64)
    guests.come(pick(draws["visit"], size=n_day, rng=rng), base + start, base + np.minimum(start + stay, 96))


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="presence_telecom",
        title=Text(fr="présence d’après la téléphonie mobile", en="presence from mobile phones"),
        invented=Text(
            fr="Les clients d’un opérateur sont tirés parmi les habitants ; chacun est chez lui, au travail, en sortie "
            "ou à un événement, à des heures tirées au sort. Des visiteurs s’y ajoutent. La part de l’opérateur varie "
            "d’un quartier à l’autre ; les moins de 15 ans et les quartiers pauvres sont sous-comptés, les petits "
            "comptages sont tus. Les 500 zones découpent la ville en parts égales d’habitants et de sol.",
            en="The operator's customers are drawn among residents; each is at home, at work, out or at an event, at "
            "hours drawn by lot. Visitors come on top. The operator's share varies between quarters; the under-15 and "
            "poor quarters are under-counted, small counts are kept back. The 500 zones cut the city into equal parts "
            "of residents and land.",
        ),
        anchor=Text(
            fr="Aucun comptage publié : 500 zones et quart d’heure sont des hypothèses du registre, comme la part de "
            "l’opérateur entre 0,2 et 0,4.",
            en="No published count: 500 zones and quarter-hours are assumptions of the register, as is the operator's "
            "share between 0.2 and 0.4.",
        ),
        leaves_out=Text(
            fr="Le redressement par l’opérateur, les traces brutes (environ 1e8 par jour), les trajets, les départs "
            "hors de la ville, les téléphones éteints et les personnes qui en ont deux.",
            en="The operator's own correction, raw traces (about 1e8 a day), journeys, absences from the city, "
            "telephones switched off and persons with two of them.",
        ),
    ),
)
