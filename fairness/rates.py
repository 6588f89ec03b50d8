"""One rate and its interval: a share of trials, or events per exposure.

Police audits live on small counts: a group of forty with no false alert is not a group without false alerts. The bounds
here stay honest when the count is 0 or the group is tiny, and *not estimable* is said, rather than 0, when there is
nothing to divide by.

The default method was chosen by exact coverage (:func:`rate_coverage`), not by habit. Over 30, 50, 200, 1,000 trials
and shares of 1, 2, 4, 5 %, a nominal 95 % is really, at worst: percentile bootstrap 26.0 %, Jeffreys 88.5 %, Wilson
91.1 %, mid-P 94.5 % (but 91.7 % outside this grid), Clopper–Pearson 95.8 %. Clopper–Pearson is the only one of these
that *cannot* fall under its level whatever the share. Its price is width: 7 % more than Wilson at 50 trials and 5 %,
3 % more at 1,000.

What it cannot tell you: an interval covers sampling error only. It says nothing about who was never counted, or about
labels that are themselves the product of checks (see :mod:`fairness.labelbias`). It takes trials as independent: for
people counted several times or days that resemble each other, see :mod:`fairness.serial`.

References
----------
.. [1] Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22(158).
.. [2] Clopper & Pearson (1934), "The use of confidence or fiducial limits", Biometrika 26(4).
.. [3] Garwood (1936), "Fiducial limits for the Poisson distribution", Biometrika 28(3/4).
.. [4] Newcombe (1998), "Two-sided confidence intervals for the single proportion: comparison of seven methods",
   Statistics in Medicine 17(8), 857-872.
.. [5] Brown, Cai & DasGupta (2001), "Interval estimation for a binomial proportion", Statistical Science 16(2).
.. [6] Hanley & Lippman-Hand (1983), "If nothing goes wrong, is everything all right?", JAMA 249(13).
"""

from __future__ import annotations

import math
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from fairness._checks import check_arm, check_choice, check_count, check_exposure, check_level

Counts = FloatArray | np.float64
RateMethod = Literal["wilson", "clopper-pearson", "jeffreys", "wilson-corrected", "mid-p"]
#: The method that a caller gets without asking.
DEFAULT_RATE_METHOD: Final[RateMethod] = "clopper-pearson"

_SPECK: Final = 1e-12  # effective counts need not be whole: less than this is none
_HALVINGS: Final = 60  # bisections of [0, 1]: beyond the precision of a float


def rate_interval(
    *, events: int, trials: int, level: float = 0.95, method: RateMethod = DEFAULT_RATE_METHOD
) -> Interval:
    """Share of ``trials`` that are ``events``, with its interval.

    Parameters
    ----------
    events, trials : int
        Counts, ``0 <= events <= trials``.
    level : float, default=0.95
        Confidence level, in (0, 1).
    method : {"wilson", "clopper-pearson", "jeffreys", "wilson-corrected", "mid-p"}, default="clopper-pearson"
        ``"clopper-pearson"`` where coverage must never fall under ``level``; ``"wilson"`` to describe many trials in
        little width; ``"wilson-corrected"`` with Newcombe's continuity correction; ``"mid-p"`` as Clopper–Pearson with
        half the chance of the count itself, right on average and not always; ``"jeffreys"`` for a Bayesian reader.

    Returns
    -------
    Interval
        ``n`` is ``trials``. Not estimable when ``trials`` is 0.

    Raises
    ------
    ParameterError
        If a count is negative or not whole, ``events > trials``, or ``level`` or ``method`` is not valid.

    See Also
    --------
    rule_of_three : the same bound at zero events, by a rule one can do in one's head.

    Examples
    --------
    >>> none_seen = rate_interval(events=0, trials=40)
    >>> none_seen.estimate, none_seen.low, round(none_seen.high, 3)
    (0.0, 0.0, 0.088)
    >>> rate_interval(events=0, trials=0).estimable
    False
    """
    where = "rate_interval"
    check_arm(events, trials, where=where)
    check_level(level, where)
    check_choice(method, get_args(RateMethod), where)
    if trials == 0:
        return Interval.not_estimable(method=method, level=level)
    estimate = events / trials
    low, high = (float(bound) for bound in _bounds(np.float64(events), np.float64(trials), level, method))
    return Interval(estimate, min(low, estimate), max(high, estimate), trials, method, level)


