"""When only those who were looked at could be found: bounds on error rates instead of a number that rests on a guess.

A person who was never checked is filed as a negative. Rates computed from such labels measure the checks as much as the
system. Three readings of the same counts are put side by side: *as recorded* (unchecked means innocent), *checked only*
(unchecked people do not exist), and the *bounds* that hold whatever the unchecked hide, with no assumption (Manski), or
with a stated one: that the odds of being a true case, among the unchecked, are within a factor Γ of those among the
checked who were treated alike. Γ = 1 is Begg and Greenes' correction; Γ without limit is Manski. The tipping point
is the Γ from which a comparison between two groups no longer holds.

What it cannot tell you: which Γ is the true one: nothing in the data does. The bounds take the checks themselves as
right; a planted object or a mistaken check is not covered. A narrow bound under a narrow assumption is an assumption.

References
----------
.. [1] Manski (2003), "Partial identification of probability distributions", Springer.
.. [2] Begg & Greenes (1983), "Assessment of diagnostic tests when disease verification is subject to selection bias",
   Biometrics 39(1), 207-215.
.. [3] Kosinski & Barnhart (2003), "A global sensitivity analysis of performance of a medical diagnostic test when
   verification bias is present", Statistics in Medicine 22(17).
.. [4] Rosenbaum (2002), "Observational studies", 2nd ed., chapter 4 (the factor Γ).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
import pandas as pd

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from fairness._checks import check_choice, check_count, check_level
from fairness._groups import truth_values
from fairness.rates import beta_bounds, rate_interval

BoundedMetric = Literal["false_positive_rate", "recall", "precision"]
Range = tuple[float, float]

_TIPPING_STEPS: Final = 60
_LARGEST: Final = 1e6


@dataclass(frozen=True, slots=True)
class CheckedCounts:
    """People by what the system said and by what a check found, if there was one.

    Attributes
    ----------
    flagged_true, flagged_false, flagged_unchecked : int
        Flagged: checked and found to be a true case; checked and found not to be; never checked.
    unflagged_true, unflagged_false, unflagged_unchecked : int
        The same for those not flagged.
    """

    flagged_true: int
    flagged_false: int
    flagged_unchecked: int
    unflagged_true: int
    unflagged_false: int
    unflagged_unchecked: int

    def __post_init__(self) -> None:
        for field in fields(self):
            check_count(getattr(self, field.name), field.name, "CheckedCounts")

    @classmethod
    def from_arrays(cls, *, flagged: npt.ArrayLike, checked: npt.ArrayLike, found: npt.ArrayLike) -> CheckedCounts:
        """Count arrays of yes/no values, shape (n,). ``found`` is not read where ``checked`` is no, and may be missing.

        Raises
        ------
        ParameterError
            If lengths differ, a value is not 0 or 1, or ``found`` is missing for someone who was checked.
        """
        where = "CheckedCounts.from_arrays"
        f, f_known = truth_values(flagged, name="flagged", where=where)
        c, c_known = truth_values(checked, name="checked", where=where)
        y, y_known = truth_values(found, name="found", where=where)
        if not len(f) == len(c) == len(y):
            raise bad_parameter(name="flagged, checked, found", where=where, must="of one length", got=(len(f), len(c)))
        if not bool(f_known.all() and c_known.all() and y_known[c].all()):
            raise bad_parameter(
                name="found", where=where, must="known for everyone who was checked", got="missing values",
                remedy="Someone whose check has no result was not checked.",
            )  # fmt: skip
        cells = [int((side & part).sum()) for side in (f, ~f) for part in (c & y, c & ~y, ~c)]
        return cls(*cells)


@dataclass(frozen=True, slots=True)
class Bounds:
    """The values that a rate can take, given what was not checked.

    Attributes
    ----------
    low, high : float or None
        Smallest and largest value over the assumption; None when not estimable.
    outer_low, outer_high : float or None
        The same with sampling error: they hold the true rate with chance at least ``level``.
    as_recorded, checked_only : float or None
        What one gets by taking the unchecked as innocent; by leaving them out. None when there is nothing to divide by.
    n : int
        Smallest denominator over the assumption, rounded down. With 0, the rate may not even exist: not estimable.
    metric : str
    assumption : str
        ``"none"``, ``"ranges"`` or ``"gamma=…"``.
    level : float
    """

    low: float | None
    high: float | None
    outer_low: float | None
    outer_high: float | None
    as_recorded: float | None
    checked_only: float | None
    n: int
    metric: str
    assumption: str
    level: float

    @property
    def estimable(self) -> bool:
        """False when, under some admissible truth, there is nothing to divide by."""
        return self.low is not None


def bounds_under(
    *,
    counts: CheckedCounts,
    metric: BoundedMetric,
    gamma: float | None = None,
    hidden_flagged: Range = (0.0, 1.0),
    hidden_unflagged: Range = (0.0, 1.0),
    level: float = 0.95,
) -> Bounds:
    """Bounds on a rate when some people were never checked.

    Parameters
    ----------
    counts : CheckedCounts
    metric : {"false_positive_rate", "recall", "precision"}
    gamma : float, optional
        At least 1: the odds of a true case among the unchecked are within this factor of those among the checked,
        separately for flagged and unflagged people. A side where nobody was checked stays free. Excludes the ranges.
    hidden_flagged, hidden_unflagged : tuple of two floats, default=(0, 1)
        Share of true cases among unchecked people, flagged and not: lowest and highest admissible. By default nothing
        is assumed.
    level : float, default=0.95

    Returns
    -------
    Bounds

    Raises
    ------
    ParameterError
        If ``gamma`` is under 1, a range is not within [0, 1] and in order, or both are given.

    Notes
    -----
    Each rate moves one way with each hidden share, so its bounds are at corners of the assumption, and sharp: every
    value between them is the true one in some admissible world. The outer bounds are Clopper–Pearson's at the corners;
    under ``gamma`` the shares among the checked are themselves estimated, and the error is split three ways
    (Bonferroni).

    Examples
    --------
    Begg & Greenes' liver scans: sensitivity is 89.5 % among the checked, and Γ = 1 brings it to 83.6 %.

    >>> scans = CheckedCounts(231, 32, 166, 27, 54, 140)
    >>> alike = bounds_under(counts=scans, metric="recall", gamma=1)
    >>> round(alike.checked_only, 3), round(alike.low, 3), round(alike.high, 3)
    (0.895, 0.836, 0.836)
    >>> free = bounds_under(counts=scans, metric="recall")
    >>> round(free.low, 3), round(free.high, 3)
    (0.58, 0.936)
    """
    where = "bounds_under"
    check_choice(metric, get_args(BoundedMetric), where, name="metric")
    check_level(level, where)
    ranges = (_range(hidden_flagged, "hidden_flagged", where), _range(hidden_unflagged, "hidden_unflagged", where))
    plain = ranges == ((0.0, 1.0), (0.0, 1.0))
    if gamma is not None and not plain:
        raise bad_parameter(name="gamma", where=where, must="given without hidden shares", got=(gamma, ranges))
    outer, one_level, assumption = ranges, level, "none" if plain else "ranges"
    if gamma is not None:
        if not gamma >= 1:
            raise bad_parameter(name="gamma", where=where, must="at least 1", got=gamma)
        one_level = 1 - (1 - level) / 3
        sides = ((counts.flagged_true, counts.flagged_false), (counts.unflagged_true, counts.unflagged_false))
        ranges = (_odds_range(*sides[0], gamma, None), _odds_range(*sides[1], gamma, None))
        outer = (_odds_range(*sides[0], gamma, one_level), _odds_range(*sides[1], gamma, one_level))
        assumption = f"gamma={gamma:g}"
    smallest = _corner(counts, metric, ranges, highest=False)
    largest = _corner(counts, metric, ranges, highest=True)
    recorded = _ratio(*_parts(counts, metric, 0.0, 0.0))
    bare = CheckedCounts(counts.flagged_true, counts.flagged_false, 0, counts.unflagged_true, counts.unflagged_false, 0)
    checked = _ratio(*_parts(bare, metric, 0.0, 0.0))
    low, high = _ratio(*smallest), _ratio(*largest)
    least = min(_parts(counts, metric, a, b)[1] for a in ranges[0] for b in ranges[1])
    n = int(least)
    if low is None or high is None or least <= 0:
        return Bounds(None, None, None, None, recorded, checked, n, metric, assumption, level)
    below, above = _corner(counts, metric, outer, highest=False), _corner(counts, metric, outer, highest=True)
    outer_low = float(beta_bounds(*below, one_level)[0]) if below[1] > 0 else 0.0
    outer_high = float(beta_bounds(*above, one_level)[1]) if above[1] > 0 else 1.0
    return Bounds(
        low, high, min(outer_low, low), max(outer_high, high), recorded, checked, n, metric, assumption, level
    )


def sensitivity_curve(
    *,
    counts: CheckedCounts,
    metric: BoundedMetric,
    gammas: Sequence[float] = (1.0, 1.25, 1.5, 2.0, 3.0, 5.0, 10.0),
    level: float = 0.95,
) -> pd.DataFrame:
    """Bounds along a grid of Γ, then without assumption (Γ infinite).

    Parameters
    ----------
    counts, metric, level
        As :func:`bounds_under`.
    gammas : sequence of float
        Each at least 1.

    Returns
    -------
    DataFrame
        Columns ``gamma``, ``low``, ``high``, ``outer_low``, ``outer_high``, ``as_recorded``, ``checked_only``,
        ``estimable``. Bounds widen as Γ grows.
    """
    found = [(float(g), bounds_under(counts=counts, metric=metric, gamma=g, level=level)) for g in gammas]
    found.append((math.inf, bounds_under(counts=counts, metric=metric, level=level)))
    names = ("low", "high", "outer_low", "outer_high", "as_recorded", "checked_only")
    rows = [
        {"gamma": g, **{n: np.nan if getattr(b, n) is None else getattr(b, n) for n in names}, "estimable": b.estimable}
        for g, b in found
    ]
    return pd.DataFrame(rows)


def tipping_gamma(
    *,
    counts: CheckedCounts,
    other: CheckedCounts,
    metric: BoundedMetric,
    with_sampling: bool = True,
    level: float = 0.95,
) -> float | None:
    """Γ from which the bounds of two groups meet: how wrong the unchecked must be for the difference to vanish.

    Parameters
    ----------
    counts, other : CheckedCounts
        The two groups. Γ is the same for both, and hides in each the way that brings them together.
    metric, level
        As :func:`bounds_under`.
    with_sampling : bool, default=True
        Compare the outer bounds, each at ``level``.

    Returns
    -------
    float or None
        1 when the bounds meet already without any hidden difference; ``inf`` when they never do; None when not
        estimable.

    Examples
    --------
    >>> many = CheckedCounts(90, 60, 0, 10, 140, 200)
    >>> few = CheckedCounts(90, 10, 0, 10, 190, 200)
    >>> tipping_gamma(counts=many, other=few, metric="false_positive_rate")
    inf
    """

    def apart(gamma: float | None) -> bool | None:
        one = bounds_under(counts=counts, metric=metric, gamma=gamma, level=level)
        two = bounds_under(counts=other, metric=metric, gamma=gamma, level=level)
        first, second = _span(one, outer=with_sampling), _span(two, outer=with_sampling)
        return None if first is None or second is None else first[0] > second[1] or second[0] > first[1]

    at_one, free = apart(1.0), apart(None)
    if at_one is None:
        return None
    if not at_one:
        return 1.0
    if free:
        return math.inf
    low, high = 1.0, _LARGEST
    if apart(high):
        return math.inf
    for _ in range(_TIPPING_STEPS):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if apart(middle) else (low, middle)
    return high


def checked_share(*, counts: CheckedCounts, level: float = 0.95) -> dict[str, Interval]:
    """Share of flagged, and of unflagged, people who were checked: who was looked at.

    Parameters
    ----------
    counts : CheckedCounts
    level : float, default=0.95

    Returns
    -------
    dict
        ``"flagged"`` and ``"unflagged"`` → Interval.
    """
    flagged = counts.flagged_true + counts.flagged_false
    unflagged = counts.unflagged_true + counts.unflagged_false
    return {
        "flagged": rate_interval(events=flagged, trials=flagged + counts.flagged_unchecked, level=level),
        "unflagged": rate_interval(events=unflagged, trials=unflagged + counts.unflagged_unchecked, level=level),
    }


def _parts(counts: CheckedCounts, metric: str, hidden_flagged: float, hidden_unflagged: float) -> tuple[float, float]:
    """Numerator and denominator in the world where these shares of unchecked people are true cases."""
    flagged_true = counts.flagged_true + hidden_flagged * counts.flagged_unchecked
    flagged_false = counts.flagged_false + (1 - hidden_flagged) * counts.flagged_unchecked
    unflagged_true = counts.unflagged_true + hidden_unflagged * counts.unflagged_unchecked
    unflagged_false = counts.unflagged_false + (1 - hidden_unflagged) * counts.unflagged_unchecked
    if metric == "false_positive_rate":
        return flagged_false, flagged_false + unflagged_false
    if metric == "recall":
        return flagged_true, flagged_true + unflagged_true
    return flagged_true, flagged_true + flagged_false


def _corner(counts: CheckedCounts, metric: str, ranges: tuple[Range, Range], *, highest: bool) -> tuple[float, float]:
    """Numerator and denominator where the rate is smallest or largest.

    Hidden cases among the flagged lower the false-positive rate and raise recall and precision; among the unflagged
    they raise the false-positive rate (fewer innocents) and lower recall.
    """
    flagged, unflagged = ranges
    up = metric == "false_positive_rate"
    return _parts(counts, metric, flagged[highest != up], unflagged[highest == up])


def _span(bounds: Bounds, *, outer: bool) -> Range | None:
    low, high = (bounds.outer_low, bounds.outer_high) if outer else (bounds.low, bounds.high)
    return None if low is None or high is None else (low, high)


def _ratio(top: float, bottom: float) -> float | None:
    return top / bottom if bottom > 0 else None


def _odds_range(true: int, false: int, gamma: float, level: float | None) -> Range:
    """Shares whose odds are within ``gamma`` of those checked; with ``level``, of their interval's bounds."""
    if true + false == 0:
        return 0.0, 1.0
    low = high = true / (true + false)
    if level is not None:
        bounds = rate_interval(events=true, trials=true + false, level=level, method="clopper-pearson")
        low, high = float(bounds.low or 0.0), float(1.0 if bounds.high is None else bounds.high)
    return low / (low + gamma * (1 - low)), gamma * high / (gamma * high + 1 - high)


def _range(given: Range, name: str, where: str) -> Range:
    low, high = float(given[0]), float(given[1])
    if not 0 <= low <= high <= 1:
        raise bad_parameter(name=name, where=where, must="two shares in [0, 1], in order", got=given)
    return low, high
