"""E17: no effect is seen at the nominal rate, a real one is found, and the naive figure misleads as theory says."""

from __future__ import annotations

import dataclasses

import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.results import Outcome, Result
from contrechamp.experiments import e17_cameras_and_crime as e17

SMALL = dataclasses.replace(
    e17.Params.quick(), worlds=200, n_cameras=(40,), per_years=(40.0,), displacements=(0.0, 1.0), effects=(0.0, -0.3)
)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e17.run(SMALL, seed=5)


def value(outcome: Outcome, measure: str, **world: object) -> Result:
    found = [r for r in outcome.results if r.measure == measure and world.items() <= r.world.items()]
    assert len(found) == 1, (measure, world, [r.world for r in found])
    return found[0]


NIL = {"true_effect": 0.0, "trend": -0.03, "displacement": 0.0}
REAL = {"true_effect": -0.3, "trend": -0.03, "displacement": 0.0}


@pytest.mark.parametrize("placement", ["random", "worst", "lottery"])
def test_from_the_year_before_the_choice_intervals_hold_and_nothing_is_seen_in_nothing(
    outcome: Outcome, placement: str
) -> None:
    for world in (NIL, REAL):
        held = value(outcome, "coverage", estimator="did-skip", placement=placement, **world).interval
        assert held.high is not None and held.high >= 0.94  # 93 to 96 % over 1,000 cities: forty streets are few
    seen = value(outcome, "p_detects", estimator="did-skip", placement=placement, **NIL).interval
    assert seen.low is not None and seen.low <= 0.025  # one side of a 95 % interval
    found = value(outcome, "p_detects", estimator="did-skip", placement=placement, **REAL).interval
    assert found.low is not None and found.low > 0.8


def test_the_worst_streets_of_a_year_fall_by_themselves(outcome: Outcome) -> None:
    worst = value(outcome, "apparent_change", placement="worst", **NIL).interval
    random = value(outcome, "apparent_change", placement="random", **NIL).interval
    assert worst.high is not None and random.low is not None
    assert worst.high < -0.06 < random.low
    bias = value(outcome, "bias", estimator="did", placement="worst", **NIL).interval
    assert bias.high is not None and bias.high < -0.03
    lottery = value(outcome, "bias", estimator="lottery", placement="lottery", **NIL).interval
    assert lottery.low is not None and lottery.high is not None
    assert lottery.low < 0.01 and lottery.high > -0.01


def test_a_city_that_falls_by_a_fifth_shows_the_published_fall_without_any_effect(outcome: Outcome) -> None:
    world = {"true_effect": 0.0, "placement": "worst", "fall": -0.3}
    flat = value(outcome, "p_fall", trend=-0.03, **world).interval.estimate
    falling = value(outcome, "p_fall", trend=-0.2, **world).interval.estimate
    assert flat is not None and falling is not None
    assert flat < 0.02 and falling > 0.1


def test_displacement_next_door_is_seen_in_part_only(outcome: Outcome) -> None:
    world = {"true_effect": -0.3, "estimator": "did-skip", "placement": "random"}
    none = value(outcome, "bias", displacement=0.0, **world).interval
    all_moved = value(outcome, "bias", displacement=1.0, **world).interval
    assert none.estimate is not None and all_moved.estimate is not None
    # a street in three has cameras: every street, with or without, receives a third of 30 % from those beside it
    expected = (1 - 0.3 + 0.3 / 3) / (1 + 0.3 / 3) - 1 + 0.3
    assert all_moved.estimate - none.estimate == pytest.approx(expected, abs=0.01)


def test_a_city_that_counted_nothing_is_no_study_that_saw_nothing() -> None:
    bare = dataclasses.replace(SMALL, per_years=(0.1,), n_cameras=(4,), effects=(0.0,), worlds=300)
    out = e17.run(bare, seed=2)
    nil = {"placement": "random", "trend": -0.03}
    naive = value(out, "p_fall", fall=-0.3, **nil).interval
    told = value(out, "apparent_change", **nil).interval
    assert naive.n == told.n < 300  # four streets of a tenth of a record: most of them counted none before
    assert value(out, "p_detects", estimator="did-skip", **nil).interval.n < told.n  # nor after


def test_same_seed_same_numbers_whatever_the_workers(outcome: Outcome) -> None:
    few = dataclasses.replace(SMALL, worlds=20)
    one, two = e17.run(few, seed=1), e17.run(few, seed=1, jobs=2)
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]


@pytest.mark.parametrize(
    "wrong",
    [
        {"worlds": 1},
        {"effects": (-0.3,)},
        {"selections": ("best",)},
        {"falls": (0.3,)},
        {"displacements": ()},
        {"trends": ()},
        {"selections": ()},
    ],
)
def test_parameters_out_of_their_domain_are_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ParameterError):
        e17.run(dataclasses.replace(SMALL, **wrong), seed=1)  # type: ignore[arg-type]
