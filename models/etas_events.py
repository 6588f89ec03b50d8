"""Events laid out cell by cell and instant by instant, the form every per-cell self-exciting computation reads.

Kept apart so that the estimators of :mod:`models.etas_em` and :mod:`models.etas_likelihood` run on the same arrays and
can be compared on the same events.

What it cannot tell you: whatever is said here of an event is said of a *record*. Two records on one day, held at day
resolution, have no order: neither can be said to have followed the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray

Resolution = Literal["continuous", "day"]
#: What an event is taken to add to the expected number of events of its window. With ``r`` the time left:
#: ``boundary`` counts the offspring before the end, θ(1 − exp(−ωr)); ``day`` those on the later whole days,
#: θω Σ exp(−ωs) over s = 1 … r − 1; ``endless`` all θ of them, those after the end included.
Compensator = Literal["boundary", "day", "endless"]
COMPENSATORS: Final[Mapping[str, int]] = {"endless": 0, "boundary": 1, "day": 2}


@dataclass(frozen=True, slots=True)
class CellEvents:
    """Events of one window, sorted by cell then time, events of one cell and one instant merged.

    Attributes
    ----------
    cell : ndarray of int, shape (n_busy,)
        Cells that hold an event, increasing.
    start : ndarray of int, shape (n_busy + 1,)
        Where each of them begins in ``t_days``; the last entry is ``len(t_days)``.
    t_days : ndarray of float, shape (n,)
        Instants in [0, duration_days), strictly increasing within a cell.
    weight : ndarray of float, shape (n,)
        Events at that instant, above 0.
    duration_days : float
        Length of the window.
    n_cells : int
        Cells of the map, empty ones included.

    Notes
    -----
    Merging is exact for these models: events at lag zero do not excite each other, so they share one intensity.
    """

    cell: IntArray
    start: IntArray
    t_days: FloatArray
    weight: FloatArray
    duration_days: float
    n_cells: int

    @property
    def total(self) -> float:
        """Number of events."""
        return float(self.weight.sum())

    @property
    def row(self) -> IntArray:
        """Position in ``cell`` of each instant's cell, shape (n,)."""
        return np.repeat(np.arange(len(self.cell)), np.diff(self.start))

    def spread(self, values: FloatArray) -> FloatArray:
        """Put one value per busy cell on the whole map, zero elsewhere, shape (n_cells,)."""
        out = np.zeros(self.n_cells)
        out[self.cell] = values
        return out

    @classmethod
    def from_events(
        cls,
        cell: npt.ArrayLike,
        t_days: npt.ArrayLike,
        *,
        n_cells: int,
        duration_days: float,
        resolution: Resolution = "continuous",
    ) -> CellEvents:
        """Sort events given one by one.

        Parameters
        ----------
        cell : array-like of int, shape (n,)
            In [0, n_cells).
        t_days : array-like of float, shape (n,)
            Days since the window opened, in [0, duration_days).
        n_cells : int
        duration_days : float
            Above 0; a whole number with ``resolution="day"``.
        resolution : {"continuous", "day"}, default="continuous"
            ``"day"`` keeps the whole part of each time.

        Raises
        ------
        ParameterError
            If an event lies outside the map or the window, or the shapes differ.

        Examples
        --------
        >>> e = CellEvents.from_events([3, 0, 3, 3], [1.2, 0.5, 0.1, 1.9], n_cells=4, duration_days=2, resolution="day")
        >>> e.cell.tolist(), e.start.tolist(), e.t_days.tolist(), e.weight.tolist()
        ([0, 3], [0, 1, 3], [0.0, 0.0, 1.0], [1.0, 1.0, 2.0])
        """
        where = "CellEvents.from_events"
        c, t = np.asarray(cell, dtype=np.int64), np.asarray(t_days, dtype=np.float64)
        days = float(duration_days)
        if not (np.isfinite(days) and days > 0 and (resolution != "day" or days == np.floor(days))):
            raise bad_parameter(
                name="duration_days", where=where, must="above 0, and whole days at day resolution", got=duration_days
            )
        if c.shape != t.shape or c.ndim != 1:
            raise bad_parameter(name="cell", where=where, must="as long as t_days", got=(c.shape, t.shape))
        if len(c) and not (c.min() >= 0 and c.max() < n_cells):
            raise bad_parameter(
                name="cell", where=where, must=f"in [0, {n_cells})", got=(int(c.min()), int(c.max())),
                remedy="Set events outside the map aside first, and count them.",
            )  # fmt: skip
        if not (np.isfinite(t).all() and (t >= 0).all() and (t < days).all()):
            raise bad_parameter(
                name="t_days", where=where, must=f"in [0, {duration_days})",
                got=(float(t.min()), float(t.max())), remedy="Cut the events to the window first.",
            )  # fmt: skip
        if resolution == "day":
            t = np.floor(t)
        order = np.lexsort((t, c))
        return cls._merge(c[order], t[order], np.ones(len(c)), duration_days=days, n_cells=n_cells)

    @classmethod
    def from_counts(cls, counts: npt.NDArray[Any]) -> CellEvents:
        """Lay out daily counts, shape (n_days, n_cells): the window is the days given, an event's time its day.

        Raises
        ------
        ParameterError
            If there is no day, or a count is negative or not finite.
        """
        shape = np.shape(counts)
        if len(shape) != 2 or shape[0] == 0:
            raise bad_parameter(
                name="counts", where="CellEvents.from_counts", must="of shape (n_days, n_cells), at least one day",
                got=shape,
            )  # fmt: skip
        day, cell = np.nonzero(counts)
        weight = np.asarray(counts[day, cell], dtype=np.float64)
        if not (np.isfinite(weight).all() and (weight > 0).all()):
            raise bad_parameter(
                name="counts", where="CellEvents.from_counts", must="counts, finite and at least 0", got=weight.min()
            )
        order = np.argsort(cell, kind="stable")
        return cls._merge(
            cell[order], day[order].astype(np.float64), weight[order], duration_days=float(shape[0]), n_cells=shape[1]
        )

    @classmethod
    def _merge(
        cls, cell: IntArray, t: FloatArray, weight: FloatArray, *, duration_days: float, n_cells: int
    ) -> CellEvents:
        new_cell = np.concatenate([[True], cell[1:] != cell[:-1]]) if len(cell) else np.zeros(0, dtype=bool)
        first = new_cell.copy()
        first[1:] |= t[1:] != t[:-1]
        at = np.flatnonzero(first)
        merged = np.add.reduceat(weight, at) if len(at) else np.zeros(0)
        start = np.append(np.flatnonzero(new_cell[at]), len(at)).astype(np.int64)
        return cls(cell[new_cell], start, t[at], merged, duration_days, n_cells)


