"""Rates, differences, ratios and means that carry their interval and their denominator.

Police audits live on small counts: a group of forty with no false alert is not a group without false alerts. Every
function here returns an :class:`~contrechamp.domain.intervals.Interval`, whose bounds stay honest when the count is
0 or the group is tiny, and which says *not estimable* rather than 0 when there is nothing to divide by.

What it cannot tell you: an interval covers sampling error only. It says nothing about who was never counted,
about labels that are themselves the product of checks, or about days that resemble each other: for counts that
follow each other in time, resample blocks of days instead.

References
----------
.. [1] Wilson (1927), "Probable inference, the law of succession, and statistical inference", JASA 22(158).
.. [2] Clopper & Pearson (1934), "The use of confidence or fiducial limits", Biometrika 26(4).
.. [3] Newcombe (1998), "Interval estimation for the difference between independent proportions: comparison of
   eleven methods", Statistics in Medicine 17(8), 873-890.
.. [4] Newcombe (1998), "Improved confidence intervals for the difference between binomial proportions based on
   paired data", Statistics in Medicine 17(22), 2635-2650.
.. [5] Garwood (1936), "Fiducial limits for the Poisson distribution", Biometrika 28(3/4).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal, cast, get_args

import numpy as np
import numpy.typing as npt
from scipy import optimize, stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval

RateMethod = Literal["wilson", "clopper-pearson", "jeffreys"]
MeanMethod = Literal["t", "bootstrap"]
Values = Sequence[float] | npt.NDArray[np.floating] | npt.NDArray[np.integer]


def rate_interval(*, events: int, trials: int, level: float = 0.95, method: RateMethod = "wilson") -> Interval:
    """Share of ``trials`` that are ``events``, with its interval.

    Parameters
    ----------
    events, trials : int
        Counts, ``0 <= events <= trials``.
    level : float, default=0.95
        Confidence level, in (0, 1).
    method : {"wilson", "clopper-pearson", "jeffreys"}, default="wilson"
        ``"wilson"`` to describe; ``"clopper-pearson"`` when the claim is a ceiling and coverage must never fall under
        ``level``; ``"jeffreys"`` for a Bayesian reader.

    Returns
    -------
    Interval
        ``n`` is ``trials``. Not estimable when ``trials`` is 0.

    Raises
    ------
    ParameterError
        If a count is negative or not whole, ``events > trials``, or ``level`` or ``method`` is not valid.

    Examples
    --------
    >>> none_seen = rate_interval(events=0, trials=40, method="clopper-pearson")
    >>> none_seen.estimate, none_seen.low, round(none_seen.high, 3)
    (0.0, 0.0, 0.088)
    >>> rate_interval(events=0, trials=0).estimable
    False
    """
    where = "rate_interval"
    _check_arm(events, trials, where=where, names=("events", "trials"))
    _check_level(level, where)
    _check_choice(method, get_args(RateMethod), where)
    if trials == 0:
        return Interval.not_estimable(method=method, level=level)
    estimate, tail = events / trials, (1 - level) / 2
    if method == "wilson":
        z2 = float(stats.norm.ppf(1 - tail)) ** 2
        centre = (events + z2 / 2) / (trials + z2)
        reach = math.sqrt(z2 * events * (trials - events) / trials + z2 * z2 / 4) / (trials + z2)
        low, high = centre - reach, centre + reach
    else:
        shift = 0.5 if method == "jeffreys" else 0.0
        low = float(stats.beta.ppf(tail, events + shift, trials - events + 1 - shift))
        high = float(stats.beta.ppf(1 - tail, events + 1 - shift, trials - events + shift))
    # A count at the edge puts a bound at the edge (for Jeffreys this is the usual modification).
    low = 0.0 if events == 0 else low
    high = 1.0 if events == trials else high
    return Interval(estimate, min(low, estimate), max(high, estimate), trials, method, level)


def difference_interval(
    *, events: int, trials: int, other_events: int, other_trials: int, level: float = 0.95
) -> Interval:
    """Share in one group minus share in another, independent, group (Newcombe's hybrid of two Wilson intervals).

    Parameters
    ----------
    events, trials, other_events, other_trials : int
        Counts of the first group, then of the group subtracted.
    level : float, default=0.95

    Returns
    -------
    Interval
        In points (difference of shares). ``n`` is the smaller of the two denominators. Not estimable when either is 0.

    Raises
    ------
    ParameterError
        As :func:`rate_interval`.

    See Also
    --------
    paired_difference_interval : when the same units were measured twice.

    Examples
    --------
    >>> gap = difference_interval(events=56, trials=70, other_events=48, other_trials=80)
    >>> round(gap.estimate, 4), round(gap.low, 4), round(gap.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    where, method = "difference_interval", "newcombe"
    _check_two(events, trials, other_events, other_trials, where)
    _check_level(level, where)
    n = min(trials, other_trials)
    if n == 0:
        return Interval.not_estimable(method=method, level=level)
    p1, l1, u1 = _wilson(events, trials, level)
    p2, l2, u2 = _wilson(other_events, other_trials, level)
    return Interval(
        p1 - p2, p1 - p2 - math.hypot(p1 - l1, u2 - p2), p1 - p2 + math.hypot(u1 - p1, p2 - l2), n, method, level
    )


def ratio_interval(*, events: int, trials: int, other_events: int, other_trials: int, level: float = 0.95) -> Interval:
    """Share in one group divided by the share in another, independent, group (Koopman's score interval).

    Parameters
    ----------
    events, trials, other_events, other_trials : int
        Counts of the first group, then of the group divided by.
    level : float, default=0.95

    Returns
    -------
    Interval
        ``n`` is the smaller of the two denominators. Not estimable when a denominator is 0 or when the group divided
        by has no event: the ratio then has no finite upper bound.

    Raises
    ------
    ParameterError
        As :func:`rate_interval`.

    Notes
    -----
    The bounds are the ratios at which the score statistic, computed at the constrained maximum likelihood, equals
    the normal quantile. They exist at the edges (no event, or nothing but events) where logarithmic intervals fail.

    Examples
    --------
    >>> twice = ratio_interval(events=36, trials=40, other_events=16, other_trials=80)
    >>> round(twice.estimate, 2), round(twice.low, 2), round(twice.high, 2)
    (4.5, 2.94, 7.15)
    """
    where, method = "ratio_interval", "score"
    _check_two(events, trials, other_events, other_trials, where)
    _check_level(level, where)
    n = min(trials, other_trials)
    if n == 0 or other_events == 0:
        return Interval.not_estimable(n=n, method=method, level=level)
    estimate = (events / trials) / (other_events / other_trials)
    z = float(stats.norm.ppf((1 + level) / 2))

    def excess(log_ratio: float, bound: float) -> float:
        return _ratio_score(math.exp(log_ratio), events, trials, other_events, other_trials) - bound

    # The statistic falls from +inf to -inf as the ratio grows; 60 on the log scale is beyond any count.
    centre = math.log(estimate) if events else -60.0
    low = math.exp(optimize.brentq(excess, -60.0, centre, args=(z,))) if events else 0.0
    high = math.exp(optimize.brentq(excess, centre, 60.0, args=(-z,)))
    return Interval(estimate, min(low, estimate), max(high, estimate), n, method, level)


def paired_difference_interval(
    *, both: int, first_only: int, second_only: int, neither: int, level: float = 0.95
) -> Interval:
    """Difference of two shares measured on the *same* units (Newcombe's square-and-add, his method 10).

    Two policies run on common random numbers are pairs: run 17 of one and run 17 of the other saw the same incidents.

    Parameters
    ----------
    both, first_only, second_only, neither : int
        Units that are events under both conditions, the first only, the second only, neither.
    level : float, default=0.95

    Returns
    -------
    Interval
        Share under the first minus share under the second. ``n`` counts pairs; not estimable without any.

    Raises
    ------
    ParameterError
        If a count is negative or not whole, or ``level`` is not in (0, 1).

    Notes
    -----
    The two Wilson intervals are joined by the correlation of the pairs, with Newcombe's continuity correction when
    that correlation is positive. Where one margin is empty the correlation is taken as 0.

    Examples
    --------
    >>> gap = paired_difference_interval(both=14, first_only=5, second_only=0, neither=22)
    >>> round(gap.estimate, 3), round(gap.low, 3), round(gap.high, 3)
    (0.122, 0.011, 0.226)
    """
    where, method = "paired_difference_interval", "newcombe-paired"
    cells = {"both": both, "first_only": first_only, "second_only": second_only, "neither": neither}
    for name, count in cells.items():
        _check_count(count, name, where)
    _check_level(level, where)
    n = sum(cells.values())
    if n == 0:
        return Interval.not_estimable(method=method, level=level)
    first, second = both + first_only, both + second_only
    p1, l1, u1 = _wilson(first, n, level)
    p2, l2, u2 = _wilson(second, n, level)
    cross: float = both * neither - first_only * second_only
    if cross > 0:
        cross = max(cross - n / 2, 0)
    margins = float(first) * (n - first) * second * (n - second)
    phi = cross / math.sqrt(margins) if margins > 0 else 0.0
    below = (p1 - l1) ** 2 - 2 * phi * (p1 - l1) * (u2 - p2) + (u2 - p2) ** 2
    above = (u1 - p1) ** 2 - 2 * phi * (u1 - p1) * (p2 - l2) + (p2 - l2) ** 2
    gap = (first_only - second_only) / n
    return Interval(
        gap,
        max(gap - math.sqrt(max(below, 0.0)), -1.0),
        min(gap + math.sqrt(max(above, 0.0)), 1.0),
        n,
        method,
        level,
    )


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
    _check_count(events, "events", where)
    _check_level(level, where)
    if not (math.isfinite(exposure) and exposure >= 0):
        raise bad_parameter(name="exposure", where=where, must="a finite number of at least 0", got=exposure)
    if exposure == 0:
        return Interval.not_estimable(n=events, method=method, level=level)
    tail = (1 - level) / 2
    low = 0.0 if events == 0 else float(stats.chi2.ppf(tail, 2 * events)) / 2
    high = float(stats.chi2.ppf(1 - tail, 2 * (events + 1))) / 2
    return Interval(events / exposure, low / exposure, high / exposure, events, method, level)


def mean_interval(
    values: Values,
    *,
    level: float = 0.95,
    method: MeanMethod = "t",
    rng: np.random.Generator | None = None,
    n_resamples: int = 4_000,
) -> Interval:
    """Mean of independent values, by Student's t or by the bias-corrected accelerated bootstrap.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Finite and independent of each other.
    level : float, default=0.95
    method : {"t", "bootstrap"}, default="t"
    rng : numpy.random.Generator, optional
        Required by ``"bootstrap"``, not used otherwise.
    n_resamples : int, default=4000

    Returns
    -------
    Interval
        ``n`` is the number of values. Not estimable with fewer than two values, or when all are equal: a sample that
        does not vary says nothing about its own error, and a width of zero would be a false promise.

    Raises
    ------
    ParameterError
        If a value is not finite or ``"bootstrap"`` is asked without ``rng``.
    """
    where = "mean_interval"
    data = _check_values(values, where)
    _check_level(level, where)
    _check_choice(method, get_args(MeanMethod), where)
    if method == "bootstrap" and rng is None:
        raise bad_parameter(
            name="rng",
            where=where,
            must="a numpy Generator with method='bootstrap'",
            got=rng,
            remedy="Make one with contrechamp.domain.rng.stream(seed, name).",
        )
    if data.size < 2 or float(np.ptp(data)) == 0.0:
        return Interval.not_estimable(n=int(data.size), method=method, level=level)
    mean = float(data.mean())
    if method == "t":
        low, high = stats.t.interval(level, data.size - 1, loc=mean, scale=stats.sem(data))
    else:
        found = stats.bootstrap(
            (data,), np.mean, confidence_level=level, n_resamples=n_resamples, method="BCa", rng=rng
        )
        low, high = found.confidence_interval
    return Interval(mean, min(float(low), mean), max(float(high), mean), int(data.size), method, level)


def quantile_interval(values: Values, *, q: float = 0.5, level: float = 0.95) -> Interval:
    """Quantile of independent values, with the distribution-free interval of order statistics.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        ``inf`` is allowed and means "not within the horizon": it sorts last.
    q : float, default=0.5
        In (0, 1).
    level : float, default=0.95

    Returns
    -------
    Interval
        ``n`` is the number of values. The estimate is the sample quantile, midway between two values where ``n * q``
        is whole. Not estimable when the estimate or its upper bound is infinite, or when there are too few values
        for an interval at ``level`` (fewer than six for a median at 95 %).

    Raises
    ------
    ParameterError
        If a value is NaN or minus infinity, or ``q`` is not in (0, 1).

    Notes
    -----
    The bounds are order statistics whose ranks are binomial quantiles, so coverage is at least ``level`` whatever
    the law of the values.
    """
    where, method = "quantile_interval", "order-statistics"
    data = np.sort(_check_values(values, where, allow_inf=True))
    _check_level(level, where)
    if not 0 < q < 1:
        raise bad_parameter(name="q", where=where, must="a share in (0, 1)", got=q)
    n = int(data.size)
    tail = (1 - level) / 2
    low_rank = int(stats.binom.ppf(tail, n, q)) if n else 0
    high_rank = int(stats.binom.ppf(1 - tail, n, q)) + 1 if n else 1
    if low_rank < 1 or high_rank > n:
        return Interval.not_estimable(n=n, method=method, level=level)
    low, high = float(data[low_rank - 1]), float(data[high_rank - 1])
    if not math.isfinite(high):
        return Interval.not_estimable(n=n, method=method, level=level)
    rank = round(q * n, 9)  # 0.1 * 30 is 3 on paper, not in binary
    estimate = float(data[math.ceil(rank) - 1] + data[math.floor(rank)]) / 2
    return Interval(estimate, low, high, n, method, level)


def _wilson(events: int, trials: int, level: float) -> tuple[float, float, float]:
    found = rate_interval(events=events, trials=trials, level=level)
    return cast(tuple[float, float, float], (found.estimate, found.low, found.high))


def _ratio_score(ratio: float, events: int, trials: int, other_events: int, other_trials: int) -> float:
    """Koopman's score statistic at a hypothetical ratio of shares; 0 at the observed ratio."""
    a = ratio * (trials + other_trials)
    b = ratio * (trials + other_events) + events + other_trials
    c = float(events + other_events)
    root = math.sqrt(max(b * b - 4 * a * c, 0.0))
    p_other = min(2 * c / (b + root), 1.0)  # the smaller root, written without cancellation
    p_first = min(ratio * p_other, 1.0)
    variance = p_first * (1 - p_first) / trials + ratio**2 * p_other * (1 - p_other) / other_trials
    gap = events / trials - ratio * other_events / other_trials
    if variance <= 0:
        return math.copysign(math.inf, gap) if gap else 0.0
    return gap / math.sqrt(variance)


def _check_count(value: object, name: str, where: str) -> None:
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or cast(int, value) < 0:
        raise bad_parameter(name=name, where=where, must="a whole number of at least 0", got=value)


def _check_arm(events: int, trials: int, *, where: str, names: tuple[str, str]) -> None:
    _check_count(events, names[0], where)
    _check_count(trials, names[1], where)
    if events > trials:
        raise bad_parameter(
            name=names[0],
            where=where,
            must=f"at most `{names[1]}` ({trials})",
            got=events,
            remedy="A rate divides a part by its whole. For events per exposure use poisson_rate_interval.",
        )


def _check_two(events: int, trials: int, other_events: int, other_trials: int, where: str) -> None:
    _check_arm(events, trials, where=where, names=("events", "trials"))
    _check_arm(other_events, other_trials, where=where, names=("other_events", "other_trials"))


def _check_level(level: float, where: str) -> None:
    if not 0 < level < 1:
        raise bad_parameter(
            name="level", where=where, must="a share in (0, 1)", got=level, remedy="Write 0.95 for 95 %."
        )


def _check_choice(value: str, allowed: tuple[str, ...], where: str) -> None:
    if value not in allowed:
        raise bad_parameter(name="method", where=where, must="one of " + ", ".join(allowed), got=value)


def _check_values(values: Values, where: str, *, allow_inf: bool = False) -> npt.NDArray[np.float64]:
    data = np.asarray(values, dtype=np.float64)
    valid = ~np.isnan(data) & (data > -np.inf) if allow_inf else np.isfinite(data)
    if data.ndim != 1 or not bool(valid.all()):
        raise bad_parameter(name="values", where=where, must="a flat array of finite numbers", got=values)
    return data
