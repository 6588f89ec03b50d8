"""D17, sound sensors: a class, a level and a flag for speech in every window of time.

A window is mostly the street as it is at that hour (voices, engines, music), and now and then an incident nearby. The
classifier takes some windows for another class. Since rare classes are rare, most windows called « glass » are not.

What it cannot tell you: what happens where no sensor stands; and sensors stand where somebody chose to listen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.rng import stream
from contrechamp.domain.streams import SOUND_CLASSES
from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.activity import home_cell, hours, pedestrians, standard_poverty
from synthetic_data.streams.dense import SECOND_US, FloatArray, IntArray, clean, clock, labels, spoken, window
from synthetic_data.streams.traffic import busy_hours

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Share of the persons of a cell who are near enough to be heard.
_HEARD: Final = 0.12
#: What an incident of each type sounds like, as weights of classes, and for how long, seconds. Assumptions.
SOUNDS_LIKE: Final = {
    "tapage": ({"music": 0.5, "voice": 0.5}, 1200.0),
    "degradation": ({"glass": 0.4, "aerosol": 0.3, "bang": 0.3}, 1.0),
    "vol": ({"glass": 0.3, "voice": 0.7}, 1.0),
    "rixe": ({"voice": 0.7, "glass": 0.2, "bang": 0.1}, 120.0),
    "violence": ({"voice": 0.7, "bang": 0.3}, 60.0),
    "accident": ({"bang": 0.7, "horn": 0.3}, 1.0),
    "attroupement": ({"voice": 1.0}, 900.0),
}
_AUDIBLE: Final = 0.8
#: Windows drawn at a time, so that a day by the second fits in memory.
_CHUNK: Final = 4096
#: Level of each class, dB(A), and chance that a window of it holds speech. Assumptions.
_LEVEL_DB: Final = (46.0, 60.0, 66.0, 67.0, 74.0, 82.0, 86.0, 78.0, 92.0, 55.0)
_SPEECH: Final = (0.02, 0.95, 0.15, 0.02, 0.01, 0.02, 0.02, 0.10, 0.03, 0.03)
#: What a window is taken for when it is taken for another class. Assumptions; each row is then made to sum to 1.
_TAKEN_FOR: Final = {
    "ambient": {"vehicle": 0.50, "voice": 0.30, "music": 0.15, "aerosol": 0.02, "bang": 0.02, "glass": 0.01},
    "voice": {"ambient": 0.45, "music": 0.45, "siren": 0.05, "glass": 0.03, "bang": 0.02},
    "music": {"voice": 0.55, "ambient": 0.35, "siren": 0.07, "bang": 0.03},
    "vehicle": {"ambient": 0.40, "two_wheeler": 0.45, "horn": 0.08, "bang": 0.05, "aerosol": 0.02},
    "two_wheeler": {"vehicle": 0.80, "bang": 0.12, "horn": 0.08},
    "horn": {"siren": 0.40, "vehicle": 0.45, "music": 0.15},
    "siren": {"horn": 0.50, "music": 0.30, "voice": 0.20},
    "glass": {"ambient": 0.40, "bang": 0.35, "voice": 0.25},
    "bang": {"vehicle": 0.50, "glass": 0.25, "ambient": 0.25},
    "aerosol": {"ambient": 0.75, "vehicle": 0.25},
}


def sound_sites(world: World) -> pd.DataFrame:
    """Where the sensors are: sensor, x_m, y_m, cell, quarter; one row each, in order of ``sensor``.

    An address is chosen in proportion to the residents of its cell, and the more the poorer its quarter is.
    """
    rng = stream(world.seed, "streams", "capteurs_sonores", "sites")
    plan, city = world.scenario.sensing, world.city
    residents = np.bincount(home_cell(world), minlength=city.grid.n_cells).astype(np.float64)
    with np.errstate(divide="ignore"):
        liking = np.log(np.repeat(residents, city.sites_per_cell))
    liking += plan.sound_poverty_bias * standard_poverty(world)[city.site_quarter]
    n = min(plan.sound_sensors, int(np.isfinite(liking).sum()))
    site = np.sort(np.argsort(-(liking + rng.gumbel(size=len(liking))), kind="stable")[:n])
    return pd.DataFrame(
        {
            "sensor": pd.Series(labels("M", n), dtype="str"),
            "x_m": city.site_x_m[site],
            "y_m": city.site_y_m[site],
            "cell": site // city.sites_per_cell,
            "quarter": city.site_quarter[site],
        }
    )


def capteurs_sonores(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw D17: one row per sensor and window."""
    plan, sites = world.scenario.sensing, sound_sites(world)
    t_us = window(world.scenario).starts_us(plan.sound_window_s)
    n_steps, n = len(t_us), len(sites)
    hour_us = window(world.scenario).starts_us(3600)
    law = np.cumsum(class_law(world, sites, hour_us), axis=2)
    hour = (t_us - t_us[0]) // (3600 * SECOND_US)
    of_incidents, rng = rng.spawn(2)  # what happens nearby moves no other window
    heard = _incidents_heard(world, sites, t_us, rng=of_incidents)
    level, speech = np.array(_LEVEL_DB), np.array(_SPEECH)
    quiet = np.where(np.minimum(np.abs(clock(t_us).hour - 3.5), 12) < 3.5, -5.0, 0.0)
    confusion = np.cumsum(confusion_matrix(plan.sound_confusion), axis=1)
    parts = []
    for first in range(0, n_steps, _CHUNK):
        steps = np.arange(first, min(first + _CHUNK, n_steps))
        truth = _invert(law[hour[steps]].reshape(-1, len(SOUND_CLASSES)), rng=rng)
        known = heard[steps].ravel()
        truth = np.where(known >= 0, known, truth)
        said = _invert(confusion[truth], rng=rng)
        odds = np.where(said == truth, 1.6, 0.4) + 0.9 * rng.standard_normal(len(truth))
        noise = level[truth] + np.repeat(quiet[steps], n) + 3.0 * rng.standard_normal(len(truth))
        parts.append(
            (
                np.round(np.clip(noise, 25.0, 140.0), 1),
                said.astype(np.int8),
                np.round(1.0 / (1.0 + np.exp(-odds)), 3),
                rng.random(len(truth)) < speech[truth],
            )
        )
    empty = (np.empty(0), np.empty(0, dtype=np.int8), np.empty(0), np.empty(0, dtype=bool))
    noise, said, score, flag = (np.concatenate(column) for column in zip(empty, *parts, strict=True))
    step = np.repeat(t_us, n)
    return clean(
        "capteurs_sonores",
        {
            "sensor": spoken(np.tile(np.arange(n), n_steps), sites["sensor"].tolist()),
            "t": step,
            "level_db": noise,
            "class": spoken(said, SOUND_CLASSES),
            "score": score,
            "speech": flag,
        },
        t_drop_us=step + round(plan.sound_window_s * SECOND_US) - SECOND_US,
    )


