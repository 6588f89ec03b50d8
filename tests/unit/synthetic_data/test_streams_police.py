"""The four streams of the police: rows of their layouts, volumes, persons, trucks, and hours that add up."""

import heapq
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, chi2_contingency

from contrechamp.domain.rng import stream
from contrechamp.domain.streams import LAYOUTS
from synthetic_data.cameras import coverage
from synthetic_data.dropping import drop
from synthetic_data.fines import FINE_CODES, draw_fines
from synthetic_data.names import person_name, plates
from synthetic_data.sectors import make_sectors
from synthetic_data.streams.orders import CAMERA_ROOM, LONGEST_H, draw_orders, sector_hours
from synthetic_data.streams.police import DATASHEETS, enlevements, mains_courantes, ordres_mission, verbalisations
from synthetic_data.streams.towing import EVENT_M, MOTIVES, crowds, draw_removals, serve

GENERATORS = {
    "mains_courantes": mains_courantes, "verbalisations": verbalisations, "enlevements": enlevements,
    "ordres_mission": ordres_mission,
}  # fmt: skip


def fined(world, *, seed=11, **changes):
    scenario = world.scenario.with_overrides({k.replace("__", "."): v for k, v in changes.items()})
    fines = draw_fines(
        scenario, world.city, world.hours, people=world.people, cameras=world.cameras, rng=stream(seed, "fines")
    )
    return replace(world, scenario=scenario, fines=fines)


def under(world, **changes):
    """The same world, its streams to be drawn under other parameters."""
    return replace(world, scenario=world.scenario.with_overrides({k.replace("__", "."): v for k, v in changes.items()}))


@pytest.fixture(scope="module")
def world(small_world):
    return small_world()


@pytest.fixture(scope="module")
def frames(world):
    return {key: make(world, rng=stream(5, "streams", key)) for key, make in GENERATORS.items()}


def within(k, n, p):
    low, high = binom.ppf([1e-5, 1 - 1e-5], n, p)
    return low <= k <= high


@pytest.mark.parametrize("key", GENERATORS)
def test_rows_are_those_of_the_layout_and_of_nothing_else(frames, key):
    layout, rows = LAYOUTS[key], frames[key]
    wanted = [name for name in layout.raw_names if name not in ("lon", "lat")] + ["x_m", "y_m"] * layout.has_point
    assert set(rows.columns) == {*wanted, "t_drop"}
    assert not rows.duplicated(list(layout.identity)).any()
    assert rows.sort_values(["t_drop", *layout.identity]).index.equals(rows.index)
    for f in layout.fields:
        if f.raw in ("lon", "lat"):
            continue
        if f.required:
            assert rows[f.raw].notna().all(), f.raw
        if f.kind == "time":
            assert str(rows[f.raw].dtype) == "datetime64[us, UTC]"
        if f.allowed:
            assert set(rows[f.raw]) <= set(f.allowed)
    if layout.order:
        raw = {f.name: f.raw for f in layout.fields}
        assert (rows[raw[layout.order[0]]] <= rows[raw[layout.order[1]]]).all()


def test_volumes_are_those_of_the_register(world, frames):
    days = world.scenario.time.n_days
    assert len(frames["mains_courantes"]) / days == pytest.approx(822, rel=0.03)
    assert len(frames["verbalisations"]) / days == pytest.approx(415, rel=0.045)  # 4.5 Poisson deviations
    assert len(frames["enlevements"]) / days == pytest.approx(52, rel=0.02)
    assert len(frames["ordres_mission"]) / days == pytest.approx(150, rel=0.01)


@pytest.mark.parametrize("key", GENERATORS)
def test_the_same_seed_gives_the_same_bytes_whatever_is_drawn_before(world, key):
    def files():
        rows = GENERATORS[key](world, rng=stream(5, "streams", key))
        return drop(LAYOUTS[key], rows, scenario=world.scenario, city=world.city, rng=stream(5, "drops", key)).files

    first = files()
    for other in GENERATORS:
        GENERATORS[other](world, rng=stream(5, "streams", other))
    assert files() == first


