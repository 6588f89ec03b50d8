"""D15: users are chosen as asked, journeys keep to the streets, and batteries hide the evening."""

import numpy as np
import pytest
import shapely

from contrechamp.domain.rng import stream
from synthetic_data.names import person_users
from synthetic_data.streams.activity import standard_poverty
from synthetic_data.streams.dense import clock
from synthetic_data.streams.journeys import SPEED_M_S, app_users, draw_journeys
from synthetic_data.streams.movement import capteurs_vitesse


def _rows(world):
    return capteurs_vitesse(world, rng=stream(7, "vitesse"))


@pytest.mark.parametrize("points", [40.0, 100.0])
def test_points_are_as_many_as_the_plan_says(small_world, points):
    world = small_world({"mobility.app_points_per_user_day": points, "mobility.app_users": 400})
    rows = _rows(world)
    per_user_day = len(rows) / 400 / 3
    journeys = draw_journeys(world)
    size = np.bincount(np.unique(journeys.journey, return_inverse=True)[1])
    spread = np.sqrt((size.astype(float) ** 2).sum()) / 400 / 3  # each journey is kept or not, by itself
    assert abs(per_user_day - points) < 4 * spread


def test_users_are_persons_of_the_city_with_a_smartphone(small_world):
    world = small_world()
    users = app_users(world)
    assert len(users) == 120
    assert world.people.smartphone[users].all()
    assert world.people.age[users].min() >= 15
    assert set(_rows(world)["user"]) <= set(person_users(users))


def _gap(world, value):
    """Mean among users less mean among those who could be, in standard errors, and that mean gap."""
    able = np.flatnonzero(world.people.smartphone & (world.people.age >= 15))
    users = app_users(world)
    gap = value[users].mean() - value[able].mean()
    return gap / (value[able].std() / np.sqrt(len(users))), gap


def test_the_young_and_the_well_off_take_it_up_if_asked_and_only_then(small_world):
    off = {"mobility.app_age_slope": 0.0, "mobility.app_poverty_slope": 0.0, "mobility.app_users": 1500}
    on = off | {"mobility.app_age_slope": 0.35, "mobility.app_poverty_slope": 0.3}
    for changes, biased in ((off, False), (on, True)):
        world = small_world(changes)
        for value in (world.people.age.astype(float), standard_poverty(world)[world.people.quarter]):
            z, gap = _gap(world, value)
            assert (z < -8) if biased else (abs(z) < 4)
    # an exponential tilt of a law with variance s² moves its mean by slope * s², nearly
    _, gap = _gap(world, standard_poverty(world)[world.people.quarter])
    able = world.people.smartphone & (world.people.age >= 15)
    assert gap == pytest.approx(-0.3 * standard_poverty(world)[world.people.quarter][able].var(), rel=0.35)


def test_the_equal_city_takes_it_up_alike(small_world):
    world = small_world({"mobility.app_users": 1500}, preset="equal-city")
    z, _ = _gap(world, standard_poverty(world)[world.people.quarter])
    assert abs(z) < 4


def test_journeys_keep_to_the_streets(small_world):
    world = small_world()
    journeys = draw_journeys(world)
    nodes = world.streets.nodes[["x_m", "y_m"]].to_numpy()
    ends = world.streets.edges[["u", "v"]].to_numpy()
    streets = shapely.linestrings(nodes[ends])
    some = np.random.default_rng(0).choice(len(journeys.t_us), 800, replace=False)
    points = shapely.points(journeys.x_m[some], journeys.y_m[some])
    gap = shapely.distance(points, streets[shapely.STRtree(streets).nearest(points)])
    assert gap.max() < 0.01
    noisy = _rows(small_world({"mobility.gps_noise_m": 25.0}))
    points = shapely.points(noisy["x_m"].to_numpy()[:2000], noisy["y_m"].to_numpy()[:2000])
    gap = shapely.distance(points, streets[shapely.STRtree(streets).nearest(points)])
    assert 8 < gap.mean() < 25


def test_speed_is_the_way_gone_and_its_mean_that_of_the_mode(small_world):
    journeys = draw_journeys(small_world())
    same = np.diff(journeys.journey) == 0
    assert (np.diff(journeys.t_us)[same] == 10_000_000).all()
    gone = np.hypot(np.diff(journeys.x_m), np.diff(journeys.y_m))[same]
    # out, the way from one point to the next is gone at the speed of the first; back, the same way is walked backwards
    fastest = np.maximum(journeys.speed_m_s[:-1], journeys.speed_m_s[1:])[same]
    assert (gone <= 10.1 * fastest + 1e-6).all()  # lengths of streets are rounded
    for mode, mean in enumerate(SPEED_M_S):
        mine = journeys.speed_m_s[journeys.mode == mode]
        assert mine.mean() == pytest.approx(mean, rel=0.06)  # the last point of a journey may cover less than 10 s


def test_nobody_is_in_two_places_at_once(small_world):
    journeys = draw_journeys(small_world())
    key = journeys.user.astype(np.int64) << 52 | (journeys.t_us - journeys.t_us.min()) // 1_000_000
    assert len(np.unique(key)) == len(key)
    order = np.lexsort((journeys.t_us, journeys.user))
    changes = (np.diff(journeys.journey[order]) != 0).sum()
    assert changes == len(np.unique(journeys.journey)) - 1  # journeys of a user do not interleave


def test_batteries_hide_the_evening_if_asked(small_world):
    late = []
    for loss in (0.0, 0.8):
        world = small_world({"mobility.battery_loss": loss, "mobility.app_points_per_user_day": 30.0})
        journeys = draw_journeys(world)
        hour = clock(journeys.t_us).hour
        late.append((hour >= 18).mean())
    assert late[1] < 0.75 * late[0]
