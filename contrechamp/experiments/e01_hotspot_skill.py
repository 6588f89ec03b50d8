"""E01. Does a learned map of tomorrow beat last year's mean? On what happens, not only on what is recorded.

Invented cities are drawn by day and cell: every place has its level, incidents may call for others nearby (``kappa``),
they may be many or rare (``latent_per_day``), places may turn into others (``turnover``). A part of the incidents is
recorded (``recorded_share``), everywhere alike or where patrols are (``recording_bias``). Forecasts and the maps that
cost nothing learn from the same records; the city tries the forecasts on its records and keeps the best; all are scored
on the latent incidents of later days and, apart, on their records.

Beside the gain of the chosen forecast stands the *ceiling*: the gain of a clairvoyant who ranks the cells by the true
intensity of the day. Where the ceiling is under the threshold, no forecast could have passed; that is a property of
the world.

What it cannot tell you: whether real cities are like these. It says in which of them a forecast is worth its price,
and the forecasts are those of the registry, not every forecast one could sell.

Notes
-----
The drawing and the scoring of one world are in :mod:`contrechamp.experiments.e01_worlds`, the measures in
:mod:`contrechamp.experiments.e01_measures`.

References
----------
.. [1] Mohler et al. (2015), "Randomized controlled field trials of predictive policing", JASA 110(512), 1399-1411,
   doi:10.1080/01621459.2015.1077710.
"""

from __future__ import annotations

from typing import Any, Final

import pandas as pd
from joblib import Parallel, delayed

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Outcome
from contrechamp.domain.text import Text
from contrechamp.experiments import e01_measures, e01_worlds
from contrechamp.experiments.e01_params import Params
from contrechamp.experiments.e01_worlds import BASELINES
from models import predictor_class

ID: Final = e01_worlds.ID
MEASURES: Final = e01_measures.MEASURES


CANNOT_TELL: Final = Text(
    fr="Ces mondes sont inventés : l’expérience dit dans lesquels une prévision vaut mieux qu’une moyenne, pas auquel "
    "une ville ressemble. Les lieux y gardent leur niveau, ou glissent peu à peu vers un autre ; des points chauds "
    "surgis d’un jour à l’autre n’y figurent pas, ni heures, ni rues, ni types de faits. Elle juge les prévisions du "
    "registre, apprises sur les seuls enregistrements, non toute prévision possible ; le plafond du devin borne les "
    "autres. La carte d’analyste est simulée : personne ne l’a dessinée. Elle ne dit rien de l’effet d’une patrouille "
    "ni de ce qu’elle coûte aux gens.",
    en="These worlds are invented: the experiment says in which of them a forecast is worth more than a mean, not "
    "which one a city resembles. Places keep their level, or turn slowly into others; hot spots that appear from one "
    "day to the next are not among them, nor hours, streets or types of events. It judges the forecasts of the "
    "registry, learned from records alone, not every possible forecast; the clairvoyant's ceiling bounds the others. "
    "The analyst's map is simulated: nobody drew it. It says nothing of what a patrol does, or costs people.",
)


def run(params: Params, *, seed: int, jobs: int = 1, progress: Progress = silent) -> Outcome:
    """Run E01.

    Returns
    -------
    Outcome
        Results by ``latent_per_day``, ``turnover``, ``kappa``, ``recorded_share`` and ``recording_bias`` (and ``area``,
        ``predictor`` where it matters), those of single predictors by the first three; tables ``e01_worlds`` (one row
        per world, file of records, kind of events, area and map) and ``e01_maps`` (share of the map for 83 %, log
        scores).

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.
    """
    _check(params)
    tasks = [(here, rep) for here in e01_worlds.kinds(params) for rep in range(params.worlds)]
    work = Parallel(n_jobs=jobs, return_as="generator")(
        delayed(e01_worlds.one_world)(params, here, rep=rep, seed=seed) for here, rep in tasks
    )
    rows: list[dict[str, Any]] = []
    maps: list[dict[str, Any]] = []
    for done, (world_rows, world_maps) in enumerate(work, start=1):
        rows += world_rows
        maps += world_maps
        progress("E01: worlds", done, len(tasks))
    tables = {"e01_worlds": pd.DataFrame(rows), "e01_maps": pd.DataFrame(maps)}
    return Outcome(e01_measures.results(tables["e01_worlds"], tables["e01_maps"], params=params), tables)


def _check(params: Params) -> None:
    last = params.memory_days + params.tried_days + params.evaluated_days
    for name, ok, must in (
        ("worlds", params.worlds >= 1, "at least 1"),
        ("every", params.every >= 1, "at least 1"),
        ("refit_days", params.refit_days >= 1, "at least 1"),
        ("evaluated_days", params.evaluated_days >= 8 * params.every, "at least 8 predicted days"),
        ("tried_days", params.tried_days >= params.every, "at least one predicted day"),
        ("memory_days", params.memory_days >= 1, "at least 1"),
        ("n_days", params.n_days >= last, f"at least {last}: memory, trial and evaluation"),
        ("rows, columns", min(params.rows, params.columns) >= 2, "at least 2"),
        ("areas", _within(params.areas, 0, 1, closed=False), "shares in (0, 1]"),
        ("n_draws", params.n_draws >= 99, "at least 99"),
        ("latent_per_day", _within(params.latent_per_day, 0, float("inf"), closed=False), "numbers above 0"),
        ("kappas", _within(params.kappas, 0, 0.9), "numbers in [0, 0.9]"),
        ("recorded_shares", _within(params.recorded_shares, 0, 1, closed=False), "shares in (0, 1]"),
        ("recording_biases", _within(params.recording_biases, 0, 1), "numbers in [0, 1]"),
        ("turnovers", _within(params.turnovers, 0, 1), "numbers in [0, 1]"),
        ("gain", params.gain > 0, "above 0"),
        ("table_worlds", params.table_worlds >= 0, "at least 0"),
        ("forecasts", bool(params.forecasts), "at least one predictor"),
    ):
        if not ok:
            raise bad_parameter(name=name, where=ID, must=must, got=getattr(params, name.partition(",")[0]))
    tested = (*params.forecasts, *params.table_forecasts)
    if len(set(tested) | set(BASELINES)) < len(tested) + len(BASELINES):
        raise bad_parameter(
            name="forecasts", where=ID, must="predictors that are no baseline, each named once", got=tested
        )
    for key in tested:
        if predictor_class(key).NEEDS_PLACES:
            raise bad_parameter(
                name="forecasts", where=ID, must="predictors that can do without places", got=key,
                remedy="These worlds have no streets and no shops.",
            )  # fmt: skip


def _within(values: tuple[float, ...], low: float, high: float, *, closed: bool = True) -> bool:
    return bool(values) and all((low <= v if closed else low < v) and v <= high for v in values)
