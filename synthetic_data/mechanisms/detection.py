"""Operators see: what happens in the field of view of a camera, on a screen that somebody is watching.

The chance grows with the share of the cell's addresses in view, with the attention given to that part of the city and
with how visible the type is, and falls at night where there is no lighting. Its constant is solved for, so that
operators see as many incidents per camera-hour as was published.

What it cannot tell you: what an operator looks for. Nobody is followed, chosen or profiled on a screen here; and
nothing is found again in the recordings afterwards.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.text import Text
from synthetic_data.cameras import coverage
from synthetic_data.city import City
from synthetic_data.datasheets import Datasheet
from synthetic_data.incidents import Incidents
from synthetic_data.mechanisms.discovery import ease_of_types
from synthetic_data.mechanisms.light import light
from synthetic_data.plans.police import RecordingPlan
from synthetic_data.scenario import Scenario
from synthetic_data.solving import solve

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: What becomes of a detection, each step leading to the next. Index 0 is for what was not detected.
STAGES: Final = ("", "seen", "requested", "intervened", "arrested")
#: Of all that is within reach of the cameras, what operators see at most: beyond, the anchor is not reached.
_MOST: Final = 0.9

DATASHEET: Final = Datasheet(
    "detection",
    Text(fr="détection par les opérateurs de caméras", en="detection by camera operators"),
    Text(
        fr="Part des adresses de la maille vues par une caméra × attention (plus forte au centre) × visibilité du type "
        "× lumière. Suites : demande, intervention, interpellation, tirées au sort dans les proportions publiées.",
        en="Share of the cell's addresses in view of a camera × attention (more for the centre) × visibility of the "
        "type × light. What follows (request, intervention, arrest) is drawn in the published proportions.",
    ),
    Text(
        fr="1 253 flagrants délits vus en direct en 2015 avec 864 caméras, soit 1,66e-4 par caméra-heure ; "
        "770 demandes, 505 interventions, 248 interpellations ; environ 20 opérateurs.",
        en="1,253 incidents seen live in 2015 with 864 cameras, 1.66e-4 per camera-hour; 770 requests, 505 "
        "interventions, 248 arrests; about 20 operators.",
    ),
    Text(
        fr="Ni choix de personnes à suivre, ni relecture des enregistrements, ni panne, ni fausse alerte ; les suites "
        "ne dépendent ni du type ni du lieu.",
        en="No choice of whom to follow, no search of recordings, no breakdown, no false alarm; what follows depends "
        "neither on the type nor on the place.",
    ),
)


def p_detect(scenario: Scenario, city: City, incidents: Incidents, cameras: pd.DataFrame) -> FloatArray:
    """Chance that an operator sees each incident; shape (n_incidents,).

    The expected number over the run is ``detections_per_camera_hour`` times camera-hours times attention, what was
    planted left out; nine tenths of what would be seen by an eye that misses nothing in view, if that is less.
    """
    plan = scenario.recording
    in_view = coverage(cameras, city, contrast=scenario.cameras.contrast)[incidents.cell]
    away_km = np.hypot(*(city.grid.centres_m - city.centre_m).T)[incidents.cell] / 1000.0
    seen = light(incidents.second, incidents.quarter, city, night_loss=plan.camera_night_loss)
    eye = ease_of_types(scenario)[incidents.type_code] * np.exp(-plan.attention_slope * away_km) * seen
    usual = ~incidents.planted
    reach = float((in_view * (eye > 0))[usual].sum())
    camera_hours = 24.0 * scenario.time.n_days * len(cameras)
    target = min(plan.detections_per_camera_hour * plan.operator_attention * camera_hours, _MOST * reach)
    if target <= 0:
        return np.zeros(len(in_view))
    view, sharp = in_view[usual], eye[usual]
    c = solve(
        lambda v: float(-(view * np.expm1(-v * sharp)).sum()),
        target=target,
        what="recording.detections_per_camera_hour",
    )
    return np.asarray(-in_view * np.expm1(-c * eye), dtype=np.float64)


def draw_stages(plan: RecordingPlan, n: int, *, rng: np.random.Generator) -> IntArray:
    """Draw how far each of ``n`` detections goes: an index in :data:`STAGES`, at least 1."""
    goes_on = rng.random((n, 3)) < (
        plan.camera_request_share, plan.camera_intervention_share, plan.camera_arrest_share
    )  # fmt: skip
    return np.asarray(1 + np.cumprod(goes_on, axis=1).sum(axis=1), dtype=np.int64)
