"""E09: alerts against hand-worked stays, intervals that hold, equal worlds that stay silent, twins on every rung."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.domain.video import ClipMeta
from contrechamp.experiments import e09_ladder as ladder
from contrechamp.experiments import e09_loitering as e09
from contrechamp.experiments import e09_measures as m
from fairness.intervals import poisson_rate_interval
from synthetic_data.dwell_worlds import CAMERA, LAWS, LONGEST, ZONE, draw_sojourns, spans, tracks_of
from vsa.rules import apply, configured

SMALL = dataclasses.replace(
    e09.Params.quick(), camera_days=6, clips=2, clip_s=8.0, clip_fps=1.0, clip_threshold_s=5.0, bodies=("rough_lying",),
    detectors=(), track_fps=0.1, thresholds_s=(60.0, 300.0, 1800.0), burden_thresholds_s=(300.0, 1800.0),
    prevalences=(0.01, 0.1), target_stays_min=(0.0, 60.0),
)  # fmt: skip


def spans_of(*rows: tuple[int, float, float]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["person", "start_s", "end_s"])


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    return e09.run(SMALL, seed=3)


def result(outcome: Outcome, measure: str, **world: object) -> Interval:
    found = [r for r in outcome.results if r.measure == measure and all(r.world.get(k) == v for k, v in world.items())]
    assert len(found) == 1, (measure, world, len(found))
    return found[0].interval


def test_alerts_of_hand_worked_stays() -> None:
    fired = m.fire(
        spans_of((0, 0.0, 59.9), (1, 10.0, 70.0), (2, 0.0, 700.0), (2, 800.0, 1200.0)),
        n=4, threshold_s=60.0, rearm_s=300.0,
    )  # fmt: skip
    assert fired.alerted.tolist() == [False, True, True, False]
    assert fired.first_s.tolist() == [math.inf, 70.0, 60.0, math.inf]
    # 700 s: at 60 and 420; the next would come at 780. 400 s: at 60 of it only.
    assert fired.alerts.tolist() == [0, 1, 3, 0]
    assert m.longest(spans_of((1, 5.0, 9.0), (1, 20.0, 23.0)), n=3).tolist() == [0.0, 4.0, 0.0]


@settings(deadline=None, max_examples=40)
@given(
    st.lists(st.tuples(st.integers(0, 5), st.floats(0, 1e4), st.floats(0, 5e3)), max_size=20), st.floats(1, 3e3),
    st.floats(0, 1e3),
)  # fmt: skip
def test_alerts_are_those_of_a_clock_that_ticks(
    rows: list[tuple[int, float, float]], threshold: float, rearm: float
) -> None:
    fired = m.fire(spans_of(*((p, s, s + d) for p, s, d in rows)), n=6, threshold_s=threshold, rearm_s=rearm)
    slow = np.zeros(6, dtype=int)
    for person, start, length in rows:
        at, long = threshold, (start + length) - start
        while at <= long:
            slow[person] += 1
            at += threshold + rearm
    assert np.abs(fired.alerts - slow).max() <= 1  # equal but for a rounding at a whole multiple
    assert ((fired.alerts > 0) == (slow > 0)).all()


def test_best_balance_is_a_half_only_where_some_threshold_reaches_both() -> None:
    long = np.array([10.0] * 900 + [100.0] * 60 + [400.0] * 40)
    target = np.array([False] * 960 + [True] * 40)
    found = m.best_balance(longest_s=long, target=target, thresholds_s=(50.0, 300.0))
    assert found.estimate == 1.0
    assert found.low is not None and 0.85 < found.low < 1.0
    only_low = m.best_balance(longest_s=long, target=target, thresholds_s=(50.0,))
    assert only_low.estimate == pytest.approx(0.4)
    nobody = m.best_balance(longest_s=long, target=target, thresholds_s=(1e6,))
    assert (nobody.estimate, nobody.low) == (0.0, 0.0)
    assert nobody.high is not None and nobody.high < 0.15  # recall bounds it: 0 of 40
    assert not m.best_balance(longest_s=long, target=np.zeros(1000, dtype=bool), thresholds_s=(50.0,)).estimable


def test_hourly_ratio_is_the_exact_one_when_each_person_has_one_hour() -> None:
    alerts = np.array([1] * 30 + [0] * 70 + [1] * 20 + [0] * 180)
    mine = np.arange(300) < 100
    found = m.hourly_ratio(alerts, np.ones(300), mine)
    assert found.estimate == pytest.approx(3.0)
    # Bernoulli alerts vary less than Poisson ones: the exact bounds are the wider, and are given.
    assert found.low == pytest.approx(1.651, abs=0.01)
    crowd = m.hourly_ratio(np.repeat([10, 0, 1, 0], [10, 90, 100, 100]), np.ones(300), mine)
    alone = m.hourly_ratio(np.repeat([1, 0, 1, 0], [100, 0, 100, 100]), np.ones(300), mine)
    assert crowd.estimate == alone.estimate == 2.0
    assert crowd.high > 1.2 * alone.high  # type: ignore[operator]
    assert not m.hourly_ratio(np.zeros(4), np.ones(4), np.array([True, True, False, False])).estimable


def test_ratio_of_sums_is_a_mean_when_rows_weigh_the_same() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    found = m.ratio_of_sums(values, np.ones(5))
    assert found.estimate == pytest.approx(0.6)
    # Student, 4 degrees of freedom: 2.776 × sqrt(0.3 / 5).
    assert found.high == pytest.approx(0.6 + 2.776 * math.sqrt(0.3 / 5), abs=1e-3)
    assert m.ratio_of_sums(values, np.ones(5), cap=1.0).high == 1.0


def test_alert_rate_covers_when_one_person_brings_several_alerts() -> None:
    rng = stream(7, "repeated")
    missed = {"repeated": 0, "exact": 0}
    for _ in range(200):
        persons = int(rng.poisson(40))
        alerts = rng.choice([1, 12], p=[0.9, 0.1], size=persons)
        found = m.alert_rate(alerts, exposure=2.0)
        plain = poisson_rate_interval(events=int(alerts.sum()), exposure=2.0)
        truth = 40 * 2.1 / 2.0
        for name, interval in (("repeated", found), ("exact", plain)):
            missed[name] += not interval.low <= truth <= interval.high  # type: ignore[operator]
    assert missed["repeated"] <= 24
    assert missed["exact"] > 60
    once = m.alert_rate(np.ones(30), exposure=1.0)
    exact = poisson_rate_interval(events=30, exposure=1.0)
    assert once.low == exact.low
    assert exact.high <= once.high < 1.01 * exact.high  # type: ignore[operator]
    assert m.alert_rate(np.zeros(5), exposure=1.0).estimate == 0.0


def test_lawful_and_common_counts_roles_where_half_would_be_flagged() -> None:
    role = np.repeat([0, 1], [10, 10])
    alerted = np.repeat([True, False, True, False], [6, 4, 3, 7])
    target = np.zeros(20, dtype=bool)
    target[0] = True
    found = m.lawful_common(
        alerted=alerted, alerts=alerted.astype(np.int64), target=target, role=role, roles=2, common_share=0.5
    )
    assert found.estimate == pytest.approx(5 / 9)


def test_equal_worlds_give_no_disparity_beyond_the_nominal_rate() -> None:
    """Everybody stays as long: over forty worlds, the ratios' intervals miss 1 about as often as they say."""
    missed = {"hourly": 0, "repeated": 0, "passage": 0}
    for k in range(40):
        drawn = draw_sojourns(
            place="square", law="equal", camera_days=12, hours_per_day=16.0, rng=stream(k, "equal-world")
        )
        persons, n = drawn.persons, len(drawn.persons)
        mine = persons["role"].isin(LONGEST).to_numpy()
        fired = m.fire(spans(drawn, static=True), n=n, threshold_s=300.0, rearm_s=300.0)
        hours = persons["stay_s"].to_numpy() / 3600
        for name, found in {
            "hourly": m.hourly_ratio(fired.alerted, hours, mine),
            "repeated": m.hourly_ratio(fired.alerts, hours, mine),
            "passage": m.passage_ratio(fired.alerted, mine),
        }.items():
            assert found.low is not None and found.high is not None
            missed[name] += not found.low <= 1 <= found.high
    assert max(missed.values()) <= 6  # the chance of more than 6 in 40 at 5 % is 0.3 %


