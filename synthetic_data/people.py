"""The residents of Massilia, one by one: household, age, group, address, place of work, car and telephone.

A person is a whole number. Whoever calls, drives, posts or is rescued in any stream is one of these numbers, shown
through :mod:`synthetic_data.names`: what a join of two streams finds out about somebody is therefore true of them.

Numbers are dealt at random: neighbours and relatives are far apart, so that a number says nothing about an address.

What it cannot tell you: how people live. Households are sizes and ages put together by chance; who is A or B follows
the unit's share and nothing else, so that within a unit no difference between groups is real. Nobody moves house, is
born or dies during a run, nobody lives in a home or in the street, and children go to no school that is drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from synthetic_data.city import City, shares_with_mean, standard
from synthetic_data.plans.city import PeoplePlan
from synthetic_data.scenario import Scenario
from synthetic_data.units import Units, unit_of_site

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Youngest age of somebody who keeps a household, has a car or goes to work.
ADULT_AGE: Final = 18
#: Least gap between a child and the oldest person of the household, years.
PARENT_GAP: Final = 17


@dataclass(frozen=True, eq=False)
class People:
    """Residents as arrays of one length; person ``i`` is entry ``i`` of each.

    Attributes
    ----------
    home_site : ndarray of int32
        Address, an index into ``City.site_x_m``.
    unit : ndarray of int32
        Row of the statistical units.
    quarter : ndarray of int16
        Row of the quarters.
    age : ndarray of int8
        Whole years.
    household : ndarray of int32
        Number of the household, from 0.
    group : ndarray of int8
        0 for A, 1 for B.
    work_cell : ndarray of int32
        Grid cell of the place of work; -1 for whoever goes to none.
    car : ndarray of bool
        Owns a car; its plate is ``person_plate(i)``.
    smartphone : ndarray of bool
        Carries a smartphone.
    """

    home_site: npt.NDArray[np.int32]
    unit: npt.NDArray[np.int32]
    quarter: npt.NDArray[np.int16]
    age: npt.NDArray[np.int8]
    household: npt.NDArray[np.int32]
    group: npt.NDArray[np.int8]
    work_cell: npt.NDArray[np.int32]
    car: BoolArray
    smartphone: BoolArray

    def __len__(self) -> int:
        return len(self.age)

    def home_cell(self, city: City) -> IntArray:
        """Grid cell of each home."""
        return self.home_site.astype(np.int64) // city.sites_per_cell

    def frame(self) -> pd.DataFrame:
        """One row per person, one column per attribute."""
        return pd.DataFrame({name: getattr(self, name) for name in self.__dataclass_fields__})


def draw_people(scenario: Scenario, city: City, units: Units, *, rng: np.random.Generator) -> People:
    """Draw the residents of each unit, exactly as many of each age and group as ``units`` counts.

    Parameters
    ----------
    units : Units
        From :func:`synthetic_data.units.draw_units`.

    Notes
    -----
    Every household holds somebody of 18 or more, and every child lives with somebody at least 17 years older. All
    persons of a household are of one group, but for one household of a unit at most.
    """
    plan = scenario.people
    population = units["population"].to_numpy(dtype=np.int64)
    home_unit, size = _households(plan, population, units["households"].to_numpy(dtype=np.int64), rng=rng)
    first = np.cumsum(size) - size
    household = np.repeat(np.arange(len(size)), size)
    rank = np.arange(len(household)) - first[household]
    unit = home_unit[household]

    child = _children(units, size, household, rank, unit, rng=rng)
    age = _ages(units, household, rank, unit, child, first, rng=rng)
    n_b = units["n_b"].to_numpy(dtype=np.int64)
    in_b = np.clip(n_b[home_unit] - _queue(home_unit, size, rng=rng), 0, size)
    group = rank < in_b[household]
    home = _homes(city, units, home_unit, size, rng=rng)
    quarter = units["quarter"].to_numpy()[unit]
    work = _work(plan, city, units, unit, age, rng=rng)
    car = _cars(plan, city, units, size, home_unit, household, rank, age, rng=rng)
    phone = rng.random(len(age)) < _phone_by_age(plan, age)[age]

    deal = rng.permutation(len(age))
    return People(
        home_site=home[household][deal].astype(np.int32),
        unit=unit[deal].astype(np.int32),
        quarter=quarter[deal].astype(np.int16),
        age=age[deal].astype(np.int8),
        household=household[deal].astype(np.int32),
        group=group[deal].astype(np.int8),
        work_cell=work[deal].astype(np.int32),
        car=car[deal],
        smartphone=phone[deal],
    )


def _households(
    plan: PeoplePlan, population: IntArray, households: IntArray, *, rng: np.random.Generator
) -> tuple[IntArray, IntArray]:
    """Unit and size of each household: the plan's law, tilted to each unit's mean, then mended to its population."""
    law = np.array(plan.household_sizes) / sum(plan.household_sizes)
    sizes = np.arange(1, len(law) + 1)
    target = np.clip(population / np.maximum(households, 1), 1.0 + 1e-6, len(law) - 1e-6)
    low, high = np.full(len(target), -20.0), np.full(len(target), 20.0)
    for _ in range(60):
        tilt = (low + high) / 2
        tilted = law * np.exp(tilt[:, None] * (sizes - sizes.mean()))
        tilted /= tilted.sum(axis=1, keepdims=True)
        short = tilted @ sizes < target
        low, high = np.where(short, tilt, low), np.where(short, high, tilt)
    unit = np.repeat(np.arange(len(households)), households)
    size = 1 + (rng.random(len(unit))[:, None] > np.cumsum(tilted, axis=1)[unit, :-1]).sum(axis=1)
    most = len(law)
    while True:
        gap = population - np.bincount(unit, size, minlength=len(population)).astype(np.int64)
        if not gap[households > 0].any():
            return unit, size.astype(np.int64)
        may = np.where(gap[unit] > 0, size < most, size > 1) & (gap[unit] != 0)
        chosen = np.flatnonzero(may)
        chosen = chosen[_rank_within(unit[chosen], rng.random(len(chosen))) < np.abs(gap)[unit[chosen]]]
        size[chosen] += np.sign(gap)[unit[chosen]]
        most += len(chosen) == 0


def _rank_within(group: npt.NDArray[Any], key: FloatArray) -> IntArray:
    """Rank of each item by ``key`` (in [0, 1)) among those of its group, from 0."""
    order = np.argsort(group + key, kind="stable")
    sorted_group = group[order]
    out = np.empty(len(group), dtype=np.int64)
    out[order] = np.arange(len(group)) - np.searchsorted(sorted_group, sorted_group)
    return out


def _queue(unit: IntArray, size: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Persons ahead of each household when those of a unit queue in random order."""
    order = np.argsort(unit + rng.random(len(unit)), kind="stable")
    ahead = np.cumsum(size[order]) - size[order]
    start = np.searchsorted(unit[order], unit[order])
    out = np.empty(len(unit), dtype=np.int64)
    out[order] = ahead - ahead[start] if len(unit) else ahead
    return out


