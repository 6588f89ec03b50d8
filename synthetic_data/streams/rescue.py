"""Interventions of the fire and rescue service: calls, arrivals, natures, and who called.

About four in five are aid to persons: they follow residents, their age and the heat, and part of the accidents, brawls
and violence that happen. A few callers come back again and again, and a few make prank calls.

What it cannot tell you: how many people needed help. A call takes somebody who calls; a district of elderly people
calls more without being more dangerous, and one frequent caller weighs as much as a street.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import numpy as np
import pandas as pd
from scipy.ndimage import binary_erosion

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.domain.streams import RESCUE_NATURES
from contrechamp.domain.text import Text
from synthetic_data.clock import local_to_utc_us
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.dense import FloatArray, IntArray, pick, spoken
from synthetic_data.streams.draws import (
    HOUR_US,
    MINUTE_US,
    Crowd,
    Rhythm,
    age_band,
    by_type,
    identities,
    nearest_m,
    numbered,
    remainder,
    rows,
    run_us,
)

if TYPE_CHECKING:
    from synthetic_data.world import World

Where = Literal["home", "work", "bar", "shore", "anywhere"]


@dataclass(frozen=True, slots=True)
class _Nature:
    """Share among its like, rhythm, place, and for what happens at home relative rate of each band of ages."""

    share: float
    rhythm: Rhythm
    where: Where = "home"
    rates: tuple[float, float, float, float] = (1.0, 1.0, 1.0, 1.0)


# Shares and rates are assumptions; only their total, and that of aid to persons, are held to a figure.
_AID: Final[Mapping[str, _Nature]] = {
    "malaise": _Nature(0.24, Rhythm(13.0, 5.0, 0.30, heat=0.35), "home", (0.3, 0.6, 0.8, 2.4)),
    "chute": _Nature(0.17, Rhythm(15.0, 5.0, 0.25), "home", (0.7, 0.3, 0.5, 3.0)),
    "detresse_respiratoire": _Nature(
        0.10, Rhythm(4.0, 6.0, 0.50, summer=-0.25, heat=0.15), "home", (0.8, 0.3, 0.6, 2.6)
    ),
    "douleur_thoracique": _Nature(0.08, Rhythm(9.0, 5.0, 0.45, heat=0.10), "home", (0.02, 0.3, 1.0, 2.4)),
    "intoxication": _Nature(0.03, Rhythm(21.0, 5.0, 0.30), "home", (0.6, 1.4, 1.1, 0.7)),
    "accouchement": _Nature(0.01, Rhythm(3.0, 8.0, 0.70), "home", (0.0, 2.2, 1.0, 0.0)),
    "crise_psychique": _Nature(0.06, Rhythm(19.0, 6.0, 0.40, heat=0.20), "home", (0.2, 1.3, 1.3, 0.8)),
    "relevage": _Nature(0.13, Rhythm(8.0, 6.0, 0.35), "home", (0.0, 0.02, 0.2, 4.0)),
    "ivresse": _Nature(0.07, Rhythm(1.0, 3.5, 0.15, weekend=0.60, summer=0.15), "bar"),
    "traumatisme": _Nature(0.06, Rhythm(16.0, 4.0, 0.15, weekend=0.05), "work"),
    "accident_route": _Nature(0.04, Rhythm(17.5, 4.0, 0.20, weekend=-0.10, rain=0.20), "work"),
    "secours_mer": _Nature(0.008, Rhythm(15.0, 3.0, 0.05, weekend=0.40, summer=1.20, heat=0.40), "shore"),
    "noyade": _Nature(0.002, Rhythm(16.0, 3.0, 0.05, weekend=0.30, summer=1.40, heat=0.50), "shore"),
}
_OTHER: Final[Mapping[str, _Nature]] = {
    "feu_poubelle": _Nature(0.36, Rhythm(23.0, 4.0, 0.20, summer=0.15, rain=-0.50), "anywhere"),
    "feu_vehicule": _Nature(0.15, Rhythm(2.0, 4.0, 0.25), "work"),
    "feu_habitation": _Nature(0.19, Rhythm(19.0, 4.5, 0.40, summer=-0.10), "home"),
    "feu_vegetation": _Nature(0.10, Rhythm(15.0, 3.0, 0.10, summer=1.20, heat=0.60, rain=-1.50), "anywhere"),
    "degagement_gaz": _Nature(0.09, Rhythm(10.0, 4.0, 0.30, summer=-0.15), "home"),
    "inondation": _Nature(0.11, Rhythm(18.0, 6.0, 0.60, rain=2.20), "home"),
}
_PRANK: Final = _Nature(1.0, Rhythm(20.0, 4.0, 0.20, weekend=0.15), "anywhere")
#: What frequent callers call for, and how much more often one is of each band of ages.
_FREQUENT: Final = ("malaise", "chute", "crise_psychique", "relevage")
_FREQUENT_AGES: Final = (0.0, 0.3, 1.0, 3.0)
_CALL_MIN: Final = 4.0
_OWN_CALL: Final = 0.35
_UNNAMED: Final = 0.10
_NO_ARRIVAL: Final = 0.02
_DETOUR: Final = 1.3


@dataclass(eq=False)
class _Calls:
    """Calls drawn so far, in pieces: instant, nature, point and caller of each."""

    pieces: list[tuple[IntArray, IntArray, FloatArray, IntArray]]

    def add(self, t_us: IntArray, nature: str | IntArray, xy_m: FloatArray, caller: IntArray) -> None:
        code = np.full(len(t_us), RESCUE_NATURES.index(nature)) if isinstance(nature, str) else nature
        self.pieces.append((t_us, code, xy_m, caller))


def pompiers(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the interventions of the run (D08).

    Raises
    ------
    ParameterError
        If shares of aid and pranks sum to more than 1, or if incidents alone bring more than the aid to persons.
    """
    plan, n_days = world.scenario.services, world.scenario.time.n_days
    if plan.aid_share + plan.prank_share > 1:
        raise ParameterError(
            "The `services.aid_share` and `services.prank_share` values of the scenario must sum to at most 1. Got "
            f"{plan.aid_share + plan.prank_share:g}. Lower one of them."
        )
    neighbours = Crowd(world.people.quarter, len(world.city.quarters))
    calls = _Calls([])
    expected = _after_incidents(world, calls, neighbours, rng=rng)
    aid = remainder(plan.rescues_per_day * plan.aid_share, expected / n_days, name="rescues_per_day", why="incidents")
    other = plan.rescues_per_day * (1 - plan.aid_share - plan.prank_share)
    for natures, per_day in ((_AID, aid), (_OTHER, other)):
        total = sum(nature.share for nature in natures.values())
        for name, nature in natures.items():
            _of_nature(world, calls, name, nature, per_day * nature.share / total, neighbours, rng=rng)
    _pranks(world, calls, plan.rescues_per_day * plan.prank_share, rng=rng)

    t_us, code, xy, caller = (np.concatenate([piece[i] for piece in calls.pieces]) for i in range(4))
    t_us = t_us // 1_000_000 * 1_000_000
    seen = t_us < run_us(world)[1]
    t_us, code, xy, caller = t_us[seen], code[seen], xy[seen], caller[seen]
    n = len(t_us)
    away = nearest_m(xy[:, 0], xy[:, 1], world.places.of("fire_station"), otherwise=world.city.centre_m)
    minutes = plan.turnout_min * np.exp(0.4 * rng.standard_normal(n))
    minutes = minutes + _DETOUR * away / 1000.0 / plan.rescue_km_h * 60.0 * np.exp(0.25 * rng.standard_normal(n))
    arrive = t_us + np.rint(minutes * 60).astype(np.int64) * 1_000_000
    arrive = np.where(rng.random(n) < _NO_ARRIVAL, -1, arrive)
    caller = np.where(rng.random(n) < _UNNAMED, -1, caller)
    over = np.where(arrive == -1, t_us, arrive) + ((0.4 + rng.standard_exponential(n)) * HOUR_US).astype(np.int64)
    return rows(
        "pompiers",
        {
            "id": numbered(f"IN{world.scenario.start.year}", t_us), "t_call": t_us, "t_arrive": arrive,
            "x_m": xy[:, 0], "y_m": xy[:, 1], "nature": spoken(code, RESCUE_NATURES), **identities("caller", caller),
        },
        t_drop_us=over,
    )  # fmt: skip


