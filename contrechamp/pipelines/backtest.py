"""The platform's own map put to the test: one day ahead, day after day, on what happened and on what was recorded.

Each predictor learns from records only and draws the next day's map. The same map is then scored twice: on latent
incidents, which only a simulation knows, and on records, which is all a city ever sees. The distance between the two
scores is what a city cannot measure.

What it cannot tell you: see :data:`CANNOT_TELL`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain import columns as col
from contrechamp.domain.errors import ContractError, bad_parameter
from contrechamp.domain.grid import FloatArray, Grid, IntArray, count_cube, day_index
from contrechamp.domain.intervals import Interval
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Measure, Outcome, Result, Scalar
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.store.lake import read_stream
from models import PREDICTORS, load_predictor
from models.resampling import DayDraws, block_length, draw_days, ratio_interval
from models.scores import (
    DailyScores,
    best_captured,
    captured,
    flagged_size,
    log_score,
    rank_cells,
    tie_breaks,
)
from models.walk import walk_forward
from synthetic_data.scenario import Scenario

EXPERIMENT: Final = "platform"
#: The map that costs nothing, with which forecasts are compared.
BASELINE: Final = "trailing-mean"
AREAS: Final = (0.01, 0.05)
EVALUATED_DAYS: Final = 56
N_DRAWS: Final = 999

_DAYS: Final = Text(fr="jours évalués", en="days evaluated")

MEASURES: Final[tuple[Measure, ...]] = (
    Measure("hit_rate", "share", Text(fr="Part des incidents dans la surface signalée",
            en="Share of incidents in the flagged area"), _DAYS),
    Measure("pai", "pai", Text(fr="PAI : part captée divisée par la part de surface",
            en="PAI: share captured over share of area"), _DAYS),
    Measure("pei", "share", Text(fr="PEI : part de ce que l’on aurait capté en connaissant la suite",
            en="PEI: share of what hindsight would have captured"), _DAYS),
    Measure("gain_pai", "ratio", Text(fr="Gain relatif de PAI sur la moyenne de 52 semaines",
            en="Relative gain in PAI over the 52-week mean"), _DAYS),
    Measure("log_gain", "nats", Text(
            fr="Gain d’information sur le lieu, par incident, par rapport à la moyenne de 52 semaines",
            en="Information gained on the place, per incident, over the 52-week mean"), _DAYS),
)  # fmt: skip

CANNOT_TELL: Final = Text(
    fr="Ces scores valent pour cette ville inventée, sous ce régime d’enregistrement, sur ces jours. Le score "
    "calculé sur les enregistrements dit comment la carte annonce l’enregistrement, non ce qui arrive aux gens ; il "
    "dépend de la grille et ne dit rien de l’effet d’une patrouille.",
    en="These scores hold for this invented city, under this way of recording, over these days. The score on records "
    "says how well the map foretells recording, not what happens to people; it depends on the grid and says nothing of "
    "what a patrol does.",
)

_NO_LATE: Final = np.zeros((0, 3), dtype=np.int64)


def backtest(
    records: npt.NDArray[Any],
    truth: npt.NDArray[Any],
    *,
    grid: Grid,
    predictors: Sequence[str] = tuple(PREDICTORS),
    params: Mapping[str, Mapping[str, Any]] | None = None,
    first_day: int,
    areas: Sequence[float] = AREAS,
    late: IntArray = _NO_LATE,
    seed: int,
    jobs: int = 1,
    progress: Progress = silent,
) -> Outcome:
    """Walk forward one day ahead with each predictor, then score on truth and on records.

    Parameters
    ----------
    records, truth : ndarray of int, shape (n_days, n_cells)
        Recorded events and latent incidents by day and cell. Predictors are handed the first only.
    grid : Grid
    predictors : sequence of str
        Keys of :data:`models.PREDICTORS`.
    params : mapping of str to mapping, optional
        Parameters of a predictor, by its key; its defaults otherwise.
    first_day : int
        First day predicted.
    areas : sequence of float
        Shares of the cells to flag.
    late : ndarray of int, shape (n_late, 3)
        Records entered after the day they bear, see :func:`models.walk.walk_forward`.
    seed : int
        Run seed. Ties and bootstrap draws come from it.
    jobs : int, default=1
        Predictors run at the same time. Changes no number.

    Returns
    -------
    Outcome
        Results of :data:`MEASURES` by predictor, area and ``scored_on``; tables ``backtest_daily`` and ``map_daily``.

    Notes
    -----
    The same order of equal cells and the same resampled days serve every predictor, so differences are paired.
    """
    if records.shape != truth.shape or records.ndim != 2:
        raise bad_parameter(
            name="records, truth", where="backtest", must="two arrays of the same shape (n_days, n_cells)",
            got=(records.shape, truth.shape),
        )  # fmt: skip
    surfaces = _surfaces(
        records, grid=grid, predictors=predictors, params=params or {}, first_day=first_day, late=late, jobs=jobs,
        progress=progress,
    )  # fmt: skip
    seen = {"truth": truth[first_day:], "records": records[first_day:]}
    ties = tie_breaks(len(truth) - first_day, grid.n_cells, rng=stream(seed, "backtest", "ties"))
    orders = {key: rank_cells(surface, ties=ties) for key, surface in surfaces.items()}
    results: list[Result] = []
    daily: list[pd.DataFrame] = []
    for scored_on, counts in seen.items():
        scores = _scores(orders, counts, areas=areas)
        draws = _draws(scores, seed=seed, scored_on=scored_on)
        results += _results(scores, draws, scored_on=scored_on)
        results += _log_gains(surfaces, counts, draws, scored_on=scored_on)
        daily += [
            _daily_table(one, day0=first_day, predictor=key, area=area, scored_on=scored_on)
            for (key, area), one in scores.items()
        ]
    tables = {
        "backtest_daily": pd.concat(daily, ignore_index=True),
        "map_daily": _map_table(seen, surfaces, day0=first_day),
    }
    return Outcome(results, tables)


def run_backtest(work: Path, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Backtest the platform of a run being built: records from its lake, truth from its simulator.

    Parameters
    ----------
    work : Path
        Run folder holding ``scenario.resolved.toml``, ``landing/territory.json``, ``truth/incidents.parquet`` and
        ``lake/``.
    seed, jobs, progress
        See :func:`backtest`.

    Returns
    -------
    Outcome
        That of :func:`backtest`, with the table ``backtest_inputs``: how many rows were read, used and left out.

    Raises
    ------
    ContractError
        If the scenario is too short for a history and :data:`EVALUATED_DAYS` days of test.
    """
    scenario = Scenario.load(work / "scenario.resolved.toml")
    start, n_days = scenario.start, scenario.time.n_days
    if n_days < EVALUATED_DAYS + 28:
        raise ContractError(
            f"A backtest needs {EVALUATED_DAYS} days to predict and at least 28 of history. The scenario has {n_days} "
            f"days. Set `time.n_days` to {EVALUATED_DAYS + 28} or more (the quick profile has 420)."
        )
    # The platform's own grid, public geography: it opens nothing of truth/ but what its maps are scored on.
    grid = Grid.from_dict(json.loads((work / "landing" / "territory.json").read_text(encoding="utf-8")))
    progress("backtest: read", 0, 1)
    records = _placed(read_stream(work / "lake", "mains_courantes"), grid=grid, start=start)
    incidents = _placed(pd.read_parquet(work / "truth" / "incidents.parquet"), grid=grid, start=start)
    cubes = {
        name: count_cube(frame[col.CELL], frame["day"], n_cells=grid.n_cells, n_days=n_days)
        for name, frame in (("records", records), ("truth", incidents))
    }
    outcome = backtest(
        cubes["records"], cubes["truth"], grid=grid, first_day=n_days - EVALUATED_DAYS,
        late=_late(records, n_days=n_days), seed=seed, jobs=jobs, progress=progress,
    )  # fmt: skip
    inputs = pd.DataFrame(
        [
            _input_row("records", records, used=int(cubes["records"].sum()), n_days=n_days),
            _input_row("truth", incidents, used=int(cubes["truth"].sum()), n_days=n_days),
        ]
    )
    return Outcome(outcome.results, {**outcome.tables, "backtest_inputs": inputs})


