"""E01: silent where there is nothing to find, heard where a gain is planted, the same whatever the workers."""

from __future__ import annotations

import dataclasses
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import contrechamp.experiments.e01_hotspot_skill as e01
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.domain.provenance import digest
from contrechamp.domain.results import UNITS, Outcome, Result
from contrechamp.domain.rng import stream
from contrechamp.experiments.base import parameters
from models import load_predictor
from models.scores import rank_cells, tie_breaks
from models.walk import walk_forward
from synthetic_data.count_worlds import draw_count_world

SMALL = e01.Params(
    latent_per_day=(900.0,),
    kappas=(0.0, 0.5),
    recording_biases=(1.0,),
    turnovers=(0.0,),
    worlds=6,
    n_days=70,
    evaluated_days=14,
    n_draws=99,
)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e01.run(SMALL, seed=4)


def _get(outcome: Outcome, measure: str, **world: object) -> Result:
    found = [r for r in outcome.results if r.measure == measure and dict(r.world) == world]
    assert len(found) == 1
    return found[0]


def test_results_are_declared_and_count_worlds(outcome: Outcome) -> None:
    assert {r.measure for r in outcome.results} == {m.key for m in e01.MEASURES}
    assert {m.unit for m in e01.MEASURES} <= set(UNITS)
    assert len({r.key for r in outcome.results}) == len(outcome.results) == 2 * (2 * 3 + 2 * 3 + 4 + 4)
    assert {r.interval.n for r in outcome.results} == {6}
    assert {r.table for r in outcome.results} == set(outcome.tables) == {"e01_worlds", "e01_areas"}
    assert e01.CANNOT_TELL.fr != e01.CANNOT_TELL.en


def test_results_are_those_of_the_tables(outcome: Outcome) -> None:
    worlds = outcome.tables["e01_worlds"]
    assert len(worlds) == 2 * 6 * 2 * 2
    mine = worlds[(worlds["kappa"] == 0.5) & (worlds["scored_on"] == "latent") & (worlds["area"] == 0.01)]
    gain = mine["pai_retro-quartic"] / mine[["pai_uniform", "pai_trailing-mean"]].max(axis=1) - 1
    np.testing.assert_allclose(gain, mine["gain"], rtol=1e-9)
    where = {"latent_per_day": 900.0, "kappa": 0.5, "recording_bias": 1.0, "turnover": 0.0}
    assert _get(outcome, "gain_latent", **where, area=0.01).interval.estimate == pytest.approx(gain.median())
    assert (worlds["gain_low"] <= worlds["gain"]).all()
    assert (worlds["gain"] <= worlds["gain_high"]).all()
    latent = worlds[(worlds["kappa"] == 0.5) & (worlds["scored_on"] == "latent")].groupby("rep")
    refuted = (latent["gain_high"].min() < 0.10).mean()
    assert _get(outcome, "share_worlds_refuted", **where).interval.estimate == pytest.approx(refuted)
    out_of_reach = (latent["ceiling_high"].min() < 0.10).mean()
    assert _get(outcome, "share_worlds_out_of_reach", **where).interval.estimate == pytest.approx(out_of_reach)


def test_83_per_cent_at_random_takes_83_per_cent_of_the_map(outcome: Outcome) -> None:
    where = {"latent_per_day": 900.0, "kappa": 0.0, "recording_bias": 1.0, "turnover": 0.0}
    at_random = _get(outcome, "area_share_for_83pct", **where, predictor="uniform").interval
    clairvoyant = _get(outcome, "area_share_for_83pct", **where, predictor="clairvoyant").interval
    assert at_random.estimate == pytest.approx(0.83, abs=0.01)
    assert clairvoyant.high < at_random.low


def test_same_numbers_with_two_workers(outcome: Outcome) -> None:
    two = e01.run(SMALL, seed=4, jobs=2)
    assert digest([r.to_dict() for r in two.results]) == digest([r.to_dict() for r in outcome.results])
    pd.testing.assert_frame_equal(two.tables["e01_worlds"], outcome.tables["e01_worlds"])


def test_progress_is_told_and_another_seed_is_another_draw(outcome: Outcome) -> None:
    told: list[tuple[str, int, int]] = []
    tiny = dataclasses.replace(SMALL, kappas=(0.0,), worlds=2)
    other = e01.run(tiny, seed=5, progress=lambda *a: told.append(a))
    assert told == [("E01: worlds", 1, 2), ("E01: worlds", 2, 2)]
    assert other.tables["e01_worlds"]["gain"][0] != outcome.tables["e01_worlds"]["gain"][0]


# --- controls -----------------------------------------------------------------------------------------------------


def test_negative_control_nothing_to_learn_and_the_interval_covers_zero_at_about_its_rate() -> None:
    # every cell alike, no near-repeat: no map is worth more than another
    covered, gains, reps, days = 0, [], 80, 28
    for rep in range(reps):
        world = draw_count_world(
            n_days=100, grid_shape=(12, 12), kappa=0.0, cell_sd=0.0, latent_per_day=300.0, records_per_day=100.0,
            rng=stream(9, "flat", rep),
        )  # fmt: skip
        surfaces = {
            key: walk_forward(load_predictor(key), world.recorded, grid=world.grid, first_day=100 - days)
            for key in ("uniform", "trailing-mean", "retro-quartic")
        }
        surfaces["uniform"] = surfaces["trailing-mean"]  # one baseline fixed in advance, no better-of-two
        surfaces["clairvoyant"] = world.intensity[-days:]
        ties = tie_breaks(days, 144, rng=stream(9, "ties", rep))
        orders = {key: rank_cells(surface, ties=ties) for key, surface in surfaces.items()}
        row = e01.score_world(
            orders, world.latent[-days:], forecast="retro-quartic", areas=(0.05,), n_draws=299,
            rng=stream(9, "draws", rep), scored_on="latent",
        )[0]  # fmt: skip
        low, high = row.gain.low, row.gain.high
        assert low is not None and high is not None and row.gain.estimate is not None
        covered += low <= 0 <= high
        gains.append(row.gain.estimate)
    assert np.mean(gains) == pytest.approx(0.0, abs=4 * np.std(gains) / np.sqrt(reps))
    assert 0.84 <= covered / reps <= 1.0


