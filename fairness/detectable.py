"""The smallest ratio that two groups could have shown, to be printed beside every « not shown ».

Seven false identifications, all of people of one group, were once reported as « no statistically significant
difference ». True, and empty: with such counts hardly any difference could have been significant.

What it cannot tell you: the ratio that is there. It is a property of group sizes, of the rate supposed and of the test,
known before the data. It supposes independent units: with clustered ones the truth is larger.

References
----------
.. [1] Cohen (1988), "Statistical power analysis for the behavioral sciences", 2nd ed., chapter 6.
"""

from __future__ import annotations

import math
from typing import Final, Literal, get_args

import numpy as np
import numpy.typing as npt
from scipy import stats

from contrechamp.domain.errors import bad_parameter
from fairness._checks import check_choice, check_count, check_open_share

PowerMethod = Literal["exact", "normal"]

_CLOSE: Final = 1e-4  # relative precision of a detectable ratio
_TAIL: Final = 1e-10  # counts rarer than this are left out of a power
_MAX_COUNTS: Final = 50_000  # above, exact power takes too long, and the normal law is good


def minimum_detectable_ratio(
    *,
    trials: int,
    other_trials: int,
    other_rate: float,
    alpha: float = 0.05,
    power: float = 0.8,
    method: PowerMethod = "exact",
) -> float | None:
    """Smallest ratio above 1 that :func:`fairness.hypotheses.two_rates_test` would have found, with chance ``power``.

    To be printed beside every « not shown »: groups that could only have shown a sixfold ratio say little by silence.

    Parameters
    ----------
    trials, other_trials : int
        Sizes of the two groups.
    other_rate : float
        Share in the group divided by, in [0, 1].
    alpha : float, default=0.05
        Two-sided. With several groups compared, hand in the level of one comparison (``0.05 / 15``).
    power : float, default=0.8
    method : {"exact", "normal"}, default="exact"
        ``"exact"`` sums binomial laws over the rejection region of the exact test; ``"normal"`` is Cohen's arcsine
        formula, for planning. Where likely counts spread over more than 50,000 the formula stands in for the sum.

    Returns
    -------
    float or None
        None when no ratio could have been shown: a group is empty, ``other_rate`` is 0, or even a rate of 1 in the
        first group would not reach ``power``.

    Raises
    ------
    ParameterError
        If a parameter is out of range.

    Examples
    --------
    >>> round(minimum_detectable_ratio(trials=120, other_trials=1_800, other_rate=0.05), 2)
    2.51
    >>> round(minimum_detectable_ratio(trials=424, other_trials=424, other_rate=0.05, method="normal"), 2)
    2.0
    """
    where = "minimum_detectable_ratio"
    check_count(trials, "trials", where)
    check_count(other_trials, "other_trials", where)
    if not 0 <= other_rate <= 1:
        raise bad_parameter(name="other_rate", where=where, must="a share in [0, 1]", got=other_rate)
    check_open_share(alpha, "alpha", where)
    check_open_share(power, "power", where)
    check_choice(method, get_args(PowerMethod), where)
    if not (trials and other_trials and 0 < other_rate < 1):
        return None
    reaches = _Power(trials, other_trials, other_rate, alpha, method)
    low, high = 1.0, 1 / other_rate
    if reaches(high) < power:
        return None
    while high - low > _CLOSE * low:
        middle = (low + high) / 2
        low, high = (low, middle) if reaches(middle) >= power else (middle, high)
    return high


class _Power:
    """Chance that the exact test finds a ratio above 1, as a function of the ratio."""

    def __init__(self, trials: int, other_trials: int, other_rate: float, alpha: float, method: str) -> None:
        self.trials, self.other_trials, self.other_rate, self.alpha = trials, other_trials, other_rate, alpha
        law = stats.binom(other_trials, other_rate)
        self.others = np.arange(int(law.ppf(_TAIL)), int(law.isf(_TAIL)) + 1)
        self.weights = law.pmf(self.others)
        self.exact = method == "exact" and len(self.others) <= _MAX_COUNTS
        if self.exact:
            self.needed = self._needed()

    def __call__(self, ratio: float) -> float:
        rate = min(ratio * self.other_rate, 1.0)
        if not self.exact:
            effect = 2 * (math.asin(math.sqrt(rate)) - math.asin(math.sqrt(self.other_rate)))
            size = math.sqrt(self.trials * self.other_trials / (self.trials + self.other_trials))
            return float(stats.norm.sf(stats.norm.isf(self.alpha / 2) - effect * size))
        return float(self.weights @ stats.binom.sf(self.needed - 1, self.trials, rate))

    def _needed(self) -> npt.NDArray[np.int64]:
        """Fewest events of the first group that the test rejects at, for each count of the other group."""
        total = self.trials + self.other_trials
        low = np.full(len(self.others), -1)  # never rejected
        high = np.full(len(self.others), self.trials + 1)  # taken as rejected: out of reach
        while bool((high - low > 1).any()):
            middle = (low + high) // 2
            tail = stats.hypergeom.sf(middle - 1, total, middle + self.others, self.trials)
            rejected = tail <= self.alpha / 2
            low, high = np.where(rejected, low, middle), np.where(rejected, middle, high)
        return high
