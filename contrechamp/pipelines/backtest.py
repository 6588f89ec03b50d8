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

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.grid import Grid, IntArray, count_cube
from contrechamp.domain.history import Covariates, EventLog
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.pipelines.backtest_inputs import EVALUATED_DAYS, read_run
from contrechamp.pipelines.backtest_results import (
    BASELINE,
    EXPERIMENT,
    MEASURES,
    N_DRAWS,
    Design,
    draws_of,
    map_table,
    results_of,
    tables_of,
)
from models import PREDICTORS, load_predictor, predictor_class
from models.attainable import attainable
from models.nij import nij_area
from models.scores import best_captured, flagged_size, tie_breaks
from models.tally import Block, join_blocks, tally_block
from models.walk import day_blocks, walk_forward

__all__ = [
    "AREAS", "BASELINE", "CANNOT_TELL", "EVALUATED_DAYS", "EXPERIMENT", "MAPPED", "MEASURES", "N_DRAWS", "ON_REQUEST",
    "backtest", "default_predictors", "run_backtest",
]  # fmt: skip

AREAS: Final = (0.01, 0.05)
#: Predictors that take far longer than the others together: only where they are asked for by name.
ON_REQUEST: Final = ("st-net",)
#: Predictors whose daily maps are kept, cell by cell, for whoever looks at them.
MAPPED: Final = ("uniform", "trailing-mean", "retro-quartic", "etas-per-cell", "sepp", "ensemble")
#: Constraint of the hindsight set of PEI* (see :mod:`models.attainable`).
ATTAINABLE: Final = "static"

CANNOT_TELL: Final = Text(
    fr="Ces scores valent pour cette ville inventée, sous ce régime d’enregistrement, sur ces jours. Le score "
    "calculé sur les enregistrements dit comment la carte annonce l’enregistrement, non ce qui arrive aux gens ; il "
    "dépend de la grille et ne dit rien de l’effet d’une patrouille.",
    en="These scores hold for this invented city, under this way of recording, over these days. The score on records "
    "says how well the map foretells recording, not what happens to people; it depends on the grid and says nothing of "
    "what a patrol does.",
)

_NO_LATE: Final = np.zeros((0, 3), dtype=np.int64)


def default_predictors(covariates: Covariates | None = None) -> tuple[str, ...]:
    """Predictors a backtest runs unless told: all but those of :data:`ON_REQUEST` and those that lack their layers."""
    places = covariates is not None and bool(covariates.places)
    return tuple(
        key for key in PREDICTORS if key not in ON_REQUEST and (places or not predictor_class(key).NEEDS_PLACES)
    )