def _surfaces(
    records: npt.NDArray[Any], *, grid: Grid, predictors: Sequence[str], params: Mapping[str, Mapping[str, Any]],
    first_day: int, late: IntArray, jobs: int, progress: Progress,
) -> dict[str, FloatArray]:  # fmt: skip
    made = {key: load_predictor(key, **params.get(key, {})) for key in predictors}
    walks = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(
        delayed(walk_forward)(one, records, grid=grid, first_day=first_day, late=late) for one in made.values()
    )
    surfaces: dict[str, FloatArray] = {}
    for done, (key, surface) in enumerate(zip(made, walks, strict=True), start=1):
        surfaces[key] = surface
        progress("backtest: predict", done, len(made))
    return surfaces


def _scores(
    orders: Mapping[str, IntArray], counts: npt.NDArray[Any], *, areas: Sequence[float]
) -> dict[tuple[str, float], DailyScores]:
    n_cells = counts.shape[1]
    events, best = counts.sum(axis=1, dtype=np.int64), best_captured(counts)
    out: dict[tuple[str, float], DailyScores] = {}
    for key, order in orders.items():
        hits = captured(order, counts)
        for area in areas:
            k = flagged_size(area, n_cells=n_cells)
            out[key, area] = DailyScores(events, hits[:, k - 1], best[:, k - 1], k, n_cells)
    return out