# --- D01 ------------------------------------------------------------------------------------------------------------


def test_the_log_names_callers_only_and_its_text_says_what_happened(world, frames):
    log, records, incidents = frames["mains_courantes"], world.records, world.incidents
    assert (log["informant_name"].notna() == (log["origin"] == "call")).all()
    assert log["informant_phone"].isna().equals(log["informant_name"].isna())
    assert log.groupby("origin").size().to_dict() == {
        word: int((records.route == k).sum()) for k, word in ((1, "call"), (2, "officer"), (3, "camera"))
    }
    assert (log["unit"].str.startswith("CSU") == (log["origin"] == "camera")).all()
    called = np.flatnonzero(records.caller >= 0)[::97]
    assert log["informant_name"].iloc[called].tolist() == [person_name(p) for p in records.caller[called].tolist()]
    named = log["text"].str.contains("Appelant : ")
    assert (named == records.named_in_text).all()
    assert within(named.sum(), (log["origin"] == "call").sum(), 0.02)
    assert all(name in text for name, text in log.loc[named, ["informant_name", "text"]].itertuples(index=False))
    true = incidents.type_code[records.incident] == 0
    assert (log["text"].str.contains("tapage") == true).all()  # even where another type is entered
    assert ((log["type"] == "tapage") != true).any()
    quarter = world.city.quarters["name"].to_numpy()[incidents.quarter[records.incident]]
    assert all(where in text for where, text in zip(quarter[::50], log["text"].iloc[::50], strict=True))
    assert (log["t_drop"] == log["t_entry"]).all()


# --- D02 ------------------------------------------------------------------------------------------------------------


def test_fined_vehicles_are_those_of_car_owners_near_or_of_visitors(world, frames):
    fines, people, city = world.fines, world.people, world.city
    assert within((fines.person < 0).sum(), len(fines), world.scenario.fines.visitor_share)
    owner = fines.person[fines.person >= 0]
    assert people.car[owner].all()
    assert frames["verbalisations"]["plate"].tolist()[:200] == plates(fines.plate[:200])
    classes = frames["verbalisations"].groupby("plate")["vehicle_class"].nunique()
    assert classes.max() == 1
    site, home = fines.site[fines.person >= 0], people.home_site[owner]
    away = np.hypot(city.site_x_m[site] - city.site_x_m[home], city.site_y_m[site] - city.site_y_m[home])
    assert 0.5 < (away < 1500).mean() < 0.7  # local_share, and some of those who cross the city
    again = fined(world, fines__local_share=0.0, fines__driver_log_sd=0.0)
    alike = np.sort(np.bincount(again.fines.person[again.fines.person >= 0]))[::-1]
    some = np.sort(np.bincount(owner))[::-1]
    assert some[:100].sum() > 1.5 * alike[:100].sum()


def test_cameras_fine_only_what_they_see_and_without_any_agents_fine_all(world):
    fines, city = world.fines, world.city
    cell = fines.site[fines.camera] // city.sites_per_cell
    assert (coverage(world.cameras, city)[cell] > 0).all()
    assert within(fines.camera.sum(), len(fines), 0.22)
    blind = fined(replace(world, cameras=world.cameras.iloc[:0]))
    assert not blind.fines.camera.any()
    for made in (fines, blind.fines):
        assert len(made) == pytest.approx(415 * 28, abs=4.5 * np.sqrt(415 * 28))


def test_in_the_equal_city_fines_follow_residents_only(small_world):
    p_values = []
    equal = small_world("equal-city")
    for seed in range(12):
        daily = fined(equal, seed=seed).fines.daily.groupby("quarter_id").sum()
        table = np.array([daily["n_infractions"] - daily["n_recorded"], daily["n_recorded"]])
        p_values.append(chi2_contingency(table).pvalue)
    assert min(p_values) > 1e-4
    assert np.mean(np.array(p_values) < 0.05) <= 0.34


