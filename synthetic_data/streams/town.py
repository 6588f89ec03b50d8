"""Life of the town: places as published, park keepers' reports, events as declared.

Each shows less than there is. Places are published by choice, parks are reported on where keepers are, and events that
nobody declared are in no file.

What it cannot tell you: what is missing from it. A place, a park or a gathering absent from these files may well be
there.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from contrechamp.domain.text import Text
from synthetic_data.clock import DAY_US, local_to_utc_us
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.dense import FloatArray, pick, spoken
from synthetic_data.streams.draws import (
    HOUR_US,
    Rhythm,
    identities,
    numbered,
    rows,
    run_us,
    seconds_between,
    weekdays,
)

if TYPE_CHECKING:
    from synthetic_data.world import World

#: Places that may be published, and how each is named.
PUBLISHED: Final[Mapping[str, str]] = {
    "school": "École", "station": "Station", "market": "Marché", "stadium": "Stade", "hospital": "Hôpital",
    "park": "Parc", "police_station": "Poste de police", "fire_station": "Caserne", "town_hall": "Mairie",
}  # fmt: skip

# What keepers report: share, rhythm, wordings. All assumptions.
_PARK_REPORTS: Final[Mapping[str, tuple[float, Rhythm, tuple[str, ...]]]] = {
    "degradation": (0.22, Rhythm(9.0, 3.0, 0.1), (
        "Banc cassé constaté {where}.", "Grillage forcé {where}, à reprendre par les ateliers.",
        "Jeux d’enfants dégradés {where}.", "Arrosage détérioré {where}.")),
    "bruit": (0.13, Rhythm(18.5, 2.0, 0.1, weekend=0.3), (
        "Musique amplifiée {where}, groupe invité à baisser le son.", "Bruit signalé par des promeneurs {where}.")),
    "chien": (0.20, Rhythm(17.0, 3.0, 0.1, weekend=0.2), (
        "Chien sans laisse {where}, rappel du règlement.", "Chien dans l’aire de jeux {where}.")),
    "depot_sauvage": (0.19, Rhythm(8.5, 2.0, 0.1), (
        "Encombrants déposés {where}.", "Sacs abandonnés {where}, enlèvement demandé.", "Gravats {where}.")),
    "attroupement": (0.11, Rhythm(18.0, 2.0, 0.1, weekend=0.4), (
        "Groupe nombreux {where}, pique-nique calme.", "Rassemblement {where}, pelouse occupée.")),
    "camping": (0.05, Rhythm(8.0, 1.5, 0.1), (
        "Tente installée {where}.", "Couchages sous les arbres {where}.")),
    "autre": (0.10, Rhythm(14.0, 3.0, 0.2), (
        "Branche tombée {where}.", "Fontaine à l’arrêt {where}.", "Objet trouvé {where}, remis au poste.")),
}  # fmt: skip
_CORNERS: Final = (
    "près de l’entrée",
    "côté aire de jeux",
    "au bord du bassin",
    "dans l’allée centrale",
    "au belvédère",
)
#: Keepers work from 7 to 21 h; hours they put in by weekday, Monday first. Assumptions.
_OPEN_S: Final = (7 * 3600, 21 * 3600)
_PARK_WEEK: Final = (1.0, 1.0, 1.05, 1.0, 1.0, 0.8, 0.6)


def donnees_ouvertes(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw which places are published, and with their capacity or without (D12)."""
    plan, frame = world.scenario.services, world.places.frame
    open_to = frame[frame["kind"].isin(PUBLISHED)].reset_index(drop=True)
    quarter = open_to["quarter"].to_numpy(dtype=np.int64)
    odds = np.log(plan.published_share / (1 - plan.published_share))
    odds = odds + plan.publication_gradient * standard_poverty(world)[quarter]
    shown = rng.random(len(open_to)) < 1 / (1 + np.exp(-odds))
    counted = rng.random(len(open_to)) < plan.capacity_known
    open_to, quarter, counted = open_to[shown].reset_index(drop=True), quarter[shown], counted[shown]
    number = open_to.groupby(["kind", "quarter"], observed=True).cumcount().to_numpy() + 1
    towns = world.city.quarters["name"].tolist()
    names = [
        f"{PUBLISHED[kind]} {towns[q]}" + (f" {n}" if n > 1 else "")
        for kind, q, n in zip(open_to["kind"].tolist(), quarter.tolist(), number.tolist(), strict=True)
    ]
    opening = np.full(len(open_to), run_us(world)[0])
    return rows(
        "donnees_ouvertes",
        {
            "id": open_to["place_id"].astype("str"), "updated": opening, "x_m": open_to["x_m"].to_numpy(),
            "y_m": open_to["y_m"].to_numpy(), "layer": open_to["kind"].astype("str"),
            "name": pd.Series(names, dtype="str"),
            "capacity": open_to["capacity"].astype("Int64").where(pd.Series(counted), pd.NA),
        },
        t_drop_us=opening,
    )  # fmt: skip


