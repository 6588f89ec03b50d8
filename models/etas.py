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
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid
from models.base import WINDOW_DAYS, BasePredictor, Domain
from models.etas_em import fit_em
from models.etas_events import CellEvents, EtasParams, intensity
from models.etas_likelihood import fit_mle


@dataclass(frozen=True, slots=True)
class Choice(Domain):
    """One of a few names.

    Attributes
    ----------
    names : tuple of str
    """

    names: tuple[str, ...] = ()

    def admits(self, value: object) -> bool:
        """Tell whether ``value`` is one of the names."""
        return isinstance(value, str) and value in self.names


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
    rank; ``expected_`` keeps what it took away.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "window_days": WINDOW_DAYS,
        "estimator": Choice(0.0, 0.0, "one of " + ", ".join(repr(name) for name in ESTIMATORS), names=ESTIMATORS),
    }
    theta_: float
    omega_per_day_: float
    mu_per_day_: FloatArray
    expected_: float

    def __init__(self, window_days: int = 180, estimator: str = "mle") -> None:
        self.window_days = window_days
        self.estimator = estimator

    def _learn(self, counts: npt.NDArray[Any], grid: Grid) -> tuple[FloatArray, int]:
        used = min(int(self.window_days), int(counts.shape[0]))
        self.theta_, self.omega_per_day_, self.expected_ = 0.0, 0.0, 0.0
        self.mu_per_day_ = np.zeros(grid.n_cells)
        events = CellEvents.from_counts(counts[-used:]) if used else None
        if events is None or not len(events.cell):
            return np.zeros(grid.n_cells), used
        total = events.total
        if self.estimator == "mle":  # shares, not counts: twice the records then give the same θ to the last bit
            events = dataclasses.replace(events, weight=events.weight / total)
        params = self._estimate(events)
        surface = intensity(events, params)
        scale = total if self.estimator == "mle" else 1.0
        self.theta_, self.omega_per_day_ = params.theta, params.omega_per_day
        self.mu_per_day_, self.expected_ = scale * events.spread(params.mu_per_day), scale * float(surface.sum())
        return surface * (total / used / float(surface.sum())), used

    def _estimate(self, events: CellEvents) -> EtasParams:
        if self.estimator == "em-published":
            return fit_em(events, pairing="published", stop="any").params
        adjusted = self.estimator == "mle-adjusted"
        return fit_mle(events, compensator="day", adjustment="cox-reid" if adjusted else "none").params

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Learned state as plain arrays, to be stored with ``numpy.savez`` beside the parameters."""
        arrays = super().to_arrays()
        return arrays | {
            "mu_per_day_": self.mu_per_day_.copy(),
            "process_": np.array([self.theta_, self.omega_per_day_, self.expected_]),
        }

    @classmethod
    def from_arrays(cls, params: Mapping[str, Any], arrays: Mapping[str, npt.NDArray[Any]]) -> Self:
        """Inverse of :meth:`to_arrays`.

        Raises
        ------
        ParameterError
            If a parameter is out of its domain or an array is missing.
        """
        made = super().from_arrays(params, arrays)
        missing = sorted({"mu_per_day_", "process_"} - set(arrays))
        if missing:
            raise bad_parameter(
                name="arrays", where=f"{cls.__name__}.from_arrays", must="complete", got=sorted(arrays),
                remedy=f"Missing: {', '.join(missing)}.",
            )  # fmt: skip
        made.mu_per_day_ = np.array(arrays["mu_per_day_"], dtype=np.float64)
        made.theta_, made.omega_per_day_, made.expected_ = (float(v) for v in arrays["process_"])
        return made
