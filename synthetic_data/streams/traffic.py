"""D10, road sensors: vehicles per hour, speed and closures, every six minutes, on main roads.

Flow follows the hours of the day and what stands around; speed falls as a road fills up. Accidents nearby slow traffic
down or close the road; crowds bring cars before and after, and large declared ones close the street they are held in.

What it cannot tell you: anything about streets without a sensor. Queues do not spread from one sensor to the next, and
no vehicle is followed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.activity import WEIGHTS, crowds, layers, rainy
from synthetic_data.streams.dense import (
    SECOND_US,
    BoolArray,
    FloatArray,
    IntArray,
    bump,
    clean,
    clock,
    labels,
    spoken,
    window,
)

if TYPE_CHECKING:
    from synthetic_data.world import World

_STEP_S: Final = 360
#: Vehicles per hour that a road can take, and its free speed, by class of road. Assumptions.
_CAPACITY: Final = {"main": 1800.0, "secondary": 900.0, "local": 350.0}
_FREE_KM_H: Final = {"main": 52.0, "secondary": 42.0, "local": 31.0}
#: Distance at which a sensor feels an accident or a crowd, and the length of an accident, minutes.
_REACH_M: Final = 300.0
_CROWD_M: Final = 800.0
_ACCIDENT_MIN: Final = 40.0
#: Crowd from which the street of a declared event is closed, and the distance at which it is.
_CLOSING_CROWD: Final = 400
_CLOSING_M: Final = 150.0


def traffic_sites(world: World) -> pd.DataFrame:
    """Where the sensors are: sensor, x_m, y_m, road_class, busy (0 to 1); one row each, in order of ``sensor``."""
    rng = stream(world.seed, "streams", "trafic", "sites")
    plan, edges, nodes = world.scenario.mobility, world.streets.edges, world.streets.nodes
    length = edges["length_m"].to_numpy(dtype=np.float64)
    main = (edges["road_class"] == "main").to_numpy()
    share = plan.main_roads_only * main.any()  # a city of one quarter has no main road
    weight = np.where(main, length / max(length[main].sum(), 1e-9), 0.0) * share + length / length.sum() * (1 - share)
    # the largest of weighted exponential clocks: a draw without replacement, in proportion to weight
    with np.errstate(divide="ignore"):
        key = np.log(weight) + rng.gumbel(size=len(weight))
    n = min(plan.traffic_sensors, int((weight > 0).sum()))
    chosen = np.sort(np.argsort(-key, kind="stable")[:n])
    u, v = edges["u"].to_numpy()[chosen], edges["v"].to_numpy()[chosen]
    xy = nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    middle = (xy[u] + xy[v]) / 2
    around = cKDTree(world.city.grid.centres_m).query(middle)[1]
    place = layers(world)
    about = sum((WEIGHTS[k] * place[k] for k in WEIGHTS), np.full(len(world.city.cell_quarter), 1e-9))
    pull = about / (about + np.median(about))
    return pd.DataFrame(
        {
            "sensor": pd.Series(labels("T", n), dtype="str"),
            "x_m": middle[:, 0],
            "y_m": middle[:, 1],
            "road_class": edges["road_class"].to_numpy()[chosen],
            "busy": np.clip(0.35 + 0.5 * pull[around] + 0.1 * rng.standard_normal(n), 0.1, 1.0),
        }
    )


def trafic(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw D10: one row per sensor and step of six minutes."""
    sites = traffic_sites(world)
    t_us = window(world.scenario).starts_us(_STEP_S)
    capacity = sites["road_class"].map(_CAPACITY).to_numpy(dtype=np.float64)
    free = sites["road_class"].map(_FREE_KM_H).to_numpy(dtype=np.float64)
    load = sites["busy"].to_numpy() * busy_hours(t_us)[:, None]
    load += _cars_of_crowds(world, sites, t_us) / np.maximum(capacity, 1.0)
    of_accidents, rng = rng.spawn(2)  # an accident moves no reading elsewhere
    slow, closed = _accidents(world, sites, t_us, rng=of_accidents)
    closed |= _closed_for_events(world, sites, t_us)
    day = clock(t_us).day
    load *= np.exp(0.08 * rng.standard_normal((int(day.max(initial=0)) + 1, len(sites))))[day]
    load = np.minimum(load, 1.15)
    noise = rng.standard_normal(load.shape)
    passes = np.where(closed, 0.0, 1.0 - 0.8 * slow)
    vehicles = rng.poisson(np.maximum(load * capacity * passes, 0.0) * _STEP_S / 3600)
    wet = np.where(rainy(world, t_us), 0.93, 1.0)[:, None]
    speed = free * wet * (1.0 - slow) / (1.0 + 0.5 * load**4)
    speed = np.clip(speed + 2.5 * noise, 2.0, 130.0)
    speed[vehicles == 0] = np.nan
    n_steps, n = speed.shape
    at = np.tile(np.arange(n), n_steps)
    step = np.repeat(t_us, n)
    return clean(
        "trafic",
        {
            "sensor": spoken(at, sites["sensor"].tolist()),
            "t": step,
            "flow_veh_h": (vehicles * (3600 / _STEP_S)).ravel(),
            "speed_km_h": np.round(speed, 1).ravel(),
            "closure": closed.ravel(),
        },
        t_drop_us=step + (_STEP_S - 1) * SECOND_US,
    )


