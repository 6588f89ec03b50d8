"""Two groups compared: differences and ratios of rates, each with an interval that holds at small counts.

The ratio of two false-alert rates is the number that courts quote. Its percentile bootstrap really covers about 85 % of
the time where 95 % is written; the score intervals here stay within a point or so of their level.

What it cannot tell you: *why* two groups differ. A ratio of alert rates mixes where cameras look, who passes there and
what the detector does. An interval that holds 1 does not show that rates are equal: for that, state a margin and see
:func:`fairness.hypotheses.equivalence_test`; for what could have been seen at all, see
:func:`fairness.detectable.minimum_detectable_ratio`.

References
----------
.. [1] Newcombe (1998), "Interval estimation for the difference between independent proportions: comparison of
   eleven methods", Statistics in Medicine 17(8), 873-890.
.. [2] Newcombe (1998), "Improved confidence intervals for the difference between binomial proportions based on
   paired data", Statistics in Medicine 17(22), 2635-2650.
.. [3] Koopman (1984), "Confidence intervals for the ratio of two binomial proportions", Biometrics 40(2).
.. [4] Miettinen & Nurminen (1985), "Comparative analysis of two rates", Statistics in Medicine 4(2).
.. [5] Farrington & Manning (1990), "Test statistics and sample size formulae for comparative binomial trials with null
   hypothesis of non-zero risk difference or non-unity relative risk", Statistics in Medicine 9(12).
.. [6] Przyborowski & Wilenski (1940), "Homogeneity of results in testing samples from Poisson series", Biometrika 31.
"""

from __future__ import annotations

import math
from typing import Literal, cast, get_args

from scipy import optimize, stats

from contrechamp.domain.intervals import Interval
from fairness._checks import check_choice, check_count, check_exposure, check_level, check_two
from fairness.rates import rate_interval

DifferenceMethod = Literal["newcombe", "score"]