def test_targets_who_behave_like_others_are_found_at_their_share(outcome: Outcome) -> None:
    world = {"place": "hall", "rule": "static", "prevalence": 0.1, "target_stay_min": 0.0}
    found = result(outcome, "precision", **world, T_s=300.0)
    assert found.low < 0.1 < found.high  # type: ignore[operator]
    best = result(outcome, "best_balance", **world)
    assert best.high < 0.2  # type: ignore[operator]
    cue = result(outcome, "recall_cue", **world, T_s=300.0)
    rule = result(outcome, "recall", **world, T_s=300.0)
    assert cue.estimate == pytest.approx(0.3 * rule.estimate, abs=0.03)  # type: ignore[operator]


def test_the_operator_wins_where_targets_are_many_and_stay_far_longer(outcome: Outcome) -> None:
    won = result(outcome, "best_balance", place="hall", rule="static", prevalence=0.1, target_stay_min=60.0)
    assert won.low > 0.8  # type: ignore[operator]
    random = result(
        outcome, "precision_random", place="hall", rule="static", prevalence=0.1, target_stay_min=60.0, T_s=300.0
    )
    assert random.low < 0.1 < random.high  # type: ignore[operator]


def test_per_passage_and_per_hour_say_different_things(outcome: Outcome) -> None:
    world = {"place": "hall", "law": "stated", "rule": "static", "T_s": 300.0}
    assert result(outcome, "passage_ratio", **world).low > 5  # type: ignore[operator]
    assert result(outcome, "hourly_ratio", **world, repeat=False).high < 0.8  # type: ignore[operator]
    late = {**world, "T_s": 1800.0}
    assert result(outcome, "hourly_ratio", **late, repeat=True).low > 3  # type: ignore[operator]
    lost = result(outcome, "hours_lost_longest", **world)
    assert lost.estimate > 0.9  # type: ignore[operator]
    flat = result(outcome, "passage_ratio", **{**world, "law": "equal"})
    assert flat.low < 1 < flat.high  # type: ignore[operator]