def _draws(scores: Mapping[tuple[str, float], DailyScores], *, seed: int, scored_on: str) -> DayDraws:
    """Days resampled alike for every predictor: blocks as long as the most persistent hit rate asks for."""
    departures = [s.hits - s.pooled_hit_rate * s.events for s in scores.values() if s.events.sum() > 0]
    n_days = len(next(iter(scores.values())).events)
    return draw_days(
        n_days, block_days=block_length(departures), n_draws=N_DRAWS, rng=stream(seed, "backtest", "draws", scored_on)
    )


def _results(scores: Mapping[tuple[str, float], DailyScores], draws: DayDraws, *, scored_on: str) -> list[Result]:
    out: list[Result] = []
    for (key, area), s in scores.items():
        measured: dict[str, Interval] = {
            "hit_rate": ratio_interval(s.hits, s.events, draws=draws),
            "pai": ratio_interval(s.hits, s.events, draws=draws, scale=1 / s.area_share),
            "pei": ratio_interval(s.hits, s.best_hits, draws=draws),
        }
        if key != BASELINE and (BASELINE, area) in scores:
            measured["gain_pai"] = ratio_interval(s.hits, scores[BASELINE, area].hits, draws=draws, shift=-1.0)
        world: dict[str, Scalar] = {"predictor": key, "area": area, "scored_on": scored_on}
        out += [Result(EXPERIMENT, m, world, interval, "backtest_daily") for m, interval in measured.items()]
    return out


def _log_gains(
    surfaces: Mapping[str, FloatArray], counts: npt.NDArray[Any], draws: DayDraws, *, scored_on: str
) -> list[Result]:
    """Log score of every map against the baseline's, each given the day's own total: only places are scored.

    Maps learn the level of records. On truth, where there are more events, a raw score would reward whichever map
    happens to sum higher.
    """
    if BASELINE not in surfaces:
        return []
    events = counts.sum(axis=1)
    base = log_score(_at_level(surfaces[BASELINE], events), counts)
    return [
        Result(
            EXPERIMENT, "log_gain", {"predictor": key, "scored_on": scored_on},
            ratio_interval(log_score(_at_level(surface, events), counts) - base, events, draws=draws), "map_daily",
        )
        for key, surface in surfaces.items()
        if key != BASELINE
    ]  # fmt: skip


def _at_level(surface: FloatArray, events: IntArray) -> FloatArray:
    """Scale each day's map to the events of that day; a map of zeros stays one."""
    total = surface.sum(axis=1, keepdims=True)
    return np.asarray(surface * np.divide(events[:, None], total, out=np.zeros(total.shape), where=total > 0))


def _daily_table(s: DailyScores, *, day0: int, predictor: str, area: float, scored_on: str) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "day": np.arange(day0, day0 + len(s.events)), "predictor": predictor, "area": area, "scored_on": scored_on,
            "cells_flagged": s.k, "events": s.events, "hits": s.hits, "best_hits": s.best_hits,
            "hit_rate": s.hit_rate, "pai": s.pai, "pei": s.pei,
        }
    )  # fmt: skip


def _map_table(seen: Mapping[str, npt.NDArray[Any]], surfaces: Mapping[str, FloatArray], *, day0: int) -> pd.DataFrame:
    n_days, n_cells = seen["truth"].shape
    return pd.DataFrame(
        {
            "day": np.repeat(np.arange(day0, day0 + n_days, dtype=np.int32), n_cells),
            "cell": np.tile(np.arange(n_cells, dtype=np.int32), n_days),
            "latent": seen["truth"].ravel().astype(np.int32),
            "recorded": seen["records"].ravel().astype(np.int32),
            **{key: surface.ravel().astype(np.float32) for key, surface in surfaces.items()},
        }
    )


def _placed(frame: pd.DataFrame, *, grid: Grid, start: pd.Timestamp) -> pd.DataFrame:
    return frame.assign(
        **{
            col.CELL: grid.cell_of(frame[col.X_M].to_numpy(np.float64), frame[col.Y_M].to_numpy(np.float64)),
            "day": day_index(frame[col.T_EVENT], start=start),
            "day_entered": day_index(frame[col.T_ENTRY if col.T_ENTRY in frame else col.T_EVENT], start=start),
        }
    )


def _late(records: pd.DataFrame, *, n_days: int) -> IntArray:
    ok = (records[col.CELL] >= 0) & records["day"].between(0, n_days - 1) & (records["day_entered"] > records["day"])
    return records.loc[ok, ["day", col.CELL, "day_entered"]].to_numpy(np.int64)


def _input_row(name: str, frame: pd.DataFrame, *, used: int, n_days: int) -> dict[str, Any]:
    outside = frame[col.CELL] < 0
    return {
        "input": name, "rows": len(frame), "used": used, "off_grid": int(outside.sum()),
        "off_days": int((~outside & ~frame["day"].between(0, n_days - 1)).sum()),
        "entered_a_day_late_or_more": int((frame["day_entered"] > frame["day"]).sum()),
    }  # fmt: skip
