"""Places, cameras and patrol sectors of Massilia."""

import numpy as np
import pytest
import shapely

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.cameras import centre_share, coverage, draw_cameras, seen_sites
from synthetic_data.city import draw_city
from synthetic_data.places import PLACE_KINDS, draw_places
from synthetic_data.scenario import Scenario
from synthetic_data.sectors import SHIFTS, make_sectors

DEFAULT = Scenario.load()


@pytest.fixture(scope="module")
def city():
    return draw_city(DEFAULT.city, rng=stream(11, "city"))


@pytest.fixture(scope="module")
def places(city):
    return draw_places(DEFAULT, city, rng=stream(11, "world", "places"))


def cameras_of(city, places, layout="dense-centre", seed=11, scenario=DEFAULT, **more):
    return draw_cameras(scenario, city, places, rng=stream(seed, "world", "cameras"), layout=layout, **more)


# --- places -------------------------------------------------------------------------------------------------------


def test_there_are_as_many_places_of_each_kind_as_the_plan_says(city, places):
    plan = DEFAULT.places
    counts = places.frame["kind"].value_counts().to_dict()
    assert counts == {
        "bar": 1400, "school": 470, "station": 90, "market": plan.n_markets, "stadium": 1,
        "hospital": plan.n_hospitals, "vacant": plan.n_vacant, "park": plan.n_parks,
        "police_station": plan.n_police_stations, "fire_station": plan.n_fire_stations,
        "town_hall": plan.n_town_halls,
    }  # fmt: skip
    assert tuple(places.frame["kind"].unique()) == PLACE_KINDS
    assert places.frame["place_id"].is_unique
    for kind, column in (("bar", "bars"), ("school", "schools"), ("station", "stations")):
        per_quarter = np.bincount(places.of(kind)["quarter"], minlength=110)
        assert per_quarter.tolist() == city.quarters[column].tolist()


def test_every_place_is_on_land_in_its_cell_and_its_quarter(city, places):
    f = places.frame
    shapely.prepare(city.land)
    assert shapely.intersects_xy(city.land, f["x_m"], f["y_m"]).all()
    assert (city.grid.cell_of(f["x_m"], f["y_m"]) == f["cell"]).all()
    shapes = city.quarters.geometry.to_numpy()[f["quarter"]]
    assert shapely.distance(shapes, shapely.points(f["x_m"], f["y_m"])).max() < 1e-6
    assert f["capacity"].min() >= 1


def mean_nearest(frame):
    xy = frame[["x_m", "y_m"]].to_numpy()
    gap = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
    np.fill_diagonal(gap, np.inf)
    return gap.min(axis=1).mean()


def test_bars_gather_and_schools_keep_apart(city, places):
    chance = {}
    for kind, weight in (("bar", city.cell_density**1.5), ("school", city.cell_population)):
        n = len(places.of(kind))
        p = np.repeat(weight, city.sites_per_cell)
        site = stream(1, "chance").choice(len(p), size=n, p=p / p.sum())
        xy = np.column_stack([city.site_x_m[site], city.site_y_m[site]])
        gap = np.hypot(*(xy[:, None] - xy[None]).transpose(2, 0, 1))
        np.fill_diagonal(gap, np.inf)
        chance[kind] = gap.min(axis=1).mean()
    assert mean_nearest(places.of("bar")) < 0.8 * chance["bar"]
    assert mean_nearest(places.of("school")) > 1.1 * chance["school"]


def test_buildings_stand_empty_where_it_is_poor(city):
    slope = {}
    for gradient in (0.0, 1.0):
        s = DEFAULT.with_overrides({"people.vacancy_gradient": gradient, "places.n_vacant": 20_000})
        vacant = draw_places(s, city, rng=stream(3, "p")).of("vacant")
        expected = np.bincount(city.site_quarter, np.repeat(city.cell_density, city.sites_per_cell), minlength=110)
        rate = np.bincount(vacant["quarter"], minlength=110) / expected
        z = city.quarters["poverty"].to_numpy()
        slope[gradient] = np.polyfit((z - z.mean()) / z.std(), np.log(rate), 1)[0]
    assert slope[0.0] == pytest.approx(0.0, abs=0.05)
    assert slope[1.0] == pytest.approx(1.0, abs=0.1)