def backtest(
    records: EventLog | npt.NDArray[Any],
    truth: npt.NDArray[Any] | None,
    *,
    grid: Grid,
    predictors: Sequence[str] | None = None,
    params: Mapping[str, Mapping[str, Any]] | None = None,
    first_day: int,
    areas: Sequence[float] = AREAS,
    late: IntArray = _NO_LATE,
    covariates: Covariates | None = None,
    refit_every: int | None = None,
    pairs: Sequence[tuple[str, str]] = (),
    constraint: str = ATTAINABLE,
    mapped: Sequence[str] = MAPPED,
    seed: int,
    jobs: int = 1,
    progress: Progress = silent,
) -> Outcome:
    """Walk forward one day ahead with each predictor, then score on truth and on records.

    Parameters
    ----------
    records : EventLog, or ndarray of int, shape (n_days, n_cells)
        Recorded events, or their counts by day and cell. Predictors are handed nothing else of what happened.
    truth : ndarray of int, shape (n_days, n_cells), or None
        Latent incidents by day and cell. None where nobody knows them: maps are then scored on records only.
    grid : Grid
    predictors : sequence of str, optional
        Keys of :data:`models.PREDICTORS`; :func:`default_predictors` where left out.
    params : mapping of str to mapping, optional
        Parameters of a predictor, by its key; its defaults otherwise.
    first_day : int
        First day predicted.
    areas : sequence of float
        Shares of the cells to flag.
    late : ndarray of int, shape (n_late, 3)
        With counts: records entered after the day they bear, see :func:`models.walk.walk_forward`.
    covariates : Covariates, optional
        What else was known, covering every day.
    refit_every : int, optional
        Days between two estimations, for all; each predictor's own schedule (``REFIT_DAYS``) where left out.
    pairs : sequence of (str, str)
        Predictors to compare, each with another, beside the comparison of all with :data:`BASELINE`.
    constraint : str
        Of the hindsight set of PEI*, a key of :data:`models.attainable.CONSTRAINTS`.
    mapped : sequence of str
        Predictors whose maps are kept in ``map_daily``.
    seed : int
        Run seed. Ties and bootstrap draws come from it.
    jobs : int, default=1
        Blocks of days of predictors drawn at the same time. Changes no number.

    Returns
    -------
    Outcome
        Results of :data:`MEASURES` by predictor, area and ``scored_on``; tables ``backtest_daily``,
        ``backtest_scores``, ``backtest_moves``, ``calibration_bins``, ``nij_rules``, ``backtest_predictors`` and
        ``map_daily``.

    Raises
    ------
    ParameterError
        For a predictor, parameter, area, pair or constraint that there is not, or arrays of two shapes.

    Notes
    -----
    The same order of equal cells and the same resampled days serve every predictor, so differences are paired.

    Where maps are scored as rates (Brier, calibration) on truth, they are first multiplied by one number, truth over
    records of the days evaluated: as if the city knew how much it misses in all, but not where.
    """
    log = records if isinstance(records, EventLog) else EventLog.from_counts(records, grid=grid, late=late)
    seen = _scored_days(log, truth, first_day=first_day)
    keys = default_predictors(covariates) if predictors is None else tuple(dict.fromkeys(predictors))
    _check_pairs(pairs, keys)
    if refit_every is not None and refit_every < 1:
        raise bad_parameter(name="refit_every", where="backtest", must="at least 1 day", got=refit_every)
    if not keys:
        raise ParameterError("A backtest needs a predictor. List them with `contrechamp hotspot list`.")
    design = _design(seen, grid=grid, areas=areas, pairs=pairs, constraint=constraint)
    ties = tie_breaks(log.n_days - first_day, grid.n_cells, rng=stream(seed, "backtest", "ties"))
    blocks, surfaces, schedule = _walk(
        log, seen, design=design, grid=grid, keys=keys, params=params or {}, first_day=first_day,
        covariates=covariates, refit_every=refit_every, mapped=mapped, ties=ties, jobs=jobs, progress=progress,
    )  # fmt: skip
    draws_on = {kind: draws_of(blocks, design, kind, seed=seed) for kind in seen}
    tables = tables_of(blocks, design, draws_on=draws_on, day0=first_day, constraint=constraint)
    return Outcome(
        results_of(blocks, design, draws_on=draws_on),
        {**tables, "backtest_predictors": schedule, "map_daily": map_table(seen, surfaces, day0=first_day)},
    )


