"""A calendar of planned events and road works, true and as entered: at the wrong place or hour, or not at all.

Made to measure how well a rule that finds clashes does when its file is not exact. Noise is drawn once and scaled, so
that two levels of it are compared on the same calendar.

What it cannot tell you: how exact a city's calendar is. Spreads of places and hours are assumptions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]

_CITY_M: Final = 12_000.0
_CENTRES: Final = 40
_CENTRE_SD_M: Final = 250.0
#: Share of events held at a venue, where they are at no distance of each other; the others, and works, are around.
_AT_VENUE: Final = 0.5
_LEAST_H: Final = 0.5


@dataclass(frozen=True, eq=False, slots=True)
class Entries:
    """Entries of a calendar: where (metres), when (hours since it began), and whether they are road works."""

    x_m: FloatArray
    y_m: FloatArray
    start_h: FloatArray
    end_h: FloatArray
    works: BoolArray


@dataclass(frozen=True, eq=False, slots=True)
class ClashCalendar:
    """A true calendar and the luck of its entry.

    Attributes
    ----------
    true : Entries
    shift : ndarray, shape (n, 3)
        Standard normal errors of x, y and hour.
    order : ndarray, shape (n,)
        Uniform: an entry is in the file when it is below the share entered.
    """

    true: Entries
    shift: FloatArray
    order: FloatArray

    def entered(
        self, *, position_noise_m: float, time_noise_h: float, share_entered: float
    ) -> tuple[Entries, npt.NDArray[np.int64]]:
        """The calendar as the file has it, and the true row of each of its rows.

        Parameters
        ----------
        position_noise_m : float
            Standard deviation of each coordinate.
        time_noise_h : float
            Standard deviation of the hour; a wrong hour moves the whole entry.
        share_entered : float
            Share of the *events* that are in the file, in [0, 1]. Road works are all there.

        Raises
        ------
        ParameterError
            If a number is out of range.
        """
        if not (position_noise_m >= 0 and time_noise_h >= 0 and 0 <= share_entered <= 1):
            raise bad_parameter(
                name="position_noise_m, time_noise_h, share_entered", where="ClashCalendar.entered",
                must="noises of at least 0 and a share", got=(position_noise_m, time_noise_h, share_entered),
            )  # fmt: skip
        rows = np.flatnonzero(self.true.works | (self.order < share_entered))
        moved_h = time_noise_h * self.shift[rows, 2]
        return Entries(
            self.true.x_m[rows] + position_noise_m * self.shift[rows, 0],
            self.true.y_m[rows] + position_noise_m * self.shift[rows, 1],
            self.true.start_h[rows] + moved_h,
            self.true.end_h[rows] + moved_h,
            self.true.works[rows],
        ), rows


def draw_clash_calendar(*, n_events: int, n_works: int, n_days: int, rng: np.random.Generator) -> ClashCalendar:
    """Draw a calendar whose entries stand at, or around, the same few venues.

    Parameters
    ----------
    n_events, n_works, n_days : int
    rng : numpy.random.Generator

    Raises
    ------
    ParameterError
        If a number is negative or there is no day.
    """
    if min(n_events, n_works) < 0 or n_days < 1:
        raise bad_parameter(
            name="n_events, n_works, n_days", where="draw_clash_calendar", must="at least 0, 0 and 1",
            got=(n_events, n_works, n_days),
        )  # fmt: skip
    n = n_events + n_works
    works = np.arange(n) >= n_events
    centre = rng.random((_CENTRES, 2)) * _CITY_M
    around = _CENTRE_SD_M * rng.standard_normal((n, 2))
    at_venue = (rng.random(n) < _AT_VENUE) & ~works
    place = centre[rng.integers(_CENTRES, size=n)] + np.where(at_venue[:, None], 0.0, around)
    day = rng.integers(n_days, size=n)
    hour = np.where(works, 8.0, rng.uniform(7.0, 21.0, n))
    lasts = np.where(works, 24.0 * 4 * np.exp(0.7 * rng.standard_normal(n)), 4.0 * np.exp(0.4 * rng.standard_normal(n)))
    start = np.asarray(24.0 * day + hour, dtype=np.float64)
    end = np.asarray(start + np.maximum(lasts, _LEAST_H), dtype=np.float64)
    true = Entries(place[:, 0], place[:, 1], start, end, works)
    return ClashCalendar(true, rng.standard_normal((n, 3)), rng.random(n))
