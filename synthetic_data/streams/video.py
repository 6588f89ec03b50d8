"""D04, metadata of the cameras, without an image: objects counted by the hour, and alerts.

Counts follow who and what passes in view; part of it is lost at night. The analytics raise an alert for some of the
incidents in view, and many about nothing. What entered the log by an operator's eye is an alert too: it has no score,
since no machine gave one. How operators spread their attention is told in :mod:`synthetic_data.mechanisms.detection`.

What it cannot tell you: what was in view. Neither an alert nor its absence says so, and a camera that counts few
persons may stand where few are, or in the dark.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.streams import VIDEO_ALERTS, VIDEO_CLASSES
from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.mechanisms.entry import DETECTED
from synthetic_data.mechanisms.light import light
from synthetic_data.streams.activity import pedestrians
from synthetic_data.streams.dense import SECOND_US, FloatArray, IntArray, clean, clock, pick, spoken, window
from synthetic_data.streams.traffic import busy_hours

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Alert that an incident of each type looks like; the others look like nothing the analytics know.
LOOKS_LIKE: Final = {
    "degradation": "maraudage", "vol": "maraudage", "rixe": "attroupement", "depot_sauvage": "objet_abandonne",
    "vente_sauvette": "attroupement", "intrusion": "intrusion", "attroupement": "attroupement", "violence": "chute",
    "accident": "contresens",
}  # fmt: skip
#: What an alert about nothing is about, in the order of VIDEO_ALERTS; and what is in it. Assumptions.
_FALSE_LAW: Final = np.array([0.30, 0.22, 0.20, 0.13, 0.05, 0.10])
_OBJECT: Final = np.array([VIDEO_CLASSES.index("vehicle" if a == "contresens" else "person") for a in VIDEO_ALERTS])
#: Times an hour that the persons in view are others; vehicles an hour on a street of each class, of which so many are
#: two-wheelers; bicycles and animals per passer-by. Assumptions.
_TURNOVER: Final = 20.0
_VEHICLES: Final = {"main": 700.0, "secondary": 260.0, "local": 45.0}
_TWO_WHEELERS: Final = 0.13
_PER_PERSON: Final = {"bicycle": 0.03, "animal": 0.015}


@dataclass(frozen=True, eq=False)
class Alerts:
    """Alerts as arrays of one length.

    Attributes
    ----------
    camera, kind : ndarray of int
        Row of the cameras, index in VIDEO_ALERTS.
    t_us : ndarray of int
        Whole second.
    score : ndarray
        NaN for what an operator saw.
    incident : ndarray of int
        What it is about, -1 for nothing. Truth.
    """

    camera: IntArray
    kind: IntArray
    t_us: IntArray
    score: FloatArray
    incident: IntArray


def video_metadata(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw D04: one row per camera, hour and class of object, and one row per alert."""
    t_us = window(world.scenario).starts_us(3600)
    counts = rng.poisson(objects_per_hour(world, t_us))
    n_hours, n_cameras, n_classes = counts.shape
    alerts = draw_alerts(world, rng=rng)
    crowd = alerts.kind == VIDEO_ALERTS.index("attroupement")
    in_alert = np.where(crowd, 5 + rng.poisson(7.0, len(crowd)), 1 + rng.poisson(0.3, len(crowd)))
    hour, camera, kind = (a.ravel() for a in np.indices(counts.shape))
    opening = np.concatenate([t_us[hour], alerts.t_us])
    drop = np.concatenate([t_us[hour] + 3599 * SECOND_US, alerts.t_us])
    camera = np.concatenate([camera, alerts.camera])
    objects = np.concatenate([kind, _OBJECT[alerts.kind]])
    alert = np.concatenate([np.full(n_hours * n_cameras * n_classes, -1), alerts.kind])
    names = world.cameras["camera_id"].tolist()
    order = np.lexsort((_rank(VIDEO_ALERTS)[alert], _rank(VIDEO_CLASSES)[objects], opening, _rank(names)[camera], drop))
    return clean(
        "video_metadata",
        {
            "camera": spoken(camera[order], names),
            "t": opening[order],
            "object_class": spoken(objects[order], VIDEO_CLASSES),
            "count": np.concatenate([counts.ravel(), in_alert])[order],
            "alert_type": spoken(alert[order], VIDEO_ALERTS),
            "score": np.concatenate([np.full(n_hours * n_cameras * n_classes, np.nan), alerts.score])[order],
        },
        t_drop_us=drop[order],
    )


