"""Residents report: some types more than others, some quarters more than others, a few persons again and again.

The chance that an incident is reported depends on its type and on the trust of its quarter, never on patrols. Who
calls is a person of the city who lives or works near.

What it cannot tell you: why people call. Trust is one number per quarter that falls with poverty, the same for all who
live there; and the caller is drawn after it is settled that somebody calls, so no person is more often a victim.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.text import Text
from synthetic_data.city import City, standard
from synthetic_data.datasheets import Datasheet
from synthetic_data.neighbours import Neighbours, somewhere_near
from synthetic_data.people import People
from synthetic_data.plans.police import RecordingPlan
from synthetic_data.scenario import Scenario

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Nobody is reported by half chance: no propensity exceeds this.
MOST: Final = 0.95
#: Youngest caller, years. Assumption.
CALLER_AGE: Final = 15

DATASHEET: Final = Datasheet(
    "reporting",
    Text(fr="signalement par les habitants", en="reporting by residents"),
    Text(
        fr="Chaque type a une propension moyenne à être signalé, que la confiance du quartier module ; la confiance "
        "baisse avec la pauvreté. L’appelant habite ou travaille à proximité ; quelques personnes appellent souvent.",
        en="Each type has a mean propensity to be reported, which the trust of the quarter modulates; trust falls with "
        "poverty. The caller lives or works near; a few people call often.",
    ),
    Text(
        fr="Vandalisme 11 %, vol (vélo) 25 % : enquête de victimation. Les autres propensions sont des hypothèses.",
        en="Vandalism 11 %, theft (bicycle) 25 %: victimisation survey. Other propensities are assumptions.",
    ),
    Text(
        fr="Ni le lien avec la victime, ni la peur de représailles, ni la langue, ni l’usure après des appels sans "
        "suite ; pas d’appel sans fait.",
        en="No tie to the victim, no fear of retaliation, no language, no weariness after calls without effect; nobody "
        "calls about nothing.",
    ),
)


def report_propensity(scenario: Scenario, city: City, cell_risk: FloatArray) -> FloatArray:
    """Chance that a resident reports an incident, by type and quarter; shape (12, n_quarters).

    It falls with poverty; over the places where a type happens (``cell_risk``, rows summing to 1) its mean is that
    type's ``report_propensity`` (unless a product above 0.95 had to be cut).
    """
    trust = np.exp(-scenario.recording.trust_gradient * standard(city.quarters["poverty"].to_numpy()))
    out = np.empty((len(INCIDENT_TYPES), len(trust)))
    for k, name in enumerate(INCIDENT_TYPES):
        mean = float(cell_risk[k] @ trust[city.cell_quarter])
        out[k] = scenario.types[name].report_propensity * trust / mean
    return np.minimum(out, MOST)


class Callers:
    """Who may call about something, by where they live and where they work.

    Parameters
    ----------
    plan : RecordingPlan
    people : People
    rng : numpy.random.Generator
        Draws how readily each person calls, once and for all.
    """

    def __init__(self, plan: RecordingPlan, city: City, people: People, *, rng: np.random.Generator) -> None:
        self._plan, self._city = plan, city
        habit = np.exp(plan.caller_log_sd * rng.standard_normal(len(people)))
        habit = np.where(people.age >= CALLER_AGE, habit, 0.0)
        everyone = np.arange(len(people))
        self._home = Neighbours.of(everyone, people.home_cell(city), habit, city)
        self._work = Neighbours.of(everyone, people.work_cell.astype(np.int64), habit, city)

    def draw(self, site: IntArray, *, rng: np.random.Generator) -> IntArray:
        """Draw who calls about something at each address; -1 where the city has nobody of age."""
        city = self._city
        cell = somewhere_near(city, city.site_x_m[site], city.site_y_m[site], spread_m=self._plan.caller_m, rng=rng)
        cell = np.where(cell >= 0, cell, site // city.sites_per_cell)
        at_work = rng.random(len(site)) < self._plan.caller_work_share
        home, work = self._home.draw(cell, rng=rng), self._work.draw(cell, rng=rng)
        return np.where(at_work & (work >= 0), work, home)
