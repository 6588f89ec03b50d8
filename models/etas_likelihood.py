r"""Exact maximum likelihood for the per-cell self-exciting process, in linear time, with its intervals.

What the usual twenty steps of expectation–maximisation only approach. The likelihood of
:math:`\lambda_n(t)=\mu_n+\sum_{t_i<t}\theta\omega e^{-\omega(t-t_i)}` over a window of length :math:`T` is

.. math:: \ell=\sum_n\Big[\sum_i\log\lambda_n(t_i)-\mu_nT\Big]-\theta\sum_i\kappa_\omega(T-t_i),
          \qquad\kappa_\omega(r)=1-e^{-\omega r}

where :math:`\kappa` is the share of an event's offspring that falls before the end of the window: what comes after is
not seen, and is not held against :math:`\theta`. At day resolution the counts of a day are Poisson given the days
before, and :math:`\kappa_\omega(r)=\omega\sum_{s=1}^{r-1}e^{-\omega s}`.

What it cannot tell you: a :math:`\theta` above zero says that records follow records in the same cell more than a
constant background allows. Patrols that return where something was recorded, a background that drifts over the weeks,
or people who imitate one another would all do that; the likelihood does not tell them apart.

Notes
-----
Given :math:`(\theta,\omega)` each background solves its own equation :math:`\sum_i 1/(\mu_n+g_i)=T`, so the likelihood
is profiled to two parameters whose gradient and Hessian are exact (sums by recursion, one exponential per event). Given
:math:`\omega` it is concave in the rest: :math:`\omega` is scanned, then both are refined by Newton's method.

One background per cell is estimated from few events, and the profile forgets that it was: :math:`\theta` is pulled down
(Neyman–Scott). ``adjustment="cox-reid"`` takes off :math:`\frac12\sum_n\log(-\partial^2\ell/\partial\eta_n^2)`,
:math:`\eta_n=\log\mu_n`, which gives most of it back. With θ = 0.30 and ω = 0.20 planted in 100 cells of ~50 events,
mean of 50 draws and how many 95 % intervals hold the planted value: bare maximum 0.256 (20) and 0.229 (39), adjusted
0.293 (47) and 0.198 (49). Over 160 draws the adjusted interval of θ holds it 91 times in a hundred, not 95. With fewer
events per cell less is given back: 0.26 at three events per cell.

References
----------
.. [1] Ogata (1978), "The asymptotic behaviour of maximum likelihood estimators", AISM 30, 243-261.
.. [2] Ozaki (1979), "Maximum likelihood estimation of Hawkes' self-exciting point processes", AISM 31, 145-155.
.. [3] Cox & Reid (1987), "Parameter orthogonality and approximate conditional inference", JRSS B 49(1), 1-39.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from scipy.optimize import brentq
from scipy.stats import chi2

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from models.etas_events import COMPENSATORS, CellEvents, Compensator, EtasParams
from models.etas_profile import _profile

Adjustment = Literal["none", "cox-reid"]

#: θ is looked for in [0, 1): at 1 the process explodes.
THETA_MAX: Final = 0.999
#: Fastest fading looked for, per day. Beyond it, at day resolution, next to nothing is left on the following day.
OMEGA_MAX: Final[dict[Compensator, float]] = {"boundary": 24.0, "endless": 24.0, "day": 2.0}
_SCAN = 9
_STEP_CAP = np.array([0.25, 0.7])  # of θ and of log ω
_MAX_STEPS = 200


@dataclass(frozen=True, slots=True)
class MleFit:
    """The maximum.

    Attributes
    ----------
    params : EtasParams
        With θ = 0 nothing is excited and ω, which the data then do not inform, is the last value tried.
    log_likelihood : float
        At the maximum; the adjustment, if any, is part of it.
    compensator, adjustment : str
        What was maximised.
    omega_bounds_per_day : (float, float)
        Where ω was looked for.
    """

    params: EtasParams
    log_likelihood: float
    compensator: Compensator
    adjustment: Adjustment
    omega_bounds_per_day: tuple[float, float]


def fit_mle(
    events: CellEvents,
    *,
    compensator: Compensator = "boundary",
    adjustment: Adjustment = "none",
    omega_bounds_per_day: tuple[float, float] | None = None,
) -> MleFit:
    """Maximise the likelihood over θ, ω and every background.

    Parameters
    ----------
    events : CellEvents
    compensator : {"boundary", "day", "endless"}, default="boundary"
        ``"day"`` for events held at day resolution; ``"endless"`` is what the usual EM maximises.
    adjustment : {"none", "cox-reid"}, default="none"
        Whether to allow for the backgrounds having been estimated.
    omega_bounds_per_day : (float, float), optional
        From one over the window to ``OMEGA_MAX`` by default.

    Raises
    ------
    ParameterError
        If the bounds are not two increasing numbers above 0, or day counts are asked of instants.
    """
    problem = _Problem(events, compensator, adjustment, omega_bounds_per_day)
    best = problem.global_maximum()
    mu = problem.background(best)
    return MleFit(
        EtasParams(float(best[0]), float(np.exp(best[1])), mu), problem.value(best), compensator, adjustment,
        (float(np.exp(problem.low[1])), float(np.exp(problem.high[1]))),
    )  # fmt: skip


def profile_intervals(events: CellEvents, fit: MleFit, *, level: float = 0.95) -> tuple[Interval, Interval]:
    """Intervals of θ and of ω by the profile of the likelihood that ``fit`` maximised.

    Returns
    -------
    theta, omega : Interval
        A bound that the likelihood does not reach is the end of the range searched. ω is not estimable where θ = 0.
        ``n`` is the number of events.
    """
    problem = _Problem(events, fit.compensator, fit.adjustment, fit.omega_bounds_per_day)
    best = np.array([fit.params.theta, np.log(fit.params.omega_per_day)])
    drop = float(chi2.ppf(level, 1)) / 2.0
    method, n = f"profile-likelihood ({fit.adjustment})", round(events.total)
    if not len(events.cell) or fit.params.theta == 0.0:
        omega = Interval.not_estimable(n=n, method=method, level=level)
    else:
        low, high = (problem.edge(best, 1, drop=drop, towards=side) for side in (-1, 1))
        omega = Interval(fit.params.omega_per_day, float(np.exp(low)), float(np.exp(high)), n, method, level)
    if not len(events.cell):
        return Interval.not_estimable(n=n, method=method, level=level), omega
    low, high = (problem.edge(best, 0, drop=drop, towards=side) for side in (-1, 1))
    return Interval(fit.params.theta, low, high, n, method, level), omega


class _Problem:
    """The profile as a function of ``x = (θ, log ω)``, and how to climb it."""

    def __init__(
        self, events: CellEvents, compensator: Compensator, adjustment: Adjustment, bounds: tuple[float, float] | None
    ) -> None:
        low, high = bounds or (min(1.0 / events.duration_days, 0.5), OMEGA_MAX[compensator])
        if not 0.0 < low < high < np.inf:
            raise bad_parameter(
                name="omega_bounds_per_day", where="fit_mle", must="two increasing numbers above 0", got=bounds
            )
        if compensator == "day" and (events.t_days != np.floor(events.t_days)).any():
            raise bad_parameter(
                name="compensator", where="fit_mle", must="'boundary' or 'endless' for events that carry a time of day",
                got=compensator, remedy="Lay the events out with resolution='day'.",
            )  # fmt: skip
        self.events, self.kind, self.adjust = events, COMPENSATORS[compensator], adjustment == "cox-reid"
        self.low, self.high = np.array([0.0, np.log(low)]), np.array([THETA_MAX, np.log(high)])
        self.mu = np.bincount(events.row, events.weight, len(events.cell)) / events.duration_days
        self.scan = np.linspace(self.low[1], self.high[1], _SCAN)

    def at(self, x: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        """Value, gradient and Hessian in (θ, log ω)."""
        e, omega = self.events, float(np.exp(x[1]))
        value, gradient, hessian = _profile(
            e.t_days, e.weight, e.start, e.duration_days, self.kind, self.adjust, float(x[0]), omega, self.mu
        )
        scale = np.array([1.0, omega])
        hessian = hessian * np.outer(scale, scale)
        hessian[1, 1] += omega * gradient[1]
        return float(value), gradient * scale, hessian

    def value(self, x: FloatArray) -> float:
        return self.at(x)[0]

    def background(self, x: FloatArray) -> FloatArray:
        self.at(x)
        return self.mu.copy()

    def climb(self, x: FloatArray, free: tuple[int, ...]) -> FloatArray:
        """Newton from ``x`` along the free coordinates, held inside the bounds, never downhill."""
        x = np.clip(x, self.low, self.high)
        value, gradient, hessian = self.at(x)
        noise = 1e-12 * max(self.events.total, abs(value))
        for _ in range(_MAX_STEPS):
            out = ((x <= self.low) & (gradient <= 0)) | ((x >= self.high) & (gradient >= 0))
            move = [k for k in free if not out[k]]
            if not move:
                break
            step = np.zeros(2)
            step[move] = _uphill(gradient[move], hessian[np.ix_(move, move)])
            step = np.clip(step, -_STEP_CAP, _STEP_CAP)
            while True:
                new = np.clip(x + step, self.low, self.high)
                there = self.at(new)
                if there[0] >= value - noise or np.abs(step).max() < 1e-15:
                    break
                step = step / 4.0
            small = np.abs(new - x).max() <= 1e-11
            x, (value, gradient, hessian) = new, there
            if small:
                break
        return x

    def global_maximum(self) -> FloatArray:
        """Best of a scan of ω with θ at its best, then both refined."""
        x, best, best_value = np.array([0.1, self.low[1]]), np.zeros(2), -np.inf
        if not len(self.events.cell):
            return np.array([0.0, self.low[1]])
        for eta in self.scan:
            x = self.climb(np.array([max(x[0], 0.02), eta]), (0,))
            value = self.value(x)
            if value > best_value:
                best, best_value = x, value
        return self.climb(best, (0, 1)) if best[0] > 0 else best

    def along(self, k: int, at: float, near: FloatArray) -> FloatArray:
        """Maximum with coordinate ``k`` held at ``at``."""
        x = near.copy()
        x[k] = at
        if k == 0:  # the likelihood may have two tops in ω: start from the best of the scan
            starts = [x, *(np.array([at, eta]) for eta in self.scan)]
            x = max(starts, key=self.value)
        return self.climb(x, (1 - k,))

    def edge(self, best: FloatArray, k: int, *, drop: float, towards: int) -> float:
        """Where the profile of coordinate ``k`` has fallen by ``drop``, or the end of its range."""
        top = self.value(best)
        end = float((self.low if towards < 0 else self.high)[k])

        def excess(at: float) -> float:
            return top - drop - self.value(self.along(k, at, best))

        return _first_root(excess, float(best[k]), end, width=0.02 if k == 0 else 0.1)


def _uphill(gradient: FloatArray, hessian: FloatArray) -> FloatArray:
    """Newton's step, the curvature turned where it is the wrong way."""
    values, vectors = np.linalg.eigh(hessian)
    curvature = np.abs(values)
    least = 1e-12 * max(float(curvature.max()), float(np.abs(gradient).max()), 1e-300)
    curvature = np.maximum(curvature, least)
    return np.asarray(vectors @ ((vectors.T @ gradient) / curvature))


def _first_root(excess: Callable[[float], float], origin: float, end: float, *, width: float) -> float:
    """First crossing from below zero, in widening steps from ``origin`` to ``end``; ``end`` where there is none."""
    here, way = origin, 1.0 if end > origin else -1.0
    while here != end:
        there = here + way * width
        there = min(there, end) if way > 0 else max(there, end)
        if excess(there) > 0:
            return float(brentq(excess, min(here, there), max(here, there), xtol=1e-7))
        here, width = there, width * 2.0
    return end