def busy_hours(t_us: IntArray) -> FloatArray:
    """Load of a road that is as busy as any, by step; about 1 at the busiest."""
    at = clock(t_us)
    weekday = 0.06 + 0.78 * bump(at.hour, peak_h=8.2, spread_h=1.1) + 0.88 * bump(at.hour, peak_h=17.8, spread_h=1.8)
    weekday += 0.5 * bump(at.hour, peak_h=13.0, spread_h=2.8)
    weekend = 0.07 + 0.6 * bump(at.hour, peak_h=15.5, spread_h=4.0) + 0.15 * bump(at.hour, peak_h=0.5, spread_h=1.5)
    return np.asarray(np.minimum(np.where(at.weekend, weekend, weekday), 1.0))


def _near(sites: pd.DataFrame, xy_m: FloatArray, reach_m: float) -> tuple[IntArray, IntArray]:
    """Pairs (point, sensor) within reach of each other."""
    if not len(sites) or not len(xy_m):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    found = cKDTree(sites[["x_m", "y_m"]].to_numpy(dtype=np.float64)).query_ball_point(xy_m, reach_m)
    point = np.repeat(np.arange(len(xy_m)), [len(f) for f in found])
    return point, np.concatenate([np.asarray(sorted(f), dtype=np.int64) for f in found])


def _accidents(
    world: World, sites: pd.DataFrame, t_us: IntArray, *, rng: np.random.Generator
) -> tuple[FloatArray, BoolArray]:
    """Share of speed lost and whether the road is closed, by step and sensor."""
    plan, incidents, city = world.scenario.mobility, world.incidents, world.city
    slow, closed = np.zeros((len(t_us), len(sites))), np.zeros((len(t_us), len(sites)), dtype=bool)
    mine = np.flatnonzero(
        (incidents.type_code == INCIDENT_TYPES.index("accident")) & window(world.scenario).holds(incidents.t_us)
    )
    lasts = rng.gamma(4.0, _ACCIDENT_MIN / 4.0, len(mine))
    closes = rng.random(len(mine)) < plan.accident_closure
    site = incidents.site[mine]
    point, sensor = _near(sites, np.column_stack([city.site_x_m[site], city.site_y_m[site]]), _REACH_M)
    start = incidents.t_us[mine]
    first = np.searchsorted(t_us, start)
    last = np.searchsorted(t_us, start + (lasts * 60 * SECOND_US).astype(np.int64)) + 1
    for p, s in zip(point.tolist(), sensor.tolist(), strict=True):
        steps = slice(first[p], last[p])
        slow[steps, s] = np.maximum(slow[steps, s], plan.accident_slowdown)
        closed[steps, s] |= closes[p]
    return slow, closed


def _cars_of_crowds(world: World, sites: pd.DataFrame, t_us: IntArray) -> FloatArray:
    """Vehicles per hour that come to and go from events, by step and sensor."""
    out = np.zeros((len(t_us), len(sites)))
    events = crowds(world)
    point, sensor = _near(sites, events[["x_m", "y_m"]].to_numpy(dtype=np.float64), _CROWD_M)
    shared = np.bincount(point, minlength=len(events))
    ten = round(3600 / _STEP_S)
    start = np.searchsorted(t_us, events["t_start_us"].to_numpy())
    end = np.searchsorted(t_us, events["t_end_us"].to_numpy())
    crowd = events["attendance"].to_numpy(dtype=np.float64)
    for p, s in zip(point.tolist(), sensor.tolist(), strict=True):
        cars = 0.2 * crowd[p] / shared[p]
        if start[p] < len(t_us):
            out[max(start[p] - ten, 0) : start[p], s] += cars
        if end[p] > 0:
            out[end[p] : end[p] + ten, s] += cars
    return out


def _closed_for_events(world: World, sites: pd.DataFrame, t_us: IntArray) -> BoolArray:
    """Whether the road of a sensor is closed for a declared event held on it, by step and sensor."""
    out = np.zeros((len(t_us), len(sites)), dtype=bool)
    events = crowds(world)
    events = events[events["authorised"] & (events["expected_crowd"] >= _CLOSING_CROWD)]
    point, sensor = _near(sites, events[["x_m", "y_m"]].to_numpy(dtype=np.float64), _CLOSING_M)
    first = np.searchsorted(t_us, events["t_start_us"].to_numpy())
    last = np.searchsorted(t_us, events["t_end_us"].to_numpy())
    for p, s in zip(point.tolist(), sensor.tolist(), strict=True):
        out[first[p] : last[p], s] = True
    return out


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="trafic",
        title=Text(fr="capteurs de trafic routier", en="road traffic sensors"),
        invented=Text(
            fr="300 capteurs tirés au sort sur les voies principales, au prorata de leur longueur ; débit selon "
            "l’heure, le jour et ce qui entoure le capteur ; vitesse qui baisse avec la charge et la pluie ; accidents "
            "latents à moins de 300 m, qui ralentissent ou ferment ; affluence et fermetures des événements.",
            en="300 sensors drawn on main roads in proportion to their length; flow by hour, day and what surrounds "
            "the sensor; speed that falls with load and rain; latent accidents within 300 m that slow down or close; "
            "traffic and closures of events.",
        ),
        anchor=Text(
            fr="Aucun chiffre publié : 300 capteurs et six minutes sont des hypothèses du registre.",
            en="No published figure: 300 sensors and six minutes are assumptions of the register.",
        ),
        leaves_out=Text(
            fr="Toute rue sans capteur, soit presque toutes ; la propagation des bouchons ; les pannes ; les "
            "fermetures pour travaux.",
            en="Every street without a sensor, that is nearly all; queues that spread; sensor failures; closures for "
            "road works.",
        ),
    ),
)