def difference_interval(
    *,
    events: int,
    trials: int,
    other_events: int,
    other_trials: int,
    level: float = 0.95,
    method: DifferenceMethod = "newcombe",
) -> Interval:
    """Share in one group minus share in another, independent, group.

    Parameters
    ----------
    events, trials, other_events, other_trials : int
        Counts of the first group, then of the group subtracted.
    level : float, default=0.95
    method : {"newcombe", "score"}, default="newcombe"
        ``"newcombe"`` joins two Wilson intervals (his method 10); ``"score"`` is Miettinen and Nurminen's, the one that
        :func:`fairness.hypotheses.equivalence_test` inverts.

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
    where = "difference_interval"
    check_two(events, trials, other_events, other_trials, where)
    check_level(level, where)
    check_choice(method, get_args(DifferenceMethod), where)
    n = min(trials, other_trials)
    if n == 0:
        return Interval.not_estimable(method=method, level=level)
    if method == "score":
        return _difference_by_score(events, trials, other_events, other_trials, level)
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
    check_two(events, trials, other_events, other_trials, where)
    check_level(level, where)
    n = min(trials, other_trials)
    if n == 0 or other_events == 0:
        return Interval.not_estimable(n=n, method=method, level=level)
    estimate = (events / trials) / (other_events / other_trials)
    z = float(stats.norm.ppf((1 + level) / 2))

    def excess(log_ratio: float, bound: float) -> float:
        return ratio_score(math.exp(log_ratio), events, trials, other_events, other_trials) - bound

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
        check_count(count, name, where)
    check_level(level, where)
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


def poisson_ratio_interval(
    *, events: int, exposure: float, other_events: int, other_exposure: float, level: float = 0.95
) -> Interval:
    """Events per exposure in one group divided by events per exposure in another (exact, given the total).

    Parameters
    ----------
    events, other_events : int
        Counts, at least 0.
    exposure, other_exposure : float
        Person-hours, passages, inhabitants…: the same unit in both groups, at least 0.
    level : float, default=0.95

    Returns
    -------
    Interval
        ``n`` is the number of events of both groups. Not estimable when an exposure is 0 or when the group divided by
        has no event: the ratio then has no finite upper bound.

    Raises
    ------
    ParameterError
        If a count is negative or not whole, or an exposure is negative or not finite.

    Notes
    -----
    Given the total, the events of the first group are binomial: the bounds are Clopper and Pearson's, carried over to
    the ratio, so that coverage is at least ``level`` when events are independent.

    Examples
    --------
    >>> twice = poisson_ratio_interval(events=11, exposure=800, other_events=21, other_exposure=3_011)
    >>> round(twice.estimate, 4), round(twice.low, 4), round(twice.high, 4)
    (1.9715, 0.8584, 4.2773)
    """
    where, method = "poisson_ratio_interval", "poisson-exact-conditional"
    for name, count in (("events", events), ("other_events", other_events)):
        check_count(count, name, where)
    for name, size in (("exposure", exposure), ("other_exposure", other_exposure)):
        check_exposure(size, name, where)
    check_level(level, where)
    n = events + other_events
    if exposure == 0 or other_exposure == 0 or other_events == 0:
        return Interval.not_estimable(n=n, method=method, level=level)
    share = rate_interval(events=events, trials=n, level=level, method="clopper-pearson")
    low, high = cast(tuple[float, float], (share.low, share.high))
    per = other_exposure / exposure
    return Interval(per * events / other_events, per * low / (1 - low), per * high / (1 - high), n, method, level)


def ratio_score(ratio: float, events: int, trials: int, other_events: int, other_trials: int) -> float:
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


def _wilson(events: int, trials: int, level: float) -> tuple[float, float, float]:
    found = rate_interval(events=events, trials=trials, level=level, method="wilson")
    return cast(tuple[float, float, float], (found.estimate, found.low, found.high))


def difference_score(difference: float, events: int, trials: int, other_events: int, other_trials: int) -> float:
    """Miettinen and Nurminen's score statistic at a hypothetical difference of shares; 0 at the observed one."""
    p_other = _constrained(difference, events, trials, other_events, other_trials)
    p_first = min(max(p_other + difference, 0.0), 1.0)
    total = trials + other_trials
    variance = p_first * (1 - p_first) / trials + p_other * (1 - p_other) / other_trials
    gap = events / trials - other_events / other_trials - difference
    if variance <= 1e-300:
        return math.copysign(math.inf, gap) if abs(gap) > 1e-12 else 0.0
    return gap / math.sqrt(variance * total / (total - 1))


def _constrained(difference: float, events: int, trials: int, other_events: int, other_trials: int) -> float:
    """Most likely share of the other group if the first were ``difference`` above it: one root of a cubic, closed."""
    total, seen = trials + other_trials, events + other_events
    square = (trials + 2 * other_trials) * difference - total - seen
    linear = (other_trials * difference - total - 2 * other_events) * difference + seen
    constant = other_events * difference * (1 - difference)
    third = square / (3 * total)
    bend = third**3 - linear * square / (6 * total**2) + constant / (2 * total)
    arm = math.copysign(math.sqrt(max(third**2 - linear / (3 * total), 0.0)), bend)
    ratio = bend / arm**3 if arm else 0.0
    angle = (math.pi + math.acos(min(max(ratio, -1.0), 1.0))) / 3
    root = 2 * arm * math.cos(angle) - third
    return min(max(root, 0.0, -difference), 1.0, 1.0 - difference)


def _difference_by_score(events: int, trials: int, other_events: int, other_trials: int, level: float) -> Interval:
    gap = events / trials - other_events / other_trials
    z = float(stats.norm.ppf((1 + level) / 2))

    def excess(difference: float, bound: float) -> float:
        return max(min(difference_score(difference, events, trials, other_events, other_trials), 1e6), -1e6) - bound

    # The statistic falls as the difference grows, to an infinity at either end unless the gap sits there.
    edge = 1 - 1e-12
    low = optimize.brentq(excess, -edge, gap, args=(z,)) if gap > -edge else -1.0
    high = optimize.brentq(excess, gap, edge, args=(-z,)) if gap < edge else 1.0
    return Interval(gap, min(float(low), gap), max(float(high), gap), min(trials, other_trials), "score", level)
