"""Rates by group, each with its interval, its denominator and the people who could not be counted.

The shape is that of fairlearn's ``MetricFrame``: true labels, predictions, one or several attributes, crossed. Where
its numbers are right these agree with it to the last digit. They part on four points, each measured against fairlearn
0.15.0:

- *Nothing to divide by.* A group without any positive has no recall. Fairlearn prints 0.0, and a « gap » made of it;
  here ``estimable`` is False and the estimate is missing.
- *Zero events.* For 0 of 40, its bootstrap interval is [0, 0]; here it is [0, 8.8 %], and the rule of three is named.
- *Small counts.* Its percentile bootstrap covers 45 % at 30 trials and 2 %, for a nominal 95 %; see
  :mod:`fairness.rates`.
- *Unknown labels and groups.* Here people without a group are a group of their own, and people whose label is
  unknown are excluded *and counted* (column ``excluded``).

To stay inside a ``MetricFrame``, give it :func:`interval_metric`: each cell is then an
:class:`~contrechamp.domain.intervals.Interval`.

What it cannot tell you: whether the true labels are true. When only those who were looked at could be found, every rate
here inherits it: see :mod:`fairness.labelbias`. And a rate by group says nothing of how many people it falls on: see
:mod:`fairness.burden`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from fairness._checks import check_choice, check_level
from fairness._groups import Groups, crossed, group_frame, truth_values
from fairness.clusters import cluster_rate_interval
from fairness.rates import DEFAULT_RATE_METHOD, RateMethod, rate_interval

Metric = Literal[
    "selection_rate",
    "base_rate",
    "false_positive_rate",
    "true_positive_rate",
    "false_negative_rate",
    "true_negative_rate",
    "precision",
    "false_discovery_rate",
]

#: Metric → (what true label it needs, what prediction it needs, what it counts). None: anyone.
_DEFINITIONS: Final[Mapping[Metric, tuple[bool | None, bool | None, str]]] = {
    "selection_rate": (None, None, "flagged"),
    "base_rate": (None, None, "true"),
    "false_positive_rate": (False, None, "flagged"),
    "true_positive_rate": (True, None, "flagged"),
    "false_negative_rate": (True, None, "not flagged"),
    "true_negative_rate": (False, None, "not flagged"),
    "precision": (None, True, "true"),
    "false_discovery_rate": (None, True, "not true"),
}


def metric_counts(
    *, metric: Metric, y_true: npt.ArrayLike, y_pred: npt.ArrayLike
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """For each unit: is it an event, is it in the denominator, is it left out because a label is unknown?

    Parameters
    ----------
    metric : str
        ``"selection_rate"`` (flagged among all), ``"base_rate"`` (true among all), ``"false_positive_rate"``,
        ``"true_positive_rate"`` (recall), ``"false_negative_rate"``, ``"true_negative_rate"``, ``"precision"`` (true
        among flagged), ``"false_discovery_rate"`` (share of innocents among the flagged).
    y_true, y_pred : array-like of bool or 0/1, shape (n,)
        Missing values are allowed: unknown.

    Returns
    -------
    events, trials, excluded : ndarray of bool, shape (n,)

    Raises
    ------
    ParameterError
        If the metric is not known, lengths differ, or a value is neither 0 nor 1.
    """
    where = "metric_counts"
    check_choice(metric, get_args(Metric), where, name="metric")
    true, true_known = truth_values(y_true, name="y_true", where=where)
    flagged, flagged_known = truth_values(y_pred, name="y_pred", where=where)
    if len(true) != len(flagged):
        raise bad_parameter(name="y_pred", where=where, must=f"of length {len(true)}, as `y_true`", got=len(flagged))
    of_true, of_flagged, counted = _DEFINITIONS[metric]
    needs_true = of_true is not None or "true" in counted
    needs_flagged = of_flagged is not None or "flagged" in counted
    known = (true_known | (not needs_true)) & (flagged_known | (not needs_flagged))
    in_scope = np.ones(len(true), dtype=bool)
    if of_true is not None:
        in_scope &= true == of_true
    if of_flagged is not None:
        in_scope &= flagged == of_flagged
    event = {"flagged": flagged, "not flagged": ~flagged, "true": true, "not true": ~true}[counted]
    return event & in_scope & known, in_scope & known, ~known


def group_rates(
    *,
    metric: Metric,
    y_true: npt.ArrayLike,
    y_pred: npt.ArrayLike,
    groups: Groups,
    clusters: npt.ArrayLike | None = None,
    level: float = 0.95,
    method: RateMethod = DEFAULT_RATE_METHOD,
) -> pd.DataFrame:
    """One rate per group, or per crossing of groups.

    Parameters
    ----------
    metric : str
        As :func:`metric_counts`.
    y_true, y_pred : array-like of bool or 0/1, shape (n,)
    groups : array-like, Series, mapping of str to array-like, or DataFrame
        One attribute, or several, crossed. Missing labels are the group ``"(missing)"``.
    clusters : array-like, shape (n,), optional
        Units that are not independent share a label (same person, same camera): Korn–Graubard intervals.
    level, method
        As :func:`fairness.rates.rate_interval`. ``method`` is not used with ``clusters``.

    Returns
    -------
    DataFrame
        Indexed by group, all crossings present. Columns ``events``, ``n`` (denominator), ``excluded`` (people of the
        group whose label is unknown), ``estimate``, ``low``, ``high`` (missing where ``estimable`` is False),
        ``estimable``, ``method``, and ``rule_of_three`` (one-sided bound 3/n, where nothing was seen in n).

    Raises
    ------
    ParameterError
        As :func:`metric_counts`; or if groups or clusters have another length.

    Examples
    --------
    >>> table = group_rates(
    ...     metric="true_positive_rate", y_true=[1, 1, 0, 0], y_pred=[1, 0, 0, 1], groups=["A", "A", "B", "B"]
    ... )
    >>> table[["n", "estimable"]].to_numpy().tolist()
    [[2, True], [0, False]]
    """
    where = "group_rates"
    check_level(level, where)
    events, trials, excluded = metric_counts(metric=metric, y_true=y_true, y_pred=y_pred)
    frame = group_frame(groups, where=where, length=len(events))
    code, index = crossed(frame)
    size = len(index)
    counts = pd.DataFrame(
        {
            "events": np.bincount(code[events], minlength=size),
            "n": np.bincount(code[trials], minlength=size),
            "excluded": np.bincount(code[excluded], minlength=size),
        },
        index=index,
    )
    if clusters is None:
        intervals = [
            rate_interval(events=int(k), trials=int(n), level=level, method=method)
            for k, n in zip(counts["events"], counts["n"], strict=True)
        ]
    else:
        labels = np.asarray(clusters)
        if len(labels) != len(events):
            raise bad_parameter(name="clusters", where=where, must=f"of length {len(events)}", got=len(labels))
        intervals = []
        for group in range(size):
            mine = (code == group) & trials
            found = cluster_rate_interval(
                events=events[mine], trials=np.ones(int(mine.sum())), clusters=labels[mine], level=level
            )
            intervals.append(found.interval)
    return counts.join(interval_columns(intervals, index)).assign(
        rule_of_three=np.where((counts["events"] == 0) & (counts["n"] > 0), 3 / counts["n"].clip(lower=1), np.nan)
    )


def interval_columns(intervals: list[Interval], index: pd.Index) -> pd.DataFrame:
    """Lay intervals out as columns; ``estimate``, ``low`` and ``high`` are missing when not estimable."""
    return pd.DataFrame(
        {
            "estimate": [_or_missing(i.estimate) for i in intervals],
            "low": [_or_missing(i.low) for i in intervals],
            "high": [_or_missing(i.high) for i in intervals],
            "estimable": [i.estimable for i in intervals],
            "method": [i.method for i in intervals],
        },
        index=index,
    ).astype({"estimate": "float64", "low": "float64", "high": "float64", "estimable": bool})


def interval_metric(
    metric: Metric, *, level: float = 0.95, method: RateMethod = DEFAULT_RATE_METHOD
) -> Callable[[Any, Any], Interval]:
    """Make a metric for fairlearn's ``MetricFrame`` whose cells are intervals.

    Parameters
    ----------
    metric : str
        As :func:`metric_counts`.
    level, method
        As :func:`fairness.rates.rate_interval`.

    Returns
    -------
    callable
        ``f(y_true, y_pred) -> Interval``. Do not ask the frame for ``difference()`` or ``ratio()`` of such cells: hand
        their counts to :func:`fairness.comparisons.ratio_interval`.

    Examples
    --------
    >>> interval_metric("false_positive_rate")([0, 0, 1], [0, 1, 1]).n
    2
    """
    check_choice(metric, get_args(Metric), "interval_metric", name="metric")

    def measured(y_true: Any, y_pred: Any) -> Interval:
        events, trials, _ = metric_counts(metric=metric, y_true=y_true, y_pred=y_pred)
        return rate_interval(events=int(events.sum()), trials=int(trials.sum()), level=level, method=method)

    measured.__name__ = metric
    return measured


def _or_missing(value: float | None) -> float:
    return float("nan") if value is None else value