def _after_incidents(world: World, calls: _Calls, neighbours: Crowd, *, rng: np.random.Generator) -> float:
    """Add the interventions that incidents bring; returns how many were expected, what is planted aside."""
    plan, incidents, city = world.scenario.services, world.incidents, world.city
    rate = by_type({"violence": plan.rescued_violence, "rixe": plan.rescued_rixe, "accident": plan.rescued_accident})
    p = rate[incidents.type_code]
    hurt = np.flatnonzero(rng.random(len(p)) < p)
    accident = incidents.type_code[hurt] == INCIDENT_TYPES.index("accident")
    nature = np.where(accident, RESCUE_NATURES.index("accident_route"), RESCUE_NATURES.index("traumatisme"))
    after = (_CALL_MIN * rng.standard_exponential(len(hurt)) * MINUTE_US).astype(np.int64)
    site = incidents.site[hurt]
    xy = np.column_stack([city.site_x_m[site], city.site_y_m[site]])
    calls.add(incidents.t_us[hurt] + after, nature, xy, neighbours.draw(incidents.quarter[hurt], rng=rng))
    return float(p[~incidents.planted].sum())


def _of_nature(
    world: World, calls: _Calls, name: str, nature: _Nature, per_day: float, neighbours: Crowd,
    *, rng: np.random.Generator,
) -> None:  # fmt: skip
    plan, people, city = world.scenario.services, world.people, world.city
    day, second = nature.rhythm.draw(world, per_day, rng=rng, heat_effect=plan.rescue_heat)
    t_us, n = local_to_utc_us(world.scenario, day, second), len(day)
    if nature.where != "home":
        xy, quarter = _somewhere(world, nature.where, n, rng=rng)
        if nature.where in ("bar", "shore"):
            other_xy, other_quarter = _somewhere(world, "anywhere", n, rng=rng)
            there = rng.random(n) < plan.rescue_places
            xy, quarter = np.where(there[:, None], xy, other_xy), np.where(there, quarter, other_quarter)
        calls.add(t_us, name, xy, neighbours.draw(quarter, rng=rng))
        return
    rates = np.array(nature.rates) ** plan.rescue_ageing
    patient = pick(rates[age_band(people.age)], size=n, rng=rng)
    frequent = np.zeros(n, dtype=bool)
    if name in _FREQUENT:
        frequent = rng.random(n) < plan.frequent_share
        pool = _frequent(world)
        patient[frequent] = pool[rng.integers(len(pool), size=int(frequent.sum()))]
    own = frequent | ((people.age[patient] >= 12) & (rng.random(n) < _OWN_CALL))
    caller = np.where(own, patient, neighbours.draw(people.quarter[patient].astype(np.int64), rng=rng))
    home = people.home_site[patient]
    calls.add(t_us, name, np.column_stack([city.site_x_m[home], city.site_y_m[home]]), caller)


