"""What enforcement counts: stalls or badly parked cars that are there, and how many of them a service writes down.

Each district has its level and its yearly trend. A service works in it so many hours a week, and those hours have a
trend, campaigns and holes of their own; it may also be sent where things rise (``steering``). What it writes down is
what was there, each seen with a chance that grows with its hours. A second service counts the same week.

What it cannot tell you: how many stalls any city has. Being seen owes nothing here to who is looking, or to being
seen last week.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]

WEEKS_PER_YEAR = 365.25 / 7


@dataclass(frozen=True, eq=False)
class EffortWorld:
    """Arrays of shape (n_worlds, n_districts, n_weeks) but for the trends, (n_worlds, n_districts).

    Attributes
    ----------
    trend_per_year, effort_trend_per_year : ndarray
        Slope of the log of what is there, and of the hours.
    present : ndarray of int
        What is there that week.
    hours : ndarray
        Hours of the service, averaging 1 in the long run where they have no trend.
    recorded, other, both : ndarray of int
        Written down by the service; by the second one; by both.
    """

    trend_per_year: FloatArray
    effort_trend_per_year: FloatArray
    present: IntArray
    hours: FloatArray
    recorded: IntArray
    other: IntArray
    both: IntArray


def draw_effort_worlds(
    *,
    n_worlds: int,
    n_districts: int = 16,
    n_weeks: int = 104,
    per_week: float = 30.0,
    trend_size: float = 0.2,
    effort_trend_sd: float = 0.15,
    steering: float = 0.0,
    visibility: float = 0.3,
    campaigns_per_year: float = 3.0,
    campaign_factor: float = 2.5,
    noise_sd: float = 0.2,
    dependence: float = 0.0,
    rng: np.random.Generator,
) -> EffortWorld:
    """Draw several cities at once.

    Parameters
    ----------
    n_worlds, n_districts, n_weeks : int
    per_week : float, default=30
        What is there in a district, on average over districts at the start.
    trend_size : float, default=0.2
        Yearly slope of the log of what is there: up by that much in about half of the districts, down in the others.
    effort_trend_sd : float, default=0.15
        Spread over districts of the yearly slope of the log of the hours.
    steering : float, default=0.0
        Correlation of the two slopes, in [-1, 1]: above 0, hours go where things rise.
    visibility : float, default=0.3
        Chance that something is seen in a week of hours 1, in (0, 1).
    campaigns_per_year, campaign_factor : float
        Campaigns of two weeks in one district, and what they multiply its hours by.
    noise_sd : float, default=0.2
        Log standard deviation of the other weeks' hours.
    dependence : float, default=0.0
        In [0, 1]: share of things that are plain to see for both services, the rest being half as visible to both. 0:
        being seen by one says nothing of being seen by the other.
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a parameter is out of its domain.

    Notes
    -----
    In hours ``h`` each thing is seen with chance :math:`1-(1-v)^h`, ``v`` the visibility. The second service works a
    constant half of that.
    """
    for name, value, ok, must in (
        ("n_worlds", n_worlds, n_worlds >= 1, "at least 1"),
        ("n_districts", n_districts, n_districts >= 2, "at least 2"),
        ("n_weeks", n_weeks, n_weeks >= 8, "at least 8"),
        ("per_week", per_week, per_week > 0, "above 0"),
        ("trend_size", trend_size, trend_size >= 0, "at least 0"),
        ("effort_trend_sd", effort_trend_sd, effort_trend_sd >= 0, "at least 0"),
        ("steering", steering, -1 <= steering <= 1, "in [-1, 1]"),
        ("visibility", visibility, 0 < visibility < 1, "in (0, 1)"),
        ("campaign_factor", campaign_factor, campaign_factor > 0, "above 0"),
        ("noise_sd", noise_sd, noise_sd >= 0, "at least 0"),
        ("dependence", dependence, 0 <= dependence <= 1, "in [0, 1]"),
    ):
        if not ok:
            raise bad_parameter(name=name, where="draw_effort_worlds", must=must, got=value)
    city = (n_worlds, n_districts)
    years = (np.arange(n_weeks) - (n_weeks - 1) / 2) / WEEKS_PER_YEAR
    way = rng.choice([-1.0, 1.0], city)
    trend = trend_size * way
    effort_trend = effort_trend_sd * (steering * way + np.sqrt(1 - steering**2) * rng.standard_normal(city))
    level = rng.lognormal(-0.32, 0.8, city)
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(n_weeks) / WEEKS_PER_YEAR)
    mean = per_week * level[..., None] * season * np.exp(trend[..., None] * years)
    present = rng.poisson(mean)
    hours = np.exp(effort_trend[..., None] * years + noise_sd * rng.standard_normal((*city, n_weeks)))
    starts = rng.random((*city, n_weeks)) < campaigns_per_year / WEEKS_PER_YEAR
    on = starts.copy()
    on[..., 1:] |= starts[..., :-1]
    hours = hours * np.where(on, campaign_factor, 1.0)
    plain = rng.binomial(present, dependence)
    seen = [_see(present, plain, hours, visibility=visibility, dependence=dependence, rng=rng)]
    seen.append(
        _see(present, plain, np.full(hours.shape, 0.5), visibility=visibility, dependence=dependence, rng=rng)
    )  # fmt: skip
    (a_plain, a_rest), (b_plain, b_rest) = seen
    both = rng.hypergeometric(a_plain, plain - a_plain, b_plain) + rng.hypergeometric(
        a_rest, present - plain - a_rest, b_rest
    )
    return EffortWorld(
        trend_per_year=trend, effort_trend_per_year=effort_trend, present=present.astype(np.int64), hours=hours,
        recorded=(a_plain + a_rest).astype(np.int64), other=(b_plain + b_rest).astype(np.int64),
        both=both.astype(np.int64),
    )  # fmt: skip


def _see(
    present: IntArray, plain: IntArray, hours: FloatArray, *, visibility: float, dependence: float,
    rng: np.random.Generator,
) -> tuple[IntArray, IntArray]:  # fmt: skip
    """How many of the plain things, and of the others, are seen."""
    rest = visibility if dependence == 0 else visibility / 2
    p_plain = -np.expm1(hours * np.log1p(-min(0.95, 2 * visibility)))
    p_rest = -np.expm1(hours * np.log1p(-rest))
    return rng.binomial(plain, p_plain), rng.binomial(present - plain, p_rest)
