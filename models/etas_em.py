r"""Expectation–maximisation for the per-cell self-exciting process, as a published run did it and as it should be.

The 2015 field trial fitted, by this algorithm, one background :math:`\mu_n` per cell and one :math:`\theta` and
:math:`\omega` for all: :math:`\lambda_n(t)=\mu_n+\sum_{t_i<t}\theta\omega e^{-\omega(t-t_i)}`. A public replication of
it exists, with its output. This module gives that output to the ninth decimal, in linear time.

What it cannot tell you: an algorithm stopped early reports where it stopped, not what the data say. See *Notes*, and
:mod:`models.etas_likelihood` for the maximum itself with its intervals.

Notes
-----
One step. With :math:`g_j` the excitation at event ``j`` and :math:`\lambda_j=\mu+g_j`, the E-step gives the chance
:math:`p_j=\mu/\lambda_j` that ``j`` is background and :math:`p_{ij}=\theta\omega e^{-\omega(t_j-t_i)}/\lambda_j` that
``i`` triggered it; the M-step :math:`\mu_n=\sum p_j/T`, :math:`\theta=\sum p_{ij}/N`,
:math:`\omega=\sum p_{ij}/\sum p_{ij}(t_j-t_i)`. Sums over pairs are carried along by recursion: one exponential per
event. Lags of zero are ignored. The denominator ``N`` counts offspring that fall after the end of the window as if
they had been seen (the ``endless`` compensator): θ is pulled down.

``pairing="published"`` divides the pair by the intensity at *the event that follows its parent in the cell's list*,
instead of the intensity at the child. This rule was inferred from the published numbers, which it gives to 1e-9 on
all days and the usual rule does not: it is what comes of pairing two lists by position when the records are in
descending order of date. Then :math:`\sum p_{ij}+\sum p_j \ne N`, the step is no longer an EM step, and the
likelihood may fall. It matters little where :math:`\theta` is small, which is where that run ends; on other counts,
where several records of one day open a burst, :math:`\theta` runs away past one.

Why a few steps are not enough: the step is a fixed-point iteration whose rate of convergence is the share of the
information that the hidden parents take away. With kernels of several days and one background per cell, that share is
near one: from (1, 1, 1) the first step sets each :math:`\mu_n` near :math:`N_n/T`, and from there :math:`\theta` and
:math:`\omega` creep. After 20 steps :math:`\theta` is still well under and :math:`\omega` well over the maximum.

References
----------
.. [1] Mohler et al. (2015), "Randomized controlled field trials of predictive policing", JASA 110(512), 1399-1411.
.. [2] Lum & Isaac (2016), "To predict and serve?", Significance 13(5), 14-19.
.. [3] Dempster, Laird & Rubin (1977), "Maximum likelihood from incomplete data via the EM algorithm", JRSS B 39(1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numba
import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, IntArray
from models.etas_events import CellEvents, EtasParams

Pairing = Literal["child", "published"]
Stop = Literal["any", "all"]

#: Of the published run: change of θ, of ω (per day), and sum over cells of the change of μ (per day).
TOLERANCES: Final = (1e-5, 1e-5, 1e-4)


@dataclass(frozen=True, slots=True)
class EmFit:
    """Where the iteration stopped.

    Attributes
    ----------
    params : EtasParams
    n_steps : int
        Steps done.
    stopped_by : tuple of str
        Which of ``theta``, ``omega``, ``mu`` had moved less than its tolerance on the last step; empty when the steps
        ran out.
    """

    params: EtasParams
    n_steps: int
    stopped_by: tuple[str, ...]


def fit_em(
    events: CellEvents,
    *,
    pairing: Pairing = "child",
    stop: Stop = "all",
    tolerances: tuple[float, float, float] = TOLERANCES,
    max_steps: int = 10_000,
    start: tuple[float, float, float] = (1.0, 1.0, 1.0),
) -> EmFit:
    """Iterate from ``start`` until the parameters settle.

    Parameters
    ----------
    events : CellEvents
    pairing : {"child", "published"}, default="child"
        See the module's notes.
    stop : {"any", "all"}, default="all"
        Stop when one of the three changes is below its tolerance, as the published run does, or when all are.
    tolerances : (float, float, float)
        Changes of θ, of ω (per day) and summed changes of μ (per day) held to be none.
    max_steps : int, default=10_000
    start : (float, float, float), default=(1, 1, 1)
        θ, ω per day, and the μ per day of every cell.

    Raises
    ------
    ParameterError
        If the start is not positive, or ``pairing="published"`` is asked of counts that are not whole or runs away.

    Notes
    -----
    With no pair of events at a positive lag within a cell, θ is 0 and ω keeps the value it had.
    """
    theta, omega, background = (float(v) for v in start)
    if not (np.isfinite([theta, omega, background]).all() and min(theta, omega, background) > 0):
        raise bad_parameter(name="start", where="fit_em", must="three numbers above 0", got=start)
    if pairing == "published" and (events.weight != np.floor(events.weight)).any():
        raise bad_parameter(
            name="events", where="fit_em", must="whole counts with pairing='published'", got=events.weight.min()
        )
    mu, steps, stopped = np.full(len(events.cell), background), 0, (False, False, False)
    while steps < max_steps and len(mu):
        steps += 1
        pairs, lags, new_mu = _em_step(
            events.t_days, events.weight, events.start, events.duration_days, theta, omega, mu, pairing == "published"
        )
        new_theta, new_omega = pairs / events.total, pairs / lags if lags > 0 else omega
        changes = abs(new_theta - theta), abs(new_omega - omega), float(np.abs(new_mu - mu).sum())
        if not np.isfinite([new_theta, new_omega]).all():
            raise bad_parameter(
                name="pairing", where="fit_em", must="'child' for these events", got=pairing,
                remedy=f"The published rule has run away: θ is beyond any number after {steps} steps.",
            )  # fmt: skip
        theta, omega, mu = new_theta, new_omega, new_mu
        stopped = (changes[0] < tolerances[0], changes[1] < tolerances[1], changes[2] < tolerances[2])
        if theta == 0.0 or (any(stopped) if stop == "any" else all(stopped)):
            break
    names = tuple(name for name, done in zip(("theta", "omega", "mu"), stopped, strict=True) if done)
    enough = bool(names) if stop == "any" else len(names) == len(stopped)
    return EmFit(EtasParams(theta, omega, mu), steps, names if enough or theta == 0.0 else ())


@numba.njit(nogil=True)
def _em_step(
    t: FloatArray, w: FloatArray, start: IntArray, duration: float, theta: float, omega: float, mu: FloatArray,
    published: bool,
) -> tuple[float, float, FloatArray]:  # fmt: skip
    """Σp_ij, Σp_ij·lag and the new μ. A is the faded count of past events, B the same weighted by lag."""
    pairs, lags, new_mu = 0.0, 0.0, np.empty_like(mu)
    lam = np.empty_like(t)
    for n in range(len(start) - 1):
        a, b, own = 0.0, 0.0, 0.0
        for i in range(start[n], start[n + 1]):
            if i > start[n]:
                gap = t[i] - t[i - 1]
                fade, last = np.exp(-omega * gap), a + w[i - 1]
                a, b = fade * last, fade * (b + gap * last)
            lam[i] = mu[n] + theta * omega * a
            own += w[i] * mu[n] / lam[i]
            if not published:
                pairs += w[i] * theta * omega * a / lam[i]
                lags += w[i] * theta * omega * b / lam[i]
        new_mu[n] = own / duration
        if published:
            a, b = 0.0, 0.0
            for i in range(start[n + 1] - 2, start[n] - 1, -1):
                gap = t[i + 1] - t[i]
                fade, following = np.exp(-omega * gap), a + w[i + 1]
                a, b = fade * following, fade * (b + gap * following)
                shares = theta * omega * ((w[i] - 1.0) / lam[i] + 1.0 / lam[i + 1])
                pairs += shares * a
                lags += shares * b
    return pairs, lags, new_mu
