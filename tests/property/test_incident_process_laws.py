"""Laws of the incident process, whatever its parameters."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.grid import Grid
from contrechamp.domain.rng import stream
from synthetic_data.calendar import draw_calendar
from synthetic_data.city import draw_city
from synthetic_data.incidents import draw_incidents
from synthetic_data.intensity import ConditionalIntensity
from synthetic_data.places import draw_places
from synthetic_data.scenario import Scenario
from synthetic_data.triggering import LandGaussian, Triggering
from synthetic_data.weather import draw_weather

SMALL = Scenario.load().with_overrides(
    {
        "city.area_km2": 6, "city.n_quarters": 4, "city.n_districts": 2, "city.sites_per_cell": 3, "city.n_bars": 20,
        "city.population": 20_000, "recording.records_per_day": 1, "calendar.events_per_day": 5,
    }
)  # fmt: skip
CITY = draw_city(SMALL.city, rng=stream(1, "city"))
PLACES = draw_places(SMALL, CITY, rng=stream(1, "places"))


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    near_repeat=st.sampled_from([0.0, 0.2, 0.7]),
    lag=st.floats(0.1, 3),
    sd=st.sampled_from([0.0, 80.0, 2000.0]),
    same=st.sampled_from([0.0, 0.4, 1.0]),
    n_days=st.integers(1, 9),
    planted=st.integers(0, 4),
)
def test_any_process_is_a_forest_in_time_and_its_intensity_adds_up(seed, near_repeat, lag, sd, same, n_days, planted):
    scenario = SMALL.with_overrides(
        {
            "time.n_days": n_days, "incidents.latent_per_day": 60, "incidents.near_repeat": near_repeat,
            "incidents.near_repeat_days": lag, "incidents.near_repeat_m": sd, "incidents.repeat_share": same,
            "incidents.planted_quarters": planted, "incidents.planted_factor": 3,
        }
    )  # fmt: skip
    weather = draw_weather(scenario.weather, start=scenario.start, n_days=n_days, rng=stream(seed, "weather"))
    calendar = draw_calendar(scenario, CITY, PLACES, rng=stream(seed, "calendar"))
    drawn = draw_incidents(
        scenario, CITY, places=PLACES, calendar=calendar, weather=weather, rng=stream(seed, "incidents")
    )
    n, past, slots = len(drawn), len(drawn.before), drawn.background.slots
    assert (np.diff(drawn.t_us) >= 0).all()
    assert ((drawn.t_us >= slots.opening_us) & (drawn.t_us < slots.end_us)).all()
    assert ((drawn.day >= 0) & (drawn.day < n_days)).all()
    assert ((drawn.parent >= -1 - past) & (drawn.parent < n)).all()
    child = np.flatnonzero(drawn.parent >= 0)
    assert (drawn.parent[child] < child).all()
    assert (drawn.t_us[child] > drawn.t_us[drawn.parent[child]]).all()
    assert (drawn.type_code[child] == drawn.type_code[drawn.parent[child]]).all()
    old = np.flatnonzero(drawn.parent < -1)
    assert (drawn.type_code[old] == drawn.before.type_code[-2 - drawn.parent[old]]).all()
    if same == 1 or sd == 0:
        assert (drawn.site[child] == drawn.site[drawn.parent[child]]).all()
    assert np.isin(drawn.quarter[drawn.planted], drawn.planted_quarters).all()
    assert (drawn.parent == -1)[drawn.cause != 2].all()
    assert drawn.background.place.sum(axis=1) == pytest.approx(np.ones(12))
    # without what is planted, the process and its intensity are the same
    law = ConditionalIntensity.of(drawn, CITY)
    assert len(law.t_us) == past + (~drawn.planted).sum()
    at = np.array([slots.opening_us, slots.opening_us + 40_000_000_007, slots.end_us])
    through = law.compensator(at)
    assert (np.diff(through, axis=1) >= 0).all()
    assert (through[:, 0] == 0).all()
    assert law.by_cell(int(at[0]), int(at[1])).sum(axis=1) == pytest.approx(through[:, 1], rel=1e-9, abs=1e-9)
    everywhere = law.map_at(int(at[1]))
    assert everywhere.sum(axis=1) == pytest.approx(law.city_at(np.repeat(at[1], 12), np.arange(12)), rel=1e-9)
    cells = np.arange(CITY.grid.n_cells)
    for kind in (0, 6):
        one = law.at(np.repeat(at[1], len(cells)), np.full(len(cells), kind), cells)
        assert one == pytest.approx(everywhere[kind], rel=1e-9)


@settings(max_examples=40, deadline=None)
@given(
    x=st.floats(0.01, 0.99), y=st.floats(0.01, 0.99), sd=st.floats(0, 3000), cell=st.sampled_from([60.0, 250.0, 900.0])
)
def test_a_displacement_lands_somewhere_on_land_with_certainty(x, y, sd, cell):
    grid = Grid.over(shapely.box(0, 0, 3000, 2000).difference(shapely.box(900, 0, 1500, 1200)), cell_m=cell)
    home = grid.centres_m[0] + (np.array([x, y]) - 0.5) * grid.cell_m
    law = LandGaussian.around(grid, home[:1], home[1:], sd_m=sd)
    everywhere = law.at(np.zeros(grid.n_cells, dtype=int), np.arange(grid.n_cells))
    assert everywhere.sum() == pytest.approx(1.0, abs=1e-12)
    assert (everywhere >= 0).all()
    assert law.spread(np.ones(1)) == pytest.approx(everywhere)


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 0.9), st.floats(0.05, 30), st.floats(0.1, 50), st.integers(1, 40))
def test_an_incident_is_worth_itself_and_at_most_its_whole_family(mean, lag, length, pieces):
    trigger = Triggering(mean, lag, 0.5, 100.0)
    edges = length * np.arange(-pieces, pieces + 1) / pieces
    worth = trigger.expected_in_window(edges[:-1], edges[1:], n_days=length)
    before, after = worth[:pieces], worth[pieces:]
    assert (after >= 1 - 1e-12).all()
    assert (before >= -1e-12).all()
    assert (worth <= 1 / (1 - mean) + 1e-9).all()
    assert (np.diff(before) >= -1e-9).all()  # the nearer to day 0, the more follow-ons fall after it
    assert (np.diff(after) <= 1e-9).all()  # the nearer to the end, the fewer are left to come
