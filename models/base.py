"""What every predictor shares: parameters held as data, checks on what it is handed, storage as plain arrays.

The manners are scikit-learn's: a constructor only stores, ``fit`` checks and learns, learned names end in ``_``.
A subclass writes ``_learn``: recorded counts in, expected records per cell out.

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


WINDOW_DAYS = Domain(1, 36_600, "a whole number of days in [1, 36600]", whole=True, closed=True)


class BasePredictor:
    """Base of the predictors of :data:`models.PREDICTORS`.

    Attributes
    ----------
    surface_ : ndarray of float, shape (n_cells,)
        Expected records per cell on the day after the last one seen.
    n_days_ : int
        Days of history handed to ``fit``.
    n_days_used_ : int
        Days the surface rests on: the window, or the history where it is shorter.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {}
    surface_: FloatArray
    n_days_: int
    n_days_used_: int

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

    def fit(self, counts: npt.NDArray[Any], *, grid: Grid) -> Self:
        """Learn from recorded events.

        Parameters
        ----------
        counts : ndarray, shape (n_days, n_cells)
            Recorded events by day and cell, oldest first, all finite and at least 0. It is not modified.
        grid : Grid
            The grid whose land cells are the columns.

        Raises
        ------
        ParameterError
            If a parameter or the counts are out of their domain.

        Notes
        -----
        No day at all, or days without an event, give a surface of zeros: no cell ranks above another.
        """
        self._check_params()
        self._check_counts(counts, grid)
        self.n_days_ = int(counts.shape[0])
        self.surface_, self.n_days_used_ = self._learn(counts, grid)
        return self

    def predict(self) -> FloatArray:
        """Expected records per cell on the day after the last one seen, shape (n_cells,), all at least 0.

        Raises
        ------
        ParameterError
            If ``fit`` was not called.
        """
        self._check_fitted("predict")
        return self.surface_.copy()

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Learned state as plain arrays, to be stored with ``numpy.savez`` beside the parameters."""
        self._check_fitted("to_arrays")
        return {
            "surface_": self.surface_.copy(),
            "n_days_": np.asarray(self.n_days_, dtype=np.int64),
            "n_days_used_": np.asarray(self.n_days_used_, dtype=np.int64),
        }

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Inverse of :meth:`to_arrays`: rebuild a fitted predictor from its parameters and arrays.

        Raises
        ------
        ParameterError
            If a parameter is out of its domain or an array is missing.
        """
        made = cls.from_params(params)
        missing = sorted({"surface_", "n_days_", "n_days_used_"} - set(arrays))
        if missing:
            raise bad_parameter(
                name="arrays", where=f"{cls.__name__}.from_arrays", must="complete", got=sorted(arrays),
                remedy=f"Missing: {', '.join(missing)}.",
            )  # fmt: skip
        made.surface_ = np.array(arrays["surface_"], dtype=np.float64)
        made.n_days_ = int(arrays["n_days_"])
        made.n_days_used_ = int(arrays["n_days_used_"])
        return made

    def _learn(self, counts: npt.NDArray[Any], grid: Grid) -> tuple[FloatArray, int]:
        raise NotImplementedError

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
        if not hasattr(self, "surface_"):
            raise ParameterError(
                f"{type(self).__name__}.{method} was called before fit. Call fit(counts, grid=grid) first."
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
