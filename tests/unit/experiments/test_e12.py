"""E12: the anchor figures, the propagated interval, the grid."""

import dataclasses
import math

import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.experiments import e12_base_rates as e12


@pytest.fixture(scope="module")
def outcome():
    return e12.run(e12.Params.quick(), seed=0)


def _get(outcome, measure, **world):
    found = [
        r.interval
        for r in outcome.results
        if r.measure == measure and all(r.world.get(k) == v for k, v in world.items())
    ]
    assert len(found) == 1
    return found[0]


def test_the_rate_of_true_events_is_derived_exactly():
    rate = e12.anchor_rate(e12.Params())
    assert rate.estimate == 1_253 / (864 * 8_760)
    assert 1 / rate.estimate == pytest.approx(6_040, abs=1)  # camera-hours for one detection
    assert (rate.low * 864 * 8_760, rate.high * 864 * 8_760) == pytest.approx((1_184.6, 1_324.3), abs=0.1)


@pytest.mark.parametrize(
    ("fa", "m", "percent"), [(1.0, 1.0, 0.396), (1.0, 50.0, 16.57), (0.1, 1.0, 3.821), (0.1, 50.0, 66.52)]
)
def test_share_of_alerts_that_are_right(outcome, fa, m, percent):
    for cameras in (50, 864, 1_600):
        found = _get(outcome, "ppv", sensitivity=1.0, fa_per_camera_day=fa, cameras=cameras, m=m)
        assert 100 * found.estimate == pytest.approx(percent, abs=0.01)
        assert found.low < found.estimate < found.high and found.n == 1_253
        # the bounds are the same arithmetic at the bounds of the count
        for bound, count in ((found.low, 1_184.58), (found.high, 1_324.34)):
            true = m * count * 24 / (864 * 8_760)
            assert bound == pytest.approx(true / (true + fa), rel=1e-3)


def test_the_desk(outcome):
    at = {"sensitivity": 1.0, "fa_per_camera_day": 1.0, "cameras": 1_600, "m": 1.0}
    assert _get(outcome, "alerts_per_day", **at).estimate == pytest.approx(1_600 + 1_253 / 365 * 1_600 / 864)
    assert _get(outcome, "alerts_per_shift", **at).estimate == pytest.approx(535.45, abs=0.01)
    assert _get(outcome, "alerts_per_operator_hour", **at).estimate == pytest.approx(3.3466, abs=1e-4)
    assert _get(outcome, "minutes_per_true_event", **at).estimate == pytest.approx(505.4, abs=0.1)
    assert _get(outcome, "utilisation", **at).estimate == pytest.approx(0.1116, abs=1e-4)
    # twenty people at two minutes can read it all: the trouble is what they read, not how much
    assert _get(outcome, "share_unread", **at).estimate == 0
    assert _get(outcome, "fa_saturating", **at).estimate == pytest.approx(9.0, abs=0.01)


def test_a_flooded_desk_leaves_alerts_unread():
    params = dataclasses.replace(
        e12.Params(), fa_per_camera_day=(10.0,), cameras=(1_600,), multipliers=(1.0,), sensitivities=(1.0,)
    )
    flooded = e12.run(params, seed=0)
    asked = (16_000 + 1_253 / 365 * 1_600 / 864) * 2 / (20 * 1_440)  # minutes to read over minutes on duty
    grid = {"class": e12.CALIBRATED}
    assert _get(flooded, "utilisation", **grid).estimate == pytest.approx(asked)
    unread = _get(flooded, "share_unread", **grid).estimate
    assert unread == pytest.approx(1 - 1 / asked) == pytest.approx(0.1004, abs=1e-4)
    assert _get(flooded, "p_wait", **grid).estimate == 1


def test_no_year_is_error_free(outcome):
    at = {"sensitivity": 1.0, "fa_per_camera_day": 0.01, "cameras": 50, "m": 1.0}
    assert _get(outcome, "false_per_year", **at).estimate == 182.5
    assert _get(outcome, "p_error_free_year", **at).estimate == pytest.approx(math.exp(-182.5))


