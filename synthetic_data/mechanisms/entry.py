"""When things come to be known, and when they are written down.

Each route takes its time; the first to arrive is the one on record. The entry into the log comes later, after a
log-normal delay.

What it cannot tell you: why an entry is late. Delays are the same for every unit, hour and type; a night's backlog is
not in this world.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.plans.police import RecordingPlan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Routes by code: index 0 is "not in the record".
ROUTES: Final = ("none", "reported", "discovered", "detected")
NONE, REPORTED, DISCOVERED, DETECTED = range(4)
#: Spread of the logarithm of the time each route takes. Assumption.
_ROUTE_LOG_SD: Final = 0.8

DATASHEET: Final = Datasheet(
    "entry",
    Text(fr="délai de connaissance et de saisie", en="delay to knowledge and to entry"),
    Text(
        fr="Appel, patrouille et caméra mettent chacun un temps log-normal ; le premier arrivé est celui qu’on "
        "inscrit. La saisie suit le fait d’un délai log-normal.",
        en="Call, patrol and camera each take a log-normal time; the first to come is the one on record. The entry "
        "follows the incident by a log-normal delay.",
    ),
    Text(
        fr="Saisies : 80 % entre 10 et 60 minutes (hypothèse du registre). Les autres délais sont des hypothèses.",
        en="Entries: 80 % within 10 to 60 minutes (assumption of the register). Other delays are assumptions.",
    ),
    Text(
        fr="Ni surcharge, ni relève, ni saisie du lendemain ; l’heure du fait est connue à la seconde.",
        en="No overload, no change of shift, no entry on the morrow; the time of the incident is known to the second.",
    ),
)


def first_route(
    plan: RecordingPlan, *, reported: BoolArray, discovered: BoolArray, detected: BoolArray, rng: np.random.Generator
) -> IntArray:
    """Route by which each incident comes to be known first: an index in :data:`ROUTES`."""
    medians = (plan.call_median_min, plan.patrol_median_min, plan.camera_median_min)
    noise = np.exp(_ROUTE_LOG_SD * rng.standard_normal((3, len(reported))))
    minutes = np.array(medians)[:, None] * noise
    minutes[~np.vstack([reported, discovered, detected])] = np.inf
    route = 1 + np.argmin(minutes, axis=0)
    return np.asarray(np.where(reported | discovered | detected, route, NONE), dtype=np.int64)


def entry_delay_us(plan: RecordingPlan, n: int, *, rng: np.random.Generator) -> IntArray:
    """Draw ``n`` delays of entry, microseconds, whole seconds."""
    minutes = plan.entry_median_min * np.exp(plan.entry_log_sd * rng.standard_normal(n))
    return np.asarray(np.round(minutes * 60).astype(np.int64) * 1_000_000, dtype=np.int64)
