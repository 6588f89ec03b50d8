"""Statistical units and the residents of Massilia: counted twice, and the two counts agree."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from contrechamp.domain.errors import ParameterError
from contrechamp.domain.rng import stream
from synthetic_data.city import draw_city
from synthetic_data.people import ADULT_AGE, PARENT_GAP, draw_people
from synthetic_data.scenario import Scenario
from synthetic_data.units import draw_units, unit_of_site

DEFAULT = Scenario.load()
AGES = ("n_0_14", "n_15_29", "n_30_59", "n_60_plus")
SMALL = DEFAULT.with_overrides(
    {"city.population": 6000, "city.area_km2": 12.0, "city.n_quarters": 5, "city.n_districts": 2,
     "city.sites_per_cell": 6, "people.unit_residents": 700}
)  # fmt: skip
SMALL_CITY = draw_city(SMALL.city, rng=stream(4, "city"))


@pytest.fixture(scope="module")
def city():
    return draw_city(DEFAULT.city, rng=stream(11, "city"))


@pytest.fixture(scope="module")
def units(city):
    return draw_units(DEFAULT, city, rng=stream(11, "world", "units"))


@pytest.fixture(scope="module")
def people(city, units):
    return draw_people(DEFAULT, city, units, rng=stream(11, "world", "people"))


def per_unit(units, people, chosen):
    return np.bincount(people.unit[chosen], minlength=len(units))


def check_agreement(scenario, city, units, people):
    """What must hold of any city whatever its parameters."""
    quarters = city.quarters
    assert len(people) == scenario.city.population == int(units["population"].sum())
    assert units.groupby("quarter")["population"].sum().tolist() == quarters["population"].tolist()
    in_b = units.groupby("quarter")["n_b"].sum().to_numpy()
    assert np.abs(in_b - quarters["share_b"] * quarters["population"]).max() <= 0.5 + 1e-6
    assert units[list(AGES)].sum(axis=1).tolist() == units["population"].tolist()
    band = np.digitize(people.age, [15, 30, 60])
    for k, column in enumerate(AGES):
        assert per_unit(units, people, band == k).tolist() == units[column].tolist()
    assert per_unit(units, people, people.group == 1).tolist() == units["n_b"].tolist()
    assert (units["quarter"].to_numpy()[people.unit] == people.quarter).all()
    home = people.frame().groupby("household")
    assert (home["unit"].nunique() == 1).all()
    assert (home["home_site"].nunique() == 1).all()
    assert home.ngroups == int(units["households"].sum())
    eldest = home["age"].max()
    assert eldest.min() >= ADULT_AGE
    child = people.age < 15
    assert (eldest.to_numpy()[people.household[child]] - people.age[child] >= PARENT_GAP).all()
    assert people.age.min() >= 0
    mixed = home["group"].nunique() > 1
    assert home["unit"].first()[mixed].is_unique  # one household of a unit at most
    assert (people.age[people.car] >= ADULT_AGE).all()
    assert people.work_cell.max() < city.grid.n_cells
    assert ((people.age >= ADULT_AGE) & (people.age < 65))[people.work_cell >= 0].all()


# --- units --------------------------------------------------------------------------------------------------------


def test_units_cut_each_quarter_without_gap_or_overlap(city, units):
    area = units.area.groupby(units["quarter"]).sum().to_numpy()
    assert area == pytest.approx(city.area_km2 * 1e6, rel=1e-9)
    shapes = units.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    common = shapely.area(shapely.intersection(shapes[left[left < right]], shapes[right[left < right]]))
    assert common.max() < 1e-3  # m²
    for q, quarter in enumerate(city.quarters.geometry):
        outside = shapely.difference(shapely.union_all(shapes[units["quarter"] == q]), quarter.buffer(1e-6))
        assert outside.area < 1e-6
    assert units["unit_id"].is_unique
    assert (units["unit_id"].str.rsplit("-", n=1).str[0] == units["quarter_id"]).all()


def test_units_hold_about_as_many_residents_as_asked(units):
    assert len(units) == pytest.approx(860_000 / 2200, abs=8)
    assert units["population"].between(1100, 3300 + 1).all()
    assert units["population"].std() < 300
    assert units["households"].sum() == pytest.approx(860_000 / 2.15, rel=0.01)  # mean of the plan's sizes: 2.15


def test_income_falls_and_empty_dwellings_rise_with_poverty_as_the_plan_says(units):
    log_odds = np.log(units["poverty"] / (1 - units["poverty"]))
    slope = np.polyfit(log_odds, np.log(units["median_income_eur"]), 1)[0] * 0.6  # 0.6: spread of a quarter's log-odds
    assert slope == pytest.approx(-DEFAULT.people.income_gradient, rel=0.15)
    assert np.corrcoef(log_odds, units["vacancy_rate"])[0, 1] > 0.6
    mean = np.average(units["vacancy_rate"], weights=units["households"])
    assert mean == pytest.approx(DEFAULT.people.vacancy_rate, abs=1e-4)
    assert np.corrcoef(log_odds, units["n_0_14"] / units["population"])[0, 1] > 0.9


def test_every_address_lies_in_its_unit(city, units):
    row = unit_of_site(city, units)
    assert (units["quarter"].to_numpy()[row] == city.site_quarter).all()
    some = np.arange(0, len(row), 797)
    gap = shapely.distance(
        units.geometry.to_numpy()[row[some]], shapely.points(city.site_x_m[some], city.site_y_m[some])
    )
    assert gap.max() < 1e-6
    assert np.bincount(row, minlength=len(units)).min() >= 10


def dissimilarity(frame):
    a, b = frame["population"] - frame["n_b"], frame["n_b"]
    return float((a / a.sum() - b / b.sum()).abs().sum() / 2)


def test_segregation_between_units_grows_with_its_two_dials():
    index = {}
    for city_dial, unit_dial in ((0.0, 0.45), (1.0, 0.0), (1.0, 0.45), (1.0, 1.5), (2.0, 0.45)):
        s = DEFAULT.with_overrides(
            {"city.segregation": city_dial, "people.unit_segregation": unit_dial, "city.sites_per_cell": 4}
        )
        drawn = draw_units(s, draw_city(s.city, rng=stream(11, "city")), rng=stream(11, "u"))
        index[city_dial, unit_dial] = dissimilarity(drawn)
    assert index[0.0, 0.45] < 0.002  # only what rounding to whole persons leaves
    assert index[0.0, 0.45] < index[1.0, 0.0] < index[1.0, 0.45] < index[1.0, 1.5]
    assert index[1.0, 0.45] < index[2.0, 0.45]
    assert 0.25 < index[1.0, 0.45] < 0.45


# --- people -------------------------------------------------------------------------------------------------------


def test_people_are_the_units_counts_person_by_person(city, units, people):
    check_agreement(DEFAULT, city, units, people)


def test_households_have_the_sizes_asked_for(units, people):
    size = np.bincount(people.household)
    share = np.bincount(size)[1:] / len(size)
    assert share == pytest.approx(DEFAULT.people.household_sizes, abs=0.012)
    children = np.bincount(people.household[people.age < 15], minlength=len(size))
    adults = np.bincount(people.household[people.age >= ADULT_AGE], minlength=len(size))
    alone = (adults[children > 0] == 1).mean()
    assert 0.15 < alone < 0.30  # families with one adult


def test_shares_that_depend_on_the_person_are_the_plans(people):
    plan = DEFAULT.people
    able = (people.age >= 18) & (people.age < 65)
    assert (people.work_cell[able] >= 0).mean() == pytest.approx(plan.employed_share, abs=0.005)
    assert people.smartphone[people.age >= 15].mean() == pytest.approx(plan.smartphone_share, abs=0.005)
    cars = np.bincount(people.household, people.car)
    assert (cars > 0).mean() == pytest.approx(plan.car_share, abs=0.005)
    assert cars.max() == 2
    assert people.smartphone[people.age < 9].mean() < 0.03
    assert people.smartphone[people.age > 80].mean() < people.smartphone[(people.age > 20) & (people.age < 40)].mean()


def test_homes_follow_the_density_of_addresses(city, people):
    found = np.bincount(people.home_cell(city), minlength=city.grid.n_cells)
    assert found.sum() == 860_000
    assert np.corrcoef(found, city.cell_population)[0, 1] > 0.97


def test_a_number_says_nothing_about_an_address(people):
    number = np.arange(len(people))
    assert abs(np.corrcoef(number, people.home_site)[0, 1]) < 0.005
    near = np.abs(np.diff(people.unit.astype(int))) == 0
    assert near.mean() < 0.005


def test_work_is_nearer_than_chance_and_the_reach_is_a_dial(city, units):
    mean_m = {}
    for reach_km in (1.0, 4.0, 1e6):
        s = DEFAULT.with_overrides({"people.commute_km": reach_km})
        drawn = draw_people(s, city, units, rng=stream(11, "p"))
        worker = drawn.work_cell >= 0
        gap = city.grid.centres_m[drawn.work_cell[worker]] - city.grid.centres_m[drawn.home_cell(city)[worker]]
        mean_m[reach_km] = np.hypot(*gap.T).mean()
    assert mean_m[1.0] < mean_m[4.0] < mean_m[1e6]


def test_a_person_takes_22_bytes(people):
    assert people.frame().memory_usage(index=False).sum() == 22 * len(people)


def test_the_same_stream_gives_the_same_people(city, units, people):
    again = draw_people(DEFAULT, city, units, rng=stream(11, "world", "people"))
    other = draw_people(DEFAULT, city, units, rng=stream(12, "world", "people"))
    assert again.frame().equals(people.frame())
    assert not other.frame().equals(people.frame())


def test_in_the_equal_city_people_differ_by_chance_alone():
    s = Scenario.load("equal-city").with_overrides({"city.sites_per_cell": 12})
    city = draw_city(s.city, rng=stream(5, "city"))
    units = draw_units(s, city, rng=stream(5, "u"))
    people = draw_people(s, city, units, rng=stream(5, "p"))
    check_agreement(s, city, units, people)
    shares = units[list(AGES)].div(units["population"], axis=0)
    assert (shares.max() - shares.min()).max() < 2 / units["population"].min()  # whole persons
    # cars, telephones and workers per quarter: spread as chance alone spreads them
    n = np.bincount(people.quarter, minlength=110)
    for mark in (people.smartphone, people.work_cell >= 0):
        p = mark.mean()
        z = (np.bincount(people.quarter[mark], minlength=110) - n * p) / np.sqrt(n * p * (1 - p))
        assert z.var() < 1.5
        assert abs(people.group[mark].mean() - people.group.mean()) < 0.003
    at = np.bincount(people.home_site, minlength=len(city.site_x_m))
    assert at.std() < np.sqrt(at.mean())  # more even than by chance
    workers = np.bincount(people.work_cell[people.work_cell >= 0], minlength=city.grid.n_cells)
    assert workers.var() < 1.2 * workers.mean()


@settings(max_examples=25, deadline=None)
@given(
    kids=st.floats(0.01, 0.45), old=st.floats(0.01, 0.25), family=st.floats(-2, 2), unit_segregation=st.floats(0, 5),
    sizes=st.lists(st.floats(0.01, 1), min_size=3, max_size=8), residents=st.integers(100, 8000),
    seed=st.integers(0, 99),
)  # fmt: skip
def test_no_parameter_breaks_the_agreement(kids, old, family, unit_segregation, sizes, residents, seed):
    s = SMALL.with_overrides(
        {"people.share_0_14": kids, "people.share_60_plus": old, "people.family_gradient": family,
         "people.unit_segregation": unit_segregation, "people.household_sizes": sizes,
         "people.unit_residents": residents}
    )  # fmt: skip
    units = draw_units(s, SMALL_CITY, rng=stream(seed, "u"))
    check_agreement(s, SMALL_CITY, units, draw_people(s, SMALL_CITY, units, rng=stream(seed, "p")))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("people.household_sizes", [0.5, 0.5]),
        ("people.household_sizes", [0.0, 0.5, 0.5]),
        ("people.household_sizes", [1.0, 0.0, 0.0]),
        ("people.share_60_plus", 0.6),
        ("people.unit_residents", 10),
    ],
)
def test_a_plan_of_people_that_cannot_be_is_refused(key, value):
    with pytest.raises(ParameterError, match=key):
        DEFAULT.with_overrides({key: value, "people.share_15_29": 0.4})
