"""What a backtest reads: records of a lake, the public map of the city, its calendar and weather; truth to score on.

Predictors are handed records, places anybody can see and days anybody can look up. Truth is read here, where a
simulator left one, and goes to the scores alone.

What it cannot tell you: whether the lake is whole. What no ingest let in is in its quarantine, and what nobody wrote
down is nowhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from contrechamp.domain import columns as col
from contrechamp.domain.errors import ContractError, ContrechampError
from contrechamp.domain.grid import FloatArray, Grid, count_cube, day_index
from contrechamp.domain.history import Covariates, EventLog
from contrechamp.store.lake import read_stream
from ingest import FORMATS, load_format
from models.place_layers import place_layers
from synthetic_data.calendar import school_holidays
from synthetic_data.scenario import LOCAL_TZ, Scenario

EVALUATED_DAYS: Final = 56
#: Fewest days to learn from before the first one predicted.
LEAST_HISTORY: Final = 28
#: Days before those evaluated that are read from a lake whose records go back further: three times 52 weeks.
HISTORY_DAYS: Final = 1092
TERRITORY: Final = "landing/territory.json"
PLACES: Final = "landing/places.json"
#: Stream of the municipal log, of published tables, of the weather, of places.
RECORDS, PUBLISHED, WEATHER, OPEN_DATA = "mains_courantes", "incidents", "meteo", "donnees_ouvertes"
_COARSE: Final = ("month", "year")


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a backtest or a prediction works from.

    Attributes
    ----------
    log : EventLog
    truth : ndarray of int32, shape (n_days, n_cells), or None
        Latent incidents, where a simulator left them.
    grid : Grid
    start : Timestamp
        Local midnight that opens day 0.
    covariates : Covariates
        Covering ``n_days + 1`` days at least: the morning after the last record is known too.
    accounts : DataFrame
        One row per input: rows read, used, left out and why.
    crs : str
        System of the coordinates.
    outline : {"territory", "hull"}
        Where the land of the grid comes from: the city's public outline, or the hull of its records.
    stream : str
        Stream the records come from.
    """

    log: EventLog
    truth: npt.NDArray[np.int32] | None
    grid: Grid
    start: pd.Timestamp
    covariates: Covariates
    accounts: pd.DataFrame
    crs: str = col.CRS_M
    outline: str = "territory"
    stream: str = RECORDS

    @property
    def n_days(self) -> int:
        """Days from the first to the last."""
        return self.log.n_days


def read_run(work: Path) -> Inputs:
    """Read what the backtest of a run being built works from.

    Parameters
    ----------
    work : Path
        Run folder holding ``scenario.resolved.toml``, ``landing/territory.json``, ``landing/places.json`` (absent from
        older folders), ``truth/incidents.parquet`` and ``lake/``.

    Raises
    ------
    ContractError
        If the scenario is too short for a history and :data:`EVALUATED_DAYS` days of test.
    """
    n_days = Scenario.load(work / "scenario.resolved.toml").time.n_days
    least = EVALUATED_DAYS + LEAST_HISTORY
    if n_days < least:
        raise ContractError(
            f"A backtest needs {EVALUATED_DAYS} days to predict and at least {LEAST_HISTORY} of history. The scenario "
            f"has {n_days} days. Set `time.n_days` to {least} or more (the quick profile has 420)."
        )
    return read_lake(work / "lake", city=work)


