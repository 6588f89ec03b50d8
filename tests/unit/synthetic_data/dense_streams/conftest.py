"""A small city, drawn once per set of parameters, for the streams that count by the minute."""

from __future__ import annotations

import json
from functools import cache
from types import SimpleNamespace

import pytest

from contrechamp.domain.rng import stream
from synthetic_data.calendar import draw_calendar
from synthetic_data.cameras import draw_cameras
from synthetic_data.city import draw_city
from synthetic_data.incidents import draw_incidents
from synthetic_data.people import draw_people
from synthetic_data.places import draw_places
from synthetic_data.recording import draw_patrols, draw_records
from synthetic_data.scenario import Scenario
from synthetic_data.streets import draw_streets
from synthetic_data.units import draw_units
from synthetic_data.weather import draw_weather

SMALL = {
    "time.n_days": 9, "city.area_km2": 30, "city.population": 30_000, "city.n_quarters": 14, "city.n_districts": 3,
    "city.n_bars": 60, "city.n_schools": 20, "city.n_stations": 12, "cameras.n_cameras": 60,
    "incidents.latent_per_day": 500, "mobility.telecom_zones": 60,
    "mobility.bus_lines": 8, "mobility.rail_lines": 2, "mobility.traffic_sensors": 40, "mobility.app_users": 120,
    "sensing.sound_sensors": 12, "streams.dense_days": 3,
}  # fmt: skip
#: Sections that nothing of a world depends on but the streams drawn from it.
LATE = ("mobility.", "sensing.", "streams.")


@cache
def _draw(changes: str, preset: str | None, seed: int) -> SimpleNamespace:
    wanted = SMALL | json.loads(changes)
    records = {"recording.records_per_day": 0.35 * wanted["incidents.latent_per_day"]}
    s = Scenario.load(preset).with_overrides(wanted | records)

    def rng(name):
        return stream(seed, "world", name)

    city = draw_city(s.city, rng=rng("city"))
    places = draw_places(s, city, rng=rng("places"))
    streets = draw_streets(city, rng=rng("streets"))
    units = draw_units(s, city, rng=rng("units"))
    people = draw_people(s, city, units, rng=rng("people"))
    cameras = draw_cameras(s, city, places, rng=rng("cameras"))
    calendar = draw_calendar(s, city, places, rng=rng("calendar"))
    weather = draw_weather(s.weather, start=s.start, n_days=s.time.n_days, rng=rng("weather"))
    incidents = draw_incidents(s, city, places=places, calendar=calendar, weather=weather, rng=rng("incidents"))
    hours = draw_patrols(s, city, rng=rng("patrols"))
    records = draw_records(
        s, city, incidents, hours, people=people, cameras=cameras, streets=streets, rng=rng("recording")
    )
    return SimpleNamespace(
        scenario=s, seed=seed, city=city, places=places, streets=streets, units=units, people=people, cameras=cameras,
        calendar=calendar, weather=weather, incidents=incidents, hours=hours, records=records,
    )  # fmt: skip


@pytest.fixture(scope="session")
def small_world():
    """Return a function that draws a small world: dotted scenario keys to change, a preset, a seed.

    Worlds that differ in what only the streams read share everything else, drawn once.
    """

    def make(changes=None, *, preset=None, seed=1, **parts):
        changes = changes or {}
        early = {k: v for k, v in changes.items() if not k.startswith(LATE)}
        late = {k: v for k, v in changes.items() if k.startswith(LATE)}
        world = _draw(json.dumps(early, sort_keys=True), preset, seed)
        return SimpleNamespace(**(vars(world) | {"scenario": world.scenario.with_overrides(late)} | parts))

    return make
