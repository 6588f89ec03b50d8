"""The calendar of the city: markets, matches, concerts, festivals, picnics, shoots, works, permits, visits.

Each kind has its weekdays, its season, its hours and its places. Markets come back every week at the same place. Some
gatherings are held without being declared: they are in this table, the truth, with ``authorised`` false, and no
published stream shows them.

What it cannot tell you: shares of kinds, hours and crowds are assumptions (:data:`KINDS`, :data:`EFFECTS`); the number
of declared events a day is the one anchor. Works and permits that began before day 0 are left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import CELL, X_M, Y_M
from contrechamp.domain.text import Text
from synthetic_data.city import City
from synthetic_data.clock import SLOT_US, Slots, local_to_utc_us
from synthetic_data.places import Places
from synthetic_data.scenario import Scenario
from synthetic_data.weather import yearly_wave

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Residents of a city where crowds are those of :data:`KINDS`; elsewhere crowds are in proportion.
_REFERENCE_POPULATION: Final = 860_000
#: A year in whole weeks, over which shares of kinds hold.
_YEAR_DAYS: Final = 364
#: First and last day of school holidays, month and day, the same every year. Assumption.
_HOLIDAYS: Final = (((10, 20), (11, 3)), ((12, 21), (12, 31)), ((1, 1), (1, 4)), ((2, 12), (2, 27)),
                    ((4, 10), (4, 25)), ((7, 6), (8, 31)))  # fmt: skip


@dataclass(frozen=True, slots=True)
class EventKind:
    """One kind of event. Every number is an assumption.

    Attributes
    ----------
    label : Text
    share : float
        Share of declared events, over a year.
    venue : str
        Kind of place where it is held, or ``"address"``.
    week : tuple of float
        Relative frequency by weekday, Monday first.
    summer : float
        Log of its frequency in mid-July against mid-January, half of it.
    holidays : float
        How many times as frequent in school holidays.
    start_h, start_sd_h : float
        Local hour it begins.
    hours, hours_log_sd : float
        Median duration and its spread.
    crowd : float
        Median attendance in a city of 860,000 residents; 0 for what draws nobody.
    organisers : int
        How many persons share the organising of this kind, most of it by a few.
    free : bool
        Whether it may be held without being declared.
    """

    label: Text
    share: float
    venue: str
    week: tuple[float, ...]
    summer: float = 0.0
    holidays: float = 1.0
    start_h: float = 9.0
    start_sd_h: float = 0.5
    hours: float = 3.0
    hours_log_sd: float = 0.3
    crowd: float = 0.0
    organisers: int = 40
    free: bool = False


_OFFICE: Final = (1.0, 1.0, 1.0, 1.0, 1.0, 0.0, 0.0)
_EVENING: Final = (0.3, 0.4, 0.7, 1.2, 2.0, 2.0, 0.4)
_WEEKEND: Final = (0.2, 0.2, 0.6, 0.2, 0.4, 2.4, 3.0)

#: Kinds of events. The order is part of what is drawn.
KINDS: Final[Mapping[str, EventKind]] = {
    "market": EventKind(
        Text(fr="marché", en="market"), 0.26, "market", (0.5, 1.0, 1.1, 1.0, 1.1, 1.4, 0.9),
        start_h=7, start_sd_h=0, hours=6.5, hours_log_sd=0, crowd=1200, organisers=25,
    ),
    "match": EventKind(
        Text(fr="match", en="match"), 0.003, "stadium", (0, 0.2, 0.6, 0.4, 0.6, 2.2, 3.0), summer=-0.5,
        start_h=20, start_sd_h=1.5, hours=3, hours_log_sd=0, crowd=32_000, organisers=2,
    ),
    "concert": EventKind(
        Text(fr="concert", en="concert"), 0.06, "bar", _EVENING, summer=0.3,
        start_h=20.5, start_sd_h=0.7, hours=3.5, crowd=90, organisers=150, free=True,
    ),
    "festival": EventKind(
        Text(fr="festival", en="festival"), 0.01, "park", _WEEKEND, summer=2.2, holidays=1.3,
        start_h=16, start_sd_h=2, hours=7, crowd=3500, organisers=12,
    ),
    "picnic": EventKind(
        Text(fr="pique-nique", en="picnic"), 0.05, "park", _WEEKEND, summer=2.0, holidays=1.5,
        start_h=12.5, start_sd_h=1.5, hours=4, crowd=60, organisers=400, free=True,
    ),
    "sport": EventKind(
        Text(fr="rencontre sportive", en="sports meeting"), 0.04, "park", _WEEKEND, summer=0.2, holidays=0.6,
        start_h=10, start_sd_h=2.5, hours=4, crowd=250, organisers=120, free=True,
    ),
    "shoot": EventKind(
        Text(fr="tournage", en="film shoot"), 0.05, "address", (1.2, 1.3, 1.3, 1.3, 1.2, 0.5, 0.2), summer=0.3,
        start_h=8, start_sd_h=2, hours=10, crowd=40, organisers=60,
    ),
    "official_visit": EventKind(
        Text(fr="visite officielle", en="official visit"), 0.02, "town_hall", _OFFICE, holidays=0.4,
        start_h=11, start_sd_h=2.5, hours=2, crowd=200, organisers=9,
    ),
    "building_permit": EventKind(
        Text(fr="permis de construire", en="building permit"), 0.24, "address", _OFFICE, start_h=8, start_sd_h=0,
        hours=24 * 120, hours_log_sd=0.7, organisers=1500,
    ),
    "road_works": EventKind(
        Text(fr="travaux de voirie", en="road works"), 0.18, "address", _OFFICE, summer=0.2, start_h=8, start_sd_h=0.5,
        hours=24 * 6, hours_log_sd=0.8, organisers=60,
    ),
    "order": EventKind(
        Text(fr="arrêté temporaire (déménagement, benne)", en="temporary order (house move, skip)"), 0.087, "address",
        (1.0, 1.0, 1.0, 1.0, 1.3, 1.5, 0.2), summer=0.3, start_h=8, start_sd_h=1, hours=10, organisers=900,
    ),
}  # fmt: skip

#: How many resident-hours' worth of background incidents of a type one hour of one attendee brings. Assumptions.
EFFECTS: Final[Mapping[str, Mapping[str, float]]] = {
    "market": {"vente_sauvette": 8.0, "stationnement_genant": 4.0, "depot_sauvage": 4.0, "vol": 3.0, "accident": 1.0},
    "match": {"rixe": 10.0, "stationnement_genant": 6.0, "vente_sauvette": 6.0, "violence": 4.0, "tapage": 2.0,
              "degradation": 2.0, "vol": 2.0},
    "concert": {"tapage": 10.0, "rixe": 6.0, "vol": 4.0, "stationnement_genant": 3.0},
    "festival": {"tapage": 6.0, "vol": 6.0, "vente_sauvette": 6.0, "depot_sauvage": 5.0, "rixe": 5.0,
                 "stationnement_genant": 5.0},
    "picnic": {"depot_sauvage": 10.0, "tapage": 8.0, "attroupement": 4.0},
    "sport": {"stationnement_genant": 6.0, "depot_sauvage": 2.0, "accident": 2.0},
    "shoot": {"stationnement_genant": 10.0},
    "official_visit": {"attroupement": 8.0, "stationnement_genant": 5.0},
}  # fmt: skip


def draw_calendar(scenario: Scenario, city: City, places: Places, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the events that begin within the days of the scenario, declared or not.

    The expected number of declared events over a year is ``events_per_day`` times its days. Events begin and end on
    half hours of UTC.

    Returns
    -------
    DataFrame
        By start: event_id (int, from 0), kind, t_start_us, t_end_us (int, microseconds of UTC), x_m, y_m (EPSG:2154),
        cell, quarter (row), expected_crowd, attendance (persons), authorised (bool), organiser (number of a person).
    """
    year = Slots.of(scenario.start, n_days=max(scenario.time.n_days, _YEAR_DAYS))
    parts = [_draw_kind(name, scenario, city, places, year=year, rng=rng) for name in KINDS]
    drawn = pd.concat(parts, ignore_index=True)
    drawn = drawn.sort_values("t_start_us", kind="stable", ignore_index=True)
    drawn.insert(0, "event_id", np.arange(len(drawn), dtype=np.int64))
    return drawn


