"""What a predictor is handed: recorded events as the file knew them one morning, and what else was known by then.

Two rules keep tomorrow out of today's map. A record is visible from the morning after it *entered* the file, not from
the day it bears. And row ``d`` of any covariate holds what was known on the morning of day ``d``: the calendar of the
day, its weather *forecast*, another stream's counts up to the day before.

What it cannot tell you: what happened and was not recorded. Nothing here comes from the truth of a simulation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid, IntArray, count_cube

_NO_LATE = np.zeros((0, 3), dtype=np.int64)


@dataclass(frozen=True, eq=False)
class Points:
    """Recorded events one by one, oldest first.

    Attributes
    ----------
    t_days : ndarray of float, shape (n,)
        Days since the start of day 0; 1.5 is noon of day 1. Ascending.
    x_m, y_m : ndarray of float, shape (n,)
        EPSG:2154.
    cell : ndarray of int, shape (n,)
    """

    t_days: FloatArray
    x_m: FloatArray
    y_m: FloatArray
    cell: IntArray

    def __len__(self) -> int:
        return len(self.t_days)

    def since(self, day: float) -> Points:
        """Events from the start of ``day`` on; views, not copies."""
        first = int(np.searchsorted(self.t_days, day, side="left"))
        return Points(self.t_days[first:], self.x_m[first:], self.y_m[first:], self.cell[first:])


@dataclass(frozen=True, eq=False)
class Events:
    """Recorded events known on one morning: counted by day and cell, and one by one where they are asked for.

    Attributes
    ----------
    counts : ndarray, shape (n_days, n_cells)
        By the day they bear, oldest first. Days ``0 … n_days - 1``; the morning is that of day ``n_days``.
    grid : Grid
    """

    counts: npt.NDArray[Any]
    grid: Grid
    _locate: Callable[[], Points] | None = field(default=None, repr=False)

    @classmethod
    def from_counts(cls, counts: npt.NDArray[Any], *, grid: Grid) -> Self:
        """Events known by their counts only: each is placed at noon, in the middle of its cell."""
        return cls(counts, grid)

    @property
    def n_days(self) -> int:
        """Days of history."""
        return int(self.counts.shape[0])

    @cached_property
    def points(self) -> Points:
        """The events one by one.

        Raises
        ------
        ParameterError
            If only counts are known and they are not whole.
        """
        return self._locate() if self._locate is not None else _centred(self.counts, self.grid)


@dataclass(frozen=True, eq=False)
class EventLog:
    """Every record of a run, from which :meth:`mornings` shows what the file knew day after day.

    Attributes
    ----------
    points : Points
        All records, oldest first, with a cell of the grid and a day in ``[0, n_days)``.
    known_day : ndarray of int, shape (n,)
        Day of entry. A record is visible on the mornings of later days.
    grid : Grid
    n_days : int
    """

    points: Points
    known_day: IntArray
    grid: Grid
    n_days: int

    @classmethod
    def from_arrays(
        cls, *, t_days: npt.ArrayLike, x_m: npt.ArrayLike, y_m: npt.ArrayLike, cell: npt.ArrayLike,
        known_day: npt.ArrayLike, grid: Grid, n_days: int,
    ) -> Self:  # fmt: skip
        """Sort records by time; those off the grid or out of the days are left out (the caller accounts for them)."""
        t, where = np.asarray(t_days, dtype=np.float64), np.asarray(cell, dtype=np.int64)
        keep = np.flatnonzero((where >= 0) & (where < grid.n_cells) & (t >= 0) & (t < n_days))
        keep = keep[np.argsort(t[keep], kind="stable")]
        x, y = np.asarray(x_m, dtype=np.float64)[keep], np.asarray(y_m, dtype=np.float64)[keep]
        points = Points(t[keep], x, y, where[keep])
        known = np.maximum(np.asarray(known_day, dtype=np.int64)[keep], np.floor(points.t_days).astype(np.int64))
        return cls(points, known, grid, int(n_days))

    @classmethod
    def from_counts(cls, counts: npt.NDArray[Any], *, grid: Grid, late: IntArray = _NO_LATE) -> _CountLog:
        """Records known by their counts only, each entered on the day it bears but for ``late`` (day, cell, entry)."""
        return _CountLog(counts, grid, late)

    def mornings(self, first: int, last: int) -> Iterator[tuple[int, Events]]:
        """Days ``first … last - 1`` in order, each with the events known that morning.

        Each is valid until the next is asked for: the counts are views of one array that grows.
        """
        days = np.floor(self.points.t_days).astype(np.int64)
        cell, known = self.points.cell, self.known_day
        visible = count_cube(cell[known < first], days[known < first], n_cells=self.grid.n_cells, n_days=self.n_days)
        by_entry = np.argsort(known, kind="stable")
        bounds = np.searchsorted(known[by_entry], np.arange(first, last))
        for i, day in enumerate(range(first, last)):
            if i:
                new = by_entry[bounds[i - 1] : bounds[i]]
                np.add.at(visible, (days[new], cell[new]), 1)
            seen = visible[:day]
            seen.flags.writeable = False
            yield day, Events(seen, self.grid, lambda day=day: self._known(day))  # type: ignore[misc]

    def until(self, day: int) -> Events:
        """Events known on the morning of ``day``."""
        return next(self.mornings(day, day + 1))[1]

    def _known(self, day: int) -> Points:
        end = int(np.searchsorted(self.points.t_days, day, side="left"))
        p = self.points
        keep: Any = slice(0, end)
        if (self.known_day[:end] >= day).any():
            keep = np.flatnonzero(self.known_day[:end] < day)
        return Points(p.t_days[keep], p.x_m[keep], p.y_m[keep], p.cell[keep])


@dataclass(frozen=True, eq=False)
class _CountLog:
    """An :class:`EventLog` of which only counts are known; same ``mornings``."""

    counts: npt.NDArray[Any]
    grid: Grid
    late: IntArray

    @property
    def n_days(self) -> int:
        return len(self.counts)

    def mornings(self, first: int, last: int) -> Iterator[tuple[int, Events]]:
        for day in range(first, last):
            history = self.counts[:day]
            unseen = self.late[(self.late[:, 0] < day) & (self.late[:, 2] >= day)]
            if len(unseen):
                history = history.copy()
                np.subtract.at(history, (unseen[:, 0], unseen[:, 1]), 1)
            yield day, Events.from_counts(history, grid=self.grid)


@dataclass(frozen=True, eq=False)
class Covariates:
    """What is known of places and days beside the records.

    Attributes
    ----------
    places : mapping of str to ndarray, shape (n_cells,)
        Layers that do not change: density of bars, distance to a station.
    days : mapping of str to ndarray, shape (n_days,)
        One value a day, the same everywhere: a holiday, the temperature forecast. Row ``d`` is known on the morning
        of day ``d``.
    cell_days : mapping of str to ndarray, shape (n_days, n_cells)
        Planned crowd, another stream's counts up to the day before; same rule.
    first_weekday : int, default=0
        Weekday of day 0, Monday being 0.
    """

    places: Mapping[str, FloatArray] = field(default_factory=dict)
    days: Mapping[str, FloatArray] = field(default_factory=dict)
    cell_days: Mapping[str, npt.NDArray[Any]] = field(default_factory=dict)
    first_weekday: int = 0

    def check(self, *, n_cells: int, n_days: int) -> None:
        """Refuse layers of another shape, days that are not covered and values that are not finite.

        Raises
        ------
        ParameterError
        """
        for kind, tail in (("places", (n_cells,)), ("days", ()), ("cell_days", (n_cells,))):
            for name, values in getattr(self, kind).items():
                shape = np.shape(values)
                rows = kind == "places" or (len(shape) >= 1 and shape[0] >= n_days)
                if not rows or (shape if kind == "places" else shape[1:]) != tail:
                    want = tail if kind == "places" else (f"at least {n_days}", *tail)
                    raise bad_parameter(
                        name=f"covariates.{kind}[{name!r}]", where="a predictor", must=f"an array of shape {want}",
                        got=shape, remedy="Every day up to the one predicted needs its row.",
                    )  # fmt: skip
        if self._not_finite:
            raise bad_parameter(
                name=f"covariates.{self._not_finite}", where="a predictor", must="finite", got="NaN or infinity",
                remedy="Fill what is missing with a value and a layer that says it was missing.",
            )  # fmt: skip

    @cached_property
    def _not_finite(self) -> str:
        """The first layer that holds a NaN or an infinity; empty where none does."""
        for kind in ("places", "days", "cell_days"):
            for name, values in getattr(self, kind).items():
                if not np.isfinite(np.sum(values, dtype=np.float64)):
                    return f"{kind}[{name!r}]"
        return ""


NO_COVARIATES = Covariates()


def _centred(counts: npt.NDArray[Any], grid: Grid) -> Points:
    whole = np.asarray(counts)
    if not np.issubdtype(whole.dtype, np.integer):
        rounded = np.rint(whole)
        if not (rounded == whole).all():
            raise bad_parameter(
                name="counts", where="Events.points", must="whole numbers of events", got="fractions",
                remedy="This predictor needs events one by one; hand it an EventLog, or whole counts.",
            )  # fmt: skip
        whole = rounded.astype(np.int64)
    day, cell = np.nonzero(whole)
    times = whole[day, cell]
    day, cell = np.repeat(day, times), np.repeat(cell, times)
    x_m, y_m = (np.ascontiguousarray(axis) for axis in grid.centres_m[cell].T)
    return Points((day + 0.5).astype(np.float64), x_m, y_m, cell.astype(np.int64))
