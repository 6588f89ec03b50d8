"""D10: sensors on main roads only, 240 rows a day each, and accidents that slow down or close."""

from types import SimpleNamespace

import numpy as np
import pytest

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.rng import stream
from synthetic_data.streams.dense import window
from synthetic_data.streams.traffic import traffic_sites, trafic


def _rows(world):
    return trafic(world, rng=stream(6, "trafic"))


def test_a_row_per_sensor_and_six_minutes(small_world):
    rows = _rows(small_world())
    assert len(rows) == 40 * 240 * 3
    assert (rows.groupby("sensor").size() == 720).all()


def test_main_roads_only_is_a_choice(small_world):
    world = small_world({"mobility.traffic_sensors": 60})
    assert set(traffic_sites(world)["road_class"]) == {"main"}
    anywhere = small_world({"mobility.traffic_sensors": 600, "mobility.main_roads_only": 0.0})
    edges = world.streets.edges
    length = edges.groupby("road_class")["length_m"].sum() / edges["length_m"].sum()
    got = (traffic_sites(anywhere)["road_class"] == "local").mean()
    p = length["local"]
    assert abs(got - p) < 4.5 * np.sqrt(p * (1 - p) / 600) + 0.02  # without replacement: long ones run out


def _accident_at_first_sensor(world):
    span, sites = window(world.scenario), traffic_sites(world)
    at = np.argmin(np.hypot(world.city.site_x_m - sites["x_m"][0], world.city.site_y_m - sites["y_m"][0]))
    t = span.midnights_us[0] + 12 * 3600 * 1_000_000
    code = INCIDENT_TYPES.index("accident")
    return SimpleNamespace(t_us=np.array([t]), type_code=np.array([code]), site=np.array([at])), t


def test_an_accident_takes_its_share_of_speed(small_world):
    plan = {"mobility.accident_closure": 0.0, "mobility.accident_slowdown": 0.6}
    accident, t = _accident_at_first_sensor(small_world())
    none = SimpleNamespace(t_us=accident.t_us[:0], type_code=accident.type_code[:0], site=accident.site[:0])
    slow, calm = (_rows(small_world(plan, incidents=i)) for i in (accident, none))
    at = (slow["sensor"] == "T001") & (slow["t"].astype("int64") == t)
    lost = 1 - slow["speed_km_h"][at].item() / calm["speed_km_h"][at].item()
    assert lost == pytest.approx(0.6, abs=0.08)  # the noise of one reading is the same, on less speed
    assert (slow["speed_km_h"] != calm["speed_km_h"])[slow["sensor"] == "T001"].sum() < 40
    hour = (slow["sensor"] == "T001") & (slow["t"].astype("int64").between(t, t + 900_000_000))
    assert slow["flow_veh_h"][hour].sum() < calm["flow_veh_h"][hour].sum()
    off = {"mobility.accident_closure": 0.0, "mobility.accident_slowdown": 0.0}
    ignored = _rows(small_world(off, incidents=accident))
    assert (ignored["speed_km_h"][at].item() > 0.7 * calm["speed_km_h"][at]).all()


def test_a_closed_road_carries_nobody(small_world):
    accident, t = _accident_at_first_sensor(small_world())
    rows = _rows(small_world({"mobility.accident_closure": 1.0}, incidents=accident))
    at = rows[(rows["sensor"] == "T001") & (rows["t"].astype("int64") == t)]
    assert at["closure"].item()
    closed = rows[rows["closure"]]
    assert (closed["flow_veh_h"] == 0).all()
    assert closed["speed_km_h"].isna().all()
    assert not rows[(rows["flow_veh_h"] > 0)]["speed_km_h"].isna().any()


def test_flow_follows_the_hours_and_speed_falls_with_it(small_world):
    rows = _rows(small_world())
    hour = rows["t"].dt.tz_convert("Europe/Paris").dt.hour
    mean = rows.groupby(hour)["flow_veh_h"].mean()
    assert mean.idxmax() in (8, 17, 18)
    assert mean.idxmin() in (1, 2, 3, 4)
    busy, quiet = rows[hour == 17], rows[hour == 3]
    assert busy["speed_km_h"].mean() < quiet["speed_km_h"].mean() - 1