def _rank(names: tuple[str, ...] | list[str]) -> IntArray:
    """Place of each name in the order of texts."""
    out = np.empty(len(names), dtype=np.int64)
    out[np.argsort(np.array(names, dtype=object), kind="stable")] = np.arange(len(names))
    return out


def objects_per_hour(world: World, t_us: IntArray) -> FloatArray:
    """Mean number of objects that each camera counts, shape (n_hours, n_cameras, 5 classes)."""
    cameras, grid = world.cameras, world.city.grid
    reach, fov = (cameras[k].to_numpy(dtype=np.float64) for k in ("reach_m", "fov_deg"))
    part = np.pi * reach**2 * fov / 360.0 / grid.cell_m**2
    persons = pedestrians(world, t_us, step_s=3600)[:, cameras["cell"].to_numpy()] * (part * _TURNOVER)
    road = _street_class(world)
    vehicles = busy_hours(t_us)[:, None] * np.array([_VEHICLES[r] for r in road], dtype=np.float64)
    by_class = {
        "person": persons,
        "vehicle": vehicles * (1 - _TWO_WHEELERS),
        "two_wheeler": vehicles * _TWO_WHEELERS,
        **{name: persons * share for name, share in _PER_PERSON.items()},
    }
    out = np.stack([by_class[name] for name in VIDEO_CLASSES], axis=2)
    second = (clock(t_us).hour * 3600).astype(np.int64)
    quarter = cameras["quarter"].to_numpy(dtype=np.int64)
    hour, camera = (a.ravel() for a in np.indices(persons.shape))
    seen = light(second[hour], quarter[camera], world.city, night_loss=world.scenario.sensing.night_loss)
    return np.asarray(out * seen.reshape(persons.shape)[:, :, None])