def test_shares_by_role_add_up(outcome: Outcome) -> None:
    for measure in ("share_of_alerts", "share_of_hours"):
        rows = [r for r in outcome.results if r.measure == measure and r.world["place"] == "square"]
        assert len(rows) == len(LAWS)
        assert sum(float(r.interval.estimate or 0) for r in rows) == pytest.approx(1.0)
    per = result(outcome, "alerts_per_1000", place="square", role="passing")
    assert per.estimate == 0.0


def test_the_shipped_rule_and_the_sum_over_sojourns_agree(outcome: Outcome) -> None:
    for place in ("hall", "square"):
        assert result(outcome, "rule_agreement", place=place).estimate > 0.995  # type: ignore[operator]
        spread = result(outcome, "preset_spread", place=place)
        assert 1.0 <= spread.low <= spread.estimate <= spread.high  # type: ignore[operator]
        early = result(outcome, "preset_alerts_per_camera_day", place=place, preset="hikvision-default")
        main = result(outcome, "preset_alerts_per_camera_day", place=place, preset="ratp-300s")
        assert early.low > 5 * main.high  # type: ignore[operator]


@pytest.mark.parametrize(("preset", "static"), [("house-continuous-60s", False), ("ratp-300s", True)])
@pytest.mark.parametrize("threshold", [60.0, 300.0])
def test_rule_and_sum_differ_only_within_two_frames_of_the_threshold(
    preset: str, static: bool, threshold: float
) -> None:
    fps = 0.2
    drawn = draw_sojourns(place="square", camera_days=1, hours_per_day=4.0, rng=stream(5, "agree"))
    tracks, ids = tracks_of(drawn, days=1, fps=fps, rng=stream(5, "positions"))
    meta = ClipMeta("agree", fps, int(tracks["frame"].max()) + 1, CAMERA, zones=(ZONE,))
    alerts = apply(tracks, meta=meta, rule=configured(preset, dwell_s=threshold)).table
    long = m.longest(spans(drawn, static=static), n=len(drawn.persons))[ids]
    differ = np.isin(ids, alerts["track_id"]) != (long >= threshold)
    assert np.abs(long[differ] - threshold).max(initial=0.0) <= 2 / fps
    assert (long >= threshold).sum() > 20