def run_backtest(work: Path, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Backtest the platform of a run being built: records from its lake, truth from its simulator.

    Parameters
    ----------
    work : Path
        Run folder, see :func:`contrechamp.pipelines.backtest_inputs.read_run`.
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
    progress("backtest: read", 0, 1)
    given = read_run(work)
    outcome = backtest(
        given.log, given.truth, grid=given.grid, first_day=given.n_days - EVALUATED_DAYS, covariates=given.covariates,
        seed=seed, jobs=jobs, progress=progress,
    )  # fmt: skip
    return Outcome(outcome.results, {**outcome.tables, "backtest_inputs": given.accounts})


def _scored_days(log: Any, truth: npt.NDArray[Any] | None, *, first_day: int) -> dict[str, npt.NDArray[Any]]:
    """Counts of the days evaluated, by kind of events."""
    if isinstance(log, EventLog):
        days = np.floor(log.points.t_days).astype(np.int64)
        counts: npt.NDArray[Any] = count_cube(
            log.points.cell, days - first_day, n_cells=log.grid.n_cells, n_days=max(log.n_days - first_day, 0)
        )
        shape: tuple[int, ...] = (log.n_days, log.grid.n_cells)
    else:
        counts, shape = log.counts[first_day:], log.counts.shape
    if truth is not None and (truth.shape != shape or len(shape) != 2):
        raise bad_parameter(
            name="records, truth", where="backtest", must="two arrays of the same shape (n_days, n_cells)",
            got=(shape, truth.shape),
        )  # fmt: skip
    return ({} if truth is None else {"truth": truth[first_day:]}) | {"records": counts}


def _check_pairs(pairs: Sequence[tuple[str, str]], keys: Sequence[str]) -> None:
    absent = sorted({key for pair in pairs for key in pair} - set(keys))
    if absent:
        raise bad_parameter(
            name="pairs", where="backtest", must="pairs of predictors that are run", got=absent,
            remedy=f"Those that are run: {', '.join(keys)}.",
        )  # fmt: skip


def _design(
    seen: Mapping[str, npt.NDArray[Any]], *, grid: Grid, areas: Sequence[float], pairs: Sequence[tuple[str, str]],
    constraint: str,
) -> Design:  # fmt: skip
    by_area = {area: flagged_size(area, n_cells=grid.n_cells) for area in dict.fromkeys(areas)}
    nij = nij_area(grid)
    sizes = (*by_area.values(), nij.k)
    at = np.asarray(sizes) - 1
    totals = {kind: int(counts.sum()) for kind, counts in seen.items()}
    level = {kind: total / totals["records"] if totals["records"] else 1.0 for kind, total in totals.items()}
    return Design(
        areas=by_area, sizes=sizes, nij=nij, n_cells=grid.n_cells,
        best={kind: best_captured(counts)[:, at] for kind, counts in seen.items()},
        attainable={
            kind: np.stack([attainable(counts, k=k, grid=grid, constraint=constraint) for k in sizes], axis=1)
            for kind, counts in seen.items()
        },
        level=level, pairs=pairs,
    )  # fmt: skip


def _walk(
    log: Any, seen: Mapping[str, npt.NDArray[Any]], *, design: Design, grid: Grid, keys: Sequence[str],
    params: Mapping[str, Mapping[str, Any]], first_day: int, covariates: Covariates | None, refit_every: int | None,
    mapped: Sequence[str], ties: IntArray, jobs: int, progress: Progress,
) -> tuple[dict[str, Block], dict[str, npt.NDArray[np.float32]], pd.DataFrame]:  # fmt: skip
    """Draw and sum every block of days of every predictor."""
    refit = {key: refit_every or int(predictor_class(key).REFIT_DAYS) for key in keys}
    made = {key: load_predictor(key, **params.get(key, {})) for key in keys}  # an error in one stops all, at once
    tasks = [(key, *span) for key in keys for span in day_blocks(first_day, log.n_days, refit_every=refit[key])]

    def one(key: str, day: int, end: int) -> tuple[Block, npt.NDArray[np.float32] | None]:
        maps = walk_forward(
            load_predictor(key, **params.get(key, {})), log, grid=grid, first_day=day, last_day=end,
            covariates=covariates, refit_every=refit[key],
        )  # fmt: skip
        rows = slice(day - first_day, end - first_day)
        counts = {kind: cube[rows] for kind, cube in seen.items()}  # opened once the maps are drawn
        block = tally_block(maps, counts, sizes=design.sizes, ties=ties[rows], level=design.level)
        return block, maps.astype(np.float32) if key in mapped else None

    parts: dict[str, list[Any]] = {key: [] for key in keys}
    done = Parallel(n_jobs=jobs, prefer="threads", return_as="generator")(delayed(one)(*task) for task in tasks)
    for count, (task, part) in enumerate(zip(tasks, done, strict=True), start=1):
        parts[task[0]].append(part)
        progress("backtest: predict", count, len(tasks))
    blocks = {key: join_blocks([block for block, _ in found], sizes=design.sizes) for key, found in parts.items()}
    surfaces = {key: np.concatenate([m for _, m in parts[key]]) for key in keys if key in mapped}
    schedule = pd.DataFrame(
        {
            "predictor": list(keys), "refit_days": [refit[key] for key in keys],
            "parameters": [json.dumps(made[key].get_params(), sort_keys=True) for key in keys],
        }
    )  # fmt: skip
    return blocks, surfaces, schedule
