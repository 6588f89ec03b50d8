"""A drawn world: the city and its people, what happened there, and how some of it came to be known.

Every part comes from its own named random stream, so a part that is added or drawn again moves no other.

What it cannot tell you: everything in it is invented. It is the truth of an experiment, never of a city.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.rng import stream
from synthetic_data.calendar import draw_calendar
from synthetic_data.cameras import draw_cameras
from synthetic_data.city import City, draw_city
from synthetic_data.fines import Fines, draw_fines
from synthetic_data.incidents import Incidents, draw_incidents
from synthetic_data.patrols import draw_patrols
from synthetic_data.people import People, draw_people
from synthetic_data.places import Places, draw_places
from synthetic_data.recording import Records, draw_records
from synthetic_data.scenario import Scenario
from synthetic_data.streets import Streets, draw_streets
from synthetic_data.units import Units, draw_units
from synthetic_data.weather import Weather, draw_weather
from synthetic_data.zones import Zones

#: Steps of :func:`draw_world`, for a progress bar.
N_STEPS: Final = 5


@dataclass(frozen=True, eq=False)
class World:
    """Everything the data streams are drawn from.

    Attributes
    ----------
    scenario : Scenario
    seed : int
    city, places, streets, units, people : City, Places, Streets, Units, People
        The ground, what stands on it, and who lives there.
    cameras : DataFrame
        Sites of cameras: see :func:`synthetic_data.cameras.draw_cameras`.
    calendar : DataFrame
        Events, authorised or not: see :func:`synthetic_data.calendar.draw_calendar`.
    weather : Weather
    incidents : Incidents
        What happened.
    hours : ndarray, shape (n_days, 3, n_quarters)
        Crew-hours of patrol.
    records : Records
        What of it entered the log, and how.
    fines : Fines
    """

    scenario: Scenario
    seed: int
    city: City
    places: Places
    streets: Streets
    units: Units
    people: People
    cameras: pd.DataFrame
    calendar: pd.DataFrame
    weather: Weather
    incidents: Incidents
    hours: npt.NDArray[np.float64]
    records: Records
    fines: Fines


def draw_world(
    scenario: Scenario, *, seed: int, zones: Zones | None = None, told: Callable[[int], None] = lambda done: None
) -> World:
    """Draw the world of ``scenario`` under ``seed``.

    Parameters
    ----------
    scenario : Scenario
        Fitted to ``zones`` already where there are any (:func:`synthetic_data.zones.fit`).
    seed : int
        Run seed: each part is drawn from ``stream(seed, "world", its name)``.
    zones : Zones, optional
        Quarters of a user to draw everything on.
    told : callable, optional
        Told how many of the :data:`N_STEPS` steps are done.

    Raises
    ------
    ParameterError
        If the scenario's volumes cannot be reached.
    """

    def rng(*name: str) -> np.random.Generator:
        return stream(seed, "world", *name)

    city = draw_city(scenario.city, rng=rng("city"), zones=zones)
    places = draw_places(scenario, city, rng=rng("places"))
    streets = draw_streets(city, rng=rng("streets"))
    told(1)
    units = draw_units(scenario, city, rng=rng("units"))
    people = draw_people(scenario, city, units, rng=rng("people"))
    told(2)
    calendar = draw_calendar(scenario, city, places, rng=rng("calendar"))
    weather = draw_weather(
        scenario.weather, start=scenario.start, n_days=scenario.time.n_days, rng=rng("weather")
    )  # fmt: skip
    incidents = draw_incidents(
        scenario, city, places=places, calendar=calendar, weather=weather, rng=rng("incidents")
    )  # fmt: skip
    told(3)
    per_cell = np.bincount(incidents.cell, minlength=city.grid.n_cells)
    cameras = draw_cameras(scenario, city, places, incidents_per_cell=per_cell, rng=rng("cameras"))
    hours = draw_patrols(scenario, city, rng=rng("patrols"))
    records = draw_records(
        scenario, city, incidents, hours, people=people, cameras=cameras, streets=streets, rng=rng("recording")
    )
    told(4)
    fines = draw_fines(scenario, city, hours, people=people, cameras=cameras, rng=rng("fines"))
    told(5)
    return World(
        scenario=scenario, seed=seed, city=city, places=places, streets=streets, units=units, people=people,
        cameras=cameras, calendar=calendar, weather=weather, incidents=incidents, hours=hours, records=records,
        fines=fines,
    )  # fmt: skip
