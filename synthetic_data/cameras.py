"""Municipal cameras: where they stand, what they look at, and how much of each cell some of them see.

Three ways of choosing their sites: as cities have done it (``dense-centre``), anywhere (``uniform``), and where most
incidents were counted (``by-incidents``). The same draw of chance serves all three, so that layouts compare like with
like.

What it cannot tell you: what a camera sees in fact. Nothing hides anything here: no wall, tree, lorry, night or dirt.
Coverage is therefore the most that these cameras could see, whoever watches.
"""

from __future__ import annotations

from typing import Final, Literal

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.columns import CELL, DISTRICT_ID
from contrechamp.domain.errors import bad_parameter
from synthetic_data.city import City
from synthetic_data.places import Places
from synthetic_data.plans.city import CAMERA_LAYOUTS
from synthetic_data.scenario import Scenario

FloatArray = npt.NDArray[np.float64]
Layout = Literal["dense-centre", "uniform", "by-incidents"]

#: What a camera is said to be installed for, by the kind of place within 80 m; ``street`` for none.
_INSTALLED: Final = (("station", "station"), ("market", "square"), ("town_hall", "square"), ("school", "school"),
                     ("bar", "nightlife"))  # fmt: skip
_NEAR_M: Final = 80.0


def draw_cameras(
    scenario: Scenario,
    city: City,
    places: Places,
    *,
    rng: np.random.Generator,
    layout: Layout | None = None,
    incidents_per_cell: npt.ArrayLike | None = None,
) -> pd.DataFrame:
    """Choose the addresses of the cameras, and what each looks at.

    Parameters
    ----------
    layout : str, optional
        One of :data:`synthetic_data.plans.city.CAMERA_LAYOUTS`, the scenario's by default.
    incidents_per_cell : array-like, shape (n_cells,), optional
        What the layout ``by-incidents`` follows: counts that the city knew when it chose. Needed by it alone.

    Returns
    -------
    DataFrame
        camera_id, x_m, y_m, cell, quarter (row of the quarters), bearing_deg (0 is north, clockwise), fov_deg, reach_m,
        installed (street, station, square, school or nightlife).

    Raises
    ------
    ParameterError
        If the layout is unknown, or ``incidents_per_cell`` is missing, of the wrong shape, negative or all 0.

    Notes
    -----
    Under ``dense-centre`` a site attracts by density, by the bars, stations and markets around it, and by nearness to
    the centre; how fast nearness counts is solved for, so that the expected share of districts 1 and 2 is
    ``cameras.centre_share`` (as near as a city can: all of it where there are no other districts).
    """
    plan = scenario.cameras
    chosen = plan.layout if layout is None else layout
    if chosen not in CAMERA_LAYOUTS:
        raise bad_parameter(name="layout", where="draw_cameras", must=f"one of {', '.join(CAMERA_LAYOUTS)}", got=chosen)
    n_sites, k = len(city.site_x_m), city.sites_per_cell
    n = min(plan.n_cameras, n_sites)
    if chosen == "uniform":
        log_weight = np.zeros(city.grid.n_cells)
    elif chosen == "by-incidents":
        log_weight = np.log(_counts(incidents_per_cell, city) + 1e-12)
    else:
        log_weight = _centre(city, places, n=n, share=plan.centre_share)
    race = np.repeat(log_weight, k) + rng.gumbel(size=n_sites)
    site = np.sort(np.argsort(-race, kind="stable")[:n])
    dome = rng.random(n) < plan.dome_share
    frame = pd.DataFrame(
        {
            "camera_id": pd.Series([f"CAM{i + 1:04d}" for i in range(n)], dtype="str"),
            "x_m": city.site_x_m[site],
            "y_m": city.site_y_m[site],
            CELL: site // k,
            "quarter": city.site_quarter[site],
            "bearing_deg": np.round(np.where(dome, 0.0, rng.uniform(0, 360, n)), 1),
            "fov_deg": np.where(dome, 360.0, plan.fov_deg),
            "reach_m": np.round(plan.reach_m * np.exp(0.25 * rng.standard_normal(n)), 1),
        }
    )
    frame["installed"] = _installed(frame, places)
    return frame


def coverage(cameras: pd.DataFrame, city: City, *, contrast: float = 1.0) -> FloatArray:
    """Share of the addresses of each cell that lie in the field of view of some camera.

    Parameters
    ----------
    cameras : DataFrame
        From :func:`draw_cameras`.
    contrast : float, default=1.0
        ``cameras.contrast`` of the scenario: at 0 every cell is seen as much as the mean one, exactly.

    Returns
    -------
    ndarray, shape (n_cells,)
        In [0, 1].
    """
    seen = seen_sites(cameras, city).reshape(city.grid.n_cells, city.sites_per_cell).mean(axis=1)
    mean = float(seen.mean())
    return np.asarray(np.clip(mean + contrast * (seen - mean), 0.0, 1.0), dtype=np.float64)


