"""The ground, the people and the names of Massilia."""

import unicodedata

import numpy as np
import pytest
import shapely

from contrechamp.domain.rng import stream
from synthetic_data.city import draw_city, share_out
from synthetic_data.geography import PORT_M
from synthetic_data.names import N_PEOPLE, draw_quarter_names, person_name, person_phone, plates, quarter_name_space
from synthetic_data.scenario import Scenario

# The 111 quarters of the real Marseille, public names: none may be drawn.
REAL_QUARTERS = """
arenc, baille, belle de mai, belsunce, bompard, bon secours, bonneveine, carpiagne, castellane, chapitre,
chateau gombert, chutes lavie, cinq avenues, endoume, eoures, grands carmes, hotel de ville, l estaque, la barasse,
la blancarde, la cabucelle, la calade, la capelette, la conception, la croix rouge, la delorme, la fourragere,
la joliette, la milliere, la panouse, la plage, la pomme, la rose, la timone, la treille, la valbarelle, la valentine,
la vilette, la viste, le cabot, le camas, le canet, le merlan, le pharo, le redon, le rouet, les accates, les arnavaux,
les aygalades, les baumettes, les borels, les caillols, les camoins, les chartreux, les crottes, les goudes,
les medecins, les mourets, les olives, les riaux, les trois lucs, lodi, malpasse, mazargues, menpenti, montolivet,
montredon, noailles, notre dame du mont, notre dame limite, opera, palais de justice, palama, perier, pointe rouge,
pont de vivaux, prefecture, roucas blanc, saint andre, saint antoine, saint barnabe, saint barthelemy, saint charles,
saint giniez, saint henri, saint jean du desert, saint jerome, saint joseph, saint julien, saint just, saint lambert,
saint lazare, saint louis, saint loup, saint marcel, saint mauron, saint menet, saint mitre, saint pierre, saint tronc,
saint victor, sainte anne, sainte marguerite, sainte marthe, sormiou, thiers, vauban, vaufreges, verduron,
vielle chapelle, le panier, la plaine, cours julien, les catalans, felix pyat, frais vallon, la castellane
"""


def plain(name):
    ascii_only = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return ascii_only.lower().replace("-", " ").replace("'", " ").strip()


@pytest.fixture(scope="module")
def city():
    return draw_city(Scenario.load().city, rng=stream(11, "city"))


def test_people_and_area_are_the_anchors_exactly(city):
    q = city.quarters
    assert int(q["population"].sum()) == 860_000
    assert shapely.area(city.land) / 1e6 == pytest.approx(240.0, abs=0.01)
    assert (len(q), q["district_id"].nunique()) == (110, 16)
    assert sorted(q["district_id"].unique()) == list(range(1, 17))
    assert city.grid.n_cells == pytest.approx(3840, abs=40)
    assert q["bars"].sum() == 1400
    assert q["schools"].sum() == 470
    assert q["stations"].sum() == 90
    assert city.cell_population.sum() == pytest.approx(860_000, rel=1e-3)


def test_quarters_are_valid_contiguous_and_cover_the_land_without_overlap(city):
    shapes = city.quarters.geometry.to_numpy()
    assert {s.geom_type for s in shapes} == {"Polygon"}
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)  # no overlap, no mismatched edge
    assert shapely.area(shapes).sum() == pytest.approx(shapely.area(city.land), rel=1e-9)
    assert city.land.geom_type == "Polygon"
    assert not city.land.interiors  # no gap
    assert shapely.area(shapes).min() > 0.1e6
    for _, district in city.quarters.groupby("district_id"):
        assert shapely.union_all(district.geometry.to_numpy()).geom_type == "Polygon"


def test_the_sea_is_to_the_west_and_the_centre_is_dense(city):
    x, y = PORT_M
    for away in (3000.0, 6000.0):
        assert not shapely.contains_xy(city.land, x - away, y)
        assert not shapely.contains_xy(city.land, x - away, y - away)
        assert shapely.contains_xy(city.land, x + away, y)
    density = city.quarters["population"].to_numpy() / city.area_km2
    away_m = np.hypot(*(shapely.get_coordinates(shapely.centroid(city.quarters.geometry.to_numpy())) - PORT_M).T)
    assert density[away_m < 2500].mean() > 3 * density[away_m > 7000].mean()


def test_groups_sum_to_one_and_segregation_is_a_dial(city):
    plan = Scenario.load().city
    assert np.allclose(city.quarters["share_a"] + city.quarters["share_b"], 1.0)
    spread = {}
    for segregation in (0.0, 1.0, 2.0):
        s = Scenario.load().with_overrides({"city.segregation": segregation}).city
        drawn = draw_city(s, rng=stream(11, "city")).quarters
        assert np.average(drawn["share_b"], weights=drawn["population"]) == pytest.approx(plan.share_b, abs=1e-6)
        spread[segregation] = drawn["share_b"].std()
    assert spread[0.0] < 1e-9 < spread[1.0] < spread[2.0]


def test_every_address_is_on_land_in_its_cell_and_its_quarter(city):
    k = city.sites_per_cell
    assert len(city.site_x_m) == city.grid.n_cells * k
    assert (city.grid.cell_of(city.site_x_m, city.site_y_m) == np.repeat(np.arange(city.grid.n_cells), k)).all()
    shapely.prepare(city.land)
    assert shapely.intersects_xy(city.land, city.site_x_m, city.site_y_m).all()
    some = np.arange(0, len(city.site_x_m), 997)
    shapes = city.quarters.geometry.to_numpy()[city.site_quarter[some]]
    assert (shapely.distance(shapes, shapely.points(city.site_x_m[some], city.site_y_m[some])) < 1e-6).all()


def test_no_real_quarter_can_ever_be_drawn(city):
    real = {plain(n) for n in REAL_QUARTERS.replace("\n", " ").split(",")}
    assert len(real) > 110
    assert not real & {plain(n) for n in quarter_name_space()}
    assert set(city.quarters["name"]) <= set(quarter_name_space())
    assert city.quarters["name"].is_unique
    assert len(set(draw_quarter_names(1000, rng=stream(1, "names")))) == 1000


def test_people_have_one_name_and_one_fictional_number_each():
    assert len({person_name(i) for i in range(N_PEOPLE)}) == N_PEOPLE
    numbers = {person_phone(i) for i in range(N_PEOPLE)}
    assert len(numbers) == N_PEOPLE
    assert all(n.startswith("06 39 98 ") and len(n) == 14 for n in numbers)
    assert len(set(plates(np.arange(5000)))) == 5000


def test_share_out_matches_a_hand_count():
    assert share_out(7, np.array([0.5, 0.3, 0.2])).tolist() == [4, 2, 1]
    assert share_out(0, np.array([1.0, 2.0])).tolist() == [0, 0]
