"""The form every dense stream leaves in, and the clock they share."""

import numpy as np
import pandas as pd
import pytest

from contrechamp.domain.rng import stream
from contrechamp.domain.streams import LAYOUTS
from synthetic_data.dropping import drop
from synthetic_data.scenario import Scenario
from synthetic_data.streams import GENERATORS, draw_stream
from synthetic_data.streams.dense import clock, labels, pick, window

STREAMS = (
    "video_metadata", "presence_telecom", "transport", "trafic", "meteo", "capteurs_vitesse", "capteurs_stress",
    "capteurs_sonores",
)  # fmt: skip


def _rows(world, key, name="a"):
    return draw_stream(key, world, rng=stream(world.seed, "streams", key, name))


def _column(raw):
    return {"lon": "x_m", "lat": "y_m"}.get(raw, raw)


@pytest.mark.parametrize("key", STREAMS)
def test_rows_have_the_form_of_their_layout(small_world, key):
    layout, world = LAYOUTS[key], small_world()
    rows = _rows(world, key)
    assert list(rows.columns) == [_column(f.raw) for f in layout.fields] + ["t_drop"]
    identity = [_column(name) for name in layout.identity]
    assert not rows.duplicated(identity).any()
    in_order = rows.sort_values(["t_drop", *identity], kind="stable")
    assert in_order.index.equals(rows.index)
    for field in layout.fields:
        values = rows[_column(field.raw)]
        assert not (field.required and values.isna().any()), field.raw
        if field.allowed:
            assert set(values.dropna()) <= set(field.allowed)
        if field.kind == "integer":
            assert values.dtype == np.int64
        if field.kind in ("integer", "number"):
            assert values.min() >= field.low, field.raw
            assert values.max() <= field.high, field.raw
        if field.kind == "time":
            assert str(values.dtype) == "datetime64[us, UTC]"
        if field.kind == "flag":
            assert values.dtype == bool
    span = window(world.scenario)
    opens = 0 if key == "meteo" else span.first_day
    first = pd.Timestamp(world.scenario.time.start, tz="Europe/Paris") + pd.Timedelta(days=opens)
    assert rows["t"].min() >= first
    assert (rows["t_drop"] >= rows["t"]).all()
    assert rows["t_drop"].max() < pd.Timestamp(span.midnights_us[-1], unit="us", tz="UTC")


@pytest.mark.parametrize("key", STREAMS)
def test_same_seed_same_rows_and_another_seed_others(small_world, key):
    world = small_world()
    rows = _rows(world, key)
    pd.testing.assert_frame_equal(rows, _rows(world, key))
    assert not rows.equals(_rows(world, key, "b"))


@pytest.mark.parametrize("key", STREAMS)
def test_rows_can_be_dropped_as_files_one_per_period(small_world, key):
    world = small_world()
    dropped = drop(LAYOUTS[key], _rows(world, key), scenario=world.scenario, city=world.city, rng=stream(1, "drops"))
    assert len(dropped.files) == (2 if key == "meteo" else world.scenario.streams.dense_days)


@pytest.mark.parametrize(
    ("key", "changes"),
    [
        ("trafic", {"mobility.traffic_sensors": 0}),
        ("capteurs_vitesse", {"mobility.app_users": 0}),
        ("capteurs_stress", {"mobility.app_users": 0}),
        ("capteurs_sonores", {"sensing.sound_sensors": 0}),
        ("video_metadata", {"cameras.n_cameras": 0}),
        ("transport", {"mobility.trips_per_day": 0.0}),
        ("presence_telecom", {"mobility.suppress_below": 1000, "mobility.operator_share": 0.01}),
    ],
)
def test_nothing_to_count_gives_no_row_of_the_same_form(small_world, key, changes):
    rows = _rows(small_world(changes), key)
    assert len(rows) == 0
    assert list(rows.columns) == [_column(f.raw) for f in LAYOUTS[key].fields] + ["t_drop"]


def test_every_stream_has_a_datasheet_in_both_languages():
    from importlib import import_module

    for key in STREAMS:
        sheets = {s.key: s for s in import_module(GENERATORS[key].split(":")[0]).DATASHEETS}
        for text in (sheets[key].invented, sheets[key].anchor, sheets[key].leaves_out):
            assert len(text.fr) > 20
            assert len(text.en) > 20


@pytest.mark.parametrize(("start", "quarters"), [("2017-03-20", 668), ("2017-10-23", 676), ("2017-06-05", 672)])
def test_a_week_of_quarter_hours_knows_when_the_clock_changes(start, quarters):
    s = Scenario.load().with_overrides({"time.start": start, "time.n_days": 7, "streams.dense_days": 7})
    t_us = window(s).starts_us(900)
    assert len(t_us) == quarters
    read = clock(t_us)
    local = pd.DatetimeIndex(t_us.view("datetime64[us]"), tz="UTC").tz_convert("Europe/Paris")
    assert (read.hour == local.hour + local.minute / 60).all()
    assert (read.weekday == local.day_of_week).all()
    assert (read.day == (local.normalize().tz_localize(None) - pd.Timestamp(start)).days).all()


def test_the_window_is_the_end_of_the_run_and_never_longer():
    s = Scenario.load().with_overrides({"time.n_days": 20, "streams.dense_days": 7})
    assert (window(s).first_day, window(s).n_days) == (13, 7)
    short = s.with_overrides({"time.n_days": 4})
    assert (window(short).first_day, window(short).n_days) == (0, 4)


def test_labels_sort_as_numbers_do():
    assert sorted(labels("Z", 1234)) == labels("Z", 1234)
    assert len(set(labels("Z", 1234))) == 1234


def test_pick_follows_its_weights():
    got = np.bincount(pick(np.array([1.0, 0.0, 3.0]), size=40_000, rng=np.random.default_rng(3)), minlength=3)
    assert got[1] == 0
    assert abs(got[0] - 10_000) < 4.5 * np.sqrt(40_000 * 0.25 * 0.75)