@pytest.mark.parametrize("bandwidth_m", [20.0, 200.0, 900.0])
def test_a_layer_sums_to_the_number_of_places(places, bandwidth_m):
    for kind in PLACE_KINDS:
        layer = places.layer(kind, bandwidth_m=bandwidth_m)
        assert layer.sum() == pytest.approx(len(places.of(kind)), rel=1e-9)
        assert layer.min() >= 0


def test_a_layer_agrees_with_a_slow_sum(city, places):
    slow = np.zeros(city.grid.n_cells)
    for row in places.of("hospital").itertuples():
        gap = np.hypot(*(city.grid.centres_m - (row.x_m, row.y_m)).T)
        mass = np.where(gap <= 900.0, np.exp(-(gap**2) / (2 * 300.0**2)), 0.0)
        slow += mass / mass.sum()
    assert places.layer("hospital", bandwidth_m=300.0) == pytest.approx(slow, abs=1e-12)


def test_an_unknown_kind_or_width_is_refused(places):
    with pytest.raises(ParameterError, match="one of bar, school"):
        places.of("casino")
    with pytest.raises(ParameterError, match="bandwidth_m"):
        places.layer("bar", bandwidth_m=0.0)


# --- cameras ------------------------------------------------------------------------------------------------------


def test_cameras_are_where_the_anchor_puts_them(city, places):
    shares = np.array([centre_share(cameras_of(city, places, seed=i), city.quarters) for i in range(12)])
    anchor = 280 / 510
    assert shares.mean() == pytest.approx(anchor, abs=0.015)
    # the anchor's own interval (Wilson, 510 cameras) is 0.506 to 0.592
    assert ((shares > 0.506) & (shares < 0.592)).all()
    drawn = cameras_of(city, places)
    assert len(drawn) == 1036
    assert drawn["camera_id"].is_unique
    assert (city.grid.cell_of(drawn["x_m"], drawn["y_m"]) == drawn["cell"]).all()
    at = shapely.points(drawn["x_m"], drawn["y_m"])
    assert shapely.distance(city.quarters.geometry.to_numpy()[drawn["quarter"]], at).max() < 1e-6
    assert not drawn.duplicated(["x_m", "y_m"]).any()


@pytest.mark.parametrize("share", [0.2, 0.8])
def test_the_share_of_the_centre_is_a_dial(city, places, share):
    s = DEFAULT.with_overrides({"cameras.centre_share": share})
    assert centre_share(cameras_of(city, places, scenario=s), city.quarters) == pytest.approx(share, abs=0.05)


def test_layouts_differ_as_their_names_say(city, places):
    uniform = cameras_of(city, places, "uniform")
    counts = np.zeros(city.grid.n_cells)
    counts[:30] = 5.0
    followed = cameras_of(city, places, "by-incidents", incidents_per_cell=counts)
    land = city.area_km2[city.quarters["district_id"] <= 2].sum() / city.area_km2.sum()
    assert centre_share(uniform, city.quarters) == pytest.approx(land, abs=0.03)
    assert followed["cell"].isin(range(30)).all()
    dense = coverage(cameras_of(city, places), city)
    assert np.average(dense, weights=city.cell_population) > 2 * np.average(
        coverage(uniform, city), weights=city.cell_population
    )


