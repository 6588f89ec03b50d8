"""Exact laws of the small loops: where they end, and where they are after a given number of days.

A simulation of a feedback loop can be wrong in silence. In these few cases nothing has to be simulated: the law is a
formula, or a sum over all the paths that the urn can take. They are the yardstick of every engine of this package,
and they answer at once the question « how far off, after how long, from which start ».

- equal rates, discovery only: the share never settles on the truth; it tends to a Beta law (:func:`equal_rates_law`);
- any two rates, at any day: expected share by dynamic programming (:func:`expected_share`);
- unequal rates, discovery only: the busier zone takes everything, at a known pace (:func:`runaway_exponent`);
- reports and discoveries together: a root of a quadratic (:func:`fairness.urns.limit_share`);
- rejection of part of what is found: the truth in the limit, slowly (:func:`rejection_limit`,
  :func:`expected_share_rejection`);
- inverse-probability weights: right on average every single day, at a price in variance
  (:func:`inverse_probability_law`);
- the greedy patrol: the first leader keeps everything (:func:`greedy_law`).

What it cannot tell you: these are two zones, constant rates and one patrol. A city has none of that. What carries over
is the direction and the order of magnitude of the time needed, not the number.

References
----------
.. [1] Eggenberger & Pólya (1923), "Über die Statistik verketteter Vorgänge", ZAMM 3(4).
.. [2] Ensign, Friedler, Neville, Scheidegger & Venkatasubramanian (2018), "Runaway feedback loops in predictive
   policing", PMLR 81, 160-171.
.. [3] Janson (2006), "Limit theorems for triangular urn schemes", Probab. Theory Relat. Fields 134.
.. [4] Horvitz & Thompson (1952), "A generalization of sampling without replacement from a finite universe", JASA 47.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from fairness.compiled import compiled
from fairness.urns import Matrix


@dataclass(frozen=True, slots=True)
class BetaLaw:
    """A Beta law of a share.

    Attributes
    ----------
    a, b : float
        Both above 0.
    """

    a: float
    b: float

    @property
    def mean(self) -> float:
        """``a / (a + b)``."""
        return self.a / (self.a + self.b)

    @property
    def variance(self) -> float:
        """``a b / ((a + b)² (a + b + 1))``."""
        total = self.a + self.b
        return self.a * self.b / (total * total * (total + 1))

    def p_beyond(self, *, tolerance: float, centre: float = 0.5) -> float:
        """Chance that the share is further than ``tolerance`` from ``centre``."""
        law = stats.beta(self.a, self.b)
        return float(law.cdf(centre - tolerance) + law.sf(centre + tolerance))


@dataclass(frozen=True, slots=True)
class Moments:
    """Mean and variance of one day's estimate.

    Attributes
    ----------
    mean, variance : float
    """

    mean: float
    variance: float


def equal_rates_law(*, start: Sequence[float], rate: float = 1.0) -> BetaLaw:
    """Limit law of the first zone's share when both zones are equally busy and only discoveries are recorded.

    Parameters
    ----------
    start : sequence of two floats
        Records at the start, above 0.
    rate : float, default=1.0
        Records that a visit brings back, in either zone.

    Returns
    -------
    BetaLaw
        ``Beta(a / rate, b / rate)``. Its mean is the share at the start, for ever: the file learns nothing.

    Raises
    ------
    ParameterError
        If a number is not above 0.

    Examples
    --------
    >>> equal_rates_law(start=(10, 10), rate=5)
    BetaLaw(a=2.0, b=2.0)
    """
    a, b = _pair(start, name="start", where="equal_rates_law")
    if not (math.isfinite(rate) and rate > 0):
        raise bad_parameter(name="rate", where="equal_rates_law", must="a finite number above 0", got=rate)
    return BetaLaw(a / rate, b / rate)


def expected_share(*, start: Sequence[float], additions: Matrix | Sequence[float], n_draws: int) -> FloatArray:
    """Exact expected share of the first zone after each of the first ``n_draws`` visits.

    Parameters
    ----------
    start : sequence of two floats
        Records at the start, above 0.
    additions : sequence of two floats, or array-like of shape (2, 2)
        Two numbers: what a visit brings back from the zone visited, and nothing elsewhere. A table: row ``i`` is what
        is added to both zones when zone ``i`` is visited (reports come in wherever the patrol is).
    n_draws : int
        At least 0.

    Returns
    -------
    ndarray of float, shape (n_draws + 1,)
        Entry ``t`` is the expectation after ``t`` visits; entry 0 is the share at the start.

    Raises
    ------
    ParameterError
        If a number is out of range.

    Notes
    -----
    Additions being fixed, the state after ``t`` visits is the number of visits to the first zone: ``t + 1`` states,
    hence ``n_draws² / 2`` steps and no error but rounding.

    Examples
    --------
    Two neighbourhoods of Oakland of Ensign et al., whose true share is 0.567:

    >>> round(float(expected_share(start=(609, 379), additions=(3.68511, 2.816466), n_draws=1_000)[-1]), 6)
    0.701591
    """
    where = "expected_share"
    a, b = _pair(start, name="start", where=where)
    added = np.asarray(additions, dtype=np.float64)
    if added.shape == (2,):
        added = np.diag(added)
    if added.shape != (2, 2) or not bool((np.isfinite(added) & (added >= 0)).all()):
        raise bad_parameter(name="additions", where=where, must="2 numbers or a 2 × 2 table, at least 0", got=additions)
    _at_least_zero(n_draws, where=where)
    law, out = np.ones(1), np.empty(n_draws + 1)
    for t in range(n_draws + 1):
        k = np.arange(t + 1)
        first = a + added[0, 0] * k + added[1, 0] * (t - k)
        second = b + added[0, 1] * k + added[1, 1] * (t - k)
        share = first / (first + second)
        out[t] = law @ share
        law = np.concatenate((law * (1 - share), [0.0])) + np.concatenate(([0.0], law * share))
    return out


def expected_share_rejection(*, start: Sequence[float], rates: Sequence[float], n_draws: int) -> FloatArray:
    """Exact expected share when what is found in the zone seen too often is partly thrown away.

    A find is kept with a probability proportional to the share of the *other* zone, scaled so that the less visited
    zone keeps everything: the correction of Ensign et al.

    Parameters
    ----------
    start, n_draws
        As :func:`expected_share`.
    rates : sequence of two floats
        What a visit brings back from each zone, above 0.

    Returns
    -------
    ndarray of float, shape (n_draws + 1,)

    Raises
    ------
    ParameterError
        If a number is out of range, or ``n_draws`` is above 3,000 (the sum grows with its cube).

    Notes
    -----
    With counts ``(a, b)`` a day adds a find from the first zone with probability ``min(a, b) / (a + b)``, and from the
    second with the *same* probability. So finds come in at the true rates, but only ``2 min(a, b) / (a + b)`` of the
    days count: from a lopsided start, almost none.
    """
    where = "expected_share_rejection"
    a, b = _pair(start, name="start", where=where)
    first, second = _pair(rates, name="rates", where=where)
    _at_least_zero(n_draws, where=where)
    if n_draws > 3_000:
        raise bad_parameter(
            name="n_draws",
            where=where,
            must="at most 3,000",
            got=n_draws,
            remedy="For longer horizons simulate with fairness.corrected_urns.corrected_urn.",
        )
    return np.asarray(_rejection_path(a, b, first, second, n_draws), dtype=np.float64)


def rejection_limit(*, rates: Sequence[float]) -> float:
    """Limit of the first zone's share under rejection: its true share, ``rates[0] / sum(rates)``.

    Raises
    ------
    ParameterError
        If a rate is not above 0.
    """
    first, second = _pair(rates, name="rates", where="rejection_limit")
    return first / (first + second)


def runaway_exponent(*, rates: Sequence[float]) -> float:
    """Power of time at which the records of the quieter zone grow, while those of the busier one grow like time.

    Parameters
    ----------
    rates : sequence of two floats
        What a visit brings back from each zone, above 0 and different.

    Returns
    -------
    float
        Smaller rate over larger rate, below 1: the share of the quieter zone falls to 0 like ``t ** (exponent - 1)``.

    Raises
    ------
    ParameterError
        If a rate is not above 0, or both are equal (the limit is then random: :func:`equal_rates_law`).
    """
    first, second = _pair(rates, name="rates", where="runaway_exponent")
    if first == second:
        raise bad_parameter(
            name="rates",
            where="runaway_exponent",
            must="two different rates",
            got=rates,
            remedy="With equal rates nothing runs away: see equal_rates_law.",
        )
    return min(first, second) / max(first, second)


def inverse_probability_law(*, rate: float, p: float) -> Moments:
    """Mean and variance of a day's finds in a zone, counted ``1 / p`` when the patrol was there and 0 otherwise.

    Parameters
    ----------
    rate : float
        Mean of the Poisson number of incidents that a visit finds, at least 0.
    p : float
        Chance that the patrol is sent there that day, in (0, 1].

    Returns
    -------
    Moments
        The mean is ``rate`` whatever ``p``, on every day, however biased the file that set ``p``. The variance,
        ``(rate + rate²) / p - rate²``, is the price: it grows without bound for the zone that is never visited.

    Raises
    ------
    ParameterError
        If ``rate`` is negative or ``p`` out of (0, 1].

    Examples
    --------
    >>> inverse_probability_law(rate=2.0, p=0.5)
    Moments(mean=2.0, variance=8.0)
    """
    where = "inverse_probability_law"
    if not (math.isfinite(rate) and rate >= 0):
        raise bad_parameter(name="rate", where=where, must="a finite number of at least 0", got=rate)
    if not 0 < p <= 1:
        raise bad_parameter(
            name="p",
            where=where,
            must="a probability in (0, 1]",
            got=p,
            remedy="A zone that is never visited cannot be corrected: send a patrol there now and then.",
        )
    return Moments(float(rate), (rate + rate * rate) / p - rate * rate)


def greedy_law(*, start: Sequence[float], rates: Sequence[float], n_days: int) -> FloatArray:
    """Expected shares of the file when the patrol always goes where the file is largest and only finds are recorded.

    Parameters
    ----------
    start : sequence of float, shape (n_zones,)
        Records at the start, at least 0, with a single largest.
    rates : sequence of float, shape (n_zones,)
        Mean of the Poisson number found by a day's visit, at least 0.
    n_days : int

    Returns
    -------
    ndarray of float, shape (n_zones,)
        Only the leader grows, whatever the rates: it holds the patrol on every day.

    Raises
    ------
    ParameterError
        If the lead is shared (who wins is then a draw), or a number is out of range.

    Examples
    --------
    Eleven records against ten; the second zone is five times busier and is never visited:

    >>> greedy_law(start=(11, 10), rates=(1, 5), n_days=1_000).round(2).tolist()
    [0.99, 0.01]
    """
    where = "greedy_law"
    counts, per_day = np.asarray(start, dtype=np.float64), np.asarray(rates, dtype=np.float64)
    if counts.ndim != 1 or counts.size < 2 or not bool((np.isfinite(counts) & (counts >= 0)).all()):
        raise bad_parameter(name="start", where=where, must="two or more finite numbers of at least 0", got=start)
    if per_day.shape != counts.shape or not bool((np.isfinite(per_day) & (per_day >= 0)).all()):
        raise bad_parameter(name="rates", where=where, must=f"{counts.size} finite numbers of at least 0", got=rates)
    if int((counts == counts.max()).sum()) != 1:
        raise bad_parameter(name="start", where=where, must="led by a single zone", got=start)
    _at_least_zero(n_days, where=where)
    leader = int(counts.argmax())
    others = float(np.delete(counts, leader).sum())
    found = np.arange(stats.poisson.ppf(1 - 1e-14, per_day[leader] * n_days) + 2)
    weight = stats.poisson.pmf(found, per_day[leader] * n_days)
    out = counts * float((weight / (counts[leader] + others + found)).sum() / weight.sum())
    out[leader] = 1.0 - float(np.delete(out, leader).sum())
    return np.asarray(out, dtype=np.float64)


@compiled
def _rejection_path(a: float, b: float, first: float, second: float, n_draws: int) -> FloatArray:
    out = np.empty(n_draws + 1)
    shape = (n_draws + 1, n_draws + 1)  # by numbers of finds kept in each zone
    law, enters, share = np.zeros(shape), np.empty(shape), np.empty(shape)
    for i in range(n_draws + 1):
        for j in range(n_draws + 1 - i):
            x, y = a + first * i, b + second * j
            share[i, j], enters[i, j] = x / (x + y), min(x, y) / (x + y)
    law[0, 0] = 1.0
    out[0] = share[0, 0]
    for t in range(1, n_draws + 1):
        mean = 0.0
        for i in range(t, -1, -1):  # downwards: what comes in is still yesterday's
            for j in range(t - i, -1, -1):
                mass = law[i, j] * (1.0 - 2.0 * enters[i, j])
                if i > 0:
                    mass += law[i - 1, j] * enters[i - 1, j]
                if j > 0:
                    mass += law[i, j - 1] * enters[i, j - 1]
                law[i, j] = mass
                mean += mass * share[i, j]
        out[t] = mean
    return out


def _pair(values: Sequence[float], *, name: str, where: str) -> tuple[float, float]:
    if len(values) != 2 or not all(math.isfinite(v) and v > 0 for v in values):
        raise bad_parameter(name=name, where=where, must="two finite numbers above 0", got=values)
    return float(values[0]), float(values[1])


def _at_least_zero(n: int, *, where: str) -> None:
    if n < 0:
        raise bad_parameter(name="n_draws, n_days", where=where, must="at least 0", got=n)
