"""Incidents and why they happened: parents, events, history, planted ones, and the laws they are drawn from."""

import itertools

import numpy as np
import pytest
from scipy.stats import binom, chisquare, expon, kstest, poisson

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.background import tempo
from synthetic_data.calendar import EFFECTS, draw_calendar
from synthetic_data.city import draw_city
from synthetic_data.clock import Slots
from synthetic_data.incidents import BACKGROUND, CAUSES, EVENT, NEAR_REPEAT, draw_incidents
from synthetic_data.intensity import ConditionalIntensity
from synthetic_data.places import draw_places
from synthetic_data.scenario import Scenario
from synthetic_data.triggering import LandGaussian, Triggering, displace
from synthetic_data.weather import draw_weather

S = Scenario.load().with_overrides({"time.n_days": 28, "city.sites_per_cell": 8})
DAY_US = 86_400_000_000


@pytest.fixture(scope="module")
def city():
    return draw_city(S.city, rng=stream(3, "city"))


@pytest.fixture(scope="module")
def happen(city):
    def draw(scenario=S, seed=3, calendar=None):
        places = draw_places(scenario, city, rng=stream(3, "places"))
        weather = draw_weather(
            scenario.weather, start=scenario.start, n_days=scenario.time.n_days, rng=stream(3, "weather")
        )
        if calendar is None:
            calendar = draw_calendar(scenario, city, places, rng=stream(3, "calendar"))
        drawn = draw_incidents(
            scenario, city, places=places, calendar=calendar, weather=weather, rng=stream(seed, "incidents")
        )
        return drawn, calendar, weather

    return draw


@pytest.fixture(scope="module")
def drawn(happen):
    return happen()


def test_every_incident_has_one_cause_and_points_to_it(drawn, city):
    incidents, calendar, _ = drawn
    frame = incidents.to_frame(city)
    assert list(frame.columns) == [
        "incident_id", "t_event", "x_m", "y_m", "type", "quarter_id", "cell", "cause", "parent_id", "event_id",
    ]  # fmt: skip
    assert set(frame["cause"]) == set(CAUSES)
    assert ((frame["parent_id"] != -1) == (frame["cause"] == "near-repeat")).all()
    assert ((frame["event_id"] >= 0) == (frame["cause"] == "event")).all()
    # a parent is a row of the truth, or of the history before day 0, of the same type and earlier
    past = incidents.before.to_frame(city)
    assert past["incident_id"].tolist()[:2] == [-2, -3]
    every = np.concatenate([frame["incident_id"], past["incident_id"]])
    assert len(set(every.tolist())) == len(every)
    both = {name: dict(zip(every, np.concatenate([frame[name], past[name]]), strict=True)) for name in ("type",)}
    when = dict(zip(every, np.concatenate([incidents.t_us, incidents.before.t_us]), strict=True))
    child = frame[frame["cause"] == "near-repeat"]
    assert (child["parent_id"] < -1).sum() > 100
    assert all(when[p] < when[i] for i, p in zip(child["incident_id"], child["parent_id"], strict=True))
    assert all(both["type"][p] == k for p, k in zip(child["parent_id"], child["type"], strict=True))
    brought = frame[frame["cause"] == "event"].merge(calendar, on="event_id")
    held = (incidents.t_us[brought["incident_id"]] >= brought["t_start_us"]) & (
        incidents.t_us[brought["incident_id"]] < brought["t_end_us"]
    )
    assert held.all()
    assert all(t in EFFECTS[k] for t, k in zip(brought["type"], brought["kind"], strict=True))
    away = np.hypot(brought["x_m_x"] - brought["x_m_y"], brought["y_m_x"] - brought["y_m_y"])
    assert np.median(away) == pytest.approx(200 * np.sqrt(2 * np.log(2)), rel=0.25)


def test_clock_cell_and_quarter_are_those_of_the_instant_and_the_address(drawn, city):
    incidents, _, _ = drawn
    assert (np.diff(incidents.t_us) >= 0).all()
    assert incidents.before.t_us.max() < incidents.background.slots.opening_us <= incidents.t_us.min()
    seconds = (incidents.t_us - incidents.background.slots.opening_us) // 1_000_000
    assert np.array_equal(incidents.day * 86_400 + incidents.second, seconds)  # no clock changes in January
    assert np.array_equal(city.grid.cell_of(city.site_x_m, city.site_y_m)[incidents.site], incidents.cell)
    assert np.array_equal(city.site_quarter[incidents.site], incidents.quarter)
    assert incidents.cell_risk.sum(axis=1) == pytest.approx(np.ones(12))