def class_law(world: World, sites: pd.DataFrame, t_us: IntArray) -> FloatArray:
    """Law of the class of a window when nothing happens, shape (n_hours, n_sensors, n_classes); sums to 1."""
    at = clock(t_us)
    cell = sites["cell"].to_numpy(dtype=np.int64)
    persons = _HEARD * pedestrians(world, t_us, step_s=3600)[:, cell]
    bars = world.places.layer("bar")[cell] * hours(at)["bar"][:, None]
    vehicles = busy_hours(t_us)[:, None] * _roads(world, sites)
    weight = {
        "ambient": np.full(persons.shape, 1.0),
        "voice": 0.30 * persons,
        "music": 0.25 * bars + 0.01,
        "vehicle": vehicles,
        "two_wheeler": 0.15 * vehicles,
        "horn": 0.02 * vehicles,
        "siren": np.full(persons.shape, 0.004),
        "glass": np.full(persons.shape, 2e-5) + 1e-4 * bars,
        "bang": np.full(persons.shape, 1e-4),
        "aerosol": np.full(persons.shape, 1e-5),
    }
    out = np.stack([weight[name] for name in SOUND_CLASSES], axis=2)
    return np.asarray(out / out.sum(axis=2, keepdims=True))


def confusion_matrix(share: float) -> FloatArray:
    """Chance that a window of a class (row) is given each class (column); rows sum to 1, ``share`` off the diagonal."""
    out = np.zeros((len(SOUND_CLASSES), len(SOUND_CLASSES)))
    for i, name in enumerate(SOUND_CLASSES):
        others = _TAKEN_FOR[name]
        for other, weight in others.items():
            out[i, SOUND_CLASSES.index(other)] = share * weight / sum(others.values())
        out[i, i] = 1.0 - share
    return out


