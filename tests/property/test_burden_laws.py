"""Negative controls and laws of the burden: silent where there is nothing, heard where there is, nothing lost."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.rng import stream
from fairness.video_burden import city_scale, disparity_test, video_burden

SITUATIONS = ("passing", "rough_seated", "vendor", "waiting")
HOURS = np.array([40.0, 3.0, 6.0, 12.0])


def test_under_equal_rates_the_test_speaks_in_at_most_one_case_of_twenty():
    rng = stream(11, "burden", "equal")
    spoke = np.mean(
        [disparity_test(events=rng.poisson(0.5 * HOURS), exposure=HOURS)["speaks"].any() for _ in range(800)]
    )
    assert spoke <= 0.05
    assert spoke > 0.005  # and it is not mute


def test_a_planted_ratio_of_three_is_found():
    rng, times = stream(11, "burden", "planted"), np.array([1.0, 3.0, 1.0, 1.0])
    found = [disparity_test(events=rng.poisson(2 * times * HOURS), exposure=HOURS) for _ in range(200)]
    assert np.mean([f["speaks"][1] for f in found]) >= 0.8
    assert np.median([f["ratio"][1] for f in found]) == pytest.approx(3, rel=0.15)


def test_the_interval_of_a_street_covers():
    from fairness.video_burden import street_rate

    rng, mix, rates = stream(7, "burden", "street"), np.array([6.0, 0.1, 0.3, 1.0]), np.array([0.05, 1.5, 1.0, 0.5])
    covered = 0
    for _ in range(400):
        table = pd.DataFrame({"alerts": rng.poisson(rates * HOURS), "person_h": HOURS}, index=list(SITUATIONS))
        found = street_rate(table, person_h_per_camera_h=dict(zip(SITUATIONS, mix, strict=True)))
        covered += found.low <= rates @ mix <= found.high
    assert covered / 400 >= 0.95


def _world(rng, rates, scenes=30, burst=0):
    """Scenes of one person of each situation for half an hour; ``burst``: spread of a scene's own luck."""
    rows, alerts = [], []
    for scene in range(scenes):
        luck = rng.gamma(1 / burst, burst) if burst else 1.0
        for subject, (situation, rate) in enumerate(zip(SITUATIONS, rates, strict=True)):
            rows.append((scene, subject, situation, 1800.0, 900.0))
            alerts += [(scene, subject, situation)] * rng.poisson(rate * luck / 2)
    exposure = pd.DataFrame(rows, columns=["scene", "subject_id", "situation", "view_s", "zone_s"])
    table = pd.DataFrame(alerts, columns=["scene", "subject_id", "situation"]).assign(harm=False, rule_true=False)
    return table, exposure, dict.fromkeys(range(scenes), 0.5)


def test_when_scenes_have_their_own_luck_the_interval_by_scene_covers_and_the_exact_one_does_not():
    rng, covered = stream(5, "burden", "clusters"), {"exact": 0, "scene": 0}
    for i in range(60):
        alerts, exposure, hours = _world(rng, (2.0, 2.0, 2.0, 2.0), scenes=60, burst=1.0)
        row = video_burden(
            alerts=alerts, exposure=exposure, camera_h=hours, rng=stream(5, "draw", i), replicates=150
        ).by_situation.loc["vendor"]
        covered["exact"] += row["rate_low"] <= 2 <= row["rate_high"]
        covered["scene"] += row["rate_scene_low"] <= 2 <= row["rate_scene_high"]
    assert covered["scene"] / 60 >= 0.9 and covered["exact"] / 60 <= 0.9


@given(st.integers(0, 10_000), st.tuples(*[st.floats(0, 6)] * 4))
@settings(max_examples=20, deadline=None)
def test_nothing_is_lost_and_the_two_readings_agree_on_their_product(seed, rates):
    alerts, exposure, hours = _world(stream(seed, "law"), rates, scenes=6)
    found = video_burden(alerts=alerts, exposure=exposure, camera_h=hours)
    table = found.by_situation
    assert table["alerts"].sum() + found.unplaced["alerts"].sum() == len(alerts) == found.per_camera_hour.n
    assert table["stays"].sum() == len(exposure) and (table["stays_flagged"] <= table["alerts"]).all()
    if len(alerts):
        assert table["share_of_alerts"].sum() == pytest.approx(1) and table["share_of_person_h"].sum() == pytest.approx(
            1
        )
        whole = found.overall.loc["false_alerts_per_person_hour", "estimate"]
        assert (table["representation"] * whole).tolist() == pytest.approx(table["rate"].tolist())
        assert 0 <= found.overall.loc["gini", "estimate"] <= 1 or not found.overall.loc["gini", "estimable"]
    ordered = table[["rate_low", "rate", "rate_high"]].to_numpy()
    assert (np.diff(ordered, axis=1) >= 0).all()


@given(st.integers(1, 5_000), st.integers(1, 200), st.integers(0, 50), st.floats(1, 1e4))
def test_a_city_scales_in_proportion_and_keeps_the_interval_in_order(cameras, operators, events, hours):
    from fairness.rates import poisson_rate_interval

    one = poisson_rate_interval(events=events, exposure=hours)
    found = city_scale(one, cameras=cameras, operators=operators)
    assert found.alerts_per_day.estimate == pytest.approx(one.estimate * cameras * 24)
    assert found.per_operator_hour.estimate * operators * 24 == pytest.approx(found.alerts_per_day.estimate)
    assert found.alerts_per_day.low <= found.alerts_per_day.estimate <= found.alerts_per_day.high
    if events:
        assert found.seconds_each.estimate * found.per_operator_hour.estimate == pytest.approx(3600)
        assert found.seconds_each.low <= found.seconds_each.estimate <= found.seconds_each.high
