r"""Kernel self-exciting process: a record raises the places around it for some days, by a law that is learned.

The form of Mohler et al. (2011): :math:`\lambda(t,x)=\nu(t)\mu(x)+\sum_{t_i<t}g(t-t_i, x-x_i)`, with background and
triggering both estimated without a formula, by declustering (:mod:`models.sepp_em`). The surface is the integral of
the intensity over the day predicted and over each cell. What the day's own events, and those in between, would trigger
is left out: they are not known that morning.

Units: ``cutoff_days`` is a number of days and ``cutoff_m`` of metres. Published parameters of this process mix rates
per day with lengths in days; 0.1 per day is a mean lag of 10 days, not of 0.1.

What it cannot tell you: whether one offence provokes another. Patrols that come back, a victim who now reports, a
market that lasts three weeks all make records follow records, and all are read as triggering.

Notes
-----
With counts by day and cell each event stands at noon in the middle of its cell, and the process is fitted at that
resolution: see :mod:`models.sepp_events`.

Planted: θ = 0.30, mean lag 5 days, standard deviation 100 m, 70 % of the background in 30 hot spots, 365 days, 15 km.
Learned with the defaults, three draws each: at 2 000 events θ 0.28 to 0.30, lag 5.1 to 5.5 days, 99 to 106 m; at
10 000, 0.29 to 0.30, 4.9 to 5.1 days, 98 to 101 m; at 50 000, 0.24 to 0.25, 4.0 to 4.1 days, 98 to 102 m; at
100 000, one draw, 0.23. The denser the events, the narrower the background's kernels and the more of the long lags
they take for their own; at a million, where one child in 27 is looked at, 0.10 is left. Where nothing is planted θ is
0.02 to 0.05 at 2 000 events and 0.01 to 0.03 at 10 000: a value under 0.05 says nothing.

References
----------
.. [1] Mohler, Short, Brantingham, Schoenberg & Tita (2011), "Self-exciting point process modeling of crime", JASA
   106(493), 100-108. doi:10.1198/jasa.2011.ap09546
.. [2] Rosser & Cheng (2019), "Improving the robustness and accuracy of crime prediction with the self-exciting point
   process through isotropic triggering", Applied Spatial Analysis and Policy 12, 5-25. doi:10.1007/s12061-016-9198-y
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import numpy as np

from contrechamp.domain.grid import FloatArray
from contrechamp.domain.rng import stream
from models.base import WINDOW_DAYS, BasePredictor, Choice, Domain, Seen
from models.sepp_em import fit_sepp
from models.sepp_events import SeppEvents
from models.sepp_map import RingShares, due, excited_cells

DECLUSTERING: tuple[str, ...] = ("weights", "drawn")


class SelfExciting(BasePredictor):
    """Kernel self-exciting process fitted on events one by one.

    Parameters
    ----------
    window_days : int, default=180
        Days of history the process is fitted on; all the days available where there are fewer.
    cutoff_days : float, default=30.0
        Lag from which nothing is triggered.
    cutoff_m : float, default=400.0
        Distance from which nothing is triggered.
    neighbours : int, default=15
        The k-th nearest neighbour sets the width of a kernel; as given up to 2 000 events, growing as the square root
        of their number beyond.
    trend_days : float, default=28.0
        Standard deviation of the smoothing of the background's level over days.
    iterations : int, default=20
        Of expectation-maximisation.
    declustering : {"weights", "drawn"}, default="weights"
        Use the chances that each event is background or triggered, or draw one parent or none for each, as first
        published.
    seed : int, default=0
        Of the draws.

    Attributes
    ----------
    theta_ : float
        Events that one event triggers on average within the cut-offs.
    background_per_day_ : ndarray, shape (n_cells,)
        Background at its level of the last day.
    triggered_ : ndarray, shape (n_lags, n_rings)
        Events that one event triggers in each bin of lag and distance.
    lag_edges_days_, ring_edges_m_ : ndarray
        Edges of those bins.
    step_m_ : float
        Spatial resolution of the fit.
    centred_ : int
        1 where only the cell of each event was known.
    """

    CONSTRAINTS: ClassVar[Mapping[str, Domain]] = {
        "window_days": WINDOW_DAYS,
        "cutoff_days": Domain(0.0, 3_660.0, "a number of days in (0, 3660]"),
        "cutoff_m": Domain(0.0, 20_000.0, "a length in (0, 20000] metres"),
        "neighbours": Domain(1, 10_000, "a whole number in [1, 10000]", whole=True, closed=True),
        "trend_days": Domain(0.0, 3_660.0, "a number of days in (0, 3660]"),
        "iterations": Domain(1, 10_000, "a whole number in [1, 10000]", whole=True, closed=True),
        "declustering": Choice.of(*DECLUSTERING),
        "seed": Domain(0, 2**63 - 1, "a whole number of at least 0", whole=True, closed=True),
    }
    REFIT_DAYS: ClassVar[int] = 28
    LEARNED: ClassVar[tuple[str, ...]] = (
        "theta_", "background_per_day_", "triggered_", "lag_edges_days_", "ring_edges_m_", "step_m_", "centred_",
    )  # fmt: skip
    theta_: float
    background_per_day_: FloatArray
    triggered_: FloatArray
    lag_edges_days_: FloatArray
    ring_edges_m_: FloatArray
    step_m_: float
    centred_: int

    def __init__(
        self, window_days: int = 180, cutoff_days: float = 30.0, cutoff_m: float = 400.0, neighbours: int = 15,
        trend_days: float = 28.0, iterations: int = 20, declustering: str = "weights", seed: int = 0,
    ) -> None:  # fmt: skip
        self.window_days = window_days
        self.cutoff_days = cutoff_days
        self.cutoff_m = cutoff_m
        self.neighbours = neighbours
        self.trend_days = trend_days
        self.iterations = iterations
        self.declustering = declustering
        self.seed = seed

    def _estimate(self, seen: Seen) -> None:
        self.theta_, self.background_per_day_ = 0.0, np.zeros(seen.grid.n_cells)
        self.triggered_, self.step_m_, self.centred_ = np.zeros((1, 1)), float(seen.grid.cell_m), 1
        self.lag_edges_days_, self.ring_edges_m_ = np.array([0.0, self.cutoff_days]), np.array([0.0, self.cutoff_m])
        self._shares: RingShares | None = None
        used = min(int(self.window_days), seen.n_days)
        first = seen.n_days - used
        events = SeppEvents.from_points(
            seen.events.points.since(first), grid=seen.grid, first_day=first, last_day=seen.n_days
        )
        if not len(events):
            return
        fit = fit_sepp(
            events, grid=seen.grid, cutoff_days=float(self.cutoff_days), cutoff_m=float(self.cutoff_m),
            neighbours=int(self.neighbours), trend_days=float(self.trend_days), iterations=int(self.iterations),
            rng=stream(int(self.seed), "models", "sepp") if self.declustering == "drawn" else None,
        )  # fmt: skip
        p = events.weight * fit.p_background
        records = events.total / len(events)
        level = fit.background.trend(p)[-1] * records / events.duration_days
        self.background_per_day_ = level * fit.background.cells(p, grid=seen.grid)
        self.theta_, self.triggered_ = fit.theta, fit.theta * fit.mass
        self.lag_edges_days_, self.ring_edges_m_ = fit.bins.lag_edges_days, fit.bins.ring_edges_m
        self.step_m_, self.centred_ = events.sites.step_m, int(events.centred)

    def _map(self, seen: Seen, at: int) -> tuple[FloatArray, int]:
        used = min(int(self.window_days), seen.n_days)
        total = float(seen.events.counts[seen.n_days - used :].sum())
        if not total:
            return np.zeros(seen.grid.n_cells), used
        surface = self.background_per_day_ + self._excited(seen, at)
        expected = float(surface.sum())
        return surface * (total / used / expected if expected > 0 else 0.0), used

    def _excited(self, seen: Seen, at: int) -> FloatArray:
        """Records of day ``at`` triggered by those within the cut-offs of it."""
        recent = seen.events.points.since(max(0.0, at - self.lag_edges_days_[-1]))
        if not len(recent) or self.theta_ == 0.0:
            return np.zeros(seen.grid.n_cells)
        if self._shares is None:
            self._shares = RingShares.of(
                self.ring_edges_m_, cell_m=seen.grid.cell_m, step_m=self.step_m_, centred=bool(self.centred_)
            )
        rings = due(self.triggered_, self.lag_edges_days_, recent.t_days, at=at)
        return excited_cells(rings, recent, shares=self._shares, grid=seen.grid)
