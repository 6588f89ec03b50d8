"""What the dashboard reads of a run, checked as it is read: a damaged run is a sentence on the page, never a traceback.

Nothing is written here. A run's name that comes from an address is looked up in the list of finished runs; it never
becomes a path by itself.
"""

from __future__ import annotations

import math
import os
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from contrechamp.audit.plan import current_plan, frozen
from contrechamp.audit.rules import VERDICTS, Rule
from contrechamp.domain.columns import CELL
from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.results import UNITS
from contrechamp.store import runs

#: Columns of ``map_daily`` that are no predictor.
_SEEN = ("day", CELL, "latent", "recorded")
_LINE_KEYS = {"claim", "verdict", "rules", "pending", "decided_by", "flips"}
_RESULT_KEYS = {"id", "experiment", "measure", "world", "value", "low", "high", "n", "method", "unit", "level"}


@dataclass(frozen=True)
class Audit:
    """What the claims page reads of a run."""

    name: str
    results: tuple[Mapping[str, Any], ...]
    lines: Mapping[str, Mapping[str, Any]]
    plan: Mapping[str, Any]
    profile: str
    seed: int
    digest: str


@dataclass(frozen=True)
class Maps:
    """Daily maps of a run.

    Attributes
    ----------
    days : ndarray of int, shape (n_days,)
        Day numbers, as in the tables.
    layers : mapping of str to ndarray, shape (n_days, n_cells)
        ``latent``, ``recorded``, then one per predictor: events or expected records per cell and day.
    daily : DataFrame
        ``backtest_daily``: hits by day, predictor, area and kind of event.
    outline_m : ndarray, shape (n, 2)
        Borders of the quarters, EPSG:2154, pieces parted by NaN.
    start : Timestamp or None
        First local day of the scenario.
    """

    grid: Grid
    days: npt.NDArray[np.int64]
    layers: Mapping[str, FloatArray]
    daily: pd.DataFrame
    outline_m: FloatArray
    start: pd.Timestamp | None

    @property
    def predictors(self) -> tuple[str, ...]:
        """Predictors that have a map."""
        return tuple(k for k in self.layers if k not in _SEEN)


def runs_folder() -> Path:
    """Folder of the runs: the environment variable ``CONTRECHAMP_RUNS``, or ``runs`` here."""
    return Path(os.environ.get("CONTRECHAMP_RUNS", "runs"))


def run_names(root: Path) -> list[str]:
    """Finished runs, newest first; none when the folder cannot be read."""
    try:
        return [p.name for p in runs.list_runs(root)]
    except OSError:
        return []


def stamp(run: Path) -> int:
    """When the results of a run were written, to tell a run from one made again under its name; 0 when unknown."""
    try:
        return (run / "results.json").stat().st_mtime_ns
    except OSError:
        return 0


def run_seed(run: Path) -> int:
    """Seed of a run.

    Raises
    ------
    ContractError
        If ``results.json`` is missing or does not say it.
    """
    body = runs.read_json(run / "results.json")
    try:
        return int(body["request"]["seed"])
    except (KeyError, TypeError, ValueError) as cause:
        raise ContractError(f"{run / 'results.json'} does not say the seed of the run.") from cause


def read_audit(run: Path) -> Audit:
    """Read ``results.json`` and ``plan.json`` of a run.

    Raises
    ------
    ContractError
        If one is missing or does not have the expected shape.
    """
    body = runs.read_json(run / "results.json")
    plan = runs.read_json(run / "plan.json")
    try:
        results = tuple(body["results"])
        lines = {str(v["claim"]): v for v in body["verdicts"]}
        request = body["request"]
        found = Audit(
            run.name, results, lines, plan["plan"], str(request["profile"]), int(request["seed"]), body["digest"]
        )
        whole = all(map(_is_result, results))
        ids = {r["id"] for r in results} if whole else set()
        known = isinstance(found.digest, str) and all(_is_line(v, ids) for v in lines.values())
        for raw in found.plan["rules"]:
            Rule.parse(raw)
        whole = whole and all(set(s) >= {"claim", "experiment", "why"} for s in found.plan["silent"])
    except (KeyError, TypeError, ValueError, AttributeError) as cause:
        raise ContractError(
            f"{run / 'results.json'} does not have the shape of a run's results ({cause!r})."
        ) from cause
    if not whole or not known:
        raise ContractError(f"{run / 'results.json'} has results or verdicts that cannot be read.")
    return found


