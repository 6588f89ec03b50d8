"""Calendars of planned events whose true incidents, officers and recorded facts are drawn from a known law, in a flash.

Made for experiments on tools that give events a danger note. Each event has a venue, a kind, an expected crowd, a date,
weather, road works and a match day. Its true incidents follow a law that only partly depends on what is known
beforehand; officers are present, by habit or by need; they prevent some incidents and find some of the others.

What it cannot tell you: events are independent given their features, nobody moves on to the next street, and every
gravity is found and reported alike. Every number of the law is an assumption.

Notes
-----
With z the part of the danger that venue, kind, weather, works and match days tell, and e the part that nothing tells
(both of variance 1 over the calendar),

    log mean(i) = log a + 0.6 log(crowd / 1000) + weekday + month + s (sqrt(w) z + sqrt(1 - w) e) - s^2 / 2,

with w the ``informativeness`` and s the ``heterogeneity``: at w = 0 nothing is known beyond crowd and calendar; the law
of the means is the same for every w. A deployment that is *ordinary* for a crowd is ``ordinary(crowd)``; relative to
it, o officers leave the share ``exp(-deterrence * o / ordinary)`` of incidents, and find the share
``1 - exp(-detection * o / ordinary)`` of those that happen. Residents report the share ``p_reported``, independently.

Each officer more therefore removes the same proportion of what is left, ``r = deterrence / ordinary``, and the cheapest
number of officers, an incident costing ``incident_cost`` officers, has a closed form:

    optimum = max(0, log(incident_cost * mean * r) / r).

Potential incidents are drawn once, each with its own luck (prevented or not, found or not, reported or not):
deployments are compared on the same incidents.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

#: Kinds of events with their share of the calendar and their median crowd. Assumptions.
KINDS: Final[dict[str, tuple[float, float]]] = {
    "market": (0.34, 1_200.0), "concert": (0.18, 400.0), "picnic": (0.14, 80.0), "sport": (0.16, 250.0),
    "festival": (0.12, 3_500.0), "match": (0.06, 25_000.0),
}  # fmt: skip
GRAVITIES: Final = ("minor", "middling", "serious")
#: Share of incidents of each gravity.
GRAVITY_SHARES: Final = (0.75, 0.20, 0.05)
#: Columns of the calendar that are known before the event.
FEATURES: Final = ("log_crowd", "weekday", "month", "x_m", "y_m", "kind", "rain", "roadworks", "match_day")

_CROWD_EXPONENT: Final = 0.6
_WEEKDAY: Final = (-0.15, -0.15, -0.10, 0.0, 0.20, 0.30, -0.10)
_WEEKDAY_SHARE: Final = (0.06, 0.10, 0.14, 0.12, 0.16, 0.24, 0.18)
_SUMMER: Final = 0.25
_CROWD_LOG_SD: Final = 0.5
_OFFICER_LOG_SD: Final = 0.20
_CITY_M: Final = 12_000.0
_YEAR_DAYS: Final = 365


@dataclass(frozen=True, slots=True)
class EventLaw:
    """The law of a calendar.

    Attributes
    ----------
    n_per_year, n_years, n_venues : int
        Events a year, years, venues. The last year is the one to be planned.
    incidents_per_event : float
        Mean of potential incidents per event, over the calendar.
    informativeness : float
        Share, in [0, 1], of the danger beyond crowd and calendar that the features tell.
    heterogeneity : float
        Standard deviation of that danger, on the log scale.
    p_recorded : float
        Share of incidents recorded at the deployments of the first year, however they come to be known.
    discovery_share : float
        Share of those records, in [0, 1], that exist only because an officer was there.
    deterrence : float
        An ordinary deployment leaves ``exp(-deterrence)`` of the incidents.
    habit_strength : float
        1: officers are sent as always to that venue and kind. 0: as many as the optimum.
    follows_notes : float
        How far, from one year to the next, officers go where facts were recorded: exponent of the ratio of the venue's
        facts per event to the mean.
    whim : float
        Spread of habits between venues and kinds, on the log scale, for no reason linked to danger.
    incident_cost : float
        Cost of an incident, in officers sent to an event.
    """

    n_per_year: int = 450
    n_years: int = 3
    n_venues: int = 24
    incidents_per_event: float = 20.0
    informativeness: float = 0.5
    heterogeneity: float = 0.8
    p_recorded: float = 0.3
    discovery_share: float = 0.5
    deterrence: float = 0.3
    habit_strength: float = 0.7
    follows_notes: float = 0.3
    whim: float = 0.5
    incident_cost: float = 3.0


@dataclass(frozen=True, eq=False)
class EventWorld:
    """A drawn calendar, with what nobody in it sees.

    Attributes
    ----------
    law : EventLaw
    calendar : pandas.DataFrame
        One row per event in order of date: ``year``, ``day`` (since day 0), ``venue``, ``crowd`` and :data:`FEATURES`.
    expected : ndarray, shape (n_events,)
        Mean of incidents if no officer came.
    per_officer : ndarray, shape (n_events,)
        Known marginal effect: proportion of what is left that one officer more removes.
    usual, optimal, officers : ndarray, shape (n_events,)
        Officers of habit, of the optimum (whole), and really present (whole).
    detection, p_reported : float
        Calibrated rates of discovery and of reporting.
    event_of, gravity : ndarray of int64, shape (n_incidents,)
        Event and gravity of each potential incident.
    luck : ndarray, shape (n_incidents, 3)
        Uniform numbers: prevented, found, reported.
    """

    law: EventLaw
    calendar: pd.DataFrame
    expected: FloatArray
    per_officer: FloatArray
    usual: FloatArray
    optimal: FloatArray
    officers: FloatArray
    detection: float
    p_reported: float
    event_of: IntArray
    gravity: IntArray
    luck: FloatArray

    @cached_property
    def past(self) -> BoolArray:
        """True for the events of all years but the last; shape (n_events,)."""
        return np.asarray(self.calendar["year"].to_numpy() < self.law.n_years - 1)

    @cached_property
    def features(self) -> FloatArray:
        """Known beforehand; shape (n_events, 9), columns :data:`FEATURES`."""
        return self.calendar[list(FEATURES)].to_numpy(dtype=np.float64)

    def incidents(self, officers: FloatArray | None = None) -> IntArray:
        """True incidents per event under a deployment, the real one where left out; shape (n_events,)."""
        sent = self.officers if officers is None else officers
        return np.bincount(self.event_of[self._happens(sent)], minlength=len(self.expected))

    def facts(self, officers: FloatArray | None = None, *, incidents_under: FloatArray | None = None) -> FloatArray:
        """Facts recorded around each event, by gravity; shape (n_events, 3).

        Parameters
        ----------
        officers : ndarray, optional
            Officers there to find them; those really present where left out.
        incidents_under : ndarray, optional
            The deployment that decides which incidents happen, where it is not ``officers``: doubling the one and
            keeping the other changes what is found and nothing of what happens.
        """
        sent = self.officers if officers is None else officers
        happens = self._happens(sent if incidents_under is None else incidents_under)
        relative = sent * self.per_officer / max(self.law.deterrence, _TINY)
        found = self.luck[:, 1] < -np.expm1(-self.detection * relative[self.event_of])
        known = happens & (found | (self.luck[:, 2] < self.p_reported))
        flat = self.event_of[known] * len(GRAVITIES) + self.gravity[known]
        counts = np.bincount(flat, minlength=len(self.expected) * len(GRAVITIES))
        return counts.reshape(-1, len(GRAVITIES)).astype(np.float64)

    def cost(self, officers: FloatArray) -> FloatArray:
        """Expected cost of a deployment, in officers: those sent, and the incidents they leave; shape (n_events,)."""
        left = self.expected * np.exp(-self.per_officer * officers)
        return np.asarray(self.law.incident_cost * left + officers)

    def _happens(self, officers: FloatArray) -> BoolArray:
        left = np.exp(-self.per_officer * officers)
        return np.asarray(self.luck[:, 0] < left[self.event_of])


#: Stands for a deterrence of 0 where something is divided by it.
_TINY: Final = 1e-9


def ordinary(crowd: FloatArray) -> FloatArray:
    """Officers that are ordinary for a crowd.

    Examples
    --------
    >>> ordinary(np.array([1000.0, 25000.0])).tolist()
    [5.0, 21.0]
    """
    return np.asarray(1.0 + 4.0 * np.sqrt(crowd / 1_000.0))


def optimal_officers(expected: FloatArray, per_officer: FloatArray, *, incident_cost: float) -> FloatArray:
    """Whole number of officers that makes ``incident_cost * expected * exp(-per_officer * o) + o`` least.

    Notes
    -----
    The cost is convex in o: the best whole number is next to the real optimum. Of two equals, the smaller.

    Examples
    --------
    >>> optimal_officers(np.array([10.0, 0.1]), np.array([0.2, 0.2]), incident_cost=8.0).tolist()
    [14.0, 0.0]
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        real = np.log(incident_cost * expected * per_officer) / per_officer
    low = np.floor(np.where(np.isfinite(real), np.maximum(real, 0.0), 0.0))

    def cost(officers: FloatArray) -> FloatArray:
        return incident_cost * expected * np.exp(-per_officer * officers) + officers

    return np.asarray(np.where(cost(low + 1) < cost(low), low + 1, low))


