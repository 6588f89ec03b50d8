"""The days drawn minute by minute, their clock, and the form every dense stream leaves in.

Streams that count all the time share one window, the last ``streams.dense_days`` local days of the run, so that what
one of them shows can be looked for in another.

What it cannot tell you: nothing outside the window, and nothing of a season if the window is a week.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.streams import LAYOUTS
from synthetic_data.clock import instants as instants
from synthetic_data.scenario import LOCAL_TZ, Scenario
from synthetic_data.solving import pick as pick

FloatArray = npt.NDArray[np.float64]
IntArray = npt.NDArray[np.int64]
BoolArray = npt.NDArray[np.bool_]

SECOND_US: Final = 1_000_000
#: Residents of the city that the published volumes describe; see :func:`size`.
REFERENCE_RESIDENTS: Final = 860_000


@dataclass(frozen=True)
class Window:
    """Consecutive local days.

    Attributes
    ----------
    first_day : int
        Day of the run that the window opens with.
    midnights_us : tuple of int
        Local midnights in microseconds of UTC: that of each day, then the one that closes the window.
    """

    first_day: int
    midnights_us: tuple[int, ...]

    @property
    def n_days(self) -> int:
        """Number of days."""
        return len(self.midnights_us) - 1

    def starts_us(self, step_s: float) -> IntArray:
        """Instants that open each step of ``step_s`` seconds, shape (n_steps,)."""
        return np.arange(self.midnights_us[0], self.midnights_us[-1], round(step_s * SECOND_US), dtype=np.int64)

    def at_us(self, day: npt.ArrayLike, hour: npt.ArrayLike) -> IntArray:
        """Instants at which the local clock says ``hour``, of days counted from the window's first."""
        midnight = np.asarray(self.midnights_us, dtype=np.int64)[np.asarray(day, dtype=np.int64)]
        since = np.rint(np.asarray(hour, dtype=np.float64) * 3600).astype(np.int64) * SECOND_US
        midnight, since = np.broadcast_arrays(midnight, since)
        changed = _offset_us((midnight + since).ravel()) - _offset_us(midnight.ravel())  # on two days of the year
        return np.asarray(midnight + since - changed.reshape(since.shape), dtype=np.int64)

    def holds(self, t_us: IntArray) -> BoolArray:
        """Whether each instant lies in the window."""
        return np.asarray((t_us >= self.midnights_us[0]) & (t_us < self.midnights_us[-1]))


@dataclass(frozen=True, eq=False)
class Clock:
    """What a local clock and calendar say at some instants: arrays of one length.

    Attributes
    ----------
    hour : ndarray
        Local hour with its fraction, in [0, 24).
    day : ndarray of int
        Local day, counted from the first instant's.
    weekday : ndarray of int
        0 is Monday.
    """

    hour: FloatArray
    day: IntArray
    weekday: IntArray

    @property
    def weekend(self) -> BoolArray:
        """Saturday or Sunday."""
        return np.asarray(self.weekday >= 5)


def window(scenario: Scenario) -> Window:
    """Return the last ``streams.dense_days`` days of the run, or the whole run where it is shorter."""
    n_days = min(scenario.streams.dense_days, scenario.time.n_days)
    return days(scenario, first=scenario.time.n_days - n_days, n_days=n_days)


def days(scenario: Scenario, *, first: int, n_days: int) -> Window:
    """Window of ``n_days`` local days from day ``first`` of the run."""
    start = pd.Timestamp(scenario.time.start) + pd.Timedelta(days=first)
    midnights = pd.date_range(start, periods=n_days + 1, freq="D", tz=LOCAL_TZ).tz_convert("UTC").as_unit("us")
    return Window(first, tuple(midnights.asi8.tolist()))


def clock(t_us: IntArray) -> Clock:
    """Read local hour, day and weekday of instants (microseconds of UTC)."""
    wall = instants(t_us).tz_convert(LOCAL_TZ).tz_localize(None).as_unit("us").asi8
    day_us = 86_400 * SECOND_US
    day = wall // day_us
    origin = day[0] if len(day) else 0
    return Clock((wall % day_us) / (3600 * SECOND_US), day - origin, (day + 3) % 7)


def _offset_us(t_us: IntArray) -> IntArray:
    """By how much the local clock is ahead of UTC at each instant."""
    shown, at = np.unique(t_us, return_inverse=True)
    wall = instants(shown).tz_convert(LOCAL_TZ).tz_localize(None).as_unit("us").asi8
    return np.asarray((wall - shown)[at], dtype=np.int64)


def bump(hour: npt.ArrayLike, *, peak_h: float, spread_h: float) -> FloatArray:
    """Bell over the hours of the day, 1 at its peak, wrapped at midnight.

    Examples
    --------
    >>> bump([23.0, 1.0, 12.0], peak_h=0.0, spread_h=1.0).round(3).tolist()
    [0.607, 0.607, 0.0]
    """
    gap = np.abs(np.asarray(hour, dtype=np.float64) - peak_h) % 24
    return np.asarray(np.exp(-0.5 * (np.minimum(gap, 24 - gap) / spread_h) ** 2))


def size(n_residents: int) -> float:
    """How many times the reference city a city is: volumes published for 860,000 residents are multiplied by it."""
    return n_residents / REFERENCE_RESIDENTS


def labels(prefix: str, n: int) -> list[str]:
    """Return ``n`` identifiers whose order as texts is their order as numbers.

    Examples
    --------
    >>> labels("Z", 2), labels("S", 1200)[-1]
    (['Z001', 'Z002'], 'S1200')
    """
    width = max(3, len(str(n)))
    return [f"{prefix}{i + 1:0{width}d}" for i in range(n)]


def spoken(codes: IntArray, vocabulary: list[str] | tuple[str, ...]) -> pd.Series[str]:
    """Words by their index in a vocabulary; missing where the index is -1."""
    return pd.Series(np.array([*vocabulary, None], dtype=object)[codes], dtype="str")


def clean(key: str, fields: Mapping[str, Any], *, t_drop_us: IntArray) -> pd.DataFrame:
    """Frame of the clean rows of stream ``key``: its fields in file order, the point as metres, then ``t_drop``.

    Parameters
    ----------
    key : str
        Stream, a key of :data:`contrechamp.domain.streams.LAYOUTS`.
    fields : mapping
        Raw field → column; ``x_m`` and ``y_m`` for ``lon`` and ``lat``. A field whose kind is "time" is given as
        microseconds of UTC. Rows are already in order of ``t_drop``, then of identity.
    t_drop_us : ndarray of int
        When each row reaches the city.
    """
    columns: dict[str, Any] = {}
    for field in LAYOUTS[key].fields:
        name = {"lon": "x_m", "lat": "y_m"}.get(field.raw, field.raw)
        value = fields[name]
        columns[name] = instants(value) if field.kind == "time" else value
    columns["t_drop"] = instants(t_drop_us)
    return pd.DataFrame(columns)