def school_holidays(start: pd.Timestamp, n_days: int) -> BoolArray:
    """Whether each of ``n_days`` local days from ``start`` is in school holidays; shape (n_days,)."""
    days = pd.date_range(start.tz_localize(None), periods=n_days, freq="D")
    of_year = np.asarray(100 * days.month + days.day)
    spans = [(100 * a[0] + a[1], 100 * b[0] + b[1]) for a, b in _HOLIDAYS]
    return np.asarray(np.any([(of_year >= low) & (of_year <= high) for low, high in spans], axis=0), dtype=np.bool_)


def daily_law(kind: EventKind, *, start: pd.Timestamp, year: Slots) -> FloatArray:
    """Relative frequency of a kind by local day of ``year``, with mean 1 over the first 364 days."""
    first = np.flatnonzero(np.diff(year.day, prepend=-1))
    factor = np.array(kind.week)[year.weekday[first]] * np.exp(0.5 * kind.summer * yearly_wave(year.day_of_year[first]))
    factor = factor * np.where(school_holidays(start, len(first)), kind.holidays, 1.0)
    return np.asarray(factor / factor[:_YEAR_DAYS].mean(), dtype=np.float64)


def _draw_kind(
    name: str, scenario: Scenario, city: City, places: Places, *, year: Slots, rng: np.random.Generator
) -> pd.DataFrame:
    plan, kind, n_days = scenario.calendar, KINDS[name], scenario.time.n_days
    undeclared = plan.undeclared_share if kind.free else 0.0
    per_day = plan.events_per_day * kind.share / (1 - undeclared)
    if name == "market":
        day, venue = _timetable(kind, city, places, scenario=scenario, per_day=per_day, rng=rng)
    else:
        law = per_day * daily_law(kind, start=scenario.start, year=year)[:n_days]
        # one stadium holds one match a day
        count = (rng.random(n_days) < law).astype(np.int64) if name == "match" else rng.poisson(law)
        day = np.repeat(np.arange(n_days), count)
        venue = _venues(kind, city, places, n=len(day), rng=rng)
    n = len(day)
    at = np.round(2 * (kind.start_h + kind.start_sd_h * rng.standard_normal(n))).astype(np.int64).clip(0, 47)
    length = np.round(2 * kind.hours * np.exp(kind.hours_log_sd * rng.standard_normal(n))).astype(np.int64)
    t_start = local_to_utc_us(scenario, day, at * 1800)
    size = plan.crowd * kind.crowd * scenario.city.population / _REFERENCE_POPULATION
    expected = size * np.exp(plan.crowd_log_sd * rng.standard_normal(n))
    came = np.minimum(expected * np.exp(plan.forecast_log_sd * rng.standard_normal(n)), venue["capacity"].to_numpy())
    pool = rng.integers(scenario.city.population, size=kind.organisers)
    return pd.DataFrame(
        {
            "kind": pd.Series([name] * n, dtype="str"),
            "t_start_us": t_start,
            "t_end_us": t_start + SLOT_US * np.maximum(length, 1),
            X_M: venue[X_M].to_numpy(dtype=np.float64),
            Y_M: venue[Y_M].to_numpy(dtype=np.float64),
            CELL: venue[CELL].to_numpy(dtype=np.int64),
            "quarter": venue["quarter"].to_numpy(dtype=np.int64),
            "expected_crowd": np.round(np.minimum(expected, venue["capacity"].to_numpy())).astype(np.int64),
            "attendance": np.round(came).astype(np.int64),
            "authorised": rng.random(n) >= undeclared,
            "organiser": pool[np.floor(kind.organisers * rng.random(n) ** 2).astype(np.int64)],
        }
    )