def test_the_ladder_starts_at_one_and_a_blind_detector_has_no_gap(outcome: Outcome) -> None:
    assert result(outcome, "seen_share", rung="tracks", body="waiting").estimate == 1.0
    assert result(outcome, "flagged_share", rung="tracks", body="rough_lying").estimate == 1.0
    blind = result(outcome, "seen_share", rung="blind", body="waiting")
    assert blind.estimate == pytest.approx(1 - ladder.P_MISS, abs=0.2)
    gap = result(outcome, "seen_gap", rung="blind", body="rough_lying")
    assert gap.low <= 0 <= gap.high  # type: ignore[operator]


def test_a_planted_gap_between_bodies_is_found_and_clustered_by_scene() -> None:
    rows = pd.DataFrame(
        [
            {"scene": s, "rung": "x", "body": body, "subject_id": k, "frames": 10, "seen": seen, "tracked": seen,
             "flagged": int(seen > 5)}
            for s in range(6) for k in range(3)
            for body, seen in (("waiting", 9 + (s + k) % 2), ("rough_lying", 2 + (s + k) % 2))
        ]
    )  # fmt: skip
    found = {(r.measure, r.world["body"]): r.interval for r in ladder.ladder_results(rows)}
    gap = found["seen_gap", "rough_lying"]
    assert gap.estimate == pytest.approx(-0.7)
    assert gap.n == 6
    flagged = found["flagged_gap", "rough_lying"]
    assert flagged.estimate == -1.0
    assert flagged.high is not None and -1.0 < flagged.high < 0.0


def test_same_numbers_for_any_number_of_workers() -> None:
    few: dict[str, Any] = {"camera_days": 2, "clips": 0, "track_fps": 0.02,
                           "places": ("square",), "thresholds_s": (300.0,), "burden_thresholds_s": (300.0,),
                           "prevalences": (0.1,), "target_stays_min": (0.0,)}  # fmt: skip
    one, two = (e09.run(dataclasses.replace(SMALL, **few), seed=4, jobs=jobs) for jobs in (1, 2))
    assert [r.key for r in one.results] == [r.key for r in two.results]
    assert [r.interval for r in one.results] == [r.interval for r in two.results]
    for name, table in one.tables.items():
        pd.testing.assert_frame_equal(table, two.tables[name])


def test_a_scene_filmed_twice_is_the_same() -> None:
    one, two = (
        ladder.film(0, bodies=(), duration_s=3.0, fps=1.0, threshold_s=2.0, detectors=(), seed=1) for _ in range(2)
    )
    pd.testing.assert_frame_equal(one, two)
    assert set(one["rung"]) == {"tracks", "boxes", "blind"}


@pytest.mark.parametrize(
    "change", [{"places": ("beach",)}, {"prevalences": (0.0,)}, {"camera_days": 1}, {"rearm_s": -1.0}, {"clips": -1},
               {"main_threshold_s": 240.0}, {"track_days": 7}, {"operators": 0}, {"clip_threshold_s": 8.0}],
)  # fmt: skip
def test_bad_parameters_are_named(change: dict[str, object]) -> None:
    with pytest.raises(ParameterError, match=f"`{next(iter(change))}`"):
        e09.run(dataclasses.replace(SMALL, **change), seed=1)  # type: ignore[arg-type]
