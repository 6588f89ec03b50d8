"""Streams of rescue, health, town services and statistics: form, volume, sameness, silence in a city of equals."""

import numpy as np
import pandas as pd
import pytest
import shapely
from scipy.spatial import cKDTree
from scipy.stats import binom, chisquare, kstest

from contrechamp.domain.rng import stream
from contrechamp.domain.streams import LAYOUTS
from synthetic_data.dropping import drop
from synthetic_data.sectors import make_sectors
from synthetic_data.streams import calls, draw_stream, emergency, lighting, rescue, statistics, stock, town
from synthetic_data.streams.draws import told_in_time

KEYS = (
    "urgences", "pompiers", "donnees_ouvertes", "statistiques_police", "parcs", "evenements", "allo_mairie",
    "eclairage", "drones", "stock_infractions", "fichiers_biometriques",
)  # fmt: skip
LESS = {"services__stock_per_day": 3.0}


def rows(world, key, seed=1):
    return draw_stream(key, world, rng=stream(seed, "streams", key))


@pytest.mark.parametrize("key", KEYS)
def test_rows_are_clean_and_have_the_fields_of_their_layout_and_no_other(small_world, key):
    world, layout = small_world(**LESS), LAYOUTS[key]
    frame = rows(world, key)
    named = [{"lon": "x_m", "lat": "y_m"}.get(f.raw, f.raw) for f in layout.fields]
    assert list(frame.columns) == [*named, "t_drop"]
    assert len(frame) > 0
    assert not frame.duplicated(list(layout.identity)).any()
    assert frame["t_drop"].is_monotonic_increasing
    for f in layout.fields:
        if f.raw in ("lon", "lat"):
            continue
        values = frame[f.raw]
        assert not (f.required and values.isna().any()), f.raw
        known = values.dropna()
        if f.kind == "time":
            assert str(values.dtype) == "datetime64[us, UTC]", f.raw
            assert (known <= frame["t_drop"][known.index]).all() or f.raw in ("t_start", "t_end", "month"), f.raw
        elif f.kind in ("number", "integer"):
            assert known.between(f.low, f.high).all(), f.raw
        elif f.allowed:
            assert set(known) <= set(f.allowed), f.raw
    if layout.has_point:
        land = world.city.land.buffer(20)
        shapely.prepare(land)
        assert shapely.contains_xy(land, frame["x_m"], frame["y_m"]).all()


@pytest.mark.parametrize("key", KEYS)
def test_the_same_seed_draws_the_same_rows_and_files(small_world, key):
    world = small_world(**LESS)
    one, two = rows(world, key), rows(world, key)
    pd.testing.assert_frame_equal(one, two)
    made = drop(LAYOUTS[key], one, scenario=world.scenario, city=world.city, rng=stream(1, "drops", key))
    assert made.n_records == len(one)
    assert made.n_rows >= len(one)


# Mean per day that the register of streams or the scenario states, measured over 12 draws on one world.
@pytest.mark.parametrize(
    ("key", "measure", "per_day"),
    [
        ("urgences", "n", 600.0),
        ("pompiers", None, 350.0),
        ("parcs", None, 50.0),
        ("allo_mairie", None, 300.0),
        ("drones", None, 1.0),
        ("stock_infractions", None, 3.0),
    ],
)
def test_volumes_are_those_of_the_register(small_world, key, measure, per_day):
    world, n_days = small_world(**LESS), 28
    if key == "stock_infractions":
        n_days = (pd.Timestamp("2017-01-02") - pd.Timestamp("1998-01-01")).days
    totals = [rows(world, key, seed)[measure].sum() if measure else len(rows(world, key, seed)) for seed in range(12)]
    # counts are Poisson given the world, at most (0 to 2 flights a day: less)
    error = np.sqrt(per_day / n_days / len(totals))
    assert np.mean(totals) / n_days == pytest.approx(per_day, abs=4 * error)


def test_open_data_and_biometric_files_and_lamps_do_not_grow_with_time(small_world):
    world = small_world(**LESS)
    assert len(rows(world, "fichiers_biometriques")) == 2
    assert len(rows(world, "eclairage")) == 3000  # one file: no first of the month within four weeks of 2 January
    longer = small_world(time__n_days=63)
    assert len(rows(longer, "eclairage")) == 3 * 3000  # 2 January, 1 February, 1 March
    files = drop(LAYOUTS["eclairage"], rows(longer, "eclairage"), scenario=longer.scenario, city=longer.city,
                 rng=stream(1, "drops")).files  # fmt: skip
    assert list(files) == ["lampe_2017-01.geojson", "lampe_2017-02.geojson", "lampe_2017-03.geojson"]


