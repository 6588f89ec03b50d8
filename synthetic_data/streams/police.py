"""What the municipal police writes: the log, fines, removals, orders of mission.

The log and the fines are the world's (:mod:`synthetic_data.recording`), shown as rows; removals follow fines, and
orders follow the plan of patrols.

What it cannot tell you: see each datasheet. Names, numbers and plates are those of synthetic persons.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.columns import DISTRICT_ID, INCIDENT_TYPES
from contrechamp.domain.text import Text
from synthetic_data.clock import instants
from synthetic_data.datasheets import Datasheet
from synthetic_data.fines import FINE_CODES, VEHICLE_CLASSES
from synthetic_data.incidents import words
from synthetic_data.mechanisms.entry import DETECTED, DISCOVERED, REPORTED
from synthetic_data.names import person_names, person_phones, plates
from synthetic_data.recording import record_ids
from synthetic_data.sectors import make_sectors
from synthetic_data.streams.orders import draw_orders
from synthetic_data.streams.towing import draw_removals

if TYPE_CHECKING:
    from synthetic_data.world import World

IntArray = npt.NDArray[np.int64]

_SECOND_US: Final = 1_000_000
#: Origin of a row of the log, by route.
_ORIGINS: Final = ("", "call", "officer", "camera")
_WORDINGS: Final[Mapping[int, tuple[str, str, str]]] = {
    REPORTED: ("Appel d’un riverain : {what}, secteur {where}.", "Signalement reçu au standard : {what} ({where}).",
               "Le requérant signale {what} à {where}."),
    DISCOVERED: ("Constaté en patrouille : {what}, secteur {where}.", "{where} : {what}, équipage sur place.",
                 "De passage à {where}, l’équipage relève {what}."),
    DETECTED: ("Vu à l’écran par l’opérateur : {what}, secteur {where}.", "Vidéoprotection, {where} : {what}.",
               "L’opérateur du CSU observe {what} à {where}."),
}  # fmt: skip
_WHAT: Final[Mapping[str, str]] = {
    "tapage": "un tapage", "degradation": "une dégradation", "vol": "un vol", "rixe": "une rixe",
    "depot_sauvage": "un dépôt sauvage", "stationnement_genant": "un stationnement gênant",
    "vente_sauvette": "une vente à la sauvette", "intrusion": "une intrusion", "attroupement": "un attroupement",
    "violence": "des violences", "accident": "un accident", "autre": "un fait divers",
}  # fmt: skip


def mains_courantes(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the municipal log. Nothing more is drawn: see :func:`synthetic_data.recording.draw_records`.

    The text says what happened and where, even where the type or the place is entered wrongly; and a crew is of the
    district it went to. Both are what a clerk would find on rereading.
    """
    records, incidents, city = world.records, world.incidents, world.city
    what = records.incident
    t_entry = records.t_entry_us // _SECOND_US * _SECOND_US
    called = records.caller >= 0
    names = _for_some(called, person_names(records.caller[called]))
    text = _texts(world)
    text = text.where(~records.named_in_text, text + " Appelant : " + names + ".")
    district = city.quarters[DISTRICT_ID].to_numpy()[incidents.quarter[what]]
    officers = [f"PM{d:02d}-{k}" for d, k in zip(district.tolist(), records.crew.tolist(), strict=True)]
    room = pd.Series([f"CSU-{k}" for k in records.crew.tolist()], dtype="str")
    return pd.DataFrame(
        {
            "id": record_ids(world.scenario, len(records)),
            "t_event": instants(incidents.t_us[what] // _SECOND_US * _SECOND_US),
            "t_entry": instants(t_entry),
            "x_m": records.x_m,
            "y_m": records.y_m,
            "type": words(records.type_code, INCIDENT_TYPES),
            "origin": words(records.route, _ORIGINS),
            "unit": pd.Series(officers, dtype="str").where(records.route != DETECTED, room),
            "text": text,
            "informant_name": names,
            "informant_phone": _for_some(called, person_phones(records.caller[called])),
            "t_drop": instants(t_entry),
        }
    )


def verbalisations(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the fines. Nothing more is drawn: see :func:`synthetic_data.fines.draw_fines`."""
    fines, city = world.fines, world.city
    t = instants(fines.t_us)
    return pd.DataFrame(
        {
            "id": _ids("PV", world, len(fines)),
            "t": t,
            "x_m": city.site_x_m[fines.site],
            "y_m": city.site_y_m[fines.site],
            "code": words(fines.code, tuple(FINE_CODES)),
            "mode": words(fines.camera.astype(np.int64), ("agent", "camera")),
            "vehicle_class": words(fines.vehicle, tuple(VEHICLE_CLASSES)),
            "plate": pd.Series(plates(fines.plate), dtype="str"),
            "t_drop": t,
        }
    )


def enlevements(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the vehicles towed away: each was fined shortly before, at the same place."""
    removals, fines, city = draw_removals(world, rng=rng), world.fines, world.city
    site, sectors = fines.site[removals.fine], make_sectors(city)
    t = instants(removals.t_us // _SECOND_US * _SECOND_US)
    return pd.DataFrame(
        {
            "id": _ids("FO", world, len(removals.fine)),
            "t": t,
            "x_m": city.site_x_m[site],
            "y_m": city.site_y_m[site],
            "reason": pd.Series(removals.motive, dtype="str"),
            "zone": words(sectors.of_quarter[city.site_quarter[site]], sectors.frame["sector_id"].tolist()),
            "plate": pd.Series(plates(fines.plate[removals.fine]), dtype="str"),
            "t_drop": t,
        }
    )


def ordres_mission(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Rows of the orders of mission: see :func:`synthetic_data.streams.orders.draw_orders`."""
    return draw_orders(world, rng=rng)


def _texts(world: World) -> pd.Series[str]:
    """Free text of each record, without any name of a person."""
    records, incidents = world.records, world.incidents
    what, quarter = incidents.type_code[records.incident], incidents.quarter[records.incident]
    names = world.city.quarters["name"].tolist()
    variant = records.variant % 3
    key = ((records.route * 3 + variant) * len(INCIDENT_TYPES) + what) * len(names) + quarter
    _, at, back = np.unique(key, return_index=True, return_inverse=True)
    said = [
        _WORDINGS[route][v].format(what=_WHAT[INCIDENT_TYPES[k]], where=names[q])
        for route, v, k, q in zip(*(a[at].tolist() for a in (records.route, variant, what, quarter)), strict=True)
    ]
    return words(back.astype(np.int64), said)


def _for_some(which: npt.NDArray[np.bool_], values: list[str]) -> pd.Series[str]:
    """Values where ``which``, missing elsewhere."""
    out = np.full(len(which), None, dtype=object)
    out[which] = values
    return pd.Series(out, dtype="str")


def _ids(prefix: str, world: World, n: int) -> pd.Series[str]:
    year = world.scenario.time.start[:4]
    return pd.Series([f"{prefix}{year}-{i:07d}" for i in range(1, n + 1)], dtype="str")


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        "mains_courantes",
        Text(fr="main courante de la police municipale", en="municipal police log"),
        Text(
            fr="Les enregistrements de trois voies (appel, patrouille, caméra), avec retard de saisie, erreurs de type "
            "et de lieu, doubles. Texte libre tiré de neuf tournures ; il dit le type et le quartier vrais même "
            "quand les champs sont faux, comme l’équipage, qui est de l’arrondissement vrai ; et parfois le nom de "
            "l’appelant.",
            en="Records of three routes (call, patrol, camera), with delay of entry, errors of type and place, and "
            "duplicates. Free text from nine wordings; it tells the true type and quarter even "
            "where the fields are wrong, as does the crew, which is of the true district; and at times the caller’s "
            "name.",
        ),
        Text(
            fr="822 lignes par jour : « > 300 000 mains courantes par an », page de l’éditeur.",
            en="822 rows a day: « > 300,000 a year », vendor’s page.",
        ),
        Text(
            fr="Ni suites données, ni personnes mises en cause, ni événements sans fait ; une seule langue.",
            en="No outcome, no person under suspicion, no entry without an incident; one language.",
        ),
    ),
    Datasheet(
        "verbalisations",
        Text(fr="verbalisations", en="fines"),
        Text(
            fr="Des infractions que personne ne compte, suivant habitants et bars, dont l’effort des agents (par jour "
            "de semaine et heures d’équipage) et les caméras font des amendes. La plaque est celle d’un propriétaire "
            "qui habite près ou traverse la ville, ou d’un visiteur.",
            en="Infractions nobody counts, following residents and bars, of which officers’ effort (by weekday and "
            "crew-hours) and cameras make fines. The plate is that of an owner who lives near or crosses the city, or "
            "of a visitor.",
        ),
        Text(
            fr="151 419 verbalisations en un an, soit 415 par jour. La part des caméras est une hypothèse.",
            en="151,419 fines in one year, 415 a day. The share of cameras is an assumption.",
        ),
        Text(
            fr="Ni contestation, ni paiement, ni quota écrit ; le nombre d’infractions est inventé.",
            en="No appeal, no payment, no written quota; the number of infractions is invented.",
        ),
    ),
    Datasheet(
        "enlevements",
        Text(fr="mises en fourrière", en="vehicle removals"),
        Text(
            fr="Une partie des véhicules verbalisés par un agent : demande de dépanneuse, plus souvent près d’un "
            "marché ou d’un événement déclaré, file d’attente à capacité limitée, abandon si l’attente est trop "
            "longue.",
            en="Part of the vehicles fined by an officer: a truck is asked for, more often near a market or a declared "
            "event; a queue of limited capacity; given up when the wait is too long.",
        ),
        Text(
            fr="18 891 enlèvements en un an, soit 52 par jour. Dépanneuses, durées et attrait des événements sont des "
            "hypothèses.",
            en="18,891 removals in one year, 52 a day. Trucks, durations and the pull of events are assumptions.",
        ),
        Text(
            fr="Ni trajet, ni restitution, ni épave, ni vol de véhicule ; le volume de la période est ajusté.",
            en="No journey, no return to the owner, no wreck, no stolen car; the volume of the run is tuned.",
        ),
    ),
    Datasheet(
        "ordres_mission",
        Text(fr="ordres de mission et effectifs", en="patrol orders and staffing"),
        Text(
            fr="Le plan de patrouille par secteur et par vacation, découpé en ordres ; les heures ordonnées sont "
            "celles faites, à un glissement près. Un ordre par vacation pour les opérateurs de caméras.",
            en="The patrol plan by sector and shift, cut into orders; hours ordered are those done, up to a slippage. "
            "One order per shift for the camera operators.",
        ),
        Text(
            fr="150 ordres par jour (hypothèse du registre) ; environ 20 opérateurs (déclaré par la Ville).",
            en="150 orders a day (assumption of the register); about 20 operators (claimed by the City).",
        ),
        Text(
            fr="Ni quartier au sein du secteur, ni itinéraire, ni agent nommé, ni réaffectation en cours de vacation.",
            en="No quarter within the sector, no route, no named officer, no reassignment during a shift.",
        ),
    ),
)
