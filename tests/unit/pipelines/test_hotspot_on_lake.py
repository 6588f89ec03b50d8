"""Predict and backtest on a lake: a generated city's, and a published table's."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.errors import ContractError, ParameterError
from contrechamp.domain.grid import Grid
from contrechamp.pipelines.backtest_inputs import day_layers, read_lake
from contrechamp.pipelines.hotspot import backtest_lake, predict_day, write_map
from contrechamp.store.lake import SCHEMAS, merge

GRID = Grid(890_000.0, 6_240_000.0, 250.0, np.ones((10, 12), dtype=bool))
START = pd.Timestamp("2017-01-02", tz="Europe/Paris")
N_DAYS = 70
CHEAP = ["uniform", "trailing-mean", "retro-quartic"]


def _rows(table: str, frame: pd.DataFrame) -> pd.DataFrame:
    """Fill the columns of a table that a test does not care for."""
    for field in SCHEMAS[table]:
        if field.name not in frame:
            frame[field.name] = 1 if str(field.type).startswith("int") else "x"
    frame["record_id"] = frame["row_sha256"] = [f"R{i:06d}" for i in range(len(frame))]
    return frame


def _events(rng: np.random.Generator, n: int) -> pd.DataFrame:
    spot = rng.choice(GRID.n_cells, n, p=np.arange(1, 121) / 7260)  # the last cells hold most
    x, y = (GRID.centres_m[spot] + rng.uniform(-120, 120, (n, 2))).T
    t = START.tz_convert("UTC") + pd.to_timedelta(np.sort(rng.uniform(0, N_DAYS * 86400, n)), unit="s").floor("s")
    return pd.DataFrame({"t_event": t.astype("datetime64[us, UTC]"), "x_m": x, "y_m": y})


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated city's folder with its lake in it."""
    folder, rng = tmp_path_factory.mktemp("city"), np.random.default_rng(3)
    (folder / "landing").mkdir()
    (folder / "truth").mkdir()
    (folder / "landing" / "territory.json").write_text(json.dumps(GRID.to_dict()))
    places = [{"kind": "bar", "x_m": 892_900, "y_m": 6_242_400}, {"kind": "school", "x_m": 890_100, "y_m": 6_240_100}]
    (folder / "landing" / "places.json").write_text(json.dumps({"places": places}))
    (folder / "scenario.resolved.toml").write_text(f'[time]\nstart = "2017-01-02"\nn_days = {N_DAYS}\n')
    truth = _events(rng, 6000)
    truth.to_parquet(folder / "truth" / "incidents.parquet")
    known = truth.iloc[::3].reset_index(drop=True)
    known["t_entry"] = known["t_event"] + pd.Timedelta(minutes=20)
    merge(folder / "lake", "mains_courantes", _rows("mains_courantes", known))
    return folder


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake of a published table, in metres of Illinois."""
    lake = tmp_path_factory.mktemp("published") / "lake"
    frame = _events(np.random.default_rng(4), 2000).assign(crs="EPSG:26971", t_resolution="minute", format="chicago")
    frame["x_m"], frame["y_m"] = frame["x_m"] - 540_000, frame["y_m"] - 5_660_000
    merge(lake, "incidents", _rows("incidents", frame))
    return lake


def test_a_run_gives_its_lake_its_grid_and_its_truth(city: Path) -> None:
    outcome, given = backtest_lake(str(city), predictors=CHEAP, days=20, seed=1)
    assert (given.grid.n_cells, given.n_days, given.outline, given.stream) == (120, 70, "territory", "mains_courantes")
    assert given.covariates.first_weekday == 0  # 2 January 2017 was a Monday
    assert {r.world.get("scored_on") for r in outcome.results} == {"truth", "records", None}
    accounts = outcome.tables["backtest_inputs"].set_index("input")
    assert accounts.loc["records", ["rows", "used"]].tolist() == [2000, 2000]
    assert accounts.loc["truth", "used"] == 6000
    layers = given.covariates.places
    assert set(layers) == {"bar_distance_m", "bar_per_km2", "school_distance_m", "school_per_km2"}
    assert layers["school_distance_m"].argmin() == 0


def test_a_lake_alone_is_scored_on_records_only(city: Path) -> None:
    outcome, given = backtest_lake(str(city / "lake"), predictors=["uniform", "trailing-mean"], days=20, seed=1)
    assert given.truth is None
    assert given.outline == "hull"
    assert "truth" not in {r.world.get("scored_on") for r in outcome.results}
    assert given.log.points.t_days.min() >= 0
    assert len(given.log.points) == 2000


def test_city_beside_a_lake_is_the_same_as_the_run(city: Path) -> None:
    one, _ = backtest_lake(str(city), predictors=CHEAP, days=20, seed=1)
    two, _ = backtest_lake(str(city / "lake"), city=city, predictors=CHEAP, days=20, seed=1)
    assert [r.to_dict() for r in one.results] == [r.to_dict() for r in two.results]


def test_a_published_table_has_its_own_days_and_metres(published: Path) -> None:
    outcome, given = backtest_lake(str(published), predictors=CHEAP, days=14, seed=1)
    assert (given.crs, given.stream, str(given.start.tz)) == ("EPSG:26971", "incidents", "America/Chicago")
    assert given.start.hour == 0
    assert given.n_days == 71  # 16:00 of the Sunday in Chicago is midnight of the Monday in Paris
    assert len(given.log.points) == 2000
    assert given.covariates.places == {}
    assert all(r.interval.n == 14 for r in outcome.results)
    with pytest.raises(ContractError, match="another city"):
        read_lake(published, city=Path("anywhere"))


def test_tables_dated_to_the_month_are_refused(tmp_path: Path) -> None:
    frame = _events(np.random.default_rng(4), 30).assign(crs="EPSG:27700", t_resolution="month", format="police-uk")
    merge(tmp_path, "incidents", _rows("incidents", frame))
    with pytest.raises(ContractError, match="dated to the month"):
        read_lake(tmp_path)


def test_tomorrow_is_drawn_from_what_the_file_knew(city: Path) -> None:
    drawn = predict_day(str(city), predictor="trailing-mean", top=5)
    counts = read_lake(city / "lake", city=city).log.until(N_DAYS).counts
    mean = counts.mean(axis=0)
    assert drawn.day == pd.Timestamp("2017-03-13")
    assert (drawn.n_records, drawn.n_days, drawn.n_days_used, drawn.n_cells) == (2000, 70, 70, 120)
    assert drawn.cells["expected"].tolist() == pytest.approx(np.sort(mean)[::-1][:5].tolist())
    assert drawn.cells["expected"].tolist() == pytest.approx(mean[drawn.cells["cell"]].tolist())
    assert drawn.expected_total == pytest.approx(mean.sum())
    assert drawn.cells["lon"].between(5.2, 5.5).all()
    assert drawn.cells["lat"].between(43.1, 43.4).all()


def test_a_past_day_is_drawn_from_what_was_known_then(city: Path) -> None:
    then = predict_day(str(city), predictor="trailing-mean", at=pd.Timestamp("2017-02-10"), top=3)
    before = read_lake(city / "lake", city=city).log.until(39)
    assert (then.n_days, then.n_records) == (39, int(before.counts.sum()))
    for wrong in ("2017-01-05", "2017-04-20"):
        with pytest.raises(ParameterError, match="from 2017-01-30 to 2017-04-10"):
            predict_day(str(city), predictor="trailing-mean", at=pd.Timestamp(wrong))


def test_equal_cells_are_said(city: Path) -> None:
    one, two = (predict_day(str(city), predictor="uniform", top=7, seed=s) for s in (0, 1))
    assert one.tied == two.tied == 113
    assert set(one.cells["cell"]) != set(two.cells["cell"])


@pytest.mark.parametrize("ending", ["geojson", "csv", "parquet"])
def test_map_is_written(city: Path, tmp_path: Path, ending: str) -> None:
    import geopandas as gpd

    drawn = predict_day(str(city), predictor="retro-quartic", top=4)
    path = tmp_path / f"map.{ending}"
    write_map(drawn, path)
    read = {"geojson": gpd.read_file, "csv": pd.read_csv, "parquet": pd.read_parquet}[ending](path)
    assert read["cell"].tolist() == drawn.cells["cell"].tolist()
    assert read["expected"].tolist() == pytest.approx(drawn.cells["expected"].tolist())
    if ending == "geojson":
        squares = read.to_crs("EPSG:2154")
        assert squares.area.tolist() == pytest.approx([62_500.0] * 4, rel=1e-6)


def test_what_cannot_be_done_is_said(city: Path, tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="no lake at"):
        backtest_lake(str(tmp_path / "none"), seed=0)
    with pytest.raises(ContractError, match="no record to learn from"):
        backtest_lake(str(tmp_path), seed=0)
    with pytest.raises(ContractError, match="Ask for 42 days or fewer"):
        backtest_lake(str(city), days=60, seed=0)
    with pytest.raises(ParameterError, match="at least 1 day"):
        backtest_lake(str(city), days=0, seed=0)
    with pytest.raises(ParameterError, match="No predictor is called"):
        backtest_lake(str(city), predictors=["oracle"], seed=0)
    with pytest.raises(ParameterError, match="cells in"):
        predict_day(str(city), predictor="uniform", top=0)
    with pytest.raises(ContractError, match="where places stand"):
        predict_day(str(city / "lake"), predictor="risk-terrain")


def test_weather_of_a_day_is_known_on_the_next() -> None:
    hours = pd.date_range("2017-01-02", periods=48, freq="h", tz="Europe/Paris").tz_convert("UTC")
    weather = pd.DataFrame(
        {"station": "S", "t_event": hours, "temp_c": [4.0] * 24 + [10.0] * 24, "rain_mm": [0.0] * 24 + [0.5] * 24}
    )
    layers = day_layers(START, 5, weather=weather)
    assert layers["temperature_yesterday_c"].tolist() == [0.0, 4.0, 10.0, 10.0, 10.0]
    assert layers["rain_yesterday_mm"].tolist() == [0.0, 0.0, 12.0, 12.0, 12.0]
    assert layers["weather_known"].tolist() == [0.0, 1.0, 1.0, 0.0, 0.0]
    assert set(day_layers(START, 5)) == {"school_holidays"}
    assert day_layers(START, 5, holidays=False) == {}
