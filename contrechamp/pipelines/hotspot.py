"""The verbs of ``contrechamp hotspot`` on a lake: put predictors to the test, or draw the map of a day to come.

What it cannot tell you: see :data:`CANNOT_TELL`, printed with every map.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd

from contrechamp.domain.columns import CELL
from contrechamp.domain.errors import ContractError, ParameterError, bad_parameter
from contrechamp.domain.protocols import Progress, silent
from contrechamp.domain.results import Outcome
from contrechamp.domain.rng import stream
from contrechamp.domain.text import Text
from contrechamp.pipelines.backtest import AREAS, backtest
from contrechamp.pipelines.backtest_inputs import (
    EVALUATED_DAYS,
    LEAST_HISTORY,
    PLACES,
    TERRITORY,
    Inputs,
    read_lake,
)
from models import load_predictor, predictor_class
from models.scores import flagged_size, rank_cells, tie_breaks

#: Days after the last record for which a map may be asked: later, nothing of the last weeks speaks of it.
MOST_AHEAD: Final = 28
#: Share of the cells listed where no number is asked for.
SHOWN_AREA: Final = 0.01

CANNOT_TELL: Final = Text(
    fr="Cette carte range les lieux selon ce qui y fut enregistré. Elle ne dit ni ce qui arrive sans être enregistré, "
    "ni qui est là, ni ce qu’une patrouille y changerait ; et rien de sa justesse : `contrechamp hotspot backtest`.",
    en="This map ranks places by what was recorded in them. It tells neither what happens unrecorded, nor who is "
    "there, nor what a patrol would change; and nothing of how good it is: `contrechamp hotspot backtest`.",
)


@dataclass(frozen=True, eq=False)
class DayMap:
    """The map of one day.

    Attributes
    ----------
    cells : DataFrame
        One row per flagged cell: ``rank``, ``cell``, ``x_m``, ``y_m`` (its centre), ``lon``, ``lat``, ``expected``
        (records on that day) and ``share`` (of the whole map).
    predictor : str
    day : Timestamp
        The local day predicted.
    n_records, n_days, n_days_used : int
        Records and days the file knew that morning, and days the map rests on.
    n_cells : int
        Cells of the grid.
    expected_total : float
        Records expected on that day over the whole grid.
    tied : int
        Cells that tie with the last one flagged and are not: chance, from the seed, chose between them.
    inputs : Inputs
    """

    cells: pd.DataFrame
    predictor: str
    day: pd.Timestamp
    n_records: int
    n_days: int
    n_days_used: int
    n_cells: int
    expected_total: float
    tied: int
    inputs: Inputs


def lake_and_city(source: str, city: Path | None) -> tuple[str, Path | None]:
    """Lake and city of what was given: a lake, or a folder that holds one beside its ``landing``."""
    folder = Path(source)
    if (folder / "lake").is_dir() and (folder / TERRITORY).is_file():
        return str(folder / "lake"), city or folder
    if (folder / TERRITORY).is_file():
        raise ContractError(
            f"{source} is a generated city without a lake. Bring its files in first (`contrechamp ingest "
            f"{folder / 'landing'} --lake LAC`), then give the lake, with --city {source}."
        )
    if "://" not in source and not folder.is_dir():
        raise ContractError(f"There is no lake at {source}. Make one with `contrechamp ingest SOURCE --lake {source}`.")
    return source, city


def backtest_lake(
    source: str, *, city: Path | None = None, predictors: Sequence[str] | None = None,
    areas: Sequence[float] = AREAS, days: int = EVALUATED_DAYS, refit_every: int | None = None,
    pairs: Sequence[tuple[str, str]] = (), cell_m: float = 250.0, seed: int, jobs: int = 1,
    progress: Progress = silent,
) -> tuple[Outcome, Inputs]:  # fmt: skip
    """Backtest predictors on a lake, over its last ``days`` days.

    Parameters
    ----------
    source : str
        A lake, or a run's folder.
    city, cell_m
        See :func:`contrechamp.pipelines.backtest_inputs.read_lake`.
    predictors, areas, refit_every, pairs, seed, jobs, progress
        See :func:`contrechamp.pipelines.backtest.backtest`.
    days : int
        Days evaluated, the last of the lake.

    Raises
    ------
    ParameterError, ContractError
        If a parameter is out of its domain, or the lake too short or empty.
    """
    for key in predictors or ():
        predictor_class(key)  # an unknown name is refused before anything is read
    if days < 1:
        raise bad_parameter(name="days", where="backtest_lake", must="at least 1 day", got=days)
    lake, where = lake_and_city(source, city)
    progress("backtest: read", 0, 1)
    given = read_lake(lake, city=where, cell_m=cell_m, days=days)
    if given.n_days < days + LEAST_HISTORY:
        raise ContractError(
            f"A backtest of {days} days needs at least {LEAST_HISTORY} days of history before them. The records of "
            f"{source} span {given.n_days} days. Ask for {max(given.n_days - LEAST_HISTORY, 0)} days or fewer (--days)."
        )
    _need_places(predictors or (), given)
    outcome = backtest(
        given.log, given.truth, grid=given.grid, predictors=predictors, areas=areas, first_day=given.n_days - days,
        covariates=given.covariates, refit_every=refit_every, pairs=pairs, seed=seed, jobs=jobs, progress=progress,
    )  # fmt: skip
    return Outcome(outcome.results, {**outcome.tables, "backtest_inputs": given.accounts}), given


def _need_places(predictors: Sequence[str], given: Inputs) -> None:
    lost = [key for key in predictors if predictor_class(key).NEEDS_PLACES]
    if lost and not given.covariates.places:
        raise ContractError(
            f"The predictor {lost[0]!r} needs to know where places stand, and nothing says it: there is no {PLACES} "
            "in the city's folder, nor open data in the lake. Give --city, ingest open data, or take another predictor."
        )


def predict_day(
    source: str, *, predictor: str, city: Path | None = None, params: Mapping[str, Any] | None = None,
    at: pd.Timestamp | None = None, top: int | None = None, cell_m: float = 250.0, seed: int = 0,
) -> DayMap:  # fmt: skip
    """Draw the map of one day, from what the file knew that morning.

    Parameters
    ----------
    source, city, cell_m
        See :func:`backtest_lake`.
    predictor : str
        Key of :data:`models.PREDICTORS`.
    params : mapping, optional
        Its parameters.
    at : Timestamp, optional
        Local day, without a time zone; the day after the last one of the lake where left out. A past day is predicted
        from what was known then, a later one (:data:`MOST_AHEAD` days at most) from the last records.
    top : int, optional
        Cells listed; :data:`SHOWN_AREA` of the map where left out.
    seed : int, default=0
        Chooses among equal cells.

    Raises
    ------
    ParameterError, ContractError
        If a parameter is out of its domain, or the lake empty.
    """
    model = load_predictor(predictor, **(params or {}))
    lake, where = lake_and_city(source, city)
    given = read_lake(lake, city=where, cell_m=cell_m, ahead=MOST_AHEAD)
    _need_places([predictor], given)
    first = given.start.tz_localize(None).normalize()
    day = given.n_days if at is None else int((pd.Timestamp(at).normalize() - first).days)
    if not LEAST_HISTORY <= day <= given.n_days + MOST_AHEAD:
        raise ParameterError(
            f"A map needs {LEAST_HISTORY} days of history and looks {MOST_AHEAD} days ahead at most: for these "
            f"records, a day from {_day(first, LEAST_HISTORY)} to {_day(first, given.n_days + MOST_AHEAD)}. "
            f"Got {_day(first, day)}."
        )
    k = flagged_size(SHOWN_AREA, n_cells=given.grid.n_cells) if top is None else top
    if not 1 <= k <= given.grid.n_cells:
        raise bad_parameter(
            name="top", where="predict_day", must=f"a number of cells in [1, {given.grid.n_cells}]", got=top
        )
    seen = given.log.until(min(day, given.n_days))
    surface = model.fit(seen, grid=given.grid, covariates=given.covariates).predict(day)
    ties = tie_breaks(1, given.grid.n_cells, rng=stream(seed, "hotspot", "ties"))
    order = rank_cells(surface, ties=ties)[0]
    chosen = order[:k]
    last = surface[chosen[-1]]
    return DayMap(
        _cells(chosen, surface, given), predictor, first + pd.Timedelta(days=day), int(seen.counts.sum()), seen.n_days,
        int(model.n_days_used_), given.grid.n_cells, float(surface.sum()),
        int(np.isclose(surface[order[k:]], last, rtol=1e-12, atol=0.0).sum()), given,
    )  # fmt: skip


def write_map(drawn: DayMap, path: Path) -> None:
    """Write the flagged cells, in the format its name ends with.

    The folder is made where there is none; a file of that name is replaced.

    Raises
    ------
    ParameterError
        For another ending.
    """
    write = _writer(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    write(drawn, path)


def check_map_name(path: Path) -> None:
    """Refuse a name of file that :func:`write_map` would not know how to write."""
    _writer(path)


def _geojson(drawn: DayMap, path: Path) -> None:
    grid = drawn.inputs.grid
    squares = grid.to_geodataframe().set_crs(drawn.inputs.crs, allow_override=True)
    rows = squares.iloc[drawn.cells[CELL].to_numpy()].reset_index(drop=True)
    rows = rows.assign(**{name: drawn.cells[name].to_numpy() for name in ("rank", "expected", "share")})
    rows["day"], rows["predictor"] = drawn.day.date().isoformat(), drawn.predictor
    path.write_text(rows.to_crs("EPSG:4326").to_json(), encoding="utf-8")


def _csv(drawn: DayMap, path: Path) -> None:
    drawn.cells.to_csv(path, index=False)


def _parquet(drawn: DayMap, path: Path) -> None:
    drawn.cells.to_parquet(path, index=False)


_WRITERS: Final[Mapping[str, Callable[[DayMap, Path], None]]] = {
    ".geojson": _geojson, ".csv": _csv, ".parquet": _parquet
}  # fmt: skip


def _writer(path: Path) -> Callable[[DayMap, Path], None]:
    if path.suffix not in _WRITERS:
        raise ParameterError(
            f"A map is written to a file whose name ends with {', '.join(_WRITERS)}. Got {path.name!r}."
        )
    return _WRITERS[path.suffix]


def _cells(chosen: Any, surface: Any, given: Inputs) -> pd.DataFrame:
    from pyproj import Transformer

    x, y = given.grid.centres_m[chosen].T
    lon, lat = Transformer.from_crs(given.crs, "EPSG:4326", always_xy=True).transform(x, y)
    total = float(surface.sum())
    return pd.DataFrame(
        {
            "rank": np.arange(1, len(chosen) + 1), CELL: chosen, "x_m": x, "y_m": y, "lon": np.round(lon, 6),
            "lat": np.round(lat, 6), "expected": surface[chosen],
            "share": surface[chosen] / total if total > 0 else np.zeros(len(chosen)),
        }
    )  # fmt: skip


def _day(first: pd.Timestamp, day: int) -> str:
    return str((first + pd.Timedelta(days=day)).date())
