"""Streets of Massilia, and the whole city on tiny plans and on zones of a user."""

from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely

from contrechamp.domain.rng import stream
from synthetic_data.cameras import coverage, draw_cameras
from synthetic_data.city import draw_city
from synthetic_data.people import draw_people
from synthetic_data.places import draw_places
from synthetic_data.scenario import Scenario
from synthetic_data.sectors import make_sectors
from synthetic_data.streets import _gabriel, draw_streets
from synthetic_data.units import draw_units
from synthetic_data.zones import check_zones, fit, read_zones

DEFAULT = Scenario.load()
MARSEILLE = next(Path(__file__).resolve().parents[4].glob("*/data/marseille_quartiers/*.geojson"), None)
NO_PLACES = {
    f"places.n_{kind}": 0
    for kind in (
        "markets",
        "stadiums",
        "hospitals",
        "vacant",
        "parks",
        "police_stations",
        "fire_stations",
        "town_halls",
    )
} | {f"city.n_{kind}": 0 for kind in ("bars", "schools", "stations")}


@pytest.fixture(scope="module")
def city():
    return draw_city(DEFAULT.city, rng=stream(11, "city"))


@pytest.fixture(scope="module")
def streets(city):
    return draw_streets(city, rng=stream(11, "world", "streets"))


def test_streets_hang_together_and_stay_on_land(city, streets):
    graph = streets.to_networkx()
    assert nx.is_connected(graph)
    assert len(graph) == len(streets.nodes) == 12_000
    assert graph.number_of_edges() == len(streets.edges)
    lines = streets.to_geodataframe().geometry.to_numpy()
    assert shapely.covers(city.land.buffer(15.01), lines).all()
    assert streets.edges["length_m"].to_numpy() == pytest.approx(shapely.length(lines), abs=0.2)
    assert (streets.edges["u"] < streets.edges["v"]).all()
    assert not streets.edges.duplicated(["u", "v"]).any()
    assert nx.check_planarity(graph)[0]
    u, _, edge = next(iter(graph.edges(data=True)))
    assert set(edge) == {"length_m", "road_class"}
    assert set(graph.nodes[u]) == {"x_m", "y_m", "piece"}


def test_streets_are_as_dense_as_the_city_and_the_main_roads_carry_far(city, streets):
    lines = streets.to_geodataframe()
    middle = lines.geometry.interpolate(0.5, normalized=True)
    away = np.hypot(middle.x - city.centre_m[0], middle.y - city.centre_m[1])
    assert lines["length_m"][away < 2000].median() < 0.7 * lines["length_m"][away > 8000].median()
    km = lines.groupby("road_class")["length_m"].sum() / 1000
    assert km["main"] / km.sum() == pytest.approx(0.07, abs=0.005)
    assert km["secondary"] / km.sum() == pytest.approx(0.15, abs=0.005)
    degree = 2 * len(streets.edges) / len(streets.nodes)
    assert 2.5 < degree < 3.6
    # main roads hang together far better than as many pieces drawn by lot
    main = nx.Graph(lines.loc[lines["road_class"] == "main", ["u", "v"]].itertuples(index=False))
    lot = lines.sample(main.number_of_edges(), random_state=1)
    largest = max(len(part) for part in nx.connected_components(main)) / len(main)
    by_lot = nx.Graph(lot[["u", "v"]].itertuples(index=False))
    assert largest > 0.8
    assert max(len(part) for part in nx.connected_components(by_lot)) / len(by_lot) < 0.1


def test_a_gabriel_graph_agrees_with_its_definition():
    xy = stream(2, "points").uniform(0, 100, (60, 2))
    u, v = _gabriel(xy)
    slow = {
        (i, j)
        for i in range(60)
        for j in range(i + 1, 60)
        if (np.hypot(*(xy - (xy[i] + xy[j]) / 2).T) >= np.hypot(*(xy[i] - xy[j])) / 2 - 1e-9).all()
    }
    assert set(zip(u.tolist(), v.tolist(), strict=True)) == slow


def test_the_nearest_crossing_is_the_nearest(city, streets):
    found = streets.nearest(city.site_x_m[:50], city.site_y_m[:50])
    xy = streets.nodes[["x_m", "y_m"]].to_numpy()
    gap = np.hypot(xy[None, :, 0] - city.site_x_m[:50, None], xy[None, :, 1] - city.site_y_m[:50, None])
    assert (found == gap.argmin(axis=1)).all()


def test_the_same_stream_gives_the_same_streets(city, streets):
    again = draw_streets(city, rng=stream(11, "world", "streets"))
    assert again.edges.equals(streets.edges)
    assert again.nodes.equals(streets.nodes)


# --- the whole city, elsewhere and very small -----------------------------------------------------------------------


