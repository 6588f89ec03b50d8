"""Rates, differences, ratios and means that carry their interval and their denominator: the names in one place.

Every function returns an :class:`~contrechamp.domain.intervals.Interval`, which says *not estimable* rather than 0 when
there is nothing to divide by. The code is in :mod:`fairness.rates`, :mod:`fairness.comparisons` and
:mod:`fairness.means`.

What it cannot tell you: an interval covers sampling error only. It says nothing about who was never counted,
about labels that are themselves the product of checks, or about days that resemble each other.
"""

from __future__ import annotations

from fairness._checks import Values
from fairness.comparisons import (
    DifferenceMethod,
    difference_interval,
    paired_difference_interval,
    poisson_ratio_interval,
    ratio_interval,
)
from fairness.means import MeanMethod, mean_interval, quantile_interval
from fairness.rates import (
    DEFAULT_RATE_METHOD,
    RateMethod,
    poisson_rate_interval,
    rate_bounds,
    rate_coverage,
    rate_interval,
    rule_of_three,
)

__all__ = [
    "DEFAULT_RATE_METHOD",
    "DifferenceMethod",
    "MeanMethod",
    "RateMethod",
    "Values",
    "difference_interval",
    "mean_interval",
    "paired_difference_interval",
    "poisson_rate_interval",
    "poisson_ratio_interval",
    "quantile_interval",
    "rate_bounds",
    "rate_coverage",
    "rate_interval",
    "ratio_interval",
    "rule_of_three",
]