def _timetable(
    kind: EventKind, city: City, places: Places, *, scenario: Scenario, per_day: float, rng: np.random.Generator
) -> tuple[IntArray, pd.DataFrame]:
    """Days and places of what comes back every week: pairs of a place and a weekday, drawn once."""
    a_week = 7 * per_day
    n = int(a_week) + int(rng.random() < a_week % 1)
    known = places.of(kind.venue)[_COLUMNS]
    more = max(0, -(-n // 3) - len(known))  # at most about three days a week at one place
    held = pd.concat([known, _addresses(city, n=more, rng=rng)], ignore_index=True) if more else known
    week = np.array(kind.week) / sum(kind.week)
    pairs = np.empty(0, dtype=np.int64)
    if n:
        pairs = np.sort(rng.choice(7 * len(held), size=n, replace=False, p=np.tile(week, len(held)) / len(held)))
    place, weekday = np.divmod(pairs, 7)
    first = (weekday - scenario.start.weekday()) % 7
    weeks = 7 * np.arange(-(-scenario.time.n_days // 7))
    day = (first[:, None] + weeks).ravel()
    which = np.repeat(place, len(weeks))
    inside = day < scenario.time.n_days
    return day[inside], held.iloc[which[inside]]


def _venues(kind: EventKind, city: City, places: Places, *, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw where each event is held; at an address where the city has no such place."""
    known = places.of(kind.venue)[_COLUMNS] if kind.venue != "address" else None
    if known is None or known.empty:
        return _addresses(city, n=n, rng=rng)
    return known.iloc[rng.integers(len(known), size=n)]


_COLUMNS: Final = [X_M, Y_M, CELL, "quarter", "capacity"]


def _addresses(city: City, *, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Draw addresses where there are buildings; any number of persons fits."""
    built = city.cell_density / city.cell_density.sum()
    cell = rng.choice(city.grid.n_cells, size=n, p=built)
    site = cell * city.sites_per_cell + rng.integers(city.sites_per_cell, size=n)
    return pd.DataFrame(
        {
            X_M: city.site_x_m[site], Y_M: city.site_y_m[site], CELL: cell, "quarter": city.site_quarter[site],
            "capacity": np.full(n, np.inf),
        }
    )  # fmt: skip