def check_whole(scenario, zones=None):
    city = draw_city(scenario.city, rng=stream(3, "city"), zones=zones)
    units = draw_units(scenario, city, rng=stream(3, "units"))
    people = draw_people(scenario, city, units, rng=stream(3, "people"))
    places = draw_places(scenario, city, rng=stream(3, "places"))
    cameras = draw_cameras(scenario, city, places, rng=stream(3, "cameras"))
    streets = draw_streets(city, rng=stream(3, "streets"))
    sectors = make_sectors(city)
    assert len(people) == scenario.city.population
    area = units.area.groupby(units["quarter"]).sum().to_numpy()
    assert area == pytest.approx(city.area_km2 * 1e6, rel=1e-9)
    assert units.groupby("quarter")["population"].sum().tolist() == city.quarters["population"].tolist()
    assert np.bincount(people.unit, minlength=len(units)).tolist() == units["population"].tolist()
    one_piece = city.quarters.geometry.geom_type.to_numpy() == "Polygon"
    assert (units.geometry.geom_type[one_piece[units["quarter"]]] == "Polygon").all()
    assert people.frame().groupby("household")["age"].max().min() >= 18
    assert (city.grid.cell_of(places.frame["x_m"], places.frame["y_m"]) == places.frame["cell"]).all()
    seen = coverage(cameras, city)
    assert ((seen >= 0) & (seen <= 1)).all()
    graph = streets.to_networkx()
    for _, nodes in streets.nodes.groupby("piece"):
        assert nx.is_connected(graph.subgraph(nodes.index))
    assert streets.nodes["piece"].nunique() == len(shapely.get_parts(shapely.buffer(city.land, 15.0)))
    assert (sectors.of_quarter >= 0).all()
    return city, units, people, places, streets


@pytest.mark.parametrize(
    "changes",
    [
        {"city.population": 1000, "city.area_km2": 5, "city.n_quarters": 3, "city.n_districts": 1, "city.n_bars": 0},
        {"city.population": 1000, "city.area_km2": 5, "city.n_quarters": 1, "city.n_districts": 1, "city.cell_m": 900,
         "city.sites_per_cell": 1, "cameras.n_cameras": 0, **NO_PLACES},
        {"city.population": 3000, "city.area_km2": 6, "city.n_quarters": 12, "city.n_districts": 12,
         "city.sites_per_cell": 1, "people.unit_residents": 100},
        {"city.population": 20_000, "city.area_km2": 8, "city.n_quarters": 6, "city.n_districts": 2,
         "people.household_sizes": [0.05, 0.0, 0.0, 1.0], "city.segregation": 5.0, "city.share_b": 0.99},
    ],
    ids=["three-quarters", "one-quarter-no-place", "an-address-a-cell", "large-families"],
)  # fmt: skip
def test_a_tiny_city_is_whole(changes):
    check_whole(DEFAULT.with_overrides({"city.sites_per_cell": 4, **changes}))


def test_zones_with_an_island_a_strip_and_nobody_make_a_whole_city():
    x, y = 840_000, 6_520_000
    shapes = [shapely.box(x + 1000 * i, y + 1000 * j, x + 1000 * (i + 1), y + 1000 * (j + 1))
              for j in range(4) for i in range(4)]  # fmt: skip
    shapes.append(
        shapely.union(shapely.box(x + 7000, y, x + 7500, y + 1000), shapely.box(x + 8000, y, x + 8500, y + 900))
    )
    shapes.append(shapely.box(x + 4000, y, x + 4040, y + 4000))  # between the centres of cells: nobody has an address
    shapes.append(shapely.box(x - 3000, y, x - 2980, y + 20))
    people = [0, 0, *range(100, 1700, 100), 300]
    frame = gpd.GeoDataFrame({"hab": people}, geometry=shapes, crs="EPSG:2154")
    zones = check_zones(frame, where="z", population_column="hab")
    small = DEFAULT.with_overrides({"city.sites_per_cell": 4, "city.n_districts": 4, "people.unit_residents": 400})
    _, units, people, _, streets = check_whole(fit(small, zones), zones)
    assert units["population"][units["quarter"] == 0].tolist() == [0]
    assert not np.isin(people.quarter, [0, 1]).any()
    assert np.bincount(people.quarter)[-1] == 300  # on an island without an address: housed at the nearest
    assert streets.nodes["piece"].nunique() == 4


@pytest.mark.skipif(MARSEILLE is None, reason="no */data/marseille_quartiers/*.geojson beside the checkout")
def test_the_111_quarters_of_marseille_make_a_whole_city():
    zones = read_zones(MARSEILLE, id_column="code_qua", name_column="nom")
    _, units, *_ = check_whole(fit(DEFAULT.with_overrides({"city.sites_per_cell": 4}), zones), zones)
    assert len(units) == pytest.approx(860_000 / 2200, abs=20)