def test_coverage_is_a_share_and_agrees_with_a_slow_count(city, places):
    drawn = cameras_of(city, places)
    share = coverage(drawn, city)
    assert ((share >= 0) & (share <= 1)).all()
    slow = np.zeros(len(city.site_x_m), dtype=bool)
    for row in drawn.itertuples():
        east, north = city.site_x_m - row.x_m, city.site_y_m - row.y_m
        reach = np.hypot(east, north)
        look = np.radians(row.bearing_deg)
        along = east * np.sin(look) + north * np.cos(look)  # cosine of the angle off the axis, times the distance
        slow |= (reach <= row.reach_m) & (along >= reach * np.cos(np.radians(min(row.fov_deg, 360.0) / 2)) - 1e-9)
    assert (seen_sites(drawn, city) == slow).all()
    assert share == pytest.approx(slow.reshape(city.grid.n_cells, -1).mean(axis=1))
    # the areas of the fields of view, were they never to overlap or leave the land, are the most it could be
    most = (drawn["fov_deg"] / 360 * np.pi * drawn["reach_m"] ** 2).sum() / city.land.area
    assert 0.5 * most < share.mean() < 1.1 * most


def test_without_contrast_every_cell_is_seen_alike(city, places):
    drawn = cameras_of(city, places)
    flat = coverage(drawn, city, contrast=0.0)
    assert len(np.unique(flat)) == 1
    assert flat[0] == pytest.approx(coverage(drawn, city).mean())
    assert Scenario.load("equal-city").cameras.contrast == 0.0


def test_no_camera_sees_nothing_and_no_place_is_needed(city, places):
    s = DEFAULT.with_overrides({"cameras.n_cameras": 0})
    none = cameras_of(city, places, scenario=s)
    assert len(none) == 0
    assert not coverage(none, city).any()
    assert np.isnan(centre_share(none, city.quarters))


@pytest.mark.parametrize(
    ("layout", "counts", "words"),
    [
        ("everywhere", None, "dense-centre, uniform, by-incidents"),
        ("by-incidents", None, "incidents_per_cell"),
        ("by-incidents", np.ones(3), "incidents_per_cell"),
        ("by-incidents", "zero", "not all 0"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(city, places, layout, counts, words):
    counts = np.zeros(city.grid.n_cells) if isinstance(counts, str) else counts
    with pytest.raises(ParameterError, match=words):
        cameras_of(city, places, layout, incidents_per_cell=counts)
    with pytest.raises(ParameterError, match=r"cameras\.layout"):
        DEFAULT.with_overrides({"cameras.layout": "everywhere"})


def test_the_same_stream_gives_the_same_places_and_cameras(city, places):
    again = draw_places(DEFAULT, city, rng=stream(11, "world", "places"))
    assert again.frame.equals(places.frame)
    assert cameras_of(city, places).equals(cameras_of(city, places))
    assert not cameras_of(city, places, seed=12).equals(cameras_of(city, places))


# --- sectors ------------------------------------------------------------------------------------------------------


def test_sectors_are_contiguous_parts_of_districts(city):
    sectors = make_sectors(city)
    shapes = city.quarters.geometry.to_numpy()
    assert len(sectors.of_quarter) == 110
    for k, row in enumerate(sectors.frame.itertuples()):
        own = sectors.of_quarter == k
        assert own.sum() == row.n_quarters
        assert set(city.quarters["district_id"][own]) == {row.district_id}
        assert shapely.union_all(shapes[own]).geom_type == "Polygon"
        assert row.population == city.quarters["population"][own].sum()
    assert sectors.frame["sector_id"].is_unique
    assert sectors.frame["n_quarters"].max() <= 7
    assert sectors.frame["n_quarters"].mean() == pytest.approx(4, abs=0.8)
    assert sectors.frame["area_km2"].sum() == pytest.approx(240.0, abs=0.01)


def test_one_quarter_each_or_one_sector_per_district(city):
    assert len(make_sectors(city, quarters_each=1).frame) == 110
    assert len(make_sectors(city, quarters_each=110).frame) == 16
    with pytest.raises(ParameterError, match="quarters_each"):
        make_sectors(city, quarters_each=0)


def test_the_three_shifts_fill_the_day():
    assert [(s.start_h, s.end_h) for s in SHIFTS] == [(0, 8), (8, 16), (16, 24)]
