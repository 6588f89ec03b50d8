"""The calendar: as many events as published, at their hours, places and seasons, some of them undeclared."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom, poisson

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.rng import stream
from synthetic_data.calendar import EFFECTS, KINDS, daily_law, draw_calendar, school_holidays
from synthetic_data.city import draw_city
from synthetic_data.clock import SLOT_US, Slots, instants
from synthetic_data.places import draw_places
from synthetic_data.scenario import LOCAL_TZ, Scenario

YEARS = 3
S = Scenario.load().with_overrides({"time.n_days": 364 * YEARS, "city.sites_per_cell": 4})


@pytest.fixture(scope="module")
def city():
    return draw_city(S.city, rng=stream(2, "city"))


@pytest.fixture(scope="module")
def places(city):
    return draw_places(S, city, rng=stream(2, "places"))


@pytest.fixture(scope="module")
def drawn(city, places):
    return draw_calendar(S, city, places, rng=stream(2, "calendar"))


def local(drawn):
    return instants(drawn["t_start_us"].to_numpy()).tz_convert(LOCAL_TZ)


def test_declared_events_are_as_many_as_published(drawn):
    assert sum(kind.share for kind in KINDS.values()) == pytest.approx(1.0)
    expected = 27.0 * S.time.n_days
    assert abs(drawn["authorised"].sum() - expected) < 4 * np.sqrt(expected)
    for name, kind in KINDS.items():
        mine = drawn[drawn["kind"] == name]
        if name != "market":  # the second and third years are not quite the first, by the season
            low, high = poisson.ppf([1e-4, 1 - 1e-4], expected * kind.share)
            assert 0.99 * low <= mine["authorised"].sum() <= 1.01 * high, name


def test_only_what_may_go_undeclared_does(drawn):
    for name, kind in KINDS.items():
        mine = drawn[drawn["kind"] == name]
        if kind.free:
            low, high = binom.ppf([1e-4, 1 - 1e-4], len(mine), S.calendar.undeclared_share)
            assert low <= (~mine["authorised"]).sum() <= high, name
        else:
            assert mine["authorised"].all(), name


def test_markets_come_back_every_week_at_the_same_place_and_hour(drawn, places):
    markets = drawn[drawn["kind"] == "market"]
    when = local(markets)
    assert set(when.hour) == {7}
    weeks = markets.groupby(["x_m", "y_m", when.day_of_week]).size()
    assert (weeks == 52 * YEARS).all()
    assert weeks.sum() / S.time.n_days == pytest.approx(27 * KINDS["market"].share, abs=1 / 7)
    known = set(zip(places.of("market")["x_m"], places.of("market")["y_m"], strict=True))
    assert set(zip(markets["x_m"], markets["y_m"], strict=True)) <= known


def test_rows_are_in_order_on_half_hours_in_their_cell_and_hold_who_came(drawn, city):
    assert drawn["event_id"].tolist() == list(range(len(drawn)))
    assert drawn["t_start_us"].is_monotonic_increasing
    assert (drawn["t_end_us"] > drawn["t_start_us"]).all()
    assert (drawn[["t_start_us", "t_end_us"]] % SLOT_US == 0).all().all()
    slots = Slots.of(S.start, n_days=S.time.n_days)
    assert drawn["t_start_us"].between(slots.opening_us, slots.end_us - 1).all()
    assert np.array_equal(city.grid.cell_of(drawn["x_m"], drawn["y_m"]), drawn["cell"])
    assert drawn["quarter"].between(0, len(city.quarters) - 1).all()
    assert drawn["organiser"].between(0, S.city.population - 1).all()
    assert (drawn[["expected_crowd", "attendance"]] >= 0).all().all()
    quiet = drawn["kind"].isin(["building_permit", "road_works", "order"])
    assert (drawn.loc[quiet, "attendance"] == 0).all()
    match = drawn[drawn["kind"] == "match"]
    assert local(match).normalize().is_unique
    assert match["attendance"].median() > 15_000
    log_error = np.log(drawn["attendance"] / drawn["expected_crowd"])[drawn["kind"] == "market"]
    assert log_error[np.isfinite(log_error)].median() == pytest.approx(0, abs=0.05)


def test_seasons_weekdays_and_holidays_show(drawn):
    start = S.start
    year = Slots.of(start, n_days=364)
    picnic = daily_law(KINDS["picnic"], start=start, year=year)
    assert picnic.mean() == pytest.approx(1.0)
    assert picnic[200] / picnic[18] == pytest.approx(1.5 * np.exp(2.0), rel=0.03)  # Fridays of July and January
    assert daily_law(KINDS["building_permit"], start=start, year=year)[5:7].tolist() == [0.0, 0.0]
    mine = drawn[drawn["kind"] == "picnic"]
    month = local(mine).month
    assert (month == 7).sum() > 5 * (month == 1).sum()
    off = school_holidays(start, 365)
    days = pd.date_range(start.tz_localize(None), periods=365)
    assert off[days.get_loc("2017-07-14")]
    assert off[days.get_loc("2017-12-25")]
    assert not off[days.get_loc("2017-06-14")]
    assert 90 < off.sum() < 125


def test_same_seed_same_table_and_no_event_when_none_is_asked(city, places, drawn):
    assert draw_calendar(S, city, places, rng=stream(2, "calendar")).equals(drawn)
    none = draw_calendar(S.with_overrides({"calendar.events_per_day": 0}), city, places, rng=stream(2, "calendar"))
    assert len(none) == 0
    assert none.dtypes.equals(drawn.dtypes)
    bare = S.with_overrides({"places.n_markets": 0, "places.n_parks": 0, "places.n_stadiums": 0, "time.n_days": 28})
    held = draw_calendar(bare, city, draw_places(bare, city, rng=stream(2, "places")), rng=stream(2, "calendar"))
    assert set(held["kind"]) >= {"market", "sport"}  # held at addresses, where there is no such place


def test_effects_name_types_and_kinds_that_draw_people():
    for kind, by_type in EFFECTS.items():
        assert set(by_type) <= set(INCIDENT_TYPES)
        assert KINDS[kind].crowd > 0
    assert {name for name, kind in KINDS.items() if kind.crowd > 0} == set(EFFECTS)
