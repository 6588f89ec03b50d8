"""Are rates equal between groups? An audit that, when they are, says otherwise in at most one audit out of twenty.

The « 80 % rule » (smallest rate under four fifths of the largest) declares a disparity in *every* audit of sixteen
districts of 120 people with the same false-alert rate of 5 %. Here each group is compared with all the others by an
exact test, p-values are adjusted over a declared family, and each « not shown » carries the smallest ratio that could
have been.

What it cannot tell you: that groups are treated alike. « Not shown » is not « equal »; ``within_margin`` is the column
that says so, for a margin stated beforehand. And rates per person seen say nothing of who is seen more often: that is
exposure, in :mod:`fairness.burden`.

References
----------
.. [1] Uniform Guidelines on Employee Selection Procedures, 29 C.F.R. § 1607.4(D) (1978): the 80 % rule, which itself
   warns about small numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.grid import FloatArray
from fairness._checks import check_arm, check_level
from fairness.comparisons import ratio_interval
from fairness.detectable import minimum_detectable_ratio
from fairness.groups import interval_columns
from fairness.hypotheses import equivalence_test
from fairness.multiplicity import Family, FamilyKind
from fairness.rates import DEFAULT_RATE_METHOD, RateMethod, rate_interval

#: Words of the ``verdict`` column.
SHOWN, NOT_SHOWN, NOT_ESTIMABLE = "difference shown", "not shown", "not estimable"


@dataclass(frozen=True, eq=False)
class DisparityAudit:
    """Every group against all the others.

    Attributes
    ----------
    table : DataFrame
        Indexed by group: ``events``, ``n``; ``estimate``, ``low``, ``high``, ``estimable``, ``method`` of the rate;
        ``ratio``, ``ratio_low``, ``ratio_high`` to the rate of all others (score interval, *not* adjusted);
        ``p_value``, ``p_adjusted``; ``verdict``; ``within_margin`` (equivalence shown, same adjustment);
        ``detectable_ratio`` (smallest ratio above 1 that would have been shown four times in five at the level of one
        comparison; missing when none).
    family : Family
    margin : float
    """

    table: pd.DataFrame
    family: Family
    margin: float

    @property
    def declared(self) -> bool:
        """True when at least one group is shown to differ from the others."""
        return bool((self.table["verdict"] == SHOWN).any())

    @property
    def groups_shown(self) -> tuple[str, ...]:
        """Groups shown to differ."""
        return tuple(str(name) for name in self.table.index[self.table["verdict"] == SHOWN])


def audit_disparities(
    *,
    events: npt.ArrayLike,
    trials: npt.ArrayLike,
    groups: npt.ArrayLike,
    family: Family | None = None,
    kind: FamilyKind = "confirmatory",
    alpha: float = 0.05,
    margin: float = 1.25,
    power: float = 0.8,
    level: float = 0.95,
    method: RateMethod = DEFAULT_RATE_METHOD,
) -> DisparityAudit:
    """Compare the rate of each group with that of all others together.

    Parameters
    ----------
    events, trials : array-like of int, shape (n_groups,)
        Counts per group: the columns ``events`` and ``n`` of :func:`fairness.groups.group_rates`, for instance.
    groups : array-like of str, shape (n_groups,)
        Distinct names.
    family : Family, optional
        Declared beforehand, over the same names. By default one is made of all groups, ``kind`` and ``alpha``.
    kind, alpha
        As :class:`fairness.multiplicity.Family`. Not used with ``family``.
    margin : float, default=1.25
        Ratio under which a difference is called none, stated beforehand; above 1.
    power : float, default=0.8
        Of ``detectable_ratio``.
    level, method
        As :func:`fairness.rates.rate_interval`.

    Returns
    -------
    DisparityAudit

    Raises
    ------
    ParameterError
        If lengths differ, names repeat, a count is out of range, or the family has other names.

    Notes
    -----
    Null hypothesis of each line: the group has the rate of the others together. With Holm the chance of any false
    declaration is at most ``alpha``, whatever the number of groups.

    Examples
    --------
    >>> found = audit_disparities(events=[30, 5, 6, 0], trials=[100, 100, 100, 0], groups=["A", "B", "C", "D"])
    >>> found.table["verdict"].tolist()
    ['difference shown', 'difference shown', 'difference shown', 'not estimable']
    """
    where = "audit_disparities"
    check_level(level, where)
    names = [str(name) for name in np.asarray(groups).tolist()]
    part, whole = np.asarray(events).tolist(), np.asarray(trials).tolist()
    if not len(names) == len(part) == len(whole) or len(set(names)) != len(names) or len(names) < 2:
        raise bad_parameter(
            name="groups",
            where=where,
            must="two or more distinct names, as many as there are counts",
            got=(names, len(part), len(whole)),
        )
    for k, n in zip(part, whole, strict=True):
        check_arm(k, n, where=where)
    declared = family or Family("each group against the others", tuple(names), kind, alpha)
    one_level = declared.alpha / len(declared.hypotheses)
    total, seen = sum(whole), sum(part)
    raw = each_against_others(events=part, trials=whole)
    p_values = {name: None if np.isnan(p) else float(p) for name, p in zip(names, raw, strict=True)}
    rows, rates, p_margin = [], [], {}
    for name, k, n in zip(names, part, whole, strict=True):
        arms = {"events": k, "trials": n, "other_events": seen - k, "other_trials": total - n}
        rates.append(rate_interval(events=k, trials=n, level=level, method=method))
        ratio = ratio_interval(**arms, level=level)
        p_margin[name] = equivalence_test(**arms, margin=margin, alpha=declared.alpha).p_value
        others = (seen - k) / (total - n) if total > n else 0.0
        detectable = minimum_detectable_ratio(
            trials=n, other_trials=total - n, other_rate=others, alpha=one_level, power=power
        )
        rows.append((k, n, ratio.estimate, ratio.low, ratio.high, detectable))
    index = pd.Index(names, name="group")
    counted = pd.DataFrame(
        rows, index=index, columns=["events", "n", "ratio", "ratio_low", "ratio_high", "detectable_ratio"]
    ).astype({"ratio": float, "ratio_low": float, "ratio_high": float, "detectable_ratio": float})
    judged, alike = declared.judge(p_values), declared.judge(p_margin)
    verdict = np.where(judged["found"], SHOWN, np.where(judged["estimable"], NOT_SHOWN, NOT_ESTIMABLE))
    told = pd.DataFrame({"verdict": verdict, "within_margin": alike["found"]}, index=judged.index).reindex(names)
    table = pd.concat(
        [
            counted[["events", "n"]],
            interval_columns(rates, index),
            counted[["ratio", "ratio_low", "ratio_high"]],
            judged.reindex(names)[["p_value", "p_adjusted"]].set_axis(index),
            told.set_axis(index),
            counted[["detectable_ratio"]],
        ],
        axis=1,
    )
    return DisparityAudit(table, declared, margin)


def each_against_others(*, events: npt.ArrayLike, trials: npt.ArrayLike) -> FloatArray:
    """p-value of :func:`fairness.hypotheses.two_rates_test` of each group against all others, for many audits at once.

    Parameters
    ----------
    events, trials : array-like of int, shape (..., n_groups)
        Broadcast against each other.

    Returns
    -------
    ndarray of float, shape (..., n_groups)
        Not adjusted. NaN where not estimable: an empty group, or no event at all, or nothing but events.

    Examples
    --------
    >>> each_against_others(events=[3, 1, 0], trials=[4, 4, 0]).round(4).tolist()
    [0.4857, 0.4857, nan]
    """
    part, whole = np.broadcast_arrays(np.asarray(events, dtype=np.int64), np.asarray(trials, dtype=np.int64))
    seen, total = part.sum(axis=-1, keepdims=True), whole.sum(axis=-1, keepdims=True)
    possible = (whole > 0) & (whole < total) & (seen > 0) & (seen < total)
    tail = np.minimum(stats.hypergeom.cdf(part, total, seen, whole), stats.hypergeom.sf(part - 1, total, seen, whole))
    return np.where(possible, np.minimum(2 * tail, 1.0), np.nan)


def four_fifths_rule(*, events: npt.ArrayLike, trials: npt.ArrayLike) -> bool | None:
    """Smallest rate under 80 % of the largest. Here to be compared with, not to be used: it knows no sampling error.

    Parameters
    ----------
    events, trials : array-like of int, shape (n_groups,)

    Returns
    -------
    bool or None
        None when fewer than two groups have trials, or no group has any event.

    Examples
    --------
    >>> four_fifths_rule(events=[3, 5], trials=[100, 100])  # a difference of two people
    True
    """
    part, whole = np.asarray(events, dtype=np.float64), np.asarray(trials, dtype=np.float64)
    rates = part[whole > 0] / whole[whole > 0]
    if rates.size < 2 or rates.max() == 0:
        return None
    return bool(rates.min() / rates.max() < 0.8)