def test_a_very_rare_emergency(outcome):
    at = {"class": "rare", "sensitivity": 1.0, "cameras": 1_600}
    assert _get(outcome, "false_per_true", fa_per_camera_day=1.0, rare_per_year=1.0, **at).estimate == 584_000
    assert _get(outcome, "false_per_true", fa_per_camera_day=0.01, rare_per_year=10.0, **at).estimate == (
        pytest.approx(584)
    )


def test_shares_of_the_grid_are_counted_again_by_hand(outcome):
    rate = 24 * 1_253 / (864 * 8_760)
    cells = [
        s * m * rate / (s * m * rate + fa) for s in (0.5, 0.8, 1.0) for fa in (0.01, 0.1, 1.0) for m in (1, 5, 10, 50)
    ]
    below = _get(outcome, "share_grid_ppv_below_50")
    assert below.estimate == sum(c < 0.5 for c in cells) / 36 == pytest.approx(26 / 36)
    assert below.low <= below.estimate <= below.high and below.n == 108
    assert _get(outcome, "share_grid_ppv_over_90").estimate == sum(c >= 0.9 for c in cells) / 36


def _stated(outcome):
    return [r for r in outcome.results if r.world["class"] != e12.MEASURED]


def test_the_grid_is_exact_whatever_the_seed_and_workers(outcome):
    assert _stated(e12.run(e12.Params.quick(), seed=99, jobs=2)) == _stated(outcome)


def test_the_measured_corner_is_the_arithmetic_of_the_rate_it_measures(outcome):
    rate = _get(outcome, "measured_false_per_camera_day", place="hall", T_s=300.0)
    at = {"class": e12.MEASURED, "place": "hall", "T_s": 300.0, "cameras": 50}
    true = 1_253 / 365 / 864  # per camera and day, m = 1, all of them found
    assert _get(outcome, "ppv", m=1.0, **at).estimate == pytest.approx(true / (true + rate.estimate))
    ends = _get(outcome, "ppv", m=1.0, **at)
    assert ends.low < true / (true + rate.high) and ends.high > true / (true + rate.low)  # the anchor errs too
    assert _get(outcome, "alerts_per_day", m=1.0, **at).estimate == pytest.approx(50 * (true + rate.estimate))
    # a longer T flags fewer people
    shorter = _get(outcome, "measured_false_per_camera_day", place="hall", T_s=60.0)
    assert shorter.low > rate.high and rate.n == e12.Params.quick().measured_days


def test_a_threshold_that_nobody_reaches_gives_no_rate_and_no_traceback():
    never = e12.run(dataclasses.replace(e12.Params(), loitering_s=(60.0, 1e6), measured_days=3), seed=0)
    assert not _get(never, "measured_false_per_camera_day", place="hall", T_s=1e6).estimable
    at = {"class": e12.MEASURED, "place": "hall", "m": 1.0}
    assert _get(never, "ppv", T_s=60.0, **at).estimable
    assert not [r for r in never.results if r.measure == "ppv" and r.world.get("T_s") == 1e6]
    with pytest.raises(ParameterError, match="measured_days"):
        e12.run(dataclasses.replace(e12.Params(), measured_days=1), seed=0)


def test_results_bear_declared_measures_once(outcome):
    assert {r.measure for r in outcome.results} == {m.key for m in e12.MEASURES}
    assert len({r.key for r in outcome.results}) == len(outcome.results)
    assert len(outcome.tables["E12_grid"]) == 108 and len(outcome.tables["E12_rare"]) == 54


def test_nothing_detected_is_not_estimable():
    blind = e12.run(dataclasses.replace(e12.Params(), sensitivities=(0.0,)), seed=0)
    found = [r.interval for r in _stated(blind) if r.measure == "false_per_true"]
    assert found and not any(i.estimable for i in found)


def test_no_camera_hours_is_refused():
    with pytest.raises(ParameterError, match="anchor_cameras"):
        e12.run(dataclasses.replace(e12.Params(), anchor_cameras=0), seed=0)
