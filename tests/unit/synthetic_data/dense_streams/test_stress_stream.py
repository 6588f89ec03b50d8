"""D16: each confounder moves hearts by what the plan says, and an incident nearby does too, or not at all."""

from types import SimpleNamespace

import numpy as np
import pytest

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.rng import stream
from synthetic_data.streams.dense import window
from synthetic_data.streams.journeys import MODES, draw_journeys
from synthetic_data.streams.stress import (
    ALARMING,
    LASTS_S,
    REACH_M,
    Readings,
    capteurs_stress,
    climb,
    draw_readings,
    heart_rate,
    height_m,
    near_incident,
)

NONE = SimpleNamespace(**{n: np.empty(0, dtype=np.int64) for n in ("t_us", "type_code", "site")})


def _readings(world):
    moves = draw_journeys(world)
    return draw_readings(world, moves, rng=stream(8, "readings")), len(moves.users)


def _heart(world):
    readings, n = _readings(world)
    return heart_rate(world, readings, n_users=n, rng=stream(9, "heart"))


def _difference(small_world, key, value, world):
    """Heart rates with an effect less those without, chance being the same."""
    on, off = (_heart(small_world({key: v}, **world))[0] for v in (value, 0.0))
    return on - off


def test_readings_are_as_many_as_the_plan_says(small_world):
    world = small_world({"mobility.app_users": 400})
    readings, _ = _readings(world)
    at_rest = (readings.mode < 0).sum() / 400 / 3
    assert at_rest == pytest.approx(50, rel=0.08)
    assert len(readings.t_us) / 400 / 3 == pytest.approx(100, rel=0.12)
    rows = capteurs_stress(world, rng=stream(8, "readings"))
    assert len(rows) == len(readings.t_us)


def test_incidents_nearby_quicken_hearts_by_what_was_planted(small_world):
    changes = {"incidents.latent_per_day": 3000}
    on = small_world(changes | {"sensing.incident_bpm": 7.0})
    off = small_world(changes | {"sensing.incident_bpm": 0.0})
    readings, _ = _readings(on)
    near = near_incident(on, readings)
    assert near.sum() > 100
    gap = _heart(on)[0] - _heart(off)[0]
    assert gap[near] == pytest.approx(7.0)
    assert (gap[~near] == 0).all()


def test_without_an_effect_incidents_leave_no_trace(small_world):
    world = small_world({"sensing.incident_bpm": 0.0})
    silent = small_world({"sensing.incident_bpm": 0.0}, incidents=NONE)
    rows, none = (capteurs_stress(w, rng=stream(8, "stress")) for w in (world, silent))
    assert rows.equals(none)


def test_nearness_agrees_with_the_slow_way(small_world):
    world = small_world({"incidents.latent_per_day": 3000})
    readings, _ = _readings(world)
    near = near_incident(world, readings)
    some = np.concatenate([np.flatnonzero(near)[:60], np.flatnonzero(~near)[::400]])
    codes = [INCIDENT_TYPES.index(name) for name in ALARMING]
    incidents, city = world.incidents, world.city
    alarming = np.isin(incidents.type_code, codes)
    x, y = city.site_x_m[incidents.site], city.site_y_m[incidents.site]
    for i in some.tolist():
        since = (readings.t_us[i] - incidents.t_us) / 1e6
        away = np.hypot(x - readings.x_m[i], y - readings.y_m[i])
        assert near[i] == (alarming & (since >= 0) & (since <= LASTS_S) & (away <= REACH_M)).any()


def test_heat_counts_from_22_degrees(small_world):
    base = small_world()
    hot = SimpleNamespace(t_us=base.weather.t_us, hour_temperature_c=np.full(len(base.weather.t_us), 32.0))
    assert _difference(small_world, "sensing.stress_heat", 0.8, {"weather": hot}) == pytest.approx(8.0)
    mild = SimpleNamespace(t_us=base.weather.t_us, hour_temperature_c=np.full(len(base.weather.t_us), 20.0))
    assert _difference(small_world, "sensing.stress_heat", 0.8, {"weather": mild}) == pytest.approx(0.0)


def test_climbing_counts_on_foot_only(small_world):
    gap = _difference(small_world, "sensing.stress_slope", 20.0, {})
    readings, _ = _readings(small_world())
    foot = np.isin(readings.mode, [MODES.index("walk"), MODES.index("run")])
    assert gap[foot] == pytest.approx(200.0 * climb(readings)[foot])
    assert gap[foot].max() > 5
    assert (gap[~foot] == 0).all()


def test_sport_and_fever_count_for_who_has_them(small_world):
    readings, n = _readings(small_world())
    sport = _difference(small_world, "sensing.stress_sport", 55.0, {})
    run = readings.mode == MODES.index("run")
    assert (sport[~run] == 0).all()
    assert np.median(sport[run]) == pytest.approx(55.0)
    fever = _difference(small_world, "sensing.stress_illness", 12.0, {})
    day = np.searchsorted(window(small_world().scenario).midnights_us, readings.t_us, side="right")
    ill = {(u, d) for u, d, f in zip(readings.user.tolist(), day.tolist(), fever.tolist(), strict=True) if f > 0}
    well = {(u, d) for u, d, f in zip(readings.user.tolist(), day.tolist(), fever.tolist(), strict=True) if f == 0}
    assert not ill & well  # a fever lasts the day
    assert len(ill) / (len(ill) + len(well)) == pytest.approx(0.02, abs=4 * np.sqrt(0.02 / (n * 3)))


def test_a_slope_is_the_rise_over_the_way():
    x = np.array([0.0, 100.0, 200.0, 0.0])
    y = np.array([475.0, 475.0, 475.0, 475.0])
    ways = Readings(np.zeros(4, int), np.array([0, 0, 0, 1]), np.array([0, 1, 2, 0]), x, y, np.zeros(4, int))
    rise = [height_m(x[i + 1], y[i]) - height_m(x[i], y[i]) for i in (0, 1)]
    assert climb(ways) == pytest.approx([0.0, rise[0] / 100, rise[1] / 100, 0.0])
    down = Readings(ways.user, ways.session, np.array([2, 1, 0, 0]), x, y, ways.mode)
    assert (climb(down) == 0).all()


def test_the_score_rises_with_what_the_device_does_not_recognise(small_world):
    world = small_world({"mobility.app_users": 400})
    rows = capteurs_stress(world, rng=stream(8, "readings"))
    assert np.corrcoef(rows["heart_rate_bpm"], rows["stress_score"])[0, 1] > 0.6
    readings, _ = _readings(world)
    run = readings.mode == MODES.index("run")
    fast = rows["heart_rate_bpm"] > 140
    assert fast.sum() > 0.8 * run.sum()
    assert rows["stress_score"][fast].mean() > 2 * rows["stress_score"][~fast].mean()  # sport passes for stress
