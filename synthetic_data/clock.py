"""Time of the world: half hours of UTC, and what the clock and the calendar of the city say in each.

Intensities are constant on these half hours. The city is a whole number of hours from UTC, summer and winter, so a half
hour of UTC is always one half hour of the local clock, even on the two days when the clock changes.

What it cannot tell you: anything between two half hours. What changes faster is not in this world.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pandas as pd

from synthetic_data.scenario import LOCAL_TZ, Scenario

IntArray = npt.NDArray[np.int64]

#: Length of a slot and of a day, in microseconds.
SLOT_US: Final = 1_800_000_000
DAY_US: Final = 86_400_000_000
SLOTS_PER_DAY: Final = 48


@dataclass(frozen=True, eq=False)
class Slots:
    """Consecutive half hours of UTC, from some time before day 0 to the end of the last day.

    Attributes
    ----------
    start_us : int
        Instant that opens the first slot, microseconds of UTC since 1970.
    n_before : int
        Slots before day 0.
    day : ndarray of int, shape (n_slots,)
        Local day from the start of the scenario; negative before it.
    half_hour : ndarray of int, shape (n_slots,)
        Half hour of the local clock, 0 to 47.
    weekday : ndarray of int, shape (n_slots,)
        0 is Monday.
    day_of_year : ndarray of int, shape (n_slots,)
        1 is 1 January.
    """

    start_us: int
    n_before: int
    day: IntArray
    half_hour: IntArray
    weekday: IntArray
    day_of_year: IntArray

    @classmethod
    def of(cls, start: pd.Timestamp, *, n_days: int, days_before: int = 0) -> Slots:
        """Slots of ``n_days`` local days from the local midnight ``start``, and of ``days_before`` times 24 hours."""
        opening = _us(start)
        n_before = SLOTS_PER_DAY * days_before
        first_us = opening - n_before * SLOT_US
        n = (_us(_midnight(start, n_days)) - first_us) // SLOT_US
        utc = pd.DatetimeIndex((first_us + SLOT_US * np.arange(n)).view("datetime64[us]")).tz_localize("UTC")
        local = utc.tz_convert(LOCAL_TZ).tz_localize(None)
        date = np.asarray(local.as_unit("us").asi8, dtype=np.int64) // DAY_US
        return cls(
            start_us=first_us,
            n_before=n_before,
            day=date - _us(start.tz_localize(None)) // DAY_US,
            half_hour=np.asarray(2 * local.hour + local.minute // 30, dtype=np.int64),
            weekday=np.asarray(local.day_of_week, dtype=np.int64),
            day_of_year=np.asarray(local.day_of_year, dtype=np.int64),
        )

    def __len__(self) -> int:
        return len(self.day)

    @property
    def opening_us(self) -> int:
        """Instant that opens day 0."""
        return self.start_us + self.n_before * SLOT_US

    @property
    def end_us(self) -> int:
        """Instant that ends the last day."""
        return self.start_us + len(self) * SLOT_US

    def index(self, t_us: IntArray) -> IntArray:
        """Slot of each instant; before 0 or beyond the last for an instant outside."""
        return (t_us - self.start_us) // SLOT_US

    def second(self, t_us: IntArray) -> IntArray:
        """Whole second of the local clock at each instant of the slots."""
        return self.half_hour[self.index(t_us)] * 1800 + (t_us - self.start_us) % SLOT_US // 1_000_000


def instants(t_us: IntArray) -> pd.DatetimeIndex:
    """Microseconds of UTC since 1970 as tz-aware timestamps, ``datetime64[us, UTC]``."""
    return pd.DatetimeIndex(t_us.view("datetime64[us]")).tz_localize("UTC")


def local_to_utc_us(scenario: Scenario, day: IntArray, second: IntArray) -> IntArray:
    """Instant of a local clock reading; one that the clock skips in spring is moved to the hour after."""
    midnight = np.datetime64(scenario.time.start, "us").astype(np.int64)
    naive = pd.DatetimeIndex((midnight + (day * 86_400 + second) * 1_000_000).view("datetime64[us]"))
    summer = np.ones(len(naive), dtype=bool)
    utc = naive.tz_localize(LOCAL_TZ, ambiguous=summer, nonexistent=pd.Timedelta(hours=1)).tz_convert("UTC")
    return np.asarray(utc.as_unit("us").asi8, dtype=np.int64)


def _midnight(start: pd.Timestamp, days: int) -> pd.Timestamp:
    return (start.tz_localize(None) + pd.Timedelta(days=days)).tz_localize(LOCAL_TZ)


def _us(t: pd.Timestamp) -> int:
    return int(t.as_unit("us").asm8.astype(np.int64))