def _invert(edges: FloatArray, *, rng: np.random.Generator) -> IntArray:
    """Draw an index under each row of cumulated laws."""
    u = rng.random(len(edges))
    return np.asarray(np.minimum((u[:, None] >= edges).sum(axis=1), edges.shape[1] - 1), dtype=np.int64)


def _roads(world: World, sites: pd.DataFrame) -> FloatArray:
    """How loud engines are at each sensor at the busiest hour, against silence."""
    edges, nodes = world.streets.edges, world.streets.nodes
    xy = nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    middle = (xy[edges["u"].to_numpy()] + xy[edges["v"].to_numpy()]) / 2
    at = sites[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    out = np.full(len(sites), 0.5)
    for name, loud, reach_m in (("main", 4.0, 120.0), ("secondary", 1.5, 80.0)):
        mine = middle[(edges["road_class"] == name).to_numpy()]
        if len(mine) and len(at):
            out += loud * np.exp(-cKDTree(mine).query(at)[0] / reach_m)
    return out


def _incidents_heard(world: World, sites: pd.DataFrame, t_us: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Class of the incident heard in each window, -1 where none is; shape (n_steps, n_sensors)."""
    incidents, city, plan = world.incidents, world.city, world.scenario.sensing
    out = np.full((len(t_us), len(sites)), -1, dtype=np.int64)
    loud = [INCIDENT_TYPES.index(name) for name in SOUNDS_LIKE]
    which = np.flatnonzero(np.isin(incidents.type_code, loud) & window(world.scenario).holds(incidents.t_us))
    if not len(which) or not len(sites):
        return out
    at = sites[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    site = incidents.site[which]
    found = cKDTree(at).query_ball_point(
        np.column_stack([city.site_x_m[site], city.site_y_m[site]]), plan.sound_reach_m
    )
    audible, u = rng.random(len(which)) < _AUDIBLE, rng.random(len(which))
    for i in np.flatnonzero(audible & np.array([len(f) > 0 for f in found])).tolist():
        law, lasts_s = SOUNDS_LIKE[INCIDENT_TYPES[incidents.type_code[which[i]]]]
        names = list(law)
        name = names[int(np.searchsorted(np.cumsum(list(law.values()))[:-1], u[i], side="right"))]
        start = int(incidents.t_us[which[i]])
        first = int(np.searchsorted(t_us, start, side="right")) - 1
        last = int(np.searchsorted(t_us, start + round(lasts_s * SECOND_US)))
        out[first : max(last, first + 1), sorted(found[i])] = SOUND_CLASSES.index(name)
    return out


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="capteurs_sonores",
        title=Text(fr="capteurs sonores", en="sound sensors"),
        invented=Text(
            fr="50 capteurs à des adresses habitées, plutôt dans les quartiers pauvres ; classe de chaque fenêtre "
            "selon l’heure, les passants, les bars et la rue ; incidents latents à portée ; confusions entre classes ; "
            "score ; présence de parole.",
            en="50 sensors at inhabited addresses, rather in poor quarters; the class of each window by hour, "
            "passers-by, bars and street; latent incidents within reach; confusions between classes; a score; whether "
            "there is speech.",
        ),
        anchor=Text(
            fr="50 capteurs annoncés à Saint-Étienne. Portée, confusions et fréquence des sons sont des hypothèses ; "
            "une fenêtre d’une minute donne 72 000 lignes par jour, d’une seconde 4,3 millions comme au registre.",
            en="50 sensors announced at Saint-Étienne. Reach, confusions and how often sounds occur are assumptions; a "
            "window of a minute gives 72,000 rows a day, of a second the 4.3 million of the register.",
        ),
        leaves_out=Text(
            fr="Le son lui-même, ce qui est dit, le vent et la pluie sur le micro, l’écho, plusieurs sons à la fois.",
            en="Sound itself, what is said, wind and rain on the microphone, echoes, several sounds at once.",
        ),
    ),
)
