"""Weather keeps the laws it announces, hour by hour and day by day."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, kstest

from contrechamp.domain.rng import stream
from synthetic_data.clock import Slots, local_to_utc_us
from synthetic_data.scenario import Scenario
from synthetic_data.weather import draw_weather

S = Scenario.load()
DAYS = 3650


@pytest.fixture(scope="module")
def decade():
    return draw_weather(S.weather, start=S.start, n_days=DAYS, rng=stream(1, "weather"))


def test_temperature_has_the_season_the_day_and_the_spread_told(decade):
    gap = decade.hour_anomaly_c
    # 87,600 hours correlated over days: an effective sample of about a thousand
    assert gap.std() == pytest.approx(S.weather.noise_c, rel=0.05)
    assert gap.mean() == pytest.approx(0, abs=0.4)
    assert np.corrcoef(gap[24:], gap[:-24])[0, 1] == pytest.approx(S.weather.memory, abs=0.03)
    left = decade.hour_temperature_c - gap
    hour = Slots.of(S.start, n_days=DAYS).half_hour[::2] // 2
    by_hour = np.array([left[hour == h].mean() for h in range(24)])
    assert sorted(np.argsort(by_hour)[[0, 1, -2, -1]].tolist()) == [2, 3, 14, 15]  # about 3 h and 15 h
    assert np.ptp(by_hour) == pytest.approx(2 * S.weather.daily_swing_c, rel=0.02)
    month = pd.DatetimeIndex(decade.t_us.view("datetime64[us]")).month
    swing = left[month == 7].mean() - left[month == 1].mean()
    assert swing == pytest.approx(2 * S.weather.swing_c, rel=0.03)


def test_rain_falls_on_rainy_days_only_as_often_and_as_much_as_told(decade):
    rainy, day = decade.rainy, Slots.of(S.start, n_days=DAYS).day[::2]
    total = np.bincount(day, decade.hour_rain_mm, minlength=DAYS)
    assert np.array_equal(total > 0, rainy)
    # days owe each other something: an interval twice as wide as the binomial
    low, high = binom.ppf([1e-4, 1 - 1e-4], DAYS, S.weather.rain_share)
    middle = DAYS * S.weather.rain_share
    assert middle - 2 * (middle - low) <= rainy.sum() <= middle + 2 * (high - middle)
    assert kstest(total[rainy] / S.weather.rain_mm, "expon").pvalue > 1e-3
    wet = (decade.hour_rain_mm > 0)[rainy[day]].mean()
    assert S.weather.wet_hours < wet < S.weather.wet_hours + 0.05  # one hour at least in each rainy day
    assert decade.hour_wind_m_s.mean() == pytest.approx(S.weather.wind_m_s, rel=0.03)
    assert np.log(decade.hour_wind_m_s).std() == pytest.approx(S.weather.wind_log_sd, rel=0.03)


def test_the_days_sum_up_the_hours_and_a_longer_scenario_begins_alike(decade):
    week = draw_weather(S.weather, start=S.start, n_days=7, rng=stream(1, "weather"))
    assert len(week.t_us) == 168
    assert np.array_equal(week.hour_rain_mm, decade.hour_rain_mm[:168])
    assert np.allclose(week.hour_temperature_c, decade.hour_temperature_c[:168])
    assert week.temperature_c == pytest.approx(week.hour_temperature_c.reshape(7, 24).mean(axis=1))
    assert week.anomaly_c == pytest.approx(week.hour_anomaly_c.reshape(7, 24).mean(axis=1))
    assert np.array_equal(week.rainy, week.hour_rain_mm.reshape(7, 24).any(axis=1))
    again = draw_weather(S.weather, start=S.start, n_days=7, rng=stream(1, "weather"))
    assert all(np.array_equal(getattr(week, name), getattr(again, name)) for name in vars(week))


@pytest.mark.parametrize(("share", "wet"), [(0.0, 0.0), (1.0, 1.0)])
def test_at_the_ends_it_never_rains_or_always(share, wet):
    plan = S.with_overrides({"weather.rain_share": share, "weather.wet_hours": wet}).weather
    assert (draw_weather(plan, start=S.start, n_days=20, rng=stream(1, "w")).hour_rain_mm > 0).mean() == wet


def test_slots_follow_the_clock_of_the_city_through_its_changes():
    slots = Slots.of(S.start, n_days=365, days_before=3)
    assert len(slots) == 48 * (365 + 3)  # the hour lost in March is found again in October
    assert (slots.n_before, slots.day[0], slots.day[-1]) == (144, -3, 364)
    per_day = np.bincount(slots.day[slots.n_before :])
    assert (per_day[83], per_day[300], np.median(per_day)) == (46, 50, 48)  # 26 March and 29 October 2017
    spring = slots.half_hour[slots.day == 83]
    assert not np.isin(spring, (4, 5)).any()
    assert (slots.weekday[slots.n_before], slots.day_of_year[slots.n_before]) == (0, 2)
    at = local_to_utc_us(S, np.array([0, 83, 200]), np.array([7199, 3 * 3600 + 61, 86_399]))
    assert slots.day[slots.index(at)].tolist() == [0, 83, 200]
    assert slots.second(at).tolist() == [7199, 10_861, 86_399]
    assert slots.opening_us == local_to_utc_us(S, np.array([0]), np.array([0]))[0]
    assert slots.end_us == local_to_utc_us(S, np.array([365]), np.array([0]))[0]