def _street_class(world: World) -> list[str]:
    """Class of the street nearest to each camera."""
    edges, nodes = world.streets.edges, world.streets.nodes
    xy = nodes[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    middle = (xy[edges["u"].to_numpy()] + xy[edges["v"].to_numpy()]) / 2
    nearest = cKDTree(middle).query(world.cameras[["x_m", "y_m"]].to_numpy(dtype=np.float64))[1]
    return [str(word) for word in edges["road_class"].to_numpy()[nearest]]


def views(world: World, site: IntArray) -> tuple[IntArray, IntArray]:
    """Pairs (row of ``site``, camera) such that the address lies in the field of view of the camera."""
    cameras, city = world.cameras, world.city
    if not len(cameras) or not len(site):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    xy = np.column_stack([city.site_x_m[site], city.site_y_m[site]])
    stand = cameras[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    reach, bearing, fov = (cameras[k].to_numpy(dtype=np.float64) for k in ("reach_m", "bearing_deg", "fov_deg"))
    found = cKDTree(xy).query_ball_point(stand, reach)
    camera = np.repeat(np.arange(len(cameras)), [len(f) for f in found])
    row = np.concatenate([np.asarray(f, dtype=np.int64) for f in found])
    east, north = (xy[row] - stand[camera]).T
    off = np.abs((np.degrees(np.arctan2(east, north)) - bearing[camera] + 180.0) % 360.0 - 180.0)
    inside = ((east == 0) & (north == 0)) | (off <= fov[camera] / 2)
    row, camera = row[inside], camera[inside]
    order = np.lexsort((camera, row))
    return row[order], camera[order]


def draw_alerts(world: World, *, rng: np.random.Generator) -> Alerts:
    """Draw the alerts of the dense days, right and wrong ones, and what operators see."""
    plan, span = world.scenario.sensing, window(world.scenario)
    incidents, n_cameras = world.incidents, len(world.cameras)
    alike = np.array([VIDEO_ALERTS.index(LOOKS_LIKE[t]) if t in LOOKS_LIKE else -1 for t in INCIDENT_TYPES])
    here = np.flatnonzero(span.holds(incidents.t_us))
    row, camera = views(world, incidents.site[here])
    which = here[row]
    second = (clock(incidents.t_us[which]).hour * 3600).astype(np.int64)
    seen = light(second, incidents.quarter[which], world.city, night_loss=plan.night_loss)
    right = (alike[incidents.type_code[which]] >= 0) & (rng.random(len(which)) < plan.alert_sensitivity * seen)
    which, camera = which[right], camera[right]
    late = rng.gamma(2.0, 12.0, len(which))

    cv = plan.false_alert_cv
    level = rng.gamma(1 / cv**2, cv**2, n_cameras) if cv > 0 else np.ones(n_cameras)
    hours = (span.midnights_us[-1] - span.midnights_us[0]) / (3600 * SECOND_US)
    n_false = rng.poisson(plan.false_alerts_per_camera_hour * level * hours)
    false_camera = np.repeat(np.arange(n_cameras), n_false)
    false_kind = pick(_FALSE_LAW, size=len(false_camera), rng=rng)
    false_t = rng.integers(span.midnights_us[0], span.midnights_us[-1], len(false_camera))

    watched, operator_camera = _seen_by_operators(world, here)
    kind = np.concatenate([alike[incidents.type_code[which]], false_kind, alike[incidents.type_code[watched]]])
    t_us = np.concatenate(
        [incidents.t_us[which] + (late * SECOND_US).astype(np.int64), false_t, incidents.t_us[watched] + 30 * SECOND_US]
    )
    odds = rng.standard_normal(len(which) + len(false_camera))
    odds[: len(which)] += plan.score_gap
    alerts = Alerts(
        camera=np.concatenate([camera, false_camera, operator_camera]),
        kind=np.where(kind >= 0, kind, VIDEO_ALERTS.index("maraudage")),
        t_us=t_us // SECOND_US * SECOND_US,
        score=np.concatenate([np.round(1 / (1 + np.exp(-odds)), 3), np.full(len(watched), np.nan)]),
        incident=np.concatenate([which, np.full(len(false_camera), -1), watched]),
    )
    order = np.lexsort((np.isnan(alerts.score), alerts.kind, alerts.camera, alerts.t_us))
    same = np.zeros(len(order), dtype=bool)  # one camera raises one kind of alert once a second
    same[1:] = np.logical_and.reduce(
        [np.diff(getattr(alerts, name)[order]) == 0 for name in ("t_us", "camera", "kind")]
    )
    kept = order[~same & span.holds(alerts.t_us[order])]
    return Alerts(*(getattr(alerts, name)[kept] for name in Alerts.__dataclass_fields__))


def _seen_by_operators(world: World, here: IntArray) -> tuple[IntArray, IntArray]:
    """Incidents that came to be known by an operator's eye, and the camera: one with it in view, else the nearest."""
    if not len(world.cameras):
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    seen = here[world.records.known_by[here] == DETECTED]
    site = world.incidents.site[seen]
    xy = np.column_stack([world.city.site_x_m[site], world.city.site_y_m[site]])
    camera = cKDTree(world.cameras[["x_m", "y_m"]].to_numpy(dtype=np.float64)).query(xy)[1]
    row, viewing = views(world, site)
    camera[row[::-1]] = viewing[::-1]
    return seen, np.asarray(camera, dtype=np.int64)


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="video_metadata",
        title=Text(fr="métadonnées vidéo (sans image)", en="video metadata (no image)"),
        invented=Text(
            fr="Comptages par heure d’après la fréquentation, le champ de la caméra et la rue ; perte la nuit là où "
            "l’éclairage manque ; alertes pour une part des incidents latents en vue, fausses alertes d’un taux propre "
            "à chaque caméra, score qui les sépare plus ou moins ; les incidents entrés dans la main courante par un "
            "opérateur y figurent sans score.",
            en="Hourly counts from who is about, the field of view and the street; losses at night where lighting is "
            "short; alerts for a share of the latent incidents in view, false alerts at a rate of each camera's own, a "
            "score that tells them apart more or less; incidents that entered the log by an operator are there, "
            "without a score.",
        ),
        anchor=Text(
            fr="Emplacements : voir les caméras. Faits vus en direct : 1 253 en 2015 avec 864 caméras, soit 3,4 par "
            "jour. Sensibilité et taux de fausses alertes sont des hypothèses, que l’expérience E12 fait varier.",
            en="Sites: see the cameras. Incidents seen live: 1,253 in 2015 with 864 cameras, 3.4 a day. Sensitivity "
            "and false-alert rates are assumptions, varied by experiment E12.",
        ),
        leaves_out=Text(
            fr="Les images, les trajectoires, les pannes, les caméras mobiles ; un passant compté deux fois ; l’effet "
            "de la pluie sur l’analyse.",
            en="Images, tracks, failures, cameras that turn to follow; a passer-by counted twice; the effect of rain "
            "on the analytics.",
        ),
    ),
)
