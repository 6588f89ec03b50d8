"""A small real run: real experiments with few draws, a toy platform, and the rules of the register."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from contrechamp.audit import steps
from contrechamp.audit.claims import load_register, read_yaml
from contrechamp.domain.grid import Grid
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import silent
from contrechamp.domain.provenance import digest, plain
from contrechamp.domain.results import Outcome, Result
from contrechamp.experiments.base import load
from contrechamp.pipelines.backtest import backtest
from contrechamp.store import runs

SEED = 7
FEW: dict[str, dict[str, Any]] = {
    "E02": {"n_reps": 30, "n_days": 80, "n_base": 16, "n_plausible": 8, "n_cities": 10},
    "E03": {"seeds": 3, "ratios": (1.0, 2.0), "history_days": 20, "loop_days": 20, "read_days": 10},
    "E04": {"worlds": 2, "events_per_year": 150, "informativeness": (0.0, 1.0), "discovery_shares": (0.0, 0.9),
            "time_noises_h": (0.0,)},
    "E05": {"worlds": 2, "events_per_year": 150, "habit_strengths": (0.0, 1.0), "prevented_shares": (0.1, 0.6)},
    "E09": {"camera_days": 3, "track_fps": 0.05, "clips": 2, "clip_s": 6.0, "clip_fps": 1.0,
            "clip_threshold_s": 3.0, "bodies": ("rough_lying",), "detectors": ()},
    "E10": {"episodes": 10, "densities": (0.1, 0.4), "fps": 0.5},
    "E11": {"worlds": 3, "separations": (6.0,), "rarities": (0.0, 1.0), "base_rates": (0.01,), "n_tracks": 1_500,
            "learning_separations": (4.0,), "train_sizes": (1_000,), "size_errors": (0.1,), "crowds": (100,),
            "position_errors_m": (0.1, 1.0), "mode_examples": 1_000, "noises": (0.1,), "label_draws": 5},
    "E13": {"worlds": 2, "searches": 10, "crowds": (100, 5_000), "nearby": (10,), "noises": (0.0, 0.25)},
    "E14": {"reps": 60, "cameras": (5,), "other_fatigues": (0.0,)},
    "E12": {}, "E18": {"reps": 20},
    "E15": {},
    "E16": {"scenes": 4, "training_scenes": 6, "ambiences": ("calm", "market"), "alike_shares": (0.0, 0.5),
            "offences_per_day": (0.1, 1.0)},
    "E17": {"worlds": 20, "n_cameras": (4, 20), "per_years": (10.0,), "displacements": (0.0,)},
    "E20": {"worlds": 2, "n_informative": (2, 7), "information": (0.05,), "train_days": 60, "choice_days": 10,
            "test_days": 20},
    "E21": {"seeds": 3, "history_days": 20, "loop_days": 20},
    "E22": {"worlds": 2, "recording_biases": (0.0, 1.0), "effects": (1.0,)},
    "E23": {},
    "E24": {}, "E25": {"worlds": 5},
    "E27": {"reps": 300, "map_reps": 3}, "E28": {"reps": 100, "extra_reps": 50},
}  # fmt: skip
E01_WORLDS = ((2700.0, 0.0, 0.0), (20.0, 0.5, 1.0))

MakeRun = Callable[..., Path]


def make_run(work: Path, *, experiments: list[str], platform: bool, run_id: str = "mini", claims: Any = None) -> Path:
    """Write what the steps before the report leave behind."""
    (work / "tables").mkdir(parents=True)
    register = load_register()
    request: dict[str, Any] = {
        "profile": "quick", "seed": SEED, "claims": list(claims or register.claims), "experiments": experiments,
        "platform": platform, "scenario_sha256": "0" * 64, "parameters": {},
    }  # fmt: skip
    for key in experiments:
        module = load(key)
        params = dataclasses.replace(module.Params.quick(), **FEW.get(key, {}))
        request["parameters"][key] = plain(dataclasses.asdict(params))
        outcome = _e01() if key == "E01" else module.run(params, seed=SEED, jobs=1, progress=silent)
        steps._store(work, key, outcome)
    if platform:
        _platform(work)
    book = read_yaml("rules.yaml")
    plan = plain({"rules": book["rules"], "silent": book["silent"], "experiments": {}, "seed": SEED})
    sha = digest(plan)
    frozen = {"frozen_at": "2026-11-01", "plan": plan, "sha256": sha, "frozen_sha256": sha, "deviations": []}
    runs.write_json(work / "plan.json", frozen)
    runs.write_json(work / "request.json", request)
    runs.write_json(work / "started.json", {"started_at": "2026-11-22T01:00:00+01:00", "run_id": run_id})
    steps.decide(work)
    return work


def _e01() -> Outcome:
    """Results in the shape of E01's, not drawn: drawing them takes half a minute."""
    results = []
    for index, (volume, kappa, bias) in enumerate(E01_WORLDS):
        city = {"latent_per_day": volume, "turnover": 0.0, "kappa": kappa}
        world = {**city, "recorded_share": 0.3, "recording_bias": bias}
        for area in (0.01, 0.05):
            for measure, value in (("gain_latent", -0.05), ("gain_recorded", 0.02), ("gain_ceiling", 0.4)):
                middle = value + index / 10
                interval = Interval(middle, middle - 0.03, middle + 0.04, 8, "order-statistics")
                results.append(Result("E01", measure, {**world, "area": area}, interval))
            for predictor in ("trailing-mean", "champion"):
                pai = Interval(4.0 + index, 3.5 + index, 4.5 + index, 8, "order-statistics")
                results.append(Result("E01", "pai_latent", {**world, "area": area, "predictor": predictor}, pai))
            for measure, value in (("predictor_gain_latent", 0.1), ("predictor_gain_recorded", 0.2)):
                interval = Interval(value, value - 0.1, value + 0.1, 8, "order-statistics")
                where = {**city, "area": area, "predictor": "retro-quartic"}
                results.append(Result("E01", measure, where, interval))
        lift = Interval(3.0 + index, 2.5 + index, 3.5 + index, 8, "order-statistics")
        results.append(Result("E01", "match_lift", {**city, "area": 0.01}, lift))
        for measure in (m.key for m in load("E01").MEASURES if m.key.startswith("share_worlds_")):
            low = 0.0 if measure == "share_worlds_supported" else 0.7
            results.append(Result("E01", measure, world, Interval(low, low, low + 0.3, 8, "wilson")))
    return Outcome(results, {})


