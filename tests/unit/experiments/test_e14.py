"""E14: closed forms of the ratio, a median that hides what a mean shows, and verdicts that turn with the traffic."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from contrechamp.audit.claims import read_yaml
from contrechamp.audit.rules import Rule, evaluate
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e14_search_time as e14

FEW = replace(e14.Params.quick(), reps=400)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e14.run(FEW, seed=14)


def interval(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [
        r.interval for r in outcome.results
        if r.measure == measure and all(r.world.get(k) == v for k, v in world.items())
    ]  # fmt: skip
    assert len(found) == 1, (measure, world, len(found))
    return found[0]


def test_the_ratio_of_a_faultless_filter_is_arithmetic() -> None:
    """By hand, an hour of footage takes 1/4 h; by clips, as long as the clips that the filter keeps of it."""
    params = replace(
        FEW, cameras=(50,), windows_h=(240.0,), traffics=(200.0,), recalls=(1.0,), false_positives=(0.0,),
        passages=(1,), fatigue=0.0, other_fatigues=(), p_notice=1.0, reps=4_000,
    )  # fmt: skip
    found = interval(e14.run(params, seed=1), "time_ratio", on_miss="filter-only")
    arithmetic = (1 / 4) / (200 * 0.05 * 8 / 3600)
    assert found.estimate == pytest.approx(arithmetic, rel=0.02)
    assert found.low < arithmetic < found.high  # type: ignore[operator]


def test_a_median_does_not_see_the_searches_started_again(outcome: Outcome) -> None:
    at = {"cameras": 5, "window_h": 24.0, "fatigue": 1.0, "passages": 1, "traffic": 20.0, "recall": 0.6,
          "false_positive": 0.002, "on_miss": "by-hand-after"}  # fmt: skip
    median, mean = interval(outcome, "time_ratio", **at), interval(outcome, "mean_time_ratio", **at)
    assert median.low > 48  # type: ignore[operator]
    assert mean.high < 10  # type: ignore[operator]


def test_stopping_misses_cars_and_starting_again_does_not(outcome: Outcome) -> None:
    at = {"cameras": 5, "window_h": 24.0, "fatigue": 0.0, "passages": 1, "traffic": 20.0, "recall": 0.6,
          "false_positive": 0.002}  # fmt: skip
    stop, again = (interval(outcome, "miss_excess", on_miss=p, **at) for p in ("filter-only", "by-hand-after"))
    assert stop.estimate == pytest.approx((1 - 0.6 * 0.95) - 0.05, abs=0.07)
    assert again.high < 0.02  # type: ignore[operator]
    assert stop.low > 0.1  # type: ignore[operator]


def test_quieter_streets_save_more_and_open_fewer_clips(outcome: Outcome) -> None:
    at = {"cameras": 5, "window_h": 24.0, "fatigue": 1.0, "passages": 3, "recall": 0.9, "false_positive": 0.002}
    quiet, busy = (interval(outcome, "time_ratio", traffic=v, on_miss="filter-only", **at) for v in (20.0, 200.0))
    assert quiet.low > busy.high  # type: ignore[operator]
    few, many = (interval(outcome, "clips_opened", traffic=v, **at) for v in (20.0, 200.0))
    assert 5 < many.estimate / few.estimate < 15  # type: ignore[operator]


def test_the_bounds_of_a_ratio_of_medians_hold_at_small_n() -> None:
    rng, held = stream(3, "coverage"), 0
    for _ in range(400):
        held += (lambda i: i.low <= 2 <= i.high)(
            e14.ratio_of_medians(2 * rng.exponential(size=25), rng.exponential(size=25))
        )  # type: ignore[operator]
    assert held / 400 > 0.95
    assert not e14.ratio_of_medians(np.ones(3), np.ones(3)).estimable
    assert not e14.ratio_of_medians(np.ones(50), np.zeros(50)).estimable


def test_by_hand_is_measured_once_per_footage_and_the_grid_is_whole(outcome: Outcome) -> None:
    keys = [tuple(sorted(r.world.items())) for r in outcome.results if r.measure == "manual_hours"]
    assert len(keys) == len(set(keys)) == 2 * 3 * 2 + 2 * 2
    worlds = e14.worlds_of(FEW)
    assert len(worlds) == (2 * 3 + 2) * 16
    assert len({tuple(w.items()) for w in worlds}) == len(worlds)


def test_rules_find_their_worlds_and_turn(outcome: Outcome) -> None:
    rows = [r.to_dict() | {"id": f"R-{i}"} for i, r in enumerate(outcome.results)]
    rules = {r["claim"]: Rule.parse(r) for r in read_yaml("rules.yaml")["rules"] if r["experiment"] == "E14"}
    assert set(rules) == {"V09", "V02"}
    for rule in rules.values():
        counts = evaluate(rule, rows)["counts"]
        assert counts["supported"] > 0
        assert counts["refuted"] > 0
    assert sum(evaluate(rules["V09"], rows)["counts"].values()) == 256


def test_same_numbers_for_any_number_of_workers() -> None:
    few = replace(FEW, cameras=(5,), windows_h=(24.0,), other_fatigues=(), reps=50)
    one, two = (e14.run(few, seed=4, jobs=jobs) for jobs in (1, 2))
    assert [r.interval for r in one.results] == [r.interval for r in two.results]


@pytest.mark.parametrize(
    "change", [{"reps": 5}, {"windows_h": (500.0,)}, {"setup_min": 0.0}, {"fatigue": -1.0}, {"traffics": ()},
               {"other_fatigues": (-1.0,)}],
)  # fmt: skip
def test_bad_parameters_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        e14.run(replace(FEW, **change), seed=1)  # type: ignore[arg-type]
