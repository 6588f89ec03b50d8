"""D09, validations of public transport: how many people are seen to get on, by line, stop and quarter-hour.

People leave home in the morning and come back later; when an event ends, the stop nearest to it fills up. Some get on
without validating, more often in buses: the count is of validations, so it is short of the people.

What it cannot tell you: who travels, where to, or how full it is. No ticket is followed from one stop to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.activity import crowds
from synthetic_data.streams.dense import (
    SECOND_US,
    FloatArray,
    IntArray,
    bump,
    clean,
    clock,
    pick,
    size,
    spoken,
    window,
)
from synthetic_data.streams.network import Network, draw_network

if TYPE_CHECKING:
    from synthetic_data.world import World

_QUARTER_S: Final = 900
#: Boardings of each weekday, relative to their mean over a week; Monday first. Assumption.
_WEEK: Final = np.array([1.10, 1.12, 1.12, 1.12, 1.14, 0.85, 0.55])
#: Share of those who attend an event who leave by public transport, and for how many quarter-hours they do.
_LEAVE: Final = (0.25, 3)
#: What an incident leaves of the boardings of its line, and for how many quarter-hours.
_DISTURBED: Final = (0.35, 3)


def transport(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw D09: one row per line, stop and quarter-hour with a validation or an incident."""
    plan, network = world.scenario.mobility, draw_network(world)
    t_us = window(world.scenario).starts_us(_QUARTER_S)
    people = boardings(world, network, t_us)
    incidents = np.zeros(people.shape, dtype=np.int64)
    per_day = plan.transit_incidents_per_day * size(len(world.people))
    n = rng.poisson(per_day * window(world.scenario).n_days) if people.sum() > 0 else 0
    step, at = np.divmod(pick(people.ravel(), size=n, rng=rng), people.shape[1])
    np.add.at(incidents, (step, at), 1)
    left, n_steps = _DISTURBED
    for s, line in zip(step.tolist(), network.serves_line[at].tolist(), strict=True):
        people[s : s + n_steps, network.serves_line == line] *= left
    paid = 1.0 - np.where(network.rail, plan.rail_fraud, plan.bus_fraud)
    validations = rng.poisson(people * paid)
    step, at = np.nonzero((validations > 0) | (incidents > 0))
    return clean(
        "transport",
        {
            "line": spoken(network.serves_line[at], network.line),
            "stop": spoken(network.serves_stop[at], network.stop),
            "t": t_us[step],
            "boardings": validations[step, at],
            "incidents": incidents[step, at],
        },
        t_drop_us=t_us[step] + (_QUARTER_S - 1) * SECOND_US,
    )


def boardings(world: World, network: Network, t_us: IntArray) -> FloatArray:
    """Mean number of people who get on, validating or not, by quarter-hour and served stop.

    Over the window they sum to ``trips_per_day`` times the weight of its weekdays.
    """
    at = clock(t_us)
    service = np.where((at.hour >= 1.0) & (at.hour < 4.75), 0.0, 1.0)
    weekday = np.where(at.weekend, 0.15, 1.0)
    out = weekday * bump(at.hour, peak_h=8.0, spread_h=0.9) + 0.30 * bump(at.hour, peak_h=13.0, spread_h=3.0)
    back = weekday * bump(at.hour, peak_h=17.6, spread_h=1.4) + 0.35 * bump(at.hour, peak_h=18.0, spread_h=4.0)
    ways = np.column_stack([service * (out + 0.02), service * (back + 0.02)])
    week = _WEEK / _WEEK.mean()
    daily = world.scenario.mobility.trips_per_day * size(len(world.people)) * week[at.weekday]
    of_the_day = np.bincount(at.day, ways.sum(axis=1))
    ways *= (daily / np.maximum(of_the_day, 1e-12)[at.day])[:, None]
    people = ways @ np.vstack([network.outward, network.homeward])
    total = people.sum()
    _add_crowds(world, network, t_us, service, people)
    return people * (total / people.sum()) if total > 0 else people


def _add_crowds(world: World, network: Network, t_us: IntArray, service: FloatArray, people: FloatArray) -> None:
    """Add those who leave events to the stops nearest to them."""
    if not world.scenario.mobility.trips_per_day:
        return
    events = crowds(world)
    nearest = cKDTree(network.stop_xy_m).query(events[["x_m", "y_m"]].to_numpy(dtype=np.float64))[1]
    share, n_steps = _LEAVE
    ends = np.searchsorted(t_us, events["t_end_us"].to_numpy())
    inside = (events["t_end_us"].to_numpy() >= t_us[0]) & (ends < len(t_us))
    lines = np.bincount(network.serves_stop, minlength=len(network.stop))
    for stop, end, crowd in zip(nearest[inside], ends[inside], events["attendance"].to_numpy()[inside], strict=True):
        steps = slice(end, end + n_steps)
        each = share * crowd / n_steps / lines[stop] * service[steps]
        people[steps, network.serves_stop == stop] += each[:, None]


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="transport",
        title=Text(fr="validations des transports publics", en="public transport validations"),
        invented=Text(
            fr="Lignes et arrêts posés sur le réseau de rues inventé ; demande par un modèle gravitaire entre lieux "
            "d’habitation et lieux qui attirent ; heures et jours de la semaine ; affluence à la fin des événements ; "
            "incidents répartis comme les montées, qui vident la ligne trois quarts d’heure.",
            en="Lines and stops laid on the invented streets; demand from a gravity model between where people live "
            "and what draws them; hours and weekdays; a rush at the end of events; incidents spread as boardings are, "
            "which empty the line for three quarters of an hour.",
        ),
        anchor=Text(
            fr="850 000 voyages par jour et 1 300 incidents par an (exploitant, 2015), 25 % de fraude dans les bus. Le "
            "partage entre rail et bus et la fraude en métro et tramway sont des hypothèses.",
            en="850,000 trips a day and 1,300 incidents a year (operator, 2015), 25 % fraud in buses. The split "
            "between rail and bus, and fraud in metro and tram, are assumptions.",
        ),
        leaves_out=Text(
            fr="Horaires, correspondances, vacances scolaires, grèves, cartes individuelles ; la fraude est la même à "
            "tous les arrêts d’un mode.",
            en="Timetables, changes, school holidays, strikes, individual cards; fraud is the same at every stop of "
            "a mode.",
        ),
    ),
)