def rate_bounds(
    *,
    events: npt.ArrayLike,
    trials: npt.ArrayLike,
    level: float = 0.95,
    method: RateMethod = DEFAULT_RATE_METHOD,
) -> tuple[FloatArray, FloatArray]:
    """Lower and upper bounds of many rates at once: :func:`rate_interval` on arrays.

    Parameters
    ----------
    events, trials : array-like of int
        Counts, broadcast against each other.
    level, method
        As :func:`rate_interval`.

    Returns
    -------
    low, high : ndarray of float
        NaN where ``trials`` is 0: not estimable.

    Raises
    ------
    ParameterError
        As :func:`rate_interval`.

    Examples
    --------
    >>> low, high = rate_bounds(events=[0, 2, 0], trials=[40, 40, 0])
    >>> high.round(3).tolist()
    [0.088, 0.169, nan]
    """
    where = "rate_bounds"
    check_level(level, where)
    check_choice(method, get_args(RateMethod), where)
    part, whole = np.broadcast_arrays(np.asarray(events, dtype=np.float64), np.asarray(trials, dtype=np.float64))
    for name, counts in (("events", part), ("trials", whole)):
        if not bool(((counts >= 0) & (counts == np.floor(counts)) & np.isfinite(counts)).all()):
            raise bad_parameter(name=name, where=where, must="whole numbers of at least 0", got=counts.tolist())
    if bool((part > whole).any()):
        raise bad_parameter(name="events", where=where, must="at most `trials`, everywhere", got=part.tolist())
    low, high = np.full(part.shape, np.nan), np.full(part.shape, np.nan)
    some = whole > 0
    if bool(some.any()):
        low[some], high[some] = _bounds(part[some], whole[some], level, method)
        rate = part[some] / whole[some]
        low[some], high[some] = np.minimum(low[some], rate), np.maximum(high[some], rate)
    return low, high


def rate_coverage(*, trials: int, rate: float, level: float = 0.95, method: RateMethod = DEFAULT_RATE_METHOD) -> float:
    """Chance that the interval holds the true ``rate``: the method's own error rate, summed over every count.

    Parameters
    ----------
    trials : int
        At least 1.
    rate : float
        True share, in [0, 1].
    level, method
        As :func:`rate_interval`.

    Returns
    -------
    float
        Exact: a sum of binomial probabilities, no simulation.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> round(rate_coverage(trials=200, rate=0.02, method="wilson"), 3), round(rate_coverage(trials=200, rate=0.02), 3)
    (0.933, 0.962)
    """
    where = "rate_coverage"
    check_count(trials, "trials", where)
    if trials < 1 or not 0 <= rate <= 1:
        raise bad_parameter(
            name="trials, rate", where=where, must="at least 1 trial and a rate in [0, 1]", got=(trials, rate)
        )
    counts = np.arange(trials + 1)
    low, high = rate_bounds(events=counts, trials=trials, level=level, method=method)
    return float(stats.binom.pmf(counts, trials, rate)[(low <= rate) & (rate <= high)].sum())


def rule_of_three(*, trials: float, level: float = 0.95) -> float | None:
    """Upper bound of a rate of which *no* event was seen: 3 divided by the number of trials (or by the exposure).

    Parameters
    ----------
    trials : float
        Trials, or exposure (camera-hours, years) for a rate per exposure. At least 0.
    level : float, default=0.95
        Of the one-sided bound. At 95 % the numerator is 2.996, the three of the name; in general ``-log(1 - level)``.

    Returns
    -------
    float or None
        None when nothing was tried: not estimable. It may exceed 1 for fewer than three trials.

    Raises
    ------
    ParameterError
        If ``trials`` is negative or not finite.

    Notes
    -----
    One-sided at ``level``, so it lies under the upper bound of the two-sided interval: 7.5 % for 0 of 40, where
    :func:`rate_interval` gives 8.8 %. It is there to check the latter in one's head, not to replace it.

    Examples
    --------
    >>> round(rule_of_three(trials=40), 4)
    0.0749
    """
    where = "rule_of_three"
    check_exposure(trials, "trials", where)
    check_level(level, where)
    return -math.log1p(-level) / trials if trials > 0 else None