def seen_sites(cameras: pd.DataFrame, city: City) -> npt.NDArray[np.bool_]:
    """Whether each address lies in the field of view of some camera; shape (n_sites,)."""
    out = np.zeros(len(city.site_x_m), dtype=np.bool_)
    if not len(cameras):
        return out
    xy = np.column_stack([city.site_x_m, city.site_y_m])
    stand = cameras[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    near = cKDTree(xy).query_ball_point(stand, cameras["reach_m"].to_numpy(dtype=np.float64))
    camera = np.repeat(np.arange(len(cameras)), [len(found) for found in near])
    site = np.concatenate([np.asarray(found, dtype=np.int64) for found in near])
    east, north = (xy[site] - stand[camera]).T
    turn = np.degrees(np.arctan2(east, north)) - cameras["bearing_deg"].to_numpy(dtype=np.float64)[camera]
    off = np.abs((turn + 180.0) % 360.0 - 180.0)
    at_foot = (east == 0) & (north == 0)
    out[site[at_foot | (off <= cameras["fov_deg"].to_numpy(dtype=np.float64)[camera] / 2)]] = True
    return out


def centre_share(cameras: pd.DataFrame, quarters: gpd.GeoDataFrame) -> float:
    """Share of the cameras in districts 1 and 2; nan without cameras."""
    district = quarters[DISTRICT_ID].to_numpy()[cameras["quarter"].to_numpy()]
    return float(np.mean(district <= 2)) if len(district) else float("nan")


def _counts(incidents_per_cell: npt.ArrayLike | None, city: City) -> FloatArray:
    counts = np.full(1, np.nan) if incidents_per_cell is None else np.asarray(incidents_per_cell, dtype=np.float64)
    if counts.shape != (city.grid.n_cells,) or not (counts >= 0).all() or not 0 < counts.sum() < np.inf:
        raise bad_parameter(
            name="incidents_per_cell", where="draw_cameras", must=f"{city.grid.n_cells} counts, not all 0",
            got=None if incidents_per_cell is None else counts.shape,
            remedy="Count incidents known to the city by cell, or choose another layout.",
        )  # fmt: skip
    return counts


def _centre(city: City, places: Places, *, n: int, share: float) -> FloatArray:
    """Log-attraction of each cell's addresses under ``dense-centre``."""
    pull = city.cell_density / city.cell_density.mean()
    for kind, weight in (("bar", 0.5), ("station", 0.5), ("market", 0.5)):
        layer = places.layer(kind)
        pull = pull + weight * (layer / layer.mean() if layer.any() else 0.0)
    away_km = np.hypot(*(city.grid.centres_m - city.centre_m).T) / 1000.0
    inside = city.quarters[DISTRICT_ID].to_numpy()[city.cell_quarter] <= 2
    low, high = -5.0, 20.0  # per kilometre
    for _ in range(40):
        fall = (low + high) / 2
        log_weight = np.log(pull) - fall * away_km
        expected = _expected(np.exp(log_weight - log_weight.max()), n=n, sites=city.sites_per_cell)
        if expected[inside].sum() < share * expected.sum():
            low = fall
        else:
            high = fall
    return np.asarray(log_weight, dtype=np.float64)


def _expected(weight: FloatArray, *, n: int, sites: int) -> FloatArray:
    """Expected cameras of each cell when ``n`` of all sites are drawn without replacement, by weight: a race of clocks.

    A site is among the first ``n`` when its exponential clock of that rate has rung by a time common to all.
    """
    low, high = -50.0, 800.0  # log of that time
    for _ in range(40):
        time = (low + high) / 2
        rung = -sites * np.expm1(-np.exp(np.minimum(np.log(np.maximum(weight, 1e-300)) + time, 50.0)))
        low, high = (time, high) if rung.sum() < n else (low, time)
    return np.asarray(rung, dtype=np.float64)


def _installed(cameras: pd.DataFrame, places: Places) -> pd.Series[str]:
    words = np.full(len(cameras), "street", dtype=object)
    stand = cameras[["x_m", "y_m"]].to_numpy(dtype=np.float64)
    for kind, word in reversed(_INSTALLED):
        there = places.of(kind)[["x_m", "y_m"]].to_numpy(dtype=np.float64)
        if len(there) and len(stand):
            words[cKDTree(there).query(stand)[0] <= _NEAR_M] = word
    return pd.Series(words, dtype="str")
