r"""Expectation–maximisation for the kernel self-exciting process of Mohler et al. (2011), without an N × N matrix.

.. math:: \lambda(t,x) = \beta\,b(t,x) + \theta\sum_{t_i<t} w_i\,h(t-t_i, |x-x_i|)

with the background :math:`b` of :mod:`models.sepp_background` and the triggering kernel :math:`h` of
:mod:`models.sepp_trigger`. One iteration:

1. with :math:`b` and :math:`h` held, :math:`\theta` (and :math:`\beta`, which Euler's relation gives) goes to the
   maximum of the likelihood, a concave problem in one unknown: the step on which a bare EM creeps;
2. E-step: :math:`p_{ij}=\theta w_i h_{ij}/\lambda_j`, :math:`p_{jj}=\beta b_j/\lambda_j`; each child's sum to 1;
3. M-step: :math:`h` is the smoothed table of the :math:`p_{ij}`, :math:`b` the kernel density of the :math:`p_{jj}`.

``declustering="weights"`` uses the chances themselves; ``"drawn"``, the original, draws for each event one parent or
none, and takes what was drawn for 1 and the rest for 0.

The likelihood never falls with the background held and the table not smoothed (``neighbours=0``): that is EM. A kernel
density is not the maximum of anything, so with either the likelihood may fall by a little, and does near the end.

What it cannot tell you: which event caused which. A :math:`p_{ij}` is a share of what the model cannot tell apart, and
a background that moves within weeks (works, a bar that opens) is read as triggering.

References
----------
.. [1] Mohler, Short, Brantingham, Schoenberg & Tita (2011), "Self-exciting point process modeling of crime", JASA
   106(493), 100-108. doi:10.1198/jasa.2011.ap09546
.. [2] Veen & Schoenberg (2008), "Estimation of space-time branching process models in seismology using an EM-type
   algorithm", JASA 103(482), 614-624. doi:10.1198/016214508000000148
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numba
import numpy as np

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray, Grid
from models.sepp_background import Background
from models.sepp_events import SeppEvents
from models.sepp_pairs import MAX_PAIRS, Pairs
from models.sepp_trigger import Bins

#: Largest θ looked for: at 1 the process explodes.
THETA_MAX: Final = 0.999
#: The k of the k-th nearest neighbour is that of the parameter up to so many events, and grows as their square root.
NEIGHBOURS_AT: Final = 2_000
#: Of one search of θ, bisections included: the bracket alone would be down to rounding.
_MAX_STEPS: Final = 100


@dataclass(frozen=True, eq=False)
class SeppFit:
    """Where the iteration ended.

    Attributes
    ----------
    theta : float
        Events that one event triggers on average, within the cut-offs.
    mass : ndarray, shape (n_lags, n_rings)
        Share of them in each bin, sum 1.
    bins : Bins
    p_background : ndarray, shape (n,)
        Chance that each event is background; their mean for those not looked at as children.
    level : float
        β: what the background kernel density is multiplied by.
    background : Background
    log_likelihood : tuple of float
        Of each iteration, after its first step; constants left out.
    thetas : tuple of float
        θ of each iteration.
    pairs : Pairs
    """

    theta: float
    mass: FloatArray
    bins: Bins
    p_background: FloatArray
    level: float
    background: Background
    log_likelihood: tuple[float, ...]
    thetas: tuple[float, ...]
    pairs: Pairs

    @property
    def mean_lag_days(self) -> float:
        """Mean lag of the offspring within the cut-offs."""
        edges = self.bins.lag_edges_days
        return float(self.mass.sum(axis=1) @ (edges[1:] + edges[:-1]) / 2)

    @property
    def sd_m(self) -> float:
        """Standard deviation along one axis of the displacement of the offspring within the cut-offs."""
        edges = self.bins.ring_edges_m**2
        return float(np.sqrt(self.mass.sum(axis=0) @ (edges[1:] + edges[:-1]) / 4))


def fit_sepp(
    events: SeppEvents, *, grid: Grid, cutoff_days: float, cutoff_m: float, neighbours: int = 15,
    trend_days: float = 28.0, iterations: int = 20, rng: np.random.Generator | None = None,
    hold_background: bool = False, smooth: bool = True, max_pairs: int = MAX_PAIRS,
) -> SeppFit:  # fmt: skip
    """Iterate from a background made of every event and a broad triggering kernel.

    Parameters
    ----------
    events : SeppEvents
        At least one.
    grid : Grid
    cutoff_days, cutoff_m : float
        Nothing is triggered later or farther.
    neighbours : int, default=15
        The k of the k-th nearest neighbour.
    trend_days : float, default=28.0
        Standard deviation of the smoothing of the background's level over days.
    iterations : int, default=20
    rng : numpy.random.Generator, optional
        Draw the parents instead of weighing them.
    hold_background : bool, default=False
        Keep the first background.
    smooth : bool, default=True
        Smooth the table of the triggering kernel.
    max_pairs : int, default=MAX_PAIRS
        See :mod:`models.sepp_pairs`.

    Raises
    ------
    ParameterError
        If there is no event.
    """
    if not len(events):
        raise bad_parameter(name="events", where="fit_sepp", must="at least one event", got=0)
    bins = Bins.of(events, cutoff_days=cutoff_days, cutoff_m=cutoff_m)
    pairs = Pairs.of(events, bins, max_pairs=max_pairs)
    child, n, exposure = pairs.child, float(pairs.child.sum()), bins.exposure(events)
    k = scaled_neighbours(neighbours, len(events))
    background = Background.of(events, grid=grid, neighbours=k, trend_days=trend_days)
    mass = bins.start()
    base, held = background.density(events.weight), n
    values, thetas, theta, level, share = [], [], 0.0, 1.0, np.ones(len(events))
    for step in range(iterations):
        excited = pairs.excitation(bins.density(mass))
        seen = float(mass.sum(axis=1) @ exposure) * n
        theta, level, value = _levels(base, excited, child, base_total=held, seen=seen)
        values.append(value)
        thetas.append(theta)
        intensity = level * base + theta * excited
        share = pairs.filled(level * base / intensity)
        if theta == 0.0 or step == iterations - 1:
            break
        density = theta * bins.density(mass)
        if rng is None:
            p, found = share, pairs.responsibilities(density, intensity)
        else:
            target = rng.random(len(events)) * intensity - level * base
            p, found = pairs.filled(np.where(target < 0, 1.0, 0.0)), pairs.draws(density, target)
        if found.sum() <= 0:
            theta, level, share = 0.0, n / held, np.ones(len(events))
            break
        complete = np.divide(found, exposure[:, None], out=np.zeros_like(found), where=exposure[:, None] > 0)
        mass = bins.smoothed(complete, neighbours=k if smooth else 0)
        mass = mass / mass.sum()
        if not hold_background and p.sum() > 0:
            base, held = background.density(events.weight * p), float(events.weight @ p)
    return SeppFit(theta, mass, bins, share, level, background, tuple(values), tuple(thetas), pairs)


def scaled_neighbours(neighbours: int, n_events: int) -> int:
    """The k used with ``n_events``: as given up to ``NEIGHBOURS_AT``, growing as their square root beyond."""
    return max(neighbours, round(neighbours * math.sqrt(n_events / NEIGHBOURS_AT)))


def _levels(
    base: FloatArray, excited: FloatArray, child: FloatArray, *, base_total: float, seen: float
) -> tuple[float, float, float]:
    """θ and β at the maximum of Σ w log(β b + θ s) − β B − θ E, and its value. At the maximum βB + θE = Σ w."""
    n = float(child.sum())
    at = child > 0
    if seen <= 0:
        return 0.0, n / base_total, float(child[at] @ np.log(base[at] * n / base_total)) - n
    w, b, gain = child[at], base[at] / base_total, excited[at] / seen
    gain -= b
    q = _share_triggered(w, b, gain, min(1.0 - 1e-12, THETA_MAX * seen / n))
    return q * n / seen, (1 - q) * n / base_total, float(w @ np.log(n * (b + q * gain))) - n


@numba.njit(nogil=True, cache=True)
def _share_triggered(w: Any, b: Any, gain: Any, most: float) -> float:
    """Where Σ w log(b + q gain), concave in q, is largest in [0, most]: Newton's steps kept within a bracket."""
    low, high, q, new = 0.0, most, 0.0, 0.0
    for _ in range(_MAX_STEPS):
        slope, bend = 0.0, 0.0
        for j in range(len(w)):
            ratio = gain[j] / (b[j] + q * gain[j])
            slope += w[j] * ratio
            bend += w[j] * ratio * ratio
        if (q == 0.0 and slope <= 0.0) or bend == 0.0:
            return 0.0
        if slope > 0.0:
            low = q
        else:
            high = q
        new = q + slope / bend
        if not low < new < high:
            new = (low + high) / 2
        if abs(new - q) <= 1e-12:
            return new
        q = new
    return q
