"""What the streams of rescue, health and town services share: rhythms, persons of a quarter, identities, rows.

What it cannot tell you: a rhythm is a bump of hours, a week and a season, the same in every street.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.spatial import cKDTree

from contrechamp.domain.columns import INCIDENT_TYPES
from contrechamp.domain.errors import ParameterError
from contrechamp.domain.streams import LAYOUTS
from synthetic_data.clock import DAY_US, local_to_utc_us
from synthetic_data.names import person_names, person_phones
from synthetic_data.streams.dense import FloatArray, IntArray, bump, clean, pick
from synthetic_data.weather import yearly_wave

if TYPE_CHECKING:
    from synthetic_data.world import World

BoolArray = npt.NDArray[np.bool_]

MINUTE_US: Final = 60_000_000
HOUR_US: Final = 3_600_000_000
#: Youngest age of each band of ages but the first: 0-14, 15-29, 30-59, 60+.
AGE_EDGES: Final = (15, 30, 60)


@dataclass(frozen=True, slots=True)
class Rhythm:
    """When something happens.

    Attributes
    ----------
    peak_h, spread_h, floor : float
        Hour of day: a bump, and a flat share.
    weekend, summer, heat, rain : float
        Changes of the log-rate: Saturday and Sunday, 20 July against the mean of the year, 10 °C above the season, a
        day with rain.
    """

    peak_h: float = 15.0
    spread_h: float = 4.5
    floor: float = 0.3
    weekend: float = 0.0
    summer: float = 0.0
    heat: float = 0.0
    rain: float = 0.0

    def day_factor(self, world: World, *, heat_effect: float = 1.0) -> FloatArray:
        """Relative volume of each day of the run, with mean 1; shape (n_days,)."""
        weather, weekday = world.weather, weekdays(world)
        log = self.summer * yearly_wave(world.scenario.start.day_of_year + np.arange(len(weekday)))
        log = log + self.weekend * (weekday >= 5) + self.rain * weather.rainy
        factor = np.exp(log + heat_effect * self.heat * weather.anomaly_c / 10.0)
        return np.asarray(factor / factor.mean(), dtype=np.float64)

    def hour_law(self) -> FloatArray:
        """Law of the local clock by half hours, shape (48,), summing to 1."""
        law = bump(np.arange(48) / 2 + 0.25, peak_h=self.peak_h, spread_h=self.spread_h)
        return np.asarray((1 - self.floor) * law / law.sum() + self.floor / 48, dtype=np.float64)

    def seconds(self, n: int, *, rng: np.random.Generator) -> IntArray:
        """Draw ``n`` seconds of the local day."""
        return np.asarray(1800 * pick(self.hour_law(), size=n, rng=rng) + rng.integers(1800, size=n), dtype=np.int64)

    def draw(
        self, world: World, per_day: float, *, rng: np.random.Generator, heat_effect: float = 1.0
    ) -> tuple[IntArray, IntArray]:
        """Draw Poisson moments of mean ``per_day`` over the run: local day and second of each, in order of day."""
        n = rng.poisson(per_day * self.day_factor(world, heat_effect=heat_effect))
        day = np.repeat(np.arange(len(n)), n)
        return day, self.seconds(len(day), rng=rng)


#: Chance that somebody who will call does so the next day the lines are open. Assumption, as are their hours.
_NEXT_DAY: Final = 0.7
_CALLS: Final = Rhythm(10.5, 2.5, 0.3)
_LINES_S: Final = (8 * 3600, 19 * 3600)


class Crowd:
    """Persons by quarter, drawn in proportion to a weight.

    Parameters
    ----------
    quarter : ndarray of int, shape (n_persons,)
        Row of the quarter of each.
    n_quarters : int
    weight : ndarray, shape (n_persons,), optional
        1 each when not given.
    """

    def __init__(self, quarter: npt.NDArray[Any], n_quarters: int, *, weight: FloatArray | None = None) -> None:
        self._order = np.argsort(quarter, kind="stable")
        held = np.ones(len(quarter)) if weight is None else weight[self._order]
        self._edges = np.concatenate([[0.0], np.cumsum(held)])
        self._start = np.searchsorted(np.asarray(quarter)[self._order], np.arange(n_quarters + 1))

    def draw(self, quarter: IntArray, *, rng: np.random.Generator) -> IntArray:
        """Draw a person of each quarter named; where nobody lives there, anybody."""
        first, end = self._start[quarter], self._start[quarter + 1]
        empty = self._edges[end] <= self._edges[first]
        first, end = np.where(empty, 0, first), np.where(empty, len(self._order), end)
        low, high = self._edges[first], self._edges[end]
        at = np.searchsorted(self._edges, low + rng.random(len(quarter)) * (high - low), side="right") - 1
        return np.asarray(self._order[np.clip(at, first, end - 1)], dtype=np.int64)


def weekdays(world: World) -> IntArray:
    """Weekday of each day of the run, 0 for Monday; shape (n_days,)."""
    return np.asarray((world.scenario.start.weekday() + np.arange(world.scenario.time.n_days)) % 7, dtype=np.int64)


def run_us(world: World) -> tuple[int, int]:
    """Instants that open and end the run."""
    edges = local_to_utc_us(world.scenario, np.array([0, world.scenario.time.n_days]), np.zeros(2, dtype=np.int64))
    return int(edges[0]), int(edges[1])


def years_in(world: World, t_us: IntArray) -> FloatArray:
    """Years from the opening of the run."""
    return np.asarray((t_us - run_us(world)[0]) / (365.25 * DAY_US), dtype=np.float64)


def next_call(world: World, day: IntArray, *, rng: np.random.Generator) -> IntArray:
    """Draw the instant of a call made after each day of the run, once the lines are open: mostly the day after.

    Calls are taken from 8 to 19 h, never on a Sunday.
    """
    day = _open_day(world, day + rng.geometric(_NEXT_DAY, size=len(day)))
    return local_to_utc_us(world.scenario, day, call_seconds(len(day), rng=rng))


def told_in_time(world: World) -> FloatArray:
    """Chance that a call made after each day of the run, as :func:`next_call` draws it, comes before its end."""
    n_days, lag = world.scenario.time.n_days, np.arange(1, 40)
    law = _NEXT_DAY * (1 - _NEXT_DAY) ** (lag - 1)
    return np.asarray((_open_day(world, np.arange(n_days)[:, None] + lag) < n_days) @ law, dtype=np.float64)


def _open_day(world: World, day: IntArray) -> IntArray:
    return np.asarray(day + ((world.scenario.start.weekday() + day) % 7 == 6), dtype=np.int64)


def call_seconds(n: int, *, rng: np.random.Generator) -> IntArray:
    """Draw seconds of the local day at which calls are taken."""
    return seconds_between(_CALLS, _LINES_S, n, rng=rng)


def seconds_between(rhythm: Rhythm, open_s: tuple[int, int], n: int, *, rng: np.random.Generator) -> IntArray:
    """Draw ``n`` seconds of the local day under a rhythm; what falls outside ``open_s`` falls anywhere within it."""
    second = rhythm.seconds(n, rng=rng)
    shut = (second < open_s[0]) | (second >= open_s[1])
    return np.where(shut, rng.integers(*open_s, size=n), second)


def age_band(age: npt.NDArray[Any]) -> IntArray:
    """Band of each age: 0-14, 15-29, 30-59, 60+."""
    return np.asarray(np.searchsorted(AGE_EDGES, age, side="right"), dtype=np.int64)


def by_type(rates: Mapping[str, float]) -> FloatArray:
    """Rates of the incident types named, 0 for the others; shape (12,)."""
    return np.array([rates.get(name, 0.0) for name in INCIDENT_TYPES])


def remainder(per_day: float, known: float, *, name: str, why: str) -> float:
    """What is left of a volume per day once ``known`` is taken out.

    Raises
    ------
    ParameterError
        If nothing would be left.
    """
    if known > per_day:
        raise ParameterError(
            f"The `services.{name}` value of the scenario must be at least what {why} bring by themselves. Got "
            f"{per_day:g} per day for {known:.1f}. Raise it, or lower the rates of section services that make them."
        )
    return per_day - known


def nearest_m(x_m: FloatArray, y_m: FloatArray, places: pd.DataFrame, *, otherwise: tuple[float, float]) -> FloatArray:
    """Distance from each point to the nearest place; to ``otherwise`` where there is none at all."""
    to = places[["x_m", "y_m"]].to_numpy(dtype=np.float64) if len(places) else np.array([otherwise])
    return np.asarray(cKDTree(to).query(np.column_stack([x_m, y_m]))[0], dtype=np.float64)


def identities(role: str, persons: IntArray) -> dict[str, pd.Series[str]]:
    """Name and telephone of each person, missing where the number is -1."""
    shown, at = np.unique(persons, return_inverse=True)
    known = np.maximum(shown, 0)
    out = {}
    for part, texts in (("name", person_names(known)), ("phone", person_phones(known))):
        words = np.array(texts, dtype=object)
        words[shown < 0] = None
        out[f"{role}_{part}"] = pd.Series(words[at], dtype="str")
    return out


def numbered(prefix: str, t_us: IntArray) -> pd.Series[str]:
    """Identifiers that count rows in order of time, whatever the order they are given in."""
    rank = np.empty(len(t_us), dtype=np.int64)
    rank[np.argsort(t_us, kind="stable")] = np.arange(1, len(t_us) + 1)
    return pd.Series([f"{prefix}-{n:07d}" for n in rank.tolist()], dtype="str")


def rows(key: str, fields: Mapping[str, Any], *, t_drop_us: IntArray) -> pd.DataFrame:
    """Clean rows of a stream in order of ``t_drop``, then of identity; times are microseconds of UTC, -1 for none."""
    missing = {
        f.raw: np.asarray(fields[f.raw]) == -1 for f in LAYOUTS[key].fields if f.kind == "time" and not f.required
    }
    frame = clean(key, fields, t_drop_us=t_drop_us)
    for name, at in missing.items():
        frame[name] = frame[name].mask(pd.Series(at, index=frame.index))
    return frame.sort_values(["t_drop", *LAYOUTS[key].identity], kind="stable", ignore_index=True)
