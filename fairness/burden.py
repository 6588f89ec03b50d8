"""Burden: how many wrong alerts fall on whom, with exposure and conditional rate always apart.

« False alerts per inhabitant » is a product. One factor is *exposure*: how many hours of a person's life are watched.
The other is the *conditional rate*: wrong alerts per hour watched. A detector that errs alike for all still burdens
those who live under cameras; a detector that errs more on some does so even where cameras are spread evenly. Remedies
differ, so the product is never given without its factors.

What it cannot tell you: what an alert costs the person it falls on (a look, a check, a stop), nor who they are when
groups are those of places. Inhabitants of a quarter are not the people who pass there. Intervals take alerts as
independent (Poisson) unless clusters are given; exposures and inhabitants are taken as known.

References
----------
.. [1] Garwood (1936), "Fiducial limits for the Poisson distribution", Biometrika 28(3/4).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval
from fairness._checks import check_level
from fairness._groups import Groups, crossed, group_frame
from fairness.comparisons import poisson_ratio_interval
from fairness.groups import interval_columns
from fairness.rates import poisson_rate_interval, rate_interval

PER_PASSAGES: Final = 1_000.0
PER_INHABITANTS: Final = 100_000.0
_UNITS: Final = {
    "person_hours": ("false_alerts_per_person_hour", 1.0),
    "passages": ("false_alerts_per_1000_passages", PER_PASSAGES),
    "inhabitants": ("false_alerts_per_100000_inhabitants", PER_INHABITANTS),
}


@dataclass(frozen=True, eq=False)
class Burden:
    """Who carries the false alerts, in three tables indexed by group (all crossings present).

    Attributes
    ----------
    exposure : DataFrame
        ``person_hours``, ``passages``, ``inhabitants`` (those given), the share of each that the group has
        (``…_share``), and ``person_hours_per_inhabitant``, ``passages_per_inhabitant`` where both are given. Missing
        where there is nothing to divide by.
    rates : DataFrame
        Long: one line per group and ``measure`` (``"false_alerts_per_person_hour"``,
        ``"false_alerts_per_1000_passages"``, ``"false_alerts_per_100000_inhabitants"``, ``"innocents_among_flagged"``),
        with ``events``, ``denominator``, ``estimate``, ``low``, ``high``, ``estimable``, ``method``. The first two are
        conditional on being watched; the third mixes both and is to be read beside ``exposure``.
    against : DataFrame
        Each group against ``reference``, where one is given: ``burden_ratio`` (per inhabitant) equals
        ``exposure_ratio`` × ``conditional_ratio``, the latter with its interval ``conditional_low``,
        ``conditional_high``. Empty without a reference, or without inhabitants and an exposure.
    """

    exposure: pd.DataFrame
    rates: pd.DataFrame
    against: pd.DataFrame


def burden_table(
    *,
    alerts: npt.ArrayLike,
    false_alerts: npt.ArrayLike,
    groups: Groups,
    person_hours: npt.ArrayLike | None = None,
    passages: npt.ArrayLike | None = None,
    inhabitants: Mapping[Any, float] | pd.Series | None = None,
    clusters: npt.ArrayLike | None = None,
    reference: Any = None,
    level: float = 0.95,
) -> Burden:
    """Count false alerts by group, situation, quarter or any crossing, over every denominator given.

    Parameters
    ----------
    alerts, false_alerts : array-like of int, shape (n,)
        Alerts raised on each row, and how many of them were wrong. A row is a person, a passage, a camera-day…
    groups : array-like, Series, mapping of str to array-like, or DataFrame
        Attributes of the rows; several are crossed.
    person_hours, passages : array-like of float, shape (n,), optional
        Exposure of each row. Rows without alerts must be there: they are the denominator.
    inhabitants : mapping or Series, optional
        Group → people, a tuple of labels when crossed. Groups that are not named have an unknown number: not estimable.
    clusters : array-like, shape (n,), optional
        Rows with the same label are not independent (same camera, same day): rates per exposure then get intervals by
        linearisation over clusters (Student, clusters − 1), and never narrower than the exact Poisson one.
    reference : label, optional
        Group that the others are compared with; a tuple when crossed.
    level : float, default=0.95

    Returns
    -------
    Burden

    Raises
    ------
    ParameterError
        If lengths differ, a count is out of range, an exposure is negative, or ``reference`` is not a group.

    Examples
    --------
    Same detector, twice the hours under cameras:

    >>> found = burden_table(
    ...     alerts=[20, 10], false_alerts=[20, 10], groups=["A", "B"], person_hours=[2_000, 1_000],
    ...     inhabitants={"A": 500, "B": 500}, reference="B",
    ... )
    >>> found.against.loc["A", ["burden_ratio", "exposure_ratio", "conditional_ratio"]].tolist()
    [2.0, 2.0, 1.0]
    """
    where = "burden_table"
    check_level(level, where)
    raised, wrong = _counts(alerts, "alerts", where), _counts(false_alerts, "false_alerts", where)
    if raised.shape != wrong.shape or bool((wrong > raised).any()):
        raise bad_parameter(
            name="false_alerts", where=where, must="at most `alerts`, row by row", got=(raised.size, wrong.size)
        )
    frame = group_frame(groups, where=where, length=len(raised))
    code, index = crossed(frame)
    size = len(index)

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(code, weights=values, minlength=size).astype(np.float64)

    given: dict[str, FloatArray] = {}
    row_exposure: dict[str, FloatArray] = {}
    for name, values in (("person_hours", person_hours), ("passages", passages)):
        if values is not None:
            row_exposure[name] = _exposures(values, name, len(raised), where)
            given[name] = total(row_exposure[name])
    if inhabitants is not None:
        known = dict(inhabitants.items())
        given["inhabitants"] = np.array([float(known.get(key, math.nan)) for key in index])
    wrong_by, raised_by = total(wrong), total(raised)

    parts = []
    for name, values in given.items():
        measure, per = _UNITS[name]
        labels = None if clusters is None or name == "inhabitants" else np.asarray(clusters)
        if labels is not None and len(labels) != len(raised):
            raise bad_parameter(name="clusters", where=where, must=f"of length {len(raised)}", got=len(labels))
        intervals = [
            _per(int(wrong_by[g]), float(values[g]) / per, level)
            if labels is None
            else _clustered(wrong[code == g], row_exposure[name][code == g] / per, labels[code == g], level)
            for g in range(size)
        ]
        parts.append(_long(measure, intervals, wrong_by, values, index))
    innocents = [
        rate_interval(events=int(k), trials=int(n), level=level) for k, n in zip(wrong_by, raised_by, strict=True)
    ]
    parts.append(_long("innocents_among_flagged", innocents, wrong_by, raised_by, index))
    against = _against(reference, given, wrong_by, index, level, where)
    return Burden(_exposure(given, index), pd.concat(parts), against)


def _per(events: int, exposure: float, level: float) -> Interval:
    if math.isnan(exposure):
        return Interval.not_estimable(n=events, method="poisson-exact", level=level)
    return poisson_rate_interval(events=events, exposure=exposure, level=level)


def _clustered(events: FloatArray, exposure: FloatArray, clusters: npt.NDArray[Any], level: float) -> Interval:
    """Ratio of sums over clusters, by linearisation; at least as wide as if events were independent."""
    seen, whole = int(events.sum()), float(exposure.sum())
    alone = poisson_rate_interval(events=seen, exposure=whole, level=level)
    code, labels = pd.factorize(pd.Series(clusters))
    if alone.estimate is None or alone.low is None or alone.high is None or len(labels) < 2:
        return Interval.not_estimable(n=seen, method="cluster-linearised", level=level)
    gap = np.bincount(code, events - alone.estimate * exposure)
    error = math.sqrt(len(labels) / (len(labels) - 1) * float(gap @ gap)) / whole
    reach = float(stats.t.isf((1 - level) / 2, len(labels) - 1)) * error
    low, high = max(alone.estimate - reach, 0.0), alone.estimate + reach
    return Interval(alone.estimate, min(low, alone.low), max(high, alone.high), seen, "cluster-linearised", level)


def _long(
    measure: str, intervals: list[Interval], events: FloatArray, denominator: FloatArray, index: pd.Index
) -> pd.DataFrame:
    counted = pd.DataFrame(
        {"measure": measure, "events": events.astype(np.int64), "denominator": denominator}, index=index
    )
    return pd.concat([counted, interval_columns(intervals, index)], axis=1)


def _exposure(given: Mapping[str, FloatArray], index: pd.Index) -> pd.DataFrame:
    columns: dict[str, FloatArray] = {}
    for name, values in given.items():
        columns[name] = values
        columns[f"{name}_share"] = _divide(values, np.full(len(values), float(np.nansum(values))))
    for name in ("person_hours", "passages"):
        if name in given and "inhabitants" in given:
            columns[f"{name}_per_inhabitant"] = _divide(given[name], given["inhabitants"])
    return pd.DataFrame(columns, index=index)


def _against(
    reference: Any, given: Mapping[str, FloatArray], wrong: FloatArray, index: pd.Index, level: float, where: str
) -> pd.DataFrame:
    names = ["burden_ratio", "exposure_ratio", "conditional_ratio", "conditional_low", "conditional_high", "estimable"]
    base = next((name for name in ("person_hours", "passages") if name in given), None)
    if reference is None or base is None or "inhabitants" not in given:
        return pd.DataFrame({name: pd.Series(dtype=float) for name in names}, index=index[:0])
    if reference not in index:
        raise bad_parameter(name="reference", where=where, must="one of the groups", got=reference)
    at = int(
        index.get_indexer(pd.Index([reference]) if index.nlevels == 1 else pd.MultiIndex.from_tuples([reference]))[0]
    )
    watched, people = given[base], given["inhabitants"]
    exposure = _divide(watched, people)
    exposure_ratio = _divide(exposure, np.full(len(exposure), exposure[at]))
    ratios = [
        poisson_ratio_interval(
            events=int(wrong[g]),
            exposure=float(watched[g]),
            other_events=int(wrong[at]),
            other_exposure=float(watched[at]),
            level=level,
        )
        for g in range(len(index))
    ]
    found = interval_columns(ratios, index)
    return pd.DataFrame(
        {
            "burden_ratio": exposure_ratio * found["estimate"].to_numpy(),
            "exposure_ratio": exposure_ratio,
            "conditional_ratio": found["estimate"],
            "conditional_low": found["low"],
            "conditional_high": found["high"],
            "estimable": found["estimable"].to_numpy() & np.isfinite(exposure_ratio),
        },
        index=index,
    ).drop(index=[reference])


def _divide(top: FloatArray, bottom: FloatArray) -> FloatArray:
    out: FloatArray = np.full(len(top), np.nan)
    return np.divide(top, bottom, out=out, where=bottom > 0)


def _counts(values: npt.ArrayLike, name: str, where: str) -> FloatArray:
    data = np.asarray(values, dtype=np.float64)
    if data.ndim != 1 or not bool(((data >= 0) & (data == np.floor(data)) & np.isfinite(data)).all()):
        raise bad_parameter(name=name, where=where, must="a flat array of whole numbers of at least 0", got=values)
    return data


def _exposures(values: npt.ArrayLike, name: str, length: int, where: str) -> FloatArray:
    data = np.asarray(values, dtype=np.float64)
    if data.shape != (length,) or not bool(((data >= 0) & np.isfinite(data)).all()):
        raise bad_parameter(name=name, where=where, must=f"{length} finite numbers of at least 0", got=values)
    return data
