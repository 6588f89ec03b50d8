"""D09: the anchors hold, fraud hides what it should, and the gravity model is the one of the books."""

import numpy as np
import pytest

from contrechamp.domain.rng import stream
from synthetic_data.streams import network as net
from synthetic_data.streams.activity import home_cell
from synthetic_data.streams.dense import window
from synthetic_data.streams.network import draw_network
from synthetic_data.streams.transport import boardings, transport


def test_over_a_week_people_get_on_as_often_as_published(small_world):
    world = small_world({"streams.dense_days": 7})
    network = draw_network(world)
    people = boardings(world, network, window(world.scenario).starts_us(900))
    assert people.sum() / 7 == pytest.approx(850_000 * 30_000 / 860_000)
    rail = people[:, network.rail].sum() / people.sum()
    assert rail == pytest.approx(0.5, abs=0.01)  # crowds leaving events go to the nearest stop, of either mode


@pytest.mark.parametrize(("bus", "rail"), [(0.25, 0.08), (0.0, 0.0), (0.9, 0.5)])
def test_validations_are_short_of_people_by_fraud(small_world, bus, rail):
    world = small_world(
        {"mobility.bus_fraud": bus, "mobility.rail_fraud": rail, "mobility.transit_incidents_per_day": 0.0}
    )
    network = draw_network(world)
    people = boardings(world, network, window(world.scenario).starts_us(900))
    rows = transport(world, rng=stream(4, "transport"))
    by_mode = rows.groupby(rows["line"].str[0])["boardings"].sum()
    for mode, fraud, mine in (("B", bus, ~network.rail), ("R", rail, network.rail)):
        expected = people[:, mine].sum() * (1 - fraud)
        assert abs(by_mode[mode] - expected) < 5 * np.sqrt(expected)


def test_incidents_come_at_their_rate_and_empty_their_line(small_world):
    world = small_world({"mobility.transit_incidents_per_day": 3.6 * 860_000 / 30_000 * 50})
    rows = transport(world, rng=stream(5, "transport"))
    n = rows["incidents"].sum()
    assert abs(n - 3.6 * 50 * 3) < 4.5 * np.sqrt(3.6 * 50 * 3)
    calm = transport(small_world({"mobility.transit_incidents_per_day": 0.0}), rng=stream(5, "transport"))
    assert rows["boardings"].sum() < 0.8 * calm["boardings"].sum()


def test_where_an_event_ends_the_nearest_stop_fills_up(small_world):
    base = small_world()
    network = draw_network(base)
    span = window(base.scenario)
    end = span.midnights_us[0] + 22 * 3600 * 1_000_000
    x, y = network.stop_xy_m[5]
    event = base.calendar.iloc[[0]].assign(
        t_start_us=end - 7200 * 1_000_000, t_end_us=end, cell=50, attendance=1000, x_m=x, y_m=y
    )
    t_us = span.starts_us(900)
    with_event, without = (boardings(small_world(calendar=c), network, t_us) for c in (event, base.calendar.iloc[:0]))
    step = (end - t_us[0]) // 900_000_000
    there = network.serves_stop == 5
    more = (with_event - without)[step : step + 3][:, there].sum()
    assert more == pytest.approx(250, rel=0.05)
    assert with_event.sum() == pytest.approx(without.sum())


def test_gravity_agrees_with_the_sum_written_out(small_world):
    world = small_world()
    stops = np.array([[0.0, 0.0], [1500.0, 0.0], [0.0, 4000.0]]) + world.city.grid.centres_m.mean(axis=0)
    leaves, returns = net._gravity(world, stops)
    nearest = np.array([np.argmin(np.hypot(*(stops - c).T)) for c in world.city.grid.centres_m])
    lives = [float((nearest[home_cell(world)] == i).sum()) for i in range(3)]
    place = net.layers(world)
    pull = sum(w * place.get(k, world.places.layer(k) if k not in place else None) for k, w in net._PULL.items())
    draws = [float(pull[nearest == i].sum()) for i in range(3)]
    trips = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            if i != j:
                away_km = np.hypot(*(stops[i] - stops[j])) / 1000
                trips[i, j] = lives[i] * draws[j] * np.exp(-away_km / 3.0)
    trips /= trips.sum()
    assert leaves == pytest.approx(trips.sum(axis=1), abs=1e-6)
    assert returns == pytest.approx(trips.sum(axis=0), abs=1e-6)


def test_the_network_is_laid_on_streets_and_the_same_for_all(small_world):
    world = small_world()
    network, again = draw_network(world), draw_network(world)
    assert (network.serves_stop == again.serves_stop).all()
    assert network.outward.sum() == pytest.approx(1.0)
    assert network.homeward.sum() == pytest.approx(1.0)
    nodes = {tuple(xy) for xy in world.streets.nodes[["x_m", "y_m"]].to_numpy().tolist()}
    buses = [tuple(xy) for xy, name in zip(network.stop_xy_m.tolist(), network.stop, strict=True) if name[0] == "A"]
    assert set(buses) <= nodes
    assert sorted(set(network.serves_line.tolist())) == list(range(len(network.line)))
    assert sorted(set(network.serves_stop.tolist())) == list(range(len(network.stop)))
    no_rail = draw_network(small_world({"mobility.rail_lines": 0}))
    assert not no_rail.rail.any()
    assert no_rail.outward.sum() == pytest.approx(1.0)