def _is_result(r: Any) -> bool:
    """Whether an entry has the fields and types of a result: pages draw them without looking again."""
    if not isinstance(r, Mapping) or not set(r) >= _RESULT_KEYS or not isinstance(r["world"], Mapping):
        return False
    texts = all(isinstance(r[k], str) for k in ("id", "experiment", "measure", "method")) and r["unit"] in UNITS
    numbers = all(r[k] is None or _is_number(r[k]) for k in ("value", "low", "high"))
    worlds = all(isinstance(v, str | bool) or _is_number(v) for v in r["world"].values())
    return texts and numbers and worlds and _is_number(r["n"]) and _is_number(r["level"])


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_line(v: Any, ids: Collection[str]) -> bool:
    """Whether an entry has the fields and types of a claim's line, and cites results that are there."""
    if not set(v) >= _LINE_KEYS or v["verdict"] not in VERDICTS or not isinstance(v["flips"], bool):
        return False
    if not all(isinstance(e, str) for e in (*v["pending"], *v["decided_by"])):
        return False
    for rule in v["rules"]:
        whole = isinstance(rule["experiment"], str) and rule["verdict"] in VERDICTS
        if not whole or not all(isinstance(n, int) for n in rule["counts"].values()):
            return False
        for world in rule["worlds"]:
            if world["verdict"] not in VERDICTS or not isinstance(world["world"], Mapping):
                return False
            if not all(i in ids for i in world["results"]):
                return False
    return True


def plan_without_run() -> Mapping[str, Any]:
    """The frozen plan; the rules of the register when none is frozen; nothing when neither can be read."""
    try:
        return dict(frozen()["plan"])
    except ParameterError:
        pass
    try:
        return current_plan()
    except ParameterError:
        return {"rules": [], "silent": []}


def has_maps(run: Path) -> bool:
    """Whether the run ran the platform: an audit limited to a few claims draws no map."""
    return (run / "tables" / "map_daily.parquet").is_file() or (run / "truth").is_dir()


def read_maps(run: Path) -> Maps:
    """Read the grid, the daily maps, the daily scores and the quarters of a run.

    Raises
    ------
    ContractError
        If one is missing, or if they do not fit together.
    """
    table, daily = _table(run, "map_daily"), _table(run, "backtest_daily")
    raw = runs.read_json(run / "truth" / "grid.json")
    try:
        grid = Grid.from_dict(raw)
        table = table.sort_values(["day", CELL], kind="stable")
        days = np.unique(table["day"].to_numpy(np.int64))
        shape = (len(days), grid.n_cells)
        if table[CELL].to_numpy(np.int64).tolist() != np.tile(np.arange(shape[1]), shape[0]).tolist():
            raise ContractError(
                f"{run / 'tables' / 'map_daily.parquet'} does not hold every cell of the grid every day."
            )
        names = ["latent", "recorded", *(str(c) for c in table.columns if c not in _SEEN)]
        layers = {name: table[name].to_numpy(np.float64).reshape(shape) for name in names}
        missing = {"day", "predictor", "area", "scored_on", "events", "hits", "cells_flagged"} - set(daily.columns)
        if missing:
            raise ContractError(f"{run / 'tables' / 'backtest_daily.parquet'} lacks {', '.join(sorted(missing))}.")
    except (KeyError, TypeError, ValueError, IndexError) as cause:
        raise ContractError(f"The maps of {run} do not fit its grid ({cause!r}). The folder may be damaged.") from cause
    return Maps(grid, days, layers, daily, _outline(run / "truth" / "city_quarters.parquet"), _start(run))


def _table(run: Path, name: str) -> pd.DataFrame:
    try:
        return runs.read_table(run, name)
    except (OSError, ValueError) as cause:
        raise ContractError(f"{run / 'tables' / name}.parquet cannot be read: {cause}.") from cause


def _outline(path: Path) -> FloatArray:
    """Borders of the quarters; empty when there are none to read: they are context, not data."""
    try:
        lines = gpd.read_parquet(path).geometry.simplify(60).boundary.to_numpy()
    except (OSError, ValueError, KeyError):
        return np.empty((0, 2))
    gap = np.full((1, 2), np.nan)
    pieces = [shapely.get_coordinates(part) for line in lines for part in shapely.get_parts(line)]
    return np.vstack([block for piece in pieces for block in (piece, gap)]) if pieces else np.empty((0, 2))


def _start(run: Path) -> pd.Timestamp | None:
    try:
        scenario = tomllib.loads((run / "scenario.resolved.toml").read_text(encoding="utf-8"))
        return pd.Timestamp(str(scenario["time"]["start"])).tz_localize(None).normalize()
    except (OSError, ValueError, KeyError, TypeError):
        return None