def test_families_are_as_large_as_late_and_as_far_as_told(happen, city):
    strong = S.with_overrides({"incidents.near_repeat": 0.5, "incidents.near_repeat_days": 2})
    drawn, _, _ = happen(strong, seed=4)
    assert len(drawn) / 28 == pytest.approx(2700, rel=0.04)  # the total does not depend on the clustering
    child = np.flatnonzero(drawn.parent >= 0)
    parent = drawn.parent[child]
    early = drawn.day < 8
    per_parent = np.bincount(parent, minlength=len(drawn))[early]
    # twenty days of follow-ons at least: all but exp(-10) have come
    observed = np.bincount(np.minimum(per_parent, 4), minlength=5)
    law = np.append(poisson.pmf(range(4), 0.5), poisson.sf(3, 0.5))
    assert chisquare(observed, early.sum() * law).pvalue > 1e-3
    lag = ((drawn.t_us[child] - drawn.t_us[parent]) / DAY_US)[early[parent]]
    assert kstest(lag, expon(scale=2).cdf).pvalue > 1e-3
    at = LandGaussian.around(city.grid, city.site_x_m, city.site_y_m, sd_m=150.0)
    home = drawn.site[parent]
    p_cell = 0.25 * (drawn.cell[child] == drawn.cell[parent]) + 0.75 * at.at(home, drawn.cell[child])
    assert (p_cell > 0).all()
    stays = 0.25 + 0.75 * at.at(home, drawn.cell[parent])
    same = (drawn.cell[child] == drawn.cell[parent]).sum()
    assert abs(same - stays.sum()) < 4 * np.sqrt((stays * (1 - stays)).sum())
    shares = np.bincount(drawn.cause, minlength=3) / len(drawn)
    assert shares[NEAR_REPEAT] == pytest.approx(0.5, abs=0.02)
    assert shares[BACKGROUND] == pytest.approx(0.5 - shares[EVENT], abs=0.02)


def test_without_near_repeats_there_are_neither_parents_nor_history(happen):
    drawn, _, _ = happen(S.with_overrides({"incidents.near_repeat": 0}))
    assert (drawn.parent == -1).all()
    assert (len(drawn.before), drawn.background.slots.n_before) == (0, 0)
    assert set(np.unique(drawn.cause)) == {BACKGROUND, EVENT}


def test_events_bring_incidents_in_proportion_to_those_who_came(happen, city):
    drawn, calendar, _ = happen()
    match = calendar[calendar["kind"] == "match"].iloc[0]
    a_resident_hour = 2700 * S.types["rixe"].weight / sum(t.weight for t in S.types.values()) / (24 * 860_000)
    law = drawn.background
    e = int(np.flatnonzero(law.event_id == match["event_id"])[0])
    assert law.event_rate[e, INCIDENT_TYPES.index("rixe")] * 2 == pytest.approx(
        EFFECTS["match"]["rixe"] * a_resident_hour * match["attendance"]
    )
    hours = (match["t_end_us"] - match["t_start_us"]) / 3.6e9
    assert (law.event_last[e] - law.event_first[e]) / 2 == hours
    twice, _, _ = happen(S, calendar=calendar.assign(attendance=2 * calendar["attendance"]))
    assert np.allclose(twice.background.event_rate, 2 * law.event_rate)
    totals = [d.background.total()[:, d.background.slots.n_before :].sum() for d in (drawn, twice)]
    assert totals[0] == pytest.approx(totals[1], rel=0.002)  # the rest makes room for them
    with pytest.raises(ParameterError, match=r"Lower `incidents\.event_effect`"):
        happen(S.with_overrides({"incidents.event_effect": 1000}))


def test_the_expected_total_is_exact_by_type_when_nothing_clusters(happen):
    drawn, _, _ = happen(S.with_overrides({"incidents.near_repeat": 0}))
    share = np.array([S.types[t].weight for t in INCIDENT_TYPES])
    assert drawn.background.total().sum(axis=1) == pytest.approx(2700 * 28 * share / share.sum(), rel=1e-12)
    for k in range(12):
        low, high = poisson.ppf([1e-4, 1 - 1e-4], drawn.background.total()[k].sum())
        assert low <= (drawn.type_code == k).sum() <= high