def _frequent(world: World) -> IntArray:
    """Frequent callers, drawn by age from a random stream of their own: the same for every nature."""
    weight = np.array(_FREQUENT_AGES)[age_band(world.people.age)]
    clock = stream(world.seed, "world", "frequent callers").standard_exponential(len(weight))
    key = np.divide(clock, weight, out=np.full(len(weight), np.inf), where=weight > 0)
    return np.sort(np.argsort(key, kind="stable")[: world.scenario.services.frequent_callers])


def _somewhere(world: World, where: Where, n: int, *, rng: np.random.Generator) -> tuple[FloatArray, IntArray]:
    """Draw points and their quarters: at a bar, near where people work, along the shore, or anywhere on land."""
    city, people = world.city, world.people
    if where == "bar" and len(bars := world.places.of("bar")):
        at = rng.integers(len(bars), size=n)
        return bars[["x_m", "y_m"]].to_numpy(dtype=np.float64)[at], bars["quarter"].to_numpy(dtype=np.int64)[at]
    cells = np.arange(city.grid.n_cells)
    if where in ("work", "bar") and (people.work_cell >= 0).any():
        cells = people.work_cell[people.work_cell >= 0].astype(np.int64)
    elif where == "shore":
        cells = _shore(world)
    site = cells[rng.integers(len(cells), size=n)] * city.sites_per_cell + rng.integers(city.sites_per_cell, size=n)
    return np.column_stack([city.site_x_m[site], city.site_y_m[site]]), city.site_quarter[site]


def _shore(world: World) -> IntArray:
    """Cells on the edge of the land, west of its centre: the coast of Massilia, an outline elsewhere."""
    grid = world.city.grid
    edge = grid.land & ~binary_erosion(grid.land)
    west = grid.centres_m[:, 0] < world.city.centre_m[0]
    found = np.flatnonzero(edge[grid.land] & west)
    return found if len(found) else np.arange(grid.n_cells)


def _pranks(world: World, calls: _Calls, per_day: float, *, rng: np.random.Generator) -> None:
    """Add the prank calls: a few persons, the first of them far more often than the last."""
    day, second = _PRANK.rhythm.draw(world, per_day, rng=rng)
    xy, _ = _somewhere(world, "anywhere", len(day), rng=rng)
    able = np.flatnonzero((world.people.age >= 10) & (world.people.age < 60))
    pool = able[rng.permutation(len(able))[: world.scenario.services.prank_callers]]
    often = 1.0 / np.arange(1, len(pool) + 1)
    calls.add(local_to_utc_us(world.scenario, day, second), "fausse_alerte", xy,
              pool[pick(often, size=len(day), rng=rng)])  # fmt: skip


DATASHEETS: Final = (
    Datasheet(
        key="pompiers",
        title=Text(fr="Interventions des marins-pompiers", en="Fire and rescue interventions"),
        invented=Text(
            fr="Les natures et leurs parts, l’effet de l’âge et de la chaleur, les appelants qui reviennent, les "
            "appels pour rien, le délai d’arrivée selon la distance à la caserne. Une part des accidents, rixes et "
            "violences survenus s’y retrouve.",
            en="The natures and their shares, the effect of age and heat, the callers who come back, the prank calls, "
            "the delay by distance to the station. Part of the accidents, brawls and violence that happened is found "
            "in it.",
        ),
        anchor=Text(
            fr="Plus de 350 interventions par jour, dont environ 80 % de secours à personnes (service d’incendie).",
            en="More than 350 interventions a day, about 80 % of them aid to persons (fire and rescue service).",
        ),
        leaves_out=Text(
            fr="Les moyens engagés, les renforts, la saturation des casernes, l’issue. Le rivage est le bord ouest du "
            "territoire ; un secours en mer est placé à terre.",
            en="The means sent, reinforcements, stations out of engines, outcomes. The shore is the western edge of "
            "the land; a rescue at sea is placed ashore.",
        ),
    ),
)
