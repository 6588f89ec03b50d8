"""Runs of other years and lengths: before 1970, on the days the clock changes, and more rows than one piece holds."""

import dataclasses

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from contrechamp.domain.streams import LAYOUTS
from synthetic_data import formats
from synthetic_data.dropping import drop
from synthetic_data.plans.services import ServicesPlan
from synthetic_data.scenario import Scenario
from synthetic_data.streams import draw_stream
from synthetic_data.streams.dense import clock, window
from synthetic_data.world import draw_world

VILLAGE = {
    "time.n_days": 14, "streams.dense_days": 2, "city.area_km2": 6, "city.population": 3000, "city.n_quarters": 4,
    "city.n_districts": 2, "city.sites_per_cell": 4, "city.n_bars": 10, "city.n_schools": 4, "city.n_stations": 3,
    "incidents.latent_per_day": 60, "recording.records_per_day": 20, "fines.fines_per_day": 10,
    "fines.infractions_per_day": 300, "fines.removals_per_day": 2, "cameras.n_cameras": 8,
    "services.rescues_per_day": 10, "services.n_lamps": 60, "services.faults_per_day": 0.5, "mobility.app_users": 30,
    "patrols.hours_per_day": 40, "patrols.orders_per_day": 12, "services.calls_per_day": 60,
}  # fmt: skip


def village(**changes):
    return draw_world(Scenario.load().with_overrides(VILLAGE | {k.replace("__", "."): v for k, v in changes.items()}),
                      seed=3)  # fmt: skip


def drawn(world, key):
    return draw_stream(key, world, rng=stream(world.seed, "streams", key))


@pytest.fixture(scope="module")
def in_1950():
    return village(time__start="1950-06-05")


@pytest.fixture(scope="module")
def in_2017():
    return village(time__start="2017-06-05")


def test_a_run_of_1950_has_what_a_run_of_2017_has(in_1950, in_2017):
    for key in ("enlevements", "capteurs_vitesse", "capteurs_stress", "pompiers", "drones", "reseaux_sociaux"):
        old, new = drawn(in_1950, key), drawn(in_2017, key)
        assert len(old) == pytest.approx(len(new), rel=0.35), key
    calls = drawn(in_1950, "pompiers")
    assert 0.85 < calls["t_arrive"].notna().mean() < 1
    assert (calls["t_drop"].dt.year == 1950).all()


def test_before_1970_no_file_lies_beyond_the_run(in_1950):
    scenario = in_1950.scenario.with_overrides({"dirt.late": 0.2})
    layout = LAYOUTS["mains_courantes"]
    made = drop(layout, drawn(in_1950, layout.key), scenario=scenario, city=in_1950.city, rng=stream(1, "drops"))
    assert list(made.files) == ["mc_1950-W23.jsonl.gz", "mc_1950-W24.jsonl.gz"]
    assert made.dirt["late"] > 0


@pytest.mark.parametrize("start", ["2017-03-20", "2017-10-23"])
def test_days_of_another_length_keep_the_hours_of_the_clock(start):
    scenario = Scenario.load().with_overrides({"time.start": start, "time.n_days": 7, "streams.dense_days": 7})
    span = window(scenario)
    hours = np.array([0.0, 0.5, 8.0, 17.5, 23.75])
    for day in range(7):
        shown = clock(span.at_us(np.full(len(hours), day), hours))
        assert shown.hour.tolist() == hours.tolist()
        assert shown.weekday.tolist() == [day] * len(hours)
    assert span.holds(span.at_us(6, 23.99)).all()


def test_a_column_of_times_stays_in_one_piece_whatever_its_length():
    n = 900_000  # numpy's texts of so many times no longer fit the 64 MiB of a piece
    t = pa.array(np.arange(n) * 1_000_000).cast(pa.timestamp("us", tz="UTC"))
    assert isinstance(formats.iso(t), pa.Array)
    layout = LAYOUTS["meteo"]
    rows = pd.DataFrame(
        {
            "station": pd.Series(["M"] * n, dtype="str"), "t": pd.DatetimeIndex(np.arange(n).astype("M8[h]"), tz="UTC"),
            "temp_c": np.zeros(n), "rain_mm": np.zeros(n), "wind_m_s": np.zeros(n),
        }
    )  # fmt: skip
    columns = formats.with_texts_for_times(layout, formats.columns_of(layout, rows))
    (body,) = formats.text_files(layout, formats.TextRows.write(layout, columns).lines, np.array([0, n]))
    assert body.count(b"\n") == n + 1


def test_a_city_of_one_quarter_has_its_road_sensors():
    world = village(city__n_quarters=1, city__n_districts=1, time__n_days=1)
    assert not (world.streets.edges["road_class"] == "main").any()
    assert drawn(world, "trafic")["sensor"].nunique() > 0


def test_orders_of_mission_never_name_more_operators_than_their_field_holds():
    most = next(f.high for f in LAYOUTS["ordres_mission"].fields if f.raw == "n_officers")
    world = village(time__n_days=1, recording__n_operators=int(most))
    assert drawn(world, "ordres_mission")["n_officers"].max() == most
    with pytest.raises(ParameterError, match=r"recording\.n_operators"):
        village(recording__n_operators=int(most) + 1)


@pytest.mark.parametrize("name", ["impostor_mean", "impostor_sd"])
def test_laws_of_scores_fit_their_fields_at_the_edge_of_what_may_be_asked(in_2017, name):
    _, most = next(f for f in dataclasses.fields(ServicesPlan) if f.name == name).metadata["range"]
    scenario = in_2017.scenario.with_overrides({f"services.{name}": most, "services.same_group_shift": 1.0})
    shown = drawn(dataclasses.replace(in_2017, scenario=scenario), "fichiers_biometriques")[name]
    assert shown.max() <= next(f.high for f in LAYOUTS["fichiers_biometriques"].fields if f.raw == name)