def test_expected_follow_ons_in_the_window_are_the_integral_of_the_resolvent():
    """Oracle: descendants of all generations come at rate k b exp(-b (1 - k) lag); summed by brute force."""
    trigger = Triggering(0.6, 3.0, 0.2, 100.0)
    lags = (np.arange(200_000) + 0.5) * 1e-3
    rate = 0.6 / 3.0 * np.exp(-(1 - 0.6) / 3.0 * lags)
    for start, end in ((-2.0, -1.5), (4.0, 4.5), (9.5, 10.0)):
        births = start + (np.arange(50) + 0.5) / 50 * (end - start)
        exact = np.mean([(u >= 0) + rate[(u + lags >= 0) & (u + lags < 10)].sum() * 1e-3 for u in births])
        got = trigger.expected_in_window(np.array([start]), np.array([end]), n_days=10.0)[0]
        assert got == pytest.approx(exact, rel=1e-3)
    assert Triggering(0, 3, 0, 1).expected_in_window(np.array([-1.0, 2]), np.array([0.0, 3]), n_days=10).tolist() == [
        0,
        1,
    ]


def test_the_tempo_is_season_weekday_weather_and_hour(drawn):
    """Second implementation, slot by slot."""
    _, _, weather = drawn
    profile = S.types["tapage"]
    slots = Slots.of(S.start, n_days=28)
    fast = tempo(profile, slots, weather)
    bump = [np.exp(-0.5 * (min(abs(h - 23.5), 24 - abs(h - 23.5)) / 2.5) ** 2) for h in np.arange(48) / 2 + 0.25]
    for s in (0, 45, 47, 48 * 4 + 30, 48 * 5 + 2, 48 * 20 + 11):
        weekday, doy = s // 48 % 7, 2 + s // 48
        log = 0.5 * 0.30 * np.cos(2 * np.pi * (doy - 201) / 365.25)
        log += {4: 0.4 * 0.55, 5: 0.55, 6: 0.55}.get(weekday, 0.0)
        log += 0.10 * weather.hour_anomaly_c[s // 2] / 10 - 0.25 * (weather.hour_rain_mm[s // 2] > 0)
        hour = 0.85 * bump[s % 48] / sum(bump) + 0.15 / 48
        assert fast[s] == pytest.approx(np.exp(log) * hour)


def test_rain_hushes_the_hours_in_which_it_falls(happen):
    loud = S.with_overrides({"types.tapage.rain": -3.0, "incidents.near_repeat": 0, "incidents.event_effect": 0})
    drawn, _, weather = happen(loud)
    wet = np.repeat(weather.hour_rain_mm > 0, 2)
    expected = drawn.background.tempo[0][wet].sum()
    found = wet[drawn.background.slots.index(drawn.t_us[drawn.type_code == 0])].sum()
    low, high = binom.ppf([1e-4, 1 - 1e-4], (drawn.type_code == 0).sum(), expected / drawn.background.tempo[0].sum())
    assert low <= found <= high
    assert expected < 0.3 * drawn.background.tempo[0].sum() * wet.mean()


def test_nightlife_follows_the_bars_themselves(happen, city):
    only = {f"types.tapage.{k}": v for k, v in (("residents", 0.0), ("nightlife", 1.0), ("transit", 0.0))}
    flat = S.with_overrides(only | {"incidents.field_sd": 0, "incidents.darkness_effect": 0})
    drawn, _, _ = happen(flat)
    layer = draw_places(flat, city, rng=stream(3, "places")).layer("bar")
    assert np.corrcoef(drawn.cell_risk[0], layer)[0, 1] > 0.99


def test_what_is_planted_comes_on_top_and_leaves_everything_else_as_it_was(happen, drawn, city):
    base, _, _ = drawn
    more, _, _ = happen(S.with_overrides({"incidents.planted_quarters": 5, "incidents.planted_factor": 3.0}))
    usual = np.flatnonzero(~more.planted)
    for name in ("t_us", "type_code", "site", "cause", "event", "day", "second"):
        assert np.array_equal(getattr(more, name)[usual], getattr(base, name)), name
    # parents are the same incidents under new numbers; those before day 0 keep theirs
    parent = more.parent[usual]
    assert np.array_equal(np.where(parent >= 0, np.searchsorted(usual, parent), parent), base.parent)
    assert np.array_equal(more.before.t_us, base.before.t_us)
    extra = np.flatnonzero(more.planted)
    assert np.isin(more.quarter[extra], more.planted_quarters).all()
    assert more.planted[more.parent[extra][more.parent[extra] >= 0]].all()
    assert (more.parent[extra] >= -1).all()
    there = np.isin(base.quarter, more.planted_quarters).sum()
    assert abs(len(extra) - 2 * there) < 4 * np.sqrt(len(extra) + 4 * there) / (1 - 0.15)
    law = ConditionalIntensity.of(more, city)
    assert len(law.t_us) == len(base) + len(base.before)


def test_the_law_of_a_displacement_is_the_one_written_out(city):
    grid = city.grid
    rng = stream(1, "displaced")
    # an address near the sea, where part of the Gaussian is refused
    law = LandGaussian.around(grid, city.site_x_m, city.site_y_m, sd_m=300.0)
    site = int(np.argmin(law.on_land))
    n = 40_000
    to = displace(city, np.full(n, city.site_x_m[site]), np.full(n, city.site_y_m[site]), sd_m=300.0, rng=rng)
    p = law.at(np.full(grid.n_cells, site), np.arange(grid.n_cells))
    assert law.on_land[site] < 0.6
    assert p.sum() == pytest.approx(1.0, abs=1e-12)
    weight = np.zeros(len(law))
    weight[site] = 2.0
    assert np.allclose(law.spread(weight), 2 * p)
    cells = np.bincount(to // city.sites_per_cell, minlength=grid.n_cells)
    big = p * n > 10
    assert chisquare(np.append(cells[big], cells[~big].sum()), n * np.append(p[big], p[~big].sum())).pvalue > 1e-3
    stay = displace(city, city.site_x_m[:500], city.site_y_m[:500], sd_m=0.0, rng=rng)
    assert np.array_equal(stay, np.arange(500))
    still = LandGaussian.around(grid, city.site_x_m[:500], city.site_y_m[:500], sd_m=0.0)
    assert (still.at(np.arange(500), np.arange(500) // city.sites_per_cell) == 1).all()
    with pytest.raises(ParameterError, match="land cells"):
        displace(city, np.array([0.0]), np.array([0.0]), sd_m=1.0, rng=rng)


def test_the_intensity_of_the_city_rescales_time(drawn, city):
    incidents, _, _ = drawn
    law = ConditionalIntensity.of(incidents, city)
    end = incidents.background.slots.end_us
    for k in (0, 2, 9):
        t = incidents.t_us[incidents.type_code == k]
        assert kstest(np.diff(law.compensator(t)[k], prepend=0), "expon").pvalue > 1e-3
    # maps of parts add up to the map of the whole
    opening = incidents.background.slots.opening_us
    parts = [opening, opening + DAY_US, opening + 11 * DAY_US + 7, end]
    maps = sum(law.by_cell(a, b) for a, b in itertools.pairwise(parts))
    assert np.allclose(maps, law.by_cell(opening, end))
    assert maps.sum(axis=1) == pytest.approx(law.compensator(np.array([end]))[:, 0])
    with pytest.raises(ParameterError, match="ConditionalIntensity"):
        law.city_at(np.array([end + 1]), np.array([0]))
    with pytest.raises(ParameterError, match="after t0_us"):
        law.by_cell(opening, opening)


def test_same_seed_same_incidents_and_equal_cities_know_no_event(happen, city):
    one, other = happen()[0], happen()[0]
    for name in ("t_us", "type_code", "site", "parent", "cause", "event", "day", "second"):
        assert np.array_equal(getattr(one, name), getattr(other, name))
    equal = Scenario.load("equal-city").with_overrides({"time.n_days": 7, "city.sites_per_cell": 8})
    flat, calendar, _ = happen(equal)
    assert len(calendar) > 100
    assert set(flat.cause.tolist()) == {BACKGROUND}
    assert np.ptp(flat.cell_risk) == 0
