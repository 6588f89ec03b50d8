"""What every predictor shares: parameters held as data, checks on what it is handed, storage as plain arrays.

The manners are scikit-learn's: a constructor only stores, ``fit`` checks and learns, learned names end in ``_``.
``fit(events, grid=grid, covariates=…)`` learns, ``predict(at)`` draws the map of one day, and between two estimations
``update(events)`` shows what entered the file since.

What it cannot tell you: a predictor that passes these checks is well behaved, not useful. Usefulness is measured by
:mod:`models.scores` against a baseline, on events it has not seen.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import ParameterError, bad_parameter
from contrechamp.domain.grid import FloatArray, Grid
from contrechamp.domain.history import NO_COVARIATES, Covariates, Events


@dataclass(frozen=True, slots=True)
class Domain:
    """The values a parameter may take, and how to say it.

    Attributes
    ----------
    low, high : float
        Bounds.
    must : str
        End of the sentence *The parameter must be …*.
    whole : bool, default=False
        True for a whole number.
    closed : bool, default=False
        True when the lower bound itself is allowed. The upper bound always is.
    """

    low: float
    high: float
    must: str
    whole: bool = False
    closed: bool = False

    def admits(self, value: object) -> bool:
        """Tell whether ``value`` lies in the domain; a bool or a text never does."""
        if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
            return False
        number = float(value)
        if not math.isfinite(number) or (self.whole and number != math.floor(number)):
            return False
        return (self.low <= number if self.closed else self.low < number) and number <= self.high


@dataclass(frozen=True, slots=True)
class Choice(Domain):
    """One of a few names.

    Attributes
    ----------
    names : tuple of str
    """

    names: tuple[str, ...] = ()

    @classmethod
    def of(cls, *names: str) -> Choice:
        """The domain whose values are ``names``."""
        return cls(0.0, 0.0, "one of " + ", ".join(repr(name) for name in names), names=names)

    def admits(self, value: object) -> bool:
        """Tell whether ``value`` is one of the names."""
        return isinstance(value, str) and value in self.names


WINDOW_DAYS = Domain(1, 36_600, "a whole number of days in [1, 36600]", whole=True, closed=True)


@dataclass(frozen=True, eq=False)
class Seen:
    """What a predictor works from: the events known one morning, the grid, and what else was known.

    Attributes
    ----------
    events : Events
    grid : Grid
    covariates : Covariates
    """

    events: Events
    grid: Grid
    covariates: Covariates

    @property
    def n_days(self) -> int:
        """Days of history."""
        return self.events.n_days


class BasePredictor:
    """Base of the predictors of :data:`models.PREDICTORS`.

    A subclass writes ``_map`` (the expected records of a day, from what was seen) and, where something is to be
    estimated once and kept between two fits, ``_estimate``.

    Attributes
    ----------
    surface_ : ndarray of float, shape (n_cells,)
        Expected records per cell on the day after the last one seen.
    n_days_ : int
        Days of history handed to ``fit`` or ``update``.
    n_days_used_ : int
        Days the surface rests on: the window, or the history where it is shorter.

    Notes
    -----
    ``CONSTRAINTS`` gives the domain of every parameter. ``NEEDS_PLACES`` is true for a predictor that can do nothing
    without layers of places. ``LINEAR`` is true where twice the records give twice the map and the map sums to the mean
    daily count of the days used; others learn a level of their own. ``REFIT_DAYS`` is the schedule on which the
    platform estimates again; between two estimations ``update`` shows it newer events.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {}
    NEEDS_PLACES: ClassVar[bool] = False
    LINEAR: ClassVar[bool] = True
    REFIT_DAYS: ClassVar[int] = 1
    #: Learned arrays a subclass stores beside the surface, by attribute name.
    LEARNED: ClassVar[tuple[str, ...]] = ()
    n_days_: int
    _maps: dict[int, tuple[FloatArray, int]]
    _seen: Seen | None
    _fitted: bool

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Self:
        """Make a predictor and check its parameters at once.

        Raises
        ------
        ParameterError
            If a name is unknown or a value out of its domain.
        """
        known = cls._names()
        for name in params:
            if name not in known:
                raise ParameterError(
                    f"{cls.__name__} has no parameter {name!r}. It has: {', '.join(known) or 'none'}. "
                    "Take the name out or correct it."
                )
        made = cls(**params)
        made._check_params()
        return made

    @classmethod
    def _names(cls) -> tuple[str, ...]:
        return tuple(p for p in inspect.signature(cls).parameters if p not in ("args", "kwargs"))

    def get_params(self) -> dict[str, Any]:
        """Hyper-parameters, as data."""
        return {name: getattr(self, name) for name in self._names()}

    def fit(
        self, events: Events | npt.NDArray[Any], *, grid: Grid, covariates: Covariates | None = None
    ) -> Self:  # fmt: skip
        """Learn from recorded events.

        Parameters
        ----------
        events : Events or ndarray of shape (n_days, n_cells)
            Recorded events known this morning, or their counts by day and cell, oldest first, all finite and at least
            0. Not modified.
        grid : Grid
            The grid whose land cells are the columns.
        covariates : Covariates, optional
            What else is known. Predictors that use none ignore it.

        Raises
        ------
        ParameterError
            If a parameter, the counts or a covariate are out of their domain, or layers of places are needed and none
            was given.

        Notes
        -----
        No day at all, or days without an event, give a surface of zeros: no cell ranks above another.
        """
        self._check_params()
        seen = self._checked(events, grid=grid, covariates=covariates)
        self._forget()
        self._seen, self.n_days_ = seen, seen.n_days
        self._estimate(seen)
        self._fitted = True
        return self

    def update(self, events: Events | npt.NDArray[Any], *, covariates: Covariates | None = None) -> Self:
        """Show newer events to a fitted predictor, without estimating again.

        Parameters
        ----------
        events : Events or ndarray of shape (n_days, n_cells)
            All events known this morning, those seen before included.
        covariates : Covariates, optional
            The same as at ``fit`` where left out.

        Raises
        ------
        ParameterError
            If ``fit`` was not called, or the events are out of their domain.
        """
        self._check_fitted("update")
        if self._seen is None:
            raise ParameterError(
                f"This {type(self).__name__} was read back from its arrays, which hold no grid. "
                "Call fit(events, grid=grid) to go on from newer events."
            )
        known = self._seen.covariates if covariates is None else covariates
        seen = self._checked(events, grid=self._seen.grid, covariates=known)
        self._maps, self._seen, self.n_days_ = {}, seen, seen.n_days
        return self

    def predict(self, at: int | None = None) -> FloatArray:
        """Expected records per cell on day ``at``, shape (n_cells,), all at least 0.

        Parameters
        ----------
        at : int, optional
            Day predicted, counted like the rows of the events: the day after the last one seen where left out. A later
            day is predicted from the same events.

        Raises
        ------
        ParameterError
            If ``fit`` was not called, ``at`` is a day already seen, or a covariate has no row for it.
        """
        self._check_fitted("predict")
        day = self.n_days_ if at is None else int(at)
        if day not in self._maps:
            self._maps[day] = self._mapped(day)
        return self._maps[day][0].copy()

    @property
    def n_days_used_(self) -> int:
        """Days the surface rests on: the window, or the history where it is shorter."""
        self.predict()
        return self._maps[self.n_days_][1]

    @property
    def surface_(self) -> FloatArray:
        """Expected records per cell on the day after the last one seen."""
        return self.predict()

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Learned state as plain arrays, to be stored with ``numpy.savez`` beside the parameters."""
        self._check_fitted("to_arrays")
        surface = self.predict()
        return {
            "surface_": surface,
            "n_days_": np.asarray(self.n_days_, dtype=np.int64),
            "n_days_used_": np.asarray(self.n_days_used_, dtype=np.int64),
        } | {name: np.array(getattr(self, name)) for name in self.LEARNED}

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Inverse of :meth:`to_arrays`: rebuild a fitted predictor from its parameters and arrays.

        The surface of the day after the last one seen comes back with all that was learned; another day needs the
        events again.

        Raises
        ------
        ParameterError
            If a parameter is out of its domain or an array is missing.
        """
        made = cls.from_params(params)
        missing = sorted({"surface_", "n_days_", "n_days_used_", *cls.LEARNED} - set(arrays))
        if missing:
            raise bad_parameter(
                name="arrays", where=f"{cls.__name__}.from_arrays", must="complete", got=sorted(arrays),
                remedy=f"Missing: {', '.join(missing)}.",
            )  # fmt: skip
        made._forget()
        made._fitted = True
        made.n_days_ = int(arrays["n_days_"])
        made._maps[made.n_days_] = np.array(arrays["surface_"], dtype=np.float64), int(arrays["n_days_used_"])
        for name in cls.LEARNED:
            value = np.array(arrays[name])
            setattr(made, name, value.item() if value.ndim == 0 else value)
        return made

    def _estimate(self, seen: Seen) -> None:
        """Learn what is kept between two fits. Nothing by default."""

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        """Expected records per cell on day ``at``, and the days of history it rests on."""
        raise NotImplementedError

    def _mapped(self, day: int) -> tuple[FloatArray, int]:
        where = f"{type(self).__name__}.predict"
        if self._seen is None:
            raise bad_parameter(
                name="at", where=where, must=f"{self.n_days_}, the only day kept", got=day,
                remedy="This predictor was read back from its arrays; another day needs the events: call fit again.",
            )  # fmt: skip
        if day < self.n_days_:
            raise bad_parameter(
                name="at", where=where, must=f"a day not seen yet, {self.n_days_} or later", got=day,
                remedy="A map of a day it has learned from is no forecast.",
            )  # fmt: skip
        self._seen.covariates.check(n_cells=self._seen.grid.n_cells, n_days=day + 1)
        return self._map(self._seen, day)

    def _forget(self) -> None:
        self._maps = {}
        self._seen = None
        self._fitted = False

    def _checked(
        self, events: Events | npt.NDArray[Any], *, grid: Grid, covariates: Covariates | None
    ) -> Seen:  # fmt: skip
        known = events if isinstance(events, Events) else None
        counts = known.counts if known is not None else np.asarray(events)
        self._check_counts(counts, grid)
        beside = NO_COVARIATES if covariates is None else covariates
        if self.NEEDS_PLACES and not beside.places:
            raise bad_parameter(
                name="covariates", where=f"{type(self).__name__}.fit", must="given, with layers of places", got=beside,
                remedy="Pass covariates=Covariates(places={'bars_per_km2': …}), or take a predictor that needs none.",
            )  # fmt: skip
        return Seen(known if known is not None else Events.from_counts(counts, grid=grid), grid, beside)

    def _check_params(self) -> None:
        for name, domain in self.CONSTRAINTS.items():
            value = getattr(self, name)
            if not domain.admits(value):
                raise bad_parameter(name=name, where=type(self).__name__, must=domain.must, got=value)

    def _check_counts(self, counts: npt.NDArray[Any], grid: Grid) -> None:
        where = f"{type(self).__name__}.fit"
        shape = np.shape(counts)
        if len(shape) != 2 or shape[1] != grid.n_cells:
            raise bad_parameter(
                name="counts", where=where, must=f"an array of shape (n_days, {grid.n_cells})", got=shape,
                remedy="Count events with contrechamp.domain.grid.count_cube on the same grid.",
            )  # fmt: skip
        whole = np.issubdtype(np.asarray(counts).dtype, np.integer)
        if counts.size and (float(counts.min()) < 0 or not (whole or np.isfinite(float(counts.sum())))):
            raise bad_parameter(
                name="counts", where=where, must="counts, finite and at least 0", got=f"minimum {counts.min()}"
            )

    def _check_fitted(self, method: str) -> None:
        if not getattr(self, "_fitted", False):
            raise ParameterError(
                f"{type(self).__name__}.{method} was called before fit. Call fit(events, grid=grid) first."
            )

    def __repr__(self) -> str:
        inside = ", ".join(f"{k}={v!r}" for k, v in self.get_params().items())
        return f"{type(self).__name__}({inside})"


def daily_mean(counts: npt.NDArray[Any], *, window_days: int) -> tuple[FloatArray, int]:
    """Mean count per cell and day over the last ``window_days`` days, or over all of them where there are fewer.

    Returns
    -------
    mean : ndarray, shape (n_cells,)
        Zeros where there is no day at all.
    days : int
        Days it rests on.
    """
    used = min(int(window_days), int(counts.shape[0]))
    if used == 0:
        return np.zeros(counts.shape[1]), 0
    return counts[-used:].sum(axis=0, dtype=np.float64) / used, used