@dataclass(frozen=True, slots=True)
class EtasParams:
    """Parameters of the per-cell self-exciting process.

    Attributes
    ----------
    theta : float
        Events that one event triggers on average, in all time to come.
    omega_per_day : float
        Rate at which the excitation fades; its mean lag is ``1 / omega_per_day`` days.
    mu_per_day : ndarray, shape (n_busy,)
        Background of each cell that holds an event; it is 0 in the others.
    """

    theta: float
    omega_per_day: float
    mu_per_day: FloatArray


def intensity(events: CellEvents, params: EtasParams, *, at_days: float | None = None) -> FloatArray:
    """Conditional intensity of every cell at one instant after the last event, shape (n_cells,), per day.

    Parameters
    ----------
    events : CellEvents
    params : EtasParams
    at_days : float, optional
        The end of the window by default. At day resolution that is the day after the last one seen, and the intensity
        is the expected count of that day.

    Raises
    ------
    ParameterError
        If ``at_days`` is not after the last event.
    """
    at = events.duration_days if at_days is None else float(at_days)
    if len(events.t_days) and not at > float(events.t_days.max()):
        raise bad_parameter(
            name="at_days", where="intensity", must=f"after the last event ({float(events.t_days.max())})", got=at
        )
    fade = events.weight * np.exp(-params.omega_per_day * (at - events.t_days))
    excited = np.bincount(events.row, weights=fade, minlength=len(events.cell))
    return events.spread(params.mu_per_day + params.theta * params.omega_per_day * excited)


def expected_events(mu_per_day: float, theta: float, omega_per_day: float, *, duration_days: float) -> float:
    """Mean number of events of one cell over a window that opens with no history.

    Notes
    -----
    The mean rate ``m`` solves ``m' = ω(μ − (1 − θ)m)``, ``m(0) = μ``; its integral is
    ``μT/(1−θ) − μθ(1 − exp(−ω(1−θ)T)) / (ω(1−θ)²)``, and at θ = 1 ``μT + μωT²/2``.

    Examples
    --------
    >>> round(expected_events(0.5, 0.6, 0.2, duration_days=365), 3)
    446.875
    """
    away = 1.0 - theta
    if away == 0.0:
        return mu_per_day * duration_days * (1.0 + omega_per_day * duration_days / 2.0)
    fading = -np.expm1(-omega_per_day * away * duration_days) / (omega_per_day * away**2)
    return float(mu_per_day * duration_days / away - mu_per_day * theta * fading)
