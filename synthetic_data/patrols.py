"""The historical plan of patrols: crew-hours by day, shift and quarter.

What it cannot tell you: where crews really go. The plan is static but for chance, and nobody is sent after a call.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from contrechamp.domain.columns import QUARTER_ID
from synthetic_data.city import City
from synthetic_data.incidents import words
from synthetic_data.scenario import Scenario

FloatArray = npt.NDArray[np.float64]


def draw_patrols(scenario: Scenario, city: City, *, rng: np.random.Generator) -> FloatArray:
    """Draw crew-hours, shape (n_days, 3 shifts, n_quarters).

    A static plan, heavier in the dense centre, with day-to-day variation; every shift's total is the plan's.
    """
    plan, quarters = scenario.patrols, city.quarters
    density = quarters["population"].to_numpy() / city.area_km2
    away_km = np.hypot(*(quarter_middles(city) - city.centre_m).T) / 1000.0
    weight = city.area_km2 * density**plan.density_power * (0.2 + np.exp(-away_km / plan.centre_km))
    shape = (scenario.time.n_days, 3, len(quarters))
    noise = rng.gamma(1 / plan.daily_cv**2, plan.daily_cv**2, size=shape) if plan.daily_cv > 0 else np.ones(shape)
    hours = weight * np.maximum(noise, 1e-9)
    shares = np.array(plan.shift_shares) / sum(plan.shift_shares)
    hours *= plan.hours_per_day * shares[None, :, None] / hours.sum(axis=2, keepdims=True)
    return np.asarray(hours, dtype=np.float64)


def patrols_frame(hours: FloatArray, city: City) -> pd.DataFrame:
    """Frame with the columns of ``truth/patrols.parquet``: day, shift, quarter_id, hours."""
    day, shift, quarter = (a.ravel() for a in np.indices(hours.shape))
    return pd.DataFrame(
        {
            "day": day,
            "shift": shift,
            QUARTER_ID: words(quarter, city.quarters[QUARTER_ID].tolist()),
            "hours": hours.ravel(),
        }
    )


def quarter_middles(city: City) -> FloatArray:
    """Centroid of each quarter; shape (n_quarters, 2)."""
    return np.asarray(shapely.get_coordinates(shapely.centroid(city.quarters.geometry.to_numpy())), dtype=np.float64)