def park_presence(world: World) -> FloatArray:
    """Relative hours of keepers by day and park, mean 1; shape (n_days, n_parks).

    More of them near the centre than away from it, more on weekdays than on Sundays.
    """
    parks, plan = world.places.of("park"), world.scenario.services
    x0, y0 = world.city.centre_m
    away_km = np.hypot(parks["x_m"].to_numpy() - x0, parks["y_m"].to_numpy() - y0) / 1000.0
    hours = np.array(_PARK_WEEK)[weekdays(world)][:, None] * np.exp(-plan.staffing_fall * away_km)
    return np.asarray(hours / hours.mean() if hours.size else hours, dtype=np.float64)


def parcs(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw what park keepers report (D18): what there is to see in a park, times how long somebody is there to see it.

    What there is to see grows with the square root of the park's capacity, and less of it on rainy days.
    """
    plan, parks = world.scenario.services, world.places.of("park").reset_index(drop=True)
    need = np.sqrt(np.maximum(parks["capacity"].to_numpy(dtype=np.float64), 1.0))
    rate = park_presence(world) ** plan.presence_effect * need * np.exp(-0.4 * world.weather.rainy)[:, None]
    n_days = world.scenario.time.n_days
    if rate.size:
        rate *= plan.park_reports_per_day * n_days / rate.sum()
    n = rng.poisson(rate)
    day, park = (np.repeat(index.ravel(), n.ravel()) for index in np.indices(n.shape))
    kind = pick(np.array([share for share, _, _ in _PARK_REPORTS.values()]), size=len(day), rng=rng)
    second = np.empty(len(day), dtype=np.int64)
    texts = np.empty(len(day), dtype=object)
    for k, (_, rhythm, wordings) in enumerate(_PARK_REPORTS.values()):
        mine = np.flatnonzero(kind == k)
        said = [text.format(where=corner) for text in wordings for corner in _CORNERS]
        second[mine] = seconds_between(rhythm, _OPEN_S, len(mine), rng=rng)
        texts[mine] = np.array(said, dtype=object)[rng.integers(len(said), size=len(mine))]
    t_us = local_to_utc_us(world.scenario, day, second)
    return rows(
        "parcs",
        {
            "id": numbered(f"PJ{world.scenario.start.year}", t_us), "t": t_us,
            "park": spoken(park, parks["place_id"].tolist()), "type": spoken(kind, tuple(_PARK_REPORTS)),
            "text": pd.Series(texts, dtype="str"),
        },
        t_drop_us=t_us + 12 * HOUR_US,
    )  # fmt: skip


def evenements(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw how the authorised events of the calendar are published (D19).

    A declaration comes some weeks before the event, or late, when it has begun or is over. Those of before day 0 are in
    the first file. What was never declared is not there.
    """
    plan, calendar = world.scenario.services, world.calendar
    events = calendar[calendar["authorised"].to_numpy(dtype=bool)].reset_index(drop=True)
    n = len(events)
    start, end = (events[name].to_numpy(dtype=np.int64) for name in ("t_start_us", "t_end_us"))
    late = rng.random(n) < plan.declared_late
    notice = np.where(late, -rng.uniform(0.0, 10.0, n), plan.notice_days * rng.standard_exponential(n))
    declared = np.maximum(start - (notice * DAY_US).astype(np.int64), run_us(world)[0])
    named = rng.random(n) < plan.organiser_named
    organiser = np.where(named, events["organiser"].to_numpy(dtype=np.int64), -1)
    return rows(
        "evenements",
        {
            # numbered as they are declared: the numbers of the calendar would tell how many are missing
            "id": numbered(f"EV{world.scenario.start.year}", declared), "t_start": start, "t_end": end,
            "x_m": events["x_m"].to_numpy(), "y_m": events["y_m"].to_numpy(), "type": events["kind"].astype("str"),
            "expected_crowd": events["expected_crowd"].to_numpy(dtype=np.int64),
            "authorised": np.ones(n, dtype=bool), **identities("organiser", organiser),
        },
        t_drop_us=declared,
    )  # fmt: skip


DATASHEETS: Final = (
    Datasheet(
        key="donnees_ouvertes",
        title=Text(fr="Données ouvertes : lieux", en="Open data: places"),
        invented=Text(
            fr="Les lieux, leurs noms, et le choix de les publier, moins fréquent dans les quartiers pauvres.",
            en="The places, their names, and the choice to publish them, made less often in poor quarters.",
        ),
        anchor=Text(
            fr="Aucune. La part publiée et son inégalité sont des hypothèses.",
            en="None. The share published and its inequality are assumptions.",
        ),
        leaves_out=Text(
            fr="Bars et bâtiments vides n’y sont jamais ; aucune mise à jour au cours de la période, aucune erreur de "
            "position autre que la saleté des fichiers.",
            en="Bars and empty buildings are never in it; no update during the run, no error of position but the dirt "
            "of files.",
        ),
    ),
    Datasheet(
        key="parcs",
        title=Text(fr="Rapports des agents des parcs et jardins", en="Reports of park keepers"),
        invented=Text(
            fr="Ce qu’il y a à voir dans un parc, les heures de présence selon le jour et la distance au centre, les "
            "phrases. Un rapport suppose quelqu’un pour l’écrire : la présence multiplie le nombre de rapports.",
            en="What there is to see in a park, the hours of presence by day and distance from the centre, the "
            "sentences. A report takes somebody to write it: presence multiplies the number of reports.",
        ),
        anchor=Text(fr="Aucune : 50 rapports par jour est une hypothèse.", en="None: 50 a day is an assumption."),
        leaves_out=Text(
            fr="Ces rapports ne sont pas liés aux incidents survenus ; la nuit, les parcs sont sans agent.",
            en="These reports are not linked to the incidents that happened; at night parks have no keeper.",
        ),
    ),
    Datasheet(
        key="evenements",
        title=Text(fr="Événements déclarés", en="Declared events"),
        invented=Text(
            fr="Le préavis, les déclarations tardives et la mention de l’organisateur. Les événements sont ceux du "
            "calendrier ; l’affluence annoncée n’est pas celle qui vient.",
            en="The notice, late declarations and the naming of organisers. Events are those of the calendar; the "
            "crowd announced is not the one that comes.",
        ),
        anchor=Text(
            fr="27 par jour : 100 000 événements en base sur une dizaine d’années.",
            en="27 a day: 100,000 events in the base over about ten years.",
        ),
        leaves_out=Text(
            fr="Tout ce qui n’est pas déclaré, les refus, les annulations, les changements de lieu.",
            en="All that is not declared, refusals, cancellations, changes of place.",
        ),
    ),
)
