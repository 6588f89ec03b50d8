"""Emergency visits: who comes to which hospital, for what cause as it was coded, counted by hour.

Some visits are true injuries: incidents of violence, brawls and accidents, thinned. The rest follows residents, their
age, the hour and the heat. Coming depends on how far the nearest hospital is, and part of the violence is coded as
something else, more or less of it as time goes by.

What it cannot tell you: how many people were hurt. A count of visits is injuries times access times coding; the three
cannot be told apart from the counts alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.text import Text
from synthetic_data.clock import DAY_US, local_to_utc_us
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.dense import FloatArray, IntArray, pick, spoken
from synthetic_data.streams.draws import (
    HOUR_US,
    MINUTE_US,
    Rhythm,
    age_band,
    by_type,
    nearest_m,
    remainder,
    rows,
    run_us,
    years_in,
)

if TYPE_CHECKING:
    from synthetic_data.world import World

AGE_BANDS: Final = ("0-14", "15-29", "30-59", "60+")
CAUSES: Final = ("violence", "accident", "ivresse", "malaise", "respiratoire", "chaleur", "autre")


@dataclass(frozen=True, slots=True)
class _Cause:
    """A cause of visits that no incident brings: share of them, rhythm, relative rate of each band of ages."""

    share: float
    rhythm: Rhythm
    rates: tuple[float, float, float, float]


# All assumptions. Visits for heat are counted apart: there is none below a temperature.
_BACKGROUND: Final[Mapping[str, _Cause]] = {
    "accident": _Cause(0.38, Rhythm(16.0, 4.5, 0.15, weekend=0.10, summer=0.05), (1.3, 1.2, 0.8, 1.0)),
    "ivresse": _Cause(0.05, Rhythm(1.0, 3.5, 0.20, weekend=0.60), (0.02, 1.8, 1.2, 0.4)),
    "malaise": _Cause(0.18, Rhythm(12.0, 5.0, 0.35, heat=0.10), (0.3, 0.6, 0.8, 2.2)),
    "respiratoire": _Cause(0.13, Rhythm(20.0, 6.0, 0.45, summer=-0.35), (2.2, 0.5, 0.5, 1.6)),
    "autre": _Cause(0.26, Rhythm(14.0, 5.0, 0.30), (1.3, 0.8, 0.8, 1.3)),
}
_HEAT: Final = _Cause(0.0, Rhythm(17.0, 3.0, 0.20), (0.6, 0.3, 0.5, 3.0))
# Ages of the injured: violence and brawls, accidents. Assumptions.
_HURT_AGES: Final = np.cumsum([[0.05, 0.48, 0.40, 0.07], [0.12, 0.33, 0.40, 0.15]], axis=1)
_ARRIVAL_MIN: Final = 50.0
#: What violence becomes when it is coded otherwise, and in what share.
_CODED_AS: Final = (("accident", 0.7), ("autre", 0.3))


def urgences(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the visits and count them by hospital, hour, band of ages and cause as coded (D07).

    Raises
    ------
    ParameterError
        If incidents alone bring more than ``services.visits_per_day``.
    """
    plan, people, n_days = world.scenario.services, world.people, world.scenario.time.n_days
    hospitals = world.places.of("hospital").reset_index(drop=True)
    if not len(hospitals):
        none = np.empty(0, dtype=np.int64)
        return _counts(pd.Series([], dtype="str"), none, none, none, none, none)
    access = _access(world, hospitals)
    site, band, cause, t_us, expected = _hurt(world, access, rng=rng)
    rest = remainder(plan.visits_per_day, expected / n_days, name="visits_per_day", why="incidents")

    bands, home = age_band(people.age), people.home_site
    parts = [(site, band, cause, t_us)]
    warm = np.maximum(world.weather.temperature_c - plan.heat_from_c, 0.0)
    for name, kind in (*_BACKGROUND.items(), ("chaleur", _HEAT)):
        if name == "chaleur":
            day = np.repeat(np.arange(n_days), rng.poisson(plan.heat_visits_per_c * warm))
            second = kind.rhythm.seconds(len(day), rng=rng)
        else:
            day, second = kind.rhythm.draw(world, rest * kind.share, rng=rng)
        person = pick(np.array(kind.rates)[bands] * access[home], size=len(day), rng=rng)
        code = np.full(len(day), CAUSES.index(name))
        t_us = local_to_utc_us(world.scenario, day, second)
        parts.append((home[person].astype(np.int64), bands[person], code, t_us))
    site, band, cause, t_us = (np.concatenate([part[i] for part in parts]) for i in range(4))
    seen = np.flatnonzero(t_us < run_us(world)[1])
    site, band, cause, t_us = site[seen], band[seen], cause[seen], t_us[seen]

    where = _hospital(world, hospitals, site, rng=rng)
    wrong = np.clip(plan.coding_error + plan.coding_drift * years_in(world, t_us), 0.0, 1.0)
    wrong = (cause == CAUSES.index("violence")) & (rng.random(len(cause)) < wrong)
    other = np.array([CAUSES.index(name) for name, _ in _CODED_AS])
    cause = np.where(wrong, other[pick(np.array([p for _, p in _CODED_AS]), size=len(cause), rng=rng)], cause)
    hour = t_us // HOUR_US
    tables = np.unique(np.column_stack([hour, where, band, cause]), axis=0, return_counts=True)
    (hour, where, band, cause), n = tables[0].T, tables[1]
    return _counts(hospitals["place_id"].astype("str"), where, hour * HOUR_US, band, cause, n)


