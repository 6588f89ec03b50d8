"""D11, weather: what the one station of the city reads, hour by hour, over the whole run.

What it cannot tell you: the weather of a quarter. The station stands in one place, warmer than the city as a whole,
and some showers fall beside it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pandas as pd

from contrechamp.domain.text import Text
from synthetic_data.datasheets import Datasheet
from synthetic_data.streams.dense import SECOND_US, clean, spoken

if TYPE_CHECKING:
    from synthetic_data.world import World

STATION: Final = "METEO-1"


def meteo(world: World, *, rng: np.random.Generator) -> pd.DataFrame:
    """Draw D11: one row per hour of the run, read as the hour ends."""
    plan, weather = world.scenario.sensing, world.weather
    n = len(weather.t_us)
    rain = np.where(rng.random(n) < plan.station_missed_rain, 0.0, weather.hour_rain_mm)
    temperature = weather.hour_temperature_c + plan.station_offset_c + 0.2 * rng.standard_normal(n)
    return clean(
        "meteo",
        {
            "station": spoken(np.zeros(n, dtype=np.int64), [STATION]),
            "t": weather.t_us,
            "temp_c": np.round(np.clip(temperature, -40.0, 55.0), 1),
            "rain_mm": np.round(np.minimum(rain, 300.0), 1),
            "wind_m_s": np.round(np.minimum(weather.hour_wind_m_s, 80.0), 1),
        },
        t_drop_us=weather.t_us + 3599 * SECOND_US,
    )


DATASHEETS: Final[tuple[Datasheet, ...]] = (
    Datasheet(
        key="meteo",
        title=Text(fr="météo, une station", en="weather, one station"),
        invented=Text(
            fr="La température, la pluie et le vent de la ville inventée, lus par une station dans sa partie chaude : "
            "un écart constant, une petite erreur, des averses qui tombent à côté.",
            en="Temperature, rain and wind of the invented city, read by one station in its warm part: a constant gap, "
            "a small error, showers that fall beside it.",
        ),
        anchor=Text(
            fr="Aucun : 24 lectures par jour est une hypothèse du registre ; le climat est supposé.",
            en="None: 24 readings a day is an assumption of the register; the climate is assumed.",
        ),
        leaves_out=Text(
            fr="Le relief, la brise de mer, les écarts entre quartiers, les pannes de la station.",
            en="Relief, sea breeze, differences between quarters, failures of the station.",
        ),
    ),
)
