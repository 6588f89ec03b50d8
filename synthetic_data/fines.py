"""Fines: infractions that nobody counts, and the small part that effort and cameras make a fine of.

A fined vehicle has the plate of a car owner of the city, who lives near or crosses it, or of a visitor.

What it cannot tell you: how many infractions there are. Nobody knows; their number and their map are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import QUARTER_ID
from synthetic_data.cameras import coverage
from synthetic_data.city import City
from synthetic_data.clock import local_to_utc_us
from synthetic_data.incidents import words
from synthetic_data.neighbours import Neighbours, somewhere_near
from synthetic_data.people import People
from synthetic_data.scenario import Scenario
from synthetic_data.solving import solve

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

_SHIFT_S: Final = 8 * 3600
#: Effort against fines in each shift, per hour of patrol: few at night. Assumption.
_SHIFT_EFFORT: Final = (0.1, 1.0, 0.7)
#: Weekly rhythm of infractions, Monday first. Assumption.
_TRAFFIC: Final = (1.03, 1.03, 1.03, 1.03, 1.08, 1.0, 0.8)
#: Vehicles that visit the city, by number: their plates come after those of residents. Assumption.
N_VISITORS: Final = 400_000
#: How far from home a vehicle counts as parked near it, spread in each direction. Assumption.
_NEAR_HOME_M: Final = 400.0

#: Invented infraction codes of the fines stream, and their shares.
FINE_CODES: Final = {
    "STAT-GENANT": 0.30, "STAT-TRES-GENANT": 0.20, "STAT-DANGEREUX": 0.06, "STAT-PAYANT": 0.28, "CIRC-BUS": 0.06,
    "CIRC-SENS": 0.05, "DEPOT": 0.03, "BRUIT": 0.02,
}  # fmt: skip
#: Vehicle classes of the fines stream, and their shares.
VEHICLE_CLASSES: Final = {"VP": 0.76, "VUL": 0.11, "2RM": 0.08, "PL": 0.02, "BUS": 0.01, "AUTRE": 0.02}


@dataclass(frozen=True, eq=False)
class Fines:
    """Fines in order of time, and the daily truth behind them.

    Attributes
    ----------
    t_us, site, code, camera, vehicle, plate : ndarray
        One item per fine: instant, address, index of its code, issued from a camera, index of its vehicle class,
        number of its plate (that of the person who owns the car; beyond the population, of a visitor).
    person : ndarray of int
        Owner of the vehicle, -1 for a visitor.
    daily : DataFrame
        ``truth/infractions_daily.parquet``: day, quarter_id, n_infractions, patrol_hours, n_recorded.
    """

    t_us: IntArray
    site: IntArray
    code: IntArray
    camera: npt.NDArray[np.bool_]
    vehicle: IntArray
    plate: IntArray
    person: IntArray
    daily: pd.DataFrame

    def __len__(self) -> int:
        return len(self.t_us)


def draw_fines(
    scenario: Scenario,
    city: City,
    hours: FloatArray,
    *,
    people: People,
    cameras: pd.DataFrame,
    rng: np.random.Generator,
) -> Fines:
    """Draw infractions by day and quarter, the fines that effort and cameras make of them, and the vehicles fined.

    Parameters
    ----------
    hours : ndarray, shape (n_days, 3, n_quarters)
        Crew-hours.
    people : People
        Who owns a car, and where they live.
    cameras : DataFrame
        From :func:`synthetic_data.cameras.draw_cameras`. Without any, agents issue all fines.

    Raises
    ------
    ParameterError
        If no effort reaches ``fines.fines_per_day``.
    """
    plan, quarters, n_days = scenario.fines, city.quarters, scenario.time.n_days
    nightlife = plan.nightlife_share
    bars = quarters["bars"].to_numpy() + 1.0
    demand = (1 - nightlife) * quarters["population"].to_numpy() / quarters["population"].sum()
    demand = demand + nightlife * bars / bars.sum()
    weekday = (scenario.start.weekday() + np.arange(n_days)) % 7
    traffic = np.array(_TRAFFIC)[weekday]
    seen = rng.poisson(plan.infractions_per_day * (traffic / traffic.mean())[:, None] * demand)

    effort = np.array(plan.weekday_effort)[weekday][:, None] * hours.sum(axis=1) / city.area_km2
    in_view = np.repeat(coverage(cameras, city, contrast=scenario.cameras.contrast), city.sites_per_cell)
    addresses = np.bincount(city.site_quarter, minlength=len(quarters))
    of_quarter = np.bincount(city.site_quarter, in_view, minlength=len(quarters)) / np.maximum(addresses, 1)
    camera_share = plan.camera_share if of_quarter.any() else 0.0
    total = plan.fines_per_day * n_days
    p_camera = _catch(seen, np.broadcast_to(of_quarter, seen.shape), target=total * camera_share)
    by_camera = rng.binomial(seen, p_camera)
    p_agent = _catch(seen - by_camera, effort, target=total * (1 - camera_share))
    by_agent = rng.binomial(seen - by_camera, p_agent)

    day_index, quarter_index = (a.ravel() for a in np.indices(seen.shape))
    daily = pd.DataFrame(
        {
            "day": day_index,
            QUARTER_ID: words(quarter_index, quarters[QUARTER_ID].tolist()),
            "n_infractions": seen.ravel(),
            "patrol_hours": hours.sum(axis=1).ravel(),
            "n_recorded": (by_agent + by_camera).ravel(),
        }
    )
    counts = np.concatenate([by_agent.ravel(), by_camera.ravel()])
    day = np.repeat(np.tile(day_index, 2), counts)
    quarter = np.repeat(np.tile(quarter_index, 2), counts)
    camera = np.arange(len(day)) >= int(by_agent.sum())
    second = np.where(camera, _daytime(len(day), rng=rng), _in_shift(hours, day, quarter, rng=rng))
    t_us = local_to_utc_us(scenario, day, second)
    n = len(day)
    code = rng.choice(len(FINE_CODES), size=n, p=list(FINE_CODES.values()))
    u = rng.random(n)
    site = np.where(camera, _sites_in(city, quarter, u, weight=in_view), _sites_in(city, quarter, u))
    order = np.argsort(t_us, kind="stable")
    plate = _vehicles(scenario, city, people, site[order], rng=rng)
    n_people = len(people)
    class_of = rng.choice(len(VEHICLE_CLASSES), size=n_people + N_VISITORS, p=list(VEHICLE_CLASSES.values()))
    return Fines(
        t_us=t_us[order],
        site=site[order],
        code=code[order],
        camera=camera[order],
        vehicle=class_of[plate],
        plate=plate,
        person=np.where(plate < n_people, plate, -1),
        daily=daily,
    )


def _vehicles(scenario: Scenario, city: City, people: People, site: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Plate of each fined vehicle: of a car owner who lives near, of one from anywhere in the city, or of a visitor."""
    plan, n = scenario.fines, len(site)
    habit = np.exp(plan.driver_log_sd * rng.standard_normal(len(people)))
    habit = np.where(people.car, habit, 0.0)
    near = Neighbours.of(np.arange(len(people)), people.home_cell(city), habit, city)
    cell = somewhere_near(city, city.site_x_m[site], city.site_y_m[site], spread_m=_NEAR_HOME_M, rng=rng)
    local = near.draw(np.where(cell >= 0, cell, site // city.sites_per_cell), rng=rng)
    filled = np.cumsum(habit)
    anyone = np.searchsorted(filled, rng.random(n) * filled[-1], side="right") if filled[-1:].sum() > 0 else local
    visitor = len(people) + rng.integers(N_VISITORS, size=n)
    u = rng.random(n)
    plate = np.where(u < plan.visitor_share, visitor, np.where(rng.random(n) < plan.local_share, local, anyone))
    return np.where(plate < 0, visitor, plate).astype(np.int64)


def _catch(n: IntArray, exposure: FloatArray, *, target: float) -> FloatArray:
    """Chance ``1 - exp(-c * exposure)`` with c such that the expected catch among ``n`` is ``target``."""
    if target <= 0:
        return np.zeros(n.shape)
    c = solve(lambda v: float((n * -np.expm1(-v * exposure)).sum()), target=target, what="fines.fines_per_day")
    return np.asarray(-np.expm1(-c * exposure), dtype=np.float64)


def _daytime(n: int, *, rng: np.random.Generator) -> IntArray:
    """Seconds of the day when cameras are used for fines: around mid-afternoon, 7 h to 21 h."""
    return (7 * 3600 + 14 * 3600 * rng.beta(2.2, 2.0, size=n)).astype(np.int64)


def _in_shift(hours: FloatArray, day: IntArray, quarter: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Seconds of the day spread over the three shifts as the quarter's patrol hours are, few at night."""
    law = np.cumsum(hours[day, :, quarter] * np.array(_SHIFT_EFFORT), axis=1)
    shift = (rng.random(len(day))[:, None] * law[:, -1:] > law).sum(axis=1)
    at = np.minimum(shift, 2) * _SHIFT_S + rng.integers(_SHIFT_S, size=len(day))
    return np.asarray(at, dtype=np.int64)


def _sites_in(city: City, quarter: IntArray, u: FloatArray, *, weight: FloatArray | None = None) -> IntArray:
    """Address of each quarter named, in proportion to ``weight``; any of it where all weigh 0, any at all if none."""
    by_quarter = np.argsort(city.site_quarter, kind="stable")
    held = city.site_quarter[by_quarter]
    first, last = (np.searchsorted(held, np.arange(len(city.quarters)), side=s) for s in ("left", "right"))
    one = np.ones(len(by_quarter)) if weight is None else weight[by_quarter]
    filled = np.concatenate([[0.0], np.cumsum(one)])
    below, above = filled[first][quarter], filled[last][quarter]
    row = np.searchsorted(filled, below + u * (above - below), side="right") - 1
    size = (last - first)[quarter]
    evenly = first[quarter] + (u * size).astype(np.int64)
    row = np.where(above > below, np.clip(row, first[quarter], np.maximum(last[quarter] - 1, 0)), evenly)
    anywhere = (u * len(by_quarter)).astype(np.int64)
    return by_quarter[np.where(size > 0, np.minimum(row, len(by_quarter) - 1), anywhere)]
