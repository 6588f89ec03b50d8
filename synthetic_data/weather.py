"""Weather of the city, hour by hour: temperature, rain and wind, and a summary of each day.

Temperature is a yearly and a daily wave and an AR(1) gap. A day is rainy when a day-to-day AR(1) is high enough, and
in a rainy day it rains while an hour-to-hour AR(1) is. Wind is log-normal, with a memory of its own.

What it cannot tell you: one weather for the whole city, with no storm, no mistral and no sea breeze of its own; rain
and temperature are drawn apart. A longer scenario begins with the weather of a shorter one under the same generator.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.signal import lfilter
from scipy.stats import norm

from synthetic_data.clock import SLOT_US, Slots
from synthetic_data.scenario import WeatherPlan

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

#: Correlation from one hour to the next, of showers and of the logarithm of wind. Assumptions.
_SHOWER_MEMORY: Final = 0.8
_WIND_MEMORY: Final = 0.95
#: Hour of the local clock at which the day is hottest. Assumption.
_HOTTEST_H: Final = 15.0


@dataclass(frozen=True, eq=False)
class Weather:
    """Weather by day and by hour.

    Attributes
    ----------
    temperature_c, anomaly_c : ndarray, shape (n_days,)
        Mean temperature of the local day, and its gap to the season.
    rainy : ndarray of bool, shape (n_days,)
        Whether it rained in one of its hours at least.
    t_us : ndarray of int, shape (n_hours,)
        Instant that opens each hour of UTC, microseconds since 1970, from the first local midnight to the last.
    hour_temperature_c, hour_anomaly_c, hour_rain_mm, hour_wind_m_s : ndarray, shape (n_hours,)
        Temperature, its gap to what the season and the hour say, rain fallen in the hour, and mean wind.
    """

    temperature_c: FloatArray
    anomaly_c: FloatArray
    rainy: npt.NDArray[np.bool_]
    t_us: IntArray
    hour_temperature_c: FloatArray
    hour_anomaly_c: FloatArray
    hour_rain_mm: FloatArray
    hour_wind_m_s: FloatArray


def draw_weather(plan: WeatherPlan, *, start: pd.Timestamp, n_days: int, rng: np.random.Generator) -> Weather:
    """Draw the weather of ``n_days`` local days from the local midnight ``start``.

    At any hour the gap of temperature to the season has standard deviation ``noise_c``; at 24 hours' distance its
    correlation is ``memory``. A day is rainy with chance ``rain_share``; the rain of a rainy day is exponential with
    mean ``rain_mm`` and falls in some ``wet_hours`` of its hours, one at least.
    """
    slots = Slots.of(start, n_days=n_days)
    by_hour, of_hour, by_day, of_day = rng.spawn(4)
    day, clock_h = slots.day[::2], slots.half_hour[::2] / 2 + 0.5
    n = len(day)
    shocks = by_hour.standard_normal((n, 3))
    anomaly = plan.noise_c * _ar1(shocks[:, 0], memory=plan.memory ** (1 / 24))
    season = plan.mean_c + plan.swing_c * yearly_wave(slots.day_of_year[::2])
    warmth = plan.daily_swing_c * np.cos(2 * np.pi * (clock_h - _HOTTEST_H) / 24)

    rainy = _ar1(by_day.standard_normal(n_days), memory=0.5 * plan.memory) > norm.isf(plan.rain_share)
    shower = _ar1(shocks[:, 1], memory=_SHOWER_MEMORY)
    heaviest = np.full(n_days, -np.inf)
    np.maximum.at(heaviest, day, shower)
    wet = rainy[day] & ((shower > norm.isf(plan.wet_hours)) | (shower == heaviest[day]))
    part = np.where(wet, of_hour.standard_exponential(n), 0.0)
    of_the_day = np.bincount(day, part, minlength=n_days)
    amount = plan.rain_mm * of_day.standard_exponential(n_days)
    rain = part * np.divide(amount, of_the_day, out=np.zeros(n_days), where=of_the_day > 0)[day]

    wind = _ar1(shocks[:, 2], memory=_WIND_MEMORY)
    hours = np.bincount(day, minlength=n_days)
    temperature = season + warmth + anomaly
    return Weather(
        temperature_c=np.bincount(day, temperature, minlength=n_days) / hours,
        anomaly_c=np.bincount(day, anomaly, minlength=n_days) / hours,
        rainy=rainy,
        t_us=slots.start_us + 2 * SLOT_US * np.arange(n),
        hour_temperature_c=temperature,
        hour_anomaly_c=anomaly,
        hour_rain_mm=rain,
        hour_wind_m_s=plan.wind_m_s * np.exp(plan.wind_log_sd * wind - plan.wind_log_sd**2 / 2),
    )


def yearly_wave(day_of_year: IntArray) -> FloatArray:
    """1 on 20 July, -1 half a year later."""
    return np.asarray(np.cos(2 * np.pi * (day_of_year - 201) / 365.25), dtype=np.float64)


def _ar1(shocks: FloatArray, *, memory: float) -> FloatArray:
    """Stationary AR(1) with unit variance, started in its stationary law; shape of ``shocks``."""
    innovation = np.sqrt(1 - memory**2)
    start = shocks[:1] * (1 - innovation)
    return np.asarray(lfilter([innovation], [1.0, -memory], shocks, zi=start)[0], dtype=np.float64)
