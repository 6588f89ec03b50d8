"""A small run for the dashboard's tests, made by the audit's own steps: a few cities, a toy town of 86 cells."""

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from contrechamp.audit import steps
from contrechamp.domain.grid import Grid
from contrechamp.domain.rng import stream
from contrechamp.pipelines.backtest import backtest
from contrechamp.store import runs

RUN_ID = "20260101T000000Z-quick"
N_DAYS, FIRST_DAY = 84, 70
PREDICTORS = ("uniform", "trailing-mean", "retro-quartic")


def toy_grid() -> Grid:
    """Ten rows by ten columns; fourteen cells of sea in the south-west."""
    land = np.ones((10, 10), dtype=bool)
    land[:2, :7] = False
    return Grid(890_000.0, 6_240_000.0, 250.0, land)


def build(root: Path, *, platform: bool = True) -> Path:
    """Make the run under ``root`` and return its folder."""
    work = steps.begin(root, run_id=RUN_ID, started_at="2026-01-01T00:00:00+00:00", seed=1, allow_deviation=True)
    request: dict[str, Any] = runs.read_json(work / "request.json")
    request |= {"platform": platform, "experiments": ["E02", "E09", "E24"]}
    request["parameters"]["E02"] |= {"n_reps": 40, "n_days": 60, "n_base": 16, "n_plausible": 8, "n_cities": 10}
    request["parameters"]["E09"] |= {
        "camera_days": 4, "clips": 2, "clip_s": 6.0, "clip_threshold_s": 4.0, "bodies": ["rough_lying"],
        "track_fps": 0.1,
        "burden_thresholds_s": [60.0, 300.0], "prevalences": [0.01], "target_stays_min": [0.0],
    }  # fmt: skip
    runs.write_json(work / "request.json", request)
    for key in request["experiments"]:
        steps.experiment(work, key)
    if platform:
        _platform(work)
    steps.decide(work)
    return runs.finish(work)


def _platform(work: Path) -> None:
    grid, rng = toy_grid(), stream(1, "toy town")
    risk = np.linspace(0.2, 3.0, grid.n_cells)
    truth = rng.poisson(risk, size=(N_DAYS, grid.n_cells)).astype(np.int32)
    records = rng.binomial(truth, 0.3).astype(np.int32)
    outcome = backtest(records, truth, grid=grid, predictors=PREDICTORS, first_day=FIRST_DAY, seed=1)
    steps._store(work, steps.PLATFORM, outcome)
    runs.write_json(work / "truth" / "grid.json", grid.to_dict())
    west, east = (
        shapely.box(890_000, 6_240_000, 891_250, 6_242_500),
        shapely.box(891_250, 6_240_000, 892_500, 6_242_500),
    )
    quarters = gpd.GeoDataFrame({"quarter_id": ["Q001", "Q002"]}, geometry=[west, east], crs="EPSG:2154")
    quarters.to_parquet(work / "truth" / "city_quarters.parquet")
