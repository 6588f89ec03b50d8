"""What happens in Massilia, whether or not anybody writes it down: a spatio-temporal self-exciting point process.

A background (:mod:`synthetic_data.background`) of what owes nothing to earlier incidents, events of the calendar
included, and near repeats (:mod:`synthetic_data.triggering`): every incident may bring others of its type, some days
later and some streets away, which may bring others in turn. The cause of each is kept, and its parent.

What it cannot tell you: how incidents of a real city fall. Weights of places, seasons, crowds and near repeats are
assumptions written in the scenario; victims, offenders and the street network are absent, and no patrol deters
anything here.

Notes
-----
The process is simulated as what it is, a Poisson background and Poisson families, generation by generation, so its law
is exact [2]_: no thinning bound, no discrete step but the microsecond. Its conditional intensity is known
(:mod:`synthetic_data.intensity`). It starts empty, long enough before day 0, and what happened then is kept, since it
can have follow-ons later.

References
----------
.. [1] Johnson, S. et al. (2007), "Space-time patterns of risk", J. Quant. Criminol. 23(3), 201-219.
.. [2] Hawkes, A. & Oakes, D. (1974), "A cluster process representation of a self-exciting process", J. Appl. Probab.
   11(3), 493-503.
.. [3] Mohler, G. et al. (2011), "Self-exciting point process modeling of crime", JASA 106(493), 100-108.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import CELL, INCIDENT_ID, INCIDENT_TYPES, QUARTER_ID, T_EVENT, TYPE, X_M, Y_M
from synthetic_data.background import Background, compose_background
from synthetic_data.city import City
from synthetic_data.clock import DAY_US, SLOT_US
from synthetic_data.clock import instants as instants
from synthetic_data.clock import local_to_utc_us as local_to_utc_us
from synthetic_data.places import Places
from synthetic_data.scenario import Scenario
from synthetic_data.solving import pick
from synthetic_data.triggering import Triggering, displace
from synthetic_data.weather import Weather

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Causes by code: what owes nothing to others, what an event of the calendar brought, what an incident brought.
CAUSES: Final = ("background", "event", "near-repeat")
BACKGROUND, EVENT, NEAR_REPEAT = range(3)

#: Columns of the truth that say why an incident happened.
CAUSE: Final = "cause"
PARENT_ID: Final = "parent_id"
EVENT_ID: Final = "event_id"


@dataclass(frozen=True, eq=False)
class Happenings:
    """Incidents in order of time, as arrays of one length.

    Attributes
    ----------
    t_us : ndarray of int
        Instant, microseconds of UTC since 1970.
    type_code : ndarray of int
        Index in :data:`contrechamp.domain.columns.INCIDENT_TYPES`.
    site, cell, quarter : ndarray of int
        Address, grid cell and row of the quarters where it happened.
    cause : ndarray of int
        Index in :data:`CAUSES`.
    parent : ndarray of int
        Incident that brought this one: its number in the days of the scenario from 0, ``-2 - i`` for number ``i`` of
        those before day 0, and -1 for none (or for one that is not kept, outside the planted quarters).
    event : ndarray of int
        ``event_id`` of the event that brought this one, -1 for none.
    """

    t_us: IntArray
    type_code: IntArray
    site: IntArray
    cell: IntArray
    quarter: IntArray
    cause: IntArray
    parent: IntArray
    event: IntArray

    def __len__(self) -> int:
        return len(self.t_us)

    @property
    def ids(self) -> IntArray:
        """Identifier of each."""
        return np.arange(len(self), dtype=np.int64)

    def to_frame(self, city: City) -> pd.DataFrame:
        """Frame with the columns of ``truth/incidents.parquet``, less ``known_by``."""
        return pd.DataFrame(
            {
                INCIDENT_ID: self.ids,
                T_EVENT: instants(self.t_us),
                X_M: city.site_x_m[self.site],
                Y_M: city.site_y_m[self.site],
                TYPE: words(self.type_code, INCIDENT_TYPES),
                QUARTER_ID: words(self.quarter, city.quarters[QUARTER_ID].tolist()),
                CELL: self.cell,
                CAUSE: words(self.cause, CAUSES),
                PARENT_ID: self.parent,
                EVENT_ID: self.event,
            }
        )


class History(Happenings):
    """Incidents before day 0, numbered -2, -3, … in order of time: what later ones may be the follow-ons of."""

    @property
    def ids(self) -> IntArray:
        """Identifier of each."""
        return -2 - np.arange(len(self), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Incidents(Happenings):
    """Latent incidents of the days of the scenario, and the law they were drawn from.

    Attributes
    ----------
    day, second : ndarray of int
        Local day from the start of the scenario, and whole second of the local clock.
    planted : ndarray of bool
        Whether the incident would not have happened without the planted effect.
    planted_quarters : ndarray of int
        Rows of the quarters with a planted effect, none by default.
    before : History
        What happened before day 0. What is planted is left out.
    background : Background
        Rate of what owes nothing to earlier incidents. What is planted is left out.
    trigger : Triggering
        How one incident brings others.
    """

    day: IntArray
    second: IntArray
    planted: npt.NDArray[np.bool_]
    planted_quarters: IntArray
    before: History
    background: Background
    trigger: Triggering

    @property
    def cell_risk(self) -> FloatArray:
        """Law of the place of a background incident, per type, events left out; shape (12, n_cells), rows sum to 1."""
        return self.background.place


def words(codes: IntArray, vocabulary: tuple[str, ...] | list[str]) -> pd.Series[str]:
    """Strings named by their index in a vocabulary."""
    return pd.Series(np.array(vocabulary, dtype=object)[codes], dtype="str")


def draw_incidents(
    scenario: Scenario,
    city: City,
    *,
    places: Places,
    calendar: pd.DataFrame,
    weather: Weather,
    rng: np.random.Generator,
) -> Incidents:
    """Draw every incident of the scenario's days.

    The total is random with mean ``latent_per_day * n_days``, given the weather and the calendar. What is planted comes
    on top: an independent copy of the whole process, of which only what falls in the planted quarters is kept. So the
    rate of those quarters is multiplied by ``planted_factor``, follow-on incidents included, and under the same
    generator every other incident of the city is the one that would have happened anyway.

    Parameters
    ----------
    scenario : Scenario
    city : City
    places : Places
        Bars and stops, which nightlife and transit follow.
    calendar : DataFrame
        Events, from :func:`synthetic_data.calendar.draw_calendar`.
    weather : Weather
        Of the same days, from :func:`synthetic_data.weather.draw_weather`.
    rng : numpy.random.Generator
        Source of chance.

    Raises
    ------
    ParameterError
        If events alone would bring more incidents of a type than the scenario has.
    """
    plan = scenario.incidents
    trigger = Triggering.of(plan)
    law = compose_background(scenario, city, places=places, calendar=calendar, weather=weather, rng=rng)
    usual = _happen(city, law, trigger, volume=1.0, rng=rng)
    opening = law.slots.opening_us
    n_before = int(np.searchsorted(usual.t_us, opening))
    before = _renumbered(usual, np.arange(n_before), n_before=n_before)
    now = _renumbered(usual, np.arange(n_before, len(usual)), n_before=n_before)
    planted, planted_quarters = np.zeros(len(now), dtype=bool), np.empty(0, dtype=np.int64)
    if plan.planted_quarters:
        planted_quarters = np.sort(rng.choice(len(city.quarters), size=plan.planted_quarters, replace=False))
        copy = _happen(city, law, trigger, volume=plan.planted_factor - 1, rng=rng)
        kept = np.flatnonzero((copy.t_us >= opening) & np.isin(copy.quarter, planted_quarters))
        now, planted = _merged(now, _renumbered(copy, kept, n_before=0))
    return Incidents(
        **vars(now),
        day=law.slots.day[law.slots.index(now.t_us)],
        second=law.slots.second(now.t_us),
        planted=planted,
        planted_quarters=planted_quarters,
        before=History(**vars(before)),
        background=law,
        trigger=trigger,
    )


def _happen(city: City, law: Background, trigger: Triggering, *, volume: float, rng: np.random.Generator) -> Happenings:
    """Draw the whole process with its background multiplied by ``volume``, from the first half hour to the last."""
    slots, k = law.slots, city.sites_per_cell
    first, kinds, sites, causes, events = [], [], [], [], []
    for type_code in range(len(law.tempo)):
        in_slot = rng.poisson(volume * law.tempo[type_code])
        total = int(in_slot.sum())
        first.append(np.repeat(np.arange(len(slots)), in_slot))
        kinds.append(np.full(total, type_code))
        sites.append(pick(law.place[type_code], size=total, rng=rng) * k + rng.integers(k, size=total))
        causes.append(np.full(total, BACKGROUND))
        events.append(np.full(total, -1))
    held = law.event_last - law.event_first
    row, code = np.divmod(np.arange(law.event_rate.size), len(law.tempo))
    n = rng.poisson(volume * law.event_rate.ravel() * held[row])
    row, code = np.repeat(row, n), np.repeat(code, n)
    first.append(law.event_first[row] + rng.integers(held[row]))
    kinds.append(code)
    sites.append(displace(city, law.event_x_m[row], law.event_y_m[row], sd_m=law.event_sd_m, rng=rng))
    causes.append(np.full(len(row), EVENT))
    events.append(law.event_id[row])

    slot = np.concatenate(first)
    t_us = slots.start_us + slot * SLOT_US + rng.integers(SLOT_US, size=len(slot))
    kind, site = np.concatenate(kinds), np.concatenate(sites)
    t_us, kind, site, parent = _follow_on(t_us, kind, site, city=city, trigger=trigger, end_us=slots.end_us, rng=rng)
    n_later = len(t_us) - len(slot)
    order = np.argsort(t_us, kind="stable")
    place = np.empty(len(order) + 1, dtype=np.int64)
    place[order], place[-1] = np.arange(len(order)), -1
    site = site[order]
    return Happenings(
        t_us=t_us[order],
        type_code=kind[order],
        site=site,
        cell=site // k,
        quarter=city.site_quarter[site],
        cause=np.concatenate([*causes, np.full(n_later, NEAR_REPEAT)])[order],
        parent=place[parent[order]],
        event=np.concatenate([*events, np.full(n_later, -1)])[order],
    )


def _follow_on(
    t_us: IntArray,
    kind: IntArray,
    site: IntArray,
    *,
    city: City,
    trigger: Triggering,
    end_us: int,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Add the follow-ons of every generation that come before ``end_us``: instant, type, address and parent of all."""
    times, kinds, sites, parents = [t_us], [kind], [site], [np.full(len(t_us), -1, dtype=np.int64)]
    first = 0
    while trigger.mean > 0 and len(times[-1]):
        source = np.repeat(np.arange(len(times[-1])), rng.poisson(trigger.mean, size=len(times[-1])))
        lag = rng.standard_exponential(len(source)) * trigger.lag_days * DAY_US
        # a microsecond at least: nothing comes before what brought it
        born = times[-1][source] + np.ceil(np.maximum(lag, 1.0)).astype(np.int64)
        alive = born < end_us
        source, born = source[alive], born[alive]
        there = sites[-1][source]
        moved = np.flatnonzero(rng.random(len(source)) >= trigger.same_address)
        there[moved] = displace(
            city, city.site_x_m[there[moved]], city.site_y_m[there[moved]], sd_m=trigger.sd_m, rng=rng
        )
        parents.append(first + source)
        first += len(times[-1])
        kinds.append(kinds[-1][source])
        sites.append(there)
        times.append(born)
    return np.concatenate(times), np.concatenate(kinds), np.concatenate(sites), np.concatenate(parents)


def _renumbered(all_of: Happenings, kept: IntArray, *, n_before: int) -> Happenings:
    """Keep some; parents become their place among the kept ones, ``-2 - i`` for the first ``n_before`` of all."""
    number = np.full(len(all_of) + 1, -1, dtype=np.int64)
    number[kept] = np.arange(len(kept))
    number[:n_before] = -2 - np.arange(n_before)
    part = {name: values[kept] for name, values in vars(all_of).items()}
    return Happenings(**part | {"parent": number[part["parent"]]})


def _merged(one: Happenings, other: Happenings) -> tuple[Happenings, npt.NDArray[np.bool_]]:
    """Both in order of time, and which come from the second."""
    shift = np.where(other.parent >= 0, other.parent + len(one), other.parent)
    both = {name: np.concatenate([values, getattr(other, name)]) for name, values in vars(one).items()}
    both["parent"] = np.concatenate([one.parent, shift])
    order = np.argsort(both["t_us"], kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    both = {name: values[order] for name, values in both.items()}
    inside = both["parent"] >= 0
    both["parent"] = np.where(inside, place[np.where(inside, both["parent"], 0)], both["parent"])
    return Happenings(**both), order >= len(one)
