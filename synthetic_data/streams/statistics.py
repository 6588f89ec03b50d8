"""Police statistics by month, flights of drones, and what is said of the national biometric files.

Statistics hold what residents filed a complaint for, and what police presence found. Drones go where the log says that
something is wrong. Of the biometric files there is a size and a law of scores, never a person.

What it cannot tell you: crime. A complaint takes somebody who files it, an offence found by police takes police.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.text import Text
from synthetic_data.clock import DAY_US, local_to_utc_us
from synthetic_data.datasheets import Datasheet
from synthetic_data.scenario import LOCAL_TZ
from synthetic_data.sectors import make_sectors
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.dense import FloatArray, IntArray, pick, spoken
from synthetic_data.streams.draws import HOUR_US, MINUTE_US, BoolArray, by_type, numbered, remainder, rows, run_us

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Classes of offences and the share of those recorded that is cleared. Assumptions.
CLEARED: Final[Mapping[str, float]] = {
    "degradations": 0.12, "vols_de_velo": 0.03, "vols": 0.08, "cambriolages": 0.10, "violences": 0.65,
    "vols_de_vehicules": 0.08, "escroqueries": 0.20, "stupefiants": 0.98, "outrages": 0.96,
}  # fmt: skip
_CLASSES: Final = tuple(CLEARED)
#: Class of each type that residents file a complaint for; thefts are split.
_FILED: Final[Mapping[str, str]] = {
    "degradation": "degradations", "vol": "vols", "intrusion": "cambriolages", "violence": "violences",
    "rixe": "violences",
}  # fmt: skip
#: Classes that no incident of this world brings: filed by residents, found by presence. Shares are assumptions.
_ELSEWHERE: Final[Mapping[str, float]] = {"escroqueries": 0.6, "vols_de_vehicules": 0.4}
_FOUND: Final[Mapping[str, float]] = {"stupefiants": 0.6, "outrages": 0.4}

#: No complaint is certain: no chance exceeds this.
_MOST: Final = 0.95

#: Types of the log that raise an alarm for drones.
ALARMS: Final = ("rixe", "attroupement", "violence", "tapage", "intrusion")
_CAUSES: Final = ("alerte", "evenement", "demande")


def statistiques_police(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the monthly table by sector and class of offence, as far as it is published within the run (D13).

    Months, or days of a month, before the run are drawn from what the scenario expects.

    Raises
    ------
    ParameterError
        If complaints alone exceed ``services.offences_per_day``.
    """
    plan, sectors = world.scenario.services, make_sectors(world.city)
    opening, end = run_us(world)
    first = world.scenario.start.tz_localize(None).to_period("M") - plan.history_months
    months = pd.period_range(first, periods=plan.history_months + world.scenario.time.n_days // 28 + 3, freq="M")
    edges = pd.DatetimeIndex([month.to_timestamp() for month in months]).tz_localize(LOCAL_TZ)
    edges_us = np.asarray(edges.as_unit("us").asi8, dtype=np.int64)
    published = edges_us[1:] + int(plan.publication_lag_days * DAY_US) + 9 * HOUR_US
    keep = int((published < end).sum())
    months_us, published = edges_us[: keep + 1], np.maximum(published[:keep], opening)

    of_quarter, n = sectors.of_quarter, len(sectors.frame)
    rate = complaint_rates(world)
    daily = _expected(world, rate, of_quarter, n)
    inside = np.clip(months_us, opening, end)
    days_out = (np.diff(months_us) - np.diff(inside)) / DAY_US
    days = np.diff(months_us) / DAY_US
    recorded = rng.poisson(days_out[:, None, None] * daily)
    recorded = recorded + _filed(world, rate, of_quarter, months_us, shape=(keep, n, len(_CLASSES)), rng=rng)
    rest = remainder(plan.offences_per_day, float(daily.sum()), name="offences_per_day", why="complaints")
    recorded = recorded + rng.poisson(days[:, None, None] * rest * _others(world, of_quarter, n))
    cleared = rng.binomial(recorded, np.array(list(CLEARED.values())))
    month, sector, kind = (index.ravel() for index in np.indices(recorded.shape))
    return rows(
        "statistiques_police",
        {
            "offence_class": spoken(kind, _CLASSES), "month": months_us[month],
            "sector": spoken(sector, sectors.frame["sector_id"].tolist()), "recorded": recorded.ravel(),
            "cleared": cleared.ravel(),
        },
        t_drop_us=published[month],
    )  # fmt: skip


def complaint_rates(world: World) -> FloatArray:
    """Chance that somebody files a complaint, by type and quarter, thefts of bicycles aside; shape (12, n_quarters).

    Over the places where a type happens its mean is that of the scenario, unless a product above 0.95 was cut.
    """
    plan = world.scenario.services
    base = by_type(
        {
            "degradation": plan.complaint_degradation,
            "vol": plan.complaint_theft,
            "intrusion": plan.complaint_intrusion,
            "violence": plan.complaint_violence,
            "rixe": plan.complaint_rixe,
        }
    )
    return np.asarray(np.minimum(base[:, None] * _trust(world), _MOST), dtype=np.float64)


def bicycle_rates(world: World) -> FloatArray:
    """Chance that the theft of a bicycle is filed, by quarter; shape (n_quarters,)."""
    trust = _trust(world)[INCIDENT_TYPES.index("vol")]
    return np.asarray(np.minimum(world.scenario.services.complaint_bicycle * trust, _MOST), dtype=np.float64)


def _trust(world: World) -> FloatArray:
    """How readily people file, by type and quarter, mean 1 over where the type happens; shape (12, n_quarters)."""
    trust = np.exp(world.scenario.services.complaint_gradient * standard_poverty(world))
    mean = world.incidents.cell_risk @ trust[world.city.cell_quarter]
    return np.asarray(trust / mean[:, None], dtype=np.float64)


def _expected(world: World, rate: FloatArray, of_quarter: IntArray, n: int) -> FloatArray:
    """Complaints expected per day; shape (n_sectors, n_classes)."""
    plan, scenario, city = world.scenario.services, world.scenario, world.city
    weight = np.array([scenario.types[name].weight for name in INCIDENT_TYPES])
    per_day = scenario.incidents.latent_per_day * weight / weight.sum()
    cell = np.arange(len(city.site_x_m)) // city.sites_per_cell
    sector = of_quarter[city.site_quarter]
    out = np.zeros((n, len(_CLASSES)))
    for name, to in _FILED.items():
        k = INCIDENT_TYPES.index(name)
        happens = per_day[k] / city.sites_per_cell * world.incidents.cell_risk[k, cell]
        if name == "vol":
            filed = plan.bicycle_share * happens * bicycle_rates(world)[city.site_quarter]
            out[:, _CLASSES.index("vols_de_velo")] += np.bincount(sector, filed, minlength=n)
            happens = (1 - plan.bicycle_share) * happens
        filed = happens * rate[k, city.site_quarter]
        out[:, _CLASSES.index(to)] += np.bincount(sector, filed, minlength=n)
    return out


def _filed(
    world: World, rate: FloatArray, of_quarter: IntArray, months_us: IntArray, *, shape: tuple[int, int, int],
    rng: np.random.Generator,
) -> IntArray:  # fmt: skip
    """Complaints for what happened in the run; shape (n_months, n_sectors, n_classes)."""
    incidents = world.incidents
    p = rate[incidents.type_code, incidents.quarter]
    to = by_type({name: 1 + _CLASSES.index(word) for name, word in _FILED.items()}).astype(np.int64) - 1
    code = to[incidents.type_code]
    theft = incidents.type_code == INCIDENT_TYPES.index("vol")
    bicycle = theft & (rng.random(len(p)) < world.scenario.services.bicycle_share)
    p = np.where(bicycle, bicycle_rates(world)[incidents.quarter], p)
    code = np.where(bicycle, _CLASSES.index("vols_de_velo"), code)
    month = np.searchsorted(months_us, incidents.t_us, side="right") - 1
    at = np.flatnonzero((rng.random(len(p)) < p) & (month < shape[0]))
    flat = np.ravel_multi_index((month[at], of_quarter[incidents.quarter[at]], code[at]), shape)
    return np.asarray(np.bincount(flat, minlength=int(np.prod(shape))).reshape(shape), dtype=np.int64)


def _others(world: World, of_quarter: IntArray, n: int) -> FloatArray:
    """Law of what no incident brings: by residents, or by hours of patrol; shape (n_sectors, n_classes)."""
    residents = np.bincount(of_quarter, world.city.quarters["population"], minlength=n)
    presence = np.bincount(of_quarter, world.hours.sum(axis=(0, 1)), minlength=n)
    effort = world.scenario.services.effort_share
    out = np.zeros((n, len(_CLASSES)))
    for words, share, where in ((_ELSEWHERE, 1 - effort, residents), (_FOUND, effort, presence)):
        for name, part in words.items():
            out[:, _CLASSES.index(name)] = share * part * where / where.sum()
    return out


def drones(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw the flights of the run, 0 to 2 a day (D23).

    A flight goes to an alarm of the log of that day, to an authorised event, or where somebody asked for one, which is
    anywhere on land. Where there is no alarm, or no event, it was asked for.
    """
    plan, n_days = world.scenario.services, world.scenario.time.n_days
    sectors = make_sectors(world.city)
    midnights = local_to_utc_us(world.scenario, np.arange(n_days + 1), np.zeros(n_days + 1, dtype=np.int64))
    day = np.repeat(np.arange(n_days), rng.binomial(2, plan.flights_per_day / 2, size=n_days))
    n = len(day)
    u = rng.random(n)
    alarm_us, alarm_quarter = _alarms(world)
    events = world.calendar[world.calendar["authorised"].to_numpy(dtype=bool) & (world.calendar["expected_crowd"] > 0)]
    event_us = events["t_start_us"].to_numpy(dtype=np.int64)
    to_alarm, alarm = _one_of_the_day(alarm_us, midnights, day, rng=rng)
    to_event, event = _one_of_the_day(event_us, midnights, day, rng=rng)
    to_alarm &= u < plan.flight_alarm_share
    to_event &= (u >= plan.flight_alarm_share) & (u < plan.flight_alarm_share + plan.flight_event_share)

    sector = pick(sectors.frame["area_km2"].to_numpy(), size=n, rng=rng)
    second = rng.integers(9 * 3600, 20 * 3600, size=n)
    t_us = local_to_utc_us(world.scenario, day, second)
    delay = (12 * np.exp(0.5 * rng.standard_normal(n)) * MINUTE_US).astype(np.int64)
    a, e = alarm[to_alarm], event[to_event]
    t_us[to_alarm], sector[to_alarm] = alarm_us[a] + delay[to_alarm], sectors.of_quarter[alarm_quarter[a]]
    t_us[to_event] = event_us[e] + delay[to_event]
    sector[to_event] = sectors.of_quarter[events["quarter"].to_numpy(dtype=np.int64)[e]]
    t_us = np.minimum(t_us, run_us(world)[1] - 1_000_000) // 1_000_000 * 1_000_000
    minutes = np.clip(22 * np.exp(0.5 * rng.standard_normal(n)), 3, 120)
    cause = np.where(to_alarm, 0, np.where(to_event, 1, 2))
    return rows(
        "drones",
        {
            "flight": numbered(f"VD{world.scenario.start.year}", t_us), "t": t_us,
            "zone": spoken(sector, sectors.frame["sector_id"].tolist()), "minutes": np.round(minutes, 1),
            "cause": spoken(cause, _CAUSES),
        },
        t_drop_us=t_us + 2 * HOUR_US,
    )  # fmt: skip


def _alarms(world: World) -> tuple[IntArray, IntArray]:
    """Instant of entry and quarter of the records that raise an alarm, both as written, in order of entry."""
    records, city = world.records, world.city
    at = np.flatnonzero(np.isin(records.type_code, [INCIDENT_TYPES.index(name) for name in ALARMS]))
    at = at[np.argsort(records.t_entry_us[at], kind="stable")]
    site = cKDTree(np.column_stack([city.site_x_m, city.site_y_m]))
    nearest = site.query(np.column_stack([records.x_m[at], records.y_m[at]]))[1]
    return records.t_entry_us[at], city.site_quarter[nearest]


def _one_of_the_day(
    t_us: IntArray, midnights: IntArray, day: IntArray, *, rng: np.random.Generator
) -> tuple[BoolArray, IntArray]:
    """For each day named, whether there is any of these sorted instants on it, and one of them at random."""
    edges = np.searchsorted(t_us, midnights)
    first, size = edges[day], np.diff(edges)[day]
    return size > 0, first + np.floor(rng.random(len(day)) * size).astype(np.int64)


def fichiers_biometriques(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Describe the two national files by their size and their laws of scores (D25); nothing is drawn.

    ``impostor_mean`` and ``impostor_sd`` are those of a resident of the city compared with the file. Two persons of
    one group score ``same_group_shift`` closer; where group B is enrolled more than its share, more pairs are of one
    group for B and fewer for A.
    """
    plan, share_b = world.scenario.services, world.scenario.city.share_b
    held = {"TES": share_b, "TAJ": share_b * np.exp(plan.enrolment_gap)}
    held["TAJ"] /= 1 - share_b + held["TAJ"]
    alike = {name: (1 - share_b) * (1 - b) + share_b * b for name, b in held.items()}
    shift, opening = plan.same_group_shift, run_us(world)[0]
    law = [(plan.impostor_mean + shift * p, np.hypot(plan.impostor_sd, shift * np.sqrt(p * (1 - p))))
           for p in alike.values()]  # fmt: skip
    return rows(
        "fichiers_biometriques",
        {
            "file": pd.Series(list(held), dtype="str"), "described": np.full(2, opening),
            "gallery_size": np.array([plan.tes_gallery, plan.taj_gallery]),
            "genuine_mean": np.full(2, plan.genuine_mean), "genuine_sd": np.full(2, plan.genuine_sd),
            "impostor_mean": np.round([mean for mean, _ in law], 6), "impostor_sd": np.round([sd for _, sd in law], 6),
        },
        t_drop_us=np.full(2, opening),
    )  # fmt: skip


DATASHEETS: Final = (
    Datasheet(
        key="statistiques_police",
        title=Text(fr="Statistiques de police et de justice", en="Police and court statistics"),
        invented=Text(
            fr="Les classes, la chance de porter plainte selon le fait et le quartier, ce que la présence policière "
            "découvre, les taux d’élucidation, le délai de publication.",
            en="The classes, the chance that a complaint is filed by offence and quarter, what police presence finds, "
            "the clearance rates, the lag of publication.",
        ),
        anchor=Text(
            fr="258 faits par jour (94 409 en 2008) ; plainte pour 11 % des dégradations et environ 25 % des vols de "
            "vélo.",
            en="258 offences a day (94,409 in 2008); a complaint for 11 % of vandalism, about 25 % of bicycle thefts.",
        ),
        leaves_out=Text(
            fr="Les plaintes tardives, requalifiées ou déposées ailleurs. Un fait élucidé l’est dans son mois, ce qui "
            "n’est pas ainsi qu’on compte.",
            en="Complaints filed late, reclassified or elsewhere. An offence is cleared in its own month, which is not "
            "how it is counted.",
        ),
    ),
    Datasheet(
        key="drones",
        title=Text(fr="Vols de drones", en="Drone flights"),
        invented=Text(
            fr="La règle d’envoi : surtout vers une alerte de la main courante du jour, parfois vers un événement, "
            "sinon à la demande. Les vols suivent donc le registre, non les faits.",
            en="The dispatch rule: mostly to an alarm of the day’s log, sometimes to an event, else on request. "
            "Flights therefore follow the log, not what happened.",
        ),
        anchor=Text(
            fr="Aucune : 0 à 2 vols par jour est une hypothèse.", en="None: 0 to 2 flights a day is an assumption."
        ),
        leaves_out=Text(
            fr="Ce que le drone voit, le droit de le faire voler, la météo.",
            en="What the drone sees, the right to fly it, the weather.",
        ),
    ),
    Datasheet(
        key="fichiers_biometriques",
        title=Text(fr="Fichiers biométriques TES et TAJ", en="Biometric files TES and TAJ"),
        invented=Text(
            fr="Les lois de score, et l’inscription inégale de deux groupes neutres A et B dans le TAJ, qui déplace la "
            "loi des imposteurs. Ni identité, ni visage, ni gabarit : deux lignes de nombres.",
            en="The laws of scores, and the unequal enrolment of two neutral groups A and B in TAJ, which moves the "
            "law of impostors. No identity, no face, no template: two rows of numbers.",
        ),
        anchor=Text(
            fr="Sept à huit millions de photographies dans le TAJ. La taille de TES est un ordre de grandeur.",
            en="Seven to eight million photographs in TAJ. The size of TES is an order of magnitude.",
        ),
        leaves_out=Text(
            fr="Tout ce qui ferait une reconnaissance : images, qualité, seuils, usages.",
            en="All that recognition is made of: images, quality, thresholds, uses.",
        ),
    ),
)
