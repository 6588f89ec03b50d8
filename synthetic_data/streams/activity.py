"""Who is about, where and when: the activity in the street that telephones, cameras, microphones and buses all follow.

One law for all of them, so that streams agree with each other as they would in a city: a square that fills up does so
for the operator, for the cameras and for the sound sensors.

What it cannot tell you: how many people really walk. The weights below are assumptions; only what lives, works and
stands in a place moves them, and nobody goes about differently for being poor, of a group, or watched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from synthetic_data.city import standard
from synthetic_data.streams.dense import BoolArray, Clock, FloatArray, IntArray, bump, clock, days

if TYPE_CHECKING:
    import pandas as pd

    from synthetic_data.world import World

#: Persons in the street at the peak hour per resident, per job, and per place of each kind. All assumptions.
WEIGHTS: Final = {
    "residents": 0.020, "jobs": 0.030, "bar": 9.0, "station": 60.0, "market": 150.0, "school": 18.0, "park": 8.0,
}  # fmt: skip


def layers(world: World) -> dict[str, FloatArray]:
    """Residents, jobs and places of each kind per grid cell; each of shape (n_cells,)."""
    people, n = world.people, world.city.grid.n_cells
    out = {
        "residents": np.bincount(home_cell(world), minlength=n).astype(np.float64),
        "jobs": np.bincount(people.work_cell[people.work_cell >= 0], minlength=n).astype(np.float64),
    }
    known = set(world.places.frame["kind"])
    return out | {k: world.places.layer(k) if k in known else np.zeros(n) for k in WEIGHTS if k not in out}


def home_cell(world: World) -> IntArray:
    """Grid cell in which each person lives."""
    return world.people.home_site.astype(np.int64) // world.city.sites_per_cell


def hours(at: Clock) -> dict[str, FloatArray]:
    """How much of each kind of activity there is at each instant: 1 at its busiest; arrays of shape (n_steps,)."""
    work = np.where(at.weekend, 0.25, 1.0)
    late = np.where(np.isin(at.weekday, (4, 5)), 1.0, 0.6)
    commute = bump(at.hour, peak_h=8.3, spread_h=1.0) + bump(at.hour, peak_h=17.6, spread_h=1.6)
    day = bump(at.hour, peak_h=14.5, spread_h=4.0)
    return {
        "residents": 0.04 + 0.96 * np.maximum(day, bump(at.hour, peak_h=18.5, spread_h=2.5)),
        "jobs": work * np.maximum(bump(at.hour, peak_h=12.7, spread_h=1.2), 0.7 * np.minimum(commute, 1.0)),
        "bar": late * bump(at.hour, peak_h=22.0, spread_h=2.6) + 0.25 * day,
        "station": 0.02 + 0.98 * work * np.minimum(commute, 1.0) + 0.35 * day,
        "market": np.where(at.weekday == 6, 0.4, 1.0) * bump(at.hour, peak_h=10.5, spread_h=1.6),
        "school": np.where(at.weekend, 0.0, 1.0)
        * np.maximum(bump(at.hour, peak_h=8.3, spread_h=0.35), bump(at.hour, peak_h=16.6, spread_h=0.4)),
        "park": bump(at.hour, peak_h=16.5, spread_h=2.5),
    }


def pedestrians(world: World, t_us: IntArray, *, step_s: float) -> FloatArray:
    """Mean number of persons in the street, shape (n_steps, n_cells), in steps of ``step_s`` that open at ``t_us``.

    Those who attend an event are counted in its cell while it lasts; a quarter fewer when it rains.
    """
    at = clock(t_us)
    share, place = hours(at), layers(world)
    base = np.column_stack([WEIGHTS[k] * share[k] for k in WEIGHTS]) @ np.vstack([place[k] for k in WEIGHTS])
    base *= np.where(rainy(world, t_us), 0.75, 1.0)[:, None]
    events = crowds(world)
    ends = t_us + round(step_s * 1e6)
    for start, end, cell, crowd in zip(
        events["t_start_us"], events["t_end_us"], events["cell"], events["attendance"], strict=True
    ):
        first, last = np.searchsorted(ends, start, side="right"), np.searchsorted(t_us, end)
        base[first:last, cell] += crowd
    return np.asarray(base, dtype=np.float64)


def crowds(world: World) -> pd.DataFrame:
    """Events of the calendar that somebody attends and that take place on land."""
    events = world.calendar
    return events[(events["attendance"] > 0) & (events["cell"] >= 0)]


def rainy(world: World, t_us: IntArray) -> BoolArray:
    """Whether the local day of each instant is a rainy one."""
    return world.weather.rainy[run_day(world, t_us)]


def run_day(world: World, t_us: IntArray) -> IntArray:
    """Local day of the run on which each instant falls, held within the run."""
    opening = days(world.scenario, first=0, n_days=1).midnights_us[0]
    at = clock(np.concatenate([[opening], t_us]).astype(np.int64))
    return np.clip(at.day[1:], 0, world.scenario.time.n_days - 1)


def standard_poverty(world: World) -> FloatArray:
    """Poverty of each quarter in standard deviations; zeros where it does not differ."""
    return standard(world.city.quarters["poverty"].to_numpy(dtype=np.float64))
