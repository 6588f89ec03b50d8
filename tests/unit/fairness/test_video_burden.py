"""Burden of video alerts on tables worked by hand."""

import math

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.intervals import Interval
from contrechamp.domain.rng import stream
from contrechamp.domain.video import TRUTH_COLUMNS, Camera, ClipMeta, SceneTruth, Zone, as_table
from fairness.video_burden import (
    city_scale,
    describe_city,
    disparity_test,
    exposure_table,
    street_rate,
    video_burden,
)

#: Two scenes. Ten passers-by of an hour in all, four vendors of two hours, two who wait of one hour each.
EXPOSURE = pd.DataFrame(
    [("one", i, "passing", 360.0, 60.0) for i in range(10)]
    + [("one", 20 + i, "vendor", 1800.0, 1800.0) for i in range(2)]
    + [("two", 20 + i, "vendor", 1800.0, 0.0) for i in range(2)]
    + [("two", 30 + i, "waiting", 3600.0, 3600.0) for i in range(2)],
    columns=["scene", "subject_id", "situation", "view_s", "zone_s"],
)
HOURS = {"one": 5.0, "two": 3.0, "empty": 2.0}


def alerts(*rows):
    table = pd.DataFrame(rows, columns=["scene", "subject_id", "situation"])
    return table.assign(harm=False, rule_true=True)


#: A vendor three times, the other one once, a passer-by once, the puddle twice, the crowd once.
RAISED = alerts(
    *[("one", 20, "vendor")] * 3,
    ("one", 21, "vendor"),
    ("one", 4, "passing"),
    *[("two", -1, "nobody")] * 2,
    ("two", -1, "everybody"),
)


def test_rates_shares_and_stays_by_hand():
    found = video_burden(alerts=RAISED, exposure=EXPOSURE, camera_h=HOURS)
    table = found.by_situation
    assert table["alerts"].to_dict() == {"passing": 1, "vendor": 4, "waiting": 0}
    assert table["person_h"].to_dict() == pytest.approx({"passing": 1.0, "vendor": 2.0, "waiting": 2.0})
    assert table["rate"].to_dict() == pytest.approx({"passing": 1.0, "vendor": 2.0, "waiting": 0.0})
    vendor, waiting = table.loc["vendor"], table.loc["waiting"]
    # Garwood: 4 events, 1.0899 to 10.2416, over two hours; none, 3.6889 over two hours; the rule of three 2.9957 / 2
    assert (vendor["rate_low"], vendor["rate_high"]) == pytest.approx((1.0899 / 2, 10.2416 / 2), abs=1e-4)
    assert waiting["rate_high"] == pytest.approx(3.6889 / 2, abs=1e-4)
    assert waiting["rule_of_three"] == pytest.approx(2.9957 / 2, abs=1e-4) and np.isnan(vendor["rule_of_three"])
    # Two of four vendors were flagged, one of them three times.
    assert vendor[["stays", "stays_flagged", "p_flagged"]].tolist() == [4, 2, 0.5]
    assert (vendor["p_flagged_low"], vendor["p_flagged_high"]) == pytest.approx((0.0676, 0.9324), abs=1e-4)
    # By count: 4 alerts of 5, on 2 person-hours of 5. Per hour: twice the passers-by.
    assert vendor[["share_of_alerts", "share_of_person_h", "representation"]].tolist() == pytest.approx([0.8, 0.4, 2.0])
    assert table["ratio"].tolist() == pytest.approx([1.0, 2.0, 0.0])
    # exact, given the total: 4 of 5 is between 0.2836 and 0.9949
    low, high = 0.283582 / (1 - 0.283582) / 2, 0.994949 / (1 - 0.994949) / 2
    assert (vendor["ratio_low"], vendor["ratio_high"]) == pytest.approx((low, high), rel=1e-3)
    assert table[["rate_scene_low", "ratio_scene_high"]].isna().all(axis=None)  # no generator, no draw


