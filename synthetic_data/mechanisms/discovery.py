"""Patrols find: the more hours they spend in a quarter during a shift, the more of what happens there they come upon.

What it cannot tell you: how a patrol looks. A crew is spread evenly over its quarter and its shift, sees what a type
shows (``discovery_ease``), and sees no person: nobody is stopped in this world.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.text import Text
from synthetic_data.city import City
from synthetic_data.datasheets import Datasheet
from synthetic_data.incidents import Incidents
from synthetic_data.mechanisms.light import light
from synthetic_data.scenario import Scenario

FloatArray = npt.NDArray[np.float64]

SHIFT_S: Final = 8 * 3600

DATASHEET: Final = Datasheet(
    "discovery",
    Text(fr="découverte par les patrouilles", en="discovery by patrols"),
    Text(
        fr="La chance de découvrir un fait croît avec les heures d’équipage par km² du quartier pendant la vacation, "
        "avec la visibilité du type, et baisse la nuit là où l’éclairage manque. La constante est calculée pour que "
        "la main courante ait le volume publié.",
        en="The chance to come upon an incident grows with crew-hours per km² of the quarter during the shift and with "
        "how visible the type is, and falls at night where lighting is poor. The constant is solved for so that the "
        "log has its published volume.",
    ),
    Text(
        fr="Plus de 300 000 mains courantes par an (page de l’éditeur), soit 822 par jour. Les heures de patrouille, "
        "leur carte et la visibilité des types sont des hypothèses.",
        en="More than 300,000 log entries a year (vendor's page), 822 a day. Hours of patrol, their map and the "
        "visibility of types are assumptions.",
    ),
    Text(
        fr="Ni itinéraire, ni initiative de l’agent, ni personne contrôlée, ni dissuasion : la patrouille ne change "
        "pas ce qui arrive.",
        en="No route, no initiative of the officer, no person stopped, no deterrence: a patrol does not change what "
        "happens.",
    ),
)


def ease_of_types(scenario: Scenario) -> FloatArray:
    """How easily each type is seen in passing; shape (12,)."""
    return np.array([scenario.types[t].discovery_ease for t in INCIDENT_TYPES])


def exposure(scenario: Scenario, city: City, incidents: Incidents, hours: FloatArray) -> FloatArray:
    """What patrols could see of each incident, before their eyesight: crew-hours per km², times ease, times light.

    Parameters
    ----------
    hours : ndarray, shape (n_days, 3, n_quarters)
        Crew-hours by shift.

    Returns
    -------
    ndarray, shape (n_incidents,)
    """
    presence = (hours / city.area_km2)[incidents.day, incidents.second // SHIFT_S, incidents.quarter]
    seen = light(incidents.second, incidents.quarter, city, night_loss=scenario.recording.patrol_night_loss)
    return np.asarray(ease_of_types(scenario)[incidents.type_code] * presence * seen, dtype=np.float64)


def p_discover(exposed: FloatArray, *, visibility: float) -> FloatArray:
    """Chance that a patrol finds: ``1 - exp(-visibility * exposed)``."""
    return np.asarray(-np.expm1(-visibility * exposed), dtype=np.float64)
