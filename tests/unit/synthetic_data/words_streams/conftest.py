"""A small city for the streams of words, drawn once; only section social changes between its versions."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import pytest

from contrechamp.domain.rng import stream
from synthetic_data.scenario import Scenario
from synthetic_data.streams.citizens import reports_with_truth
from synthetic_data.streams.social import posts_with_truth
from synthetic_data.world import draw_world

SMALL = {
    "time.n_days": 15, "city.area_km2": 40, "city.population": 90_000, "city.n_quarters": 18, "city.n_districts": 4,
    "city.n_bars": 90, "city.n_schools": 30, "city.n_stations": 12, "city.sites_per_cell": 12,
    "cameras.n_cameras": 40, "incidents.latent_per_day": 500, "recording.records_per_day": 170,
    "fines.fines_per_day": 40, "streams.dense_days": 7, "calendar.crowd": 6.0,
}  # fmt: skip


@cache
def _ground(preset):
    return draw_world(Scenario.load(preset).with_overrides(SMALL), seed=4)


@cache
def _world(preset, changes):
    world = _ground(preset)
    return replace(world, scenario=world.scenario.with_overrides({f"social.{k}": v for k, v in changes}))


@cache
def _posts(preset, seed, changes):
    return posts_with_truth(_world(preset, changes), rng=stream(seed, "streams", "reseaux_sociaux"))


@cache
def _reports(preset, seed, changes):
    return reports_with_truth(_world(preset, changes), rng=stream(seed, "streams", "signalements"))


@pytest.fixture(scope="session")
def worlds():
    """Draw the small world of a preset, with values of section social."""
    return lambda preset=None, **changes: _world(preset, tuple(sorted(changes.items())))


@pytest.fixture(scope="session")
def posts():
    """Rows and truth of the posts of a small world."""
    return lambda preset=None, seed=1, **changes: _posts(preset, seed, tuple(sorted(changes.items())))


@pytest.fixture(scope="session")
def reports():
    """Rows and truth of the reports of a small world."""
    return lambda preset=None, seed=1, **changes: _reports(preset, seed, tuple(sorted(changes.items())))