def test_calls_after_the_lines_close_are_told_later_or_never(small_world):
    """Oracle: day 27 is a Sunday; after Friday (day 25) only a call on Saturday, after Saturday none, is in time."""
    share = told_in_time(small_world(**LESS))
    assert share[25] == pytest.approx(0.7)
    assert share[26] == share[27] == 0
    assert share[24] == pytest.approx(1 - 0.3**2)
    assert share[0] == pytest.approx(1.0)


def test_a_city_without_hospital_park_or_station_still_draws_every_stream(small_world):
    world = small_world(
        places__n_hospitals=0, places__n_parks=0, places__n_fire_stations=0, services__n_lamps=0, **LESS
    )  # fmt: skip
    assert len(rows(world, "urgences")) == len(rows(world, "parcs")) == len(rows(world, "eclairage")) == 0
    assert set(LAYOUTS["urgences"].raw_names) < set(rows(world, "urgences").columns)
    assert len(rows(world, "pompiers")) > 0
    assert (rows(world, "allo_mairie")["category"] != "eclairage").all()


def test_every_stream_has_a_datasheet_in_both_languages():
    modules = (emergency, rescue, town, calls, lighting, statistics, stock)
    sheets = {sheet.key: sheet for module in modules for sheet in module.DATASHEETS}
    assert set(sheets) == set(KEYS)
    for sheet in sheets.values():
        for text in (sheet.title, sheet.invented, sheet.anchor, sheet.leaves_out):
            assert text.fr != text.en


# --- equal-city: nothing to find between places -------------------------------------------------------------------


def calm(p_values):
    """p-values under a true hypothesis: uniform as a whole, and below 5 % about one time in twenty."""
    few = binom.ppf(0.9995, len(p_values), 0.05)
    return kstest(p_values, "uniform").pvalue > 1e-3 and (np.array(p_values) < 0.05).sum() <= few


def by_quarter_p(world, frame):
    """Chi-squared of points by quarter against addresses."""
    points = np.column_stack([frame["x_m"], frame["y_m"]])
    at = cKDTree(np.column_stack([world.city.site_x_m, world.city.site_y_m])).query(points)[1]
    addresses = np.bincount(world.city.site_quarter, minlength=len(world.city.quarters))
    seen = np.bincount(world.city.site_quarter[at], minlength=len(addresses))
    held = addresses > 0
    return chisquare(seen[held], len(frame) * addresses[held] / addresses.sum()).pvalue


def test_in_the_equal_city_calls_differ_between_quarters_by_chance_only(small_world):
    world = small_world("equal-city", services__repeat_callers=0.0, **LESS)
    drawn = [rows(world, "allo_mairie", seed) for seed in range(20)]
    assert calm([by_quarter_p(world, frame[frame["category"].isin(["voirie", "espaces_verts"])]) for frame in drawn])
    unequal = small_world(services__calling_gradient=-1.0, **LESS)
    frame = rows(unequal, "allo_mairie")
    assert by_quarter_p(unequal, frame) < 1e-50


def test_in_the_equal_city_the_stock_differs_between_quarters_by_chance_only(small_world):
    world = small_world("equal-city", **LESS)
    fines = [rows(world, "stock_infractions", seed) for seed in range(20)]
    assert calm([by_quarter_p(world, f[f["origin"].isin(["call"])]) for f in fines])


def test_in_the_equal_city_complaints_differ_between_sectors_by_chance_only(small_world):
    world = small_world("equal-city", **LESS)
    sectors = make_sectors(world.city)
    addresses = np.bincount(sectors.of_quarter[world.city.site_quarter], minlength=len(sectors.frame))
    law = pd.Series(addresses / addresses.sum(), index=sectors.frame["sector_id"])
    p_values = []
    for seed in range(20):
        frame = rows(world, "statistiques_police", seed)
        frame = frame[frame["offence_class"].isin(["degradations", "vols", "vols_de_velo", "violences"])]
        seen = frame.groupby("sector")["recorded"].sum().reindex(law.index)
        p_values.append(chisquare(seen, seen.sum() * law).pvalue)
    assert calm(p_values)
