"""Intervals for scores measured on consecutive days: a block bootstrap that keeps neighbouring days together.

Days are not independent (weather, near-repeats), so whole blocks of days are drawn, with lengths drawn at random around
a mean chosen from the data. All predictors and areas of a comparison share the same draws: differences are paired.

What it cannot tell you: the interval covers another stretch of days in the *same* city under the same recording. It
does not cover another city, another year or another way of recording. With few days it is somewhat too short.

References
----------
.. [1] Politis & Romano (1994), "The stationary bootstrap", JASA 89(428), 1303-1313.
.. [2] Politis & White (2004), "Automatic block-length selection for the dependent bootstrap", Econometric
   Reviews 23(1).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from contrechamp.domain.grid import FloatArray
from contrechamp.domain.intervals import Interval


@dataclass(frozen=True, eq=False)
class DayDraws:
    """Resampled days, shared by everything that is compared.

    Attributes
    ----------
    weights : ndarray, shape (n_draws, n_days)
        How many times each day is in each draw; rows sum to ``n_days``.
    block_days : float
        Mean length of a block.
    """

    weights: FloatArray
    block_days: float

    @property
    def method(self) -> str:
        """The method as results state it."""
        return (
            f"stationary-bootstrap (percentile, {len(self.weights)} draws, mean block {self.block_days:.2f} days "
            "chosen from the data)"
        )


def block_length(series: Sequence[npt.ArrayLike]) -> float:
    """Mean block length, the longest that any of the daily ``series`` asks for, between 1 day and a third of them.

    Constant or very short series ask for 1.
    """
    from arch.bootstrap import optimal_block_length

    longest = 1.0
    for one in series:
        x = np.asarray(one, dtype=np.float64)
        if len(x) < 8 or np.ptp(x) == 0 or not np.isfinite(x).all():
            continue
        with np.errstate(divide="ignore", invalid="ignore"):  # a stretch of equal days has no autocorrelation
            asked = float(optimal_block_length(x)["stationary"].iloc[0])
        if np.isfinite(asked):
            longest = max(longest, min(asked, len(x) / 3))
    return longest


def draw_days(n_days: int, *, block_days: float, n_draws: int, rng: np.random.Generator) -> DayDraws:
    """Draw ``n_draws`` stationary-bootstrap samples of ``n_days`` days."""
    from arch.bootstrap import StationaryBootstrap

    sampler = StationaryBootstrap(block_days, np.arange(n_days), seed=rng)  # type: ignore[arg-type,unused-ignore]
    weights = np.empty((n_draws, n_days))
    for row in weights:
        row[:] = np.bincount(sampler.update_indices(), minlength=n_days)
    return DayDraws(weights, float(block_days))


def ratio_interval(
    top: npt.ArrayLike, bottom: npt.ArrayLike, *, draws: DayDraws, scale: float = 1.0, shift: float = 0.0,
    level: float = 0.95,
) -> Interval:  # fmt: skip
    """Interval of ``scale × sum(top) / sum(bottom) + shift`` over days; ``n`` counts days.

    Parameters
    ----------
    top, bottom : array-like, shape (n_days,)
        Daily totals, for instance hits and events.
    draws : DayDraws
    scale, shift : float
        ``scale = 1 / share of area`` makes a PAI of a hit rate; ``shift = -1`` makes a relative gain of a ratio.
    level : float, default=0.95

    Notes
    -----
    Not estimable where the days' ``bottom`` sums to 0, or sums to 0 in more than one draw in twenty. Rarer draws with a
    zero denominator count as infinite, so that they can only widen the interval.
    """
    a, b = np.asarray(top, dtype=np.float64), np.asarray(bottom, dtype=np.float64)
    n = len(b)
    if n == 0 or b.sum() <= 0:
        return Interval.not_estimable(n=n, method=draws.method, level=level)
    tops, bottoms = draws.weights @ a, draws.weights @ b
    empty = bottoms <= 0
    if empty.mean() > 0.05:
        return Interval.not_estimable(n=n, method=draws.method, level=level)
    values = np.where(empty, np.inf, tops / np.where(empty, 1.0, bottoms))
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2], method="inverted_cdf")
    if not np.isfinite(high):
        return Interval.not_estimable(n=n, method=draws.method, level=level)
    estimate = a.sum() / b.sum()
    ends = sorted((scale * float(low) + shift, scale * float(high) + shift))
    return Interval(scale * float(estimate) + shift, ends[0], ends[1], n, draws.method, level)
