"""Each way of coming to be known: at zero it leaves no trace, else its share lies in its exact interval."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.stats import binom, chisquare, kstest

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.cameras import coverage
from synthetic_data.mechanisms import DATASHEETS
from synthetic_data.mechanisms.detection import STAGES, draw_stages, p_detect
from synthetic_data.mechanisms.discovery import exposure
from synthetic_data.mechanisms.duplication import draw_more, expected_more
from synthetic_data.mechanisms.entry import DETECTED, DISCOVERED, NONE, REPORTED
from synthetic_data.mechanisms.geocoding import ADDRESS, QUARTER, WRONG_END, middles, other_end
from synthetic_data.mechanisms.light import light
from synthetic_data.mechanisms.mistyping import NEIGHBOURS, confusion_matrix
from synthetic_data.mechanisms.reporting import report_propensity
from synthetic_data.recording import draw_records
from synthetic_data.streets import Streets

PERFECT = {
    f"recording.{name}": 0.0
    for name in (
        "mistype_share", "mistype_drift", "geocode_quarter_share", "geocode_wrong_end_share", "geocode_jitter_m",
        "duplicate_share", "operator_attention", "name_in_text",
    )
}  # fmt: skip


@pytest.fixture(scope="module")
def world(small_world):
    return small_world()


def again(world, *, seed=7, **changes):
    """Records of the same incidents under other parameters, same chance."""
    scenario = world.scenario.with_overrides({k.replace("__", "."): v for k, v in changes.items()})
    return scenario, draw_records(
        scenario, world.city, world.incidents, world.hours, people=world.people, cameras=world.cameras,
        streets=world.streets, rng=stream(seed, "recording"),
    )  # fmt: skip


def within(k, n, p):
    low, high = binom.ppf([1e-5, 1 - 1e-5], n, p)
    return low <= k <= high


# --- volume ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_the_expected_number_of_rows_is_the_scenarios_whatever_else_is_known(world, share):
    scenario, records = again(world, recording__duplicate_share=share)
    missed = (1 - records.p_report) * (1 - records.p_discover) * (1 - records.p_detect)
    expected = (1 - missed).sum() + records.p_report.sum() * share / (1 - share)
    assert expected == pytest.approx(822 * scenario.time.n_days, rel=1e-6)
    assert len(records) == pytest.approx(expected, abs=4 * np.sqrt(expected * (1 + share)))
    assert (np.diff(records.t_entry_us) >= 0).all()


def test_a_volume_out_of_reach_is_said(world):
    with pytest.raises(ParameterError, match=r"records_per_day.*without patrols"):
        again(world, recording__records_per_day=200)


def test_without_any_fault_a_record_says_the_truth_and_each_incident_has_one(world):
    scenario, records = again(world, **{k.replace(".", "__"): v for k, v in PERFECT.items()})
    incidents, city = world.incidents, world.city
    assert np.array_equal(np.sort(records.incident), np.flatnonzero(records.known_by != NONE))
    assert np.array_equal(records.type_code, incidents.type_code[records.incident])
    assert np.array_equal(records.x_m, city.site_x_m[incidents.site[records.incident]])
    assert np.array_equal(records.y_m, city.site_y_m[incidents.site[records.incident]])
    assert (records.original == -1).all()
    assert not records.named_in_text.any()
    assert not (records.known_by == DETECTED).any()
    assert (records.p_detect == 0).all()
    truth = records.to_frame(scenario, city, incidents)
    assert (truth["type"] == truth["type_as_written"]).all()
    assert (truth["moved_m"] == 0).all()
    assert truth["repeats"].isna().all()
    assert set(truth["stage"]) == {""}


def test_one_mechanism_switched_off_moves_no_other(world):
    _, plain = again(world)
    _, typed = again(world, recording__mistype_share=0.0, recording__mistype_drift=0.0)
    _, placed = again(world, recording__geocode_quarter_share=0.0, recording__geocode_jitter_m=0.0)
    for name in plain.__dataclass_fields__:
        same = np.array_equal(getattr(plain, name), getattr(typed, name))
        assert same == (name != "type_code"), name
        same = np.array_equal(getattr(plain, name), getattr(placed, name))
        assert same == (name not in ("x_m", "y_m", "placing")), name


# --- routes ---------------------------------------------------------------------------------------------------------


def test_reported_share_per_type_is_its_propensity_by_exact_binomial_interval(world):
    """With calls that always come first, the route tells who would have reported."""
    scenario, records = again(
        world, recording__call_median_min=0.1, recording__patrol_median_min=10080, recording__camera_median_min=10080
    )
    for k, name in enumerate(INCIDENT_TYPES):
        mine = world.incidents.type_code == k
        p = records.p_report[mine]
        assert within((records.known_by[mine] == REPORTED).sum(), mine.sum(), p.mean()), name
        assert p.mean() == pytest.approx(scenario.types[name].report_propensity, rel=0.12), name
    # discoveries and detections do not depend on reports
    rest = records.known_by != REPORTED
    known = 1 - (1 - records.p_discover[rest]) * (1 - records.p_detect[rest])
    assert abs((records.known_by[rest] != NONE).sum() - known.sum()) < 4.5 * np.sqrt((known * (1 - known)).sum())


def test_propensity_falls_with_poverty_and_is_flat_without_gradient(world):
    city = world.city
    risk = np.full((12, city.grid.n_cells), 1 / city.grid.n_cells)
    order = np.argsort(city.quarters["poverty"].to_numpy())
    assert (np.diff(report_propensity(world.scenario, city, risk)[0][order]) <= 1e-12).all()
    flat = report_propensity(world.scenario.with_overrides({"recording.trust_gradient": 0}), city, risk)
    assert np.allclose(flat, flat[:, :1])


def test_patrols_find_where_they_are_and_nothing_without_sight(world):
    _, blind = again(world, recording__patrol_sight=0.0)
    assert blind.visibility == 0
    assert not (blind.known_by == DISCOVERED).any()
    hours = world.hours.copy()
    hours[:, 1] = 0
    exposed = exposure(world.scenario, world.city, world.incidents, hours)
    by_day = world.incidents.second // 28_800 == 1
    assert (exposed[by_day] == 0).all()
    assert (exposed[~by_day] > 0).all()
    double = exposure(world.scenario, world.city, world.incidents, 2 * hours)
    assert np.allclose(double, 2 * exposed)


def test_light_is_lost_at_night_where_there_are_no_lamps(world):
    lit = replace(
        world.city, quarters=world.city.quarters.assign(lighting=[1.0, 0.0] * (len(world.city.quarters) // 2))
    )
    noon, midnight = np.array([43_200, 43_200]), np.array([10, 80_000])
    assert light(noon, np.array([0, 1]), lit, night_loss=0.4).tolist() == [1.0, 1.0]
    assert light(midnight, np.array([0, 1]), lit, night_loss=0.4).tolist() == pytest.approx([1.0, 0.6])
    assert light(midnight, np.array([0, 1]), lit, night_loss=0.0).tolist() == [1.0, 1.0]


def test_operators_see_as_many_as_the_anchor_says_and_only_in_view(world):
    scenario, incidents, city = world.scenario, world.incidents, world.city
    p = p_detect(scenario, city, incidents, world.cameras)
    assert p.sum() == pytest.approx(1253 / 864 / 365 * len(world.cameras) * scenario.time.n_days, rel=0.003)
    in_view = coverage(world.cameras, city)[incidents.cell]
    assert (p <= in_view + 1e-12).all()
    assert (p[in_view > 0] > 0).all()
    # more attention, in proportion, to the centre and by day
    sure = scenario.with_overrides({"recording.attention_slope": 0.5, "recording.camera_night_loss": 0.9})
    away = np.hypot(*(city.grid.centres_m - city.centre_m).T)[incidents.cell] / 1000
    q = p_detect(sure, city, incidents, world.cameras)
    seen = (in_view > 0.05) & (incidents.type_code == 4)
    ratio = np.log(q[seen] / in_view[seen])
    assert np.corrcoef(ratio, away[seen])[0, 1] < -0.5
    assert q.sum() == pytest.approx(p.sum(), rel=1e-6)


def test_nobody_watching_or_no_camera_detects_nothing(world):
    _, unwatched = again(world, recording__operator_attention=0.0)
    assert not (unwatched.known_by == DETECTED).any()
    none = world.cameras.iloc[:0]
    assert (p_detect(world.scenario, world.city, world.incidents, none) == 0).all()
    eager = world.scenario.with_overrides({"recording.operator_attention": 100.0})
    many = p_detect(eager, world.city, world.incidents, world.cameras)
    assert many.sum() <= coverage(world.cameras, world.city)[world.incidents.cell].sum() * 0.9 + 1e-6


def test_in_the_equal_city_every_place_is_reported_watched_and_patrolled_alike(small_world):
    equal = small_world("equal-city")
    records, incidents = equal.records, equal.incidents
    for k in (0, 4, 9):
        mine = incidents.type_code == k
        assert np.ptp(records.p_report[mine]) < 1e-9
        assert np.ptp(records.p_detect[mine]) < 1e-9
        night = incidents.second[mine] // 28_800
        for shift in range(3):
            assert np.ptp(records.p_discover[mine][night == shift]) < 2e-4  # areas are those of drawn borders
    assert set(records.placing.tolist()) == {ADDRESS}


def test_detections_go_through_the_published_funnel(world):
    stage = draw_stages(world.scenario.recording, 1_000_000, rng=stream(1, "stages"))
    assert (stage >= 1).all()
    for at, count in enumerate((1253, 770, 505, 248), start=1):
        assert (stage >= at).mean() == pytest.approx(count / 1253, abs=0.0025), STAGES[at]
    eager, records = again(world, recording__operator_attention=100.0)
    assert ((records.stage > 0) == (records.route == DETECTED)).all()
    assert within((records.stage == 4).sum(), (records.route == DETECTED).sum(), 248 / 1253)
    never = eager.recording.__class__(
        **{f: getattr(eager.recording, f) for f in eager.recording.__dataclass_fields__} | {"camera_request_share": 0.0}
    )
    assert set(draw_stages(never, 1000, rng=stream(1, "s")).tolist()) == {1}


def test_entries_follow_their_law_and_never_come_before_the_incident(world):
    _, records = again(world, recording__duplicate_share=0.0)
    minutes = (records.t_entry_us - world.incidents.t_us[records.incident]) / 6e7
    assert (minutes > 0).all()
    z = (np.log(minutes) - np.log(24.5)) / 0.7
    assert kstest(z, "norm").pvalue > 1e-4
    assert np.mean((minutes >= 10) & (minutes <= 60)) == pytest.approx(0.80, abs=0.01)


# --- callers --------------------------------------------------------------------------------------------------------


def test_callers_are_neighbours_of_age_and_a_few_call_often(world):
    _, records = again(world, recording__caller_work_share=0.0)
    city, people = world.city, world.people
    called = records.caller >= 0
    assert (called == (records.route == REPORTED)).all()
    caller = records.caller[called]
    assert people.age[caller].min() >= 15
    site = world.incidents.site[records.incident[called]]
    home = people.home_site[caller]
    away = np.hypot(city.site_x_m[site] - city.site_x_m[home], city.site_y_m[site] - city.site_y_m[home])
    stranger = np.hypot(city.site_x_m[site] - city.site_x_m[np.roll(home, 1)],
                        city.site_y_m[site] - city.site_y_m[np.roll(home, 1)])  # fmt: skip
    assert np.median(away) < 400 < 3000 < np.median(stranger)
    _, alike = again(world, recording__caller_work_share=0.0, recording__caller_log_sd=0.0)
    often, evenly = (np.sort(np.bincount(r.caller[r.caller >= 0]))[::-1] for r in (records, alike))
    assert often[:50].sum() > 2 * evenly[:50].sum()


def test_a_call_from_work_comes_from_somebody_who_works_there(world):
    _, records = again(world, recording__caller_work_share=1.0, recording__caller_m=0.0)
    called = records.caller >= 0
    work = world.people.work_cell[records.caller[called]]
    cell = world.incidents.cell[records.incident[called]]
    staffed = np.isin(cell, world.people.work_cell)
    assert staffed.mean() > 0.3
    assert (work[staffed] == cell[staffed]).all()


# --- errors ---------------------------------------------------------------------------------------------------------


def test_types_are_confused_as_the_matrix_says(world):
    assert np.allclose(confusion_matrix(0.3).sum(axis=1), 1)
    assert np.allclose(confusion_matrix(0.0), np.eye(12))
    assert all(t not in near and set(near) <= set(INCIDENT_TYPES) for t, near in NEIGHBOURS.items())
    _, records = again(world, recording__mistype_share=0.5, recording__mistype_drift=0.0)
    true = world.incidents.type_code[records.incident]
    wrong = records.type_code != true
    assert within(wrong.sum(), len(wrong), 0.5)
    matrix = confusion_matrix(1.0)
    for k in range(12):
        seen = np.bincount(records.type_code[wrong & (true == k)], minlength=12)
        expected = matrix[k] * seen.sum()
        assert (seen[expected == 0] == 0).all()
        assert chisquare(seen[expected > 0], expected[expected > 0]).pvalue > 1e-5
    with pytest.raises(ParameterError, match="share"):
        confusion_matrix(1.1)


def test_habits_drift(world):
    _, records = again(world, recording__mistype_share=0.0, recording__mistype_drift=1.0)
    day = world.incidents.day[records.incident]
    wrong = records.type_code != world.incidents.type_code[records.incident]
    assert not wrong[day == 0].any()
    late = day >= 20
    assert within(wrong[late].sum(), late.sum(), float((day[late] / 365.25).mean()))


def test_places_are_lost_in_the_shares_asked_for(world):
    _, records = again(
        world, recording__geocode_quarter_share=0.2, recording__geocode_wrong_end_share=0.1,
        recording__geocode_jitter_m=5.0,
    )  # fmt: skip
    n, site = len(records), world.incidents.site[records.incident]
    assert within((records.placing == QUARTER).sum(), n, 0.2)
    assert within((records.placing == WRONG_END).sum(), n, 0.1)
    coarse = records.placing == QUARTER
    middle = middles(world.city)[world.city.site_quarter[site[coarse]]]
    assert np.abs(np.column_stack([records.x_m, records.y_m])[coarse] - middle).max() <= 0.051
    shapes = world.city.quarters.geometry.to_numpy()
    assert shapely.intersects(shapes, shapely.points(middles(world.city))).all()
    near = records.placing == ADDRESS
    assert (records.x_m - world.city.site_x_m[site])[near].std() == pytest.approx(5.0, rel=0.03)


def test_the_other_end_of_a_street_is_its_mirror():
    nodes = pd.DataFrame({"x_m": [0.0, 100.0, 100.0], "y_m": [0.0, 0.0, 300.0]})
    edges = pd.DataFrame({"u": [0, 1], "v": [1, 2]})
    streets = Streets(nodes, edges)
    points = np.array([[10.0, 4.0], [97.0, 290.0], [-5.0, 0.0]])
    assert other_end(streets, points).tolist() == [[90.0, 4.0], [97.0, 10.0], [95.0, 0.0]]
    assert other_end(streets, np.empty((0, 2))).shape == (0, 2)


def test_several_residents_report_one_incident_under_several_numbers(world):
    scenario, records = again(world, recording__duplicate_share=0.3)
    copies = np.flatnonzero(records.original >= 0)
    first = records.original[copies]
    assert np.array_equal(records.incident[first], records.incident[copies])
    assert (records.original[first] == -1).all()
    assert (records.t_entry_us[first] <= records.t_entry_us[copies]).all()
    assert (records.route[copies] == REPORTED).all()
    assert len(copies) == pytest.approx(records.p_report.sum() * 3 / 7, rel=0.05)
    assert (records.caller[copies] != records.caller[first]).mean() > 0.95  # at times the same neighbour calls again
    truth = records.to_frame(scenario, world.city, world.incidents)
    assert truth["record_id"].is_unique
    repeats = truth["repeats"].dropna()
    assert set(repeats) <= set(truth["record_id"])
    assert (
        truth.set_index("record_id").loc[repeats, "incident_id"].tolist()
        == truth.loc[repeats.index, "incident_id"].tolist()
    )
    more = draw_more(0.3, 200_000, rng=stream(1, "more"))
    assert more.mean() == pytest.approx(expected_more(0.3), rel=0.02)
    assert (more >= 2).mean() == pytest.approx(0.09, abs=0.003)
    assert not draw_more(0.0, 100, rng=stream(1, "more")).any()


def test_without_residents_of_age_a_call_has_no_caller(world):
    children = replace(world, people=replace(world.people, age=np.zeros_like(world.people.age)))
    _, records = again(children)
    assert (records.caller == -1).all()
    assert (records.route == REPORTED).any()


def test_each_mechanism_has_its_datasheet_in_both_languages():
    assert len({sheet.key for sheet in DATASHEETS}) == len(DATASHEETS) == 7
    for sheet in DATASHEETS:
        for text in (sheet.title, sheet.invented, sheet.anchor, sheet.leaves_out):
            assert text.fr.strip()
            assert text.en.strip()
            assert text.fr != text.en