def read_lake(
    lake: str | Path, *, city: Path | None = None, cell_m: float = 250.0, days: int = 0, ahead: int = 0
) -> Inputs:
    """Read records of a lake on the grid of their city.

    Parameters
    ----------
    lake : str or Path
        Folder or fsspec URL.
    city : Path, optional
        Folder made by ``contrechamp generate`` for the same city: its grid, its places, its dates, and its truth where
        it has one. Without it the grid covers the hull of the records, and nothing is known of truth.
    cell_m : float, default=250.0
        Side of a cell where no city gives a grid.
    days : int, default=0
        Days to be evaluated, without a city: :data:`HISTORY_DAYS` before them are read, and none where records begin
        later.
    ahead : int, default=0
        Days after the morning that follows the last record for which the calendar is wanted too.

    Raises
    ------
    ContractError
        If the lake has no record to learn from, or the city's outline cannot be read.
    """
    stream, frame, crs = _records(lake)
    if city is None:
        start, n_days, grid = _window(frame, days=days, cell_m=cell_m)
        truth, outline = None, "hull"
    else:
        if stream != RECORDS:
            raise ContractError(
                f"{lake} holds a published table, and {city} is another city. Leave --city out: its grid and its truth "
                "are not those of these records."
            )
        resolved = city / "scenario.resolved.toml"
        if not resolved.is_file():
            raise ContractError(
                f"There is no city at {city}: it has no {resolved.name}. Give the folder that `contrechamp generate "
                "--out` made, or leave --city out: the grid then covers the hull of the records."
            )
        scenario = Scenario.load(resolved)
        start, n_days = scenario.start, scenario.time.n_days
        grid, outline = _territory(city / TERRITORY), "territory"
        path = city / "truth" / "incidents.parquet"
        truth = _truth(path, grid=grid, start=start) if path.is_file() else None
    records = _placed(frame, grid=grid, start=start)
    log = EventLog.from_arrays(
        t_days=_days_since(records[col.T_EVENT], start=start), x_m=records[col.X_M], y_m=records[col.Y_M],
        cell=records[col.CELL], known_day=records["day_entered"], grid=grid, n_days=n_days,
    )  # fmt: skip
    accounts = [_account("records", records, used=len(log.points), n_days=n_days)]
    cube = None
    if truth is not None:
        cube = count_cube(truth[col.CELL], truth["day"], n_cells=grid.n_cells, n_days=n_days)
        accounts.append(_account("truth", truth, used=int(cube.sum()), n_days=n_days))
    covariates = Covariates(
        places=_places(lake, city, grid=grid, crs=crs),
        days=day_layers(start, n_days + 1 + ahead, weather=_weather(lake, stream), holidays=city is not None),
        first_weekday=int(start.weekday()),
    )
    return Inputs(log, cube, grid, start, covariates, pd.DataFrame(accounts), crs, outline, stream)


def day_layers(
    start: pd.Timestamp, n_days: int, *, weather: pd.DataFrame | None = None, holidays: bool = True
) -> dict[str, FloatArray]:
    """What is known of each day on its morning, whatever the place.

    Parameters
    ----------
    start : Timestamp
        Local midnight that opens day 0.
    n_days : int
    weather : DataFrame, optional
        Columns ``t_event`` (UTC), ``temp_c``, ``rain_mm``: one station or more. Row ``d`` bears the weather of day
        ``d - 1``: nobody has measured that of the day itself. A day without any bears the last one known.
    holidays : bool, default=True
        Give the city's school holidays.

    Returns
    -------
    dict of str to ndarray, shape (n_days,)
        ``school_holidays`` (0 or 1); ``temperature_yesterday_c``, ``rain_yesterday_mm`` (mean of the stations' totals)
        and ``weather_known`` (0 where a day had no measure). Weekday and season are the predictors' own to work out.
    """
    layers: dict[str, FloatArray] = {}
    if holidays:
        layers["school_holidays"] = np.asarray(school_holidays(start, n_days), dtype=np.float64)
    if weather is None or weather.empty:
        return layers
    day = day_index(weather[col.T_EVENT], start=start)
    by_day = weather.assign(day=day).groupby("day")
    temperature = by_day["temp_c"].mean().reindex(range(-1, n_days - 1))
    stations = max(1, weather["station"].nunique()) if "station" in weather else 1
    rain = (by_day["rain_mm"].sum(min_count=1) / stations).reindex(range(-1, n_days - 1))
    known = temperature.notna() & rain.notna()
    layers["temperature_yesterday_c"] = temperature.ffill().fillna(0.0).to_numpy(np.float64)
    layers["rain_yesterday_mm"] = rain.ffill().fillna(0.0).to_numpy(np.float64)
    layers["weather_known"] = np.asarray(known, dtype=np.float64)
    return layers


def _records(lake: str | Path) -> tuple[str, pd.DataFrame, str]:
    """Stream, records, coordinate system: the municipal log where there is one, else a published table."""
    frame = read_stream(lake, RECORDS)
    if len(frame):
        return RECORDS, frame, col.CRS_M
    frame = read_stream(lake, PUBLISHED)
    if frame.empty:
        raise ContractError(
            f"{lake} holds no record to learn from: neither the municipal log ({RECORDS}) nor a published table "
            f"({PUBLISHED}). Bring files in with `contrechamp ingest SOURCE --lake {lake}`."
        )
    systems = sorted(set(frame["crs"].astype(str)))
    if len(systems) > 1:
        raise ContractError(
            f"The published tables of {lake} lie in several coordinate systems: {', '.join(systems)}. One grid cannot "
            "hold them; give each its own lake."
        )
    coarse = frame["t_resolution"].astype(str).isin(_COARSE)
    if coarse.all():
        raise ContractError(
            f"The {len(frame)} records of {lake} are dated to the {frame['t_resolution'].iloc[0]}: no map of a day can "
            "be learned from them, nor scored. Take a table that dates its events to the day or better."
        )
    return PUBLISHED, frame[~coarse].reset_index(drop=True), systems[0]


