"""Calls to the town hall: who calls about what, where, and when it was put right, if it was.

Calls come from residents at home, from what happened (dumped waste, nuisance parking, noise, damage) and from lamps
that failed. Some quarters call more readily; some persons call far more than others; where nothing comes of a call,
people give up.

What it cannot tell you: what is wrong where. Few calls may mean few problems, or that people stopped calling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from contrechamp.domain.streams import CITIZEN_CATEGORIES
from contrechamp.domain.text import Text
from synthetic_data.clock import DAY_US, local_to_utc_us
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.dense import FloatArray, IntArray, pick, spoken
from synthetic_data.streams.draws import (
    HOUR_US,
    Crowd,
    by_type,
    call_seconds,
    identities,
    next_call,
    numbered,
    remainder,
    rows,
    run_us,
    told_in_time,
    weekdays,
)
from synthetic_data.streams.lighting import calling, draw_lamps

if TYPE_CHECKING:
    from synthetic_data.world import World

# Chance that an incident brings a call where people call as the mean does, and what about. Assumptions.
_FROM_INCIDENTS: Final[Mapping[str, tuple[float, str]]] = {
    "depot_sauvage": (0.08, "proprete"), "stationnement_genant": (0.05, "stationnement"), "tapage": (0.04, "bruit"),
    "degradation": (0.05, "tags"), "attroupement": (0.04, "incivilite"),
}  # fmt: skip
# What residents call about otherwise, and the median hours to put each subject right. Assumptions.
_FROM_HOME: Final[Mapping[str, float]] = {
    "proprete": 0.34, "voirie": 0.22, "stationnement": 0.08, "bruit": 0.05, "espaces_verts": 0.10, "tags": 0.04,
    "incivilite": 0.05, "danger": 0.04, "autre": 0.08,
}  # fmt: skip
_FIX_H: Final[Mapping[str, float]] = {
    "proprete": 30, "eclairage": 96, "voirie": 200, "stationnement": 6, "bruit": 5, "espaces_verts": 150, "tags": 120,
    "incivilite": 24, "danger": 12, "autre": 96,
}  # fmt: skip
_FIX_LOG_SD: Final = 0.8
#: Readiness to call by weekday, Monday first. Assumption.
_WEEK: Final = np.array([1.25, 1.10, 1.05, 1.05, 1.05, 0.45, 0.0])
_UNNAMED: Final = 0.12
_NEARBY: Final = 0.25


def allo_mairie(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the calls of the run (D21).

    A row is sent when the matter is put right, or after ``file_closed_days``; ``delay_to_fix_h`` is missing where it
    was not by then, or by the end of the run.

    Raises
    ------
    ParameterError
        If incidents and lamps alone bring more than ``services.calls_per_day``.
    """
    plan, people, city = world.scenario.services, world.people, world.city
    opening, end = run_us(world)
    ready, giving_up = calling(world), _giving_up(world)
    busy = np.exp(plan.repeat_callers * rng.standard_normal(len(people.age)))
    neighbours = Crowd(people.quarter, len(city.quarters), weight=busy)

    lamps = draw_lamps(world)
    lit = np.flatnonzero(lamps.called & (lamps.known_us >= opening) & (lamps.known_us < end))
    site, quarter, t_us, code, expected = _about_incidents(world, ready, giving_up, rng=rng)
    known = expected + len(lit)
    rest = remainder(plan.calls_per_day, known / len(giving_up), name="calls_per_day", why="incidents and lamps")
    person, home_t = _from_home(world, rest, ready, giving_up, busy, rng=rng)
    home = people.home_site[person].astype(np.int64)
    near = np.flatnonzero(rng.random(len(home)) < _NEARBY)  # an address of the same cell
    home[near] = home[near] // city.sites_per_cell * city.sites_per_cell
    home[near] += rng.integers(city.sites_per_cell, size=len(near))

    lamp = lamps.frame.iloc[lamps.lamp[lit]]
    where = np.concatenate([site, home])
    x = np.concatenate([city.site_x_m[where], lamp["x_m"].to_numpy()])
    y = np.concatenate([city.site_y_m[where], lamp["y_m"].to_numpy()])
    at = np.concatenate([quarter, people.quarter[person], lamp["quarter"].to_numpy()]).astype(np.int64)
    n_other = len(where)
    subject = pick(np.array(list(_FROM_HOME.values())), size=len(home), rng=rng)
    subject = np.array([CITIZEN_CATEGORIES.index(name) for name in _FROM_HOME])[subject]
    code = np.concatenate([code, subject, np.full(len(lit), CITIZEN_CATEGORIES.index("eclairage"))])
    t_us = np.concatenate([t_us, home_t, lamps.known_us[lit]])
    caller = np.concatenate([neighbours.draw(quarter, rng=rng), person, neighbours.draw(at[n_other:], rng=rng)])
    caller = np.where(rng.random(len(caller)) < _UNNAMED, -1, caller)
    delay_h = _delays(world, code, at, rng=rng)
    delay_h[n_other:] = (lamps.fixed_us[lit] - lamps.known_us[lit]) / HOUR_US

    seen = np.flatnonzero(t_us < end)
    t_us, delay_h = t_us[seen], delay_h[seen]
    closed = t_us + int(plan.file_closed_days * DAY_US)
    fixed = t_us + np.where(np.isfinite(delay_h), delay_h * HOUR_US, 4e18 - t_us).astype(np.int64)
    sent = np.minimum(np.minimum(fixed, closed), end - 1_000_000)
    return rows(
        "allo_mairie",
        {
            "id": numbered(f"AM{world.scenario.start.year}", t_us), "t": t_us, "x_m": x[seen], "y_m": y[seen],
            "category": spoken(code[seen], CITIZEN_CATEGORIES), **identities("caller", caller[seen]),
            "delay_to_fix_h": np.where(fixed <= sent, np.round(delay_h, 2), np.nan),
        },
        t_drop_us=np.maximum(sent, t_us),
    )  # fmt: skip


