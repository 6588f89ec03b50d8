"""What the files must not tell beside their fields: how much is hidden, who is a visitor, where a clock was cut."""

import numpy as np
import pandas as pd
import pytest
from scipy.spatial import cKDTree
from scipy.stats import binomtest, spearmanr

from contrechamp.domain.rng import stream
from synthetic_data import names
from synthetic_data.names import plates
from synthetic_data.scenario import Scenario
from synthetic_data.streams import draw_stream
from synthetic_data.streams.citizens import reliability, reports_with_truth
from synthetic_data.streams.rescue import _frequent
from synthetic_data.streams.social import posts_with_truth


def drawn(world, key):
    return draw_stream(key, world, rng=stream(world.seed, "streams", key))


def test_the_number_of_a_place_says_neither_its_kind_nor_how_many_places_are_left_out(small_world):
    world = small_world()
    places = world.places.frame
    number = places["place_id"].str[1:].astype(int).to_numpy()
    assert len(np.unique(number)) == len(places)
    assert spearmanr(number, np.arange(len(places))).pvalue > 1e-3
    shown = np.sort(drawn(world, "donnees_ouvertes")["id"].str[1:].astype(int).to_numpy())
    assert number.max() > 3 * len(places)
    gaps = np.diff(shown)  # of points at random, whatever is left out: exponential
    assert gaps.std() / gaps.mean() == pytest.approx(1.0, abs=0.15)


def test_the_number_of_a_post_is_its_second_and_nothing_about_posts_never_seen(small_world):
    world = small_world(streams__dense_days=3, social__private=0.9, social__deleted=0.5)
    rows, truth = posts_with_truth(world, rng=stream(3, "posts"))
    assert truth["post_id"].is_unique
    assert truth["post_id"].is_monotonic_increasing
    number = rows["post_id"].str[1:].astype("int64")
    second = rows["t"].astype("int64") // 1_000_000
    assert np.ptp(number // 1000 - second) <= 1  # one more where two posts of a second drew numbers that touch
    assert abs((number % 1000).mean() - 499.5) < 4 * 289 / np.sqrt(len(rows))


def test_plates_are_one_to_one_and_show_nobody_to_be_a_visitor():
    n = 300_000
    shown = plates(np.arange(n))
    assert len(set(shown)) == n
    assert np.gcd(names._PLATE_STEP, 279_841_000) == 1
    first = pd.Series(plates(np.arange(860_000, 860_000 + 60_000))).str[0]
    assert first.nunique() == len(names._PLATE_LETTERS)  # as residents' are
    assert first.value_counts().std() < 0.1 * 60_000 / len(names._PLATE_LETTERS)


def test_no_heap_of_park_reports_when_keepers_come_and_go(small_world):
    world = small_world(services__park_reports_per_day=200)
    local = drawn(world, "parcs")["t"].dt.tz_convert("Europe/Paris")
    assert local.dt.hour.between(7, 20).all()
    assert (local.dt.strftime("%M:%S") == "00:00").mean() < 0.01
    assert local.dt.hour.isin([7]).mean() < 0.25


def test_no_heap_of_reports_in_the_last_second_of_the_run(small_world):
    world = small_world(social__reports_per_day=20_000)
    rows, truth = reports_with_truth(world, rng=stream(4, "reports"))
    end = pd.Timestamp(world.scenario.start).tz_convert("UTC") + pd.Timedelta(days=28)
    assert rows["t"].max() < end
    assert rows["t"].value_counts().iloc[0] <= 5
    told = truth["incident_id"] >= 0
    happened = world.incidents.t_us[truth["incident_id"][told]] // 1_000_000 * 1_000_000
    assert (rows["t"][told].astype("int64").to_numpy() >= happened).all()


def test_frequent_callers_are_others_in_another_world(small_world):
    one, other = small_world(), small_world(seed=12)
    mine, theirs = set(_frequent(one).tolist()), set(_frequent(other).tolist())
    assert len(mine) == len(theirs) == one.scenario.services.frequent_callers
    assert len(mine & theirs) < 15  # 400 of 60,000, twice: 2.7 expected, more among the old
    assert (one.people.age[list(mine)] >= 60).mean() > 0.4


def test_bars_and_the_shore_draw_interventions_and_none_when_switched_off(small_world):
    for share in (1.0, 0.0):
        world = small_world(services__rescue_places=share, services__rescues_per_day=3000)
        calls = drawn(world, "pompiers")
        drunk = calls[calls["nature"] == "ivresse"]
        bars = world.places.of("bar")[["x_m", "y_m"]].to_numpy()
        at_bar = cKDTree(bars).query(drunk[["x_m", "y_m"]].to_numpy())[0] < 0.2
        sites = np.column_stack([world.city.site_x_m, world.city.site_y_m])
        share_of_sites = (cKDTree(bars).query(sites)[0] < 0.2).mean()
        assert len(drunk) > 3000
        if share:
            assert at_bar.all()
        else:
            assert binomtest(int(at_bar.sum()), len(drunk), share_of_sites).pvalue > 1e-3


def test_the_equal_city_has_no_other_inequality_of_callers():
    equal = Scenario.load("equal-city")
    assert (equal.services.rescue_places, equal.services.frequent_share, equal.services.repeat_callers) == (0, 0, 0)
    assert equal.social.grudges == 0


def test_without_a_network_nobody_posts_whatever_happens(small_world):
    rows, truth = posts_with_truth(small_world(social__posts_per_day=0), rng=stream(3, "posts"))
    assert (len(rows), len(truth)) == (0, 0)


def test_reliability_holds_for_many_users_over_many_years():
    day = 86_400_000_000
    users = 300_000
    person = np.repeat(np.arange(users), 2)
    t_us = np.tile(np.array([0, 36_000 * day]), users)
    order = np.lexsort((person, t_us))
    score = reliability(person[order], t_us[order], np.ones(2 * users, dtype=bool))
    assert np.array_equal(score, np.repeat([0.5, 0.667], users))
