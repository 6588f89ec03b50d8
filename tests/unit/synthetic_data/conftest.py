"""Small worlds for the tests of streams, drawn once per session and set of changes."""

from dataclasses import replace
from functools import lru_cache

import pytest

from synthetic_data.scenario import Scenario
from synthetic_data.world import draw_world

SMALL = {
    "time.n_days": 28, "city.population": 60_000, "city.sites_per_cell": 8, "city.n_quarters": 40,
    "city.n_districts": 6, "services.n_lamps": 3000,
}  # fmt: skip


@lru_cache(maxsize=32)
def _scenario(name, changes):
    return Scenario.load(name).with_overrides(SMALL | dict(changes))


@lru_cache(maxsize=8)
def _ground(name, changes, seed):
    """What a change of section services leaves as it was."""
    return draw_world(_scenario(name, changes), seed=seed)


@pytest.fixture(scope="session")
def small_world():
    """Function of a preset and of overrides (``services__access_fall=0``) that draws a small world."""

    def make(name="massilia", seed=11, **changes):
        named = {key.replace("__", "."): value for key, value in changes.items()}
        ground = {k: v for k, v in named.items() if not k.startswith("services.")}
        world = _ground(name, tuple(sorted(ground.items())), seed)
        return replace(world, scenario=_scenario(name, tuple(sorted(named.items()))))

    return make
