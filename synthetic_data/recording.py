"""How what happens becomes what is known: residents report some of it, patrols find some of it, the rest is lost.

Two routes, independent given the incident. A resident reports with a chance that depends on the type and on the
quarter, never on patrols. A patrol finds with a chance that grows with the hours patrolled in the quarter during the
shift. When both would, the first to come is the one on record. Fines have one route only, effort, and cameras.

What it cannot tell you: the two propensities are inputs. The log alone cannot separate them; that is the point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import INCIDENT_TYPES, KNOWN_BY, QUARTER_ID
from contrechamp.domain.errors import ParameterError
from synthetic_data.city import City
from synthetic_data.incidents import Incidents, local_to_utc_us, words
from synthetic_data.names import N_PEOPLE
from synthetic_data.scenario import Scenario

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Routes by code: index 0 is "not in the record".
ROUTES: Final = ("none", "reported", "discovered")
NONE, REPORTED, DISCOVERED = range(3)
_SHIFT_S: Final = 8 * 3600

#: Invented infraction codes of the fines stream, and their shares.
FINE_CODES: Final = {
    "STAT-GENANT": 0.30, "STAT-TRES-GENANT": 0.20, "STAT-DANGEREUX": 0.06, "STAT-PAYANT": 0.28, "CIRC-BUS": 0.06,
    "CIRC-SENS": 0.05, "DEPOT": 0.03, "BRUIT": 0.02,
}  # fmt: skip
#: Vehicle classes of the fines stream, and their shares.
VEHICLE_CLASSES: Final = {"VP": 0.76, "VUL": 0.11, "2RM": 0.08, "PL": 0.02, "BUS": 0.01, "AUTRE": 0.02}


@dataclass(frozen=True, eq=False)
class Records:
    """Rows of the municipal log, in order of entry.

    Attributes
    ----------
    known_by : ndarray of int, shape (n_incidents,)
        Route of every latent incident, an index in :data:`ROUTES`.
    incident : ndarray of int
        Latent incident of each record.
    t_entry_us : ndarray of int
        When it entered the log, microseconds of UTC.
    caller : ndarray of int
        Synthetic person who called, -1 when a patrol found it.
    named_in_text, variant, crew : ndarray
        Whether the free text repeats the caller's name, which wording it uses, and which crew wrote it.
    p_report, p_discover : ndarray, shape (n_incidents,)
        Chance of each route, as drawn from. Truth: for measurement only.
    visibility : float
        The constant solved so that the expected number of records is the scenario's, what was planted left out; times
        ``patrol_sight``.
    """

    known_by: IntArray
    incident: IntArray
    t_entry_us: IntArray
    caller: IntArray
    named_in_text: npt.NDArray[np.bool_]
    variant: IntArray
    crew: IntArray
    p_report: FloatArray
    p_discover: FloatArray
    visibility: float


@dataclass(frozen=True, eq=False)
class Fines:
    """Fines in order of time, and the daily truth behind them.

    Attributes
    ----------
    t_us, site, code, camera, vehicle, plate : ndarray
        One item per fine: instant, address, index of its code, issued from a camera, index of its vehicle class,
        number of its plate.
    daily : DataFrame
        ``truth/infractions_daily.parquet``.
    """

    t_us: IntArray
    site: IntArray
    code: IntArray
    camera: npt.NDArray[np.bool_]
    vehicle: IntArray
    plate: IntArray
    daily: pd.DataFrame


def draw_patrols(scenario: Scenario, city: City, *, rng: np.random.Generator) -> FloatArray:
    """Draw crew-hours, shape (n_days, 3 shifts, n_quarters).

    A static plan, heavier in the dense centre, with day-to-day variation; every shift's total is the plan's.
    """
    plan, quarters = scenario.patrols, city.quarters
    density = quarters["population"].to_numpy() / city.area_km2
    away_km = np.hypot(*(_middle(city) - city.centre_m).T) / 1000.0
    weight = city.area_km2 * density**plan.density_power * (0.2 + np.exp(-away_km / plan.centre_km))
    shape = (scenario.time.n_days, 3, len(quarters))
    noise = rng.gamma(1 / plan.daily_cv**2, plan.daily_cv**2, size=shape) if plan.daily_cv > 0 else np.ones(shape)
    hours = weight * np.maximum(noise, 1e-9)
    shares = np.array(plan.shift_shares) / sum(plan.shift_shares)
    hours *= plan.hours_per_day * shares[None, :, None] / hours.sum(axis=2, keepdims=True)
    return np.asarray(hours, dtype=np.float64)


def patrols_frame(hours: FloatArray, city: City) -> pd.DataFrame:
    """Frame with the columns of ``truth/patrols.parquet``: day, shift, quarter_id, hours."""
    day, shift, quarter = (a.ravel() for a in np.indices(hours.shape))
    return pd.DataFrame(
        {
            "day": day,
            "shift": shift,
            QUARTER_ID: words(quarter, city.quarters[QUARTER_ID].tolist()),
            "hours": hours.ravel(),
        }
    )


def report_propensity(scenario: Scenario, city: City, cell_risk: FloatArray) -> FloatArray:
    """Chance that a resident reports an incident, by type and quarter; shape (12, n_quarters).

    It falls with poverty; over the places where a type happens its mean is that type's ``report_propensity``
    (unless a product above 0.95 had to be cut).
    """
    poverty = city.quarters["poverty"].to_numpy()
    spread = poverty.std()
    z = (poverty - poverty.mean()) / (spread if spread > 0 else 1.0)
    trust = np.exp(-scenario.recording.trust_gradient * z)
    out = np.empty((len(INCIDENT_TYPES), len(poverty)))
    for k, name in enumerate(INCIDENT_TYPES):
        mean = float(cell_risk[k] @ trust[city.cell_quarter])
        out[k] = scenario.types[name].report_propensity * trust / mean
    return np.minimum(out, 0.95)


def draw_records(
    scenario: Scenario, city: City, incidents: Incidents, hours: FloatArray, *, rng: np.random.Generator
) -> Records:
    """Decide which incidents enter the log, by which route, when, and by whose hand.

    Raises
    ------
    ParameterError
        If residents alone report more than ``recording.records_per_day``, or if no eyesight of patrols reaches it.
    """
    plan, n = scenario.recording, len(incidents)
    p_report = report_propensity(scenario, city, incidents.cell_risk)[incidents.type_code, incidents.quarter]
    ease = np.array([scenario.types[t].discovery_ease for t in INCIDENT_TYPES])
    shift = incidents.second // _SHIFT_S
    exposure = ease[incidents.type_code] * (hours / city.area_km2)[incidents.day, shift, incidents.quarter]
    # what was planted comes on top: it is seen with the eyesight of the city without it
    usual = ~incidents.planted
    missed, seen = 1 - p_report[usual], exposure[usual]
    visibility = plan.patrol_sight * _solve(
        lambda v: float((1 - missed * np.exp(-v * seen)).sum()),
        target=plan.records_per_day * scenario.time.n_days,
        what="recording.records_per_day",
    )
    p_discover = -np.expm1(-visibility * exposure)

    reported, discovered = rng.random(n) < p_report, rng.random(n) < p_discover
    call_min = plan.call_median_min * np.exp(0.8 * rng.standard_normal(n))
    patrol_min = plan.patrol_median_min * np.exp(0.8 * rng.standard_normal(n))
    by_call = reported & (~discovered | (call_min <= patrol_min))
    known_by = np.where(by_call, REPORTED, np.where(discovered, DISCOVERED, NONE))

    incident = np.flatnonzero(known_by != NONE)
    entry_min = plan.entry_median_min * np.exp(plan.entry_log_sd * rng.standard_normal(n))
    t_entry = incidents.t_us + np.round(entry_min * 60).astype(np.int64) * 1_000_000
    incident = incident[np.argsort(t_entry[incident], kind="stable")]
    m = len(incident)
    calls = known_by[incident] == REPORTED
    # a few people call often: the low numbers of the pool
    caller = np.floor(N_PEOPLE * rng.random(m) ** 2.5).astype(np.int64)
    return Records(
        known_by=known_by.astype(np.int64),
        incident=incident,
        t_entry_us=t_entry[incident],
        caller=np.where(calls, caller, -1),
        named_in_text=calls & (rng.random(m) < plan.name_in_text),
        variant=rng.integers(0, 1 << 30, size=m),
        crew=rng.integers(1, 7, size=m),
        p_report=p_report,
        p_discover=p_discover,
        visibility=visibility,
    )


def known_by_words(records: Records) -> pd.Series[str]:
    """Column ``known_by`` of the truth, one word per latent incident."""
    return words(records.known_by, ROUTES).rename(KNOWN_BY)


def draw_fines(scenario: Scenario, city: City, hours: FloatArray, *, rng: np.random.Generator) -> Fines:
    """Draw infractions by day and quarter, and the fines that effort and cameras make of them.

    Raises
    ------
    ParameterError
        If no effort reaches ``fines.fines_per_day``.
    """
    plan, quarters, n_days = scenario.fines, city.quarters, scenario.time.n_days
    nightlife = plan.nightlife_share
    demand = (1 - nightlife) * quarters["population"].to_numpy() / quarters["population"].sum()
    demand = demand + nightlife * (quarters["bars"].to_numpy() + 1.0) / (quarters["bars"].to_numpy() + 1.0).sum()
    weekday = (scenario.start.weekday() + np.arange(n_days)) % 7
    traffic = np.array([1.03, 1.03, 1.03, 1.03, 1.08, 1.0, 0.8])[weekday]
    seen = rng.poisson(plan.infractions_per_day * (traffic / traffic.mean())[:, None] * demand)

    effort = np.array(plan.weekday_effort)[weekday][:, None] * hours.sum(axis=1) / city.area_km2
    away_km = np.hypot(*(_middle(city) - city.centre_m).T) / 1000.0
    field_of_view = np.broadcast_to(np.exp(-away_km / plan.camera_km), seen.shape)
    total = plan.fines_per_day * n_days
    p_camera = _catch(seen, field_of_view, target=total * plan.camera_share)
    by_camera = rng.binomial(seen, p_camera)
    p_agent = _catch(seen - by_camera, effort, target=total * (1 - plan.camera_share))
    by_agent = rng.binomial(seen - by_camera, p_agent)

    quarter_hours = hours.sum(axis=1)
    day_index, quarter_index = (a.ravel() for a in np.indices(seen.shape))
    daily = pd.DataFrame(
        {
            "day": day_index,
            QUARTER_ID: words(quarter_index, quarters[QUARTER_ID].tolist()),
            "n_infractions": seen.ravel(),
            "patrol_hours": quarter_hours.ravel(),
            "n_recorded": (by_agent + by_camera).ravel(),
        }
    )
    counts = np.concatenate([by_agent.ravel(), by_camera.ravel()])
    day = np.repeat(np.tile(day_index, 2), counts)
    quarter = np.repeat(np.tile(quarter_index, 2), counts)
    camera = np.arange(len(day)) >= int(by_agent.sum())
    second = np.where(camera, _daytime(len(day), rng=rng), _in_shift(hours, day, quarter, rng=rng))
    t_us = local_to_utc_us(scenario, day, second)
    order = np.argsort(t_us, kind="stable")
    n = len(day)
    code = rng.choice(len(FINE_CODES), size=n, p=list(FINE_CODES.values()))
    vehicle = rng.choice(len(VEHICLE_CLASSES), size=n, p=list(VEHICLE_CLASSES.values()))
    site = _sites_in(city, quarter, rng=rng)
    plate = rng.integers(0, 400_000, size=n)
    return Fines(t_us[order], site[order], code[order], camera[order], vehicle[order], plate[order], daily)


def _middle(city: City) -> FloatArray:
    centre = city.quarters.geometry.centroid
    return np.column_stack([centre.x.to_numpy(), centre.y.to_numpy()])


def _catch(n: IntArray, exposure: FloatArray, *, target: float) -> FloatArray:
    """Chance ``1 - exp(-c * exposure)`` with c such that the expected catch among ``n`` is ``target``."""
    if target <= 0:
        return np.zeros(n.shape)
    c = _solve(lambda v: float((n * -np.expm1(-v * exposure)).sum()), target=target, what="fines.fines_per_day")
    return np.asarray(-np.expm1(-c * exposure), dtype=np.float64)


def _solve(expected: Callable[[float], float], *, target: float, what: str) -> float:
    """Find v ≥ 0 with ``expected(v) == target`` for a growing ``expected``, by bisection."""
    least = expected(0.0)
    if least > target:
        raise ParameterError(
            f"The `{what}` value of the scenario must exceed what is known with no patrol at all. Got {target:.0f} "
            f"over the run for {least:.0f} without patrols. Raise it, or lower the `report_propensity` of the types."
        )
    high = 1e-6
    while expected(high) < target:
        high *= 2
        if high > 1e9:
            raise ParameterError(
                f"The `{what}` value of the scenario must be within reach of the patrols. Got {target:.0f} over the "
                f"run; unlimited eyesight gives {expected(high):.0f}. Lower it, or raise the volume of what happens."
            )
    low = 0.0
    for _ in range(60):
        middle = (low + high) / 2
        if expected(middle) < target:
            low = middle
        else:
            high = middle
        if high - low <= 1e-12 * high:
            break
    return high


def _daytime(n: int, *, rng: np.random.Generator) -> IntArray:
    """Seconds of the day when cameras are used for fines: around mid-afternoon, 7 h to 21 h."""
    return (7 * 3600 + 14 * 3600 * rng.beta(2.2, 2.0, size=n)).astype(np.int64)


def _in_shift(hours: FloatArray, day: IntArray, quarter: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Seconds of the day spread over the three shifts as the quarter's patrol hours are, few at night."""
    law = np.cumsum(hours[day, :, quarter] * np.array([0.1, 1.0, 0.7]), axis=1)
    shift = (rng.random(len(day))[:, None] * law[:, -1:] > law).sum(axis=1)
    at = np.minimum(shift, 2) * _SHIFT_S + rng.integers(_SHIFT_S, size=len(day))
    return np.asarray(at, dtype=np.int64)


def _sites_in(city: City, quarter: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Draw an address of each quarter named; where a quarter has none, any address."""
    by_quarter = np.argsort(city.site_quarter, kind="stable")
    size = np.bincount(city.site_quarter, minlength=len(city.quarters))
    first = np.concatenate([[0], np.cumsum(size)[:-1]])
    u = rng.random(len(quarter))
    own = by_quarter[np.minimum(first[quarter] + (u * size[quarter]).astype(np.int64), len(by_quarter) - 1)]
    anywhere = (u * len(by_quarter)).astype(np.int64)
    return np.where(size[quarter] > 0, own, anywhere)
