"""Tests of two rates: exact comparisons, matched pairs, equivalence.

Three sentences are kept apart here. *The rates differ* needs a test. *The rates do not differ by more than a stated
margin* needs another, the two one-sided tests. When neither holds, the answer is *not shown*, and it is worth nothing
without the smallest ratio that such groups could have shown (:mod:`fairness.detectable`).

What it cannot tell you: whether the margin is acceptable (a matter of law and of the people concerned, to be stated
before the data are seen), or whether the units are independent. Many groups at once need :mod:`fairness.multiplicity`.

References
----------
.. [1] Fisher (1935), "The logic of inductive inference", JRSS 98(1).
.. [2] McNemar (1947), "Note on the sampling error of the difference between correlated proportions", Psychometrika 12.
.. [3] Fagerland, Lydersen & Laake (2013), "The McNemar test for binary matched-pairs data: mid-p and asymptotic are
   better than exact conditional", BMC Medical Research Methodology 13:91.
.. [4] Schuirmann (1987), "A comparison of the two one-sided tests procedure", J. Pharmacokinet. Biopharm. 15(6).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

from scipy import stats

from contrechamp.domain.errors import bad_parameter
from contrechamp.domain.intervals import Interval
from fairness._checks import check_choice, check_count, check_open_share, check_two
from fairness.comparisons import (
    difference_interval,
    difference_score,
    paired_difference_interval,
    ratio_interval,
    ratio_score,
)

McNemarMethod = Literal["exact", "mid-p"]
Scale = Literal["ratio", "difference"]


@dataclass(frozen=True, slots=True)
class TestResult:
    """A p-value, or the statement that there is none.

    Attributes
    ----------
    p_value : float or None
        Two-sided; None when the test is not estimable.
    n : int
        Units compared.
    method : str
    """

    __test__ = False  # pytest must not collect it

    p_value: float | None
    n: int
    method: str

    @property
    def estimable(self) -> bool:
        """False when there was nothing to compare."""
        return self.p_value is not None


@dataclass(frozen=True, slots=True)
class Equivalence:
    """Result of two one-sided tests.

    Attributes
    ----------
    p_value : float or None
        The larger of the two; None when not estimable.
    margin : tuple of two floats
        Bounds within which groups are called equivalent, on ``scale``.
    scale : {"ratio", "difference"}
    alpha : float
    interval : Interval
        Score interval at level ``1 - 2 alpha``: it lies within the margin when the tests say so.
    """

    p_value: float | None
    margin: tuple[float, float]
    scale: Scale
    alpha: float
    interval: Interval

    @property
    def shown(self) -> bool:
        """True when a difference beyond the margin is excluded at ``alpha``."""
        return self.p_value is not None and self.p_value <= self.alpha


def two_rates_test(*, events: int, trials: int, other_events: int, other_trials: int) -> TestResult:
    """Exact test that two independent shares are equal (Fisher's, the smaller tail doubled).

    Parameters
    ----------
    events, trials, other_events, other_trials : int

    Returns
    -------
    TestResult
        Not estimable when a group is empty, or when there is no event, or nothing but events, in both together.

    Raises
    ------
    ParameterError
        As :func:`fairness.rates.rate_interval`.

    Notes
    -----
    Null hypothesis: the two shares are equal. The size never exceeds its level, and is often well under it.

    Examples
    --------
    Fisher's tea tasting, three of four told right:

    >>> round(two_rates_test(events=3, trials=4, other_events=1, other_trials=4).p_value, 4)
    0.4857
    """
    check_two(events, trials, other_events, other_trials, "two_rates_test")
    total, seen = trials + other_trials, events + other_events
    if not (trials and other_trials and 0 < seen < total):
        return TestResult(None, total, "fisher-exact")
    law = stats.hypergeom(total, seen, trials)
    tail = min(float(law.cdf(events)), float(law.sf(events - 1)))
    return TestResult(min(1.0, 2 * tail), total, "fisher-exact")


def mcnemar_test(*, first_only: int, second_only: int, method: McNemarMethod = "mid-p") -> TestResult:
    """Test that two conditions give the same share of events on the *same* units (matched pairs).

    Parameters
    ----------
    first_only, second_only : int
        Units that are events under one condition only. Units that agree do not enter.
    method : {"mid-p", "exact"}, default="mid-p"
        ``"exact"`` never exceeds its level; ``"mid-p"`` counts the observed table for half and is less timid.

    Returns
    -------
    TestResult
        ``n`` is the number of units that changed. Not estimable when none did.

    Raises
    ------
    ParameterError
        If a count is negative or not whole, or ``method`` is not valid.

    See Also
    --------
    fairness.comparisons.paired_difference_interval : how much, and not only whether.

    Examples
    --------
    >>> round(mcnemar_test(first_only=1, second_only=7).p_value, 4)
    0.0391
    """
    where = "mcnemar_test"
    for name, count in (("first_only", first_only), ("second_only", second_only)):
        check_count(count, name, where)
    check_choice(method, get_args(McNemarMethod), where)
    n, less = first_only + second_only, min(first_only, second_only)
    label = f"mcnemar-{method}"
    if n == 0:
        return TestResult(None, 0, label)
    p_value = 2 * float(stats.binom.cdf(less, n, 0.5))
    if method == "mid-p":
        p_value -= float(stats.binom.pmf(less, n, 0.5))
    return TestResult(min(1.0, p_value), n, label)


def equivalence_test(
    *,
    events: int,
    trials: int,
    other_events: int,
    other_trials: int,
    margin: float,
    scale: Scale = "ratio",
    alpha: float = 0.05,
) -> Equivalence:
    """Two one-sided score tests that two shares differ by less than a margin stated beforehand.

    Parameters
    ----------
    events, trials, other_events, other_trials : int
    margin : float
        On the ratio scale, above 1: ``1.25`` means between 0.8 and 1.25. On the difference scale, in (0, 1).
    scale : {"ratio", "difference"}, default="ratio"
    alpha : float, default=0.05

    Returns
    -------
    Equivalence
        Not estimable when a group is empty; on the ratio scale, also when either group has no event.

    Raises
    ------
    ParameterError
        If a count, the margin, ``scale`` or ``alpha`` is out of range.

    Notes
    -----
    Null hypothesis: the true ratio (or difference) lies *at or beyond* the margin. The statistics are Koopman's for
    ratios and Miettinen and Nurminen's for differences.

    Examples
    --------
    A p-value above 5 % shows nothing; the same counts, ten times over, show equivalence:

    >>> equivalence_test(events=40, trials=400, other_events=42, other_trials=400, margin=1.25).shown
    False
    >>> equivalence_test(events=400, trials=4_000, other_events=420, other_trials=4_000, margin=1.25).shown
    True
    """
    where = "equivalence_test"
    check_two(events, trials, other_events, other_trials, where)
    check_choice(scale, get_args(Scale), where, name="scale")
    check_open_share(alpha, "alpha", where)
    level = 1 - 2 * alpha
    if alpha >= 0.5:
        raise bad_parameter(name="alpha", where=where, must="under 0.5", got=alpha)
    if scale == "ratio" and not (math.isfinite(margin) and margin > 1):
        raise bad_parameter(
            name="margin",
            where=where,
            must="above 1 on the ratio scale",
            got=margin,
            remedy="Write 1.25 for 0.8 to 1.25.",
        )
    if scale == "difference":
        check_open_share(margin, "margin", where)
    counts = {"events": events, "trials": trials, "other_events": other_events, "other_trials": other_trials}
    if scale == "ratio":
        bounds = (1 / margin, margin)
        interval = ratio_interval(**counts, level=level)
        possible = interval.estimable and events > 0
        scores = (
            [ratio_score(bound, events, trials, other_events, other_trials) for bound in bounds] if possible else []
        )
    else:
        bounds = (-margin, margin)
        interval = difference_interval(**counts, level=level, method="score")
        scores = (
            [difference_score(bound, events, trials, other_events, other_trials) for bound in bounds]
            if interval.estimable
            else []
        )
    p_value = max(float(stats.norm.sf(scores[0])), float(stats.norm.cdf(scores[1]))) if scores else None
    return Equivalence(p_value, bounds, scale, alpha, interval)


def paired_equivalence_test(
    *, both: int, first_only: int, second_only: int, neither: int, margin: float, alpha: float = 0.05
) -> Equivalence:
    """Equivalence of two shares measured on the same units, by Newcombe's paired interval at level ``1 - 2 alpha``.

    Parameters
    ----------
    both, first_only, second_only, neither : int
    margin : float
        Largest difference of shares that is called none, in (0, 1).
    alpha : float, default=0.05

    Returns
    -------
    Equivalence
        ``p_value`` is the smallest ``alpha``, to about 1e-6, at which the interval fits in the margin.

    Raises
    ------
    ParameterError
        If a count, the margin or ``alpha`` is out of range.
    """
    where = "paired_equivalence_test"
    check_open_share(margin, "margin", where)
    check_open_share(2 * alpha, "2 × alpha", where)

    def at(a: float) -> Interval:
        return paired_difference_interval(
            both=both, first_only=first_only, second_only=second_only, neither=neither, level=1 - 2 * a
        )

    def fits(a: float) -> bool:
        found = at(a)
        return found.low is not None and found.high is not None and -margin < found.low and found.high < margin

    interval = at(alpha)
    p_value: float | None = None
    if interval.estimable:
        low, high = 1e-12, 0.5 - 1e-9
        if not fits(high):
            p_value = 0.5
        else:
            while high - low > 1e-6 * high:
                middle = math.sqrt(low * high)
                low, high = (low, middle) if fits(middle) else (middle, high)
            p_value = high
    return Equivalence(p_value, (-margin, margin), "difference", alpha, interval)