def draw_event_world(law: EventLaw, *, rng: np.random.Generator) -> EventWorld:
    """Draw a calendar.

    Parameters
    ----------
    law : EventLaw
    rng : numpy.random.Generator
        Two laws drawn from equal generators share their calendar and their luck.

    Raises
    ------
    ParameterError
        If a parameter is out of range.
    """
    _check(law)
    place, chance, luck_rng = rng.spawn(3)
    calendar, venue_whim = _calendar(law, rng=place)
    expected = _expected(law, calendar, rng=chance)
    crowd = calendar["crowd"].to_numpy()
    per_officer = max(law.deterrence, _TINY) / ordinary(crowd)
    typical = np.array([median for _, median in KINDS.values()])[calendar["kind"]]
    usual = ordinary(typical) * np.exp(venue_whim)
    optimal = optimal_officers(expected, per_officer, incident_cost=law.incident_cost)
    noise = np.exp(_OFFICER_LOG_SD * chance.standard_normal(len(calendar)))
    h = law.habit_strength
    wanted = (np.exp(h * np.log1p(usual) + (1 - h) * np.log1p(optimal)) - 1.0) * noise

    n_incidents = luck_rng.poisson(expected)
    event_of = np.repeat(np.arange(len(calendar)), n_incidents)
    luck = luck_rng.random((len(event_of), 3))
    gravity = np.searchsorted(np.cumsum(GRAVITY_SHARES[:-1]), luck_rng.random(len(event_of)), side="right")
    first = (calendar["year"] == 0).to_numpy()
    detection, p_reported = _calibrated(law, expected, np.rint(wanted), ordinary(crowd), first)
    world = EventWorld(
        law, calendar, expected, per_officer, usual, optimal, np.rint(wanted), detection, p_reported, event_of, gravity,
        luck,
    )  # fmt: skip
    return dataclasses.replace(world, officers=_followed(world, wanted))


