"""Places, people and cameras of the city: how many, where, and how they differ from one place to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from synthetic_data.plans import within

#: How a city may choose the sites of its cameras (:func:`synthetic_data.cameras.draw_cameras`).
CAMERA_LAYOUTS: Final = ("dense-centre", "uniform", "by-incidents")


@dataclass(frozen=True, slots=True)
class PlacesPlan:
    """How many places of each kind, beside the bars, schools and stations of section ``city``.

    Attributes
    ----------
    bar_street_m : float
        Spread of the bars of one street of bars.
    """

    n_markets: int = within(0, 1e6)
    n_stadiums: int = within(0, 1000)
    n_hospitals: int = within(0, 1e6)
    n_vacant: int = within(0, 1e6)
    n_parks: int = within(0, 1e6)
    n_police_stations: int = within(0, 1e6)
    n_fire_stations: int = within(0, 1e6)
    n_town_halls: int = within(0, 1e6)
    bar_street_m: float = within(10, 5000)


@dataclass(frozen=True, slots=True)
class PeoplePlan:
    """Statistical units, households, ages, income and what people own.

    Attributes
    ----------
    unit_residents : int
        Residents that a statistical unit is cut for.
    unit_segregation : float
        Spread of the log-odds of B between the units of one quarter, for a ``city.segregation`` of 1.
    household_sizes : tuple of float
        Shares of households of 1, 2, 3… persons.
    family_gradient : float
        Rise of the log-odds of being a child, and of the log of household size by a third of it, per standard
        deviation of poverty.
    income_gradient, vacancy_gradient : float
        Fall of log-income, and rise of the log-odds that a dwelling stands empty, per standard deviation of poverty.
    car_share : float
        Share of households with a car at least.
    smartphone_share : float
        Share of persons aged 15 or more with a smartphone.
    employed_share : float
        Share of persons aged 18 to 64 who go to work.
    commute_km : float
        Reach of the journey to work: the attraction of a place decays over it.
    contrast : float
        1: ages, sizes of households, work and cars differ from one unit to another; 0: one law everywhere.
    """

    unit_residents: int = within(100, 100_000)
    unit_segregation: float = within(0, 5)
    share_0_14: float = within(0.01, 0.45)
    share_15_29: float = within(0.01, 0.6)
    share_60_plus: float = within(0.01, 0.6)
    household_sizes: tuple[float, ...] = within(0, 1)
    family_gradient: float = within(-2, 2)
    income_median_eur: float = within(1, 1e6)
    income_gradient: float = within(-2, 2)
    vacancy_rate: float = within(0.001, 0.9)
    vacancy_gradient: float = within(-2, 2)
    car_share: float = within(0.01, 0.99)
    smartphone_share: float = within(0.01, 0.99)
    employed_share: float = within(0.01, 0.99)
    commute_km: float = within(0.1, 1e6)
    contrast: float = within(0, 1)


@dataclass(frozen=True, slots=True)
class CameraPlan:
    """Municipal cameras in the street.

    Attributes
    ----------
    layout : str
        One of :data:`CAMERA_LAYOUTS`.
    centre_share : float
        Expected share of the cameras in districts 1 and 2 under the layout ``dense-centre``.
    dome_share : float
        Share of cameras that turn all round; the others look one way.
    fov_deg : float
        Field of view of those that look one way.
    reach_m : float
        Median distance up to which a person is made out.
    contrast : float
        1: a place is seen as its cameras see it; 0: every place is seen as much as the mean one.
    """

    layout: str
    n_cameras: int = within(0, 1e6)
    centre_share: float = within(0, 0.99)
    dome_share: float = within(0, 1)
    fov_deg: float = within(5, 360)
    reach_m: float = within(5, 500)
    contrast: float = within(0, 1)