def test_what_falls_on_nobody_costs_the_camera_and_no_person():
    found = video_burden(alerts=RAISED, exposure=EXPOSURE, camera_h=HOURS)
    assert found.unplaced["alerts"].to_dict() == {"everybody": 1, "nobody": 2}
    overall = found.overall
    assert overall.loc["false_alerts_per_camera_hour", "estimate"] == 0.8 == found.per_camera_hour.estimate
    assert overall.loc["false_alerts_per_person_hour", "estimate"] == 1.0
    assert overall.loc["share_on_nobody", "estimate"] == 0.25 and overall.loc["share_on_nobody", "n"] == 8
    assert not overall.loc["max_over_min", "estimable"]  # nobody who waits was flagged: no finite ratio


def test_an_alert_on_a_bag_is_on_no_person():
    bag = alerts(("one", 77, "bag_leaving")).assign(label="object")
    found = video_burden(alerts=pd.concat([RAISED.assign(label="person"), bag]), exposure=EXPOSURE, camera_h=HOURS)
    assert found.unplaced["alerts"].to_dict() == {"everybody": 1, "nobody": 2, "object": 1}
    assert found.by_situation["alerts"].sum() == 5 and found.per_camera_hour.n == 9


def test_hours_in_the_zone_are_another_denominator():
    table = video_burden(alerts=RAISED, exposure=EXPOSURE, camera_h=HOURS, per="zone").by_situation
    assert table["person_h"].to_dict() == pytest.approx({"passing": 1 / 6, "vendor": 1.0, "waiting": 2.0})
    assert table.loc["vendor", ["rate", "stays", "ratio"]].tolist() == pytest.approx([4.0, 2, 4 / 6])
    # A vendor of the second scene was never in a zone: an alert on her has no zone-hours, and is not lost.
    more = pd.concat([RAISED, alerts(("two", 21, "vendor"))])
    found = video_burden(alerts=more, exposure=EXPOSURE, camera_h=HOURS, per="zone")
    assert found.unplaced["alerts"].to_dict() == {"everybody": 1, "nobody": 2, "outside": 1}
    assert found.by_situation.loc["vendor", "alerts"] == 4 and found.per_camera_hour.n == 9


def test_what_is_wrong_is_a_choice():
    told = RAISED.assign(rule_true=[True] * 5 + [False] * 3, harm=[True] + [False] * 7)
    of = {
        wrong: video_burden(alerts=told, exposure=EXPOSURE, camera_h=HOURS, wrong=wrong)
        for wrong in ("no_harm", "rule_false", "all")
    }
    assert [int(of[w].by_situation["alerts"].sum()) for w in of] == [4, 0, 5]
    assert [of[w].per_camera_hour.n for w in of] == [7, 3, 8]


def test_summaries_by_hand_and_their_intervals_by_scene():
    rng = np.random.default_rng(2)
    exposure = pd.DataFrame(
        [(s, i, situation, 3600.0, 3600.0) for s in range(12) for i, situation in enumerate(["passing", "vendor"])],
        columns=["scene", "subject_id", "situation", "view_s", "zone_s"],
    )
    raised = alerts(
        *[(s, 0, "passing") for s in range(12)], *[(s, 1, "vendor") for s in range(12) for _ in range(1 + s % 5)]
    ).sample(frac=1, random_state=rng.integers(9))
    found = video_burden(
        alerts=raised, exposure=exposure, camera_h=dict.fromkeys(range(12), 1.0), rng=stream(3, "b"), replicates=200
    )
    # rates 1 and 33 / 12 an hour
    rate = sum(1 + s % 5 for s in range(12)) / 12
    of = found.overall["estimate"]
    assert of["max_over_min"] == pytest.approx(rate) and of["max_over_geometric_mean"] == pytest.approx(math.sqrt(rate))
    assert of["gini"] == pytest.approx(rate / (1 + rate) - 0.5)
    overall, vendor = found.overall, found.by_situation.loc["vendor"]
    assert (overall["low"] <= overall["estimate"]).all() and (overall["estimate"] <= overall["high"]).all()
    assert vendor["rate_scene_low"] < rate < vendor["rate_scene_high"]
    assert vendor["ratio_scene_low"] < rate < vendor["ratio_scene_high"]
    again = video_burden(
        alerts=raised, exposure=exposure, camera_h=dict.fromkeys(range(12), 1.0), rng=stream(3, "b"), replicates=200
    )
    pd.testing.assert_frame_equal(again.by_situation, found.by_situation)