def _calendar(law: EventLaw, *, rng: np.random.Generator) -> tuple[pd.DataFrame, FloatArray]:
    n = law.n_per_year * law.n_years
    year = np.repeat(np.arange(law.n_years), law.n_per_year)
    share = np.array(_WEEKDAY_SHARE)[np.arange(_YEAR_DAYS) % 7]
    day = np.concatenate(
        [y * _YEAR_DAYS + np.sort(rng.choice(_YEAR_DAYS, law.n_per_year, p=share / share.sum()))
         for y in range(law.n_years)]
    )  # fmt: skip
    shares = np.array([s for s, _ in KINDS.values()])
    kind = rng.choice(len(KINDS), n, p=shares / shares.sum())
    venue = rng.integers(law.n_venues, size=n)
    where = rng.random((law.n_venues, 2)) * _CITY_M
    median = np.array([m for _, m in KINDS.values()])[kind]
    crowd = median * np.exp(_CROWD_LOG_SD * rng.standard_normal(n))
    month = (day % _YEAR_DAYS) * 12 // _YEAR_DAYS
    n_days = law.n_years * _YEAR_DAYS
    rain = rng.random(n_days) < 0.18
    match_day = np.bincount(day[kind == list(KINDS).index("match")], minlength=n_days) > 0
    whim = law.whim * rng.standard_normal((law.n_venues, len(KINDS)))
    calendar = pd.DataFrame(
        {
            "year": year, "day": day, "venue": venue, "crowd": crowd, "log_crowd": np.log(crowd),
            "weekday": day % 7, "month": month, "x_m": where[venue, 0], "y_m": where[venue, 1], "kind": kind,
            "rain": rain[day].astype(np.int64), "roadworks": (rng.random(n) < 0.2).astype(np.int64),
            "match_day": match_day[day].astype(np.int64),
        }
    )  # fmt: skip
    return calendar, whim[venue, kind]