def _access(world: World, hospitals: pd.DataFrame) -> FloatArray:
    """Relative chance that somebody at each address comes: falls with distance, mean 1 over residents."""
    city = world.city
    near = nearest_m(city.site_x_m, city.site_y_m, hospitals, otherwise=city.centre_m)
    out = np.exp(-world.scenario.services.access_fall * near / 1000.0)
    return np.asarray(out / out[world.people.home_site].mean(), dtype=np.float64)


def _hurt(
    world: World, access: FloatArray, *, rng: np.random.Generator
) -> tuple[IntArray, IntArray, IntArray, IntArray, float]:
    """Visits that incidents bring: address, band, cause, instant; and how many were expected, what is planted aside."""
    plan, incidents = world.scenario.services, world.incidents
    rate = by_type(
        {"violence": plan.injured_violence, "rixe": plan.injured_rixe, "accident": plan.injured_accident}
    )  # fmt: skip
    p = np.minimum(rate[incidents.type_code] * access[incidents.site], 1.0)
    hurt = np.flatnonzero(rng.random(len(p)) < p)
    accident = incidents.type_code[hurt] == INCIDENT_TYPES.index("accident")
    law = _HURT_AGES[accident.astype(np.int64)]
    band = (rng.random(len(hurt))[:, None] > law[:, :-1]).sum(axis=1)
    after = (_ARRIVAL_MIN * rng.standard_exponential(len(hurt)) * MINUTE_US).astype(np.int64)
    cause = np.where(accident, CAUSES.index("accident"), CAUSES.index("violence"))
    return incidents.site[hurt], band, cause, incidents.t_us[hurt] + after, float(p[~incidents.planted].sum())


def _hospital(world: World, hospitals: pd.DataFrame, site: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Draw a hospital for each visit: larger ones draw more, and so do nearer ones."""
    city, reach_m = world.city, 1000.0 * world.scenario.services.hospital_reach_km
    x, y = hospitals["x_m"].to_numpy(), hospitals["y_m"].to_numpy()
    away = np.hypot(city.site_x_m[site, None] - x, city.site_y_m[site, None] - y)
    law = hospitals["capacity"].to_numpy() * np.exp(-(away - away.min(axis=1, keepdims=True)) / reach_m)
    edges = np.cumsum(law, axis=1)
    return np.asarray((rng.random(len(site))[:, None] * edges[:, -1:] > edges[:, :-1]).sum(axis=1), dtype=np.int64)


def _counts(
    names: pd.Series[str], where: IntArray, t_us: IntArray, band: IntArray, cause: IntArray, n: IntArray
) -> pd.DataFrame:
    """Rows, which reach the city a day after the hour they count."""
    return rows(
        "urgences",
        {
            "hospital": spoken(where, names.tolist()), "t": t_us, "age_band": spoken(band, AGE_BANDS),
            "cause_class": spoken(cause, CAUSES), "n": n,
        },
        t_drop_us=t_us + DAY_US,
    )  # fmt: skip


DATASHEETS: Final = (
    Datasheet(
        key="urgences",
        title=Text(fr="Passages aux urgences", en="Emergency visits"),
        invented=Text(
            fr="Tout : les blessés tirés des violences, rixes et accidents survenus, les autres visites selon l’âge, "
            "l’heure et la chaleur, le choix de l’hôpital selon la distance, le renoncement de qui habite loin, "
            "et la part croissante de violences codées autrement.",
            en="Everything: the injured drawn from violence, brawls and accidents that happened, the other visits by "
            "age, hour and heat, the choice of a hospital by distance, those who live far and do not come, and "
            "the growing share of violence coded as something else.",
        ),
        anchor=Text(
            fr="600 passages par jour, ceux de la chaleur en plus : un ordre de grandeur, non un chiffre publié. Rien "
            "d’autre n’est calé.",
            en="600 visits a day, those for heat on top: an order of magnitude, not a published figure. Nothing else "
            "is anchored.",
        ),
        leaves_out=Text(
            fr="Les hôpitaux privés, les transferts, la gravité, l’attente, les épidémies. Une personne n’y est jamais "
            "nommée, et deux passages d’une même personne n’y sont pas liés.",
            en="Private hospitals, transfers, severity, waiting, epidemics. Nobody is named, and two visits of one "
            "person are not linked.",
        ),
    ),
)