def test_alerts_of_one_scene_are_not_independent_and_the_scenes_say_so():
    # 200 alerts, all in one scene of ten: as independent events they would be known to 15 %.
    exposure = pd.DataFrame(
        [(s, 0, "waiting", 3600.0, 0.0) for s in range(10)],
        columns=["scene", "subject_id", "situation", "view_s", "zone_s"],
    )
    found = video_burden(
        alerts=alerts(*[(3, 0, "waiting")] * 200), exposure=exposure, camera_h=dict.fromkeys(range(10), 1.0),
        rng=stream(1, "c"),
    ).by_situation.loc["waiting"]  # fmt: skip
    assert found["rate"] == 20 and found["rate_high"] < 23 and found["rate_scene_high"] >= 40
    assert found["rate_scene_low"] == 0


def test_time_in_view_and_in_zone_comes_from_the_truth():
    rows = [
        (f, f / 10, s, label, "waiting", "standing", 0, 0, 5, 9, 0, 0, 5, 9, 5, vis, x, 0.5, 0)
        for f in range(20)
        for s, label, x, vis in ((1, "person", f / 10, 1.0), (2, "person", 9.0, 0.05), (3, "object", 0.5, 1.0))
    ]
    frames = as_table(pd.DataFrame(rows, columns=list(TRUTH_COLUMNS)), TRUTH_COLUMNS, what="truth")
    zone = Zone("z", ((0, 0), (0.95, 0), (0.95, 1), (0, 1)))
    truth = SceneTruth(ClipMeta("c", 10.0, 20, Camera(64, 64, 50, 5, 20), zones=(zone,)), frames)
    found = exposure_table({"c": truth})
    assert found["subject_id"].tolist() == [1, 2] and found["view_s"].tolist() == pytest.approx([2.0, 2.0])
    assert found["zone_s"].tolist() == pytest.approx([1.0, 0.0])  # ten of twenty frames
    assert exposure_table({"c": truth}, min_visibility=0.1)["subject_id"].tolist() == [1]
    assert len(exposure_table({})) == 0


def test_a_city_by_hand():
    found = city_scale(Interval(0.5, 0.25, 1.0, 20, "poisson-exact"))
    # 1,600 cameras × 0.5 an hour × 24 hours; 40 an hour for each of 20; one every 90 s
    assert (found.alerts_per_day.low, found.alerts_per_day.estimate, found.alerts_per_day.high) == (9600, 19200, 38400)
    assert found.per_operator_hour.estimate == 40
    assert (found.seconds_each.low, found.seconds_each.estimate, found.seconds_each.high) == (45, 90, 180)
    said = describe_city(found)
    assert "19\u202f200 fausses alertes par jour" in said.fr and "toutes les 90 secondes" in said.fr
    assert "19,200 false alerts a day (9,600 to 38,400), that is one every 90 seconds" in said.en
    assert said.fr.startswith("Si 1\u202f600 caméras") and said.en.startswith("If 1,600 cameras")
    crowded = describe_city(city_scale(Interval(100.0, 50.0, 200.0, 20, "poisson-exact")))
    assert "toutes les 0,45 secondes" in crowded.fr and "every 0.45 seconds" in crowded.en


def test_no_alert_on_passers_by_leaves_a_lower_bound_of_the_ratio():
    table = video_burden(alerts=RAISED[:4], exposure=EXPOSURE, camera_h=HOURS).by_situation
    assert table["ratio"].isna().all()
    # 4 of 4 alerts: the share is 0.3976 at least, on twice the hours
    assert table.loc["vendor", "ratio_at_least"] == pytest.approx(0.397635 / (1 - 0.397635) / 2, rel=1e-4)
    assert table.loc[["passing", "waiting"], "ratio_at_least"].isna().all()
    known = video_burden(alerts=RAISED, exposure=EXPOSURE, camera_h=HOURS).by_situation
    assert known.loc["vendor", "ratio_at_least"] == pytest.approx(known.loc["vendor", "ratio_low"])