def _platform(work: Path) -> None:
    rng = np.random.default_rng(1)
    grid = Grid.over(shapely.box(0, 0, 2500, 2500), cell_m=250)
    latent = rng.poisson(np.linspace(0.05, 1.5, grid.n_cells), size=(80, grid.n_cells)).astype(np.int32)
    records = rng.binomial(latent, 0.4).astype(np.int32)
    few = ("uniform", "trailing-mean", "retro-quartic", "etas-per-cell")
    outcome = backtest(records, latent, grid=grid, predictors=few, first_day=66, seed=SEED)
    steps._store(work, steps.PLATFORM, outcome)
    runs.write_json(work / "truth" / "grid.json", grid.to_dict())
    made = {"n_days": 80, "n_quarters": 4, "n_cells": grid.n_cells, "n_latent": int(latent.sum()), "n_reported": 11,
            "n_discovered": 5, "n_detected": 1, "n_infractions": 9, "n_fines": 3}  # fmt: skip
    runs.write_json(work / "parts" / "generate.json", made)
    files = [
        {"stream": s, "source_file": f"{s}/w{i}<b>.gz", "sha256": "ab" * 32, "rows_in": 1200 + i, "committed": 1100 + i,
         "quarantined": 70, "duplicates": 30}
        for s in ("mains_courantes", "verbalisations") for i in range(2)
    ]  # fmt: skip
    runs.write_json(work / "parts" / "ingest.json", {"files": files, "reasons": {"bad_json": 200, "at_sea": 80}})


@pytest.fixture(scope="session")
def run_maker() -> MakeRun:
    """Makes runs of any claims and experiments."""
    return make_run


@pytest.fixture(scope="session")
def mini_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of every experiment and the platform, not reported yet."""
    work = tmp_path_factory.mktemp("mini") / "run"
    return make_run(work, experiments=["E01", *FEW], platform=True)


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A filtered run, two experiments, whose id tries to be markup."""
    work = tmp_path_factory.mktemp("small") / "run"
    hostile = '<script>alert(1)</script>"] #panic("x") \\ $x$'
    claims = ("M03", "C05", "C12", "R03", "R04", "P04")
    return make_run(work, experiments=["E12", "E18"], platform=False, run_id=hostile, claims=claims)
