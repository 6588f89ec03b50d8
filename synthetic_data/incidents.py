"""What happens in Massilia, whether or not anybody writes it down.

Incidents of each type follow its places (residents, nightlife, transit, a smooth field of their own), the season, the
weekday, the hour and the weather. Some bring others: each incident has a random number of follow-on incidents of the
same type, a few days later and a few streets away (near repeats), which have their own in turn.

What it cannot tell you: how incidents of a real city fall. Weights of places, seasons and near repeats are assumptions
written in the scenario; victims, offenders and the street network are absent, and no patrol deters anything here.

Notes
-----
The follow-on process is simulated as a branching process, generation by generation, so its law is exact: with a mean
number of children ``near_repeat`` below 1 and background incidents scaled by ``1 - near_repeat``, the expected number
per day is the scenario's, whatever the clustering. It starts well before day 0, so that day 0 is no quieter.

References
----------
.. [1] Johnson, S. et al. (2007), "Space-time patterns of risk", J. Quant. Criminol. 23(3), 201-219.
.. [2] Mohler, G. et al. (2011), "Self-exciting point process modeling of crime", JASA 106(493), 100-108.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.ndimage import gaussian_filter
from scipy.spatial import cKDTree

from contrechamp.domain.columns import CELL, INCIDENT_ID, INCIDENT_TYPES, QUARTER_ID, T_EVENT, TYPE, X_M, Y_M
from synthetic_data.city import City
from synthetic_data.scenario import LOCAL_TZ, Scenario, TypeProfile, WeatherPlan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Days simulated before day 0 so that follow-on incidents are in their steady state, in mean lags.
_BURN_IN_LAGS: Final = 12


@dataclass(frozen=True, eq=False)
class Weather:
    """Daily weather: temperature, its gap to the season, and whether it rained; each of shape (n_days,)."""

    temperature_c: FloatArray
    anomaly_c: FloatArray
    rainy: npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Incidents:
    """Latent incidents in order of time, as arrays of one length.

    Attributes
    ----------
    t_us : ndarray of int
        Instant, microseconds of UTC since 1970.
    day, second : ndarray of int
        Local day from the start of the scenario, and second of the local clock.
    type_code : ndarray of int
        Index in :data:`contrechamp.domain.columns.INCIDENT_TYPES`.
    site, cell, quarter : ndarray of int
        Address, grid cell and row of the quarters where it happened.
    parent : ndarray of int
        Incident that brought this one, -1 for none (or for one before day 0, or outside the planted quarters).
    cell_risk : ndarray, shape (12, n_cells)
        Law of the place of a background incident, per type; rows sum to 1. What is planted is left out.
    planted : ndarray of bool
        Whether the incident would not have happened without the planted effect.
    planted_quarters : ndarray of int
        Rows of the quarters with a planted effect, none by default.
    """

    t_us: IntArray
    day: IntArray
    second: IntArray
    type_code: IntArray
    site: IntArray
    cell: IntArray
    quarter: IntArray
    parent: IntArray
    cell_risk: FloatArray
    planted: npt.NDArray[np.bool_]
    planted_quarters: IntArray

    def __len__(self) -> int:
        return len(self.t_us)

    def to_frame(self, city: City) -> pd.DataFrame:
        """Frame with the columns of ``truth/incidents.parquet``, less ``known_by``."""
        return pd.DataFrame(
            {
                INCIDENT_ID: np.arange(len(self), dtype=np.int64),
                T_EVENT: instants(self.t_us),
                X_M: city.site_x_m[self.site],
                Y_M: city.site_y_m[self.site],
                TYPE: words(self.type_code, INCIDENT_TYPES),
                QUARTER_ID: words(self.quarter, city.quarters[QUARTER_ID].tolist()),
                CELL: self.cell,
            }
        )


def instants(t_us: IntArray) -> pd.DatetimeIndex:
    """Microseconds of UTC since 1970 as tz-aware timestamps, ``datetime64[us, UTC]``."""
    return pd.DatetimeIndex(t_us.view("datetime64[us]")).tz_localize("UTC")


def words(codes: IntArray, vocabulary: tuple[str, ...] | list[str]) -> pd.Series[str]:
    """Strings named by their index in a vocabulary."""
    return pd.Series(np.array(vocabulary, dtype=object)[codes], dtype="str")


def local_to_utc_us(scenario: Scenario, day: IntArray, second: IntArray) -> IntArray:
    """Instant of a local clock reading; one that the clock skips in spring is moved to the hour after."""
    midnight = np.datetime64(scenario.time.start, "us").astype(np.int64)
    naive = pd.DatetimeIndex((midnight + (day * 86_400 + second) * 1_000_000).view("datetime64[us]"))
    summer = np.ones(len(naive), dtype=bool)
    utc = naive.tz_localize(LOCAL_TZ, ambiguous=summer, nonexistent=pd.Timedelta(hours=1)).tz_convert("UTC")
    return np.asarray(utc.as_unit("us").asi8, dtype=np.int64)


def draw_weather(plan: WeatherPlan, *, start: pd.Timestamp, n_days: int, rng: np.random.Generator) -> Weather:
    """Draw daily temperature (a yearly wave and AR(1) noise) and rain (a thresholded AR(1))."""
    shocks = rng.standard_normal((n_days, 2))
    state = np.empty((n_days, 2))
    innovation = np.sqrt(1 - plan.memory**2)
    rain_memory = 0.5 * plan.memory
    rain_innovation = np.sqrt(1 - rain_memory**2)
    now = shocks[0].copy()
    for d in range(n_days):
        if d:
            now = np.array(
                [
                    plan.memory * now[0] + innovation * shocks[d, 0],
                    rain_memory * now[1] + rain_innovation * shocks[d, 1],
                ]
            )
        state[d] = now
    season = plan.mean_c + plan.swing_c * np.cos(2 * np.pi * (_day_of_year(start, n_days) - 201) / 365.25)
    anomaly = plan.noise_c * state[:, 0]
    rank = np.sort(state[:, 1])[::-1]
    wet = round(plan.rain_share * n_days)
    rainy = state[:, 1] > (rank[wet] if wet < n_days else -np.inf)
    return Weather(season + anomaly, anomaly, rainy)


def draw_incidents(scenario: Scenario, city: City, *, rng: np.random.Generator) -> Incidents:
    """Draw every incident of the scenario's days.

    The total is random with mean ``latent_per_day * n_days``; day factors average to 1 over the days drawn. What is
    planted comes on top: an independent copy of the whole process, of which only what falls in the planted quarters is
    kept. So the rate of those quarters is multiplied by ``planted_factor``, follow-on incidents included, and under
    the same generator every other incident of the city is the one that would have happened anyway.
    """
    plan, n_days = scenario.incidents, scenario.time.n_days
    weather = draw_weather(scenario.weather, start=scenario.start, n_days=n_days, rng=rng)
    risk = draw_cell_risk(scenario, city, rng=rng)
    day, kind, site, parent, second = _happen(scenario, city, weather, risk, per_day=plan.latent_per_day, rng=rng)
    planted_quarters, n_usual = np.empty(0, dtype=np.int64), len(day)
    wanted = np.ones(n_usual, dtype=bool)
    if plan.planted_quarters:
        planted_quarters = np.sort(rng.choice(len(city.quarters), size=plan.planted_quarters, replace=False))
        more = plan.latent_per_day * (plan.planted_factor - 1)
        day_2, kind_2, site_2, parent_2, second_2 = _happen(scenario, city, weather, risk, per_day=more, rng=rng)
        parent_2 = np.where(parent_2 >= 0, parent_2 + n_usual, -1)
        wanted = np.concatenate([wanted, np.isin(city.site_quarter[site_2], planted_quarters)])
        day, kind, site = np.append(day, day_2), np.append(kind, kind_2), np.append(site, site_2)
        parent, second = np.append(parent, parent_2), np.append(second, second_2)

    keep = np.flatnonzero(wanted & (day >= 0) & (day < n_days))
    t_us = local_to_utc_us(scenario, day[keep], second[keep])
    order = keep[np.argsort(t_us, kind="stable")]
    place = np.full(len(day) + 1, -1, dtype=np.int64)
    place[order] = np.arange(len(order))
    return Incidents(
        t_us=np.sort(t_us, kind="stable"),
        day=day[order],
        second=second[order],
        type_code=kind[order],
        site=site[order],
        cell=site[order] // city.sites_per_cell,
        quarter=city.site_quarter[site[order]],
        parent=place[parent[order]],
        cell_risk=risk,
        planted=order >= n_usual,
        planted_quarters=planted_quarters,
    )


def _happen(
    scenario: Scenario, city: City, weather: Weather, risk: FloatArray, *, per_day: float, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray, IntArray, IntArray]:
    """Draw the whole process at a volume, days before day 0 included: day, kind, site, parent and second of each."""
    plan, n_days = scenario.incidents, scenario.time.n_days
    profiles = [scenario.types[t] for t in INCIDENT_TYPES]
    burn_in = int(np.ceil(_BURN_IN_LAGS * plan.near_repeat_days)) if plan.near_repeat > 0 else 0
    weight = np.array([p.weight for p in profiles])
    daily = per_day * (1 - plan.near_repeat) * weight / weight.sum()
    days, cells, kinds = [], [], []
    for k, profile in enumerate(profiles):
        factor = day_factor(profile, weather, start=scenario.start)
        factor = np.concatenate([np.full(burn_in, factor[: max(7, burn_in)].mean()), factor])
        n = rng.poisson(daily[k] * factor)
        days.append(np.repeat(np.arange(-burn_in, n_days), n))
        cells.append(_pick(risk[k], size=int(n.sum()), rng=rng))
        kinds.append(np.full(int(n.sum()), k))
    day, kind, cell = np.concatenate(days), np.concatenate(kinds), np.concatenate(cells)
    site = cell * city.sites_per_cell + rng.integers(city.sites_per_cell, size=len(cell))
    day, kind, site, parent = _follow_on(day, kind, site, scenario=scenario, city=city, rng=rng)

    return day, kind, site, parent, _clock(day, kind, profiles, start=scenario.start, rng=rng)


def draw_cell_risk(scenario: Scenario, city: City, *, rng: np.random.Generator) -> FloatArray:
    """Draw where each type tends to happen: shape (12, n_cells), rows summing to 1."""
    plan, quarters, grid = scenario.incidents, city.quarters, city.grid
    in_quarter = np.maximum(np.bincount(city.cell_quarter, city.cell_density, minlength=len(quarters)), 1e-12)
    portion = city.cell_density / in_quarter[city.cell_quarter]
    layers = {
        "residents": city.cell_population
        * np.exp(plan.poverty_effect * (quarters["poverty"].to_numpy()[city.cell_quarter] - 0.25)),
        "nightlife": (quarters["bars"].to_numpy() + 0.2)[city.cell_quarter] * portion,
        "transit": (quarters["stations"].to_numpy() + 0.15)[city.cell_quarter] * portion,
    }
    layers = {name: values / values.sum() for name, values in layers.items()}
    spread = np.full(grid.n_cells, 1.0 / grid.n_cells)
    dark = -plan.darkness_effect * (quarters["lighting"].to_numpy()[city.cell_quarter] - 0.6)
    shared = _field(grid.land, scale_cells=1000 * plan.field_km / grid.cell_m, rng=rng)
    out = np.empty((len(INCIDENT_TYPES), grid.n_cells))
    for k, name in enumerate(INCIDENT_TYPES):
        p = scenario.types[name]
        rest = 1.0 - p.residents - p.nightlife - p.transit
        mix = p.residents * layers["residents"] + p.nightlife * layers["nightlife"] + p.transit * layers["transit"]
        own = _field(grid.land, scale_cells=1000 * plan.field_km / grid.cell_m, rng=rng)
        bump = np.exp(dark + plan.field_sd * (np.sqrt(0.6) * shared + np.sqrt(0.4) * own))
        out[k] = (mix + max(rest, 0.0) * spread) * bump
        out[k] /= out[k].sum()
    return out


def day_factor(profile: TypeProfile, weather: Weather, *, start: pd.Timestamp) -> FloatArray:
    """Relative volume of each day for a type, with mean 1 over the days; shape (n_days,)."""
    n_days = len(weather.rainy)
    season = 0.5 * profile.summer * np.cos(2 * np.pi * (_day_of_year(start, n_days) - 201) / 365.25)
    weekday = (start.weekday() + np.arange(n_days)) % 7
    log = season + profile.weekend * np.isin(weekday, (5, 6)) + 0.4 * profile.weekend * (weekday == 4)
    log = log + profile.heat * weather.anomaly_c / 10.0 + profile.rain * weather.rainy
    factor = np.exp(log)
    return np.asarray(factor / factor.mean(), dtype=np.float64)


def hour_law(profile: TypeProfile) -> FloatArray:
    """Law of the local hour, by half hours: a wrapped bump and a flat share; shape (48,), summing to 1."""
    at = np.arange(48) / 2 + 0.25
    gap = np.abs(at - profile.peak_h)
    gap = np.minimum(gap, 24 - gap)
    bump = np.exp(-0.5 * (gap / profile.spread_h) ** 2)
    return np.asarray((1 - profile.floor) * bump / bump.sum() + profile.floor / 48, dtype=np.float64)


def _day_of_year(start: pd.Timestamp, n_days: int) -> FloatArray:
    return np.asarray(start.day_of_year + np.arange(n_days), dtype=np.float64)


def _field(land: npt.NDArray[np.bool_], *, scale_cells: float, rng: np.random.Generator) -> FloatArray:
    """Smooth Gaussian field on the land cells, standardised; shape (n_cells,)."""
    values = gaussian_filter(rng.standard_normal(land.shape), scale_cells, mode="reflect")[land]
    spread = values.std()
    return np.asarray((values - values.mean()) / (spread if spread > 0 else 1.0), dtype=np.float64)


def _pick(law: FloatArray, *, size: int, rng: np.random.Generator) -> IntArray:
    """Draw ``size`` indices under a law, by inversion."""
    edges = np.cumsum(law)
    at = np.searchsorted(edges, rng.random(size) * edges[-1], side="right")
    return np.asarray(np.minimum(at, len(law) - 1), dtype=np.int64)


def _clock(
    day: IntArray, kind: IntArray, profiles: list[TypeProfile], *, start: pd.Timestamp, rng: np.random.Generator
) -> IntArray:
    """Draw the second of the local day, by type."""
    slot = np.empty(len(day), dtype=np.int64)
    for k, profile in enumerate(profiles):
        mine = np.flatnonzero(kind == k)
        slot[mine] = _pick(hour_law(profile), size=len(mine), rng=rng)
    return slot * 1800 + rng.integers(1800, size=len(day))


def _follow_on(
    day: IntArray, kind: IntArray, site: IntArray, *, scenario: Scenario, city: City, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray, IntArray]:
    """Add the follow-on incidents of every generation; returns day, kind, site and parent of all of them."""
    plan, n_days = scenario.incidents, scenario.time.n_days
    parents = [np.full(len(day), -1, dtype=np.int64)]
    if plan.near_repeat == 0:
        return day, kind, site, parents[0]
    nearest = cKDTree(np.column_stack([city.site_x_m, city.site_y_m]))
    days, kinds, sites = [day], [kind], [site]
    first = 0
    while len(days[-1]):
        source = np.repeat(np.arange(len(days[-1])), rng.poisson(plan.near_repeat, size=len(days[-1])))
        # whole days after, at least one: a geometric lag has the stated mean
        lag = rng.geometric(1.0 / plan.near_repeat_days, size=len(source))
        step = rng.normal(0.0, plan.near_repeat_m, size=(len(source), 2))
        born = days[-1][source] + lag
        alive = born < n_days
        source, born, step = source[alive], born[alive], step[alive]
        from_site = sites[-1][source]
        target = np.column_stack([city.site_x_m[from_site], city.site_y_m[from_site]]) + step
        parents.append(first + source)
        first += len(days[-1])
        kinds.append(kinds[-1][source])
        sites.append(np.asarray(nearest.query(target)[1], dtype=np.int64) if len(source) else source)
        days.append(born)
    return np.concatenate(days), np.concatenate(kinds), np.concatenate(sites), np.concatenate(parents)