def _expected(law: EventLaw, calendar: pd.DataFrame, *, rng: np.random.Generator) -> FloatArray:
    """Mean potential incidents of each event."""
    at_venue = rng.standard_normal(law.n_venues)[calendar["venue"]]
    of_kind = rng.standard_normal(len(KINDS))[calendar["kind"]]
    told = (
        0.8 * at_venue + 0.4 * of_kind + 0.5 * calendar["roadworks"].to_numpy()
        + 0.5 * calendar["match_day"].to_numpy() - 0.4 * calendar["rain"].to_numpy()
    )  # fmt: skip
    told = (told - told.mean()) / told.std()
    untold = rng.standard_normal(len(calendar))
    danger = law.heterogeneity * (
        np.sqrt(law.informativeness) * told + np.sqrt(1 - law.informativeness) * untold
    )  # fmt: skip
    summer = _SUMMER * np.cos(2 * np.pi * (calendar["month"].to_numpy() - 6.5) / 12)
    shape = np.exp(
        _CROWD_EXPONENT * np.log(calendar["crowd"].to_numpy() / 1_000.0)
        + np.array(_WEEKDAY)[calendar["weekday"]] + summer + danger
    )  # fmt: skip
    return np.asarray(law.incidents_per_event * shape / shape.mean())


def _calibrated(
    law: EventLaw, expected: FloatArray, officers: FloatArray, normal: FloatArray, used: BoolArray
) -> tuple[float, float]:
    """Rates of discovery and reporting that give the records of the first year their number and their origin."""
    share, total = law.discovery_share, law.p_recorded
    p_reported = total * (1 - share)
    wanted = total * share / (1 - p_reported)
    weight = (expected * np.exp(-law.deterrence * officers / normal))[used]
    relative = (officers / normal)[used]
    if wanted == 0 or not (weight * relative).sum() > 0:
        return 0.0, p_reported

    def found(rate: float) -> float:
        return float((weight * -np.expm1(-rate * relative)).sum() / weight.sum())

    low, high = 0.0, 1.0
    while found(high) < wanted and high < 1e6:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if found(middle) < wanted else (low, middle)
    return high, p_reported


def _followed(world: EventWorld, wanted: FloatArray) -> FloatArray:
    """Officers year after year: each year leans on the facts that the years before recorded at the venue."""
    year, venue = world.calendar["year"].to_numpy(), world.calendar["venue"].to_numpy()
    officers = np.rint(wanted)
    for y in range(1, world.law.n_years):
        if world.law.follows_notes == 0:
            break
        seen = year < y
        total = world.facts(officers).sum(axis=1)
        at_venue = np.bincount(venue[seen], total[seen] + 1.0, minlength=world.law.n_venues)
        per_event = at_venue / np.maximum(np.bincount(venue[seen], minlength=world.law.n_venues), 1)
        level = np.where(per_event > 0, per_event / per_event[per_event > 0].mean(), 1.0)
        now = year == y
        officers[now] = np.rint(wanted[now] * level[venue[now]] ** world.law.follows_notes)
    return officers


def _check(law: EventLaw) -> None:
    where = "draw_event_world"
    for name in ("n_per_year", "n_years", "n_venues"):
        if getattr(law, name) < (2 if name == "n_years" else 1):
            raise bad_parameter(name=name, where=where, must="at least 1 (2 years)", got=getattr(law, name))
    for name in ("informativeness", "habit_strength"):
        if not 0 <= getattr(law, name) <= 1:
            raise bad_parameter(name=name, where=where, must="a share in [0, 1]", got=getattr(law, name))
    if not 0 <= law.discovery_share <= 1:
        raise bad_parameter(name="discovery_share", where=where, must="a share in [0, 1]", got=law.discovery_share)
    if not 0 < law.p_recorded < 1:
        raise bad_parameter(name="p_recorded", where=where, must="a share in (0, 1)", got=law.p_recorded)
    for name in ("incidents_per_event", "incident_cost"):
        if not getattr(law, name) > 0:
            raise bad_parameter(name=name, where=where, must="above 0", got=getattr(law, name))
    for name in ("heterogeneity", "deterrence", "follows_notes", "whim"):
        if not getattr(law, name) >= 0:
            raise bad_parameter(name=name, where=where, must="at least 0", got=getattr(law, name))