def poisson_rate_interval(*, events: int, exposure: float = 1.0, level: float = 0.95) -> Interval:
    """Events per unit of exposure (camera-hour, year, inhabitant), with Garwood's exact interval.

    Parameters
    ----------
    events : int
        Count, at least 0.
    exposure : float, default=1.0
        What the count is divided by, in (0, inf), or 0 when nothing was exposed. With the default, the interval is
        that of the expected count itself.
    level : float, default=0.95

    Returns
    -------
    Interval
        ``n`` is ``events``: it is the count that sets the precision. Not estimable when ``exposure`` is 0.

    Raises
    ------
    ParameterError
        If ``events`` is negative or not whole, or ``exposure`` is negative or not finite.

    Examples
    --------
    >>> per_year = poisson_rate_interval(events=0)
    >>> round(per_year.high, 3)  # the « rule of three », two-sided
    3.689
    """
    where, method = "poisson_rate_interval", "poisson-exact"
    check_count(events, "events", where)
    check_level(level, where)
    check_exposure(exposure, "exposure", where)
    if exposure == 0:
        return Interval.not_estimable(n=events, method=method, level=level)
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(stats.chi2.ppf(tail, 2 * events)) / 2
    high = float(stats.chi2.ppf(1 - tail, 2 * (events + 1))) / 2
    return Interval(events / exposure, low / exposure, high / exposure, events, method, level)


def beta_bounds(events: npt.ArrayLike, trials: npt.ArrayLike, level: float) -> tuple[FloatArray, FloatArray]:
    """Clopper–Pearson bounds where counts need not be whole (effective counts). ``trials`` above 0."""
    part, whole = np.asarray(events, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    return _bounds(part, whole, level, "clopper-pearson")


def _bounds(events: Counts, trials: Counts, level: float, method: str) -> tuple[FloatArray, FloatArray]:
    """Bounds of shares with at least one trial."""
    tail = (1 - level) / 2
    if method == "wilson":
        z2 = float(stats.norm.ppf(1 - tail)) ** 2
        centre = (events + z2 / 2) / (trials + z2)
        reach = np.sqrt(z2 * events * (trials - events) / trials + z2 * z2 / 4) / (trials + z2)
        low, high = centre - reach, centre + reach
    elif method == "wilson-corrected":
        low = _corrected(events, trials, tail)
        high = 1 - _corrected(trials - events, trials, tail)
    elif method == "mid-p":
        low = _mid_p_low(events, trials, tail)
        high = 1 - _mid_p_low(trials - events, trials, tail)
    else:
        shift = 0.5 if method == "jeffreys" else 0.0
        below, above = events + shift, trials - events + shift
        # There is no beta law with a shape of 0: any other stands in until the bound is put at the edge.
        low = stats.beta.ppf(tail, np.where(below > _SPECK, below, 1.0), above + 1 - 2 * shift)
        high = stats.beta.ppf(1 - tail, below + 1 - 2 * shift, np.where(above > _SPECK, above, 1.0))
    # A count at the edge puts a bound at the edge (for Jeffreys this is the usual modification).
    return np.where(events <= _SPECK, 0.0, low), np.where(trials - events <= _SPECK, 1.0, high)


def _corrected(events: Counts, trials: Counts, tail: float) -> FloatArray:
    """Lower Wilson bound with continuity correction (Newcombe's method 4)."""
    z = float(stats.norm.ppf(1 - tail))
    share = events / trials
    inside = np.maximum(z * z - 2 - 1 / trials + 4 * share * (trials * (1 - share) + 1), 0.0)
    return np.maximum((2 * events + z * z - 1 - z * np.sqrt(inside)) / (2 * (trials + z * z)), 0.0)


def _mid_p_low(events: Counts, trials: Counts, tail: float) -> FloatArray:
    """Share at which the chance of more events, plus half that of as many, is ``tail``."""
    low, high = np.zeros(np.shape(events)), np.ones(np.shape(events))
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        beyond = stats.binom.sf(events, trials, middle) + stats.binom.pmf(events, trials, middle) / 2
        low, high = np.where(beyond < tail, middle, low), np.where(beyond < tail, high, middle)
    return np.asarray(low, dtype=np.float64)