def _children(
    units: Units, size: IntArray, household: IntArray, rank: IntArray, unit: IntArray,
    *, rng: np.random.Generator,
) -> BoolArray:  # fmt: skip
    """Who is under 15: rarely the second person of a household, never the first."""
    alone = rng.random(len(size)) < np.where(size == 2, 0.15, 0.25)  # one parent
    spread = 0.5 * rng.random(len(size))[household] + 0.5 * rng.random(len(household))
    later = 0.45 * spread + 0.5 * ((rank == 1) & ~alone[household])
    key = np.where(rank == 0, 0.999, later)
    n_children = units["n_0_14"].to_numpy(dtype=np.int64)[unit]
    return np.asarray((_rank_within(unit, key) < n_children) & (rank > 0), dtype=np.bool_)


def _ages(
    units: Units, household: IntArray, rank: IntArray, unit: IntArray, child: BoolArray, first: IntArray,
    *, rng: np.random.Generator,
) -> IntArray:  # fmt: skip
    """Age of everybody: adults are put in order of a notion of age that couples share, then cut into the counts."""
    n_homes = len(first)
    family = np.zeros(n_homes, dtype=bool)
    family[household[child]] = True
    stage = rng.random(n_homes)
    stage = np.where(family, 0.15 + 0.5 * stage, stage)
    key = stage[household] + 0.03 * rng.standard_normal(len(household)) * (rank > 0)
    grown = (rank > 1) & ~child
    u = rng.random(len(household))
    key[grown] = np.where(u[grown] < 0.9, 0.2 * u[grown], u[grown])
    adult = np.flatnonzero(~child)
    order = _rank_within(unit[adult], np.clip(key[adult], 0.0, 0.999))
    young, middle, old = (units[c].to_numpy(dtype=np.int64)[unit[adult]] for c in ("n_15_29", "n_30_59", "n_60_plus"))
    of_middle, of_old = order - young, order - young - middle
    part = (order + 0.5) / np.maximum(young, 1)
    keeps = rank[adult] < 2
    years = np.where(keeps, ADULT_AGE + (30 - ADULT_AGE) * part, 15 + 15 * part)
    years = np.where(of_middle >= 0, 30 + 30 * (of_middle + 0.5) / np.maximum(middle, 1), years)
    part = np.clip((of_old + 0.5) / np.maximum(old, 1), 0, 1)
    years = np.where(of_old >= 0, 60 + 15.5 * (-np.log1p(-0.985 * part)) ** 0.7, years)
    age = np.zeros(len(household), dtype=np.int64)
    age[adult] = np.floor(years).astype(np.int64)
    if len(first):
        eldest = np.maximum.reduceat(age, first)
        drawn = rng.integers(0, 15, size=len(household))
        age[child] = np.minimum(drawn, eldest[household] - PARENT_GAP)[child]
    return age


