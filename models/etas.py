r"""Per-cell self-exciting process: each cell has its own background, and an event raises its cell for some days.

The grid form that the 2015 field trial used and that was sold as PredPol: for cell :math:`n`,
:math:`\lambda_n(t)=\mu_n+\sum_{t_i<t}\theta\omega e^{-\omega(t-t_i)}`. Cells share :math:`\theta` and :math:`\omega`
and nothing else: an event next door changes nothing, whatever the distance.

What it cannot tell you: a record follows a record where police return to where they recorded, exactly as where one
offence provokes another. On the one public data set with a published output, the maximum of the likelihood has no
excitation at all on most days: what the map then ranks is a count of the last weeks, under another name.

References
----------
.. [1] Mohler et al. (2015), "Randomized controlled field trials of predictive policing", JASA 110(512), 1399-1411.
.. [2] Lum & Isaac (2016), "To predict and serve?", Significance 13(5), 14-19.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from contrechamp.domain.grid import FloatArray
from models.base import WINDOW_DAYS, BasePredictor, Choice, Domain, Seen
from models.etas_em import fit_em
from models.etas_events import CellEvents, EtasParams, intensity
from models.etas_likelihood import fit_mle

ESTIMATORS: tuple[str, ...] = ("mle", "mle-adjusted", "em-published")


class CellEtas(BasePredictor):
    """Per-cell self-exciting process fitted on daily counts.

    Parameters
    ----------
    window_days : int, default=180
        Days of history used, those of the published run; all the days available where there are fewer.
    estimator : {"mle", "mle-adjusted", "em-published"}, default="mle"
        Maximum of the day-resolution likelihood; the same, allowing for the backgrounds having been estimated; or the
        iteration of the published run, stopped where it stopped, which asks for whole counts.

    Attributes
    ----------
    theta_, omega_per_day_ : float
        What was learned; 0 and 0 where there was nothing to learn from.
    mu_per_day_ : ndarray, shape (n_cells,)
        Background of each cell.
    expected_ : float
        Records that the process itself expects on the next day, all cells together.

    Notes
    -----
    The surface is the intensity at the end of the window, scaled to the mean daily count of the window: predictors are
    compared on *where*, and one that also forecast *how many* would be scored on that too. The scaling changes no
    rank; ``expected_`` keeps what it took away, as of the last ``fit``. Between two fits ``update`` moves the window;
    backgrounds and the law of the excitation stay what they were.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "window_days": WINDOW_DAYS,
        "estimator": Choice.of(*ESTIMATORS),
    }
    REFIT_DAYS: ClassVar[int] = 7
    LEARNED: ClassVar[tuple[str, ...]] = ("theta_", "omega_per_day_", "mu_per_day_", "expected_")
    theta_: float
    omega_per_day_: float
    mu_per_day_: FloatArray
    expected_: float

    def __init__(self, window_days: int = 180, estimator: str = "mle") -> None:
        self.window_days = window_days
        self.estimator = estimator

    def _estimate(self, seen: Seen) -> None:
        self.theta_, self.omega_per_day_, self.expected_ = 0.0, 0.0, 0.0
        self.mu_per_day_ = np.zeros(seen.grid.n_cells)
        events, _ = self._window(seen)
        if events is None:
            return
        total = events.total
        if self.estimator == "mle":  # shares, not counts: twice the records then give the same θ to the last bit
            events = dataclasses.replace(events, weight=events.weight / total)
        params = self._fitted_params(events)
        scale = total if self.estimator == "mle" else 1.0
        self.theta_, self.omega_per_day_ = params.theta, params.omega_per_day
        self.mu_per_day_ = scale * events.spread(params.mu_per_day)
        self.expected_ = scale * float(intensity(events, params).sum())

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        events, used = self._window(seen)
        if events is None:
            return np.zeros(seen.grid.n_cells), used
        excited = EtasParams(self.theta_, self.omega_per_day_, np.zeros(len(events.cell)))
        ahead = events.duration_days + (at - seen.n_days)
        surface = self.mu_per_day_ + intensity(events, excited, at_days=ahead)
        total = float(surface.sum())
        return surface * (events.total / used / total if total > 0 else 0.0), used

    def _window(self, seen: Seen) -> tuple[CellEvents | None, int]:
        used = min(int(self.window_days), seen.n_days)
        events = CellEvents.from_counts(seen.events.counts[-used:]) if used else None
        return (events if events is not None and len(events.cell) else None), used

    def _fitted_params(self, events: CellEvents) -> EtasParams:
        if self.estimator == "em-published":
            return fit_em(events, pairing="published", stop="any").params
        adjusted = self.estimator == "mle-adjusted"
        return fit_mle(events, compensator="day", adjustment="cox-reid" if adjusted else "none").params