# --- D03 ------------------------------------------------------------------------------------------------------------


def test_what_is_towed_was_fined_there_shortly_before(world, frames):
    rows, fines, plan = frames["enlevements"], world.fines, world.scenario.fines
    log = frames["verbalisations"][["t", "x_m", "y_m", "plate", "code", "mode"]]
    both = rows.merge(log, on=["plate", "x_m", "y_m"], suffixes=("", "_fine"))
    wait = (both["t"] - both["t_fine"]).dt.total_seconds() / 60
    held = both[(wait >= 0) & (wait <= plan.tow_patience_min + 10 + 2 * plan.tow_minutes)]
    assert set(held["id"]) == set(rows["id"])
    assert set(held["mode"]) == {"agent"}
    assert set(held["code"]) <= set(MOTIVES)
    ordinary = held[~held["reason"].isin(["marche", "evenement"])]
    assert (ordinary["code"].map(lambda c: MOTIVES[c][0]) == ordinary["reason"]).all()
    sectors = make_sectors(world.city)
    assert set(rows["zone"]) <= set(sectors.frame["sector_id"])
    assert len(fines) > len(rows)


def slow_yard(asked, busy, n_trucks, patience):
    """Minute by minute in words: each request looks at every truck."""
    free, out = [0] * n_trucks, []
    for a, b in zip(asked, busy, strict=True):
        truck = min(range(n_trucks), key=lambda k: free[k]) if n_trucks else None
        if truck is None or max(a, free[truck]) - a > patience:
            out.append(-1)
            continue
        start = max(a, free[truck])
        free[truck] = start + b
        out.append(start + b // 2)
    return out


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 300), st.integers(1, 90)), max_size=60),
    st.integers(0, 5),
    st.integers(0, 120),
)
def test_trucks_serve_as_a_slow_yard_would(requests, n_trucks, patience):
    requests = sorted(requests)
    asked, busy = (np.array([r[k] for r in requests], dtype=np.int64) for k in (0, 1))
    got = serve(asked, busy, n_trucks=n_trucks, patience_us=patience)
    assert got.tolist() == slow_yard(asked.tolist(), busy.tolist(), n_trucks, patience)
    held = [(t - b // 2, t - b // 2 + b) for t, b in zip(got.tolist(), busy.tolist(), strict=True) if t >= 0]
    at_work = []
    for start, end in held:  # never more at once than there are trucks
        while at_work and at_work[0] <= start:
            heapq.heappop(at_work)
        heapq.heappush(at_work, end)
        assert len(at_work) <= n_trucks


def test_without_trucks_nothing_is_towed_and_with_one_less_is(world):
    def towed(**changes):
        return draw_removals(under(world, **changes), rng=stream(5, "tow"))

    assert len(towed(fines__tow_trucks=0).fine) == 0
    one = towed(fines__tow_trucks=1, fines__removals_per_day=1000)
    assert 5 < len(one.fine) / world.scenario.time.n_days < 24 * 60 / 45 + 1
    assert one.n_requested > 2 * len(one.fine)
    assert len(towed(fines__removals_per_day=0).fine) == 0


def test_markets_and_events_draw_trucks_and_need_not(world):
    def near(pull):
        removals = draw_removals(under(world, fines__event_pull=pull), rng=stream(5, "tow"))
        return np.isin(removals.motive.astype(str), ["marche", "evenement"]).sum(), len(removals.fine), removals

    fines, city = world.fines, world.city
    ready = np.array([MOTIVES.get(code, ("", 0.0))[1] for code in FINE_CODES])[fines.code] * ~fines.camera
    held = crowds(world)
    there = np.zeros(len(fines), dtype=bool)
    columns = ("t_start_us", "t_end_us", "x_m", "y_m")
    for start, end, x, y in held[list(columns)].itertuples(index=False):  # by the book, event by event
        there |= ((fines.t_us >= start - 3 * 3600 * 10**6) & (fines.t_us <= end)
                  & (np.hypot(city.site_x_m[fines.site] - x, city.site_y_m[fines.site] - y) <= EVENT_M))  # fmt: skip
    base = ready[there].sum() / ready.sum()
    plain, n, removals = near(0.0)
    assert within(plain, n, base)
    assert (there[removals.fine] == np.isin(removals.motive.astype(str), ["marche", "evenement"])).all()
    pulled, n, _ = near(20.0)
    assert pulled > 2 * plain
    assert not crowds(world)["kind"].isin(["building_permit", "road_works"]).any()
    assert crowds(world)["authorised"].all()


# --- D20 ------------------------------------------------------------------------------------------------------------


def shift_hours(orders, world):
    """Hours ordered by day, shift and zone, and the number of orders, from the rows alone."""
    local = orders["t_start"].dt.tz_convert("Europe/Paris")
    day = (local.dt.tz_localize(None).dt.normalize() - pd.Timestamp(world.scenario.time.start)).dt.days
    hours = (orders["t_end"] - orders["t_start"]).dt.total_seconds() / 3600
    return hours.groupby([day, local.dt.hour // 8, orders["zone"]]).agg(["sum", "count"])


@pytest.mark.parametrize("slippage", [0.0, 0.1])
def test_hours_ordered_add_up_to_hours_done(world, slippage):
    orders = draw_orders(under(world, patrols__order_slippage=slippage), rng=stream(5, "orders"))
    street = orders[orders["zone"] != CAMERA_ROOM]
    sectors = make_sectors(world.city)
    done = sector_hours(world.hours, sectors)
    assert done.sum() == pytest.approx(world.hours.sum())
    assert done[3, 1, 0] == pytest.approx(world.hours[3, 1, sectors.of_quarter == 0].sum())
    table = shift_hours(street, world)
    said = table["sum"]
    day, shift, zone = (said.index.get_level_values(k) for k in range(3))
    row = pd.Series(range(len(sectors.frame)), index=sectors.frame["sector_id"])[zone].to_numpy()
    true = done[day, shift, row]
    assert len(said) == (done > 0).sum()
    if slippage == 0:
        assert (np.abs(said.to_numpy() - true) <= 0.5 / 60 * table["count"].to_numpy() + 1e-9).all()
    else:
        ratio = np.log(said.to_numpy() / true)[true > 2]
        assert ratio.std() == pytest.approx(0.1, rel=0.1)
    assert said.sum() == pytest.approx(done.sum(), rel=0.01)


def test_orders_begin_in_their_shift_and_operators_have_theirs(world, frames):
    orders = frames["ordres_mission"]
    opens = orders["t_drop"].dt.tz_convert("Europe/Paris")
    assert set(opens.dt.hour) == {0, 8, 16}
    assert ((orders["t_start"] - orders["t_drop"]).dt.total_seconds() < 8 * 3600).all()
    assert ((orders["t_end"] - orders["t_start"]).dt.total_seconds() <= LONGEST_H * 3600).all()
    room = orders[orders["mission"] == "video"]
    assert len(room) == 3 * world.scenario.time.n_days
    assert set(room["n_officers"]) == {20}
    assert set(room["zone"]) == {CAMERA_ROOM}
    assert not orders.loc[opens.dt.hour == 0, "mission"].eq("stationnement").any()
    quiet = replace(world, calendar=world.calendar.iloc[:0])
    assert not draw_orders(quiet, rng=stream(5, "o"))["mission"].isin(["marche", "evenement"]).any()
    assert orders["mission"].isin(["marche", "evenement"]).any()


def test_sheets_are_one_per_stream():
    assert [sheet.key for sheet in DATASHEETS] == list(GENERATORS)
