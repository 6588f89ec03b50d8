"""Measures of E09: from unbroken times to alerts, and from alerts to precision, burden by situation and hours lost.

A rule "static for more than T" with a perfect machine alerts a person once an unbroken time reaches T. Everything here
follows from the tables of unbroken times, without a camera.

What it cannot tell you: what a machine that loses people would add. The other rungs of the ladder do.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from fairness.intervals import poisson_rate_interval, poisson_ratio_interval, rate_interval, ratio_interval

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Fired:
    """What a rule of threshold T did to each person.

    Attributes
    ----------
    alerted : ndarray of bool, shape (n,)
    first_s : ndarray of float, shape (n,)
        Seconds from the arrival to the first alert; inf without one.
    alerts : ndarray of int64, shape (n,)
        Alerts when the rule takes up its count again ``rearm_s`` after each.
    """

    alerted: BoolArray
    first_s: FloatArray
    alerts: IntArray


def fire(spans: pd.DataFrame, *, n: int, threshold_s: float, rearm_s: float) -> Fired:
    """Apply a threshold to unbroken times.

    Parameters
    ----------
    spans : DataFrame
        ``person`` (position in ``range(n)``), ``start_s``, ``end_s``.
    n : int
        Persons.
    threshold_s, rearm_s : float
        The count starts at 0 again ``rearm_s`` after an alert, so that alerts of one span are ``threshold_s + rearm_s``
        apart.
    """
    start = spans["start_s"].to_numpy(np.float64)
    long = spans["end_s"].to_numpy(np.float64) - start
    hit = long >= threshold_s
    who = spans["person"].to_numpy(np.int64)[hit]
    first = np.full(n, math.inf)
    np.minimum.at(first, who, start[hit] + threshold_s)
    times = np.floor((long[hit] - threshold_s) / (threshold_s + rearm_s)).astype(np.int64) + 1
    alerts = np.bincount(who, weights=times, minlength=n).astype(np.int64)
    return Fired(np.isfinite(first), first, alerts)


def longest(spans: pd.DataFrame, *, n: int) -> FloatArray:
    """Longest unbroken time of each person, 0 for who has none, shape (n,)."""
    out = np.zeros(n)
    np.maximum.at(out, spans["person"].to_numpy(np.int64), (spans["end_s"] - spans["start_s"]).to_numpy(np.float64))
    return out


def best_balance(
    *, longest_s: FloatArray, target: BoolArray, thresholds_s: Sequence[float], level: float = 0.95
) -> Interval:
    """Largest, over thresholds, of the smaller of precision and recall: 0.5 when some T reaches both halves.

    Each of the two bounds of each threshold is Clopper and Pearson's at a level that holds for all of them together
    (Bonferroni), so that looking for the best T is paid for. Not estimable without a target.
    """
    targets = int(target.sum())
    method = "clopper-pearson, best of several T"
    if targets == 0:
        return Interval.not_estimable(n=0, method=method, level=level)
    strict = 1 - (1 - level) / (2 * len(thresholds_s))
    parts = []
    for threshold in thresholds_s:
        alerted = longest_s >= threshold
        right = int((alerted & target).sum())
        recall = rate_interval(events=right, trials=targets, level=strict)
        precision = rate_interval(events=right, trials=int(alerted.sum()), level=strict)
        # Nobody alerted: nothing right, and any precision remains possible.
        three = (precision.estimate or 0.0, precision.low or 0.0, 1.0 if precision.high is None else precision.high)
        assert recall.estimate is not None and recall.low is not None and recall.high is not None
        parts.append((min(three[0], recall.estimate), min(three[1], recall.low), min(three[2], recall.high)))
    value, low, high = (max(column) for column in zip(*parts, strict=True))
    return Interval(value, low, high, targets, method, level)


def alert_rate(alerts: npt.ArrayLike, *, exposure: float, level: float = 0.95) -> Interval:
    """Alerts per unit of exposure, from the number of alerts of each person, shape (n,).

    Persons come independently of each other, the alerts of one of them do not: on the log scale, with the variance of a
    compound Poisson sum, and never narrower than the exact interval for independent alerts.
    """
    count = np.asarray(alerts, dtype=np.float64)
    exact = poisson_rate_interval(events=int(count.sum()), exposure=exposure, level=level)
    if exact.estimate is None or exact.low is None or exact.high is None or exact.estimate == 0:
        return exact
    reach = float(stats.norm.isf((1 - level) / 2)) * math.sqrt(float(count @ count)) / float(count.sum())
    low, high = exact.estimate * math.exp(-reach), exact.estimate * math.exp(reach)
    return Interval(exact.estimate, min(low, exact.low), max(high, exact.high), exact.n,
                    "linearised over persons", level)  # fmt: skip


def ratio_of_sums(top: FloatArray, bottom: FloatArray, *, level: float = 0.95, cap: float = math.inf) -> Interval:
    """Sum of ``top`` over sum of ``bottom``, rows being persons independent of each other (linearised, Student)."""
    method, n = "linearised over persons", int((bottom > 0).sum())
    whole = float(bottom.sum())
    if n < 2 or whole <= 0:
        return Interval.not_estimable(n=n, method=method, level=level)
    rate = float(top.sum()) / whole
    gap = top - rate * bottom
    error = math.sqrt(n / (n - 1) * float(np.square(gap).sum())) / whole
    reach = float(stats.t.isf((1 - level) / 2, n - 1)) * error
    return Interval(rate, max(rate - reach, 0.0), min(rate + reach, cap), n, method, level)


def hourly_ratio(alerts: npt.ArrayLike, hours: FloatArray, mine: BoolArray, *, level: float = 0.95) -> Interval:
    """Alerts per person-hour of those in ``mine`` over that of the others.

    Several alerts of one person are not independent: on the log scale, linearised over persons, and never narrower than
    the exact interval for independent alerts. Not estimable when the others have no alert or no hours.
    """
    count = np.asarray(alerts, dtype=np.float64)
    exact = poisson_ratio_interval(
        events=int(count[mine].sum()), exposure=float(hours[mine].sum()),
        other_events=int(count[~mine].sum()), other_exposure=float(hours[~mine].sum()), level=level,
    )  # fmt: skip
    if exact.estimate is None or exact.low is None or exact.high is None or exact.estimate == 0:
        return exact
    spread, fewest = 0.0, math.inf
    for group in (mine, ~mine):
        total, here = float(count[group].sum()), int(group.sum())
        gap = count[group] - total / float(hours[group].sum()) * hours[group]
        spread += here / max(here - 1, 1) * float(np.square(gap).sum()) / total**2
        fewest = min(fewest, here)
    reach = float(stats.t.isf((1 - level) / 2, max(fewest - 1, 1))) * math.sqrt(spread)
    low, high = exact.estimate * math.exp(-reach), exact.estimate * math.exp(reach)
    return Interval(exact.estimate, min(low, exact.low), max(high, exact.high), exact.n,
                    "linearised over persons", level)  # fmt: skip


def passage_ratio(alerted: BoolArray, mine: BoolArray, *, level: float = 0.95) -> Interval:
    """Share of passages alerted in ``mine`` over that of the others (Koopman)."""
    return ratio_interval(
        events=int(alerted[mine].sum()), trials=int(mine.sum()),
        other_events=int(alerted[~mine].sum()), other_trials=int((~mine).sum()), level=level,
    )  # fmt: skip


def lost_ratio(lost_s: FloatArray, stay_s: FloatArray, mine: BoolArray, *, level: float = 0.95) -> Interval:
    """Share of its time that ``mine`` loses over the share that the others lose (log scale, over persons)."""
    method = "linearised over persons"
    parts = [ratio_of_sums(lost_s[g], stay_s[g], level=level) for g in (mine, ~mine)]
    n = min(p.n for p in parts)
    if any(p.estimate is None or p.estimate == 0 for p in parts):
        return Interval.not_estimable(n=n, method=method, level=level)
    spread = 0.0
    for group in (mine, ~mine):
        total, here = float(lost_s[group].sum()), int(group.sum())
        gap = lost_s[group] - total / float(stay_s[group].sum()) * stay_s[group]
        spread += here / (here - 1) * float(np.square(gap).sum()) / total**2
    assert parts[0].estimate is not None and parts[1].estimate is not None
    value = parts[0].estimate / parts[1].estimate
    reach = float(stats.t.isf((1 - level) / 2, n - 1)) * math.sqrt(spread)
    return Interval(value, value * math.exp(-reach), value * math.exp(reach), n, method, level)


def lawful_common(
    *, alerted: BoolArray, alerts: IntArray, target: BoolArray, role: IntArray, roles: int, common_share: float
) -> Interval:
    """Share of alerts on persons who are no target and do what is common in their situation.

    Common: at least ``common_share`` of the passages of the situation would be alerted. Persons are the units; where a
    person has several alerts they count, and the interval is that of sums over persons.
    """
    size = np.bincount(role, minlength=roles)
    share = np.bincount(role, weights=alerted, minlength=roles) / np.maximum(size, 1)
    common = (share >= common_share)[role[alerted]]
    count = alerts[alerted].astype(np.float64)
    return ratio_of_sums(count * (common & ~target[alerted]), count, cap=1.0)