def _window(frame: pd.DataFrame, *, days: int, cell_m: float) -> tuple[pd.Timestamp, int, Grid]:
    """First local day, number of days and grid of records that no city goes with."""
    local = pd.to_datetime(frame[col.T_EVENT], utc=True).dt.tz_convert(_timezone(frame)).dt.tz_localize(None)
    first, last = local.min().normalize(), local.max().normalize()
    first = max(first, last - pd.Timedelta(days=HISTORY_DAYS + days - 1))
    start = first.tz_localize(_timezone(frame), ambiguous=True, nonexistent="shift_forward")
    inside = frame[local >= first]
    xy = inside[[col.X_M, col.Y_M]].to_numpy(np.float64)
    xy = xy[np.isfinite(xy).all(axis=1)]
    if not len(xy):
        raise ContractError("None of the records has a place: no map can be drawn of them, nor scored.")
    hull = shapely.MultiPoint(xy).convex_hull.buffer(cell_m)
    return start, int((last - first).days) + 1, Grid.over(hull, cell_m=cell_m)


def _timezone(frame: pd.DataFrame) -> str:
    """Where the days of these records begin: in the city of a table that is known, at midnight UTC otherwise."""
    if "format" not in frame:
        return LOCAL_TZ
    formats = set(frame["format"].astype(str))
    return load_format(formats.pop()).timezone if len(formats) == 1 and formats <= set(FORMATS) else "UTC"


def _territory(path: Path) -> Grid:
    try:
        return Grid.from_dict(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise ContractError(
            f"There is no outline of the city at {path}. Give the folder that `contrechamp generate --out` made, or "
            "leave --city out: the grid then covers the hull of the records."
        ) from None
    except (OSError, ValueError, KeyError, TypeError, ContrechampError) as cause:
        raise ContractError(f"The outline {path} cannot be read: {cause}. Make it again with `generate`.") from cause


def _truth(path: Path, *, grid: Grid, start: pd.Timestamp) -> pd.DataFrame:
    return _placed(pd.read_parquet(path, columns=[col.T_EVENT, col.X_M, col.Y_M]), grid=grid, start=start)


def _places(lake: str | Path, city: Path | None, *, grid: Grid, crs: str) -> dict[str, FloatArray]:
    """Layers of the public places: those of the city's folder, else those of the lake's open data."""
    path = city / PLACES if city is not None else None
    if path is not None and path.is_file():
        try:
            frame = pd.DataFrame(json.loads(path.read_text(encoding="utf-8"))["places"])
            return place_layers(frame, grid=grid)
        except (OSError, ValueError, KeyError, TypeError) as cause:
            raise ContractError(f"The places {path} cannot be read: {cause}. Make them with `generate`.") from cause
    if crs != col.CRS_M:
        return {}
    frame = read_stream(lake, OPEN_DATA).dropna(subset=[col.X_M, col.Y_M])
    return place_layers(frame.rename(columns={"layer": "kind"}), grid=grid) if len(frame) else {}


def _weather(lake: str | Path, stream: str) -> pd.DataFrame | None:
    return read_stream(lake, WEATHER) if stream == RECORDS else None


def _placed(frame: pd.DataFrame, *, grid: Grid, start: pd.Timestamp) -> pd.DataFrame:
    entered = frame[col.T_ENTRY].fillna(frame[col.T_EVENT]) if col.T_ENTRY in frame else frame[col.T_EVENT]
    return frame.assign(
        **{
            col.CELL: grid.cell_of(frame[col.X_M].to_numpy(np.float64), frame[col.Y_M].to_numpy(np.float64)),
            "day": day_index(frame[col.T_EVENT], start=start),
            "day_entered": day_index(entered, start=start),
        }
    )


def _days_since(t: pd.Series, *, start: pd.Timestamp) -> FloatArray:
    delta = pd.to_datetime(t, utc=True) - start.tz_convert("UTC")
    return np.asarray(delta / pd.Timedelta(days=1), dtype=np.float64)


def _account(name: str, frame: pd.DataFrame, *, used: int, n_days: int) -> dict[str, Any]:
    outside = frame[col.CELL] < 0
    return {
        "input": name, "rows": len(frame), "used": used, "off_grid": int(outside.sum()),
        "off_days": int((~outside & ~frame["day"].between(0, n_days - 1)).sum()),
        "entered_a_day_late_or_more": int((frame["day_entered"] > frame["day"]).sum()),
    }  # fmt: skip