def p_never(world: World) -> FloatArray:
    """Chance, by quarter, that nothing comes of a call; shape (n_quarters,)."""
    plan = world.scenario.services
    odds = np.log(plan.never_fixed / (1 - plan.never_fixed)) + plan.fix_gradient * standard_poverty(world)
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def _giving_up(world: World) -> FloatArray:
    """What is left of the readiness to call, by day and quarter: it falls where calls come to nothing; at most 1."""
    years = np.arange(world.scenario.time.n_days) / 365.25
    return np.asarray(np.exp(-world.scenario.services.giving_up * years[:, None] * p_never(world)), dtype=np.float64)


def _about_incidents(
    world: World, ready: FloatArray, giving_up: FloatArray, *, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray, IntArray, float]:
    """Calls about what happened: address, quarter, instant, category; and the number expected, planted ones aside."""
    incidents = world.incidents
    rate = by_type({name: p for name, (p, _) in _FROM_INCIDENTS.items()})
    subject = by_type({name: CITIZEN_CATEGORIES.index(to) for name, (_, to) in _FROM_INCIDENTS.items()}).astype(
        np.int64
    )
    p = rate[incidents.type_code] * ready[incidents.quarter] * giving_up[incidents.day, incidents.quarter]
    p = np.minimum(p, 0.95)
    told = np.flatnonzero(rng.random(len(p)) < p)
    # what the last days bring is told after the run
    in_time = told_in_time(world)[incidents.day]
    t_us = next_call(world, incidents.day[told], rng=rng)
    return (
        incidents.site[told], incidents.quarter[told], t_us, subject[incidents.type_code[told]],
        float((p * in_time)[~incidents.planted].sum()),
    )  # fmt: skip


def _from_home(
    world: World, per_day: float, ready: FloatArray, giving_up: FloatArray, busy: FloatArray,
    *, rng: np.random.Generator,
) -> tuple[IntArray, IntArray]:  # fmt: skip
    """Calls of residents about where they live: who, and when. By day and quarter a Poisson count, then a person."""
    weight = busy * (world.people.age >= 15)
    held = np.bincount(world.people.quarter, weight, minlength=len(ready)) * ready
    rate = _WEEK[weekdays(world)][:, None] * giving_up * held
    n = rng.poisson(rate * per_day * len(giving_up) / rate.sum())
    day, quarter = (np.repeat(index.ravel(), n.ravel()) for index in np.indices(n.shape))
    person = Crowd(world.people.quarter, len(ready), weight=weight).draw(quarter, rng=rng)
    return person, local_to_utc_us(world.scenario, day, call_seconds(len(day), rng=rng))


def _delays(world: World, code: IntArray, quarter: IntArray, *, rng: np.random.Generator) -> FloatArray:
    """Hours to put a matter right, infinite when it never is; longer, and more often never, as the plan's gradient."""
    median = np.array([_FIX_H[name] for name in CITIZEN_CATEGORIES])[code]
    slow = np.exp(world.scenario.services.fix_gradient * standard_poverty(world))[quarter]
    hours = median * slow * np.exp(_FIX_LOG_SD * rng.standard_normal(len(code)))
    return np.where(rng.random(len(code)) < p_never(world)[quarter], np.inf, hours)


DATASHEETS: Final = (
    Datasheet(
        key="allo_mairie",
        title=Text(fr="Appels à Allô Mairie", en="Calls to the town hall"),
        invented=Text(
            fr="Qui appelle, pour quoi, et le délai de remise en état. On appelle moins dans les quartiers pauvres, où "
            "l’on attend aussi plus ; là où rien ne suit, on renonce. Une part des appels suit des incidents survenus "
            "et des pannes de lampadaires.",
            en="Who calls, about what, and the delay to put it right. Poor quarters call less and wait longer; where "
            "nothing follows, people give up. Part of the calls follows incidents that happened and failed lamps.",
        ),
        anchor=Text(
            fr="Aucune : 300 appels par jour est une hypothèse (une ligne de propreté en recevait 600 en 2014).",
            en="None: 300 calls a day is an assumption (a line for cleanliness had 600 in 2014).",
        ),
        leaves_out=Text(
            fr="Les appels perdus, la langue, le courrier, les guichets. Un délai absent dit que rien n’était fait à "
            "l’envoi de la fiche, non que rien ne le sera.",
            en="Lost calls, language, letters, counters. A missing delay says that nothing was done when the row was "
            "sent, not that nothing will be.",
        ),
    ),
)