def test_a_street_with_other_people_in_it():
    table = video_burden(alerts=RAISED, exposure=EXPOSURE, camera_h=HOURS).by_situation
    # rates 1, 2 and 0 an hour; three passers-by and a fifth of a vendor in view
    found = street_rate(table, person_h_per_camera_h={"passing": 3.0, "vendor": 0.2, "waiting": 0.0})
    assert found.estimate == pytest.approx(3.4) and found.n == 5
    assert found.low < 1 and found.high > 10
    one = street_rate(table, person_h_per_camera_h={"vendor": 0.5})  # one situation: Garwood's own interval
    assert (one.low, one.high) == pytest.approx((1.0899 / 4, 10.2416 / 4), abs=1e-4)
    none = street_rate(table, person_h_per_camera_h={"waiting": 1.0})
    assert (none.estimate, none.low) == (0, 0) and none.high == pytest.approx(3.6889 / 2, abs=1e-4)
    assert not street_rate(table, person_h_per_camera_h={"seated": 1.0}).estimable
    with pytest.raises(ParameterError, match="person_h_per_camera_h"):
        street_rate(table, person_h_per_camera_h={"vendor": -1})


def test_a_city_where_nothing_was_seen_still_has_an_upper_bound():
    none = city_scale(Interval(0.0, 0.0, 0.1, 0, "poisson-exact"), cameras=100, operators=2)
    assert none.alerts_per_day.high == 240 and not none.seconds_each.estimable
    assert "every" not in describe_city(none).en
    unknown = city_scale(Interval.not_estimable())
    assert not unknown.alerts_per_day.estimable and "non estimable" in describe_city(unknown).fr
    assert math.isinf(city_scale(Interval(0.1, 0.0, 0.2, 3, "x")).seconds_each.high)


def test_disparity_by_hand():
    # 9 of 10 alerts on half of the hours: 2 × 11 / 1024, twice that after Holm.
    found = disparity_test(events=[9, 1], exposure=[5.0, 5.0])
    assert found["p_value"].tolist() == pytest.approx([22 / 1024] * 2) and found["ratio"][0] == 9
    assert found["p_holm"].tolist() == pytest.approx([44 / 1024] * 2) and found["speaks"].all()
    silent = disparity_test(events=[0, 0], exposure=[5.0, 5.0])
    assert silent["p_value"].isna().all() and not silent["speaks"].any()
    assert disparity_test(events=[3, 0, 2], exposure=[1, 0, 1])["p_value"].isna().tolist() == [False, True, False]


def test_mistakes_are_named():
    with pytest.raises(ContractError, match="lacks harm"):
        video_burden(alerts=RAISED.drop(columns="harm"), exposure=EXPOSURE, camera_h=HOURS)
    with pytest.raises(ContractError, match="'two'"):
        video_burden(alerts=RAISED, exposure=EXPOSURE, camera_h={"one": 1.0})
    with pytest.raises(ContractError, match="not in the table of exposure"):
        video_burden(alerts=alerts(("one", 99, "vendor")), exposure=EXPOSURE, camera_h=HOURS)
    with pytest.raises(ContractError, match="twice"):
        video_burden(alerts=RAISED, exposure=pd.concat([EXPOSURE, EXPOSURE[:1]]), camera_h=HOURS)
    with pytest.raises(ParameterError, match="per"):
        video_burden(alerts=RAISED, exposure=EXPOSURE, camera_h=HOURS, per="day")
    with pytest.raises(ParameterError, match="operators"):
        city_scale(Interval.exact(1.0), operators=0)
    with pytest.raises(ParameterError, match="exposure"):
        disparity_test(events=[1], exposure=[1.0, 2.0])


def test_nothing_raised_and_nobody_seen():
    quiet = video_burden(alerts=RAISED[:0], exposure=EXPOSURE, camera_h=HOURS)
    assert quiet.by_situation["rate"].eq(0).all() and quiet.by_situation["ratio"].isna().all()
    assert quiet.per_camera_hour.high == pytest.approx(0.36889, abs=1e-4) and len(quiet.unplaced) == 0
    empty = video_burden(alerts=RAISED[5:], exposure=EXPOSURE[:0], camera_h=HOURS, rng=stream(1, "e"))
    assert len(empty.by_situation) == 0 and empty.overall.loc["false_alerts_per_camera_hour", "estimate"] == 0.3
