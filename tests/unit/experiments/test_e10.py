"""E10: alarms given to the right bag, precision joined over kinds, a perfect machine, a crowd that hides."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.experiments import e10_abandoned_object as e10
from synthetic_data.bag_worlds import ABSENCE, KINDS, Episodes, draw_episodes, per_day

SMALL = dataclasses.replace(
    e10.Params.quick(), episodes=30, densities=(0.02, 0.4), thresholds_s=(120.0,), p_gones=(0.1, 0.3)
)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e10.run(SMALL, seed=2)


def result(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [r for r in outcome.results if r.measure == measure and all(r.world.get(k) == v for k, v in world.items())]
    assert len(found) == 1, (measure, world, len(found))
    return found[0].interval


def episodes_of(kinds: list[str], gone: list[float], back: list[float], life: list[float]) -> Episodes:
    objects = pd.DataFrame(
        {"kind": pd.Categorical(kinds, categories=list(KINDS)), "gone_s": gone, "back_s": back, "life_s": life}
    )
    seen = np.arange(400) < np.asarray(life)[:, None]
    return Episodes(objects, seen, seen & False, 1.0)


def test_alarms_are_right_only_on_a_bag_left_and_after_its_owner_went() -> None:
    episodes = episodes_of(
        ["left", "left", "returns", "attended"], [100.0, 100.0, 50.0, math.inf], [math.inf, math.inf, 90.0, math.inf],
        [400.0, 400.0, 90.0, 60.0],
    )  # fmt: skip
    of = pd.DataFrame({"track_id": [1, 2, 3, 4, 9], "episode": [0, 1, 2, 3, 0], "begins_s": [0.0, 1e3, 2e3, 3e3, 0.0]})
    alarms = pd.DataFrame({"track_id": [1, 9, 2, 3], "t_alert_s": [220.0, 160.0, 1099.0, 2080.0]})
    found = e10.judge_alarms(episodes, alarms, of)
    assert found.right.tolist() == [True, False, False, False]
    assert found.wrong.tolist() == [False, True, True, False]  # the second rang while the owner was there
    assert found.alarms.tolist() == [2, 1, 1, 0]
    assert found.delay_s[0] == 60.0


def test_precision_joins_kinds_at_their_rates() -> None:
    drawn = dict.fromkeys(KINDS, 1000)
    right = {**dict.fromkeys(KINDS, 0), "left": 800}
    wrong = {**dict.fromkeys(KINDS, 0), "returns": 250, "furniture": 1000}
    rates = {"attended": 80.0, "returns": 16.0, "left": 4.0, "belongings": 0.0, "furniture": 2.0}
    found = e10.mixed_precision(right=right, wrong=wrong, drawn=drawn, rates=rates)
    assert found.estimate == pytest.approx(3.2 / (3.2 + 4.0 + 2.0))
    assert found.low is not None and found.high is not None
    assert found.low < found.estimate < found.high
    # Attended bags, never flagged in 1,000, may still weigh: 80 a day at under half a percent.
    assert found.low > 3.0 / (3.0 + 4.9 + 2.0 + 0.6)
    assert not e10.mixed_precision(
        right=dict.fromkeys(KINDS, 0), wrong=dict.fromkeys(KINDS, 0), drawn=drawn, rates=rates
    ).estimable


def test_precision_covers_the_truth_at_least_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    chance = {"attended": 0.02, "returns": 0.3, "left": 0.8, "belongings": 1.0, "furniture": 0.9}
    rates = per_day(density=0.4, p_gone=0.1, hours_per_day=16.0)
    good = rates["left"] * chance["left"]
    truth = good / (good + sum(rates[k] * chance[k] for k in KINDS if k != "left"))
    drawn = dict.fromkeys(KINDS, 60)
    covered = 0
    for _ in range(200):
        hits = {k: int(rng.binomial(60, chance[k])) for k in KINDS}
        found = e10.mixed_precision(
            right={**dict.fromkeys(KINDS, 0), "left": hits["left"]}, wrong={**hits, "left": 0}, drawn=drawn, rates=rates
        )
        assert found.low is not None and found.high is not None
        covered += found.low <= truth <= found.high
    assert covered >= 190


def test_a_perfect_machine_finds_all_and_errs_only_on_what_looks_the_same(outcome: Outcome) -> None:
    world = {"density": 0.4, "machine": "perfect", "attended_by": "owner", "T_s": 120.0}
    assert result(outcome, "recall", **world, p_gone=0.1).estimate == 1.0
    assert result(outcome, "alarmed", **world, kind="attended").estimate == 0.0
    assert result(outcome, "alarmed", **world, kind="furniture").estimate == 1.0
    # A returning owner is flagged when away for more than 120 s: a normal tail.
    z = math.log(120.0 / ABSENCE[0]) / ABSENCE[1]
    tail = 0.5 * math.erfc(z / math.sqrt(2))
    returns = result(outcome, "alarmed", **world, kind="returns")
    assert returns.low <= tail <= returns.high  # type: ignore[operator]
    assert result(outcome, "time_to_alarm", **world).estimate == pytest.approx(2.0, abs=0.1)


def test_precision_rises_with_the_share_who_never_return(outcome: Outcome) -> None:
    world = {"density": 0.4, "machine": "perfect", "attended_by": "owner", "T_s": 120.0}
    few, many = (result(outcome, "precision", **world, p_gone=p) for p in (0.1, 0.3))
    assert few.estimate < many.estimate  # type: ignore[operator]
    shares = [
        float(r.interval.estimate or 0) for r in outcome.results
        if r.measure == "share_of_objects" and r.world["density"] == 0.4 and r.world["machine"] == "perfect"
        and r.world["p_gone"] == 0.1
    ]  # fmt: skip
    assert sum(shares) == pytest.approx(1.0)


def test_the_crowd_blinds_a_machine_that_forgets(outcome: Outcome) -> None:
    world = {"machine": "forgetful", "attended_by": "owner", "T_s": 120.0, "p_gone": 0.1}
    empty, busy = (result(outcome, "recall", **world, density=d) for d in (0.02, 0.4))
    assert empty.low > 0.6 > 0.2 > busy.high  # type: ignore[operator]
    anyone = result(outcome, "recall", density=0.4, machine="patient", attended_by="anyone", T_s=120.0, p_gone=0.1)
    assert anyone.high < 0.2  # somebody is always within three metres  # type: ignore[operator]


def test_a_round_of_screens_finds_what_its_look_meets() -> None:
    counts = {**dict.fromkeys(KINDS, 1), "left": 3000}
    episodes = draw_episodes(counts=counts, density=0.0, miss=0.0, fps=0.5, rng=stream(1, "round"))
    found = e10.patrol(episodes, every_s=1200.0, look_s=15.0, rng=stream(2, "round"))
    left = (episodes.objects["kind"] == "left").to_numpy()
    # A look of 15 s every 1,200 s meets a window of 480 s with probability (480 + 15) / 1,200, less a frame.
    assert found.right[left].mean() == pytest.approx(495 / 1200, abs=0.03)
    delay = found.delay_s[np.isfinite(found.delay_s)]
    assert delay.min() >= 0 and delay.max() <= 480
    assert np.median(delay) == pytest.approx(233, abs=25)


def test_same_numbers_for_any_number_of_workers() -> None:
    few = dataclasses.replace(SMALL, episodes=6, densities=(0.1,), p_gones=(0.1,))
    one, two = (e10.run(few, seed=4, jobs=jobs) for jobs in (1, 2))
    assert [r.key for r in one.results] == [r.key for r in two.results]
    assert [r.interval for r in one.results] == [r.interval for r in two.results]
    assert one.tables["e10_kinds"].equals(two.tables["e10_kinds"])


@pytest.mark.parametrize(
    "change", [{"densities": (0.0,)}, {"p_gones": (1.0,)}, {"episodes": 1}, {"miss": 1.0}, {"patrol_s": 10.0},
               {"main_threshold_s": 90.0}, {"fps": 0.0}],
)  # fmt: skip
def test_bad_parameters_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        e10.run(dataclasses.replace(SMALL, **change), seed=1)  # type: ignore[arg-type]