def _world(latent_rate: np.ndarray, p_recorded: np.ndarray, rng: np.random.Generator) -> Any:
    grid = Grid(0.0, 0.0, 250.0, np.ones((20, 20), dtype=bool))
    latent = rng.poisson(latent_rate).astype(np.int32)
    recorded = rng.binomial(latent, p_recorded).astype(np.int32)
    return SimpleNamespace(latent=latent, recorded=recorded, intensity=latent_rate, grid=grid)


def _moving(n_days: int, low: float, high: float) -> np.ndarray:
    """``high`` in one tenth of 400 cells, ``low`` elsewhere; the tenth is another one in the last 70 days."""
    out = np.full((n_days, 400), low)
    out[: n_days - 70, :40] = high
    out[n_days - 70 :, 200:240] = high
    return out


PLANTED = e01.Params(
    latent_per_day=(900.0,),
    kappas=(0.0,),
    recording_biases=(0.0,),
    turnovers=(0.0,),
    worlds=6,
    n_days=400,
    evaluated_days=14,
    n_draws=99,
)


def test_positive_control_hot_spots_that_moved_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        e01, "draw_count_world", lambda n_days, rng, **_: _world(_moving(n_days, 0.2, 5.0), np.array(0.5), rng)
    )
    outcome = e01.run(PLANTED, seed=1)
    where = {"latent_per_day": 900.0, "kappa": 0.0, "recording_bias": 0.0, "turnover": 0.0}
    assert _get(outcome, "share_worlds_supported", **where).interval.estimate == 1.0
    assert _get(outcome, "share_worlds_refuted", **where).interval.estimate == 0.0
    assert _get(outcome, "share_worlds_out_of_reach", **where).interval.estimate == 0.0
    assert _get(outcome, "gain_latent", **where, area=0.05).interval.low > 1.0


def test_positive_control_a_gain_on_records_only_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    # incidents are the same everywhere; what moves is where they are recorded
    monkeypatch.setattr(
        e01, "draw_count_world",
        lambda n_days, rng, **_: _world(np.full((n_days, 400), 2.0), _moving(n_days, 0.05, 0.9), rng),
    )  # fmt: skip
    outcome = e01.run(PLANTED, seed=1)
    where = {"latent_per_day": 900.0, "kappa": 0.0, "recording_bias": 0.0, "turnover": 0.0}
    assert _get(outcome, "share_worlds_records_only", **where).interval.estimate == 1.0
    assert _get(outcome, "share_worlds_supported", **where).interval.estimate == 0.0
    # incidents are even: no map can find more of them, and that is said apart
    assert _get(outcome, "share_worlds_out_of_reach", **where).interval.estimate > 0.5
    assert _get(outcome, "gain_recorded", **where, area=0.05).interval.low > 1.0
    assert abs(_get(outcome, "gain_latent", **where, area=0.05).interval.estimate) < 0.1


def test_places_that_turn_over_leave_a_gain_within_reach_and_fixed_places_do_not() -> None:
    params = dataclasses.replace(
        SMALL, latent_per_day=(2700.0,), kappas=(0.0,), recording_biases=(0.0,), turnovers=(0.0, 1.0), n_days=420
    )
    outcome = e01.run(params, seed=6)
    where = {"latent_per_day": 2700.0, "kappa": 0.0, "recording_bias": 0.0}
    fixed = _get(outcome, "gain_ceiling", **where, turnover=0.0, area=0.05).interval
    moving = _get(outcome, "gain_ceiling", **where, turnover=1.0, area=0.05).interval
    assert fixed.high < 0.05, "nobody can beat last year's mean where places do not change"
    assert moving.low > 0.10, "and somebody can where they do"
    assert _get(outcome, "gain_latent", **where, turnover=1.0, area=0.05).interval.low > 0


# --- parameters ---------------------------------------------------------------------------------------------------


def test_profiles_and_overrides() -> None:
    quick = parameters("E01", overrides={"kappas": "0,0.5", "worlds": "2"})
    assert (quick.kappas, quick.worlds, quick.n_days) == ((0.0, 0.5), 2, 420)
    full = parameters("E01", profile="full")
    assert full.worlds >= 200
    assert full.n_days == 1826


@pytest.mark.parametrize(
    "change",
    [
        {"worlds": 0}, {"evaluated_days": 7}, {"evaluated_days": 420}, {"areas": (5.0,)}, {"areas": ()},
        {"latent_per_day": (0.0,)}, {"kappas": (1.0,)}, {"recording_biases": (2.0,)}, {"n_draws": 3},
        {"forecast": "uniform"}, {"forecast": "sepp"},
    ],
)  # fmt: skip
def test_bad_parameters(change: dict[str, Any]) -> None:
    with pytest.raises(ParameterError):
        e01.run(dataclasses.replace(e01.Params(), **change), seed=0)