def _homes(city: City, units: Units, unit: IntArray, size: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Address of each household: residents are spread over the addresses of its unit as evenly as homes allow."""
    of_site = unit_of_site(city, units)
    weight = np.repeat(city.cell_density, city.sites_per_cell)
    by_unit = np.argsort(of_site, kind="stable")
    total = np.bincount(of_site, weight, minlength=len(units))
    filled = np.cumsum(weight[by_unit])
    held = of_site[by_unit]
    start = np.searchsorted(held, held)
    level = held + np.clip((filled - (filled - weight[by_unit])[start]) / total[held], 0.0, 1.0 - 1e-9)
    population = units["population"].to_numpy(dtype=np.float64)
    middle = (_queue(unit, size, rng=rng) + size / 2) / population[unit]
    at = np.searchsorted(level, unit + np.minimum(middle, 1 - 2e-9))
    last = np.searchsorted(held, unit, side="right") - 1
    out = by_unit[np.clip(np.minimum(at, last), 0, len(by_unit) - 1)]
    empty = np.flatnonzero(total[unit] == 0)
    if len(empty):  # a unit without an address: the nearest one
        bare = np.unique(unit[empty])
        tree = shapely.STRtree(shapely.points(city.site_x_m, city.site_y_m))
        nearest = tree.nearest(shapely.centroid(units.geometry.to_numpy()[bare]))
        out[empty] = nearest[np.searchsorted(bare, unit[empty])]
    return np.asarray(out, dtype=np.int64)


def _work(
    plan: PeoplePlan, city: City, units: Units, unit: IntArray, age: IntArray, *, rng: np.random.Generator
) -> IntArray:
    """Cell of the place of work: a quarter attracts by what is built there and by nearness; then a cell of it."""
    out = np.full(len(age), -1, dtype=np.int64)
    able = (age >= ADULT_AGE) & (age < 65)
    z = _standard_poverty(units)
    share = shares_with_mean(-0.3 * plan.contrast * z, weights=np.bincount(unit[able], minlength=len(units)) + 1e-9,
                             mean=plan.employed_share)  # fmt: skip
    worker = np.flatnonzero(able & (rng.random(len(age)) < share[unit]))
    n = len(city.quarters)
    jobs = city.cell_density**1.3
    attract = np.bincount(city.cell_quarter, jobs, minlength=n)
    middle = shapely.get_coordinates(shapely.centroid(city.quarters.geometry.to_numpy()))
    away_km = np.hypot(*(middle[:, None] - middle[None]).transpose(2, 0, 1)) / 1000.0
    law = np.exp(-away_km / plan.commute_km) * attract
    fill = np.cumsum(law / law.sum(axis=1, keepdims=True), axis=1)
    level = (np.arange(n)[:, None] + np.minimum(fill, 1.0)).ravel()
    origin = units["quarter"].to_numpy()[unit[worker]]
    there = np.searchsorted(level, origin + rng.random(len(worker)) * (1 - 1e-9)) - origin * n
    there = np.clip(there, 0, n - 1)

    by_quarter = np.argsort(city.cell_quarter, kind="stable")
    held = city.cell_quarter[by_quarter]
    filled = np.cumsum(jobs[by_quarter])
    base = (filled - jobs[by_quarter])[np.searchsorted(held, held)]
    level = held + np.minimum((filled - base) / attract[held], 1.0)
    at = np.searchsorted(level, there + rng.random(len(worker)) * (1 - 1e-9))
    at = np.minimum(at, np.searchsorted(held, there, side="right") - 1)
    out[worker] = by_quarter[at]
    return out


def _cars(
    plan: PeoplePlan, city: City, units: Units, size: IntArray, home_unit: IntArray, household: IntArray,
    rank: IntArray, age: IntArray, *, rng: np.random.Generator,
) -> BoolArray:  # fmt: skip
    """Who owns a car: fewer where it is dense or poor and among people alone; a second adult's is a second car."""
    z = _standard_poverty(units)
    people_km2 = units["population"].to_numpy() / (shapely.area(units.geometry.to_numpy()) / 1e6)
    dense = np.log(np.maximum(people_km2, 1.0))
    dense = (dense - dense.mean()) / max(float(dense.std()), 1e-9)
    alone = np.array([0.0, 1.0])
    odds = -plan.contrast * (0.4 * z[:, None] + 0.6 * dense[:, None]) - 1.0 * alone
    counts = np.column_stack([np.bincount(home_unit, size > 1, minlength=len(units)),
                              np.bincount(home_unit, size == 1, minlength=len(units))])  # fmt: skip
    p = shares_with_mean(odds.ravel(), weights=counts.ravel() + 1e-9, mean=plan.car_share).reshape(odds.shape)
    has = rng.random(len(size)) < p[home_unit, (size == 1).astype(np.int64)]
    second = rng.random(len(household)) < 0.35
    owner = (rank == 0) | ((rank == 1) & second)
    return np.asarray(has[household] & owner & (age >= ADULT_AGE), dtype=np.bool_)


def _phone_by_age(plan: PeoplePlan, age: IntArray) -> FloatArray:
    """Share of persons of each age, 0 to 127, with a smartphone; from 15 on the mean is the plan's."""
    years = np.arange(128, dtype=np.float64)
    count = np.bincount(age, minlength=128)[15:] + 1e-9
    out = np.where(years < 9, 0.02, 0.02 + 0.12 * (years - 8))
    out[15:] = shares_with_mean(-0.055 * (years[15:] - 45.0), weights=count, mean=plan.smartphone_share)
    return np.asarray(out, dtype=np.float64)


def _standard_poverty(units: Units) -> FloatArray:
    return standard(units["poverty"].to_numpy(dtype=np.float64))
